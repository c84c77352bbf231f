/* What a region looks like in one picture: its ground, and what lies on it. Private to diff. */
#ifndef GLMV_DIFF_VIEW_H
#define GLMV_DIFF_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "diff/diff.h"

/* Two pictures of which only the rows y with held[y] are known; all of them where held is NULL.
 * Rows that are not held are the same in both. */
struct diff_sight {
    const struct glmv_image *a, *b;
    const uint8_t *held;
    bool *enough; /* cleared when a row had to be looked at that is not held */
};

struct diff_frame {
    int l, t, r, b;
};

struct diff_view {
    const struct glmv_image *image;
    struct diff_frame frame;   /* region and ring, cut to the picture; empty outside of it */
    uint32_t ground;           /* colour of most of the ring */
    double ground_share;       /* of the ring */
    struct diff_frame content; /* what is not ground; empty where l >= r */
    double ink;                /* share of the region that is not ground */
    uint32_t main;             /* most frequent colour of the region */
    double main_share;
};

/* Colours and how often they occur. Starts as zeros. */
#define DIFF_COLOURS 2048
struct diff_tally {
    uint32_t colours[DIFF_COLOURS];
    unsigned counts[DIFF_COLOURS];
    size_t total;
};

void diff_tally_add(struct diff_tally *t, uint32_t colour);
/* The colour that occurs most and its share. */
uint32_t diff_tally_most(const struct diff_tally *t, double *share);

/* All of a view, or its ground and content only. */
void diff_view_init(struct diff_view *v, const struct glmv_image *image,
                    const struct glmv_region *r);
void diff_view_outline(struct diff_view *v, const struct glmv_image *image, const uint8_t *held,
                       const struct glmv_region *r);

/* Whether both lie on the same ground of one colour. */
bool diff_view_plain(const struct diff_view *a, const struct diff_view *b);
/* Whether the contents are the same pixels, wherever they are. */
bool diff_view_same_content(const struct diff_view *a, const struct diff_view *b);

bool diff_frame_empty(const struct diff_frame *f);
int diff_frame_width(const struct diff_frame *f);
int diff_frame_height(const struct diff_frame *f);

const uint8_t *diff_pixel_at(const struct glmv_image *image, int x, int y);
uint32_t diff_rgb_at(const struct glmv_image *image, int x, int y); /* 0xRRGGBB */
bool diff_in_region(const struct glmv_region *r, int x, int y);
/* Of large regions every n-th pixel of every n-th row is looked at. */
int diff_sampling_step(const struct glmv_region *r);

#endif
