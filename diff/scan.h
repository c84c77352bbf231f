/* The first bytes that differ, as fast as memory is read: the widest instructions that the machine
 * has are picked when the program runs. Private to diff. */
#ifndef GLMV_DIFF_SCAN_H
#define GLMV_DIFF_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIFF_GROUP 64 /* bytes */

enum diff_scan_path { DIFF_SCAN_PLAIN, DIFF_SCAN_SSE2, DIFF_SCAN_AVX2, DIFF_SCAN_PATHS };

/* The start of the first group of 64 bytes, counted from `from` on, in which a and b differ; len
 * when none does. The last group may be short. */
typedef size_t diff_scan_fn(const uint8_t *a, const uint8_t *b, size_t from, size_t len);

/* The fastest that this machine has. Registers of 64 bytes were a quarter slower than those of 32
 * where they were measured (Zen 4), so there is no path for them. */
diff_scan_fn *diff_scan_best(void);
/* One of them, for tests; NULL when this machine lacks it. */
diff_scan_fn *diff_scan_on(enum diff_scan_path path);

#endif
