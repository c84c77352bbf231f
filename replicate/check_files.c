#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/size.h"
#include "diff/baseline.h"
#include "replicate/check_run.h"

#define INDEX_FILE "index.txt" /* the names that have a baseline, a line each */
#define INDEX_MAX (16u << 20)
#define STAGING ".update" /* inside the baselines, so that a rename is all that is left to do */

char *check_path(const char *folder, const char *name, const char *ending, struct glmv_err *err)
{
    size_t size = strlen(folder) + strlen(name) + strlen(ending) + 2;
    char *path = malloc(size);
    if (path == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    snprintf(path, size, "%s/%s%s", folder, name, ending);
    return path;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool push_name(char ***list, size_t *count, const char *name, size_t len,
                      struct glmv_err *err)
{
    size_t bytes;
    char **grown =
        glmv_size_mul(*count + 1, sizeof *grown, &bytes) ? realloc((void *)*list, bytes) : NULL;
    if (grown == NULL) {
        return glmv_fail_memory(err);
    }
    *list = grown;
    grown[*count] = strndup(name, len);
    if (grown[*count] == NULL) {
        return glmv_fail_memory(err);
    }
    *count += 1;
    return true;
}

/* Makes the folder and those above it. */
static bool make_folder(const char *path, struct glmv_err *err)
{
    char *part = strdup(path);
    if (part == NULL) {
        return glmv_fail_memory(err);
    }
    bool ok = true;
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) {
            *slash = '\0';
        }
        struct stat st;
        if (mkdir(part, 0777) != 0 && (stat(part, &st) != 0 || !S_ISDIR(st.st_mode))) {
            ok = glmv_fail(err, GLMV_ERR_IO, "%s: the folder cannot be made: %s", part,
                           strerror(errno));
        }
        if (slash == NULL || !ok) {
            break;
        }
        *slash = '/';
    }
    free(part);
    return ok;
}

/* Holds a folder; kind is LOCK_SH or LOCK_EX. The lock ends with the process, however it ends. */
static int lock_folder(const char *path, int kind, struct glmv_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        glmv_fail(err, GLMV_ERR_IO, "%s: cannot be opened as a folder: %s", path, strerror(errno));
        return -1;
    }
    if (flock(fd, kind | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(fd);
        glmv_fail(err, GLMV_ERR_IO,
                  "%s: another check works in this folder; wait for it, or name another folder "
                  "with --output",
                  path);
        return -1;
    }
    return fd;
}

static bool can_write(const char *folder, const char *why, struct glmv_err *err)
{
    return access(folder, W_OK | X_OK) == 0 ||
           glmv_fail(err, GLMV_ERR_IO, "%s: %s, but it cannot be written: %s", folder, why,
                     strerror(errno));
}

static bool read_index(struct check_run *run, struct glmv_err *err)
{
    char *path = check_path(run->config->baselines, INDEX_FILE, "", err);
    struct glmv_buf buf;
    glmv_buf_init(&buf, INDEX_MAX + 65536);
    bool ok =
        path != NULL && (access(path, F_OK) != 0 || glmv_file_read(path, INDEX_MAX, &buf, err));
    const char *line = buf.len > 0 ? buf.data : NULL;
    while (ok && line != NULL && *line != '\0') {
        size_t len = strcspn(line, "\r\n");
        if (len > 0 && line[0] != '#') {
            ok = push_name(&run->known, &run->known_count, line, len, err);
        }
        line += len + strspn(line + len, "\r\n");
    }
    if (ok && run->known_count > 0) {
        qsort((void *)run->known, run->known_count, sizeof *run->known, by_text);
    }
    glmv_buf_release(&buf);
    free(path);
    return ok;
}

bool check_files_known(const struct check_run *run, const char *name)
{
    return run->known_count > 0 && bsearch(&name, (const void *)run->known, run->known_count,
                                           sizeof *run->known, by_text) != NULL;
}

static int by_case(const void *key, const void *item)
{
    return strcmp(key, ((const struct check_case *)item)->name);
}

static bool has_case(const struct check_config *config, const char *name)
{
    return bsearch(name, config->cases, config->case_count, sizeof config->cases[0], by_case) !=
           NULL;
}

/* Baselines that no page of the config has. */
static bool find_removed(struct check_run *run, struct glmv_err *err)
{
    const struct check_config *config = run->config;
    DIR *folder = opendir(config->baselines);
    bool ok = true;
    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; ok && entry != NULL;
         entry = readdir(folder)) {
        size_t len = strlen(entry->d_name);
        if (len <= 4 || entry->d_name[0] == '.' || strcmp(entry->d_name + len - 4, ".png") != 0) {
            continue;
        }
        entry->d_name[len - 4] = '\0';
        if (!has_case(config, entry->d_name)) {
            ok = push_name(&run->removed, &run->removed_count, entry->d_name, len - 4, err);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    if (run->removed_count > 0) {
        qsort((void *)run->removed, run->removed_count, sizeof *run->removed, by_text);
    }
    return ok;
}

static void drop_staging(const struct check_run *run)
{
    char *path = check_path(run->config->baselines, STAGING, "", NULL);
    DIR *folder = path != NULL ? opendir(path) : NULL;
    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL;
         entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    if (folder != NULL) {
        closedir(folder);
        rmdir(path);
    }
    free(path);
}

/* What a run leaves of a page that is not the same, behind its name. */
static const char *const outputs[] = {".actual.png", ".diff.png", ".proposed.html"};

void check_files_forget(const struct check_run *run, const char *name)
{
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        char *path = check_path(run->config->output, name, outputs[i], NULL);
        if (path != NULL) {
            unlink(path);
        }
        free(path);
    }
}

/* Drops what earlier runs left of pages that the config has no more. Only a folder with a report is
 * known to be one of outputs. */
static void sweep_output(const struct check_run *run)
{
    DIR *folder = opendir(run->config->output);
    bool ours = folder != NULL && faccessat(dirfd(folder), "report.json", F_OK, 0) == 0;
    for (struct dirent *entry = ours ? readdir(folder) : NULL; entry != NULL;
         entry = readdir(folder)) {
        size_t len = strlen(entry->d_name);
        for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
            size_t tail = strlen(outputs[i]);
            if (len <= tail || strcmp(entry->d_name + len - tail, outputs[i]) != 0) {
                continue;
            }
            char *name = strndup(entry->d_name, len - tail);
            if (name != NULL && !has_case(run->config, name)) {
                unlinkat(dirfd(folder), entry->d_name, 0);
            }
            free(name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

static bool updates(const struct check_run *run)
{
    for (int i = 0; i < CHECK_STATUS_COUNT; i++) {
        if (run->options->update[i]) {
            return true;
        }
    }
    return false;
}

bool check_files_open(struct check_run *run, struct glmv_err *err)
{
    const struct check_config *config = run->config;
    bool update = updates(run);
    run->locks[0] = run->locks[1] = -1;
    if (!make_folder(config->output, err)) {
        return false;
    }
    run->locks[0] = lock_folder(config->output, LOCK_EX, err);
    if (run->locks[0] < 0 || !can_write(config->output, "the reports go there", err) ||
        (update && !make_folder(config->baselines, err))) {
        return false;
    }
    if (access(config->baselines, F_OK) == 0) {
        run->locks[1] = lock_folder(config->baselines, update ? LOCK_EX : LOCK_SH, err);
        if (run->locks[1] < 0 ||
            (update && !can_write(config->baselines, "--update writes baselines there", err))) {
            return false;
        }
    }
    sweep_output(run);
    if (update) {
        drop_staging(run); /* of a run that was killed */
        char *staging = check_path(config->baselines, STAGING, "", err);
        bool made = staging != NULL && make_folder(staging, err);
        free(staging);
        if (!made) {
            return false;
        }
    }
    return read_index(run, err) && find_removed(run, err);
}

bool check_files_stage(const struct check_run *run, const char *name,
                       const struct glmv_image *image, struct glmv_err *err)
{
    char *folder = check_path(run->config->baselines, STAGING, "", err);
    char *path = folder != NULL ? check_path(folder, name, ".png", err) : NULL;
    struct glmv_buf png;
    glmv_buf_init(&png, (size_t)1 << 30);
    bool ok = path != NULL && glmv_baseline_encode(image, &png, err) &&
              glmv_file_write(path, png.data, png.len, err);
    glmv_buf_release(&png);
    free(path);
    free(folder);
    return ok;
}

/* One baseline in its place, or gone. */
static bool commit_one(const struct check_run *run, const struct check_result *result,
                       struct glmv_err *err)
{
    const char *folder = run->config->baselines;
    char *to = check_path(folder, result->name, ".png", err);
    char *staging = check_path(folder, STAGING, "", err);
    char *from = staging != NULL ? check_path(staging, result->name, ".png", err) : NULL;
    bool ok = to != NULL && from != NULL;
    if (ok && (result->status == CHECK_IS_REMOVED ? unlink(to) : rename(from, to)) != 0) {
        ok =
            glmv_fail(err, GLMV_ERR_IO, "%s: cannot be %s: %s", to,
                      result->status == CHECK_IS_REMOVED ? "removed" : "replaced", strerror(errno));
    }
    free(to);
    free(from);
    free(staging);
    return ok;
}

/* The index after this run: every picture that is there, in order. */
static bool write_index(const struct check_run *run, struct glmv_err *err)
{
    struct glmv_buf buf;
    glmv_buf_init(&buf, INDEX_MAX);
    char **names = NULL;
    size_t count = 0;
    bool ok = true;
    DIR *folder = opendir(run->config->baselines);
    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; ok && entry != NULL;
         entry = readdir(folder)) {
        size_t len = strlen(entry->d_name);
        if (len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ".png") == 0) {
            ok = push_name(&names, &count, entry->d_name, len - 4, err);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    /* What is missing and was not chosen for this update stays missing. */
    for (size_t i = 0; ok && i < run->known_count; i++) {
        char *path = check_path(run->config->baselines, run->known[i], ".png", err);
        bool missing =
            path != NULL && access(path, F_OK) != 0 && has_case(run->config, run->known[i]);
        ok = path != NULL &&
             (!missing || push_name(&names, &count, run->known[i], strlen(run->known[i]), err));
        free(path);
    }
    if (count > 0) {
        qsort((void *)names, count, sizeof *names, by_text);
    }
    for (size_t i = 0; i < count; i++) {
        ok = ok && glmv_buf_appendf(&buf, err, "%s\n", names[i]);
        free(names[i]);
    }
    free((void *)names);
    char *path = ok ? check_path(run->config->baselines, INDEX_FILE, "", err) : NULL;
    ok = path != NULL && glmv_file_write(path, buf.len > 0 ? buf.data : "", buf.len, err);
    free(path);
    glmv_buf_release(&buf);
    return ok;
}

bool check_files_commit(struct check_run *run, struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; i < run->count && ok; i++) {
        struct check_result *result = &run->results[i];
        if (run->options->update[result->status]) {
            ok = commit_one(run, result, err);
            result->updated = ok;
            run->updated += ok;
        }
    }
    return (run->updated == 0 || write_index(run, err)) && ok;
}

void check_files_close(struct check_run *run)
{
    if (run->locks[1] >= 0 && updates(run)) {
        drop_staging(run);
    }
    for (int i = 0; i < 2; i++) {
        if (run->locks[i] >= 0) {
            close(run->locks[i]);
            run->locks[i] = -1;
        }
    }
}
