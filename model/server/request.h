/* The body of a request. Private to model/server. */
#ifndef GLMV_MODEL_SERVER_REQUEST_H
#define GLMV_MODEL_SERVER_REQUEST_H

#include "model/chat.h"

#define SERVER_MAX_BODY (512u << 20)

enum server_program {
    SERVER_UNKNOWN,
    SERVER_VLLM,
    SERVER_SGLANG,
    SERVER_LLAMA,
    SERVER_OLLAMA,
    SERVER_LMSTUDIO,
    SERVER_TRANSFORMERS,
    SERVER_ZAI,
};

/* Fields that a server may refuse; each has a bit. server_field_name gives the word that its
 * complaint holds. */
enum server_field {
    SERVER_FIELD_USAGE,
    SERVER_FIELD_TEMPLATE,
    SERVER_FIELD_THINKING,
    SERVER_FIELD_EFFORT,
    SERVER_FIELD_BUDGET,
    SERVER_FIELD_TOP_K,
    SERVER_FIELD_REPETITION,
    SERVER_FIELD_REPEAT,
    SERVER_FIELD_SEED,
    SERVER_FIELD_MAX_TOKENS, /* left out: max_completion_tokens is sent instead */
    SERVER_FIELD_COUNT,
};

const char *server_field_name(enum server_field field);

/* What a server takes as a picture. 0: no limit known. */
struct server_image_limit {
    int max_side;
    size_t max_pixels, max_bytes;
};

struct server_shape {
    const char *model;
    enum server_program program;
    unsigned refused; /* bits of enum server_field */
    struct server_image_limit limit;
    bool plain_tools; /* it takes no pictures in answers to tool calls */
};

/* What the request came to. */
struct server_sent {
    int pictures, scaled;   /* how many, and how many of them were made smaller */
    double expected_tokens; /* that GLM's picture encoder makes of them */
    unsigned fields;        /* bits of enum server_field that are in the body */
    bool tool_pictures;     /* some of the pictures are in answers to tool calls */
};

bool server_request_write(const struct server_shape *shape,
                          const struct glmv_chat_message *messages, size_t count,
                          const struct glmv_chat_options *options, struct glmv_buf *out,
                          struct server_sent *sent, struct glmv_err *err);

/* A smaller copy, by averaging areas. */
struct glmv_image *server_image_scale(const struct glmv_image *image, int width, int height,
                                      struct glmv_err *err);

#endif
