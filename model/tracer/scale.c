/*
 * The type scale of a page. Its author set it in a few sizes; each line was measured a little off
 * one of them. Sizes close to each other are one, said once in a variable, and the spacing of a
 * line takes up what its size gave away, so that the line stays as wide as it was measured.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/emit.h"

#define SAME_SIZE 0.012 /* relative; lines this close are measured in one size */
#define SNAP 0.03       /* relative; lines this close are set in it */
#define SNAP_PX 0.5
#define UNSURE 0.048 /* relative; a word or two in a face that stands in is measured this close */
#define FAINT_PX 0.7 /* of a line's width: less spacing than makes that is none */
#define COARSE 0.05  /* px; what the spacing of short lines is a multiple of */

enum {
    FEW = 10,   /* letters that tell their size to within UNSURE */
    MANY = 120, /* and those that tell it to within SNAP */
};

struct measured {
    double px;
    const char *text; /* NULL for a line that is not laid out */
    size_t letters;   /* 0 when its size was found */
    double around;    /* letters that were measured in its size, each text's once */
};

static bool is_near(double px, double size)
{
    return fabs(px - size) <= fmin(SNAP * size, SNAP_PX) || fabs(px - size) < 0.05;
}

/* The same for what so many letters tell: the fewer, the farther off they may be. */
static bool may_be(const struct measured *line, double size)
{
    double share = log(fmax(FEW, line->around) / FEW) / log((double)MANY / FEW);
    return is_near(line->px, size) ||
           (share < 1 && fabs(line->px - size) <= (UNSURE + (SNAP - UNSURE) * share) * size);
}

static bool is_same(const struct measured *a, const struct measured *b)
{
    return fabs(a->px - b->px) <= SAME_SIZE * b->px;
}

/* Counts the letters measured in the size of each line; the same words again tell nothing new. */
static void count_around(struct measured *lines, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        bool fresh = lines[k].text != NULL;
        for (size_t j = 0; fresh && j < k; j++) {
            fresh = lines[j].text == NULL || !is_same(&lines[j], &lines[k]) ||
                    strcmp(lines[j].text, lines[k].text) != 0;
        }
        for (size_t i = 0; fresh && i < count; i++) {
            lines[i].around += is_same(&lines[k], &lines[i]) ? (double)lines[k].letters : 0;
        }
    }
}

/* The size that most letters are close to; 0 when all have theirs. */
static double next_size(const struct measured *lines, size_t count)
{
    double best = 0;
    size_t most = 0;
    size_t own = 0; /* letters of the line that has it: a sentence tells more than a word */
    for (size_t i = 0; i < count; i++) {
        size_t letters = 0;
        for (size_t k = 0; lines[i].letters > 0 && k < count; k++) {
            if (fabs(lines[k].px - lines[i].px) <= SAME_SIZE * lines[i].px) {
                letters += lines[k].letters;
            }
        }
        if (letters > most || (letters == most && lines[i].letters > own)) {
            most = letters;
            own = lines[i].letters;
            best = lines[i].px;
        }
    }
    /* Authors write whole and half px, or tenths of an em. */
    double whole = round(best * 2) / 2;
    return fabs(whole - best) <= 0.004 * best ? whole : round(best * 10) / 10;
}

static int by_size(const void *pa, const void *pb)
{
    double a = *(const double *)pa;
    double b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* The lines that are laid out: what was misread is none of them. */
static void measure(const struct glmv_draft *draft, const struct tracer_node *node,
                    struct measured *lines)
{
    for (int i = 0; i < node->run_count; i++) {
        int run = node->runs[i];
        lines[run].text = draft->scene->lines[run].text;
        lines[run].letters = glmv_utf8_count(lines[run].text);
        lines[run].around = node->row_count > 1 ? MANY : 0; /* or it may wrap otherwise */
    }
    for (int i = 0; i < node->child_count; i++) {
        measure(draft, node->children[i], lines);
    }
}

/* Notes the size that a line has; lines beyond the last step keep their own. */
static void add_step(struct tracer_sheet *sheet, const struct measured *line)
{
    int best = -1;
    bool known = sheet->step_count == TRACER_STEPS;
    for (int i = 0; i < sheet->step_count; i++) {
        known = known || sheet->steps[i].px == line->px;
    }
    for (int i = 0; !known && i < sheet->size_count; i++) {
        double size = sheet->sizes[i];
        if (may_be(line, size) &&
            (best < 0 || fabs(line->px - size) < fabs(line->px - sheet->sizes[best]))) {
            best = i;
        }
    }
    if (best >= 0) {
        sheet->steps[sheet->step_count++] = (struct tracer_step){line->px, best};
    }
}

bool tracer_scale_find(struct tracer_sheet *sheet, const struct glmv_draft *draft,
                       struct glmv_err *err)
{
    size_t count = draft->scene->line_count;
    struct measured *lines = calloc(count + 1, sizeof *lines);
    if (lines == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        lines[i].px = draft->types[i].font_px;
    }
    measure(draft, draft->tree, lines);
    count_around(lines, count);
    while (sheet->size_count < TRACER_SIZES) {
        double size = next_size(lines, count);
        if (size <= 0) {
            break;
        }
        sheet->sizes[sheet->size_count++] = size;
        for (size_t i = 0; i < count; i++) {
            lines[i].letters = may_be(&lines[i], size) ? 0 : lines[i].letters;
        }
    }
    double base = sheet->size_count > 0 ? sheet->sizes[0] : 0; /* that of most letters */
    qsort(sheet->sizes, (size_t)sheet->size_count, sizeof sheet->sizes[0], by_size);
    while (sheet->base < sheet->size_count && sheet->sizes[sheet->base] != base) {
        sheet->base++;
    }
    for (size_t i = 0; i < count; i++) {
        if (lines[i].text != NULL) {
            add_step(sheet, &lines[i]);
        }
    }
    free(lines);
    return true;
}

void tracer_scale_name(const struct tracer_sheet *sheet, int place, char name[16])
{
    int step = place - sheet->base;
    const char *word = step == 0    ? "base"
                       : step == 1  ? "lg"
                       : step == -1 ? "sm"
                       : step > 0   ? "xl"
                                    : "xs";
    int times = abs(step) - 1;
    if (times > 1) {
        snprintf(name, 16, "%d%s", times, word);
    } else {
        snprintf(name, 16, "%s", word);
    }
}

int tracer_scale_place(const struct tracer_sheet *sheet, double px)
{
    for (int i = 0; i < sheet->step_count; i++) {
        if (sheet->steps[i].px == px) {
            return sheet->steps[i].size;
        }
    }
    return -1;
}

double tracer_scale_spacing(const struct glmv_scene_line *line, const struct tracer_type *type,
                            double size)
{
    size_t letters = glmv_utf8_count(line->text);
    if (letters < 2) {
        return type->letter_spacing;
    }
    double gaps = (double)(letters - 1);
    double own = line->ink.w - type->letter_spacing * gaps;
    double spacing = type->letter_spacing + own * (1 - size / type->font_px) / gaps;
    if (fabs(spacing) * gaps < FAINT_PX) {
        return 0;
    }
    double coarse = round(spacing / COARSE) * COARSE;
    return fabs(coarse - spacing) * gaps < FAINT_PX ? coarse : spacing;
}
