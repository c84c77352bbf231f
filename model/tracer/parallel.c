/* A pool of threads for one loop. */
#include <pthread.h>
#include <stdatomic.h>

#include "model/tracer/perception.h"

enum { MAX_THREADS = 8 };

struct pool {
    atomic_int next;
    int count;
    model_job_fn *job;
    void *context;
};

struct seat {
    struct pool *pool;
    int worker;
};

static void *work(void *argument)
{
    struct seat *seat = argument;
    int i;
    while ((i = atomic_fetch_add(&seat->pool->next, 1)) < seat->pool->count) {
        seat->pool->job(seat->pool->context, i, seat->worker);
    }
    return NULL;
}

void model_parallel(int threads, int count, model_job_fn *job, void *context)
{
    struct pool pool = {.count = count, .job = job, .context = context};
    pthread_t ids[MAX_THREADS];
    struct seat seats[MAX_THREADS];
    int started = 0;
    threads = model_min(model_min(threads, count), MAX_THREADS);
    for (int t = 1; t < threads; t++) {
        seats[t] = (struct seat){&pool, t};
        if (pthread_create(&ids[started + 1], NULL, work, &seats[t]) != 0) {
            break;
        }
        started++;
    }
    /* The caller works too, so that a refused thread costs time and nothing else. */
    seats[0] = (struct seat){&pool, 0};
    work(&seats[0]);
    for (int t = 1; t <= started; t++) {
        pthread_join(ids[t], NULL);
    }
}
