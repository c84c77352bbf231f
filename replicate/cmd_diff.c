#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "replicate/command.h"
#include "replicate/comparison.h"

static const char usage[] =
    "Usage: glmv-replicate diff A B [OPTION...]\n"
    "Compares two pictures of a page, PNG or WebP. Either may be the page itself (.html), which "
    "is\n"
    "drawn as wide as the other; what differs is then named by its selector, too.\n"
    "Exit code 0: the same; 1: different.\n\n"
    "  -o FILE           the difference as a PNG: red where it differs, amber for anti-aliasing;\n"
    "                    rows that moved up or down are matched first\n"
    "  --threshold T     colour distance that counts, 0 to 1, as in pixelmatch and odiff; 0.1\n"
    "  --aa              leave out pixels that differ by anti-aliasing only\n"
    "  --max-diff N|P%   so many pixels, or so much of the picture, may differ; 0\n"
    "  --noise           what rendering noise explains is the same: other anti-aliasing, parts of "
    "a\n"
    "                    pixel; replaces --max-diff\n"
    "  --assets DIR      the folder that relative addresses of a page reach; none\n"
    "  --scale N         px of the picture for a CSS px of the page, 0.25 to 4; 1\n"
    "  --json            the result as JSON on standard output\n"
    "  --markdown        the result as Markdown on standard output\n"
    "  --github          the result as an annotation for GitHub Actions\n"
    "  --junit FILE      the result as JUnit XML\n"
    "  --html FILE       one self-contained page: side by side, slider, blink\n";

struct request {
    const char *paths[2];
    const char *picture, *junit, *html, *assets;
    double scale; /* of a page */
    struct glmv_pixel_options pixels;
    double max_diff;
    bool max_is_share;
    bool json, markdown, github, noise;
};

enum {
    OPT_THRESHOLD = 256,
    OPT_AA,
    OPT_NOISE,
    OPT_MAX,
    OPT_JSON,
    OPT_MD,
    OPT_GITHUB,
    OPT_JUNIT,
    OPT_HTML,
    OPT_ASSETS,
    OPT_SCALE
};

static const struct option long_options[] = {{"threshold", required_argument, NULL, OPT_THRESHOLD},
                                             {"aa", no_argument, NULL, OPT_AA},
                                             {"noise", no_argument, NULL, OPT_NOISE},
                                             {"max-diff", required_argument, NULL, OPT_MAX},
                                             {"json", no_argument, NULL, OPT_JSON},
                                             {"markdown", no_argument, NULL, OPT_MD},
                                             {"github", no_argument, NULL, OPT_GITHUB},
                                             {"junit", required_argument, NULL, OPT_JUNIT},
                                             {"html", required_argument, NULL, OPT_HTML},
                                             {"assets", required_argument, NULL, OPT_ASSETS},
                                             {"scale", required_argument, NULL, OPT_SCALE},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

static bool read_limit(const char *text, struct request *r, struct glmv_err *err)
{
    char *end;
    r->max_diff = strtod(text, &end);
    r->max_is_share = *end == '%';
    end += r->max_is_share;
    return (end != text && *end == '\0' && r->max_diff >= 0) ||
           glmv_fail(err, GLMV_ERR_USAGE, "--max-diff: '%s' is neither like 100 nor like 0.5%%",
                     text);
}

bool replicate_is_page(const char *path)
{
    size_t len = strlen(path);
    return (len > 5 && strcasecmp(path + len - 5, ".html") == 0) ||
           (len > 4 && strcasecmp(path + len - 4, ".htm") == 0);
}

/* 0 to go on, else the exit code plus one. */
static int read_options(int argc, char **argv, struct request *r, struct glmv_err *err)
{
    optind = 1;
    for (int c = getopt_long(argc, argv, "o:h", long_options, NULL); c != -1;
         c = getopt_long(argc, argv, "o:h", long_options, NULL)) {
        bool ok = true;
        switch (c) {
        case 'o':
            r->picture = optarg;
            break;
        case OPT_THRESHOLD:
            ok = replicate_read_number("--threshold", optarg, 0, 1, &r->pixels.threshold, err);
            break;
        case OPT_AA:
            r->pixels.antialiasing = true;
            break;
        case OPT_NOISE:
            r->noise = true;
            break;
        case OPT_MAX:
            ok = read_limit(optarg, r, err);
            break;
        case OPT_JSON:
            r->json = true;
            break;
        case OPT_MD:
            r->markdown = true;
            break;
        case OPT_GITHUB:
            r->github = true;
            break;
        case OPT_JUNIT:
            r->junit = optarg;
            break;
        case OPT_HTML:
            r->html = optarg;
            break;
        case OPT_ASSETS:
            r->assets = optarg;
            break;
        case OPT_SCALE:
            ok = replicate_read_number("--scale", optarg, 0.25, 4, &r->scale, err);
            break;
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
    if (argc - optind != 2) {
        fputs(usage, stderr);
        return 1 + REPLICATE_USAGE;
    }
    r->paths[0] = argv[optind];
    r->paths[1] = argv[optind + 1];
    return 0;
}

/* Standard output gets what was asked for, files whole or not at all. */
static bool write_results(const struct request *r, const struct replicate_comparison *c,
                          struct glmv_err *err)
{
    struct glmv_buf out;
    glmv_buf_init(&out, 1u << 30);
    bool ok = true;
    if (r->json) {
        ok = replicate_comparison_json(c, &out, err);
    } else if (r->markdown) {
        ok = replicate_comparison_markdown(c, &out, err);
    } else if (r->github) {
        ok = replicate_comparison_github(c, &out, err);
    } else {
        ok = replicate_comparison_text(c, &out, err);
    }
    if (ok && out.len > 0) {
        ok = glmv_file_write_soon("-", out.data, out.len, err);
    }
    glmv_buf_clear(&out);
    if (ok && r->junit != NULL) {
        ok = replicate_comparison_junit(c, &out, err) &&
             glmv_file_write_soon(r->junit, out.data, out.len, err);
    }
    glmv_buf_clear(&out);
    if (ok && r->html != NULL) {
        ok = replicate_comparison_html(c, &out, err) &&
             glmv_file_write_soon(r->html, out.data, out.len, err);
    }
    glmv_buf_clear(&out);
    if (ok && r->picture != NULL) {
        ok = replicate_comparison_png(c, &out, err) &&
             glmv_file_write_soon(r->picture, out.data, out.len, err);
    }
    glmv_buf_release(&out);
    return ok;
}

int replicate_diff(int argc, char **argv, replicate_draw_fn *draw)
{
    struct glmv_err err = {0};
    struct request r = {.pixels = {.threshold = GLMV_DIFF_THRESHOLD}, .scale = 1};
    int stop = read_options(argc, argv, &r, &err);
    if (stop != 0) {
        return stop - 1;
    }
    struct replicate_comparison c = {.paths = {r.paths[0], r.paths[1]}, .wants_noise = r.noise};
    enum replicate_pictures pictures = r.html != NULL      ? REPLICATE_ALL_PICTURES
                                       : r.picture != NULL ? REPLICATE_DIFFERENCE
                                                           : REPLICATE_NO_PICTURES;
    bool drawn = replicate_is_page(r.paths[0]) || replicate_is_page(r.paths[1]);
    if (drawn ? !draw(&c, r.assets, r.scale, &err) || !replicate_compare_images(&c, &r.pixels, &err)
              : !replicate_compare(&c, &r.pixels, pictures, &err)) {
        replicate_comparison_release(&c);
        return replicate_report(&err);
    }
    double limit = r.max_is_share ? r.max_diff / 100 * (double)c.count.total : r.max_diff;
    c.same = r.noise ? c.gap_count == 0 && c.count.outside == 0 && c.noise <= GLMV_NOISE_LIMIT
                     : (double)c.count.differing <= limit;
    bool ok = write_results(&r, &c, &err);
    bool same = c.same;
    replicate_comparison_release(&c);
    if (!ok) {
        return replicate_report(&err);
    }
    return same ? REPLICATE_DONE : REPLICATE_BELOW;
}
