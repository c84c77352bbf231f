/*
 * The built-in model: traces a screenshot into HTML by measuring it. No weights, no network. It reads text with
 * Tesseract, fits type with FreeType and HarfBuzz, and finds boxes and pictures in the pixels.
 *
 *     struct glmv_scene *scene = glmv_tracer_look(image, &look, &err);        // perception
 *     struct glmv_draft *draft = glmv_draft_new(scene, &emit, &err);          // layout
 *     glmv_draft_html(draft, true, &html, &err);                              // with data-glmv marks
 *     glmv_draft_revise(draft, target, render_image, render_page, &err);      // correct by what was measured
 *     glmv_draft_html(draft, false, &html, &err);                             // the page for people
 */
#ifndef GLMV_MODEL_TRACER_TRACER_H
#define GLMV_MODEL_TRACER_TRACER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/image.h"
#include "base/page.h"
#include "model/tracer/scene.h"

/* Stages of the look that can be left out, to measure what they are worth. */
enum glmv_look_stage {
    GLMV_LOOK_PHOTOS = 1,  /* text on photos */
    GLMV_LOOK_FACES = 2,   /* fitting of family and weight: all is Liberation Sans, regular */
    GLMV_LOOK_ICONS = 4,   /* telling icons from letters by drawing what was read */
    GLMV_LOOK_SHADOWS = 8,
};

struct glmv_look_options {
    int threads;         /* 0: as many as there are processors, at most 8 */
    const char *lang;    /* Tesseract languages, "eng+chi_sim"; NULL: English, and CJK where its data is installed */
    double scale;        /* device px per CSS px; 0: guess */
    unsigned without;    /* bits of enum glmv_look_stage */
};

/* Measures a picture. NULL on failure: GLMV_ERR_MISSING when OCR data is not installed. Free with glmv_scene_free. */
struct glmv_scene *glmv_tracer_look(const struct glmv_image *image, const struct glmv_look_options *options,
                                    struct glmv_err *err);

/* Appends the scene as JSON (the form is described in README.md). */
bool glmv_scene_json(const struct glmv_scene *scene, struct glmv_buf *out, struct glmv_err *err);
/* Draws the scene's boxes over a copy of the picture. */
struct glmv_image *glmv_scene_draw(const struct glmv_scene *scene, const struct glmv_image *image,
                                   struct glmv_err *err);

struct glmv_emit_options {
    const char *assets_dir;  /* where pictures go as files; NULL: inline as data URIs */
    const char *assets_href; /* how the page names that folder */
    const char *title;       /* NULL: the page's largest heading */
};

/* A page under construction: the layout tree and its numbers. */
struct glmv_draft;

/* Lays a scene out. The scene must outlive the draft. */
struct glmv_draft *glmv_draft_new(const struct glmv_scene *scene, const struct glmv_emit_options *options,
                                  struct glmv_err *err);
/* NULL is allowed. */
void glmv_draft_free(struct glmv_draft *draft);

/* Appends the page. marks: every element carries a number in data-glmv that glmv_draft_revise finds again. */
bool glmv_draft_html(const struct glmv_draft *draft, bool marks, struct glmv_buf *out, struct glmv_err *err);

/* Writes the pictures into assets_dir. Does nothing when they are inline. */
bool glmv_draft_write_assets(const struct glmv_draft *draft, struct glmv_err *err);

/*
 * Corrects positions, sizes, spacing and colours by what a render of the page with marks measured.
 * target and render are flattened; changed (may be NULL) receives how many numbers moved, 0 for a fixed point.
 */
bool glmv_draft_revise(struct glmv_draft *draft, const struct glmv_image *target, const struct glmv_image *render,
                       const struct glmv_page *page, int *changed, struct glmv_err *err);

/* Takes back from a revised draft how boxes that came out higher end; returns how many of them it was. */
int glmv_draft_keep_ends(struct glmv_draft *draft, const struct glmv_draft *before);

/*
 * From now on texts of buttons, badges and cells have elements of their own in the page, as they have while it is measured
 * (marks), where a page without them comes out otherwise.
 */
void glmv_draft_keep_texts_apart(struct glmv_draft *draft);

/*
 * Widens or narrows the paragraphs that wrapped otherwise than in the picture. While one does, what stands below it is
 * off by whole lines and tells glmv_draft_revise nothing: render again before that. changed: how many there were.
 */
bool glmv_draft_rewrap(struct glmv_draft *draft, const struct glmv_page *page, int *changed, struct glmv_err *err);

/*
 * Takes over from another draft of the same scene the numbers of every thing that came out nearer to the target in
 * its render. render is that of draft. taken receives how many things changed.
 */
bool glmv_draft_choose(struct glmv_draft *draft, const struct glmv_draft *other, const struct glmv_image *target,
                       const struct glmv_image *render, const struct glmv_image *other_render, int *taken,
                       struct glmv_err *err);

/*
 * Notes in the scene what the last render shows to stay wrong: texts that could not be read surely, and families that
 * stand in for a face that is not installed. target and render have the scene's scale.
 */
bool glmv_scene_review(struct glmv_scene *scene, const struct glmv_image *target, const struct glmv_image *render,
                       struct glmv_err *err);

/*
 * Makes things of one sort regular: entries of a menu stand at one distance, icons in one column, cards are of one width.
 * Things move by few px for it. A copy of a regular draft is not regular. glmv_draft_loosen puts back what a render
 * shows to lie worse than in the render before; undone receives how many regularities that were.
 */
bool glmv_draft_regularize(struct glmv_draft *draft, struct glmv_err *err);
bool glmv_draft_loosen(struct glmv_draft *draft, const struct glmv_image *target, const struct glmv_image *before,
                       const struct glmv_image *render, int *undone, struct glmv_err *err);

/* A copy to go back to when a revision did not help. */
struct glmv_draft *glmv_draft_copy(const struct glmv_draft *draft, struct glmv_err *err);

#endif
