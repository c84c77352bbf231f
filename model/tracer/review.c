/*
 * What stays wrong when the rounds are over, in words. Each line of text is laid over the last
 * render: where it was read with little confidence and looks otherwise, it is named; where most
 * text in a family was read surely and looks otherwise all the same, the screenshot shows a face
 * that is not installed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/match.h"
#include "model/tracer/perception.h"

enum {
    SURE = 80,         /* confidence of a line that was read right */
    DOUBTFUL = 60,     /* and of one that may not be */
    LEAST_LETTERS = 4, /* of a line that shows its face */
    FACE_LETTERS = 40, /* of the lines that tell about a family */
    MOST_FAMILIES = 12,
    MOST_UNREAD = 5, /* texts that are named */
    TEXT_SHOWN = 40, /* bytes of one */
};

#define SAME_FACE 0.85 /* correlation of a line with itself in the right face, at least */
#define UNREAD 0.5     /* and of one that shows other letters, at most */

struct family {
    const char *name;
    size_t letters, unlike; /* of all its lines; of those that look otherwise */
};

struct review {
    struct glmv_scene *scene;
    struct family families[MOST_FAMILIES];
    int family_count;
    int unread;
};

static void count_face(struct review *r, const struct glmv_scene_line *line, double alike)
{
    int i = 0;
    while (i < r->family_count && strcmp(r->families[i].name, line->font) != 0) {
        i++;
    }
    if (i == MOST_FAMILIES) {
        return;
    }
    if (i == r->family_count) {
        r->families[r->family_count++] = (struct family){.name = line->font};
    }
    size_t letters = glmv_utf8_count(line->text);
    r->families[i].letters += letters;
    r->families[i].unlike += alike < SAME_FACE ? letters : 0;
}

/* How many bytes of a text to show: whole characters. */
static int shown(const char *text)
{
    size_t end = strlen(text);
    if (end > TEXT_SHOWN) {
        end = TEXT_SHOWN;
        while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) {
            end--;
        }
    }
    return (int)end;
}

static bool note_unread(struct review *r, const struct glmv_scene_line *line, struct glmv_err *err)
{
    if (++r->unread > MOST_UNREAD) {
        return true;
    }
    int bytes = shown(line->text);
    return model_scene_note(r->scene, err,
                            "The text at %.0f, %.0f (%.0f x %.0f px) could not be read surely: "
                            "\"%.*s\"%s",
                            line->ink.x, line->ink.y, line->ink.w, line->ink.h, bytes, line->text,
                            line->text[bytes] != '\0' ? "..." : "");
}

static bool note_families(struct review *r, struct glmv_err *err)
{
    for (int i = 0; i < r->family_count; i++) {
        const struct family *f = &r->families[i];
        if (f->letters >= FACE_LETTERS && f->unlike * 2 > f->letters &&
            !model_scene_note(r->scene, err,
                              "%s stands in for a face that is not installed: %zu of its %zu "
                              "letters look otherwise in the screenshot",
                              f->name, f->unlike, f->letters)) {
            return false;
        }
    }
    return true;
}

bool glmv_scene_review(struct glmv_scene *scene, const struct glmv_image *target,
                       const struct glmv_image *render, struct glmv_err *err)
{
    struct review r = {.scene = scene};
    bool ok = true;
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        const struct glmv_scene_line *line = &scene->lines[i];
        struct tracer_offset off = {0};
        if (line->on_picture || line->rotation != 0 ||
            glmv_utf8_count(line->text) < LEAST_LETTERS) {
            continue;
        }
        bool found = tracer_match(target, render, line->ink,
                                  (struct tracer_ink){line->color, line->background}, 0, &off);
        double alike = found ? off.alike : 0;
        if (line->confidence >= SURE) {
            count_face(&r, line, alike);
        } else if (line->confidence < DOUBTFUL && alike < UNREAD) {
            ok = note_unread(&r, line, err);
        }
    }
    if (ok && r.unread > MOST_UNREAD) {
        ok = model_scene_note(scene, err, "%d more texts could not be read surely",
                              r.unread - MOST_UNREAD);
    }
    return ok && note_families(&r, err);
}
