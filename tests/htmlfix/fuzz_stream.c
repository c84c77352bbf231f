/* In pieces, with previews, the result is that of the whole. The first byte is the pieces' size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "htmlfix/htmlfix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t step = size > 0 ? data[0] % 64u + 1 : 1, shown;
    const char *text = (const char *)data;
    struct glmv_fix one, two;
    struct glmv_buf whole, pieces;
    glmv_buf_init(&whole, (size_t)1 << 24);
    glmv_buf_init(&pieces, (size_t)1 << 24);
    struct glmv_fix_stream *stream = glmv_fix_stream_open((size_t)1 << 24, NULL);
    for (size_t at = 0; at < size; at += step) {
        glmv_fix_stream_feed(stream, text + at, size - at < step ? size - at : step, NULL);
        (void)glmv_fix_stream_preview(stream, &shown);
    }
    bool a = glmv_html_fix(text, size, &whole, &one, NULL);
    bool b = glmv_fix_stream_finish(stream, &pieces, &two, NULL);
    if (a != b || one.flags != two.flags || whole.len != pieces.len ||
        (a && memcmp(whole.data, pieces.data, whole.len) != 0)) {
        abort();
    }
    glmv_fix_stream_close(stream);
    glmv_buf_release(&whole);
    glmv_buf_release(&pieces);
    return 0;
}
