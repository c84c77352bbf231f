/* Which lines are bold: by their ink, the page's usual amount of it and the likeness of faces. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/type.h"

struct weighed {
    double mass;
    size_t chars;
};

static int lighter_first(const void *pa, const void *pb)
{
    double a = ((const struct weighed *)pa)->mass;
    double b = ((const struct weighed *)pb)->mass;
    return a < b ? -1 : a > b ? 1 : 0;
}

static int brightness(uint32_t rgba)
{
    return (int)((rgba >> 24 & 255) * 3 + (rgba >> 16 & 255) * 6 + (rgba >> 8 & 255));
}

static bool is_light_on_dark(const struct glmv_scene_line *line)
{
    return brightness(line->color) > brightness(line->background);
}

/* The ink of the page's usual text: rasterisers draw light text thinner, and substitutes differ in
 * colour. */
static double usual_mass(const struct glmv_scene *scene, const double *mass, bool light,
                         struct weighed *room)
{
    size_t n = 0;
    size_t chars = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        if (is_light_on_dark(&scene->lines[i]) == light) {
            room[n] = (struct weighed){mass[i], strlen(scene->lines[i].text)};
            chars += room[n++].chars;
        }
    }
    qsort(room, n, sizeof *room, lighter_first);
    size_t passed = 0;
    for (size_t i = 0; i < n; i++) {
        passed += room[i].chars;
        if (passed * 2 >= chars) {
            return fmax(-0.25, fmin(0.2, room[i].mass));
        }
    }
    return 0;
}

/* By how much the bold face of a line's family looks more like its ink than the regular one. */
static double bold_likeness(const struct model_typing *typing, const struct glmv_scene_line *line)
{
    struct model_sample sample;
    if (!model_sample_take(typing->view, line, &sample)) {
        return 0;
    }
    double unlike[2] = {1, 1};
    for (int bold = 0; bold < 2 && strlen(sample.word->text) >= 3; bold++) {
        struct model_face *face =
            model_faces_find(typing->faces, line->font, bold ? MODEL_BOLD : MODEL_REGULAR);
        if (face != NULL) {
            unlike[bold] = model_sample_unlike(&sample, typing->faces, face, line->font_px);
        }
    }
    model_sample_release(&sample);
    return unlike[0] < 1 ? unlike[0] - unlike[1] : 0;
}

/* Bold faces hold 1.3 to 1.5 times the ink. mass: logarithm of a line's ink over that of the
 * regular face; usual: that of the page. The factors are a logistic regression over 1,400 lines of
 * known weight; it errs on 2 % of the text of pages that it was not made from. */
static bool is_bold(const struct model_typing *typing, double mass, double usual,
                    const struct glmv_scene_line *line)
{
    double heavier = mass + 0.36 * (mass - usual) - 0.29;
    return heavier > 0.4 || (heavier > -0.4 && heavier + 0.75 * bold_likeness(typing, line) > 0);
}

bool model_type_weigh(const struct model_typing *typing, const struct model_choice *choice,
                      struct glmv_scene *scene)
{
    double *mass = calloc(scene->line_count + 1, sizeof *mass);
    struct weighed *room = calloc(scene->line_count + 1, sizeof *room);
    bool ok = mass != NULL && room != NULL;
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        mass[i] = model_type_fit_line(typing, choice, MODEL_REGULAR, &scene->lines[i]);
    }
    for (int light = 0; ok && light < 2; light++) {
        double usual = usual_mass(scene, mass, light == 1, room);
        for (size_t i = 0; i < scene->line_count; i++) {
            if (is_light_on_dark(&scene->lines[i]) == (light == 1) &&
                is_bold(typing, mass[i], usual, &scene->lines[i])) {
                model_type_fit_line(typing, choice, MODEL_BOLD, &scene->lines[i]);
            }
        }
    }
    free(mass);
    free(room);
    return ok;
}
