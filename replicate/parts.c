#include "replicate/parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "replicate/css_scan.h"
#include "replicate/markup.h"

#define MAX_STYLE (4u << 20)
#define MAX_RULES 4000

/* A rule, or an @-block, of one part. */
struct rule {
    size_t part;
    struct replicate_span head, body; /* of the part's style */
    char *key;                        /* the whole rule without needless white space; owned */
};

struct part {
    struct glmv_buf style;
    struct glmv_buf body;                              /* without <style> elements */
    struct replicate_span attributes, html_tag, title; /* of the document */
    const char *html;
};

struct joining {
    struct part parts[REPLICATE_MAX_PARTS];
    size_t count;
    struct rule *rules;
    size_t rule_count;
};

/* -- documents -------------------------------------------------------------------------------- */

/* Returns where "<body", but not "<bodyguard", begins; behind receives where the tag ends. */
static size_t find_tag(const char *text, size_t len, size_t at, const char *tag, size_t *behind)
{
    at = replicate_find_tag(text, len, at, tag);
    size_t close = at != REPLICATE_NOWHERE ? replicate_find(text, len, at + strlen(tag), ">") : at;
    *behind = close != REPLICATE_NOWHERE ? close + 1 : len;
    return at;
}

/* Copies a text; what stands in its <style> elements goes to style instead. Either may be NULL. */
static bool part_styles(const char *text, size_t len, struct glmv_buf *rest, struct glmv_buf *style,
                        struct glmv_err *err)
{
    size_t from = 0, open, inside;
    while ((open = find_tag(text, len, from, "<style", &inside)) != REPLICATE_NOWHERE) {
        size_t behind, close = find_tag(text, len, inside, "</style", &behind);
        close = close != REPLICATE_NOWHERE ? close : len;
        if ((rest != NULL && !glmv_buf_append(rest, text + from, open - from, err)) ||
            (style != NULL && (!glmv_buf_append(style, text + inside, close - inside, err) ||
                               !glmv_buf_append(style, "\n", 1, err)))) {
            return false;
        }
        from = behind;
    }
    return rest == NULL || glmv_buf_append(rest, text + from, len - from, err);
}

bool replicate_parts_style(const char *html, size_t len, struct glmv_buf *out, struct glmv_err *err)
{
    return part_styles(html, len, NULL, out, err);
}

static bool read_part(struct part *part, const struct replicate_part *from, struct glmv_err *err)
{
    const char *html = from->html;
    size_t len = from->len, behind;
    glmv_buf_init(&part->style, MAX_STYLE);
    glmv_buf_init(&part->body, len + 1);
    part->html = html;
    if (html == NULL) {
        return true;
    }
    size_t at = find_tag(html, len, 0, "<html", &behind);
    part->html_tag = at != REPLICATE_NOWHERE ? (struct replicate_span){at, behind - at}
                                             : (struct replicate_span){0};
    at = find_tag(html, len, 0, "<title", &behind);
    size_t end = replicate_find(html, len, behind, "</title");
    part->title = at != REPLICATE_NOWHERE && end != REPLICATE_NOWHERE
                      ? (struct replicate_span){behind, end - behind}
                      : (struct replicate_span){0};
    size_t body = find_tag(html, len, 0, "<body", &behind);
    if (body != REPLICATE_NOWHERE) {
        part->attributes = (struct replicate_span){body + 5, behind - 1 - (body + 5)};
    } else {
        find_tag(html, len, 0, "</head", &behind);
        body = behind = behind < len ? behind : 0;
    }
    end = replicate_find(html, len, behind, "</body");
    end = end != REPLICATE_NOWHERE ? end : len;
    return part_styles(html, body, NULL, &part->style, err) &&
           part_styles(html + behind, end - behind, &part->body, &part->style, err);
}

/* -- rules ------------------------------------------------------------------------------------ */

static char *key_of(const char *text, struct replicate_span span, struct glmv_err *err)
{
    char *key = malloc(span.len + 1);
    size_t len = 0;
    if (key == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    for (size_t i = span.at; i < span.at + span.len; i++) {
        if (!isspace((unsigned char)text[i])) {
            key[len++] = text[i];
        } else if (len > 0 && strchr(" {};:,>", key[len - 1]) == NULL) {
            key[len++] = ' ';
        }
    }
    key[len] = '\0';
    return key;
}

static bool read_rules(struct joining *j, size_t part, struct glmv_err *err)
{
    const struct glmv_buf *style = &j->parts[part].style;
    const char *text = style->data != NULL ? style->data : "";
    for (size_t i = 0; i < style->len && j->rule_count < MAX_RULES;) {
        size_t open = css_find_any(text, i, style->len, "{;");
        struct replicate_span head = css_trim(text, i, open);
        size_t behind = open < style->len && text[open] == '{'
                            ? css_skip_block(text, open, style->len)
                            : open + 1;
        if (head.len > 0 && open < style->len) {
            struct rule *rule = &j->rules[j->rule_count++];
            bool block = text[open] == '{';
            rule->part = part;
            rule->head = head;
            rule->body = block ? (struct replicate_span){open + 1, behind - open - 2}
                               : (struct replicate_span){0};
            rule->key = key_of(text, (struct replicate_span){head.at, behind - head.at}, err);
            if (rule->key == NULL) {
                return false;
            }
        }
        i = behind;
    }
    return true;
}

/* Whether a part may hold something that a selector fits: it has all of its classes and ids. */
static bool may_fit(const struct part *part, const char *selector, size_t len)
{
    const char *body = part->body.data != NULL ? part->body.data : "";
    for (size_t i = 0; i < len; i++) {
        size_t size = 0;
        while (i + 1 + size < len && css_is_name(selector[i + 1 + size])) {
            size++;
        }
        if ((selector[i] == '.' || selector[i] == '#') && size > 0) {
            bool there = false;
            for (const char *p = body; !there && *p != '\0'; p++) {
                there = strncmp(p, selector + i + 1, size) == 0;
            }
            if (!there) {
                return false;
            }
        }
    }
    return true;
}

/* Whether a rule can be written once without a scope: every other part has the same rule, or
 * nothing that it fits. */
static bool is_shared(const struct joining *j, const struct rule *rule)
{
    const char *head = j->parts[rule->part].style.data + rule->head.at;
    for (size_t p = 0; p < j->count; p++) {
        bool same = p == rule->part;
        for (size_t i = 0; !same && i < j->rule_count; i++) {
            same = j->rules[i].part == p && strcmp(j->rules[i].key, rule->key) == 0;
        }
        if (same || j->parts[p].html == NULL) {
            continue;
        }
        for (size_t from = 0; from < rule->head.len;) {
            size_t to = css_find_any(head, from, rule->head.len, ",");
            if (may_fit(&j->parts[p], head + from, to - from)) {
                return false;
            }
            from = to + 1;
        }
    }
    return true;
}

static bool was_written(const struct joining *j, const struct rule *rule)
{
    for (const struct rule *r = j->rules; r < rule; r++) {
        if (strcmp(r->key, rule->key) == 0) {
            return true;
        }
    }
    return false;
}

/* Length of "html", "body" or ":root" at the start of a selector; 0 when another one is there. */
static size_t root_word(const char *selector, size_t len)
{
    static const char *const words[] = {"html", "body", ":root"};
    for (size_t i = 0; i < 3; i++) {
        size_t size = strlen(words[i]);
        if (len >= size && strncasecmp(selector, words[i], size) == 0 &&
            (len == size || !css_is_name(selector[size]))) {
            return size;
        }
    }
    return 0;
}

/* One selector within a slice. The slice's element stands for html and body; :where keeps every
 * rule as strong as it was. shared: only selectors that name html or body are changed. */
static bool put_selector(const char *selector, size_t len, const char *scope, bool shared,
                         struct glmv_buf *out, struct glmv_err *err)
{
    size_t root = root_word(selector, len);
    if (root == 0 && shared) {
        return glmv_buf_append(out, selector, len, err);
    }
    if (root == 0) {
        bool all = len == 1 && selector[0] == '*';
        return (!all || glmv_buf_appendf(out, err, ":where(%s), ", scope)) &&
               glmv_buf_appendf(out, err, ":where(%s) %.*s", scope, (int)len, selector);
    }
    for (size_t more = root; more > 0;) {
        size_t gap = 0;
        while (root + gap < len && strchr(" \t\r\n>", selector[root + gap]) != NULL) {
            gap++;
        }
        more = gap > 0 ? root_word(selector + root + gap, len - root - gap) : 0;
        root += more > 0 ? gap + more : 0;
    }
    return glmv_buf_appendf(out, err, ":where(%s)%.*s", scope, (int)(len - root), selector + root);
}

static bool put_selectors(const char *list, size_t len, const char *scope, bool shared,
                          struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (size_t from = 0; ok && from < len;) {
        size_t to = css_find_any(list, from, len, ",");
        struct replicate_span one = css_trim(list, from, to);
        ok = (from == 0 || glmv_buf_append_str(out, ", ", err)) &&
             put_selector(list + one.at, one.len, scope, shared, out, err);
        from = to + 1;
    }
    return ok;
}

static bool put_rule(const char *text, struct replicate_span head, struct replicate_span body,
                     const char *scope, bool shared, struct glmv_buf *out, struct glmv_err *err)
{
    struct replicate_span inner = css_trim(text, body.at, body.at + body.len);
    return put_selectors(text + head.at, head.len, scope, shared, out, err) &&
           glmv_buf_appendf(out, err, " { %.*s }\n", (int)inner.len, text + inner.at);
}

/* @media and the like: the rules inside are scoped, the rest stays. */
static bool put_block(const char *text, const struct rule *rule, const char *scope,
                      struct glmv_buf *out, struct glmv_err *err)
{
    size_t end = rule->body.at + rule->body.len;
    bool ok = glmv_buf_appendf(out, err, "%.*s {\n", (int)rule->head.len, text + rule->head.at);
    for (size_t i = rule->body.at; ok && i < end;) {
        size_t open = css_find_any(text, i, end, "{");
        size_t behind = css_skip_block(text, open, end);
        struct replicate_span head = css_trim(text, i, open);
        if (open < end && head.len > 0 && text[head.at] != '@' && behind > open + 1) {
            ok = put_rule(text, head, (struct replicate_span){open + 1, behind - open - 2}, scope,
                          false, out, err);
        }
        i = behind;
    }
    return ok && glmv_buf_append_str(out, "}\n", err);
}

static bool starts(const char *text, struct replicate_span span, const char *word)
{
    size_t len = strlen(word);
    return span.len >= len && strncasecmp(text + span.at, word, len) == 0;
}

static bool put_rules(const struct joining *j, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < j->rule_count; i++) {
        const struct rule *rule = &j->rules[i];
        const char *text = j->parts[rule->part].style.data;
        struct glmv_buf scope;
        glmv_buf_init(&scope, 64);
        bool at = text[rule->head.at] == '@';
        bool block =
            at && (starts(text, rule->head, "@media") || starts(text, rule->head, "@supports") ||
                   starts(text, rule->head, "@container"));
        bool shared = !at && is_shared(j, rule);
        if ((shared || (at && !block)) && was_written(j, rule)) {
            continue;
        }
        ok = shared && j->count > 1 ? glmv_buf_append_str(&scope, ".slice", err)
                                    : glmv_buf_appendf(&scope, err, ".slice-%zu", rule->part + 1);
        /* A rule of html or body that only this part has is not for the others' slices. */
        for (size_t p = 0; ok && shared && p < j->count; p++) {
            bool same = p == rule->part || j->parts[p].html == NULL;
            for (size_t k = 0; !same && k < j->rule_count; k++) {
                same = j->rules[k].part == p && strcmp(j->rules[k].key, rule->key) == 0;
            }
            if (!same) {
                glmv_buf_clear(&scope);
                ok = glmv_buf_appendf(&scope, err, ".slice-%zu", rule->part + 1);
            }
        }
        if (ok && at && !block) {
            ok = glmv_buf_appendf(out, err, rule->body.len > 0 ? "%.*s {%.*s}\n" : "%.*s;\n",
                                  (int)rule->head.len, text + rule->head.at, (int)rule->body.len,
                                  text + rule->body.at);
        } else if (ok) {
            ok = block ? put_block(text, rule, scope.data, out, err)
                       : put_rule(text, rule->head, rule->body, scope.data, shared, out, err);
        }
        glmv_buf_release(&scope);
    }
    return ok;
}

/* -- the page --------------------------------------------------------------------------------- */

/* The attributes of a slice's <body>, with our classes in front of its own. */
static bool put_section(const struct part *part, size_t number, struct glmv_buf *out,
                        struct glmv_err *err)
{
    const char *text = part->html != NULL ? part->html + part->attributes.at : "";
    size_t len = part->attributes.len, classes = replicate_find(text, len, 0, "class=");
    bool ok = glmv_buf_appendf(out, err, "<div class=\"row\"><section");
    if (classes == REPLICATE_NOWHERE) {
        return ok && glmv_buf_append(out, text, len, err) &&
               glmv_buf_appendf(out, err, " class=\"slice slice-%zu\">\n", number);
    }
    size_t value = classes + 6;
    bool quoted = value < len && (text[value] == '"' || text[value] == '\'');
    char quote = quoted ? text[value] : '"';
    size_t from = value + quoted, to = from;
    while (to < len && (quoted ? text[to] != quote : !isspace((unsigned char)text[to]))) {
        to++;
    }
    return ok && glmv_buf_append(out, text, classes, err) &&
           glmv_buf_appendf(out, err, "class=%cslice slice-%zu %.*s%c%.*s>\n", quote, number,
                            (int)(to - from), text + from, quote,
                            (int)(to + quoted < len ? len - to - quoted : 0), text + to + quoted);
}

static bool put_page(const struct joining *j, const struct replicate_part *parts,
                     struct glmv_buf *out, struct glmv_err *err)
{
    const struct part *first = &j->parts[0];
    bool ok = glmv_buf_append_str(out, "<!DOCTYPE html>\n", err) &&
              (first->html_tag.len > 0 ? glmv_buf_append(out, first->html + first->html_tag.at,
                                                         first->html_tag.len, err)
                                       : glmv_buf_append_str(out, "<html>", err)) &&
              glmv_buf_appendf(out, err,
                               "\n<head>\n<meta charset=\"utf-8\">\n<title>%.*s</title>\n<style>\n"
                               "body { margin: 0; display: grid; grid-template: ",
                               (int)first->title.len,
                               first->html != NULL ? first->html + first->title.at : "");
    for (size_t i = 0; ok && i < j->count; i++) {
        ok = glmv_buf_appendf(out, err, "%gpx ", parts[i].height);
    }
    /* A row is what a window is to a page of its own: it cuts off what is too high. */
    ok = ok && glmv_buf_append_str(out,
                                   "/ 100%; }\n.row { overflow: hidden; }\n"
                                   ":where(.slice) { margin: 8px; min-height: 100%; }\n",
                                   err);
    ok = ok && put_rules(j, out, err) &&
         glmv_buf_append_str(out, "</style>\n</head>\n<body>\n", err);
    for (size_t i = 0; ok && i < j->count; i++) {
        const struct glmv_buf *body = &j->parts[i].body;
        ok = put_section(&j->parts[i], i + 1, out, err) &&
             glmv_buf_append(out, body->data != NULL ? body->data : "", body->len, err) &&
             glmv_buf_append_str(out, "</section></div>\n", err);
    }
    return ok && glmv_buf_append_str(out, "</body>\n</html>\n", err);
}

bool replicate_parts_join(const struct replicate_part *parts, size_t count, struct glmv_buf *out,
                          struct glmv_err *err)
{
    struct joining *j = calloc(1, sizeof *j);
    struct rule *rules = calloc(MAX_RULES, sizeof *rules);
    bool ok = (j != NULL && rules != NULL) || glmv_fail_memory(err);
    if (ok) {
        j->rules = rules;
        j->count = count;
    }
    for (size_t i = 0; ok && i < count; i++) {
        ok = read_part(&j->parts[i], &parts[i], err) && read_rules(j, i, err);
    }
    ok = ok && put_page(j, parts, out, err);
    for (size_t i = 0; j != NULL && i < count; i++) {
        glmv_buf_release(&j->parts[i].style);
        glmv_buf_release(&j->parts[i].body);
    }
    for (size_t i = 0; j != NULL && i < j->rule_count; i++) {
        free(rules[i].key);
    }
    free(rules);
    free(j);
    return ok;
}
