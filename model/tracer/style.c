/* The style sheet: variables, what holds for every page of the tracer, the classes of this one. */
#include "model/tracer/style.h"
#include "model/tracer/spacing.h"

#include <stdio.h>
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

/* A rule of the base sheet, and the tags or layouts of which a page needs one to have it; NULL: all
 * pages have it. */
struct base_rule {
    const char *used;
    const char *text;
};

/* Whether one of some words, each between blanks, is a tag or a layout of the page. */
static bool is_used(const struct tracer_elements *all, const char *words)
{
    char word[24];
    for (int i = 0; words != NULL && i < all->count; i++) {
        const struct tracer_element *one = &all->list[i];
        snprintf(word, sizeof word, " %s ", one->tag);
        if (strstr(words, word) != NULL) {
            return true;
        }
        const char *layout = one->layout != NULL ? one->layout : "";
        int first = (int)strcspn(layout, " "); /* of "layers layers-apart" */
        snprintf(word, sizeof word, " .%.*s ", first < 18 ? first : 18, layout);
        if (one->layout != NULL && strstr(words, word) != NULL) {
            return true;
        }
    }
    return words == NULL;
}

static bool put_base(const struct tracer_elements *all, const struct base_rule *rules, size_t count,
                     struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = !is_used(all, rules[i].used) ||
             (glmv_buf_append_str(out, rules[i].text, err) && glmv_buf_append_str(out, "\n", err));
    }
    return ok;
}

static bool put_reset(const struct tracer_elements *all, struct glmv_buf *out, struct glmv_err *err)
{
    static const struct base_rule rules[] = {
        {NULL, "\n/* Reset */"},
        {NULL, "*, *::before, *::after { box-sizing: border-box; margin: 0; padding: 0; }"},
        {NULL, "div, header, main, footer, nav, section, aside "
               "{ display: flow-root; min-width: 0; max-width: 100%; }"},
        {NULL, "h1, h2, h3, h4, h5, h6, button, input { font: inherit; }"},
        {NULL, "h1, h2, h3, h4, h5, h6, p, pre { overflow-wrap: anywhere; }"},
        {" pre ", "pre { white-space: pre; overflow-x: auto; }"},
        {" a ", "a { color: inherit; text-decoration: none; }"},
        {" ul ol ", "ul, ol { list-style: none; }"},
        {" img ", "img { display: block; flex: none; max-width: 100%; }"},
        {" table ", "table { width: 100%; table-layout: fixed; border-spacing: 0; }"},
        {" table ", "td, th { vertical-align: top; text-align: left; font-weight: inherit; }"},
        {" button input ",
         "button, input { display: block; min-width: 0; max-width: 100%; border: 0; "
         "border-radius: 0; appearance: none; color: inherit; text-align: inherit; "
         "background: none; }"},
        {" button ", "button { white-space: nowrap; }"},
        {" input ", "input::placeholder { color: inherit; opacity: 1; }"},
    };
    return put_base(all, rules, sizeof rules / sizeof rules[0], out, err);
}

/* How things lie beside, below and over each other. */
static bool put_layout(const struct tracer_elements *all, struct glmv_buf *out,
                       struct glmv_err *err)
{
    static const struct base_rule rules[] = {
        {NULL, "\n/* Layout */"},
        {" .row ", ".row { display: flex; align-items: flex-start; }"},
        {" .stack ", ".stack { display: flex; flex-direction: column; }"},
        {" .grid ", ".grid { display: grid; align-items: start; }"},
        {" .layers ", "/* Things over each other: all in one cell, the first one at the back. */\n"
                      ".layers { display: grid; grid-template-columns: minmax(0, 1fr); }\n"
                      ".layers > * { grid-area: 1 / 1; }\n"
                      ".layers > :first-child { place-self: start; }"},
        {NULL, "/* Texts of one line stay on it while the page has room; paragraphs wrap. */\n"
               "h1, h2, h3, h4, h5, h6, p, li, nav a { min-width: max-content; }"},
        {" span ", "button span { display: block; min-width: max-content; }"},
        {" .paragraph ", ".paragraph { min-width: 0; }"},
    };
    return put_base(all, rules, sizeof rules / sizeof rules[0], out, err);
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
                            "  button { white-space: normal; }\n"
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

/* Which part of the sheet a class belongs to: layout, components, text. */
static int part_of(const char *role)
{
    static const char *const layout[] = {"group", "section", "sidebar", "bar",   "band",
                                         "panel", "column",  "columns", "cards", "buttons",
                                         "layer", "header",  "footer",  "main",  "form-group"};
    static const char *const text[] = {"text",   "heading", "link", "strong", "em",
                                       "accent", "small",   "code", "token"};
    for (size_t i = 0; i < sizeof layout / sizeof layout[0]; i++) {
        if (strcmp(role, layout[i]) == 0) {
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        if (strcmp(role, text[i]) == 0) {
            return 2;
        }
    }
    return 1;
}

static bool put_classes(struct tracer_classes *classes, struct glmv_buf *out, struct glmv_err *err)
{
    static const char *const titles[] = {"Parts of the page", "Components", "Text"};
    bool ok = true;
    for (int part = 0; ok && part < 3; part++) {
        bool any = false;
        for (int i = 0; ok && i < classes->count; i++) {
            const struct tracer_class *one = &classes->list[i];
            if (part_of(one->said.role) != part) {
                continue;
            }
            ok = (any || glmv_buf_appendf(out, err, "\n/* %s */\n", titles[part])) &&
                 glmv_buf_appendf(out, err, ".%s {\n", one->name) &&
                 put_rules(&one->said, out, err) && glmv_buf_append_str(out, "}\n", err);
            any = true;
        }
    }
    return ok && tracer_utilities_write(&classes->utilities, out, err);
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
              tracer_classes_find(&e->elements, &classes, e->err) &&
              put_reset(&e->elements, &rules, e->err) && put_body_rule(e, &body, &rules) &&
              put_layout(&e->elements, &rules, e->err) && put_classes(&classes, &rules, e->err) &&
              put_narrow(e->draft->scene->width, &rules, e->err) &&
              tracer_sheet_write(&e->sheet, out, e->err) &&
              glmv_buf_append(out, rules.data, rules.len, e->err);
    glmv_buf_release(&rules);
    tracer_classes_release(&classes);
    tracer_element_release(&body);
    return ok;
}
