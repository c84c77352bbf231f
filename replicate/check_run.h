/*
 * A run of `glmv-replicate check`: every case of a config is rendered (or read), compared with its
 * baseline, and gets a status. Results are in the order of the names, whatever the number of
 * workers. Private to replicate.
 */
#ifndef GLMV_REPLICATE_CHECK_RUN_H
#define GLMV_REPLICATE_CHECK_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/image.h"
#include "replicate/check_config.h"

enum check_status {
    CHECK_IS_SAME,
    CHECK_IS_CHANGED,
    CHECK_IS_NEW,      /* never had a baseline */
    CHECK_IS_MISSING,  /* the index of the baselines knows it, the picture is gone */
    CHECK_IS_REMOVED,  /* a baseline whose page the config no longer names */
    CHECK_IS_UNSTABLE, /* no two renders in a row agreed */
    CHECK_IS_FAILED,   /* the renderer failed */
    CHECK_IS_BROKEN,   /* a page, picture or baseline cannot be read */
    CHECK_IS_SKIPPED,  /* the run was interrupted before it */
    CHECK_STATUS_COUNT
};

struct check_result {
    const struct check_case *item; /* NULL for CHECK_IS_REMOVED */
    const char *name;              /* borrowed */
    enum check_status status;
    bool updated; /* the baseline was written, or removed */
    int renders;
    size_t differing, pixels; /* of the comparison; 0 without one */
    char *text;     /* what there is to say, a line each; owned, NULL when there is nothing */
    char *json;     /* of the comparison, as replicate_comparison_json writes it; owned, or NULL */
    char *proposal; /* path of a proposed page; owned, or NULL */
    double page_score, proposal_score; /* of both against the baseline */
};

struct check_options {
    int jobs;                    /* renders at a time, 1..64 */
    int shard, shards;           /* 1..shards */
    const char *const *patterns; /* of names; any of them; none: all */
    size_t pattern_count;
    bool update[CHECK_STATUS_COUNT]; /* which kinds of baselines to write */
    bool urls;                       /* pages at addresses may be loaded */
    const atomic_bool *cancel;
    /* Called in the order of the names as soon as that order allows; may be NULL. */
    void (*on_result)(void *arg, const struct check_result *result);
    void *arg;
};

struct check_run {
    const struct check_config *config;
    const struct check_options *options;
    struct check_result *results;
    size_t count;
    size_t totals[CHECK_STATUS_COUNT];
    size_t updated;
    bool judged;      /* every result has its status: reports make sense */
    bool interrupted; /* cancel was seen; nothing is updated then */
    char **removed;   /* names; owned */
    size_t removed_count;
    char **known; /* names in the index of the baselines, sorted; owned */
    size_t known_count;
    int locks[2]; /* folders held for this run; -1 */
};

/*
 * Checks everything. false with err when nothing could be checked at all: the folders are locked or
 * cannot be written, or the config asks for addresses that were not allowed. What went wrong with
 * one page is in its result. The caller releases run either way.
 */
bool check_run(struct check_run *run, const struct check_config *config,
               const struct check_options *options, struct glmv_err *err);
void check_run_release(struct check_run *run);

/* "same", "changed", ... */
const char *check_status_name(enum check_status status);
/* The exit code that fits the results. */
int check_run_exit(const struct check_run *run);

/* --- check_files.c: baselines and outputs --- */

/* FOLDER/NAME.ENDING, for free(); NULL without memory. */
char *check_path(const char *folder, const char *name, const char *ending, struct glmv_err *err);
/* Makes, locks and cleans the folders, and reads what baselines there are. */
bool check_files_open(struct check_run *run, struct glmv_err *err);
/* Drops what an earlier run left of the page in the output folder. */
void check_files_forget(const struct check_run *run, const char *name);
/* Whether the index knows the name. */
bool check_files_known(const struct check_run *run, const char *name);
/* Keeps a picture for check_files_commit; nothing in the baselines changes yet. */
bool check_files_stage(const struct check_run *run, const char *name,
                       const struct glmv_image *image, struct glmv_err *err);
/* Moves what was staged over the baselines, removes what was removed, writes the index. */
bool check_files_commit(struct check_run *run, struct glmv_err *err);
/* Drops what was staged and gives the folders back. */
void check_files_close(struct check_run *run);

/* --- check_case.c: one page --- */

struct check_pool;
/* Fills the result of one case. Thread-safe for different results. */
void check_case_run(const struct check_run *run, struct check_pool *pool,
                    struct check_result *result);

/* --- check_fix.c --- */

struct replicate_model;
/*
 * For each changed page: the replicate loop on its baseline, into output/NAME.proposed.html. model:
 * who writes; NULL or without an address: the tracer. Pages themselves are never touched.
 */
bool check_fix(struct check_run *run, const struct replicate_model *model, struct glmv_err *err);

#endif
