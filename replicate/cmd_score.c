#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "diff/diff.h"
#include "diff/ssim.h"
#include "render/render.h"
#include "replicate/command.h"
#include "replicate/region.h"
#include "replicate/text_blocks.h"

static const char usage[] =
    "Usage: glmv-replicate score REFERENCE.png PAGE [OPTION...]\n"
    "Says how much a page looks like a picture, 0 to 1. PAGE is HTML, drawn as wide as the\n"
    "reference, or a picture of it. A page that scrolls sideways loses by what lies beyond. With\n"
    "the reference's text the metrics of Design2Code follow.\n\n"
    "  --json              the parts, the slices and what differs most as JSON\n"
    "  --assets DIR        the folder that relative addresses of PAGE reach; none\n"
    "  --ref-html FILE     the page behind the reference, for its text\n"
    "  --ref-assets DIR    the folder that its relative addresses reach; none\n"
    "  --ref-blocks FILE   the reference's text as JSON: {\"blocks\": [{\"text\": \"...\",\n"
    "                      \"bbox\": [x, y, w, h], \"color\": \"#rrggbb\"}]}, px of the picture\n"
    "  --blocks FILE       the same for PAGE, instead of what the renderer finds\n";

/* Hides text and nothing else; nothing moves. */
static const char hide_text[] =
    "<style>*,*::before,*::after,*::placeholder,*::marker{-webkit-text-fill-color:transparent"
    "!important;-webkit-text-stroke-color:transparent!important;text-shadow:none!important;"
    "caret-color:transparent!important}svg text,svg text *{fill:transparent!important;stroke:"
    "transparent!important}</style>";

struct request {
    const char *reference, *page;
    const char *assets, *ref_html, *ref_assets, *ref_blocks, *blocks;
    bool json;
};

#define REGIONS 8 /* that are named */

/* One page: its picture, what the renderer knows of it, and, when text is compared, its blocks. */
struct side {
    struct glmv_image *image;
    struct glmv_page *page; /* NULL for a picture */
    struct replicate_blocks blocks;
};

struct result {
    struct glmv_score score;
    struct glmv_ssim ssim;
    struct glmv_block_score blocks;
    bool has_blocks;
    struct glmv_region *regions; /* owned; that differ most */
    char *elements[REGIONS];     /* owned; the selector of what PAGE has there, or NULL */
    size_t region_count;
};

enum { OPT_ASSETS = 256, OPT_REF_HTML, OPT_REF_ASSETS, OPT_REF_BLOCKS, OPT_BLOCKS };

static void print_blocks(const struct glmv_block_score *b, bool json)
{
    printf(json ? ",\"design2code\":{\"block\":%.6f,\"text\":%.6f,\"position\":%.6f,"
                  "\"colour\":%.6f,\"matched\":%zu,\"page_blocks\":%zu,\"reference_blocks\":%zu}"
                : "block %.4f, text %.4f, position %.4f, colour %.4f (%zu matched of %zu in the "
                  "page, %zu in the reference)\n",
           b->block, b->text, b->position, b->colour, b->matched, b->page_blocks,
           b->reference_blocks);
}

/* Where the page differs most, and which of its elements that is. */
static bool append_regions(const struct result *r, bool json, struct glmv_buf *out,
                           struct glmv_err *err)
{
    bool ok = !json || glmv_buf_append_str(out, ",\"regions\":[", err);
    for (size_t i = 0; i < r->region_count && ok; i++) {
        const struct glmv_region *at = &r->regions[i];
        const char *name = r->elements[i];
        if (json) {
            ok = glmv_buf_appendf(out, err, "%s{\"x\":%d,\"y\":%d,\"w\":%d,\"h\":%d,\"pixels\":%zu",
                                  i > 0 ? "," : "", at->x, at->y, at->w, at->h, at->pixels) &&
                 (name == NULL || (glmv_buf_append_str(out, ",\"selector\":", err) &&
                                   glmv_buf_append_json(out, name, err))) &&
                 glmv_buf_append_str(out, "}", err);
        } else {
            ok = glmv_buf_appendf(out, err, "  differs: %d x %d px at (%d, %d)%s%s\n", at->w, at->h,
                                  at->x, at->y, name != NULL ? ", " : "", name != NULL ? name : "");
        }
    }
    return ok && (!json || glmv_buf_append_str(out, "]", err));
}

static bool print_regions(const struct result *r, bool json, struct glmv_err *err)
{
    struct glmv_buf out;
    glmv_buf_init(&out, 1u << 20);
    bool ok = append_regions(r, json, &out, err);
    if (ok && out.len > 0) {
        fwrite(out.data, 1, out.len, stdout);
    }
    glmv_buf_release(&out);
    return ok;
}

static bool print_result(const struct result *r, bool json, struct glmv_err *err)
{
    const struct glmv_score *s = &r->score;
    if (!json) {
        printf("%.4f (pixels %.4f, SSIM %.4f, at a quarter %.4f, size %.4f, MS-SSIM %.4f)\n",
               s->total, s->pixel, s->ssim, s->ssim_quarter, s->size, r->ssim.multi);
        if (r->has_blocks) {
            print_blocks(&r->blocks, false);
        }
        return print_regions(r, false, err);
    }
    printf("{\"total\":%.6f,\"pixel\":%.6f,\"ssim\":%.6f,\"ssim_quarter\":%.6f,\"size\":%.6f,"
           "\"slice_px\":%d,\"slices\":[",
           s->total, s->pixel, s->ssim, s->ssim_quarter, s->size, s->slice_px);
    for (int i = 0; i < s->slice_count; i++) {
        printf("%s%.6f", i > 0 ? "," : "", s->slices[i]);
    }
    printf("],\"published\":{\"pixels\":%.6f,\"ssim\":%.6f,\"ssim_quarter\":%.6f,"
           "\"ms_ssim\":%.6f}",
           r->ssim.pixels, r->ssim.ssim, r->ssim.quarter, r->ssim.multi);
    if (r->has_blocks) {
        print_blocks(&r->blocks, true);
    }
    bool ok = print_regions(r, true, err);
    puts("}");
    return ok;
}

/* The same page with a style sheet that hides its text, in its head where it has one. */
static bool hide(const struct glmv_buf *html, struct glmv_buf *out, struct glmv_err *err)
{
    size_t at = html->len;
    for (size_t i = 0; i + 7 <= html->len; i++) {
        if (strncasecmp(html->data + i, "</head>", 7) == 0) {
            at = i;
            break;
        }
    }
    return glmv_buf_append(out, html->data, at, err) && glmv_buf_append_str(out, hide_text, err) &&
           glmv_buf_append(out, html->data + at, html->len - at, err);
}

static bool find_blocks(struct glmv_renderer *renderer, const struct glmv_buf *html,
                        const struct glmv_render *shot, const struct glmv_render_options *options,
                        struct replicate_blocks *blocks, struct glmv_err *err)
{
    struct glmv_buf bare_html;
    glmv_buf_init(&bare_html, html->max + sizeof hide_text);
    struct glmv_render *bare = NULL;
    if (hide(html, &bare_html, err)) {
        bare = glmv_renderer_render(renderer, bare_html.data, bare_html.len, options, err);
    }
    bool ok =
        bare != NULL && replicate_blocks_of_page(shot->page, shot->image, bare->image, blocks, err);
    glmv_render_free(bare);
    glmv_buf_release(&bare_html);
    return ok;
}

/* Draws a page at the reference's width. */
static bool draw(const char *path, const struct glmv_image *reference, const char *assets,
                 bool wants_blocks, struct side *side, struct glmv_err *err)
{
    struct glmv_buf html;
    glmv_buf_init(&html, 64u << 20);
    struct glmv_render_options options = glmv_render_defaults();
    options.width = reference->width;
    options.height = reference->height < 800 ? reference->height : 800;
    options.assets = assets;
    struct glmv_renderer *renderer =
        glmv_file_read(path, html.max, &html, err) ? glmv_renderer_open(NULL, err) : NULL;
    struct glmv_render *shot =
        renderer != NULL ? glmv_renderer_render(renderer, html.data, html.len, &options, err)
                         : NULL;
    bool ok = shot != NULL &&
              (!wants_blocks || find_blocks(renderer, &html, shot, &options, &side->blocks, err));
    if (ok) {
        side->image = shot->image;
        side->page = shot->page;
        shot->image = NULL;
        shot->page = NULL;
    }
    glmv_render_free(shot);
    glmv_renderer_close(renderer);
    glmv_buf_release(&html);
    return ok;
}

static bool read_blocks(const char *path, struct side *side, struct glmv_err *err)
{
    struct glmv_buf json;
    glmv_buf_init(&json, 64u << 20);
    bool ok = glmv_file_read(path, json.max, &json, err) &&
              replicate_blocks_of_json(json.data, json.len, path, side->image->width,
                                       side->image->height, &side->blocks, err);
    glmv_buf_release(&json);
    return ok;
}

static bool is_picture(const char *path)
{
    size_t len = strlen(path);
    return (len > 4 && strcasecmp(path + len - 4, ".png") == 0) ||
           (len > 5 && strcasecmp(path + len - 5, ".webp") == 0);
}

static bool read_sides(const struct request *r, struct side *page, struct side *reference,
                       struct glmv_err *err)
{
    bool compares_text = r->ref_html != NULL || r->ref_blocks != NULL;
    reference->image = glmv_image_read(r->reference, err);
    if (reference->image == NULL) {
        return false;
    }
    glmv_image_flatten(reference->image, 0xffffff);
    bool ok = true;
    if (is_picture(r->page)) {
        page->image = glmv_image_read(r->page, err);
        ok = page->image != NULL &&
             (!compares_text || r->blocks != NULL ||
              glmv_fail(err, GLMV_ERR_USAGE, "%s is a picture: --blocks has to give its text",
                        r->page));
        if (ok) {
            glmv_image_flatten(page->image, 0xffffff);
        }
    } else {
        ok = draw(r->page, reference->image, r->assets, compares_text && r->blocks == NULL, page,
                  err);
    }
    ok = ok && (r->blocks == NULL || read_blocks(r->blocks, page, err));
    if (ok && r->ref_blocks != NULL) {
        return read_blocks(r->ref_blocks, reference, err);
    }
    struct side origin = {0};
    if (ok && r->ref_html != NULL) {
        ok = draw(r->ref_html, reference->image, r->ref_assets, true, &origin, err);
        reference->blocks = origin.blocks;
        glmv_image_free(origin.image);
        glmv_page_free(origin.page);
    }
    return ok;
}

/* The reference is drawn at a scale of 1, so its px are CSS px. */
static bool find_regions(const struct side *reference, const struct side *page, struct result *out,
                         struct glmv_err *err)
{
    out->regions = glmv_diff_regions(reference->image, page->image, GLMV_DIFF_THRESHOLD, REGIONS,
                                     &out->region_count, err);
    for (size_t i = 0; out->regions != NULL && page->page != NULL && i < out->region_count; i++) {
        const struct glmv_region *at = &out->regions[i];
        int element =
            replicate_region_element(page->page, (struct glmv_box){at->x, at->y, at->w, at->h});
        if (element >= 0) {
            out->elements[i] = strdup(page->page->elements[element].path);
        }
    }
    return out->regions != NULL;
}

static bool measure(const struct request *r, struct result *out, struct glmv_err *err)
{
    struct side page = {0};
    struct side reference = {0};
    out->has_blocks = r->ref_html != NULL || r->ref_blocks != NULL;
    bool ok = read_sides(r, &page, &reference, err) &&
              glmv_diff_score(reference.image, page.image, &out->score, err) &&
              glmv_diff_ssim(reference.image, page.image, &out->ssim, err) &&
              find_regions(&reference, &page, out, err) &&
              (!out->has_blocks ||
               glmv_diff_blocks(page.blocks.list, page.blocks.count, reference.blocks.list,
                                reference.blocks.count, &out->blocks, err));
    if (ok && page.page != NULL) {
        glmv_score_charge_width(&out->score, reference.image->width, page.page->width);
    }
    replicate_blocks_release(&page.blocks);
    replicate_blocks_release(&reference.blocks);
    glmv_image_free(page.image);
    glmv_image_free(reference.image);
    glmv_page_free(page.page);
    return ok;
}

/* 0 to go on, else the exit code plus one. */
static int read_options(int argc, char **argv, struct request *r)
{
    static const struct option long_options[] = {
        {"json", no_argument, NULL, 'j'},
        {"assets", required_argument, NULL, OPT_ASSETS},
        {"ref-html", required_argument, NULL, OPT_REF_HTML},
        {"ref-assets", required_argument, NULL, OPT_REF_ASSETS},
        {"ref-blocks", required_argument, NULL, OPT_REF_BLOCKS},
        {"blocks", required_argument, NULL, OPT_BLOCKS},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    optind = 1;
    for (int c = getopt_long(argc, argv, "h", long_options, NULL); c != -1;
         c = getopt_long(argc, argv, "h", long_options, NULL)) {
        switch (c) {
        case 'j':
            r->json = true;
            break;
        case OPT_ASSETS:
            r->assets = optarg;
            break;
        case OPT_REF_HTML:
            r->ref_html = optarg;
            break;
        case OPT_REF_ASSETS:
            r->ref_assets = optarg;
            break;
        case OPT_REF_BLOCKS:
            r->ref_blocks = optarg;
            break;
        case OPT_BLOCKS:
            r->blocks = optarg;
            break;
        default:
            fputs(usage, c == 'h' ? stdout : stderr);
            return 1 + (c == 'h' ? REPLICATE_DONE : REPLICATE_USAGE);
        }
    }
    if (argc - optind != 2 || (r->ref_html != NULL && r->ref_blocks != NULL)) {
        fputs(usage, stderr);
        return 1 + REPLICATE_USAGE;
    }
    r->reference = argv[optind];
    r->page = argv[optind + 1];
    return 0;
}

int replicate_cmd_score(int argc, char **argv)
{
    struct request r = {0};
    int stop = read_options(argc, argv, &r);
    if (stop != 0) {
        return stop - 1;
    }
    struct glmv_err err = {0};
    struct result result = {0};
    bool ok = measure(&r, &result, &err) && print_result(&result, r.json, &err);
    for (size_t i = 0; i < REGIONS; i++) {
        free(result.elements[i]);
    }
    free(result.regions);
    return ok ? REPLICATE_DONE : replicate_report(&err);
}
