#include "diff/moves.h"

#include <stdlib.h>
#include <string.h>

#define EXPLAINED 0.98 /* share of a region's pixels that a move must account for */
#define MAX_JOINED 24  /* findings among which the two ends of a move are looked for */
#define SIMILAR 16     /* px by which the two ends may differ in size; shadows are not even */

/* Rows around a region are known as far as a stream holds them: 16, less the ring. */
static const int widenings[] = {0, 4, 14};

static struct glmv_region widen(const struct glmv_region *r, int by, const struct glmv_image *image)
{
    int left = r->x < by ? 0 : r->x - by;
    int top = r->y < by ? 0 : r->y - by;
    int right = r->x + r->w + by > image->width ? image->width : r->x + r->w + by;
    int bottom = r->y + r->h + by > image->height ? image->height : r->y + r->h + by;
    return (struct glmv_region){left, top, right - left, bottom - top, 0};
}

static bool is_inside(const struct glmv_region *r, const struct glmv_image *image)
{
    return r->x + r->w <= image->width && r->y + r->h <= image->height;
}

static bool holds(const struct diff_sight *s, const struct diff_frame *f)
{
    return s->held == NULL || memchr(s->held + f->t, 0, (size_t)(f->b - f->t)) == NULL;
}

/* Of views on one plain ground. */
static bool has_moved(const struct diff_sight *s, const struct diff_view *a,
                      const struct diff_view *b, struct diff_move *move)
{
    const struct diff_frame *from = &a->content;
    const struct diff_frame *to = &b->content;
    int w = diff_frame_width(from);
    int h = diff_frame_height(from);
    *move = (struct diff_move){
        {from->l, from->t, w, h, 0}, to->l - from->l, to->t - from->t, a->ground};
    if ((move->dx == 0 && move->dy == 0) || diff_frame_width(to) != w ||
        diff_frame_height(to) != h) {
        return false;
    }
    if (!holds(s, &a->frame)) {
        *s->enough = false;
        return false;
    }
    return diff_view_same_content(a, b);
}

bool diff_move_find(const struct diff_sight *s, const struct glmv_region *r, struct diff_move *move)
{
    for (size_t k = 0; k < sizeof widenings / sizeof *widenings; k++) {
        struct glmv_region wide = widen(r, widenings[k], s->a);
        struct diff_view a;
        struct diff_view b;
        if (!is_inside(r, s->a) || !is_inside(&wide, s->b)) {
            return false;
        }
        diff_view_outline(&a, s->a, s->held, &wide);
        diff_view_outline(&b, s->b, s->held, &wide);
        if (diff_view_plain(&a, &b)) {
            return has_moved(s, &a, &b, move);
        }
    }
    return false;
}

/* Whether the second picture shows in r what the first does once the thing is moved. */
static bool explains(const struct diff_sight *s, const struct diff_move *move,
                     const struct glmv_region *r)
{
    uint8_t ground[4] = {(uint8_t)(move->ground >> 16), (uint8_t)(move->ground >> 8),
                         (uint8_t)move->ground, 255};
    size_t same = 0;
    for (int y = r->y; y < r->y + r->h; y++) {
        for (int x = r->x; x < r->x + r->w; x++) {
            int from_x = x - move->dx;
            int from_y = y - move->dy;
            const uint8_t *wanted = diff_in_region(&move->from, from_x, from_y)
                                        ? diff_pixel_at(s->a, from_x, from_y)
                                        : ground;
            same += !glmv_diff_pixel(wanted, diff_pixel_at(s->b, x, y), GLMV_DIFF_THRESHOLD);
        }
    }
    return (double)same >= EXPLAINED * r->w * r->h;
}

static void join_far(struct glmv_finding *list, const struct diff_view *before,
                     const struct diff_view *after, size_t count, bool *gone)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count && list[i].change == GLMV_CHANGE_VANISHED; j++) {
            if (!gone[j] && list[j].change == GLMV_CHANGE_APPEARED &&
                !diff_frame_empty(&before[i].content) && !diff_frame_empty(&after[j].content) &&
                diff_view_same_content(&before[i], &after[j])) {
                list[i].change = GLMV_CHANGE_MOVED;
                list[i].dx = after[j].content.l - before[i].content.l;
                list[i].dy = after[j].content.t - before[i].content.t;
                gone[j] = true;
            }
        }
    }
}

/* Two regions that may be the ends of one move, and both together. */
struct ends {
    size_t first, second;
    struct glmv_region both;
};

static struct glmv_region unite(const struct glmv_region *p, const struct glmv_region *q)
{
    int left = p->x < q->x ? p->x : q->x;
    int top = p->y < q->y ? p->y : q->y;
    int right = p->x + p->w > q->x + q->w ? p->x + p->w : q->x + q->w;
    int bottom = p->y + p->h > q->y + q->h ? p->y + p->h : q->y + q->h;
    return (struct glmv_region){left, top, right - left, bottom - top, 0};
}

static int largest_first(const void *p, const void *q)
{
    const struct ends *a = p;
    const struct ends *b = q;
    int64_t size_a = (int64_t)a->both.w * a->both.h;
    int64_t size_b = (int64_t)b->both.w * b->both.h;
    if (size_a != size_b) {
        return size_a < size_b ? 1 : -1;
    }
    return a->first != b->first ? (a->first < b->first ? -1 : 1) : a->second < b->second ? -1 : 1;
}

/* A thing leaves as much on one side as it enters on the other. */
static bool may_be_ends(const struct glmv_finding *p, const struct glmv_finding *q)
{
    return abs(p->region.w - q->region.w) <= SIMILAR && abs(p->region.h - q->region.h) <= SIMILAR;
}

/* The first end tells of the move, what else it accounts for is gone. */
static void settle(const struct diff_sight *s, struct glmv_finding *list, size_t count, bool *gone,
                   const struct ends *ends, const struct diff_move *move)
{
    struct glmv_finding found = {
        .region = move->from, .change = GLMV_CHANGE_MOVED, .dx = move->dx, .dy = move->dy};
    for (size_t k = 0; k < count; k++) {
        const struct glmv_region *r = &list[k].region;
        struct glmv_region both = unite(&ends->both, r);
        bool within = both.w == ends->both.w && both.h == ends->both.h;
        if (!gone[k] && within && explains(s, move, r)) {
            found.region.pixels += r->pixels;
            gone[k] = true;
        }
    }
    list[ends->first] = found;
    gone[ends->first] = false;
}

/* Things that moved onto themselves: the regions of their two ends look like boxes that grew and
 * shrank. The largest come first, so that a group that moved is told as one. */
static void join_near(const struct diff_sight *s, struct glmv_finding *list, size_t count,
                      bool *gone)
{
    struct ends pairs[MAX_JOINED * (MAX_JOINED - 1) / 2];
    bool settled[MAX_JOINED] = {false};
    size_t pair_count = 0;
    count = count < MAX_JOINED ? count : MAX_JOINED;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            if (!gone[i] && !gone[j] && may_be_ends(&list[i], &list[j])) {
                pairs[pair_count++] = (struct ends){i, j, unite(&list[i].region, &list[j].region)};
            }
        }
    }
    qsort(pairs, pair_count, sizeof *pairs, largest_first);
    for (size_t k = 0; k < pair_count; k++) {
        struct diff_move move;
        const struct ends *ends = &pairs[k];
        bool is_free = !gone[ends->first] && !gone[ends->second] && !settled[ends->first] &&
                       !settled[ends->second];
        if (is_free && diff_move_find(s, &ends->both, &move) &&
            explains(s, &move, &list[ends->first].region) &&
            explains(s, &move, &list[ends->second].region)) {
            settle(s, list, count, gone, ends, &move);
            settled[ends->first] = true;
        }
    }
}

size_t diff_moves_join(const struct diff_sight *s, struct glmv_finding *list,
                       const struct diff_view *before, const struct diff_view *after, size_t count,
                       bool *gone)
{
    join_far(list, before, after, count, gone);
    join_near(s, list, count, gone);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!gone[i]) {
            list[kept++] = list[i];
        }
    }
    return kept;
}
