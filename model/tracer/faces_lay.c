/* Texts set in a face, with another one for the characters that it has not. */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/faces_draw.h"

/* The bytes from text on that one of the two faces draws: what the first one has, or what only its
 * fallback has. */
static size_t run_length(hb_font_t *font, hb_font_t *fallback, const char *text, size_t len,
                         bool *second)
{
    hb_buffer_t *buffer = hb_buffer_create();
    hb_buffer_add_utf8(buffer, text, (int)len, 0, (int)len);
    unsigned count = 0;
    const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(buffer, &count);
    size_t end = len;
    *second = false;
    for (unsigned i = 0; i < count; i++) {
        hb_codepoint_t id;
        bool other = fallback != NULL && !hb_font_get_nominal_glyph(font, info[i].codepoint, &id) &&
                     hb_font_get_nominal_glyph(fallback, info[i].codepoint, &id);
        if (i == 0) {
            *second = other;
        } else if (other != *second) {
            end = info[i].cluster;
            break;
        }
    }
    hb_buffer_destroy(buffer);
    return end;
}

static bool lay_run(struct model_face *face, const char *text, size_t from, size_t len,
                    struct model_laid *out)
{
    hb_font_t *font = model_face_font(face);
    double em = hb_face_get_upem(hb_font_get_face(font));
    hb_buffer_t *buffer = hb_buffer_create();
    hb_buffer_add_utf8(buffer, text + from, (int)len, 0, (int)len);
    hb_buffer_guess_segment_properties(buffer);
    hb_shape(font, buffer, NULL, 0);
    unsigned count = 0;
    const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(buffer, &count);
    const hb_glyph_position_t *pos = hb_buffer_get_glyph_positions(buffer, &count);
    struct model_glyph *grown =
        realloc(out->glyphs, (out->count + count + 1) * sizeof *out->glyphs);
    if (grown != NULL) {
        out->glyphs = grown;
        for (unsigned i = 0; i < count; i++) {
            out->glyphs[out->count++] =
                (struct model_glyph){.face = face,
                                     .id = info[i].codepoint,
                                     .at = from + info[i].cluster,
                                     .x = out->advance + pos[i].x_offset / em,
                                     .y = pos[i].y_offset / em};
            out->advance += pos[i].x_advance / em;
            out->known = out->known && info[i].codepoint != 0;
        }
    }
    hb_buffer_destroy(buffer);
    return grown != NULL;
}

bool model_face_lay(struct model_face *face, const char *text, struct model_laid *out)
{
    size_t len = strlen(text);
    hb_font_t *font = model_face_font(face);
    hb_font_t *fallback = NULL;
    *out = (struct model_laid){.known = len > 0};
    for (size_t at = 0; at < len;) {
        bool second = false;
        size_t run = len - at;
        if (face->fallback != NULL) {
            fallback = fallback != NULL ? fallback : model_face_font(face->fallback);
            run = run_length(font, fallback, text + at, len - at, &second);
        }
        if (!lay_run(second ? face->fallback : face, text, at, run, out)) {
            model_laid_release(out);
            return false;
        }
        at += run;
    }
    return true;
}

void model_laid_release(struct model_laid *laid)
{
    free(laid->glyphs);
    *laid = (struct model_laid){0};
}
