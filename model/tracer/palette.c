/*
 * The colours of a page. Smoothed edges make each text and border a little another colour than its
 * author's: those the eye cannot tell apart are one. Named by hue and darkness, as palettes are:
 * --gray-90 is a light one, --blue-600 a dark one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/emit.h"

#define SAME_EDGE 2.3   /* CIEDE2000 of texts, borders and ends of gradients that are one */
#define SAME_GROUND 0.6 /* of large areas, whose colours are exact */
#define SAME_SMALL 1.9  /* of small ones, which are round or lie on gradients */
#define SMALL 100.0     /* px */
#define LARGE 4000.0
#define STOP_PX 1.0     /* what an end of a gradient shows of its colour, which is a guess */
#define GRAY_SHARE 0.12 /* of chroma in the lightness below which a colour is a gray */
#define DEGREE (3.14159265358979 / 180)

struct lab {
    double l, a, b;
};

static double linear(uint32_t channel)
{
    double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double curve(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116;
}

static struct lab lab_of(uint32_t rgba)
{
    double r = linear(rgba >> 24);
    double g = linear(rgba >> 16 & 255);
    double b = linear(rgba >> 8 & 255);
    double x = curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
    double y = curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
    double z = curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
    return (struct lab){116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

/* Degrees of a hue, 0..360. */
static double hue_of(double a, double b)
{
    double h = a == 0 && b == 0 ? 0 : atan2(b, a) / DEGREE;
    return h < 0 ? h + 360 : h;
}

/* CIEDE2000: 1 is what one just sees between areas that touch. */
static double distance(uint32_t p, uint32_t q)
{
    struct lab one = lab_of(p);
    struct lab two = lab_of(q);
    double mean = (hypot(one.a, one.b) + hypot(two.a, two.b)) / 2;
    double grey = 0.5 * (1 - sqrt(pow(mean, 7) / (pow(mean, 7) + pow(25, 7))));
    double a1 = one.a * (1 + grey);
    double a2 = two.a * (1 + grey);
    double c1 = hypot(a1, one.b);
    double c2 = hypot(a2, two.b);
    double h1 = hue_of(a1, one.b);
    double h2 = hue_of(a2, two.b);
    double turn = h2 - h1;
    turn += turn > 180 ? -360 : turn < -180 ? 360 : 0;
    turn = c1 * c2 == 0 ? 0 : turn;
    double dl = two.l - one.l;
    double dc = c2 - c1;
    double dh = 2 * sqrt(c1 * c2) * sin(turn / 2 * DEGREE);
    double l = (one.l + two.l) / 2 - 50;
    double c = (c1 + c2) / 2;
    double h = c1 * c2 == 0 ? h1 + h2 : h1 + turn / 2;
    double t = 1 - 0.17 * cos((h - 30) * DEGREE) + 0.24 * cos(2 * h * DEGREE) +
               0.32 * cos((3 * h + 6) * DEGREE) - 0.20 * cos((4 * h - 63) * DEGREE);
    double sl = 1 + 0.015 * l * l / sqrt(20 + l * l);
    double sc = 1 + 0.045 * c;
    double sh = 1 + 0.015 * c * t;
    double h360 = fmod(h + 360, 360);
    double skew = -2 * sqrt(pow(c, 7) / (pow(c, 7) + pow(25, 7))) *
                  sin(60 * exp(-pow((h360 - 275) / 25, 2)) * DEGREE);
    return sqrt(
        fmax(0, pow(dl / sl, 2) + pow(dc / sc, 2) + pow(dh / sh, 2) + skew * dc / sc * dh / sh));
}

/* How far from a colour others are taken for it. */
static double tolerance(const struct tracer_color *color)
{
    if (!color->ground) {
        return SAME_EDGE;
    }
    double share = log(fmax(color->px, SMALL) / SMALL) / log(LARGE / SMALL);
    return share >= 1 ? SAME_GROUND : SAME_SMALL + (SAME_GROUND - SAME_SMALL) * share;
}

static const char *hue_name(uint32_t rgba)
{
    static const struct {
        double to; /* degrees */
        const char *name;
    } hues[] = {{15, "red"},     {44, "orange"},  {70, "yellow"}, {90, "lime"},
                {160, "green"},  {185, "teal"},   {200, "cyan"},  {250, "blue"},
                {290, "violet"}, {320, "purple"}, {346, "pink"},  {361, "red"}};
    double r = (rgba >> 24) / 255.0;
    double g = (rgba >> 16 & 255) / 255.0;
    double b = (rgba >> 8 & 255) / 255.0;
    double most = fmax(r, fmax(g, b));
    double chroma = most - fmin(r, fmin(g, b));
    double room = 1 - fabs(most + fmin(r, fmin(g, b)) - 1);
    if (chroma < 0.03 || chroma / room < GRAY_SHARE || (chroma < 0.16 && chroma / room < 0.32)) {
        return "gray";
    }
    double hue = most == r   ? (g - b) / chroma
                 : most == g ? (b - r) / chroma + 2
                             : (r - g) / chroma + 4;
    hue = fmod(hue * 60 + 360, 360);
    int i = 0;
    while (hue >= hues[i].to) {
        i++;
    }
    return hues[i].name;
}

static bool is_taken(const struct tracer_sheet *sheet, const char *name)
{
    for (size_t i = 0; i < sheet->color_count; i++) {
        if (strcmp(sheet->colors[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void name_color(const struct tracer_sheet *sheet, struct tracer_color *color)
{
    uint32_t rgb = color->rgba >> 8;
    if (rgb == 0xffffff || rgb == 0) {
        snprintf(color->name, sizeof color->name, rgb == 0 ? "black" : "white");
        return;
    }
    int dark = 10 * (int)lround(100 - lab_of(color->rgba).l);
    do {
        snprintf(color->name, sizeof color->name, "%s-%d", hue_name(color->rgba), dark++);
    } while (is_taken(sheet, color->name));
}

/* The colour of the palette that stands for one; NULL without memory. */
static struct tracer_color *color_of(struct tracer_sheet *sheet, uint32_t rgba)
{
    for (size_t i = 0; i < sheet->color_count; i++) {
        if (sheet->colors[i].rgba == rgba) {
            return sheet->colors[i].same_as < 0 ? &sheet->colors[i]
                                                : &sheet->colors[sheet->colors[i].same_as];
        }
    }
    if (sheet->color_count == sheet->color_cap) {
        size_t cap = sheet->color_cap == 0 ? 32 : sheet->color_cap * 2;
        struct tracer_color *grown = realloc(sheet->colors, cap * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        sheet->colors = grown;
        sheet->color_cap = cap;
    }
    struct tracer_color *fresh = &sheet->colors[sheet->color_count];
    *fresh = (struct tracer_color){.rgba = rgba, .same_as = -1};
    name_color(sheet, fresh);
    sheet->color_count++;
    return fresh;
}

/* Counts px that show a colour, as a ground or as the smoothed edges of something. */
static bool count_px(struct tracer_sheet *sheet, uint32_t rgba, bool ground, double px)
{
    struct tracer_color *color = (rgba & 255) == 255 ? color_of(sheet, rgba) : NULL;
    if (color != NULL) {
        color->ground = color->ground || ground;
        color->px += px;
    }
    return color != NULL || (rgba & 255) != 255;
}

static bool count_all(struct tracer_sheet *sheet, const struct glmv_scene *s)
{
    bool ok = count_px(sheet, s->background, true, (double)s->width * s->height);
    for (size_t i = 0; ok && i < s->box_count; i++) {
        const struct glmv_scene_box *box = &s->boxes[i];
        ok = box->fill != GLMV_FILL_SOLID ||
             count_px(sheet, box->color, true, box->box.w * box->box.h);
        for (int k = 0; ok && box->fill == GLMV_FILL_GRADIENT && k < box->stop_count; k++) {
            ok = count_px(sheet, box->stops[k].color, false, STOP_PX);
        }
        for (int side = 0; ok && side < 4; side++) {
            double length = side == GLMV_TOP || side == GLMV_BOTTOM ? box->box.w : box->box.h;
            ok = box->border[side].width <= 0 ||
                 count_px(sheet, box->border[side].color, box->border[side].width >= 3,
                          length * box->border[side].width);
        }
    }
    for (size_t i = 0; ok && i < s->line_count; i++) {
        ok = count_px(sheet, s->lines[i].color, false, s->lines[i].ink.w * s->lines[i].ink.h * 0.2);
    }
    return ok;
}

bool tracer_palette_find(struct tracer_sheet *sheet, const struct glmv_scene *scene,
                         struct glmv_err *err)
{
    if (!count_all(sheet, scene)) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < sheet->color_count; i++) {
        struct tracer_color *one = &sheet->colors[i];
        double nearest = tolerance(one);
        for (size_t k = 0; k < sheet->color_count; k++) {
            const struct tracer_color *other = &sheet->colors[k];
            bool stronger = other->px > one->px || (other->px == one->px && k < i);
            double far = stronger && k != i ? distance(one->rgba, other->rgba) : 1e9;
            if (far < nearest) {
                nearest = far;
                one->same_as = (int)k;
            }
        }
    }
    for (size_t i = 0; i < sheet->color_count;
         i++) { /* along chains: each goes to a stronger one */
        int to = sheet->colors[i].same_as;
        while (to >= 0 && sheet->colors[to].same_as >= 0) {
            to = sheet->colors[to].same_as;
        }
        bool reaches = to >= 0 && distance(sheet->colors[i].rgba, sheet->colors[to].rgba) <=
                                      1.5 * tolerance(&sheet->colors[i]);
        sheet->colors[i].goal = reaches ? to : -1;
    }
    for (size_t i = 0; i < sheet->color_count; i++) {
        sheet->colors[i].same_as = sheet->colors[i].goal;
    }
    return true;
}

bool tracer_sheet_color(struct tracer_sheet *sheet, uint32_t rgba, struct glmv_buf *out,
                        struct glmv_err *err)
{
    if ((rgba & 255) != 255) {
        return glmv_buf_appendf(out, err, "rgb(%u %u %u / %.3g)", (unsigned)(rgba >> 24),
                                (unsigned)(rgba >> 16 & 255), (unsigned)(rgba >> 8 & 255),
                                (rgba & 255) / 255.0);
    }
    struct tracer_color *color = color_of(sheet, rgba);
    if (color == NULL) {
        return glmv_fail_memory(err);
    }
    color->used = true;
    return glmv_buf_appendf(out, err, "var(--%s)", color->name);
}

static int by_name(const void *pa, const void *pb)
{
    const struct tracer_color *a = pa;
    const struct tracer_color *b = pb;
    size_t stem = strcspn(a->name, "-");
    int order = strncmp(a->name, b->name, stem + 1);
    return order != 0 ? order : atoi(a->name + stem + 1) - atoi(b->name + stem + 1);
}

bool tracer_palette_write(struct tracer_sheet *sheet, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    if (sheet->color_count > 0) {
        qsort(sheet->colors, sheet->color_count, sizeof *sheet->colors, by_name);
    }
    for (size_t i = 0; ok && i < sheet->color_count; i++) {
        if (sheet->colors[i].used) {
            ok = glmv_buf_appendf(out, err, "  --%s: #%06x;\n", sheet->colors[i].name,
                                  (unsigned)(sheet->colors[i].rgba >> 8));
        }
    }
    return ok;
}
