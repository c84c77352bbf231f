/*
 * Whole files in, whole files out. A file is written beside its target and renamed over it, so that
 * a reader sees the old content or the new one and never a half, also when the disk is full or the
 * program is stopped. The path "-" is standard input or standard output.
 */
#ifndef GLMV_BASE_FILE_H
#define GLMV_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Appends the content of path to buf. More than max bytes is GLMV_ERR_LIMIT; unreadable is
 * GLMV_ERR_IO. */
bool glmv_file_read(const char *path, size_t max, struct glmv_buf *buf, struct glmv_err *err);

/* The same into memory that is not cleared, moved or freed; NULL when it fails. */
const void *glmv_file_read_in(const char *path, size_t max, struct glmv_arena *memory, size_t *len,
                              struct glmv_err *err);

/* Replaces path by these bytes, atomically. On failure the old file stays and no temporary file is
 * left. */
bool glmv_file_write(const char *path, const void *bytes, size_t len, struct glmv_err *err);

/* The same for what can be made again: it does not wait for the disk, so that after a power cut the
 * file may be empty. */
bool glmv_file_write_soon(const char *path, const void *bytes, size_t len, struct glmv_err *err);

/* Whether glmv_file_write could replace path now: to be asked before long work. */
bool glmv_file_may_write(const char *path, struct glmv_err *err);

/* Removes the temporary file of a write that is under way. Async-signal-safe: for a handler of
 * SIGINT or SIGTERM. */
void glmv_file_abandon(void);

#endif
