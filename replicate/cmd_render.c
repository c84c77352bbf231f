#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "render/render.h"
#include "replicate/command.h"

static const char usage[] =
    "Usage: glmv-replicate render PAGE.html -o PAGE.png [OPTION...]\n"
    "Draws a page with WebKit: without network, without files but those of the asset folder.\n\n"
    "  -o FILE              the picture, PNG; - for standard output\n"
    "  --viewport WxH       in CSS px; 1280x800\n"
    "  --full-page          the whole document (the default); --no-full-page: only the viewport\n"
    "  --scale N            device px per CSS px, 0.25 to 4; 1\n"
    "  --dom FILE           what the browser knows of the page, JSON\n"
    "  --assets DIR         the folder that relative addresses reach; none\n"
    "  --scripts            run the page's own scripts\n"
    "  --dark               prefer a dark colour scheme\n"
    "  --timeout SECONDS    10\n"
    "  --max-height PX      a longer page is cut there; 16384\n";

struct request {
    const char *page, *picture, *dom;
    struct glmv_render_options options;
};

enum {
    OPT_VIEWPORT = 256,
    OPT_FULL,
    OPT_NOT_FULL,
    OPT_SCALE,
    OPT_DOM,
    OPT_ASSETS,
    OPT_SCRIPTS,
    OPT_DARK,
    OPT_TIMEOUT,
    OPT_HEIGHT,
    OPT_HELP
};

static const struct option long_options[] = {{"viewport", required_argument, NULL, OPT_VIEWPORT},
                                             {"full-page", no_argument, NULL, OPT_FULL},
                                             {"no-full-page", no_argument, NULL, OPT_NOT_FULL},
                                             {"scale", required_argument, NULL, OPT_SCALE},
                                             {"dom", required_argument, NULL, OPT_DOM},
                                             {"assets", required_argument, NULL, OPT_ASSETS},
                                             {"scripts", no_argument, NULL, OPT_SCRIPTS},
                                             {"dark", no_argument, NULL, OPT_DARK},
                                             {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                             {"max-height", required_argument, NULL, OPT_HEIGHT},
                                             {"help", no_argument, NULL, OPT_HELP},
                                             {NULL, 0, NULL, 0}};

/* 0 to go on, else the exit code plus one. */
static int read_options(int argc, char **argv, struct request *r, struct glmv_err *err)
{
    char tail;
    optind = 1;
    for (int c = getopt_long(argc, argv, "o:h", long_options, NULL); c != -1;
         c = getopt_long(argc, argv, "o:h", long_options, NULL)) {
        bool ok = true;
        switch (c) {
        case 'o':
            r->picture = optarg;
            break;
        case OPT_VIEWPORT:
            ok = sscanf(optarg, "%dx%d%c", &r->options.width, &r->options.height, &tail) == 2 ||
                 glmv_fail(err, GLMV_ERR_USAGE, "--viewport: '%s' does not look like 1280x800",
                           optarg);
            break;
        case OPT_FULL:
        case OPT_NOT_FULL:
            r->options.viewport_only = c == OPT_NOT_FULL;
            break;
        case OPT_SCALE:
            ok = replicate_read_number("--scale", optarg, 0.25, 4, &r->options.scale, err);
            break;
        case OPT_DOM:
            r->dom = optarg;
            break;
        case OPT_ASSETS:
            r->options.assets = optarg;
            break;
        case OPT_SCRIPTS:
            r->options.scripts = true;
            break;
        case OPT_DARK:
            r->options.dark = true;
            break;
        case OPT_TIMEOUT:
            ok = replicate_read_number("--timeout", optarg, 0.1, 86400, &r->options.timeout_s, err);
            break;
        case OPT_HEIGHT:
            ok = replicate_read_whole("--max-height", optarg, 1, INT_MAX, &r->options.max_height,
                                      err);
            break;
        case OPT_HELP:
        case 'h':
            fputs(usage, stdout);
            return 1 + REPLICATE_DONE;
        default:
            fputs(usage, stderr);
            return 1 + REPLICATE_USAGE;
        }
        if (!ok) {
            return 1 + replicate_report(err);
        }
    }
    r->page = optind < argc ? argv[optind] : NULL;
    if (r->page == NULL || argc > optind + 1 || (r->picture == NULL && r->dom == NULL)) {
        glmv_fail(err, GLMV_ERR_USAGE,
                  "render needs one page and -o PICTURE; see 'glmv-replicate render --help'");
        return 1 + replicate_report(err);
    }
    return 0;
}

static bool write_results(const struct request *r, const struct glmv_render *shot,
                          struct glmv_err *err)
{
    struct glmv_buf dom;
    glmv_buf_init(&dom, (size_t)256 << 20);
    bool ok = (r->picture == NULL || glmv_image_write_png(shot->image, r->picture, err)) &&
              (r->dom == NULL || (glmv_render_dom_json(shot, &dom, err) &&
                                  glmv_file_write(r->dom, dom.data, dom.len, err)));
    glmv_buf_release(&dom);
    return ok;
}

int replicate_cmd_render(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct request r = {.options = glmv_render_defaults()};
    int stop = read_options(argc, argv, &r, &err);
    if (stop != 0) {
        return stop - 1;
    }
    struct glmv_buf html;
    glmv_buf_init(&html, ((size_t)64 << 20) + 65536);
    struct glmv_render *shot = NULL;
    struct glmv_renderer *renderer = NULL;
    if (glmv_file_read(r.page, (size_t)64 << 20, &html, &err)) {
        renderer = glmv_renderer_open(NULL, &err);
    }
    if (renderer != NULL) {
        shot = glmv_renderer_render(renderer, html.data, html.len, &r.options, &err);
    }
    glmv_renderer_dismiss(renderer);
    bool ok = shot != NULL && write_results(&r, shot, &err);
    if (ok && shot->cut) {
        fprintf(stderr, "glmv-replicate: the page is %d px high; the picture ends at its limit\n",
                shot->page->height);
    }
    if (ok && !shot->sandboxed) {
        fputs("glmv-replicate: note: bubblewrap does not work here; the page ran without its "
              "sandbox\n",
              stderr);
    }
    glmv_render_free(shot);
    glmv_renderer_close(renderer);
    glmv_buf_release(&html);
    return ok ? REPLICATE_DONE : replicate_report(&err);
}
