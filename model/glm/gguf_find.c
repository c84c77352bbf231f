/* Which two files a model is: the text model, and the tower that lies beside it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/glm/gguf.h"

enum { MAX_FILES = 256 };

static bool ends_with_gguf(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcasecmp(name + len - 5, ".gguf") == 0;
}

static const char *mmproj_in(const char *name)
{
    static const char word[] = "mmproj";
    for (; *name != '\0'; name++) {
        if (strncasecmp(name, word, sizeof word - 1) == 0) {
            return name;
        }
    }
    return NULL;
}

/* The .gguf files of a folder: those of towers, or the others. */
struct listing {
    char *names[MAX_FILES]; /* owned */
    size_t count;
};

static void listing_release(struct listing *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->names[i]);
    }
    list->count = 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool listing_read(struct listing *list, const char *folder, bool towers)
{
    DIR *dir = opendir(folder);
    list->count = 0;
    if (dir == NULL) {
        return false;
    }
    for (const struct dirent *entry; list->count < MAX_FILES && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.' && ends_with_gguf(entry->d_name) &&
            (mmproj_in(entry->d_name) != NULL) == towers) {
            list->names[list->count] = strdup(entry->d_name);
            list->count += list->names[list->count] != NULL ? 1 : 0;
        }
    }
    closedir(dir);
    qsort(list->names, list->count, sizeof list->names[0], by_text);
    return true;
}

bool glm_gguf_here(const char *where)
{
    char path[4200];
    struct listing list = {.count = 0};
    struct stat st;
    if (!glm_is_folder(where)) {
        return ends_with_gguf(where) && stat(where, &st) == 0;
    }
    snprintf(path, sizeof path, "%.4000s/config.json", where);
    if (access(path, F_OK) == 0) {
        return false;
    }
    bool found = listing_read(&list, where, false) && list.count > 0;
    listing_release(&list);
    return found;
}

/* A letter's worth of likeness of "mmproj-NAME-Q8_0.gguf" to "NAME-Q4_K_M.gguf". */
static size_t likeness(const char *tower, const char *text)
{
    const char *mark = mmproj_in(tower);
    const char *name = mark == tower ? tower + 6 : tower;
    size_t same = 0;
    while (*name == '-' || *name == '_' || *name == '.') {
        name++;
    }
    while (name[same] != '\0' && strncasecmp(name + same, text + same, 1) == 0) {
        same++;
    }
    return same;
}

static bool join(char *out, size_t size, const char *folder, const char *name, struct glmv_err *err)
{
    int len = snprintf(out, size, "%s/%s", folder, name);
    return (len > 0 && (size_t)len < size) ||
           glmv_fail(err, GLMV_ERR_IO, "%.200s: the path is too long", folder);
}

/* The tower whose name is most like the text model's; among equals the smallest file, since 16
 * bits lose nothing that 32 would keep. */
static bool choose_tower(const char *folder, const char *text, char *out, size_t size,
                         struct glmv_err *err)
{
    struct listing list = {.count = 0};
    char path[4200];
    struct stat st;
    size_t best = 0, most = 0;
    off_t smallest = 0;
    bool found = false;
    listing_read(&list, folder, true);
    for (size_t i = 0; i < list.count; i++) {
        size_t alike = likeness(list.names[i], text);
        if (!join(path, sizeof path, folder, list.names[i], NULL) || stat(path, &st) != 0) {
            continue;
        }
        if (!found || alike > most || (alike == most && st.st_size < smallest)) {
            best = i;
            most = alike;
            smallest = st.st_size;
            found = true;
        }
    }
    bool ok = found ? join(out, size, folder, list.names[best], err)
                    : glmv_fail(err, GLMV_ERR_MISSING,
                                "%.300s: no mmproj-*.gguf beside the text model %.120s; the part "
                                "that reads pictures is a file of its own, get it from the same "
                                "place",
                                folder, text);
    listing_release(&list);
    return ok;
}

static bool choose_text(const char *folder, char *out, size_t size, struct glmv_err *err)
{
    struct listing list = {.count = 0};
    bool ok = listing_read(&list, folder, false) ||
              glmv_fail(err, GLMV_ERR_IO, "%s: %s", folder, strerror(errno));
    if (ok && list.count != 1) {
        ok = glmv_fail(err, list.count == 0 ? GLMV_ERR_MISSING : GLMV_ERR_USAGE,
                       "%s: %zu text models here%s%s%s%s; give --model the file to use", folder,
                       list.count, list.count > 0 ? ": " : "", list.count > 0 ? list.names[0] : "",
                       list.count > 1 ? ", " : "", list.count > 1 ? list.names[1] : "");
    }
    ok = ok && join(out, size, folder, list.names[0], err);
    listing_release(&list);
    return ok;
}

bool glm_gguf_pair_open(struct glm_gguf_pair *pair, const char *where, struct glmv_err *err)
{
    char text[4200], tower[4200], folder[4200];
    memset(pair, 0, sizeof *pair);
    if (glm_is_folder(where)) {
        if (!choose_text(where, text, sizeof text, err)) {
            return false;
        }
    } else if ((size_t)snprintf(text, sizeof text, "%s", where) >= sizeof text) {
        return glmv_fail(err, GLMV_ERR_IO, "%.200s: the path is too long", where);
    }
    snprintf(folder, sizeof folder, "%s", text);
    char *slash = strrchr(folder, '/');
    const char *name = slash != NULL ? text + (slash - folder) + 1 : text;
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    } else {
        snprintf(folder, sizeof folder, ".");
    }
    if (!glm_gguf_open(&pair->text, text, err)) {
        return false;
    }
    if (glm_gguf_is(&pair->text, "general.architecture", "clip")) {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "%s: this is the part that reads pictures; give --model the text model's "
                         "file that lies beside it",
                         text);
    }
    return choose_tower(folder, name, tower, sizeof tower, err) &&
           glm_gguf_open(&pair->tower, tower, err);
}

void glm_gguf_pair_close(struct glm_gguf_pair *pair)
{
    glm_gguf_close(&pair->text);
    glm_gguf_close(&pair->tower);
}
