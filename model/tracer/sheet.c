#include "model/tracer/emit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GLOW_STOPS = 11 };

#define GLOW_REACH 2.5 /* deviations from the edge of a glow to where it begins and ends */

void tracer_sheet_release(struct tracer_sheet *sheet)
{
    free(sheet->colors);
    memset(sheet, 0, sizeof *sheet);
}

static const char *const family_names[] = {"sans", "serif", "mono"};

static bool write_stacks(const struct tracer_sheet *sheet, struct glmv_buf *out,
                         struct glmv_err *err)
{
    bool ok = true;
    int number[3] = {0};
    for (int i = 0; ok && i < sheet->stack_count; i++) {
        const struct tracer_stack *stack = &sheet->stacks[i];
        int n = ++number[stack->family];
        ok = glmv_buf_appendf(out, err, "  --font-%s", family_names[stack->family]) &&
             (n == 1 || glmv_buf_appendf(out, err, "-%d", n)) &&
             glmv_buf_appendf(out, err, ": %s;\n", stack->text);
    }
    return ok;
}

bool tracer_sheet_write(struct tracer_sheet *sheet, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, ":root {\n", err) && tracer_palette_write(sheet, out, err);
    for (int i = 0; ok && i < sheet->size_count; i++) {
        char name[16];
        tracer_scale_name(sheet, i, name);
        ok = glmv_buf_appendf(out, err, "  --text-%s: ", name) &&
             tracer_px(sheet->sizes[i], out, err) && glmv_buf_append_str(out, ";\n", err);
    }
    return ok && write_stacks(sheet, out, err) && glmv_buf_append_str(out, "}\n", err);
}

bool tracer_px(double value, struct glmv_buf *out, struct glmv_err *err)
{
    double rounded = round(value * 100) / 100;
    if (rounded == 0) {
        return glmv_buf_append_str(out, "0", err);
    }
    return glmv_buf_appendf(out, err, "%.10gpx", rounded);
}

static bool put_ellipse(const struct glmv_scene_box *box, struct glmv_buf *out,
                        struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, "radial-gradient(", err) && tracer_px(box->rx, out, err);
    if (box->rx != box->ry) {
        ok = ok && glmv_buf_append_str(out, " ", err) && tracer_px(box->ry, out, err);
    }
    return ok && glmv_buf_append_str(out, " at ", err) && tracer_px(box->cx, out, err) &&
           glmv_buf_append_str(out, " ", err) && tracer_px(box->cy, out, err);
}

static bool put_gradient(struct tracer_sheet *sheet, const struct glmv_scene_box *box,
                         struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = box->radial ? put_ellipse(box, out, err)
                          : glmv_buf_appendf(out, err, "linear-gradient(%.10gdeg",
                                             round(box->angle * 10) / 10);
    for (int i = 0; ok && i < box->stop_count; i++) {
        ok = glmv_buf_append_str(out, ", ", err) &&
             tracer_sheet_color(sheet, box->stops[i].color, out, err);
        bool implied = box->stops[i].at == (i > 0) && (i == 0 || i == box->stop_count - 1);
        ok = ok && (implied ||
                    glmv_buf_appendf(out, err, " %.10g%%", round(box->stops[i].at * 1000) / 10));
    }
    return ok && glmv_buf_append_str(out, ")", err);
}

/* A slanted end is half of a strip, from corner to corner. */
static bool put_slant(struct tracer_sheet *sheet, const struct glmv_scene_slant *slant, bool bottom,
                      struct glmv_buf *out, struct glmv_err *err)
{
    return glmv_buf_appendf(out, err, "linear-gradient(to %s %s, transparent calc(50%% - 0.5px), ",
                            bottom ? "bottom" : "top", slant->left ? "left" : "right") &&
           tracer_sheet_color(sheet, slant->color, out, err) &&
           glmv_buf_appendf(out, err, " calc(50%% + 0.5px)) %s / 100%% ",
                            bottom ? "bottom" : "top") &&
           tracer_px(slant->depth, out, err) && glmv_buf_append_str(out, " no-repeat, ", err);
}

/* A blurred disc as a gradient that fades out, its ends left out where they change nothing. */
static bool put_glow(const struct glmv_scene_glow *glow, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, "radial-gradient(circle at ", err) &&
              tracer_px(glow->cx, out, err) && glmv_buf_append_str(out, " ", err) &&
              tracer_px(glow->cy, out, err);
    for (int i = 0; ok && i < GLOW_STOPS; i++) {
        double z = GLOW_REACH * (2.0 * i / (GLOW_STOPS - 1) - 1);
        double at = glow->radius + z * glow->deviation;
        double alpha = (glow->color & 255) / 255.0 * 0.5 * erfc(z / sqrt(2));
        bool hidden =
            at < 0 &&
            glow->radius + (z + GLOW_REACH * 2.0 / (GLOW_STOPS - 1)) * glow->deviation <= 0;
        ok = hidden || (glmv_buf_appendf(
                            out, err, ", rgb(%u %u %u / %.3g) ", (unsigned)(glow->color >> 24),
                            (unsigned)(glow->color >> 16 & 255), (unsigned)(glow->color >> 8 & 255),
                            i + 1 < GLOW_STOPS ? alpha : 0.0) &&
                        tracer_px(round(at), out, err));
    }
    return ok && glmv_buf_append_str(out, "), ", err);
}

static bool background_rules(struct tracer_sheet *sheet, const struct glmv_scene_box *box,
                             struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, "background: ", err);
    for (int i = box->glow_count; ok && i-- > 0;) {
        ok = put_glow(&box->glow[i], out, err);
    }
    for (int end = 0; ok && end < 2; end++) {
        ok = box->slant[end].depth <= 0 || put_slant(sheet, &box->slant[end], end == 1, out, err);
    }
    ok = ok && (box->fill == GLMV_FILL_SOLID ? tracer_sheet_color(sheet, box->color, out, err)
                                             : put_gradient(sheet, box, out, err));
    return ok && glmv_buf_append_str(out, "; ", err);
}

static bool same_border(const struct glmv_scene_border *a, const struct glmv_scene_border *b)
{
    return a->width == b->width && a->color == b->color && a->dashed == b->dashed &&
           a->dotted == b->dotted;
}

static bool border_rule(struct tracer_sheet *sheet, const char *name,
                        const struct glmv_scene_border *border, struct glmv_buf *out,
                        struct glmv_err *err)
{
    return glmv_buf_appendf(out, err, "%s: ", name) && tracer_px(border->width, out, err) &&
           glmv_buf_append_str(out,
                               border->dotted   ? " dotted "
                               : border->dashed ? " dashed "
                                                : " solid ",
                               err) &&
           tracer_sheet_color(sheet, border->color, out, err) &&
           glmv_buf_append_str(out, "; ", err);
}

static bool border_rules(struct tracer_sheet *sheet, const struct glmv_scene_box *box,
                         struct glmv_buf *out, struct glmv_err *err)
{
    static const char *const names[] = {"border-top", "border-right", "border-bottom",
                                        "border-left"};
    const struct glmv_scene_border *b = box->border;
    if (b[0].width > 0 && same_border(&b[0], &b[1]) && same_border(&b[0], &b[2]) &&
        same_border(&b[0], &b[3])) {
        return border_rule(sheet, "border", &b[0], out, err);
    }
    bool ok = true;
    for (int side = 0; ok && side < 4; side++) {
        ok = b[side].width <= 0 || border_rule(sheet, names[side], &b[side], out, err);
    }
    return ok;
}

static bool radius_rules(const struct glmv_scene_box *box, struct glmv_buf *out,
                         struct glmv_err *err)
{
    const double *r = box->radius;
    if (r[0] <= 0 && r[1] <= 0 && r[2] <= 0 && r[3] <= 0) {
        return true;
    }
    bool ok = glmv_buf_append_str(out, "border-radius: ", err);
    bool even = r[0] == r[1] && r[0] == r[2] && r[0] == r[3];
    for (int i = 0; ok && i < (even ? 1 : 4); i++) {
        ok = (i == 0 || glmv_buf_append_str(out, " ", err)) && tracer_px(r[i], out, err);
    }
    return ok && glmv_buf_append_str(out, "; ", err);
}

static bool shadow_rules(const struct glmv_scene_box *box, struct glmv_buf *out,
                         struct glmv_err *err)
{
    const struct glmv_scene_shadow *s = &box->shadow;
    if (!s->present) {
        return true;
    }
    return glmv_buf_append_str(out, "box-shadow: ", err) && tracer_px(s->dx, out, err) &&
           glmv_buf_append_str(out, " ", err) && tracer_px(s->dy, out, err) &&
           glmv_buf_append_str(out, " ", err) && tracer_px(s->blur, out, err) &&
           glmv_buf_append_str(out, " ", err) && tracer_px(s->spread, out, err) &&
           glmv_buf_appendf(out, err, " rgb(%u %u %u / %.3g); ", (unsigned)(s->color >> 24),
                            (unsigned)(s->color >> 16 & 255), (unsigned)(s->color >> 8 & 255),
                            (s->color & 255) / 255.0);
}

bool tracer_paint_rules(struct tracer_sheet *sheet, const struct glmv_scene_box *box,
                        struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = box->fill == GLMV_FILL_NONE || background_rules(sheet, box, out, err);
    return ok && border_rules(sheet, box, out, err) && radius_rules(box, out, err) &&
           shadow_rules(box, out, err);
}

/* The fitted family, its metric twins that are common elsewhere, and the generic one. */
static const char *font_stack(const struct glmv_scene_line *line)
{
    static const char *const generic[] = {"sans-serif", "serif", "monospace"};
    static const char *const twins[][2] = {
        {"Liberation Sans", "\"Liberation Sans\", Arial, Helvetica, sans-serif"},
        {"Liberation Serif", "\"Liberation Serif\", \"Times New Roman\", Times, serif"},
        {"Liberation Mono", "\"Liberation Mono\", \"Courier New\", monospace"},
        {"DejaVu Sans Mono", "\"DejaVu Sans Mono\", Menlo, Consolas, monospace"},
        {"DejaVu Sans", "\"DejaVu Sans\", Verdana, sans-serif"},
    };
    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        if (strcmp(line->font, twins[i][0]) == 0) {
            return twins[i][1];
        }
    }
    return generic[line->family];
}

/* What draws Chinese or Japanese, here and on other systems; with a comma behind it. */
static const char *east_asian(const char *lang)
{
    return strcmp(lang, "ja") == 0 ? "\"Noto Sans CJK JP\", \"Hiragino Sans\", \"Yu Gothic\", "
           : strcmp(lang, "zh") == 0
               ? "\"Noto Sans CJK SC\", \"PingFang SC\", \"Microsoft YaHei\", "
               : "";
}

/* "var(--font-sans)", "var(--font-sans-2)": the number-th of its kind. */
static bool put_stack_name(enum glmv_family family, int number, struct glmv_buf *out,
                           struct glmv_err *err)
{
    return number == 1
               ? glmv_buf_appendf(out, err, "var(--font-%s)", family_names[family])
               : glmv_buf_appendf(out, err, "var(--font-%s-%d)", family_names[family], number);
}

/* Appends a font stack as a variable; in full where there are too many. */
static bool put_stack(struct tracer_sheet *sheet, const struct glmv_scene_line *line,
                      struct glmv_buf *out, struct glmv_err *err)
{
    const char *stack = font_stack(line);
    const char *cut = strrchr(stack, ','); /* before the generic family */
    const char *generic = cut != NULL ? cut + 2 : stack;
    const char *east = east_asian(sheet->lang);
    bool named = cut == NULL && line->font[0] != '\0' && strpbrk(line->font, "\"\\<>{};") == NULL &&
                 (*east == '\0' || strstr(line->font, " CJK ") == NULL);
    struct tracer_stack fresh = {.family = line->family};
    snprintf(fresh.text, sizeof fresh.text, "%s%s%s%.*s%s%s", named ? "\"" : "",
             named ? line->font : "", named ? "\", " : "", (int)(generic - stack), stack, east,
             generic);
    int same = 0;
    for (int i = 0; i < sheet->stack_count; i++) {
        same += sheet->stacks[i].family == fresh.family;
        if (strcmp(sheet->stacks[i].text, fresh.text) == 0) {
            return put_stack_name(fresh.family, same, out, err);
        }
    }
    if (sheet->stack_count == TRACER_STACKS) {
        return glmv_buf_append_str(out, fresh.text, err);
    }
    sheet->stacks[sheet->stack_count++] = fresh;
    return put_stack_name(fresh.family, same + 1, out, err);
}

bool tracer_type_rules(struct tracer_sheet *sheet, const struct glmv_scene_line *line,
                       const struct tracer_type *type, double pitch, struct glmv_buf *out,
                       struct glmv_err *err)
{
    int place = tracer_scale_place(sheet, type->font_px);
    double spacing =
        place < 0 ? type->letter_spacing : tracer_scale_spacing(line, type, sheet->sizes[place]);
    char name[16] = "";
    if (place >= 0) {
        tracer_scale_name(sheet, place, name);
    }
    bool ok = glmv_buf_append_str(out, "font-family: ", err) && put_stack(sheet, line, out, err) &&
              glmv_buf_append_str(out, "; font-size: ", err) &&
              (place < 0 ? tracer_px(type->font_px, out, err)
                         : glmv_buf_appendf(out, err, "var(--text-%s)", name)) &&
              glmv_buf_append_str(out, "; line-height: ", err) &&
              (pitch > 0 ? tracer_px(pitch, out, err) : glmv_buf_append_str(out, "1", err)) &&
              glmv_buf_appendf(out, err, "; font-weight: %d; font-style: %s; ", line->weight,
                               line->italic ? "italic" : "normal");
    ok = ok && glmv_buf_append_str(out, "color: ", err) &&
         tracer_sheet_color(sheet, line->color, out, err) && glmv_buf_append_str(out, "; ", err);
    if (ok && fabs(spacing) >= 0.01) {
        ok = glmv_buf_append_str(out, "letter-spacing: ", err) && tracer_px(spacing, out, err) &&
             glmv_buf_append_str(out, "; ", err);
    }
    if (ok && (line->underline || line->strike)) {
        ok = glmv_buf_appendf(out, err, "text-decoration:%s%s; ",
                              line->underline ? " underline" : "",
                              line->strike ? " line-through" : "");
    }
    return ok;
}
