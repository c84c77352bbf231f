#include "replicate/check_config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "replicate/check_read.h"
#include "replicate/json_place.h"

#define CONFIG_MAX_BYTES (1u << 20)
#define CONFIG_MAX_DEPTH 16

static bool read_viewport(struct check_reader *r, const cJSON *item, const char *where)
{
    struct check_config *config = r->config;
    struct check_viewport *v =
        check_push(r, (void **)&config->viewports, &config->viewport_count, sizeof *v);
    if (v == NULL) {
        return false;
    }
    v->scale = 1;
    char label[64];
    if (cJSON_IsString(item)) {
        char tail;
        if (sscanf(item->valuestring, "%dx%d%c", &v->width, &v->height, &tail) != 2) {
            return check_fail_at(r, where, "must look like \"1280x800\"");
        }
    } else if (cJSON_IsObject(item)) {
        static const char *const keys[] = {"name", "width", "height", "scale", NULL};
        if (!check_known_keys(r, item, where, keys) ||
            !check_read_whole(r, item, "width", where, 1, 16384, &v->width) ||
            !check_read_whole(r, item, "height", where, 1, 16384, &v->height) ||
            !check_read_number(r, item, "scale", where, 0.25, 4, &v->scale)) {
            return false;
        }
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
        if (name != NULL && (!cJSON_IsString(name) || strpbrk(name->valuestring, "/ \\") != NULL ||
                             name->valuestring[0] == '\0')) {
            return check_fail_at(r, where, "name must be a word without '/' or spaces");
        }
        if (name != NULL) {
            v->name = check_copy(r, name->valuestring);
        }
    } else {
        return check_fail_at(r, where, "must be \"WIDTHxHEIGHT\" or {\"width\", \"height\"}");
    }
    if (v->width < 1 || v->width > 16384 || v->height < 1 || v->height > 16384) {
        return check_fail_at(r, where, "width and height must be from 1 to 16384 px");
    }
    if (v->name == NULL) {
        if (v->scale == 1) {
            snprintf(label, sizeof label, "%dx%d", v->width, v->height);
        } else {
            snprintf(label, sizeof label, "%dx%d@%gx", v->width, v->height, v->scale);
        }
        v->name = check_copy(r, label);
    }
    return v->name != NULL;
}

static bool read_viewports(struct check_reader *r, const cJSON *root)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "viewports");
    if (list == NULL) {
        cJSON *usual = cJSON_CreateString("1280x800");
        bool ok = usual != NULL ? read_viewport(r, usual, "viewports") : glmv_fail_memory(r->err);
        cJSON_Delete(usual);
        return ok;
    }
    if (!cJSON_IsArray(list) || list->child == NULL) {
        return check_fail_at(r, "viewports", "must be a list with at least one viewport");
    }
    int index = 0;
    for (const cJSON *item = list->child; item != NULL; item = item->next, index++) {
        char where[64];
        snprintf(where, sizeof where, "viewports[%d]", index);
        if (!read_viewport(r, item, where)) {
            return false;
        }
    }
    return true;
}

static bool read_schemes(struct check_reader *r, const cJSON *root)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "color_schemes");
    r->config->light = list == NULL;
    if (list == NULL) {
        return true;
    }
    bool ok = cJSON_IsArray(list) && list->child != NULL;
    for (const cJSON *item = ok ? list->child : NULL; item != NULL; item = item->next) {
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        if (strcmp(name, "light") == 0) {
            r->config->light = true;
        } else if (strcmp(name, "dark") == 0) {
            r->config->dark = true;
        } else {
            ok = false;
        }
    }
    return ok || check_fail_at(r, "color_schemes", "must be a list of \"light\" and \"dark\"");
}

/* The file's name without folder and ending; with folder where the pattern could find two of the
 * same name. */
static char *stem_of(struct check_reader *r, const char *path)
{
    const char *start = path;
    size_t folder = strlen(r->config->folder);
    if (strncmp(path, r->config->folder, folder) == 0 && path[folder] == '/') {
        start = path + folder + 1;
    }
    while (start[0] == '/' || strncmp(start, "../", 3) == 0 || strncmp(start, "./", 2) == 0) {
        start += start[0] == '/' ? 1 : start[1] == '/' ? 2 : 3;
    }
    char *stem = check_copy(r, start);
    if (stem == NULL) {
        return NULL;
    }
    char *dot = strrchr(stem, '.');
    char *slash = strrchr(stem, '/');
    if (dot != NULL && (slash == NULL || dot > slash + 1)) {
        *dot = '\0';
    }
    for (char *p = stem; *p != '\0'; p++) {
        if (*p == '/') {
            *p = p[1] == '.' ? '_' : '-';
        }
    }
    if (stem[0] == '.') {
        stem[0] = '_'; /* a baseline that starts with a dot would be hidden */
    }
    return stem;
}

static bool is_address(const char *path)
{
    return strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0;
}

static bool is_picture(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && (strcmp(dot, ".png") == 0 || strcmp(dot, ".webp") == 0);
}

static bool push_case(struct check_reader *r, const char *name, const char *path,
                      const struct check_viewport *viewport, bool dark,
                      const struct check_rules *rules)
{
    struct check_config *config = r->config;
    struct check_case *one =
        check_push(r, (void **)&config->cases, &config->case_count, sizeof *one);
    if (one == NULL) {
        return false;
    }
    size_t size = strlen(name) + (viewport != NULL ? strlen(viewport->name) : 0) + 16;
    one->name = malloc(size);
    if (one->name == NULL) {
        return glmv_fail_memory(r->err);
    }
    if (viewport == NULL) {
        snprintf(one->name, size, "%s", name);
        one->picture = check_copy(r, path);
    } else {
        snprintf(one->name, size, "%s.%s%s", name, viewport->name, dark ? ".dark" : "");
        one->viewport = *viewport;
        *(is_address(path) ? &one->url : &one->page) = check_copy(r, path);
    }
    one->dark = dark;
    one->rules = rules;
    return one->page != NULL || one->picture != NULL || one->url != NULL;
}

/* One file becomes a case for each viewport and colour scheme; a picture becomes one. */
static bool add_file(struct check_reader *r, const char *path, const char *name,
                     const struct check_rules *rules)
{
    struct check_config *config = r->config;
    char *stem = name != NULL ? check_copy(r, name) : stem_of(r, path);
    if (stem == NULL) {
        return false;
    }
    bool ok = true;
    if (!is_address(path) && is_picture(path)) {
        ok = push_case(r, stem, path, NULL, false, rules);
    } else {
        for (size_t i = 0; ok && i < config->viewport_count; i++) {
            ok =
                (!config->light || push_case(r, stem, path, &config->viewports[i], false, rules)) &&
                (!config->dark || push_case(r, stem, path, &config->viewports[i], true, rules));
        }
    }
    free(stem);
    return ok;
}

static bool add_pattern(struct check_reader *r, const char *pattern, const char *name,
                        const char *where, const struct check_rules *rules)
{
    char *full = check_resolve(r, pattern);
    if (full == NULL) {
        return false;
    }
    struct stat st;
    if (stat(full, &st) == 0 && S_ISDIR(st.st_mode)) {
        size_t size = strlen(full) + 8;
        char *inside = malloc(size);
        if (inside != NULL) {
            snprintf(inside, size, "%s/*.html", full);
        }
        free(full);
        full = inside;
        if (full == NULL) {
            return glmv_fail_memory(r->err);
        }
    }
    glob_t found = {0};
    int rc = glob(full, 0, NULL, &found);
    bool ok = true;
    if (rc == GLOB_NOMATCH) {
        ok = check_fail_at(r, where, "no file matches '%s'", pattern);
    } else if (rc != 0) {
        ok = check_fail_at(r, where, "'%s' cannot be searched", pattern);
    } else if (name != NULL && found.gl_pathc > 1) {
        ok = check_fail_at(r, where, "has a name, but '%s' matches %zu files", pattern,
                           (size_t)found.gl_pathc);
    }
    for (size_t i = 0; ok && i < found.gl_pathc; i++) {
        ok = add_file(r, found.gl_pathv[i], name, rules);
    }
    globfree(&found);
    free(full);
    return ok;
}

static bool add_entry(struct check_reader *r, const cJSON *item, const char *where,
                      const struct check_rules *usual)
{
    static const char *const keys[] = {"name", "file", "url", CHECK_RULE_KEYS, NULL};
    struct check_config *config = r->config;
    struct check_rules *rules = check_rules_new(r, usual);
    if (rules == NULL) {
        return false;
    }
    struct check_rules **slot =
        check_push(r, (void **)&config->rules, &config->rules_count, sizeof *slot);
    if (slot == NULL) {
        check_rules_free(rules);
        return false;
    }
    *slot = rules;
    if (cJSON_IsString(item)) {
        return add_pattern(r, item->valuestring, NULL, where, rules);
    }
    if (!cJSON_IsObject(item)) {
        return check_fail_at(r, where, "must be a path, a pattern or an object with \"file\"");
    }
    const cJSON *file = cJSON_GetObjectItemCaseSensitive(item, "file");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
    if (!check_known_keys(r, item, where, keys) || !check_read_rules(r, item, where, rules)) {
        return false;
    }
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(item, "url");
    if ((file != NULL) == (url != NULL)) {
        return check_fail_at(r, where, "needs \"file\", a path or a pattern, or else \"url\"");
    }
    if (file != NULL && (!cJSON_IsString(file) || file->valuestring[0] == '\0')) {
        return check_fail_at(r, where, "file must be a path or a pattern");
    }
    if (name != NULL &&
        (!cJSON_IsString(name) || name->valuestring[0] == '\0' || name->valuestring[0] == '.' ||
         strpbrk(name->valuestring, "/\\") != NULL)) {
        return check_fail_at(r, where,
                             "name must be a word without '/' that does not start with '.'");
    }
    const char *called = name != NULL ? name->valuestring : NULL;
    if (url != NULL) {
        if (!cJSON_IsString(url) || !is_address(url->valuestring)) {
            return check_fail_at(r, where, "url must start with http:// or https://");
        }
        return called != NULL ? add_file(r, url->valuestring, called, rules)
                              : check_fail_at(r, where, "a url needs a \"name\" too");
    }
    return add_pattern(r, file->valuestring, called, where, rules);
}

static int by_name(const void *a, const void *b)
{
    const struct check_case *left = a;
    const struct check_case *right = b;
    return strcmp(left->name, right->name);
}

static bool read_pages(struct check_reader *r, const cJSON *root, const struct check_rules *usual)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "pages");
    if (!cJSON_IsArray(list) || list->child == NULL) {
        return check_fail_at(r, list != NULL ? "pages" : "",
                             "needs \"pages\": a list of files, folders and patterns");
    }
    int index = 0;
    for (const cJSON *item = list->child; item != NULL; item = item->next, index++) {
        char where[64];
        snprintf(where, sizeof where, "pages[%d]", index);
        if (!add_entry(r, item, where, usual)) {
            return false;
        }
    }
    struct check_config *config = r->config;
    qsort(config->cases, config->case_count, sizeof config->cases[0], by_name);
    for (size_t i = 1; i < config->case_count; i++) {
        if (strcmp(config->cases[i - 1].name, config->cases[i].name) == 0) {
            return check_fail_at(r, "pages",
                                 "two pages would share the baseline '%s.png'; give one a \"name\"",
                                 config->cases[i].name);
        }
    }
    return true;
}

/* cJSON recurses, so deep nesting is refused before it is called. */
static bool shallow(const char *text, size_t len)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (in_string) {
            i += text[i] == '\\';
            in_string = i >= len || text[i] != '"';
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > CONFIG_MAX_DEPTH) {
                return false;
            }
        } else if (text[i] == '}' || text[i] == ']') {
            depth--;
        }
    }
    return true;
}

static bool read_root(struct check_reader *r, const cJSON *root)
{
    static const char *const keys[] = {"$schema",   "baselines",     "output",        "pages",
                                       "viewports", "color_schemes", CHECK_RULE_KEYS, NULL};
    struct check_config *config = r->config;
    if (!cJSON_IsObject(root)) {
        return check_fail_at(r, "", "the config must be an object");
    }
    config->baselines = check_resolve(r, "baselines");
    config->output = check_resolve(r, "check-output");
    struct check_rules *usual = check_rules_new(r, NULL);
    bool ok = config->baselines != NULL && config->output != NULL && usual != NULL &&
              check_known_keys(r, root, "", keys) &&
              check_read_path(r, root, "baselines", "", &config->baselines) &&
              check_read_path(r, root, "output", "", &config->output) &&
              check_read_rules(r, root, "", usual) && read_viewports(r, root) &&
              read_schemes(r, root) && read_pages(r, root, usual);
    check_rules_free(usual);
    if (ok && strcmp(config->baselines, config->output) == 0) {
        ok = check_fail_at(r, "output", "must not be the folder of the baselines");
    }
    return ok;
}

struct check_config *check_config_parse(const char *text, size_t len, const char *path,
                                        struct glmv_err *err)
{
    struct check_config *config = calloc(1, sizeof *config);
    if (config == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    struct check_reader r = {text, len, path, config, err};
    cJSON *root = NULL;
    bool ok = false;
    const char *slash = strrchr(path, '/');
    config->folder =
        slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (config->folder == NULL) {
        glmv_fail_memory(err);
    } else if (!shallow(text, len)) {
        glmv_fail(err, GLMV_ERR_LIMIT, "%s: nested deeper than %d levels", path, CONFIG_MAX_DEPTH);
    } else {
        const char *end = text;
        root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
        if (root == NULL) {
            glmv_fail(err, GLMV_ERR_FORMAT, "%s:%d: not valid JSON from here on", path,
                      replicate_text_line(text, len, (size_t)(end - text)));
        } else {
            ok = read_root(&r, root);
        }
    }
    cJSON_Delete(root);
    if (!ok) {
        check_config_free(config);
        return NULL;
    }
    return config;
}

struct check_config *check_config_read(const char *path, struct glmv_err *err)
{
    struct glmv_buf buf;
    glmv_buf_init(&buf, CONFIG_MAX_BYTES + 65536);
    struct check_config *config = NULL;
    if (glmv_file_read(path, CONFIG_MAX_BYTES, &buf, err)) {
        config = check_config_parse(buf.data, buf.len, path, err);
    }
    glmv_buf_release(&buf);
    return config;
}

void check_config_free(struct check_config *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; i < config->case_count; i++) {
        free(config->cases[i].name);
        free(config->cases[i].page);
        free(config->cases[i].picture);
        free(config->cases[i].url);
    }
    for (size_t i = 0; i < config->rules_count; i++) {
        check_rules_free(config->rules[i]);
    }
    for (size_t i = 0; i < config->viewport_count; i++) {
        free(config->viewports[i].name);
    }
    free(config->cases);
    free((void *)config->rules);
    free(config->viewports);
    free(config->baselines);
    free(config->output);
    free(config->folder);
    free(config);
}
