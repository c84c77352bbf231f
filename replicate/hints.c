#include "replicate/hints.h"

#include <stdio.h>
#include <string.h>

#include "replicate/prompt.h"

#define MAX_TEXT (1u << 20)
#define HINT_LINES 220 /* more would be longer than the page they describe */
#define HINT_BOXES 80
#define HINT_PICTURES 60

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

bool replicate_hints_write(const struct glmv_scene *scene, const char *part, struct glmv_buf *out,
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
            {"part", part},
            {NULL, NULL},
        };
        ok = replicate_prompt_write("draft", fills, out, err);
    }
    for (int i = 0; i < 4; i++) {
        glmv_buf_release(&parts[i]);
    }
    return ok;
}
