/*
 * The compiled half of htmlfix.py. `fix` answers each frame on standard input (eight bytes of
 * length, the bytes) with a frame; an answer without a document gives an empty one. `stream` does
 * the same, feeding single bytes and asking for the preview after each. `speed FILE...` prints MB/s
 * of memcpy, libxml2's HTML parser and htmlfix over the files, in turn, best of five.
 */
#include <libxml/HTMLparser.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "htmlfix/htmlfix.h"

#define LIMIT ((size_t)256 << 20)
enum { ROUNDS = 5 };

static bool feed_bytes(const char *text, size_t len, struct glmv_buf *out, struct glmv_fix *fix)
{
    struct glmv_fix_stream *stream = glmv_fix_stream_open(LIMIT, NULL);
    bool ok = stream != NULL;
    for (size_t i = 0; ok && i < len; i++) {
        size_t shown;
        ok = glmv_fix_stream_feed(stream, text + i, 1, NULL);
        (void)glmv_fix_stream_preview(stream, &shown);
    }
    ok = ok && glmv_fix_stream_finish(stream, out, fix, NULL);
    glmv_fix_stream_close(stream);
    return ok;
}

static int answer_frames(bool in_bytes)
{
    uint64_t len;
    while (fread(&len, sizeof len, 1, stdin) == 1) {
        char *text = len < LIMIT ? malloc(len + 1) : NULL;
        if (text == NULL || fread(text, 1, len, stdin) != len) {
            return 1;
        }
        struct glmv_fix fix;
        struct glmv_buf out;
        glmv_buf_init(&out, LIMIT);
        bool ok = in_bytes ? feed_bytes(text, len, &out, &fix)
                           : glmv_html_fix(text, len, &out, &fix, NULL);
        uint64_t size = ok ? out.len : 0;
        fwrite(&size, sizeof size, 1, stdout);
        fwrite(out.data, 1, size, stdout);
        fflush(stdout);
        glmv_buf_release(&out);
        free(text);
    }
    return 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_copy(const struct glmv_buf *page, struct glmv_buf *out)
{
    glmv_buf_clear(out);
    glmv_buf_append(out, page->data, page->len, NULL);
}

static void run_libxml(const struct glmv_buf *page, struct glmv_buf *out)
{
    (void)out;
    xmlFreeDoc(htmlReadMemory(page->data, (int)page->len, NULL, "utf-8",
                              HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING));
}

static unsigned run_fix(const struct glmv_buf *page, struct glmv_buf *out)
{
    struct glmv_fix fix;
    glmv_buf_clear(out);
    glmv_html_fix(page->data, page->len, out, &fix, NULL);
    return fix.flags;
}

static int speed(char **paths, int count)
{
    struct glmv_buf *pages = calloc((size_t)count + 1, sizeof *pages), out;
    double best[3] = {1e9, 1e9, 1e9};
    size_t bytes = 0, kept = 0;
    glmv_buf_init(&out, LIMIT);
    for (int i = 0; i < count; i++) {
        glmv_buf_init(&pages[kept], LIMIT);
        if (!glmv_file_read(paths[i], LIMIT, &pages[kept], NULL)) {
            return 1;
        }
        if (run_fix(&pages[kept], &out) == 0 && out.len > 0) {
            bytes += pages[kept++].len; /* valid input only */
        } else {
            glmv_buf_release(&pages[kept]);
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < 3; kind++) {
            double start = now();
            for (size_t i = 0; i < kept; i++) {
                if (kind == 0) {
                    run_copy(&pages[i], &out);
                } else if (kind == 1) {
                    run_libxml(&pages[i], &out);
                } else {
                    run_fix(&pages[i], &out);
                }
            }
            double took = now() - start;
            best[kind] = took < best[kind] ? took : best[kind];
        }
    }
    static const char *const names[] = {"memcpy", "libxml2", "htmlfix"};
    printf("%zu valid pages of %d, %.1f MB, best of %d\n", kept, count, (double)bytes * 1e-6,
           ROUNDS);
    for (int kind = 0; kind < 3; kind++) {
        printf("%-8s %8.0f MB/s\n", names[kind], (double)bytes * 1e-6 / best[kind]);
    }
    printf("htmlfix / libxml2 %.1f, memcpy / htmlfix %.1f\n", best[1] / best[2], best[2] / best[0]);
    for (size_t i = 0; i < kept; i++) {
        glmv_buf_release(&pages[i]);
    }
    glmv_buf_release(&out);
    free(pages);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "fix") == 0 || strcmp(argv[1], "stream") == 0)) {
        return answer_frames(argv[1][0] == 's');
    }
    if (argc > 2 && strcmp(argv[1], "speed") == 0) {
        return speed(argv + 2, argc - 2);
    }
    fprintf(stderr, "usage: htmlfix_tool fix | stream | speed FILE...\n");
    return 2;
}
