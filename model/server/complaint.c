/* What servers complain about, and what a person can do about it. */
#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/server/answer.h"

/* Copies text as one line of printable characters. */
static void copy_line(char *out, size_t size, const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n + 5 < size;) {
        int width = server_utf8_char(text + i, len - i);
        unsigned char c = (unsigned char)text[i];
        if (width <= 0) {
            i++;
        } else if (c <= 0x20 || c == 0x7F) {
            if (n > 0 && out[n - 1] != ' ') {
                out[n++] = ' ';
            }
            i++;
        } else {
            memcpy(out + n, text + i, (size_t)width);
            n += (size_t)width;
            i += (size_t)width;
        }
    }
    while (n > 0 && out[n - 1] == ' ') {
        n--;
    }
    out[n] = '\0';
}

static void take_word(char *out, size_t size, const cJSON *item)
{
    if (cJSON_IsString(item)) {
        copy_line(out, size, item->valuestring, strlen(item->valuestring));
    } else if (cJSON_IsNumber(item)) {
        snprintf(out, size, "%d", item->valueint);
    }
}

/* HTTP statuses also arrive as "code" inside a stream. */
static int status_of(const cJSON *error)
{
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
    if (!cJSON_IsNumber(code)) {
        code = cJSON_GetObjectItemCaseSensitive(error, "status_code");
    }
    bool http = cJSON_IsNumber(code) && code->valueint >= 400 && code->valueint < 600;
    return http ? code->valueint : 0;
}

void server_complaint_read(struct server_complaint *complaint, int status, const char *body,
                           size_t len)
{
    memset(complaint, 0, sizeof *complaint);
    complaint->present = true;
    complaint->status = status;
    cJSON *json = cJSON_ParseWithLength(body, len);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    if (cJSON_IsString(error)) {
        take_word(complaint->message, sizeof complaint->message, error);
    } else {
        const cJSON *from = cJSON_IsObject(error) ? error : json;
        const cJSON *message = cJSON_GetObjectItemCaseSensitive(from, "message");
        const cJSON *code = cJSON_GetObjectItemCaseSensitive(from, "code");
        if (cJSON_IsNumber(code) && code->valueint < 1000 && code->valueint >= 100) {
            code = cJSON_GetObjectItemCaseSensitive(from, "type"); /* tells more than the status */
        }
        if (code == NULL || cJSON_IsNull(code)) {
            code = cJSON_GetObjectItemCaseSensitive(from, "type");
        }
        if (message == NULL) {
            message = cJSON_GetObjectItemCaseSensitive(json, "detail");
        }
        take_word(complaint->message, sizeof complaint->message, message);
        take_word(complaint->code, sizeof complaint->code, code);
        complaint->status = status != 0 ? status : status_of(from);
        const cJSON *context = cJSON_GetObjectItemCaseSensitive(from, "n_ctx");
        complaint->limit = cJSON_IsNumber(context) ? context->valueint : 0;
    }
    if (complaint->message[0] == '\0' && json == NULL) {
        copy_line(complaint->message, sizeof complaint->message, body, len < 300 ? len : 300);
    }
    cJSON_Delete(json);
    const char *cache = server_find_word(complaint->message, "encoder cache");
    if (cache != NULL) {
        const char *digits = cache + strcspn(cache, "0123456789");
        complaint->limit = *digits != '\0' ? strtol(digits, NULL, 10) : 0;
    }
}

/* Z.ai's numbers, which say more than the HTTP status they come with. */
static bool code_in(const struct server_complaint *complaint, const char *list)
{
    size_t len = strlen(complaint->code);
    const char *found = len == 4 ? strstr(list, complaint->code) : NULL;
    return found != NULL;
}

static bool business_code(const struct server_complaint *complaint)
{
    return strlen(complaint->code) == 4 && complaint->code[0] == '1' &&
           strspn(complaint->code, "0123456789") == 4;
}

static bool says(const struct server_complaint *complaint, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (server_find_word(complaint->message, words[i]) != NULL ||
            server_find_word(complaint->code, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}
#define SAYS(complaint, ...)                                                                       \
    says(complaint, (const char *const[]){__VA_ARGS__},                                            \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Some servers answer 500 to what will never work. */
static bool too_long(const struct server_complaint *c)
{
    return SAYS(c, "context length", "context_length", "context size", "maximum context",
                "prompt is too long", "too many tokens", "max_model_len",
                "longer than the maximum");
}

static bool cannot_see(const struct server_complaint *c)
{
    return SAYS(c, "multimodal", "image input", "support image", "mmproj", "vision", "image_url",
                "support images");
}

bool server_complaint_passes(const struct server_complaint *complaint)
{
    if (business_code(complaint)) {
        return code_in(complaint, "1302 1303 1305 1312 1234");
    }
    if (server_find_word(complaint->code, "insufficient_quota") != NULL) {
        return false;
    }
    if (too_long(complaint) || cannot_see(complaint)) {
        return false;
    }
    int s = complaint->status;
    return s == 408 || s == 409 || s == 425 || s == 429 || s == 500 || s == 502 || s == 503 ||
           s == 504 || s == 529 || s == 0;
}

static const char *advice(const struct server_complaint *c, bool has_key)
{
    if (c->status == 401 || c->status == 403 || code_in(c, "1000 1001 1002 1003 1004")) {
        return has_key ? "the server does not accept this key: check GLMV_API_KEY or the file that "
                         "GLMV_API_KEY_FILE names"
                       : "the server wants a key: put it into GLMV_API_KEY, or into a file and its "
                         "path into GLMV_API_KEY_FILE";
    }
    if (c->status == 402 || code_in(c, "1113") || SAYS(c, "insufficient_quota", "balance")) {
        return "the account behind the key has no credit left";
    }
    if (code_in(c, "1304 1308 1310")) {
        return "the quota of this key is used up; the message says until when";
    }
    if (code_in(c, "1261") || too_long(c)) {
        return "page and picture do not fit the model's context: start the server with a larger "
               "one, or give a smaller picture or a smaller --max-tokens";
    }
    if (code_in(c, "1210") || cannot_see(c)) {
        return "this model cannot see pictures: choose a vision model with --model-name";
    }
    if (code_in(c, "1211") || (SAYS(c, "model") && SAYS(c, "not found", "does not exist",
                                                        "not exist", "unknown model"))) {
        return "see 'glmv-replicate models --model ADDRESS' for the names it knows";
    }
    if (c->status == 404 || c->status == 405) {
        return "nothing speaks the protocol at this address: does it have to end in /v1?";
    }
    if (c->status == 413 || SAYS(c, "encoder cache", "too large", "entity too large")) {
        return "the picture is too large for this server: give a smaller one";
    }
    if (c->status == 429 || code_in(c, "1302 1303 1305 1312")) {
        return "the server is busy and stayed so: try again later or send less at a time";
    }
    if (c->status >= 500) {
        return "the server failed; its own log says why";
    }
    return "";
}

/* A server that repeats the key in its complaint must not make us print it. */
static void wipe(char *text, const char *key)
{
    size_t len = key != NULL ? strlen(key) : 0;
    for (char *found = text; len >= 4 && (found = strstr(found, key)) != NULL;) {
        memset(found, '*', len);
    }
}

bool server_complaint_fail(const struct server_complaint *complaint, const char *url,
                           const char *model, const char *key, struct glmv_err *err)
{
    char words[sizeof complaint->message];
    memcpy(words, complaint->message, sizeof words);
    wipe(words, key);
    const char *help = advice(complaint, key != NULL);
    char status[16] = "";
    if (complaint->status != 0) {
        snprintf(status, sizeof status, "%d ", complaint->status);
    }
    char whose[80] = "";
    if (model[0] != '\0') {
        snprintf(whose, sizeof whose, " (model '%.60s')", model);
    }
    return glmv_fail(err, GLMV_ERR_MODEL, "%.120s: %s%sit said: %s%.280s%s", url, help,
                     help[0] != '\0' ? "; " : "", status, words, whose);
}
