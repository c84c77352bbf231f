#include "replicate/model_options.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/glm/glm.h"
#include "replicate/command.h"

struct replicate_model replicate_model_defaults(void)
{
    struct replicate_model model = {.chat = glmv_chat_defaults()};
    const char *where = getenv("GLMV_MODEL"), *name = getenv("GLMV_MODEL_NAME");
    model.where = where != NULL && where[0] != '\0' ? where : NULL;
    model.name = name != NULL && name[0] != '\0' ? name : NULL;
    return model;
}

static bool take_think(struct glmv_chat_options *chat, const char *value, struct glmv_err *err)
{
    if (strcmp(value, "on") == 0) {
        chat->thinking = GLMV_CHAT_THINK_ON;
        return true;
    }
    if (strcmp(value, "off") == 0) {
        chat->thinking = GLMV_CHAT_THINK_OFF;
        return true;
    }
    if (strspn(value, "0123456789") != strlen(value) || value[0] == '\0') {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "--think takes on, off or a number of tokens, not "
                         "'%.40s'",
                         value);
    }
    chat->thinking = GLMV_CHAT_THINK_ON;
    return replicate_read_whole("--think", value, 0, INT_MAX, &chat->think_budget, err);
}

bool replicate_model_option(struct replicate_model *model, int code, const char *value,
                            struct glmv_err *err)
{
    struct glmv_chat_options *chat = &model->chat;
    double seed;
    switch (code) {
    case REPLICATE_OPT_MODEL:
        model->where = value;
        return true;
    case REPLICATE_OPT_MODEL_NAME:
        model->name = value;
        return true;
    case REPLICATE_OPT_TEMPERATURE:
        return replicate_read_number("--temperature", value, 0, 2, &chat->temperature, err);
    case REPLICATE_OPT_TOP_P:
        return replicate_read_number("--top-p", value, 0, 1, &chat->top_p, err);
    case REPLICATE_OPT_TOP_K:
        return replicate_read_whole("--top-k", value, 0, INT_MAX, &chat->top_k, err);
    case REPLICATE_OPT_PENALTY:
        return replicate_read_number("--repetition-penalty", value, 0.5, 2,
                                     &chat->repetition_penalty, err);
    case REPLICATE_OPT_MAX_TOKENS:
        return replicate_read_whole("--max-tokens", value, 0, INT_MAX, &chat->max_tokens, err);
    case REPLICATE_OPT_SEED:
        if (!replicate_read_number("--seed", value, 0, 9007199254740992.0, &seed, err)) {
            return false;
        }
        chat->seed = (int64_t)seed;
        return true;
    case REPLICATE_OPT_THINK:
        return take_think(chat, value, err);
    case REPLICATE_OPT_INT8:
        model->name = "int8";
        return true;
    case REPLICATE_OPT_INT4:
        if (value != NULL && strcmp(value, "32") != 0 && strcmp(value, "128") != 0) {
            return glmv_fail(err, GLMV_ERR_USAGE, "--int4 takes groups of 32 or 128, not '%.40s'",
                             value);
        }
        model->name = value != NULL && strcmp(value, "128") == 0 ? "int4-g128" : "int4";
        return true;
    case REPLICATE_OPT_FP8:
        model->name = "fp8";
        return true;
    case REPLICATE_OPT_DEVICE:
        model->device = value;
        return true;
    case REPLICATE_OPT_SHOW_THINKING:
        model->show_thinking = true;
        return true;
    case REPLICATE_OPT_STREAM:
        model->stream = true;
        return true;
    default:
        err->code = GLMV_ERR_USAGE;
        return false;
    }
}

struct glmv_chat *replicate_model_open(const struct replicate_model *model, struct glmv_err *err)
{
    if (model->where == NULL) {
        glmv_fail(
            err, GLMV_ERR_USAGE,
            "no model: give --model with a server's address, such as http://localhost:8000/v1, "
            "a folder with weights or a .gguf file, or set GLMV_MODEL");
        return NULL;
    }
    if (glmv_glm_accepts(model->where)) {
        struct glmv_buf need;
        glmv_buf_init(&need, 4096);
        bool known = glmv_glm_need(model->where, model->name, model->device, &need, err);
        if (known && need.len > 0) {
            fprintf(stderr, "%s\n", need.data);
        }
        glmv_buf_release(&need);
        if (!known) {
            return NULL;
        }
    }
    struct glmv_chat *chat = glmv_chat_open_on(model->where, model->name, model->device, err);
    if (chat != NULL && glmv_chat_note(chat) != NULL) {
        fprintf(stderr, "%s\n", glmv_chat_note(chat));
    }
    return chat;
}

/* A signal handler reaches nothing else. */
static atomic_bool cancelled;

static void on_signal(int number)
{
    if (atomic_exchange(&cancelled, true)) {
        glmv_file_abandon();
        signal(number, SIG_DFL);
        raise(number);
    }
}

const atomic_bool *replicate_cancel_flag(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &cancelled;
}

static void on_interrupt(int number)
{
    (void)number;
    atomic_store(&cancelled, true);
}

const atomic_bool *replicate_cancel_keep(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    return &cancelled;
}

void replicate_cancel_reset(void)
{
    atomic_store(&cancelled, false);
}
