/* glmv-replicate inspect: what the tracer measures in a screenshot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/image.h"
#include "model/tracer/tracer.h"
#include "replicate/command.h"

static const char help[] =
    "usage: glmv-replicate inspect SHOT.png [options]\n"
    "\n"
    "Measures a screenshot: lines of text with their type and colour, boxes, pictures.\n"
    "\n"
    "  --json          everything, as JSON, on standard output\n"
    "  --boxes OUT     draw what was found over the screenshot, as PNG\n"
    "  --lang LANGS    languages of the text as Tesseract names them, e.g. eng+jpn\n"
    "  --scale N       device px per CSS px (default: guessed)\n"
    "  --threads N     threads for text recognition (default: one a processor)\n";

struct inspect {
    const char *input;
    const char *boxes;
    bool json;
    struct glmv_look_options look;
};

/* Returns false after it has said what is wrong with the command line. */
static bool parse(int argc, char **argv, struct inspect *inspect)
{
    struct glmv_err err = {0};
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool takes_value = strcmp(arg, "--boxes") == 0 || strcmp(arg, "--lang") == 0 ||
                           strcmp(arg, "--scale") == 0 || strcmp(arg, "--threads") == 0;
        if (takes_value && value == NULL) {
            fprintf(stderr, "glmv-replicate: %s needs a value\n", arg);
            return false;
        }
        i += takes_value;
        if (strcmp(arg, "--json") == 0) {
            inspect->json = true;
        } else if (strcmp(arg, "--boxes") == 0) {
            inspect->boxes = value;
        } else if (strcmp(arg, "--lang") == 0) {
            inspect->look.lang = value;
        } else if (strcmp(arg, "--scale") == 0) {
            if (!replicate_read_number(arg, value, 0.5, 8, &inspect->look.scale, &err)) {
                replicate_report(&err);
                return false;
            }
        } else if (strcmp(arg, "--threads") == 0) {
            if (!replicate_read_whole(arg, value, 1, 64, &inspect->look.threads, &err)) {
                replicate_report(&err);
                return false;
            }
        } else if ((arg[0] == '-' && arg[1] != '\0') || inspect->input != NULL) {
            fprintf(stderr, "glmv-replicate: inspect does not know '%s'\n", arg);
            return false;
        } else {
            inspect->input = arg;
        }
    }
    if (inspect->input == NULL) {
        fprintf(stderr, "glmv-replicate: inspect needs a screenshot\n");
    }
    return inspect->input != NULL;
}

static void print_summary(const struct glmv_scene *scene)
{
    size_t words = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        words += scene->lines[i].word_count;
    }
    printf("%d x %d px, scale %g, background #%06x\n", scene->width, scene->height, scene->scale,
           scene->background >> 8);
    printf("%zu lines of text with %zu words, %zu boxes, %zu pictures\n", scene->line_count, words,
           scene->box_count, scene->picture_count);
    for (size_t i = 0; i < scene->line_count; i++) {
        const struct glmv_scene_line *line = &scene->lines[i];
        printf("%6.0f %6.0f  %5.1fpx %3d %-18.18s #%06x  %s\n", line->ink.x, line->ink.y,
               line->font_px, line->weight, line->font, line->color >> 8, line->text);
    }
    for (size_t i = 0; i < scene->note_count; i++) {
        printf("note: %s\n", scene->notes[i]);
    }
}

static bool report_scene(const struct inspect *inspect, const struct glmv_image *image,
                         const struct glmv_scene *scene, struct glmv_err *err)
{
    bool ok = true;
    if (inspect->boxes != NULL) {
        struct glmv_image *drawn = glmv_scene_draw(scene, image, err);
        ok = drawn != NULL && glmv_image_write_png(drawn, inspect->boxes, err);
        glmv_image_free(drawn);
    }
    if (ok && inspect->json) {
        struct glmv_buf out;
        glmv_buf_init(&out, 64u << 20);
        ok = glmv_scene_json(scene, &out, err) && glmv_file_write("-", out.data, out.len, err);
        glmv_buf_release(&out);
    } else if (ok && inspect->boxes == NULL) {
        print_summary(scene);
    }
    return ok;
}

int replicate_cmd_inspect(int argc, char **argv)
{
    struct inspect inspect = {0};
    struct glmv_err err = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return REPLICATE_DONE;
    }
    if (!parse(argc, argv, &inspect)) {
        fprintf(stderr, "try 'glmv-replicate inspect --help'\n");
        return REPLICATE_USAGE;
    }
    struct glmv_image *image = glmv_image_read(inspect.input, &err);
    struct glmv_scene *scene = image != NULL ? glmv_tracer_look(image, &inspect.look, &err) : NULL;
    bool ok = scene != NULL && report_scene(&inspect, image, scene, &err);
    glmv_scene_free(scene);
    glmv_image_free(image);
    return ok ? REPLICATE_DONE : replicate_report(&err);
}
