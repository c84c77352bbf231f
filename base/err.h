/*
 * How every part of the program says that something failed: one code for the program, one sentence
 * for the person.
 *
 * A struct glmv_err starts zeroed. The first failure is kept and later ones are dropped, so that
 * calls can be chained and the caller prints once. Every function that takes a struct glmv_err
 * accepts NULL.
 *
 *     struct glmv_err err = {0};
 *     if (!glmv_file_read(path, limit, &buf, &err)) {
 *         fprintf(stderr, "glmv-replicate: %s\n", err.message);
 *     }
 */
#ifndef GLMV_BASE_ERR_H
#define GLMV_BASE_ERR_H

#include <stdbool.h>

enum glmv_err_code {
    GLMV_ERR_NONE = 0,
    GLMV_ERR_USAGE,       /* the caller asked for something that does not exist */
    GLMV_ERR_MEMORY,      /* an allocation was refused */
    GLMV_ERR_IO,          /* a file or a pipe could not be read or written */
    GLMV_ERR_FORMAT,      /* the bytes are not what they should be */
    GLMV_ERR_LIMIT,       /* larger, deeper or longer than we accept */
    GLMV_ERR_UNSUPPORTED, /* well formed, but not something this build handles */
    GLMV_ERR_MISSING,     /* a program, a font or a data file is not installed */
    GLMV_ERR_MODEL,       /* the model or its server failed */
    GLMV_ERR_RENDER,      /* the renderer failed */
    GLMV_ERR_CANCELLED,   /* the caller asked to stop */
};

struct glmv_err {
    enum glmv_err_code code;
    char message[640]; /* UTF-8, no newline at the end; says what to do next where that is known */
};

#if defined(__GNUC__)
#define GLMV_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define GLMV_PRINTF(fmt, args)
#endif

/* Stores the failure unless one is there already. Always returns false, so that it can be returned.
 */
bool glmv_fail(struct glmv_err *err, enum glmv_err_code code, const char *format, ...)
    GLMV_PRINTF(3, 4);

/* Forgets the failure. NULL is allowed. */
void glmv_err_clear(struct glmv_err *err);

/* Stores "out of memory" and returns false. */
bool glmv_fail_memory(struct glmv_err *err);

#endif
