#include "htmlfix/repair.h"

#include <stdlib.h>

#include "htmlfix/attributes.h"
#include "htmlfix/chars.h"
#include "htmlfix/fine.h"
#include "htmlfix/scan.h"
#include "htmlfix/tree.h"

#define NONE HTMLFIX_NOWHERE

enum { MAX_PLANNED = 16, MAX_TRIES = 32 };

/* End tags to put in, by place, inner elements first. */
struct plan {
    struct htmlfix_guess ends[MAX_PLANNED];
    size_t count;
};

struct repair {
    const char *text;
    size_t len; /* the document's end */
    struct htmlfix_edits edits;
    struct htmlfix_tree tree;
    struct htmlfix_report *report;
    unsigned patience;
    bool cut;        /* the text may end in a half token */
    bool html, body; /* their start tags were read */
    bool html_ended, body_ended;
    size_t style_place;  /* where a style sheet goes: before </head>, <body>, or what is there */
    size_t script_place; /* before </body> or </html> */
    bool style_fixed;
    size_t line_break; /* begin of the <br> just before; NONE: none */
    bool stop;
    const struct plan *plan; /* borrowed */
    size_t planned;          /* of its ends, behind the place of reading */
};

static bool insert(struct repair *r, size_t at, size_t cut, const char *before,
                   struct glmv_err *err)
{
    struct htmlfix_edit edit = {
        .at = at, .cut = cut, .before = before, .after = "", .earlier = NONE};
    return htmlfix_edit_add(&r->edits, edit, err);
}

static bool end_for(struct repair *r, const struct htmlfix_token *token, size_t at, size_t cut,
                    const char *before, struct glmv_err *err)
{
    struct htmlfix_edit edit = {.at = at,
                                .cut = cut,
                                .before = before,
                                .slice = r->text + token->name,
                                .slice_len = token->name_len,
                                .after = ">",
                                .earlier = NONE};
    return htmlfix_edit_add(&r->edits, edit, err);
}

/* Past the raw text after a start tag. */
static bool pass_raw(struct repair *r, const struct htmlfix_token *token, size_t *at,
                     struct glmv_err *err)
{
    bool missing;
    size_t stop = htmlfix_raw_stop(r->text, r->len, *at, token->tag, &r->patience, &missing);
    if (token->closed && (missing || htmlfix_skip_space(r->text, r->len, *at) != stop)) {
        size_t next = htmlfix_skip_space(r->text, r->len, *at);
        if (next < r->len && r->text[next] == '<') { /* <script src="a"/> as in JSX */
            htmlfix_note(r->report, GLMV_FIX_JSX, token->begin, token->end,
                         "An element that can't be closed in its start tag got an end tag.");
            size_t slash = token->end - 2;
            return end_for(r, token, slash, 2, "></", err);
        }
    }
    if (stop == NONE) {
        htmlfix_note(r->report, GLMV_FIX_TRUNCATED, token->begin, r->len,
                     "A style, script or other raw text was still open at the end and was closed.");
        *at = r->len;
        r->cut = false;
        r->stop = true;
        return end_for(r, token, r->len, 0, "</", err);
    }
    *at = stop;
    if (!missing) { /* its end tag ends nothing else */
        struct htmlfix_token end;
        htmlfix_scan(r->text, r->len, stop, &end);
        *at = end.whole ? end.end : stop;
        return true;
    }
    htmlfix_note(r->report, GLMV_FIX_UNCLOSED, token->begin, stop,
                 "The end tag of a style, script or other raw text was missing and was put in.");
    return end_for(r, token, stop, 0, "</", err);
}

static bool close_self(struct repair *r, const struct htmlfix_token *token, struct glmv_err *err)
{
    size_t slash = token->end - 2;
    while (slash > token->begin && htmlfix_space(r->text[slash - 1])) {
        slash--;
    }
    struct htmlfix_edit edit = {.at = slash,
                                .cut = token->end - slash,
                                .before = "></",
                                .slice = r->text + token->name,
                                .slice_len = token->name_len,
                                .after = ">"};
    htmlfix_note(r->report, GLMV_FIX_JSX, token->begin, token->end,
                 "An element that can't be closed in its start tag got an end tag.");
    return htmlfix_tree_put(&r->tree, htmlfix_slot(r->text, token), edit, err);
}

/* html, head and body: no elements of the tree, but places. */
static void take_frame(struct repair *r, const struct htmlfix_token *token)
{
    const char *name = htmlfix_tag_get(token->tag)->name;
    bool start = token->kind == HTMLFIX_START;
    switch (name[1]) {
    case 't':
        r->html = r->html || start;
        r->html_ended = !start;
        break;
    case 'o':
        r->body = r->body || start;
        r->body_ended = !start;
        break;
    default:
        break;
    }
    if (start && !r->style_fixed) {
        r->style_fixed = name[1] == 'o';
        r->style_place = r->style_fixed ? token->begin : token->end;
    } else if (!start && name[1] == 'e') {
        r->style_place = token->begin;
        r->style_fixed = true;
    }
    if (!start && name[1] != 'e' && (name[1] == 'o' || r->script_place == NONE)) {
        r->script_place = token->begin;
    }
}

static bool start_tag(struct repair *r, const struct htmlfix_token *token, size_t *at,
                      struct glmv_err *err)
{
    unsigned traits = htmlfix_tag_get(token->tag)->traits;
    bool foreign = htmlfix_tree_foreign(&r->tree);
    size_t line_break = strcmp(htmlfix_tag_get(token->tag)->name, "br") == 0 ? token->end : NONE;
    r->line_break = line_break;
    if (token->odd && !htmlfix_attributes_repair(r->text, token, &r->edits, r->report, err)) {
        return false;
    }
    if ((traits & HTMLFIX_FRAME) != 0) {
        take_frame(r, token);
        return true;
    }
    if ((traits & HTMLFIX_RAW) != 0 && !foreign) {
        htmlfix_tree_pass(&r->tree, token);
        return pass_raw(r, token, at, err);
    }
    if (strcmp(htmlfix_tag_get(token->tag)->name, "plaintext") == 0) {
        r->stop = true;
        r->cut = false;
        *at = r->len;
        return true;
    }
    bool breaks = foreign && (traits & HTMLFIX_BREAKOUT) != 0;
    if (token->closed && (!foreign || breaks) && (traits & (HTMLFIX_VOID | HTMLFIX_FOREIGN)) == 0) {
        return close_self(r, token, err);
    }
    if (token->closed && (traits & HTMLFIX_FOREIGN) != 0) {
        return true; /* <svg/> is closed */
    }
    return htmlfix_tree_open(&r->tree, token, err);
}

static bool end_tag(struct repair *r, const struct htmlfix_token *token, struct glmv_err *err)
{
    unsigned traits = htmlfix_tag_get(token->tag)->traits;
    if ((traits & HTMLFIX_FRAME) != 0) {
        take_frame(r, token);
        htmlfix_tree_pass(&r->tree, token);
        bool wrote = false;
        /* the head's elements end with it; the body's go on to the end of the text */
        return htmlfix_tag_get(token->tag)->name[1] != 'e' ||
               htmlfix_tree_finish(&r->tree, token->begin, false, &wrote, err);
    }
    if (r->line_break == token->begin && strcmp(htmlfix_tag_get(token->tag)->name, "br") == 0) {
        htmlfix_note(r->report, GLMV_FIX_JSX, token->begin, token->end,
                     "An end tag that would make a second line break was left out.");
        return insert(r, token->begin, token->end - token->begin, "", err);
    }
    return htmlfix_tree_close(&r->tree, token, err);
}

/* What is left of a token that the text ends in. */
static bool half_token(struct repair *r, const struct htmlfix_token *token, struct glmv_err *err)
{
    r->stop = true;
    r->cut = false;
    if (token->kind == HTMLFIX_COMMENT && htmlfix_at(r->text, r->len, token->begin, "<!--")) {
        htmlfix_note(r->report, GLMV_FIX_TRUNCATED, token->begin, r->len,
                     "A comment was still open at the end and was closed.");
        return insert(r, r->len, 0, "-->", err);
    }
    size_t base64;
    if (token->kind == HTMLFIX_START &&
        (base64 = htmlfix_attributes_base64(r->text, r->len, token)) != NONE) {
        htmlfix_note(r->report, GLMV_FIX_BASE64, base64, r->len,
                     "A data URI runs to the end; its bytes were left out.");
        size_t quote = base64;
        while (quote > token->begin && r->text[quote] != '"' && r->text[quote] != '\'' &&
               r->text[quote] != '=') {
            quote--;
        }
        const char *close = r->text[quote] == '"' ? "\">" : r->text[quote] == '\'' ? "'>" : ">";
        return insert(r, base64, r->len - base64, close, err) &&
               htmlfix_tree_open(&r->tree, token, err);
    }
    htmlfix_note(r->report, GLMV_FIX_TRUNCATED, token->begin, r->len,
                 "The answer ends inside a tag, which was left out.");
    return insert(r, token->begin, r->len - token->begin, "", err);
}

/* The first bytes of a tag or a character, at the end of a text that was cut off. */
static bool half_text(struct repair *r, struct glmv_err *err)
{
    bool known = !htmlfix_other_charset(r->text, r->len);
    size_t end = r->len - (known ? htmlfix_cut_character(r->text, r->len) : 0);
    for (;;) {
        if (end > 0 && r->text[end - 1] == '<') {
            end--;
        } else if (end > 1 && r->text[end - 2] == '<' &&
                   (r->text[end - 1] == '/' || r->text[end - 1] == '!')) {
            end -= 2;
        } else {
            break;
        }
    }
    size_t drop = r->len - end;
    return drop == 0 || insert(r, r->len - drop, drop, "", err);
}

static bool comment(struct repair *r, const struct htmlfix_token *token, size_t *at,
                    struct glmv_err *err)
{
    size_t end = token->end;
    if (!token->whole) {
        size_t stop = htmlfix_at(r->text, r->len, token->begin, "<!--")
                          ? htmlfix_comment_stop(r->text, r->len, token->begin, &r->patience)
                          : NONE;
        if (stop == NONE) {
            return half_token(r, token, err);
        }
        htmlfix_note(r->report, GLMV_FIX_UNCLOSED, token->begin, stop,
                     "The end of a comment was missing and was put in.");
        *at = end = stop;
        if (!insert(r, stop, 0, " -->", err)) {
            return false;
        }
    }
    if (htmlfix_elides(r->text, token->begin, end)) {
        htmlfix_note(r->report, GLMV_FIX_ELIDED, token->begin, end,
                     "A comment stands where content should be.");
    }
    return true;
}

static bool read_all(struct repair *r, size_t begin, struct glmv_err *err)
{
    bool ok = true;
    for (size_t at = begin; ok && at < r->len && !r->stop;) {
        struct htmlfix_token token;
        htmlfix_scan(r->text, r->len, at, &token);
        at = token.end;
        while (ok && token.kind != HTMLFIX_TEXT && r->planned < r->plan->count &&
               r->plan->ends[r->planned].at <= token.begin) {
            ok = htmlfix_tree_end(&r->tree, &r->plan->ends[r->planned++], err);
        }
        if (!ok) {
            break;
        }
        if (token.kind == HTMLFIX_COMMENT) {
            ok = comment(r, &token, &at, err);
        } else if (token.kind == HTMLFIX_DOCTYPE && !r->style_fixed && token.whole) {
            r->style_place = r->style_place == begin ? token.end : r->style_place;
        } else if (!token.whole) {
            ok = half_token(r, &token, err);
        } else if (token.kind == HTMLFIX_START) {
            ok = start_tag(r, &token, &at, err);
        } else if (token.kind == HTMLFIX_END) {
            ok = end_tag(r, &token, err);
        } else if (token.kind == HTMLFIX_TEXT) {
            r->line_break = NONE;
        }
    }
    return ok;
}

/* The ends of everything that is open at the end of a text that was cut off. */
static bool close_all(struct repair *r, bool fragment, struct glmv_err *err)
{
    bool wrote = r->body_ended && !r->html_ended;
    if ((r->cut && !half_text(r, err)) ||
        !htmlfix_tree_finish(&r->tree, r->len, !r->body_ended, &wrote, err)) {
        return false;
    }
    if (wrote || (!fragment && (r->html || r->body))) {
        htmlfix_note(r->report, GLMV_FIX_TRUNCATED, r->len, r->len,
                     "The document has no end; what was open was closed.");
    }
    if (fragment || !wrote || r->html_ended) {
        return true;
    }
    return (!r->body || r->body_ended || insert(r, r->len, 0, "</body>", err)) &&
           (!r->html || insert(r, r->len, 0, "</html>", err));
}

static bool put_sides(struct repair *r, const struct htmlfix_repair_options *options,
                      struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < options->side_count; i++) {
        const struct htmlfix_side *side = &options->sides[i];
        const char *text = r->text + side->body.begin;
        size_t len = side->body.end - side->body.begin;
        size_t from = side->body.begin, to = side->body.end;
        if (htmlfix_word(r->text, to, from, side->script ? "</script" : "</style") != NONE) {
            continue;
        }
        struct htmlfix_edit edit = {.at = side->script ? r->script_place : r->style_place,
                                    .before = side->script ? "<script>\n" : "<style>\n",
                                    .slice = text,
                                    .slice_len = len,
                                    .after = side->script ? "</script>\n" : "</style>\n",
                                    .earlier = NONE};
        htmlfix_note(r->report, GLMV_FIX_INLINED, from, to,
                     side->script ? "A script from a fence of its own was put into the page."
                                  : "A style sheet from a fence of its own was put into the page.");
        ok = htmlfix_edit_add(&r->edits, edit, err);
    }
    return ok;
}

static bool run(struct repair *r, const struct htmlfix_document *document, const struct plan *plan,
                const struct htmlfix_repair_options *options, struct glmv_err *err)
{
    r->patience = HTMLFIX_PATIENCE;
    r->plan = plan;
    r->cut = document->cut;
    r->style_place = document->begin;
    r->script_place = r->line_break = NONE;
    htmlfix_tree_init(&r->tree, r->text, &r->edits);
    bool wrote = false;
    bool ok = read_all(r, document->begin, err) &&
              (document->complete ? htmlfix_tree_finish(&r->tree, r->len, false, &wrote, err)
                                  : close_all(r, options->fragment, err));
    r->script_place = r->script_place == NONE ? r->len : r->script_place;
    ok = ok && put_sides(r, options, err);
    if (ok && r->tree.put_in + plan->count > 0 && document->complete) {
        size_t at = plan->count > 0 ? plan->ends[0].at : r->tree.first_put;
        htmlfix_note(r->report, GLMV_FIX_UNCLOSED, at, at,
                     "The end tag of an element was missing and was put in.");
    }
    return ok;
}

static void release(struct repair *r)
{
    htmlfix_tree_release(&r->tree);
    free(r->edits.list);
}

/* -- end tags that are missing, by indentation ------------------------------------------------ */

/*
 * Where the end tag of a <div> is missing, the next </div> ends it, the one after that its parent,
 * and so on: only the outermost element is found open, somewhere below. Every guess from there is
 * tried, and the one after which the fewest ends stand in another column than their start stays.
 */
struct search {
    const struct htmlfix_document *document;
    const struct htmlfix_repair_options *options;
    struct glmv_fix scratch;
    struct htmlfix_report report; /* into scratch */
    struct repair blank;          /* what a run starts with */
    size_t budget;                /* bytes that may still be read */
    struct plan plan;
};

static size_t badness(const struct repair *r)
{
    return 4 * (r->tree.unclosed + r->tree.put_in) + r->tree.odd;
}

static void plan_add(struct plan *plan, struct htmlfix_guess end)
{
    size_t i = plan->count++;
    for (; i > 0 && (plan->ends[i - 1].at > end.at ||
                     (plan->ends[i - 1].at == end.at && plan->ends[i - 1].begin < end.begin));
         i--) {
        plan->ends[i] = plan->ends[i - 1];
    }
    plan->ends[i] = end;
}

/* Adds the best guess of a run to the plan, and makes best the run with it. False: none helps. */
static bool search_step(struct search *s, struct repair *best)
{
    struct plan chosen = s->plan;
    size_t least = badness(best), size = s->document->end - s->document->begin;
    const struct htmlfix_tree *tree = &best->tree;
    size_t tries = 0;
    for (size_t i = 0; i < tree->guess_count && tries < MAX_TRIES && s->budget >= size; i++) {
        if (tree->guesses[i].begin < tree->lost || tree->guesses[i].at > tree->found) {
            continue;
        }
        struct plan plan = s->plan;
        struct repair r = s->blank;
        plan_add(&plan, tree->guesses[i]);
        tries++;
        s->budget -= size;
        if (run(&r, s->document, &plan, s->options, NULL)) {
            const struct htmlfix_guess *guess = &tree->guesses[i];
            bool level = guess->level && htmlfix_tree_level(tree, guess->begin);
            size_t bad = badness(&r) + (level ? 1 : 0);
            chosen = bad < least ? plan : chosen;
            least = bad < least ? bad : least;
        }
        release(&r);
    }
    if (chosen.count == s->plan.count) {
        return false;
    }
    s->plan = chosen;
    release(best);
    *best = s->blank;
    return run(best, s->document, &s->plan, s->options, NULL);
}

/* Whether nothing is missing once the changes are made: indentation may have misled. */
static bool holds(struct repair *r, const struct htmlfix_document *document)
{
    static const struct plan nothing = {0};
    struct glmv_buf page;
    struct glmv_fix fix = {0};
    glmv_buf_init(&page, (size_t)-2);
    bool ok = htmlfix_edits_apply(&r->edits, r->text, document->begin, document->end, &page, NULL);
    struct htmlfix_view view = {.text = page.data, .len = page.len};
    struct htmlfix_report report = {&fix, &view};
    struct htmlfix_document whole = {.end = page.len, .complete = true};
    const struct htmlfix_repair_options none = {0};
    struct repair again = {.text = page.data, .len = page.len, .report = &report};
    ok = ok && run(&again, &whole, &nothing, &none, NULL) && again.tree.unclosed == 0 &&
         again.edits.count == 0;
    release(&again);
    glmv_buf_release(&page);
    return ok;
}

/* A plan after which no end tag is missing; an empty one where there is none. */
static struct plan find_plan(const struct repair *first, const struct htmlfix_document *document,
                             const struct htmlfix_repair_options *options)
{
    static const struct plan nothing = {0};
    enum { BUDGET = 32 << 20 };
    struct search s = {.document = document, .options = options, .budget = BUDGET};
    s.report = (struct htmlfix_report){&s.scratch, first->report->view};
    s.blank = (struct repair){.text = first->text, .len = first->len, .report = &s.report};
    struct repair best = s.blank;
    bool ok = run(&best, document, &nothing, options, NULL);
    while (ok && best.tree.unclosed + best.tree.put_in > 0 && s.plan.count < MAX_PLANNED) {
        ok = search_step(&s, &best);
    }
    ok = best.tree.unclosed == 0 && s.plan.count > 0 && holds(&best, document);
    release(&best);
    return ok ? s.plan : nothing;
}

bool htmlfix_repair(const struct htmlfix_document *document,
                    const struct htmlfix_repair_options *options, struct htmlfix_report *report,
                    struct glmv_buf *out, struct glmv_err *err)
{
    static const struct plan nothing = {0};
    struct glmv_fix before = *report->fix;
    struct repair r = {.text = report->view->text, .len = document->end, .report = report};
    bool ok = run(&r, document, &nothing, options, err);
    if (ok && document->complete && r.tree.unclosed + r.tree.put_in > 0 && r.tree.guess_count > 0) {
        struct plan plan = find_plan(&r, document, options);
        if (plan.count > 0) {
            release(&r);
            *report->fix = before;
            r = (struct repair){.text = report->view->text, .len = document->end, .report = report};
            ok = run(&r, document, &plan, options, err);
        }
    }
    ok = ok && htmlfix_edits_apply(&r.edits, report->view->text, document->begin, document->end,
                                   out, err);
    release(&r);
    return ok;
}
