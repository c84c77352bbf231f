/* The style sheet: variables, what holds for every page of the tracer, the classes of this one. */
#include "model/tracer/style.h"
#include "model/tracer/spacing.h"

#include <stdlib.h>
#include <string.h>

#define NARROW 0.95 /* of the picture's width: below it rows break and lines wrap */

static bool put_rules(const struct tracer_element *said, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < said->rule_count; i++) {
        ok = glmv_buf_appendf(out, err, "  %s: ", said->rules[i].name) &&
             glmv_buf_append_str(out, said->rules[i].value, err) &&
             glmv_buf_append_str(out, ";\n", err);
    }
    return ok;
}

/* The rules that do not depend on the page. */
static bool put_base(struct glmv_buf *out, struct glmv_err *err)
{
    return glmv_buf_append_str(
        out,
        "\n/* Reset */\n"
        "*, *::before, *::after { box-sizing: border-box; margin: 0; padding: 0; }\n"
        "div, header, main, footer, nav { display: flow-root; min-width: 0; max-width: 100%; }\n"
        "h1, h2, h3, h4, h5, h6, button, input { font: inherit; }\n"
        "h1, h2, h3, h4, h5, h6, p, pre { overflow-wrap: anywhere; }\n"
        "pre { white-space: pre; overflow-x: auto; }\n"
        "a { color: inherit; text-decoration: none; }\n"
        "ul { list-style: none; }\n"
        "img { display: block; flex: none; max-width: 100%; }\n"
        "table { width: 100%; table-layout: fixed; border-spacing: 0; }\n"
        "td, th { vertical-align: top; text-align: left; font-weight: inherit; }\n"
        "button, input { display: block; min-width: 0; max-width: 100%; border: 0; border-radius: "
        "0; "
        "appearance: none; color: inherit; text-align: inherit; background: none; }\n"
        "button span { display: block; }\n"
        "input::placeholder { color: inherit; opacity: 1; }\n"
        "\n/* Layout */\n"
        ".row { display: flex; align-items: flex-start; }\n"
        ".stack { display: flex; flex-direction: column; }\n"
        ".grid { display: grid; align-items: start; }\n"
        "/* Things over each other: all in one cell, the first one at the back. */\n"
        ".layers { display: grid; grid-template-columns: minmax(0, 1fr); }\n"
        ".layers > * { grid-area: 1 / 1; }\n"
        ".layers > :first-child { place-self: start; }\n"
        "/* Texts of one line stay on it while the page has room; paragraphs wrap. */\n"
        "h1, h2, h3, h4, h5, h6, p, li, nav a, button span { min-width: max-content; }\n"
        ".paragraph { min-width: 0; }\n",
        err);
}

/* A page that is narrower than the picture. */
static bool put_narrow(int width, struct glmv_buf *out, struct glmv_err *err)
{
    return glmv_buf_appendf(out, err,
                            "\n@media (max-width: %.0fpx) {\n"
                            "  .row { flex-wrap: wrap; }\n"
                            "  .layers-apart { display: block; }\n"
                            "  h1, h2, h3, h4, h5, h6, p, li, nav a, button span "
                            "{ min-width: 0; }\n"
                            "  img { flex: 0 1 auto; min-width: 0; height: auto; }\n"
                            "}\n",
                            NARROW * width);
}

static bool put_body_rule(struct tracer_emitter *e, const struct tracer_element *body,
                          struct glmv_buf *out)
{
    const struct glmv_scene *s = e->draft->scene;
    return glmv_buf_append_str(out, "body {\n  display: flow-root;\n  background: ", e->err) &&
           tracer_sheet_color(&e->sheet, s->background, out, e->err) &&
           glmv_buf_appendf(out, e->err, ";\n  min-height: %dpx;\n", s->height) &&
           put_rules(body, out, e->err) && glmv_buf_append_str(out, "}\n", e->err);
}

static int by_name(const void *pa, const void *pb)
{
    const struct tracer_rule *a = pa;
    const struct tracer_rule *b = pb;
    int order = strncmp(a->name, b->name, 4);
    return order != 0 ? order : atoi(a->name + 4) - atoi(b->name + 4);
}

/* The classes that set one distance: last, so that they hold. */
static bool put_spaces(struct tracer_classes *classes, struct glmv_buf *out, struct glmv_err *err)
{
    struct tracer_element *spaces = &classes->spaces;
    if (spaces->rule_count == 0) {
        return true;
    }
    qsort(spaces->rules, (size_t)spaces->rule_count, sizeof *spaces->rules, by_name);
    bool ok =
        glmv_buf_append_str(out, "\n/* Distances: mt-8 is a margin of 8 px at the top */\n", err);
    for (int i = 0; ok && i < spaces->rule_count; i++) {
        ok = glmv_buf_appendf(out, err, "%s\n", spaces->rules[i].name);
    }
    return ok;
}

static bool put_classes(struct tracer_classes *classes, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, "\n/* Components, in document order */\n", err);
    for (int i = 0; ok && i < classes->count; i++) {
        ok = glmv_buf_appendf(out, err, ".%s {\n", classes->list[i].name) &&
             put_rules(&classes->list[i].said, out, err) && glmv_buf_append_str(out, "}\n", err);
    }
    return ok && put_spaces(classes, out, err);
}

bool tracer_style_write(struct tracer_emitter *e, struct glmv_buf *out)
{
    struct tracer_element body = {0};
    struct tracer_classes classes = {0};
    struct glmv_buf rules; /* the variables come first and are known last */
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    tracer_name_roles(&e->elements, e->draft->scene);
    bool ok = tracer_spacing(&e->elements, e->draft->scene->width, e->err) &&
              tracer_inherit(&e->elements, &body, e->err) &&
              tracer_classes_find(&e->elements, &classes, e->err) && put_base(&rules, e->err) &&
              put_body_rule(e, &body, &rules) && put_classes(&classes, &rules, e->err) &&
              put_narrow(e->draft->scene->width, &rules, e->err) &&
              tracer_sheet_write(&e->sheet, out, e->err) &&
              glmv_buf_append(out, rules.data, rules.len, e->err);
    glmv_buf_release(&rules);
    tracer_classes_release(&classes);
    tracer_element_release(&body);
    return ok;
}
