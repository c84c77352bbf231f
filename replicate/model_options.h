/*
 * The options that every command with a model takes. A command adds REPLICATE_MODEL_OPTIONS to its
 * long options and passes codes that it does not know to replicate_model_option.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_MODEL_OPTIONS_H
#define GLMV_REPLICATE_MODEL_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "base/err.h"
#include "model/chat.h"

enum {
    REPLICATE_OPT_MODEL = 0x4000,
    REPLICATE_OPT_MODEL_NAME,
    REPLICATE_OPT_TEMPERATURE,
    REPLICATE_OPT_TOP_P,
    REPLICATE_OPT_TOP_K,
    REPLICATE_OPT_PENALTY,
    REPLICATE_OPT_MAX_TOKENS,
    REPLICATE_OPT_SEED,
    REPLICATE_OPT_THINK,
    REPLICATE_OPT_SHOW_THINKING,
    REPLICATE_OPT_STREAM,
    REPLICATE_OPT_INT8,
    REPLICATE_OPT_INT4,
    REPLICATE_OPT_FP8,
    REPLICATE_OPT_DEVICE,
};

#define REPLICATE_MODEL_OPTIONS                                                                    \
    {"model", required_argument, NULL, REPLICATE_OPT_MODEL},                                       \
        {"model-name", required_argument, NULL, REPLICATE_OPT_MODEL_NAME},                         \
        {"temperature", required_argument, NULL, REPLICATE_OPT_TEMPERATURE},                       \
        {"top-p", required_argument, NULL, REPLICATE_OPT_TOP_P},                                   \
        {"top-k", required_argument, NULL, REPLICATE_OPT_TOP_K},                                   \
        {"repetition-penalty", required_argument, NULL, REPLICATE_OPT_PENALTY},                    \
        {"max-tokens", required_argument, NULL, REPLICATE_OPT_MAX_TOKENS},                         \
        {"seed", required_argument, NULL, REPLICATE_OPT_SEED},                                     \
        {"think", required_argument, NULL, REPLICATE_OPT_THINK},                                   \
        {"stream", no_argument, NULL, REPLICATE_OPT_STREAM},                                       \
        {"int8", no_argument, NULL, REPLICATE_OPT_INT8},                                           \
        {"int4", optional_argument, NULL, REPLICATE_OPT_INT4},                                     \
        {"fp8", no_argument, NULL, REPLICATE_OPT_FP8},                                             \
        {"device", required_argument, NULL, REPLICATE_OPT_DEVICE},                                 \
    {                                                                                              \
        "show-thinking", no_argument, NULL, REPLICATE_OPT_SHOW_THINKING                            \
    }

#define REPLICATE_MODEL_HELP                                                                       \
    "  --model WHERE          server, such as http://localhost:8000/v1, a folder with weights, "   \
    "or\n"                                                                                         \
    "                         a .gguf file, or glm-4.6v-flash in the Hugging Face cache "          \
    "(GLMV_MODEL)\n"                                                                               \
    "  --int4[=128] | --int8  a folder's weights quantised (int4 in groups of 32, or 128)\n"       \
    "  --fp8                  the same on a CUDA device, in 8-bit floats\n"                        \
    "  --device WHERE         auto, cpu, cuda or cuda:N: where a folder's model runs "             \
    "(GLMV_DEVICE)\n"                                                                              \
    "  --model-name NAME      which of its models (or GLMV_MODEL_NAME); the only one by default\n" \
    "  --think on|off|TOKENS  let the model think first, or not, or for so many tokens\n"          \
    "  --show-thinking        print the thinking on standard error\n"                              \
    "  --stream               print the answers on standard error as they come\n"                  \
    "  --temperature T  --top-p P  --top-k K  --repetition-penalty R  --max-tokens N  --seed N\n"

struct replicate_model {
    const char *where, *name, *device; /* NULL without one */
    struct glmv_chat_options chat;
    bool show_thinking, stream;
};

/* Takes GLMV_MODEL and GLMV_MODEL_NAME. */
struct replicate_model replicate_model_defaults(void);

/* false with GLMV_ERR_USAGE when code is not one of ours (getopt has complained already, and the
 * message is empty then) or its value makes no sense. */
bool replicate_model_option(struct replicate_model *model, int code, const char *value,
                            struct glmv_err *err);

/* Opens what the options name. GLMV_ERR_USAGE when they name nothing. */
struct glmv_chat *replicate_model_open(const struct replicate_model *model, struct glmv_err *err);

/* Becomes true at the first Ctrl-C or SIGTERM after this call; a second one ends the program. */
const atomic_bool *replicate_cancel_flag(void);
/* The same for a program that goes on after an interrupt: Ctrl-C never ends it, SIGTERM does. */
const atomic_bool *replicate_cancel_keep(void);
/* Forgets an interrupt that was handled. */
void replicate_cancel_reset(void);

#endif
