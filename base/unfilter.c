#include "base/unfilter_rows.h"

bool base_unfilter_plain(const uint8_t *raw, size_t width, int channels, size_t count,
                         const uint8_t *up, uint8_t *out)
{
    return undo_rows(raw, width, channels, count, up, out);
}

bool base_unfilter(const uint8_t *raw, size_t width, int channels, size_t count, const uint8_t *up,
                   uint8_t *out)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        return base_unfilter_avx2(raw, width, channels, count, up, out);
    }
#endif
    return base_unfilter_plain(raw, width, channels, count, up, out);
}
