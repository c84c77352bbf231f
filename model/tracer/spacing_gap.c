/* One distance for all. */
#include <math.h>

#include "model/tracer/spacing.h"

#define LEAST_SHARE 0.6 /* of the distances that a gap has to hold for */
#define MOST_BACK 0.25  /* of the distances that may be smaller than it */

/* How many distances a gap holds for, what came out too early or late before being made up for by
 * the next; -1 when too many are smaller. Stores what is left of each where rest is not NULL. */
static int holds(const double *distances, int count, double gap, struct tracer_slack slack,
                 double *rest, double *early)
{
    int kept = 0;
    int back = 0;
    *early = 0;
    for (int i = 0; i < count; i++) {
        double more = distances[i] - gap + *early;
        bool within = more > -slack.late && more <= slack.early;
        kept += within;
        back += !within && more < 0;
        *early = within ? more : 0;
        if (rest != NULL) {
            rest[i] = within ? 0 : more;
        }
    }
    return back > MOST_BACK * count ? -1 : kept;
}

double tracer_gap_find(double *distances, int count, struct tracer_slack slack, double *early)
{
    double sum = 0;
    double best = 0;
    int most = 0;
    for (int i = 0; i < count; i++) {
        sum += distances[i];
    }
    double mean = count > 0 ? sum / count : 0;
    const double means[] = {round(mean), round(mean * 2) / 2, round(mean * 4) / 4, mean};
    for (int i = 0; i < 4 + count; i++) {
        /* The plainest first: a later one has to hold for more. */
        double gap = i < 4 ? means[i] : round(distances[i - 4] * 4) / 4;
        int kept = gap > TRACER_NOTHING ? holds(distances, count, gap, slack, NULL, early) : 0;
        if (kept > most) {
            most = kept;
            best = gap;
        }
    }
    *early = 0;
    if (most < LEAST_SHARE * count || most < (count < 2 ? count : 2)) {
        return 0;
    }
    holds(distances, count, best, slack, distances, early);
    return best;
}
