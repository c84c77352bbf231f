/*
 * The supervisor: it never touches a page. It gives up its rights, starts the display and the
 * browser process, kills what grows too large, and takes everything with it when the client goes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "render/wire.h"
#include "render/worker/worker.h"

#if defined(__SANITIZE_ADDRESS__)
/* GTK and fontconfig keep caches until the process ends; the leak check would report those. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

void worker_refuse(int socket, const struct glmv_err *err)
{
    struct render_hello hello = {.magic = RENDER_MAGIC,
                                 .code = (uint32_t)err->code,
                                 .message_len = (uint32_t)strlen(err->message)};
    render_wire_send(socket, &hello, sizeof hello, -1);
    render_wire_send(socket, err->message, hello.message_len, -1);
}

/* Until the client goes or the browser ends. */
static void watch(pid_t browser)
{
    for (;;) {
        struct pollfd life = {.fd = RENDER_LIFE_FD, .events = POLLIN};
        int n = poll(&life, 1, 100);
        if (n > 0) {
            return;
        }
        for (pid_t pid = waitpid(-1, NULL, WNOHANG); pid > 0; pid = waitpid(-1, NULL, WNOHANG)) {
            if (pid == browser) {
                return;
            }
        }
        worker_kill_large();
    }
}

/* Display, sandbox, browser, until the end. */
static void supervise(struct worker_place *place)
{
    struct glmv_err err = {0};
    /* The display starts while the sandbox is tried. */
    bool started = worker_display_start(place, &err);
    worker_place_try_sandbox(place);
    if (started && worker_display_await(place, &err)) {
        worker_place_enter(place);
        pid_t browser = fork();
        if (browser == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(RENDER_LIFE_FD);
            _exit(worker_browse(RENDER_SOCKET_FD, place));
        }
        close(RENDER_SOCKET_FD);
        watch(browser);
    } else {
        worker_refuse(RENDER_SOCKET_FD, &err);
    }
    /* The display's files before the kill: afterwards they could already be another server's. */
    worker_display_forget(place);
    worker_kill_all();
    worker_place_remove(place);
}

int main(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct worker_place place = {.display = -1, .display_pipe = -1};
    place.online = argc > 1 && strcmp(argv[1], RENDER_ONLINE) == 0;
    /* Ctrl-C in the terminal is the client's business; it closes the life pipe. */
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    umask(077);
    if (fcntl(RENDER_SOCKET_FD, F_GETFD) < 0 || fcntl(RENDER_LIFE_FD, F_GETFD) < 0) {
        fputs("glmv-render-worker is started by glmv-replicate, not by hand\n", stderr);
        return 2;
    }
    if (!worker_place_make(&place, &err)) {
        worker_refuse(RENDER_SOCKET_FD, &err);
        return 4;
    }
    supervise(&place);
    return 0;
}
