#include "replicate/seats.h"

#include <pthread.h>
#include <stdlib.h>

struct replicate_seats {
    pthread_mutex_t mutex;
    pthread_cond_t free_one;
    int count, taken;
    int idle_count;
    struct glmv_renderer *idle[]; /* count of them; owned */
};

struct replicate_seats *replicate_seats_open(int count, struct glmv_err *err)
{
    struct replicate_seats *seats =
        calloc(1, sizeof *seats + (size_t)count * sizeof seats->idle[0]);
    if (seats == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    pthread_mutex_init(&seats->mutex, NULL);
    pthread_cond_init(&seats->free_one, NULL);
    seats->count = count;
    return seats;
}

void replicate_seats_close(struct replicate_seats *seats)
{
    if (seats == NULL) {
        return;
    }
    for (int i = 0; i < seats->idle_count; i++) {
        glmv_renderer_close(seats->idle[i]);
    }
    pthread_cond_destroy(&seats->free_one);
    pthread_mutex_destroy(&seats->mutex);
    free(seats);
}

struct glmv_renderer *replicate_seats_take(struct replicate_seats *seats, struct glmv_err *err)
{
    struct glmv_renderer *renderer = NULL;
    pthread_mutex_lock(&seats->mutex);
    while (seats->taken == seats->count) {
        pthread_cond_wait(&seats->free_one, &seats->mutex);
    }
    seats->taken++;
    if (seats->idle_count > 0) {
        renderer = seats->idle[--seats->idle_count];
    }
    pthread_mutex_unlock(&seats->mutex);
    if (renderer == NULL) {
        renderer = glmv_renderer_open(NULL, err);
    }
    if (renderer == NULL) {
        replicate_seats_give(seats, NULL);
    }
    return renderer;
}

void replicate_seats_give(struct replicate_seats *seats, struct glmv_renderer *renderer)
{
    pthread_mutex_lock(&seats->mutex);
    seats->taken--;
    if (renderer != NULL) {
        seats->idle[seats->idle_count++] = renderer;
    }
    pthread_cond_signal(&seats->free_one);
    pthread_mutex_unlock(&seats->mutex);
}
