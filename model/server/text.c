#include "model/server/text.h"

#include <string.h>
#include <strings.h>

int server_utf8_char(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned char low = 0x80, high = 0xBF; /* range of the second byte */
    int want;
    if (s[0] < 0x80) {
        return 1;
    } else if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        want = 2;
    } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        want = 3;
        low = s[0] == 0xE0 ? 0xA0 : 0x80;
        high = s[0] == 0xED ? 0x9F : 0xBF;
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        want = 4;
        low = s[0] == 0xF0 ? 0x90 : 0x80;
        high = s[0] == 0xF4 ? 0x8F : 0xBF;
    } else {
        return -1;
    }
    for (int i = 1; i < want; i++) {
        if ((size_t)i == len) {
            return 0;
        }
        if (s[i] < (i == 1 ? low : 0x80) || s[i] > (i == 1 ? high : 0xBF)) {
            return -1;
        }
    }
    return want;
}

const char *server_find_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (; *text != '\0'; text++) {
        if (strncasecmp(text, word, len) == 0) {
            return text;
        }
    }
    return NULL;
}

/* Appends the whole characters of text; returns how many bytes at its end are an unfinished one, or
 * -1 when the buffer is full. */
static int append_chars(const char *text, size_t len, bool last, struct glmv_buf *out,
                        struct glmv_err *err)
{
    size_t start = 0, at = 0;
    while (at < len) {
        int n = server_utf8_char(text + at, len - at);
        if (n > 0) {
            at += (size_t)n;
            continue;
        }
        if (!glmv_buf_append(out, text + start, at - start, err)) {
            return -1;
        }
        if (n == 0 && !last) {
            return (int)(len - at);
        }
        if (!glmv_buf_append_str(out, "\xEF\xBF\xBD", err)) {
            return -1;
        }
        at = n == 0 ? len : at + 1;
        start = at;
    }
    return glmv_buf_append(out, text + start, at - start, err) ? 0 : -1;
}

bool server_utf8_feed(struct server_utf8 *state, const char *bytes, size_t len, bool last,
                      struct glmv_buf *out, struct glmv_err *err)
{
    /* Complete the character that the last call left, one byte at a time. */
    while (state->len > 0 && len > 0) {
        state->rest[state->len++] = *bytes++;
        len--;
        int n = server_utf8_char(state->rest, state->len);
        if (n == 0) {
            continue;
        }
        int kept = append_chars(state->rest, state->len, false, out, err);
        if (kept < 0) {
            return false;
        }
        memmove(state->rest, state->rest + state->len - (size_t)kept, (size_t)kept);
        state->len = (size_t)kept;
    }
    if (last && len == 0 && state->len > 0) {
        state->len = 0;
        return glmv_buf_append_str(out, "\xEF\xBF\xBD", err);
    }
    int kept = append_chars(bytes, len, last, out, err);
    if (kept < 0) {
        return false;
    }
    if (kept > 0) {
        memcpy(state->rest, bytes + len - (size_t)kept, (size_t)kept);
        state->len = (size_t)kept;
    }
    return true;
}

bool server_json_escape(struct glmv_buf *out, const char *text, size_t len, struct glmv_err *err)
{
    size_t start = 0, at = 0;
    while (at < len) {
        unsigned char c = (unsigned char)text[at];
        int n = server_utf8_char(text + at, len - at);
        if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
            at += (size_t)n;
            continue;
        }
        if (!glmv_buf_append(out, text + start, at - start, err)) {
            return false;
        }
        bool ok;
        if (n <= 0) {
            ok = glmv_buf_append_str(out, "\xEF\xBF\xBD", err);
        } else if (c == '\n') {
            ok = glmv_buf_append_str(out, "\\n", err);
        } else if (c < 0x20) {
            ok = glmv_buf_appendf(out, err, "\\u%04x", (unsigned)c);
        } else {
            ok = glmv_buf_appendf(out, err, "\\%c", c);
        }
        if (!ok) {
            return false;
        }
        start = ++at;
    }
    return glmv_buf_append(out, text + start, at - start, err);
}

bool server_json_string(struct glmv_buf *out, const char *text, size_t len, struct glmv_err *err)
{
    return glmv_buf_append(out, "\"", 1, err) && server_json_escape(out, text, len, err) &&
           glmv_buf_append(out, "\"", 1, err);
}
