#include "replicate/selector.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "replicate/css_scan.h"

#define ID (1u << 16)
#define CLASS (1u << 8)
#define TAG 1u

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

static bool equal(const char *text, const char *name, size_t len)
{
    return text != NULL && strlen(text) == len && strncasecmp(text, name, len) == 0;
}

/* Number of the element among its siblings (of_type: among those with its tag), from 1; last
 * receives whether it is the last one. */
static int place(const struct glmv_page *page, int element, bool of_type, bool *last)
{
    int parent = page->elements[element].parent, before = 0;
    const char *tag = page->elements[element].tag;
    *last = true;
    for (size_t i = 0; i < page->element_count; i++) {
        if (page->elements[i].parent == parent && (int)i != element &&
            (!of_type || strcmp(page->elements[i].tag, tag) == 0)) {
            before += (int)i < element;
            *last = *last && (int)i < element;
        }
    }
    return before + 1;
}

static bool pseudo_fits(const char *name, size_t len, const struct glmv_page *page, int element)
{
    static const char nth[] = "nth-child(", nth_type[] = "nth-of-type(";
    bool last, of_type = len > sizeof nth_type && strncasecmp(name, nth_type, 12) == 0;
    int n = place(page, element, of_type, &last);
    if (equal("root", name, len)) {
        return page->elements[element].parent < 0;
    }
    if (equal("first-child", name, len)) {
        return n == 1;
    }
    if (equal("last-child", name, len)) {
        return last;
    }
    if (of_type || (len > sizeof nth && strncasecmp(name, nth, sizeof nth - 1) == 0)) {
        char *end;
        long wanted = strtol(name + (of_type ? sizeof nth_type : sizeof nth) - 1, &end, 10);
        return *end == ')' && wanted == n;
    }
    return equal("link", name, len) || equal("any-link", name, len);
}

static bool compound_fits(const char *at, const char *end, const struct glmv_page *page,
                          int element, unsigned *rank)
{
    const struct glmv_page_element *e = &page->elements[element];
    if (at == end) {
        return false;
    }
    while (at < end) {
        char kind = *at;
        const char *name = strchr("#.:", kind) != NULL ? at + 1 : at;
        const char *stop = name;
        if (kind == '*') {
            at++;
            continue;
        }
        while (stop < end && css_is_name(*stop)) {
            stop++;
        }
        if (kind == ':' && stop < end && *stop == '(') {
            while (stop < end && *stop != ')') {
                stop++;
            }
            stop += stop < end;
        }
        size_t len = (size_t)(stop - name);
        bool fits = kind == '#'
                        ? e->id != NULL && strlen(e->id) == len && memcmp(e->id, name, len) == 0
                    : kind == '.' ? has_class(e->classes, name, len)
                    : kind == ':' ? pseudo_fits(name, len, page, element)
                                  : equal(e->tag, name, len);
        if (len == 0 || !fits) {
            return false;
        }
        *rank += kind == '#' ? ID : kind == '.' || kind == ':' ? CLASS : TAG;
        at = stop;
    }
    return true;
}

/* From the right: the last compound, then what its combinator asks of its ancestors. */
static bool fits(const char *at, const char *end, const struct glmv_page *page, int element,
                 unsigned *rank)
{
    while (end > at && isspace((unsigned char)end[-1])) {
        end--;
    }
    const char *compound = end;
    for (int depth = 0; compound > at; compound--) {
        depth += compound[-1] == ')';
        depth -= compound[-1] == '(';
        if (depth == 0 && strchr(" \t\r\n>+~", compound[-1]) != NULL) {
            break;
        }
    }
    if (!compound_fits(compound, end, page, element, rank)) {
        return false;
    }
    while (compound > at && isspace((unsigned char)compound[-1])) {
        compound--;
    }
    if (compound == at) {
        return true;
    }
    char combinator = compound[-1];
    if (combinator == '+' || combinator == '~') {
        return false;
    }
    compound -= combinator == '>';
    for (int up = page->elements[element].parent; up >= 0; up = page->elements[up].parent) {
        unsigned more = 0;
        if (fits(at, compound, page, up, &more)) {
            *rank += more;
            return true;
        }
        if (combinator == '>') {
            return false;
        }
    }
    return false;
}

unsigned replicate_selector_fits(const char *list, size_t len, const struct glmv_page *page,
                                 int element)
{
    unsigned best = 0;
    const char *at = list, *end = list + len;
    while (at < end) {
        const char *stop = at;
        for (int depth = 0; stop < end && (*stop != ',' || depth > 0); stop++) {
            depth += *stop == '(';
            depth -= *stop == ')';
        }
        const char *from = at;
        while (from < stop && isspace((unsigned char)*from)) {
            from++;
        }
        unsigned rank = 0;
        if (from < stop && fits(from, stop, page, element, &rank)) {
            best = rank + 1 > best ? rank + 1 : best;
        }
        at = stop + 1;
    }
    return best;
}
