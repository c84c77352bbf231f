#include "model/glm/prompt.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* What the template is written with: marks by name, texts as they are. */
struct writer {
    const struct glm_tokenizer *tokenizer;
    struct glm_ids *out;
    struct glmv_buf text; /* not yet encoded: neighbouring texts are one for the tokeniser */
    bool ok;
    struct glmv_err *err;
};

static void flush(struct writer *w)
{
    if (w->ok && w->text.len > 0) {
        w->ok =
            glm_tokenizer_encode(w->tokenizer, w->text.data, w->text.len, false, w->out, w->err);
        glmv_buf_clear(&w->text);
    }
}

static void text(struct writer *w, const char *s)
{
    w->ok = w->ok && glmv_buf_append_str(&w->text, s, w->err);
}

static void mark(struct writer *w, const char *name)
{
    flush(w);
    int32_t id = glm_tokenizer_added(w->tokenizer, name);
    if (w->ok && id < 0) {
        w->ok = glmv_fail(w->err, GLMV_ERR_FORMAT,
                          "tokenizer.json has no %s; it belongs to another model", name);
    }
    w->ok = w->ok && glm_ids_push(w->out, id, w->err);
}

static void text_of(struct writer *w, const char *s, size_t len)
{
    w->ok = w->ok && glmv_buf_append(&w->text, s, len, w->err);
}

static void items(struct writer *w, const struct glmv_chat_message *message)
{
    for (size_t i = 0; i < message->chunk_count; i++) {
        if (message->chunks[i].image != NULL) {
            mark(w, "<|begin_of_image|>");
            mark(w, "<|image|>");
            mark(w, "<|end_of_image|>");
        } else if (message->chunks[i].text != NULL) {
            text(w, message->chunks[i].text);
        }
    }
}

/* A person who ends in /nothink means the mark, which is said once. */
static void question(struct writer *w, const struct glmv_chat_message *message, bool think)
{
    static const char word[] = "/nothink";
    const size_t len = sizeof word - 1;
    items(w, message);
    bool typed = w->text.len >= len && memcmp(w->text.data + w->text.len - len, word, len) == 0;
    if (typed) {
        w->text.len -= len;
        w->text.data[w->text.len] = '\0';
    }
    if (typed || !think) {
        mark(w, word);
    }
}

/* JSON in the style of the reference template: ", " and ": " between things. */
static void json_value(struct writer *w, const cJSON *item)
{
    bool object = cJSON_IsObject(item), array = cJSON_IsArray(item);
    if (!object && !array) {
        char *plain = cJSON_PrintUnformatted(item);
        text(w, plain != NULL ? plain : "null");
        cJSON_free(plain);
        return;
    }
    text(w, object ? "{" : "[");
    for (const cJSON *one = item->child; one != NULL; one = one->next) {
        if (object) {
            cJSON *key = cJSON_CreateString(one->string);
            json_value(w, key);
            cJSON_Delete(key);
            text(w, ": ");
        }
        json_value(w, one);
        text(w, one->next != NULL ? ", " : "");
    }
    text(w, object ? "}" : "]");
}

static void json_text(struct writer *w, const char *json, const char *fallback)
{
    cJSON *root = json != NULL ? cJSON_Parse(json) : NULL;
    if (root != NULL) {
        json_value(w, root);
    } else {
        text(w, fallback);
    }
    cJSON_Delete(root);
}

static void tools(struct writer *w, const struct glmv_chat_options *options)
{
    mark(w, "<|system|>");
    text(
        w,
        "\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are "
        "provided with function signatures within <tools></tools> XML tags:\n<tools>\n");
    for (size_t i = 0; i < options->tool_count; i++) {
        const struct glmv_chat_tool *tool = &options->tools[i];
        cJSON *name = cJSON_CreateString(tool->name);
        cJSON *about = cJSON_CreateString(tool->description != NULL ? tool->description : "");
        text(w, "{\"type\": \"function\", \"function\": {\"name\": ");
        json_value(w, name);
        text(w, ", \"description\": ");
        json_value(w, about);
        text(w, ", \"parameters\": ");
        json_text(w, tool->parameters, "{}");
        text(w, "}}\n");
        cJSON_Delete(name);
        cJSON_Delete(about);
    }
    text(w, "</tools>\n\nFor each function call, output the function name and arguments within the "
            "following XML format:\n");
    mark(w, "<tool_call>");
    text(w, "{function-name}\n");
    for (int i = 1; i <= 2; i++) {
        mark(w, "<arg_key>");
        text(w, i == 1 ? "{arg-key-1}" : "{arg-key-2}");
        mark(w, "</arg_key>");
        text(w, "\n");
        mark(w, "<arg_value>");
        text(w, i == 1 ? "{arg-value-1}" : "{arg-value-2}");
        mark(w, "</arg_value>");
        text(w, "\n");
    }
    text(w, "...\n");
    mark(w, "</tool_call>");
}

static void call(struct writer *w, const struct glmv_chat_call *one)
{
    text(w, "\n");
    mark(w, "<tool_call>");
    text(w, one->name);
    text(w, "\n");
    cJSON *root = cJSON_Parse(one->arguments != NULL ? one->arguments : "{}");
    for (const cJSON *item = cJSON_IsObject(root) ? root->child : NULL; item != NULL;
         item = item->next) {
        mark(w, "<arg_key>");
        text(w, item->string);
        mark(w, "</arg_key>");
        text(w, "\n");
        mark(w, "<arg_value>");
        if (cJSON_IsString(item)) {
            text(w, item->valuestring);
        } else {
            json_value(w, item);
        }
        mark(w, "</arg_value>");
        text(w, "\n");
    }
    cJSON_Delete(root);
    mark(w, "</tool_call>");
}

static bool blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without white space at both ends, as the template does with answers. */
static void stripped(struct writer *w, const char *s, size_t len)
{
    while (len > 0 && blank(*s)) {
        s++;
        len--;
    }
    while (len > 0 && blank(s[len - 1])) {
        len--;
    }
    text_of(w, s, len);
}

static bool is_blank(const char *s, size_t len)
{
    size_t i = 0;
    while (i < len && blank(s[i])) {
        i++;
    }
    return i == len;
}

/* The thought of an answer that still holds it: up to the first end mark, from the last beginning.
 */
static void thought_of(const char *whole, const char **thought, size_t *len)
{
    const char *end = strstr(whole, "</think>"), *begin = whole, *at = whole;
    while (end != NULL && (at = strstr(at, "<think>")) != NULL && at < end) {
        at += strlen("<think>");
        begin = at;
    }
    *thought = begin;
    *len = end != NULL ? (size_t)(end - begin) : 0;
}

static const char *after_thought(const char *whole)
{
    const char *at;
    while ((at = strstr(whole, "</think>")) != NULL) {
        whole = at + strlen("</think>");
    }
    return whole;
}

/* Earlier reasoning is not repeated, so an answer of the past opens with an empty thought; it stays
 * in answers since the last question, which are steps of one answer. */
static void answer(struct writer *w, enum glm_dialect dialect,
                   const struct glmv_chat_message *message, bool keep)
{
    struct glmv_buf whole;
    glmv_buf_init(&whole, GLMV_CHAT_MAX_ANSWER);
    mark(w, "<|assistant|>");
    text(w, "\n");
    for (size_t i = 0; w->ok && i < message->chunk_count; i++) {
        if (message->chunks[i].text != NULL) {
            w->ok = glmv_buf_append_str(&whole, message->chunks[i].text, w->err);
        }
    }
    const char *said = whole.data != NULL ? whole.data : "", *thought;
    size_t len;
    if (dialect == GLM_DIALECT_46V) {
        thought_of(said, &thought, &len);
        said = after_thought(said);
        mark(w, "<think>");
        if (keep) {
            stripped(w, thought, len);
        }
        mark(w, "</think>");
        if (!is_blank(said, strlen(said))) {
            text(w, "\n");
            stripped(w, said, strlen(said));
        }
    } else {
        text(w, said);
    }
    glmv_buf_release(&whole);
    for (size_t i = 0; i < message->call_count; i++) {
        call(w, &message->calls[i]);
    }
}

static void result_of_tool(struct writer *w, const struct glmv_chat_message *message, bool first)
{
    bool pictures = false;
    for (size_t i = 0; i < message->chunk_count; i++) {
        pictures = pictures || message->chunks[i].image != NULL;
    }
    if (first) {
        mark(w, "<|observation|>");
    }
    text(w, "\n");
    mark(w, "<tool_response>");
    text(w, "\n");
    items(w, message);
    text(w, "\n");
    mark(w, "</tool_response>");
    text(w, pictures ? "" : "\n"); /* a plain string gets one more line end in the template */
}

/* last: the last question. */
static void message_out(struct writer *w, enum glm_dialect dialect, bool think,
                        const struct glmv_chat_message *messages, size_t at, size_t last)
{
    const struct glmv_chat_message *m = &messages[at];
    switch (m->role) {
    case GLMV_CHAT_SYSTEM:
        mark(w, "<|system|>");
        text(w, "\n");
        items(w, m);
        break;
    case GLMV_CHAT_USER:
        mark(w, "<|user|>");
        text(w, "\n");
        if (dialect == GLM_DIALECT_46V) {
            question(w, m, think);
        } else {
            items(w, m);
        }
        break;
    case GLMV_CHAT_ASSISTANT:
        answer(w, dialect, m, at > last);
        break;
    case GLMV_CHAT_TOOL:
        result_of_tool(w, m, at == 0 || messages[at - 1].role != GLMV_CHAT_TOOL);
        break;
    }
}

bool glm_prompt_render(const struct glm_tokenizer *tokenizer, enum glm_dialect dialect,
                       const struct glmv_chat_message *messages, size_t count,
                       const struct glmv_chat_options *options, struct glm_ids *out,
                       struct glmv_err *err)
{
    struct writer w = {tokenizer, out, {0}, true, err};
    bool think = options->thinking != GLMV_CHAT_THINK_OFF;
    glmv_buf_init(&w.text, 64u << 20);
    mark(&w, "[gMASK]");
    mark(&w, "<sop>");
    if (options->tool_count > 0 && dialect == GLM_DIALECT_46V) {
        tools(&w, options);
    }
    size_t last = count;
    for (size_t i = 0; i < count; i++) {
        last = messages[i].role == GLMV_CHAT_USER ? i : last;
    }
    for (size_t i = 0; w.ok && i < count; i++) {
        message_out(&w, dialect, think, messages, i, last);
    }
    mark(&w, "<|assistant|>");
    text(&w, "\n");
    if (!think && dialect == GLM_DIALECT_46V) {
        mark(&w, "<think>");
        mark(&w, "</think>");
        text(&w, "\n");
    }
    flush(&w);
    glmv_buf_release(&w.text);
    return w.ok;
}

bool glm_prompt_expand(const struct glm_ids *in, int image_token, const struct glm_span *spans,
                       size_t count, struct glm_ids *out, struct glmv_err *err)
{
    size_t seen = 0;
    for (size_t i = 0; i < in->len; i++) {
        size_t times = 1;
        if (in->data[i] == image_token) {
            times = seen < count ? (size_t)spans[seen].rows * (size_t)spans[seen].cols : 0;
            seen++;
        }
        for (size_t k = 0; k < times; k++) {
            if (!glm_ids_push(out, in->data[i], err)) {
                return false;
            }
        }
    }
    return seen == count ||
           glmv_fail(err, GLMV_ERR_MODEL, "the prompt has %zu picture places for %zu pictures",
                     seen, count);
}

int32_t glm_prompt_positions(const struct glm_ids *ids, int image_token,
                             const struct glm_span *spans, int32_t *positions)
{
    int32_t next = 0;
    size_t at = 0;
    while (at < ids->len) {
        if (ids->data[at] != image_token) {
            for (int axis = 0; axis < 3; axis++) {
                positions[at * 3 + (size_t)axis] = next;
            }
            next++;
            at++;
            continue;
        }
        for (int row = 0; row < spans->rows; row++) {
            for (int col = 0; col < spans->cols; col++, at++) {
                positions[at * 3] = next;
                positions[at * 3 + 1] = next + row;
                positions[at * 3 + 2] = next + col;
            }
        }
        next += spans->rows > spans->cols ? spans->rows : spans->cols;
        spans++;
    }
    return next;
}
