/*
 * The display that WebKit draws on: a private Xvfb. Starting one can fail on a busy machine, so it
 * is tried again until a time is over; what Xvfb itself said then goes into the error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "render/wire.h"
#include "render/worker/worker.h"

#define TRIES 8
#define TRY_S 20.0 /* a first start on a busy machine takes seconds */
#define WAIT_S 45.0

static void log_path(const struct worker_place *place, char *path, size_t size)
{
    snprintf(path, size, "%s/xvfb.log", place->folder);
}

bool worker_display_start(struct worker_place *place, struct glmv_err *err)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return glmv_fail(err, GLMV_ERR_IO, "no pipe can be made: %s", strerror(errno));
    }
    char number_fd[16];
    char log[128];
    snprintf(number_fd, sizeof number_fd, "%d", ends[1]);
    log_path(place, log, sizeof log);
    char *argv[] = {"Xvfb",      "-displayfd", number_fd,  "-screen",    "0",   "64x64x24",
                    "-nolisten", "tcp",        "-noreset", "-extension", "GLX", NULL};
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    place->display_pid = worker_program_start(argv, log);
    int why = errno;
    close(ends[1]);
    if (place->display_pid > 0) {
        place->display_pipe = ends[0];
        return true;
    }
    close(ends[0]);
    if (why == ENOENT) {
        return glmv_fail(err, GLMV_ERR_MISSING,
                         "no display: Xvfb is not installed; install the package xvfb");
    }
    return glmv_fail(err, GLMV_ERR_MISSING, "no display: Xvfb cannot be run: %s", strerror(why));
}

/* True until the client has gone, which needs no display any more. */
static bool wanted(void)
{
    struct pollfd life = {.fd = RENDER_LIFE_FD, .events = POLLIN};
    return poll(&life, 1, 0) == 0;
}

/* Reads the display's number, and closes the pipe it comes through. */
static bool read_number(struct worker_place *place, double deadline)
{
    char text[32];
    size_t len = 0;
    while (len < sizeof text - 1 && memchr(text, '\n', len) == NULL) {
        struct pollfd both[] = {{.fd = place->display_pipe, .events = POLLIN},
                                {.fd = RENDER_LIFE_FD, .events = POLLIN}};
        double left = deadline - glmv_now();
        int n = left > 0 ? poll(both, 2, (int)(left * 1000) + 1) : 0;
        if (n < 0 && errno == EINTR) {
            continue;
        }
        ssize_t got = n > 0 && both[1].revents == 0
                          ? read(place->display_pipe, text + len, sizeof text - 1 - len)
                          : 0;
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    close(place->display_pipe);
    place->display_pipe = -1;
    text[len] = '\0';
    place->display = memchr(text, '\n', len) != NULL ? (int)strtol(text, NULL, 10) : -1;
    return place->display >= 0;
}

/* What Xvfb said last that says something; "" for nothing. */
static void last_words(const struct worker_place *place, char *words, size_t size)
{
    char path[128];
    char line[200];
    words[0] = '\0';
    log_path(place, path, sizeof path);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *from = strncmp(line, "(EE)", 4) == 0 ? line + 4 : line;
        from += strspn(from, " \t");
        from[strcspn(from, "\n")] = '\0';
        char *tail = strstr(from, "(EE)");
        if (tail != NULL) {
            *tail = '\0';
        }
        if (from[0] != '\0' && strcmp(from, "Fatal server error:") != 0) {
            snprintf(words, size, "%s", from);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

bool worker_display_await(struct worker_place *place, struct glmv_err *err)
{
    double deadline = glmv_now() + WAIT_S;
    for (int attempt = 1;; attempt++) {
        double limit = glmv_now() + TRY_S;
        if (read_number(place, limit < deadline ? limit : deadline)) {
            return true;
        }
        kill(place->display_pid, SIGKILL);
        waitpid(place->display_pid, NULL, 0);
        if (attempt == TRIES || glmv_now() >= deadline || !wanted()) {
            char words[200];
            last_words(place, words, sizeof words);
            return glmv_fail(err, GLMV_ERR_MISSING,
                             "no display: Xvfb does not start (tried %d times)%s%s", attempt,
                             words[0] != '\0' ? "; it says: " : "", words);
        }
        /* Where /tmp or the network is common, two servers that start in the same moment can choose
         * the same number; both try again, but not in the same moment. */
        usleep((useconds_t)((10000 << attempt) + 7919 * (getpid() % 17)));
        if (!worker_display_start(place, err)) {
            return false;
        }
    }
}

/* Removes the lock file and socket, which Xvfb cannot do once it is killed. */
void worker_display_forget(const struct worker_place *place)
{
    char path[64];
    if (place->display < 0) {
        return;
    }
    snprintf(path, sizeof path, "/tmp/.X11-unix/X%d", place->display);
    unlink(path);
    snprintf(path, sizeof path, "/tmp/.X%d-lock", place->display);
    unlink(path);
}
