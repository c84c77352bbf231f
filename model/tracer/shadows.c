/*
 * Shadows of boxes. A CSS box-shadow is the box, moved and blurred by a Gaussian whose deviation is
 * half the blur (CSS Backgrounds 3, "blur radius"), so its strength beside the middle of a side at
 * distance d is 1 - Phi((d - reach) / deviation), reach being spread plus or minus the offset.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    DEPTH = 48,    /* px that are looked at beside a side */
    MIN_SIDE = 20, /* px of a box */
    PLACES = 5,    /* points of a side */
    MIN_DROP = 3,  /* levels */
    GROUND_AREA = 2000,
    MIN_POINTS = 5,
    STACK_MAX = 8,     /* boxes that cast one shadow */
    STACK_WIDTH = 120, /* px */
};

#define DARKER 1.3 /* times what is seen at the lower side */
#define STAYS 0.7  /* of what is seen beside a side, at the end of what is looked at */
#define FADED 0.25 /* of its strongest, where a shadow has nearly ended */

/* What lies under a shadow: the colour of a surface, or its gradient. */
struct ground {
    double rgb[3];
    const struct model_region *slope; /* NULL where it is of one colour */
};

/* How much darker than the ground it is beside each side, by distance; valid up to length. */
struct profile {
    double drop[4][DEPTH];
    int length[4];
};

static double phi(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

static void ground_at(const struct ground *ground, int x, int y, double *rgb)
{
    if (ground->slope != NULL) {
        const struct model_region *g = ground->slope;
        model_ramp_at(g->ramp, x - g->r.x0 + 0.5, y - g->r.y0 + 0.5, rgb);
        return;
    }
    memcpy(rgb, ground->rgb, sizeof ground->rgb);
}

static double drop_at(const struct model_view *view, const struct ground *ground, int x, int y)
{
    if (x < 0 || y < 0 || x >= view->w || y >= view->h) {
        return NAN;
    }
    const uint8_t *p = model_px(view, x, y);
    double rgb[3];
    ground_at(ground, x, y, rgb);
    return (rgb[0] + rgb[1] + rgb[2] - p[0] - p[1] - p[2]) / 3;
}

/* The median of the places that are known. */
static double median(double *v, int n)
{
    for (int i = 1; i < n; i++) {
        double keep = v[i];
        int k = i;
        for (; k > 0 && v[k - 1] > keep; k--) {
            v[k] = v[k - 1];
        }
        v[k] = keep;
    }
    return n > 0 ? v[n / 2] : NAN;
}

static void measure(const struct model_view *view, const struct glmv_box *b,
                    const struct ground *ground, struct profile *out)
{
    for (int side = 0; side < 4; side++) {
        bool across = side == GLMV_TOP || side == GLMV_BOTTOM;
        out->length[side] = 0;
        for (int d = 0; d < DEPTH; d++) {
            double seen[PLACES];
            int n = 0;
            for (int i = 0; i < PLACES; i++) {
                double t = 0.2 + 0.6 * i / (PLACES - 1);
                int x = across              ? (int)(b->x + t * b->w)
                        : side == GLMV_LEFT ? (int)b->x - 1 - d
                                            : (int)(b->x + b->w) + d;
                int y = !across            ? (int)(b->y + t * b->h)
                        : side == GLMV_TOP ? (int)b->y - 1 - d
                                           : (int)(b->y + b->h) + d;
                double v = drop_at(view, ground, x, y);
                if (!isnan(v)) {
                    seen[n++] = v;
                }
            }
            double v = median(seen, n);
            /* Darker again, lighter than the ground or a sudden end: something else begins here. */
            double before = d > 0 ? out->drop[side][d - 1] : v;
            if (isnan(v) || v < -1.5 || v > before + 1 || before - v > 2 + 0.6 * before) {
                break;
            }
            out->drop[side][d] = v;
            out->length[side] = d + 1;
        }
    }
}

/* No side of a shadow is darker than the lower one, and all fade: others lie on something else. */
static void drop_other_grounds(struct profile *p)
{
    double most = p->length[GLMV_BOTTOM] > 0 ? p->drop[GLMV_BOTTOM][0] : 0;
    for (int side = 0; side < 4; side++) {
        int n = p->length[side];
        bool darker = n > 0 && p->drop[side][0] > DARKER * most + MIN_DROP;
        bool stays = n == DEPTH && p->drop[side][n - 1] > STAYS * p->drop[side][0] + MIN_DROP;
        p->length[side] = darker || stays ? 0 : n;
    }
}

/* Squared error of a shadow against the profile; the strength that fits best comes back. */
static double misfit(const struct profile *p, const double *reach, double deviation,
                     double *strength)
{
    double mm = 0;
    double mv = 0;
    double vv = 0;
    for (int side = 0; side < 4; side++) {
        for (int d = 0; d < p->length[side]; d++) {
            double m = 1 - phi((d + 0.5 - reach[side]) / deviation);
            mm += m * m;
            mv += m * p->drop[side][d];
            vv += p->drop[side][d] * p->drop[side][d];
        }
    }
    *strength = mm > 0 ? mv / mm : 0;
    return vv - *strength * mv;
}

static bool fit(const struct profile *p, struct glmv_scene_shadow *out, double *strength)
{
    static const double blurs[] = {1,  2,  3,  4,  5,  6,  8,  10, 12, 15,
                                   16, 18, 20, 24, 28, 30, 35, 40, 50, 60};
    static const double downs[] = {0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 20};
    static const double spreads[] = {0, 1, 2, -1, -2, -3, -4, -6};
    double best = 1e18;
    int points = 0;
    for (int side = 0; side < 4; side++) {
        points += p->length[side];
    }
    for (size_t s = 0; s < sizeof spreads / sizeof spreads[0]; s++) {
        for (size_t b = 0; b < sizeof blurs / sizeof blurs[0]; b++) {
            for (size_t y = 0; y < sizeof downs / sizeof downs[0]; y++) {
                const double reach[4] = {spreads[s] - downs[y], spreads[s], spreads[s] + downs[y],
                                         spreads[s]};
                double a = 0;
                /* The simplest shadow among equals. */
                double cost = misfit(p, reach, blurs[b] / 2, &a) * (1 + 0.02 * fabs(spreads[s])) +
                              0.01 * fabs(spreads[s]);
                if (cost < best && a > 0 && a < 200) {
                    best = cost;
                    *strength = a;
                    *out = (struct glmv_scene_shadow){true, 0, downs[y], blurs[b], spreads[s], 0};
                }
            }
        }
    }
    return points >= MIN_POINTS && sqrt(best / points) < fmax(1.2, 0.12 * *strength);
}

/* The surface that a box lies on: the first that is met below it. */
static bool ground_of(const struct model_view *view, const struct glmv_box *b,
                      struct ground *ground)
{
    int x = (int)(b->x + b->w / 2);
    for (int y = (int)(b->y + b->h); y < model_min((int)(b->y + b->h) + DEPTH, view->h); y++) {
        int32_t l = view->label[y * view->w + x];
        if (l < 0 || !view->regions[l].surface || view->regions[l].area < GROUND_AREA) {
            continue;
        }
        const struct model_region *g = &view->regions[l];
        ground->slope = g->ramp != NULL ? g : NULL;
        for (int c = 0; c < 3; c++) {
            ground->rgb[c] = g->rgb[c];
        }
        ground_at(ground, x, (int)(b->y + b->h), ground->rgb);
        /* On black no shadow is seen, and a plane's colour is not one. */
        bool even = !g->gradient || g->ramp != NULL;
        return even && ground->rgb[0] + ground->rgb[1] + ground->rgb[2] > 150;
    }
    return false;
}

/* The hue of the shadow from what it takes from each channel at its darkest. */
static uint32_t colour_of(const struct model_view *view, const struct glmv_box *b,
                          const double *ground, double strength)
{
    int x = (int)(b->x + b->w / 2);
    int y = (int)(b->y + b->h);
    double drop[3] = {strength, strength, strength};
    if (y < view->h) {
        const uint8_t *p = model_px(view, x, y);
        double mean = (ground[0] + ground[1] + ground[2] - p[0] - p[1] - p[2]) / 3;
        for (int c = 0; c < 3 && mean > 4; c++) {
            drop[c] = strength * (ground[c] - p[c]) / mean;
        }
    }
    double alpha = 0;
    for (int c = 0; c < 3; c++) {
        alpha = fmax(alpha, ground[c] > 0 ? drop[c] / ground[c] : 0);
    }
    alpha = fmin(1, alpha);
    uint8_t rgb[3];
    for (int c = 0; c < 3; c++) {
        rgb[c] = (uint8_t)lround(fmax(0, fmin(255, alpha > 0 ? ground[c] - drop[c] / alpha : 0)));
    }
    return (model_rgba(rgb) & 0xffffff00U) | (uint32_t)lround(alpha * 255);
}

/* Whether a shadow is seen until it fades, and does not run into another. */
static bool fades(const struct profile *p, double darkest)
{
    int seen = 0;
    for (int side = 0; side < 4; side++) {
        seen += p->length[side] >= 3 && p->drop[side][p->length[side] - 1] <= FADED * darkest;
    }
    return seen >= 3;
}

/* Measures the shadow of a rectangle. whole: only one that is seen as a whole. */
static bool shadow_of(const struct model_view *view, const struct glmv_box *b, bool whole,
                      struct glmv_scene_shadow *out)
{
    struct ground ground;
    struct profile profile;
    if (b->w < MIN_SIDE || b->h < MIN_SIDE || b->w >= view->w || !ground_of(view, b, &ground)) {
        return false;
    }
    measure(view, b, &ground, &profile);
    drop_other_grounds(&profile);
    double darkest = 0;
    for (int side = 0; side < 4; side++) {
        if (profile.length[side] >= 3) {
            darkest = fmax(darkest, profile.drop[side][0]);
        }
    }
    double strength = 0;
    struct glmv_scene_shadow shadow;
    if (darkest < MIN_DROP || profile.length[GLMV_BOTTOM] < 3 ||
        (whole && !fades(&profile, darkest)) || !fit(&profile, &shadow, &strength)) {
        return false;
    }
    shadow.color = colour_of(view, b, ground.rgb, strength);
    *out = shadow;
    return true;
}

/* Takes over the sides of a profile that fade and are not known yet. */
static int take_fading(const struct profile *from, double darkest, struct profile *out)
{
    int taken = 0;
    for (int side = 0; side < 4; side++) {
        int n = from->length[side];
        if (out->length[side] == 0 && n >= 3 && from->drop[side][n - 1] <= FADED * darkest) {
            memcpy(out->drop[side], from->drop[side], sizeof out->drop[side]);
            out->length[side] = n;
            taken++;
        }
    }
    return taken;
}

bool model_shadow_around(const struct model_view *view, const struct glmv_box *boxes, int count,
                         struct glmv_scene_shadow *out)
{
    struct profile all = {0};
    struct ground ground = {0};
    const struct glmv_box *dark = NULL; /* where the shadow is seen at its darkest */
    double darkest = 0;
    int sides = 0;
    for (int i = 0; i < count; i++) {
        struct profile one;
        struct ground under;
        if (!ground_of(view, &boxes[i], &under)) {
            continue;
        }
        measure(view, &boxes[i], &under, &one);
        drop_other_grounds(&one);
        double most = 0;
        for (int side = 0; side < 4; side++) {
            most = fmax(most, one.length[side] > 0 ? one.drop[side][0] : 0);
        }
        sides += most >= MIN_DROP ? take_fading(&one, most, &all) : 0;
        if (most > darkest) {
            darkest = most;
            dark = &boxes[i];
            ground = under;
        }
    }
    double strength = 0;
    if (sides < 2 || dark == NULL || !fit(&all, out, &strength)) {
        return false;
    }
    out->color = colour_of(view, dark, ground.rgb, strength);
    return true;
}

/* Whether a box goes on below another, as the body of a card does below its head. */
static bool goes_on(const struct glmv_scene_box *a, const struct glmv_scene_box *b)
{
    return fabs(a->box.x - b->box.x) <= 1 && fabs(a->box.w - b->box.w) <= 2 &&
           fabs(a->box.y + a->box.h - b->box.y) <= 1;
}

/* The box that begins at the given one and ends where the last below it does. Returns how many it
 * consists of; members holds them. */
static int stack_of(const struct glmv_scene *scene, size_t first, size_t *members,
                    struct glmv_scene_box *out)
{
    int n = 1;
    size_t last = first;
    members[0] = first;
    *out = (struct glmv_scene_box){.box = scene->boxes[first].box, .fill = GLMV_FILL_NONE};
    for (size_t i = 0; i < scene->box_count && n < STACK_MAX; i++) {
        if (i != last && goes_on(&scene->boxes[last], &scene->boxes[i])) {
            last = i;
            members[n++] = i;
            i = (size_t)-1; /* boxes come by size, not by place */
        }
    }
    const struct glmv_scene_box *end = &scene->boxes[last];
    out->box.h = end->box.y + end->box.h - out->box.y;
    for (int c = 0; c < 4; c++) {
        out->radius[c] = c < 2 ? scene->boxes[first].radius[c] : end->radius[c];
    }
    return n;
}

static bool is_below_another(const struct glmv_scene *scene, size_t i)
{
    for (size_t k = 0; k < scene->box_count; k++) {
        if (k != i && goes_on(&scene->boxes[k], &scene->boxes[i])) {
            return true;
        }
    }
    return false;
}

/* The head, the body and the foot of a card cast one shadow: appends a box for each such card, and
 * tells which boxes are part of one. */
static bool find_stacks(const struct model_view *view, const struct glmv_scene *scene, bool *part,
                        struct glmv_scene_box **found, size_t *found_count, struct glmv_err *err)
{
    for (size_t i = 0; i < scene->box_count; i++) {
        size_t members[STACK_MAX];
        struct glmv_scene_box whole;
        const struct glmv_box *b = &scene->boxes[i].box;
        if (b->w < STACK_WIDTH || b->h < 2 || is_below_another(scene, i)) {
            continue;
        }
        int n = stack_of(scene, i, members, &whole);
        if (n < 2 || !shadow_of(view, &whole.box, true, &whole.shadow)) {
            continue;
        }
        for (int k = 0; k < n; k++) {
            part[members[k]] = true;
        }
        struct glmv_scene_box *slot = model_grow((void **)found, found_count, sizeof **found, err);
        if (slot == NULL) {
            return false;
        }
        *slot = whole;
    }
    return true;
}

bool model_shadows_find(const struct model_view *view, struct glmv_scene *scene,
                        struct glmv_err *err)
{
    bool *part = calloc(scene->box_count + 1, sizeof *part);
    struct glmv_scene_box *found = NULL;
    size_t found_count = 0;
    bool ok = part != NULL || glmv_fail_memory(err);
    ok = ok && find_stacks(view, scene, part, &found, &found_count, err);
    for (size_t i = 0; ok && i < scene->box_count; i++) {
        if (!part[i] && !scene->boxes[i].shadow.present) {
            shadow_of(view, &scene->boxes[i].box, false, &scene->boxes[i].shadow);
        }
    }
    for (size_t i = 0; ok && i < found_count; i++) {
        ok = model_scene_insert_box(scene, &found[i], err);
    }
    free(part);
    free(found);
    return ok;
}
