/* The commands of the program: main.c finds one by its name and hands it the rest of the line.
 * Private to replicate. */
#ifndef GLMV_REPLICATE_COMMAND_H
#define GLMV_REPLICATE_COMMAND_H

#include <stdbool.h>

#include "base/err.h"

/* Exit codes of every command. */
enum replicate_exit {
    REPLICATE_DONE = 0,
    REPLICATE_BELOW = 1, /* below the wanted score, or different */
    REPLICATE_USAGE = 2,
    REPLICATE_INPUT = 3,
    REPLICATE_ENGINE = 4, /* the model or the renderer failed */
    REPLICATE_INTERRUPTED = 130,
};

/* argv[0] is the command's name. Returns an exit code. */
typedef int replicate_command_fn(int argc, char **argv);

struct replicate_command {
    const char *name;
    const char *summary; /* one line for --help */
    replicate_command_fn *run;
};

/* The exit code that fits a failure. */
int replicate_exit_code(const struct glmv_err *err);

/* Prints "glmv-replicate: MESSAGE" on stderr and returns the exit code that fits. */
int replicate_report(const struct glmv_err *err);

/* The value of an option such as "--jobs" or "-j"; one that is none of these numbers is
 * GLMV_ERR_USAGE. */
bool replicate_read_whole(const char *option, const char *text, int low, int high, int *out,
                          struct glmv_err *err);
bool replicate_read_number(const char *option, const char *text, double low, double high,
                           double *out, struct glmv_err *err);

/* cmd_*.c, one file a command. */
replicate_command_fn replicate_cmd_ask;
replicate_command_fn replicate_cmd_batch;
replicate_command_fn replicate_cmd_check;
replicate_command_fn replicate_cmd_diff;
replicate_command_fn replicate_cmd_doctor;
replicate_command_fn replicate_cmd_edit;
replicate_command_fn replicate_cmd_fix;
replicate_command_fn replicate_cmd_inspect;
replicate_command_fn replicate_cmd_model_info;
replicate_command_fn replicate_cmd_models;
replicate_command_fn replicate_cmd_render;
replicate_command_fn replicate_cmd_repl;
replicate_command_fn replicate_cmd_replicate;
replicate_command_fn replicate_cmd_score;
replicate_command_fn replicate_cmd_version;

#endif
