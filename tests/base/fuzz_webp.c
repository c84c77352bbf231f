/* The WebP reader: any bytes give a picture within the limits or an error. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#define MAX_PIXELS 4194304 /* larger ones are sound and only slow */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct glmv_err err = {0};
    if (size > 30 && memcmp(data + 12, "VP8X", 4) == 0 &&
        (uint64_t)(data[24] | data[25] << 8 | data[26] << 16) *
                (uint64_t)(data[27] | data[28] << 8 | data[29] << 16) >
            MAX_PIXELS) {
        return 0;
    }
    struct glmv_image *image = base_webp_decode(data, size, "fuzz", &err);
    if (image == NULL ? err.code == GLMV_ERR_NONE : image->width <= 0 || image->height <= 0) {
        abort();
    }
    glmv_image_free(image);
    return 0;
}
