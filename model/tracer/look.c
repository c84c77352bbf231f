/* Perception from end to end: the order of the steps and what a caller may set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/tracer/code.h"
#include "model/tracer/perception.h"
#include "model/tracer/text.h"

static int thread_count(const struct glmv_look_options *options)
{
    long n =
        options != NULL && options->threads > 0 ? options->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 8 ? 8 : (int)n;
}

static struct glmv_image *flat_copy(const struct glmv_image *image, struct glmv_err *err)
{
    struct glmv_image *copy = glmv_image_crop(image, 0, 0, image->width, image->height, err);
    if (copy != NULL) {
        glmv_image_flatten(copy, 0xffffff);
    }
    return copy;
}

/* Body text of 22 px and more on a wide picture was taken at two device px per CSS px. */
static double guess_scale(const struct glmv_scene *scene)
{
    double small = 0;
    double chars = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        double n = (double)strlen(scene->lines[i].text);
        chars += n;
        small += scene->lines[i].font_px < 21 ? n : 0;
    }
    bool large = chars > 60 && small < 0.15 * chars;
    bool phone = scene->width >= 640 && scene->width <= 1290;
    bool retina = scene->width >= 2000;
    return large && (phone || retina) ? 2 : 1;
}

/* Reads Chinese and Japanese where the data is there, and says which package brings it where it is
 * not. */
static bool read_cjk(struct model_text *text, const struct model_ocr *first, int threads,
                     struct glmv_scene *scene, struct glmv_err *err)
{
    static const char *const langs[] = {"jpn", "chi_sim"};
    static const char *const names[] = {"ja", "zh"};
    if (!model_text_looks_cjk(text)) {
        return true;
    }
    if (!model_ocr_has(first, "jpn") && !model_ocr_has(first, "chi_sim")) {
        return model_scene_note(scene, err,
                                "Some text could not be read and may be Chinese or Japanese: "
                                "apt install tesseract-ocr-chi-sim tesseract-ocr-jpn");
    }
    int chosen = -1;
    struct model_ocr *ocr = model_text_choose(text, langs, 2, &chosen);
    bool ok = true;
    if (ocr != NULL) {
        snprintf(scene->lang, sizeof scene->lang, "%s", names[chosen]);
        ok = model_text_read(text, ocr, true, threads, err);
    }
    model_ocr_close(ocr);
    return ok;
}

/* Reads a page in another language of Latin letters with the data of that language, or says which
 * package brings it. */
static bool read_latin(struct model_text *text, const struct model_ocr *first, int threads,
                       struct glmv_scene *scene, struct glmv_err *err)
{
    const struct model_language *language = model_text_language(text);
    if (language == NULL) {
        return true;
    }
    snprintf(scene->lang, sizeof scene->lang, "%s", language->code);
    if (!model_ocr_has(first, language->data)) {
        return model_scene_note(scene, err,
                                "The text seems to be %s, read with English data: letters with "
                                "accents were told by their ink and may be missing. apt install "
                                "tesseract-ocr-%s reads them better",
                                language->name, language->data);
    }
    struct model_ocr *ocr = model_ocr_open(language->data, threads, err);
    if (ocr == NULL) {
        return false;
    }
    model_text_release(text);
    bool ok = model_text_read(text, ocr, false, threads, err);
    model_ocr_close(ocr);
    return ok;
}

static bool fill_scene(struct model_view *view, const struct glmv_look_options *options,
                       struct glmv_scene *scene, struct glmv_err *err)
{
    int threads = thread_count(options);
    const char *lang = options != NULL && options->lang != NULL ? options->lang : "eng";
    struct model_ocr *ocr = model_ocr_open(lang, threads, err);
    if (ocr == NULL) {
        return false;
    }
    bool ok = model_regions_find(view, err);
    if (ok) {
        static const uint8_t white[3] = {255, 255, 255};
        scene->background = model_rgba(view->page >= 0 ? view->regions[view->page].rgb : white);
    }
    struct model_text text = {.view = view};
    unsigned without = options != NULL ? options->without : 0;
    ok = ok && model_marks_find(view, err) &&
         ((without & GLMV_LOOK_PHOTOS) != 0 || model_lettering_find(view, err)) &&
         model_rows_find(view, err) && model_rows_lift_bars(view, err) &&
         model_rows_part_bars(view, err) && model_columns_cut(view, err) &&
         model_rows_part_icons(view, err) && model_text_read(&text, ocr, false, threads, err);
    if (ok && (options == NULL || options->lang == NULL)) {
        ok = read_cjk(&text, ocr, threads, scene, err);
        if (ok && strcmp(scene->lang, "en") == 0) {
            ok = read_latin(&text, ocr, threads, scene, err);
        }
    }
    struct model_faces faces = {0};
    ok = ok && model_faces_open(&faces, err);
    if (ok && (strcmp(scene->lang, "ja") == 0 || strcmp(scene->lang, "zh") == 0)) {
        model_faces_fall_back(&faces, scene->lang);
    }
    ok = ok && model_code_read(&text, &faces, threads, err) && model_text_take(&text, scene, err);
    model_text_release(&text);
    model_ocr_close(ocr);
    ok = ok && model_type_fit(view, &faces, scene, without, err) &&
         model_underlines_find(view, scene, err) && model_type_runs(view, &faces, scene, err) &&
         model_text_agree_colors(view, scene, err);
    model_faces_close(&faces);
    ok = ok && model_boxes_find(view, scene, err);
    if (ok && (without & GLMV_LOOK_SHADOWS) == 0) {
        ok = model_shadows_find(view, scene, err);
        model_boxes_drop_shades(scene);
    }
    ok = ok && model_glows_find(view, scene, err);
    if (ok) {
        model_boxes_drop_invisible(scene);
    }
    ok = ok && model_pictures_find(view, scene, err) && model_boxes_agree_corners(scene, err);
    scene->scale = options != NULL && options->scale > 0 ? options->scale : guess_scale(scene);
    return ok;
}

struct glmv_scene *glmv_tracer_look(const struct glmv_image *image,
                                    const struct glmv_look_options *options, struct glmv_err *err)
{
    struct glmv_image *flat = flat_copy(image, err);
    struct glmv_scene *scene = calloc(1, sizeof *scene);
    if (flat == NULL || scene == NULL) {
        glmv_fail_memory(err);
        glmv_image_free(flat);
        free(scene);
        return NULL;
    }
    scene->width = flat->width;
    scene->height = flat->height;
    memcpy(scene->lang, "en", 3);
    struct model_view view = {.image = flat, .w = flat->width, .h = flat->height, .page = -1};
    bool ok = fill_scene(&view, options, scene, err);
    model_view_release(&view);
    glmv_image_free(flat);
    if (!ok) {
        glmv_scene_free(scene);
        return NULL;
    }
    return scene;
}
