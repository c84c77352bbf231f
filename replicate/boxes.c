#include "replicate/boxes.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reads "n, n, n, n" and its closing bracket at text; returns what follows, or NULL. */
static const char *read_four(const char *text, double *four)
{
    for (int i = 0; i < 4; i++) {
        while (isspace((unsigned char)*text)) {
            text++;
        }
        if (!isdigit((unsigned char)*text) && *text != '-' && *text != '.') {
            return NULL;
        }
        char *end;
        four[i] = strtod(text, &end);
        if (end == text || !isfinite(four[i])) {
            return NULL;
        }
        text = end;
        while (isspace((unsigned char)*text) || (*text == ',' && i < 3)) {
            text++;
        }
    }
    return strchr("])}>|", *text) != NULL && *text != '\0' ? text + 1 : NULL;
}

/* The words beside a box: "label": "..." of its object, else the text before it in its line, else
 * the text after it. */
static void find_label(const char *start, const char *box, const char *after, char *out,
                       size_t size)
{
    const char *line = box;
    while (line > start && line[-1] != '\n' && line[-1] != '{' && line[-1] != ']') {
        line--;
    }
    bool object = line > start && line[-1] == '{';
    const char *end = object ? after + strcspn(after, "\n}") : box;
    const char *key = NULL;
    for (const char *at = line; at < end; at++) {
        if (strncmp(at, "label\"", 6) == 0) {
            key = at + 6;
        }
    }
    const char *from = line, *to = box;
    if (key != NULL) {
        from = key + strcspn(key, "\"");
        from += *from == '"';
        to = from + strcspn(from, "\"\n");
    } else if (strcspn(line, "[({<") < (size_t)(box - line) && line[0] == '[') {
        from = to;
    }
    static const char noise[] = " \t:;,.-*[](){}<>|\"'";
    for (int pass = 0; pass < 2; pass++) {
        while (from < to && strchr(noise, *from) != NULL) {
            from++;
        }
        while (to > from && strchr(noise, to[-1]) != NULL) {
            to--;
        }
        if (from < to || key != NULL || pass > 0) {
            break;
        }
        from = after;
        to = after + strcspn(after, "\n[");
    }
    size_t len = (size_t)(to - from);
    len = len < size - 1 ? len : size - 1;
    while (len > 0 && ((unsigned char)from[len] & 0xC0) == 0x80) {
        len--; /* not in the middle of a character */
    }
    memcpy(out, from, len);
    out[len] = '\0';
    if (strstr(out, "begin_of_box") != NULL || strstr(out, "bbox") != NULL) {
        out[0] = '\0';
    }
}

size_t replicate_boxes_find(const char *text, int width, int height, struct replicate_place *places,
                            size_t max)
{
    size_t count = 0;
    bool pixels = false;
    double four[4];
    for (const char *at = text; *at != '\0' && count < max; at++) {
        if (strchr("[({<|", *at) == NULL) {
            continue;
        }
        const char *after = read_four(at + 1, four);
        if (after == NULL) {
            continue;
        }
        struct replicate_place *place = &places[count++];
        place->box = (struct glmv_box){fmin(four[0], four[2]), fmin(four[1], four[3]),
                                       fabs(four[2] - four[0]), fabs(four[3] - four[1])};
        pixels = pixels || fmax(fmax(four[0], four[1]), fmax(four[2], four[3])) > 1000;
        find_label(text, at, after, place->label, sizeof place->label);
        at = after - 1;
    }
    for (size_t i = 0; i < count && !pixels; i++) {
        struct glmv_box *box = &places[i].box;
        *box = (struct glmv_box){box->x * width / 1000, box->y * height / 1000,
                                 box->w * width / 1000, box->h * height / 1000};
    }
    return count;
}

static void fill(struct glmv_image *image, long x0, long y0, long x1, long y1, const uint8_t *rgb)
{
    for (long y = y0 < 0 ? 0 : y0; y < y1 && y < image->height; y++) {
        for (long x = x0 < 0 ? 0 : x0; x < x1 && x < image->width; x++) {
            uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
            memcpy(p, rgb, 3);
            p[3] = 255;
        }
    }
}

void replicate_boxes_draw(struct glmv_image *image, const struct replicate_place *places,
                          size_t count)
{
    static const uint8_t colours[][3] = {{230, 0, 38},  {0, 114, 240}, {0, 150, 64},
                                         {204, 0, 204}, {240, 120, 0}, {0, 160, 176}};
    for (size_t i = 0; i < count; i++) {
        const struct glmv_box *b = &places[i].box;
        const uint8_t *rgb = colours[i % (sizeof colours / sizeof colours[0])];
        double limit = 1e6;
        long x0 = lround(fmax(-limit, fmin(b->x, limit))),
             y0 = lround(fmax(-limit, fmin(b->y, limit)));
        long x1 = lround(fmin(b->x + b->w, limit)), y1 = lround(fmin(b->y + b->h, limit));
        long line = image->width > 1600 ? 4 : 3;
        fill(image, x0 - line, y0 - line, x1 + line, y0, rgb);
        fill(image, x0 - line, y1, x1 + line, y1 + line, rgb);
        fill(image, x0 - line, y0, x0, y1, rgb);
        fill(image, x1, y0, x1 + line, y1, rgb);
    }
}
