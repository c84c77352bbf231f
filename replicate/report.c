#include "replicate/report.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

#define MAX_REGIONS 12
#define PICTURE_MAX ((size_t)256 << 20)

static const char style[] =
    ":root{color-scheme:light "
    "dark;--ink:#1c2330;--soft:#667085;--paper:#f6f7f9;--card:#fff;--line:#e3e6eb;--good:#14804a;"
    "--bad:#c4314b}@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#98a1b3;--paper:#"
    "14171d;--card:#1d222b;"
    "--line:#303744;--good:#4cc38a;--bad:#ff8095}}*{box-sizing:border-box}body{margin:0;background:"
    "var(--paper);color:"
    "var(--ink);font:15px/1.5 system-ui,sans-serif}main{max-width:1500px;margin:0 "
    "auto;padding:32px 24px 64px}h1{font-size:"
    "22px;margin:0}h2{font-size:16px;margin:40px 0 12px}.sub{color:var(--soft);margin:4px 0 "
    "24px}.figures{display:flex;"
    "flex-wrap:wrap;gap:12px}.figure{background:var(--card);border:1px solid "
    "var(--line);border-radius:10px;padding:12px "
    "18px;min-width:120px}.figure "
    "b{display:block;font-size:24px;font-variant-numeric:tabular-nums}.figure span{color:"
    "var(--soft);font-size:13px}.views{display:grid;grid-template-columns:repeat(auto-fit,minmax("
    "320px,1fr));gap:16px}"
    "figure{margin:0;background:var(--card);border:1px solid "
    "var(--line);border-radius:10px;overflow:hidden}figcaption{"
    "padding:8px 14px;color:var(--soft);font-size:13px;border-bottom:1px solid "
    "var(--line)}img{display:block;width:100%;"
    "height:auto}.slider{position:relative;border:1px solid "
    "var(--line);border-radius:10px;overflow:hidden;background:"
    "var(--card)}.slider .over{position:absolute;inset:0;clip-path:inset(0 0 0 50%);background:"
    "var(--card)}.slider .bar{position:absolute;top:0;"
    "bottom:0;left:50%;width:2px;background:#e5484d}.slider i{position:absolute;outline:3px solid "
    "#e5484d;outline-offset:3px;visibility:hidden}.slider i.on,.slider "
    "i.picked{visibility:visible}.ends{display:"
    "flex;justify-content:space-between;color:var(--soft);font-size:13px}tr[data-region]{cursor:"
    "pointer}tr[data-region]:hover{background:var(--paper)}input[type=range]{width:100%;margin:"
    "12px "
    "0 0}.ends{margin:0 0 8px}table{border-collapse:"
    "collapse;width:100%;background:var(--card);border:1px solid "
    "var(--line);border-radius:10px;overflow:hidden}th,td{"
    "text-align:left;padding:8px 14px;border-bottom:1px solid "
    "var(--line);font-variant-numeric:tabular-nums}th{color:"
    "var(--soft);font-weight:500;font-size:13px}.good{color:var(--good)}.bad{color:var(--bad)}li{"
    "margin:4px 0}";

static const char script[] = "const "
                             "range=document.querySelector('input[type=range]'),over=document."
                             "querySelector('.over'),bar=document."
                             "querySelector('.bar');range.addEventListener('input',()=>{over.style."
                             "clipPath='inset(0 0 0 '+range.value+'%)';"
                             "bar.style.left=range.value+'%'});"
                             "for(const row of document.querySelectorAll('tr[data-region]')){const "
                             "mark=document.getElementById('region'+row.dataset.region);"
                             "row.addEventListener('mouseenter',()=>mark.classList.add('on'));"
                             "row.addEventListener('mouseleave',()=>mark.classList.remove('on'));"
                             "row.addEventListener('click',()=>{document.querySelector("
                             "'i.picked')?.classList.remove('picked');mark.classList.add('picked');"
                             "mark.scrollIntoView({block:'center'})})}";

struct page {
    struct glmv_buf *out;
    struct glmv_err *err;
    bool ok;
};

static void put(struct page *p, const char *text)
{
    p->ok = p->ok && glmv_buf_append_str(p->out, text, p->err);
}

static void put_text(struct page *p, const char *text)
{
    for (const char *c = text; p->ok && *c != '\0'; c++) {
        const char *entity = *c == '&'   ? "&amp;"
                             : *c == '<' ? "&lt;"
                             : *c == '>' ? "&gt;"
                             : *c == '"' ? "&quot;"
                                         : NULL;
        p->ok = entity != NULL ? glmv_buf_append_str(p->out, entity, p->err)
                               : glmv_buf_append(p->out, c, 1, p->err);
    }
}

static void put_picture(struct page *p, const struct glmv_image *image, const char *alt)
{
    struct glmv_buf bytes;
    glmv_buf_init(&bytes, PICTURE_MAX);
    put(p, "<img alt=\"");
    put_text(p, alt);
    put(p, "\" src=\"data:image/png;base64,");
    p->ok = p->ok && glmv_image_encode_png(image, 6, &bytes, p->err) &&
            glmv_base64_append(p->out, bytes.data, bytes.len, p->err);
    put(p, "\">");
    glmv_buf_release(&bytes);
}

static void put_figure(struct page *p, const char *name, const struct glmv_image *image)
{
    put(p, "<figure><figcaption>");
    put(p, name);
    put(p, "</figcaption>");
    put_picture(p, image, name);
    put(p, "</figure>\n");
}

static void put_number(struct page *p, const char *name, const char *format, double value)
{
    char text[40];
    snprintf(text, sizeof text, format, value);
    put(p, "<div class=\"figure\"><b>");
    put(p, text);
    put(p, "</b><span>");
    put(p, name);
    put(p, "</span></div>");
}

static void put_figures(struct page *p, const struct replicate_report *r)
{
    const struct replicate_trace *t = r->trace;
    put(p, "<div class=\"figures\">");
    put_number(p, "score", "%.4f", t->score.total);
    put_number(p, "pixels that agree", "%.2f %%", t->score.pixel * 100);
    put_number(p, "SSIM", "%.4f", t->score.ssim);
    put_number(p, "SSIM at a quarter", "%.4f", t->score.ssim_quarter);
    put_number(p, "lines of text", "%.0f", (double)t->scene->line_count);
    put_number(p, "boxes", "%.0f", (double)t->scene->box_count);
    put_number(p, "pictures", "%.0f", (double)t->scene->picture_count);
    put_number(p, "seconds", "%.2f", t->total_seconds);
    put(p, "</div>\n");
}

static void put_rounds(struct page *p, const struct replicate_trace *t)
{
    put(p, "<h2>Rounds</h2><table><tr><th>round</th><th>score</th><th>pixels</th><th>SSIM</"
           "th><th>numbers "
           "corrected</th><th>seconds</th><th></th></tr>\n");
    for (int i = 0; p->ok && i < t->round_count; i++) {
        const struct replicate_round *round = &t->rounds[i];
        p->ok = glmv_buf_appendf(
            p->out, p->err,
            "<tr><td>%d</td><td>%.4f</td><td>%.2f %%</td><td>%.4f</td><td>%d</td><td>%.2f</td>"
            "<td class=\"%s\">%s</td></tr>\n",
            i, round->score.total, round->score.pixel * 100, round->score.ssim, round->changed,
            round->seconds, round->accepted ? "good" : "bad",
            round->accepted ? "kept" : "not kept");
    }
    put(p, "</table>\n");
}

/* The regions on the slider's picture, shown by the rows of the table. */
static void put_marks(struct page *p, const struct glmv_image *on,
                      const struct glmv_region *regions, size_t count)
{
    for (size_t i = 0; p->ok && i < count; i++) {
        p->ok = glmv_buf_appendf(
            p->out, p->err,
            "<i id=\"region%zu\" style=\"left:%.3f%%;top:%.3f%%;width:%.3f%%;height:%.3f%%\"></i>",
            i, 100.0 * regions[i].x / on->width, 100.0 * regions[i].y / on->height,
            100.0 * regions[i].w / on->width, 100.0 * regions[i].h / on->height);
    }
}

static void put_regions(struct page *p, const struct glmv_region *regions, size_t count)
{
    put(p, "<h2>Where it differs most</h2>");
    if (count == 0) {
        put(p, "<p>Nowhere by more than anti-aliasing.</p>\n");
        return;
    }
    put(p, "<table><tr><th>x</th><th>y</th><th>width</th><th>height</th><th>differing "
           "pixels</th></tr>\n");
    for (size_t i = 0; p->ok && i < count; i++) {
        p->ok = glmv_buf_appendf(
            p->out, p->err,
            "<tr "
            "data-region=\"%zu\"><td>%d</td><td>%d</td><td>%d</td><td>%d</td><td>%zu</td></tr>\n",
            i, regions[i].x, regions[i].y, regions[i].w, regions[i].h, regions[i].pixels);
    }
    put(p, "</table>\n");
}

static void put_notes(struct page *p, const struct glmv_scene *scene)
{
    if (scene->note_count == 0) {
        return;
    }
    put(p, "<h2>What to know</h2><ul>");
    for (size_t i = 0; i < scene->note_count; i++) {
        put(p, "<li>");
        put_text(p, scene->notes[i]);
        put(p, "</li>");
    }
    put(p, "</ul>\n");
}

bool replicate_report_html(const struct replicate_report *r, struct glmv_buf *out,
                           struct glmv_err *err)
{
    const struct replicate_trace *t = r->trace;
    size_t count;
    struct glmv_image *difference =
        glmv_diff_picture(r->target, t->render->image, GLMV_DIFF_THRESHOLD, err);
    struct glmv_region *regions = glmv_diff_regions(r->target, t->render->image,
                                                    GLMV_DIFF_THRESHOLD, MAX_REGIONS, &count, err);
    struct page p = {out, err, difference != NULL && regions != NULL};
    put(&p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
            "name=\"viewport\" "
            "content=\"width=device-width, initial-scale=1\">\n<title>glmv-replicate: ");
    put_text(&p, r->input);
    put(&p, "</title>\n<style>");
    put(&p, style);
    put(&p, "</style>\n</head>\n<body>\n<main>\n<h1>");
    put_text(&p, r->input);
    put(&p, "</h1>\n<p class=\"sub\">rebuilt as ");
    put_text(&p, r->output);
    put(&p, " by glmv-replicate " GLMV_VERSION "</p>\n");
    put_figures(&p, r);
    put(&p, "<h2>Side by side</h2><div class=\"views\">\n");
    if (p.ok) {
        put_figure(&p, "screenshot", r->target);
        put_figure(&p, "page", t->render->image);
        put_figure(&p, "difference", difference);
    }
    put(&p, "</div>\n<h2>Slider</h2><input type=\"range\" min=\"0\" max=\"100\" value=\"50\" "
            "aria-label=\"screenshot "
            "to the left, page to the right\"><p class=\"ends\"><span>screenshot</span>"
            "<span>page</span></p><div class=\"slider\">");
    if (p.ok) {
        put_picture(&p, r->target, "screenshot");
        put(&p, "<div class=\"over\">");
        put_picture(&p, t->render->image, "page");
        put(&p, "</div><div class=\"bar\"></div>");
        put_marks(&p, r->target, regions, count);
        put(&p, "</div>\n");
        put_regions(&p, regions, count);
    }
    put_rounds(&p, t);
    put_notes(&p, t->scene);
    put(&p, "</main>\n<script>");
    put(&p, script);
    put(&p, "</script>\n</body>\n</html>\n");
    glmv_image_free(difference);
    free(regions);
    return p.ok;
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
    size_t count;
    struct glmv_region *regions = glmv_diff_regions(r->target, r->trace->render->image,
                                                    GLMV_DIFF_THRESHOLD, MAX_REGIONS, &count, NULL);
    cJSON *list = cJSON_AddArrayToObject(root, "regions");
    for (size_t i = 0; regions != NULL && i < count; i++) {
        double box[4] = {regions[i].x, regions[i].y, regions[i].w, regions[i].h};
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToObject(item, "box", cJSON_CreateDoubleArray(box, 4));
        cJSON_AddNumberToObject(item, "pixels", (double)regions[i].pixels);
        cJSON_AddItemToArray(list, item);
    }
    free(regions);
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
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    bool ok = text != NULL
                  ? glmv_buf_append_str(out, text, err) && glmv_buf_append_str(out, "\n", err)
                  : glmv_fail_memory(err);
    free(text);
    return ok;
}
