#include "model/glm/glm.h"

#include <math.h>
#include <stdlib.h>

#include "model/glm/device.h"
#include "model/glm/model.h"

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
    struct glm_model *m = glm_model_open(folder, (struct glm_store){GLM_FORM_BLOCKS, 0}, 0, err);
    if (m == NULL) {
        return false;
    }
    const struct glm_config *c = &m->config;
    double stored = (double)m->weights.total_bytes, need[4], kv = 0;
    static const struct glm_store stores[] = {
        {GLM_FORM_BF16, 0}, {GLM_FORM_INT8, 32}, {GLM_FORM_INT4, 32}, {GLM_FORM_INT4, 128}};
    for (int i = 0; i < 4; i++) {
        struct glm_need n = glm_model_need(c, stores[i]);
        need[i] = (n.text + n.tower) / 1e9;
        kv = n.token;
    }
    bool ok = glmv_buf_appendf(out, err, "model: %s\ntensors: %zu in %zu files, %.3f GB\n", c->name,
                               m->weights.count, m->weights.map_count, stored / 1e9) &&
              glmv_buf_appendf(out, err, "text: %d layers of %d, %d heads on %d, vocabulary %d\n",
                               c->text.layers, c->text.hidden, c->text.heads, c->text.kv_heads,
                               c->text.vocab) &&
              glmv_buf_appendf(out, err, "rope: theta %g, %d of %d dims, sections %d %d %d\n",
                               c->text.theta, c->text.rot, c->text.head_dim, c->text.section[0],
                               c->text.section[1], c->text.section[2]) &&
              glmv_buf_appendf(out, err, "tower: %d blocks of %d, patches of %d px\n",
                               c->vision.depth, c->vision.hidden, c->vision.patch) &&
              glmv_buf_appendf(out, err, "context: %lld tokens at most, %.0f bytes each\n",
                               (long long)c->text.context, kv) &&
              glmv_buf_appendf(out, err,
                               "memory: %s %.3f GB, int8 %.3f GB, int4 %.3f GB, int4-g128 %.3f GB; "
                               "%.1f GB are free\n",
                               glm_store_name(c, stores[0]), need[0], need[1], need[2], need[3],
                               glm_memory_free() / 1e9);
    ok = ok && glm_device_say(m, out, err);
    ok = ok && (!verify || (verify_form(m, GLM_FORM_INT8, 32, "int8", out, err) &&
                            verify_form(m, GLM_FORM_INT4, 32, "int4 (groups of 32)", out, err) &&
                            verify_form(m, GLM_FORM_INT4, 128, "int4 (groups of 128)", out, err)));
    glm_model_close(m);
    return ok;
}

bool glmv_glm_need(const char *where, const char *name, const char *device, struct glmv_buf *out,
                   struct glmv_err *err)
{
    struct glm_store store;
    struct glm_config config;
    struct glm_device wanted;
    char folder[4096];
    bool said;
    if (!glm_device_parse(device, &wanted, err) || !glm_device_name(name, err)) {
        return false;
    }
    if (glmv_glm_known(where)) {
        if (!glmv_glm_find(where, folder, sizeof folder, err)) {
            return false;
        }
        where = folder;
    }
    if (!glm_config_read(&config, where, err) ||
        !glm_device_need(&config, name, wanted, out, &said, err)) {
        return false;
    }
    if (said || !glm_store_parse(name, &store, NULL)) {
        return true; /* fp8 without a device fails when it is opened, with the reason */
    }
    struct glm_need need = glm_model_need(&config, store);
    return glmv_buf_appendf(
        out, err,
        "%s as %s needs %.2f GB of memory and %.2f GB for each 10,000 tokens; %.1f GB are free%s",
        config.name, glm_store_name(&config, store), (need.text + need.tower) / 1e9,
        need.token / 1e5, glm_memory_free() / 1e9,
        store.form >= GLM_FORM_INT8 || config.stored_text > 0
            ? "; the first time, weights are packed into the cache"
            : "");
}
