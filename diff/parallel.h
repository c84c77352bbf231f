/* One function on several threads. Private to diff. */
#ifndef GLMV_DIFF_PARALLEL_H
#define GLMV_DIFF_PARALLEL_H

#include <stddef.h>

#define DIFF_MAX_JOBS 4

/* Processors that this process may run on. */
int diff_processors(void);

/* How many jobs pay for so many pixels on this machine, 1 .. DIFF_MAX_JOBS. */
int diff_job_count(size_t pixels);

/* Calls fn(context, 0 .. count - 1) and waits; those that get no thread run on the caller's. */
void diff_run_jobs(int count, void (*fn)(void *context, int job), void *context);

#endif
