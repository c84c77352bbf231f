/* The same code compiled with AVX2, whose blends shorten the chain from one pixel to the next. */
#ifdef __AVX2__
#include "base/unfilter_rows.h"

bool base_unfilter_avx2(const uint8_t *raw, size_t width, int channels, size_t count,
                        const uint8_t *up, uint8_t *out)
{
    return undo_rows(raw, width, channels, count, up, out);
}
#else
typedef int base_unfilter_avx2_is_for_other_processors; /* a file is never empty */
#endif
