#include "model/glm/cuda/driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define LIBRARY "libcuda.so.1"
#define WITHOUT "; --device cpu runs without one"

static bool load(struct glm_cuda *cuda, struct glmv_err *err)
{
    static const struct {
        const char *symbol;
        size_t place;
    } functions[] = {
#define GLM_CU_ENTRY(field, symbol, parameters) {symbol, offsetof(struct glm_cu_api, field)},
        GLM_CU_FUNCTIONS(GLM_CU_ENTRY)
#undef GLM_CU_ENTRY
    };
    /* it stays: a driver has threads of its own, and is not made to be unloaded */
    cuda->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (cuda->library == NULL) {
        return glmv_fail(err, GLMV_ERR_MISSING,
                         "no CUDA driver (" LIBRARY
                         "): install NVIDIA's driver, branch " GLM_CUDA_BRANCH " or newer" WITHOUT);
    }
    const char *missing = NULL;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *symbol = dlsym(cuda->library, functions[i].symbol);
        missing = symbol == NULL && missing == NULL ? functions[i].symbol : missing;
        /* POSIX promises that a function's address fits; ISO C does not */
        memcpy((char *)&cuda->api + functions[i].place, &symbol, sizeof symbol);
    }
    if (cuda->api.driver_version != NULL) {
        cuda->api.driver_version(&cuda->driver);
    }
    if (cuda->driver < GLM_CUDA_DRIVER || missing != NULL) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "the CUDA driver is too old: it is for CUDA %d.%d, and CUDA %d.%d (branch "
                         "" GLM_CUDA_BRANCH ") is needed%s%s" WITHOUT,
                         cuda->driver / 1000, cuda->driver % 1000 / 10, GLM_CUDA_DRIVER / 1000,
                         GLM_CUDA_DRIVER % 1000 / 10, missing != NULL ? "; it lacks " : "",
                         missing != NULL ? missing : "");
    }
    return true;
}

/* After these the context is of no use. */
static bool is_final(int code)
{
    return code == GLM_CU_DEINITIALIZED || code == GLM_CU_DEVICE_UNAVAILABLE ||
           code == GLM_CU_ECC || code == GLM_CU_NVLINK || code == GLM_CU_CONTAINED ||
           (code >= GLM_CU_ILLEGAL_ADDRESS && code <= GLM_CU_LAUNCH_FAILED &&
            code != GLM_CU_LAUNCH_RESOURCES) ||
           code == GLM_CU_UNKNOWN;
}

bool glm_cuda_check(struct glm_cuda *cuda, int code, const char *doing, struct glmv_err *err)
{
    const char *name = NULL;
    if (code == GLM_CU_SUCCESS) {
        return true;
    }
    cuda->failed = true;
    if (cuda->api.error_name(code, &name) != GLM_CU_SUCCESS || name == NULL) {
        name = "unknown error";
    }
    if (code == GLM_CU_DEVICE_UNAVAILABLE && cuda->context == NULL) {
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "CUDA device %d (%s) cannot be opened now: another program has it to "
                         "itself, or its compute mode forbids it; see 'nvidia-smi -q -d "
                         "COMPUTE'" WITHOUT,
                         cuda->ordinal, cuda->name);
    }
    if (is_final(code)) {
        cuda->lost = true;
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "CUDA device %d (%s) was lost: cannot %s: %s (%d); start again, and see "
                         "'nvidia-smi' and 'dmesg' if it happens twice" WITHOUT,
                         cuda->ordinal, cuda->name, doing, name, code);
    }
    if (code == GLM_CU_OUT_OF_MEMORY) {
        return glmv_fail(
            err, GLMV_ERR_MEMORY,
            "CUDA device %d (%s) has no memory left: cannot %s, %.2f GB are free; close "
            "what else uses it, or try --int4",
            cuda->ordinal, cuda->name, doing, (double)glm_cuda_memory_free(cuda) / 1e9);
    }
    return glmv_fail(err, GLMV_ERR_MODEL, "CUDA device %d (%s): cannot %s: %s (%d)", cuda->ordinal,
                     cuda->name, doing, name, code);
}

/* The driver and the wanted device. */
static bool find(struct glm_cuda *cuda, int ordinal, int *count, struct glmv_err *err)
{
    memset(cuda, 0, sizeof *cuda);
    cuda->ordinal = ordinal;
    if (!load(cuda, err)) {
        return false;
    }
    int code = cuda->api.init(0);
    if (code == GLM_CU_NO_DEVICE ||
        (code == GLM_CU_SUCCESS && cuda->api.device_count(count) == GLM_CU_SUCCESS &&
         *count == 0)) {
        return glmv_fail(err, GLMV_ERR_MISSING,
                         "the CUDA driver sees no device; see 'nvidia-smi' and "
                         "CUDA_VISIBLE_DEVICES" WITHOUT);
    }
    if (code == GLM_CU_DRIVER_MISMATCH || code == GLM_CU_SYSTEM_NOT_READY ||
        code == GLM_CU_STUB_LIBRARY) {
        return glmv_fail(err, GLMV_ERR_MISSING, "the CUDA driver does not start (%d): %s" WITHOUT,
                         code,
                         code == GLM_CU_STUB_LIBRARY
                             ? LIBRARY " is a toolkit's stub, not a driver"
                             : "its library and kernel module differ, or it was just updated; "
                               "restart the machine");
    }
    if (!glm_cuda_check(cuda, code, "start the driver", err)) {
        return false;
    }
    if (ordinal < 0 || ordinal >= *count) {
        return glmv_fail(err, GLMV_ERR_USAGE, "there is no CUDA device %d: %d can be seen%s",
                         ordinal, *count, *count == 1 ? ", cuda:0" : "");
    }
    struct glm_cu_api *api = &cuda->api;
    if (!glm_cuda_check(cuda, api->device_get(&cuda->device, ordinal), "find the device", err)) {
        return false;
    }
    code = api->device_name(cuda->name, sizeof cuda->name, cuda->device);
    code |= api->device_memory(&cuda->memory, cuda->device);
    code |= api->device_attribute(&cuda->major, GLM_CU_ATTR_MAJOR, cuda->device);
    code |= api->device_attribute(&cuda->minor, GLM_CU_ATTR_MINOR, cuda->device);
    code |= api->device_attribute(&cuda->sms, GLM_CU_ATTR_SMS, cuda->device);
    if (code != GLM_CU_SUCCESS) {
        return glm_cuda_check(cuda, GLM_CU_UNKNOWN, "ask what it is", err);
    }
    if (cuda->major < 8) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "CUDA device %d (%s) has compute capability %d.%d, and 8.0 (Ampere) is "
                         "needed" WITHOUT,
                         ordinal, cuda->name, cuda->major, cuda->minor);
    }
    return true;
}

static void unload(struct glm_cuda *cuda)
{
    if (cuda->library != NULL) {
        dlclose(cuda->library);
    }
    memset(cuda, 0, sizeof *cuda);
}

bool glm_cuda_look(int ordinal, struct glm_cuda_found *found, struct glmv_err *err)
{
    struct glm_cuda cuda;
    memset(found, 0, sizeof *found);
    bool ok = find(&cuda, ordinal, &found->count, err);
    found->driver = cuda.driver;
    memcpy(found->name, cuda.name, sizeof found->name);
    found->major = cuda.major;
    found->minor = cuda.minor;
    found->memory = cuda.memory;
    unload(&cuda);
    return ok;
}

bool glm_cuda_open(struct glm_cuda *cuda, int ordinal, struct glmv_err *err)
{
    int count = 0;
    bool ok = find(cuda, ordinal, &count, err) &&
              glm_cuda_check(cuda, cuda->api.context_retain(&cuda->context, cuda->device),
                             "open the device", err) &&
              glm_cuda_enter(cuda, err);
    if (!ok) {
        glm_cuda_close(cuda);
    }
    return ok;
}

void glm_cuda_close(struct glm_cuda *cuda)
{
    if (cuda->context != NULL) {
        cuda->api.context_set(NULL);
        cuda->api.context_release(cuda->device);
    }
    unload(cuda);
}

bool glm_cuda_enter(struct glm_cuda *cuda, struct glmv_err *err)
{
    if (cuda->lost) {
        cuda->failed = true;
        return glmv_fail(err, GLMV_ERR_MODEL, "CUDA device %d (%s) was lost; open the model again",
                         cuda->ordinal, cuda->name);
    }
    return glm_cuda_check(cuda, cuda->api.context_set(cuda->context), "use the device", err);
}

size_t glm_cuda_memory_free(struct glm_cuda *cuda)
{
    size_t unused = 0, total = 0;
    return cuda->context != NULL && cuda->api.memory_info(&unused, &total) == GLM_CU_SUCCESS
               ? unused
               : 0;
}

bool glm_cuda_alloc(struct glm_cuda *cuda, size_t bytes, const char *what, glm_device_ptr *out,
                    struct glmv_err *err)
{
    char doing[128];
    *out = 0;
    snprintf(doing, sizeof doing, "take %.2f GB for %s", (double)bytes / 1e9, what);
    return glm_cuda_check(cuda, cuda->api.alloc(out, bytes), doing, err);
}

void glm_cuda_free(struct glm_cuda *cuda, glm_device_ptr ptr)
{
    if (ptr != 0) {
        cuda->api.free(ptr);
    }
}

bool glm_cuda_alloc_host(struct glm_cuda *cuda, size_t bytes, void **out, struct glmv_err *err)
{
    *out = NULL;
    int code = cuda->api.alloc_host(out, bytes);
    return code == GLM_CU_OUT_OF_MEMORY
               ? glmv_fail(err, GLMV_ERR_MEMORY, "cannot pin %.1f MB of memory for the device",
                           (double)bytes / 1e6)
               : glm_cuda_check(cuda, code, "pin memory", err);
}

void glm_cuda_free_host(struct glm_cuda *cuda, void *ptr)
{
    if (ptr != NULL) {
        cuda->api.free_host(ptr);
    }
}

bool glm_cuda_put(struct glm_cuda *cuda, glm_device_ptr to, const void *from, size_t bytes,
                  glm_cu_stream stream, struct glmv_err *err)
{
    return glm_cuda_check(cuda, cuda->api.copy_up(to, from, bytes, stream), "copy to the device",
                          err) &&
           glm_cuda_check(cuda, cuda->api.stream_wait(stream), "copy to the device", err);
}

bool glm_cuda_get(struct glm_cuda *cuda, void *to, glm_device_ptr from, size_t bytes,
                  glm_cu_stream stream, struct glmv_err *err)
{
    return glm_cuda_check(cuda, cuda->api.copy_down(to, from, bytes, stream),
                          "copy from the device", err) &&
           glm_cuda_check(cuda, cuda->api.stream_wait(stream), "copy from the device", err);
}
