/* Installed typefaces and what a text measures in them. Private to model/tracer. */
#ifndef GLMV_MODEL_TRACER_FACES_H
#define GLMV_MODEL_TRACER_FACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/tracer/scene.h"

struct model_face {
    char family[64];
    enum glmv_family kind;
    int weight;
    bool italic;
    bool cjk;
    struct model_face *fallback; /* borrowed: draws what this one has not; NULL: nothing does */
    void *font;                  /* HarfBuzz's */
    void *drawn;                 /* FreeType's */
    char path[300];
    int index;
};

struct model_faces {
    struct model_face *items;
    size_t count;
    void *library; /* FreeType's */
};

/* Coverage, 0..255 a px, rows without padding. */
struct model_ink {
    uint8_t *px; /* owned */
    int w, h;
};

/* Where ink lies: in em, y down from the baseline, top is negative above it. */
struct model_extent {
    double left, right, top, bottom;
};

/* A text set in one em. */
struct model_measure {
    double advance;
    struct model_extent ink;
    double area; /* of the ink, em squared */
    int glyphs;
    struct model_extent *word; /* of each word; the caller's, may be NULL */
    int words;                 /* room in it */
    const size_t *starts;      /* where each word begins, bytes; NULL: behind blanks */
};

bool model_faces_open(struct model_faces *faces, struct glmv_err *err);
void model_faces_close(struct model_faces *faces);
/* Lets the faces fall back on one for Chinese and Japanese, as browsers do: that of the language
 * ("ja", "zh") where there is one. */
void model_faces_fall_back(struct model_faces *faces, const char *lang);
/* The first face of a family in a weight; borrowed, NULL where there is none. */
struct model_face *model_faces_find(struct model_faces *faces, const char *family, int weight);
/* Whether a face is regular or bold. */
bool model_face_is_common(const struct model_face *face);
bool model_face_measure(struct model_face *face, const char *text, struct model_measure *out);

/* Draws a text at a size in px, cut to its ink. False when the face lacks a character. */
bool model_face_draw(struct model_faces *faces, struct model_face *face, const char *text,
                     double size, struct model_ink *out);
/* Draws one character into a picture that is there: its origin at x and on the line y. */
bool model_face_draw_letter(struct model_faces *faces, struct model_face *face, uint32_t letter,
                            double size, double x, int y, struct model_ink *on);
void model_ink_release(struct model_ink *ink);
/* How alike two inks are when brought to one box: 1 equal, 0 nothing in common. Both have ink. */
double model_ink_likeness(const struct model_ink *a, const struct model_ink *b);

#endif
