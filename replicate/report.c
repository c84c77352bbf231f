/* What a run found: for a person, and for a program. */
#include "replicate/report.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "diff/explain.h"
#include "replicate/region.h"
#include "replicate/view.h"

#define MAX_REGIONS 12

/* Where the page differs from the screenshot. */
struct findings {
    struct glmv_finding *list; /* for free() */
    size_t count;
};

static bool find(const struct replicate_report *r, struct findings *out, struct glmv_err *err)
{
    const struct glmv_image *render = r->trace->render->image;
    size_t count;
    struct glmv_region *regions =
        glmv_diff_regions(r->target, render, GLMV_DIFF_THRESHOLD, MAX_REGIONS, &count, err);
    out->list = regions != NULL
                    ? glmv_diff_explain(r->target, render, regions, count, &out->count, err)
                    : NULL;
    free(regions);
    return out->list != NULL;
}

/* A selector of the element that lies where the finding is; NULL for none. */
static const char *element_of(const struct replicate_report *r, const struct glmv_finding *f)
{
    const struct glmv_page *page = r->trace->render->page;
    double scale = r->trace->scale;
    struct glmv_box box = {f->region.x / scale, f->region.y / scale, f->region.w / scale,
                           f->region.h / scale};
    int element = replicate_region_element(page, box);
    return element >= 0 ? page->elements[element].path : NULL;
}

static bool put_number(struct glmv_buf *out, const char *name, const char *format, double value,
                       struct glmv_err *err)
{
    char text[40];
    snprintf(text, sizeof text, format, value);
    return glmv_buf_appendf(out, err, "<div class=\"figure\"><b>%s</b><span>%s</span></div>\n",
                            text, name);
}

static bool put_figures(struct glmv_buf *out, const struct replicate_trace *t, struct glmv_err *err)
{
    return glmv_buf_append_str(out, "<div class=\"figures\">\n", err) &&
           put_number(out, "score", "%.4f", t->score.total, err) &&
           put_number(out, "pixels that agree", "%.2f %%", t->score.pixel * 100, err) &&
           put_number(out, "SSIM", "%.4f", t->score.ssim, err) &&
           put_number(out, "SSIM at a quarter", "%.4f", t->score.ssim_quarter, err) &&
           put_number(out, "lines of text", "%.0f", (double)t->scene->line_count, err) &&
           put_number(out, "boxes", "%.0f", (double)t->scene->box_count, err) &&
           put_number(out, "pictures", "%.0f", (double)t->scene->picture_count, err) &&
           put_number(out, "seconds", "%.1f", t->total_seconds, err) &&
           glmv_buf_append_str(out, "</div>\n", err);
}

static bool put_pictures(struct glmv_buf *out, const struct replicate_report *r,
                         struct glmv_err *err)
{
    const struct glmv_image *render = r->trace->render->image;
    struct glmv_image *difference = glmv_diff_picture(r->target, render, GLMV_DIFF_THRESHOLD, err);
    bool ok =
        difference != NULL && glmv_buf_append_str(out, "<h2>Screenshot and page</h2>\n", err) &&
        view_compare_begin(out, err) && view_picture(out, "before", "screenshot", r->target, err) &&
        view_picture(out, "after", "page", render, err) &&
        view_picture(out, "difference", "difference", difference, err) &&
        view_compare_end(out, err);
    glmv_image_free(difference);
    return ok;
}

static bool put_finding(struct glmv_buf *out, const struct replicate_report *r,
                        const struct glmv_finding *f, struct glmv_err *err)
{
    const struct glmv_region *at = &f->region;
    const char *element = element_of(r, f);
    struct glmv_buf sentence;
    glmv_buf_init(&sentence, 4096);
    bool ok =
        glmv_finding_sentence(f, &sentence, err) &&
        glmv_buf_appendf(out, err,
                         "<tr data-box=\"%d,%d,%d,%d\"><td><div class=\"crops\"></div></td>"
                         "<td>",
                         at->x, at->y, at->w, at->h) &&
        glmv_buf_append_html(out, sentence.data, err) &&
        glmv_buf_append_str(out, "<br><code>", err) &&
        glmv_buf_append_html(out, element != NULL ? element : "", err) &&
        glmv_buf_appendf(out, err, "</code></td><td class=\"number\">%zu</td></tr>\n", at->pixels);
    glmv_buf_release(&sentence);
    return ok;
}

static bool put_findings(struct glmv_buf *out, const struct replicate_report *r,
                         struct glmv_err *err)
{
    struct findings found;
    if (!find(r, &found, err)) {
        return false;
    }
    bool ok = glmv_buf_append_str(out, "<h2>Where it differs most</h2>\n", err);
    if (found.count == 0) {
        ok = ok && glmv_buf_append_str(out, "<p>Nowhere by more than anti-aliasing.</p>\n", err);
    } else {
        ok = ok && glmv_buf_append_str(out,
                                       "<div class=\"wide\"><table><tr><th>screenshot, page</th>"
                                       "<th>what happened</th><th>pixels</th></tr>\n",
                                       err);
        for (size_t i = 0; ok && i < found.count; i++) {
            ok = put_finding(out, r, &found.list[i], err);
        }
        ok = ok && glmv_buf_append_str(out, "</table></div>\n", err);
    }
    free(found.list);
    return ok;
}

static bool put_rounds(struct glmv_buf *out, const struct replicate_trace *t, struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out,
                                  "<h2>Rounds</h2>\n<div class=\"wide\"><table><tr><th>round</th>"
                                  "<th>score</th><th>pixels</th><th>SSIM</th><th>corrected</th>"
                                  "<th>seconds</th><th></th></tr>\n",
                                  err);
    for (int i = 0; ok && i < t->round_count; i++) {
        const struct replicate_round *round = &t->rounds[i];
        ok =
            glmv_buf_appendf(out, err,
                             "<tr class=\"number\"><td>%d</td><td>%.4f</td><td>%.2f %%</td>"
                             "<td>%.4f</td><td>%d</td><td>%.2f</td><td class=\"%s\">%s</td></tr>\n",
                             i, round->score.total, round->score.pixel * 100, round->score.ssim,
                             round->changed, round->seconds, round->accepted ? "good" : "bad",
                             round->accepted ? "kept" : "not kept");
    }
    return ok && glmv_buf_append_str(out, "</table></div>\n", err);
}

static bool put_notes(struct glmv_buf *out, const struct glmv_scene *scene, struct glmv_err *err)
{
    if (scene->note_count == 0) {
        return true;
    }
    bool ok = glmv_buf_append_str(out, "<h2>What to know</h2>\n<ul>", err);
    for (size_t i = 0; ok && i < scene->note_count; i++) {
        ok = glmv_buf_append_str(out, "<li>", err) &&
             glmv_buf_append_html(out, scene->notes[i], err) &&
             glmv_buf_append_str(out, "</li>", err);
    }
    return ok && glmv_buf_append_str(out, "</ul>\n", err);
}

bool replicate_report_html(const struct replicate_report *r, struct glmv_buf *out,
                           struct glmv_err *err)
{
    return view_head(out, r->input, err) && glmv_buf_append_str(out, "<h1>", err) &&
           glmv_buf_append_html(out, r->input, err) &&
           glmv_buf_append_str(out, "</h1>\n<p class=\"sub\">rebuilt as ", err) &&
           glmv_buf_append_html(out, r->output, err) &&
           glmv_buf_append_str(out, " by glmv-replicate " GLMV_VERSION "</p>\n", err) &&
           put_figures(out, r->trace, err) && put_pictures(out, r, err) &&
           put_findings(out, r, err) && put_rounds(out, r->trace, err) &&
           put_notes(out, r->trace->scene, err) && view_tail(out, err);
}

static cJSON *score_json(const struct glmv_score *score)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "total", score->total);
    cJSON_AddNumberToObject(item, "pixel", score->pixel);
    cJSON_AddNumberToObject(item, "ssim", score->ssim);
    cJSON_AddNumberToObject(item, "ssim_quarter", score->ssim_quarter);
    cJSON_AddNumberToObject(item, "size", score->size);
    cJSON_AddItemToObject(item, "slices",
                          cJSON_CreateDoubleArray(score->slices, score->slice_count));
    cJSON_AddNumberToObject(item, "slice_px", score->slice_px);
    return item;
}

static void add_regions(cJSON *root, const struct replicate_report *r)
{
    struct findings found;
    cJSON *list = cJSON_AddArrayToObject(root, "regions");
    if (!find(r, &found, NULL)) {
        return;
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct glmv_finding *f = &found.list[i];
        const char *element = element_of(r, f);
        double box[4] = {f->region.x, f->region.y, f->region.w, f->region.h};
        struct glmv_buf sentence;
        glmv_buf_init(&sentence, 4096);
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToObject(item, "box", cJSON_CreateDoubleArray(box, 4));
        cJSON_AddNumberToObject(item, "pixels", (double)f->region.pixels);
        cJSON_AddStringToObject(item, "kind", glmv_change_name(f->change));
        if (glmv_finding_sentence(f, &sentence, NULL)) {
            cJSON_AddStringToObject(item, "sentence", sentence.data);
        }
        if (element != NULL) {
            cJSON_AddStringToObject(item, "selector", element);
        }
        cJSON_AddItemToArray(list, item);
        glmv_buf_release(&sentence);
    }
    free(found.list);
}

bool replicate_report_json(const struct replicate_report *r, struct glmv_buf *out,
                           struct glmv_err *err)
{
    const struct replicate_trace *t = r->trace;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "version", GLMV_VERSION);
    cJSON_AddStringToObject(root, "input", r->input);
    cJSON_AddStringToObject(root, "output", r->output);
    cJSON_AddItemToObject(root, "score", score_json(&t->score));
    cJSON *rounds = cJSON_AddArrayToObject(root, "rounds");
    for (int i = 0; i < t->round_count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToObject(item, "score", score_json(&t->rounds[i].score));
        cJSON_AddBoolToObject(item, "kept", t->rounds[i].accepted);
        cJSON_AddNumberToObject(item, "changed", t->rounds[i].changed);
        cJSON_AddNumberToObject(item, "seconds", t->rounds[i].seconds);
        cJSON_AddItemToArray(rounds, item);
    }
    add_regions(root, r);
    cJSON_AddNumberToObject(root, "lines", (double)t->scene->line_count);
    cJSON_AddNumberToObject(root, "boxes", (double)t->scene->box_count);
    cJSON_AddNumberToObject(root, "pictures", (double)t->scene->picture_count);
    cJSON *notes = cJSON_AddArrayToObject(root, "notes");
    for (size_t i = 0; i < t->scene->note_count; i++) {
        cJSON_AddItemToArray(notes, cJSON_CreateString(t->scene->notes[i]));
    }
    cJSON_AddNumberToObject(root, "look_seconds", t->look_seconds);
    cJSON_AddNumberToObject(root, "total_seconds", t->total_seconds);
    return glmv_json_append(out, root, err);
}
