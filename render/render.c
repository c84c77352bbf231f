#define _GNU_SOURCE
#include "render/render.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "render/facts.h"
#include "render/wire.h"

#define START_WAIT_S 60.0 /* a busy machine needs seconds for a first start */
#define GRACE_S 5.0       /* beyond the job's own limit, before the worker is killed */
#define CLOSE_WAIT_S 8.0

struct glmv_renderer {
    char *worker; /* path of the program */
    pid_t pid;    /* -1: none running */
    int socket, life;
    bool greeted; /* its hello has been read */
    bool online;  /* its pages reach the network */
    bool sandboxed, isolated;
};

struct glmv_render_options glmv_render_defaults(void)
{
    return (struct glmv_render_options){
        .width = 1280, .height = 800, .scale = 1, .max_height = 16384, .timeout_s = 10};
}

/* --- the worker process --- */

static bool runnable(const char *path)
{
    return access(path, X_OK) == 0;
}

/* A worker that nobody named is believed if it is root's, the user's, or of whom the program is: a
 * copy of the program may lie beside folders that everybody writes to. */
static bool trusted(const char *path, const char *program_folder)
{
    struct stat worker;
    struct stat folder;
    return runnable(path) && stat(path, &worker) == 0 && stat(program_folder, &folder) == 0 &&
           (worker.st_uid == 0 || worker.st_uid == geteuid() || worker.st_uid == folder.st_uid);
}

/* The worker's path: from the environment, beside the program, in the build tree, or installed.
 * Owned by the caller. */
static char *find_worker(const char *given, struct glmv_err *err)
{
    const char *named = given != NULL ? given : getenv("GLMV_RENDER_WORKER");
    if (named != NULL) {
        if (!runnable(named)) {
            glmv_fail(err, GLMV_ERR_MISSING, "%s: the render worker is not there or cannot be run",
                      named);
            return NULL;
        }
        return strdup(named);
    }
    static const char *const places[] = {"", "../render/", "../../render/",
                                         "../libexec/glmv-replicate/"};
    char self[PATH_MAX];
    glmv_program_folder(self, sizeof self);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s%sglmv-render-worker", self, places[i]);
        if (trusted(path, self)) {
            return strdup(path);
        }
    }
    glmv_fail(err, GLMV_ERR_MISSING,
              "glmv-render-worker is not beside the program; install it too, or name it in "
              "GLMV_RENDER_WORKER");
    return NULL;
}

static bool start_worker(struct glmv_renderer *r, struct glmv_err *err)
{
    int sockets[2];
    int life[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        return glmv_fail(err, GLMV_ERR_RENDER, "no socket can be made: %s", strerror(errno));
    }
    if (pipe2(life, O_CLOEXEC) != 0) {
        close(sockets[0]);
        close(sockets[1]);
        return glmv_fail(err, GLMV_ERR_RENDER, "no pipe can be made: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0) {
        /* Above the target numbers first, so that neither dup2 closes the other's source. */
        int socket = fcntl(sockets[1], F_DUPFD_CLOEXEC, 10);
        int end = fcntl(life[0], F_DUPFD_CLOEXEC, 10);
        dup2(socket, RENDER_SOCKET_FD);
        dup2(end, RENDER_LIFE_FD);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execl(r->worker, r->worker, r->online ? RENDER_ONLINE : (char *)NULL, (char *)NULL);
        _exit(127);
    }
    close(sockets[1]);
    close(life[0]);
    if (pid < 0) {
        close(sockets[0]);
        close(life[1]);
        return glmv_fail(err, GLMV_ERR_RENDER, "no process can be started: %s", strerror(errno));
    }
    r->pid = pid;
    r->socket = sockets[0];
    r->life = life[1];
    r->greeted = false;
    return true;
}

void glmv_renderer_dismiss(struct glmv_renderer *r)
{
    if (r != NULL && r->pid >= 0 && r->life >= 0) {
        close(r->life);
        r->life = -1;
    }
}

/* Closing the life pipe makes the supervisor take everything down; it is killed only if it does
 * not. */
static void stop_worker(struct glmv_renderer *r)
{
    if (r->pid < 0) {
        return;
    }
    glmv_renderer_dismiss(r);
    close(r->socket);
    double deadline = glmv_now() + CLOSE_WAIT_S;
    while (waitpid(r->pid, NULL, WNOHANG) == 0) {
        if (glmv_now() > deadline) {
            kill(r->pid, SIGKILL);
            waitpid(r->pid, NULL, 0);
            break;
        }
        usleep(2000);
    }
    r->pid = -1;
}

/* Reads the hello of a fresh worker. */
static bool greet(struct glmv_renderer *r, struct glmv_err *err)
{
    if (r->greeted) {
        return true;
    }
    struct render_hello hello;
    char message[sizeof((struct glmv_err *)0)->message] = "";
    double deadline = glmv_now() + START_WAIT_S;
    if (!render_wire_receive(r->socket, &hello, sizeof hello, NULL, deadline) ||
        hello.magic != RENDER_MAGIC || hello.message_len >= sizeof message ||
        !render_wire_receive(r->socket, message, hello.message_len, NULL, deadline)) {
        return glmv_fail(
            err, GLMV_ERR_RENDER,
            "the renderer did not start; 'glmv-replicate doctor' says what is missing");
    }
    if (hello.code != GLMV_ERR_NONE) {
        return glmv_fail(err, GLMV_ERR_RENDER, "the renderer did not start: %s", message);
    }
    r->greeted = true;
    r->sandboxed = hello.sandboxed != 0;
    r->isolated = hello.isolated != 0;
    return true;
}

static struct glmv_renderer *open_renderer(const char *worker, bool online, struct glmv_err *err)
{
    struct glmv_renderer *r = calloc(1, sizeof *r);
    if (r == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    r->pid = -1;
    r->online = online;
    r->worker = find_worker(worker, err);
    if (r->worker == NULL || !start_worker(r, err)) {
        free(r->worker);
        free(r);
        return NULL;
    }
    return r;
}

struct glmv_renderer *glmv_renderer_open(const char *worker, struct glmv_err *err)
{
    return open_renderer(worker, false, err);
}

struct glmv_renderer *glmv_renderer_open_online(const char *worker, struct glmv_err *err)
{
    return open_renderer(worker, true, err);
}

void glmv_renderer_close(struct glmv_renderer *r)
{
    if (r != NULL) {
        stop_worker(r);
        free(r->worker);
        free(r);
    }
}

/* --- one job --- */

static bool options_fit(const struct glmv_render_options *o, size_t len, struct glmv_err *err)
{
    if (o->width < 1 || o->width > 16384 || o->height < 1 || o->height > 16384) {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "a viewport of %d x %d px; width and height must be 1 to 16384", o->width,
                         o->height);
    }
    if (!(o->scale >= 0.25 && o->scale <= 4)) {
        return glmv_fail(err, GLMV_ERR_USAGE, "a scale of %g; it must be 0.25 to 4", o->scale);
    }
    if (o->width * o->scale > GLMV_IMAGE_MAX_SIDE || o->height * o->scale > GLMV_IMAGE_MAX_SIDE) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "the picture would be more than %d px wide or high",
                         GLMV_IMAGE_MAX_SIDE);
    }
    if (!(o->timeout_s > 0 && o->timeout_s <= 3600) || o->max_height < 1) {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "the time limit must be above 0 and at most 3600 s, the height above 0");
    }
    if (o->settle_ms < 0 || o->settle_ms > 60000) {
        return glmv_fail(err, GLMV_ERR_USAGE, "a wait of %d ms; it must be 0 to 60000",
                         o->settle_ms);
    }
    if (len > RENDER_MAX_HTML) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "a page of %zu bytes; the limit is %zu", len,
                         RENDER_MAX_HTML);
    }
    return true;
}

/* What facts.js is asked, as JSON; for free(). NULL without memory. */
static char *ask_of(const struct glmv_render_options *o)
{
    cJSON *ask = cJSON_CreateObject();
    cJSON *find = cJSON_AddArrayToObject(ask, "find");
    bool ok = find != NULL && cJSON_AddBoolToObject(ask, "bare", o->picture_only) != NULL &&
              cJSON_AddNumberToObject(ask, "settleMs", o->settle_ms) != NULL &&
              (o->wait_for == NULL || cJSON_AddStringToObject(ask, "waitFor", o->wait_for) != NULL);
    for (size_t i = 0; ok && i < o->selector_count; i++) {
        ok = cJSON_AddItemToArray(find, cJSON_CreateString(o->selectors[i]));
    }
    char *text = ok ? cJSON_PrintUnformatted(ask) : NULL;
    cJSON_Delete(ask);
    return text;
}

static bool send_job(struct glmv_renderer *r, const char *html, size_t len, bool is_url,
                     const struct glmv_render_options *o, struct glmv_err *err)
{
    char *ask = ask_of(o);
    if (ask == NULL) {
        return glmv_fail_memory(err);
    }
    if (strlen(ask) > RENDER_MAX_ASK) {
        free(ask);
        return glmv_fail(err, GLMV_ERR_LIMIT, "the selectors are longer than %zu bytes",
                         RENDER_MAX_ASK);
    }
    struct render_job job = {.magic = RENDER_MAGIC,
                             .width = o->width,
                             .height = o->height,
                             .max_height = o->max_height > GLMV_IMAGE_MAX_SIDE ? GLMV_IMAGE_MAX_SIDE
                                                                               : o->max_height,
                             .scale = o->scale,
                             .timeout_s = o->timeout_s,
                             .scripts = o->scripts,
                             .dark = o->dark,
                             .viewport_only = o->viewport_only,
                             .has_assets = o->assets != NULL,
                             .is_url = is_url,
                             .ask_len = (uint32_t)strlen(ask),
                             .html_len = len};
    int folder = -1;
    if (o->assets != NULL) {
        folder = open(o->assets, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0) {
            free(ask);
            return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be opened as a folder: %s", o->assets,
                             strerror(errno));
        }
    }
    bool ok = render_wire_send(r->socket, &job, sizeof job, folder) &&
              render_wire_send(r->socket, html, len, -1) &&
              render_wire_send(r->socket, ask, job.ask_len, -1);
    free(ask);
    if (folder >= 0) {
        close(folder);
    }
    return ok || glmv_fail(err, GLMV_ERR_RENDER, "the renderer went away");
}

static struct glmv_image *map_pixels(int fd, int width, int height, struct glmv_err *err)
{
    struct stat st;
    struct glmv_image *image = glmv_image_new(width, height, err);
    if (image == NULL) {
        return NULL;
    }
    size_t size = (size_t)width * (size_t)height * 4;
    void *pixels = fstat(fd, &st) == 0 && (size_t)st.st_size >= size
                       ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0)
                       : MAP_FAILED;
    if (pixels == MAP_FAILED) {
        glmv_image_free(image);
        glmv_fail(err, GLMV_ERR_RENDER, "the renderer's picture cannot be read");
        return NULL;
    }
    memcpy(image->rgba, pixels, size);
    munmap(pixels, size);
    return image;
}

/* Receives the parts of an answer into the render. False with err->code none: the worker is silent
 * or gone. */
static bool receive_answer(struct glmv_renderer *r, double deadline, struct glmv_render *out,
                           struct glmv_err *err)
{
    struct render_reply reply;
    char message[sizeof((struct glmv_err *)0)->message] = "";
    int fd = -1;
    char *facts = NULL;
    bool ok = render_wire_receive(r->socket, &reply, sizeof reply, &fd, deadline) &&
              reply.magic == RENDER_MAGIC && reply.facts_len <= RENDER_MAX_FACTS &&
              reply.message_len < sizeof message;
    if (ok) {
        facts = malloc(reply.facts_len + 1);
        ok = facts != NULL &&
             render_wire_receive(r->socket, facts, reply.facts_len, NULL, deadline) &&
             render_wire_receive(r->socket, message, reply.message_len, NULL, deadline);
    }
    if (ok && reply.code != GLMV_ERR_NONE) {
        ok = glmv_fail(err, GLMV_ERR_RENDER, "%s", message);
    } else if (ok) {
        out->image = map_pixels(fd, reply.width, reply.height, err);
        out->page = out->image != NULL ? render_facts_read(facts, reply.facts_len, err) : NULL;
        out->found = out->page != NULL
                         ? render_facts_found(facts, reply.facts_len, &out->found_count, err)
                         : NULL;
        out->cut = reply.cut != 0;
        ok = out->found != NULL;
    }
    free(facts);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static struct glmv_render *run_job(struct glmv_renderer *r, const char *html, size_t len,
                                   bool is_url, const struct glmv_render_options *options,
                                   struct glmv_err *err)
{
    double start = glmv_now();
    struct glmv_err local = {0};
    if (err == NULL) {
        err = &local;
    }
    glmv_err_clear(&local);
    struct glmv_render *out = NULL;
    if (!options_fit(options, len, err) || (r->pid < 0 && !start_worker(r, err))) {
        return NULL;
    }
    if (!greet(r, err)) {
        stop_worker(r);
        return NULL;
    }
    out = calloc(1, sizeof *out);
    if (out == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    bool sent = send_job(r, html, len, is_url, options, err);
    double deadline = glmv_now() + options->timeout_s + GRACE_S;
    if (sent && receive_answer(r, deadline, out, err)) {
        out->sandboxed = r->sandboxed;
        out->isolated = r->isolated;
        out->seconds = glmv_now() - start;
        return out;
    }
    if (sent && err->code == GLMV_ERR_NONE) {
        glmv_fail(err, GLMV_ERR_RENDER,
                  glmv_now() >= deadline ? "the renderer hung on this page and was killed"
                                         : "the renderer crashed on this page");
        stop_worker(r); /* the next job gets a fresh one */
    }
    glmv_render_free(out);
    return NULL;
}

struct glmv_render *glmv_renderer_render(struct glmv_renderer *r, const char *html, size_t len,
                                         const struct glmv_render_options *options,
                                         struct glmv_err *err)
{
    return run_job(r, html, len, false, options, err);
}

struct glmv_render *glmv_renderer_load(struct glmv_renderer *r, const char *url,
                                       const struct glmv_render_options *options,
                                       struct glmv_err *err)
{
    if (!r->online || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)) {
        glmv_fail(err, GLMV_ERR_USAGE, "%s: %s", url,
                  r->online ? "not an http or https address" : "this renderer has no network");
        return NULL;
    }
    struct glmv_render_options own = *options;
    own.assets = NULL;
    return run_job(r, url, strlen(url), true, &own, err);
}

void glmv_render_free(struct glmv_render *render)
{
    if (render != NULL) {
        glmv_image_free(render->image);
        glmv_page_free(render->page);
        free(render->found);
        free(render);
    }
}
