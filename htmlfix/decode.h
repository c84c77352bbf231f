/*
 * Text out of its envelope: escapes undone once, and the way back from a place in the result to the
 * place it came from. Private to htmlfix.
 */
#ifndef GLMV_HTMLFIX_DECODE_H
#define GLMV_HTMLFIX_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum htmlfix_coding {
    HTMLFIX_PLAIN,     /* bytes that are no text left out or replaced */
    HTMLFIX_STRING,    /* the escapes of JSON and of most programming languages */
    HTMLFIX_BACKSLASH, /* the same in HTML; raw text that holds real line ends stays as it is */
    HTMLFIX_SLASH,     /* the backslash in "<\\/", but for scripts that end with "</script>" */
    HTMLFIX_ENTITY,    /* & < > " ' only */
};

struct htmlfix_mark {
    size_t out, in;    /* the same place in the result and in the source */
    size_t keep, seen; /* source before it is kept as it is; raw text before it was looked at */
};

/* A text, and where it came from. */
struct htmlfix_view {
    const char *text;
    size_t len;
    const struct htmlfix_view *parent; /* NULL for the answer itself */
    enum htmlfix_coding coding;
    size_t begin;               /* in the parent */
    struct glmv_buf bytes;      /* owned; empty for the answer itself */
    struct htmlfix_mark *marks; /* owned */
    size_t mark_count;
};

/* Whether htmlfix_view_decode would change nothing with HTMLFIX_PLAIN. */
bool htmlfix_is_plain(const char *text, size_t len);
/* Bytes at the end that start a UTF-8 character without ending it. */
size_t htmlfix_cut_character(const char *text, size_t len);

/* Makes a view of parent's bytes from begin to end, decoded. False: memory. */
bool htmlfix_view_decode(struct htmlfix_view *view, const struct htmlfix_view *parent, size_t begin,
                         size_t end, enum htmlfix_coding coding, struct glmv_err *err);
void htmlfix_view_release(struct htmlfix_view *view);
/* The place in the answer that a place in the view came from. */
size_t htmlfix_view_origin(const struct htmlfix_view *view, size_t at);

#endif
