/* The threads of a pool, and the memory that jobs share. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/jobs.h"

/* Aligned: what threads change lies on lines of its own. */
static void *zeroed(size_t bytes)
{
    void *memory = aligned_alloc(64, bytes);
    return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

static void *help(void *arg)
{
    struct glm_hand *hand = arg;
    glm_jobs_help(hand->pool, (size_t)(hand - hand->pool->hands));
    return NULL;
}

/* Processors this process may use: the affinity mask, cut by the cgroup's quota. */
static int processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (file != NULL) {
        double quota, period;
        if (fscanf(file, "%lf %lf", &quota, &period) == 2 && period > 0 && quota > 0) {
            int limit = (int)(quota / period + 0.5);
            count = limit < 1 ? 1 : limit < count ? limit : count;
        }
        fclose(file);
    }
    return count < 1 ? 1 : count > GLM_MAX_THREADS ? GLM_MAX_THREADS : count;
}

struct glm_pool *glm_pool_new(int threads, struct glmv_err *err)
{
    const int want = threads > 0 && threads <= GLM_MAX_THREADS ? threads : processors();
    struct glm_pool *pool = zeroed(sizeof *pool);
    struct glm_job *jobs = want > 1 ? zeroed(GLM_JOBS * sizeof *jobs) : NULL;
    if (pool == NULL || (want > 1 && jobs == NULL)) {
        free(pool);
        free(jobs);
        glmv_fail_memory(err);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    glm_pool_choose(pool, glm_cpu_best());
    for (int i = 0; i < want; i++) {
        pool->hands[i].pool = pool;
        atomic_init(&pool->hands[i].inside, GLM_OUTSIDE);
    }
    while (pool->count + 1 < want && pthread_create(&pool->threads[pool->count], NULL, help,
                                                    &pool->hands[pool->count + 1]) == 0) {
        pool->count++;
    }
    if (pool->count == 0) {
        free(jobs);
        jobs = NULL;
    }
    pool->jobs = jobs;
    return pool;
}

void glm_pool_free(struct glm_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    atomic_store(&pool->stop, true);
    glm_jobs_wake(pool);
    for (int i = 0; i < pool->count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->jobs);
    free(pool->room);
    free(pool);
}

int glm_pool_threads(const struct glm_pool *pool)
{
    return pool->count + 1;
}

const struct glm_kernels *glm_pool_kernels(const struct glm_pool *pool)
{
    return &pool->kernels;
}

bool glm_pool_fit(struct glm_pool *pool, size_t cols, struct glmv_err *err)
{
    enum { PARTS = 3 }; /* what is late still reads the first when the third is written */
    const size_t codes = glm_codes_room(cols, GLM_WIDE_ROWS), wide = glm_wide_room(cols);
    const size_t plain = GLM_COLUMNS * cols * sizeof(float) + 64;
    size_t part = codes > wide ? codes : wide;
    part = ((part > plain ? part : plain) + 63) / 64 * 64;
    const size_t size = pool->jobs != NULL ? PARTS * part : part;
    if (part <= pool->room_part) {
        return true;
    }
    if (pool->jobs != NULL) {
        glm_jobs_finish(pool);
        glm_jobs_settle(pool);
    }
    free(pool->room);
    pool->room = aligned_alloc(64, size);
    if (pool->room == NULL) {
        pool->room_size = pool->room_part = 0;
        return glmv_fail_memory(err);
    }
    pool->room_size = size;
    pool->room_part = part;
    pool->retired = atomic_load(&pool->queued);
    pool->room_head = pool->room_free = pool->room_tail = 0;
    return true;
}
