/*
 * render_warm OUT.png: reads the paths of pages from standard input, draws each in one open
 * renderer, and answers each with a line: seconds until the pixels are in this process, seconds
 * until they are a PNG file as well.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "render/render.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct glmv_renderer *renderer = glmv_renderer_open(NULL, &err);
    struct glmv_render_options options = glmv_render_defaults();
    options.timeout_s = 60;
    char path[4096];
    if (argc != 2) {
        fputs("usage: render_warm OUT.png <PATHS\n", stderr);
        return 2;
    }
    while (renderer != NULL && fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        struct glmv_buf html;
        glmv_buf_init(&html, (size_t)64 << 20);
        struct glmv_render *shot = NULL;
        double start = now();
        if (glmv_file_read(path, (size_t)64 << 20, &html, &err)) {
            shot = glmv_renderer_render(renderer, html.data, html.len, &options, &err);
        }
        double drawn = now();
        bool ok = shot != NULL && glmv_image_write_png(shot->image, argv[1], &err);
        double written = now();
        glmv_render_free(shot);
        glmv_buf_release(&html);
        if (!ok) {
            break;
        }
        printf("%.6f %.6f\n", drawn - start, written - start);
        fflush(stdout);
    }
    glmv_renderer_close(renderer);
    if (err.code != GLMV_ERR_NONE) {
        fprintf(stderr, "render_warm: %s\n", err.message);
        return 4;
    }
    return 0;
}
