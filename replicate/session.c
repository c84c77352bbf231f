#include "replicate/session.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "replicate/author.h"

#define JOURNAL "session.json"
#define MAX_JOURNAL (16u << 20)
#define MAX_WHAT 4000 /* bytes of an instruction that the journal keeps */
#define RECOVERED "(found after the program was stopped)"

/* -- folders ------------------------------------------------------------------------------------
 */

/* Makes a folder and those above it. */
static bool make_folders(char *path, struct glmv_err *err)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char end = *at;
        *at = '\0';
        bool ok = mkdir(path, 0700) == 0 || errno == EEXIST;
        if (!ok) {
            glmv_fail(err, GLMV_ERR_IO, "%s: %s; set XDG_STATE_HOME to a folder for sessions", path,
                      strerror(errno));
        }
        *at = end;
        if (!ok || end == '\0') {
            return ok;
        }
    }
}

bool replicate_session_root(const char *name, struct glmv_buf *out, struct glmv_err *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state != NULL && state[0] == '/') {
        home = "";
    } else if (home != NULL && home[0] == '/') {
        state = "/.local/state";
    } else {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "no place for sessions: set HOME or XDG_STATE_HOME to an absolute path");
    }
    return glmv_buf_appendf(out, err, "%s%s/glmv-replicate%s%s", home, state,
                            name != NULL ? "/" : "/sessions", name != NULL ? name : "");
}

static bool root_folder(char *path, size_t size, struct glmv_err *err)
{
    struct glmv_buf buf;
    glmv_buf_init(&buf, size - 1);
    bool ok = replicate_session_root(NULL, &buf, err);
    if (ok) {
        memcpy(path, buf.data, buf.len + 1);
    }
    glmv_buf_release(&buf);
    return ok && make_folders(path, err);
}

static bool join_path(const char *folder, const char *name, char *path, size_t size,
                      struct glmv_err *err)
{
    int len = snprintf(path, size, "%s/%s", folder, name);
    return (len > 0 && (size_t)len < size) ||
           glmv_fail(err, GLMV_ERR_LIMIT, "%s/%s: the path is too long", folder, name);
}

/* Two programs that write one session would lose versions. */
static bool take_lock(struct replicate_session *session, struct glmv_err *err)
{
    char path[4200];
    if (!join_path(session->folder, "lock", path, sizeof path, err)) {
        return false;
    }
    session->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (session->lock < 0) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: %s", path, strerror(errno));
    }
    return flock(session->lock, LOCK_EX | LOCK_NB) == 0 ||
           glmv_fail(err, GLMV_ERR_USAGE, "session %s is open in another program; close it there",
                     replicate_session_name(session));
}

const char *replicate_session_name(const struct replicate_session *session)
{
    return strrchr(session->folder, '/') + 1;
}

void replicate_session_path(const struct replicate_session *session, int number, char *path,
                            size_t size)
{
    snprintf(path, size, "%s/%04d.html", session->folder, number);
}

/* -- journal ------------------------------------------------------------------------------------
 */

static bool append(struct replicate_session *session, int parent, const char *what,
                   struct glmv_err *err)
{
    struct replicate_version *more =
        realloc(session->versions, ((size_t)session->count + 1) * sizeof *more);
    char *copy = strndup(what, MAX_WHAT);
    if (more != NULL) {
        session->versions = more;
    }
    if (more == NULL || copy == NULL) {
        free(copy);
        return glmv_fail_memory(err);
    }
    session->versions[session->count++] = (struct replicate_version){parent, copy};
    return true;
}

bool replicate_session_write(const struct replicate_session *session, struct glmv_err *err)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "source", session->source);
    cJSON_AddBoolToObject(root, "target", session->has_target);
    cJSON_AddNumberToObject(root, "width", session->width);
    cJSON_AddNumberToObject(root, "height", session->height);
    cJSON_AddNumberToObject(root, "current", session->current);
    cJSON *list = cJSON_AddArrayToObject(root, "versions");
    for (int i = 0; i < session->count; i++) {
        cJSON *version = cJSON_CreateObject();
        cJSON_AddNumberToObject(version, "parent", session->versions[i].parent);
        cJSON_AddStringToObject(version, "what", session->versions[i].what);
        cJSON_AddItemToArray(list, version);
    }
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    char path[4200];
    bool ok = text != NULL ? join_path(session->folder, JOURNAL, path, sizeof path, err) &&
                                 glmv_file_write(path, text, strlen(text), err)
                           : glmv_fail_memory(err);
    free(text);
    return ok;
}

static int number_of(const cJSON *object, const char *name, int low, int high, int fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble >= low && item->valuedouble <= high
               ? item->valueint
               : fallback;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text != NULL ? text : "";
}

static bool parse(struct replicate_session *session, const char *text, struct glmv_err *err)
{
    cJSON *root = cJSON_Parse(text);
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(root, "versions");
    bool ok = cJSON_IsArray(list) && cJSON_GetArraySize(list) <= REPLICATE_SESSION_MAX;
    if (!ok) {
        glmv_fail(err, GLMV_ERR_FORMAT,
                  "%s/%s is damaged; the versions beside it are ordinary HTML files",
                  session->folder, JOURNAL);
    } else {
        snprintf(session->source, sizeof session->source, "%s", text_of(root, "source"));
        session->has_target = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "target"));
        session->width = number_of(root, "width", 1, 16384, 1280);
        session->height = number_of(root, "height", 1, 16384, 800);
        cJSON_ArrayForEach(item, list)
        {
            int parent = number_of(item, "parent", 0, session->count, session->count);
            ok = ok && append(session, parent, text_of(item, "what"), err);
        }
        session->current = number_of(root, "current", 0, session->count, session->count);
    }
    cJSON_Delete(root);
    return ok;
}

/* A kill between a version and its line in the journal leaves a version that nobody knows of. */
static bool recover(struct replicate_session *session, struct glmv_err *err)
{
    char path[4200];
    bool ok = true, found = false;
    for (;; found = true) {
        replicate_session_path(session, session->count + 1, path, sizeof path);
        if (!ok || session->count >= REPLICATE_SESSION_MAX || access(path, R_OK) != 0) {
            break;
        }
        ok = append(session, session->current, RECOVERED, err);
        session->current = session->count;
    }
    return ok && (!found || replicate_session_write(session, err));
}

/* -- sessions -----------------------------------------------------------------------------------
 */

/* The file's name without folder and ending, in letters that are safe in a path. */
static void stem_of(const char *source, char *stem, size_t size)
{
    const char *name = strrchr(source, '/');
    name = name != NULL ? name + 1 : source;
    size_t len = 0;
    for (; name[len] != '\0' && name[len] != '.' && len + 1 < size; len++) {
        char c = name[len];
        bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        stem[len] = safe ? c : '-';
    }
    stem[len] = '\0';
}

/* A folder of its own, named by time and page. */
static bool make_own_folder(struct replicate_session *session, const char *source,
                            struct glmv_err *err)
{
    char root[4000], stem[40], when[32];
    if (!root_folder(root, sizeof root, err)) {
        return false;
    }
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", &tm);
    stem_of(source, stem, sizeof stem);
    for (int i = 0; i < 1000; i++) {
        char name[100];
        snprintf(name, sizeof name, i == 0 ? "%s-%s" : "%s-%s-%d", when, stem, i);
        if (!join_path(root, name, session->folder, sizeof session->folder, err)) {
            return false;
        }
        if (mkdir(session->folder, 0700) == 0) {
            return true;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return glmv_fail(err, GLMV_ERR_IO, "%s: %s", session->folder, strerror(errno));
}

static struct replicate_session *empty(struct glmv_err *err)
{
    struct replicate_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    session->lock = -1;
    return session;
}

struct replicate_session *replicate_session_new(const char *source, int width, int height,
                                                struct glmv_err *err)
{
    struct replicate_session *session = empty(err);
    if (session == NULL) {
        return NULL;
    }
    char *full = realpath(source, NULL);
    snprintf(session->source, sizeof session->source, "%s", full != NULL ? full : source);
    free(full);
    session->width = width;
    session->height = height;
    if (make_own_folder(session, source, err) && take_lock(session, err) &&
        replicate_session_write(session, err)) {
        return session;
    }
    replicate_session_close(session);
    return NULL;
}

/* Names of sessions begin with the time, so the newest is the last in the order of bytes. */
static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

static int is_session(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int list_names(const char *root, struct dirent ***names, struct glmv_err *err)
{
    int count = scandir(root, names, is_session, newest_first);
    if (count < 0) {
        glmv_fail(err, GLMV_ERR_IO, "%s: %s", root, strerror(errno));
    }
    return count;
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    if (count >= 0) {
        free(names);
    }
}

static bool find_newest(const char *root, char *name, size_t size, struct glmv_err *err)
{
    struct dirent **names;
    int count = list_names(root, &names, err);
    if (count > 0) {
        snprintf(name, size, "%s", names[0]->d_name);
    } else if (count == 0) {
        glmv_fail(err, GLMV_ERR_USAGE,
                  "there is no session to go on with: give a page or a screenshot, as in "
                  "glmv-replicate repl page.html");
    }
    free_names(names, count);
    return count > 0;
}

static bool read_journal(struct replicate_session *session, struct glmv_err *err)
{
    char path[4200];
    struct glmv_buf text;
    glmv_buf_init(&text, MAX_JOURNAL);
    bool ok = join_path(session->folder, JOURNAL, path, sizeof path, err) &&
              glmv_file_read(path, MAX_JOURNAL, &text, err) &&
              parse(session, text.data != NULL ? text.data : "", err);
    glmv_buf_release(&text);
    return ok;
}

struct replicate_session *replicate_session_open(const char *name, struct glmv_err *err)
{
    char root[4000], newest[256];
    struct replicate_session *session = empty(err);
    bool ok = session != NULL && root_folder(root, sizeof root, err);
    if (ok && name == NULL) {
        ok = find_newest(root, newest, sizeof newest, err);
        name = newest;
    }
    if (ok && (strchr(name, '/') != NULL || name[0] == '.' || name[0] == '\0')) {
        ok = glmv_fail(err, GLMV_ERR_USAGE, "'%s' is not the name of a session; see repl --list",
                       name);
    }
    ok = ok && join_path(root, name, session->folder, sizeof session->folder, err);
    if (ok && access(session->folder, F_OK) != 0) {
        ok = glmv_fail(err, GLMV_ERR_USAGE, "there is no session '%s'; see repl --list", name);
    }
    ok = ok && take_lock(session, err) && read_journal(session, err) && recover(session, err);
    if (ok && session->count == 0) {
        ok = glmv_fail(err, GLMV_ERR_USAGE, "session %s holds no page; start again with one", name);
    }
    if (!ok) {
        replicate_session_close(session);
        return NULL;
    }
    session->current = session->current < 1 ? 1 : session->current;
    return session;
}

void replicate_session_close(struct replicate_session *session)
{
    if (session == NULL) {
        return;
    }
    if (session->lock >= 0) {
        close(session->lock);
    }
    for (int i = 0; i < session->count; i++) {
        free(session->versions[i].what);
    }
    free(session->versions);
    free(session);
}

bool replicate_session_add(struct replicate_session *session, const char *html, size_t len,
                           const char *what, struct glmv_err *err)
{
    char path[4200];
    if (session->count >= REPLICATE_SESSION_MAX) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "a session holds %d versions; /save and start anew",
                         REPLICATE_SESSION_MAX);
    }
    replicate_session_path(session, session->count + 1, path, sizeof path);
    if (!glmv_file_write(path, html, len, err) || !append(session, session->current, what, err)) {
        return false;
    }
    session->current = session->count;
    return replicate_session_write(session, err);
}

bool replicate_session_read(const struct replicate_session *session, int number,
                            struct glmv_buf *html, struct glmv_err *err)
{
    char path[4200];
    replicate_session_path(session, number, path, sizeof path);
    return glmv_file_read(path, REPLICATE_MAX_HTML, html, err);
}

bool replicate_session_go(struct replicate_session *session, int number, struct glmv_err *err)
{
    int before = session->current;
    session->current = number;
    if (replicate_session_write(session, err)) {
        return true;
    }
    session->current = before;
    return false;
}

int replicate_session_next(const struct replicate_session *session)
{
    for (int i = session->count; i > session->current; i--) {
        if (session->versions[i - 1].parent == session->current) {
            return i;
        }
    }
    return 0;
}

bool replicate_session_list(struct glmv_err *err)
{
    char root[4000];
    struct dirent **names;
    if (!root_folder(root, sizeof root, err)) {
        return false;
    }
    int count = list_names(root, &names, err);
    for (int i = 0; i < count; i++) {
        struct replicate_session *session = empty(err);
        struct glmv_err damaged = {0};
        if (session != NULL &&
            join_path(root, names[i]->d_name, session->folder, sizeof session->folder, err) &&
            read_journal(session, &damaged)) {
            printf("%-36s %4d version%s  %s\n", names[i]->d_name, session->count,
                   session->count == 1 ? " " : "s", session->source);
        }
        replicate_session_close(session);
    }
    free_names(names, count);
    return count >= 0;
}
