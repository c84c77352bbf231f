#include "diff/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff/colour.h"
#include "diff/moves.h"
#include "diff/view.h"

#define SAME_SHAPE 0.95 /* correlation of luma in a change of colour */
#define FLAT 0.9        /* share of one colour in a box */
#define TEXT_HEIGHT 140 /* px; higher regions are no text */

static double luma(const uint8_t *p)
{
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

/* Whether light and dark are laid out alike, or turned round alike. */
static bool same_shape(const struct diff_view *a, const struct diff_view *b,
                       const struct glmv_region *r)
{
    double n = 0;
    double s[5] = {0};
    int step = diff_sampling_step(r);
    for (int y = r->y; y < r->y + r->h; y += step) {
        for (int x = r->x; x < r->x + r->w; x += step) {
            double p = luma(diff_pixel_at(a->image, x, y));
            double q = luma(diff_pixel_at(b->image, x, y));
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
static bool main_colours(const struct diff_view *a, const struct diff_view *b,
                         struct glmv_finding *f)
{
    struct diff_tally *t = calloc(2, sizeof *t);
    if (t == NULL) {
        return false;
    }
    const struct glmv_region *r = &f->region;
    int step = diff_sampling_step(r);
    for (int y = r->y; y < r->y + r->h; y += step) {
        for (int x = r->x; x < r->x + r->w; x += step) {
            if (memcmp(diff_pixel_at(a->image, x, y), diff_pixel_at(b->image, x, y), 3) != 0) {
                diff_tally_add(&t[0], diff_rgb_at(a->image, x, y));
                diff_tally_add(&t[1], diff_rgb_at(b->image, x, y));
            }
        }
    }
    double share;
    f->before = diff_tally_most(&t[0], &share);
    f->after = diff_tally_most(&t[1], &share);
    f->delta_e = glmv_ciede2000(glmv_lab_of(f->before), glmv_lab_of(f->after));
    free(t);
    return true;
}

/* One box, three of whose sides stayed or whose corner did. */
static bool is_resized(const struct diff_view *a, const struct diff_view *b)
{
    const struct diff_frame *p = &a->content;
    const struct diff_frame *q = &b->content;
    int kept = (p->l == q->l) + (p->t == q->t) + (p->r == q->r) + (p->b == q->b);
    double fill_a = a->ink * diff_frame_width(&a->frame) * diff_frame_height(&a->frame);
    double fill_b = b->ink * diff_frame_width(&b->frame) * diff_frame_height(&b->frame);
    return kept >= 2 && kept < 4 &&
           (diff_frame_width(p) != diff_frame_width(q) ||
            diff_frame_height(p) != diff_frame_height(q)) &&
           fill_a > 0.9 * diff_frame_width(p) * diff_frame_height(p) &&
           fill_b > 0.9 * diff_frame_width(q) * diff_frame_height(q);
}

/* How far one colour reaches from a point, in steps of dx, dy; the most of five lines side by side
 * that lie within the region. */
static int reach(const struct diff_sight *s, const struct glmv_region *r, int dx, int dy,
                 uint32_t colour)
{
    const struct glmv_image *image = s->a;
    int most = 0;
    for (int k = 1; k <= 5; k++) {
        int x = dx > 0 ? r->x + r->w : dx < 0 ? r->x - 1 : r->x + r->w * k / 6;
        int y = dy > 0 ? r->y + r->h : dy < 0 ? r->y - 1 : r->y + r->h * k / 6;
        int length = 0;
        for (; x >= 0 && y >= 0 && x < image->width && y < image->height; x += dx, y += dy) {
            if (s->held != NULL && !s->held[y]) {
                *s->enough = false;
                break;
            }
            if (diff_rgb_at(image, x, y) != colour) {
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
    while (diff_in_region(r, x, y) && diff_rgb_at(image, x, y) == colour) {
        length++;
        x += dx;
        y += dy;
    }
    return length;
}

/* The colour of the middle of the ring on the side that dx, dy point to; false where the pictures
 * do not agree on it. */
static bool side_colour(const struct diff_view *a, const struct diff_view *b,
                        const struct glmv_region *r, int dx, int dy, uint32_t *colour)
{
    int x = dx > 0 ? r->x + r->w : dx < 0 ? r->x - 1 : r->x + r->w / 2;
    int y = dy > 0 ? r->y + r->h : dy < 0 ? r->y - 1 : r->y + r->h / 2;
    if (x < 0 || y < 0 || x >= a->image->width || y >= a->image->height || x >= b->image->width ||
        y >= b->image->height) {
        return false;
    }
    *colour = diff_rgb_at(a->image, x, y);
    return *colour == diff_rgb_at(b->image, x, y);
}

/* A box lies on one side of the region and ground on the other, and the box ends elsewhere now: it
 * grew or shrank to that side. */
static bool moved_its_end(struct glmv_finding *f, const struct diff_sight *s,
                          const struct diff_view *a, const struct diff_view *b)
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
        int rest = reach(s, r, dx, dy, box);
        f->before_w = dx == 0 ? r->w : rest + before;
        f->after_w = dx == 0 ? r->w : rest + after;
        f->before_h = dx != 0 ? r->h : rest + before;
        f->after_h = dx != 0 ? r->h : rest + after;
        return true;
    }
    return false;
}

static bool is_text(const struct diff_view *a, const struct diff_view *b,
                    const struct glmv_region *r)
{
    return r->h <= TEXT_HEIGHT && a->main == b->main && a->main_share > 0.15 &&
           b->main_share > 0.15 && a->main_share < 0.98 && b->main_share < 0.98;
}

static bool judge(struct glmv_finding *f, const struct diff_sight *s, const struct diff_view *a,
                  const struct diff_view *b)
{
    const struct glmv_region *r = &f->region;
    struct diff_move move;
    bool whole = r->x + r->w <= a->image->width && r->y + r->h <= a->image->height &&
                 r->x + r->w <= b->image->width && r->y + r->h <= b->image->height;
    bool plain = whole && diff_view_plain(a, b);
    if (diff_frame_empty(&a->frame) || (plain && diff_frame_empty(&a->content))) {
        f->change = GLMV_CHANGE_APPEARED;
    } else if (diff_frame_empty(&b->frame) || (plain && diff_frame_empty(&b->content))) {
        f->change = GLMV_CHANGE_VANISHED;
    } else if (plain && diff_view_same_content(a, b)) {
        f->change = GLMV_CHANGE_MOVED;
        f->dx = b->content.l - a->content.l;
        f->dy = b->content.t - a->content.t;
        if (f->dx == 0 && f->dy == 0) {
            f->change = GLMV_CHANGE_COLOUR; /* so faint that the contents still agree */
        } else {
            f->region =
                (struct glmv_region){a->content.l, a->content.t, diff_frame_width(&a->content),
                                     diff_frame_height(&a->content), f->region.pixels};
        }
    } else if (!plain && diff_move_find(s, r, &move)) {
        f->change = GLMV_CHANGE_MOVED;
        f->dx = move.dx;
        f->dy = move.dy;
        move.from.pixels = r->pixels;
        f->region = move.from;
    } else if (whole && moved_its_end(f, s, a, b)) {
        f->change = GLMV_CHANGE_SIZE;
    } else if (whole && same_shape(a, b, r)) {
        f->change = GLMV_CHANGE_COLOUR;
    } else if (plain && is_resized(a, b)) {
        f->change = GLMV_CHANGE_SIZE;
        f->before_w = diff_frame_width(&a->content);
        f->before_h = diff_frame_height(&a->content);
        f->after_w = diff_frame_width(&b->content);
        f->after_h = diff_frame_height(&b->content);
    } else if (whole && is_text(a, b, r)) {
        f->change = GLMV_CHANGE_TEXT;
    }
    return f->change != GLMV_CHANGE_COLOUR || main_colours(a, b, f);
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
    struct diff_sight sight = {a, b, held, enough};
    *enough = true;
    struct glmv_finding *list = calloc(count + 1, sizeof *list);
    struct diff_view *views = calloc(2 * count + 1, sizeof *views);
    bool *gone = calloc(count + 1, sizeof *gone);
    bool ok = list != NULL && views != NULL && gone != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        const struct glmv_region *r = &regions[i];
        *enough = *enough && (held == NULL || memchr(held + r->y, 0, (size_t)r->h) == NULL);
        list[i].region = *r;
        diff_view_init(&views[i], a, r);
        diff_view_init(&views[count + i], b, r);
        ok = judge(&list[i], &sight, &views[i], &views[count + i]);
    }
    *found = ok ? diff_moves_join(&sight, list, views, views + count, count, gone) : 0;
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
        return glmv_buf_appendf(out, err, "What was %s moved", place) &&
               (f->dx == 0 || glmv_buf_appendf(out, err, " %d px to the %s", abs(f->dx),
                                               f->dx > 0 ? "right" : "left")) &&
               (f->dx == 0 || f->dy == 0 || glmv_buf_append_str(out, " and", err)) &&
               (f->dy == 0 ||
                glmv_buf_appendf(out, err, " %d px %s", abs(f->dy), f->dy > 0 ? "down" : "up")) &&
               glmv_buf_append_str(out, ".", err);
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
