/*
 * The smallest test harness: CHECK counts, TEST_END reports. A failing check is printed with its
 * place and the program goes on, so that one run shows every failure.
 */
#ifndef GLMV_TESTS_CHECK_H
#define GLMV_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;
static int check_count;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        check_count++;                                                                             \
        if (!(condition)) {                                                                        \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
        }                                                                                          \
    } while (0)

#define CHECK_MSG(condition, ...)                                                                  \
    do {                                                                                           \
        check_count++;                                                                             \
        if (!(condition)) {                                                                        \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: failed: %s: ", __FILE__, __LINE__, #condition);                \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
        }                                                                                          \
    } while (0)

#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *check_got = (got);                                                             \
        const char *check_want = (want);                                                           \
        check_count++;                                                                             \
        if (check_got == NULL || strcmp(check_got, check_want) != 0) {                             \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: failed: %s is \"%s\", wanted \"%s\"\n", __FILE__, __LINE__,    \
                    #got, check_got != NULL ? check_got : "(null)", check_want);                   \
        }                                                                                          \
    } while (0)

/* Ends the program as skipped. */
#define SKIP(reason)                                                                               \
    do {                                                                                           \
        printf("skipped: %s\n", reason);                                                           \
        exit(77);                                                                                  \
    } while (0)

/* The last statement of main(). A program that checked nothing has failed. */
#define TEST_END()                                                                                 \
    do {                                                                                           \
        printf("%d checks, %d failed\n", check_count, check_failures);                             \
        return check_failures != 0 || check_count == 0;                                            \
    } while (0)

#endif
