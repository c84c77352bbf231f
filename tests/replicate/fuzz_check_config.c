/* Any bytes as a check config: read or refused with a message, never more. Configs with '/' are
 * left out, so that no pattern walks through the machine. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/check_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL || memchr(data, '/', size) != NULL) {
        free(text);
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    struct glmv_err err = {0};
    struct check_config *config = check_config_parse(text, size, "check.json", &err);
    if ((config == NULL) != (err.code != GLMV_ERR_NONE)) {
        abort();
    }
    check_config_free(config);
    free(text);
    return 0;
}
