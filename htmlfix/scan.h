/*
 * HTML as tokens, by the rules of the standard's tokenizer. A token is a slice of the text; nothing
 * is copied. The caller says when raw text follows. Private to htmlfix.
 */
#ifndef GLMV_HTMLFIX_SCAN_H
#define GLMV_HTMLFIX_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum htmlfix_kind {
    HTMLFIX_TEXT,
    HTMLFIX_START,
    HTMLFIX_END,
    HTMLFIX_COMMENT, /* also <? and <! of other kinds */
    HTMLFIX_DOCTYPE,
};

struct htmlfix_token {
    enum htmlfix_kind kind;
    size_t begin, end;
    size_t name, name_len; /* of a tag */
    unsigned tag;          /* htmlfix_tag_find of the name */
    bool closed;           /* a start tag that ends in "/>" */
    bool odd;              /* a start tag with something no HTML author would write */
    bool whole;            /* false: the text ends inside it */
};

struct htmlfix_attr {
    size_t name, name_end;
    size_t value, value_end; /* without quotes; value == name_end without one */
    char quote;              /* '\0' without quotes */
};

/* The token at a place before len. */
void htmlfix_scan(const char *text, size_t len, size_t at, struct htmlfix_token *token);

/*
 * Reads the next attribute at *at and moves it on; false at the end of the tag, with *at behind its
 * '>', or at len inside of it.
 */
bool htmlfix_attr_next(const char *text, size_t len, size_t *at, struct htmlfix_attr *attr);

/* Where the end tag of a raw element starts whose content starts at a place; HTMLFIX_NOWHERE when
 * there is none. The name is a tag's, in lower case. */
size_t htmlfix_raw_end(const char *text, size_t len, size_t at, const char *name);

#endif
