/*
 * The versions of a page on disk, so that an edit can be taken back and nothing is lost when the
 * program or the machine stops. One folder a session under $XDG_STATE_HOME/glmv-replicate/sessions
 * (by default ~/.local/state): 0001.html, 0002.html, ... and session.json, which says what each one
 * came from. A version is never changed or removed; an edit after an undo begins a branch.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_SESSION_H
#define GLMV_REPLICATE_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define REPLICATE_SESSION_MAX 9999 /* versions */

struct replicate_version {
    int parent; /* number of the version it came from; 0 for the first */
    char *what; /* the instruction or command; owned */
};

struct replicate_session {
    char folder[4096];
    char source[4096]; /* the page or screenshot it began with, absolute */
    bool has_target;   /* target.png in the folder is what the page should look like */
    int width, height; /* of the window, CSS px */
    int current;       /* number of the version that is shown, from 1; 0 before the first */
    struct replicate_version *versions; /* number n at n - 1; owned */
    int count;
    int lock; /* descriptor */
};

/* Appends the folder of all sessions, or of a file in it when name is not NULL. */
bool replicate_session_root(const char *name, struct glmv_buf *out, struct glmv_err *err);

/* Makes a folder for a new session. NULL on failure. */
struct replicate_session *replicate_session_new(const char *source, int width, int height,
                                                struct glmv_err *err);
/*
 * Opens a session by its name, or the newest one when name is NULL. A version that was written just
 * before the program was killed is taken in. GLMV_ERR_USAGE when there is none or another program
 * has it open.
 */
struct replicate_session *replicate_session_open(const char *name, struct glmv_err *err);
/* NULL is allowed. */
void replicate_session_close(struct replicate_session *session);

/* The name that opens it again. Borrowed. */
const char *replicate_session_name(const struct replicate_session *session);

/* Adds a version behind the current one and makes it the current one. It is on disk when this
 * returns true. */
bool replicate_session_add(struct replicate_session *session, const char *html, size_t len,
                           const char *what, struct glmv_err *err);
/* Appends the HTML of a version. */
bool replicate_session_read(const struct replicate_session *session, int number,
                            struct glmv_buf *html, struct glmv_err *err);
/* Path of a version. */
void replicate_session_path(const struct replicate_session *session, int number, char *path,
                            size_t size);
/* Makes another version the current one. */
bool replicate_session_go(struct replicate_session *session, int number, struct glmv_err *err);
/* Writes session.json after has_target, width or height changed. */
bool replicate_session_write(const struct replicate_session *session, struct glmv_err *err);
/* The newest version that came from the current one; 0 for none. */
int replicate_session_next(const struct replicate_session *session);

/* Prints a line a session on standard output, the newest first. */
bool replicate_session_list(struct glmv_err *err);

#endif
