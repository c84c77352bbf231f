/*
 * What is wrong with a page, in plain words with numbers: the measured target beside what a browser
 * knows about the page. No model is asked.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_FEEDBACK_H
#define GLMV_REPLICATE_FEEDBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/box.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/tracer/scene.h"
#include "render/render.h"

#define REPLICATE_MAX_FACTS 5

/* In the order in which a page is worth repairing. */
enum replicate_fact_kind {
    REPLICATE_FACT_MISSING,
    REPLICATE_FACT_EXTRA,
    REPLICATE_FACT_LAYOUT,
    REPLICATE_FACT_COLOUR,
    REPLICATE_FACT_TYPE,
    REPLICATE_FACT_SPACING,
    REPLICATE_FACT_KINDS,
};

struct replicate_fact {
    enum replicate_fact_kind kind;
    struct glmv_box box; /* of the place in the target, px of its picture */
    double weight;       /* how much of the page it concerns; larger comes first within a kind */
    char sentence[400];
};

/*
 * Finds at most REPLICATE_MAX_FACTS facts, ordered. scale is target px per CSS px. Returns how
 * many; -1 with err set.
 */
int replicate_feedback_find(const struct glmv_scene *target, const struct glmv_render *render,
                            double scale, struct replicate_fact *facts, struct glmv_err *err);

/* Appends the facts as a list, each with its box in thousandths of the target's sides. */
bool replicate_feedback_write(const struct replicate_fact *facts, int count, int width, int height,
                              struct glmv_buf *out, struct glmv_err *err);

#endif
