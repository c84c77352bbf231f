/*
 * What an element is called. Only what can be seen is said: a box among its like is a card, a tall
 * one at the side of the page is the sidebar, a text that belongs to each card is a card's text.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/tracer/style.h"

#define TALL 0.45         /* of the page's height, of a sidebar */
#define SLIM 0.3          /* of its width */
#define BAR_HEIGHT 100.0  /* px; a lower box across the page is a bar */
#define CARD_WIDTH 110.0  /* px */
#define CARD_HEIGHT 56.0  /* px */
#define BADGE_HEIGHT 27.0 /* px */
#define BADGE_WIDTH 140.0 /* px */
#define TOP 120.0         /* px, where logos are */
#define LOGO_WIDTH 24.0   /* px; menu signs are smaller */

struct namer {
    struct tracer_elements *all;
    const struct glmv_scene *scene;
    bool has_logo;
};

static bool is_role(const struct tracer_element *element, const char *role)
{
    return strcmp(element->role, role) == 0;
}

static const struct tracer_element *parent_of(const struct namer *n,
                                              const struct tracer_element *element)
{
    return element->parent >= 0 ? &n->all->list[element->parent] : NULL;
}

static bool is_painted(const struct tracer_element *element)
{
    return element->node != NULL && element->node->scene_box >= 0;
}

static bool is_alike(const struct tracer_element *element)
{
    return element->node != NULL && element->node->alike > 0;
}

static bool is_container(const struct tracer_element *element)
{
    return is_role(element, "group") || is_role(element, "panel") || is_role(element, "card") ||
           is_role(element, "band") || is_role(element, "entry");
}

static bool is_card(const struct tracer_element *element)
{
    return is_painted(element) && is_alike(element) && element->box.w >= CARD_WIDTH &&
           element->box.h >= CARD_HEIGHT && element->node->child_count > 0;
}

/* How many elements right inside of one are cards, or inputs, and how many there are at all. */
static int count_children(const struct namer *n, int element, const char *tag, int *all)
{
    int found = 0;
    *all = 0;
    for (int i = element + 1;
         i < n->all->count && n->all->list[i].depth > n->all->list[element].depth; i++) {
        if (n->all->list[i].parent == element) {
            *all += 1;
            found +=
                tag == NULL ? is_card(&n->all->list[i]) : strcmp(n->all->list[i].tag, tag) == 0;
        }
    }
    return found;
}

static const char *painted_name(const struct tracer_element *one)
{
    const struct tracer_node *node = one->node;
    if (node->child_count == 1 && node->children[0]->kind == TRACER_TEXT &&
        node->box.h <= BADGE_HEIGHT && node->box.w <= BADGE_WIDTH) {
        return "badge";
    }
    if (is_card(one)) {
        return "card";
    }
    if (is_role(one, "band")) {
        return node->box.h <= BAR_HEIGHT ? "bar" : "section";
    }
    return NULL;
}

static const char *plain_name(const struct namer *n, int element)
{
    const struct tracer_element *one = &n->all->list[element];
    const struct tracer_element *parent = parent_of(n, one);
    int all;
    int cards = count_children(n, element, NULL, &all);
    if (cards >= 2 && cards == all) {
        return "cards";
    }
    if (count_children(n, element, "button", &all) >= 2 &&
        count_children(n, element, "button", &all) == all) {
        return "buttons";
    }
    if (count_children(n, element, "input", &all) > 0 && all <= 3) {
        return "form-group";
    }
    bool in_row = parent != NULL && tracer_element_lays_out(parent, "row");
    if (is_alike(one)) {
        return in_row ? "column" : "item";
    }
    bool top = parent != NULL && strcmp(parent->tag, "main") == 0;
    return top && one->box.h > BAR_HEIGHT ? "section" : NULL;
}

static const char *container_name(const struct namer *n, int element)
{
    const struct tracer_element *one = &n->all->list[element];
    const struct tracer_element *parent = parent_of(n, one);
    const struct glmv_scene *s = n->scene;
    bool side = one->box.x < 2 || one->box.x + one->box.w > s->width - 2;
    if (side && one->box.h > TALL * s->height && one->box.w < SLIM * s->width &&
        s->width > s->height * 0.5 && parent != NULL && strcmp(parent->role, "sidebar") != 0) {
        return "sidebar";
    }
    if (one->node == NULL || is_role(one, "entry")) {
        return NULL;
    }
    return is_painted(one) ? painted_name(one) : plain_name(n, element);
}

/* The repeated thing that holds an element: its name leads the names of its parts. */
static const char *stem_of(const struct namer *n, const struct tracer_element *element)
{
    static const char *const stems[] = {"card", "item", "column", "sidebar", "entry"};
    for (const struct tracer_element *p = parent_of(n, element); p != NULL; p = parent_of(n, p)) {
        for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++) {
            if (is_role(p, stems[i])) {
                return stems[i];
            }
        }
    }
    return NULL;
}

static bool is_logo(const struct namer *n, const struct tracer_element *one)
{
    return !n->has_logo && strcmp(one->tag, "img") == 0 && one->box.y < TOP &&
           one->box.x < 0.4 * n->scene->width && one->box.w >= LOGO_WIDTH && one->box.h < TOP &&
           !is_alike(one);
}

/* The name of a leaf: a part of what it belongs to, where that repeats. */
static void name_leaf(struct namer *n, struct tracer_element *one)
{
    bool photo = is_role(one, "photo");
    const char *part = is_role(one, "heading") ? "title"
                       : is_role(one, "icon")  ? "icon"
                       : photo                 ? "image"
                       : is_role(one, "text")  ? "text"
                                               : NULL;
    const char *stem = part != NULL && is_alike(one) ? stem_of(n, one) : NULL;
    if (is_logo(n, one)) {
        n->has_logo = true;
        tracer_element_name(one, "logo");
    } else if (photo && n->scene->pictures[one->node->scene_picture].radius >= one->box.w / 2 - 1) {
        tracer_element_name(one, "avatar");
    } else if (stem != NULL) {
        char name[24];
        snprintf(name, sizeof name, "%s-%s", stem, part);
        tracer_element_name(one, name);
    }
}

void tracer_name_roles(struct tracer_elements *all, const struct glmv_scene *scene)
{
    struct namer n = {.all = all, .scene = scene};
    for (int i = 0; i < all->count; i++) {
        struct tracer_element *one = &all->list[i];
        if (is_container(one)) {
            const char *name = container_name(&n, i);
            if (name != NULL) {
                tracer_element_name(one, name);
            }
        } else if (one->node != NULL) {
            name_leaf(&n, one);
        }
    }
}
