#include "replicate/batch.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "replicate/model_page.h"
#include "replicate/seats.h"
#include "replicate/trace.h"

#define TRIES 3
#define ROW_OF_FAILURES 20 /* without one success: the server is down, not a page difficult */
#define PATH 4400

/* -- the folder ---------------------------------------------------------------------------------
 */

struct shots {
    struct dirent **items;
    int count;
};

static size_t stem(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? (size_t)(dot - name) : strlen(name);
}

static int is_shot(const struct dirent *entry)
{
    const char *end = entry->d_name + stem(entry->d_name);
    return entry->d_name[0] != '.' && (strcmp(end, ".png") == 0 || strcmp(end, ".webp") == 0);
}

static bool list_shots(const char *folder, struct shots *out, struct glmv_err *err)
{
    out->count = scandir(folder, &out->items, is_shot, alphasort);
    if (out->count < 0) {
        out->count = 0;
        return glmv_fail(err, GLMV_ERR_IO, "%s: %s", folder, strerror(errno));
    }
    return out->count > 0 ||
           glmv_fail(err, GLMV_ERR_IO, "%s holds no screenshots: .png and .webp are taken", folder);
}

static void free_shots(struct shots *shots)
{
    for (int i = 0; i < shots->count; i++) {
        free(shots->items[i]);
    }
    free(shots->items);
}

/* a.png becomes a.html; beside an a.webp it becomes a.png.html. */
static void output_path(const char *folder, const struct shots *shots, int i, const char *end,
                        char *path)
{
    const char *name = shots->items[i]->d_name;
    size_t len = stem(name);
    for (int side = -1; side <= 1; side += 2) {
        int j = i + side;
        const char *other = j >= 0 && j < shots->count ? shots->items[j]->d_name : "";
        if (stem(other) == stem(name) && strncmp(other, name, stem(name)) == 0) {
            len = strlen(name);
        }
    }
    snprintf(path, PATH, "%s/%.*s.%s", folder, (int)len, name, end);
}

static bool is_done(const char *shot, const char *page)
{
    struct stat a, b;
    if (stat(shot, &a) != 0 || stat(page, &b) != 0) {
        return false;
    }
    return a.st_mtim.tv_sec < b.st_mtim.tv_sec ||
           (a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec <= b.st_mtim.tv_nsec);
}

/* Two runs into one folder would do pages twice. */
static int lock_output(const char *folder, struct glmv_err *err)
{
    char path[PATH];
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        glmv_fail(err, GLMV_ERR_IO, "%s: %s", folder, strerror(errno));
        return -1;
    }
    snprintf(path, sizeof path, "%s/.lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        glmv_fail(err, GLMV_ERR_IO, "%s: %s", path, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        glmv_fail(err, GLMV_ERR_USAGE, "another run writes to %s; wait for it, or stop it", folder);
        close(fd);
        fd = -1;
    }
    return fd;
}

/* -- one page -----------------------------------------------------------------------------------
 */

struct work {
    const struct replicate_batch_options *options;
    struct shots shots;
    struct replicate_seats *seats;
    pthread_mutex_t mutex; /* of everything below */
    int next;
    int failures; /* in a row */
    struct replicate_batch_count *count;
    struct glmv_err stop; /* why no further page is begun */
    replicate_batch_watch *watch;
    void *arg;
};

/* Facts first: a page that is there is done, and then its facts are there too. */
static bool write_page(struct work *work, int i, const char *html, size_t len,
                       struct replicate_batch_event *event, struct glmv_err *err)
{
    char path[PATH];
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "page", event->page);
    cJSON_AddNumberToObject(root, "score", event->score);
    cJSON_AddNumberToObject(root, "rounds", event->rounds);
    cJSON_AddNumberToObject(root, "accepted", event->accepted);
    cJSON_AddNumberToObject(root, "seconds", event->seconds);
    cJSON_AddStringToObject(root, "problem", event->problem);
    char *facts = cJSON_Print(root);
    cJSON_Delete(root);
    output_path(work->options->output, &work->shots, i, "json", path);
    event->written =
        facts != NULL ? glmv_file_write(path, facts, strlen(facts), err) : glmv_fail_memory(err);
    free(facts);
    output_path(work->options->output, &work->shots, i, "html", path);
    event->written = event->written && glmv_file_write(path, html, len, err);
    return event->written;
}

static bool by_tracer(struct work *work, int i, const struct glmv_image *target,
                      struct replicate_batch_event *event, struct glmv_err *err)
{
    const struct replicate_batch_options *options = work->options;
    struct replicate_trace_options trace = replicate_trace_defaults();
    struct replicate_trace result;
    trace.rounds = options->rounds;
    trace.target = options->target;
    trace.look.lang = options->lang;
    trace.look.threads = 1;
    trace.cancel = options->cancel;
    bool ok = replicate_trace_run(target, &trace, &result, err);
    event->seconds = result.total_seconds;
    if (ok) {
        event->score = result.score.total;
        event->rounds = result.round_count - 1;
        for (int r = 1; r < result.round_count; r++) {
            event->accepted += result.rounds[r].accepted;
        }
        ok = write_page(work, i, result.html.data, result.html.len, event, err);
    }
    replicate_trace_release(&result);
    return ok;
}

/* One try. A page that has a draft is kept when a later round fails. */
static bool by_model(struct work *work, int i, struct glmv_chat *chat,
                     const struct glmv_image *target, struct replicate_batch_event *event,
                     struct glmv_err *err)
{
    const struct replicate_batch_options *options = work->options;
    struct replicate_rounds_options rounds = replicate_rounds_defaults();
    struct replicate_rounds_result result;
    double start = glmv_now();
    rounds.rounds = options->rounds;
    rounds.target = options->target;
    struct replicate_model_page job = {.model = options->model,
                                       .rounds = &rounds,
                                       .seats = work->seats,
                                       .chat = chat,
                                       .threads = 1,
                                       .target = target,
                                       .lang = options->lang,
                                       .slice_px = REPLICATE_SLICE_PX,
                                       .scale = 1};
    bool ok = replicate_model_page_write(&job, &result, err);
    event->seconds += glmv_now() - start;
    if (result.render != NULL && (ok || err->code == GLMV_ERR_MODEL)) {
        struct glmv_err problem = *err;
        glmv_err_clear(err);
        event->problem = problem.message;
        event->score = result.score.total;
        event->rounds = result.tried;
        event->accepted = result.accepted;
        ok = write_page(work, i, result.page.data, result.page.len, event, err);
        event->problem = "";
    }
    replicate_rounds_release(&result);
    return ok;
}

static bool one_page(struct work *work, int i, struct glmv_chat *chat,
                     struct replicate_batch_event *event, struct glmv_err *err)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", work->options->folder, event->page);
    struct glmv_image *target = glmv_image_read(path, err);
    if (target == NULL) {
        return false;
    }
    glmv_image_flatten(target, 0xFFFFFF);
    bool ok = false;
    if (work->options->model == NULL) {
        ok = by_tracer(work, i, target, event, err);
    }
    for (int try = 0; work->options->model != NULL && try < TRIES; try++) {
        glmv_err_clear(err);
        ok = by_model(work, i, chat, target, event, err);
        if (ok || err->code != GLMV_ERR_MODEL) {
            break;
        }
    }
    glmv_image_free(target);
    return ok;
}

/* -- all pages ----------------------------------------------------------------------------------
 */

static bool cancelled(const struct work *work)
{
    return work->options->cancel != NULL && atomic_load(work->options->cancel);
}

/* Finds the next page to do; -1 when there is none or the run has to stop. */
static int take(struct work *work)
{
    int found = -1;
    pthread_mutex_lock(&work->mutex);
    while (found < 0 && work->next < work->shots.count && work->stop.code == GLMV_ERR_NONE &&
           !cancelled(work)) {
        char shot[PATH], page[PATH];
        int i = work->next++;
        snprintf(shot, sizeof shot, "%s/%s", work->options->folder, work->shots.items[i]->d_name);
        output_path(work->options->output, &work->shots, i, "html", page);
        if (is_done(shot, page)) {
            work->count->skipped++;
        } else {
            found = i;
        }
    }
    pthread_mutex_unlock(&work->mutex);
    return found;
}

static void note(struct work *work, struct replicate_batch_event *event, bool ok,
                 const struct glmv_err *err)
{
    if (!ok && err->code == GLMV_ERR_CANCELLED) {
        return; /* neither done nor failed: the next run does it */
    }
    pthread_mutex_lock(&work->mutex);
    work->count->done += ok;
    work->count->failed += !ok;
    work->failures = ok ? 0 : work->failures + 1;
    event->problem = ok ? "" : err->message;
    /* Nothing else will work either: no room for pages, a wrong key, a server that went away. */
    if (!ok && (work->failures >= ROW_OF_FAILURES || err->code == GLMV_ERR_MISSING ||
                err->code == GLMV_ERR_USAGE)) {
        glmv_fail(&work->stop, err->code, "%s", err->message);
    }
    if (work->watch != NULL) {
        work->watch(work->arg, event, work->count);
    }
    pthread_mutex_unlock(&work->mutex);
}

static void *worker(void *arg)
{
    struct work *work = arg;
    struct glmv_err err = {0};
    struct glmv_chat *chat = NULL;
    if (work->options->model != NULL) {
        chat = replicate_model_open(work->options->model, &err);
    }
    if (err.code != GLMV_ERR_NONE) {
        pthread_mutex_lock(&work->mutex);
        glmv_fail(&work->stop, err.code, "%s", err.message);
        pthread_mutex_unlock(&work->mutex);
        return NULL;
    }
    for (int i = take(work); i >= 0; i = take(work)) {
        struct replicate_batch_event event = {.page = work->shots.items[i]->d_name, .problem = ""};
        struct glmv_err problem = {0};
        bool ok = one_page(work, i, chat, &event, &problem);
        note(work, &event, ok, &problem);
    }
    glmv_chat_close(chat);
    return NULL;
}

/* Tesseract, layout and drawing want a processor each; requests only wait. */
static int seat_count(int jobs)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int most = processors > 1 ? (int)processors : 1;
    return jobs < most ? jobs : most;
}

static bool run_threads(struct work *work, int jobs, struct glmv_err *err)
{
    pthread_t *threads = calloc((size_t)jobs, sizeof *threads);
    if (threads == NULL) {
        return glmv_fail_memory(err);
    }
    int started = 0;
    while (started < jobs && pthread_create(&threads[started], NULL, worker, work) == 0) {
        started++;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    free(threads);
    return started > 0 || glmv_fail(err, GLMV_ERR_MEMORY, "no thread can be started");
}

bool replicate_batch_run(const struct replicate_batch_options *options,
                         replicate_batch_watch *watch, void *arg,
                         struct replicate_batch_count *count, struct glmv_err *err)
{
    struct work work = {.options = options, .count = count, .watch = watch, .arg = arg};
    memset(count, 0, sizeof *count);
    if (!list_shots(options->folder, &work.shots, err)) {
        return false;
    }
    count->total = (size_t)work.shots.count;
    int lock = lock_output(options->output, err);
    int seats = seat_count(options->jobs);
    int jobs = options->model != NULL ? options->jobs : seats;
    work.seats = lock >= 0 ? replicate_seats_open(seats, err) : NULL;
    bool ok = work.seats != NULL;
    if (ok) {
        pthread_mutex_init(&work.mutex, NULL);
        ok = run_threads(&work, jobs, err);
        pthread_mutex_destroy(&work.mutex);
    }
    if (ok && work.stop.code != GLMV_ERR_NONE) {
        ok = glmv_fail(err, work.stop.code, "%s", work.stop.message);
    }
    if (ok && cancelled(&work)) {
        ok = glmv_fail(err, GLMV_ERR_CANCELLED, "interrupted; the same command goes on");
    }
    replicate_seats_close(work.seats);
    if (lock >= 0) {
        close(lock);
    }
    free_shots(&work.shots);
    return ok;
}
