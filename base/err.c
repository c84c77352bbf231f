#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

bool glmv_fail(struct glmv_err *err, enum glmv_err_code code, const char *format, ...)
{
    if (err == NULL || err->code != GLMV_ERR_NONE) {
        return false;
    }
    err->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return false;
}

bool glmv_fail_memory(struct glmv_err *err)
{
    return glmv_fail(err, GLMV_ERR_MEMORY, "out of memory");
}

void glmv_err_clear(struct glmv_err *err)
{
    if (err != NULL) {
        err->code = GLMV_ERR_NONE;
        err->message[0] = '\0';
    }
}
