/* One server, shared by the files that open it, list its models and talk to it. Private to
 * model/server. */
#ifndef GLMV_MODEL_SERVER_SERVER_H
#define GLMV_MODEL_SERVER_SERVER_H

#include "model/chat.h"
#include "model/server/http.h"
#include "model/server/request.h"

#define SERVER_MAX_PLAIN                                                                           \
    (64u << 20) /* bytes of an answer in one piece, of a list, of a complaint */

struct server {
    char *base; /* address without a slash at its end */
    char *model;
    char *key; /* NULL without one */
    struct server_http *http;
    struct server_shape shape;
    bool asked; /* /models was read, or need not be */
    double first_s, idle_s;
};

/* The base with a path behind it; the caller frees it. NULL without memory. */
char *server_address(const struct server *server, const char *path, struct glmv_err *err);

/* Asks for the list of models and learns from it which program answers. */
bool server_fetch_list(struct server *server, const atomic_bool *cancel,
                       struct glmv_chat_about *about, struct glmv_err *err);
/* Once before the first conversation: learns which program answers and, when nobody chose a model,
 * takes the only one. */
bool server_prepare(struct server *server, const atomic_bool *cancel, struct glmv_err *err);

/* Sends a conversation, again where that helps, and reads the answer. */
bool server_converse(struct server *server, const char *url,
                     const struct glmv_chat_message *messages, size_t count,
                     const struct glmv_chat_options *options, const struct glmv_chat_watch *watch,
                     struct glmv_chat_result *result, struct glmv_err *err);

#endif
