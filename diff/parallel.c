#include "diff/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#define PIXELS_PER_JOB 500000 /* below it a thread costs more than it saves */

struct job {
    void (*fn)(void *context, int job);
    void *context;
    int number;
};

int diff_job_count(size_t pixels)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = pixels / PIXELS_PER_JOB;
    count = count > DIFF_MAX_JOBS ? DIFF_MAX_JOBS : count;
    count = cpus > 0 && count > (size_t)cpus ? (size_t)cpus : count;
    return count < 1 ? 1 : (int)count;
}

static void *run(void *argument)
{
    struct job *job = argument;
    job->fn(job->context, job->number);
    return NULL;
}

void diff_run_jobs(int count, void (*fn)(void *context, int job), void *context)
{
    pthread_t threads[DIFF_MAX_JOBS];
    struct job jobs[DIFF_MAX_JOBS];
    bool started[DIFF_MAX_JOBS] = {false};
    for (int i = 1; i < count; i++) {
        jobs[i] = (struct job){fn, context, i};
        started[i] = pthread_create(&threads[i], NULL, run, &jobs[i]) == 0;
    }
    fn(context, 0);
    for (int i = 1; i < count; i++) {
        if (started[i]) {
            pthread_join(threads[i], NULL);
        } else {
            fn(context, i);
        }
    }
}
