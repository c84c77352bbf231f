/*
 * The elements of a page before its style sheet is written: who lies in whom, where, and what each
 * one declares. Passes over them find what repeats. Private to the tracer.
 */
#ifndef GLMV_MODEL_TRACER_ELEMENT_H
#define GLMV_MODEL_TRACER_ELEMENT_H

#include "base/box.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/tracer/tree.h"

/* One declaration: "margin-top" and "12px". */
struct tracer_rule {
    char *name, *value; /* owned */
};

struct tracer_element {
    char tag[12];
    char role[24];      /* stem of its class */
    const char *layout; /* class of how it places its children: "row", "layers", ...; NULL: flow */
    int parent;         /* index, or -1 for the body's */
    int depth;          /* by which parents are found */
    const struct tracer_node *node; /* NULL for what is of no node's own: ul, td, ... */
    struct glmv_box box;            /* where it was placed; empty without a node */
    struct glmv_box inside;    /* what its children were placed in; empty for texts and pictures */
    double grown; /* px by which it came out higher than its box, in renders */
    size_t at;                 /* in the body: where its class belongs */
    struct tracer_rule *rules; /* owned */
    int rule_count, rule_cap;
    char *classes; /* owned; names with a blank between them, or NULL */
};

/* In document order: a parent comes before its children. */
struct tracer_elements {
    struct tracer_element *list; /* owned */
    int count, cap;
};

void tracer_elements_release(struct tracer_elements *all);
/* Of one that lies in no list. */
void tracer_element_release(struct tracer_element *element);
/* A new element at a depth, whose parent is the last one that lies less deep. Borrowed until the
 * next one is added; NULL without memory. */
struct tracer_element *tracer_element_add(struct tracer_elements *all, const char *tag,
                                          const char *role, int depth);
/* Says what an element is to a reader: the stem of its class. */
void tracer_element_name(struct tracer_element *element, const char *role);
/* Adds the declarations of "name: value; name: value;". */
bool tracer_element_declare(struct tracer_element *element, const char *rules,
                            struct glmv_err *err);
/* What an element declares; NULL where it says nothing. */
const char *tracer_element_find(const struct tracer_element *element, const char *name);
/* Says something anew, or in addition. */
bool tracer_element_set(struct tracer_element *element, const char *name, const char *value,
                        struct glmv_err *err);
/* The same with px, see tracer_px. */
bool tracer_element_set_px(struct tracer_element *element, const char *name, double px,
                           struct glmv_err *err);
void tracer_element_drop(struct tracer_element *element, const char *name);
/* Whether it places its children so: "row", "paragraph". */
bool tracer_element_lays_out(const struct tracer_element *element, const char *layout);
bool tracer_element_equal(const struct tracer_element *a, const struct tracer_element *b);

#endif
