#include "model/server/request.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "model/server/text.h"

#define PNG_LEVEL 6

static const char *const field_names[SERVER_FIELD_COUNT] = {
    "stream_options",     "chat_template_kwargs",  "thinking",
    "reasoning_effort",   "thinking_token_budget", "top_k",
    "repetition_penalty", "repeat_penalty",        "seed",
    "max_tokens",
};

const char *server_field_name(enum server_field field)
{
    return field_names[field];
}

/* One request being written. */
struct writer {
    const struct server_shape *shape;
    const struct glmv_chat_options *options;
    struct glmv_buf *out;
    struct server_sent *sent;
    struct glmv_err *err;
};

static bool put(struct writer *w, const char *text)
{
    return glmv_buf_append_str(w->out, text, w->err);
}

static bool put_string(struct writer *w, const char *text)
{
    return server_json_string(w->out, text, strlen(text), w->err);
}

/* Tokens of one picture: both sides in steps of 28 px, within the model's own limit. */
static double picture_tokens(int width, int height)
{
    double tokens = fmax(1, round(width / 28.0)) * fmax(1, round(height / 28.0));
    return fmin(tokens, 6144);
}

/* A PNG within the server's limits; the picture is made smaller only when it has to be. */
static bool encode(struct writer *w, const struct glmv_image *image, struct glmv_buf *png)
{
    const struct server_image_limit *limit = &w->shape->limit;
    double scale = 1;
    int side = image->width > image->height ? image->width : image->height;
    if (limit->max_side > 0 && side > limit->max_side) {
        scale = (double)limit->max_side / side;
    }
    double pixels = (double)image->width * image->height;
    if (limit->max_pixels > 0 && pixels * scale * scale > (double)limit->max_pixels) {
        scale = sqrt((double)limit->max_pixels / pixels);
    }
    for (int step = 0; step < 8; step++, scale *= 0.8) {
        struct glmv_image *small = NULL;
        int width = (int)(image->width * scale), height = (int)(image->height * scale);
        width = width < 1 ? 1 : width;
        height = height < 1 ? 1 : height;
        if (scale < 1) {
            small = server_image_scale(image, width, height, w->err);
            if (small == NULL) {
                return false;
            }
        }
        glmv_buf_clear(png);
        bool ok = glmv_image_encode_png(small != NULL ? small : image, PNG_LEVEL, png, w->err);
        glmv_image_free(small);
        if (!ok) {
            return false;
        }
        if (limit->max_bytes == 0 || png->len <= limit->max_bytes) {
            w->sent->pictures++;
            w->sent->scaled += scale < 1;
            w->sent->expected_tokens += picture_tokens(width, height);
            return true;
        }
    }
    return glmv_fail(w->err, GLMV_ERR_LIMIT,
                     "the picture stays above the server's limit of %zu bytes; send a part of it",
                     limit->max_bytes);
}

static bool put_image(struct writer *w, const struct glmv_image *image)
{
    struct glmv_buf png;
    glmv_buf_init(&png, GLMV_IMAGE_MAX_FILE);
    bool ok = encode(w, image, &png) &&
              put(w, "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,") &&
              glmv_base64_append(w->out, png.data, png.len, w->err) && put(w, "\"}}");
    glmv_buf_release(&png);
    return ok;
}

static bool has_image(const struct glmv_chat_message *message)
{
    for (size_t i = 0; i < message->chunk_count; i++) {
        if (message->chunks[i].image != NULL) {
            return true;
        }
    }
    return false;
}

/* The text chunks as one string: templates of text-only turns expect a string. */
static bool put_plain(struct writer *w, const struct glmv_chat_message *message)
{
    bool ok = put(w, "\"");
    for (size_t i = 0; ok && i < message->chunk_count; i++) {
        const char *text = message->chunks[i].text;
        ok = text == NULL || server_json_escape(w->out, text, strlen(text), w->err);
    }
    return ok && put(w, "\"");
}

static bool put_parts(struct writer *w, const struct glmv_chat_message *message)
{
    bool ok = put(w, "[");
    for (size_t i = 0; ok && i < message->chunk_count; i++) {
        const struct glmv_chat_chunk *chunk = &message->chunks[i];
        ok = i == 0 || put(w, ",");
        if (ok && chunk->image != NULL) {
            ok = put_image(w, chunk->image);
        } else if (ok) {
            ok =
                put(w, "{\"type\":\"text\",\"text\":") && put_string(w, chunk->text) && put(w, "}");
        }
    }
    return ok && put(w, "]");
}

static bool put_calls(struct writer *w, const struct glmv_chat_message *message)
{
    bool ok = put(w, ",\"tool_calls\":[");
    for (size_t i = 0; ok && i < message->call_count; i++) {
        const struct glmv_chat_call *call = &message->calls[i];
        ok = (i == 0 || put(w, ",")) && put(w, "{\"type\":\"function\",\"id\":") &&
             put_string(w, call->id) && put(w, ",\"function\":{\"name\":") &&
             put_string(w, call->name) && put(w, ",\"arguments\":") &&
             put_string(w, call->arguments) && put(w, "}}");
    }
    return ok && put(w, "]");
}

static bool put_message(struct writer *w, const struct glmv_chat_message *message)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    bool ok = put(w, "{\"role\":\"") && put(w, roles[message->role]) && put(w, "\",\"content\":");
    bool tool = message->role == GLMV_CHAT_TOOL && !w->shape->plain_tools;
    bool parts = (message->role == GLMV_CHAT_USER || tool) && has_image(message);
    w->sent->tool_pictures = w->sent->tool_pictures || (tool && parts);
    ok = ok && (parts ? put_parts(w, message) : put_plain(w, message));
    if (ok && message->call_count > 0) {
        ok = put_calls(w, message);
    }
    if (ok && message->call_id != NULL) {
        ok = put(w, ",\"tool_call_id\":") && put_string(w, message->call_id);
    }
    return ok && put(w, "}");
}

/* Pictures of tool messages [first, end), for servers that allow only text there: they follow as a
 * message of the user. */
static bool put_tool_images(struct writer *w, const struct glmv_chat_message *messages,
                            size_t first, size_t end)
{
    bool open = false, ok = true;
    for (size_t m = first; ok && m < end; m++) {
        for (size_t i = 0; ok && i < messages[m].chunk_count; i++) {
            if (messages[m].chunks[i].image == NULL) {
                continue;
            }
            ok = open ? put(w, ",")
                      : put(w, ",{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
                               "\"The pictures that the tools returned, in order:\"},");
            open = true;
            ok = ok && put_image(w, messages[m].chunks[i].image);
        }
    }
    return ok && (!open || put(w, "]}"));
}

static bool put_messages(struct writer *w, const struct glmv_chat_message *messages, size_t count)
{
    bool ok = put(w, ",\"messages\":[");
    for (size_t i = 0; ok && i < count;) {
        ok = (i == 0 || put(w, ",")) && put_message(w, &messages[i]);
        size_t first = i++;
        if (messages[first].role != GLMV_CHAT_TOOL) {
            continue;
        }
        while (ok && i < count && messages[i].role == GLMV_CHAT_TOOL) {
            ok = put(w, ",") && put_message(w, &messages[i++]);
        }
        ok = ok && (!w->shape->plain_tools || put_tool_images(w, messages, first, i));
    }
    return ok && put(w, "]");
}

static bool wants(struct writer *w, enum server_field field)
{
    if (w->shape->refused & 1u << field) {
        return false;
    }
    w->sent->fields |= 1u << field;
    return true;
}

static bool put_thinking(struct writer *w)
{
    const struct glmv_chat_options *o = w->options;
    bool on = o->thinking == GLMV_CHAT_THINK_ON;
    enum server_program program = w->shape->program;
    bool ok = true;
    if (o->thinking != GLMV_CHAT_THINK_DEFAULT) {
        if (program == SERVER_ZAI) {
            ok = !wants(w, SERVER_FIELD_THINKING) ||
                 put(w, on ? ",\"thinking\":{\"type\":\"enabled\"}"
                           : ",\"thinking\":{\"type\":\"disabled\"}");
        } else if (program == SERVER_OLLAMA || program == SERVER_LMSTUDIO) {
            ok = !wants(w, SERVER_FIELD_EFFORT) ||
                 put(w, on ? ",\"reasoning_effort\":\"medium\"" : ",\"reasoning_effort\":\"none\"");
        } else {
            ok = !wants(w, SERVER_FIELD_TEMPLATE) ||
                 put(w, on ? ",\"chat_template_kwargs\":{\"enable_thinking\":true}"
                           : ",\"chat_template_kwargs\":{\"enable_thinking\":false}");
        }
    }
    if (ok && o->think_budget > 0 && (program == SERVER_VLLM || program == SERVER_UNKNOWN) &&
        wants(w, SERVER_FIELD_BUDGET)) {
        ok = glmv_buf_appendf(w->out, w->err, ",\"thinking_token_budget\":%d", o->think_budget);
    }
    return ok;
}

/* A number without the comma that some locales write. */
static bool put_number(struct writer *w, const char *name, double value)
{
    long millionths = lround(value * 1e6);
    return glmv_buf_appendf(w->out, w->err, ",\"%s\":%ld.%06ld", name, millionths / 1000000,
                            millionths % 1000000);
}

static bool put_sampling(struct writer *w)
{
    const struct glmv_chat_options *o = w->options;
    enum server_field penalty =
        w->shape->program == SERVER_LLAMA ? SERVER_FIELD_REPEAT : SERVER_FIELD_REPETITION;
    bool ok = true;
    if (o->temperature >= 0) {
        ok = put_number(w, "temperature", o->temperature);
    }
    if (ok && o->top_p >= 0) {
        ok = put_number(w, "top_p", o->top_p);
    }
    if (ok && o->top_k > 0 && w->shape->program != SERVER_ZAI && wants(w, SERVER_FIELD_TOP_K)) {
        ok = glmv_buf_appendf(w->out, w->err, ",\"top_k\":%d", o->top_k);
    }
    if (ok && o->repetition_penalty > 0 && w->shape->program != SERVER_ZAI && wants(w, penalty)) {
        ok = put_number(w, server_field_name(penalty), o->repetition_penalty);
    }
    if (ok && o->seed >= 0 && wants(w, SERVER_FIELD_SEED)) {
        ok = glmv_buf_appendf(w->out, w->err, ",\"seed\":%lld", (long long)o->seed);
    }
    if (ok && o->max_tokens > 0) {
        bool usual = wants(w, SERVER_FIELD_MAX_TOKENS);
        ok = glmv_buf_appendf(w->out, w->err, ",\"%s\":%d",
                              usual ? "max_tokens" : "max_completion_tokens", o->max_tokens);
    }
    for (int i = 0; ok && i < GLMV_CHAT_MAX_STOPS && o->stop[i] != NULL; i++) {
        ok = put(w, i == 0 ? ",\"stop\":[" : ",") && put_string(w, o->stop[i]);
    }
    return ok && (o->stop[0] == NULL || put(w, "]"));
}

static bool put_tools(struct writer *w)
{
    bool ok = true;
    for (size_t i = 0; ok && i < w->options->tool_count; i++) {
        const struct glmv_chat_tool *tool = &w->options->tools[i];
        ok = put(w, i == 0 ? ",\"tools\":[" : ",") &&
             put(w, "{\"type\":\"function\",\"function\":{\"name\":") &&
             put_string(w, tool->name) && put(w, ",\"description\":") &&
             put_string(w, tool->description) && put(w, ",\"parameters\":") &&
             put(w, tool->parameters) && put(w, "}}");
    }
    return ok && (w->options->tool_count == 0 || put(w, "]"));
}

bool server_request_write(const struct server_shape *shape,
                          const struct glmv_chat_message *messages, size_t count,
                          const struct glmv_chat_options *options, struct glmv_buf *out,
                          struct server_sent *sent, struct glmv_err *err)
{
    memset(sent, 0, sizeof *sent);
    struct writer w = {shape, options, out, sent, err};
    bool ok = put(&w, "{\"model\":") && put_string(&w, shape->model) && put(&w, ",\"stream\":true");
    if (ok && wants(&w, SERVER_FIELD_USAGE)) {
        ok = put(&w, ",\"stream_options\":{\"include_usage\":true}");
    }
    return ok && put_sampling(&w) && put_thinking(&w) && put_tools(&w) &&
           put_messages(&w, messages, count) && put(&w, "}");
}
