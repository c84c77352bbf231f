#include "model/glm/cuda/budget.h"

#include <stdio.h>
#include <string.h>

#include "model/glm/cuda/choose.h"
#include "model/glm/cuda/text.h"
#include "model/glm/cuda/tower.h"

#define LEAST_CAPACITY 8192       /* tokens: a screenshot and an answer */
#define MARGIN ((size_t)96 << 20) /* for graphs, and for what the driver takes as it goes */

static const struct {
    const char *name;
    struct glm_cuda_kept kept;
} forms[] = {{"bf16", {GLM_CUDA_BF16, 0}},
             {"fp8", {GLM_CUDA_FP8, 0}},
             {"int8", {GLM_CUDA_INT8, 32}},
             {"int4", {GLM_CUDA_INT4, 32}},
             {"int4-g128", {GLM_CUDA_INT4, 128}}};

bool glm_cuda_kept_parse(const char *name, struct glm_cuda_kept *kept, struct glmv_err *err)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (name == NULL || strcmp(name, forms[i].name) == 0) {
            *kept = forms[i].kept;
            return true;
        }
    }
    return glmv_fail(err, GLMV_ERR_USAGE,
                     "on a CUDA device weights are kept as bf16, fp8, int8, int4 or int4-g128, not "
                     "'%.40s'",
                     name);
}

const char *glm_cuda_kept_name(struct glm_cuda_kept kept)
{
    for (size_t i = 1; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].kept.form == kept.form && forms[i].kept.group == kept.group) {
            return forms[i].name;
        }
    }
    return forms[0].name;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

bool glm_cuda_budget_make(struct glm_cuda_budget *b, struct glm_model *model,
                          struct glm_cuda_kept kept, size_t capacity, struct glmv_err *err)
{
    const struct glm_config *c = &model->config;
    struct glm_cuda_weights weights;
    struct glm_cuda_shape shape;
    memset(b, 0, sizeof *b);
    if (!glm_cuda_weights_count(&weights, model, kept, err)) {
        return false;
    }
    b->capacity = capacity;
    b->batch = capacity < GLM_CUDA_BATCH ? larger(capacity, GLM_CUDA_ROWS) : GLM_CUDA_BATCH;
    b->text = weights.text_bytes;
    b->embed = weights.embed_bytes;
    b->tower = weights.tower_bytes;
    b->cache = 2 * sizeof(uint16_t) * (size_t)c->text.layers * (size_t)c->text.kv_heads *
               (size_t)c->text.head_dim * capacity;
    struct glm_cuda_rows rows;
    struct glm_cuda_arena decode = {0}, prefill = {0}, fixed = {0};
    glm_cuda_rows_take(&rows, &decode, &c->text, &weights, GLM_CUDA_ROWS, capacity, true);
    glm_cuda_rows_take(&rows, &prefill, &c->text, &weights, b->batch, capacity, false);
    glm_cuda_weights_release(&weights, NULL);
    struct glm_cuda_choose choose;
    struct glm_cuda_input input;
    glm_cuda_choose_take(&choose, &fixed, (size_t)c->text.vocab);
    glm_cuda_input_measure(&input, b->batch);
    glm_cuda_take(&fixed, input.bytes);
    glm_cuda_input_measure(&input, GLM_CUDA_ROWS);
    glm_cuda_take(&fixed, input.bytes);
    if (!glm_cuda_shape_of(c, GLM_CUDA_SCREEN_WIDTH, GLM_CUDA_SCREEN_HEIGHT, &shape, err)) {
        return false;
    }
    b->picture = shape.grid.n / (size_t)(c->vision.merge * c->vision.merge) *
                 (size_t)c->text.hidden * sizeof(float);
    b->steps =
        larger(larger(decode.used, prefill.used), glm_cuda_tower_bytes(c, &shape) + b->picture);
    b->scratch = fixed.used + b->steps + GLM_CUDA_ALIGN;
    b->total = b->text + b->embed + b->tower + b->cache + b->scratch + b->picture;
    return true;
}

void glm_cuda_budget_say(const struct glm_cuda_budget *b, char *out, size_t size)
{
    snprintf(out, size,
             "text %.2f + embedding %.2f + tower %.2f + %zu tokens %.2f + work %.2f + picture %.2f "
             "= %.2f GB",
             (double)b->text / 1e9, (double)b->embed / 1e9, (double)b->tower / 1e9, b->capacity,
             (double)b->cache / 1e9, (double)b->scratch / 1e9, (double)b->picture / 1e9,
             (double)b->total / 1e9);
}

bool glm_cuda_budget_fit(struct glm_cuda_budget *b, struct glm_model *model,
                         struct glm_cuda_kept kept, size_t wanted, size_t bytes,
                         struct glmv_err *err)
{
    size_t capacity = wanted;
    for (;;) {
        if (!glm_cuda_budget_make(b, model, kept, capacity, err)) {
            return false;
        }
        if (b->total + MARGIN <= bytes) {
            return true;
        }
        if (capacity <= LEAST_CAPACITY) {
            break;
        }
        capacity = capacity / 2 > LEAST_CAPACITY ? capacity / 2 : LEAST_CAPACITY;
    }
    char line[256];
    glm_cuda_budget_say(b, line, sizeof line);
    return glmv_fail(err, GLMV_ERR_MEMORY,
                     "%s weights do not fit on the CUDA device: %s, and %.2f GB are free; %s",
                     glm_cuda_kept_name(kept), line, (double)bytes / 1e9,
                     kept.form == GLM_CUDA_INT4 && kept.group == 128
                         ? "close what else uses it, or use --device cpu"
                         : "try --int4=128, or --device cpu");
}
