/* Two pictures compared, and the result in the forms that people and CI read.
 * Private to replicate. */
#ifndef GLMV_REPLICATE_COMPARISON_H
#define GLMV_REPLICATE_COMPARISON_H

#include "base/box.h"
#include "base/page.h"
#include "diff/diff.h"
#include "diff/explain.h"
#include "diff/noise.h"
#include "diff/pixels.h"
#include "diff/shift.h"
#include "diff/stream.h"

#define REPLICATE_MAX_FINDINGS 12

struct replicate_comparison {
    const char *paths[2];         /* borrowed */
    int sizes[2][2];              /* width and height, also where nothing was decoded */
    struct glmv_image *images[2]; /* NULL where the files are the same bytes and no picture was
                                     asked for, or the stream has them */
    struct glmv_arena memory;     /* owned; the files, the stream and the marks */
    struct glmv_stream stream;    /* of files read strip by strip: rows that differ, as a rule */
    bool wants_noise;             /* set before comparing: fill noise */
    double
        noise; /* glmv_diff_noise after matching the rows; GLMV_NOISE_LIMIT says how to read it */
    struct glmv_pixel_count count;
    /* One for each pixel of the larger canvas; where rows moved, what differs besides. */
    uint8_t *marks;
    struct glmv_band *bands; /* of the first picture's rows; NULL where none moved */
    size_t band_count;
    struct glmv_gap *gaps;
    size_t gap_count;
    size_t aligned; /* pixels that still differ once rows that moved are matched */
    /* After matching the rows; boxes in the first picture. */
    struct glmv_finding *findings;
    size_t finding_count;
    /* Of the element in each finding's place, where the caller has no page to give: owned, put
     * there after comparing; NULL, or with NULLs in it, where there is none. */
    char **selectors;
    bool same; /* the caller's verdict */
    /* What the renderer knows of a page that one of the pictures was drawn from. */
    struct glmv_page *page; /* owned; NULL when both are pictures */
    int page_side;          /* 0 or 1: the picture that is the page's */
    double scale;           /* px of the picture for a CSS px */
};

/* What is wanted besides the verdict and the findings. */
enum replicate_pictures {
    REPLICATE_NO_PICTURES,
    REPLICATE_DIFFERENCE,  /* replicate_comparison_png */
    REPLICATE_ALL_PICTURES /* replicate_comparison_html, too */
};

/* Reads paths and fills the rest. The caller releases it either way. */
bool replicate_compare(struct replicate_comparison *c, const struct glmv_pixel_options *options,
                       enum replicate_pictures pictures, struct glmv_err *err);
/* The same for images that the caller has put there. */
bool replicate_compare_images(struct replicate_comparison *c,
                              const struct glmv_pixel_options *options, struct glmv_err *err);
void replicate_comparison_release(struct replicate_comparison *c);
/* Where a finding lies in the first or second picture, px. */
struct glmv_box replicate_comparison_place(const struct replicate_comparison *c, size_t finding,
                                           int which);
/* A selector of the element behind a finding, borrowed; NULL where there is none. */
const char *replicate_comparison_element(const struct replicate_comparison *c, size_t finding);
/* The first or second picture, borrowed. */
const struct glmv_image *replicate_comparison_image(const struct replicate_comparison *c,
                                                    int which);

/* Each appends to out. */
bool replicate_comparison_text(const struct replicate_comparison *c, struct glmv_buf *out,
                               struct glmv_err *err);
bool replicate_comparison_json(const struct replicate_comparison *c, struct glmv_buf *out,
                               struct glmv_err *err);
bool replicate_comparison_markdown(const struct replicate_comparison *c, struct glmv_buf *out,
                                   struct glmv_err *err);
bool replicate_comparison_github(const struct replicate_comparison *c, struct glmv_buf *out,
                                 struct glmv_err *err);
bool replicate_comparison_junit(const struct replicate_comparison *c, struct glmv_buf *out,
                                struct glmv_err *err);
bool replicate_comparison_html(const struct replicate_comparison *c, struct glmv_buf *out,
                               struct glmv_err *err);
bool replicate_comparison_png(const struct replicate_comparison *c, struct glmv_buf *out,
                              struct glmv_err *err);

/* Parts of them: the verdict in a few words, sentences about sizes and rows that moved, each
 * between lead and tail. */
bool replicate_comparison_verdict(const struct replicate_comparison *c, struct glmv_buf *out,
                                  struct glmv_err *err);
bool replicate_comparison_layout(const struct replicate_comparison *c, const char *lead,
                                 const char *tail, struct glmv_buf *out, struct glmv_err *err);

/* Whether a path is that of a page and not of a picture. */
bool replicate_is_page(const char *path);
/* Draws the page among the two paths, or both, and fills images and page. */
typedef bool replicate_draw_fn(struct replicate_comparison *c, const char *assets, double scale,
                               struct glmv_err *err);
/* The command diff; draw is called where one of the two is a page. */
int replicate_diff(int argc, char **argv, replicate_draw_fn *draw);

#endif
