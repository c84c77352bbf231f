#include "htmlfix/tree.h"

#include <stdlib.h>

#include "htmlfix/chars.h"
#include "htmlfix/markers.h"

#define NONE HTMLFIX_NOWHERE

void htmlfix_tree_init(struct htmlfix_tree *tree, const char *text, struct htmlfix_edits *edits)
{
    *tree = (struct htmlfix_tree){.text = text, .edits = edits, .lost = NONE};
    for (size_t i = 0; i < HTMLFIX_SLOTS; i++) {
        tree->last[i] = tree->pending[i] = NONE;
    }
}

void htmlfix_tree_release(struct htmlfix_tree *tree)
{
    free(tree->stack);
    free(tree->guesses);
    tree->stack = NULL;
    tree->guesses = NULL;
}

bool htmlfix_tree_foreign(const struct htmlfix_tree *tree)
{
    return tree->depth > 0 && tree->stack[tree->depth - 1].foreign;
}

unsigned htmlfix_slot(const char *text, const struct htmlfix_token *token)
{
    if (token->tag != 0) {
        return token->tag;
    }
    unsigned hash = 5381;
    for (size_t i = 0; i < token->name_len; i++) {
        hash = hash * 33 + (unsigned char)htmlfix_lower(text[token->name + i]);
    }
    return HTMLFIX_TAG_COUNT + hash % 64;
}

static bool same_name(const char *text, size_t a, size_t b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (htmlfix_lower(text[a + i]) != htmlfix_lower(text[b + i])) {
            return false;
        }
    }
    return true;
}

bool htmlfix_tree_put(struct htmlfix_tree *tree, unsigned slot, struct htmlfix_edit edit,
                      struct glmv_err *err)
{
    edit.earlier = tree->pending[slot];
    tree->pending[slot] = tree->edits->count;
    return htmlfix_edit_add(tree->edits, edit, err);
}

static bool put_end(struct htmlfix_tree *tree, const struct htmlfix_open *e, size_t at,
                    struct glmv_err *err)
{
    struct htmlfix_edit edit = {.at = at,
                                .before = "</",
                                .slice = tree->text + e->name,
                                .slice_len = e->name_len,
                                .after = ">"};
    tree->first_put = tree->put_in++ == 0 ? at : tree->first_put;
    return htmlfix_tree_put(tree, e->slot, edit, err);
}

static void add_guess(struct htmlfix_tree *tree, size_t begin, size_t at, bool level)
{
    if (tree->guesses == NULL) {
        tree->guesses = calloc(HTMLFIX_MAX_GUESSES, sizeof *tree->guesses);
    }
    if (tree->guesses != NULL && tree->guess_count < HTMLFIX_MAX_GUESSES) {
        tree->guesses[tree->guess_count++] = (struct htmlfix_guess){begin, at, level};
    }
}

/* Keeps what the indentation says of an element that ends elsewhere. Without memory it is lost. */
static void guess(struct htmlfix_tree *tree, const struct htmlfix_open *e)
{
    if (e->suspect != NONE) {
        add_guess(tree, e->begin, e->suspect, e->suspect != e->outside);
    }
    if (e->outside != NONE && e->outside != e->suspect) {
        add_guess(tree, e->begin, e->outside, false);
    }
}

static void pop(struct htmlfix_tree *tree)
{
    struct htmlfix_open *e = &tree->stack[--tree->depth];
    if (!e->gone) {
        tree->last[e->slot] = e->same;
    }
}

/* The top element ends at a place without an end tag of its own. outer: by the end of a block,
 * which the parser lets end everything but formatting. */
static bool pop_unclosed(struct htmlfix_tree *tree, size_t at, bool outer, struct glmv_err *err)
{
    struct htmlfix_open e = tree->stack[tree->depth - 1];
    pop(tree);
    if ((e.traits & HTMLFIX_OPTIONAL) != 0) {
        return true;
    }
    guess(tree, &e);
    if (tree->lost == NONE) {
        tree->lost = e.begin;
        tree->found = at;
    }
    if (!outer || (e.traits & HTMLFIX_FORMAT) != 0) {
        return put_end(tree, &e, at, err);
    }
    tree->unclosed++;
    return true;
}

static bool pop_to(struct htmlfix_tree *tree, size_t index, size_t at, bool outer,
                   struct glmv_err *err)
{
    bool ok = true;
    size_t format = index; /* the lowest formatting element that gets an end tag */
    while (format < tree->depth && (tree->stack[format].traits & HTMLFIX_FORMAT) == 0) {
        format++;
    }
    while (ok && tree->depth > index) {
        struct htmlfix_open e = tree->stack[tree->depth - 1];
        if (!e.gone && tree->depth - 1 > format && (e.traits & HTMLFIX_OPTIONAL) != 0) {
            pop(tree); /* an open paragraph would be split by the end tag of formatting */
            ok = put_end(tree, &e, at, err);
        } else {
            ok = pop_unclosed(tree, at, outer, err);
        }
    }
    return ok;
}

/* -- what a start tag ends -------------------------------------------------------------------- */

/* The topmost open element of a name above the topmost of its containers; NONE without one. */
static size_t within(const struct htmlfix_tree *tree, const char *name, const char *const *outer)
{
    size_t index = tree->last[htmlfix_tag_find(name, strlen(name))];
    size_t template = tree->last[htmlfix_tag_find("template", 8)];
    index = template != NONE && index != NONE && template > index ? NONE : index;
    for (; index != NONE && *outer != NULL; outer++) {
        size_t container = tree->last[htmlfix_tag_find(*outer, strlen(*outer))];
        index = container != NONE && container > index ? NONE : index;
    }
    return index;
}

static const struct {
    const char *start, *ends, *outer[6];
} implied[] = {
    {"li", "li", {"ul", "ol", "menu", "dir", "table", NULL}},
    {"dt", "dd", {"dl", "table", NULL}},
    {"dt", "dt", {"dl", "table", NULL}},
    {"dd", "dd", {"dl", "table", NULL}},
    {"dd", "dt", {"dl", "table", NULL}},
    {"option", "option", {"select", "datalist", "optgroup", NULL}},
    {"optgroup", "option", {"select", NULL}},
    {"optgroup", "optgroup", {"select", NULL}},
    {"td", "td", {"table", "tr", NULL}},
    {"td", "th", {"table", "tr", NULL}},
    {"th", "td", {"table", "tr", NULL}},
    {"th", "th", {"table", "tr", NULL}},
    {"tr", "tr", {"table", NULL}},
    {"tbody", "thead", {"table", NULL}},
    {"tbody", "tbody", {"table", NULL}},
    {"tfoot", "thead", {"table", NULL}},
    {"tfoot", "tbody", {"table", NULL}},
    {"thead", "tbody", {"table", NULL}},
};

static bool end_implied(struct htmlfix_tree *tree, const struct htmlfix_token *token,
                        unsigned traits, struct glmv_err *err)
{
    static const char *const paragraph_outer[] = {"button", NULL};
    bool ok = true;
    size_t top = tree->depth;
    if (htmlfix_tree_foreign(tree)) {
        if ((traits & HTMLFIX_BREAKOUT) == 0) {
            return true;
        }
        while (top > 0 && tree->stack[top - 1].foreign) {
            top--;
        }
        return pop_to(tree, top, token->begin, true, err);
    }
    const char *name = htmlfix_tag_get(token->tag)->name;
    for (size_t i = 0;
         ok && (traits & HTMLFIX_OPTIONAL) != 0 && i < sizeof implied / sizeof implied[0]; i++) {
        if (strcmp(implied[i].start, name) != 0) {
            continue;
        }
        size_t index = within(tree, implied[i].ends, implied[i].outer);
        size_t scope = tree->depth > 0 ? tree->stack[tree->depth - 1].scope : NONE;
        bool reached = (traits & HTMLFIX_TABLE) != 0 || scope == NONE || scope <= index;
        if (index != NONE && reached) {
            ok = pop_to(tree, index + 1, token->begin, true, err);
            if (ok) {
                pop(tree);
            }
        }
    }
    if (ok && (traits & HTMLFIX_BLOCK) != 0) {
        size_t p = within(tree, "p", paragraph_outer);
        if (p != NONE && (tree->stack[tree->depth - 1].scope == NONE ||
                          tree->stack[tree->depth - 1].scope <= p)) {
            ok = pop_to(tree, p + 1, token->begin, true, err);
            if (ok) {
                pop(tree);
            }
        }
    }
    return ok;
}

/* -- indentation ------------------------------------------------------------------------------ */

enum { LOOK_BACK = 24 }; /* open elements that are compared with a line's indentation */

static size_t column(const char *text, size_t at)
{
    size_t line = at;
    while (line > 0 && (text[line - 1] == ' ' || text[line - 1] == '\t')) {
        line--;
    }
    return line == 0 || text[line - 1] == '\n' ? at - line : NONE;
}

/* A number below 4096 for the start tag at a place, which a '>' ends somewhere. */
static unsigned tag_hash(const char *text, size_t at)
{
    unsigned hash = 5381;
    for (size_t i = 0; i < 200 && text[at + i] != '>'; i++) {
        hash = hash * 33 ^ (unsigned char)text[at + i];
    }
    return (hash ^ hash >> 12) & 4095;
}

/* Whether the tag that starts a line is the start tag of an element once more: the next of a row.
 */
static bool is_next(const char *text, const struct htmlfix_open *e, size_t at)
{
    size_t len = e->end - e->begin;
    return e->begin + 1 + e->name_len + 1 < e->end && strncmp(text + at, text + e->begin, len) == 0;
}

/* A tag that starts a line: elements indented as much or more should have ended before. */
static void suspect(struct htmlfix_tree *tree, size_t at, size_t place, bool equal)
{
    struct htmlfix_open *top = tree->depth > 0 ? &tree->stack[tree->depth - 1] : NULL;
    if (top != NULL && top->column == place && equal &&
        htmlfix_skip_space(tree->text, at, top->end) == at) {
        top->flat = true; /* its first child */
    }
    for (size_t i = tree->depth, n = 0; i > 0 && n < LOOK_BACK; i--, n++) {
        struct htmlfix_open *e = &tree->stack[i - 1];
        bool next = equal && e->column == place && is_next(tree->text, e, at);
        if (e->column == NONE || (e->flat && equal && e->column == place && !next)) {
            continue;
        }
        if (e->column < place || (e->column == place && !equal)) {
            return;
        }
        size_t line = htmlfix_line_begin(tree->text, at, e->begin);
        e->suspect = e->suspect == NONE ? line : e->suspect;
        e->outside = e->outside == NONE && (e->column > place || next) ? line : e->outside;
    }
}

/* -- tags ------------------------------------------------------------------------------------- */

static bool push(struct htmlfix_tree *tree, struct htmlfix_open open, struct glmv_err *err)
{
    if (tree->depth == HTMLFIX_MAX_DEPTH) {
        tree->beyond++;
        return true;
    }
    if (tree->depth == tree->room) {
        size_t room = tree->room == 0 ? 64 : tree->room * 2;
        struct htmlfix_open *grown = realloc(tree->stack, room * sizeof *grown);
        if (grown == NULL) {
            return glmv_fail_memory(err);
        }
        tree->stack = grown;
        tree->room = room;
    }
    tree->last[open.slot] = tree->depth;
    tree->stack[tree->depth++] = open;
    return true;
}

bool htmlfix_tree_open(struct htmlfix_tree *tree, const struct htmlfix_token *token,
                       struct glmv_err *err)
{
    unsigned traits = htmlfix_tag_get(token->tag)->traits;
    size_t place = column(tree->text, token->begin);
    if (place != NONE && (place > 0 || (traits & HTMLFIX_CODE) == 0)) { /* <pre> often has none */
        suspect(tree, token->begin, place, true);
    }
    if (!end_implied(tree, token, traits, err)) {
        return false;
    }
    for (size_t i = 0; token->tag == 0 && i < token->name_len; i++) {
        if (strchr("\"'<>\\`()&;={}", tree->text[token->name + i]) != NULL) {
            return true; /* no name that anybody could close */
        }
    }
    bool inside = htmlfix_tree_foreign(tree);
    if (!inside && (traits & HTMLFIX_TABLE) != 0 &&
        tree->last[htmlfix_tag_find("table", 5)] == NONE &&
        tree->last[htmlfix_tag_find("template", 8)] == NONE) {
        return true; /* the parser ignores it outside of a table */
    }
    if ((inside && token->closed) || (!inside && (traits & HTMLFIX_VOID) != 0)) {
        return true;
    }
    struct htmlfix_open *top = tree->depth > 0 ? &tree->stack[tree->depth - 1] : NULL;
    struct htmlfix_open open = {.slot = htmlfix_slot(tree->text, token),
                                .traits = inside ? traits & HTMLFIX_PORTAL : traits,
                                .begin = token->begin,
                                .end = token->end,
                                .name = token->name,
                                .name_len = token->name_len,
                                .column = place,
                                .suspect = NONE,
                                .outside = NONE};
    open.same = tree->last[open.slot];
    open.scope = (open.traits & HTMLFIX_SCOPE) != 0 || (inside && (traits & HTMLFIX_PORTAL) != 0)
                     ? tree->depth
                 : top != NULL ? top->scope
                               : NONE;
    open.foreign = inside ? (traits & HTMLFIX_PORTAL) == 0 : (traits & HTMLFIX_FOREIGN) != 0;
    return push(tree, open, err);
}

/* The open element that an end tag ends. */
static size_t match(const struct htmlfix_tree *tree, const struct htmlfix_token *token,
                    unsigned slot)
{
    size_t index = tree->last[slot];
    if (index != NONE && slot >= HTMLFIX_TAG_COUNT &&
        (tree->stack[index].name_len != token->name_len ||
         !same_name(tree->text, tree->stack[index].name, token->name, token->name_len))) {
        return NONE; /* another name with the same hash */
    }
    return index;
}

bool htmlfix_tree_level(const struct htmlfix_tree *tree, size_t begin)
{
    unsigned bit = tag_hash(tree->text, begin);
    return (tree->level[bit / 64] >> bit % 64 & 1) != 0;
}

/* Compares an end tag's place with that of the start tag. */
static void compare_columns(struct htmlfix_tree *tree, size_t index, size_t at, size_t place)
{
    if (place != NONE) {
        suspect(tree, at, place, tree->stack[index].column != place);
    }
    const struct htmlfix_open *e = &tree->stack[index];
    bool differs = place != NONE && e->column != NONE && e->column != place;
    if (differs || e->suspect != NONE) {
        tree->odd++;
        if (!differs && e->outside == NONE) {
            unsigned bit = tag_hash(tree->text, e->begin);
            tree->level[bit / 64] |= (uint64_t)1 << bit % 64;
        }
        guess(tree, e);
    }
}

/* Whether an element is open above an index that is neither formatting nor ends by itself. */
static bool holds_block(const struct htmlfix_tree *tree, size_t index)
{
    static const unsigned light = HTMLFIX_FORMAT | HTMLFIX_OPTIONAL;
    size_t above = index + 1;
    while (above < tree->depth && (tree->stack[above].traits & light) != 0) {
        above++;
    }
    return above < tree->depth;
}

bool htmlfix_tree_close(struct htmlfix_tree *tree, const struct htmlfix_token *token,
                        struct glmv_err *err)
{
    unsigned slot = htmlfix_slot(tree->text, token);
    unsigned traits = htmlfix_tag_get(token->tag)->traits;
    if (tree->beyond > 0) {
        tree->beyond--;
        return true;
    }
    size_t place = column(tree->text, token->begin);
    size_t index = match(tree, token, slot);
    if (index == NONE) {
        size_t waiting = tree->pending[slot];
        if (waiting != NONE) { /* misnested, not missing: the parser knows what to do */
            tree->edits->list[waiting].dead = true;
            tree->pending[slot] = tree->edits->list[waiting].earlier;
            tree->put_in -= tree->edits->list[waiting].cut == 0 ? 1 : 0;
        }
        return true;
    }
    static const unsigned through = HTMLFIX_SCOPE | HTMLFIX_OPTIONAL;
    size_t scope = tree->stack[tree->depth - 1].scope;
    bool table = (traits & through) != 0 && strcmp(htmlfix_tag_get(token->tag)->name, "p") != 0 &&
                 strcmp(htmlfix_tag_get(token->tag)->name, "li") != 0;
    if (scope != NONE && scope > index && !table) {
        compare_columns(tree, scope, token->begin, place);
        return true; /* the parser ignores it */
    }
    compare_columns(tree, index, token->begin, place);
    if (strcmp(htmlfix_tag_get(token->tag)->name, "form") == 0 && holds_block(tree, index)) {
        struct htmlfix_open *form = &tree->stack[index]; /* ends without ending what is in it */
        tree->last[slot] = form->same;
        form->gone = true;
        form->traits |= HTMLFIX_OPTIONAL;
        return true;
    }
    static const unsigned blocks = HTMLFIX_BLOCK | HTMLFIX_SCOPE | HTMLFIX_OPTIONAL;
    bool foreign = tree->stack[index].foreign || (tree->depth > 0 && htmlfix_tree_foreign(tree));
    if (!pop_to(tree, index + 1, token->begin, foreign || (traits & blocks) != 0, err)) {
        return false;
    }
    pop(tree);
    return true;
}

bool htmlfix_tree_finish(struct htmlfix_tree *tree, size_t at, bool write, bool *wrote,
                         struct glmv_err *err)
{
    bool ok = true;
    size_t first = 0; /* the lowest element that needs an end tag; then all above it get one */
    while (first < tree->depth && (tree->stack[first].traits & HTMLFIX_OPTIONAL) != 0) {
        first++;
    }
    while (ok && tree->depth > 0) {
        struct htmlfix_open e = tree->stack[tree->depth - 1];
        if (write && !e.gone && tree->depth > first) {
            pop(tree);
            ok = put_end(tree, &e, at, err);
            *wrote = true;
        } else if (!write && (e.traits & HTMLFIX_FORMAT) != 0) {
            pop(tree); /* nothing follows that it could reach */
        } else {
            ok = pop_unclosed(tree, at, true, err);
        }
    }
    return ok;
}

void htmlfix_tree_pass(struct htmlfix_tree *tree, const struct htmlfix_token *token)
{
    size_t place = column(tree->text, token->begin);
    if (place != NONE) {
        suspect(tree, token->begin, place, true);
    }
}

bool htmlfix_tree_end(struct htmlfix_tree *tree, const struct htmlfix_guess *guess,
                      struct glmv_err *err)
{
    size_t index = tree->depth;
    while (index > 0 && tree->stack[index - 1].begin > guess->begin) {
        index--;
    }
    if (index == 0 || tree->stack[index - 1].begin != guess->begin) {
        return true;
    }
    if (!pop_to(tree, index, guess->at, true, err)) {
        return false;
    }
    struct htmlfix_open e = tree->stack[tree->depth - 1];
    struct htmlfix_edit edit = {.at = guess->at,
                                .before = "</",
                                .slice = tree->text + e.name,
                                .slice_len = e.name_len,
                                .after = ">",
                                .earlier = NONE};
    pop(tree);
    return htmlfix_edit_add(tree->edits, edit, err);
}
