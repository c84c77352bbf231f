/*
 * Where the page is in an answer: documents, fences, thinking, and what else stands around.
 * Places only; nothing is changed. Private to htmlfix.
 */
#ifndef GLMV_HTMLFIX_OUTLINE_H
#define GLMV_HTMLFIX_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>

struct htmlfix_span {
    size_t begin, end;
};

struct htmlfix_document {
    size_t begin, end;
    size_t elements; /* start tags other than html */
    bool complete;   /* its </html> was there */
    bool cut;        /* incomplete, and up to the end of the text: its last token may be a half */
};

enum { HTMLFIX_MAX_SIDES = 16 };

struct htmlfix_side {
    struct htmlfix_span body;
    bool script; /* else a style sheet */
};

struct htmlfix_outline {
    size_t begin;                 /* where the answer proper starts */
    struct htmlfix_document best; /* the last complete document, else the longest */
    size_t documents;             /* best is one of so many; 0: there is none */
    struct htmlfix_span fence;    /* body of the last fence that holds markup; empty: none */
    bool fence_cut;               /* that fence was never closed */
    struct htmlfix_side sides[HTMLFIX_MAX_SIDES];
    size_t side_count;
    struct htmlfix_span thinking; /* left out; empty: none */
    bool unclosed_think;          /* the answer never left its thinking */
};

/* Ends that are missing and searched for to the end of the text; without a limit that is quadratic.
 */
enum { HTMLFIX_PATIENCE = 32 };

void htmlfix_outline_read(const char *text, size_t len, struct htmlfix_outline *outline);

/* Whether a document starts here: a doctype of HTML, or <html. */
bool htmlfix_document_starts(const char *text, size_t len, size_t at);

/* A piece of a page in a text without a document: it starts a line or the text. False: none. */
bool htmlfix_fragment_find(const char *text, size_t len, size_t from,
                           struct htmlfix_document *fragment);

/* Reads a document, or a fragment, from its start to its end. next: where to go on. */
void htmlfix_document_scan(const char *text, size_t len, size_t begin, bool fragment,
                           unsigned *patience, struct htmlfix_document *document, size_t *next);

/* Past spaces, role tokens, wrappers' start tags and the opening line of a fence. */
size_t htmlfix_skip_lead(const char *text, size_t len, size_t at);

/*
 * Where the content of an element with raw text ends: before its end tag, or before the first thing
 * that can't be its content when the end tag is missing (*missing). HTMLFIX_NOWHERE: at the end of
 * the text.
 */
size_t htmlfix_raw_stop(const char *text, size_t len, size_t at, unsigned tag, unsigned *patience,
                        bool *missing);
/* The same for a comment that the text never closes. */
size_t htmlfix_comment_stop(const char *text, size_t len, size_t at, unsigned *patience);

#endif
