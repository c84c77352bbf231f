/* Draws short texts with FreeType, so that what was read can be laid over what is there. */
#include "model/tracer/faces_draw.h"

#include <ft2build.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include FT_FREETYPE_H
#include FT_OUTLINE_H

enum {
    MAX_SIDE = 600,   /* px of a drawn text */
    GRID = 24,        /* cells of height in which inks are compared */
    GRID_WIDTH = 120, /* largest number of columns */
};

static FT_Face open_face(struct model_faces *faces, struct model_face *face)
{
    if (faces->library == NULL) {
        FT_Library library = NULL;
        if (FT_Init_FreeType(&library) != 0) {
            return NULL;
        }
        faces->library = library;
    }
    if (face->drawn == NULL) {
        FT_Face opened = NULL;
        if (FT_New_Face(faces->library, face->path, face->index, &opened) != 0) {
            return NULL;
        }
        face->drawn = opened;
    }
    return face->drawn;
}

void model_faces_undraw(struct model_faces *faces)
{
    for (size_t i = 0; i < faces->count; i++) {
        if (faces->items[i].drawn != NULL) {
            FT_Done_Face(faces->items[i].drawn);
            faces->items[i].drawn = NULL;
        }
    }
    if (faces->library != NULL) {
        FT_Done_FreeType(faces->library);
        faces->library = NULL;
    }
}

void model_ink_release(struct model_ink *ink)
{
    free(ink->px);
    *ink = (struct model_ink){0};
}

static void blend(struct model_ink *ink, const FT_Bitmap *bitmap, int left, int top)
{
    for (unsigned y = 0; y < bitmap->rows; y++) {
        for (unsigned x = 0; x < bitmap->width; x++) {
            int tx = left + (int)x;
            int ty = top + (int)y;
            if (tx < 0 || ty < 0 || tx >= ink->w || ty >= ink->h) {
                continue;
            }
            uint8_t *to = &ink->px[(size_t)ty * (size_t)ink->w + (size_t)tx];
            int sum = *to + bitmap->buffer[(int)y * bitmap->pitch + (int)x];
            *to = (uint8_t)(sum > 255 ? 255 : sum);
        }
    }
}

bool model_glyph_draw(struct model_faces *faces, const struct model_glyph *glyph, double size,
                      double x, int y, bool hinted, struct model_ink *on)
{
    FT_Int32 flags = hinted ? FT_LOAD_TARGET_LIGHT : FT_LOAD_NO_HINTING;
    FT_Face drawn = open_face(faces, glyph->face);
    if (drawn == NULL || glyph->id == 0 ||
        FT_Set_Char_Size(drawn, 0, (FT_F26Dot6)lround(size * 64), 72, 72) != 0 ||
        FT_Load_Glyph(drawn, glyph->id, flags) != 0 ||
        drawn->glyph->format != FT_GLYPH_FORMAT_OUTLINE) {
        return false;
    }
    FT_Outline_Translate(&drawn->glyph->outline, (FT_Pos)lround((x - floor(x)) * 64), 0);
    if (FT_Render_Glyph(drawn->glyph, FT_RENDER_MODE_NORMAL) != 0) {
        return false;
    }
    blend(on, &drawn->glyph->bitmap, (int)floor(x) + drawn->glyph->bitmap_left,
          y - drawn->glyph->bitmap_top);
    return true;
}

bool model_face_draw_letter(struct model_faces *faces, struct model_face *face, uint32_t letter,
                            double size, double x, int y, struct model_ink *on)
{
    struct model_glyph glyph = {.face = face};
    return hb_font_get_nominal_glyph(model_face_font(face), letter, &glyph.id) &&
           model_glyph_draw(faces, &glyph, size, x, y, false, on);
}

/* Moves what was drawn to a picture of its own size. */
static bool cut_to_ink(struct model_ink *ink)
{
    int x0 = ink->w;
    int y0 = ink->h;
    int x1 = 0;
    int y1 = 0;
    for (int y = 0; y < ink->h; y++) {
        for (int x = 0; x < ink->w; x++) {
            if (ink->px[(size_t)y * (size_t)ink->w + (size_t)x] > 24) {
                x0 = x < x0 ? x : x0;
                x1 = x + 1 > x1 ? x + 1 : x1;
                y0 = y < y0 ? y : y0;
                y1 = y + 1;
            }
        }
    }
    if (x1 <= x0) {
        return false;
    }
    for (int y = y0; y < y1; y++) {
        memmove(ink->px + (size_t)(y - y0) * (size_t)(x1 - x0),
                ink->px + (size_t)y * (size_t)ink->w + (size_t)x0, (size_t)(x1 - x0));
    }
    ink->w = x1 - x0;
    ink->h = y1 - y0;
    return true;
}

bool model_face_draw(struct model_faces *faces, struct model_face *face, const char *text,
                     double size, struct model_ink *out)
{
    *out = (struct model_ink){0};
    struct model_laid laid;
    if (!model_face_lay(face, text, &laid)) {
        return false;
    }
    out->w = (int)((laid.advance + 3) * size);
    out->h = (int)(4 * size);
    bool ok = laid.known && out->w > 0 && out->w <= MAX_SIDE && out->h <= MAX_SIDE;
    out->px = ok ? calloc((size_t)out->w, (size_t)out->h) : NULL;
    ok = out->px != NULL;
    for (size_t i = 0; ok && i < laid.count; i++) {
        ok = model_glyph_draw(faces, &laid.glyphs[i], size, (laid.glyphs[i].x + 1.5) * size,
                              (int)(2.5 * size), false, out);
    }
    model_laid_release(&laid);
    if (!ok || !cut_to_ink(out)) {
        model_ink_release(out);
        return false;
    }
    return true;
}

/* The mean of the px that a cell covers, weighted by how much of each. */
static void to_grid(const struct model_ink *ink, int columns, double *grid)
{
    for (int gy = 0; gy < GRID; gy++) {
        double y0 = (double)gy * ink->h / GRID;
        double y1 = (double)(gy + 1) * ink->h / GRID;
        for (int gx = 0; gx < columns; gx++) {
            double x0 = (double)gx * ink->w / columns;
            double x1 = (double)(gx + 1) * ink->w / columns;
            double sum = 0;
            for (int y = (int)y0; y < y1 && y < ink->h; y++) {
                double fy = fmin(y + 1, y1) - fmax(y, y0);
                for (int x = (int)x0; x < x1 && x < ink->w; x++) {
                    double fx = fmin(x + 1, x1) - fmax(x, x0);
                    sum += fx * fy * ink->px[(size_t)y * (size_t)ink->w + (size_t)x];
                }
            }
            grid[gy * GRID_WIDTH + gx] = sum / ((x1 - x0) * (y1 - y0));
        }
    }
}

static void blur(double *grid, int columns, double *room)
{
    memcpy(room, grid, sizeof(double) * GRID * GRID_WIDTH);
    for (int y = 0; y < GRID; y++) {
        for (int x = 0; x < columns; x++) {
            double sum = 0;
            for (int dy = -1; dy <= 1; dy++) {
                for (int dx = -1; dx <= 1; dx++) {
                    bool inside = y + dy >= 0 && y + dy < GRID && x + dx >= 0 && x + dx < columns;
                    sum += inside ? room[(y + dy) * GRID_WIDTH + x + dx] : 0;
                }
            }
            grid[y * GRID_WIDTH + x] = sum / 9;
        }
    }
}

double model_ink_likeness(const struct model_ink *a, const struct model_ink *b)
{
    double grid[2][GRID * GRID_WIDTH];
    double room[GRID * GRID_WIDTH];
    double aspect = ((double)a->w / a->h + (double)b->w / b->h) / 2;
    int columns = (int)fmax(4, fmin(GRID_WIDTH, round(GRID * aspect)));
    to_grid(a, columns, grid[0]);
    to_grid(b, columns, grid[1]);
    double mean[2];
    for (int k = 0; k < 2; k++) {
        blur(grid[k], columns, room);
        mean[k] = 0;
        for (int i = 0; i < GRID * columns; i++) {
            mean[k] += grid[k][i / columns * GRID_WIDTH + i % columns] / (GRID * columns);
        }
    }
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < GRID * columns; i++) {
        int at = i / columns * GRID_WIDTH + i % columns;
        double pa = grid[0][at] - mean[0];
        double pb = grid[1][at] - mean[1];
        ab += pa * pb;
        aa += pa * pa;
        bb += pb * pb;
    }
    double stretch = fabs(log((double)a->w / a->h * b->h / b->w));
    double alike = aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
    return fmax(0, alike - fmax(0, stretch - 0.3));
}
