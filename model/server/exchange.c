/* A request, its answer, and what to do when there is none. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/server/answer.h"
#include "model/server/server.h"
#include "model/server/sse.h"

#define MAX_RAW (256u << 20) /* bytes of one answer on the wire */
#define TRIES 4
#define MAX_DROPS 16
#define FIRST_WAIT_S 0.5
#define LONGEST_WAIT_S 60

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
    /* Templates that do not expect a list as an answer of a tool make some servers fail. */
    if (sent->tool_pictures &&
        (complaint->status == 400 || complaint->status == 422 || complaint->status == 500)) {
        server->shape.plain_tools = true;
        return true;
    }
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
    wait *= 0.75 + 0.5 * ((double)((uint64_t)(glmv_now() * 1e6) % 1000) / 1000);
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

bool server_converse(struct server *server, const char *url,
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
        glmv_buf_init(&in.plain, SERVER_MAX_PLAIN);
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
