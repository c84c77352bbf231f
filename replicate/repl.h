/*
 * The interactive mode: a page, its versions, and what is done to it line by line. cmd_repl.c reads
 * the lines, repl_commands.c knows the commands, repl.c keeps the page. Private to replicate.
 */
#ifndef GLMV_REPLICATE_REPL_H
#define GLMV_REPLICATE_REPL_H

#include "base/buf.h"
#include "base/image.h"
#include "render/render.h"
#include "replicate/model_options.h"
#include "replicate/session.h"

struct replicate_repl {
    struct replicate_session *session; /* owned */
    struct glmv_renderer *renderer;    /* owned */
    struct glmv_render_options render_options;
    char assets[4096]; /* folder of the page it began with */
    struct replicate_model model;
    char model_where[1024], model_name[256]; /* what /model said; model points here then */
    struct glmv_chat *chat;                  /* owned; NULL until something is asked */
    struct glmv_buf html;                    /* the version that is shown */
    struct glmv_render *render;              /* of it; owned; NULL when it could not be drawn */
    struct glmv_image *target;               /* owned; what it should look like; NULL: not known */
    char region[300];                        /* words of /region; "" for none */
    bool has_box;                            /* /mark found a box */
    struct glmv_box box;
    char saved[4096]; /* where /save writes; "" until it was said */
    const atomic_bool *cancel;
    bool terminal;       /* standard output is one */
    bool thinking_shown; /* the line has to end before other output */
    size_t received;     /* bytes of the answer that is under way */
    bool done;
};

/* -- repl.c: the page ---------------------------------------------------------------------------
 */

/* Reads and renders the current version. */
bool repl_load(struct replicate_repl *repl, struct glmv_err *err);
/*
 * Makes html the next version, says what it changed and compares it with the region. render is of
 * html and is taken; NULL: it is drawn here. what: said in the history.
 */
bool repl_change(struct replicate_repl *repl, const char *html, size_t len,
                 struct glmv_render *render, const char *what, struct glmv_err *err);
/* The region in CSS px of the current render. has receives whether there is one. */
bool repl_region(const struct replicate_repl *repl, bool *has, struct glmv_box *box,
                 struct glmv_err *err);
/* Asks the model for a change. */
bool repl_edit(struct replicate_repl *repl, const char *instruction, struct glmv_err *err);
/* Takes the opaque picture as what the page should look like and stores it in the session. */
bool repl_aim(struct replicate_repl *repl, struct glmv_image *target, struct glmv_err *err);
/* Reads target.png of a session that has one. */
bool repl_read_target(struct replicate_repl *repl, struct glmv_err *err);
/* Prints "version 3 of 5" with its score. */
void repl_show(const struct replicate_repl *repl);
void repl_release(struct replicate_repl *repl);

/* -- repl_commands.c ----------------------------------------------------------------------------
 */

/* Does what one line says: a /command, or an instruction to the model. Prints what came of it. */
void repl_line(struct replicate_repl *repl, const char *line);

#endif
