/* Typefaces from fontconfig, measured with HarfBuzz: advances, ink boxes and ink areas, without
 * drawing. */
#include "model/tracer/faces.h"

#include "model/tracer/faces_draw.h"

#include <fontconfig/fontconfig.h>
#include <hb.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FACES = 400 };

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Noto has a family per script; only the general ones are candidates for Latin text. */
static bool is_candidate(const char *family)
{
    static const char *const skipped[] = {"Symbol", "Math",     "Music", "Emoji",
                                          "Looped", "Dingbats", "Icon",  "Awesome"};
    for (size_t i = 0; i < sizeof skipped / sizeof skipped[0]; i++) {
        if (strstr(family, skipped[i]) != NULL) {
            return false;
        }
    }
    if (!starts_with(family, "Noto ")) {
        return true;
    }
    static const char *const general[] = {"Noto Sans", "Noto Serif", "Noto Sans Mono",
                                          "Noto Sans CJK SC", "Noto Sans CJK JP"};
    for (size_t i = 0; i < sizeof general / sizeof general[0]; i++) {
        if (strcmp(family, general[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int css_weight(int fc)
{
    static const struct {
        int fc, css;
    } map[] = {{FC_WEIGHT_THIN, 100},    {FC_WEIGHT_EXTRALIGHT, 200}, {FC_WEIGHT_LIGHT, 300},
               {FC_WEIGHT_REGULAR, 400}, {FC_WEIGHT_MEDIUM, 500},     {FC_WEIGHT_DEMIBOLD, 600},
               {FC_WEIGHT_BOLD, 700},    {FC_WEIGHT_EXTRABOLD, 800},  {FC_WEIGHT_BLACK, 900}};
    int best = 0;
    for (int i = 1; i < 9; i++) {
        best = abs(map[i].fc - fc) < abs(map[best].fc - fc) ? i : best;
    }
    return map[best].css;
}

static enum glmv_family kind_of(const char *family, int spacing)
{
    if (spacing == FC_MONO || strstr(family, "Mono") != NULL) {
        return GLMV_FAMILY_MONO;
    }
    bool serif = strstr(family, "Serif") != NULL || strstr(family, "Roman") != NULL ||
                 strstr(family, "Times") != NULL || strstr(family, "Georgia") != NULL;
    return serif ? GLMV_FAMILY_SERIF : GLMV_FAMILY_SANS;
}

static void add_face(struct model_faces *faces, FcPattern *pattern)
{
    FcChar8 *family = NULL;
    FcChar8 *file = NULL;
    int index = 0;
    int weight = FC_WEIGHT_REGULAR;
    int slant = FC_SLANT_ROMAN;
    int spacing = FC_PROPORTIONAL;
    int width = FC_WIDTH_NORMAL;
    FcPatternGetInteger(pattern, FC_INDEX, 0, &index);
    FcPatternGetInteger(pattern, FC_WEIGHT, 0, &weight);
    FcPatternGetInteger(pattern, FC_SLANT, 0, &slant);
    FcPatternGetInteger(pattern, FC_SPACING, 0, &spacing);
    FcPatternGetInteger(pattern, FC_WIDTH, 0, &width);
    if (FcPatternGetString(pattern, FC_FAMILY, 0, &family) != FcResultMatch ||
        FcPatternGetString(pattern, FC_FILE, 0, &file) != FcResultMatch ||
        faces->count >= MAX_FACES || slant != FC_SLANT_ROMAN ||
        !is_candidate((const char *)family)) {
        return;
    }
    bool narrow_family = strstr((const char *)family, "Narrow") != NULL;
    if ((width != FC_WIDTH_NORMAL && !narrow_family) || strlen((const char *)family) > 60 ||
        strlen((const char *)file) >= sizeof faces->items->path) {
        return;
    }
    struct model_face *face = &faces->items[faces->count++];
    *face = (struct model_face){.weight = css_weight(weight), .index = index & 0xffff};
    snprintf(face->family, sizeof face->family, "%.60s", (const char *)family);
    snprintf(face->path, sizeof face->path, "%.299s", (const char *)file);
    face->kind = kind_of(face->family, spacing);
    face->cjk = strstr(face->family, "CJK") != NULL;
}

static int by_family_weight(const void *pa, const void *pb)
{
    const struct model_face *a = pa;
    const struct model_face *b = pb;
    int order = strcmp(a->family, b->family);
    if (order == 0) {
        order = a->weight - b->weight;
    }
    return order != 0 ? order : strcmp(a->path, b->path);
}

bool model_faces_open(struct model_faces *faces, struct glmv_err *err)
{
    *faces = (struct model_faces){0};
    faces->items = calloc(MAX_FACES, sizeof *faces->items);
    if (faces->items == NULL) {
        return glmv_fail_memory(err);
    }
    FcConfig *config = FcInitLoadConfigAndFonts();
    FcPattern *latin = FcPatternCreate();
    FcObjectSet *wanted = FcObjectSetBuild(FC_FAMILY, FC_FILE, FC_INDEX, FC_WEIGHT, FC_SLANT,
                                           FC_SPACING, FC_WIDTH, (char *)NULL);
    FcCharSet *letters = FcCharSetCreate();
    FcFontSet *set = NULL;
    if (config != NULL && latin != NULL && wanted != NULL && letters != NULL) {
        FcCharSetAddChar(letters, 'A');
        FcCharSetAddChar(letters, 'z');
        FcCharSetAddChar(letters, '0');
        FcPatternAddCharSet(latin, FC_CHARSET, letters);
        FcPatternAddBool(latin, FC_SCALABLE, FcTrue);
        FcPatternAddBool(latin, FC_VARIABLE, FcFalse);
        set = FcFontList(config, latin, wanted);
    }
    for (int i = 0; set != NULL && i < set->nfont; i++) {
        add_face(faces, set->fonts[i]);
    }
    qsort(faces->items, faces->count, sizeof *faces->items, by_family_weight);
    if (set != NULL) {
        FcFontSetDestroy(set);
    }
    if (letters != NULL) {
        FcCharSetDestroy(letters);
    }
    if (wanted != NULL) {
        FcObjectSetDestroy(wanted);
    }
    if (latin != NULL) {
        FcPatternDestroy(latin);
    }
    if (config != NULL) {
        FcConfigDestroy(config);
    }
    return true;
}

void model_faces_close(struct model_faces *faces)
{
    for (size_t i = 0; i < faces->count; i++) {
        hb_font_destroy(faces->items[i].font);
    }
    model_faces_undraw(faces);
    free(faces->items);
    *faces = (struct model_faces){0};
}

struct model_face *model_faces_find(struct model_faces *faces, const char *family, int weight)
{
    for (size_t i = 0; i < faces->count; i++) {
        if (faces->items[i].weight == weight && strcmp(faces->items[i].family, family) == 0) {
            return &faces->items[i];
        }
    }
    return NULL;
}

void model_faces_fall_back(struct model_faces *faces, const char *lang)
{
    const char *wanted = strcmp(lang, "ja") == 0 ? "Noto Sans CJK JP" : "Noto Sans CJK SC";
    for (size_t i = 0; i < faces->count; i++) {
        struct model_face *face = &faces->items[i];
        bool bold = face->weight >= 600;
        for (size_t k = 0; k < faces->count && !face->cjk; k++) {
            struct model_face *other = &faces->items[k];
            bool fits = other->cjk && other->weight == (bold ? 700 : 400);
            if (fits && (face->fallback == NULL || strcmp(other->family, wanted) == 0)) {
                face->fallback = other;
            }
        }
    }
}

bool model_face_is_common(const struct model_face *face)
{
    return face->weight == 400 || face->weight == 700;
}

hb_font_t *model_face_font(struct model_face *face)
{
    if (face->font == NULL) {
        hb_blob_t *blob = hb_blob_create_from_file(face->path);
        hb_face_t *opened = hb_face_create(blob, (unsigned)face->index);
        face->font = hb_font_create(opened);
        hb_face_destroy(opened);
        hb_blob_destroy(blob);
    }
    return face->font;
}

/* Area of an outline: the integral of x dy along its curves. */
struct outline {
    double area;
};

static double between(double x0, double y0, double x1, double y1)
{
    return (x0 * y1 - x1 * y0) / 2;
}

static void line_to(hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *st, float x, float y,
                    void *user)
{
    (void)funcs;
    (void)user;
    ((struct outline *)data)->area +=
        between((double)st->current_x, (double)st->current_y, (double)x, (double)y);
}

static void quadratic_to(hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *st, float cx,
                         float cy, float x, float y, void *user)
{
    (void)funcs;
    (void)user;
    struct outline *o = data;
    double x0 = (double)st->current_x;
    double y0 = (double)st->current_y;
    /* The curve's area over its chord is two thirds of the control triangle. */
    o->area += between(x0, y0, (double)x, (double)y);
    o->area += 2.0 / 3 *
               (between(x0, y0, (double)cx, (double)cy) +
                between((double)cx, (double)cy, (double)x, (double)y) +
                between((double)x, (double)y, x0, y0));
}

static void cubic_to(hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *st, float ax, float ay,
                     float bx, float by, float x, float y, void *user)
{
    (void)funcs;
    (void)user;
    struct outline *o = data;
    double px[4] = {(double)st->current_x, (double)ax, (double)bx, (double)x};
    double py[4] = {(double)st->current_y, (double)ay, (double)by, (double)y};
    /* Weights of the Bernstein products, integrated. */
    static const double k[4][4] = {{0, 6, 3, 1}, {-6, 0, 3, 3}, {-3, -3, 0, 6}, {-1, -3, -6, 0}};
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            o->area += k[i][j] * px[i] * py[j] / 20;
        }
    }
}

static double glyph_area(hb_font_t *font, hb_codepoint_t glyph)
{
    struct outline outline = {0};
    hb_draw_funcs_t *funcs = hb_draw_funcs_create();
    hb_draw_funcs_set_line_to_func(funcs, line_to, NULL, NULL);
    hb_draw_funcs_set_quadratic_to_func(funcs, quadratic_to, NULL, NULL);
    hb_draw_funcs_set_cubic_to_func(funcs, cubic_to, NULL, NULL);
    hb_font_get_glyph_shape(font, glyph, funcs, &outline);
    hb_draw_funcs_destroy(funcs);
    return fabs(outline.area);
}

static const struct model_extent no_ink = {1e9, -1e9, 1e9, -1e9};

static void extend(struct model_extent *out, const struct model_extent *by)
{
    out->left = fmin(out->left, by->left);
    out->right = fmax(out->right, by->right);
    out->top = fmin(out->top, by->top);
    out->bottom = fmax(out->bottom, by->bottom);
}

/* Whether a glyph belongs to the word after the one that glyphs are counted to, -1 at first. */
static bool begins_word(const struct model_measure *m, int word, bool in_word, size_t at)
{
    return m->starts == NULL ? !in_word : word + 1 < m->words && at >= m->starts[word + 1];
}

bool model_face_measure(struct model_face *face, const char *text, struct model_measure *out)
{
    struct model_laid laid;
    if (!model_face_lay(face, text, &laid)) {
        return false;
    }
    int word = -1;
    bool in_word = false;
    out->ink = no_ink;
    for (int i = 0; out->word != NULL && i < out->words; i++) {
        out->word[i] = no_ink;
    }
    out->area = 0;
    out->glyphs = (int)laid.count;
    for (size_t i = 0; i < laid.count; i++) {
        const struct model_glyph *g = &laid.glyphs[i];
        hb_font_t *font = model_face_font(g->face);
        double em = hb_face_get_upem(hb_font_get_face(font));
        hb_glyph_extents_t e;
        bool blank = text[g->at] == ' ';
        bool has_ink = !blank && hb_font_get_glyph_extents(font, g->id, &e) && e.width != 0;
        word += !blank && begins_word(out, word, in_word, g->at);
        in_word = !blank;
        if (has_ink) {
            double left = g->x + e.x_bearing / em;
            struct model_extent glyph = {left, left + e.width / em, -(e.y_bearing / em + g->y),
                                         -((e.y_bearing + e.height) / em + g->y)};
            extend(&out->ink, &glyph);
            out->area += glyph_area(font, g->id) / (em * em);
            if (out->word != NULL && word >= 0 && word < out->words) {
                extend(&out->word[word], &glyph);
            }
        }
    }
    out->advance = laid.advance;
    bool known = laid.known;
    model_laid_release(&laid);
    return known && out->ink.right > out->ink.left;
}
