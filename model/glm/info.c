#include "model/glm/glm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/glm/device.h"
#include "model/glm/gguf.h"
#include "model/glm/model.h"
#include "model/glm/tokenizer.h"

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

/* Whether the sizes are those of a published model, and which are not. */
static bool say_sizes(const struct glm_config *c, struct glmv_buf *out, struct glmv_err *err)
{
    const struct glm_text_config *t = &c->text;
    const struct glm_vision_config *v = &c->vision;
    const struct {
        const char *name;
        double have, want;
    } all[] = {{"hidden_size", t->hidden, 4096},
               {"num_hidden_layers", t->layers, 40},
               {"num_attention_heads", t->heads, 32},
               {"num_key_value_heads", t->kv_heads, 2},
               {"intermediate_size", t->inner, 13696},
               {"vocab_size", t->vocab, 151552},
               {"rms_norm_eps", (double)(float)t->eps, (double)1e-5f},
               {"rope_theta", t->theta, t->theta < 100000 ? 10000 : 500000},
               {"rotated dims", t->rot, 64},
               {"mrope_section[0]", t->section[0], 8},
               {"mrope_section[1]", t->section[1], 12},
               {"image_token_id", c->image_token, t->theta < 100000 ? 151343 : 151363},
               {"vision depth", v->depth, 24},
               {"vision hidden_size", v->hidden, 1536},
               {"vision num_heads", v->heads, 12},
               {"vision intermediate_size", v->inner, 13696},
               {"image_size / patch_size", v->grid, 24},
               {"patch_size", v->patch, 14},
               {"shortest_edge", (double)c->picture.min_area, 12544},
               {"longest_edge", (double)c->picture.max_area, 9633792}};
    const char *known = t->theta < 100000 ? "GLM-4.1V-9B-Thinking" : "GLM-4.6V-Flash";
    size_t others = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof all / sizeof all[0]; i++) {
        if (all[i].have != all[i].want) {
            ok = glmv_buf_appendf(out, err, "%s%s %.9g (%.9g)",
                                  others == 0 ? "settings: not as published for the 9B model: "
                                              : ", ",
                                  all[i].name, all[i].have, all[i].want);
            others++;
        }
    }
    return ok &&
           (others > 0 ? glmv_buf_append_str(out, "\n", err)
                       : glmv_buf_appendf(out, err, "settings: as published for %s\n", known));
}

/* Files that a checkpoint comes with. */
static bool say_files(const char *where, struct glmv_buf *out, struct glmv_err *err)
{
    static const char *const names[] = {"preprocessor_config.json", "generation_config.json"};
    char path[4200];
    bool ok = true;
    for (size_t i = 0; ok && i < 2 && glm_is_folder(where) && !glm_gguf_here(where); i++) {
        snprintf(path, sizeof path, "%.4000s/%s", where, names[i]);
        if (access(path, R_OK) != 0 && i == 0) { /* its values may be in the newer file */
            snprintf(path, sizeof path, "%.4000s/processor_config.json", where);
        }
        if (access(path, R_OK) != 0) {
            ok = glmv_buf_appendf(out, err, "missing: %s; the published values are used\n",
                                  names[i]);
        }
    }
    return ok;
}

/* What an answer needs beside the weights. */
static bool say_answers(const struct glm_model *m, const char *where, struct glmv_buf *out,
                        struct glmv_err *err)
{
    const struct glm_config *c = &m->config;
    const struct glm_picture_config *p = &c->picture;
    const double token = (double)(c->vision.patch * c->vision.merge * c->vision.temporal) *
                         (c->vision.patch * c->vision.merge);
    struct glmv_err why = {0};
    struct glm_tokenizer *t = glm_tokenizer_find(where, c->text.vocab, &why);
    bool ok =
        glmv_buf_appendf(out, err, "pictures: %.0f to %.0f tokens each, of %d x %d px\n",
                         (double)p->min_area / token, (double)p->max_area / token,
                         c->vision.patch * c->vision.merge, c->vision.patch * c->vision.merge) &&
        glmv_buf_appendf(out, err, "sampling: temperature %g, top-p %g, top-k %d, repetition %g\n",
                         c->sampling.temperature, c->sampling.top_p, c->sampling.top_k,
                         c->sampling.repetition_penalty);
    if (t == NULL) {
        return ok && glmv_buf_appendf(out, err, "tokenizer: cannot be used: %s\n", why.message);
    }
    const int32_t image = glm_tokenizer_added(t, "<|image|>");
    ok = ok && glmv_buf_appendf(out, err, "tokenizer: conversations as %s's, <|image|> is %d%s\n",
                                glm_tokenizer_added(t, "/nothink") >= 0 ? "GLM-4.6V" : "GLM-4.1V",
                                (int)image,
                                image == c->image_token ? "" : ", which is not image_token_id");
    ok = ok && glmv_buf_append_str(out, "an answer ends with:", err);
    for (int i = 0; ok && i < c->eos_count; i++) {
        size_t len = 0;
        const char *text = (const char *)glm_tokenizer_bytes(t, c->eos[i], &len);
        ok = glmv_buf_appendf(out, err, " %d %.*s", c->eos[i], text != NULL ? (int)len : 0,
                              text != NULL ? text : "");
    }
    glm_tokenizer_close(t);
    return ok && glmv_buf_append_str(out, "\n", err);
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
    ok = ok && say_sizes(c, out, err) && say_files(folder, out, err) &&
         say_answers(m, folder, out, err);
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
