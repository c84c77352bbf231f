#include "replicate/region.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/selector.h"

#define OVERHANG 0.15 /* of the size of type: letters reach out of the box of their line */

static bool lies_in(const struct glmv_page *page, int element, int ancestor)
{
    while (element > ancestor) {
        element = page->elements[element].parent;
    }
    return element == ancestor;
}

/* What an element paints: its box and, where that is no higher than a line, the letters that reach
 * out of it. */
static struct glmv_box painted_box(const struct glmv_page *page, int element)
{
    struct glmv_box own = page->elements[element].box, box = own;
    for (size_t i = 0; i < page->text_count; i++) {
        const struct glmv_page_text *text = &page->texts[i];
        struct glmv_box b = text->box;
        if (b.h >= own.h - 1 && lies_in(page, text->element, element)) {
            double more = OVERHANG * text->font_px;
            box = glmv_box_joined(
                box, (struct glmv_box){b.x - more, b.y - more, b.w + 2 * more, b.h + 2 * more});
        }
    }
    return box;
}

bool replicate_region_parse(const struct glmv_page *page, const char *words, struct glmv_box *box,
                            struct glmv_err *err)
{
    double n[4];
    int used = 0;
    if (sscanf(words, "%lf,%lf,%lf,%lf%n", &n[0], &n[1], &n[2], &n[3], &used) == 4 &&
        words[used] == '\0') {
        *box = (struct glmv_box){n[0], n[1], n[2], n[3]};
        bool on_page = n[2] > 0 && n[3] > 0 && n[0] + n[2] > 0 && n[1] + n[3] > 0 &&
                       n[0] < page->width && n[1] < page->height;
        return on_page ||
               glmv_fail(err, GLMV_ERR_USAGE, "the region %s is not on the page of %d x %d px",
                         words, page->width, page->height);
    }
    size_t found = 0;
    int at = 0;
    for (size_t i = 0; words[0] != '\0' && i < page->element_count; i++) {
        if (strcmp(page->elements[i].path, words) == 0 ||
            replicate_selector_fits(words, strlen(words), page, (int)i) > 0) {
            at = found == 0 ? (int)i : at;
            found++;
        }
    }
    if (found == 1) {
        *box = painted_box(page, at);
        return true;
    }
    return glmv_fail(err, GLMV_ERR_USAGE,
                     found == 0 ? "no element fits '%.80s'; a region is x,y,w,h or a selector such "
                                  "as #id, .class or main > h2"
                                : "several elements fit '%.80s'; name one by its id or by x,y,w,h",
                     words);
}

static bool is_red(const struct glmv_image *image, int x, int y)
{
    if (x >= image->width || y >= image->height) {
        return false;
    }
    const uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
    return p[0] > 180 && p[1] < 80 && p[2] < 80;
}

bool replicate_region_ring(const struct glmv_image *render, const struct glmv_image *mark,
                           struct glmv_box *box, struct glmv_err *err)
{
    double scale = (double)mark->width / render->width;
    bool same = fabs(scale * render->height - mark->height) <= scale;
    if (!same) {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "the picture has %d x %d px and the page %d x %d: draw the ring on a "
                         "render of the page",
                         mark->width, mark->height, render->width, render->height);
    }
    int x0 = mark->width, y0 = mark->height, x1 = -1, y1 = -1;
    for (int y = 0; y < mark->height; y++) {
        for (int x = 0; x < mark->width; x++) {
            if (is_red(mark, x, y) && !is_red(render, (int)(x / scale), (int)(y / scale))) {
                x0 = x < x0 ? x : x0;
                x1 = x > x1 ? x : x1;
                y0 = y < y0 ? y : y0;
                y1 = y > y1 ? y : y1;
            }
        }
    }
    if (x1 - x0 < 8 || y1 - y0 < 8) {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "no red ring in the picture: draw one (#ff0000) on a render of the page");
    }
    *box = (struct glmv_box){x0 / scale, y0 / scale, (x1 - x0 + 1) / scale, (y1 - y0 + 1) / scale};
    return true;
}

int replicate_region_element(const struct glmv_page *page, struct glmv_box box)
{
    int best = -1;
    double most = 0;
    for (size_t i = 0; i < page->element_count; i++) {
        struct glmv_box b = page->elements[i].box;
        double w = fmin(b.x + b.w, box.x + box.w) - fmax(b.x, box.x);
        double h = fmin(b.y + b.h, box.y + box.h) - fmax(b.y, box.y);
        double both = w > 0 && h > 0 ? w * h : 0;
        double share = both / fmax(1, b.w * b.h + box.w * box.h - both);
        if (share >= most && both > 0) { /* of equal boxes the innermost */
            most = share;
            best = (int)i;
        }
    }
    return best;
}

size_t replicate_region_inside(const struct glmv_page *page, struct glmv_box box, int *elements,
                               size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < page->element_count && count < max; i++) {
        struct glmv_box b = page->elements[i].box;
        bool in = b.w > 0 && b.h > 0 && b.x >= box.x - 1 && b.y >= box.y - 1 &&
                  b.x + b.w <= box.x + box.w + 1 && b.y + b.h <= box.y + box.h + 1;
        bool with_parent = false;
        for (size_t k = 0; in && k < count; k++) {
            with_parent = with_parent || lies_in(page, (int)i, elements[k]);
        }
        if (in && !with_parent) {
            elements[count++] = (int)i;
        }
    }
    return count;
}

static void grow(struct glmv_box *where, int x, int y)
{
    struct glmv_box pixel = {x, y, 1, 1};
    if (where->w == 0) {
        *where = pixel;
    } else {
        *where = glmv_box_joined(*where, pixel);
    }
}

size_t replicate_region_leak(const struct glmv_image *before, const struct glmv_image *after,
                             struct glmv_box box, struct glmv_box *where)
{
    int width = before->width > after->width ? before->width : after->width;
    int height = before->height > after->height ? before->height : after->height;
    int left = (int)floor(box.x), top = (int)floor(box.y);
    int right = (int)ceil(box.x + box.w), bottom = (int)ceil(box.y + box.h);
    size_t count = 0;
    *where = (struct glmv_box){0};
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            if (x >= left && x < right && y >= top && y < bottom) {
                continue;
            }
            bool both =
                x < before->width && x < after->width && y < before->height && y < after->height;
            size_t a = (size_t)y * (size_t)before->width + (size_t)x;
            size_t b = (size_t)y * (size_t)after->width + (size_t)x;
            if (!both || memcmp(before->rgba + a * 4, after->rgba + b * 4, 4) != 0) {
                grow(where, x, y);
                count++;
            }
        }
    }
    return count;
}
