#include "replicate/slices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 3     /* of 255: less is compression or dithering */
#define REACH 0.3   /* of a slice: how far from its even share a cut may be */
#define LONG_RUN 24 /* px of quiet rows; more is no better */

static int row_difference(const uint8_t *a, const uint8_t *b, int width)
{
    int different = 0;
    for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
            if (abs(a[4 * x + c] - b[4 * x + c]) > STEPS) {
                different++;
                break;
            }
        }
    }
    return different;
}

static bool one_colour(const uint8_t *row, int width)
{
    for (int x = 1; x < width; x++) {
        for (int c = 0; c < 3; c++) {
            if (abs(row[4 * x + c] - row[c]) > STEPS) {
                return false;
            }
        }
    }
    return true;
}

/* How good it is to cut above row y: 0 bad, above 1 no line, box or letter is cut. */
static double quietness(const struct glmv_image *image, int y)
{
    size_t stride = (size_t)image->width * 4;
    const uint8_t *row = image->rgba + (size_t)y * stride;
    int different = row_difference(row - stride, row, image->width);
    if (different > 0) {
        return 1 - (double)different / image->width;
    }
    int run = 1;
    bool plain = one_colour(row, image->width);
    while (run < LONG_RUN && y + run < image->height && y - run - 1 >= 0 &&
           row_difference(row + (size_t)run * stride, row, image->width) == 0 &&
           row_difference(row - (size_t)(run + 1) * stride, row, image->width) == 0) {
        run++;
    }
    return (plain ? 2 : 1) + (double)run / (2 * LONG_RUN);
}

size_t replicate_slices_cut(const struct glmv_image *image, int most, int *tops, size_t max)
{
    size_t count = (size_t)ceil((double)image->height / most);
    count = count > max ? max : count;
    double share = (double)image->height / (double)count;
    tops[0] = 0;
    for (size_t i = 1; i < count; i++) {
        double ideal = share * (double)i, best = -1;
        int from = (int)(ideal - REACH * share), to = (int)(ideal + REACH * share);
        tops[i] = (int)ideal;
        for (int y = from > 1 ? from : 1; y < to && y < image->height; y++) {
            double good = quietness(image, y) - 0.4 * fabs(y - ideal) / (REACH * share);
            if (good > best) {
                best = good;
                tops[i] = y;
            }
        }
    }
    return count;
}

static void move_down(struct glmv_scene *scene, int by)
{
    for (size_t i = 0; i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        line->ink.y += by;
        line->baseline += by;
        for (size_t k = 0; k < line->word_count; k++) {
            line->words[k].ink.y += by;
        }
    }
    for (size_t i = 0; i < scene->box_count; i++) {
        scene->boxes[i].box.y += by;
    }
    for (size_t i = 0; i < scene->picture_count; i++) {
        scene->pictures[i].box.y += by;
    }
}

/* Copies items behind those that are there and frees the list that held them. */
static void take(void *list, size_t *count, void *from, size_t from_count, size_t size)
{
    if (from_count > 0) {
        memcpy((char *)list + *count * size, from, from_count * size);
    }
    *count += from_count;
    free(from);
}

/* Moves everything of a slice into the whole; an empty shell of the slice is left. */
static void absorb(struct glmv_scene *all, struct glmv_scene *s)
{
    take(all->lines, &all->line_count, s->lines, s->line_count, sizeof *s->lines);
    take(all->boxes, &all->box_count, s->boxes, s->box_count, sizeof *s->boxes);
    take(all->pictures, &all->picture_count, s->pictures, s->picture_count, sizeof *s->pictures);
    take(all->notes, &all->note_count, s->notes, s->note_count, sizeof *s->notes);
    *s = (struct glmv_scene){0};
}

struct glmv_scene *replicate_slices_scene(struct glmv_scene **scenes, const int *tops, size_t count,
                                          int height, struct glmv_err *err)
{
    size_t lines = 1, boxes = 1, pictures = 1, notes = 1;
    for (size_t i = 0; i < count; i++) {
        lines += scenes[i]->line_count;
        boxes += scenes[i]->box_count;
        pictures += scenes[i]->picture_count;
        notes += scenes[i]->note_count;
    }
    struct glmv_scene *all = calloc(1, sizeof *all);
    if (all != NULL) {
        all->lines = calloc(lines, sizeof *all->lines);
        all->boxes = calloc(boxes, sizeof *all->boxes);
        all->pictures = calloc(pictures, sizeof *all->pictures);
        all->notes = calloc(notes, sizeof *all->notes);
    }
    if (all == NULL || all->lines == NULL || all->boxes == NULL || all->pictures == NULL ||
        all->notes == NULL) {
        glmv_scene_free(all);
        glmv_fail_memory(err);
        return NULL;
    }
    all->width = scenes[0]->width;
    all->height = height;
    all->scale = scenes[0]->scale;
    all->background = scenes[0]->background;
    memcpy(all->lang, scenes[0]->lang, sizeof all->lang);
    for (size_t i = 0; i < count; i++) {
        struct glmv_scene *s = scenes[i];
        move_down(s, tops[i]);
        for (size_t k = 0; k < s->picture_count; k++) {
            int same = s->pictures[k].same_as;
            s->pictures[k].same_as = same >= 0 ? same + (int)all->picture_count : -1;
        }
        absorb(all, s);
        glmv_scene_free(s);
        scenes[i] = NULL;
    }
    return all;
}
