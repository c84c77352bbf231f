/*
 * Sixteen pixels judged at once: which are surely further apart than a limit, and which need the
 * exact arithmetic. What is neither is surely within it. Private to diff.
 */
#ifndef GLMV_DIFF_JUDGE_H
#define GLMV_DIFF_JUDGE_H

#include <stdint.h>

#include "diff/scan.h"

#define DIFF_JUDGED (DIFF_GROUP / 4) /* pixels */

/* Bit i is that of the i-th pixel. */
struct diff_judgement {
    uint32_t far, unsure;
};

/* p, q: DIFF_GROUP bytes each. limit: of the squared distance. */
typedef struct diff_judgement diff_judge_fn(const uint8_t *p, const uint8_t *q, double limit);

/* The fastest that this machine has. */
diff_judge_fn *diff_judge_best(void);
/* One of them, for tests; NULL when this machine lacks it or it is that of another path. */
diff_judge_fn *diff_judge_on(enum diff_scan_path path);

#endif
