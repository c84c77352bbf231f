/*
 * Strips handed from the thread that makes them to the one that uses them, through a ring of slots.
 * Each looks for the other's progress for a moment before it sleeps, and who sleeps does so for
 * several strips: waking a thread costs as much as comparing a strip. Private to diff.
 */
#ifndef GLMV_DIFF_RELAY_H
#define GLMV_DIFF_RELAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct diff_relay {
    int strips, slots;     /* strips in all; those made and not used that there is room for */
    atomic_int made, used; /* strips */
    atomic_int awaited;    /* strips made that the user sleeps for; 0 when it does not */
    atomic_int freed;      /* strips used that the maker sleeps for; 0 when it does not */
    atomic_bool failed;    /* the maker makes no more */
    atomic_bool stopped;   /* the user wants no more */
    pthread_mutex_t mutex; /* around sleep and waking only */
    pthread_cond_t changed;
};

void diff_relay_init(struct diff_relay *relay, int strips, int slots);
/* Both threads are through with it. */
void diff_relay_release(struct diff_relay *relay);

/* The maker: waits for the slot of a strip, false when none is wanted any more; then says that the
 * strip is made, or that it and those behind it never will be. */
bool diff_relay_begin(struct diff_relay *relay, int strip);
void diff_relay_made(struct diff_relay *relay, int strip, bool ok);

/* The user: waits for a strip, false when it never comes; then gives its slot back, and those of
 * all before it; or says that it wants no more. */
bool diff_relay_take(struct diff_relay *relay, int strip);
void diff_relay_used(struct diff_relay *relay, int strip);
void diff_relay_stop(struct diff_relay *relay);

#endif
