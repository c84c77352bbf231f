/*
 * What the steps of perception hand to each other: regions of like colour, the marks that lie on
 * them, rows of marks that may be text. Private to model/tracer.
 */
#ifndef GLMV_MODEL_TRACER_PERCEPTION_H
#define GLMV_MODEL_TRACER_PERCEPTION_H

#include <math.h>

#include "model/tracer/scene.h"
#include "model/tracer/tracer.h"

/* A rectangle of whole px; x1 and y1 lie outside. */
struct model_rect {
    int x0, y0, x1, y1;
};

/* A gradient over a region: colours at distances along a direction from its corner or, where it is
 * radial, from a middle; those along y count aspect times. */
enum { MODEL_RAMP_STOPS = 6 };
struct model_ramp {
    double gx, gy; /* of length 1 */
    bool radial;
    double cx, cy, aspect;
    double at[MODEL_RAMP_STOPS];
    uint8_t rgb[MODEL_RAMP_STOPS][3];
    int count;
    bool open[2]; /* it goes on changing before the first and beyond the last, which is not seen */
};

/* A 4-connected region whose neighbouring px differ by at most two levels. */
struct model_region {
    struct model_rect r;
    int area;
    int hole_area;     /* px that it encloses */
    uint8_t rgb[3];    /* its commonest colour */
    float plane[3][3]; /* colour = plane[c][0] + plane[c][1] * x + plane[c][2] * y, relative to r's
                          corner */
    struct model_ramp *ramp; /* owned; the gradient that it follows closely, or NULL */
    bool surface;            /* large and even enough to be something that text lies on */
    bool gradient;           /* follows the plane and not one colour */
    bool plain;              /* much of it has its very colour */
    bool mottled;            /* near one colour, but not often of it: mist, sky, paper */
    bool shaded;             /* some of it has its colour, nearly all the rest is darker */
    bool strokes;            /* nowhere thicker than four px: outlines, grids */
    bool is_text;            /* a part of a glyph */
    bool used;               /* shown by a box already */
};

/* Surfaces of marks that lie on photos, where no region is one. */
enum {
    MODEL_ON_PHOTO_LIGHT = -2, /* light letters */
    MODEL_ON_PHOTO_DARK = -3,
};

/* Something enclosed by a surface: a glyph, an icon, a box. */
struct model_mark {
    struct model_rect r;
    int surface; /* index of the region it lies on */
    int area;
    uint8_t bg[3]; /* of the surface around it */
    int contrast;  /* largest distance of a channel from bg */
    bool weak;     /* solid: a glyph only beside others */
    int row;       /* index of its row, -1 without one */
};

/* Marks of one surface in one row, left to right. */
struct model_row {
    struct model_rect r;
    int surface;
    int *marks; /* owned, indices */
    int count;
    bool icon; /* stood at an end of a text, and is none */
    bool cell; /* of a table: what stands beside it does not go on with it, however close */
};

/* Px that smoothing lets ink seem wider at its left and its right end: the mean over lines whose
 * face is installed. */
#define MODEL_INK_BLEED 0.36

/* A thin bar: an underline, a line through a word, or a rule. */
struct model_bar {
    struct model_rect r;
    uint8_t rgb[3];
};

struct model_view {
    const struct glmv_image *image; /* opaque */
    int w, h;
    int32_t *label; /* index of the region of each px; -1 in the smallest ones */
    struct model_region *regions;
    int region_count;
    struct model_mark *marks;
    int mark_count;
    struct model_row *rows;
    int row_count;
    struct model_bar *bars;
    size_t bar_count;
    uint8_t *lettering; /* how far px of photos stand out from what is around them, as letters do;
                           may be NULL */
    uint8_t *text_mask; /* 1 where a line's ink lies */
    int page;           /* region of the page's background, or -1 */
};

static inline const uint8_t *model_px(const struct model_view *view, int x, int y)
{
    return view->image->rgba + ((size_t)y * (size_t)view->w + (size_t)x) * 4;
}

static inline int model_distance(const uint8_t *a, const uint8_t *b)
{
    int worst = 0;
    for (int c = 0; c < 3; c++) {
        int d = a[c] > b[c] ? a[c] - b[c] : b[c] - a[c];
        worst = d > worst ? d : worst;
    }
    return worst;
}

static inline uint32_t model_rgba(const uint8_t *rgb)
{
    return (uint32_t)rgb[0] << 24 | (uint32_t)rgb[1] << 16 | (uint32_t)rgb[2] << 8 | 0xff;
}

/* The smallest and the largest of two, of whole numbers. */
static inline int model_min(int a, int b)
{
    return a < b ? a : b;
}
static inline int model_max(int a, int b)
{
    return a > b ? a : b;
}

/* Whether a px of a mark's box belongs to the mark. */
static inline bool model_is_ink(const struct model_view *view, const struct model_mark *mark, int x,
                                int y)
{
    enum { RAISED = 20 }; /* levels */
    size_t at = (size_t)y * (size_t)view->w + (size_t)x;
    return mark->surface >= 0 ? view->label[at] != mark->surface : view->lettering[at] >= RAISED;
}

/* The rectangle that holds some marks; none: empty. */
struct model_rect model_marks_around(const struct model_view *view, const int *marks, int count);
/* The middle one of some values, which it sorts; 0 where there are none. */
int model_middle(int *values, int count);
/* Fits a gradient to a region, or to the part of it that lies in r. False when it follows none. */
bool model_ramp_fit(const struct model_view *view, int label, struct model_ramp *out);
bool model_ramp_fit_part(const struct model_view *view, int label, struct model_rect r,
                         struct model_ramp *out);
/* The same, where so large a share of the px has to be on the gradient. */
bool model_ramp_fit_share(const struct model_view *view, int label, struct model_rect r,
                          double share, struct model_ramp *out);
/* How far along a ramp a point is. */
static inline double model_ramp_place(const struct model_ramp *ramp, double x, double y)
{
    return ramp->radial ? hypot(x - ramp->cx, (y - ramp->cy) * ramp->aspect)
                        : x * ramp->gx + y * ramp->gy;
}
/* The same ramp, counted from a point that lies at (x, y) now. */
void model_ramp_move(struct model_ramp *ramp, double x, double y);
/* The ramp of two stops that is nearest to a region's plane. */
void model_ramp_of_plane(const struct model_region *region, struct model_ramp *out);
/* The colour of a ramp at a point, counted from its region's corner. */
void model_ramp_at(const struct model_ramp *ramp, double x, double y, double *rgb);
/* The same; what goes on changing beyond its ends does so there. */
void model_ramp_on(const struct model_ramp *ramp, double x, double y, double *rgb);
/* Makes the ramp of a rectangle the fill of a box that covers r. */
void model_ramp_paint(const struct model_ramp *ramp, struct model_rect of, struct model_rect r,
                      struct glmv_scene_box *box);
/* Whether a region is the ramp of another under even translucent white or black. */
bool model_veil_fit(const struct model_view *view, int label, int under, uint32_t *colour);
/* Takes regions apart in which several gradients meet; what is known of regions then has to be
 * found anew. False without memory. */
bool model_regions_split(struct model_view *view, bool *split);
bool model_regions_find(struct model_view *view, struct glmv_err *err);
/* Finds what lies on surfaces and keeps what may be a glyph. */
bool model_marks_find(struct model_view *view, struct glmv_err *err);
/* Adds what looks like letters on photos. */
bool model_lettering_find(struct model_view *view, struct glmv_err *err);
bool model_rows_find(struct model_view *view, struct glmv_err *err);
/* Makes rows of their own of the icons at the ends of rows. */
bool model_rows_part_icons(struct model_view *view, struct glmv_err *err);
/* Cuts rows into the cells of tables whose columns stand close to each other. */
bool model_columns_cut(struct model_view *view, struct glmv_err *err);
/* Notes a bar. */
bool model_bar_add(struct model_view *view, struct model_rect r, struct glmv_err *err);
/* Takes bars that touch letters, such as the line through a price, off their marks. */
bool model_rows_lift_bars(struct model_view *view, struct glmv_err *err);
/* Takes the parts of underlines out of the rows. */
bool model_rows_part_bars(struct model_view *view, struct glmv_err *err);
/* Tells underlines and strikes from rules, and parts the scene's lines where they begin and end. */
bool model_underlines_find(struct model_view *view, struct glmv_scene *scene, struct glmv_err *err);
void model_view_release(struct model_view *view);

/* Runs job(context, i, worker) for every i below count in that many threads. */
typedef void model_job_fn(void *context, int i, int worker);
void model_parallel(int threads, int count, model_job_fn *job, void *context);

/* Text recognition. One reader may be used by as many threads as it was opened for, each with its
 * own number. */
struct model_ocr;
struct model_ocr_word {
    char *text;          /* owned */
    struct model_rect r; /* in the picture that was given */
    double confidence;
};
struct model_ocr_line {
    struct model_ocr_word *words;
    int count;
    double confidence;
};
struct model_ocr *model_ocr_open(const char *lang, int threads, struct glmv_err *err);
void model_ocr_close(struct model_ocr *ocr);
/* Whether the data of one language is installed. */
bool model_ocr_has(const struct model_ocr *ocr, const char *lang);
/* Reads a grey picture, black on white, with a page segmentation mode. False when nothing was read.
 */
bool model_ocr_read(struct model_ocr *ocr, int worker, const uint8_t *grey, int w, int h, int mode,
                    struct model_ocr_line *out);
void model_ocr_line_release(struct model_ocr_line *line);

/* What the rows of a view say. */
struct model_text {
    struct model_view *view;
    struct model_ocr_line *lines; /* one a row; boxes in px of the page */
    int count;
};
/* Reads all rows. again: with a second language, which takes over where the first is not sure. */
bool model_text_read(struct model_text *text, struct model_ocr *ocr, bool again, int threads,
                     struct glmv_err *err);
/* Whether so much was read badly that it may be Chinese or Japanese. */
bool model_text_looks_cjk(const struct model_text *text);
/* The language that reads the doubtful rows best, opened; NULL when none does. */
struct model_ocr *model_text_choose(const struct model_text *text, const char *const *langs,
                                    int count, int *chosen);
/* A language of Latin letters that English data does not read well. */
struct model_language {
    const char *code; /* for HTML: "de" */
    const char *name;
    const char *data;    /* Tesseract's name of its data */
    const char *letters; /* beyond ASCII that its texts have */
    const char *words;   /* its commonest, parted by blanks */
};
/* The language that the words read are clearly of; NULL: English, another one, or too few words. */
const struct model_language *model_text_language(const struct model_text *text);
/* The language of a code; NULL where it is not known. */
const struct model_language *model_language_find(const char *code);
/* Appends lines to the scene and fills the view's text_mask. */
bool model_text_take(struct model_text *text, struct glmv_scene *scene, struct glmv_err *err);
void model_text_release(struct model_text *text);
/* Fits family, size, weight and spacing of the scene's lines; drops words that are icons. */
/* without: bits of enum glmv_look_stage. */
struct model_faces;
bool model_type_fit(struct model_view *view, struct model_faces *faces, struct glmv_scene *scene,
                    unsigned without, struct glmv_err *err);
/* Parts lines where their weight or their slant changes, and fits the parts. */
bool model_type_runs(const struct model_view *view, struct model_faces *faces,
                     struct glmv_scene *scene, struct glmv_err *err);
/* A rectangle of a region that is no rectangle, or one of another region that hides a part of it.
 */
#define MODEL_SECTIONS 8
struct model_section {
    struct model_rect r;
    int label; /* -1 where it is of no region */
};
/* The rectangles that a region of one colour consists of, at least two, then what lies on them;
 * at most MODEL_SECTIONS. 0 when it consists of none. */
int model_sections_find(const struct model_view *view, int label, struct model_section *out);
bool model_boxes_find(struct model_view *view, struct glmv_scene *scene, struct glmv_err *err);
/* Drops boxes that show nothing: no shadow either, when those have been measured. */
void model_boxes_drop_invisible(struct glmv_scene *scene);
/* Drops thin boxes that are the beginning of a shadow. */
void model_boxes_drop_shades(struct glmv_scene *scene);
/* Finds gradients that fade into what they lie on, and soft spots: they become the fill of the box
 * that they lie in, or of a new one on the page. */
bool model_glows_find(const struct model_view *view, struct glmv_scene *scene,
                      struct glmv_err *err);
/* Gives the corners of a box one radius, and boxes of one sort the same, where they were measured a
 * px or two apart. */
bool model_boxes_agree_corners(struct glmv_scene *scene, struct glmv_err *err);
/* Measures the shadows of the scene's boxes; adds a box for what casts one as a whole. */
bool model_shadows_find(const struct model_view *view, struct glmv_scene *scene,
                        struct glmv_err *err);
/* Measures the shadow that things of one size cast which are no boxes, such as photos on a surface.
 * Sides whose shadow runs into another are left out, so long as it is seen to fade at two. */
bool model_shadow_around(const struct model_view *view, const struct glmv_box *boxes, int count,
                         struct glmv_scene_shadow *out);
bool model_pictures_find(struct model_view *view, struct glmv_scene *scene, struct glmv_err *err);

/* Paints the boxes as they were measured, over the page's background. */
void model_paint_boxes(const struct glmv_scene *scene, struct glmv_image *canvas);

/* Grows an array by one element, zeroed; *items keeps its old value on failure. */
void *model_grow(void **items, size_t *count, size_t size, struct glmv_err *err);
/* Parts line i before one of its words, which is not the first; the other part comes next. */
bool model_line_split(struct glmv_scene *scene, size_t i, size_t word, struct glmv_err *err);
/* Adds a box before the smaller ones. */
bool model_scene_insert_box(struct glmv_scene *scene, const struct glmv_scene_box *box,
                            struct glmv_err *err);
bool model_scene_note(struct glmv_scene *scene, struct glmv_err *err, const char *format, ...)
    GLMV_PRINTF(3, 4);

#endif
