#define _GNU_SOURCE /* sched_getaffinity */
#include "diff/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#define PIXELS_PER_JOB 500000 /* below it a thread costs more than it saves */

struct job {
    void (*fn)(void *context, int job);
    void *context;
    int number;
};

int diff_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int diff_job_count(size_t pixels)
{
    size_t processors = (size_t)diff_processors();
    size_t count = pixels / PIXELS_PER_JOB;
    count = count > DIFF_MAX_JOBS ? DIFF_MAX_JOBS : count;
    count = count > processors ? processors : count;
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
