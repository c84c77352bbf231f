/* One page of a check: drawn until it matches its baseline or stands still, then judged. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "diff/baseline.h"
#include "replicate/check_pool.h"
#include "replicate/check_run.h"
#include "replicate/comparison.h"
#include "replicate/region.h"

#define PAGE_MAX ((size_t)64 << 20) /* bytes, as the renderer takes them */
#define TEXT_MAX ((size_t)1 << 20)

/* A picture of the page and what of it is not compared. */
struct view {
    struct glmv_image *image; /* owned */
    struct glmv_page *page;   /* owned; NULL for a picture */
    struct glmv_box *masks;   /* px; owned */
    size_t mask_count;
};

/* What one case needs while it runs. */
struct job {
    const struct check_run *run;
    struct check_pool *pool;
    struct check_result *result;
    struct glmv_buf html;
    char *assets; /* folder of the page */
    const char **selectors;
    size_t selector_count;
    struct glmv_buf stored;      /* the baseline's file; empty without one */
    struct glmv_image *baseline; /* NULL until it is wanted whole */
    char *baseline_path;
};

static void view_release(struct view *view)
{
    glmv_image_free(view->image);
    glmv_page_free(view->page);
    free(view->masks);
    *view = (struct view){0};
}

static void note_mask(const struct check_rules *rules, const char *selector)
{
    for (size_t i = 0; i < rules->mask_count; i++) {
        if (rules->masks[i].selector == selector) {
            atomic_store(&rules->masks[i].found, true);
        }
    }
}

/* The boxes of the rules and of what their selectors found, in px of the picture. */
static bool add_masks(const struct job *job, const struct glmv_render *shot, double scale,
                      struct view *view, struct glmv_err *err)
{
    const struct check_rules *rules = job->result->item->rules;
    size_t found = shot != NULL ? shot->found_count : 0;
    view->masks = calloc(rules->mask_count + found + 1, sizeof *view->masks);
    if (view->masks == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < rules->mask_count + found; i++) {
        bool own = i < rules->mask_count;
        if (own && rules->masks[i].selector != NULL) {
            continue;
        }
        if (!own) {
            note_mask(rules, job->selectors[shot->found[i - rules->mask_count].selector]);
        }
        struct glmv_box box = own ? rules->masks[i].box : shot->found[i - rules->mask_count].box;
        view->masks[view->mask_count++] =
            (struct glmv_box){box.x * scale, box.y * scale, box.w * scale, box.h * scale};
    }
    return true;
}

static bool draw(const struct job *job, struct view *view, struct glmv_err *err)
{
    const struct check_case *item = job->result->item;
    const struct check_rules *rules = item->rules;
    if (item->picture != NULL) {
        view->image = glmv_image_read(item->picture, err);
        if (view->image != NULL) {
            glmv_image_flatten(view->image, 0xffffff);
        }
        return view->image != NULL && add_masks(job, NULL, 1, view, err);
    }
    struct glmv_render_options o = glmv_render_defaults();
    o.width = item->viewport.width;
    o.height = item->viewport.height;
    o.scale = item->viewport.scale;
    o.viewport_only = !rules->full_page;
    o.timeout_s = rules->timeout_s;
    o.scripts = rules->scripts;
    o.dark = item->dark;
    o.assets = job->assets;
    o.wait_for = rules->wait_for;
    o.settle_ms = rules->wait_ms;
    o.selectors = job->selectors;
    o.selector_count = job->selector_count;
    o.picture_only = job->result->renders == 0; /* elements are named where a page differs */
    struct glmv_render *shot =
        check_pool_render(job->pool, item->url, job->html.data, job->html.len, &o, err);
    bool ok = shot != NULL && add_masks(job, shot, o.scale, view, err);
    if (ok) {
        view->image = shot->image;
        view->page = shot->page;
        shot->image = NULL;
        shot->page = NULL;
    }
    glmv_render_free(shot);
    return ok;
}

/* A render that fails is tried once more: a machine under load, or a browser that ended, is no
 * verdict about the page. */
static bool draw_or_again(const struct job *job, struct view *view, struct glmv_err *err)
{
    struct glmv_err first = {0};
    if (draw(job, view, &first)) {
        return true;
    }
    view_release(view);
    bool stopped = job->run->options->cancel != NULL && atomic_load(job->run->options->cancel);
    if (first.code != GLMV_ERR_RENDER || stopped) {
        return glmv_fail(err, first.code, "%s", first.message);
    }
    return draw(job, view, err);
}

static int clamp(double value, int high)
{
    return value <= 0 ? 0 : value >= high ? high : (int)value;
}

/* A copy of the picture that shows what the other shows where it is masked; NULL without memory. */
static struct glmv_image *masked(const struct glmv_image *image, const struct glmv_image *other,
                                 const struct view *view, struct glmv_err *err)
{
    struct glmv_image *copy = glmv_image_crop(image, 0, 0, image->width, image->height, err);
    int w = image->width < other->width ? image->width : other->width;
    int h = image->height < other->height ? image->height : other->height;
    for (size_t i = 0; copy != NULL && i < view->mask_count; i++) {
        const struct glmv_box *box = &view->masks[i];
        int left = clamp(floor(box->x), w);
        int right = clamp(ceil(box->x + box->w), w);
        for (int y = clamp(floor(box->y), h); y < clamp(ceil(box->y + box->h), h); y++) {
            memcpy(copy->rgba + ((size_t)y * (size_t)copy->width + (size_t)left) * 4,
                   other->rgba + ((size_t)y * (size_t)other->width + (size_t)left) * 4,
                   (size_t)(right - left) * 4);
        }
    }
    return copy;
}

static bool equal(const struct glmv_image *a, const struct glmv_image *b)
{
    return a->width == b->width && a->height == b->height &&
           memcmp(a->rgba, b->rgba, (size_t)a->width * (size_t)a->height * 4) == 0;
}

static struct glmv_pixel_options pixels_of(const struct check_rules *rules)
{
    return (struct glmv_pixel_options){.threshold = rules->threshold,
                                       .antialiasing = !rules->antialiasing};
}

static bool within(const struct check_rules *rules, const struct glmv_pixel_count *count)
{
    double limit = rules->max_diff * (rules->max_diff_share ? (double)count->total : 1);
    return (double)count->differing <= limit;
}

/* Whether the view is the same as a picture, as strictly as the rules want. */
static bool matches(const struct job *job, const struct glmv_image *picture,
                    const struct view *view, bool *same, struct glmv_err *err)
{
    const struct check_rules *rules = job->result->item->rules;
    *same = equal(picture, view->image);
    if (*same) {
        return true;
    }
    struct glmv_image *copy = NULL;
    if (view->mask_count > 0) {
        copy = masked(view->image, picture, view, err);
        if (copy == NULL) {
            return false;
        }
    }
    struct glmv_pixel_options options = pixels_of(rules);
    struct glmv_pixel_count count;
    glmv_diff_count(picture, copy != NULL ? copy : view->image, &options, &count, NULL);
    glmv_image_free(copy);
    *same = within(rules, &count);
    job->result->differing = count.differing;
    job->result->pixels = count.total;
    return true;
}

/* The baseline as a picture. */
static bool decode_baseline(struct job *job, struct glmv_err *err)
{
    if (job->baseline == NULL) {
        job->baseline =
            glmv_image_decode(job->stored.data, job->stored.len, job->baseline_path, err);
        if (job->baseline != NULL) {
            glmv_image_flatten(job->baseline, 0xffffff);
        }
    }
    return job->baseline != NULL;
}

/* The same as matches() for the baseline. Where it is one of our own, only what differs of it is
 * unpacked. */
static bool matches_baseline(struct job *job, const struct view *view, bool *same,
                             struct glmv_err *err)
{
    struct check_result *result = job->result;
    struct glmv_baseline_rows rows;
    if (job->baseline != NULL ||
        !glmv_baseline_compare(job->stored.data, job->stored.len, view->image, &rows)) {
        return decode_baseline(job, err) && matches(job, job->baseline, view, same, err);
    }
    struct glmv_pixel_options options = pixels_of(result->item->rules);
    struct glmv_pixel_count count;
    glmv_diff_mark_rows(rows.stored, view->image, rows.differs, &options, &count, NULL);
    bool equal_rows = memchr(rows.differs, 1, (size_t)view->image->height) == NULL;
    glmv_baseline_release(&rows);
    *same = equal_rows || within(result->item->rules, &count);
    if (!*same && view->mask_count > 0) {
        return decode_baseline(job, err) && matches(job, job->baseline, view, same, err);
    }
    if (!equal_rows) {
        result->differing = count.differing;
        result->pixels = count.total;
    }
    return true;
}

/* --- what is kept of a result --- */

static bool write_output(const struct job *job, const char *ending, const void *bytes, size_t len,
                         struct glmv_err *err)
{
    char *path = check_path(job->run->config->output, job->result->name, ending, err);
    bool ok = path != NULL && glmv_file_write(path, bytes, len, err);
    free(path);
    return ok;
}

static bool write_actual(const struct job *job, const struct glmv_image *image,
                         struct glmv_err *err)
{
    struct glmv_buf png;
    glmv_buf_init(&png, (size_t)1 << 30);
    bool ok = glmv_image_encode_png(image, 1, &png, err) &&
              write_output(job, ".actual.png", png.data, png.len, err);
    glmv_buf_release(&png);
    return ok;
}

/* Where a row of the first picture is in the second. */
static int row_now(const struct replicate_comparison *c, int y)
{
    int moved = 0;
    for (size_t i = 0; i < c->gap_count; i++) {
        const struct glmv_gap *gap = &c->gaps[i];
        if (gap->y - (gap->inserted ? moved : 0) <= y) {
            moved += gap->inserted ? gap->h : -gap->h;
        }
    }
    return y + moved;
}

/* Names the elements that lie now where the findings are. */
static bool name_elements(struct replicate_comparison *c, const struct view *view, double scale,
                          struct glmv_err *err)
{
    c->selectors = calloc(c->finding_count + 1, sizeof *c->selectors);
    if (c->selectors == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; view->page != NULL && i < c->finding_count; i++) {
        const struct glmv_region *at = &c->findings[i].region;
        struct glmv_box box = {at->x / scale, row_now(c, at->y) / scale, at->w / scale,
                               at->h / scale};
        int element = replicate_region_element(view->page, box);
        if (element >= 0) {
            c->selectors[i] = strdup(view->page->elements[element].path);
        }
    }
    return true;
}

/* Compares a view with an earlier picture, which stays the caller's; masks lie over both. */
static bool compare_view(const struct job *job, struct glmv_image *before, const struct view *view,
                         struct replicate_comparison *c, struct glmv_err *err)
{
    struct glmv_pixel_options options = pixels_of(job->result->item->rules);
    c->images[0] = before;
    c->images[1] = masked(view->image, before, view, err);
    return c->images[1] != NULL && replicate_compare_images(c, &options, err);
}

static void release_compared(struct replicate_comparison *c)
{
    c->images[0] = NULL; /* the caller's */
    replicate_comparison_release(c);
}

/* Sentences, JSON and pictures of a difference. The view loses its picture. */
static bool keep_difference(const struct job *job, struct glmv_image *before, const char *name,
                            struct view *view, struct glmv_err *err)
{
    struct check_result *result = job->result;
    char *actual = check_path(job->run->config->output, result->name, ".actual.png", err);
    struct replicate_comparison c = {.paths = {name, actual}};
    struct glmv_buf buf;
    glmv_buf_init(&buf, (size_t)1 << 30);
    bool ok = actual != NULL && compare_view(job, before, view, &c, err) &&
              write_actual(job, view->image, err) &&
              name_elements(&c, view, result->item->viewport.scale, err);
    if (ok) {
        result->differing = c.count.differing;
        result->pixels = c.count.total;
        ok = replicate_comparison_text(&c, &buf, err);
        result->text = ok ? glmv_buf_take(&buf, NULL) : NULL;
        ok = ok && replicate_comparison_json(&c, &buf, err);
        result->json = ok ? glmv_buf_take(&buf, NULL) : NULL;
        ok = ok && replicate_comparison_png(&c, &buf, err) &&
             write_output(job, ".diff.png", buf.data, buf.len, err);
    }
    glmv_buf_release(&buf);
    release_compared(&c);
    free(actual);
    return ok;
}

static void say(struct check_result *result, const char *text)
{
    free(result->text);
    result->text = strdup(text);
}

/* --- the case --- */

static bool read_page(struct job *job, struct glmv_err *err)
{
    const struct check_case *item = job->result->item;
    const struct check_rules *rules = item->rules;
    for (size_t i = 0; i < rules->mask_count && item->picture == NULL; i++) {
        if (rules->masks[i].selector != NULL) {
            job->selectors[job->selector_count++] = rules->masks[i].selector;
        }
    }
    if (item->page == NULL) {
        return true;
    }
    const char *slash = strrchr(item->page, '/');
    job->assets = rules->assets != NULL ? strdup(rules->assets)
                  : slash == NULL       ? strdup(".")
                  : slash == item->page ? strdup("/")
                                        : strndup(item->page, (size_t)(slash - item->page));
    return job->assets != NULL ? glmv_file_read(item->page, PAGE_MAX, &job->html, err)
                               : glmv_fail_memory(err);
}

/* The baseline, where there is one; the way a picture is read whole is tried once where it is not
 * one of our own, so that a broken file is known before a page is drawn for it. */
static bool read_baseline(struct job *job, struct glmv_err *err)
{
    job->baseline_path = check_path(job->run->config->baselines, job->result->name, ".png", err);
    if (job->baseline_path == NULL || access(job->baseline_path, F_OK) != 0) {
        return job->baseline_path != NULL;
    }
    bool ok = glmv_file_read(job->baseline_path, GLMV_IMAGE_MAX_FILE, &job->stored, err);
    if (ok && job->stored.len > 7 && memcmp(job->stored.data, "version ", 8) == 0) {
        ok = glmv_fail(err, GLMV_ERR_FORMAT,
                       "%s: is a Git LFS pointer, not a picture; run 'git lfs pull'",
                       job->baseline_path);
    }
    return ok && (glmv_baseline_is(job->stored.data, job->stored.len) || decode_baseline(job, err));
}

/* The view at hand stands for the page; the baseline does not look like it. */
static bool settle(struct job *job, struct view *view, struct glmv_err *err)
{
    struct check_result *result = job->result;
    bool ok;
    if (job->stored.len == 0) {
        bool known = check_files_known(job->run, result->name);
        result->status = known ? CHECK_IS_MISSING : CHECK_IS_NEW;
        say(result, known ? "The index of the baselines knows this page, but its picture is gone.\n"
                          : "It had no baseline yet.\n");
        ok = write_actual(job, view->image, err);
    } else {
        result->status = CHECK_IS_CHANGED;
        ok = decode_baseline(job, err) &&
             keep_difference(job, job->baseline, job->baseline_path, view, err);
    }
    if (ok && job->run->options->update[result->status]) {
        ok = check_files_stage(job->run, result->name, view->image, err);
    }
    return ok;
}

/* The view is the same as the baseline but not equal to it: flat areas that changed by less than
 * the threshold are told, or where the rules say so make it another. */
static bool look_for_faint(struct job *job, const struct view *view, bool *same,
                           struct glmv_err *err)
{
    struct check_result *result = job->result;
    struct replicate_comparison c = {.same = true};
    bool ok = decode_baseline(job, err) && compare_view(job, job->baseline, view, &c, err);
    bool faint = false;
    for (size_t i = 0; ok && i < c.finding_count; i++) {
        faint = faint || c.findings[i].faint;
    }
    *same = !faint || !result->item->rules->faint;
    if (ok && faint && *same) {
        struct glmv_buf buf;
        glmv_buf_init(&buf, (size_t)1 << 20);
        ok = replicate_comparison_text(&c, &buf, err);
        free(result->text);
        result->text = ok ? glmv_buf_take(&buf, NULL) : NULL;
        glmv_buf_release(&buf);
    }
    release_compared(&c);
    return ok;
}

/* Draws until the page matches, or two in a row agree, or the renders are used up. */
static bool judge(struct job *job, struct glmv_err *err)
{
    struct check_result *result = job->result;
    int most = result->item->picture != NULL ? 1 : 2 + result->item->rules->retries;
    struct view view = {0};
    struct view before = {0};
    bool ok = true;
    bool done = false;
    while (ok && !done && result->renders < most) {
        view_release(&before);
        before = view;
        view = (struct view){0};
        ok = draw_or_again(job, &view, err);
        result->renders++;
        bool same = false;
        if (ok && job->stored.len > 0) {
            ok = matches_baseline(job, &view, &same, err) &&
                 (!same || result->pixels == 0 || look_for_faint(job, &view, &same, err));
            done = ok && same;
            result->status = CHECK_IS_SAME;
        }
        if (ok && !done) {
            bool still = most == 1;
            ok = before.image == NULL || matches(job, before.image, &view, &still, err);
            if (ok && still) {
                done = true;
                ok = settle(job, &view, err);
            }
        }
    }
    if (ok && !done) {
        result->status = CHECK_IS_UNSTABLE;
        ok = keep_difference(job, before.image, "the render before", &view, err);
        char text[200];
        snprintf(text, sizeof text,
                 "No two of %d renders in a row agree; mask what moves, or name what to wait for "
                 "with wait_for or wait_ms.\n",
                 result->renders);
        say(result, text);
    }
    if (ok && result->status == CHECK_IS_SAME && result->renders > 1 && result->text == NULL) {
        char text[100];
        snprintf(text, sizeof text, "It matched at render %d only.\n", result->renders);
        say(result, text);
    }
    view_release(&view);
    view_release(&before);
    return ok;
}

void check_case_run(const struct check_run *run, struct check_pool *pool,
                    struct check_result *result)
{
    struct job job = {.run = run, .pool = pool, .result = result};
    struct glmv_err err = {0};
    glmv_buf_init(&job.html, PAGE_MAX + 65536);
    glmv_buf_init(&job.stored, GLMV_IMAGE_MAX_FILE + 65536);
    job.selectors = calloc(result->item->rules->mask_count + 1, sizeof *job.selectors);
    check_files_forget(run, result->name); /* must not stand beside this one's */
    bool ok = job.selectors != NULL
                  ? read_page(&job, &err) && read_baseline(&job, &err) && judge(&job, &err)
                  : glmv_fail_memory(&err);
    if (!ok) {
        bool renderer = err.code == GLMV_ERR_RENDER || err.code == GLMV_ERR_MISSING;
        result->status = renderer ? CHECK_IS_FAILED : CHECK_IS_BROKEN;
        const char *awaited = renderer ? result->item->rules->wait_for : NULL;
        char text[sizeof err.message + 200];
        snprintf(text, sizeof text, "%s\n%s%.150s%s", err.message,
                 awaited != NULL ? "It waits for '" : "", awaited != NULL ? awaited : "",
                 awaited != NULL ? "' to be visible.\n" : "");
        say(result, text);
    }
    glmv_image_free(job.baseline);
    glmv_buf_release(&job.html);
    glmv_buf_release(&job.stored);
    free(job.baseline_path);
    free(job.assets);
    free((void *)job.selectors);
}
