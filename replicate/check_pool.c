#include "replicate/check_pool.h"

#include <pthread.h>
#include <stdlib.h>

struct lent {
    struct glmv_renderer *closed, *online; /* NULL until the first page of its kind */
    bool busy;
};

struct check_pool {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    int count;
    struct lent *list;
};

struct check_pool *check_pool_new(int renderers, struct glmv_err *err)
{
    struct check_pool *pool = calloc(1, sizeof *pool);
    struct lent *list = calloc((size_t)renderers, sizeof *list);
    if (pool == NULL || list == NULL) {
        free(pool);
        free(list);
        glmv_fail_memory(err);
        return NULL;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->freed, NULL);
    pool->count = renderers;
    pool->list = list;
    return pool;
}

static void *close_one(void *arg)
{
    struct lent *one = arg;
    glmv_renderer_close(one->closed);
    glmv_renderer_close(one->online);
    return NULL;
}

void check_pool_free(struct check_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    /* Each takes a moment to end its browser; together they take one moment. */
    pthread_t *threads = calloc((size_t)pool->count, sizeof *threads);
    int started = 0;
    while (threads != NULL && started < pool->count &&
           pthread_create(&threads[started], NULL, close_one, &pool->list[started]) == 0) {
        started++;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = started; i < pool->count; i++) {
        close_one(&pool->list[i]);
    }
    free(threads);
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->freed);
    free(pool->list);
    free(pool);
}

/* Waits for a free one; those that run already are taken first. */
static struct lent *take(struct check_pool *pool)
{
    struct lent *found = NULL;
    pthread_mutex_lock(&pool->mutex);
    while (found == NULL) {
        for (int i = 0; i < pool->count && found == NULL; i++) {
            found = pool->list[i].busy ? NULL : &pool->list[i];
        }
        if (found == NULL) {
            pthread_cond_wait(&pool->freed, &pool->mutex);
        }
    }
    found->busy = true;
    pthread_mutex_unlock(&pool->mutex);
    return found;
}

static void put_back(struct check_pool *pool, struct lent *one)
{
    pthread_mutex_lock(&pool->mutex);
    one->busy = false;
    pthread_cond_signal(&pool->freed);
    pthread_mutex_unlock(&pool->mutex);
}

struct glmv_render *check_pool_render(struct check_pool *pool, const char *url, const char *html,
                                      size_t len, const struct glmv_render_options *options,
                                      struct glmv_err *err)
{
    struct lent *one = take(pool);
    struct glmv_renderer **slot = url != NULL ? &one->online : &one->closed;
    if (*slot == NULL) {
        *slot = url != NULL ? glmv_renderer_open_online(NULL, err) : glmv_renderer_open(NULL, err);
    }
    struct glmv_render *shot = NULL;
    if (*slot != NULL) {
        shot = url != NULL ? glmv_renderer_load(*slot, url, options, err)
                           : glmv_renderer_render(*slot, html, len, options, err);
    }
    put_back(pool, one);
    return shot;
}
