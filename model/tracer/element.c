#include "model/tracer/element.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/emit.h"

enum { VALUE_MAX = 64 };

static void release_rule(struct tracer_rule *rule)
{
    free(rule->name);
    free(rule->value);
}

void tracer_element_release(struct tracer_element *element)
{
    for (int k = 0; k < element->rule_count; k++) {
        release_rule(&element->rules[k]);
    }
    free(element->rules);
    free(element->classes);
}

void tracer_elements_release(struct tracer_elements *all)
{
    for (int i = 0; i < all->count; i++) {
        tracer_element_release(&all->list[i]);
    }
    free(all->list);
    *all = (struct tracer_elements){0};
}

struct tracer_element *tracer_element_add(struct tracer_elements *all, const char *tag,
                                          const char *role, int depth)
{
    if (all->count == all->cap) {
        int cap = all->cap == 0 ? 128 : all->cap * 2;
        struct tracer_element *grown = realloc(all->list, (size_t)cap * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        all->list = grown;
        all->cap = cap;
    }
    int parent = all->count - 1;
    while (parent >= 0 && all->list[parent].depth >= depth) {
        parent = all->list[parent].parent;
    }
    struct tracer_element *element = &all->list[all->count++];
    *element = (struct tracer_element){.parent = parent, .depth = depth};
    tracer_element_name(element, role);
    strncpy(element->tag, tag, sizeof element->tag - 1);
    return element;
}

void tracer_element_name(struct tracer_element *element, const char *role)
{
    snprintf(element->role, sizeof element->role, "%s", role);
}

/* Takes both strings. */
static bool add_rule(struct tracer_element *element, char *name, char *value, struct glmv_err *err)
{
    bool ok = name != NULL && value != NULL;
    if (ok && element->rule_count == element->rule_cap) {
        int cap = element->rule_cap == 0 ? 8 : element->rule_cap * 2;
        struct tracer_rule *grown = realloc(element->rules, (size_t)cap * sizeof *grown);
        ok = grown != NULL;
        if (ok) {
            element->rules = grown;
            element->rule_cap = cap;
        }
    }
    if (!ok) {
        free(name);
        free(value);
        return glmv_fail_memory(err);
    }
    element->rules[element->rule_count++] = (struct tracer_rule){name, value};
    return true;
}

/* The end of a declaration: the next semicolon outside of brackets. An address may hold some. */
static const char *end_of(const char *p)
{
    for (int open = 0; *p != '\0' && (*p != ';' || open > 0); p++) {
        open += (*p == '(') - (*p == ')');
    }
    return p;
}

bool tracer_element_declare(struct tracer_element *element, const char *rules, struct glmv_err *err)
{
    bool ok = true;
    for (const char *p = rules; ok && p != NULL && *p != '\0';) {
        p += strspn(p, " ;");
        const char *end = end_of(p);
        const char *colon = memchr(p, ':', (size_t)(end - p));
        if (colon != NULL) {
            const char *value = colon + 1 + strspn(colon + 1, " ");
            char name[32] = "";
            size_t len = (size_t)(colon - p);
            memcpy(name, p, len < sizeof name ? len : sizeof name - 1);
            tracer_element_drop(element, name); /* the later one holds */
            ok = add_rule(element, strdup(name), strndup(value, (size_t)(end - value)), err);
        }
        p = end;
    }
    return ok;
}

static struct tracer_rule *find(const struct tracer_element *element, const char *name)
{
    for (int i = 0; i < element->rule_count; i++) {
        if (strcmp(element->rules[i].name, name) == 0) {
            return &element->rules[i];
        }
    }
    return NULL;
}

const char *tracer_element_find(const struct tracer_element *element, const char *name)
{
    const struct tracer_rule *rule = find(element, name);
    return rule != NULL ? rule->value : NULL;
}

bool tracer_element_set(struct tracer_element *element, const char *name, const char *value,
                        struct glmv_err *err)
{
    struct tracer_rule *rule = find(element, name);
    char *fresh = strdup(value);
    if (rule == NULL || fresh == NULL) {
        return add_rule(element, fresh != NULL ? strdup(name) : NULL, fresh, err);
    }
    free(rule->value);
    rule->value = fresh;
    return true;
}

bool tracer_element_set_px(struct tracer_element *element, const char *name, double px,
                           struct glmv_err *err)
{
    struct glmv_buf text;
    glmv_buf_init(&text, VALUE_MAX);
    bool ok = tracer_px(px, &text, err) && tracer_element_set(element, name, text.data, err);
    glmv_buf_release(&text);
    return ok;
}

void tracer_element_drop(struct tracer_element *element, const char *name)
{
    struct tracer_rule *rule = find(element, name);
    if (rule != NULL) {
        release_rule(rule);
        size_t after = (size_t)(element->rules + --element->rule_count - rule);
        memmove(rule, rule + 1, after * sizeof *rule);
    }
}

bool tracer_element_lays_out(const struct tracer_element *element, const char *layout)
{
    return element->layout != NULL && strcmp(element->layout, layout) == 0;
}

bool tracer_element_equal(const struct tracer_element *a, const struct tracer_element *b)
{
    bool same = a->rule_count == b->rule_count;
    for (int i = 0; same && i < a->rule_count; i++) {
        const char *other = tracer_element_find(b, a->rules[i].name);
        same = other != NULL && strcmp(other, a->rules[i].value) == 0;
    }
    return same;
}
