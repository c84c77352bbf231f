#include "diff/relay.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BATCH 3 /* strips that who sleeps sleeps for */
/* Looks before sleeping. More of them made a calm machine a tenth faster, and one whose other
 * processors were asleep half as fast. */
#define LOOKS 60

void diff_relay_init(struct diff_relay *relay, int strips, int slots)
{
    relay->strips = strips;
    relay->slots = slots;
    atomic_init(&relay->made, 0);
    atomic_init(&relay->used, 0);
    atomic_init(&relay->awaited, 0);
    atomic_init(&relay->freed, 0);
    atomic_init(&relay->failed, false);
    atomic_init(&relay->stopped, false);
    pthread_mutex_init(&relay->mutex, NULL);
    pthread_cond_init(&relay->changed, NULL);
}

void diff_relay_release(struct diff_relay *relay)
{
    pthread_mutex_destroy(&relay->mutex);
    pthread_cond_destroy(&relay->changed);
}

static void wake(struct diff_relay *relay)
{
    pthread_mutex_lock(&relay->mutex);
    pthread_cond_broadcast(&relay->changed);
    pthread_mutex_unlock(&relay->mutex);
}

static inline void pause_briefly(void)
{
#ifdef __SSE2__
    _mm_pause();
#endif
}

static bool is_reached(const atomic_int *count, int goal, const atomic_bool *ended)
{
    return atomic_load(count) >= goal || atomic_load(ended);
}

/* Waits until count reaches the goal; who has to sleep for it sleeps until it reaches later, which
 * sleeps_for says meanwhile. */
static void await(struct diff_relay *relay, const atomic_int *count, int goal, int later,
                  atomic_int *sleeps_for, const atomic_bool *ended)
{
    for (int i = 0; i < LOOKS; i++) {
        if (is_reached(count, goal, ended)) {
            return;
        }
        pause_briefly();
    }
    pthread_mutex_lock(&relay->mutex);
    atomic_store(sleeps_for, later);
    while (!is_reached(count, later, ended)) {
        pthread_cond_wait(&relay->changed, &relay->mutex);
    }
    atomic_store(sleeps_for, 0);
    pthread_mutex_unlock(&relay->mutex);
}

bool diff_relay_begin(struct diff_relay *relay, int strip)
{
    int goal = strip + 1 - relay->slots;
    await(relay, &relay->used, goal, goal + BATCH - 1, &relay->freed, &relay->stopped);
    return !atomic_load(&relay->stopped);
}

void diff_relay_made(struct diff_relay *relay, int strip, bool ok)
{
    if (ok) {
        atomic_store(&relay->made, strip + 1);
    } else {
        atomic_store(&relay->failed, true);
    }
    if (!ok || strip + 1 == atomic_load(&relay->awaited)) {
        wake(relay);
    }
}

bool diff_relay_take(struct diff_relay *relay, int strip)
{
    int later = strip + BATCH < relay->strips ? strip + BATCH : relay->strips;
    await(relay, &relay->made, strip + 1, later, &relay->awaited, &relay->failed);
    return atomic_load(&relay->made) > strip;
}

void diff_relay_used(struct diff_relay *relay, int strip)
{
    atomic_store(&relay->used, strip + 1);
    if (strip + 1 == atomic_load(&relay->freed)) {
        wake(relay);
    }
}

void diff_relay_stop(struct diff_relay *relay)
{
    atomic_store(&relay->stopped, true);
    wake(relay);
}
