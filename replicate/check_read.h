/* Reading the values of a check config, with errors that point at line and key. Private to
 * replicate's check. */
#ifndef GLMV_REPLICATE_CHECK_READ_H
#define GLMV_REPLICATE_CHECK_READ_H

#include <cjson/cJSON.h>

#include "replicate/check_config.h"

#define CHECK_MAX_CASES 100000u

/* The keys of check_read_rules: for all pages at the root of a config, for some in an entry. */
#define CHECK_RULE_KEYS                                                                            \
    "threshold", "max_diff", "antialiasing", "faint", "full_page", "scripts", "timeout",           \
        "wait_for", "wait_ms", "retries", "assets", "masks"

/* What the reading functions share. where is always the place of a value, such as "pages[2].masks".
 */
struct check_reader {
    const char *text;
    size_t len;
    const char *path; /* of the config, for messages */
    struct check_config *config;
    struct glmv_err *err;
};

/* Fails with "FILE:LINE: KEY: reason". */
bool check_fail_at(struct check_reader *r, const char *where, const char *format, ...)
    GLMV_PRINTF(3, 4);
/* A copy that the caller owns, or NULL with an error. */
char *check_copy(struct check_reader *r, const char *text);
/* A path of the config: absolute, or starting at the config's folder. Owned by the caller. */
char *check_resolve(struct check_reader *r, const char *path);
/* Grows an array by one zeroed element and returns it; NULL with an error. */
void *check_push(struct check_reader *r, void **items, size_t *count, size_t size);
/* Fails at the first key that is not in the NULL-ended list. */
bool check_known_keys(struct check_reader *r, const cJSON *object, const char *where,
                      const char *const *keys);
/* These leave *out alone when the key is absent, and fail when its value does not fit. */
bool check_read_number(struct check_reader *r, const cJSON *object, const char *key,
                       const char *where, double low, double high, double *out);
bool check_read_whole(struct check_reader *r, const cJSON *object, const char *key,
                      const char *where, int low, int high, int *out);
bool check_read_path(struct check_reader *r, const cJSON *object, const char *key,
                     const char *where, char **out);
/* Overwrites the rules by what the object says. */
bool check_read_rules(struct check_reader *r, const cJSON *object, const char *where,
                      struct check_rules *rules);
/* A copy of from, or the built-in rules for NULL. */
struct check_rules *check_rules_new(struct check_reader *r, const struct check_rules *from);
/* NULL is allowed. */
void check_rules_free(struct check_rules *rules);

#endif
