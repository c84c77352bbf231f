#include "diff/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff/colour.h"

#define RING 2             /* px around a region that show its ground */
#define PLAIN_RING 0.97    /* share of one colour that makes a ground */
#define TABLE 2048         /* colours that are counted */
#define SAME_CONTENT 0.98  /* share of pixels that agree in a move */
#define SAME_SHAPE 0.95    /* correlation of luma in a change of colour */
#define FLAT 0.9           /* share of one colour in a box */
#define TEXT_HEIGHT 140    /* px; higher regions are no text */
#define MAX_SAMPLES 250000 /* pixels looked at in a region */

struct frame {
    int l, t, r, b;
};

/* Colours and how often they occur. */
struct tally {
    uint32_t colours[TABLE];
    unsigned counts[TABLE];
    size_t total;
};

/* One picture inside a region. */
struct view {
    const struct glmv_image *image;
    struct frame frame;   /* region and ring, cut to the picture; empty outside of it */
    uint32_t ground;      /* colour of most of the ring */
    double ground_share;  /* of the ring */
    struct frame content; /* what is not ground; empty where l >= r */
    double ink;           /* share of the region that is not ground */
    uint32_t main;        /* most frequent colour of the region */
    double main_share;
    const uint8_t *held; /* for each row, whether the picture has it; NULL when it has all */
    bool *enough;        /* cleared when a row is looked for that is not held */
};

static const uint8_t *at(const struct glmv_image *image, int x, int y)
{
    return image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
}

static uint32_t rgb_at(const struct glmv_image *image, int x, int y)
{
    const uint8_t *p = at(image, x, y);
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static void tally_add(struct tally *t, uint32_t colour)
{
    uint32_t slot = (colour * 2654435761u) >> 21;
    t->total++;
    for (int tries = 0; tries < 16; tries++, slot = (slot + 1) % TABLE) {
        if (t->counts[slot] == 0 || t->colours[slot] == colour) {
            t->colours[slot] = colour;
            t->counts[slot]++;
            return;
        }
    }
}

static uint32_t tally_most(const struct tally *t, double *share)
{
    size_t best = 0;
    for (size_t i = 1; i < TABLE; i++) {
        best = t->counts[i] > t->counts[best] ? i : best;
    }
    *share = t->total > 0 ? (double)t->counts[best] / (double)t->total : 0;
    return t->colours[best];
}

static bool is_ground(const struct view *v, int x, int y)
{
    uint8_t ground[4] = {(uint8_t)(v->ground >> 16), (uint8_t)(v->ground >> 8), (uint8_t)v->ground,
                         255};
    return !glmv_diff_pixel(at(v->image, x, y), ground, 0.05);
}

static bool in_region(const struct glmv_region *r, int x, int y)
{
    return x >= r->x && x < r->x + r->w && y >= r->y && y < r->y + r->h;
}

static int sampling_step(const struct glmv_region *r)
{
    double area = (double)r->w * r->h;
    return area > MAX_SAMPLES ? (int)ceil(sqrt(area / MAX_SAMPLES)) : 1;
}

static void find_content(struct view *v, const struct glmv_region *r)
{
    size_t ink = 0;
    size_t seen = 0;
    int step = sampling_step(r);
    v->content = (struct frame){v->frame.r, v->frame.b, v->frame.l, v->frame.t};
    for (int y = v->frame.t; y < v->frame.b; y += step) {
        for (int x = v->frame.l; x < v->frame.r; x += step) {
            if (!in_region(r, x, y)) {
                continue;
            }
            seen++;
            if (!is_ground(v, x, y)) {
                struct frame *c = &v->content;
                ink++;
                *c = (struct frame){x < c->l ? x : c->l, y < c->t ? y : c->t,
                                    x + 1 > c->r ? x + 1 : c->r, y + 1 > c->b ? y + 1 : c->b};
            }
        }
    }
    v->ink = seen > 0 ? (double)ink / (double)seen : 0;
}

static bool view_init(struct view *v, const struct glmv_image *image, const struct glmv_region *r)
{
    struct tally *ring = calloc(2, sizeof *ring);
    if (ring == NULL) {
        return false;
    }
    struct tally *inside = ring + 1;
    *v = (struct view){.image = image};
    v->frame.l = r->x < RING ? 0 : r->x - RING;
    v->frame.t = r->y < RING ? 0 : r->y - RING;
    v->frame.r = r->x + r->w + RING > image->width ? image->width : r->x + r->w + RING;
    v->frame.b = r->y + r->h + RING > image->height ? image->height : r->y + r->h + RING;
    int step = sampling_step(r);
    for (int y = v->frame.t; y < v->frame.b; y++) {
        for (int x = v->frame.l; x < v->frame.r; x++) {
            if (!in_region(r, x, y)) {
                tally_add(ring, rgb_at(image, x, y));
            } else if (x % step == 0 && y % step == 0) {
                tally_add(inside, rgb_at(image, x, y));
            }
        }
    }
    v->ground = tally_most(ring, &v->ground_share);
    v->main = tally_most(inside, &v->main_share);
    free(ring);
    find_content(v, r);
    return true;
}

static bool is_empty(const struct frame *f)
{
    return f->l >= f->r || f->t >= f->b;
}

static int width_of(const struct frame *f)
{
    return f->r - f->l;
}

static int height_of(const struct frame *f)
{
    return f->b - f->t;
}

/* Whether the contents are the same pixels, wherever they are. */
static bool same_content(const struct view *a, const struct view *b)
{
    int w = width_of(&a->content);
    int h = height_of(&a->content);
    if (w != width_of(&b->content) || h != height_of(&b->content) || w < 3 || h < 3) {
        return false;
    }
    size_t same = 0;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            same += !glmv_diff_pixel(at(a->image, a->content.l + x, a->content.t + y),
                                     at(b->image, b->content.l + x, b->content.t + y),
                                     GLMV_DIFF_THRESHOLD);
        }
    }
    return (double)same >= SAME_CONTENT * w * h;
}

static double luma(const uint8_t *p)
{
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

/* Whether light and dark are laid out alike, or turned round alike. */
static bool same_shape(const struct view *a, const struct view *b, const struct glmv_region *r)
{
    double n = 0;
    double s[5] = {0};
    int step = sampling_step(r);
    for (int y = r->y; y < r->y + r->h; y += step) {
        for (int x = r->x; x < r->x + r->w; x += step) {
            double p = luma(at(a->image, x, y));
            double q = luma(at(b->image, x, y));
            n++;
            s[0] += p;
            s[1] += q;
            s[2] += p * p;
            s[3] += q * q;
            s[4] += p * q;
        }
    }
    double va = s[2] - s[0] * s[0] / n;
    double vb = s[3] - s[1] * s[1] / n;
    double cov = s[4] - s[0] * s[1] / n;
    if (a->main_share >= FLAT && b->main_share >= FLAT) {
        return true;
    }
    return va > n && vb > n && fabs(cov) >= SAME_SHAPE * sqrt(va * vb);
}

/* The colours of most pixels that differ, before and after. */
static bool main_colours(const struct view *a, const struct view *b, struct glmv_finding *f)
{
    struct tally *t = calloc(2, sizeof *t);
    if (t == NULL) {
        return false;
    }
    const struct glmv_region *r = &f->region;
    int step = sampling_step(r);
    for (int y = r->y; y < r->y + r->h; y += step) {
        for (int x = r->x; x < r->x + r->w; x += step) {
            if (memcmp(at(a->image, x, y), at(b->image, x, y), 3) != 0) {
                tally_add(&t[0], rgb_at(a->image, x, y));
                tally_add(&t[1], rgb_at(b->image, x, y));
            }
        }
    }
    double share;
    f->before = tally_most(&t[0], &share);
    f->after = tally_most(&t[1], &share);
    f->delta_e = glmv_ciede2000(glmv_lab_of(f->before), glmv_lab_of(f->after));
    free(t);
    return true;
}

/* One box, three of whose sides stayed or whose corner did. */
static bool is_resized(const struct view *a, const struct view *b)
{
    const struct frame *p = &a->content;
    const struct frame *q = &b->content;
    int kept = (p->l == q->l) + (p->t == q->t) + (p->r == q->r) + (p->b == q->b);
    double fill_a = a->ink * width_of(&a->frame) * height_of(&a->frame);
    double fill_b = b->ink * width_of(&b->frame) * height_of(&b->frame);
    return kept >= 2 && kept < 4 && (width_of(p) != width_of(q) || height_of(p) != height_of(q)) &&
           fill_a > 0.9 * width_of(p) * height_of(p) && fill_b > 0.9 * width_of(q) * height_of(q);
}

/* How far one colour reaches from a point, in steps of dx, dy; the most of five lines side by side
 * that lie within the region. */
static int reach(const struct view *v, const struct glmv_region *r, int dx, int dy, uint32_t colour)
{
    const struct glmv_image *image = v->image;
    int most = 0;
    for (int k = 1; k <= 5; k++) {
        int x = dx > 0 ? r->x + r->w : dx < 0 ? r->x - 1 : r->x + r->w * k / 6;
        int y = dy > 0 ? r->y + r->h : dy < 0 ? r->y - 1 : r->y + r->h * k / 6;
        int length = 0;
        for (; x >= 0 && y >= 0 && x < image->width && y < image->height; x += dx, y += dy) {
            if (v->held != NULL && !v->held[y]) {
                *v->enough = false;
                break;
            }
            if (rgb_at(image, x, y) != colour) {
                break;
            }
            length++;
        }
        most = length > most ? length : most;
    }
    return most;
}

/* How far a colour runs into the region from one side, along its middle. */
static int run_into(const struct glmv_image *image, const struct glmv_region *r, int dx, int dy,
                    uint32_t colour)
{
    int x = dx > 0 ? r->x : dx < 0 ? r->x + r->w - 1 : r->x + r->w / 2;
    int y = dy > 0 ? r->y : dy < 0 ? r->y + r->h - 1 : r->y + r->h / 2;
    int length = 0;
    while (in_region(r, x, y) && rgb_at(image, x, y) == colour) {
        length++;
        x += dx;
        y += dy;
    }
    return length;
}

/* The colour of the middle of the ring on the side that dx, dy point to; false where the pictures
 * do not agree on it. */
static bool side_colour(const struct view *a, const struct view *b, const struct glmv_region *r,
                        int dx, int dy, uint32_t *colour)
{
    int x = dx > 0 ? r->x + r->w : dx < 0 ? r->x - 1 : r->x + r->w / 2;
    int y = dy > 0 ? r->y + r->h : dy < 0 ? r->y - 1 : r->y + r->h / 2;
    if (x < 0 || y < 0 || x >= a->image->width || y >= a->image->height || x >= b->image->width ||
        y >= b->image->height) {
        return false;
    }
    *colour = rgb_at(a->image, x, y);
    return *colour == rgb_at(b->image, x, y);
}

/* A box lies on one side of the region and ground on the other, and the box ends elsewhere now: it
 * grew or shrank to that side. */
static bool moved_its_end(struct glmv_finding *f, const struct view *a, const struct view *b)
{
    static const int sides[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    const struct glmv_region *r = &f->region;
    for (int k = 0; k < 4; k++) {
        int dx = sides[k][0];
        int dy = sides[k][1];
        uint32_t box;
        uint32_t ground;
        if (!side_colour(a, b, r, dx, dy, &box) || !side_colour(a, b, r, -dx, -dy, &ground) ||
            box == ground) {
            continue;
        }
        int depth = dx != 0 ? r->w : r->h;
        int before = run_into(a->image, r, -dx, -dy, box);
        int after = run_into(b->image, r, -dx, -dy, box);
        int longer = before > after ? before : after;
        int shorter = before > after ? after : before;
        int plain = run_into(before > after ? b->image : a->image, r, dx, dy, ground);
        if (longer < depth - 3 || longer - shorter < 2 || plain < longer - shorter - 3) {
            continue;
        }
        int rest = reach(a, r, dx, dy, box);
        f->before_w = dx == 0 ? r->w : rest + before;
        f->after_w = dx == 0 ? r->w : rest + after;
        f->before_h = dx != 0 ? r->h : rest + before;
        f->after_h = dx != 0 ? r->h : rest + after;
        return true;
    }
    return false;
}

static bool is_text(const struct view *a, const struct view *b, const struct glmv_region *r)
{
    return r->h <= TEXT_HEIGHT && a->main == b->main && a->main_share > 0.15 &&
           b->main_share > 0.15 && a->main_share < 0.98 && b->main_share < 0.98;
}

static bool judge(struct glmv_finding *f, const struct view *a, const struct view *b)
{
    const struct glmv_region *r = &f->region;
    bool whole = r->x + r->w <= a->image->width && r->y + r->h <= a->image->height &&
                 r->x + r->w <= b->image->width && r->y + r->h <= b->image->height;
    bool plain = whole && a->ground_share >= PLAIN_RING && b->ground_share >= PLAIN_RING &&
                 a->ground == b->ground;
    if (is_empty(&a->frame) || (plain && is_empty(&a->content))) {
        f->change = GLMV_CHANGE_APPEARED;
    } else if (is_empty(&b->frame) || (plain && is_empty(&b->content))) {
        f->change = GLMV_CHANGE_VANISHED;
    } else if (plain && same_content(a, b)) {
        f->change = GLMV_CHANGE_MOVED;
        f->dx = b->content.l - a->content.l;
        f->dy = b->content.t - a->content.t;
        if (f->dx == 0 && f->dy == 0) {
            f->change = GLMV_CHANGE_COLOUR; /* so faint that the contents still agree */
        }
    } else if (whole && moved_its_end(f, a, b)) {
        f->change = GLMV_CHANGE_SIZE;
    } else if (whole && same_shape(a, b, r)) {
        f->change = GLMV_CHANGE_COLOUR;
    } else if (plain && is_resized(a, b)) {
        f->change = GLMV_CHANGE_SIZE;
        f->before_w = width_of(&a->content);
        f->before_h = height_of(&a->content);
        f->after_w = width_of(&b->content);
        f->after_h = height_of(&b->content);
    } else if (whole && is_text(a, b, r)) {
        f->change = GLMV_CHANGE_TEXT;
    }
    return f->change != GLMV_CHANGE_COLOUR || main_colours(a, b, f);
}

/* What vanished in one region and appeared in another is a move. */
static size_t join_moves(struct glmv_finding *list, const struct view *before,
                         const struct view *after, size_t count, bool *gone)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count && list[i].change == GLMV_CHANGE_VANISHED; j++) {
            if (!gone[j] && list[j].change == GLMV_CHANGE_APPEARED &&
                !is_empty(&before[i].content) && !is_empty(&after[j].content) &&
                same_content(&before[i], &after[j])) {
                list[i].change = GLMV_CHANGE_MOVED;
                list[i].dx = after[j].content.l - before[i].content.l;
                list[i].dy = after[j].content.t - before[i].content.t;
                gone[j] = true;
            }
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!gone[i]) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

struct glmv_finding *glmv_diff_explain(const struct glmv_image *a, const struct glmv_image *b,
                                       const struct glmv_region *regions, size_t count,
                                       size_t *found, struct glmv_err *err)
{
    bool enough;
    return glmv_diff_explain_in(a, b, NULL, regions, count, found, &enough, err);
}

struct glmv_finding *glmv_diff_explain_in(const struct glmv_image *a, const struct glmv_image *b,
                                          const uint8_t *held, const struct glmv_region *regions,
                                          size_t count, size_t *found, bool *enough,
                                          struct glmv_err *err)
{
    *enough = true;
    struct glmv_finding *list = calloc(count + 1, sizeof *list);
    struct view *views = calloc(2 * count + 1, sizeof *views);
    bool *gone = calloc(count + 1, sizeof *gone);
    bool ok = list != NULL && views != NULL && gone != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        list[i].region = regions[i];
        ok = view_init(&views[i], a, &regions[i]) && view_init(&views[count + i], b, &regions[i]);
        views[i].held = held;
        views[i].enough = enough;
        ok = ok && judge(&list[i], &views[i], &views[count + i]);
    }
    *found = ok ? join_moves(list, views, views + count, count, gone) : 0;
    free(views);
    free(gone);
    if (!ok) {
        free(list);
        glmv_fail_memory(err);
        return NULL;
    }
    return list;
}

const char *glmv_change_name(enum glmv_change change)
{
    static const char *const names[] = {"changed", "appeared", "vanished", "moved",
                                        "size",    "colour",   "text"};
    return names[change];
}

bool glmv_finding_sentence(const struct glmv_finding *f, struct glmv_buf *out, struct glmv_err *err)
{
    const struct glmv_region *r = &f->region;
    char place[96];
    snprintf(place, sizeof place, "at (%d, %d), %d x %d px", r->x, r->y, r->w, r->h);
    switch (f->change) {
    case GLMV_CHANGE_APPEARED:
        return glmv_buf_appendf(out, err, "Something appeared %s.", place);
    case GLMV_CHANGE_VANISHED:
        return glmv_buf_appendf(out, err, "What was %s is gone.", place);
    case GLMV_CHANGE_MOVED:
        return glmv_buf_appendf(out, err, "What was %s moved by %+d px sideways and %+d px down.",
                                place, f->dx, f->dy);
    case GLMV_CHANGE_SIZE:
        return glmv_buf_appendf(out, err, "The box %s changed from %d x %d to %d x %d px.", place,
                                f->before_w, f->before_h, f->after_w, f->after_h);
    case GLMV_CHANGE_COLOUR:
        return glmv_buf_appendf(
            out, err, "The colour %s changed %sfrom #%06x to #%06x (CIEDE2000 %.1f).", place,
            f->faint ? "by less than the threshold, " : "", f->before, f->after, f->delta_e);
    case GLMV_CHANGE_TEXT:
        return glmv_buf_appendf(out, err, "The text %s changed: %zu pixels differ.", place,
                                r->pixels);
    default:
        return glmv_buf_appendf(out, err, "%zu pixels differ %s.", r->pixels, place);
    }
}
