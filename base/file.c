#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Temporary files that are being written, so that a signal handler can remove them. A writer takes
 * a free slot; with all slots taken the write still works, only an interrupt at that moment would
 * leave its temporary file behind.
 */
#define SLOT_COUNT 16
enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_SET };
static struct {
    atomic_int state;
    char path[4096];
} slots[SLOT_COUNT];

static int slot_take(const char *path)
{
    for (int i = 0; i < SLOT_COUNT; i++) {
        int expected = SLOT_FREE;
        if (atomic_compare_exchange_strong(&slots[i].state, &expected, SLOT_TAKEN)) {
            snprintf(slots[i].path, sizeof slots[i].path, "%s", path);
            atomic_store(&slots[i].state, SLOT_SET);
            return i;
        }
    }
    return -1;
}

static void slot_release(int slot)
{
    if (slot >= 0) {
        atomic_store(&slots[slot].state, SLOT_FREE);
    }
}

void glmv_file_abandon(void)
{
    for (int i = 0; i < SLOT_COUNT; i++) {
        if (atomic_load(&slots[i].state) == SLOT_SET) {
            unlink(slots[i].path);
        }
    }
}

static bool read_all(int fd, const char *path, size_t max, struct glmv_buf *buf,
                     struct glmv_err *err)
{
    size_t total = 0;
    struct stat info;
    /* One byte more than the file has shows its end without another round. */
    size_t step = 65536;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 65536 &&
        (uintmax_t)info.st_size < max) {
        step = (size_t)info.st_size + 1;
    }
    for (;; step = 65536) {
        if (!glmv_buf_reserve(buf, step, err)) {
            return false;
        }
        ssize_t got = read(fd, buf->data + buf->len, step);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
        }
        if (got == 0) {
            buf->data[buf->len] = '\0';
            return true;
        }
        buf->len += (size_t)got;
        total += (size_t)got;
        if (total > max) {
            return glmv_fail(err, GLMV_ERR_LIMIT, "%s: larger than %zu bytes; that is the limit",
                             path, max);
        }
    }
}

bool glmv_file_read(const char *path, size_t max, struct glmv_buf *buf, struct glmv_err *err)
{
    if (strcmp(path, "-") == 0) {
        return read_all(STDIN_FILENO, "standard input", max, buf, err);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    }
    struct stat st;
    bool ok;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        ok = glmv_fail(err, GLMV_ERR_IO, "%s: is a folder, not a file", path);
    } else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (unsigned long long)st.st_size > max) {
        ok = glmv_fail(err, GLMV_ERR_LIMIT, "%s: %lld bytes; the limit is %zu", path,
                       (long long)st.st_size, max);
    } else {
        ok = read_all(fd, path, max, buf, err);
    }
    close(fd);
    return ok;
}

static bool write_all(int fd, const char *path, const void *bytes, size_t len, struct glmv_err *err)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t put = write(fd, p, len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
        }
        p += put;
        len -= (size_t)put;
    }
    return true;
}

/* The permissions a fresh file would get, or those of the file that is replaced. */
static mode_t target_mode(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        return st.st_mode & 07777;
    }
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool write_file(const char *path, const void *bytes, size_t len, bool wait,
                       struct glmv_err *err)
{
    if (strcmp(path, "-") == 0) {
        return write_all(STDOUT_FILENO, "standard output", bytes, len, err);
    }
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode)) {
            return glmv_fail(err, GLMV_ERR_IO, "%s: is a folder, not a file", path);
        }
        /* A device or a pipe has no half-written state to protect, and renaming over it would
         * replace it. */
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) {
            return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
        }
        bool done = write_all(fd, path, bytes, len, err);
        close(fd);
        return done;
    }
    char temp[4096];
    int n = snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof temp) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: the path is too long", path);
    }
    int fd = mkstemp(temp);
    if (fd < 0) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    int slot = slot_take(temp);
    bool ok = write_all(fd, path, bytes, len, err);
    if (ok && (fchmod(fd, target_mode(path)) != 0 || (wait && fsync(fd) != 0))) {
        ok = glmv_fail(err, GLMV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    if (close(fd) != 0 && ok) {
        ok = glmv_fail(err, GLMV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    if (ok && rename(temp, path) != 0) {
        ok = glmv_fail(err, GLMV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    if (!ok) {
        unlink(temp);
    }
    slot_release(slot);
    return ok;
}

bool glmv_file_write(const char *path, const void *bytes, size_t len, struct glmv_err *err)
{
    return write_file(path, bytes, len, true, err);
}

bool glmv_file_write_soon(const char *path, const void *bytes, size_t len, struct glmv_err *err)
{
    return write_file(path, bytes, len, false, err);
}

bool glmv_file_may_write(const char *path, struct glmv_err *err)
{
    struct stat st;
    if (strcmp(path, "-") == 0) {
        return true;
    }
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: is a folder, not a file", path);
    }
    if (there && !S_ISREG(st.st_mode)) {
        return access(path, W_OK) == 0 ||
               glmv_fail(err, GLMV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    /* The file itself is replaced, so its folder is what counts. */
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    int n = snprintf(folder, sizeof folder, "%.*s", len, slash == NULL ? "." : path);
    return (n < (int)sizeof folder && access(folder, W_OK | X_OK) == 0) ||
           glmv_fail(err, GLMV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
}
