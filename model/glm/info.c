#include "model/glm/glm.h"

#include <math.h>
#include <stdlib.h>

#include "model/glm/model.h"

/* Weights that a generated token reads: the layers and the head. */
static double read_per_token(const struct glm_model *m)
{
    const struct glm_text_config *c = &m->config.text;
    double wide = (double)c->heads * c->head_dim, kv = (double)c->kv_heads * c->head_dim;
    double layer = c->hidden * (2 * wide + 2 * kv + 3.0 * c->inner);
    return layer * c->layers + (double)c->vocab * c->hidden;
}

/* sum of squares of the error and of the weights */
static bool error_of(struct glm_model *m, const struct glm_matrix *w, enum glm_form form,
                     size_t group, double sums[2], struct glmv_err *err)
{
    struct glm_matrix q;
    float *a = malloc(w->cols * sizeof *a), *b = malloc(w->cols * sizeof *b);
    bool ok = (a != NULL && b != NULL) || glmv_fail_memory(err);
    if (ok && (ok = glm_quantise(m->pool, w, form, group, &q, err))) {
        for (size_t row = 0; row < w->rows; row++) {
            glm_row(w, row, a);
            glm_row(&q, row, b);
            for (size_t i = 0; i < w->cols; i++) {
                sums[0] += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
                sums[1] += (double)a[i] * a[i];
            }
        }
        free((void *)(uintptr_t)q.data);
        free((void *)(uintptr_t)q.scales);
    }
    free(a);
    free(b);
    return ok;
}

static bool verify_form(struct glm_model *m, enum glm_form form, size_t group, const char *name,
                        struct glmv_buf *out, struct glmv_err *err)
{
    double sums[2] = {0, 0};
    for (int i = 0; i < m->config.text.layers; i++) {
        const struct glm_text_layer *l = &m->layers[i];
        const struct glm_matrix *all[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
            if (!error_of(m, all[k], form, group, sums, err)) {
                return false;
            }
        }
    }
    double relative = sums[1] > 0 ? sqrt(sums[0] / sums[1]) : 0;
    return glmv_buf_appendf(out, err, "error of %s: %.3f%% of the weights' root mean square\n",
                            name, relative * 100);
}

bool glmv_glm_info(const char *folder, bool verify, struct glmv_buf *out, struct glmv_err *err)
{
    struct glm_model *m = glm_model_open(folder, GLM_FORM_BF16, 0, err);
    if (m == NULL) {
        return false;
    }
    const struct glm_config *c = &m->config;
    double read = read_per_token(m), stored = (double)m->weights.total_bytes;
    double kv = 8.0 * c->text.layers * c->text.kv_heads * c->text.head_dim;
    bool ok =
        glmv_buf_appendf(out, err, "model: %s\ntensors: %zu in %zu files, %.3f GB\n", c->name,
                         m->weights.count, m->weights.map_count, stored / 1e9) &&
        glmv_buf_appendf(out, err, "text: %d layers of %d, %d heads on %d, vocabulary %d\n",
                         c->text.layers, c->text.hidden, c->text.heads, c->text.kv_heads,
                         c->text.vocab) &&
        glmv_buf_appendf(out, err, "rope: theta %g, %d of %d dims, sections %d %d %d\n",
                         c->text.theta, c->text.rot, c->text.head_dim, c->text.section[0],
                         c->text.section[1], c->text.section[2]) &&
        glmv_buf_appendf(out, err, "tower: %d blocks of %d, patches of %d px\n", c->vision.depth,
                         c->vision.hidden, c->vision.patch) &&
        glmv_buf_appendf(out, err, "context: %lld tokens at most, %.0f bytes each\n",
                         (long long)c->text.context, kv) &&
        glmv_buf_appendf(out, err, "memory on top of the mapped file: int8 %.3f GB, int4 %.3f GB\n",
                         read * 1.125 / 1e9,
                         (read * 0.625 + 0.5 * c->text.vocab * (double)c->text.hidden) / 1e9);
    ok = ok && (!verify || (verify_form(m, GLM_FORM_INT8, 32, "int8", out, err) &&
                            verify_form(m, GLM_FORM_INT4, 32, "int4 (groups of 32)", out, err) &&
                            verify_form(m, GLM_FORM_INT4, 128, "int4 (groups of 128)", out, err)));
    glm_model_close(m);
    return ok;
}
