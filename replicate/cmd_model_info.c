/* glmv-replicate model-info: what is in a checkpoint folder, and whether the engine can run it. */
#include <stdio.h>
#include <string.h>

#include "model/glm/glm.h"
#include "replicate/command.h"

static const char help[] =
    "Usage: glmv-replicate model-info FOLDER|FILE.gguf [--verify]\n\n"
    "Says what a folder with weights holds and what memory it needs. Fails where the engine "
    "cannot\n"
    "run it: a file is missing or damaged, or a tensor has the wrong shape.\n\n"
    "  --verify   also quantise every matrix and say how far int8 and int4 are from the weights\n";

int replicate_cmd_model_info(int argc, char **argv)
{
    const char *folder = NULL;
    bool verify = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            return REPLICATE_DONE;
        }
        if (strcmp(argv[i], "--verify") == 0) {
            verify = true;
        } else if (argv[i][0] != '-' && folder == NULL) {
            folder = argv[i];
        } else {
            fprintf(stderr, "glmv-replicate: model-info does not take '%s'; see --help\n", argv[i]);
            return REPLICATE_USAGE;
        }
    }
    if (folder == NULL) {
        fputs(help, stderr);
        return REPLICATE_USAGE;
    }
    struct glmv_err err = {0};
    struct glmv_buf text;
    glmv_buf_init(&text, 1 << 20);
    int code = REPLICATE_DONE;
    if (glmv_glm_info(folder, verify, &text, &err)) {
        fputs(text.data, stdout);
    } else {
        code = replicate_report(&err);
    }
    glmv_buf_release(&text);
    return code;
}
