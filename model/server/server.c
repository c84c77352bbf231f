/* The kind of conversation that goes to an OpenAI-compatible server. */
#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "model/chat.h"
#include "model/server/answer.h"
#include "model/server/http.h"
#include "model/server/request.h"
#include "model/server/sse.h"

#define MAX_RAW (256u << 20)  /* bytes of one answer on the wire */
#define MAX_PLAIN (64u << 20) /* bytes of an answer in one piece, of a list, of a complaint */
#define MAX_KEY 4096
#define MAX_MODELS 4096
#define TRIES 4
#define MAX_DROPS 16
#define FIRST_WAIT_S 0.5
#define LONGEST_WAIT_S 60

struct server {
    char *base; /* address without a slash at its end */
    char *model;
    char *key; /* NULL without one */
    struct server_http *http;
    struct server_shape shape;
    bool asked; /* /models was read, or need not be */
    double first_s, idle_s;
};

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

static void *server_open(const char *where, const char *name, struct glmv_err *err)
{
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

/* A whole small answer. */
static enum server_more keep(void *arg, const struct server_reply *reply, const char *bytes,
                             size_t len, struct glmv_err *err)
{
    (void)reply;
    return glmv_buf_append(arg, bytes, len, err) ? SERVER_MORE : SERVER_STOP;
}

static char *address(const struct server *server, const char *path, struct glmv_err *err)
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

static bool fetch_list(struct server *server, const atomic_bool *cancel,
                       struct glmv_chat_about *about, struct glmv_err *err)
{
    char *url = address(server, "/models", err);
    if (url == NULL) {
        return false;
    }
    struct glmv_buf body;
    glmv_buf_init(&body, MAX_PLAIN);
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

static bool server_ask_about(void *self, struct glmv_chat_about *about, struct glmv_err *err)
{
    return fetch_list(self, NULL, about, err);
}

/* Learns which program answers and, when nobody chose a model, takes the only one. */
static bool prepare(struct server *server, const atomic_bool *cancel, struct glmv_err *err)
{
    if (server->asked) {
        return true;
    }
    struct glmv_chat_about about = {0};
    struct glmv_err problem = {0};
    bool known = fetch_list(server, cancel, &about, &problem);
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

/* An answer on its way. */
struct incoming {
    struct server_answer answer;
    struct server_sse sse;
    struct glmv_buf plain; /* what is not a stream of events */
    size_t raw;
};

static bool on_event(void *arg, const char *data, size_t len, struct glmv_err *err)
{
    struct incoming *in = arg;
    return server_answer_event(&in->answer, data, len, err) && !in->answer.done;
}

static enum server_more on_bytes(void *arg, const struct server_reply *reply, const char *bytes,
                                 size_t len, struct glmv_err *err)
{
    struct incoming *in = arg;
    struct server_answer *answer = &in->answer;
    in->raw += len;
    if (in->raw > MAX_RAW) {
        glmv_fail(err, GLMV_ERR_MODEL,
                  "the server sent more than %u MiB for one answer; it was not read further",
                  MAX_RAW >> 20);
        return SERVER_STOP;
    }
    if (reply->status != 200 || strcmp(reply->content_type, "text/event-stream") != 0) {
        return glmv_buf_append(&in->plain, bytes, len, err) ? SERVER_MORE : SERVER_STOP;
    }
    if (!server_sse_feed(&in->sse, bytes, len, err)) {
        return answer->done || answer->complaint.present ? SERVER_ENOUGH : SERVER_STOP;
    }
    if (answer->finished) {
        return SERVER_LAST_WORDS;
    }
    return answer->begun ? SERVER_MORE : SERVER_WAITING;
}

/* The body of an answer that was not streamed, or of a complaint. Some servers send events under
 * another content type. */
static bool read_plain(struct incoming *in, const struct server_reply *reply, struct glmv_err *err)
{
    const char *data = in->plain.data != NULL ? in->plain.data : "";
    size_t len = in->plain.len;
    if (reply->status != 200) {
        server_complaint_read(&in->answer.complaint, reply->status, data, len);
        return true;
    }
    size_t start = strspn(data, " \t\r\n");
    bool events = strncmp(data + start, "data:", 5) == 0 || data[start] == ':';
    if (events) {
        return server_sse_feed(&in->sse, data, len, err) || in->answer.done ||
               in->answer.complaint.present;
    }
    if (len == start) {
        return true;
    }
    bool ok = server_answer_event(&in->answer, data, len, err);
    in->answer.done = ok;
    return ok || in->answer.complaint.present;
}

enum outcome {
    OUTCOME_DONE,
    OUTCOME_FAILED, /* err is set */
    OUTCOME_AGAIN,  /* nothing was said yet: another try may help; err is set */
    OUTCOME_DROP,   /* a field or the picture's size was refused: send again at once */
};

/* Answers to a complaint by asking for less. */
static bool ask_for_less(struct server *server, const struct server_complaint *complaint,
                         const struct server_sent *sent, struct glmv_chat_result *result)
{
    if (complaint->status != 400 && complaint->status != 422) {
        return false;
    }
    for (int field = 0; field < SERVER_FIELD_COUNT; field++) {
        const char *name = server_field_name((enum server_field)field);
        if ((sent->fields & 1u << field) == 0 || strstr(complaint->message, name) == NULL) {
            continue;
        }
        server->shape.refused |= 1u << field;
        if (field != SERVER_FIELD_USAGE && field != SERVER_FIELD_MAX_TOKENS) {
            snprintf(result->warning, sizeof result->warning,
                     "the server does not know '%s'; it was left out", name);
        }
        return true;
    }
    if (server_find_word(complaint->message, "encoder cache") != NULL && complaint->limit >= 64 &&
        sent->pictures > 0) {
        size_t pixels = (size_t)complaint->limit * 28 * 28 * 95 / 100;
        if (server->shape.limit.max_pixels == 0 || pixels < server->shape.limit.max_pixels) {
            server->shape.limit.max_pixels = pixels;
            return true;
        }
    }
    return false;
}

static enum outcome judge(struct server *server, struct incoming *in,
                          const struct server_reply *reply, const struct server_sent *sent,
                          const char *url, struct glmv_err *err)
{
    struct server_answer *answer = &in->answer;
    if (reply->status >= 300 && reply->status < 400) {
        glmv_fail(err, GLMV_ERR_MODEL, "%s sends elsewhere (%s): give that address", url,
                  reply->location);
        return OUTCOME_FAILED;
    }
    if (answer->complaint.present) {
        if (!answer->begun && ask_for_less(server, &answer->complaint, sent, answer->result)) {
            return OUTCOME_DROP;
        }
        server_complaint_fail(&answer->complaint, url, server->model, server->key, err);
        return !answer->begun && server_complaint_passes(&answer->complaint) ? OUTCOME_AGAIN
                                                                             : OUTCOME_FAILED;
    }
    if (answer->finished || answer->done) {
        return OUTCOME_DONE;
    }
    if (answer->broken || !answer->begun) {
        glmv_fail(err, GLMV_ERR_MODEL,
                  "%s: the connection closed without an answer; the server's own log says why",
                  url);
        return answer->begun ? OUTCOME_FAILED : OUTCOME_AGAIN;
    }
    snprintf(answer->result->warning, sizeof answer->result->warning,
             "the connection closed before the answer was finished");
    return OUTCOME_DONE; /* with an unknown finish */
}

static enum outcome try_once(struct server *server, const struct glmv_buf *body, const char *url,
                             const struct server_sent *sent, const atomic_bool *cancel,
                             struct incoming *in, struct server_reply *reply, struct glmv_err *err)
{
    struct server_request request = {
        .url = url,
        .key = server->key,
        .body = body->data,
        .body_len = body->len,
        .first_s = server->first_s,
        .idle_s = server->idle_s,
        .cancel = cancel,
        .bytes = on_bytes,
        .arg = in,
    };
    struct glmv_err problem = {0};
    bool ok = server_http_send(server->http, &request, reply, &problem);
    if (!ok && reply->cut && in->answer.begun) {
        ok = true; /* judged as an answer that broke off */
        glmv_err_clear(&problem);
    }
    if (ok && !in->answer.complaint.present) {
        ok = in->plain.len > 0 || reply->status != 200
                 ? read_plain(in, reply, &problem)
                 : in->answer.done || server_sse_end(&in->sse, &problem) || in->answer.done ||
                       in->answer.complaint.present;
    }
    ok = server_answer_end(&in->answer, ok ? &problem : NULL) && ok;
    if (!ok) {
        if (problem.code == GLMV_ERR_LIMIT) { /* of what came in: the server's doing */
            glmv_fail(err, GLMV_ERR_MODEL,
                      "the server sent one piece of an answer past every limit (%.200s); is it a "
                      "model server?",
                      problem.message);
        }
        glmv_fail(err, problem.code, "%s", problem.message);
        return reply->worth_retrying && !in->answer.begun ? OUTCOME_AGAIN : OUTCOME_FAILED;
    }
    return judge(server, in, reply, sent, url, err);
}

static void reset(struct glmv_chat_result *result)
{
    glmv_buf_clear(&result->text);
    glmv_buf_clear(&result->reasoning);
    result->usage = (struct glmv_chat_usage){-1, -1, -1};
    result->finish = GLMV_CHAT_FINISH_UNKNOWN;
}

/* Waits before the next try. False when there is none, with err set. */
static bool wait_for_next(int attempt, const struct server_reply *reply,
                          const struct glmv_err *problem, const atomic_bool *cancel,
                          const struct glmv_chat_watch *watch, struct glmv_err *err)
{
    if (attempt + 1 >= TRIES) {
        return glmv_fail(err, problem->code, "%s; %d tries", problem->message, TRIES);
    }
    double wait = FIRST_WAIT_S * (double)(1 << attempt);
    wait *= 0.75 + 0.5 * ((double)((uint64_t)(server_now() * 1e6) % 1000) / 1000);
    if (reply->retry_after >= 0) {
        wait = reply->retry_after;
    }
    if (wait > LONGEST_WAIT_S) {
        return glmv_fail(err, problem->code, "%s; the server asks to wait %.0f s", problem->message,
                         wait);
    }
    if (watch->note != NULL) {
        char note[96];
        snprintf(note, sizeof note, "no answer yet; trying again in %.1f s", wait);
        watch->note(watch->arg, note);
    }
    return server_http_wait(wait, cancel, err);
}

/* A server that made the picture smaller than we sent it reports fewer tokens than it holds. */
static void check_shrunk(const struct server *server, const struct server_sent *sent,
                         struct glmv_chat_result *result)
{
    double share = server_find_word(server->model, "glm") != NULL ? 0.75 : 0.25;
    double expected = sent->expected_tokens;
    if (result->warning[0] != '\0') {
        return;
    }
    if (sent->scaled > 0) {
        snprintf(result->warning, sizeof result->warning,
                 "the server takes no picture that large; %d of %d went out smaller", sent->scaled,
                 sent->pictures);
    } else if (result->usage.prompt_tokens > 0 && expected > 200 &&
               (double)result->usage.prompt_tokens < expected * share) {
        snprintf(result->warning, sizeof result->warning,
                 "the server counted %lld tokens where the picture alone has about %.0f: it was "
                 "shrunk, small text may be lost; raise the server's picture or context limit",
                 (long long)result->usage.prompt_tokens, expected);
    }
}

static bool converse(struct server *server, const char *url,
                     const struct glmv_chat_message *messages, size_t count,
                     const struct glmv_chat_options *options, const struct glmv_chat_watch *watch,
                     struct glmv_chat_result *result, struct glmv_err *err)
{
    int attempt = 0;
    for (int drops = 0;;) {
        struct glmv_err problem = {0};
        struct glmv_buf body;
        struct server_sent sent;
        struct server_reply reply = {.retry_after = -1};
        struct incoming in = {0};
        glmv_buf_init(&body, SERVER_MAX_BODY);
        glmv_buf_init(&in.plain, MAX_PLAIN);
        reset(result);
        server_answer_init(&in.answer, result, watch);
        server_sse_init(&in.sse, on_event, &in);
        enum outcome outcome = OUTCOME_FAILED;
        if (server_request_write(&server->shape, messages, count, options, &body, &sent,
                                 &problem)) {
            outcome = try_once(server, &body, url, &sent, options->cancel, &in, &reply, &problem);
        }
        glmv_buf_release(&body);
        glmv_buf_release(&in.plain);
        server_sse_release(&in.sse);
        server_answer_release(&in.answer);
        if (outcome == OUTCOME_DONE) {
            check_shrunk(server, &sent, result);
            return true;
        }
        if (outcome == OUTCOME_FAILED) {
            return glmv_fail(err, problem.code, "%s", problem.message);
        }
        if (outcome == OUTCOME_DROP) {
            if (drops++ < MAX_DROPS) {
                continue;
            }
            return glmv_fail(err, GLMV_ERR_MODEL,
                             "%s: the server refuses every form of the request", url);
        }
        if (!wait_for_next(attempt++, &reply, &problem, options->cancel, watch, err)) {
            return false;
        }
    }
}

static bool server_complete(void *self, const struct glmv_chat_message *messages, size_t count,
                            const struct glmv_chat_options *options,
                            const struct glmv_chat_watch *watch, struct glmv_chat_result *result,
                            struct glmv_err *err)
{
    struct server *server = self;
    if (!prepare(server, options->cancel, err)) {
        return false;
    }
    server->shape.model = server->model;
    char *url = address(server, "/chat/completions", err);
    bool ok = url != NULL && converse(server, url, messages, count, options, watch, result, err);
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
