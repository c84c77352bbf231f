/*
 * Blurred discs over each other: a Levenberg-Marquardt fit of one disc more after the other, each
 * beginning where most is left to explain. Beside the edge of a disc that is large for its blur,
 * the blur is that of a half plane: 1 - Phi((distance - radius) / deviation).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/glows.h"

enum {
    PLACES = 600, /* px that are looked at */
    MIN_PLACES = 200,
    NUMBERS = 8, /* of a spot */
    MOST = NUMBERS * GLMV_SCENE_GLOWS,
    ROUNDS = 40,
    NEAREST = 24, /* px around one that its colour is smoothed over, in the mean */
};

enum number { X, Y, RADIUS, DEVIATION, ALPHA, RED, GREEN, BLUE };

#define NEAR 2.5 /* levels that a px may be off */
#define PI 3.14159265358979
#define SETTLED 0.999 /* times the misfit before: no use going on */
#define AGREE 0.93    /* share of the px that are not */

struct place {
    double x, y, rgb[3];
};

struct fit {
    struct place *places; /* owned */
    int place_count;
    double ground[3];
    double v[GLMV_SCENE_GLOWS][NUMBERS];
    int count;
    double *cover;    /* owned: of each spot at each place */
    double *jacobian; /* owned */
    double *left;     /* owned: what each place's channels are off */
    double normal[MOST][MOST + 1];
    double tried[MOST][MOST + 1];
};

static double cover_at(const double *v, const struct place *p)
{
    double d = hypot(p->x - v[X], p->y - v[Y]) - v[RADIUS];
    return v[ALPHA] * 0.5 * erfc(d / (v[DEVIATION] * sqrt(2)));
}

static void cover_all(struct fit *f, int spot)
{
    for (int i = 0; i < f->place_count; i++) {
        f->cover[i * GLMV_SCENE_GLOWS + spot] = cover_at(f->v[spot], &f->places[i]);
    }
}

/* The colour at a place with one spot's cover and colour replaced. */
static void colour_at(const struct fit *f, int place, int spot, double cover, const double *rgb,
                      double *out)
{
    memcpy(out, f->ground, sizeof f->ground);
    for (int k = 0; k < f->count; k++) {
        double a = k == spot ? cover : f->cover[place * GLMV_SCENE_GLOWS + k];
        const double *c = k == spot ? rgb : &f->v[k][RED];
        for (int n = 0; n < 3; n++) {
            out[n] += a * (c[n] - out[n]);
        }
    }
}

/* The sum of squares of what the places are off; agree: the share that is not off by much. */
static double misfit(struct fit *f, double *agree)
{
    double sum = 0;
    int near = 0;
    for (int i = 0; i < f->place_count; i++) {
        double rgb[3];
        double worst = 0;
        colour_at(f, i, -1, 0, NULL, rgb);
        for (int n = 0; n < 3; n++) {
            double d = f->places[i].rgb[n] - rgb[n];
            f->left[i * 3 + n] = d;
            sum += d * d;
            worst = fmax(worst, fabs(d));
        }
        near += worst <= NEAR;
    }
    *agree = (double)near / f->place_count;
    return sum;
}

static void differentiate(struct fit *f)
{
    static const double step[NUMBERS] = {0.5, 0.5, 0.5, 0.5, 0.01, 1, 1, 1};
    for (int i = 0; i < f->place_count; i++) {
        double now[3];
        colour_at(f, i, -1, 0, NULL, now);
        for (int k = 0; k < f->count; k++) {
            for (int p = 0; p < NUMBERS; p++) {
                double v[NUMBERS];
                double moved[3];
                memcpy(v, f->v[k], sizeof v);
                v[p] += step[p];
                double cover =
                    p >= RED ? f->cover[i * GLMV_SCENE_GLOWS + k] : cover_at(v, &f->places[i]);
                colour_at(f, i, k, cover, &v[RED], moved);
                for (int n = 0; n < 3; n++) {
                    f->jacobian[(i * 3 + n) * MOST + k * NUMBERS + p] =
                        (moved[n] - now[n]) / step[p];
                }
            }
        }
    }
}

/* Gaussian elimination in place; false where the matrix is singular. */
static bool solve(double m[MOST][MOST + 1], int n)
{
    for (int i = 0; i < n; i++) {
        int pivot = i;
        for (int k = i + 1; k < n; k++) {
            pivot = fabs(m[k][i]) > fabs(m[pivot][i]) ? k : pivot;
        }
        if (fabs(m[pivot][i]) < 1e-12) {
            return false;
        }
        for (int c = 0; c <= n; c++) {
            double keep = m[i][c];
            m[i][c] = m[pivot][c];
            m[pivot][c] = keep;
        }
        for (int k = 0; k < n; k++) {
            double times = k == i ? 0 : m[k][i] / m[i][i];
            for (int c = i; c <= n && times != 0; c++) {
                m[k][c] -= times * m[i][c];
            }
        }
    }
    for (int i = 0; i < n; i++) {
        m[i][n] /= m[i][i];
    }
    return true;
}

static void keep_sane(double *v, double far)
{
    v[RADIUS] = fmin(far, fmax(4, v[RADIUS]));
    v[DEVIATION] = fmin(far, fmax(4, v[DEVIATION]));
    v[ALPHA] = fmin(1, fmax(0.02, v[ALPHA]));
    for (int c = RED; c <= BLUE; c++) {
        v[c] = fmin(255, fmax(0, v[c]));
    }
}

/* Moves all numbers as long as the places agree more. */
static double refine(struct fit *f, double far, double *agree)
{
    double cost = misfit(f, agree);
    double damp = 1e-2;
    bool settled = false;
    int n = f->count * NUMBERS;
    for (int round = 0; round < ROUNDS && damp < 1e6 && !settled; round++) {
        memset(f->normal, 0, sizeof f->normal);
        misfit(f, agree);
        differentiate(f);
        for (int i = 0; i < f->place_count * 3; i++) {
            const double *row = f->jacobian + i * MOST;
            for (int a = 0; a < n; a++) {
                for (int b = a; b < n; b++) {
                    f->normal[a][b] += row[a] * row[b];
                }
                f->normal[a][n] += row[a] * f->left[i];
            }
        }
        bool better = false;
        while (!better && damp < 1e6) {
            memcpy(f->tried, f->normal, sizeof f->tried);
            for (int a = 0; a < n; a++) {
                for (int b = 0; b < a; b++) {
                    f->tried[a][b] = f->tried[b][a];
                }
                f->tried[a][a] += damp * (f->tried[a][a] + 1e-6);
            }
            double before[GLMV_SCENE_GLOWS][NUMBERS];
            memcpy(before, f->v, sizeof before);
            bool solved = solve(f->tried, n);
            for (int a = 0; solved && a < n; a++) {
                f->v[a / NUMBERS][a % NUMBERS] += f->tried[a][n];
            }
            for (int k = 0; k < f->count; k++) {
                keep_sane(f->v[k], far);
                cover_all(f, k);
            }
            double now = misfit(f, agree);
            better = solved && now < cost * 0.9999;
            if (better) {
                settled = now > cost * SETTLED;
                cost = now;
                damp *= 0.3;
            } else {
                memcpy(f->v, before, sizeof before);
                for (int k = 0; k < f->count; k++) {
                    cover_all(f, k);
                }
                damp *= 4;
            }
        }
    }
    return misfit(f, agree);
}

/* How far the places around one are off, in the mean. */
static double off_around(const struct fit *f, int place, double reach)
{
    double sum = 0;
    int n = 0;
    for (int i = 0; i < f->place_count; i++) {
        if (hypot(f->places[i].x - f->places[place].x, f->places[i].y - f->places[place].y) <=
            reach) {
            const double *d = f->left + i * 3;
            sum += fabs(d[0]) + fabs(d[1]) + fabs(d[2]);
            n++;
        }
    }
    return sum / n;
}

/* Begins a spot where most is left, as large as what is left there. px: that each place stands
 * for. */
static void add_spot(struct fit *f, double px)
{
    int best = 0;
    double most = -1;
    double reach = sqrt(px * NEAREST / PI);
    for (int i = 0; i < f->place_count; i++) {
        double off = off_around(f, i, reach);
        if (off > most) {
            most = off;
            best = i;
        }
    }
    int n = 0;
    for (int i = 0; i < f->place_count; i++) {
        const double *d = f->left + i * 3;
        const double *b = f->left + best * 3;
        double same = d[0] * b[0] + d[1] * b[1] + d[2] * b[2];
        n += same >= 0.5 * (b[0] * b[0] + b[1] * b[1] + b[2] * b[2]);
    }
    double *v = f->v[f->count];
    const struct place *p = &f->places[best];
    v[X] = p->x;
    v[Y] = p->y;
    v[RADIUS] = sqrt(n * px / PI);
    v[DEVIATION] = v[RADIUS] / 3;
    v[ALPHA] = 0.9;
    memcpy(&v[RED], p->rgb, sizeof p->rgb);
    cover_all(f, f->count);
    f->count++;
}

static bool take_places(const struct model_view *view, const int32_t *label, struct model_rect r,
                        struct fit *f, double *px)
{
    long all = 0;
    for (int pass = 0; pass < 2; pass++) {
        int step = model_max(1, (int)sqrt((double)all / PLACES));
        if (pass == 1) {
            size_t room = (size_t)((r.x1 - r.x0) / step + 1) * (size_t)((r.y1 - r.y0) / step + 1);
            f->places = malloc(room * sizeof *f->places);
            *px = step * step;
        }
        for (int y = r.y0; y < r.y1 && (pass == 0 || f->places != NULL); y += step) {
            for (int x = r.x0; x < r.x1; x += step) {
                if (label[(size_t)y * (size_t)view->w + (size_t)x] != 0) {
                    continue;
                }
                const uint8_t *p = model_px(view, x, y);
                if (pass == 0) {
                    all++;
                } else {
                    f->places[f->place_count++] =
                        (struct place){x + 0.5, y + 0.5, {p[0], p[1], p[2]}};
                }
            }
        }
    }
    return f->places != NULL && f->place_count >= MIN_PLACES;
}

static uint32_t colour_of(const double *v)
{
    uint8_t rgb[3];
    for (int c = 0; c < 3; c++) {
        rgb[c] = (uint8_t)lround(v[RED + c]);
    }
    return (model_rgba(rgb) & 0xffffff00U) | (uint32_t)lround(v[ALPHA] * 255);
}

int glows_fit_spots(const struct model_view *view, const int32_t *label, struct model_rect r,
                    uint32_t ground, struct glows_spot out[GLMV_SCENE_GLOWS])
{
    struct fit *f = calloc(1, sizeof *f);
    double px = 1;
    double agree = 0;
    bool ok = f != NULL && take_places(view, label, r, f, &px);
    if (ok) {
        f->cover = calloc((size_t)f->place_count * GLMV_SCENE_GLOWS, sizeof *f->cover);
        f->jacobian = calloc((size_t)f->place_count * 3 * MOST, sizeof *f->jacobian);
        f->left = calloc((size_t)f->place_count * 3, sizeof *f->left);
        ok = f->cover != NULL && f->jacobian != NULL && f->left != NULL;
    }
    for (int c = 0; ok && c < 3; c++) {
        f->ground[c] = ground >> (24 - 8 * c) & 255;
    }
    if (ok) {
        misfit(f, &agree);
    }
    double far = model_max(r.x1 - r.x0, r.y1 - r.y0);
    while (ok && agree < AGREE && f->count < GLMV_SCENE_GLOWS) {
        add_spot(f, px);
        refine(f, far, &agree);
    }
    int count = ok && agree >= AGREE ? f->count : 0;
    for (int i = 0; i < count; i++) {
        const double *v = f->v[i];
        out[i] = (struct glows_spot){v[X], v[Y], v[RADIUS], v[DEVIATION], colour_of(v)};
    }
    if (f != NULL) {
        free(f->places);
        free(f->cover);
        free(f->jacobian);
        free(f->left);
    }
    free(f);
    return count;
}
