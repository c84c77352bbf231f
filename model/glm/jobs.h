/*
 * The queue of jobs behind a pool, which no single thread drives: jobs are done in order, and every
 * thread that has a processor goes on with the present one, whoever put it there. Private to pool.c
 * and jobs.c.
 *
 * A job is cut into pieces. A thread claims a share of them, which stands in its word; who has
 * nothing left takes half of what another one has not begun. A thread that loses its processor
 * would still hold up all others with the pieces in its hands, for milliseconds. So a job that is a
 * race (pool.h) writes its results at once in the end: who waits computes such pieces again, and
 * the first that is ready writes.
 *
 * Who comes late still reads the job and its room: both are used again only when it has left.
 */
#ifndef GLMV_MODEL_GLM_JOBS_H
#define GLMV_MODEL_GLM_JOBS_H

#include <pthread.h>
#include <stdatomic.h>

#include "model/glm/pool.h"

#define GLM_MAX_THREADS 256
#define GLM_JOBS 1024 /* that wait at most; a token of 40 layers has fewer */

struct glm_job {
    _Alignas(64) struct glm_work work;
    const void *arg; /* bytes, or the caller's */
    size_t pieces, shares;
    size_t room_end;                 /* what was given out before it ends is free after this job */
    _Alignas(64) atomic_size_t next; /* share */
    atomic_size_t left;              /* pieces that are not done */
    _Alignas(64) unsigned char bytes[GLM_JOB_BYTES];
};

/* What others look at of a thread: a line of the cache. */
struct glm_hand {
    _Alignas(64) atomic_uint_fast64_t word; /* its pieces, see jobs.c */
    atomic_uint_fast64_t inside;            /* number of the job it is in, or GLM_OUTSIDE */
    struct glm_pool *pool;
};
#define GLM_OUTSIDE UINT64_MAX

struct glm_pool {
    struct glm_kernels kernels;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_int asleep;    /* threads that are woken when anything changes */
    atomic_bool settling; /* also when somebody leaves a job */
    atomic_bool stop;
    bool open; /* between glm_pool_begin and glm_pool_end */
    pthread_t threads[GLM_MAX_THREADS];
    int count;                                 /* helpers, without the caller */
    _Alignas(64) atomic_uint_fast64_t present; /* number of the job that is being done */
    _Alignas(64) atomic_uint_fast64_t queued;  /* of the next one that comes */
    struct glm_hand hands[GLM_MAX_THREADS];    /* the caller's is the first */
    struct glm_job *jobs;                      /* [GLM_JOBS], owned; NULL without helpers */
    uint64_t retired;                          /* jobs before this one are read by nobody */
    unsigned char *room;                       /* owned */
    size_t room_size, room_part;               /* the most that is asked for at a time */
    size_t room_head, room_free, room_tail;    /* all only grow, see glm_pool_room */
};

/* What a helper does until it is stopped; self: its place among the hands. */
void glm_jobs_help(struct glm_pool *pool, size_t self);
/* Takes part until everything is done. */
void glm_jobs_finish(struct glm_pool *pool);
/* Waits until nobody reads what was queued. */
void glm_jobs_settle(struct glm_pool *pool);
/* Wakes whoever waits, after a change. */
void glm_jobs_wake(struct glm_pool *pool);

#endif
