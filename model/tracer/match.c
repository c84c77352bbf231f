/*
 * The offset of a line of text between two pictures. The line is cut into pieces about three times
 * as long as they are high; each piece is laid over the other picture where it correlates best, and
 * a straight line through the pieces' offsets tells where the line begins and how much wider it is.
 */
#include "model/tracer/match.h"

#include <math.h>
#include <stdlib.h>

enum {
    REACH_X = 6, /* px a piece is looked for beside the last one's offset */
    REACH_Y = 3,
    PAD_X = 24, /* px that the pieces of a line may wander in all */
    MOST_PIECES = 64,
    LEAST_PIECE = 24, /* px */
};

#define TRIM 1          /* px around the ink */
#define LEAST_ALIKE 0.3 /* of a piece that says anything */
#define CLEAR 0.9       /* of a line whose height needs no further search */
#define STAY 0.004      /* correlation that a px of offset must bring */

/* Ink 0..1 a px, rows without padding. */
struct strip {
    float *px;
    int w, h;
};

struct piece {
    int x, w;
    double alike, dx;
};

static bool take_strip(const struct glmv_image *image, int x0, int y0, int w, int h,
                       struct tracer_ink ink, struct strip *out)
{
    float text[3];
    float paper[3];
    float length = 0;
    for (int c = 0; c < 3; c++) {
        paper[c] = (float)(ink.paper >> (24 - 8 * c) & 255);
        text[c] = (float)(ink.color >> (24 - 8 * c) & 255) - paper[c];
        length += text[c] * text[c];
    }
    *out = (struct strip){calloc((size_t)w * (size_t)h, sizeof *out->px), w, h};
    if (out->px == NULL || length < 300) {
        return false;
    }
    for (int y = y0 < 0 ? -y0 : 0; y < h && y0 + y < image->height; y++) {
        for (int x = x0 < 0 ? -x0 : 0; x < w && x0 + x < image->width; x++) {
            const uint8_t *p =
                image->rgba + ((size_t)(y0 + y) * (size_t)image->width + (size_t)(x0 + x)) * 4;
            float along = 0;
            for (int c = 0; c < 3; c++) {
                along += ((float)p[c] - paper[c]) * text[c];
            }
            out->px[y * w + x] = fminf(1.2F, fmaxf(-0.2F, along / length));
        }
    }
    return true;
}

/* Correlation of a piece of a with what lies dx, dy away in b; b is PAD_X and REACH_Y larger on
 * each side. */
static double correlation(const struct strip *a, const struct strip *b, const struct piece *piece,
                          int dx, int dy)
{
    float sa = 0;
    float sb = 0;
    float saa = 0;
    float sbb = 0;
    float sab = 0;
    for (int y = 0; y < a->h; y++) {
        const float *p = a->px + y * a->w + piece->x;
        const float *q = b->px + (y + REACH_Y + dy) * b->w + piece->x + PAD_X + dx;
        for (int x = 0; x < piece->w; x++) {
            sa += p[x];
            sb += q[x];
            saa += p[x] * p[x];
            sbb += q[x] * q[x];
            sab += p[x] * q[x];
        }
    }
    double n = (double)piece->w * a->h;
    double va = (double)saa - (double)sa * (double)sa / n;
    double vb = (double)sbb - (double)sb * (double)sb / n;
    return va > 0.5 && vb > 0.5 ? ((double)sab - (double)sa * (double)sb / n) / sqrt(va * vb) : 0;
}

/* Finds a piece near an offset. */
static void place(const struct strip *a, const struct strip *b, struct piece *piece, int near,
                  int dy)
{
    int from = near - REACH_X < -PAD_X ? -PAD_X : near - REACH_X;
    int to = near + REACH_X > PAD_X ? PAD_X : near + REACH_X;
    double at[2 * REACH_X + 1];
    double best = -1;
    int where = near;
    for (int dx = from; dx <= to; dx++) {
        at[dx - from] = correlation(a, b, piece, dx, dy);
        double value = at[dx - from] - STAY * abs(dx - near);
        if (value > best) {
            best = value;
            where = dx;
        }
    }
    piece->alike = at[where - from];
    piece->dx = where;
    if (where > from && where < to) { /* the top of a parabola through three values */
        double left = at[where - 1 - from];
        double right = at[where + 1 - from];
        double bend = left - 2 * piece->alike + right;
        piece->dx += bend < -1e-6 ? fmax(-0.5, fmin(0.5, 0.5 * (left - right) / bend)) : 0;
    }
}

/* Places all pieces, each near the one before; returns how alike they are. */
static double place_all(const struct strip *a, const struct strip *b, struct piece *pieces,
                        int count, int dy)
{
    double sum = 0;
    int near = 0;
    for (int i = 0; i < count; i++) {
        place(a, b, &pieces[i], near, dy);
        near = pieces[i].alike >= LEAST_ALIKE ? (int)lround(pieces[i].dx) : near;
        sum += fmax(0, pieces[i].alike);
    }
    return sum / count;
}

static int cut(const struct strip *a, struct piece *pieces)
{
    int wide = a->h * 3 > LEAST_PIECE ? a->h * 3 : LEAST_PIECE;
    int count = a->w / wide;
    count = count < 1 ? 1 : count > MOST_PIECES ? MOST_PIECES : count;
    for (int i = 0; i < count; i++) {
        int from = (int)((long)a->w * i / count);
        int to = (int)((long)a->w * (i + 1) / count);
        pieces[i] = (struct piece){.x = from, .w = to - from};
    }
    return count;
}

/* The straight line through the pieces' offsets; false where too few are found. */
static bool fit_line(const struct piece *pieces, int count, double length,
                     struct tracer_offset *out)
{
    double s = 0;
    double sx = 0;
    double sxx = 0;
    double sd = 0;
    double sxd = 0;
    for (int i = 0; i < count; i++) {
        double weight = pieces[i].alike - LEAST_ALIKE;
        if (weight > 0) {
            double x = pieces[i].x + pieces[i].w / 2.0;
            s += weight;
            sx += weight * x;
            sxx += weight * x * x;
            sd += weight * pieces[i].dx;
            sxd += weight * x * pieces[i].dx;
        }
    }
    if (s <= 0) {
        return false;
    }
    double spread = sxx - sx * sx / s;
    double slope = spread > s * length ? (sxd - sx * sd / s) / spread : 0;
    out->dx = (sd - slope * sx) / s;
    out->wider = slope * length;
    return true;
}

bool tracer_match(const struct glmv_image *target, const struct glmv_image *render,
                  struct glmv_box area, struct tracer_ink ink, double down,
                  struct tracer_offset *out)
{
    int x0 = (int)floor(area.x) - TRIM;
    int y0 = (int)floor(area.y) - TRIM;
    int w = (int)ceil(area.x + area.w) + TRIM - x0;
    int h = (int)ceil(area.y + area.h) + TRIM - y0;
    int drop = (int)lround(down);
    struct strip a = {0};
    struct strip b = {0};
    bool ok = w > 2 * TRIM && h > 2 * TRIM && w <= target->width + 2 * TRIM &&
              h <= target->height + 2 * TRIM && take_strip(target, x0, y0, w, h, ink, &a) &&
              take_strip(render, x0 - PAD_X, y0 + drop - REACH_Y, w + 2 * PAD_X, h + 2 * REACH_Y,
                         ink, &b);
    if (ok) {
        struct piece pieces[MOST_PIECES];
        int count = cut(&a, pieces);
        double best = -1;
        int best_dy = 0;
        for (int i = 0; i <= 2 * REACH_Y && best < CLEAR; i++) {
            int dy = i % 2 == 0 ? i / 2 : -(i + 1) / 2; /* the nearest first */
            double value = place_all(&a, &b, pieces, count, dy) - STAY * abs(dy);
            if (value > best) {
                best = value;
                best_dy = dy;
            }
        }
        *out = (struct tracer_offset){.dy = drop + best_dy,
                                      .alike = place_all(&a, &b, pieces, count, best_dy)};
        ok = fit_line(pieces, count, area.w, out);
    }
    free(a.px);
    free(b.px);
    return ok;
}
