#include "model/glm/speak.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void glm_speaker_init(struct glm_speaker *s, const struct glm_tokenizer *tokenizer,
                      const struct glmv_chat_options *options, const struct glmv_chat_watch *watch,
                      struct glmv_chat_result *result)
{
    *s = (struct glm_speaker){.tokenizer = tokenizer,
                              .options = options,
                              .watch = watch,
                              .result = result,
                              .think = glm_tokenizer_added(tokenizer, "<think>"),
                              .think_end = glm_tokenizer_added(tokenizer, "</think>"),
                              .call_begin = glm_tokenizer_added(tokenizer, "<tool_call>"),
                              .call_end = glm_tokenizer_added(tokenizer, "</tool_call>"),
                              .answer = glm_tokenizer_added(tokenizer, "<answer>"),
                              .answer_end = glm_tokenizer_added(tokenizer, "</answer>")};
    glmv_buf_init(&s->call, GLMV_CHAT_MAX_ANSWER);
}

void glm_speaker_release(struct glm_speaker *s)
{
    glmv_buf_release(&s->call);
}

/* Cuts the text at the first stop text; returns how many bytes may be told. */
static size_t check_stops(struct glm_speaker *s)
{
    struct glmv_buf *text = &s->result->text;
    size_t hold = 0;
    for (int i = 0; i < GLMV_CHAT_MAX_STOPS && s->options->stop[i] != NULL; i++) {
        const char *stop = s->options->stop[i];
        const char *at = text->len > 0 ? strstr(text->data + s->told, stop) : NULL;
        if (at != NULL && *stop != '\0') {
            text->len = (size_t)(at - text->data);
            text->data[text->len] = '\0';
            s->stopped = true;
            return text->len;
        }
        hold = strlen(stop) > hold + 1 ? strlen(stop) - 1 : hold;
    }
    size_t end = text->len - s->told > hold ? text->len - hold : s->told;
    while (end > s->told && end < text->len && ((unsigned char)text->data[end] & 0xC0) == 0x80) {
        end--;
    }
    return end;
}

static void tell_text(struct glm_speaker *s, size_t end)
{
    if (end > s->told && s->watch->text != NULL) {
        s->watch->text(s->watch->arg, s->result->text.data + s->told, end - s->told);
    }
    s->told = end > s->told ? end : s->told;
}

static bool feed(struct glm_speaker *s, const char *bytes, size_t len, bool last,
                 struct glmv_err *err)
{
    struct glmv_buf *out = s->place == GLM_PLACE_TEXT      ? &s->result->text
                           : s->place == GLM_PLACE_THOUGHT ? &s->result->reasoning
                                                           : &s->call;
    size_t before = out->len;
    if (before == 0) { /* line ends between a mark and its text say nothing */
        while (len > 0 && (*bytes == '\n' || *bytes == '\r')) {
            bytes++;
            len--;
        }
    }
    if (!server_utf8_feed(&s->rest, bytes, len, last, out, err)) {
        return false;
    }
    if (s->place == GLM_PLACE_TEXT) {
        tell_text(s, check_stops(s));
    } else if (s->place == GLM_PLACE_THOUGHT && out->len > before && s->watch->reasoning != NULL) {
        s->watch->reasoning(s->watch->arg, out->data + before, out->len - before);
    }
    return true;
}

/* True when the schema of tool says that this argument is a string. */
static bool is_string(const struct glm_speaker *s, const char *name, const char *key)
{
    bool string = false;
    for (size_t i = 0; i < s->options->tool_count; i++) {
        const struct glmv_chat_tool *tool = &s->options->tools[i];
        if (strcmp(tool->name, name) != 0 || tool->parameters == NULL) {
            continue;
        }
        cJSON *schema = cJSON_Parse(tool->parameters);
        const cJSON *all = cJSON_GetObjectItemCaseSensitive(schema, "properties");
        const cJSON *one = cJSON_GetObjectItemCaseSensitive(all, key);
        const cJSON *type = cJSON_GetObjectItemCaseSensitive(one, "type");
        string = cJSON_IsString(type) && strcmp(type->valuestring, "string") == 0;
        cJSON_Delete(schema);
    }
    return string;
}

/* Takes the text between two marks at or after *at; NULL where they are not there. A value may hold
 * anything, so its end is the last end mark before the next key. */
static char *between(char **at, const char *open, const char *close, const char *next)
{
    char *start = strstr(*at, open);
    if (start == NULL) {
        return NULL;
    }
    start += strlen(open);
    char *limit = next != NULL ? strstr(start, next) : NULL, *end = strstr(start, close);
    for (char *more = end; next != NULL && more != NULL && (limit == NULL || more < limit);) {
        end = more;
        more = strstr(more + 1, close);
    }
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *at = end + strlen(close);
    return start;
}

static bool finish_call(struct glm_speaker *s, struct glmv_err *err)
{
    struct glmv_chat_result *r = s->result;
    if (s->call.len == 0 || r->call_count == GLMV_CHAT_MAX_CALLS) {
        glmv_buf_clear(&s->call);
        return true;
    }
    char *text = s->call.data, *name = text, *key, *value;
    char *at = strstr(text, "<arg_key>");
    size_t len = strcspn(text, "\n");
    len = at != NULL && (size_t)(at - text) < len ? (size_t)(at - text) : len;
    char *named = strndup(name, len);
    cJSON *arguments = cJSON_CreateObject();
    while (named != NULL && at != NULL &&
           (key = between(&at, "<arg_key>", "</arg_key>", NULL)) != NULL &&
           (value = between(&at, "<arg_value>", "</arg_value>", "<arg_key>")) != NULL) {
        cJSON *item = is_string(s, named, key) ? NULL : cJSON_ParseWithOpts(value, NULL, 1);
        cJSON_AddItemToObject(arguments, key, item != NULL ? item : cJSON_CreateString(value));
    }
    char id[24];
    snprintf(id, sizeof id, "call_%zu", r->call_count + 1);
    struct glmv_chat_call call = {strdup(id), named, cJSON_PrintUnformatted(arguments)};
    cJSON_Delete(arguments);
    glmv_buf_clear(&s->call);
    if (call.id == NULL || call.name == NULL || call.arguments == NULL) {
        free(call.id);
        free(call.name);
        free(call.arguments);
        return glmv_fail_memory(err);
    }
    r->calls[r->call_count++] = call;
    return true;
}

static bool move_to(struct glm_speaker *s, enum glm_place place, struct glmv_err *err)
{
    bool ok = feed(s, "", 0, true, err);
    if (ok && s->place == GLM_PLACE_CALL) {
        ok = finish_call(s, err);
    }
    s->place = place;
    return ok;
}

bool glm_speaker_token(struct glm_speaker *s, int32_t id, struct glmv_err *err)
{
    size_t len;
    if (s->place == GLM_PLACE_THOUGHT) {
        s->thoughts++;
    }
    if (id == s->think) {
        return move_to(s, GLM_PLACE_THOUGHT, err);
    }
    if (id == s->think_end) {
        return move_to(s, GLM_PLACE_TEXT, err);
    }
    if (id == s->call_begin && s->options->tool_count > 0 && s->place == GLM_PLACE_TEXT) {
        return move_to(s, GLM_PLACE_CALL, err);
    }
    if (id == s->call_end && s->place == GLM_PLACE_CALL) {
        return move_to(s, GLM_PLACE_TEXT, err);
    }
    if (id == s->answer || id == s->answer_end || glm_tokenizer_special(s->tokenizer, id)) {
        return true;
    }
    const char *bytes = glm_tokenizer_bytes(s->tokenizer, id, &len);
    return bytes == NULL || feed(s, bytes, len, false, err);
}

int32_t glm_speaker_forced(const struct glm_speaker *s)
{
    bool over = s->options->think_budget > 0 && s->place == GLM_PLACE_THOUGHT &&
                s->thoughts >= s->options->think_budget;
    return over ? s->think_end : -1;
}

bool glm_speaker_end(struct glm_speaker *s, struct glmv_err *err)
{
    if (!s->stopped && !move_to(s, GLM_PLACE_TEXT, err)) {
        return false;
    }
    tell_text(s, s->result->text.len);
    return true;
}
