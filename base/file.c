#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The one temporary file a thread may have open, for a signal handler to remove. */
static char pending[4096];
static volatile sig_atomic_t pending_set;

void glmv_file_abandon(void)
{
    if (pending_set) {
        unlink(pending);
        pending_set = 0;
    }
}

static bool read_all(int fd, const char *path, size_t max, struct glmv_buf *buf,
                     struct glmv_err *err)
{
    size_t total = 0;
    for (;;) {
        if (!glmv_buf_reserve(buf, 65536, err)) {
            return false;
        }
        ssize_t got = read(fd, buf->data + buf->len, 65536);
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

bool glmv_file_write(const char *path, const void *bytes, size_t len, struct glmv_err *err)
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
    memcpy(pending, temp, sizeof pending);
    pending_set = 1;
    bool ok = write_all(fd, path, bytes, len, err);
    if (ok && (fchmod(fd, target_mode(path)) != 0 || fsync(fd) != 0)) {
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
    pending_set = 0;
    return ok;
}
