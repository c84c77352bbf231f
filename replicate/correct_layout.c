/*
 * A shift is corrected at the outermost element whose content moved as one, and only by what the
 * corrections before it do not bring: what stands below an element that moves down by 8 px comes
 * down with it. The two axes are treated alike, with margins as the lever, or the insets of
 * positioned elements.
 */
#include "replicate/correct_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AS_ONE_PX 2.0 /* content that moved by amounts within this moved together */
#define LEAST_PX 0.75
#define BOX_PX 1.0 /* sides of boxes that are nearer are left alone */
#define MAX_DEPTH 200

enum axis { DOWN, ACROSS };

/* What is known about one element on one axis, CSS px; page minus target. */
struct measured {
    bool known; /* own: the element's own box was found */
    double own;
    double low, high, sum; /* of everything measured in it */
    int count;
};

struct layout {
    struct wishes *wishes;
    const struct replicate_sheet *sheet;
    const struct glmv_page *page;
    struct measured *measured; /* one for each element; of the axis that is looked at */
    double *grows[2];          /* the same: by how much its box is made longer on an axis */
    enum axis axis;
    struct glmv_err *err;
};

/* -- what the style sheet says ---------------------------------------------------------------- */

static bool says(const struct layout *l, int element, const char *property,
                 const char *const *words)
{
    const struct replicate_declaration *d = replicate_sheet_find(l->sheet, element, property, NULL);
    for (; d != NULL && *words != NULL; words++) {
        if (replicate_span_is(l->sheet, d->value, *words)) {
            return true;
        }
    }
    return false;
}

static bool is_one_of(const char *tag, const char *const *tags)
{
    for (; *tags != NULL; tags++) {
        if (strcmp(tag, *tags) == 0) {
            return true;
        }
    }
    return false;
}

static bool taken_out(const struct layout *l, int element)
{
    return says(l, element, "position", (const char *const[]){"absolute", "fixed", NULL});
}

/* Margins of inline elements and of parts of tables move nothing. */
static bool movable(const struct layout *l, int element)
{
    static const char *const inline_tags[] = {"span", "a",     "b",    "strong", "i",   "em",
                                              "u",    "small", "code", "label",  "sub", "sup",
                                              "abbr", "time",  "mark", "s",      "q",   NULL};
    static const char *const table_tags[] = {"tr",  "td",      "th",   "tbody", "thead",  "tfoot",
                                             "col", "caption", "html", "br",    "option", NULL};
    static const char *const laid_out[] = {"block", "flex",        "grid",        "inline-block",
                                           "table", "inline-flex", "inline-grid", NULL};
    static const char *const rows[] = {"flex", "grid", "inline-flex", "inline-grid", NULL};
    const struct glmv_page_element *e = &l->page->elements[element];
    if (is_one_of(e->tag, table_tags)) {
        return false;
    }
    return !is_one_of(e->tag, inline_tags) || says(l, element, "display", laid_out) ||
           taken_out(l, element) || (e->parent >= 0 && says(l, e->parent, "display", rows));
}

static double font_px(const struct layout *l, int element)
{
    for (size_t i = 0; i < l->page->text_count; i++) {
        for (int e = l->page->texts[i].element; e >= element; e = l->page->elements[e].parent) {
            if (e == element) {
                return l->page->texts[i].font_px;
            }
        }
    }
    return 16;
}

/* What browsers give an element that nobody styled: a multiple of its size of type. */
static double usual_margin(const struct layout *l, int element, enum wish_property property)
{
    static const struct {
        const char *tag;
        double em;
    } margins[] = {{"h1", 0.67}, {"h2", 0.83},  {"h3", 1},        {"h4", 1.33}, {"h5", 1.67},
                   {"h6", 2.33}, {"p", 1},      {"ul", 1},        {"ol", 1},    {"dl", 1},
                   {"pre", 1},   {"figure", 1}, {"blockquote", 1}};
    const char *tag = l->page->elements[element].tag;
    for (size_t i = 0; property == WISH_MARGIN_TOP && i < sizeof margins / sizeof margins[0]; i++) {
        if (strcmp(tag, margins[i].tag) == 0) {
            return margins[i].em * font_px(l, element);
        }
    }
    bool indented = property == WISH_MARGIN_LEFT &&
                    (strcmp(tag, "figure") == 0 || strcmp(tag, "blockquote") == 0);
    return indented ? 40 : strcmp(tag, "body") == 0 && property != WISH_PADDING_BOTTOM ? 8 : 0;
}

/* The part of a shorthand of four sides that a longhand stands for. */
static struct replicate_span side_of(const struct replicate_sheet *sheet,
                                     const struct replicate_declaration *d,
                                     enum wish_property property)
{
    static const int sides[5][4] = {{0}, {0, 0, 0, 0}, {0, 1, 0, 1}, {0, 1, 2, 1}, {0, 1, 2, 3}};
    struct replicate_span parts[4];
    int count = 0;
    size_t i = d->value.at, end = i + d->value.len;
    if (replicate_span_is(sheet, d->name, wish_name(property))) {
        return d->value;
    }
    while (i < end && count < 4) {
        size_t from = i;
        for (int depth = 0; i < end && (depth > 0 || strchr(" \t\r\n", sheet->html[i]) == NULL);
             i++) {
            depth += sheet->html[i] == '(';
            depth -= sheet->html[i] == ')';
        }
        parts[count++] = (struct replicate_span){from, i - from};
        i += strspn(sheet->html + i, " \t\r\n");
    }
    int side = property == WISH_MARGIN_TOP || property == WISH_TOP          ? 0
               : property == WISH_RIGHT                                     ? 1
               : property == WISH_PADDING_BOTTOM || property == WISH_BOTTOM ? 2
                                                                            : 3;
    return count > 0 ? parts[sides[count][side]] : d->value;
}

/* Writes the value that is by so many px larger than the one in force. false when that makes no
 * sense: margins that centre a box. */
static bool larger_value(const struct layout *l, int element, enum wish_property property,
                         double by, char *value, size_t size)
{
    const struct replicate_declaration *d =
        replicate_sheet_find(l->sheet, element, wish_name(property), wish_shorthand(property));
    double old = usual_margin(l, element, property);
    if (d != NULL) {
        struct replicate_span side = side_of(l->sheet, d, property);
        const char *text = l->sheet->html + side.at;
        char *end;
        double number = strtod(text, &end);
        size_t unit = side.len - (size_t)(end - text);
        bool is_number = end > text && end <= text + side.len;
        if (replicate_span_is(l->sheet, side, "auto")) {
            if (property == WISH_MARGIN_LEFT) {
                return false;
            }
            old = 0;
        } else if (is_number && (number == 0 || (unit == 2 && strncasecmp(end, "px", 2) == 0))) {
            old = number;
        } else if (is_number && unit == 2 && strncasecmp(end, "em", 2) == 0) {
            old = number * font_px(l, element);
        } else if (is_number && unit == 3 && strncasecmp(end, "rem", 3) == 0) {
            old = number * 16;
        } else if (side.len < 60 && memchr(text, '!', side.len) == NULL) {
            snprintf(value, size, "calc(%.*s %c %gpx)", (int)side.len, text, by < 0 ? '-' : '+',
                     fabs(round(by)));
            return true;
        } else {
            return false;
        }
    }
    double now = round(old + by);
    if (property == WISH_PADDING_BOTTOM && now < 0) {
        return false;
    }
    snprintf(value, size, "%gpx", now);
    return true;
}

static bool wish_larger(struct layout *l, int element, enum wish_property property, double by,
                        double weight)
{
    struct wish wish = {.element = element, .property = property, .change = true, .weight = weight};
    return fabs(by) < LEAST_PX ||
           !larger_value(l, element, property, by, wish.value, sizeof wish.value) ||
           wishes_add(l->wishes, &wish, l->err);
}

/* -- measuring -------------------------------------------------------------------------------- */

static void take(struct layout *l, int element, double off, bool own)
{
    struct measured *m = &l->measured[element];
    if (own) {
        m->known = true;
        m->own = off;
    }
    for (int e = element; e >= 0; e = l->page->elements[e].parent) {
        struct measured *up = &l->measured[e];
        up->low = up->count == 0 || off < up->low ? off : up->low;
        up->high = up->count == 0 || off > up->high ? off : up->high;
        up->sum += off;
        up->count++;
    }
}

static void measure(struct layout *l, const struct replicate_pairing *pairing)
{
    const struct glmv_scene *target = pairing->target;
    memset(l->measured, 0, (l->page->element_count + 1) * sizeof *l->measured);
    for (size_t i = 0; i < target->line_count; i++) {
        const struct replicate_pair *pair = &pairing->pairs[i];
        if (pair->text != NULL && pair->likeness >= 1 && pair->line->confidence >= REPLICATE_SURE) {
            double off = (l->axis == DOWN ? pair->dy : pair->dx) / pairing->scale;
            take(l, pair->text->element, off, false);
        }
    }
    for (size_t i = 0; i < target->box_count; i++) {
        struct glmv_box b = target->boxes[i].box;
        const struct glmv_page_element *e = replicate_pairing_element(pairing, b, true);
        if (e != NULL && strcmp(e->tag, "body") != 0 && strcmp(e->tag, "html") != 0) {
            double off =
                l->axis == DOWN ? e->box.y - b.y / pairing->scale : e->box.x - b.x / pairing->scale;
            take(l, (int)(e - l->page->elements), off, true);
        }
    }
}

/* -- positions -------------------------------------------------------------------------------- */

/* Moves an element back by what it is off. */
static bool move(struct layout *l, int element, double off)
{
    double weight = sqrt(l->page->elements[element].box.w * l->page->elements[element].box.h);
    bool down = l->axis == DOWN;
    if (taken_out(l, element)) {
        enum wish_property near = down ? WISH_TOP : WISH_LEFT,
                           far = down ? WISH_BOTTOM : WISH_RIGHT;
        bool from_far = replicate_sheet_find(l->sheet, element, wish_name(near), "inset") == NULL &&
                        replicate_sheet_find(l->sheet, element, wish_name(far), NULL) != NULL;
        return wish_larger(l, element, from_far ? far : near, from_far ? off : -off, weight);
    }
    return wish_larger(l, element, down ? WISH_MARGIN_TOP : WISH_MARGIN_LEFT, -off, weight);
}

/* How corrections before an element carry it along. */
struct carried {
    double flow;       /* by what comes before it */
    double containing; /* by the positioned element around it */
};

static bool fix(struct layout *l, int element, struct carried before, int depth, double *after);

/* The children of an element: those below each other carry each other down, those beside each
 * other across. */
static bool fix_children(struct layout *l, int parent, struct carried start, int depth,
                         double *after)
{
    const struct glmv_page *page = l->page;
    const struct glmv_page_element *previous = NULL;
    double row = start.flow, end = start.flow;
    for (size_t e = (size_t)parent + 1; e < page->element_count; e++) {
        const struct glmv_page_element *child = &page->elements[e];
        if (child->parent < parent) {
            break; /* past the subtree: document order */
        }
        if (child->parent != parent) {
            continue;
        }
        bool out = taken_out(l, (int)e);
        bool below = previous != NULL && child->box.y >= previous->box.y + previous->box.h - 1;
        bool along = l->axis == DOWN ? below : !below && previous != NULL;
        if (!out) {
            row = along ? end : l->axis == ACROSS ? start.flow : row;
        }
        struct carried carried = {out ? start.containing : row, start.containing};
        double moved;
        if (!fix(l, (int)e, carried, depth + 1, &moved)) {
            return false;
        }
        if (!out) {
            end = along || previous == NULL || fabs(moved) > fabs(end) ? moved : end;
            previous = child;
        }
    }
    *after = end;
    return true;
}

/* after receives by how much what follows the element is carried. Corrections are negative shifts:
 * what is off by 8 px and is carried by -8 px is right. */
static bool fix(struct layout *l, int element, struct carried before, int depth, double *after)
{
    const struct measured *m = &l->measured[element];
    *after = before.flow;
    if (m->count == 0 || depth > MAX_DEPTH) {
        return true;
    }
    bool as_one = m->high - m->low <= AS_ONE_PX;
    double off = m->known ? m->own : m->sum / m->count, carried = before.flow;
    if ((as_one || m->known) && movable(l, element)) {
        double left = off + carried;
        if (fabs(left) >= LEAST_PX) {
            if (!move(l, element, left)) {
                return false;
            }
            carried -= left;
        }
        if (as_one) {
            double size = l->grows[l->axis][element];
            *after = taken_out(l, element) ? before.flow : carried + size;
            return true;
        }
    }
    static const char *const positioned[] = {"relative", "absolute", "fixed", "sticky", NULL};
    struct carried inside = {carried, says(l, element, "position", positioned) ? carried
                                                                               : before.containing};
    if (!fix_children(l, element, inside, depth, after)) {
        return false;
    }
    const struct replicate_declaration *height =
        replicate_sheet_find(l->sheet, element, "height", NULL);
    bool fixed =
        m->known || (height != NULL && !replicate_span_is(l->sheet, height->value, "auto"));
    if ((l->axis == DOWN && fixed) || l->axis == ACROSS) { /* it does not follow its content */
        *after = carried + l->grows[l->axis][element];
    }
    return true;
}

/* -- sizes ------------------------------------------------------------------------------------ */

static bool has_px(const struct layout *l, int element, const char *property)
{
    const struct replicate_declaration *d = replicate_sheet_find(l->sheet, element, property, NULL);
    return d != NULL && d->value.len > 2 &&
           strncasecmp(l->sheet->html + d->value.at + d->value.len - 2, "px", 2) == 0;
}

static bool fix_sizes(struct layout *l, const struct replicate_pairing *pairing)
{
    bool ok = true;
    for (size_t i = 0; ok && i < pairing->target->box_count; i++) {
        struct glmv_box b = pairing->target->boxes[i].box;
        const struct glmv_page_element *e = replicate_pairing_element(pairing, b, true);
        if (e == NULL || strcmp(e->tag, "body") == 0 || strcmp(e->tag, "html") == 0) {
            continue;
        }
        int element = (int)(e - l->page->elements);
        double wider = b.w / pairing->scale - e->box.w, higher = b.h / pairing->scale - e->box.h;
        double weight = sqrt(b.w * b.h);
        if (fabs(wider) >= BOX_PX && has_px(l, element, "width")) {
            ok = wish_larger(l, element, WISH_WIDTH, wider, weight);
            l->grows[ACROSS][element] = wider;
        }
        if (ok && fabs(higher) >= BOX_PX) {
            enum wish_property lever =
                has_px(l, element, "height") ? WISH_HEIGHT : WISH_PADDING_BOTTOM;
            ok = wish_larger(l, element, lever, higher, weight);
            l->grows[DOWN][element] = higher;
        }
    }
    return ok;
}

bool correct_layout(struct wishes *wishes, const struct replicate_pairing *pairing,
                    struct glmv_err *err)
{
    struct layout l = {.wishes = wishes, .sheet = wishes->sheet, .page = pairing->page, .err = err};
    size_t count = l.page->element_count;
    l.measured = calloc(count + 1, sizeof *l.measured);
    l.grows[DOWN] = calloc(count + 1, sizeof *l.grows[DOWN]);
    l.grows[ACROSS] = calloc(count + 1, sizeof *l.grows[ACROSS]);
    bool ok = (l.measured != NULL && l.grows[DOWN] != NULL && l.grows[ACROSS] != NULL) ||
              glmv_fail_memory(err);
    ok = ok && fix_sizes(&l, pairing);
    for (int axis = DOWN; ok && count > 0 && axis <= ACROSS; axis++) {
        double after;
        l.axis = (enum axis)axis;
        measure(&l, pairing);
        ok = fix(&l, 0, (struct carried){0}, 0, &after);
    }
    free(l.measured);
    free(l.grows[DOWN]);
    free(l.grows[ACROSS]);
    return ok;
}
