/* What a node of the tree is to a reader. Private to the tracer. */
#ifndef GLMV_MODEL_TRACER_ROLES_H
#define GLMV_MODEL_TRACER_ROLES_H

#include "model/tracer/emit.h"

/* A box around one short text in its middle. */
bool tracer_is_button(const struct tracer_emitter *e, const struct tracer_node *node);
/* A small painted box around a word or two, nothing to press. */
bool tracer_is_badge(const struct tracer_emitter *e, const struct tracer_node *node);
/* A tall column at the side of the page. */
bool tracer_is_sidebar(const struct tracer_emitter *e, const struct tracer_node *node);
/* Whether a list of entries stands in it somewhere. */
bool tracer_has_menu(const struct tracer_emitter *e, const struct tracer_node *node);
/* How many texts of a row from the given child on, before limit, are the links of a menu. 0: none.
 */
int tracer_menu_length(const struct tracer_emitter *e, const struct tracer_node *node, int from,
                       int limit);
/* A short text that looks as links do, underlined or blue, or of a word or two at the page's head
 * or foot. */
bool tracer_is_link(const struct tracer_emitter *e, const struct tracer_node *node);
/* Three or more short texts side by side near the top. */
bool tracer_is_nav(const struct tracer_emitter *e, const struct tracer_node *node);
/* A framed box for one line of text, filled or empty. */
bool tracer_is_field(const struct tracer_emitter *e, const struct tracer_node *node);
/* A small framed square or disc with nothing in it: "checkbox", "radio", or NULL. */
const char *tracer_tick(const struct tracer_emitter *e, const struct tracer_node *node);
/* How many children from the given one on, before limit, are entries of one list: like texts at
 * equal distances, or such with an icon before and a number behind them. 0: none. */
int tracer_list_length(const struct tracer_emitter *e, const struct tracer_node *node, int from,
                       int limit);

/* Children of a stack that are a table: its records, with dividers between them, and the px where
 * its columns begin; the last column ends at edges[columns]. */
struct tracer_table {
    int *records; /* owned: indices of the children */
    int record_count;
    int from, to;  /* the children that are the table's; to lies outside */
    double *edges; /* owned */
    int columns;
};
/* The table that begins with the given child and ends before limit. False when none does; what was
 * found is released then. */
bool tracer_table_find(const struct tracer_emitter *e, const struct tracer_node *node, int from,
                       int limit, struct tracer_table *out);
void tracer_table_release(struct tracer_table *table);
/* The column in which a cell lies, or -1. */
int tracer_table_column(const struct tracer_table *table, const struct tracer_node *cell);

/* The stem of a container's class. */
const char *tracer_role(const struct tracer_emitter *e, const struct tracer_node *node);

#endif
