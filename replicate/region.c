#include "replicate/region.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_class(const char *classes, const char *name, size_t len)
{
    while (classes != NULL && *classes != '\0') {
        classes += strspn(classes, " \t\r\n");
        size_t n = strcspn(classes, " \t\r\n");
        if (n == len && memcmp(classes, name, len) == 0) {
            return true;
        }
        classes += n;
    }
    return false;
}

/* tag, #id and .class in any combination. */
static bool fits(const struct glmv_page_element *element, const char *selector)
{
    if (strcmp(element->path, selector) == 0) {
        return true;
    }
    size_t len = strcspn(selector, "#.");
    if (len > 0 && (strlen(element->tag) != len || memcmp(element->tag, selector, len) != 0)) {
        return false;
    }
    for (selector += len; *selector != '\0'; selector += len) {
        char kind = *selector++;
        len = strcspn(selector, "#.");
        bool same = kind == '#' ? element->id != NULL && strlen(element->id) == len &&
                                      memcmp(element->id, selector, len) == 0
                                : has_class(element->classes, selector, len);
        if (len == 0 || !same) {
            return false;
        }
    }
    return true;
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
    for (size_t i = 0; words[0] != '\0' && i < page->element_count; i++) {
        if (fits(&page->elements[i], words)) {
            *box = found == 0 ? page->elements[i].box : *box;
            found++;
        }
    }
    if (found == 1) {
        return true;
    }
    return glmv_fail(err, GLMV_ERR_USAGE,
                     found == 0 ? "no element fits '%.80s'; a region is x,y,w,h or a selector such "
                                  "as #id, .class or tag.class"
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
    int x0 = mark->width, y0 = mark->height, x1 = -1, y1 = -1;
    for (int y = 0; y < mark->height; y++) {
        for (int x = 0; x < mark->width; x++) {
            if (is_red(mark, x, y) && !is_red(render, x, y)) {
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
    *box = (struct glmv_box){x0, y0, x1 - x0 + 1, y1 - y0 + 1};
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

static void grow(struct glmv_box *where, int x, int y)
{
    if (where->w == 0) {
        *where = (struct glmv_box){x, y, 1, 1};
        return;
    }
    double right = fmax(where->x + where->w, x + 1), bottom = fmax(where->y + where->h, y + 1);
    where->x = fmin(where->x, x);
    where->y = fmin(where->y, y);
    where->w = right - where->x;
    where->h = bottom - where->y;
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
