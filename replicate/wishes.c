#include "replicate/wishes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "replicate/selector.h"

#define MAX_WISHES 20000
#define MAX_RULES_ADDED 400
#define MOST 0.6 /* share of its users that have to want the same from one declaration */

static const struct {
    const char *name, *shorthand;
    bool inherited;
} properties[WISH_PROPERTIES] = {
    [WISH_COLOR] = {"color", NULL, true},
    [WISH_BACKGROUND] = {"background-color", "background", false},
    [WISH_FONT_SIZE] = {"font-size", "font", true},
    [WISH_FONT_WEIGHT] = {"font-weight", "font", true},
    [WISH_LINE_HEIGHT] = {"line-height", "font", true},
    [WISH_WIDTH] = {"width", NULL, false},
    [WISH_HEIGHT] = {"height", NULL, false},
    [WISH_TOP] = {"top", "inset", false},
    [WISH_LEFT] = {"left", "inset", false},
    [WISH_BOTTOM] = {"bottom", "inset", false},
    [WISH_RIGHT] = {"right", "inset", false},
    [WISH_MARGIN_TOP] = {"margin-top", "margin", false},
    [WISH_MARGIN_LEFT] = {"margin-left", "margin", false},
    [WISH_PADDING_BOTTOM] = {"padding-bottom", "padding", false},
};

const char *wish_name(enum wish_property property)
{
    return properties[property].name;
}

const char *wish_shorthand(enum wish_property property)
{
    return properties[property].shorthand;
}

const struct replicate_declaration *wish_source(const struct replicate_sheet *sheet, int element,
                                                enum wish_property property)
{
    const struct replicate_declaration *found = NULL;
    for (int e = element; e >= 0 && found == NULL; e = sheet->page->elements[e].parent) {
        found = replicate_sheet_find(sheet, e, properties[property].name,
                                     properties[property].shorthand);
        if (!properties[property].inherited) {
            break;
        }
    }
    for (int depth = 0; found != NULL && depth < 4; depth++) {
        const char *value = sheet->html + found->value.at;
        size_t len = found->value.len;
        if (len < 7 || strncasecmp(value, "var(--", 6) != 0 || value[len - 1] != ')' ||
            memchr(value, ',', len) != NULL) {
            break;
        }
        struct replicate_span name = {found->value.at + 4, len - 5};
        const struct replicate_declaration *custom = replicate_sheet_custom(sheet, name);
        if (custom == NULL) {
            break;
        }
        found = custom;
    }
    return found;
}

bool wishes_add(struct wishes *wishes, const struct wish *wish, struct glmv_err *err)
{
    if (wishes->count == MAX_WISHES) {
        return true;
    }
    if (wishes->count == wishes->room) {
        size_t room = wishes->room > 0 ? 2 * wishes->room : 128;
        struct wish *list = realloc(wishes->list, room * sizeof *list);
        if (list == NULL) {
            return glmv_fail_memory(err);
        }
        wishes->list = list;
        wishes->room = room;
    }
    struct wish *added = &wishes->list[wishes->count++];
    *added = *wish;
    added->source = wish_source(wishes->sheet, wish->element, wish->property);
    return true;
}

void wishes_release(struct wishes *wishes)
{
    free(wishes->list);
    wishes->list = NULL;
}

/* -- edits ------------------------------------------------------------------------------------ */

struct edit {
    size_t at, cut; /* bytes of the source */
    char text[160];
};

struct writing {
    const struct wishes *wishes;
    struct edit *edits;
    size_t edit_count;
    struct glmv_buf rules; /* for the end of the style sheet */
    bool *done;            /* one for each wish */
    bool *asked;           /* the same: the users of its declaration were */
    int changed;
};

/* Colours and lengths that are as good as equal. */
static bool agree(const struct wish *a, const struct wish *b)
{
    if (a->property != b->property) {
        return false;
    }
    if (a->value[0] == '#' && b->value[0] == '#') {
        unsigned long x = strtoul(a->value + 1, NULL, 16), y = strtoul(b->value + 1, NULL, 16);
        for (int shift = 0; shift < 24; shift += 8) {
            if (labs((long)(x >> shift & 255) - (long)(y >> shift & 255)) > 10) {
                return false;
            }
        }
        return true;
    }
    char *end_a, *end_b;
    double x = strtod(a->value, &end_a), y = strtod(b->value, &end_b);
    double apart = x > y ? x - y : y - x;
    return end_a != a->value && end_b != b->value ? apart <= 1 && strcmp(end_a, end_b) == 0
                                                  : strcmp(a->value, b->value) == 0;
}

static bool is_custom(const struct replicate_sheet *sheet, const struct replicate_declaration *d)
{
    return d->name.len > 2 && sheet->html[d->name.at] == '-' && sheet->html[d->name.at + 1] == '-';
}

/* The elements beyond the wishes that a declaration reaches keep it from being changed for one of
 * them; of an inherited property and of paint only those count that show it. */
static double silent_users(const struct wishes *wishes, const struct wish *wish, size_t heard)
{
    if (properties[wish->property].inherited || wish->property == WISH_BACKGROUND ||
        is_custom(wishes->sheet, wish->source)) {
        return 0;
    }
    size_t users = replicate_sheet_users(wishes->sheet, wish->source->rule);
    return users > heard ? (double)(users - heard) : 0;
}

/* What most users of one declaration want: an index of the list, or -1 when they do not agree. */
static long wanted(const struct wishes *wishes, const struct replicate_declaration *source,
                   enum wish_property property)
{
    double all = 0, most = 0;
    size_t heard = 0;
    long best = -1;
    for (size_t i = 0; i < wishes->count; i++) {
        const struct wish *a = &wishes->list[i];
        if (a->source != source || a->property != property) {
            continue;
        }
        heard++;
        all += a->weight;
        double with = 0;
        for (size_t j = 0; a->change && j < wishes->count; j++) {
            const struct wish *b = &wishes->list[j];
            with += b->source == source && b->change && agree(a, b) ? b->weight : 0;
        }
        if (with > most) {
            most = with;
            best = (long)i;
        }
    }
    if (best < 0) {
        return -1;
    }
    all += silent_users(wishes, &wishes->list[best], heard) * all / (double)heard;
    return most > MOST * all ? best : -1;
}

static struct edit *add_edit(struct writing *w, size_t at, size_t cut)
{
    struct edit *edit = &w->edits[w->edit_count++];
    edit->at = at;
    edit->cut = cut;
    w->changed++;
    return edit;
}

/* "background: #fff" is a background-color in fewer letters. */
static bool is_plain_colour(const struct replicate_sheet *sheet,
                            const struct replicate_declaration *d)
{
    const char *value = sheet->html + d->value.at;
    size_t name = 0;
    while (name < d->value.len && (isalnum((unsigned char)value[name]) || value[name] == '#')) {
        name++;
    }
    bool function = strncasecmp(value, "rgb", 3) == 0 || strncasecmp(value, "hsl", 3) == 0;
    return replicate_span_is(sheet, d->name, "background") &&
           (name == d->value.len || (function && value[d->value.len - 1] == ')'));
}

/* Changes one declaration for all that agree; those that do not get rules of their own later. */
static void change_in_place(struct writing *w, size_t index)
{
    const struct wishes *wishes = w->wishes;
    const struct replicate_sheet *sheet = wishes->sheet;
    const struct wish *wish = &wishes->list[index];
    const struct replicate_declaration *d = wish->source;
    const char *name = properties[wish->property].name;
    if (replicate_span_is(sheet, d->name, name) || is_custom(sheet, d) ||
        is_plain_colour(sheet, d)) {
        struct edit *edit = add_edit(w, d->value.at, d->value.len);
        snprintf(edit->text, sizeof edit->text, "%s", wish->value);
    } else { /* behind the shorthand, which stays */
        struct edit *edit = add_edit(w, d->value.at + d->value.len, 0);
        snprintf(edit->text, sizeof edit->text, "%s; %s: %s", d->important ? " !important" : "",
                 name, wish->value);
    }
    for (size_t i = 0; i < wishes->count; i++) {
        const struct wish *other = &wishes->list[i];
        if (other->source == d && other->property == wish->property &&
            (!other->change || agree(wish, other))) {
            w->done[i] = true;
        }
    }
}

/* A rule that fits this element alone takes the declaration. */
static bool add_to_own_rule(struct writing *w, const struct wish *wish)
{
    const struct replicate_sheet *sheet = w->wishes->sheet;
    int rule = replicate_sheet_own_rule(sheet, wish->element);
    if (rule < 0) {
        return false;
    }
    struct replicate_span body = sheet->rules[rule].body;
    size_t end = body.at + body.len;
    while (end > body.at && strchr(" \t\r\n", sheet->html[end - 1]) != NULL) {
        end--;
    }
    /* The cascade has to end here, or nothing changes. */
    const struct replicate_declaration *now =
        replicate_sheet_find(sheet, wish->element, properties[wish->property].name,
                             properties[wish->property].shorthand);
    size_t elements = sheet->page->element_count, e = (size_t)wish->element;
    if (now != NULL && (now->important || sheet->fits[(size_t)now->rule * elements + e] >
                                              sheet->fits[(size_t)rule * elements + e])) {
        return false;
    }
    bool closed = end == body.at || sheet->html[end - 1] == ';';
    struct edit *edit = add_edit(w, end, 0);
    snprintf(edit->text, sizeof edit->text, "%s %s: %s;", closed ? "" : ";",
             properties[wish->property].name, wish->value);
    return true;
}

/* Whether a rule by the element's path would lose against what gives the value now. */
static bool needs_force(const struct wishes *wishes, const struct wish *wish)
{
    const struct replicate_sheet *sheet = wishes->sheet;
    const struct replicate_declaration *now =
        replicate_sheet_find(sheet, wish->element, properties[wish->property].name,
                             properties[wish->property].shorthand);
    if (now == NULL) {
        return false;
    }
    const char *path = sheet->page->elements[wish->element].path;
    size_t elements = sheet->page->element_count, e = (size_t)wish->element;
    return now->important ||
           sheet->fits[(size_t)now->rule * elements + e] >
               replicate_selector_fits(path, strlen(path), sheet->page, wish->element);
}

static bool add_rule(struct writing *w, size_t index, struct glmv_err *err)
{
    const struct wishes *wishes = w->wishes;
    const struct wish *wish = &wishes->list[index];
    bool ok = true, first = true, force = needs_force(wishes, wish);
    for (size_t i = index; ok && i < wishes->count; i++) {
        const struct wish *other = &wishes->list[i];
        if (!w->done[i] && other->change && agree(wish, other) &&
            needs_force(wishes, other) == force) {
            w->done[i] = true;
            ok = glmv_buf_appendf(&w->rules, err, "%s%s", first ? "" : ", ",
                                  wishes->sheet->page->elements[other->element].path);
            first = false;
        }
    }
    w->changed++;
    return ok &&
           glmv_buf_appendf(&w->rules, err, " { %s: %s%s; }\n", properties[wish->property].name,
                            wish->value, force ? " !important" : "");
}

static int by_place(const void *a, const void *b)
{
    const struct edit *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Where a style sheet of the head ends, or where one has to begin. */
static size_t end_of_sheet(const struct replicate_sheet *sheet, bool *has)
{
    static const char *const ends[] = {"</style", "</head", "<body"};
    for (size_t k = 0; k < 3; k++) {
        size_t len = strlen(ends[k]);
        for (size_t i = sheet->len; i-- > 0;) {
            if (i + len <= sheet->len && strncasecmp(sheet->html + i, ends[k], len) == 0) {
                *has = k == 0;
                return i;
            }
        }
    }
    *has = false;
    return 0;
}

static bool copy_with_edits(struct writing *w, struct glmv_buf *out, struct glmv_err *err)
{
    const struct replicate_sheet *sheet = w->wishes->sheet;
    bool has_sheet, put = w->rules.len == 0, ok = true;
    size_t rules_at = end_of_sheet(sheet, &has_sheet), from = 0;
    qsort(w->edits, w->edit_count, sizeof w->edits[0], by_place);
    for (size_t i = 0; ok && i <= w->edit_count; i++) {
        size_t to = i < w->edit_count ? w->edits[i].at : sheet->len;
        if (!put && to >= rules_at && from <= rules_at) {
            bool line = rules_at > 0 && sheet->html[rules_at - 1] == '\n';
            ok = glmv_buf_append(out, sheet->html + from, rules_at - from, err) &&
                 glmv_buf_appendf(out, err, has_sheet ? "%s%s" : "%s<style>\n%s</style>\n",
                                  line ? "" : "\n", w->rules.data);
            put = true;
            from = rules_at;
        }
        if (to < from) {
            continue; /* two wishes for one place: the first was heard */
        }
        ok = ok && glmv_buf_append(out, sheet->html + from, to - from, err);
        from = to;
        if (ok && i < w->edit_count) {
            ok = glmv_buf_append_str(out, w->edits[i].text, err);
            from += w->edits[i].cut;
        }
    }
    return ok;
}

bool wishes_write(struct wishes *wishes, struct glmv_buf *out, int *changed, struct glmv_err *err)
{
    struct writing w = {.wishes = wishes};
    glmv_buf_init(&w.rules, 1u << 20);
    w.edits = calloc(wishes->count + 1, sizeof *w.edits);
    w.done = calloc(wishes->count + 1, sizeof *w.done);
    w.asked = calloc(wishes->count + 1, sizeof *w.asked);
    bool ok = (w.edits != NULL && w.done != NULL && w.asked != NULL) || glmv_fail_memory(err);
    for (size_t i = 0; ok && i < wishes->count; i++) {
        const struct wish *wish = &wishes->list[i];
        if (w.done[i] || w.asked[i] || !wish->change || wish->source == NULL) {
            continue;
        }
        for (size_t j = i; j < wishes->count; j++) {
            w.asked[j] = w.asked[j] || (wishes->list[j].source == wish->source &&
                                        wishes->list[j].property == wish->property);
        }
        long best = wanted(wishes, wish->source, wish->property);
        if (best >= 0 && !w.done[best]) {
            change_in_place(&w, (size_t)best);
        }
    }
    for (size_t i = 0; ok && i < wishes->count && w.changed < MAX_RULES_ADDED; i++) {
        const struct wish *wish = &wishes->list[i];
        if (!w.done[i] && wish->change) {
            w.done[i] = add_to_own_rule(&w, wish);
            ok = w.done[i] || add_rule(&w, i, err);
        }
    }
    *changed = w.changed;
    ok = ok && (w.changed == 0 || copy_with_edits(&w, out, err));
    glmv_buf_release(&w.rules);
    free(w.edits);
    free(w.done);
    free(w.asked);
    return ok;
}
