#include "replicate/author.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "replicate/prompt.h"

#define MAX_TEXT (1u << 20)
#define HINT_LINES 220 /* more would be longer than the page they describe */
#define HINT_BOXES 80
#define HINT_PICTURES 60
#define CONTINUATIONS 3
#define CROP_MARGIN 40 /* px round the worst place */

/* -- measured hints --------------------------------------------------------------------------- */

static bool put_box(struct glmv_buf *out, const struct glmv_scene *scene, struct glmv_box b,
                    struct glmv_err *err)
{
    return glmv_buf_appendf(out, err, "[%.0f,%.0f,%.0f,%.0f]", 1000 * b.x / scene->width,
                            1000 * b.y / scene->height, 1000 * (b.x + b.w) / scene->width,
                            1000 * (b.y + b.h) / scene->height);
}

static bool write_lines(const struct glmv_scene *scene, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < scene->line_count && i < HINT_LINES; i++) {
        const struct glmv_scene_line *line = &scene->lines[i];
        ok = put_box(out, scene, line->ink, err) &&
             glmv_buf_appendf(out, err, " %.0fpx %d #%06x %s\n", line->font_px / scene->scale,
                              line->weight, (unsigned)(line->color >> 8), line->text);
    }
    return ok;
}

static bool write_boxes(const struct glmv_scene *scene, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < scene->box_count && i < HINT_BOXES; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        ok = put_box(out, scene, box->box, err) &&
             (box->fill == GLMV_FILL_SOLID
                  ? glmv_buf_appendf(out, err, " #%06x", (unsigned)(box->color >> 8))
                  : glmv_buf_append_str(out, box->fill == GLMV_FILL_NONE ? " outline" : " gradient",
                                        err));
        if (ok && box->border[GLMV_TOP].width > 0) {
            ok = glmv_buf_appendf(out, err, " border %.0fpx #%06x", box->border[GLMV_TOP].width,
                                  (unsigned)(box->border[GLMV_TOP].color >> 8));
        }
        ok = ok && glmv_buf_appendf(out, err, " radius %.0f\n", box->radius[0]);
    }
    return ok;
}

static bool write_pictures(const struct glmv_scene *scene, struct glmv_buf *out,
                           struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < scene->picture_count && i < HINT_PICTURES; i++) {
        const struct glmv_scene_picture *picture = &scene->pictures[i];
        ok = glmv_buf_appendf(out, err, "slot:%zu %.0f x %.0f px ", i,
                              picture->box.w / scene->scale, picture->box.h / scene->scale) &&
             put_box(out, scene, picture->box, err) && glmv_buf_append_str(out, "\n", err);
    }
    return ok;
}

/* Every colour once, in the order of the boxes, then of the lines. */
static bool write_palette(const struct glmv_scene *scene, struct glmv_buf *out,
                          struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < scene->box_count + scene->line_count; i++) {
        const struct glmv_scene_box *box = i < scene->box_count ? &scene->boxes[i] : NULL;
        if (box != NULL && box->fill != GLMV_FILL_SOLID) {
            continue;
        }
        uint32_t rgba = box != NULL ? box->color : scene->lines[i - scene->box_count].color;
        char colour[12];
        snprintf(colour, sizeof colour, "#%06x", (unsigned)(rgba >> 8));
        if (out->data != NULL && (strstr(out->data, colour) != NULL || out->len > 300)) {
            continue;
        }
        ok = glmv_buf_appendf(out, err, "%s%s", out->len > 0 ? " " : "", colour);
    }
    return ok;
}

static const char *text_of(const struct glmv_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

static bool write_draft_prompt(const struct glmv_scene *scene, struct glmv_buf *out,
                               struct glmv_err *err)
{
    struct glmv_buf parts[4];
    for (int i = 0; i < 4; i++) {
        glmv_buf_init(&parts[i], MAX_TEXT);
    }
    char width[16], height[16], background[16];
    snprintf(width, sizeof width, "%.0f", scene->width / scene->scale);
    snprintf(height, sizeof height, "%.0f", scene->height / scene->scale);
    snprintf(background, sizeof background, "#%06x", (unsigned)(scene->background >> 8));
    bool ok = write_lines(scene, &parts[0], err) && write_boxes(scene, &parts[1], err) &&
              write_pictures(scene, &parts[2], err) && write_palette(scene, &parts[3], err);
    if (ok) {
        const struct replicate_fill fills[] = {
            {"width", width},
            {"height", height},
            {"background", background},
            {"lines", text_of(&parts[0])},
            {"boxes", text_of(&parts[1])},
            {"pictures", text_of(&parts[2])},
            {"palette", text_of(&parts[3])},
            {NULL, NULL},
        };
        ok = replicate_prompt_write("draft", fills, out, err);
    }
    for (int i = 0; i < 4; i++) {
        glmv_buf_release(&parts[i]);
    }
    return ok;
}

/* -- answers ---------------------------------------------------------------------------------- */

/* Appends a continuation without the words that it repeats from the end of what is there. */
static bool join(struct glmv_buf *answer, const char *more, size_t len, struct glmv_err *err)
{
    size_t most = answer->len < len ? answer->len : len;
    most = most < 400 ? most : 400;
    for (size_t same = most; same >= 12; same--) {
        if (memcmp(answer->data + answer->len - same, more, same) == 0) {
            return glmv_buf_append(answer, more + same, len - same, err);
        }
    }
    return glmv_buf_append(answer, more, len, err);
}

/* Sends messages (room for two more behind them) and asks a cut-off answer to go on. */
static bool converse(struct replicate_author *author, struct glmv_chat_message *messages,
                     size_t count, struct glmv_buf *answer, struct glmv_err *err)
{
    struct glmv_buf go_on;
    glmv_buf_init(&go_on, MAX_TEXT);
    bool ok = replicate_prompt_write("continue", NULL, &go_on, err);
    size_t start = answer->len;
    for (int part = 0; ok && part <= CONTINUATIONS; part++) {
        struct glmv_chat_result result;
        struct glmv_chat_chunk said, ask;
        size_t sent = count;
        if (part > 0) {
            said = glmv_chat_text(answer->data + start);
            ask = glmv_chat_text(go_on.data);
            messages[sent++] = (struct glmv_chat_message){
                .role = GLMV_CHAT_ASSISTANT, .chunks = &said, .chunk_count = 1};
            messages[sent++] = (struct glmv_chat_message){
                .role = GLMV_CHAT_USER, .chunks = &ask, .chunk_count = 1};
        }
        ok = glmv_chat_complete(author->chat, messages, sent, &author->options, &author->watch,
                                &result, err);
        author->tokens += result.usage.prompt_tokens > 0 ? result.usage.prompt_tokens : 0;
        author->tokens += result.usage.completion_tokens > 0 ? result.usage.completion_tokens : 0;
        if (result.warning[0] != '\0') {
            snprintf(author->warning, sizeof author->warning, "%s", result.warning);
        }
        ok = ok && join(answer, text_of(&result.text), result.text.len, err);
        bool cut =
            result.finish == GLMV_CHAT_FINISH_LENGTH || result.finish == GLMV_CHAT_FINISH_UNKNOWN;
        bool whole = ok && answer->data != NULL && strstr(answer->data + start, "</html>") != NULL;
        glmv_chat_result_release(&result);
        if (!cut || whole) {
            break;
        }
    }
    glmv_buf_release(&go_on);
    return ok;
}

/* Target and render of one place, side by side with a gap. */
static struct glmv_image *pair_of_crops(const struct glmv_image *target,
                                        const struct glmv_image *render, struct glmv_box box,
                                        struct glmv_err *err)
{
    int x = (int)box.x - CROP_MARGIN, y = (int)box.y - CROP_MARGIN;
    x = x < 0 ? 0 : x;
    y = y < 0 ? 0 : y;
    int w = (int)(box.x + box.w) + CROP_MARGIN - x, h = (int)(box.y + box.h) + CROP_MARGIN - y;
    w = w > target->width - x ? target->width - x : w;
    h = h > target->height - y ? target->height - y : h;
    if (w < 1 || h < 1) {
        x = y = 0;
        w = target->width;
        h = target->height < 800 ? target->height : 800;
    }
    struct glmv_image *pair = glmv_image_new(2 * w + 16, h, err);
    const struct glmv_image *sides[] = {target, render};
    for (int side = 0; pair != NULL && side < 2; side++) {
        for (int row = 0; row < h && y + row < sides[side]->height; row++) {
            int have = sides[side]->width - x < w ? sides[side]->width - x : w;
            if (have > 0) {
                size_t to = (size_t)row * (size_t)pair->width + (size_t)(side * (w + 16));
                size_t from = (size_t)(y + row) * (size_t)sides[side]->width + (size_t)x;
                memcpy(pair->rgba + to * 4, sides[side]->rgba + from * 4, (size_t)have * 4);
            }
        }
    }
    if (pair != NULL) {
        glmv_image_flatten(pair, 0x808080);
    }
    return pair;
}

/* The start that every conversation has: system, screenshot with its facts. */
static bool write_start(struct replicate_author *author, struct glmv_buf *system,
                        struct glmv_buf *draft, struct glmv_err *err)
{
    glmv_buf_init(system, MAX_TEXT);
    glmv_buf_init(draft, MAX_TEXT);
    return replicate_prompt_write("system", NULL, system, err) &&
           write_draft_prompt(author->scene, draft, err);
}

bool replicate_author_draft(struct replicate_author *author, struct glmv_buf *answer,
                            struct glmv_err *err)
{
    struct glmv_buf system, draft;
    bool ok = write_start(author, &system, &draft, err);
    if (ok) {
        struct glmv_chat_chunk rules = glmv_chat_text(system.data);
        struct glmv_chat_chunk ask[] = {glmv_chat_image(author->target),
                                        glmv_chat_text(draft.data)};
        struct glmv_chat_message messages[4] = {
            {.role = GLMV_CHAT_SYSTEM, .chunks = &rules, .chunk_count = 1},
            {.role = GLMV_CHAT_USER, .chunks = ask, .chunk_count = 2},
        };
        ok = converse(author, messages, 2, answer, err);
    }
    glmv_buf_release(&system);
    glmv_buf_release(&draft);
    return ok;
}

bool replicate_author_revise(struct replicate_author *author,
                             const struct replicate_revision *revision, struct glmv_buf *answer,
                             struct glmv_err *err)
{
    struct glmv_buf system, draft, facts, round;
    glmv_buf_init(&facts, MAX_TEXT);
    glmv_buf_init(&round, MAX_TEXT);
    struct glmv_box worst = {0};
    if (revision->fact_count > 0) {
        worst = revision->facts[0].box;
    }
    struct glmv_image *crops = pair_of_crops(author->target, revision->render, worst, err);
    bool ok = write_start(author, &system, &draft, err) && crops != NULL &&
              replicate_feedback_write(revision->facts, revision->fact_count, author->target->width,
                                       author->target->height, &facts, err);
    if (ok) {
        const struct replicate_fill fills[] = {
            {"facts", text_of(&facts)}, {"tried", revision->tried}, {NULL, NULL}};
        ok = replicate_prompt_write(author->blocks ? "round-blocks" : "round", fills, &round, err);
    }
    if (ok) {
        struct glmv_chat_chunk rules = glmv_chat_text(system.data);
        struct glmv_chat_chunk ask[] = {glmv_chat_image(author->target),
                                        glmv_chat_text(draft.data)};
        struct glmv_chat_chunk page = glmv_chat_text(revision->html);
        struct glmv_chat_chunk wrong[] = {glmv_chat_image(revision->render), glmv_chat_image(crops),
                                          glmv_chat_text(round.data)};
        struct glmv_chat_message messages[6] = {
            {.role = GLMV_CHAT_SYSTEM, .chunks = &rules, .chunk_count = 1},
            {.role = GLMV_CHAT_USER, .chunks = ask, .chunk_count = 2},
            {.role = GLMV_CHAT_ASSISTANT, .chunks = &page, .chunk_count = 1},
            {.role = GLMV_CHAT_USER, .chunks = wrong, .chunk_count = 3},
        };
        ok = converse(author, messages, 4, answer, err);
    }
    glmv_image_free(crops);
    glmv_buf_release(&system);
    glmv_buf_release(&draft);
    glmv_buf_release(&facts);
    glmv_buf_release(&round);
    return ok;
}

/* -- picture slots ---------------------------------------------------------------------------- */

static bool put_picture(const struct glmv_image *image, struct glmv_buf *out, struct glmv_err *err)
{
    struct glmv_buf png;
    glmv_buf_init(&png, GLMV_IMAGE_MAX_FILE);
    bool ok = glmv_image_encode_png(image, 6, &png, err) &&
              glmv_buf_append_str(out, "data:image/png;base64,", err) &&
              glmv_base64_append(out, png.data, png.len, err);
    glmv_buf_release(&png);
    return ok;
}

static bool write_picture(const struct glmv_image *image, const char *folder, size_t number,
                          struct glmv_buf *out, struct glmv_err *err)
{
    char path[4200];
    int len = snprintf(path, sizeof path, "%s/picture-%zu.png", folder, number);
    return len > 0 && (size_t)len < sizeof path
               ? glmv_image_write_png(image, path, err) && glmv_buf_append_str(out, path, err)
               : glmv_fail(err, GLMV_ERR_IO, "%s: the path is too long", folder);
}

/* folder NULL: as data URIs. */
static bool fill_slots(const struct glmv_scene *scene, const char *html, size_t len,
                       const char *folder, struct glmv_buf *out, struct glmv_err *err)
{
    size_t from = 0;
    bool ok = true;
    for (size_t at = 0; ok && at + 6 <= len; at++) {
        if (memcmp(html + at, "slot:", 5) != 0 || !isdigit((unsigned char)html[at + 5]) ||
            (at > 0 && strchr("\"'(= ", html[at - 1]) == NULL)) {
            continue;
        }
        size_t number = 0, end = at + 5;
        while (end < len && isdigit((unsigned char)html[end]) && number < 100000) {
            number = number * 10 + (size_t)(html[end++] - '0');
        }
        if (number >= scene->picture_count) {
            continue;
        }
        ok = glmv_buf_append(out, html + from, at - from, err) &&
             (folder == NULL
                  ? put_picture(scene->pictures[number].image, out, err)
                  : write_picture(scene->pictures[number].image, folder, number, out, err));
        from = end;
        at = end - 1;
    }
    return ok && glmv_buf_append(out, html + from, len - from, err);
}

bool replicate_slots_fill(const struct glmv_scene *scene, const char *html, size_t len,
                          struct glmv_buf *out, struct glmv_err *err)
{
    return fill_slots(scene, html, len, NULL, out, err);
}

bool replicate_slots_write(const struct glmv_scene *scene, const char *html, size_t len,
                           const char *folder, struct glmv_buf *out, struct glmv_err *err)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be made: %s", folder, strerror(errno));
    }
    return fill_slots(scene, html, len, folder, out, err);
}
