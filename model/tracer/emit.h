/* What the parts of the emitter share. Private to the tracer. */
#ifndef GLMV_MODEL_TRACER_EMIT_H
#define GLMV_MODEL_TRACER_EMIT_H

#include "model/tracer/draft.h"
#include "model/tracer/element.h"

/* A font stack: the fitted family and what stands for it elsewhere. */
struct tracer_stack {
    char text[160];
    enum glmv_family family;
};

/* A colour of the palette. */
struct tracer_color {
    uint32_t rgba;
    char name[16];
    double px;   /* that show it */
    bool ground; /* fills areas: measured exactly */
    bool used;   /* the page says it */
    int same_as; /* index of the one that stands for it, or -1 */
    int goal;    /* while those are looked for */
};

/* A measured size and the one of the scale that it is, by its index. */
struct tracer_step {
    double px;
    int size;
};

enum { TRACER_SIZES = 40, TRACER_STEPS = 512, TRACER_STACKS = 16 };

struct tracer_sheet {
    double sizes[TRACER_SIZES]; /* the type scale, px, from small to large */
    int size_count;
    int base; /* index of the size that most letters have */
    struct tracer_step steps[TRACER_STEPS];
    int step_count;
    struct tracer_stack stacks[TRACER_STACKS];
    int stack_count;
    struct tracer_color *colors; /* owned */
    size_t color_count, color_cap;
    const char *lang; /* borrowed: the page's */
};

void tracer_sheet_release(struct tracer_sheet *sheet);
/* Joins the colours of a scene that nobody can tell apart. */
bool tracer_palette_find(struct tracer_sheet *sheet, const struct glmv_scene *scene,
                         struct glmv_err *err);
/* Appends the colours that were said as variables. The sheet says no more colours after that. */
bool tracer_palette_write(struct tracer_sheet *sheet, struct glmv_buf *out, struct glmv_err *err);
/* A colour as CSS says it: a variable of the palette, or rgb() with its alpha. */
bool tracer_sheet_color(struct tracer_sheet *sheet, uint32_t rgba, struct glmv_buf *out,
                        struct glmv_err *err);
/* Appends the variables. */
bool tracer_sheet_write(struct tracer_sheet *sheet, struct glmv_buf *out, struct glmv_err *err);

/* Appends "12px", "0", "3.25px": at most two decimals. */
bool tracer_px(double value, struct glmv_buf *out, struct glmv_err *err);
/* Finds the type scale of a page's lines. */
bool tracer_scale_find(struct tracer_sheet *sheet, const struct glmv_draft *draft,
                       struct glmv_err *err);
/* What a size of the scale is called: "base", "sm" below it, "lg" above it, and on. */
void tracer_scale_name(const struct tracer_sheet *sheet, int place, char name[16]);
/* The size of the scale that a line of px is set in, or -1. */
int tracer_scale_place(const struct tracer_sheet *sheet, double px);
/* The letter-spacing that keeps a line as wide as it is when it is set in another size. */
double tracer_scale_spacing(const struct glmv_scene_line *line, const struct tracer_type *type,
                            double size);
/* Appends background, borders, radius and shadow of a box. */
bool tracer_paint_rules(struct tracer_sheet *sheet, const struct glmv_scene_box *box,
                        struct glmv_buf *out, struct glmv_err *err);
/* Appends the font, colour and decoration of a line, pitch px high; 0: of a part of a
 * line, which never makes it higher. */
bool tracer_type_rules(struct tracer_sheet *sheet, const struct glmv_scene_line *line,
                       const struct tracer_type *type, double pitch, struct glmv_buf *out,
                       struct glmv_err *err);

/* Appends the style sheet: variables, base, classes; gives the elements their classes. */
struct tracer_emitter;
bool tracer_style_write(struct tracer_emitter *e, struct glmv_buf *out);

/* The horizontal room that a node's children share, and how far down it is filled. */
struct tracer_room {
    double x, w;
    double bottom; /* of what came before, for stacks */
    double right;  /* of what came before, for rows */
    bool row;
    double top; /* of the row */
};

/* Which part of the page is being written. */
enum tracer_place { TRACER_BODY, TRACER_HEAD, TRACER_FOOT, TRACER_SIDE };

struct tracer_emitter {
    const struct glmv_draft *draft;
    struct tracer_sheet sheet;
    struct tracer_elements elements;
    struct glmv_buf body; /* without classes: those come last */
    struct glmv_err *err;
    bool marks;
    bool texts_apart; /* texts of buttons, badges and cells have elements of their own */
    bool in_link; /* inside an <a> or a button: only phrasing content */
    bool in_nav;  /* texts are links */
    bool in_list; /* texts are entries */
    bool linked;  /* and entries are links */
    enum tracer_place place;
    int navs;       /* landmarks for navigation so far: each needs a name of its own */
    bool in_head;   /* texts head the columns of a table */
    bool failed;    /* in a table; err says why */
    double text_px; /* commonest font size */
    int last_level; /* of the last heading; 0 before the first */
    int indent;
};

static inline double tracer_right(struct glmv_box box)
{
    return box.x + box.w;
}

#define TRACER_BODY_MAX ((size_t)64 << 20)
#define TRACER_RULES_MAX ((size_t)64 << 20) /* a photo behind text stands in its rules */

/* Appends to the body; tracer_put_text escapes. */
bool tracer_put(struct tracer_emitter *e, const char *text);
bool tracer_put_text(struct tracer_emitter *e, const char *text);
bool tracer_new_line(struct tracer_emitter *e);
/* Appends "name: 12px; ". */
bool tracer_px_rule(struct tracer_emitter *e, struct glmv_buf *rules, const char *name,
                    double value);
/* <TAG data-glmv="MARK"EXTRA> of a node, or of none, that declares these rules, on a new line or as
 * a part of one. The role, a literal, is the stem of its class. Takes the rules' memory. */
bool tracer_open(struct tracer_emitter *e, const char *tag, const char *role,
                 struct glmv_buf *rules, const struct tracer_node *node, const char *extra);
bool tracer_open_run(struct tracer_emitter *e, const char *tag, const char *role,
                     struct glmv_buf *rules, const char *extra);
/* The same without rules; the tag may be "header", "ul". */
bool tracer_open_plain(struct tracer_emitter *e, const char *tag, const char *role);
/* Says how the element that was opened last lays its children out, and in what: a class of the base
 * sheet, a literal, or NULL for one below the other. */
void tracer_lays_out(struct tracer_emitter *e, const char *layout, const struct tracer_room *room,
                     double bottom);

/* Margins that put a node where it belongs: in a row, in a stack, a container of its own width in
 * either. */
bool tracer_place_in_row(struct tracer_emitter *e, const struct tracer_node *node, double x,
                         struct tracer_room *room, struct glmv_buf *rules);
/* A margin at the left of a block; a wide one is a share of the room, so that it shrinks with the
 * page. */
bool tracer_indent(struct tracer_emitter *e, const struct tracer_room *room, double left,
                   struct glmv_buf *rules);
/* The most width that is left beside an indent; right is what the picture has left there. */
bool tracer_beside_indent(struct tracer_emitter *e, const struct tracer_room *room, double left,
                          double right, struct glmv_buf *rules);
bool tracer_drop(struct tracer_emitter *e, const struct tracer_node *node, struct tracer_room *room,
                 struct glmv_buf *rules);
bool tracer_place_container(struct tracer_emitter *e, const struct tracer_node *node,
                            struct tracer_room *room, double x, double w, struct glmv_buf *rules);

/* Appends the address of a picture: its file, or its bytes. */
bool tracer_put_address(struct tracer_emitter *e, int picture, struct glmv_buf *out);

bool tracer_emit_node(struct tracer_emitter *e, const struct tracer_node *node,
                      struct tracer_room *room);
bool tracer_emit_picture(struct tracer_emitter *e, const struct tracer_node *node,
                         struct tracer_room *room);
bool tracer_emit_layers(struct tracer_emitter *e, const struct tracer_node *node,
                        struct tracer_room *room);
/* Appends the words of a text, with elements for those that look otherwise. */
bool tracer_put_lines(struct tracer_emitter *e, const struct tracer_node *node);
bool tracer_emit_text(struct tracer_emitter *e, const struct tracer_node *node,
                      struct tracer_room *room);
/* Emits the table that begins with a child of a stack and ends before another. Returns how many
 * children it holds, 0 with nothing written when there is none. */
int tracer_emit_table(struct tracer_emitter *e, const struct tracer_node *node, int from, int limit,
                      struct tracer_room *room);
/* So many children from one on, which are entries, as a list. */
bool tracer_emit_list(struct tracer_emitter *e, const struct tracer_node *node, int from, int count,
                      struct tracer_room *inside);
/* Texts side by side that are a menu: a list in a landmark, as wide as they are. */
bool tracer_emit_menu(struct tracer_emitter *e, const struct tracer_node *node, int from, int count,
                      struct tracer_room *room);
/* The attribute that names the next landmark for navigation. */
void tracer_nav_name(struct tracer_emitter *e, char extra[40]);
/* A button's or a badge's text right in it. Both take the rules' memory. */
bool tracer_emit_button(struct tracer_emitter *e, const struct tracer_node *node,
                        const struct tracer_room *inside, struct glmv_buf *rules);
bool tracer_emit_badge(struct tracer_emitter *e, const struct tracer_node *node,
                       const struct tracer_room *inside, struct glmv_buf *rules);
/* Where what is inside of a node's borders ends, px. */
double tracer_lower_edge(const struct tracer_emitter *e, const struct tracer_node *node);
/* An input for what tracer_is_field and tracer_tick say. */
bool tracer_emit_field(struct tracer_emitter *e, const struct tracer_node *node,
                       struct tracer_room *room);

#endif
