#include "replicate/tools.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "replicate/crops.h"
#include "replicate/feedback.h"
#include "replicate/slots.h"

#define MAX_TEXT (1u << 20)
#define MAX_HTML (8u << 20)
#define MAX_PAGE (64u << 20) /* with its pictures */

const struct glmv_chat_tool replicate_tool_list[] = {
    {"render_page",
     "Draws a whole HTML file in a browser, measures how near it comes to the screenshot and "
     "returns the picture.",
     "{\"type\":\"object\",\"properties\":{\"html\":{\"type\":\"string\",\"description\":\"the "
     "whole file, from <!DOCTYPE html> to </html>\"}},\"required\":[\"html\"]}"},
    {"compare",
     "Says in numbers how the page that was drawn last differs from the screenshot, and shows the "
     "worst place: on the left as it should be, on the right as the page has it.",
     "{\"type\":\"object\",\"properties\":{}}"},
    {"crop",
     "Cuts a part out of the screenshot, or out of the page that was drawn last, at full size.",
     "{\"type\":\"object\",\"properties\":{\"box\":{\"type\":\"array\",\"items\":{\"type\":"
     "\"number\"},\"minItems\":4,\"maxItems\":4,\"description\":\"[x1,y1,x2,y2] in thousandths of "
     "width and height\"},\"of\":{\"type\":\"string\",\"enum\":[\"screenshot\",\"page\"]}},"
     "\"required\":[\"box\"]}"},
};
const size_t replicate_tool_count = sizeof replicate_tool_list / sizeof replicate_tool_list[0];

void replicate_tools_reset(struct replicate_tools *tools)
{
    glmv_render_free(tools->render);
    tools->render = NULL;
    glmv_buf_release(&tools->best);
    glmv_buf_init(&tools->best, MAX_HTML);
    tools->score = (struct glmv_score){0};
    tools->calls = 0;
}

void replicate_tools_release(struct replicate_tools *tools)
{
    glmv_render_free(tools->render);
    tools->render = NULL;
    glmv_buf_release(&tools->best);
}

void replicate_tool_answer_release(struct replicate_tool_answer *answer)
{
    glmv_buf_release(&answer->text);
    glmv_image_free(answer->image);
    answer->image = NULL;
}

static bool draw(struct replicate_tools *tools, const cJSON *arguments,
                 struct replicate_tool_answer *answer, struct glmv_err *err)
{
    const cJSON *html = cJSON_GetObjectItemCaseSensitive(arguments, "html");
    if (!cJSON_IsString(html)) {
        return glmv_buf_append_str(&answer->text, "render_page needs html, the whole file", err);
    }
    const struct replicate_referee *referee = tools->referee;
    struct glmv_buf page, filled;
    struct glmv_err problem = {0};
    struct glmv_score score;
    glmv_buf_init(&page, MAX_HTML);
    glmv_buf_init(&filled, MAX_PAGE);
    struct glmv_render *render = NULL;
    if (referee->extract(referee->arg, html->valuestring, strlen(html->valuestring), &page,
                         &problem) &&
        replicate_slots_fill(tools->scene, page.data, page.len, &filled, &problem)) {
        render = referee->measure(referee->arg, filled.data, filled.len, &score, &problem);
    }
    bool ok;
    if (render == NULL) {
        ok = problem.code == GLMV_ERR_CANCELLED
                 ? glmv_fail(err, problem.code, "%s", problem.message)
                 : glmv_buf_appendf(&answer->text, err, "not drawn: %s", problem.message);
    } else {
        const struct glmv_image *image = render->image;
        glmv_render_free(tools->render);
        tools->render = render;
        answer->image = glmv_image_crop(image, 0, 0, image->width, image->height, err);
        ok = answer->image != NULL &&
             glmv_buf_appendf(&answer->text, err,
                              "drawn: %d x %d px (the screenshot has %d x %d); score %.3f, where 1 "
                              "is equal",
                              image->width, image->height, tools->target->width,
                              tools->target->height, score.total);
        if (ok && score.total > tools->score.total) {
            tools->score = score;
            glmv_buf_clear(&tools->best);
            ok = glmv_buf_append(&tools->best, page.data, page.len, err);
        }
    }
    glmv_buf_release(&page);
    glmv_buf_release(&filled);
    return ok;
}

static const struct glmv_render *drawn(const struct replicate_tools *tools)
{
    return tools->render != NULL ? tools->render : tools->shown;
}

static bool compare(struct replicate_tools *tools, struct replicate_tool_answer *answer,
                    struct glmv_err *err)
{
    struct replicate_fact facts[REPLICATE_MAX_FACTS];
    if (drawn(tools) == NULL) {
        return glmv_buf_append_str(&answer->text, "no page was drawn yet: call render_page first",
                                   err);
    }
    int count =
        replicate_feedback_find(tools->scene, drawn(tools), tools->scene->scale, facts, err);
    if (count < 0) {
        return false;
    }
    struct glmv_box worst = count > 0 ? facts[0].box : (struct glmv_box){0};
    answer->image = replicate_crop_pair(tools->target, drawn(tools)->image, worst, err);
    return answer->image != NULL &&
           glmv_buf_append_str(&answer->text,
                               count > 0 ? "The differences, the most important first:\n"
                                         : "The measurement finds no difference.",
                               err) &&
           replicate_feedback_write(facts, count, tools->target->width, tools->target->height,
                                    &answer->text, err);
}

static bool crop(struct replicate_tools *tools, const cJSON *arguments,
                 struct replicate_tool_answer *answer, struct glmv_err *err)
{
    const cJSON *box = cJSON_GetObjectItemCaseSensitive(arguments, "box");
    const cJSON *of = cJSON_GetObjectItemCaseSensitive(arguments, "of");
    bool of_page = cJSON_IsString(of) && strcmp(of->valuestring, "page") == 0;
    double side[4];
    bool fits = cJSON_IsArray(box) && cJSON_GetArraySize(box) == 4;
    for (int i = 0; fits && i < 4; i++) {
        const cJSON *item = cJSON_GetArrayItem(box, i);
        fits = cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 1000;
        side[i] = fits ? item->valuedouble / 1000 : 0;
    }
    if (!fits || side[2] <= side[0] || side[3] <= side[1]) {
        return glmv_buf_append_str(&answer->text,
                                   "crop needs box, [x1,y1,x2,y2] from 0 to 1000 with x1 < x2 and "
                                   "y1 < y2",
                                   err);
    }
    if (of_page && drawn(tools) == NULL) {
        return glmv_buf_append_str(&answer->text, "no page was drawn yet: call render_page first",
                                   err);
    }
    const struct glmv_image *image = of_page ? drawn(tools)->image : tools->target;
    int x = (int)(side[0] * image->width), y = (int)(side[1] * image->height);
    int right = (int)(side[2] * image->width), bottom = (int)(side[3] * image->height);
    int w = right > x ? right - x : 1, h = bottom > y ? bottom - y : 1;
    answer->image = glmv_image_crop(image, x < image->width ? x : image->width - 1,
                                    y < image->height ? y : image->height - 1, w, h, err);
    return answer->image != NULL &&
           glmv_buf_appendf(&answer->text, err, "x %d, y %d, %d x %d px of the %s", x, y,
                            answer->image->width, answer->image->height,
                            of_page ? "page" : "screenshot");
}

bool replicate_tools_call(struct replicate_tools *tools, const struct glmv_chat_call *call,
                          struct replicate_tool_answer *answer, struct glmv_err *err)
{
    memset(answer, 0, sizeof *answer);
    glmv_buf_init(&answer->text, MAX_TEXT);
    if (tools->calls >= REPLICATE_MAX_CALLS) {
        return glmv_buf_appendf(&answer->text, err,
                                "there were %d calls already: answer with the whole file now",
                                REPLICATE_MAX_CALLS);
    }
    tools->calls++;
    cJSON *arguments = cJSON_Parse(call->arguments);
    bool ok;
    if (strcmp(call->name, "compare") == 0) {
        ok = compare(tools, answer, err);
    } else if (!cJSON_IsObject(arguments)) {
        ok = glmv_buf_append_str(&answer->text, "the arguments are not a JSON object", err);
    } else if (strcmp(call->name, "render_page") == 0) {
        ok = draw(tools, arguments, answer, err);
    } else if (strcmp(call->name, "crop") == 0) {
        ok = crop(tools, arguments, answer, err);
    } else {
        ok = glmv_buf_appendf(&answer->text, err,
                              "there is no tool '%.60s'; there are render_page, compare and crop",
                              call->name);
    }
    cJSON_Delete(arguments);
    return ok;
}
