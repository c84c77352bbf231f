/* What the parts of the emitter share. Private to the tracer. */
#ifndef GLMV_MODEL_TRACER_EMIT_H
#define GLMV_MODEL_TRACER_EMIT_H

#include "model/tracer/draft.h"

/* A CSS class: what it says and what it is called. Equal rules of a role are one class. */
struct tracer_class {
    char name[32];
    char *rules; /* owned */
};

struct tracer_sheet {
    struct tracer_class *classes; /* owned */
    size_t count, cap;
    uint32_t *colors; /* owned; the palette, in order of first use */
    size_t color_count, color_cap;
};

void tracer_sheet_release(struct tracer_sheet *sheet);
/* The name of the class with these rules, made with the role as its stem where it is new. NULL
 * without memory. */
const char *tracer_sheet_class(struct tracer_sheet *sheet, const char *role, const char *rules);
/* A colour as CSS says it: a variable of the palette, or rgb() with its alpha. */
bool tracer_sheet_color(struct tracer_sheet *sheet, uint32_t rgba, struct glmv_buf *out,
                        struct glmv_err *err);
/* Appends the variables and the classes. */
bool tracer_sheet_write(const struct tracer_sheet *sheet, struct glmv_buf *out,
                        struct glmv_err *err);

/* Appends "12px", "0", "3.25px": at most two decimals. */
bool tracer_px(double value, struct glmv_buf *out, struct glmv_err *err);
/* Appends background, borders, radius and shadow of a box. */
bool tracer_paint_rules(struct tracer_sheet *sheet, const struct glmv_scene_box *box,
                        struct glmv_buf *out, struct glmv_err *err);
/* Appends the font, colour and decoration of a line. */
bool tracer_type_rules(struct tracer_sheet *sheet, const struct glmv_scene_line *line,
                       const struct tracer_type *type, double pitch, struct glmv_buf *out,
                       struct glmv_err *err);

#endif
