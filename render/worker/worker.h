/*
 * The worker: a supervisor process that makes a private place (network namespace, folder, display)
 * and watches over a browser process that renders in it. Private to the worker program.
 */
#ifndef GLMV_RENDER_WORKER_WORKER_H
#define GLMV_RENDER_WORKER_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct worker_place {
    char folder[64];   /* private temporary folder, 0700, removed at the end */
    bool isolated;     /* no network but loopback of its own */
    bool online;       /* the client asked for the network */
    bool away;         /* the namespaces are made */
    bool own_tmp;      /* /tmp is ours alone */
    bool sandboxed;    /* bubblewrap works for this user */
    int display;       /* X display number; -1 until it runs */
    int display_pipe;  /* the number comes through it; -1 afterwards */
    pid_t display_pid; /* Xvfb */
};

/* --- place.c --- */

/* Namespaces, an ordinary user, a folder. */
bool worker_place_make(struct worker_place *place, struct glmv_err *err);
/* Finds out whether a page can be put into bubblewrap here. */
void worker_place_try_sandbox(struct worker_place *place);
/* Sets the environment and fonts of this process and those that it starts. */
void worker_place_enter(const struct worker_place *place);
void worker_place_remove(const struct worker_place *place);

/* --- display.c --- */

/* Starts Xvfb and returns; GLMV_ERR_MISSING where it is not installed. */
bool worker_display_start(struct worker_place *place, struct glmv_err *err);
/* Waits for its number, and starts it again when it ends or says nothing. */
bool worker_display_await(struct worker_place *place, struct glmv_err *err);
/* Removes its files; before the kill, since the number may be another server's afterwards. */
void worker_display_forget(const struct worker_place *place);

/* --- processes.c --- */

/* Starts a program with no input and no output; its errors go to the file log (NULL: nowhere).
 * Returns its pid once it runs, or -1 with errno. */
pid_t worker_program_start(char *const argv[], const char *log);
/* Kills what is below us and has more memory than a page may. */
void worker_kill_large(void);
/* Kills everything below us until nothing is left; we are the subreaper, so nothing escapes. */
void worker_kill_all(void);

/* --- browser.c --- */

/* Runs the browser process until the socket closes. Never returns to the supervisor's code. */
int worker_browse(int socket, const struct worker_place *place);

/* --- worker_main.c --- */

/* Says hello with an error and gives up. */
void worker_refuse(int socket, const struct glmv_err *err);

#endif
