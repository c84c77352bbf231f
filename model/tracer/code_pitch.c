/* The pitch of a row of letters of one width: letters lie in the middle of their cells. */
#include "model/tracer/code.h"

#include <math.h>

#define MIN_PERIOD 0.75 /* how evenly the middles of marks of one width lie: 1 is exact */

enum {
    MIN_PITCH = 5, /* px */
    MAX_PITCH = 24,
};

double model_pitch_evenness(const struct model_view *view, const struct model_row *row,
                            double pitch, double *start)
{
    double c = 0;
    double s = 0;
    for (int k = 0; k < row->count; k++) {
        const struct model_rect *r = &view->marks[row->marks[k]].r;
        double a = 2 * M_PI * (r->x0 + r->x1) / 2.0 / pitch;
        c += cos(a);
        s += sin(a);
    }
    double middle = atan2(s, c) / (2 * M_PI) * pitch;
    double first = middle - pitch / 2;
    first += floor((row->r.x0 + 0.35 * pitch - first) / pitch) * pitch;
    *start = first;
    return sqrt(c * c + s * s) / row->count;
}

double model_pitch_find(const struct model_view *view, const struct model_row *row)
{
    int h = row->r.y1 - row->r.y0;
    double length = row->r.x1 - row->r.x0;
    double best = 0;
    double top = MIN_PERIOD;
    double start;
    double from = fmax(MIN_PITCH, 0.5 * h);
    double to = fmin(MAX_PITCH, 0.95 * h);
    for (double p = from; p <= to; p += 0.1 * p * p / length) {
        double even = model_pitch_evenness(view, row, p, &start);
        if (even > top) {
            top = even;
            best = p;
        }
    }
    double step = best > 0 ? 0.02 * best * best / length : 0;
    for (double p = best - 5 * step; best > 0 && p <= best + 5 * step; p += step) {
        if (model_pitch_evenness(view, row, p, &start) > top) {
            top = model_pitch_evenness(view, row, p, &start);
            best = p;
        }
    }
    return best;
}
