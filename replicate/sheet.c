#include "replicate/sheet.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "replicate/css_scan.h"
#include "replicate/selector.h"

#define MAX_RULES 4000
#define MAX_DECLARATIONS 40000
#define MAX_CELLS (4u << 20) /* rules times elements */

struct reader {
    struct replicate_sheet *sheet;
    size_t rule_room, declaration_room;
    struct glmv_err *err;
};

bool replicate_span_is(const struct replicate_sheet *sheet, struct replicate_span span,
                       const char *word)
{
    return span.len == strlen(word) && strncasecmp(sheet->html + span.at, word, span.len) == 0;
}

/* -- source ----------------------------------------------------------------------------------- */

static void *grow(void *list, size_t count, size_t *room, size_t max, size_t size,
                  struct glmv_err *err)
{
    if (count < *room) {
        return list;
    }
    size_t more = *room > 0 ? *room * 2 : 64;
    void *larger = count < max ? realloc(list, more * size) : NULL;
    if (larger == NULL) {
        glmv_fail(err, GLMV_ERR_LIMIT, "the page's style sheet is too large to be corrected");
        return NULL;
    }
    *room = more;
    return larger;
}

static bool add_declaration(struct reader *r, struct replicate_span name, size_t from, size_t to)
{
    struct replicate_sheet *sheet = r->sheet;
    struct replicate_declaration *list =
        grow(sheet->declarations, sheet->declaration_count, &r->declaration_room, MAX_DECLARATIONS,
             sizeof *list, r->err);
    if (list == NULL) {
        return false;
    }
    sheet->declarations = list;
    struct replicate_span value = css_trim(sheet->html, from, to);
    static const char word[] = "!important";
    size_t size = sizeof word - 1;
    bool important =
        value.len > size && strncasecmp(sheet->html + value.at + value.len - size, word, size) == 0;
    if (important) {
        value = css_trim(sheet->html, value.at, value.at + value.len - size);
    }
    sheet->declarations[sheet->declaration_count++] =
        (struct replicate_declaration){name, value, important, (int)sheet->rule_count - 1};
    return true;
}

static bool read_declarations(struct reader *r, size_t i, size_t end)
{
    const char *text = r->sheet->html;
    while (i < end) {
        size_t colon = css_find_any(text, i, end, ":;{");
        if (colon < end && text[colon] == '{') { /* a rule in a rule is none of ours */
            i = css_skip_block(text, colon, end);
            continue;
        }
        size_t stop =
            colon < end && text[colon] == ':' ? css_find_any(text, colon, end, ";{") : colon;
        if (stop < end && text[stop] == '{') {
            i = css_skip_block(text, stop, end);
            continue;
        }
        struct replicate_span name = css_trim(text, i, colon);
        if (stop > colon && name.len > 0 && !add_declaration(r, name, colon + 1, stop)) {
            return false;
        }
        i = stop + 1;
    }
    return true;
}

static bool add_rule(struct reader *r, struct replicate_span selectors, struct replicate_span body,
                     int element)
{
    struct replicate_sheet *sheet = r->sheet;
    struct replicate_rule *list =
        grow(sheet->rules, sheet->rule_count, &r->rule_room, MAX_RULES, sizeof *list, r->err);
    if (list == NULL) {
        return false;
    }
    sheet->rules = list;
    sheet->rules[sheet->rule_count++] = (struct replicate_rule){selectors, body, element};
    return read_declarations(r, body.at, body.at + body.len);
}

static bool read_rules(struct reader *r, size_t i, size_t end)
{
    const char *text = r->sheet->html;
    while (i < end) {
        size_t open = css_find_any(text, i, end, "{;");
        struct replicate_span head = css_trim(text, i, open);
        if (open >= end) {
            return true;
        }
        size_t behind = text[open] == '{' ? css_skip_block(text, open, end) : open + 1;
        bool rule = text[open] == '{' && head.len > 0 && text[head.at] != '@' &&
                    behind > open + 1 && text[behind - 1] == '}';
        if (rule && !add_rule(r, head, (struct replicate_span){open + 1, behind - open - 2},
                              REPLICATE_NO_ELEMENT)) {
            return false;
        }
        i = behind;
    }
    return true;
}

/* -- tags ------------------------------------------------------------------------------------- */

/* A start tag of the source. */
struct tag {
    struct replicate_span name, id, classes, style;
    size_t end; /* behind its > */
};

static size_t read_attribute(const char *html, size_t i, size_t end, struct tag *tag)
{
    size_t name = i;
    while (i < end && strchr(" \t\r\n=>/", html[i]) == NULL) {
        i++;
    }
    size_t name_len = i - name;
    while (i < end && isspace((unsigned char)html[i])) {
        i++;
    }
    struct replicate_span value = {i, 0};
    if (i < end && html[i] == '=') {
        i++;
        while (i < end && isspace((unsigned char)html[i])) {
            i++;
        }
        char quote = i < end && (html[i] == '"' || html[i] == '\'') ? html[i] : '\0';
        size_t from = quote != '\0' ? i + 1 : i;
        i = from;
        while (i < end && (quote != '\0' ? html[i] != quote
                                         : !isspace((unsigned char)html[i]) && html[i] != '>')) {
            i++;
        }
        value = (struct replicate_span){from, i - from};
        i += i < end && quote != '\0';
    }
    struct replicate_span *place =
        name_len == 2 && strncasecmp(html + name, "id", 2) == 0      ? &tag->id
        : name_len == 5 && strncasecmp(html + name, "class", 5) == 0 ? &tag->classes
        : name_len == 5 && strncasecmp(html + name, "style", 5) == 0 ? &tag->style
                                                                     : NULL;
    if (place != NULL) {
        *place = value;
    }
    return i > name ? i : i + 1;
}

/* The next start tag from i on; false at the end. Comments are passed. */
static bool next_tag(const char *html, size_t i, size_t end, struct tag *tag)
{
    for (; i + 1 < end; i++) {
        if (html[i] != '<') {
            continue;
        }
        if (i + 4 < end && strncmp(html + i, "<!--", 4) == 0) {
            const char *close = strstr(html + i, "-->");
            i = close != NULL ? (size_t)(close - html) + 2 : end;
            continue;
        }
        if (!isalpha((unsigned char)html[i + 1])) {
            continue;
        }
        memset(tag, 0, sizeof *tag);
        size_t at = i + 1;
        while (at < end && strchr(" \t\r\n/>", html[at]) == NULL) {
            at++;
        }
        tag->name = (struct replicate_span){i + 1, at - i - 1};
        while (at < end && html[at] != '>') {
            bool space = isspace((unsigned char)html[at]) || html[at] == '/';
            at = space ? at + 1 : read_attribute(html, at, end, tag);
        }
        tag->end = at < end ? at + 1 : end;
        return true;
    }
    return false;
}

static bool same(const struct replicate_sheet *sheet, struct replicate_span span, const char *text)
{
    return text == NULL
               ? span.len == 0
               : span.len == strlen(text) && memcmp(sheet->html + span.at, text, span.len) == 0;
}

/* Tags that a parser puts in by itself cannot be looked for in the source. */
static bool implied(const char *tag)
{
    static const char *const tags[] = {"html", "head", "body", "tbody", "colgroup"};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (strcmp(tag, tags[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The element that a tag of the source became: both lists are in document order. */
static int element_of(const struct replicate_sheet *sheet, const struct tag *tag, size_t *next)
{
    const struct glmv_page *page = sheet->page;
    for (size_t e = *next; e < page->element_count; e++) {
        const struct glmv_page_element *element = &page->elements[e];
        if (!implied(element->tag) && replicate_span_is(sheet, tag->name, element->tag) &&
            same(sheet, tag->id, element->id) && same(sheet, tag->classes, element->classes)) {
            *next = e + 1;
            return (int)e;
        }
        if (!implied(element->tag)) {
            break; /* the tag is of something that is not shown, such as <title> */
        }
    }
    return REPLICATE_NO_ELEMENT;
}

static bool read_source(struct reader *r)
{
    struct replicate_sheet *sheet = r->sheet;
    struct tag tag;
    size_t next = 0;
    for (size_t i = 0; next_tag(sheet->html, i, sheet->len, &tag); i = tag.end) {
        if (replicate_span_is(sheet, tag.name, "style")) {
            const char *from = sheet->html + tag.end, *close = from;
            while (*close != '\0' && strncasecmp(close, "</style", 7) != 0) {
                close++;
            }
            if (!read_rules(r, tag.end, (size_t)(close - sheet->html))) {
                return false;
            }
            tag.end = (size_t)(close - sheet->html);
        }
        int element = element_of(sheet, &tag, &next);
        struct replicate_span none = {0};
        if (element >= 0 && tag.style.len > 0 && !add_rule(r, none, tag.style, element)) {
            return false;
        }
    }
    return true;
}

/* -- matching --------------------------------------------------------------------------------- */

static bool match(struct replicate_sheet *sheet, struct glmv_err *err)
{
    size_t elements = sheet->page->element_count;
    if (elements > 0 && sheet->rule_count > MAX_CELLS / elements) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "the page is too large to be corrected");
    }
    sheet->fits = calloc(sheet->rule_count * elements + 1, sizeof *sheet->fits);
    if (sheet->fits == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < sheet->rule_count; i++) {
        const struct replicate_rule *rule = &sheet->rules[i];
        for (size_t e = 0; e < elements; e++) {
            unsigned *cell = &sheet->fits[i * elements + e];
            if (rule->element >= 0) {
                *cell = rule->element == (int)e ? REPLICATE_INLINE_STYLE : 0;
            } else {
                *cell = replicate_selector_fits(sheet->html + rule->selectors.at,
                                                rule->selectors.len, sheet->page, (int)e);
            }
        }
    }
    return true;
}

void replicate_sheet_free(struct replicate_sheet *sheet)
{
    if (sheet != NULL) {
        free(sheet->rules);
        free(sheet->declarations);
        free(sheet->fits);
        free(sheet);
    }
}

struct replicate_sheet *replicate_sheet_read(const char *html, size_t len,
                                             const struct glmv_page *page, struct glmv_err *err)
{
    struct replicate_sheet *sheet = calloc(1, sizeof *sheet);
    if (sheet == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    struct reader reader = {.sheet = sheet, .err = err};
    sheet->html = html;
    sheet->len = len;
    sheet->page = page;
    if (!read_source(&reader) || !match(sheet, err)) {
        replicate_sheet_free(sheet);
        return NULL;
    }
    return sheet;
}

const struct replicate_declaration *replicate_sheet_find(const struct replicate_sheet *sheet,
                                                         int element, const char *property,
                                                         const char *shorthand)
{
    const struct replicate_declaration *best = NULL;
    unsigned most = 0;
    for (size_t i = 0; i < sheet->declaration_count; i++) {
        const struct replicate_declaration *d = &sheet->declarations[i];
        unsigned rank = sheet->fits[(size_t)d->rule * sheet->page->element_count + (size_t)element];
        if (rank == 0 || !(replicate_span_is(sheet, d->name, property) ||
                           (shorthand != NULL && replicate_span_is(sheet, d->name, shorthand)))) {
            continue;
        }
        rank += d->important ? 2u * REPLICATE_INLINE_STYLE : 0;
        if (rank >= most) {
            most = rank;
            best = d;
        }
    }
    return best;
}

const struct replicate_declaration *replicate_sheet_custom(const struct replicate_sheet *sheet,
                                                           struct replicate_span name)
{
    const struct replicate_declaration *best = NULL;
    for (size_t i = 0; i < sheet->declaration_count; i++) {
        const struct replicate_declaration *d = &sheet->declarations[i];
        if (d->name.len == name.len &&
            memcmp(sheet->html + d->name.at, sheet->html + name.at, name.len) == 0) {
            best = d;
        }
    }
    return best;
}

size_t replicate_sheet_users(const struct replicate_sheet *sheet, int rule)
{
    size_t elements = sheet->page->element_count, users = 0;
    for (size_t e = 0; e < elements; e++) {
        users += sheet->fits[(size_t)rule * elements + e] > 0;
    }
    return users;
}

int replicate_sheet_own_rule(const struct replicate_sheet *sheet, int element)
{
    size_t elements = sheet->page->element_count;
    for (int i = (int)sheet->rule_count - 1; i >= 0; i--) {
        if (sheet->fits[(size_t)i * elements + (size_t)element] > 0 &&
            replicate_sheet_users(sheet, i) == 1) {
            return i;
        }
    }
    return -1;
}
