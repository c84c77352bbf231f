#include "replicate/text_blocks.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INK 14 /* least change of a channel that counts as ink */

struct rect {
    double l, t, r, b;
};

/* What stands on one line of a container. */
struct line {
    struct rect r;
    double px;           /* largest type */
    int container;       /* element */
    unsigned style;      /* of the first text: size and whether bold */
    size_t first, count; /* texts, which follow each other in the container */
};

struct work {
    const struct glmv_page *page;
    const struct glmv_image *image, *bare;
    int *order; /* texts by container, in document order inside */
    int *container;
    size_t count;
};

static bool is_inline(const char *tag)
{
    static const char *const tags[] = {
        "a",    "abbr", "b", "bdi",  "bdo",   "big",   "cite",    "code",   "data", "dfn",
        "em",   "font", "i", "ins",  "kbd",   "label", "mark",    "nobr",   "q",    "rb",
        "rt",   "ruby", "s", "samp", "small", "span",  "strike",  "strong", "sub",  "sup",
        "time", "tt",   "u", "var",  "del",   "tspan", "textpath"};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (strcmp(tag, tags[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_field(const char *tag)
{
    return strcmp(tag, "input") == 0 || strcmp(tag, "textarea") == 0 || strcmp(tag, "select") == 0;
}

/* The nearest element around a text that is laid out as a block. An inline tag that is wider or
 * higher than a line of its type was made a block by the style. */
static int container_of(const struct glmv_page *page, const struct glmv_page_text *text)
{
    int at = text->element;
    while (at > 0 && is_inline(page->elements[at].tag) && page->elements[at].parent >= 0) {
        at = page->elements[at].parent;
    }
    return at;
}

static struct rect rect_of(const struct glmv_box *b)
{
    return (struct rect){b->x, b->y, b->x + b->w, b->y + b->h};
}

static void enclose(struct rect *a, const struct rect *b)
{
    *a = (struct rect){fmin(a->l, b->l), fmin(a->t, b->t), fmax(a->r, b->r), fmax(a->b, b->b)};
}

static unsigned style_of(const struct glmv_page_text *t)
{
    return (unsigned)(t->font_px + 0.5) * 2 + (t->weight >= 600);
}

static const struct glmv_page_text *text_at(const struct work *w, size_t i)
{
    return &w->page->texts[w->order[i]];
}

/* Groups the texts by container; containers in the order of their first text. */
static bool sort_texts(struct work *w)
{
    size_t n = w->page->text_count;
    w->order = malloc((n + 1) * sizeof *w->order);
    w->container = malloc((n + 1) * sizeof *w->container);
    char *taken = calloc(n + 1, 1);
    if (w->order == NULL || w->container == NULL || taken == NULL) {
        free(taken);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        w->container[i] = container_of(w->page, &w->page->texts[i]);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; !taken[i] && j < n; j++) {
            if (!taken[j] && w->container[j] == w->container[i]) {
                w->order[w->count++] = (int)j;
                taken[j] = (char)(j != i);
            }
        }
        taken[i] = 1;
    }
    free(taken);
    return true;
}

/* Texts into lines; returns how many. */
static size_t find_lines(const struct work *w, struct line *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < w->count; i++) {
        const struct glmv_page_text *t = text_at(w, i);
        struct rect r = rect_of(&t->box);
        int container = w->container[w->order[i]];
        struct line *last = count > 0 ? &lines[count - 1] : NULL;
        if (last != NULL && last->container == container &&
            !is_field(w->page->elements[t->element].tag)) {
            double overlap = fmin(last->r.b, r.b) - fmax(last->r.t, r.t);
            double height = fmin(last->r.b - last->r.t, r.b - r.t);
            double gap = r.l - last->r.r;
            if (overlap > 0.45 * height && gap > -0.6 * t->font_px &&
                gap < 1.1 * fmax(t->font_px, last->px)) {
                enclose(&last->r, &r);
                last->px = fmax(last->px, t->font_px);
                last->count++;
                continue;
            }
        }
        lines[count++] = (struct line){r, t->font_px, container, style_of(t), i, 1};
    }
    return count;
}

static bool shares_style(const struct work *w, const struct line *a, const struct line *b)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; j < b->count; j++) {
            if (style_of(text_at(w, a->first + i)) == style_of(text_at(w, b->first + j))) {
                return true;
            }
        }
    }
    return false;
}

static bool continues(const struct work *w, const struct line *above, const struct line *line)
{
    double gap = line->r.t - above->r.b;
    double overlap = fmin(above->r.r, line->r.r) - fmax(above->r.l, line->r.l);
    double ratio = fmax(line->px, above->px) / fmin(line->px, above->px);
    const struct glmv_page_text *t = text_at(w, line->first);
    return above->container == line->container && gap > -0.5 * above->px &&
           gap < 1.2 * fmax(line->px, above->px) && overlap > 0 && ratio < 1.35 &&
           !is_field(w->page->elements[t->element].tag) && shares_style(w, above, line);
}

static const uint8_t *pixel(const struct glmv_image *image, int x, int y)
{
    return image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
}

static int change_at(const struct work *w, int x, int y)
{
    const uint8_t *p = pixel(w->image, x, y);
    const uint8_t *q = pixel(w->bare, x, y);
    int most = 0;
    for (int c = 0; c < 3; c++) {
        int d = abs(p[c] - q[c]);
        most = d > most ? d : most;
    }
    return most;
}

/* The box of a line's ink; false where it has none. */
static bool ink_of(const struct work *w, const struct rect *r, struct rect *ink)
{
    int width = w->image->width < w->bare->width ? w->image->width : w->bare->width;
    int height = w->image->height < w->bare->height ? w->image->height : w->bare->height;
    int left = (int)fmax(0, floor(r->l));
    int top = (int)fmax(0, floor(r->t));
    int right = (int)fmin(width, ceil(r->r));
    int bottom = (int)fmin(height, ceil(r->b));
    size_t pixels = 0;
    *ink = (struct rect){right, bottom, left, top};
    for (int y = top; y < bottom; y++) {
        for (int x = left; x < right; x++) {
            if (change_at(w, x, y) > INK) {
                struct rect dot = {x, y, x + 1, y + 1};
                enclose(ink, &dot);
                pixels++;
            }
        }
    }
    double area = fmax(0, right - left) * fmax(0, bottom - top);
    return pixels > 0 && (double)pixels >= fmax(3, 0.004 * area);
}

static int ascending(const void *p, const void *q)
{
    return *(const uint8_t *)p - *(const uint8_t *)q;
}

/* The median colour of the pixels of a box; strong: only where the text changes nearly the most. */
static bool median(const struct work *w, const struct glmv_image *image, const struct rect *r,
                   int least_change, double rgb[3])
{
    size_t area = (size_t)((r->r - r->l) * (r->b - r->t));
    uint8_t *values = malloc(3 * area + 3);
    if (values == NULL) {
        return false;
    }
    size_t count = 0;
    for (int y = (int)r->t; y < (int)r->b; y++) {
        for (int x = (int)r->l; x < (int)r->r; x++) {
            if (least_change == 0 || change_at(w, x, y) >= least_change) {
                for (size_t c = 0; c < 3; c++) {
                    values[c * area + count] = pixel(image, x, y)[c];
                }
                count++;
            }
        }
    }
    for (size_t c = 0; c < 3; c++) {
        qsort(values + c * area, count, 1, ascending);
        rgb[c] = count > 0 ? values[c * area + count / 2] : 0;
    }
    free(values);
    return true;
}

/* The change that all but 3 % of the ink stays below. */
static int strongest_change(const struct work *w, const struct rect *r)
{
    size_t histogram[256] = {0};
    size_t ink = 0;
    for (int y = (int)r->t; y < (int)r->b; y++) {
        for (int x = (int)r->l; x < (int)r->r; x++) {
            int change = change_at(w, x, y);
            histogram[change]++;
            ink += change > INK;
        }
    }
    size_t above = 0;
    int level = 255;
    for (; level > INK + 1; level--) {
        above += histogram[level];
        if ((double)above >= 0.03 * (double)ink) {
            break;
        }
    }
    return level;
}

static double farthest(const double a[3], const double b[3])
{
    return fmax(fabs(a[0] - b[0]), fmax(fabs(a[1] - b[1]), fabs(a[2] - b[2])));
}

/* The colour of the style, unless the picture says otherwise: opacity, filters, clipped grounds. */
static bool colour_of(const struct work *w, const struct glmv_page_text *t, const struct rect *ink,
                      double rgb[3])
{
    double ground[3];
    double seen[3];
    if (!median(w, w->bare, ink, 0, ground) ||
        !median(w, w->image, ink, strongest_change(w, ink), seen)) {
        return false;
    }
    double alpha = (t->rgba & 255) / 255.0;
    for (int c = 0; c < 3; c++) {
        rgb[c] = alpha * (double)(t->rgba >> (24 - 8 * c) & 255) + (1 - alpha) * ground[c];
    }
    double want = farthest(rgb, ground);
    double have = farthest(seen, ground);
    if (alpha < 0.02 || (t->font_px >= 11 && have < 0.5 * want) || (want < 8 && have >= 8)) {
        memcpy(rgb, seen, sizeof seen);
    }
    return true;
}

/* The text that most letters of the block belong to. */
static const struct glmv_page_text *dominant(const struct work *w, const struct line *lines,
                                             size_t count)
{
    const struct glmv_page_text *best = text_at(w, lines[0].first);
    size_t most = 0;
    for (size_t i = lines[0].first; i < lines[count - 1].first + lines[count - 1].count; i++) {
        size_t letters = 0;
        for (size_t j = i; j < lines[count - 1].first + lines[count - 1].count; j++) {
            letters +=
                text_at(w, j)->element == text_at(w, i)->element ? strlen(text_at(w, j)->text) : 0;
        }
        if (letters > most) {
            most = letters;
            best = text_at(w, i);
        }
    }
    return best;
}

static bool is_east_asian(const char *end_of_text, const char *start)
{
    /* Three-byte UTF-8 from U+2E80 on. */
    return (unsigned char)*start >= 0xe3 && (unsigned char)*end_of_text >= 0x80;
}

static bool append_line(const struct work *w, const struct line *line, struct glmv_buf *text,
                        struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; i < line->count && ok; i++) {
        const struct glmv_page_text *t = text_at(w, line->first + i);
        bool blank = text->len > 0 && !is_east_asian(text->data + text->len - 1, t->text);
        if (blank && i > 0) {
            const struct glmv_page_text *before = text_at(w, line->first + i - 1);
            blank = t->box.x - before->box.x - before->box.w > 0.08 * t->font_px;
        }
        ok = (!blank || glmv_buf_append_str(text, " ", err)) &&
             glmv_buf_append_str(text, t->text, err);
    }
    return ok;
}

static bool add_block(const struct work *w, const struct line *lines, size_t count,
                      struct replicate_blocks *out, struct glmv_err *err)
{
    struct glmv_buf text;
    glmv_buf_init(&text, 1u << 24);
    struct rect box = {1e9, 1e9, -1, -1};
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        struct rect ink;
        if (ink_of(w, &lines[i].r, &ink)) {
            enclose(&box, &ink);
            ok = append_line(w, &lines[i], &text, err);
        }
    }
    if (ok && text.len > 0) {
        struct glmv_block *b = &out->list[out->count];
        double width = w->image->width;
        double height = w->image->height;
        *b = (struct glmv_block){
            NULL, box.l / width, box.t / height, (box.r - box.l) / width, (box.b - box.t) / height,
            {0}};
        ok = colour_of(w, dominant(w, lines, count), &box, b->rgb) || glmv_fail_memory(err);
        if (ok) {
            b->text = glmv_buf_take(&text, NULL);
            out->count++;
        }
    }
    glmv_buf_release(&text);
    return ok;
}

bool replicate_blocks_of_page(const struct glmv_page *page, const struct glmv_image *image,
                              const struct glmv_image *bare, struct replicate_blocks *blocks,
                              struct glmv_err *err)
{
    struct work w = {.page = page, .image = image, .bare = bare};
    struct line *lines = malloc((page->text_count + 1) * sizeof *lines);
    *blocks = (struct replicate_blocks){calloc(page->text_count + 1, sizeof *blocks->list), 0};
    bool ok = (lines != NULL && blocks->list != NULL && sort_texts(&w)) || glmv_fail_memory(err);
    size_t count = ok ? find_lines(&w, lines) : 0;
    for (size_t i = 0; i < count && ok;) {
        size_t end = i + 1;
        while (end < count && continues(&w, &lines[end - 1], &lines[end])) {
            end++;
        }
        ok = add_block(&w, &lines[i], end - i, blocks, err);
        i = end;
    }
    free(lines);
    free(w.order);
    free(w.container);
    return ok;
}

static bool read_block(const cJSON *item, int width, int height, struct glmv_block *b)
{
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "text");
    const cJSON *box = cJSON_GetObjectItemCaseSensitive(item, "bbox");
    const cJSON *colour = cJSON_GetObjectItemCaseSensitive(item, "color");
    double v[4];
    if (!cJSON_IsString(text) || !cJSON_IsString(colour) || cJSON_GetArraySize(box) != 4 ||
        colour->valuestring[0] != '#' || strlen(colour->valuestring) != 7) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        const cJSON *side = cJSON_GetArrayItem(box, i);
        if (!cJSON_IsNumber(side)) {
            return false;
        }
        v[i] = side->valuedouble;
    }
    unsigned long rgb = strtoul(colour->valuestring + 1, NULL, 16);
    *b = (struct glmv_block){
        NULL,          v[0] / width,
        v[1] / height, v[2] / width,
        v[3] / height, {(double)(rgb >> 16 & 255), (double)(rgb >> 8 & 255), (double)(rgb & 255)}};
    size_t len = strlen(text->valuestring);
    char *copy = malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, text->valuestring, len + 1);
    }
    b->text = copy;
    return copy != NULL;
}

bool replicate_blocks_of_json(const char *json, size_t len, const char *name, int width, int height,
                              struct replicate_blocks *blocks, struct glmv_err *err)
{
    cJSON *root = cJSON_ParseWithLength(json, len);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "blocks");
    bool ok = cJSON_IsArray(list) ||
              glmv_fail(err, GLMV_ERR_FORMAT,
                        "%s: no list \"blocks\"; write {\"blocks\": [{\"text\", \"bbox\", "
                        "\"color\"}]}",
                        name);
    *blocks = (struct replicate_blocks){0};
    if (ok) {
        blocks->list = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *blocks->list);
        ok = blocks->list != NULL || glmv_fail_memory(err);
    }
    const cJSON *item = ok ? list->child : NULL;
    for (; item != NULL && ok; item = item->next) {
        ok = read_block(item, width, height, &blocks->list[blocks->count]) ||
             glmv_fail(err, GLMV_ERR_FORMAT,
                       "%s: block %zu lacks \"text\", \"bbox\": [x, y, w, h] or \"color\": "
                       "\"#rrggbb\"",
                       name, blocks->count + 1);
        blocks->count += ok;
    }
    cJSON_Delete(root);
    return ok;
}

void replicate_blocks_release(struct replicate_blocks *blocks)
{
    for (size_t i = 0; i < blocks->count; i++) {
        free((char *)(uintptr_t)blocks->list[i].text);
    }
    free(blocks->list);
    *blocks = (struct replicate_blocks){0};
}
