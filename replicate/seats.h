/*
 * A few renderers shared by many threads: requests to a server wait by the dozen, but a machine
 * draws and reads only as many pages at a time as it has processors. Private to replicate.
 */
#ifndef GLMV_REPLICATE_SEATS_H
#define GLMV_REPLICATE_SEATS_H

#include "render/render.h"

struct replicate_seats;

/* NULL on failure. Renderers start when they are first taken. */
struct replicate_seats *replicate_seats_open(int count, struct glmv_err *err);
/* All renderers are back by now. NULL is allowed. */
void replicate_seats_close(struct replicate_seats *seats);

/* Waits for a free renderer; it goes back with replicate_seats_give. NULL when none can start. */
struct glmv_renderer *replicate_seats_take(struct replicate_seats *seats, struct glmv_err *err);
void replicate_seats_give(struct replicate_seats *seats, struct glmv_renderer *renderer);

#endif
