/* Time that only goes forward. */
#ifndef GLMV_BASE_CLOCK_H
#define GLMV_BASE_CLOCK_H

/* Seconds of the monotonic clock: differences of it mean something, its value does not. */
double glmv_now(void);

#endif
