/* The kind of conversation that goes to an OpenAI-compatible server. */
#include "model/server/server.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"

#define MAX_KEY 4096

static bool server_accepts(const char *where)
{
    return strncasecmp(where, "http://", 7) == 0 || strncasecmp(where, "https://", 8) == 0;
}

static void server_close(void *self)
{
    struct server *server = self;
    if (server == NULL) {
        return;
    }
    if (server->key != NULL) {
        memset(server->key, 0, strlen(server->key));
    }
    free(server->key);
    free(server->base);
    free(server->model);
    server_http_close(server->http);
    free(server);
}

/* Reads the key; none at all is fine. */
static bool read_key(struct server *server, struct glmv_err *err)
{
    const char *key = getenv("GLMV_API_KEY");
    const char *path = getenv("GLMV_API_KEY_FILE");
    struct glmv_buf file;
    glmv_buf_init(&file, MAX_KEY);
    if ((key == NULL || key[0] == '\0') && path != NULL && path[0] != '\0') {
        if (!glmv_file_read(path, MAX_KEY, &file, err)) {
            return false;
        }
        key = file.data;
    }
    if (key == NULL) {
        return true;
    }
    size_t len = strlen(key);
    while (len > 0 && isspace((unsigned char)key[len - 1])) {
        len--;
    }
    bool ok = true;
    for (size_t i = 0; i < len; i++) {
        ok = ok && key[i] > 0x20 && key[i] < 0x7F;
    }
    if (!ok) {
        glmv_fail(err, GLMV_ERR_USAGE,
                  "the API key holds characters that no key has: check GLMV_API_KEY");
    } else if (len > 0) {
        server->key = strndup(key, len);
        ok = server->key != NULL || glmv_fail_memory(err);
    }
    if (file.data != NULL) {
        memset(file.data, 0, file.len);
    }
    glmv_buf_release(&file);
    return ok;
}

static double seconds_from(const char *variable, double otherwise)
{
    const char *text = getenv(variable);
    double seconds = text != NULL ? strtod(text, NULL) : 0;
    return seconds > 0 ? seconds : otherwise;
}

static void *server_open(const char *where, const char *name, const char *device,
                         struct glmv_err *err)
{
    (void)device;
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    size_t len = strlen(where);
    while (len > 0 && where[len - 1] == '/') {
        len--;
    }
    static const char tail[] = "/chat/completions";
    if (len > sizeof tail && strncmp(where + len - (sizeof tail - 1), tail, sizeof tail - 1) == 0) {
        len -= sizeof tail - 1;
    }
    server->base = strndup(where, len);
    server->model = name != NULL ? strdup(name) : NULL;
    if (server->base == NULL || (name != NULL && server->model == NULL)) {
        glmv_fail_memory(err);
        goto fail;
    }
    const char *host = strstr(server->base, "://") + 3;
    const char *at = memchr(host, '@', strcspn(host, "/?#"));
    if (at != NULL) {
        glmv_fail(err, GLMV_ERR_USAGE,
                  "an address may not hold a password; put the key into GLMV_API_KEY");
        goto fail;
    }
    if (strstr(host, "z.ai/") != NULL || strstr(host, "bigmodel.cn/") != NULL ||
        strstr(host, "/api/paas/") != NULL) {
        server->shape.program = SERVER_ZAI;
        server->shape.limit = (struct server_image_limit){.max_side = 6000, .max_bytes = 5000000};
        server->asked = name != NULL;
    }
    server->first_s = seconds_from("GLMV_SERVER_FIRST_S", 600);
    server->idle_s = seconds_from("GLMV_SERVER_IDLE_S", 120);
    if (!read_key(server, err)) {
        goto fail;
    }
    server->http = server_http_open(err);
    if (server->http != NULL) {
        return server;
    }
fail:
    server_close(server);
    return NULL;
}

static const char *server_name(const void *self)
{
    return ((const struct server *)self)->model;
}

static bool server_ask_about(void *self, struct glmv_chat_about *about, struct glmv_err *err)
{
    return server_fetch_list(self, NULL, about, err);
}

/* Those that are known to take text only in the answer to a call. */
static bool server_takes_plain_tools(enum server_program program)
{
    return program == SERVER_LLAMA || program == SERVER_OLLAMA || program == SERVER_LMSTUDIO ||
           program == SERVER_ZAI;
}

static bool server_complete(void *self, const struct glmv_chat_message *messages, size_t count,
                            const struct glmv_chat_options *options,
                            const struct glmv_chat_watch *watch, struct glmv_chat_result *result,
                            struct glmv_err *err)
{
    struct server *server = self;
    if (!server_prepare(server, options->cancel, err)) {
        return false;
    }
    server->shape.model = server->model;
    server->shape.plain_tools =
        server->shape.plain_tools || server_takes_plain_tools(server->shape.program);
    char *url = server_address(server, "/chat/completions", err);
    bool ok =
        url != NULL && server_converse(server, url, messages, count, options, watch, result, err);
    free(url);
    return ok;
}

const struct glmv_chat_kind glmv_chat_server = {
    .what = "server",
    .accepts = server_accepts,
    .open = server_open,
    .close = server_close,
    .complete = server_complete,
    .ask_about = server_ask_about,
    .name = server_name,
};
