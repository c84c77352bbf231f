/*
 * The configuration of `glmv-replicate check`: which pages, at which sizes, against which
 * baselines, how strictly. A config is JSON; README.md describes it and replicate/check.schema.json
 * is its schema. An unknown key, a wrong type or a value out of range is an error that names the
 * file, the line and the key. Private to replicate.
 */
#ifndef GLMV_REPLICATE_CHECK_CONFIG_H
#define GLMV_REPLICATE_CHECK_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/box.h"
#include "base/err.h"

/* A part of the page that is not compared: a box in CSS px, or whatever a selector finds. */
struct check_mask {
    char *selector; /* NULL: the box counts */
    struct glmv_box box;
    atomic_bool found; /* by the selector, on any page of these rules so far */
};

/* How a page is rendered and compared. Every page has its own copy. */
struct check_rules {
    double threshold;    /* colour distance a pixel may have, 0..1, as pixelmatch's */
    double max_diff;     /* differing pixels that are still the same */
    bool max_diff_share; /* max_diff is a share of the pixels, 0..1, not a count */
    bool antialiasing;   /* count anti-aliased pixels as differences */
    bool faint;          /* a flat area that changed by less than the threshold is a difference */
    bool full_page;      /* the whole document instead of the viewport */
    bool scripts;        /* run the page's scripts */
    double timeout_s;
    char *wait_for; /* a selector that must match something visible first; NULL */
    int wait_ms;    /* waits so much longer when the page is ready */
    int retries;    /* renders beyond the two that must agree, 0..10 */
    char *assets;   /* folder that relative addresses reach; NULL: the page's own */
    struct check_mask *masks;
    size_t mask_count;
};

struct check_viewport {
    char *name; /* part of the baseline's file name */
    int width, height;
    double scale;
};

/* One thing to compare: a page at one viewport and colour scheme, or a picture made elsewhere. */
struct check_case {
    char *name;                     /* unique; baselines/NAME.png */
    char *page;                     /* path of an HTML file; or NULL */
    char *url;                      /* http or https address of a page; or NULL */
    char *picture;                  /* path of a picture; or NULL */
    struct check_viewport viewport; /* borrowed name */
    bool dark;
    const struct check_rules *rules; /* borrowed from the config */
};

struct check_config {
    char *folder;               /* of the config file; relative paths start here */
    char *baselines;            /* folder */
    char *output;               /* folder of actual pictures, differences and reports */
    struct check_rules **rules; /* owned; one for each entry of "pages" */
    size_t rules_count;
    struct check_viewport *viewports;
    size_t viewport_count;
    bool light, dark;
    struct check_case *cases; /* sorted by name */
    size_t case_count;
};

/* Reads a config and finds its pages. NULL on failure. Free with check_config_free. */
struct check_config *check_config_read(const char *path, struct glmv_err *err);

/* The same from text; path is used in messages and as the start of relative paths. */
struct check_config *check_config_parse(const char *text, size_t len, const char *path,
                                        struct glmv_err *err);

/* NULL is allowed. */
void check_config_free(struct check_config *config);

#endif
