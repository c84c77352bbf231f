#include "replicate/check_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "replicate/json_place.h"

bool check_fail_at(struct check_reader *r, const char *where, const char *format, ...)
{
    char reason[400];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return glmv_fail(r->err, GLMV_ERR_FORMAT, "%s:%d: %s%s%s", r->path,
                     replicate_json_line(r->text, r->len, where), where,
                     where[0] != '\0' ? ": " : "", reason);
}

/* Text that is owned by the config, or NULL with an error. */
char *check_copy(struct check_reader *r, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        glmv_fail_memory(r->err);
    }
    return copy;
}

/* A path of the config: absolute, or starting at the config's folder. Owned by the caller. */
char *check_resolve(struct check_reader *r, const char *path)
{
    if (path[0] == '/') {
        return check_copy(r, path);
    }
    size_t size = strlen(r->config->folder) + strlen(path) + 2;
    char *full = malloc(size);
    if (full == NULL) {
        glmv_fail_memory(r->err);
        return NULL;
    }
    snprintf(full, size, "%s/%s", r->config->folder, path);
    return full;
}

/* Grows an array by one zeroed element and returns it. */
void *check_push(struct check_reader *r, void **items, size_t *count, size_t size)
{
    size_t bytes;
    if (*count >= CHECK_MAX_CASES || !glmv_size_mul(*count + 1, size, &bytes)) {
        glmv_fail(r->err, GLMV_ERR_LIMIT, "%s: more than %u entries", r->path, CHECK_MAX_CASES);
        return NULL;
    }
    void *grown = realloc(*items, bytes);
    if (grown == NULL) {
        glmv_fail_memory(r->err);
        return NULL;
    }
    *items = grown;
    char *fresh = (char *)grown + *count * size;
    memset(fresh, 0, size);
    *count += 1;
    return fresh;
}

bool check_known_keys(struct check_reader *r, const cJSON *object, const char *where,
                      const char *const *keys)
{
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        bool known = false;
        for (size_t i = 0; keys[i] != NULL && !known; i++) {
            known = strcmp(item->string, keys[i]) == 0;
        }
        if (known) {
            continue;
        }
        char here[300];
        snprintf(here, sizeof here, "%s%s%s", where, where[0] != '\0' ? "." : "", item->string);
        char list[300] = "";
        for (size_t i = 0; keys[i] != NULL; i++) {
            size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", keys[i]);
        }
        return check_fail_at(r, here, "unknown key; known here: %s", list);
    }
    return true;
}

/* The value of a key and its place, or NULL when it is not there. */
static const cJSON *find(const cJSON *object, const char *key, const char *where, char here[300])
{
    snprintf(here, 300, "%s%s%s", where, where[0] != '\0' ? "." : "", key);
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

bool check_read_number(struct check_reader *r, const cJSON *object, const char *key,
                       const char *where, double low, double high, double *out)
{
    char here[300];
    const cJSON *item = find(object, key, where, here);
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high)) {
        return check_fail_at(r, here, "must be a number from %g to %g", low, high);
    }
    *out = item->valuedouble;
    return true;
}

bool check_read_whole(struct check_reader *r, const cJSON *object, const char *key,
                      const char *where, int low, int high, int *out)
{
    double value = *out;
    if (!check_read_number(r, object, key, where, low, high, &value)) {
        return false;
    }
    char here[300];
    if (value != floor(value)) {
        find(object, key, where, here);
        return check_fail_at(r, here, "must be a whole number");
    }
    *out = (int)value;
    return true;
}

static bool read_bool(struct check_reader *r, const cJSON *object, const char *key,
                      const char *where, bool *out)
{
    char here[300];
    const cJSON *item = find(object, key, where, here);
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsBool(item)) {
        return check_fail_at(r, here, "must be true or false");
    }
    *out = cJSON_IsTrue(item);
    return true;
}

/* Replaces *out by the resolved path under key, if there is one. */
bool check_read_path(struct check_reader *r, const cJSON *object, const char *key,
                     const char *where, char **out)
{
    char here[300];
    const cJSON *item = find(object, key, where, here);
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsString(item) || item->valuestring[0] == '\0') {
        return check_fail_at(r, here, "must be a path");
    }
    free(*out);
    *out = check_resolve(r, item->valuestring);
    return *out != NULL;
}

static bool read_selector(struct check_reader *r, const cJSON *object, const char *where,
                          char **out)
{
    char here[300];
    const cJSON *item = find(object, "wait_for", where, here);
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsString(item) || item->valuestring[0] == '\0') {
        return check_fail_at(r, here, "must be a CSS selector");
    }
    free(*out);
    *out = check_copy(r, item->valuestring);
    return *out != NULL;
}

static bool read_max_diff(struct check_reader *r, const cJSON *object, const char *where,
                          struct check_rules *rules)
{
    char here[300];
    const cJSON *item = find(object, "max_diff", where, here);
    if (item == NULL) {
        return true;
    }
    if (cJSON_IsNumber(item) && item->valuedouble >= 0) {
        rules->max_diff = item->valuedouble;
        rules->max_diff_share = false;
        return true;
    }
    if (cJSON_IsString(item)) {
        char *end;
        double percent = strtod(item->valuestring, &end);
        if (end != item->valuestring && strcmp(end, "%") == 0 && percent >= 0 && percent <= 100) {
            rules->max_diff = percent / 100;
            rules->max_diff_share = true;
            return true;
        }
    }
    return check_fail_at(r, here, "must be a number of pixels, or a share such as \"0.1%%\"");
}

static bool read_masks(struct check_reader *r, const cJSON *object, const char *where,
                       struct check_rules *rules)
{
    char here[300];
    const cJSON *list = find(object, "masks", where, here);
    if (list == NULL) {
        return true;
    }
    if (!cJSON_IsArray(list)) {
        return check_fail_at(r, here, "must be a list of selectors and boxes");
    }
    int index = 0;
    for (const cJSON *item = list->child; item != NULL; item = item->next, index++) {
        char place[340];
        snprintf(place, sizeof place, "%s[%d]", here, index);
        struct check_mask *mask =
            check_push(r, (void **)&rules->masks, &rules->mask_count, sizeof *mask);
        if (mask == NULL) {
            return false;
        }
        if (cJSON_IsString(item) && item->valuestring[0] != '\0') {
            mask->selector = check_copy(r, item->valuestring);
            if (mask->selector == NULL) {
                return false;
            }
            continue;
        }
        static const char *const keys[] = {"x", "y", "w", "h", NULL};
        if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 4) {
            return check_fail_at(r, place,
                                 "must be a selector or {\"x\", \"y\", \"w\", \"h\"} in CSS px");
        }
        if (!check_known_keys(r, item, place, keys) ||
            !check_read_number(r, item, "x", place, 0, 1e6, &mask->box.x) ||
            !check_read_number(r, item, "y", place, 0, 1e6, &mask->box.y) ||
            !check_read_number(r, item, "w", place, 0, 1e6, &mask->box.w) ||
            !check_read_number(r, item, "h", place, 0, 1e6, &mask->box.h)) {
            return false;
        }
    }
    return true;
}

void check_rules_free(struct check_rules *rules)
{
    if (rules == NULL) {
        return;
    }
    for (size_t i = 0; i < rules->mask_count; i++) {
        free(rules->masks[i].selector);
    }
    free(rules->masks);
    free(rules->wait_for);
    free(rules->assets);
    free(rules);
}

/* Rules for one entry: a copy of what the config says for all, or the built-in defaults. */
struct check_rules *check_rules_new(struct check_reader *r, const struct check_rules *from)
{
    struct check_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL) {
        glmv_fail_memory(r->err);
        return NULL;
    }
    if (from == NULL) {
        rules->threshold = 0.1;
        rules->full_page = true;
        rules->timeout_s = 10;
        rules->retries = 2;
        return rules;
    }
    *rules = *from;
    rules->assets = NULL;
    rules->wait_for = NULL;
    rules->masks = NULL;
    rules->mask_count = 0;
    for (size_t i = 0; i < from->mask_count; i++) {
        struct check_mask *mask =
            check_push(r, (void **)&rules->masks, &rules->mask_count, sizeof *mask);
        if (mask == NULL) {
            goto fail;
        }
        mask->box = from->masks[i].box;
        if (from->masks[i].selector != NULL) {
            mask->selector = check_copy(r, from->masks[i].selector);
            if (mask->selector == NULL) {
                goto fail;
            }
        }
    }
    if (from->assets != NULL) {
        rules->assets = check_copy(r, from->assets);
        if (rules->assets == NULL) {
            goto fail;
        }
    }
    if (from->wait_for != NULL) {
        rules->wait_for = check_copy(r, from->wait_for);
        if (rules->wait_for == NULL) {
            goto fail;
        }
    }
    return rules;

fail:
    check_rules_free(rules);
    return NULL;
}

bool check_read_rules(struct check_reader *r, const cJSON *object, const char *where,
                      struct check_rules *rules)
{
    return check_read_number(r, object, "threshold", where, 0, 1, &rules->threshold) &&
           read_max_diff(r, object, where, rules) &&
           read_bool(r, object, "antialiasing", where, &rules->antialiasing) &&
           read_bool(r, object, "faint", where, &rules->faint) &&
           read_bool(r, object, "full_page", where, &rules->full_page) &&
           read_bool(r, object, "scripts", where, &rules->scripts) &&
           check_read_number(r, object, "timeout", where, 0.1, 600, &rules->timeout_s) &&
           read_selector(r, object, where, &rules->wait_for) &&
           check_read_whole(r, object, "wait_ms", where, 0, 60000, &rules->wait_ms) &&
           check_read_whole(r, object, "retries", where, 0, 10, &rules->retries) &&
           check_read_path(r, object, "assets", where, &rules->assets) &&
           read_masks(r, object, where, rules);
}
