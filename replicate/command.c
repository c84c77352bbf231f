#include "replicate/command.h"

#include <stdio.h>
#include <stdlib.h>

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

bool replicate_read_whole(const char *option, const char *text, int low, int high, int *out,
                          struct glmv_err *err)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < low || value > high) {
        return glmv_fail(err, GLMV_ERR_USAGE, "%s takes a whole number from %d to %d, not '%.40s'",
                         option, low, high, text);
    }
    *out = (int)value;
    return true;
}

bool replicate_read_number(const char *option, const char *text, double low, double high,
                           double *out, struct glmv_err *err)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high)) {
        return glmv_fail(err, GLMV_ERR_USAGE, "%s takes a number from %g to %g, not '%.40s'",
                         option, low, high, text);
    }
    *out = value;
    return true;
}
