/* The life of a scene. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

void glmv_scene_free(struct glmv_scene *scene)
{
    if (scene == NULL) {
        return;
    }
    for (size_t i = 0; i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        for (size_t k = 0; k < line->word_count; k++) {
            free(line->words[k].text);
        }
        free(line->words);
        free(line->text);
    }
    for (size_t i = 0; i < scene->picture_count; i++) {
        glmv_image_free(scene->pictures[i].image);
        free(scene->pictures[i].svg);
    }
    for (size_t i = 0; i < scene->note_count; i++) {
        free(scene->notes[i]);
    }
    free(scene->lines);
    free(scene->boxes);
    free(scene->pictures);
    free(scene->notes);
    free(scene);
}

void *model_grow(void **items, size_t *count, size_t size, struct glmv_err *err)
{
    /* Room doubles: it is full whenever the count is a power of two. */
    if (*count == 0 || (*count & (*count - 1)) == 0) {
        size_t room = *count == 0 ? 1 : *count * 2;
        void *grown = realloc(*items, room * size);
        if (grown == NULL) {
            glmv_fail_memory(err);
            return NULL;
        }
        *items = grown;
    }
    char *item = (char *)*items + *count * size;
    memset(item, 0, size);
    (*count)++;
    return item;
}

bool model_scene_insert_box(struct glmv_scene *scene, const struct glmv_scene_box *box,
                            struct glmv_err *err)
{
    if (model_grow((void **)&scene->boxes, &scene->box_count, sizeof *scene->boxes, err) == NULL) {
        return false;
    }
    size_t at = scene->box_count - 1;
    double area = box->box.w * box->box.h;
    while (at > 0 && scene->boxes[at - 1].box.w * scene->boxes[at - 1].box.h < area) {
        scene->boxes[at] = scene->boxes[at - 1];
        at--;
    }
    scene->boxes[at] = *box;
    return true;
}

bool model_scene_note(struct glmv_scene *scene, struct glmv_err *err, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *copy = strdup(text);
    char **slot = copy == NULL ? NULL
                               : model_grow((void **)&scene->notes, &scene->note_count,
                                            sizeof *scene->notes, err);
    if (slot == NULL) {
        free(copy);
        return glmv_fail_memory(err);
    }
    *slot = copy;
    return true;
}
