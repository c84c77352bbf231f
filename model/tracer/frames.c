/* Outlines that no surface inside shows, such as dashed ones: unexplained px along the four sides
 * of a rectangle and nowhere else. */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/pictures.h"

enum {
    FRAME_SIDE = 18,   /* px */
    FRAME_WIDTH = 4,   /* px of a border */
    FRAME_CORNER = 16, /* px beside a corner that may be its curve */
    SHOWN = 40,        /* per cent of a side that dashes cover, at least */
    WHOLE = 92,        /* per cent from which on it is no dashes */
    STRAY = 3,         /* per cent of the px that may lie elsewhere */
    DASHES = 4,        /* of a side, at least */
};

#define DOT 1.6 /* widths of a border that a dot is long, at most; dashes are two and more */

struct rim {
    int covered, places; /* px along the sides, corners left out */
    int dashes;
    int widths[FRAME_WIDTH + 2];
    uint8_t rgb[3]; /* what stands out most */
    int most;
};

static bool is_residual(const struct leftovers *lo, int x, int y)
{
    return lo->residual[(size_t)y * (size_t)lo->view->w + (size_t)x] != 0;
}

/* Px of one place of a side that are unexplained, from the outside inwards. */
static int depth_at(const struct leftovers *lo, struct model_rect r, enum glmv_side side, int at,
                    const uint8_t **px)
{
    int n = 0;
    for (; n <= FRAME_WIDTH; n++) {
        int x = side == GLMV_LEFT ? r.x0 + n : side == GLMV_RIGHT ? r.x1 - 1 - n : r.x0 + at;
        int y = side == GLMV_TOP ? r.y0 + n : side == GLMV_BOTTOM ? r.y1 - 1 - n : r.y0 + at;
        if (!is_residual(lo, x, y)) {
            break;
        }
        *px = n == 0 ? model_px(lo->view, x, y) : *px;
    }
    return n;
}

/* Measures a side; false, with nothing counted, when it is too bare for one of a frame. */
static bool measure_side(const struct leftovers *lo, struct model_rect r, enum glmv_side side,
                         int corner, const uint8_t *ground, struct rim *rim)
{
    int length = side == GLMV_TOP || side == GLMV_BOTTOM ? r.x1 - r.x0 : r.y1 - r.y0;
    int covered = 0;
    bool was = false;
    const struct rim before = *rim;
    for (int at = corner; at < length - corner; at++) {
        const uint8_t *px = NULL;
        int depth = depth_at(lo, r, side, at, &px);
        rim->widths[depth]++;
        rim->dashes += depth > 0 && !was;
        was = depth > 0;
        covered += was;
        if (was && model_distance(px, ground) > rim->most) {
            rim->most = model_distance(px, ground);
            memcpy(rim->rgb, px, 3);
        }
    }
    if (length <= 2 * corner || covered * 100 < SHOWN * (length - 2 * corner)) {
        *rim = before;
        return false;
    }
    rim->covered += covered;
    rim->places += length - 2 * corner;
    return true;
}

/* Px beside a corner that its curve leaves free, the smallest of both ways. */
static int curve_at(const struct leftovers *lo, struct model_rect r, int corner, int reach)
{
    int found[2] = {reach, reach};
    for (int way = 0; way < 2; way++) {
        for (int n = 0; n < reach; n++) {
            int dx = way == 0 ? n : 0;
            int dy = way == 0 ? 0 : n;
            int x = corner == 0 || corner == 3 ? r.x0 + dx : r.x1 - 1 - dx;
            int y = corner < 2 ? r.y0 + dy : r.y1 - 1 - dy;
            if (is_residual(lo, x, y)) {
                found[way] = n;
                break;
            }
        }
    }
    return model_min(found[0], found[1]);
}

/* Px of the last part that was visited which are not at its rim. Others may lie in the outline. */
static int count_stray(const struct leftovers *lo, struct model_rect r, int visited, int corner,
                       int *all)
{
    int stray = 0;
    *all = 0;
    for (int k = 0; k < visited; k++) {
        int x = lo->queue[k] % lo->view->w;
        int y = lo->queue[k] / lo->view->w;
        if (is_residual(lo, x, y)) {
            int dx = model_min(x - r.x0, r.x1 - 1 - x);
            int dy = model_min(y - r.y0, r.y1 - 1 - y);
            (*all)++;
            stray += model_min(dx, dy) >= FRAME_WIDTH && (dx >= corner || dy >= corner);
        }
    }
    return stray;
}

bool pictures_frame(const struct leftovers *lo, struct model_rect r, int visited,
                    struct glmv_scene_box *out)
{
    int shorter = model_min(r.x1 - r.x0, r.y1 - r.y0);
    if (shorter < FRAME_SIDE) {
        return false;
    }
    int corner = model_min(FRAME_CORNER, shorter / 3);
    int all = 0;
    int stray = count_stray(lo, r, visited, corner, &all);
    const uint8_t *ground = model_px(lo->view, model_max(r.x0 - 1, 0), model_max(r.y0 - 1, 0));
    struct rim rim = {0};
    bool shown[4];
    int sides = 0;
    for (int side = 0; side < 4; side++) {
        shown[side] = measure_side(lo, r, (enum glmv_side)side, corner, ground, &rim);
        sides += shown[side];
    }
    /* One side may be hidden by what the frame is cut off by. */
    bool framed = stray * 100 <= STRAY * all && sides >= 3;
    int width = 1;
    for (int n = 2; n <= FRAME_WIDTH + 1; n++) {
        width = rim.widths[n] > rim.widths[width] ? n : width;
    }
    bool dashed = rim.covered * 100 < WHOLE * rim.places;
    bool dotted = dashed && rim.covered <= DOT * width * rim.dashes;
    if (!framed || width > FRAME_WIDTH || (dashed && rim.dashes < sides * DASHES)) {
        return false;
    }
    int curve = FRAME_CORNER;
    for (int c = 0; c < 4; c++) {
        curve = model_min(curve, curve_at(lo, r, c, corner));
    }
    *out = (struct glmv_scene_box){
        .box = {r.x0, r.y0, r.x1 - r.x0, r.y1 - r.y0},
        .fill = GLMV_FILL_NONE,
    };
    for (int k = 0; k < 4; k++) {
        out->radius[k] = curve <= 1 ? 0 : curve + 1;
        if (shown[k]) {
            out->border[k] = (struct glmv_scene_border){width, model_rgba(rim.rgb), dashed, dotted};
        }
    }
    return true;
}
