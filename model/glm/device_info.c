/* What people are told about devices, before a model is loaded. */
#include <stdio.h>

#include "model/glm/device.h"
#include "model/glm/glm.h"

#define SHOWN_CONTEXT 16384 /* tokens, in the table */

bool glmv_glm_device(const char *device, struct glmv_buf *out, struct glmv_err *err)
{
    struct glm_device wanted;
    struct glm_cuda_found f;
    return glm_device_parse(device, &wanted, err) && glm_cuda_built(err) &&
           glm_cuda_look(wanted.ordinal, &f, err) &&
           glmv_buf_appendf(out, err,
                            "cuda:%d %s, compute capability %d.%d, %.1f GB, driver for CUDA %d.%d",
                            wanted.ordinal, f.name, f.major, f.minor, (double)f.memory / 1e9,
                            f.driver / 1000, f.driver % 1000 / 10);
}

bool glm_device_need(const struct glm_config *config, const char *name, struct glm_device device,
                     struct glmv_buf *out, bool *said, struct glmv_err *err)
{
    struct glmv_err why = {0};
    struct glm_cuda_found found;
    struct glm_cuda_kept kept;
    struct glm_cuda_budget budget;
    char line[256];
    *said = false;
    if (device.kind == GLM_DEVICE_CPU) {
        return true;
    }
    struct glmv_err *to = device.kind == GLM_DEVICE_AUTO ? &why : err;
    bool usable = glm_cuda_built(to) && glm_cuda_look(device.ordinal, &found, to) &&
                  glm_cuda_fits(config, to) && glm_cuda_kept_parse(name, &kept, to);
    if (!usable) {
        return device.kind == GLM_DEVICE_AUTO;
    }
    if (kept.form == GLM_CUDA_BF16 && (config->stored_text > 0 || config->stored_weight > 0)) {
        return true; /* quantised as stored: what that needs is the same everywhere */
    }
    struct glm_model *model = glm_model_imagine(config, err);
    bool ok = model != NULL && glm_cuda_budget_make(&budget, model, kept, SHOWN_CONTEXT, err);
    if (ok) {
        glm_cuda_budget_say(&budget, line, sizeof line);
        ok = glmv_buf_appendf(out, err, "%s as %s on cuda:%d (%s, %.1f GB): %s", config->name,
                              glm_cuda_kept_name(kept), device.ordinal, found.name,
                              (double)found.memory / 1e9, line);
        *said = ok;
    }
    glm_model_close(model);
    return ok;
}

bool glm_device_say(struct glm_model *model, struct glmv_buf *out, struct glmv_err *err)
{
    static const char *const names[] = {"bf16", "fp8", "int8", "int4", "int4-g128"};
    struct glmv_err why = {0};
    if (!glmv_buf_append_str(out, "device: ", err) ||
        !glmv_buf_appendf(out, err, "%s\n",
                          glmv_glm_device("cuda", out, &why) ? "" : why.message)) {
        return false;
    }
    glmv_err_clear(&why);
    if (!glm_cuda_fits(&model->config, &why)) {
        return glmv_buf_appendf(out, err, "device memory: %s\n", why.message);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct glm_cuda_kept kept;
        struct glm_cuda_budget budget;
        char line[256];
        if (!glm_cuda_kept_parse(names[i], &kept, err) ||
            !glm_cuda_budget_make(&budget, model, kept, SHOWN_CONTEXT, err)) {
            return false;
        }
        glm_cuda_budget_say(&budget, line, sizeof line);
        if (!glmv_buf_appendf(out, err, "device memory, %s: %s\n", names[i], line)) {
            return false;
        }
    }
    return glmv_buf_appendf(out, err,
                            "device memory is for a screenshot of %d x %d; a driver takes about "
                            "%.1f GB more for itself\n",
                            GLM_CUDA_SCREEN_WIDTH, GLM_CUDA_SCREEN_HEIGHT,
                            GLM_CUDA_CONTEXT_BYTES / 1e9);
}
