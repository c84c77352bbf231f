#include "replicate/edit.h"

#include <stdio.h>
#include <string.h>

#include "replicate/author.h"
#include "replicate/boxes.h"
#include "replicate/extract.h"
#include "replicate/prompt.h"
#include "replicate/region.h"

#define MAX_PROMPT (16u << 20)
#define TRIES 2
#define MAX_INSIDE 12 /* elements of a region that are named */

void replicate_edit_release(struct replicate_edit_result *result)
{
    glmv_buf_release(&result->html);
    glmv_render_free(result->after);
    result->after = NULL;
}

static double scale_of(const struct replicate_edit_request *request)
{
    return request->render_options->scale;
}

/* Says which part is meant: numbers, element, its text. */
static bool write_region(const struct replicate_edit_request *request, struct glmv_buf *out,
                         struct glmv_err *err)
{
    if (!request->has_region) {
        return true;
    }
    const struct glmv_page *page = request->before->page;
    struct glmv_box r = request->region;
    int at = replicate_region_element(page, r);
    bool ok = glmv_buf_appendf(
        out, err,
        "Only the part inside the red frame is meant: x %.0f, y %.0f, %.0f x %.0f px, "
        "[%.0f,%.0f,%.0f,%.0f] in thousandths of the picture.\n",
        r.x, r.y, r.w, r.h, 1000 * r.x / page->width, 1000 * r.y / page->height,
        1000 * (r.x + r.w) / page->width, 1000 * (r.y + r.h) / page->height);
    int inside[MAX_INSIDE];
    size_t count = replicate_region_inside(page, r, inside, MAX_INSIDE);
    if (ok && count > 1) {
        ok = glmv_buf_append_str(out, "It holds the elements ", err);
        for (size_t i = 0; ok && i < count; i++) {
            ok = glmv_buf_appendf(out, err, "%s%s", i > 0 ? ", " : "",
                                  page->elements[inside[i]].path);
        }
    } else if (ok && at >= 0) {
        ok = glmv_buf_appendf(out, err, "It is the element %s", page->elements[at].path);
    }
    if (ok && at >= 0) {
        const char *before = ", with the text: ";
        for (size_t i = 0; ok && i < page->text_count; i++) {
            struct glmv_box b = page->texts[i].box;
            double x = b.x + b.w / 2, y = b.y + b.h / 2;
            if (x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h && out->len < 4000) {
                ok = glmv_buf_appendf(out, err, "%s%s", before, page->texts[i].text);
                before = " / ";
            }
        }
        ok = ok && glmv_buf_append_str(out, "\n", err);
    }
    return ok;
}

/* The render with a red frame round the region. */
static struct glmv_image *framed(const struct replicate_edit_request *request, struct glmv_err *err)
{
    const struct glmv_image *image = request->before->image;
    struct glmv_image *copy = glmv_image_crop(image, 0, 0, image->width, image->height, err);
    if (copy != NULL && request->has_region) {
        double s = scale_of(request);
        struct replicate_place place = {.box = {request->region.x * s, request->region.y * s,
                                                request->region.w * s, request->region.h * s}};
        replicate_boxes_draw(copy, &place, 1);
    }
    return copy;
}

static bool ask(const struct replicate_edit_request *request, const char *tried,
                struct replicate_edit_result *out, struct glmv_err *err)
{
    struct glmv_buf region, prompt;
    glmv_buf_init(&region, MAX_PROMPT);
    glmv_buf_init(&prompt, MAX_PROMPT);
    struct glmv_image *picture = framed(request, err);
    bool ok = picture != NULL && write_region(request, &region, err);
    if (ok) {
        const struct replicate_fill fills[] = {
            {"instruction", request->instruction},
            {"region", region.data != NULL ? region.data : ""},
            {"tried", tried},
            {"html", request->html},
            {NULL, NULL},
        };
        ok = replicate_prompt_write("edit", fills, &prompt, err);
    }
    if (ok) {
        struct glmv_chat_chunk chunks[] = {glmv_chat_image(picture), glmv_chat_text(prompt.data)};
        struct glmv_chat_message message = {
            .role = GLMV_CHAT_USER, .chunks = chunks, .chunk_count = 2};
        struct glmv_chat_result result;
        ok = glmv_chat_complete(request->chat, &message, 1, request->options, request->watch,
                                &result, err);
        snprintf(out->warning, sizeof out->warning, "%s", result.warning);
        ok = ok && replicate_extract(result.text.data != NULL ? result.text.data : "",
                                     result.text.len, &out->html, err);
        glmv_chat_result_release(&result);
    }
    glmv_image_free(picture);
    glmv_buf_release(&region);
    glmv_buf_release(&prompt);
    return ok;
}

static bool attempt(const struct replicate_edit_request *request, const char *tried,
                    struct replicate_edit_result *out, struct glmv_err *err)
{
    memset(out, 0, sizeof *out);
    glmv_buf_init(&out->html, REPLICATE_MAX_HTML);
    if (!ask(request, tried, out, err)) {
        return false;
    }
    out->after = glmv_renderer_render(request->renderer, out->html.data, out->html.len,
                                      request->render_options, err);
    if (out->after == NULL) {
        return false;
    }
    struct glmv_box nothing = {0}, where;
    const struct glmv_image *before = request->before->image, *after = out->after->image;
    out->changed = replicate_region_leak(before, after, nothing, &where);
    if (request->has_region) {
        double s = scale_of(request);
        struct glmv_box box = {request->region.x * s, request->region.y * s, request->region.w * s,
                               request->region.h * s};
        out->leak = replicate_region_leak(before, after, box, &out->leak_where);
    }
    return true;
}

bool replicate_edit(const struct replicate_edit_request *request,
                    struct replicate_edit_result *result, struct glmv_err *err)
{
    char tried[256] = "";
    memset(result, 0, sizeof *result);
    for (int i = 1; i <= TRIES; i++) {
        struct replicate_edit_result next;
        struct glmv_err problem = {0};
        bool ok = attempt(request, tried, &next, &problem);
        if (ok && (result->after == NULL || next.leak < result->leak)) {
            replicate_edit_release(result);
            *result = next;
        } else {
            replicate_edit_release(&next);
        }
        result->tries = i;
        if (result->after == NULL && (i == TRIES || problem.code != GLMV_ERR_MODEL)) {
            return glmv_fail(err, problem.code, "%s", problem.message);
        }
        if (result->after != NULL && (result->leak == 0 || !ok)) {
            break;
        }
        if (ok) {
            snprintf(tried, sizeof tried,
                     "Your last answer also changed the page outside, at x %.0f, y %.0f, %.0f x "
                     "%.0f px; leave that as it was.\n",
                     result->leak_where.x, result->leak_where.y, result->leak_where.w,
                     result->leak_where.h);
        } else {
            snprintf(tried, sizeof tried, "Your last answer was no complete page (%.180s).\n",
                     problem.message);
        }
    }
    return true;
}
