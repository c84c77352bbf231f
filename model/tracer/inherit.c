/* What texts share with most others is said once, for the body; what their parents say is not said
 * again. */
#include <string.h>

#include "model/tracer/style.h"

static const char *const inherited[] = {"font-family", "font-size",  "line-height",
                                        "font-weight", "font-style", "color"};

enum { INHERITED = sizeof inherited / sizeof inherited[0], VALUES = 64 };

/* What a browser gives an element of itself; NULL: what it inherits. */
static const char *of_itself(const char *tag, const char *name)
{
    if (strcmp(tag, "strong") == 0 && strcmp(name, "font-weight") == 0) {
        return "700";
    }
    if (strcmp(tag, "em") == 0 && strcmp(name, "font-style") == 0) {
        return "italic";
    }
    /* Anything else than the parent's: it has to be said. */
    bool sized = strcmp(tag, "small") == 0 && strcmp(name, "font-size") == 0;
    bool faced = strcmp(tag, "code") == 0 || strcmp(tag, "pre") == 0;
    return sized || (faced && (strcmp(name, "font-family") == 0 || strcmp(name, "font-size") == 0))
               ? ""
               : NULL;
}

/* The value that most texts declare. */
static const char *commonest(const struct tracer_elements *all, const char *name)
{
    struct {
        const char *value;
        int users;
    } seen[VALUES];
    int count = 0;
    const char *best = NULL;
    int most = 0;
    for (int i = 0; i < all->count; i++) {
        const char *value = tracer_element_find(&all->list[i], name);
        int k = 0;
        while (value != NULL && k < count && strcmp(seen[k].value, value) != 0) {
            k++;
        }
        if (value == NULL || k == VALUES) {
            continue;
        }
        if (k == count) {
            seen[count].value = value;
            seen[count++].users = 0;
        }
        if (++seen[k].users > most) {
            most = seen[k].users;
            best = value;
        }
    }
    return best;
}

/* What an element has for its children: its own, or its parent's. */
static const char *effective(const struct tracer_elements *all, const struct tracer_element *body,
                             int element, const char *name)
{
    for (int i = element; i >= 0; i = all->list[i].parent) {
        const char *value = tracer_element_find(&all->list[i], name);
        const char *given = of_itself(all->list[i].tag, name);
        if (value != NULL || (given != NULL && given[0] != '\0')) {
            return value != NULL ? value : given;
        }
    }
    const char *value = tracer_element_find(body, name);
    return value != NULL                      ? value
           : strcmp(name, "font-weight") == 0 ? "400"
           : strcmp(name, "font-style") == 0  ? "normal"
                                              : "";
}

bool tracer_inherit(struct tracer_elements *all, struct tracer_element *body, struct glmv_err *err)
{
    for (int p = 0; p < INHERITED; p++) {
        const char *name = inherited[p];
        const char *value = commonest(all, name);
        bool usual = value != NULL && (strcmp(value, "400") == 0 || strcmp(value, "normal") == 0);
        if (value != NULL && !usual && !tracer_element_set(body, name, value, err)) {
            return false;
        }
        /* From the last on, so that parents still say what their children inherit. */
        for (int i = all->count - 1; i >= 0; i--) {
            struct tracer_element *one = &all->list[i];
            const char *own = tracer_element_find(one, name);
            const char *given = of_itself(one->tag, name);
            if (own != NULL &&
                strcmp(own, given != NULL ? given : effective(all, body, one->parent, name)) == 0) {
                tracer_element_drop(one, name);
            }
        }
    }
    return true;
}
