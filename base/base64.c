#include "base/base64.h"

bool glmv_base64_append(struct glmv_buf *out, const void *bytes, size_t len, struct glmv_err *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes;
    if (!glmv_buf_reserve(out, len / 3 * 4 + 4, err)) {
        return false;
    }
    for (size_t at = 0; at < len; at += 3) {
        size_t left = len - at;
        unsigned long bits = (unsigned long)in[at] << 16;
        bits |= left > 1 ? (unsigned long)in[at + 1] << 8 : 0;
        bits |= left > 2 ? (unsigned long)in[at + 2] : 0;
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        if (!glmv_buf_append(out, four, 4, err)) {
            return false;
        }
    }
    return true;
}
