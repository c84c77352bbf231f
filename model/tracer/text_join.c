/*
 * Chinese and Japanese have no blanks between words, but a stop or a comma fills a square of which
 * it takes a quarter. What it parts in the picture is one line.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/text.h"

#define AFTER_STOP 1.3 /* line heights up to what follows a stop */
#define AFTER_SIGN 0.15

/* Whether a text ends with a stop, a comma or a bracket that fills a square; OCR may give the
 * narrow one. */
static bool ends_with_stop(const char *text)
{
    static const char *const stops[] = {"。", "、", "，", "．", "」", "』", "）", "：",
                                        "；", ",",  ".",  ":",  ";",  ")",  "!",  "?"};
    size_t length = strlen(text);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        size_t n = strlen(stops[i]);
        if (length >= n && strcmp(text + length - n, stops[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool goes_on(const struct glmv_scene_line *a, const struct glmv_scene_line *b)
{
    double tall = fmin(a->ink.h, b->ink.h);
    double gap = b->ink.x - a->ink.x - a->ink.w;
    double shared = fmin(a->ink.y + a->ink.h, b->ink.y + b->ink.h) - fmax(a->ink.y, b->ink.y);
    return a->word_count > 0 && b->word_count > 0 && model_has_cjk(a->text) &&
           model_has_cjk(b->text) && a->color == b->color && a->background == b->background &&
           !a->cell && !b->cell && a->on_picture == b->on_picture && shared >= 0.7 * tall &&
           fmax(a->ink.h, b->ink.h) <= 1.5 * tall && gap > -2 &&
           gap <= (ends_with_stop(a->text) ? AFTER_STOP : AFTER_SIGN) * tall;
}

/* Line b goes to the end of line a. */
static bool append(struct glmv_scene_line *a, struct glmv_scene_line *b)
{
    size_t length = strlen(a->text);
    char *text = realloc(a->text, length + strlen(b->text) + 1);
    a->text = text != NULL ? text : a->text;
    struct glmv_scene_word *words =
        realloc(a->words, (a->word_count + b->word_count) * sizeof *words);
    a->words = words != NULL ? words : a->words;
    if (text == NULL || words == NULL) {
        return false;
    }
    double n = (double)length;
    double m = (double)strlen(b->text);
    strcpy(text + length, b->text);
    memcpy(words + a->word_count, b->words, b->word_count * sizeof *words);
    a->word_count += b->word_count;
    a->confidence = (a->confidence * n + b->confidence * m) / (n + m);
    double bottom = fmax(a->ink.y + a->ink.h, b->ink.y + b->ink.h);
    a->ink.y = fmin(a->ink.y, b->ink.y);
    a->ink.h = bottom - a->ink.y;
    a->ink.w = b->ink.x + b->ink.w - a->ink.x;
    free(b->text);
    free(b->words);
    *b = (struct glmv_scene_line){0};
    return true;
}

bool model_text_join_lines(struct glmv_scene *scene)
{
    bool ok = true;
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        for (size_t k = 0; ok && k < scene->line_count; k++) {
            if (k != i && goes_on(&scene->lines[i], &scene->lines[k])) {
                ok = append(&scene->lines[i], &scene->lines[k]);
                k = (size_t)-1; /* more may follow */
            }
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        if (scene->lines[i].text != NULL) {
            scene->lines[kept++] = scene->lines[i];
        }
    }
    scene->line_count = kept;
    return ok;
}
