/* The order of things: bytes, thinking, envelopes, escapes, the document, repairs. */
#include "htmlfix/htmlfix.h"

#include <string.h>

#include "htmlfix/attributes.h"
#include "htmlfix/chars.h"
#include "htmlfix/envelope.h"
#include "htmlfix/fine.h"
#include "htmlfix/outline.h"
#include "htmlfix/repair.h"
#include "htmlfix/report.h"
#include "htmlfix/scan.h"
#include "htmlfix/tags.h"

enum {
    MAX_VIEWS = 8,       /* envelopes in envelopes */
    MAX_LEVELS = 3,      /* of backslashes */
    MAX_PASSES = 64,     /* over the result, until nothing changes ... */
    MAX_AGAIN = 8 << 20, /* ... of so many bytes in all, ... */
    MIN_PASSES = 8,      /* ... but so many of any page */
};

const char *glmv_fix_name(enum glmv_fix_flag flag)
{
    static const char *const names[GLMV_FIX_FLAGS] = {
        "around",    "thinking",  "duplicate", "truncated", "no_html", "unclosed_think",
        "no_answer", "unescaped", "envelope",  "fragment",  "inlined", "elided",
        "loop",      "unclosed",  "jsx",       "quotes",    "base64",  "bytes"};
    for (unsigned i = 0; i < GLMV_FIX_FLAGS; i++) {
        if ((unsigned)flag == 1u << i) {
            return names[i];
        }
    }
    return "unknown";
}

void htmlfix_note(struct htmlfix_report *report, enum glmv_fix_flag flag, size_t begin, size_t end,
                  const char *sentence)
{
    struct glmv_fix *fix = report->fix;
    bool first = (fix->flags & (unsigned)flag) == 0;
    fix->flags |= (unsigned)flag;
    /* the last places are kept for flags that have none yet */
    size_t room = first ? GLMV_FIX_MAX_NOTES : GLMV_FIX_MAX_NOTES - GLMV_FIX_FLAGS;
    if (fix->note_count < room) {
        fix->notes[fix->note_count++] =
            (struct glmv_fix_note){flag, htmlfix_view_origin(report->view, begin),
                                   htmlfix_view_origin(report->view, end), sentence};
    }
}

struct work {
    struct htmlfix_view views[MAX_VIEWS];
    size_t count;
    struct htmlfix_report report;
    struct htmlfix_outline outline;
    struct htmlfix_document document;
    bool fragment;
    int levels; /* of backslashes that were undone */
};

static const struct htmlfix_view *view_of(struct work *w)
{
    return &w->views[w->count - 1];
}

/* Goes on with a decoded part of the text. */
static bool enter(struct work *w, size_t begin, size_t end, enum htmlfix_coding coding,
                  struct glmv_err *err)
{
    w->count++;
    bool ok = htmlfix_view_decode(&w->views[w->count - 1], &w->views[w->count - 2], begin, end,
                                  coding, err);
    w->report.view = view_of(w);
    return ok;
}

static void note_lead(struct work *w, size_t begin)
{
    if (htmlfix_skip_lead(view_of(w)->text, begin, 0) < begin) {
        htmlfix_note(&w->report, GLMV_FIX_AROUND, 0, begin,
                     "What stands before the document was left out.");
    }
}

/* *again: whether there were backslashes to undo. */
static bool undo_backslashes(struct work *w, size_t begin, size_t end, bool *again,
                             struct glmv_err *err)
{
    bool more = w->count < MAX_VIEWS && w->levels < MAX_LEVELS;
    enum htmlfix_escapes found =
        more ? htmlfix_envelope_backslash(view_of(w)->text + begin, end - begin)
             : HTMLFIX_NO_ESCAPES;
    *again = found != HTMLFIX_NO_ESCAPES;
    if (!*again) {
        return true;
    }
    bool slashes = found == HTMLFIX_SLASHES_ESCAPED;
    htmlfix_note(&w->report, GLMV_FIX_UNESCAPED, begin, end,
                 slashes ? "Slashes of end tags were written with backslashes."
                         : "Line ends or quotes of the markup were written with backslashes.");
    note_lead(w, begin);
    w->levels++;
    return enter(w, begin, end, slashes ? HTMLFIX_SLASH : HTMLFIX_BACKSLASH, err);
}

static bool open_json(struct work *w, struct htmlfix_span string, struct glmv_err *err)
{
    htmlfix_note(&w->report, GLMV_FIX_ENVELOPE, string.begin, string.end,
                 "The document was a string in JSON.");
    return enter(w, string.begin, string.end, HTMLFIX_STRING, err);
}

/* Whether an answer starts with a tag of HTML before a fence: the fence is the piece's own. */
static bool starts_before(const struct htmlfix_view *view, size_t from, size_t fence)
{
    size_t lead = htmlfix_skip_lead(view->text, view->len, from);
    if (lead >= fence || view->text[lead] != '<') {
        return false;
    }
    struct htmlfix_token token;
    htmlfix_scan(view->text, view->len, lead, &token);
    return token.kind == HTMLFIX_START && token.tag != 0;
}

/* A piece of a page: a fence that holds markup, or a text that starts with it. */
static bool find_fragment(struct work *w)
{
    const struct htmlfix_view *view = view_of(w);
    struct htmlfix_outline *o = &w->outline;
    size_t begin = o->begin, end = view->len;
    bool fenced = o->fence.end > o->fence.begin && !starts_before(view, o->begin, o->fence.begin);
    if (fenced) {
        begin = o->fence.begin;
        end = o->fence.end;
    }
    w->fragment = htmlfix_fragment_find(view->text, end, begin, &w->document);
    if (w->fragment && fenced) {
        w->document.cut = w->document.cut && o->fence_cut;
    }
    return w->fragment;
}

/* Whether a fragment only shows code: what is meant is in there. */
static bool shows_code(const struct work *w)
{
    const struct htmlfix_view *view = &w->views[w->count - 1];
    return htmlfix_at(view->text, view->len, w->document.begin, "<pre") ||
           htmlfix_at(view->text, view->len, w->document.begin, "<code");
}

/* One look at the text. *again: an envelope was opened. False without *again: no page, or failed.
 */
static bool look(struct work *w, bool *again, struct glmv_err *err)
{
    const struct htmlfix_view *view = view_of(w);
    struct htmlfix_outline *o = &w->outline;
    struct htmlfix_span string = {0, 0};
    bool more = w->count < MAX_VIEWS;
    htmlfix_outline_read(view->text, view->len, o);
    *again = w->fragment = false;
    if (o->thinking.end > o->thinking.begin) {
        htmlfix_note(&w->report, o->unclosed_think ? GLMV_FIX_UNCLOSED_THINK : GLMV_FIX_THINKING,
                     o->thinking.begin, o->thinking.end,
                     o->unclosed_think ? "The answer never left its thinking."
                                       : "Thinking before the answer was left out.");
    }
    if (o->unclosed_think) {
        return false;
    }
    size_t lead = htmlfix_skip_lead(view->text, view->len, o->begin);
    if (more && (htmlfix_envelope_json(view->text, view->len, lead, &string) ||
                 (o->documents > 0 &&
                  htmlfix_envelope_string(view->text, view->len, o->best.begin, &string)))) {
        *again = true;
        return open_json(w, string, err);
    }
    if (o->documents > 0) {
        w->document = o->best;
        return undo_backslashes(w, o->best.begin, view->len, again, err);
    }
    bool found = find_fragment(w);
    size_t entities = more && (!found || shows_code(w))
                          ? htmlfix_envelope_entities(view->text, view->len, o->begin)
                          : HTMLFIX_NOWHERE;
    if (entities != HTMLFIX_NOWHERE) {
        *again = true;
        htmlfix_note(&w->report, GLMV_FIX_UNESCAPED, entities, view->len,
                     "The markup was written with entities.");
        note_lead(w, entities);
        return enter(w, entities, view->len, HTMLFIX_ENTITY, err);
    }
    return found && undo_backslashes(w, w->document.begin, w->document.end, again, err);
}

/* A document that is all of the text keeps the white space around it. */
static void settle_range(struct work *w)
{
    const struct htmlfix_view *view = view_of(w);
    struct htmlfix_document *d = &w->document;
    size_t mark = htmlfix_at(view->text, view->len, 0, "\xef\xbb\xbf") ? 3 : 0;
    bool alone = d->begin == htmlfix_skip_space(view->text, view->len, mark) &&
                 htmlfix_skip_space(view->text, view->len, d->end) == view->len &&
                 w->outline.documents <= 1;
    if (alone && !w->fragment) {
        d->begin = 0;
        d->end = view->len;
    } else if (!alone) {
        htmlfix_note(&w->report, GLMV_FIX_AROUND, d->begin, d->end,
                     "What stands around the document was left out.");
    }
    if (w->outline.documents > 1) {
        htmlfix_note(&w->report, GLMV_FIX_DUPLICATE, d->begin, d->end,
                     "Of several documents the last complete one was taken.");
    }
}

static void cut_loop(struct work *w)
{
    const struct htmlfix_view *view = view_of(w);
    struct htmlfix_document *d = &w->document;
    size_t period, end = d->end;
    while (end > d->begin && htmlfix_space(view->text[end - 1])) {
        end--;
    }
    size_t open = end;
    while (open > d->begin && view->text[open - 1] != '<') {
        open--;
    }
    if (open == d->begin) {
        return;
    }
    struct htmlfix_token last;
    htmlfix_scan(view->text, end, open - 1, &last);
    if (last.kind == HTMLFIX_START && !last.whole &&
        htmlfix_attributes_base64(view->text, end, &last) != HTMLFIX_NOWHERE) {
        return; /* a picture's bytes; the repair of the tag leaves them out */
    }
    size_t stop = htmlfix_loop_end(view->text, d->begin, end, &period);
    if (stop < end) {
        htmlfix_note(&w->report, GLMV_FIX_LOOP, stop, d->end,
                     "The end repeats itself; all but two repetitions were left out.");
        d->end = stop;
        d->cut = true;
    }
}

static bool wrap(const struct work *w, const struct glmv_buf *piece, struct glmv_buf *out,
                 struct glmv_err *err)
{
    size_t at = htmlfix_skip_space(piece->data, piece->len, 0);
    struct htmlfix_token token = {0};
    if (at < piece->len) {
        htmlfix_scan(piece->data, piece->len, at, &token);
    }
    unsigned traits = htmlfix_tag_get(token.tag)->traits;
    bool whole = (traits & (HTMLFIX_FRAME | HTMLFIX_HEAD)) != 0;
    (void)w;
    return glmv_buf_append_str(out,
                               whole ? "<!DOCTYPE html>\n<html>\n"
                                     : "<!DOCTYPE html>\n<html>\n<head>\n<meta "
                                       "charset=\"utf-8\">\n</head>\n<body>\n",
                               err) &&
           glmv_buf_append(out, piece->data, piece->len, err) &&
           glmv_buf_append_str(out, whole ? "\n</html>\n" : "\n</body>\n</html>\n", err);
}

/* Appends the page of a text for which look() found one. */
static bool write_page(struct work *w, struct glmv_buf *out, struct glmv_err *err)
{
    const struct htmlfix_view *view = view_of(w);
    struct htmlfix_repair_options options = {
        .sides = w->outline.sides, .side_count = w->outline.side_count, .fragment = w->fragment};
    settle_range(w);
    w->report.fix->start = htmlfix_view_origin(view, w->document.begin);
    w->report.fix->end = htmlfix_view_origin(view, w->document.end);
    if (!w->document.complete) {
        cut_loop(w);
    }
    if (!w->fragment) {
        return htmlfix_repair(&w->document, &options, &w->report, out, err);
    }
    htmlfix_note(&w->report, GLMV_FIX_FRAGMENT, w->document.begin, w->document.end,
                 "A piece of a page; a minimal document was put around it.");
    struct glmv_buf piece;
    glmv_buf_init(&piece, out->max);
    bool ok = htmlfix_repair(&w->document, &options, &w->report, &piece, err) &&
              wrap(w, &piece, out, err);
    glmv_buf_release(&piece);
    return ok;
}

static bool read_bytes(struct work *w, struct glmv_err *err)
{
    const struct htmlfix_view *view = view_of(w);
    size_t cut = htmlfix_cut_character(view->text, view->len);
    if (htmlfix_is_plain(view->text, view->len - cut) ||
        htmlfix_other_charset(view->text, view->len)) {
        return true;
    }
    htmlfix_note(&w->report, GLMV_FIX_BYTES, 0, view->len,
                 "NULs were left out and bytes that are no UTF-8 replaced.");
    return enter(w, 0, view->len - cut, HTMLFIX_PLAIN, err);
}

/* One pass. *page: whether there is one; false without an error in err too. */
static bool fix_once(const char *text, size_t len, struct glmv_buf *out, struct glmv_fix *fix,
                     struct glmv_err *err)
{
    struct work w = {.views = {{.text = text, .len = len}}, .count = 1};
    struct glmv_err reason = {0};
    bool again = true;
    w.report = (struct htmlfix_report){fix, &w.views[0]};
    bool ok = read_bytes(&w, &reason);
    while (ok && again) {
        ok = look(&w, &again, &reason);
    }
    size_t before = out->len;
    ok = ok && write_page(&w, out, &reason);
    if (!ok && reason.code == GLMV_ERR_NONE) {
        bool silent = htmlfix_skip_lead(text, len, 0) >= len;
        bool think = (fix->flags & GLMV_FIX_UNCLOSED_THINK) != 0;
        w.report.view = &w.views[0];
        if (silent || think || htmlfix_skip_lead(text, len, w.outline.begin) >= len) {
            htmlfix_note(&w.report, GLMV_FIX_NO_ANSWER, 0, len,
                         think ? "All of it is thinking." : "There is no answer in it.");
        }
        htmlfix_note(&w.report, GLMV_FIX_NO_HTML, 0, len, "There is no HTML document in it.");
        glmv_fail(&reason, GLMV_ERR_FORMAT,
                  think ? "the answer is all thinking and holds no page; ask again with thinking "
                          "off or with more tokens"
                        : "there is no HTML document in it");
    }
    if (ok && htmlfix_skip_space(out->data, out->len, before) == out->len) {
        ok = false;
        htmlfix_note(&w.report, GLMV_FIX_NO_HTML, 0, w.report.view->len,
                     "Nothing is left of the page.");
        glmv_fail(&reason, GLMV_ERR_FORMAT, "there is no HTML document in it");
    }
    if (!ok) {
        glmv_fail(err, reason.code, "%s", reason.message);
    }
    for (size_t i = 1; i < w.count; i++) {
        htmlfix_view_release(&w.views[i]);
    }
    return ok;
}

static bool same(const struct glmv_buf *a, const struct glmv_buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void nothing_left(const struct glmv_buf *page, struct glmv_fix *found)
{
    struct htmlfix_view all = {.text = page->data, .len = 0};
    htmlfix_note(&(struct htmlfix_report){found, &all}, GLMV_FIX_NO_HTML, 0, 0,
                 "Nothing is left of the page.");
}

/* A repair can make another one possible: goes on until nothing changes. Bytes that change again
 * and again are no page. */
static bool settle(struct glmv_buf *page, struct glmv_fix *found, struct glmv_err *err)
{
    size_t read = 0;
    for (int i = 0; i < MIN_PASSES || (i < MAX_PASSES && read < MAX_AGAIN); i++) {
        if (htmlfix_is_fine(page->data, page->len)) {
            return true;
        }
        struct glmv_fix fix = {0};
        struct glmv_buf next;
        glmv_buf_init(&next, page->max);
        struct glmv_err reason = {0};
        read += page->len;
        bool ok = fix_once(page->data, page->len, &next, &fix, &reason);
        bool done = ok && same(page, &next);
        glmv_buf_release(page);
        *page = next;
        if (!ok) {
            nothing_left(page, found);
            return glmv_fail(err, reason.code, "%s", reason.message);
        }
        if (done) {
            return true;
        }
    }
    nothing_left(page, found);
    return glmv_fail(err, GLMV_ERR_FORMAT, "there is no HTML document in it");
}

bool glmv_html_fix(const char *text, size_t len, struct glmv_buf *out, struct glmv_fix *fix,
                   struct glmv_err *err)
{
    memset(fix, 0, sizeof *fix);
    if (htmlfix_is_fine(text, len)) {
        fix->end = len;
        return glmv_buf_append(out, text, len, err);
    }
    struct glmv_buf page;
    glmv_buf_init(&page, out->max);
    bool ok = fix_once(text, len, &page, fix, err) && settle(&page, fix, err) &&
              glmv_buf_append(out, page.data, page.len, err);
    glmv_buf_release(&page);
    return ok;
}
