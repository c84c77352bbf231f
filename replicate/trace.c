#include "replicate/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "replicate/referee.h"
#include "replicate/shrink.h"

enum { LOOSENINGS = 2 }; /* times that regularities are let go of */

#define REGULAR_COST 0.0015 /* of the score that regularities may cost */
#define PLAIN_COST 0.003    /* of the score that texts right in their buttons and cells may cost */
#define HTML_MAX ((size_t)64 << 20)
#define LEAST_GAIN 0.0004 /* of the score; less is noise */
#define SLICE_FALL 0.03   /* how far one slice may fall for a small gain */
#define CLEAR_GAIN                                                                                 \
    0.005 /* of the score: outweighs a slice that fell, for a later round can mend it */

struct replicate_trace_options replicate_trace_defaults(void)
{
    return (struct replicate_trace_options){.rounds = 6, .target = 2};
}

static void say(const struct replicate_trace_options *options, const char *what)
{
    if (options->progress != NULL) {
        options->progress(options->progress_arg, what);
    }
}

static bool cancelled(const struct replicate_trace_options *options, struct glmv_err *err)
{
    if (options->cancel != NULL && atomic_load(options->cancel)) {
        glmv_fail(err, GLMV_ERR_CANCELLED, "interrupted");
        return true;
    }
    return false;
}

static struct glmv_render *measure(const struct replicate_court *court,
                                   const struct glmv_draft *draft, bool marks,
                                   struct glmv_buf *html, struct glmv_score *score,
                                   struct glmv_err *err)
{
    glmv_buf_clear(html);
    return glmv_draft_html(draft, marks, html, err)
               ? replicate_measure(court, html->data, html->len, score, err)
               : NULL;
}

static bool accepts(const struct glmv_score *best, const struct glmv_score *next)
{
    if (next->total < best->total + LEAST_GAIN) {
        return false;
    }
    if (next->total >= best->total + CLEAR_GAIN) {
        return true;
    }
    for (int i = 0; i < best->slice_count && i < next->slice_count; i++) {
        if (next->slices[i] < best->slices[i] - SLICE_FALL) {
            return false;
        }
    }
    return true;
}

static void note_round(struct replicate_trace *t, const struct glmv_score *score, bool accepted,
                       int changed, double seconds, const struct replicate_trace_options *options)
{
    char text[120];
    t->rounds[t->round_count++] = (struct replicate_round){*score, accepted, changed, seconds};
    snprintf(text, sizeof text, "round %d: score %.4f%s", t->round_count - 1, score->total,
             accepted ? "" : " (not kept)");
    say(options, text);
}

/* Renders a candidate and keeps it if it is better. Takes the candidate and, in *lost, hands back
 * its render when it is not kept. Returns whether it was kept. */
static bool try_draft(struct replicate_trace *t, const struct replicate_court *court,
                      struct glmv_draft *next, int changed, struct glmv_buf *html,
                      const struct replicate_trace_options *options, struct glmv_render **lost,
                      struct glmv_err *err)
{
    double start = glmv_now();
    struct glmv_score score;
    *lost = NULL;
    struct glmv_render *render = measure(court, next, true, html, &score, err);
    if (render == NULL) {
        return false;
    }
    bool better = accepts(&t->score, &score);
    note_round(t, &score, better, changed, glmv_now() - start, options);
    if (!better) {
        *lost = render;
        return false;
    }
    glmv_draft_free(t->draft);
    glmv_render_free(t->render);
    t->draft = next;
    t->render = render;
    t->score = score;
    return true;
}

/* A correction that did not help as a whole may have helped in parts: those are kept. */
static bool keep_parts(struct replicate_trace *t, const struct replicate_court *court,
                       const struct glmv_draft *failed, const struct glmv_render *failed_render,
                       struct glmv_buf *html, const struct replicate_trace_options *options,
                       struct glmv_err *err)
{
    int taken = 0;
    struct glmv_render *lost = NULL;
    struct glmv_draft *mixed = glmv_draft_copy(t->draft, err);
    bool kept = mixed != NULL &&
                glmv_draft_choose(mixed, failed, court->target, t->render->image,
                                  failed_render->image, &taken, err) &&
                taken > 0 && try_draft(t, court, mixed, taken, html, options, &lost, err);
    glmv_render_free(lost);
    if (!kept) {
        glmv_draft_free(mixed);
    }
    return kept;
}

/* What boxes came out higher also moved all that stands after them, and both are corrected in one
 * round. Where that did not help, it is tried without the ends of the boxes. */
static bool keep_ends(struct replicate_trace *t, const struct replicate_court *court,
                      const struct glmv_draft *failed, struct glmv_buf *html,
                      const struct replicate_trace_options *options, struct glmv_err *err)
{
    struct glmv_render *lost = NULL;
    struct glmv_draft *next = glmv_draft_copy(failed, err);
    int ends = next != NULL ? glmv_draft_keep_ends(next, t->draft) : 0;
    bool kept = ends > 0 && try_draft(t, court, next, ends, html, options, &lost, err);
    glmv_render_free(lost);
    if (!kept) {
        glmv_draft_free(next);
    }
    return kept;
}

static bool has_room(const struct replicate_trace *t, const struct replicate_trace_options *options,
                     struct glmv_err *err)
{
    return t->round_count <= options->rounds && !cancelled(options, err);
}

/* Renders a draft until its paragraphs wrap as seen. *shown is the render to correct it by: the
 * caller's when nothing changed, otherwise *made, to be freed. */
static bool settle_wraps(const struct replicate_court *court, struct glmv_draft *draft,
                         struct glmv_buf *html, const struct glmv_render **shown,
                         struct glmv_render **made, struct glmv_err *err)
{
    enum { TRIES = 3 };
    for (int i = 0; i < TRIES; i++) {
        int changed = 0;
        struct glmv_score score;
        if (!glmv_draft_rewrap(draft, (*shown)->page, &changed, err)) {
            return false;
        }
        if (changed == 0) {
            return true;
        }
        struct glmv_render *render = measure(court, draft, true, html, &score, err);
        if (render == NULL) {
            return false;
        }
        glmv_render_free(*made);
        *made = render;
        *shown = render;
    }
    return true;
}

/* One correction. Returns false when there is nothing more to gain, or on failure. */
static bool correct(struct replicate_trace *t, const struct replicate_court *court,
                    struct glmv_buf *html, const struct replicate_trace_options *options,
                    struct glmv_err *err)
{
    int changed = 0;
    struct glmv_render *lost = NULL;
    struct glmv_draft *next = glmv_draft_copy(t->draft, err);
    const struct glmv_render *shown = t->render;
    struct glmv_render *made = NULL;
    bool ok = next != NULL && settle_wraps(court, next, html, &shown, &made, err) &&
              glmv_draft_revise(next, court->target, shown->image, shown->page, &changed, err) &&
              (changed > 0 || made != NULL);
    glmv_render_free(made);
    if (!ok) {
        glmv_draft_free(next);
        return false;
    }
    if (try_draft(t, court, next, changed, html, options, &lost, err)) {
        return true;
    }
    bool kept =
        lost != NULL && has_room(t, options, err) && keep_ends(t, court, next, html, options, err);
    kept = kept || (lost != NULL && has_room(t, options, err) &&
                    keep_parts(t, court, next, lost, html, options, err));
    glmv_render_free(lost);
    glmv_draft_free(next);
    return kept;
}

/* Renders a regular draft until no regularity of it lies worse than before. NULL on failure. */
static struct glmv_render *settle_regular(const struct replicate_trace *t,
                                          const struct replicate_court *court,
                                          struct glmv_draft *draft, struct glmv_buf *html,
                                          struct glmv_score *score, struct glmv_err *err)
{
    struct glmv_render *render = NULL;
    for (int i = 0; i <= LOOSENINGS; i++) {
        int undone = 0;
        glmv_render_free(render);
        render = measure(court, draft, true, html, score, err);
        if (render == NULL || i == LOOSENINGS) {
            return render;
        }
        if (!glmv_draft_loosen(draft, court->target, t->render->image, render->image, &undone,
                               err)) {
            glmv_render_free(render);
            return NULL;
        }
        if (undone == 0) {
            break;
        }
    }
    return render;
}

/* Things that repeat get equal places, where that costs nothing that shows. A page that cannot be
 * made regular stays as it is. */
static void regularize(struct replicate_trace *t, const struct replicate_court *court,
                       const struct replicate_trace_options *options)
{
    struct glmv_err late = {0};
    struct glmv_buf html;
    struct glmv_score score = {0};
    struct glmv_render *render = NULL;
    glmv_buf_init(&html, HTML_MAX);
    say(options, "making it regular");
    struct glmv_draft *next = glmv_draft_copy(t->draft, &late);
    if (next != NULL && glmv_draft_regularize(next, &late)) {
        render = settle_regular(t, court, next, &html, &score, &late);
    }
    if (render != NULL && score.total >= t->score.total - REGULAR_COST) {
        glmv_draft_free(t->draft);
        glmv_render_free(t->render);
        t->draft = next;
        t->render = render;
        t->score = score;
        next = NULL;
        render = NULL;
    }
    glmv_draft_free(next);
    glmv_render_free(render);
    glmv_buf_release(&html);
}

/* The page without marks is what people get, so it is the one that is measured last. It has fewer
 * elements than the rounds measured: where that shows, it keeps them. */
static bool finish(struct replicate_trace *t, const struct replicate_court *court, bool comparable,
                   struct glmv_err *err)
{
    struct glmv_score score;
    struct glmv_render *render = measure(court, t->draft, false, &t->html, &score, err);
    if (render != NULL && comparable && score.total < t->score.total - PLAIN_COST) {
        glmv_render_free(render);
        glmv_draft_keep_texts_apart(t->draft);
        render = measure(court, t->draft, false, &t->html, &score, err);
    }
    if (render == NULL) {
        return false;
    }
    glmv_render_free(t->render);
    t->render = render;
    t->score = score;
    return true;
}

static bool improve(struct replicate_trace *t, const struct replicate_court *court,
                    const struct replicate_trace_options *options, struct glmv_err *err)
{
    struct glmv_buf html;
    glmv_buf_init(&html, HTML_MAX);
    double start = glmv_now();
    say(options, "rendering");
    t->render = measure(court, t->draft, true, &html, &t->score, err);
    bool ok = t->render != NULL;
    if (ok) {
        note_round(t, &t->score, true, 0, glmv_now() - start, options);
        while (t->round_count <= options->rounds && t->score.total < options->target &&
               !cancelled(options, err) && correct(t, court, &html, options, err)) {
        }
        ok = err == NULL || err->code == GLMV_ERR_NONE;
        if (ok && options->rounds > 0 && !cancelled(options, err)) {
            regularize(t, court, options);
        }
    }
    glmv_buf_release(&html);
    return ok && (err == NULL || err->code == GLMV_ERR_NONE);
}

/* The rounds, at one px per CSS px; what is written is measured at the screenshot's own scale. */
static bool run(struct replicate_trace *out, struct replicate_court *court, double scale,
                const struct glmv_image *shot, const struct replicate_trace_options *options,
                struct glmv_err *err)
{
    struct glmv_look_options look = options->look;
    double start = glmv_now();
    say(options, "reading the screenshot");
    look.scale = scale > 1 ? 1 : look.scale;
    out->scene = glmv_tracer_look(court->target, &look, err);
    out->look_seconds = glmv_now() - start;
    bool ok = out->scene != NULL && !cancelled(options, err);
    if (ok) {
        say(options, "laying the page out");
        out->draft = glmv_draft_new(out->scene, &options->emit, err);
        ok = out->draft != NULL && improve(out, court, options, err);
    }
    if (out->render == NULL) {
        return ok;
    }
    /* Also after an interrupt: the best page so far is kept. */
    struct glmv_err late = {0};
    bool sharp = glmv_scene_review(out->scene, court->target, out->render->image, &late) &&
                 (scale <= 1 || replicate_sharpen(out->scene, court->target, shot, scale, &late));
    court->target = shot;
    court->scale = scale;
    if (!sharp || !finish(out, court, scale <= 1, &late)) {
        ok = ok && glmv_fail(err, late.code, "%s", late.message);
    }
    return ok;
}

bool replicate_trace_run(const struct glmv_image *target,
                         const struct replicate_trace_options *options, struct replicate_trace *out,
                         struct glmv_err *err)
{
    double start = glmv_now();
    double scale = options->look.scale > 1 ? options->look.scale : 1;
    memset(out, 0, sizeof *out);
    glmv_buf_init(&out->html, HTML_MAX);
    out->scale = scale;
    /* The renderer starts while the tracer looks. */
    struct glmv_image *small = NULL;
    struct replicate_court court = {.target = target, .scale = 1};
    court.renderer = glmv_renderer_open(NULL, err);
    bool ok = court.renderer != NULL;
    if (ok && scale > 1) {
        small = replicate_shrink(target, scale, err);
        court.target = small;
        ok = small != NULL;
    }
    ok = ok && run(out, &court, scale, target, options, err);
    glmv_renderer_close(court.renderer);
    glmv_image_free(small);
    out->total_seconds = glmv_now() - start;
    return ok;
}

void replicate_trace_release(struct replicate_trace *trace)
{
    glmv_buf_release(&trace->html);
    glmv_render_free(trace->render);
    glmv_draft_free(trace->draft);
    glmv_scene_free(trace->scene);
    memset(trace, 0, sizeof *trace);
}
