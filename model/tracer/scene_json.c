/* The scene as JSON: one object with lines, boxes, pictures and notes. */
#include <math.h>

#include "model/tracer/perception.h"

static bool put_string(struct glmv_buf *out, const char *text, struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, "\"", err);
    for (const char *c = text; ok && *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            ok = glmv_buf_appendf(out, err, "\\%c", *c);
        } else if ((unsigned char)*c < 0x20) {
            ok = glmv_buf_appendf(out, err, "\\u%04x", *c);
        } else {
            ok = glmv_buf_append(out, c, 1, err);
        }
    }
    return ok && glmv_buf_append_str(out, "\"", err);
}

static bool put_colour(struct glmv_buf *out, const char *name, uint32_t rgba, struct glmv_err *err)
{
    if ((rgba & 255) == 255) {
        return glmv_buf_appendf(out, err, ",\"%s\":\"#%06x\"", name, rgba >> 8);
    }
    return glmv_buf_appendf(out, err, ",\"%s\":\"#%08x\"", name, rgba);
}

static bool put_box(struct glmv_buf *out, const char *name, struct glmv_box b, struct glmv_err *err)
{
    return glmv_buf_appendf(out, err, "\"%s\":[%.6g,%.6g,%.6g,%.6g]", name, b.x, b.y, b.w, b.h);
}

static bool put_line(struct glmv_buf *out, const struct glmv_scene_line *line, struct glmv_err *err)
{
    static const char *const kinds[] = {"sans", "serif", "mono"};
    bool ok =
        glmv_buf_append_str(out, "{\"text\":", err) && put_string(out, line->text, err) &&
        glmv_buf_append_str(out, ",", err) && put_box(out, "ink", line->ink, err) &&
        glmv_buf_append_str(out, ",\"font\":", err) && put_string(out, line->font, err) &&
        glmv_buf_appendf(
            out, err,
            ",\"family\":\"%s\",\"size\":%.4g,\"weight\":%d,\"italic\":%s,\"underline\":%s,"
            "\"strike\":%s,\"spacing\":%.3g,\"baseline\":%.6g,\"advance\":%.6g,\"inked\":%.6g,"
            "\"confidence\":%.3g,\"fit\":%.3g,\"on_picture\":%s,\"rotation\":%d",
            kinds[line->family], line->font_px, line->weight, line->italic ? "true" : "false",
            line->underline ? "true" : "false", line->strike ? "true" : "false",
            line->letter_spacing, line->baseline, line->advance, line->inked, line->confidence,
            line->fit, line->on_picture ? "true" : "false", line->rotation) &&
        put_colour(out, "color", line->color, err) &&
        put_colour(out, "background", line->background, err) &&
        glmv_buf_append_str(out, ",\"words\":[", err);
    for (size_t i = 0; ok && i < line->word_count; i++) {
        ok = glmv_buf_append_str(out, i > 0 ? ",{\"text\":" : "{\"text\":", err) &&
             put_string(out, line->words[i].text, err) && glmv_buf_append_str(out, ",", err) &&
             put_box(out, "ink", line->words[i].ink, err) &&
             glmv_buf_appendf(out, err, ",\"confidence\":%.3g}", line->words[i].confidence);
    }
    return ok && glmv_buf_append_str(out, "]}", err);
}

static bool put_scene_box(struct glmv_buf *out, const struct glmv_scene_box *box,
                          struct glmv_err *err)
{
    static const char *const fills[] = {"none", "solid", "gradient"};
    bool ok = glmv_buf_append_str(out, "{", err) && put_box(out, "box", box->box, err) &&
              glmv_buf_appendf(out, err, ",\"fill\":\"%s\"", fills[box->fill]);
    if (ok && box->fill == GLMV_FILL_SOLID) {
        ok = put_colour(out, "color", box->color, err);
    }
    if (ok && box->fill == GLMV_FILL_GRADIENT) {
        ok = glmv_buf_appendf(out, err, ",\"angle\":%.4g,\"stops\":[", box->angle);
        for (int i = 0; ok && i < box->stop_count; i++) {
            ok = glmv_buf_appendf(out, err, "%s{\"at\":%.3g", i > 0 ? "," : "", box->stops[i].at) &&
                 put_colour(out, "color", box->stops[i].color, err) &&
                 glmv_buf_append_str(out, "}", err);
        }
        ok = ok && glmv_buf_append_str(out, "]", err);
    }
    ok = ok && glmv_buf_appendf(out, err, ",\"radius\":[%.3g,%.3g,%.3g,%.3g],\"border\":[",
                                box->radius[0], box->radius[1], box->radius[2], box->radius[3]);
    for (int i = 0; ok && i < 4; i++) {
        const struct glmv_scene_border *b = &box->border[i];
        ok = glmv_buf_appendf(out, err, "%s{\"width\":%.3g,\"dashed\":%s,\"dotted\":%s",
                              i > 0 ? "," : "", b->width, b->dashed ? "true" : "false",
                              b->dotted ? "true" : "false") &&
             put_colour(out, "color", b->color, err) && glmv_buf_append_str(out, "}", err);
    }
    ok = ok && glmv_buf_append_str(out, "]", err);
    for (int end = 0; ok && end < 2; end++) {
        const struct glmv_scene_slant *s = &box->slant[end];
        ok = s->depth <= 0 ||
             (glmv_buf_appendf(out, err, ",\"slant_%s\":{\"depth\":%.4g,\"left\":%s",
                               end == 0 ? "top" : "bottom", s->depth, s->left ? "true" : "false") &&
              put_colour(out, "color", s->color, err) && glmv_buf_append_str(out, "}", err));
    }
    for (int i = 0; ok && i < box->glow_count; i++) {
        const struct glmv_scene_glow *g = &box->glow[i];
        ok = glmv_buf_appendf(
                 out, err, "%s{\"cx\":%.6g,\"cy\":%.6g,\"radius\":%.4g,\"deviation\":%.4g",
                 i == 0 ? ",\"glows\":[" : ",", g->cx, g->cy, g->radius, g->deviation) &&
             put_colour(out, "color", g->color, err) &&
             glmv_buf_append_str(out, i + 1 < box->glow_count ? "}" : "}]", err);
    }
    if (ok && box->shadow.present) {
        const struct glmv_scene_shadow *s = &box->shadow;
        ok = glmv_buf_appendf(out, err,
                              ",\"shadow\":{\"dx\":%.3g,\"dy\":%.3g,\"blur\":%.3g,\"spread\":%.3g",
                              s->dx, s->dy, s->blur, s->spread) &&
             put_colour(out, "color", s->color, err) && glmv_buf_append_str(out, "}", err);
    }
    return ok && glmv_buf_append_str(out, "}", err);
}

static bool put_picture(struct glmv_buf *out, const struct glmv_scene_picture *picture,
                        struct glmv_err *err)
{
    static const char *const kinds[] = {"photo", "icon", "leftover", "drawing"};
    return glmv_buf_append_str(out, "{", err) && put_box(out, "box", picture->box, err) &&
           glmv_buf_appendf(out, err, ",\"kind\":\"%s\",\"radius\":%.3g,\"same_as\":%d,\"svg\":%s}",
                            kinds[picture->kind], picture->radius, picture->same_as,
                            picture->svg != NULL ? "true" : "false");
}

bool glmv_scene_json(const struct glmv_scene *scene, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = glmv_buf_appendf(out, err,
                               "{\"width\":%d,\"height\":%d,\"scale\":%.3g,\"lang\":", scene->width,
                               scene->height, scene->scale) &&
              put_string(out, scene->lang, err) &&
              put_colour(out, "background", scene->background, err) &&
              glmv_buf_append_str(out, ",\n\"lines\":[", err);
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        ok = glmv_buf_append_str(out, i > 0 ? ",\n" : "\n", err) &&
             put_line(out, &scene->lines[i], err);
    }
    ok = ok && glmv_buf_append_str(out, "],\n\"boxes\":[", err);
    for (size_t i = 0; ok && i < scene->box_count; i++) {
        ok = glmv_buf_append_str(out, i > 0 ? ",\n" : "\n", err) &&
             put_scene_box(out, &scene->boxes[i], err);
    }
    ok = ok && glmv_buf_append_str(out, "],\n\"pictures\":[", err);
    for (size_t i = 0; ok && i < scene->picture_count; i++) {
        ok = glmv_buf_append_str(out, i > 0 ? ",\n" : "\n", err) &&
             put_picture(out, &scene->pictures[i], err);
    }
    ok = ok && glmv_buf_append_str(out, "],\n\"notes\":[", err);
    for (size_t i = 0; ok && i < scene->note_count; i++) {
        ok = glmv_buf_append_str(out, i > 0 ? ",\n" : "\n", err) &&
             put_string(out, scene->notes[i], err);
    }
    return ok && glmv_buf_append_str(out, "]}\n", err);
}
