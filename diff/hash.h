/* A hash of 128 bits as fast as memory is read, the same on every machine. It is not made against
 * people who look for collisions. Private to diff. */
#ifndef GLMV_DIFF_HASH_H
#define GLMV_DIFF_HASH_H

#include <stddef.h>
#include <stdint.h>

enum diff_hash_path { DIFF_HASH_PLAIN, DIFF_HASH_SSE2, DIFF_HASH_AVX2, DIFF_HASH_PATHS };

typedef void diff_hash_fn(const uint8_t *bytes, size_t len, uint64_t out[2]);

diff_hash_fn *diff_hash_best(void);
/* One of them, for tests; NULL when this machine lacks it. All give the same. */
diff_hash_fn *diff_hash_on(enum diff_hash_path path);

#endif
