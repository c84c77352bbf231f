#include "diff/view.h"

#include <math.h>
#include <string.h>

#define RING 2             /* px around a region that show its ground */
#define PLAIN_RING 0.97    /* share of one colour that makes a ground */
#define SAME_CONTENT 0.98  /* share of pixels that agree in a move */
#define MAX_SAMPLES 250000 /* pixels looked at in a region */

const uint8_t *diff_pixel_at(const struct glmv_image *image, int x, int y)
{
    return image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
}

uint32_t diff_rgb_at(const struct glmv_image *image, int x, int y)
{
    const uint8_t *p = diff_pixel_at(image, x, y);
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

void diff_tally_add(struct diff_tally *t, uint32_t colour)
{
    uint32_t slot = (colour * 2654435761u) >> 21;
    t->total++;
    for (int tries = 0; tries < 16; tries++, slot = (slot + 1) % DIFF_COLOURS) {
        if (t->counts[slot] == 0 || t->colours[slot] == colour) {
            t->colours[slot] = colour;
            t->counts[slot]++;
            return;
        }
    }
}

uint32_t diff_tally_most(const struct diff_tally *t, double *share)
{
    size_t best = 0;
    for (size_t i = 1; i < DIFF_COLOURS; i++) {
        best = t->counts[i] > t->counts[best] ? i : best;
    }
    *share = t->total > 0 ? (double)t->counts[best] / (double)t->total : 0;
    return t->colours[best];
}

bool diff_in_region(const struct glmv_region *r, int x, int y)
{
    return x >= r->x && x < r->x + r->w && y >= r->y && y < r->y + r->h;
}

int diff_sampling_step(const struct glmv_region *r)
{
    double area = (double)r->w * r->h;
    return area > MAX_SAMPLES ? (int)ceil(sqrt(area / MAX_SAMPLES)) : 1;
}

bool diff_frame_empty(const struct diff_frame *f)
{
    return f->l >= f->r || f->t >= f->b;
}

int diff_frame_width(const struct diff_frame *f)
{
    return f->r - f->l;
}

int diff_frame_height(const struct diff_frame *f)
{
    return f->b - f->t;
}

static bool is_ground(const struct diff_view *v, int x, int y)
{
    uint8_t ground[4] = {(uint8_t)(v->ground >> 16), (uint8_t)(v->ground >> 8), (uint8_t)v->ground,
                         255};
    const uint8_t *p = diff_pixel_at(v->image, x, y);
    return memcmp(p, ground, 4) == 0 || !glmv_diff_pixel(p, ground, 0.05);
}

/* Where the first pixel from x on, or back from before x, lies that is not ground; end without
 * one. */
static int first_ink(const struct diff_view *v, int x, int end, int y)
{
    while (x < end && is_ground(v, x, y)) {
        x++;
    }
    return x;
}

static int last_ink(const struct diff_view *v, int x, int end, int y)
{
    while (x > end && is_ground(v, x - 1, y)) {
        x--;
    }
    return x;
}

/* The exact frame of what is not ground inside r, from its four sides. */
static void find_content(struct diff_view *v, const uint8_t *held, const struct glmv_region *r)
{
    const struct glmv_image *image = v->image;
    int right = r->x + r->w < image->width ? r->x + r->w : image->width;
    int bottom = r->y + r->h < image->height ? r->y + r->h : image->height;
    struct diff_frame c = {right, bottom, r->x, r->y};
    bool any = false;
    for (int y = r->y; y < bottom; y++) {
        if (held != NULL && !held[y]) {
            continue;
        }
        int x = first_ink(v, r->x, c.l, y);
        if (x == c.l && x < right) {
            x = first_ink(v, x, right, y); /* not further left than in the rows above */
        }
        if (x < right) {
            any = true;
            c.l = x < c.l ? x : c.l;
            c.t = y < c.t ? y : c.t;
            c.b = y + 1;
            c.r = last_ink(v, right, c.r, y);
        }
    }
    v->content = any ? c : (struct diff_frame){0};
}

static double find_ink(const struct diff_view *v, const struct glmv_region *r)
{
    size_t ink = 0;
    size_t seen = 0;
    int step = diff_sampling_step(r);
    for (int y = v->frame.t; y < v->frame.b; y += step) {
        for (int x = v->frame.l; x < v->frame.r; x += step) {
            if (diff_in_region(r, x, y)) {
                seen++;
                ink += !is_ground(v, x, y);
            }
        }
    }
    return seen > 0 ? (double)ink / (double)seen : 0;
}

void diff_view_outline(struct diff_view *v, const struct glmv_image *image, const uint8_t *held,
                       const struct glmv_region *r)
{
    struct diff_tally ring = {0};
    *v = (struct diff_view){.image = image};
    v->frame.l = r->x < RING ? 0 : r->x - RING;
    v->frame.t = r->y < RING ? 0 : r->y - RING;
    v->frame.r = r->x + r->w + RING > image->width ? image->width : r->x + r->w + RING;
    v->frame.b = r->y + r->h + RING > image->height ? image->height : r->y + r->h + RING;
    for (int y = v->frame.t; y < v->frame.b; y++) {
        bool beside = y >= r->y && y < r->y + r->h;
        for (int x = v->frame.l; (held == NULL || held[y]) && x < v->frame.r; x++) {
            if (beside && x == r->x) {
                x += r->w;
            }
            if (x < v->frame.r) {
                diff_tally_add(&ring, diff_rgb_at(image, x, y));
            }
        }
    }
    v->ground = diff_tally_most(&ring, &v->ground_share);
    find_content(v, held, r);
}

void diff_view_init(struct diff_view *v, const struct glmv_image *image,
                    const struct glmv_region *r)
{
    struct diff_tally inside = {0};
    diff_view_outline(v, image, NULL, r);
    int step = diff_sampling_step(r);
    for (int y = v->frame.t; y < v->frame.b; y++) {
        for (int x = v->frame.l; y % step == 0 && x < v->frame.r; x++) {
            if (x % step == 0 && diff_in_region(r, x, y)) {
                diff_tally_add(&inside, diff_rgb_at(image, x, y));
            }
        }
    }
    v->main = diff_tally_most(&inside, &v->main_share);
    v->ink = find_ink(v, r);
}

bool diff_view_plain(const struct diff_view *a, const struct diff_view *b)
{
    return a->ground_share >= PLAIN_RING && b->ground_share >= PLAIN_RING && a->ground == b->ground;
}

bool diff_view_same_content(const struct diff_view *a, const struct diff_view *b)
{
    int w = diff_frame_width(&a->content);
    int h = diff_frame_height(&a->content);
    if (w != diff_frame_width(&b->content) || h != diff_frame_height(&b->content) || w < 3 ||
        h < 3) {
        return false;
    }
    size_t same = 0;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            same += !glmv_diff_pixel(diff_pixel_at(a->image, a->content.l + x, a->content.t + y),
                                     diff_pixel_at(b->image, b->content.l + x, b->content.t + y),
                                     GLMV_DIFF_THRESHOLD);
        }
    }
    return (double)same >= SAME_CONTENT * w * h;
}
