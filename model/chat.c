#include "model/chat.h"

#include <stdlib.h>
#include <string.h>

struct glmv_chat {
    const struct glmv_chat_kind *kind;
    void *self;
};

static const struct glmv_chat_kind *const kinds[] = {&glmv_chat_server, &glmv_chat_engine};

struct glmv_chat *glmv_chat_open(const char *where, const char *name, struct glmv_err *err)
{
    return glmv_chat_open_on(where, name, NULL, err);
}

struct glmv_chat *glmv_chat_open_on(const char *where, const char *name, const char *device,
                                    struct glmv_err *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!kinds[i]->accepts(where)) {
            continue;
        }
        struct glmv_chat *chat = calloc(1, sizeof *chat);
        if (chat == NULL) {
            glmv_fail_memory(err);
            return NULL;
        }
        chat->kind = kinds[i];
        chat->self = kinds[i]->open(where, name, device, err);
        if (chat->self == NULL) {
            free(chat);
            return NULL;
        }
        return chat;
    }
    glmv_fail(
        err, GLMV_ERR_USAGE,
        "'%s' is not a model: give the address of a server, such as http://localhost:8000/v1, "
        "or a folder with the weights of GLM-4.6V-Flash",
        where);
    return NULL;
}

void glmv_chat_close(struct glmv_chat *chat)
{
    if (chat != NULL) {
        chat->kind->close(chat->self);
        free(chat);
    }
}

struct glmv_chat_options glmv_chat_defaults(void)
{
    return (struct glmv_chat_options){
        .temperature = -1,
        .top_p = -1,
        .top_k = -1,
        .repetition_penalty = -1,
        .seed = -1,
    };
}

struct glmv_chat_chunk glmv_chat_text(const char *text)
{
    return (struct glmv_chat_chunk){.text = text};
}

struct glmv_chat_chunk glmv_chat_image(const struct glmv_image *image)
{
    return (struct glmv_chat_chunk){.image = image};
}

bool glmv_chat_complete(struct glmv_chat *chat, const struct glmv_chat_message *messages,
                        size_t count, const struct glmv_chat_options *options,
                        const struct glmv_chat_watch *watch, struct glmv_chat_result *result,
                        struct glmv_err *err)
{
    static const struct glmv_chat_watch nobody;
    memset(result, 0, sizeof *result);
    glmv_buf_init(&result->text, GLMV_CHAT_MAX_ANSWER);
    glmv_buf_init(&result->reasoning, GLMV_CHAT_MAX_ANSWER);
    result->usage = (struct glmv_chat_usage){-1, -1, -1};
    if (count == 0) {
        return glmv_fail(err, GLMV_ERR_USAGE, "the conversation is empty");
    }
    if (!chat->kind->complete(chat->self, messages, count, options, watch != NULL ? watch : &nobody,
                              result, err)) {
        return false;
    }
    if (result->text.len > 0 || result->call_count > 0) {
        return true;
    }
    if (result->reasoning.len > 0) {
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "the model used its whole answer for thinking: turn that off with --think "
                         "off, or allow more with --max-tokens");
    }
    return glmv_fail(err, GLMV_ERR_MODEL,
                     "the model gave an empty answer; try again or another "
                     "model");
}

void glmv_chat_result_release(struct glmv_chat_result *result)
{
    glmv_buf_release(&result->text);
    glmv_buf_release(&result->reasoning);
    for (size_t i = 0; i < result->call_count; i++) {
        free(result->calls[i].id);
        free(result->calls[i].name);
        free(result->calls[i].arguments);
    }
    result->call_count = 0;
}

bool glmv_chat_ask_about(struct glmv_chat *chat, struct glmv_chat_about *about,
                         struct glmv_err *err)
{
    memset(about, 0, sizeof *about);
    return chat->kind->ask_about(chat->self, about, err);
}

void glmv_chat_about_release(struct glmv_chat_about *about)
{
    for (size_t i = 0; i < about->model_count; i++) {
        free(about->models[i].name);
    }
    free(about->models);
    free(about->program);
    memset(about, 0, sizeof *about);
}

const char *glmv_chat_name(const struct glmv_chat *chat)
{
    return chat->kind->name(chat->self);
}

const char *glmv_chat_note(const struct glmv_chat *chat)
{
    return chat->kind->note != NULL ? chat->kind->note(chat->self) : NULL;
}
