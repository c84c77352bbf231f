/* What a server says about itself. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/server/answer.h"
#include "model/server/server.h"

#define MAX_MODELS 4096

/* A whole small answer. */
static enum server_more keep(void *arg, const struct server_reply *reply, const char *bytes,
                             size_t len, struct glmv_err *err)
{
    (void)reply;
    return glmv_buf_append(arg, bytes, len, err) ? SERVER_MORE : SERVER_STOP;
}

char *server_address(const struct server *server, const char *path, struct glmv_err *err)
{
    size_t size = strlen(server->base) + strlen(path) + 1;
    char *url = malloc(size);
    if (url == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    snprintf(url, size, "%s%s", server->base, path);
    return url;
}

static enum server_program program_of(const cJSON *list, const cJSON *model)
{
    static const struct {
        const char *owner;
        enum server_program program;
    } owners[] = {
        {"vllm", SERVER_VLLM},
        {"sglang", SERVER_SGLANG},
        {"llamacpp", SERVER_LLAMA},
        {"library", SERVER_OLLAMA},
        {"organization_owner", SERVER_LMSTUDIO},
        {"z-ai", SERVER_ZAI},
    };
    const cJSON *owner = cJSON_GetObjectItemCaseSensitive(model, "owned_by");
    for (size_t i = 0; cJSON_IsString(owner) && i < sizeof owners / sizeof owners[0]; i++) {
        if (strcmp(owner->valuestring, owners[i].owner) == 0) {
            return owners[i].program;
        }
    }
    /* llama-server repeats its list under a second name. */
    return cJSON_GetObjectItemCaseSensitive(list, "models") != NULL ? SERVER_LLAMA : SERVER_UNKNOWN;
}

static const char *program_name(enum server_program program)
{
    static const char *const names[] = {
        "OpenAI-compatible server", "vLLM", "SGLang", "llama-server", "Ollama", "LM Studio",
        "transformers serve",       "Z.ai"};
    return names[program];
}

static int64_t context_of(const cJSON *model)
{
    static const char *const names[] = {"max_model_len", "context_length", "max_context_length"};
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(model, "meta");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(model, names[i]);
        if (cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble < 1e12) {
            return (int64_t)item->valuedouble;
        }
    }
    const cJSON *train = cJSON_GetObjectItemCaseSensitive(meta, "n_ctx");
    if (!cJSON_IsNumber(train)) {
        train = cJSON_GetObjectItemCaseSensitive(meta, "n_ctx_train");
    }
    return cJSON_IsNumber(train) && train->valuedouble > 0 ? (int64_t)train->valuedouble : 0;
}

/* Takes the list apart. program is known already for some hosts. */
static bool read_list(struct server *server, const cJSON *json, struct glmv_chat_about *about,
                      struct glmv_err *err)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data");
    if (!cJSON_IsArray(data)) {
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "%s/models is not a list of models: is this an OpenAI-compatible server?",
                         server->base);
    }
    size_t count = (size_t)cJSON_GetArraySize(data);
    count = count < MAX_MODELS ? count : MAX_MODELS;
    about->models = calloc(count > 0 ? count : 1, sizeof *about->models);
    if (about->models == NULL) {
        return glmv_fail_memory(err);
    }
    for (const cJSON *model = data->child; model != NULL && about->model_count < count;
         model = model->next) {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(model, "id");
        if (!cJSON_IsString(id)) {
            continue;
        }
        struct glmv_chat_model *entry = &about->models[about->model_count];
        entry->name = strdup(id->valuestring);
        entry->context = context_of(model);
        if (entry->name == NULL) {
            return glmv_fail_memory(err);
        }
        about->model_count++;
        if (server->shape.program == SERVER_UNKNOWN) {
            server->shape.program = program_of(json, model);
        }
    }
    if (server->shape.program == SERVER_LMSTUDIO) {
        server->shape.limit.max_pixels = 26200000;
    }
    about->program = strdup(program_name(server->shape.program));
    return about->program != NULL || glmv_fail_memory(err);
}

bool server_fetch_list(struct server *server, const atomic_bool *cancel,
                       struct glmv_chat_about *about, struct glmv_err *err)
{
    char *url = server_address(server, "/models", err);
    if (url == NULL) {
        return false;
    }
    struct glmv_buf body;
    glmv_buf_init(&body, SERVER_MAX_PLAIN);
    struct server_request request = {
        .url = url,
        .key = server->key,
        .first_s = server->first_s < 30 ? server->first_s : 30,
        .idle_s = server->idle_s,
        .cancel = cancel,
        .bytes = keep,
        .arg = &body,
    };
    struct server_reply reply;
    bool ok = server_http_send(server->http, &request, &reply, err);
    if (ok && reply.status != 200) {
        struct server_complaint complaint;
        server_complaint_read(&complaint, reply.status, body.data != NULL ? body.data : "",
                              body.len);
        ok = server_complaint_fail(&complaint, url, server->model != NULL ? server->model : "",
                                   server->key, err);
    }
    if (ok) {
        cJSON *json = cJSON_ParseWithLength(body.data != NULL ? body.data : "", body.len);
        ok = read_list(server, json, about, err);
        cJSON_Delete(json);
    }
    glmv_buf_release(&body);
    free(url);
    return ok;
}

bool server_prepare(struct server *server, const atomic_bool *cancel, struct glmv_err *err)
{
    if (server->asked) {
        return true;
    }
    struct glmv_chat_about about = {0};
    struct glmv_err problem = {0};
    bool known = server_fetch_list(server, cancel, &about, &problem);
    bool ok = true;
    if (!known && (server->model == NULL || problem.code == GLMV_ERR_CANCELLED)) {
        ok = glmv_fail(err, problem.code, "%s", problem.message);
    } else if (server->model == NULL && about.model_count == 1) {
        server->model = about.models[0].name;
        about.models[0].name = NULL;
    } else if (server->model == NULL) {
        ok = glmv_fail(err, GLMV_ERR_USAGE,
                       "the server has %zu models: choose one with --model-name; 'glmv-replicate "
                       "models --model %s' lists them",
                       about.model_count, server->base);
    }
    server->asked = ok;
    glmv_chat_about_release(&about);
    return ok;
}
