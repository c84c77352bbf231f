/*
 * A conversation of text and pictures with a model. What answers stands behind one table of
 * functions (struct glmv_chat_kind): a server that speaks the OpenAI-compatible protocol, opened by
 * its address, or weights in a folder, opened by its path. It knows nothing of HTML.
 *
 *     struct glmv_chat *chat = glmv_chat_open("http://localhost:8000/v1", "glm-4.6v-flash", &err);
 *     struct glmv_chat_chunk chunks[] = {glmv_chat_image(shot), glmv_chat_text("What is this?")};
 *     struct glmv_chat_message message = {.role = GLMV_CHAT_USER, .chunks = chunks, .chunk_count =
 * 2}; struct glmv_chat_options options = glmv_chat_defaults(); struct glmv_chat_result result; if
 * (glmv_chat_complete(chat, &message, 1, &options, NULL, &result, &err)) { puts(result.text.data);
 *     }
 *     glmv_chat_result_release(&result);
 *     glmv_chat_close(chat);
 */
#ifndef GLMV_MODEL_CHAT_H
#define GLMV_MODEL_CHAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/image.h"

#define GLMV_CHAT_MAX_ANSWER (8u << 20) /* bytes of text, and as many of reasoning */
#define GLMV_CHAT_MAX_CALLS 16          /* tool calls in one answer */
#define GLMV_CHAT_MAX_STOPS 4

enum glmv_chat_role {
    GLMV_CHAT_SYSTEM,
    GLMV_CHAT_USER,
    GLMV_CHAT_ASSISTANT,
    GLMV_CHAT_TOOL, /* the answer to a tool call */
};

/* A piece of a message: text when image is NULL. Everything is borrowed from the caller. */
struct glmv_chat_chunk {
    const char *text; /* UTF-8; bytes that are not are replaced */
    const struct glmv_image *image;
};

/* A call the model wants made. The strings belong to the result that holds it. */
struct glmv_chat_call {
    char *id;        /* never NULL */
    char *name;      /* never NULL */
    char *arguments; /* JSON as the model wrote it, possibly broken; never NULL */
};

struct glmv_chat_message {
    enum glmv_chat_role role;
    const struct glmv_chat_chunk *chunks; /* in this order */
    size_t chunk_count;
    const struct glmv_chat_call *calls; /* of an assistant message that is being repeated */
    size_t call_count;
    const char *call_id; /* of a tool message: the call it answers */
};

struct glmv_chat_tool {
    const char *name;
    const char *description;
    const char *parameters; /* a JSON schema */
};

enum glmv_chat_thinking {
    GLMV_CHAT_THINK_DEFAULT, /* as the model likes */
    GLMV_CHAT_THINK_ON,
    GLMV_CHAT_THINK_OFF,
};

/* A number below zero, or zero tokens, leaves that choice to the model. */
struct glmv_chat_options {
    double temperature;
    double top_p;
    int top_k;
    double repetition_penalty;
    int max_tokens;
    int64_t seed;
    const char *stop[GLMV_CHAT_MAX_STOPS]; /* NULL ends the list early */
    enum glmv_chat_thinking thinking;
    int think_budget; /* tokens of reasoning before it is closed, where that is supported */
    const struct glmv_chat_tool *tools;
    size_t tool_count;
    bool plain_decoding;       /* the native engine does not guess ahead: same answer, slower */
    const atomic_bool *cancel; /* looked at all the time; true ends in GLMV_ERR_CANCELLED */
};

/* Told what arrives while it arrives, in whole UTF-8 characters. Any function may be NULL. */
struct glmv_chat_watch {
    void (*text)(void *arg, const char *text, size_t len);
    void (*reasoning)(void *arg, const char *text, size_t len);
    void (*note)(void *arg, const char *sentence); /* "the server is busy; trying again in 2 s" */
    void *arg;
};

enum glmv_chat_finish {
    GLMV_CHAT_FINISH_UNKNOWN, /* the answer broke off: connection closed without an end */
    GLMV_CHAT_FINISH_STOP,
    GLMV_CHAT_FINISH_LENGTH, /* max_tokens or the context is used up */
    GLMV_CHAT_FINISH_CALLS,
    GLMV_CHAT_FINISH_FILTER,
};

struct glmv_chat_usage {
    int64_t prompt_tokens, completion_tokens, cached_tokens; /* -1: not said */
};

struct glmv_chat_result {
    struct glmv_buf text;
    struct glmv_buf reasoning;
    struct glmv_chat_call calls[GLMV_CHAT_MAX_CALLS];
    size_t call_count;
    struct glmv_chat_usage usage;
    enum glmv_chat_finish finish;
    int64_t steps; /* evaluations of the native engine after the prompt; 0 from a server */
    double first_seconds, seconds; /* until the first token, until the end */
    char warning[256];             /* "" or one sentence: the picture was shrunk, a field refused */
};

struct glmv_chat_model {
    char *name;
    int64_t context; /* tokens; 0: not said */
};

/* What a server or a folder says about itself. */
struct glmv_chat_about {
    char *program; /* "vLLM", "llama-server", ...; never NULL */
    struct glmv_chat_model *models;
    size_t model_count;
};

struct glmv_chat;

/*
 * where: http:// or https:// address of an OpenAI-compatible server up to /v1, a folder with
 * weights, or the name of published weights in the Hugging Face cache. name: which model of a
 * server; NULL takes the only one there is; of a folder: bf16, int8, int4, int4-g128, or fp8 on a
 * CUDA device. A server is
 * not asked anything here. The key of a server comes from GLMV_API_KEY or from the file that
 * GLMV_API_KEY_FILE names, and is never shown. NULL on failure.
 */
struct glmv_chat *glmv_chat_open(const char *where, const char *name, struct glmv_err *err);
/* The same on a device of this machine: "auto", "cpu", "cuda" or "cuda:N"; NULL is GLMV_DEVICE, or
 * auto, which is a CUDA device where one can be used and the processor otherwise. A server has its
 * own device. */
struct glmv_chat *glmv_chat_open_on(const char *where, const char *name, const char *device,
                                    struct glmv_err *err);
/* NULL is allowed. */
void glmv_chat_close(struct glmv_chat *chat);

/* Every number left to the model. */
struct glmv_chat_options glmv_chat_defaults(void);
struct glmv_chat_chunk glmv_chat_text(const char *text);
struct glmv_chat_chunk glmv_chat_image(const struct glmv_image *image);

/*
 * Sends the whole conversation and waits for the answer. watch may be NULL. One conversation at a
 * time for one struct glmv_chat. result is initialised here, also on failure, when it holds what
 * had arrived; the caller releases it either way. Failures: GLMV_ERR_MODEL with the next step in
 * the message, GLMV_ERR_LIMIT, GLMV_ERR_CANCELLED.
 */
bool glmv_chat_complete(struct glmv_chat *chat, const struct glmv_chat_message *messages,
                        size_t count, const struct glmv_chat_options *options,
                        const struct glmv_chat_watch *watch, struct glmv_chat_result *result,
                        struct glmv_err *err);
/* A zeroed result is allowed. */
void glmv_chat_result_release(struct glmv_chat_result *result);

/* Asks what is there. The caller releases about. */
bool glmv_chat_ask_about(struct glmv_chat *chat, struct glmv_chat_about *about,
                         struct glmv_err *err);
void glmv_chat_about_release(struct glmv_chat_about *about);

/* One sentence about how it was opened that people should see, such as why a device is not used;
 * or NULL. Borrowed. */
const char *glmv_chat_note(const struct glmv_chat *chat);

/* The name that is used, or NULL as long as nobody chose one. Borrowed. */
const char *glmv_chat_name(const struct glmv_chat *chat);

/* What stands behind a conversation. chat.c holds the table of kinds; the first that accepts an
 * address opens it. The functions keep the promises made above. */
struct glmv_chat_kind {
    const char *what; /* "server", "engine" */
    bool (*accepts)(const char *where);
    void *(*open)(const char *where, const char *name, const char *device, struct glmv_err *err);
    void (*close)(void *self);
    bool (*complete)(void *self, const struct glmv_chat_message *messages, size_t count,
                     const struct glmv_chat_options *options, const struct glmv_chat_watch *watch,
                     struct glmv_chat_result *result, struct glmv_err *err);
    bool (*ask_about)(void *self, struct glmv_chat_about *about, struct glmv_err *err);
    const char *(*name)(const void *self);
    const char *(*note)(const void *self); /* may be NULL */
};

extern const struct glmv_chat_kind glmv_chat_server; /* model/server */
extern const struct glmv_chat_kind glmv_chat_engine; /* model/glm */

#endif
