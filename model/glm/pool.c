/* A pool of threads that does not collapse on a busy machine: work is claimed in parts from one
 * counter, and who waits looks for some microseconds, then sleeps. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/pool.h"

#define MAX_THREADS 256

struct glm_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    pthread_t threads[MAX_THREADS];
    int count;          /* helpers, without the caller */
    int asleep;         /* helpers that have to be woken */
    atomic_int busy;    /* helpers inside the present job; changed under the lock */
    atomic_uint serial; /* of the present job; changed under the lock */
    bool stop, open;    /* open: the present job still takes helpers */
    atomic_size_t next;
    size_t total, part;
    bool falling; /* parts are large at first and part in the end */
    void (*run)(void *arg, size_t begin, size_t end);
    void *arg;
    struct glm_kernels kernels;
    struct glm_code_space codes;
};

/* Takes the next part; false when nothing is left. */
static bool take(struct glm_pool *pool, size_t *begin, size_t *end)
{
    size_t at = atomic_load(&pool->next), next;
    do {
        if (at >= pool->total) {
            return false;
        }
        size_t left = pool->total - at, part = pool->part;
        size_t share = left / ((size_t)(pool->count + 1) * 4);
        part = pool->falling && share > part ? share : part;
        next = part < left ? at + part : pool->total;
    } while (!atomic_compare_exchange_weak(&pool->next, &at, next));
    *begin = at;
    *end = next;
    return true;
}

static void claim(struct glm_pool *pool)
{
    size_t begin, end;
    while (take(pool, &begin, &end)) {
        pool->run(pool->arg, begin, end);
    }
}

/* The jobs of a token follow each other within microseconds; waking a thread takes more. */
enum { LOOKS = 400 };

static void look_away(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void *helper(void *arg)
{
    struct glm_pool *pool = arg;
    unsigned seen = 0;
    for (;;) {
        for (int i = 0; i < LOOKS && atomic_load(&pool->serial) == seen; i++) {
            look_away();
        }
        pthread_mutex_lock(&pool->lock);
        while (!pool->stop && atomic_load(&pool->serial) == seen) {
            pool->asleep++;
            pthread_cond_wait(&pool->wake, &pool->lock);
            pool->asleep--;
        }
        bool stop = pool->stop, open = pool->open;
        seen = atomic_load(&pool->serial);
        if (!stop && open) {
            atomic_fetch_add(&pool->busy, 1);
        }
        pthread_mutex_unlock(&pool->lock);
        if (stop) {
            return NULL;
        }
        if (!open) {
            continue; /* the job ended before this thread woke */
        }
        claim(pool);
        pthread_mutex_lock(&pool->lock);
        if (atomic_fetch_sub(&pool->busy, 1) == 1) {
            pthread_cond_signal(&pool->idle);
        }
        pthread_mutex_unlock(&pool->lock);
    }
}

static void run_job(struct glm_pool *pool, size_t count, size_t part, bool falling,
                    void (*run)(void *arg, size_t begin, size_t end), void *arg)
{
    if (pool->count == 0 || count <= part) {
        if (count > 0) {
            run(arg, 0, count);
        }
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->run = run;
    pool->arg = arg;
    pool->total = count;
    pool->part = part;
    pool->falling = falling;
    atomic_store(&pool->next, 0);
    pool->open = true;
    atomic_fetch_add(&pool->serial, 1);
    if (pool->asleep > 0) {
        pthread_cond_broadcast(&pool->wake);
    }
    pthread_mutex_unlock(&pool->lock);
    claim(pool);
    pthread_mutex_lock(&pool->lock);
    pool->open = false; /* who has not woken yet has nothing left to do */
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < LOOKS && atomic_load(&pool->busy) > 0; i++) {
        look_away();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->busy) > 0) {
        pthread_cond_wait(&pool->idle, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}

void glm_pool_run(struct glm_pool *pool, size_t count, size_t part,
                  void (*run)(void *arg, size_t begin, size_t end), void *arg)
{
    run_job(pool, count, part, false, run, arg);
}

void glm_pool_run_falling(struct glm_pool *pool, size_t count, size_t part,
                          void (*run)(void *arg, size_t begin, size_t end), void *arg)
{
    run_job(pool, count, part, true, run, arg);
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
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

struct glm_pool *glm_pool_new(int threads, struct glmv_err *err)
{
    struct glm_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->idle, NULL);
    glm_pool_choose(pool, glm_cpu_best());
    int want = (threads > 0 && threads <= MAX_THREADS ? threads : processors()) - 1;
    while (pool->count < want &&
           pthread_create(&pool->threads[pool->count], NULL, helper, pool) == 0) {
        pool->count++;
    }
    return pool;
}

static void free_codes(struct glm_code_space *c)
{
    free(c->code);
    free(c->scale);
    free(c->low);
    free(c->fix);
    free(c->plain);
    memset(c, 0, sizeof *c);
}

void glm_pool_free(struct glm_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->idle);
    pthread_mutex_destroy(&pool->lock);
    free_codes(&pool->codes);
    free(pool);
}

int glm_pool_threads(const struct glm_pool *pool)
{
    return pool->count + 1;
}

enum glm_cpu glm_cpu_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        return __builtin_cpu_supports("avx512bf16") ? GLM_CPU_BF16 : GLM_CPU_AVX512;
    }
    /* every processor with AVX2 converts half floats too */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return GLM_CPU_AVX2;
    }
#endif
    return GLM_CPU_SCALAR;
}

void glm_pool_choose(struct glm_pool *pool, enum glm_cpu cpu)
{
    cpu = cpu > glm_cpu_best() ? glm_cpu_best() : cpu;
    pool->kernels = glm_kernels_scalar;
#if defined(__x86_64__)
    if (cpu >= GLM_CPU_AVX512) {
        pool->kernels = glm_kernels_avx512;
        if (!__builtin_cpu_supports("avx512vnni")) {
            pool->kernels.dots = glm_dots_avx2;
            pool->kernels.wide_dots = NULL;
        }
    } else if (cpu == GLM_CPU_AVX2) {
        pool->kernels = glm_kernels_avx2;
    }
    if (cpu == GLM_CPU_BF16) {
        pool->kernels.pairs = glm_pairs_bf16;
        pool->kernels.wide_pairs = glm_wide_pairs_bf16;
        pool->kernels.round = glm_round_bf16;
    }
#endif
}

const struct glm_kernels *glm_pool_kernels(const struct glm_pool *pool)
{
    return &pool->kernels;
}

bool glm_pool_fit(struct glm_pool *pool, size_t cols, struct glmv_err *err)
{
    const size_t blocks = glm_wide_blocks(cols, GLM_WIDE_CODES), width = blocks * GLM_WIDE_CODES;
    const size_t groups = width / GLM_GROUP * GLM_WIDE_ROWS;
    struct glm_code_space *c = &pool->codes;
    if (width <= c->width) {
        return true;
    }
    free_codes(c);
    /* aligned: loads that cross a line cost two */
    c->code = aligned_alloc(64, blocks * GLM_WIDE_CODE_ROW * GLM_WIDE_ROWS);
    c->scale = aligned_alloc(64, groups * sizeof *c->scale);
    c->low = aligned_alloc(64, groups * sizeof *c->low);
    c->fix = aligned_alloc(64, groups * sizeof *c->fix);
    c->plain = aligned_alloc(64, blocks * GLM_WIDE_ROW * GLM_WIDE_ROWS);
    if (c->code == NULL || c->scale == NULL || c->low == NULL || c->fix == NULL ||
        c->plain == NULL) {
        free_codes(c);
        return glmv_fail_memory(err);
    }
    c->width = width;
    return true;
}

const struct glm_code_space *glm_pool_codes(const struct glm_pool *pool)
{
    return &pool->codes;
}
