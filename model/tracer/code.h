/* Letters of one width, read cell by cell. Private to model/tracer/code*.c. */
#ifndef GLMV_MODEL_TRACER_CODE_H
#define GLMV_MODEL_TRACER_CODE_H

#include "model/tracer/faces.h"
#include "model/tracer/perception.h"

enum {
    MODEL_STENCIL_CHARS = 95, /* from the space to the tilde */
    MODEL_STENCIL_PHASES = 4, /* places between two px where a letter may begin */
};

/* The ink of a row, and where its cells lie in it. */
struct model_strip {
    const uint8_t *ink; /* borrowed, 0..255 */
    int w, h;
    double x;     /* of the first cell's left edge */
    int baseline; /* row of px below the letters */
};

/* The letters of one pitch: those of a face, each drawn in its cell, and those that the page itself
 * shows, as the mean of the cells they were read in. */
struct model_stencils {
    double pitch;   /* px from one letter to the next */
    int rise, fall; /* px above and below the baseline */
    int columns;    /* room of a cell; narrower at some phases */
    double like;    /* how well the face resembles the page, 0..1 */
    uint8_t *ink;   /* owned: phases x letters x (rise + fall) x columns */
    double
        *norm;   /* owned: phases x letters, root of the sum of squares; 0 where a face lacks one */
    float *seen; /* owned: letters x (rise + fall) x columns, cells moved to whole px */
    double *sight; /* owned: letters, their norm; 0 for those not seen */
    int *count;    /* owned: letters, how often they were seen */
};

/* Draws the letters of a face whose advance is pitch px. */
bool model_stencils_draw(struct model_stencils *stencils, struct model_faces *faces,
                         struct model_face *face, double pitch);
void model_stencils_release(struct model_stencils *stencils);

/* Forgets what was seen; adds a cell that shows a letter; closes the means. */
void model_stencils_forget(struct model_stencils *stencils);
void model_stencils_add(struct model_stencils *stencils, const struct model_strip *strip, int k,
                        char letter);
void model_stencils_close(struct model_stencils *stencils);

/* The letter that cell k of a strip resembles most, ' ' for an empty one; *likeness is 0..1.
 * said: what was read there before, favoured a little; 0 for nothing. */
char model_stencils_match(const struct model_stencils *stencils, const struct model_strip *strip,
                          int k, char said, double *likeness);

/* How much a cell looks like a letter when both are blurred: thin strokes may lie a px off. */
double model_stencils_blurred(const struct model_stencils *stencils,
                              const struct model_strip *strip, int k, char letter);

enum {
    MODEL_MAX_CELLS = 400,
    MODEL_MAX_PITCHES = 4,
};

/* A row that is read cell by cell. */
struct model_cells {
    char text[MODEL_MAX_CELLS + 1];
    double like[MODEL_MAX_CELLS]; /* of each cell, 1 for an empty one */
    int count;
    double mean; /* likeness of the cells with ink; 0: the row has no cells */
    int hand;    /* index of its stencils */
    struct model_strip strip;
    uint8_t *ink;               /* owned, of the strip */
    char said[MODEL_MAX_CELLS]; /* by OCR, where its word has as many letters as cells; or 0 */
};

struct model_code {
    struct model_text *text;
    struct model_stencils hands[MODEL_MAX_PITCHES];
    int hand_count;
    struct model_cells *cells; /* of each row */
};

/* The pitch at which the middles of a row's marks lie most evenly; 0 where they do at none. */
double model_pitch_find(const struct model_view *view, const struct model_row *row);
/* How evenly they lie at a pitch, 1 is exact, and where the first cell begins. */
double model_pitch_evenness(const struct model_view *view, const struct model_row *row,
                            double pitch, double *start);

void model_cells_read(const struct model_stencils *stencils, struct model_cells *cells);
/* The ink of a row; NULL without memory. */
uint8_t *model_cells_ink(const struct model_view *view, const struct model_row *row);
/* Joins rows of one line of code, takes in the signs beside them that were no row of their own, and
 * writes what the cells say into the text. */
bool model_code_write(struct model_code *code, struct glmv_err *err);

/* Reads rows of letters of one width anew, cell by cell, where the page has such rows. */
bool model_code_read(struct model_text *text, struct model_faces *faces, int threads,
                     struct glmv_err *err);

#endif
