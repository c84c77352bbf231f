/* Fixing what was fixed changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "htmlfix/htmlfix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct glmv_fix fix;
    struct glmv_buf once, twice;
    glmv_buf_init(&once, (size_t)1 << 24);
    glmv_buf_init(&twice, (size_t)1 << 24);
    if (glmv_html_fix((const char *)data, size, &once, &fix, NULL)) {
        bool ok = glmv_html_fix(once.data, once.len, &twice, &fix, NULL);
        if (!ok || once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0) {
            abort();
        }
    }
    glmv_buf_release(&once);
    glmv_buf_release(&twice);
    return 0;
}
