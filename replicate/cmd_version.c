#include <stdio.h>

#include "replicate/command.h"

int replicate_cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("glmv-replicate %s\n", GLMV_VERSION);
    return REPLICATE_DONE;
}
