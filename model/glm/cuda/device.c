#include "model/glm/cuda/device.h"

#include <assert.h>
#include <string.h>

#define NAME(LARGE, small) "glm_cuda_" #small,
static const char *const names[] = {GLM_CUDA_KERNELS(NAME)};
#undef NAME

bool glm_cuda_built(struct glmv_err *err)
{
    return glm_cuda_image_count > 0 ||
           glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                     "this program was built without CUDA kernels: build it where nvcc is (CUDA "
                     "%d.%d or newer), with -DGLMV_CUDA=ON; --device cpu runs without",
                     GLM_CUDA_DRIVER / 1000, GLM_CUDA_DRIVER % 1000 / 10);
}

/* As glm_cuda_check. That there is no code for a device is said by some drivers when kernels are
 * loaded, by those that put loading off when one is asked for. */
static bool check_code(struct glm_cuda_device *d, int code, const char *doing, struct glmv_err *err)
{
    if (code == GLM_CU_NO_BINARY || code == GLM_CU_UNSUPPORTED_PTX || code == GLM_CU_NO_COMPILER ||
        code == GLM_CU_COMPILER_OFF) {
        const char *all = d->cuda.major == 9 && d->cuda.minor == 0 ? "a" : ""; /* warpgroups */
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "the kernels in this program do not fit CUDA device %d (%s, compute "
                         "capability %d.%d); build it with -DGLMV_CUDA_ARCHS=%d%d%s; --device "
                         "cpu runs without",
                         d->cuda.ordinal, d->cuda.name, d->cuda.major, d->cuda.minor,
                         d->cuda.major, d->cuda.minor, all);
    }
    return glm_cuda_check(&d->cuda, code, doing, err);
}

static bool load_images(struct glm_cuda_device *d, struct glmv_err *err)
{
    struct glm_cu_api *api = &d->cuda.api;
    assert(glm_cuda_image_count <= GLM_CUDA_LIBRARIES);
    for (size_t i = 0; i < glm_cuda_image_count; i++) {
        int code = api->library_load(&d->libraries[i], glm_cuda_images[i].data, NULL, NULL, 0, NULL,
                                     NULL, 0);
        if (!check_code(d, code, "load the kernels", err)) {
            return false;
        }
        d->library_count++;
    }
    return true;
}

static bool find_kernel(struct glm_cuda_device *d, size_t at, struct glmv_err *err)
{
    struct glm_cu_api *api = &d->cuda.api;
    glm_cu_kernel kernel = NULL;
    int code = GLM_CU_NOT_FOUND;
    for (size_t i = 0; i < d->library_count && code == GLM_CU_NOT_FOUND; i++) {
        code = api->library_kernel(&kernel, d->libraries[i], names[at]);
    }
    if (code == GLM_CU_SUCCESS) {
        code = api->kernel_function(&d->functions[at], kernel);
    }
    if (code == GLM_CU_SUCCESS) { /* now: a step may be recorded before it was ever launched */
        code = api->function_load(d->functions[at]);
    }
    return check_code(d, code, names[at], err);
}

bool glm_cuda_device_open(struct glm_cuda_device *d, int ordinal, struct glmv_err *err)
{
    memset(d, 0, sizeof *d);
    if (!glm_cuda_built(err) || !glm_cuda_open(&d->cuda, ordinal, err)) {
        return false;
    }
    d->early = d->cuda.major >= 9;
    d->wide = d->cuda.major == 9 && d->cuda.minor == 0 && glm_cuda_image_wide != 0
                  ? (uint32_t)d->cuda.sms
                  : 0;
    bool ok = load_images(d, err);
    for (size_t i = 0; ok && i < GLM_CUDA_KERNEL_COUNT; i++) {
        ok = find_kernel(d, i, err);
    }
    ok = ok &&
         glm_cuda_check(&d->cuda, d->cuda.api.stream_create(&d->stream, GLM_CU_STREAM_NON_BLOCKING),
                        "make a stream", err);
    if (!ok) {
        glm_cuda_device_close(d);
    }
    return ok;
}

void glm_cuda_device_close(struct glm_cuda_device *d)
{
    if (d->cuda.context != NULL) {
        d->cuda.api.context_set(d->cuda.context);
    }
    if (d->stream != NULL) {
        d->cuda.api.stream_destroy(d->stream);
    }
    for (size_t i = 0; i < d->library_count; i++) {
        d->cuda.api.library_unload(d->libraries[i]);
    }
    glm_cuda_close(&d->cuda);
    memset(d, 0, sizeof *d);
}

/* Above 48 KB, what a kernel has of its own included, it has to be told how much shared memory it
 * may take. */
static int allow_shared(struct glm_cuda_device *d, const struct glm_cuda_launch *launch)
{
    uint32_t *allowed = &d->shared[launch->kernel];
    if (launch->shared <= *allowed) {
        return GLM_CU_SUCCESS;
    }
    *allowed = launch->shared;
    return d->cuda.api.function_set(d->functions[launch->kernel], GLM_CU_FUNC_MAX_DYNAMIC_SHARED,
                                    (int)launch->shared);
}

bool glm_cuda_run(struct glm_cuda_device *d, struct glm_cuda_launch launch, void *args,
                  struct glmv_err *err)
{
    struct glm_cu_launch_attribute early = {.id = GLM_CU_LAUNCH_SERIALIZATION, .value.flag = 1};
    struct glm_cu_launch l = {.grid = {launch.x, launch.y, launch.z},
                              .block = {launch.threads, 1, 1},
                              .shared = launch.shared,
                              .stream = d->stream,
                              .attributes = &early,
                              .attribute_count = d->early && d->after_kernel ? 1 : 0};
    void *parameters[] = {args};
    if (d->cuda.lost) {
        return glm_cuda_enter(&d->cuda, err);
    }
    d->after_kernel = true;
    d->launches++;
    int code = allow_shared(d, &launch);
    if (code == GLM_CU_SUCCESS) {
        code = d->cuda.api.launch(&l, d->functions[launch.kernel], parameters, NULL);
    }
    return glm_cuda_check(&d->cuda, code, names[launch.kernel], err);
}

static glm_device_ptr address(const void *pointer)
{
    return (glm_device_ptr)(uintptr_t)pointer;
}

bool glm_cuda_send(struct glm_cuda_device *d, void *to, const void *from, size_t bytes,
                   struct glmv_err *err)
{
    d->after_kernel = false;
    return glm_cuda_check(&d->cuda, d->cuda.api.copy_up(address(to), from, bytes, d->stream),
                          "copy to the device", err);
}

bool glm_cuda_fetch(struct glm_cuda_device *d, void *to, const void *from, size_t bytes,
                    struct glmv_err *err)
{
    d->after_kernel = false;
    return glm_cuda_check(&d->cuda, d->cuda.api.copy_down(to, address(from), bytes, d->stream),
                          "copy from the device", err);
}

bool glm_cuda_move(struct glm_cuda_device *d, void *to, const void *from, size_t bytes,
                   struct glmv_err *err)
{
    d->after_kernel = false;
    return glm_cuda_check(&d->cuda,
                          d->cuda.api.copy_across(address(to), address(from), bytes, d->stream),
                          "copy on the device", err);
}

int glm_cuda_drain(struct glm_cuda_device *d)
{
    int code = d->cuda.api.stream_wait(d->stream);
    if (code != GLM_CU_SUCCESS) {
        d->cuda.api.stream_wait(d->stream);
    }
    return code;
}

bool glm_cuda_wait(struct glm_cuda_device *d, struct glmv_err *err)
{
    return glm_cuda_check(&d->cuda, glm_cuda_drain(d), "finish", err);
}

void *glm_cuda_take(struct glm_cuda_arena *arena, size_t bytes)
{
    size_t at = arena->used;
    arena->used += (bytes + GLM_CUDA_ALIGN - 1) / GLM_CUDA_ALIGN * GLM_CUDA_ALIGN;
    assert(arena->base == 0 || arena->used <= arena->size);
    return (void *)(uintptr_t)(arena->base + at);
}
