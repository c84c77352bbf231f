/* Fitting of type: what voting, weighing and code share. Private to model/tracer/type*.c. */
#ifndef GLMV_MODEL_TRACER_TYPE_H
#define GLMV_MODEL_TRACER_TYPE_H

#include "model/tracer/faces.h"
#include "model/tracer/perception.h"

enum {
    MODEL_REGULAR = 400,
    MODEL_BOLD = 700,
    MODEL_PAGE_FAMILIES = 3,
    MODEL_TYPE_WORDS = 64, /* of a line that is fitted */
};

/* The families that lines are fitted in, the likeliest first. */
struct model_choice {
    const char *family[MODEL_PAGE_FAMILIES];
    int count;
};

struct model_typing {
    const struct model_view *view;
    struct model_faces *faces;
};

/* How one face explains one line. */
struct model_fit {
    double size;
    double spacing;
    double residual; /* px, root of the mean square over word edges */
    double baseline;
    double advance;
    double inked; /* px from the first letter's left edge to the last one's right edge */
    double mass;  /* log of measured over expected ink */
    double tall;  /* log of measured over expected height */
};

/* The sum of a line's ink in a box, 0..1 a px. */
double model_type_mass(const struct model_view *view, const struct glmv_scene_line *line,
                       const struct glmv_box *box);
/* By how much the columns of a line's ink in a box grow sharper when it is sheared upright: over 1
 * where it is slanted. */
double model_type_slant(const struct model_view *view, const struct glmv_scene_line *line,
                        const struct glmv_box *box);
/* The same of a word that was drawn. */
double model_ink_slant(const struct model_ink *ink);
/* mass: the line's ink in px. False where the face lacks a character or cannot be that large. */
bool model_type_fit_face(struct model_face *face, const struct glmv_scene_line *line, double mass,
                         struct model_fit *fit);
/* The cost of a fit, px and what weighs as much. */
double model_type_badness(const struct model_fit *fit);
/* Fits one line in one weight; returns the logarithm of its ink over what that weight would leave.
 */
double model_type_fit_line(const struct model_typing *typing, const struct model_choice *choice,
                           int weight, struct glmv_scene_line *line);

/* The ink of a line's most telling word, to lay faces over. */
struct model_sample {
    const struct glmv_scene_word *word; /* borrowed; NULL: the line has none */
    struct model_ink ink;
};
/* False, and nothing to release, where there is no such word. */
bool model_sample_take(const struct model_view *view, const struct glmv_scene_line *line,
                       struct model_sample *out);
void model_sample_release(struct model_sample *sample);
/* How unlike its ink the word is in a face: 0 equal, 1 nothing in common. */
double model_sample_unlike(const struct model_sample *sample, struct model_faces *faces,
                           struct model_face *face, double size);

/* Chooses the page's families by its longest lines. */
void model_type_vote(const struct model_typing *typing, struct glmv_scene *scene,
                     struct model_choice *choice);
/* Fits all lines in the families chosen: as regular first, then what is bold again. */
bool model_type_weigh(const struct model_typing *typing, const struct model_choice *choice,
                      struct glmv_scene *scene);
/* Parts lines where their size changes, and fits the parts. */
bool model_type_sizes(const struct model_view *view, struct model_faces *faces,
                      struct glmv_scene *scene, struct glmv_err *err);
/* Gives the few lines of a page that are squeezed by letter-spacing the size of their width. */
void model_type_settle(const struct model_view *view, struct glmv_scene *scene);
/* Gives lines a size that many of the page have, where that explains them. */
void model_type_agree(struct glmv_scene *scene);
/* Gives lines of Han characters alone the family of those that have Latin words, too. */
void model_type_agree_scripts(struct glmv_scene *scene);
/* Fits what is code in faces of one width. */
void model_type_code(const struct model_typing *typing, struct glmv_scene *scene);

#endif
