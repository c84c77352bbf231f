/* The golden conversation with a model, compared with the reference's logits and tokens. A body for
 * the tests that read checkpoints in other formats. */
#ifndef GLMV_TESTS_MODEL_GLM_CONVERSATION_H
#define GLMV_TESTS_MODEL_GLM_CONVERSATION_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/image.h"
#include "model/glm/model.h"
#include "model/glm/prompt.h"
#include "tests/check.h"
#include "tests/model/glm/golden.h"

static void golden_ids(const struct glm_weights *gold, const char *name, struct glm_ids *out)
{
    const struct glm_tensor *t = glm_weights_find(gold, name);
    for (size_t i = 0; i < t->bytes / 8; i++) {
        int64_t value;
        memcpy(&value, (const char *)t->data + i * 8, 8);
        CHECK(glm_ids_push(out, (int32_t)value, NULL));
    }
}

/* The inputs of the golden conversation, two pictures in it. */
static float *inputs(struct glm_model *model, const struct glm_ids *ids, struct glm_span spans[2])
{
    static const int sizes[2][2] = {{101, 67}, {56, 140}};
    const size_t h = (size_t)model->config.text.hidden;
    float *x = malloc(ids->len * h * sizeof *x), *rows[2];
    for (int i = 0; i < 2; i++) {
        struct glmv_image *image = test_picture(sizes[i][0], sizes[i][1]);
        struct glm_patches p;
        CHECK(glm_picture_patches(&model->config, image, &p, NULL));
        spans[i] = (struct glm_span){p.grid_h / 2, p.grid_w / 2};
        rows[i] = glm_vision_encode(model, &p, NULL, NULL);
        glm_patches_release(&p);
        glmv_image_free(image);
    }
    size_t used = 0, at = 0;
    for (size_t i = 0; i < ids->len; i++) {
        if (ids->data[i] != model->config.image_token) {
            glm_row(&model->embed, (size_t)ids->data[i], x + i * h);
            continue;
        }
        memcpy(x + i * h, rows[at] + used * h, h * sizeof *x);
        if (++used == (size_t)(spans[at].rows * spans[at].cols)) {
            used = 0;
            at++;
        }
    }
    free(rows[0]);
    free(rows[1]);
    return x;
}

/* Blocks as floats, so that nothing but the reading of them is compared. */
static void unpack(struct glm_matrix *m, float **at)
{
    if (m->form == GLM_FORM_BLOCKS) {
        *at = malloc(m->rows * m->cols * sizeof **at);
        for (size_t row = 0; row < m->rows; row++) {
            glm_row(m, row, *at + row * m->cols);
        }
        *m = (struct glm_matrix){GLM_FORM_F32, m->rows, m->cols, *at, NULL, 0};
    }
}

/* Returns how many there are in made. */
static size_t unpack_all(struct glm_model *model, float *made[64])
{
    struct glm_matrix *all[64];
    size_t count = glm_model_matrices(model, all);
    for (int i = 0; i < model->config.vision.depth; i++) {
        struct glm_vision_block *b = &model->blocks[i];
        struct glm_matrix *block[] = {&b->qkv, &b->proj, &b->gate, &b->up, &b->down};
        memcpy(all + count, block, sizeof block);
        count += 5;
    }
    struct glm_matrix *merger[] = {&model->merge_proj, &model->merge_gate, &model->merge_up,
                                   &model->merge_down};
    memcpy(all + count, merger, sizeof merger);
    count += 4;
    for (size_t i = 0; i < count; i++) {
        made[i] = NULL;
        unpack(all[i], &made[i]);
    }
    return count;
}

/* Logits of the golden conversation against the reference's; at limit 1e-5 also the tokens that
 * follow. name NULL: blocks are made floats first. half:
 * keys and values are kept as half floats. Returns the relative error. */
static double conversation_as(const char *where, const char *name, const char *stages, double limit,
                              bool half)
{
    struct glmv_err err = {0};
    struct glm_weights gold;
    struct glm_store store;
    struct glm_ids ids = {0}, want = {0};
    struct glm_span spans[2];
    struct glm_decoder d;
    float *made[64];
    size_t made_count = 0;
    CHECK(glm_weights_open(&gold, stages, &err) && glm_store_parse(name, &store, &err));
    store.form = name == NULL ? GLM_FORM_BLOCKS : store.form;
    golden_ids(&gold, "ids", &ids);
    golden_ids(&gold, "greedy", &want);
    struct glm_model *model = glm_model_open(where, store, 2, &err);
    CHECK_MSG(model != NULL, "%s: %s", where, err.message);
    model->half = half;
    if (limit < 1e-4 || half) { /* others round inputs */
        glm_pool_choose(model->pool, GLM_CPU_SCALAR);
    }
    made_count = name == NULL ? unpack_all(model, made) : 0;
    name = name == NULL ? "floats" : name;
    const size_t vocab = (size_t)model->config.text.vocab;
    float *x = inputs(model, &ids, spans), *logits = malloc(8 * vocab * sizeof *logits);
    int32_t *positions = malloc(ids.len * 3 * sizeof *positions);
    int32_t next = glm_prompt_positions(&ids, model->config.image_token, spans, positions);
    CHECK(glm_decoder_init(&d, model, ids.len + 16, NULL));
    CHECK(glm_decoder_step(&d, x, positions, ids.len, 8, logits, NULL, NULL));
    const struct glm_tensor *t = glm_weights_find(&gold, "text.logits");
    double worst = 0, scale = 0;
    for (size_t i = 0; i < 8 * vocab; i++) {
        float value;
        memcpy(&value, (const char *)t->data + i * 4, 4);
        scale = fmax(scale, fabs(value));
        worst = fmax(worst, fabs((double)logits[i] - value));
    }
    CHECK_MSG(worst / scale <= limit, "%s as %s: logits off by %g", where, name, worst / scale);
    memmove(logits, logits + 7 * vocab, vocab * sizeof *logits);
    for (size_t k = 0; k < want.len && limit < 1e-4; k++) {
        size_t best = 0;
        for (size_t i = 1; i < vocab; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        CHECK_MSG((int32_t)best == want.data[k], "greedy token %zu: %zu", k, best);
        int32_t place[3] = {next, next, next};
        next++;
        glm_row(&model->embed, best, x);
        CHECK(glm_decoder_step(&d, x, place, 1, 1, logits, NULL, NULL));
    }
    printf("%s as %s: logits off by %.2e\n", where, name, worst / scale);
    glm_decoder_release(&d);
    glm_model_close(model);
    glm_weights_close(&gold);
    glm_ids_release(&ids);
    glm_ids_release(&want);
    for (size_t i = 0; i < made_count; i++) {
        free(made[i]);
    }
    free(x);
    free(positions);
    free(logits);
    return worst / scale;
}

static double conversation(const char *where, const char *name, const char *stages, double limit)
{
    return conversation_as(where, name, stages, limit, false);
}

#endif
