#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

#include "base/codec.h"

struct glmv_image *base_webp_decode(const unsigned char *bytes, size_t len, const char *name,
                                    struct glmv_err *err)
{
    WebPData data = {bytes, len};
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(bytes, len, &features) != VP8_STATUS_OK) {
        glmv_fail(err, GLMV_ERR_FORMAT, "%s: broken WebP; export it again", name);
        return NULL;
    }
    if (!base_image_fits((uint64_t)features.width, (uint64_t)features.height, name, err)) {
        return NULL;
    }
    struct glmv_image *image = glmv_image_new(features.width, features.height, err);
    if (image == NULL) {
        return NULL;
    }
    bool ok;
    size_t stride = (size_t)image->width * 4;
    size_t size = stride * (size_t)image->height;
    if (features.has_animation) {
        WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, NULL);
        uint8_t *frame = NULL;
        int time_ms = 0;
        ok = decoder != NULL && WebPAnimDecoderGetNext(decoder, &frame, &time_ms);
        if (ok) {
            memcpy(image->rgba, frame, size);
        }
        WebPAnimDecoderDelete(decoder);
    } else {
        ok = WebPDecodeRGBAInto(bytes, len, image->rgba, size, (int)stride) != NULL;
    }
    if (!ok) {
        glmv_image_free(image);
        glmv_fail(err, GLMV_ERR_FORMAT, "%s: broken WebP; export it again", name);
        return NULL;
    }
    return image;
}

static int webp_push(const uint8_t *bytes, size_t len, const WebPPicture *picture)
{
    return glmv_buf_append(picture->custom_ptr, bytes, len, NULL);
}

bool glmv_image_encode_webp(const struct glmv_image *image, int quality, struct glmv_buf *out,
                            struct glmv_err *err)
{
    if (image->width > WEBP_MAX_DIMENSION || image->height > WEBP_MAX_DIMENSION) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "a WebP picture has at most %d pixels a side",
                         WEBP_MAX_DIMENSION);
    }
    WebPConfig config;
    WebPPicture picture;
    if (!WebPConfigInit(&config) || !WebPPictureInit(&picture)) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "libwebp does not match the headers it was built with");
    }
    if (quality == GLMV_WEBP_LOSSLESS) {
        WebPConfigLosslessPreset(&config, 4);
        config.exact = 1;
    } else {
        config.quality = (float)quality;
    }
    picture.use_argb = 1;
    picture.width = image->width;
    picture.height = image->height;
    picture.writer = webp_push;
    picture.custom_ptr = out;
    bool ok = WebPPictureImportRGBA(&picture, image->rgba, image->width * 4) &&
              WebPEncode(&config, &picture);
    WebPPictureFree(&picture);
    return ok || glmv_fail(err, GLMV_ERR_MEMORY, "a picture could not be encoded as WebP");
}
