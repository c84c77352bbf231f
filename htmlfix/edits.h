/* Changes to a text, kept apart from it until all are known. Private to htmlfix. */
#ifndef GLMV_HTMLFIX_EDITS_H
#define GLMV_HTMLFIX_EDITS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct htmlfix_edit {
    size_t at, cut;     /* bytes from at on that go */
    const char *before; /* static; what comes: before, slice, after */
    const char *slice;  /* of the text; may be NULL */
    size_t slice_len;
    const char *after;
    size_t order;   /* of edits at one place */
    size_t earlier; /* the edit before it that waits for the same end tag; HTMLFIX_NOWHERE: none */
    bool dead;      /* taken back */
};

struct htmlfix_edits {
    struct htmlfix_edit *list; /* owned */
    size_t count, room;
};

bool htmlfix_edit_add(struct htmlfix_edits *edits, struct htmlfix_edit edit, struct glmv_err *err);
/* Appends text from begin to end with the changes made. Sorts the list. */
bool htmlfix_edits_apply(struct htmlfix_edits *edits, const char *text, size_t begin, size_t end,
                         struct glmv_buf *out, struct glmv_err *err);

#endif
