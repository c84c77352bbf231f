#include "htmlfix/edits.h"

#include <stdlib.h>

bool htmlfix_edit_add(struct htmlfix_edits *edits, struct htmlfix_edit edit, struct glmv_err *err)
{
    if (edits->count == edits->room) {
        size_t room = edits->room == 0 ? 16 : edits->room * 2;
        struct htmlfix_edit *grown = realloc(edits->list, room * sizeof *grown);
        if (grown == NULL) {
            return glmv_fail_memory(err);
        }
        edits->list = grown;
        edits->room = room;
    }
    edit.order = edits->count;
    edits->list[edits->count++] = edit;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct htmlfix_edit *x = a, *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

bool htmlfix_edits_apply(struct htmlfix_edits *edits, const char *text, size_t begin, size_t end,
                         struct glmv_buf *out, struct glmv_err *err)
{
    if (edits->count > 1) {
        qsort(edits->list, edits->count, sizeof *edits->list, compare);
    }
    bool ok = true;
    for (size_t i = 0; ok && i < edits->count; i++) {
        const struct htmlfix_edit *e = &edits->list[i];
        if (e->dead || e->at < begin || e->at > end) {
            continue;
        }
        ok = glmv_buf_append(out, text + begin, e->at - begin, err) &&
             glmv_buf_append_str(out, e->before, err) &&
             glmv_buf_append(out, e->slice, e->slice_len, err) &&
             glmv_buf_append_str(out, e->after, err);
        begin = e->at + (e->cut < end - e->at ? e->cut : end - e->at);
    }
    return ok && glmv_buf_append(out, text + begin, end - begin, err);
}
