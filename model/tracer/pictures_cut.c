/* Where photos that lie beside each other, joined by their shadows, come apart. */
#include "model/tracer/pictures.h"

enum {
    PHOTO_SIDE = 48,
    SPLIT_GAP = 6, /* px between photos that lie beside each other */
    STEP = 6,      /* levels across the edge of a photo, */
    STEPS = 30,    /* per cent of its length that show them at least */
    BARE = 35,     /* per cent of a row of a photo that are not explained, at least */
};

bool pictures_is_photo(struct model_rect r, int residual)
{
    int w = r.x1 - r.x0;
    int h = r.y1 - r.y0;
    return residual > 0.55 * w * h && w >= PHOTO_SIDE && h >= PHOTO_SIDE;
}

/* Whether a row or a column of a rectangle has a px that is far from explained. */
static bool has_strong(const struct leftovers *lo, struct model_rect r, int at, bool row)
{
    size_t w = (size_t)lo->view->w;
    size_t i = row ? (size_t)at * w + (size_t)r.x0 : (size_t)r.y0 * w + (size_t)at;
    size_t step = row ? 1 : w;
    for (int n = row ? r.x1 - r.x0 : r.y1 - r.y0; n > 0; n--, i += step) {
        if (lo->strong[i]) {
            return true;
        }
    }
    return false;
}

/* Per cent of the px along a row or a column that are unexplained. */
static int residual_share(const struct leftovers *lo, struct model_rect r, int at, bool row)
{
    int width = row ? r.x1 - r.x0 : r.y1 - r.y0;
    int seen = 0;
    for (int k = 0; k < width; k++) {
        int x = row ? r.x0 + k : at;
        int y = row ? at : r.y0 + k;
        seen += lo->residual[(size_t)y * (size_t)lo->view->w + (size_t)x];
    }
    return width > 0 ? seen * 100 / width : 0;
}

/* Per cent of the px along a row or a column that are other ones beyond the next. */
static int step_share(const struct leftovers *lo, struct model_rect r, int at, bool row)
{
    int width = row ? r.x1 - r.x0 : r.y1 - r.y0;
    int seen = 0;
    for (int k = 0; k < width; k++) {
        int x = row ? r.x0 + k : at - 1;
        int y = row ? at - 1 : r.y0 + k;
        const uint8_t *p = model_px(lo->view, x, y);
        const uint8_t *beyond = model_px(lo->view, row ? x : x + 2, row ? y + 2 : y);
        seen += model_distance(p, beyond) >= STEP;
    }
    return seen * 100 / width;
}

/* Whether a band of faint px in a photo is a calm part of it: no edge of a photo is seen there. */
static bool goes_on(const struct leftovers *lo, struct model_rect r, bool rows, int from, int to)
{
    int middle = (from + to) / 2;
    return residual_share(lo, r, middle, rows) > 50 &&
           (step_share(lo, r, from, rows) < STEPS || step_share(lo, r, to - 1, rows) < STEPS);
}

/* The widest band across a rectangle without such a px, as [from, to). */
static int widest_gap(const struct leftovers *lo, struct model_rect r, bool rows, bool photo,
                      int *from)
{
    int widest = 0;
    int start = rows ? r.y0 : r.x0;
    int end = rows ? r.y1 : r.x1;
    for (int at = start; at < end; at++) {
        int first = at;
        while (at < end && !has_strong(lo, r, at, rows)) {
            at++;
        }
        if (first > start && at < end && at - first > widest &&
            !(photo && goes_on(lo, r, rows, first, at))) {
            widest = at - first;
            *from = first;
        }
    }
    return widest;
}

/* How many rows or columns at one end of a photo are mostly explained: what lies there is not of
 * it. */
static int bare_edge(const struct leftovers *lo, struct model_rect r, bool rows, bool far)
{
    int length = rows ? r.y1 - r.y0 : r.x1 - r.x0;
    int n = 0;
    for (; n < length; n++) {
        int at = (rows ? r.y0 : r.x0) + (far ? length - 1 - n : n);
        if (residual_share(lo, r, at, rows) >= BARE) {
            break;
        }
    }
    return n < length / 2 ? n : 0;
}

/* The wider such end, and where it begins or ends. */
static int widest_edge(const struct leftovers *lo, struct model_rect r, bool rows, int *cut)
{
    int near = bare_edge(lo, r, rows, false);
    int far = bare_edge(lo, r, rows, true);
    *cut = near >= far ? (rows ? r.y0 : r.x0) + near : (rows ? r.y1 : r.x1) - far;
    return model_max(near, far);
}

int pictures_tighten(const struct leftovers *lo, struct model_rect *r)
{
    struct model_rect box = {r->x1, r->y1, r->x0, r->y0};
    int n = 0;
    for (int y = r->y0; y < r->y1; y++) {
        for (int x = r->x0; x < r->x1; x++) {
            if (lo->strong[(size_t)y * (size_t)lo->view->w + (size_t)x]) {
                box.x0 = model_min(box.x0, x);
                box.x1 = model_max(box.x1, x + 1);
                box.y0 = model_min(box.y0, y);
                box.y1 = model_max(box.y1, y + 1);
            }
        }
    }
    for (int y = box.y0; y < box.y1; y++) {
        for (int x = box.x0; x < box.x1; x++) {
            n += lo->residual[(size_t)y * (size_t)lo->view->w + (size_t)x];
        }
    }
    *r = box;
    return n;
}

struct pictures_cut pictures_find_cut(const struct leftovers *lo, struct model_rect r, bool photo)
{
    struct pictures_cut best = {0};
    int widest = SPLIT_GAP - 1;
    for (int k = 0; k < (photo ? 4 : 2); k++) {
        bool rows = k % 2 == 0;
        int from = 0;
        int gap = k < 2 ? widest_gap(lo, r, rows, photo, &from) : widest_edge(lo, r, rows, &from);
        if (gap > widest) {
            widest = gap;
            best = (struct pictures_cut){rows, from, k < 2 ? from + gap : from};
        }
    }
    return best;
}
