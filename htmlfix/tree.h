/*
 * The open elements of a document as HTML's parser sees them, as far as it matters for end tags
 * that are missing. Private to htmlfix.
 */
#ifndef GLMV_HTMLFIX_TREE_H
#define GLMV_HTMLFIX_TREE_H

#include <stdint.h>

#include "htmlfix/edits.h"
#include "htmlfix/scan.h"
#include "htmlfix/tags.h"

enum { HTMLFIX_SLOTS = HTMLFIX_TAG_COUNT + 64 }; /* known names, and others by hash */

struct htmlfix_open {
    unsigned slot, traits;
    size_t begin, end; /* of the start tag */
    size_t name, name_len;
    size_t same;    /* the open element of the same slot below it */
    size_t scope;   /* the nearest element at or below that end tags do not reach through */
    size_t column;  /* of its '<', when only blanks stand before it in its line */
    size_t suspect; /* the first line that is indented as it or less: it should have ended */
    size_t outside; /* the first that is indented less, or has the same start tag */
    bool gone;      /* a form that ended before what is in it */
    bool flat;      /* its children are not indented */
    bool foreign;   /* its children are SVG or MathML */
};

/* An end tag that is missing, perhaps: of the element that starts at begin, at a place. */
struct htmlfix_guess {
    size_t begin, at;
    bool level; /* said by a line with the element's own column */
};
enum {
    HTMLFIX_MAX_GUESSES = 1024,
    HTMLFIX_MAX_DEPTH =
        1 << 20, /* browsers give up long before; deeper elements are only counted */
};

struct htmlfix_tree {
    const char *text;
    struct htmlfix_open *stack; /* owned */
    size_t depth, room;
    size_t beyond;                 /* open elements above HTMLFIX_MAX_DEPTH */
    size_t last[HTMLFIX_SLOTS];    /* the topmost open element of a slot */
    size_t pending[HTMLFIX_SLOTS]; /* the last end tag put in, until a real one takes it back */
    struct htmlfix_edits *edits;
    size_t unclosed;               /* elements whose end tag is missing and was not put in */
    size_t put_in;                 /* end tags that were, where the parser ends the element */
    size_t first_put;              /* place of the first */
    size_t lost, found;            /* the first such element's begin, and where it was missed */
    size_t odd;                    /* ends that are not where the indentation says */
    uint64_t level[64];            /* start tags whose elements have children in their own column */
    struct htmlfix_guess *guesses; /* owned; what the indentation says of them */
    size_t guess_count;
};

void htmlfix_tree_init(struct htmlfix_tree *tree, const char *text, struct htmlfix_edits *edits);
void htmlfix_tree_release(struct htmlfix_tree *tree);

bool htmlfix_tree_foreign(const struct htmlfix_tree *tree);
/* A start tag of an element with content. */
bool htmlfix_tree_open(struct htmlfix_tree *tree, const struct htmlfix_token *token,
                       struct glmv_err *err);
bool htmlfix_tree_close(struct htmlfix_tree *tree, const struct htmlfix_token *token,
                        struct glmv_err *err);
/* Any other tag: looks at its indentation only. */
void htmlfix_tree_pass(struct htmlfix_tree *tree, const struct htmlfix_token *token);
/* Ends the open element that starts at begin, with an end tag at a place. Nothing without one. */
bool htmlfix_tree_end(struct htmlfix_tree *tree, const struct htmlfix_guess *guess,
                      struct glmv_err *err);
/* Whether elements with the same start tag have children in their own column. */
bool htmlfix_tree_level(const struct htmlfix_tree *tree, size_t begin);
/* Notes an end tag that was put in for a name, so that a stray end tag can take it back. */
bool htmlfix_tree_put(struct htmlfix_tree *tree, unsigned slot, struct htmlfix_edit edit,
                      struct glmv_err *err);
unsigned htmlfix_slot(const char *text, const struct htmlfix_token *token);
/* All that is open ends. write: with end tags, at a place. */
bool htmlfix_tree_finish(struct htmlfix_tree *tree, size_t at, bool write, bool *wrote,
                         struct glmv_err *err);

#endif
