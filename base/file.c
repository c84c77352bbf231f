#define _GNU_SOURCE /* renameat2 */
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

#define STEP ((size_t)65536)

/* Reads to the end; each step has room for what is known to come and a byte more, which shows the
 * end without another round of growing. */
static bool read_all(int fd, const char *path, size_t max, struct glmv_buf *buf,
                     struct glmv_err *err)
{
    struct stat info;
    size_t start = buf->len;
    size_t expected = 0;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uintmax_t)info.st_size < max) {
        expected = (size_t)info.st_size;
    }
    for (;;) {
        size_t total = buf->len - start;
        size_t step = total < expected ? expected - total + 1 : total == expected ? 1 : STEP;
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
        if (buf->len - start > max) {
            return glmv_fail(err, GLMV_ERR_LIMIT, "%s: larger than %zu bytes; that is the limit",
                             path, max);
        }
    }
}

/* Opens a file that may be read up to max bytes; -1 when not. */
static int open_within(const char *path, size_t max, struct stat *st, struct glmv_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        glmv_fail(err, GLMV_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, st) != 0) {
        glmv_fail(err, GLMV_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    } else if (S_ISDIR(st->st_mode)) {
        glmv_fail(err, GLMV_ERR_IO, "%s: is a folder, not a file", path);
    } else if (S_ISREG(st->st_mode) && (unsigned long long)st->st_size > max) {
        glmv_fail(err, GLMV_ERR_LIMIT, "%s: %lld bytes; the limit is %zu", path,
                  (long long)st->st_size, max);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

bool glmv_file_read(const char *path, size_t max, struct glmv_buf *buf, struct glmv_err *err)
{
    if (strcmp(path, "-") == 0) {
        return read_all(STDIN_FILENO, "standard input", max, buf, err);
    }
    struct stat st;
    int fd = open_within(path, max, &st, err);
    if (fd < 0) {
        return false;
    }
    bool ok = read_all(fd, path, max, buf, err);
    close(fd);
    return ok;
}

/* By way of a buffer: what has no size beforehand, or not the one it said. */
static const void *read_unsized(int fd, const char *path, size_t max, struct glmv_arena *memory,
                                size_t *len, struct glmv_err *err)
{
    struct glmv_buf buf;
    glmv_buf_init(&buf, max + STEP);
    void *bytes = NULL;
    if (read_all(fd, path, max, &buf, err)) {
        bytes = glmv_arena_take(memory, buf.len + 1);
        if (bytes == NULL) {
            glmv_fail_memory(err);
        } else {
            memcpy(bytes, buf.data, buf.len);
        }
        *len = buf.len;
    }
    glmv_buf_release(&buf);
    return bytes;
}

/* NULL where the file has no size, or another one than it says. */
static const void *read_sized(int fd, size_t size, struct glmv_arena *memory)
{
    char *bytes = size > 0 ? glmv_arena_take(memory, size + 1) : NULL;
    size_t total = 0;
    for (ssize_t got = 1; bytes != NULL && got > 0 && total <= size; total += (size_t)got) {
        got = read(fd, bytes + total, size + 1 - total);
        got = got < 0 ? 0 : got;
    }
    return total == size ? bytes : NULL;
}

const void *glmv_file_read_in(const char *path, size_t max, struct glmv_arena *memory, size_t *len,
                              struct glmv_err *err)
{
    if (strcmp(path, "-") == 0) {
        return read_unsized(STDIN_FILENO, "standard input", max, memory, len, err);
    }
    struct stat st;
    int fd = open_within(path, max, &st, err);
    if (fd < 0) {
        return NULL;
    }
    *len = (size_t)st.st_size;
    const void *bytes = S_ISREG(st.st_mode) ? read_sized(fd, *len, memory) : NULL;
    if (bytes == NULL) {
        lseek(fd, 0, SEEK_SET); /* has no effect on a pipe */
        bytes = read_unsized(fd, path, max, memory, len, err);
    }
    close(fd);
    return bytes;
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

/* Where the new file need not survive a power cut: renaming over an old one makes ext4 write the new
 * one to the disk at once, which swapping their names does not. */
static bool replace_soon(const char *temp, const char *path)
{
#ifdef RENAME_EXCHANGE
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        unlink(temp); /* the old one */
        return true;
    }
#endif
    return rename(temp, path) == 0;
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
    if (ok && !(wait ? rename(temp, path) == 0 : replace_soon(temp, path))) {
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
