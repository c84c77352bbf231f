/* Any bytes: no crash, no leak, notes inside of the answer, memory within bounds. */
#include <stdint.h>
#include <stdlib.h>

#include "htmlfix/htmlfix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct glmv_fix fix;
    struct glmv_buf out;
    glmv_buf_init(&out, (size_t)1 << 24);
    bool ok = glmv_html_fix((const char *)data, size, &out, &fix, NULL);
    if (ok != ((fix.flags & GLMV_FIX_NO_HTML) == 0) || (!ok && out.len > 0) ||
        out.len > 16 * size + 4096) {
        abort();
    }
    for (size_t i = 0; i < fix.note_count; i++) {
        if (fix.notes[i].begin > fix.notes[i].end || fix.notes[i].end > size) {
            abort();
        }
    }
    glmv_buf_release(&out);
    return 0;
}
