/*
 * The lines of text that were measured in a target beside the texts of a rendered page. Feedback
 * and corrections both start from it. Private to replicate.
 */
#ifndef GLMV_REPLICATE_PAIRING_H
#define GLMV_REPLICATE_PAIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/tracer/scene.h"
#include "render/render.h"

#define REPLICATE_SURE 60       /* OCR confidence from which a word counts */
#define REPLICATE_MOVED_PX 3.0  /* smaller shifts are not worth a sentence */
#define REPLICATE_TEXT_STEPS 14 /* of 255 in one channel; thin type is measured less surely */
#define REPLICATE_PAINT_STEPS 6

/* A line of the target beside the text of the page that matches it. */
struct replicate_pair {
    const struct glmv_scene_line *line;
    const struct glmv_page_text *text; /* NULL: none does */
    double likeness;                   /* share of the words that both have */
    double dx, dy;                     /* px of the target; page minus target */
    bool grouped;                      /* said already, together with others */
};

struct replicate_pairing {
    const struct glmv_scene *target; /* borrowed */
    const struct glmv_page *page;    /* borrowed */
    double scale;                    /* px of the target per CSS px */
    struct replicate_pair *pairs;    /* one for each line of the target */
    bool *used;                      /* one for each text of the page */
    bool *unseen;                    /* the same: it left no ink in the render */
    double body_px;                  /* median size of type */
};

/* Matches lines and texts. A text that left no ink where the page has it is not one that a reader
 * finds, and matches nothing. NULL on failure. */
struct replicate_pairing *replicate_pairing_new(const struct glmv_scene *target,
                                                const struct glmv_render *render, double scale,
                                                struct glmv_err *err);
/* NULL is allowed. */
void replicate_pairing_free(struct replicate_pairing *pairing);

/*
 * How much of the target's text the page says, at its place, in its colour and size: 0..1. Pixels
 * alone would rather have a text vanish than stand in the wrong place.
 */
double replicate_pairing_agreement(const struct replicate_pairing *pairing);

/* Share of a line's words that the page says somewhere, however broken into lines. */
double replicate_pairing_said(const struct replicate_pairing *pairing, const char *line);
/* Whether the page does without a line of the target. */
bool replicate_pair_missing(const struct replicate_pairing *pairing,
                            const struct replicate_pair *pair);
/* The element that lies about where a box of the target lies, or NULL; painted: one with an opaque
 * background. */
const struct glmv_page_element *replicate_pairing_element(const struct replicate_pairing *pairing,
                                                          struct glmv_box box, bool painted);

/* Whether a picture is of one colour within a box, px. A text in the colour of its ground, or under
 * something else, leaves its place flat. */
bool replicate_flat(const struct glmv_image *image, struct glmv_box box);

/* Moves at to the next word (letters, digits and everything beyond ASCII); returns its length, 0 at
 * the end. */
size_t replicate_word_next(const char **at);
bool replicate_word_in(const char *word, size_t len, const char *text);
/* Words of a that b has as well, over the longer one's words: 0..1. */
double replicate_words_likeness(const char *a, const char *b);
/* The largest difference of a channel of two 0xRRGGBBAA, 0..255. */
double replicate_colour_distance(uint32_t a, uint32_t b);

#endif
