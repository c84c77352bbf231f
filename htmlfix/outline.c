/* The whole answer: what is thinking, what is fenced, where documents are. */
#include "htmlfix/outline.h"

#include "htmlfix/chars.h"
#include "htmlfix/markers.h"
#include "htmlfix/scan.h"
#include "htmlfix/tags.h"

struct walk {
    const char *text;
    size_t len;
    struct htmlfix_outline *out;
    unsigned patience;
    size_t think; /* where thinking starts that has not ended; HTMLFIX_NOWHERE: none */
    bool in_fence;
    char fence_byte;
    size_t fence_run;
    char language[12]; /* of the open fence, lower case */
    size_t fence_body;
    size_t lead; /* comments and white space up to here belong to what follows */
    size_t lead_end;
};

static const char *const thinking[] = {"think", "thinking", "reasoning", "thought"};

/* Bytes of a tag of thinking at a place, or 0. */
static size_t think_tag(const char *text, size_t len, size_t at, bool closing)
{
    size_t name = at + (closing ? 2 : 1);
    if (closing && (at + 1 >= len || text[at + 1] != '/')) {
        return 0;
    }
    for (size_t i = 0; i < sizeof thinking / sizeof thinking[0]; i++) {
        size_t size = strlen(thinking[i]);
        if (htmlfix_at(text, len, name, thinking[i]) && name + size < len &&
            text[name + size] == '>') {
            return name + size + 1 - at;
        }
    }
    return 0;
}

static void forget(struct walk *w, size_t at)
{
    struct htmlfix_outline *o = w->out;
    o->documents = 0;
    o->side_count = 0;
    o->fence = (struct htmlfix_span){0, 0};
    o->begin = at;
    w->in_fence = false;
}

/* Whether a document starts in what follows the end of thinking; else it may be a mere mention. */
static void close_thinking(struct walk *w, size_t at, size_t size)
{
    size_t from = w->think != HTMLFIX_NOWHERE ? w->think : w->out->begin;
    w->out->thinking = (struct htmlfix_span){from, at + size};
    w->think = HTMLFIX_NOWHERE;
    forget(w, at + size);
}

static bool is_language(const struct walk *w, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(w->language, *names) == 0) {
            return true;
        }
    }
    return false;
}

static void close_fence(struct walk *w, size_t end, bool cut)
{
    static const char *const scripts[] = {"js", "javascript", "mjs", NULL};
    static const char *const styles[] = {"css", NULL};
    struct htmlfix_outline *o = w->out;
    struct htmlfix_span body = {w->fence_body, end};
    bool script = is_language(w, scripts);
    w->in_fence = false;
    if (script || is_language(w, styles)) {
        if (o->side_count < HTMLFIX_MAX_SIDES && !cut &&
            htmlfix_skip_space(w->text, end, body.begin) < end) {
            o->sides[o->side_count++] = (struct htmlfix_side){body, script};
        }
        return;
    }
    size_t first = htmlfix_skip_space(w->text, end, body.begin);
    if (first + 1 < end && w->text[first] == '<' &&
        (htmlfix_letter(w->text[first + 1]) || w->text[first + 1] == '!')) {
        o->fence = body;
        o->fence_cut = cut;
    }
}

/* At a run of three or more; returns where to go on. */
static size_t meet_fence(struct walk *w, size_t at)
{
    size_t run = htmlfix_run(w->text, w->len, at), after = at + run;
    if (w->in_fence) {
        if (w->text[at] == w->fence_byte && run >= w->fence_run &&
            htmlfix_ends_line(w->text, w->len, after)) {
            close_fence(w, htmlfix_line_begin(w->text, at, w->fence_body), false);
        }
        if (!w->in_fence || htmlfix_skip_space(w->text, at, w->fence_body) < at ||
            htmlfix_ends_line(w->text, w->len, after)) {
            return after;
        } /* a fence that holds nothing but fences */
    }
    w->in_fence = true;
    w->fence_byte = w->text[at];
    w->fence_run = run;
    size_t size = 0;
    while (after < w->len && w->text[after] == ' ') {
        after++;
    }
    while (after < w->len && !htmlfix_space(w->text[after]) && w->text[after] != '<' &&
           w->text[after] != w->fence_byte) {
        if (size + 1 < sizeof w->language) {
            w->language[size++] = htmlfix_lower(w->text[after]);
        }
        after++;
    }
    w->language[size] = '\0';
    size_t line = htmlfix_byte(w->text, w->len, after, '\n');
    size_t tag = htmlfix_byte(w->text, line == HTMLFIX_NOWHERE ? w->len : line, after, '<');
    if (tag == HTMLFIX_NOWHERE && line != HTMLFIX_NOWHERE) {
        after = line + 1; /* the rest of an info string */
    }
    w->fence_body = after;
    return after;
}

/* In backticks or quotes: somebody speaks of the tag. */
static bool is_mention(const char *text, size_t len, size_t at)
{
    char before = at > 0 ? text[at - 1] : '\n';
    if (before != '`' || (at > 1 && text[at - 2] == '`')) {
        return false;
    }
    size_t end = htmlfix_byte(text, len - at < 64 ? len : at + 64, at, '>');
    return end != HTMLFIX_NOWHERE && end + 1 < len && text[end + 1] == '`';
}

static size_t meet_document(struct walk *w, size_t at)
{
    struct htmlfix_outline *o = w->out;
    struct htmlfix_document d;
    size_t next;
    htmlfix_document_scan(w->text, w->len, at, false, &w->patience, &d, &next);
    if (!d.complete && d.elements == 0) {
        return next > at ? next : at + 1; /* a mention, or too little to show */
    }
    d.begin = w->lead_end == at ? w->lead : at;
    bool first = o->documents == 0;
    bool longer = first || (!o->best.complete && d.end - d.begin > o->best.end - o->best.begin);
    if (d.complete || longer) {
        if (d.complete && !first && o->best.complete) {
            o->side_count = 0; /* what stood before belongs to the version before */
        }
        o->best = d;
    }
    o->documents++;
    return next > at ? next : at + 1;
}

/* Past a comment, an XML declaration or one byte; keeps what may lead a document. */
static size_t meet_angle(struct walk *w, size_t at)
{
    const char *text = w->text;
    size_t closing = think_tag(text, w->len, at, true);
    if (closing > 0) {
        close_thinking(w, at, closing);
        return at + closing;
    }
    size_t opening = think_tag(text, w->len, at, false);
    bool starts = htmlfix_starts_line(text, at, 0) || text[at - 1] == '>';
    if (opening > 0 && starts && w->think == HTMLFIX_NOWHERE) {
        static const char close[] = "</think>";
        size_t end = htmlfix_word(text, w->len, at + opening, opening == 7 ? close : "</");
        while (end != HTMLFIX_NOWHERE && think_tag(text, w->len, end, true) == 0) {
            end = htmlfix_word(text, w->len, end + 1, "</");
        }
        if (end == HTMLFIX_NOWHERE && w->out->documents > 0) {
            return w->len; /* there is an answer before it */
        }
        w->think = at;
        return end == HTMLFIX_NOWHERE ? w->len : end; /* drafts in between don't matter */
    }
    if (htmlfix_document_starts(text, w->len, at) && !is_mention(text, w->len, at)) {
        return meet_document(w, at);
    }
    bool comment = htmlfix_at(text, w->len, at, "<!--");
    if (w->patience > 0 && (comment || htmlfix_at(text, w->len, at, "<?xml"))) {
        struct htmlfix_token token;
        /* a comment that leads a document is short; a limit keeps the search linear */
        size_t far = w->len - at > 65536 ? at + 65536 : w->len;
        htmlfix_scan(text, far, at, &token);
        if (!token.whole) {
            w->patience--;
            return at + 1;
        }
        w->lead = w->lead_end == at ? w->lead : at;
        w->lead_end = htmlfix_skip_space(text, w->len, token.end);
        return w->lead_end;
    }
    return at + 1;
}

void htmlfix_outline_read(const char *text, size_t len, struct htmlfix_outline *outline)
{
    *outline = (struct htmlfix_outline){0};
    struct walk w = {.text = text,
                     .len = len,
                     .out = outline,
                     .patience = HTMLFIX_PATIENCE,
                     .think = HTMLFIX_NOWHERE,
                     .lead_end = HTMLFIX_NOWHERE};
    for (size_t at = 0; at < len;) {
        char c = text[at];
        if (c == '<') {
            at = meet_angle(&w, at);
        } else if ((c == '`' || c == '~') && at + 2 < len && text[at + 1] == c &&
                   text[at + 2] == c) {
            at = meet_fence(&w, at);
        } else {
            at++;
        }
    }
    if (w.in_fence) {
        close_fence(&w, len, true);
    }
    outline->unclosed_think = w.think != HTMLFIX_NOWHERE;
    if (outline->unclosed_think) {
        outline->documents = 0;
        outline->fence = (struct htmlfix_span){0, 0};
        outline->thinking = (struct htmlfix_span){w.think, len};
    }
}

size_t htmlfix_skip_lead(const char *text, size_t len, size_t at)
{
    for (;;) {
        at = htmlfix_skip_space(text, len, at);
        if (at >= len) {
            return at;
        }
        size_t role = htmlfix_role(text, len, at);
        if (role > 0) {
            at += role;
            continue;
        }
        if (htmlfix_at(text, len, at, "\xef\xbb\xbf")) {
            at += 3;
            continue;
        }
        if (text[at] == '<') {
            struct htmlfix_token token;
            htmlfix_scan(text, len, at, &token);
            if (token.kind != HTMLFIX_START || !token.whole ||
                (htmlfix_tag_get(token.tag)->traits & HTMLFIX_WRAPPER) == 0) {
                return at;
            }
            at = token.end;
            continue;
        }
        bool fence = (text[at] == '`' || text[at] == '~') && htmlfix_run(text, len, at) >= 3;
        size_t line = fence ? htmlfix_byte(text, len, at, '\n') : HTMLFIX_NOWHERE;
        if (line == HTMLFIX_NOWHERE) {
            return at;
        }
        at = line + 1;
    }
}

bool htmlfix_fragment_find(const char *text, size_t len, size_t from,
                           struct htmlfix_document *fragment)
{
    size_t lead = htmlfix_skip_lead(text, len, from);
    while (lead + 2 < len && text[lead] == '\\') { /* line ends, escaped */
        size_t letter = lead;
        while (letter < len && text[letter] == '\\') {
            letter++;
        }
        if (letter == len || (text[letter] != 'n' && text[letter] != 't' && text[letter] != 'r')) {
            break;
        }
        lead = htmlfix_skip_space(text, len, letter + 1);
    }
    for (size_t at = from; (at = htmlfix_byte(text, len, at, '<')) != HTMLFIX_NOWHERE; at++) {
        if (!htmlfix_starts_line(text, at, from) && lead != at) {
            continue;
        }
        struct htmlfix_token token;
        size_t next;
        htmlfix_scan(text, len, at, &token);
        unsigned traits = htmlfix_tag_get(token.tag)->traits;
        if (token.kind != HTMLFIX_START || !token.whole || token.tag == 0 ||
            (traits & HTMLFIX_WRAPPER) != 0 || htmlfix_document_starts(text, len, at)) {
            if (!token.whole) {
                return false; /* the text ends in it */
            }
            at = token.end - 1;
            continue;
        }
        size_t close = htmlfix_byte(text, len, token.end, '<');
        if (close == HTMLFIX_NOWHERE && (traits & HTMLFIX_VOID) == 0) {
            return false; /* one tag and no end of anything: a mention */
        }
        unsigned patience = HTMLFIX_PATIENCE;
        htmlfix_document_scan(text, len, at, true, &patience, fragment, &next);
        return true;
    }
    return false;
}
