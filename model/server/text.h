/* Text in the forms the protocol wants: whole UTF-8 characters and JSON strings.
 * Private to model/server. */
#ifndef GLMV_MODEL_SERVER_TEXT_H
#define GLMV_MODEL_SERVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Length of the valid UTF-8 character at text, 0 when the bytes end inside one that is valid so
 * far, -1 when they are not UTF-8. len > 0. */
int server_utf8_char(const char *text, size_t len);

/* The first place of word in text, upper and lower case alike; NULL when it is not there. */
const char *server_find_word(const char *text, const char *word);

/* Bytes of a character that has not arrived completely. */
struct server_utf8 {
    char rest[4];
    size_t len;
};

/* Appends the whole characters of rest + bytes to out and keeps an unfinished one for the next
 * call. What is not UTF-8 becomes U+FFFD. last: nothing follows. */
bool server_utf8_feed(struct server_utf8 *state, const char *bytes, size_t len, bool last,
                      struct glmv_buf *out, struct glmv_err *err);

/* Appends a JSON string with its quotes. */
bool server_json_string(struct glmv_buf *out, const char *text, size_t len, struct glmv_err *err);
/* The same without the quotes. */
bool server_json_escape(struct glmv_buf *out, const char *text, size_t len, struct glmv_err *err);

#endif
