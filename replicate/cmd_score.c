#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "diff/diff.h"
#include "render/render.h"
#include "replicate/command.h"

static const char usage[] =
    "Usage: glmv-replicate score REFERENCE.png PAGE.html [--json] [--assets DIR]\n"
    "Draws the page as wide as the reference and says how much alike they look, 0 to 1.\n\n"
    "  --json        the parts and the slices as JSON\n"
    "  --assets DIR  the folder that relative addresses reach; none\n";

static void print_score(const struct glmv_score *s, bool json)
{
    if (!json) {
        printf("%.4f (pixels %.4f, SSIM %.4f, at a quarter %.4f, size %.4f)\n", s->total, s->pixel,
               s->ssim, s->ssim_quarter, s->size);
        return;
    }
    printf("{\"total\":%.6f,\"pixel\":%.6f,\"ssim\":%.6f,\"ssim_quarter\":%.6f,\"size\":%.6f,"
           "\"slice_px\":%d,\"slices\":[",
           s->total, s->pixel, s->ssim, s->ssim_quarter, s->size, s->slice_px);
    for (int i = 0; i < s->slice_count; i++) {
        printf("%s%.6f", i > 0 ? "," : "", s->slices[i]);
    }
    puts("]}");
}

/* The page as pixels; NULL on failure. */
static struct glmv_render *draw(const char *path, int width, int height, const char *assets,
                                struct glmv_err *err)
{
    struct glmv_buf html;
    glmv_buf_init(&html, 64u << 20);
    struct glmv_render *shot = NULL;
    if (glmv_file_read(path, html.max, &html, err)) {
        struct glmv_render_options options = glmv_render_defaults();
        options.width = width;
        options.height = height;
        options.assets = assets;
        struct glmv_renderer *renderer = glmv_renderer_open(NULL, err);
        if (renderer != NULL) {
            shot = glmv_renderer_render(renderer, html.data, html.len, &options, err);
        }
        glmv_renderer_close(renderer);
    }
    glmv_buf_release(&html);
    return shot;
}

int replicate_cmd_score(int argc, char **argv)
{
    static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
                                                 {"assets", required_argument, NULL, 'a'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {NULL, 0, NULL, 0}};
    bool json = false;
    const char *assets = NULL;
    optind = 1;
    for (int c = getopt_long(argc, argv, "h", long_options, NULL); c != -1;
         c = getopt_long(argc, argv, "h", long_options, NULL)) {
        if (c == 'j') {
            json = true;
        } else if (c == 'a') {
            assets = optarg;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? REPLICATE_DONE : REPLICATE_USAGE;
        }
    }
    if (argc - optind != 2) {
        fputs(usage, stderr);
        return REPLICATE_USAGE;
    }
    struct glmv_err err = {0};
    struct glmv_score score;
    struct glmv_render *shot = NULL;
    struct glmv_image *reference = glmv_image_read(argv[optind], &err);
    bool ok = reference != NULL;
    if (ok) {
        glmv_image_flatten(reference, 0xffffff);
        int height = reference->height < 800 ? reference->height : 800;
        shot = draw(argv[optind + 1], reference->width, height, assets, &err);
        ok = shot != NULL && glmv_diff_score(reference, shot->image, &score, &err);
    }
    if (ok) {
        print_score(&score, json);
    }
    glmv_render_free(shot);
    glmv_image_free(reference);
    return ok ? REPLICATE_DONE : replicate_report(&err);
}
