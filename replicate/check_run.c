#include "replicate/check_run.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/check_pool.h"
#include "replicate/command.h"

const char *check_status_name(enum check_status status)
{
    static const char *const names[CHECK_STATUS_COUNT] = {[CHECK_IS_SAME] = "same",
                                                          [CHECK_IS_CHANGED] = "changed",
                                                          [CHECK_IS_NEW] = "new",
                                                          [CHECK_IS_MISSING] = "missing",
                                                          [CHECK_IS_REMOVED] = "removed",
                                                          [CHECK_IS_UNSTABLE] = "unstable",
                                                          [CHECK_IS_FAILED] = "failed",
                                                          [CHECK_IS_BROKEN] = "broken",
                                                          [CHECK_IS_SKIPPED] = "not checked"};
    return names[status];
}

int check_run_exit(const struct check_run *run)
{
    const size_t *n = run->totals;
    if (run->interrupted) {
        return REPLICATE_INTERRUPTED;
    }
    if (n[CHECK_IS_FAILED] > 0 || n[CHECK_IS_UNSTABLE] > 0) {
        return REPLICATE_ENGINE;
    }
    if (n[CHECK_IS_BROKEN] > 0) {
        return REPLICATE_INPUT;
    }
    size_t different =
        n[CHECK_IS_CHANGED] + n[CHECK_IS_NEW] + n[CHECK_IS_MISSING] + n[CHECK_IS_REMOVED];
    return different > run->updated ? REPLICATE_BELOW : REPLICATE_DONE;
}

/* --- which results there will be --- */

static bool chosen(const struct check_options *options, const char *name)
{
    bool any = options->pattern_count == 0;
    for (size_t i = 0; i < options->pattern_count && !any; i++) {
        any = fnmatch(options->patterns[i], name, 0) == 0;
    }
    return any;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct check_result *)a)->name, ((const struct check_result *)b)->name);
}

/* The chosen pages and removed baselines in order, then every shards-th of them. */
static bool plan(struct check_run *run, struct glmv_err *err)
{
    const struct check_config *config = run->config;
    const struct check_options *options = run->options;
    run->results = calloc(config->case_count + run->removed_count + 1, sizeof *run->results);
    if (run->results == NULL) {
        return glmv_fail_memory(err);
    }
    size_t count = 0;
    for (size_t i = 0; i < config->case_count; i++) {
        const struct check_case *item = &config->cases[i];
        if (chosen(options, item->name)) {
            run->results[count++] =
                (struct check_result){.item = item, .name = item->name, .status = CHECK_IS_SKIPPED};
        }
        if (item->url != NULL && !options->urls) {
            return glmv_fail(err, GLMV_ERR_USAGE,
                             "the page '%s' is at %s; pages are loaded from the network only with "
                             "--urls",
                             item->name, item->url);
        }
    }
    for (size_t i = 0; i < run->removed_count; i++) {
        if (chosen(options, run->removed[i])) {
            run->results[count++] =
                (struct check_result){.name = run->removed[i], .status = CHECK_IS_REMOVED};
        }
    }
    if (count == 0) {
        return glmv_fail(err, GLMV_ERR_USAGE, "no page has a name like '%s'; names are like '%s'",
                         options->patterns[0], config->cases[0].name);
    }
    qsort(run->results, count, sizeof run->results[0], by_name);
    for (size_t i = 0; i < count; i++) {
        if (i % (size_t)options->shards == (size_t)options->shard - 1) {
            run->results[run->count++] = run->results[i];
        }
    }
    return true;
}

/* --- the workers --- */

struct crew {
    struct check_run *run;
    struct check_pool *pool;
    pthread_mutex_t mutex;
    size_t next;     /* to be taken */
    size_t reported; /* results before it were handed to on_result */
    bool *done;
};

static void report_ready(struct crew *crew)
{
    const struct check_options *options = crew->run->options;
    while (crew->reported < crew->run->count && crew->done[crew->reported]) {
        if (options->on_result != NULL) {
            options->on_result(options->arg, &crew->run->results[crew->reported]);
        }
        crew->reported++;
    }
}

static bool cancelled(const struct check_run *run)
{
    return run->options->cancel != NULL && atomic_load(run->options->cancel);
}

static void *work(void *arg)
{
    struct crew *crew = arg;
    struct check_run *run = crew->run;
    for (;;) {
        pthread_mutex_lock(&crew->mutex);
        size_t mine = crew->next < run->count ? crew->next++ : run->count;
        pthread_mutex_unlock(&crew->mutex);
        if (mine >= run->count || cancelled(run)) {
            return NULL;
        }
        struct check_result *result = &run->results[mine];
        if (result->item != NULL) {
            check_case_run(run, crew->pool, result);
        } else {
            result->text = strdup("The config names no page for this baseline any more.\n");
        }
        pthread_mutex_lock(&crew->mutex);
        crew->done[mine] = true;
        report_ready(crew);
        pthread_mutex_unlock(&crew->mutex);
    }
}

static bool work_all(struct check_run *run, struct glmv_err *err)
{
    /* Half as many threads more than renderers, so that none of these waits for a comparison. */
    int threads = run->options->jobs + (run->options->jobs + 1) / 2;
    if ((size_t)threads > run->count) {
        threads = run->count > 0 ? (int)run->count : 1;
    }
    int renderers = run->options->jobs < threads ? run->options->jobs : threads;
    struct crew crew = {.run = run};
    crew.pool = check_pool_new(renderers, err);
    crew.done = calloc(run->count + 1, sizeof *crew.done);
    pthread_t *list = calloc((size_t)threads, sizeof *list);
    bool ok = crew.pool != NULL && crew.done != NULL && list != NULL;
    if (ok) {
        pthread_mutex_init(&crew.mutex, NULL);
        int started = 0;
        while (started < threads && pthread_create(&list[started], NULL, work, &crew) == 0) {
            started++;
        }
        if (started == 0) {
            work(&crew);
        }
        for (int i = 0; i < started; i++) {
            pthread_join(list[i], NULL);
        }
        pthread_mutex_destroy(&crew.mutex);
    } else {
        glmv_fail_memory(err);
    }
    free(list);
    free(crew.done);
    check_pool_free(crew.pool);
    return ok;
}

static void count(struct check_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        run->totals[run->results[i].status]++;
    }
}

bool check_run(struct check_run *run, const struct check_config *config,
               const struct check_options *options, struct glmv_err *err)
{
    *run = (struct check_run){.config = config, .options = options, .locks = {-1, -1}};
    if (!check_files_open(run, err) || !plan(run, err) || !work_all(run, err)) {
        return false;
    }
    run->judged = true;
    run->interrupted = cancelled(run);
    count(run);
    const size_t *n = run->totals;
    bool whole =
        !run->interrupted &&
        n[CHECK_IS_FAILED] + n[CHECK_IS_UNSTABLE] + n[CHECK_IS_BROKEN] + n[CHECK_IS_SKIPPED] == 0;
    return !whole || check_files_commit(run, err);
}

void check_run_release(struct check_run *run)
{
    check_files_close(run);
    for (size_t i = 0; i < run->count; i++) {
        free(run->results[i].text);
        free(run->results[i].json);
        free(run->results[i].proposal);
    }
    for (size_t i = 0; i < run->removed_count; i++) {
        free(run->removed[i]);
    }
    for (size_t i = 0; i < run->known_count; i++) {
        free(run->known[i]);
    }
    free(run->results);
    free((void *)run->removed);
    free((void *)run->known);
    *run = (struct check_run){.locks = {-1, -1}};
}
