#include "model/glm/device.h"

#include <stdlib.h>
#include <string.h>

bool glm_device_parse(const char *text, struct glm_device *device, struct glmv_err *err)
{
    const bool given = text != NULL;
    text = given ? text : getenv("GLMV_DEVICE");
    text = text != NULL && text[0] != '\0' ? text : "auto";
    *device = (struct glm_device){GLM_DEVICE_AUTO, 0};
    if (strcmp(text, "auto") == 0) {
        return true;
    }
    if (strcmp(text, "cpu") == 0) {
        device->kind = GLM_DEVICE_CPU;
        return true;
    }
    device->kind = GLM_DEVICE_CUDA;
    if (strcmp(text, "cuda") == 0) {
        return true;
    }
    const size_t digits = strncmp(text, "cuda:", 5) == 0 ? strspn(text + 5, "0123456789") : 0;
    if (digits > 0 && digits <= 3 && text[5 + digits] == '\0') {
        device->ordinal = atoi(text + 5);
        return true;
    }
    return glmv_fail(err, GLMV_ERR_USAGE,
                     "%s takes auto, cpu, cuda or cuda:N with the number of a device, not '%.40s'",
                     given ? "--device" : "GLMV_DEVICE", text);
}

bool glm_device_name(const char *name, struct glmv_err *err)
{
    struct glm_store store;
    return (name != NULL && strcmp(name, "fp8") == 0) || glm_store_parse(name, &store, err);
}

static bool has_blocks(const struct glm_model *model)
{
    bool found = model->head.form == GLM_FORM_BLOCKS;
    for (int i = 0; i < model->config.text.layers; i++) {
        const struct glm_text_layer *l = &model->layers[i];
        const struct glm_matrix *all[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
            found = found || all[k]->form == GLM_FORM_BLOCKS;
        }
    }
    for (int i = 0; i < model->config.vision.depth; i++) {
        const struct glm_vision_block *b = &model->blocks[i];
        found = found || b->qkv.form == GLM_FORM_BLOCKS || b->down.form == GLM_FORM_BLOCKS;
    }
    return found || model->merge_down.form == GLM_FORM_BLOCKS;
}

/* How a pack of that name is kept, those for devices alone among them. */
static bool store_of(const char *name, struct glm_store *store, struct glmv_err *err)
{
    if (name != NULL && strcmp(name, "fp8") == 0) {
        *store = (struct glm_store){GLM_FORM_FP8, 0};
        return true;
    }
    return glm_store_parse(name, store, err);
}

struct glm_model *glm_device_open_cuda(const char *where, const char *name, struct glmv_err *err)
{
    struct glm_store store, look = {GLM_FORM_BLOCKS, 0}, plain = {GLM_FORM_BF16, 0};
    struct glm_cuda_kept kept;
    if (!glm_cuda_kept_parse(name, &kept, err) || !store_of(name, &store, err)) {
        return NULL;
    }
    struct glm_model *model = glm_model_open(where, look, 0, err);
    if (model != NULL && has_blocks(model)) { /* they have to become tiles, which a pack is for */
        glm_model_close(model);
        return glm_model_open(where, store.form == GLM_FORM_FP8 ? plain : store, 0, err);
    }
    if (model != NULL && store.form != GLM_FORM_BF16) {
        glm_model_find_pack(model, store);
    }
    return model;
}

struct fetched {
    struct glm_model *model;
    struct glm_runner *runner;
};

static bool fetch_part(void *arg, size_t at, const struct glm_part *part, struct glm_matrix *out,
                       struct glmv_err *err)
{
    const struct fetched *f = arg;
    struct glm_cuda_device *device = glm_runner_cuda_device(f->runner);
    return glm_cuda_enter(&device->cuda, err) &&
           glm_cuda_weights_fetch(glm_runner_cuda_weights(f->runner), device,
                                  f->model->config.text.layers, at, &part->store, out, err);
}

void glm_device_keep_pack(struct glm_model *model, const char *name, struct glm_runner *runner)
{
    struct glm_store store;
    struct fetched fetched = {model, runner};
    const struct glm_pack_maker maker = {fetch_part, &fetched};
    if (model->pack.base == NULL && store_of(name, &store, NULL)) {
        glm_model_keep_pack(model, store, &maker);
    }
}
