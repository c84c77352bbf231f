/* From what each element declares to the style sheet of the page. Private to the tracer. */
#ifndef GLMV_MODEL_TRACER_STYLE_H
#define GLMV_MODEL_TRACER_STYLE_H

#include "model/tracer/emit.h"

/* A class: its name and what it declares. */
struct tracer_class {
    char name[48];
    struct tracer_element said; /* its rules; of its role */
};

struct tracer_classes {
    struct tracer_class *list; /* owned */
    int count, cap;
    struct tracer_element utilities; /* its names are the rules of classes that set one thing */
};

void tracer_classes_release(struct tracer_classes *classes);

/* Names elements by what they are and where they stand: sidebar, card, card-title, logo. */
void tracer_name_roles(struct tracer_elements *all, const struct glmv_scene *scene);
/* Says once, for the body, what most texts declare, and takes from each element what it inherits.
 */
bool tracer_inherit(struct tracer_elements *all, struct tracer_element *body, struct glmv_err *err);
/* Gives the elements their classes. */
bool tracer_classes_find(struct tracer_elements *all, struct tracer_classes *classes,
                         struct glmv_err *err);

/* The name of the class that says one declaration, "mt-8"; false where there is none for it. */
bool tracer_utility_name(const struct tracer_rule *rule, char name[24]);
/* Appends those classes, sorted. */
bool tracer_utilities_write(struct tracer_element *utilities, struct glmv_buf *out,
                            struct glmv_err *err);

#endif
