#include "model/tracer/draft.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/utf8.h"
#include "model/tracer/regular.h"

#define ASSET_MAX ((size_t)64 << 20)
#define LOSSLESS_PIXELS 16384 /* icons and small pictures stay exact */
#define PHOTO_QUALITY 92
#define EDGE_ERROR 1.2 /* px by which the width of ink may seem larger or smaller than it is */

void glmv_draft_free(struct glmv_draft *draft)
{
    if (draft == NULL) {
        return;
    }
    tracer_node_free(draft->tree);
    tracer_regular_free(draft->regular);
    free(draft->assets_dir);
    free(draft->assets_href);
    free(draft->title);
    free(draft->types);
    free(draft->line_shift);
    free(draft->box_shift);
    free(draft->picture_shift);
    free(draft);
}

static bool copy_option(const char *from, char **owned, const char **option)
{
    if (from == NULL) {
        return true;
    }
    *owned = strdup(from);
    *option = *owned;
    return *owned != NULL;
}

bool tracer_draft_arrange(struct glmv_draft *draft, struct glmv_err *err)
{
    struct tracer_node *tree = tracer_tree_new(draft->scene, draft->line_shift, draft->box_shift,
                                               draft->picture_shift, err);
    if (tree == NULL || !tracer_regular_apply(draft->regular, draft->scene, tree, err)) {
        tracer_node_free(tree);
        return false;
    }
    tracer_node_free(draft->tree);
    draft->tree = tree;
    return true;
}

/* The spacing that makes the fitted type as wide as the ink, so that lines wrap the same; none
 * where they differ by no more than the edges of ink can be measured. */
static double spacing_of(const struct glmv_scene_line *line)
{
    size_t letters = glmv_utf8_count(line->text);
    double more = line->ink.w - line->inked;
    if (letters < 2 || line->inked <= 0 || fabs(more) <= EDGE_ERROR) {
        return line->letter_spacing;
    }
    double rest = more / (double)(letters - 1);
    double limit = 0.04 * line->font_px;
    return line->letter_spacing + fmax(-limit, fmin(limit, rest));
}

static struct glmv_draft *draft_alloc(const struct glmv_scene *scene,
                                      const struct glmv_emit_options *options)
{
    struct glmv_draft *draft = calloc(1, sizeof *draft);
    if (draft == NULL) {
        return NULL;
    }
    draft->scene = scene;
    draft->types = calloc(scene->line_count + 1, sizeof *draft->types);
    draft->line_shift = calloc(scene->line_count + 1, sizeof *draft->line_shift);
    draft->box_shift = calloc(scene->box_count + 1, sizeof *draft->box_shift);
    draft->picture_shift = calloc(scene->picture_count + 1, sizeof *draft->picture_shift);
    bool ok = draft->types != NULL && draft->line_shift != NULL && draft->box_shift != NULL &&
              draft->picture_shift != NULL;
    if (options != NULL) {
        ok = ok &&
             copy_option(options->assets_dir, &draft->assets_dir, &draft->options.assets_dir) &&
             copy_option(options->assets_href, &draft->assets_href, &draft->options.assets_href) &&
             copy_option(options->title, &draft->title, &draft->options.title);
    }
    if (!ok) {
        glmv_draft_free(draft);
        return NULL;
    }
    return draft;
}

struct glmv_draft *glmv_draft_new(const struct glmv_scene *scene,
                                  const struct glmv_emit_options *options, struct glmv_err *err)
{
    struct glmv_draft *draft = draft_alloc(scene, options);
    if (draft == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    for (size_t i = 0; i < scene->line_count; i++) {
        draft->types[i] =
            (struct tracer_type){scene->lines[i].font_px, spacing_of(&scene->lines[i]), 0};
    }
    if (!tracer_draft_arrange(draft, err)) {
        glmv_draft_free(draft);
        return NULL;
    }
    return draft;
}

struct glmv_draft *glmv_draft_copy(const struct glmv_draft *draft, struct glmv_err *err)
{
    const struct glmv_scene *scene = draft->scene;
    struct glmv_draft *copy = draft_alloc(scene, &draft->options);
    if (copy == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    copy->texts_apart = draft->texts_apart;
    memcpy(copy->types, draft->types, scene->line_count * sizeof *copy->types);
    memcpy(copy->line_shift, draft->line_shift, scene->line_count * sizeof *copy->line_shift);
    memcpy(copy->box_shift, draft->box_shift, scene->box_count * sizeof *copy->box_shift);
    memcpy(copy->picture_shift, draft->picture_shift,
           scene->picture_count * sizeof *copy->picture_shift);
    if (!tracer_draft_arrange(copy, err)) {
        glmv_draft_free(copy);
        return NULL;
    }
    return copy;
}

void glmv_draft_keep_texts_apart(struct glmv_draft *draft)
{
    draft->texts_apart = true;
}

bool glmv_draft_html(const struct glmv_draft *draft, bool marks, struct glmv_buf *out,
                     struct glmv_err *err)
{
    return tracer_emit(draft, marks, out, err);
}

void tracer_asset_name(const struct glmv_scene *scene, int picture, char name[32])
{
    if (scene->pictures[picture].same_as >= 0) {
        picture = scene->pictures[picture].same_as;
    }
    snprintf(name, 32, "picture-%d.%s", picture + 1,
             scene->pictures[picture].svg != NULL ? "svg" : "webp");
}

bool tracer_asset_bytes(const struct glmv_scene_picture *picture, struct glmv_buf *out,
                        struct glmv_err *err)
{
    if (picture->svg != NULL) {
        return glmv_buf_append_str(out, picture->svg, err);
    }
    bool small = (long)picture->image->width * picture->image->height <= LOSSLESS_PIXELS;
    bool exact = small || picture->kind != GLMV_PICTURE_PHOTO;
    return glmv_image_encode_webp(picture->image, exact ? GLMV_WEBP_LOSSLESS : PHOTO_QUALITY, out,
                                  err);
}

bool glmv_draft_write_assets(const struct glmv_draft *draft, struct glmv_err *err)
{
    const char *folder = draft->options.assets_dir;
    if (folder == NULL || draft->scene->picture_count == 0) {
        return true;
    }
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be made: %s", folder, strerror(errno));
    }
    bool ok = true;
    for (size_t i = 0; ok && i < draft->scene->picture_count; i++) {
        const struct glmv_scene_picture *picture = &draft->scene->pictures[i];
        if (picture->same_as >= 0) {
            continue;
        }
        char name[32];
        char path[4096];
        struct glmv_buf bytes;
        glmv_buf_init(&bytes, ASSET_MAX);
        tracer_asset_name(draft->scene, (int)i, name);
        int n = snprintf(path, sizeof path, "%s/%s", folder, name);
        ok = n < (int)sizeof path ? tracer_asset_bytes(picture, &bytes, err) &&
                                        glmv_file_write(path, bytes.data, bytes.len, err)
                                  : glmv_fail(err, GLMV_ERR_IO, "%s: the path is too long", folder);
        glmv_buf_release(&bytes);
    }
    return ok;
}
