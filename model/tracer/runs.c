/* Lines that are cut between two words. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"
#include "model/tracer/text.h"

/* The text and the box of a line from its words. False without memory. */
static bool retell(struct glmv_scene_line *line)
{
    size_t room = 1;
    for (size_t i = 0; i < line->word_count; i++) {
        room += strlen(line->words[i].text) + 1;
    }
    char *text = calloc(room, 1);
    if (text == NULL) {
        return false;
    }
    struct glmv_box all = line->words[0].ink;
    for (size_t i = 0; i < line->word_count; i++) {
        const struct glmv_scene_word *word = &line->words[i];
        bool on = i > 0 && model_text_runs_on(line->words[i - 1].text, word->text);
        strcat(text, i > 0 && !on ? " " : "");
        strcat(text, word->text);
        all = glmv_box_joined(all, word->ink);
    }
    free(line->text);
    line->text = text;
    line->advance = line->ink.w > 0 ? line->advance * all.w / line->ink.w : all.w;
    line->ink = all;
    return true;
}

bool model_line_split(struct glmv_scene *scene, size_t i, size_t word, struct glmv_err *err)
{
    size_t rest = scene->lines[i].word_count - word;
    struct glmv_scene_word *words = malloc(rest * sizeof *words);
    if (words == NULL ||
        model_grow((void **)&scene->lines, &scene->line_count, sizeof *scene->lines, err) == NULL) {
        free(words);
        return glmv_fail_memory(err);
    }
    struct glmv_scene_line *line = &scene->lines[i];
    memmove(line + 2, line + 1, (scene->line_count - i - 2) * sizeof *line);
    line[1] = line[0];
    line[1].text = NULL;
    line[1].words = words;
    line[1].word_count = rest;
    memcpy(words, line->words + word, rest * sizeof *words);
    line->word_count = word;
    struct glmv_scene_line whole = line[0]; /* both parts keep to its width */
    bool ok = retell(&line[0]);
    line[1].ink = whole.ink;
    return (retell(&line[1]) && ok) || glmv_fail_memory(err);
}
