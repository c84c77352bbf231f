#include "model/server/answer.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define MAX_ARGUMENTS (4u << 20)

void server_answer_init(struct server_answer *answer, struct glmv_chat_result *result,
                        const struct glmv_chat_watch *watch)
{
    memset(answer, 0, sizeof *answer);
    answer->result = result;
    answer->watch = watch;
    answer->started = glmv_now();
    glmv_buf_init(&answer->scratch, 2 * GLMV_CHAT_MAX_ANSWER);
    glmv_buf_init(&answer->held, 64);
}

void server_answer_release(struct server_answer *answer)
{
    glmv_buf_release(&answer->scratch);
    glmv_buf_release(&answer->held);
}

static void begin(struct server_answer *answer)
{
    if (!answer->begun) {
        answer->begun = true;
        answer->result->first_seconds = glmv_now() - answer->started;
    }
}

static bool give(struct server_answer *answer, bool reasoning, const char *text, size_t len,
                 struct glmv_err *err)
{
    if (len == 0) {
        return true;
    }
    struct glmv_buf *buf = reasoning ? &answer->result->reasoning : &answer->result->text;
    if (buf->len + len > buf->max) {
        /* Not left to the buffer, which would throw away what had arrived. */
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "the answer is longer than %zu bytes; give a smaller --max-tokens",
                         buf->max);
    }
    if (!glmv_buf_append(buf, text, len, err)) {
        return false;
    }
    void (*tell)(void *, const char *, size_t) =
        reasoning ? answer->watch->reasoning : answer->watch->text;
    if (tell != NULL) {
        tell(answer->watch->arg, text, len);
    }
    return true;
}

/* Looks for tag at the start (leading white space skipped) or anywhere in held. Returns its offset,
 * -1 when it is not there, -2 when more bytes are needed to tell. */
static long find_tag(const char *text, size_t len, const char *tag, bool anywhere)
{
    size_t size = strlen(tag);
    size_t at = 0;
    while (!anywhere && at < len && strchr(" \r\n\t", text[at]) != NULL) {
        at++;
    }
    for (; at < len; at++) {
        size_t part = len - at < size ? len - at : size;
        if (memcmp(text + at, tag, part) == 0) {
            return part == size ? (long)at : -2;
        }
        if (!anywhere) {
            return -1;
        }
    }
    return anywhere ? -1 : -2;
}

/* Whole characters of the text channel; a server without a reasoning parser sends the thinking
 * here, between tags. */
static bool give_text(struct server_answer *answer, const char *text, size_t len, bool last,
                      struct glmv_err *err)
{
    if (answer->place == SERVER_PLACE_TEXT && answer->held.len == 0) {
        return give(answer, false, text, len, err);
    }
    struct glmv_buf all;
    glmv_buf_init(&all, 2 * GLMV_CHAT_MAX_ANSWER);
    bool ok = glmv_buf_append(&all, answer->held.data != NULL ? answer->held.data : "",
                              answer->held.len, err) &&
              glmv_buf_append(&all, text, len, err);
    glmv_buf_clear(&answer->held);
    size_t at = 0;
    if (ok && answer->place == SERVER_PLACE_START) {
        long found = find_tag(all.data, all.len, "<think>", false);
        if (found == -2 && !last && all.len < 32) {
            ok = glmv_buf_append(&answer->held, all.data, all.len, err);
            at = all.len;
        } else {
            answer->place = found >= 0 ? SERVER_PLACE_THINKING : SERVER_PLACE_TEXT;
            at = found >= 0 ? (size_t)found + 7 : 0;
        }
    }
    if (ok && answer->place == SERVER_PLACE_THINKING) {
        long found = find_tag(all.data + at, all.len - at, "</think>", true);
        size_t end = found >= 0 ? at + (size_t)found : all.len;
        if (found == -2 && !last) {
            /* Fewer than eight bytes at the end may be the start of the tag. */
            end = all.len - 7 > at && all.len > 7 ? all.len - 7 : at;
            while (end < all.len && all.data[end] != '<') {
                end++;
            }
            ok = glmv_buf_append(&answer->held, all.data + end, all.len - end, err);
        }
        ok = ok && give(answer, true, all.data + at, end - at, err);
        at = found >= 0 ? end + 8 : all.len;
        if (found >= 0) {
            answer->place = SERVER_PLACE_TEXT;
        }
    }
    if (ok && answer->place == SERVER_PLACE_TEXT) {
        ok = give(answer, false, all.data + at, all.len - at, err);
    }
    glmv_buf_release(&all);
    return ok;
}

static bool take_string(struct server_answer *answer, const cJSON *value, bool reasoning,
                        struct glmv_err *err)
{
    if (!cJSON_IsString(value) || value->valuestring[0] == '\0') {
        return true;
    }
    begin(answer);
    glmv_buf_clear(&answer->scratch);
    struct server_utf8 *rest = reasoning ? &answer->reasoning_rest : &answer->text_rest;
    if (!server_utf8_feed(rest, value->valuestring, strlen(value->valuestring), false,
                          &answer->scratch, err)) {
        return false;
    }
    const char *text = answer->scratch.data != NULL ? answer->scratch.data : "";
    return reasoning ? give(answer, true, text, answer->scratch.len, err)
                     : give_text(answer, text, answer->scratch.len, false, err);
}

static bool append_string(char **text, const char *more, struct glmv_err *err)
{
    size_t old = *text != NULL ? strlen(*text) : 0, len = strlen(more);
    if (old + len > MAX_ARGUMENTS) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the model's tool call is longer than %u bytes",
                         MAX_ARGUMENTS);
    }
    char *grown = realloc(*text, old + len + 1);
    if (grown == NULL) {
        return glmv_fail_memory(err);
    }
    memcpy(grown + old, more, len + 1);
    *text = grown;
    return true;
}

static bool take_call(struct server_answer *answer, const cJSON *item, size_t fallback,
                      struct glmv_err *err)
{
    struct glmv_chat_result *result = answer->result;
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(item, "id");
    const cJSON *function = cJSON_GetObjectItemCaseSensitive(item, "function");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(function, "name");
    const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(function, "arguments");
    double at = cJSON_IsNumber(index) ? index->valuedouble : (double)fallback;
    if (!(at >= 0 && at < GLMV_CHAT_MAX_CALLS)) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the model made more than %d tool calls at once",
                         GLMV_CHAT_MAX_CALLS);
    }
    begin(answer);
    while (result->call_count <= (size_t)at) {
        struct glmv_chat_call *call = &result->calls[result->call_count];
        *call = (struct glmv_chat_call){0};
        result->call_count++;
        if (!append_string(&call->id, "", err) || !append_string(&call->name, "", err) ||
            !append_string(&call->arguments, "", err)) {
            return false;
        }
    }
    struct glmv_chat_call *call = &result->calls[(size_t)at];
    if (cJSON_IsString(id) && call->id[0] == '\0' &&
        !append_string(&call->id, id->valuestring, err)) {
        return false;
    }
    if (cJSON_IsString(name) && !append_string(&call->name, name->valuestring, err)) {
        return false;
    }
    if (cJSON_IsObject(arguments)) { /* Ollama's older form */
        char *text = cJSON_PrintUnformatted(arguments);
        bool ok = text != NULL ? append_string(&call->arguments, text, err) : glmv_fail_memory(err);
        cJSON_free(text);
        return ok;
    }
    return !cJSON_IsString(arguments) ||
           append_string(&call->arguments, arguments->valuestring, err);
}

static void take_finish(struct server_answer *answer, const char *reason)
{
    static const struct {
        const char *word;
        enum glmv_chat_finish finish;
    } words[] = {
        {"stop", GLMV_CHAT_FINISH_STOP},
        {"length", GLMV_CHAT_FINISH_LENGTH},
        {"tool_calls", GLMV_CHAT_FINISH_CALLS},
        {"function_call", GLMV_CHAT_FINISH_CALLS},
        {"content_filter", GLMV_CHAT_FINISH_FILTER},
        {"sensitive", GLMV_CHAT_FINISH_FILTER},
        {"model_context_window_exceeded", GLMV_CHAT_FINISH_LENGTH},
    };
    answer->finished = true;
    if (strcmp(reason, "network_error") == 0 || strcmp(reason, "abort") == 0 ||
        strcmp(reason, "error") == 0) {
        answer->broken = true;
        answer->finished = false;
        return;
    }
    answer->result->finish = GLMV_CHAT_FINISH_STOP;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(reason, words[i].word) == 0) {
            answer->result->finish = words[i].finish;
        }
    }
}

static bool take_message(struct server_answer *answer, const cJSON *message, struct glmv_err *err)
{
    const cJSON *reasoning = cJSON_GetObjectItemCaseSensitive(message, "reasoning_content");
    if (!cJSON_IsString(reasoning) || reasoning->valuestring[0] == '\0') {
        /* Servers that renamed it sent both for a while: one is enough. */
        reasoning = cJSON_GetObjectItemCaseSensitive(message, "reasoning");
    }
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(message, "content");
    if (!take_string(answer, reasoning, true, err)) {
        return false;
    }
    const cJSON *part = cJSON_IsArray(content) ? content->child : NULL;
    for (; part != NULL; part = part->next) {
        if (!take_string(answer, cJSON_GetObjectItemCaseSensitive(part, "text"), false, err)) {
            return false;
        }
    }
    if (!take_string(answer, content, false, err)) {
        return false;
    }
    const cJSON *calls = cJSON_GetObjectItemCaseSensitive(message, "tool_calls");
    size_t i = 0;
    for (const cJSON *call = calls != NULL ? calls->child : NULL; call != NULL; call = call->next) {
        if (!take_call(answer, call, i++, err)) {
            return false;
        }
    }
    return true;
}

static int64_t number_or(const cJSON *object, const char *name, int64_t otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    bool sane = cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e15;
    return sane ? (int64_t)item->valuedouble : otherwise;
}

static void take_usage(struct server_answer *answer, const cJSON *usage)
{
    if (!cJSON_IsObject(usage)) {
        return;
    }
    struct glmv_chat_usage *u = &answer->result->usage;
    u->prompt_tokens = number_or(usage, "prompt_tokens", u->prompt_tokens);
    u->completion_tokens = number_or(usage, "completion_tokens", u->completion_tokens);
    u->cached_tokens = number_or(cJSON_GetObjectItemCaseSensitive(usage, "prompt_tokens_details"),
                                 "cached_tokens", u->cached_tokens);
}

/* A character beyond the first plane whose two halves went into two events is not JSON that cJSON
 * reads: its half becomes U+FFFD. Changes the copy in place. */
static void mend_surrogates(char *text, size_t len)
{
    for (size_t i = 0; i + 6 <= len; i++) {
        if (text[i] != '\\') {
            continue;
        }
        if (text[i + 1] != 'u' || (text[i + 2] != 'd' && text[i + 2] != 'D')) {
            i++;
            continue;
        }
        bool high = strchr("89abAB", text[i + 3]) != NULL;
        bool low = strchr("cdefCDEF", text[i + 3]) != NULL;
        bool pair = high && i + 12 <= len && text[i + 6] == '\\' && text[i + 7] == 'u' &&
                    (text[i + 8] == 'd' || text[i + 8] == 'D') &&
                    strchr("cdefCDEF", text[i + 9]) != NULL;
        if (pair) {
            i += 11;
        } else if (high || low) {
            memcpy(text + i, "\\ufffd", 6);
            i += 5;
        } else {
            i += 5;
        }
    }
}

static cJSON *parse(const char *data, size_t len)
{
    cJSON *json = cJSON_ParseWithLength(data, len);
    if (json != NULL) {
        return json;
    }
    char *copy = malloc(len + 1);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, data, len);
    mend_surrogates(copy, len);
    json = cJSON_ParseWithLength(copy, len);
    free(copy);
    return json;
}

static bool take_chunk(struct server_answer *answer, const cJSON *json, struct glmv_err *err)
{
    take_usage(answer, cJSON_GetObjectItemCaseSensitive(json, "usage"));
    const cJSON *choices = cJSON_GetObjectItemCaseSensitive(json, "choices");
    const cJSON *choice = cJSON_IsArray(choices) ? choices->child : NULL;
    if (choice == NULL) {
        return true; /* the event that holds only the usage */
    }
    const cJSON *delta = cJSON_GetObjectItemCaseSensitive(choice, "delta");
    if (!cJSON_IsObject(delta)) {
        delta = cJSON_GetObjectItemCaseSensitive(choice, "message");
    }
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(choice, "finish_reason");
    if (delta != NULL && !take_message(answer, delta, err)) {
        return false;
    }
    if (cJSON_IsString(reason) && reason->valuestring[0] != '\0') {
        take_finish(answer, reason->valuestring);
    }
    return true;
}

bool server_answer_event(struct server_answer *answer, const char *data, size_t len,
                         struct glmv_err *err)
{
    while (len > 0 && strchr(" \t\r\n", data[len - 1]) != NULL) {
        len--;
    }
    if (len == 0) {
        return true;
    }
    if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
        answer->done = true;
        return true;
    }
    cJSON *json = parse(data, len);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "the server sent an event that is not JSON: '%.*s'; is this an "
                         "OpenAI-compatible server?",
                         (int)(len < 60 ? len : 60), data);
    }
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    bool ok;
    if (error != NULL && !cJSON_IsNull(error)) {
        server_complaint_read(&answer->complaint, 0, data, len);
        ok = false;
    } else {
        ok = take_chunk(answer, json, err);
    }
    cJSON_Delete(json);
    return ok;
}

/* Thinking whose opening tag was part of the prompt: everything before the lone closing tag. */
static bool split_lone_close(struct glmv_chat_result *result, struct glmv_err *err)
{
    if (result->text.len == 0 || result->reasoning.len > 0) {
        return true;
    }
    const char *close = strstr(result->text.data, "</think>");
    const char *open = strstr(result->text.data, "<think>");
    if (close == NULL || (open != NULL && open < close)) {
        return true;
    }
    size_t before = (size_t)(close - result->text.data);
    if (!glmv_buf_append(&result->reasoning, result->text.data, before, err)) {
        return false;
    }
    memmove(result->text.data, close + 8, result->text.len - before - 8 + 1);
    result->text.len -= before + 8;
    return true;
}

bool server_answer_end(struct server_answer *answer, struct glmv_err *err)
{
    for (int reasoning = 0; reasoning < 2; reasoning++) {
        glmv_buf_clear(&answer->scratch);
        struct server_utf8 *rest = reasoning ? &answer->reasoning_rest : &answer->text_rest;
        if (!server_utf8_feed(rest, "", 0, true, &answer->scratch, err)) {
            return false;
        }
        const char *text = answer->scratch.data != NULL ? answer->scratch.data : "";
        bool ok = reasoning ? give(answer, true, text, answer->scratch.len, err)
                            : give_text(answer, text, answer->scratch.len, true, err);
        if (!ok) {
            return false;
        }
    }
    answer->result->seconds = glmv_now() - answer->started;
    return split_lone_close(answer->result, err);
}
