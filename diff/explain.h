/*
 * What happened to a region that differs: told from the pixels alone, so it is a judgement and not
 * a proof. "Changed" is said where nothing plainer holds.
 */
#ifndef GLMV_DIFF_EXPLAIN_H
#define GLMV_DIFF_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "diff/diff.h"

enum glmv_change {
    GLMV_CHANGE_OTHER,    /* none of the others, pictures for example */
    GLMV_CHANGE_APPEARED, /* plain ground before */
    GLMV_CHANGE_VANISHED, /* plain ground now */
    GLMV_CHANGE_MOVED,    /* the same pixels elsewhere: dx, dy */
    GLMV_CHANGE_SIZE,     /* one box of one colour: from w x h to w x h */
    GLMV_CHANGE_COLOUR,   /* the same shapes: from and to are the colours of most pixels */
    GLMV_CHANGE_TEXT      /* other strokes of ink on the same ground */
};

struct glmv_finding {
    struct glmv_region region; /* in the first picture; of a move, where it was */
    enum glmv_change change;
    int dx, dy;             /* px */
    int before_w, before_h; /* px; of the content, for a size */
    int after_w, after_h;
    uint32_t before, after; /* 0xRRGGBB, for a colour */
    double delta_e;         /* CIEDE2000 of the two */
    bool faint;             /* below the threshold: see faint.h */
};

/*
 * One finding for each region, in their order, but a thing that vanished here and appeared there is
 * one move. Returns a list that the caller frees with free(), or NULL without memory; *found
 * receives its length.
 */
struct glmv_finding *glmv_diff_explain(const struct glmv_image *a, const struct glmv_image *b,
                                       const struct glmv_region *regions, size_t count,
                                       size_t *found, struct glmv_err *err);

/* The same where the pictures have only rows y with held[y], a few around each region among them;
 * *enough receives whether that was all that had to be looked at. */
struct glmv_finding *glmv_diff_explain_in(const struct glmv_image *a, const struct glmv_image *b,
                                          const uint8_t *held, const struct glmv_region *regions,
                                          size_t count, size_t *found, bool *enough,
                                          struct glmv_err *err);

/* "moved", "colour" and so on. */
const char *glmv_change_name(enum glmv_change change);

/* Appends one sentence without a line break. */
bool glmv_finding_sentence(const struct glmv_finding *finding, struct glmv_buf *out,
                           struct glmv_err *err);

#endif
