/* Classes: elements of a role that declare the same share one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/style.h"

enum { NAMES_MAX = 120 };

void tracer_classes_release(struct tracer_classes *classes)
{
    for (int i = 0; i < classes->count; i++) {
        tracer_element_release(&classes->list[i].said);
    }
    free(classes->list);
    *classes = (struct tracer_classes){0};
}

static bool copy_rules(const struct tracer_element *from, struct tracer_element *to,
                       struct glmv_err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < from->rule_count; i++) {
        ok = tracer_element_set(to, from->rules[i].name, from->rules[i].value, err);
    }
    return ok;
}

/* A class of an element's role with its rules, made where there is none. NULL without memory. */
static struct tracer_class *class_of(struct tracer_classes *classes,
                                     const struct tracer_element *element, struct glmv_err *err)
{
    int same = 0;
    for (int i = 0; i < classes->count; i++) {
        struct tracer_class *one = &classes->list[i];
        if (strcmp(one->said.role, element->role) == 0) {
            same++;
            if (tracer_element_equal(&one->said, element)) {
                return one;
            }
        }
    }
    if (classes->count == classes->cap) {
        int cap = classes->cap == 0 ? 64 : classes->cap * 2;
        struct tracer_class *grown = realloc(classes->list, (size_t)cap * sizeof *grown);
        if (grown == NULL) {
            glmv_fail_memory(err);
            return NULL;
        }
        classes->list = grown;
        classes->cap = cap;
    }
    struct tracer_class *fresh = &classes->list[classes->count++];
    *fresh = (struct tracer_class){.said = {.role = element->role}};
    snprintf(fresh->name, sizeof fresh->name, same == 0 ? "%s" : "%s-%d", element->role, same + 1);
    return copy_rules(element, &fresh->said, err) ? fresh : NULL;
}

bool tracer_classes_find(struct tracer_elements *all, struct tracer_classes *classes,
                         struct glmv_err *err)
{
    for (int i = 0; i < all->count; i++) {
        struct tracer_element *one = &all->list[i];
        char names[NAMES_MAX] = "";
        if (one->rule_count > 0) {
            struct tracer_class *own = class_of(classes, one, err);
            if (own == NULL) {
                return false;
            }
            own->users++;
            snprintf(names, sizeof names, "%s", own->name);
        }
        if (one->layout != NULL) {
            size_t len = strlen(names);
            snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? " " : "", one->layout);
        }
        one->classes = names[0] != '\0' ? strdup(names) : NULL;
        if (names[0] != '\0' && one->classes == NULL) {
            return glmv_fail_memory(err);
        }
    }
    return true;
}
