#include "replicate/command.h"

#include <stdio.h>

int replicate_exit_code(const struct glmv_err *err)
{
    switch (err->code) {
    case GLMV_ERR_NONE:
        return REPLICATE_DONE;
    case GLMV_ERR_USAGE:
        return REPLICATE_USAGE;
    case GLMV_ERR_MODEL:
    case GLMV_ERR_RENDER:
        return REPLICATE_ENGINE;
    case GLMV_ERR_CANCELLED:
        return REPLICATE_INTERRUPTED;
    default:
        return REPLICATE_INPUT;
    }
}

int replicate_report(const struct glmv_err *err)
{
    fprintf(stderr, "glmv-replicate: %s\n", err->message);
    return replicate_exit_code(err);
}
