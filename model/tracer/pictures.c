/* What neither boxes nor text explain becomes pictures: photos whole, the rest transparent around
 * its ink. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/pictures.h"

enum {
    EXPLAINED = 14,
    STRONG = 40,     /* levels: what is fainter does not join pictures into one */
    VEIL_SIDE = 160, /* px */
    OWNER_SIDE = 20,
    REACH = 4,          /* px between parts of one picture */
    MIN_RESIDUAL = 10,  /* px that a picture must differ in */
    JOINED_AREA = 3000, /* px of a region that is a part of a picture as a whole */
    SPLIT_DEPTH = 8,
};

#define CURVE_OFF 1.6 /* px that the edge of a round corner may be off */

void pictures_grow(const uint8_t *from, uint8_t *to, int w, int h, int reach)
{
    /* Two passes: along rows into bit 1, along columns into bit 0. */
    for (int y = 0; y < h; y++) {
        int last = -reach - 1;
        for (int x = 0; x < w; x++) {
            last = from[(size_t)y * (size_t)w + (size_t)x] ? x : last;
            to[(size_t)y * (size_t)w + (size_t)x] = x - last <= reach ? 2 : 0;
        }
        last = w + reach + 1;
        for (int x = w - 1; x >= 0; x--) {
            last = from[(size_t)y * (size_t)w + (size_t)x] ? x : last;
            to[(size_t)y * (size_t)w + (size_t)x] |= last - x <= reach ? 2 : 0;
        }
    }
    for (int x = 0; x < w; x++) {
        int last = -reach - 1;
        for (int y = 0; y < h; y++) {
            last = to[(size_t)y * (size_t)w + (size_t)x] & 2 ? y : last;
            to[(size_t)y * (size_t)w + (size_t)x] |= y - last <= reach ? 1 : 0;
        }
        last = h + reach + 1;
        for (int y = h - 1; y >= 0; y--) {
            last = to[(size_t)y * (size_t)w + (size_t)x] & 2 ? y : last;
            to[(size_t)y * (size_t)w + (size_t)x] |= last - y <= reach ? 1 : 0;
        }
    }
    for (size_t i = 0; i < (size_t)w * (size_t)h; i++) {
        to[i] &= 1;
    }
}

int pictures_visit(struct leftovers *lo, int start, struct model_rect *box, int *visited)
{
    int w = lo->view->w;
    int h = lo->view->h;
    int head = 0;
    int tail = 0;
    int residual = 0;
    *box = (struct model_rect){w, h, 0, 0};
    lo->queue[tail++] = start;
    lo->wide[start] = 0;
    while (head < tail) {
        int i = lo->queue[head++];
        int x = i % w;
        int y = i / w;
        if (lo->residual[i]) {
            residual++;
            box->x0 = model_min(box->x0, x);
            box->y0 = model_min(box->y0, y);
            box->x1 = model_max(box->x1, x + 1);
            box->y1 = model_max(box->y1, y + 1);
        }
        const int next[4] = {x > 0 ? i - 1 : i, x + 1 < w ? i + 1 : i, y > 0 ? i - w : i,
                             y + 1 < h ? i + w : i};
        for (int k = 0; k < 4; k++) {
            if (lo->wide[next[k]] && lo->owner[next[k]] == lo->owner[start]) {
                lo->wide[next[k]] = 0;
                lo->queue[tail++] = next[k];
            }
        }
    }
    *visited = tail;
    return residual;
}

/* Photos beside each other are joined by their shadows: cuts them apart where nothing but faint px
 * lies between. */
static bool add_photos(struct leftovers *lo, struct model_rect r, int residual, int depth,
                       struct glmv_scene *scene, struct glmv_err *err)
{
    struct pictures_cut cut = {0};
    bool drawn = false;
    if (depth > 0 && (!pictures_add_drawing(lo, r, residual, scene, &drawn, err) || drawn)) {
        return drawn;
    }
    if (depth < SPLIT_DEPTH && (depth > 0 || pictures_is_photo(r, residual))) {
        cut = pictures_find_cut(lo, r, pictures_is_photo(r, residual));
    }
    if (cut.to == 0) {
        return residual < MIN_RESIDUAL || pictures_add(lo, r, residual, scene, err);
    }
    for (int half = 0; half < 2; half++) {
        struct model_rect part = r;
        if (cut.rows) {
            *(half == 0 ? &part.y1 : &part.y0) = half == 0 ? cut.from : cut.to;
        } else {
            *(half == 0 ? &part.x1 : &part.x0) = half == 0 ? cut.from : cut.to;
        }
        int n = pictures_tighten(lo, &part);
        if (n > 0 && !add_photos(lo, part, n, depth + 1, scene, err)) {
            return false;
        }
    }
    return true;
}

/* A large part that is mostly holes is held together by shadows and rules. */
static bool is_sparse(struct model_rect r, int residual)
{
    int w = r.x1 - r.x0;
    int h = r.y1 - r.y0;
    return w >= VEIL_SIDE && h >= VEIL_SIDE && residual < 0.6 * w * h;
}

static struct model_rect whole_px(const struct model_view *view, const struct glmv_box *b)
{
    return (struct model_rect){model_max(0, (int)lround(b->x)), model_max(0, (int)lround(b->y)),
                               model_min(view->w, (int)lround(b->x + b->w)),
                               model_min(view->h, (int)lround(b->y + b->h))};
}

/* Px that a place lies outside of the round corner next to it; negative inside, 0 for far corners.
 */
static double beyond_corner(const struct glmv_scene_box *box, double x, double y)
{
    const struct glmv_box *b = &box->box;
    bool right = x > b->x + b->w / 2;
    bool low = y > b->y + b->h / 2;
    double r = fmin(box->radius[low ? (right ? 2 : 3) : (right ? 1 : 0)], fmin(b->w, b->h) / 2);
    double dx = right ? x - (b->x + b->w - r) : b->x + r - x;
    double dy = low ? y - (b->y + b->h - r) : b->y + r - y;
    return dx > 0 && dy > 0 ? hypot(dx, dy) - r : -r;
}

static void mark_owners(struct leftovers *lo, const struct glmv_scene *scene)
{
    const struct model_view *view = lo->view;
    for (size_t i = 0; i < scene->box_count && i < UINT16_MAX; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        if (box->fill == GLMV_FILL_NONE || box->box.w < OWNER_SIDE || box->box.h < OWNER_SIDE) {
            continue;
        }
        struct model_rect r = whole_px(view, &box->box);
        for (int y = r.y0; y < r.y1; y++) {
            for (int x = r.x0; x < r.x1; x++) {
                if (beyond_corner(box, x + 0.5, y + 0.5) <= 0) {
                    lo->owner[(size_t)y * (size_t)view->w + (size_t)x] = (uint16_t)(i + 1);
                }
            }
        }
    }
}

/* Along the edge of a box lie half-covered px: alone, they are no picture. at: of the outermost px;
 * step: to the next one inwards. */
static void drop_fringe(struct leftovers *lo, size_t at, ptrdiff_t step)
{
    for (int k = 1; k >= 0; k--) {
        size_t i = at + (size_t)(k * step);
        if (!lo->residual[i + (size_t)step]) {
            lo->residual[i] = 0;
            lo->strong[i] = 0;
        }
    }
}

/* So do those along a slanted end. */
static void drop_slant(struct leftovers *lo, const struct glmv_scene_box *box, int end)
{
    const struct glmv_scene_slant *slant = &box->slant[end];
    struct model_rect r = whole_px(lo->view, &box->box);
    for (int x = r.x0; x < r.x1 && slant->depth > 0; x++) {
        double across = (x + 0.5 - box->box.x) / box->box.w;
        double depth = slant->depth * (slant->left ? 1 - across : across);
        int at = (int)(end == 0 ? box->box.y + depth : box->box.y + box->box.h - depth);
        for (int y = model_max(at - 2, r.y0); y <= at + 2 && y < r.y1; y++) {
            size_t i = (size_t)y * (size_t)lo->view->w + (size_t)x;
            lo->residual[i] = 0;
            lo->strong[i] = 0;
        }
    }
}

/* And those along round corners, whose radius is measured in whole px. */
static void drop_curves(struct leftovers *lo, const struct glmv_scene_box *box)
{
    const struct model_view *view = lo->view;
    struct model_rect r = whole_px(view, &box->box);
    double most = 0;
    for (int c = 0; c < 4; c++) {
        most = fmax(most, box->radius[c]);
    }
    int reach = (int)ceil(most);
    for (int y = model_max(r.y0 - 1, 0); y < model_min(r.y1 + 1, view->h) && reach > 2; y++) {
        for (int x = model_max(r.x0 - 1, 0); x < model_min(r.x1 + 1, view->w); x++) {
            bool middle = x >= r.x0 + reach && x < r.x1 - reach;
            size_t i = (size_t)y * (size_t)view->w + (size_t)x;
            if (!middle && lo->residual[i] &&
                fabs(beyond_corner(box, x + 0.5, y + 0.5)) <= CURVE_OFF) {
                lo->residual[i] = 0;
                lo->strong[i] = 0;
            }
        }
    }
}

static void drop_fringes(struct leftovers *lo, const struct glmv_scene *scene)
{
    ptrdiff_t w = lo->view->w;
    for (size_t i = 0; i < scene->box_count; i++) {
        struct model_rect r = whole_px(lo->view, &scene->boxes[i].box);
        if (scene->boxes[i].fill == GLMV_FILL_NONE || r.x1 - r.x0 < OWNER_SIDE ||
            r.y1 - r.y0 < OWNER_SIDE) {
            continue;
        }
        drop_curves(lo, &scene->boxes[i]);
        drop_slant(lo, &scene->boxes[i], 0);
        drop_slant(lo, &scene->boxes[i], 1);
        for (int x = r.x0; x < r.x1; x++) {
            drop_fringe(lo, (size_t)(r.y0 * w + x), w);
            drop_fringe(lo, (size_t)((r.y1 - 1) * w + x), -w);
        }
        for (int y = r.y0; y < r.y1; y++) {
            drop_fringe(lo, (size_t)(y * w + r.x0), 1);
            drop_fringe(lo, (size_t)(y * w + r.x1 - 1), -1);
        }
    }
}

/* A region that is mostly unexplained is so as a whole: where a gradient passes the colour that the
 * canvas has there, the picture does not come apart. */
static bool join_regions(struct leftovers *lo)
{
    const struct model_view *view = lo->view;
    size_t total = (size_t)view->w * (size_t)view->h;
    int *seen = calloc((size_t)view->region_count + 1, sizeof *seen);
    for (size_t i = 0; seen != NULL && i < total; i++) {
        if (view->label[i] >= 0 && lo->residual[i]) {
            seen[view->label[i]]++;
        }
    }
    for (size_t i = 0; seen != NULL && i < total; i++) {
        int32_t l = view->label[i];
        lo->residual[i] |=
            l >= 0 && view->regions[l].area >= JOINED_AREA && seen[l] * 2 > view->regions[l].area;
    }
    free(seen);
    return seen != NULL;
}

static void compare(struct leftovers *lo)
{
    const struct model_view *view = lo->view;
    size_t total = (size_t)view->w * (size_t)view->h;
    pictures_grow(view->text_mask, lo->wide, view->w, view->h, 1);
    for (size_t i = 0; i < total; i++) {
        int d =
            lo->wide[i] ? 0 : model_distance(view->image->rgba + i * 4, lo->canvas->rgba + i * 4);
        lo->residual[i] = d > EXPLAINED;
        lo->strong[i] = d > STRONG;
    }
}

static bool mark_residual(struct leftovers *lo, struct glmv_image *canvas, struct glmv_scene *scene,
                          struct glmv_err *err)
{
    compare(lo);
    if (!lo->casts->known) {
        if (!pictures_cast(lo, scene, canvas, err)) {
            return false;
        }
        compare(lo);
    }
    pictures_mark_shade(lo);
    mark_owners(lo, scene);
    return (pictures_spread(lo, scene) && join_regions(lo)) || glmv_fail_memory(err);
}

/* The px of the last part that was visited are done with. */
static void forget(struct leftovers *lo, int visited)
{
    for (int k = 0; k < visited; k++) {
        lo->strong[lo->queue[k]] = 0;
    }
}

/* Makes pictures of the connected parts. Sparse ones are left for a second look where wanted; the
 * strong px of all others are done with. */
static bool take_parts(struct leftovers *lo, struct glmv_scene *scene, bool leave_sparse,
                       bool *sparse, struct glmv_err *err)
{
    size_t total = (size_t)lo->view->w * (size_t)lo->view->h;
    for (size_t i = 0; i < total; i++) {
        if (!lo->wide[i]) {
            continue;
        }
        struct model_rect r;
        int visited = 0;
        int residual = pictures_visit(lo, (int)i, &r, &visited);
        struct glmv_scene_box frame;
        if (pictures_frame(lo, r, visited, &frame)) {
            if (!model_scene_insert_box(scene, &frame, err)) {
                return false;
            }
            forget(lo, visited);
            continue;
        }
        bool drawn = false;
        bool any = residual >= MIN_RESIDUAL && (r.x1 - r.x0) * (r.y1 - r.y0) >= 16;
        if (any && !pictures_add_drawing(lo, r, residual, scene, &drawn, err)) {
            return false;
        }
        if (!drawn && leave_sparse && is_sparse(r, residual)) {
            *sparse = true;
            continue;
        }
        if (any && !drawn && !add_photos(lo, r, residual, 0, scene, err)) {
            return false;
        }
        forget(lo, visited);
    }
    return true;
}

/* What drawings do not show, such as thin lines on them, is left as px. */
static bool take_odd(struct leftovers *lo, struct glmv_scene *scene, struct glmv_err *err)
{
    const struct model_view *view = lo->view;
    size_t total = (size_t)view->w * (size_t)view->h;
    bool sparse = false;
    lo->no_drawings = true;
    memcpy(lo->residual, lo->odd, total);
    memcpy(lo->strong, lo->odd, total);
    pictures_grow(lo->residual, lo->wide, view->w, view->h, REACH);
    return take_parts(lo, scene, false, &sparse, err);
}

static bool find_pictures(struct model_view *view, struct pictures_casts *casts,
                          struct glmv_scene *scene, struct glmv_err *err)
{
    size_t total = (size_t)view->w * (size_t)view->h;
    struct leftovers lo = {.view = view, .casts = casts};
    struct glmv_image *canvas = glmv_image_new(view->w, view->h, err);
    lo.residual = malloc(total);
    lo.wide = malloc(total);
    lo.strong = malloc(total);
    lo.queue = malloc(total * sizeof *lo.queue);
    lo.odd = calloc(total, 1);
    lo.shade = calloc(total, 1);
    lo.canvas = canvas;
    lo.owner = calloc(total, sizeof *lo.owner);
    bool ok = canvas != NULL && lo.residual != NULL && lo.wide != NULL && lo.strong != NULL &&
              lo.queue != NULL && lo.odd != NULL && lo.shade != NULL && lo.owner != NULL;
    if (ok) {
        model_paint_boxes(scene, canvas);
        ok = mark_residual(&lo, canvas, scene, err);
    } else {
        glmv_fail_memory(err);
    }
    if (ok) {
        drop_fringes(&lo, scene);
        pictures_grow(lo.residual, lo.wide, view->w, view->h, REACH);
    }
    bool sparse = false;
    ok = ok && take_parts(&lo, scene, true, &sparse, err);
    if (ok && sparse) {
        /* Their strong px alone, as the pictures that they hold together. */
        memcpy(lo.residual, lo.strong, total);
        pictures_grow(lo.residual, lo.wide, view->w, view->h, REACH);
        ok = take_parts(&lo, scene, false, &sparse, err);
    }
    ok = ok && take_odd(&lo, scene, err);
    glmv_image_free(canvas);
    free(lo.residual);
    free(lo.wide);
    free(lo.strong);
    free(lo.queue);
    free(lo.odd);
    free(lo.shade);
    free(lo.owner);
    return ok;
}

/* Dashes are painted as a line: what was an outline of them is to be found again. */
static void drop_dashed(struct glmv_scene *scene)
{
    size_t kept = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        bool dashed = false;
        for (int side = 0; side < 4; side++) {
            dashed = dashed || box->border[side].dashed;
        }
        if (!dashed || box->fill != GLMV_FILL_NONE) {
            scene->boxes[kept++] = *box;
        }
    }
    scene->box_count = kept;
}

bool model_pictures_find(struct model_view *view, struct glmv_scene *scene, struct glmv_err *err)
{
    struct pictures_casts casts = {.count = 0};
    if (!find_pictures(view, &casts, scene, err)) {
        return false;
    }
    if (!pictures_drop_parts(view, scene)) {
        return true;
    }
    for (size_t i = 0; i < scene->picture_count; i++) {
        glmv_image_free(scene->pictures[i].image);
        free(scene->pictures[i].svg);
    }
    scene->picture_count = 0;
    drop_dashed(scene);
    return find_pictures(view, &casts, scene, err);
}
