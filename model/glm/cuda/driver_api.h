/*
 * The part of NVIDIA's driver interface that is used, declared here so that the program builds
 * without a CUDA toolkit and runs without a driver: the functions are looked up in libcuda.so.1
 * when a device is opened. Numbers and layouts are those of the driver's binary interface;
 * tests/model/glm/cuda/test_driver_api.c compares them with cuda.h where one is installed. Private
 * to model/glm/cuda.
 */
#ifndef GLMV_MODEL_GLM_CUDA_DRIVER_API_H
#define GLMV_MODEL_GLM_CUDA_DRIVER_API_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t glm_device_ptr;
typedef struct glm_cu_context *glm_cu_context;
typedef struct glm_cu_stream *glm_cu_stream;
typedef struct glm_cu_event *glm_cu_event;
typedef struct glm_cu_library *glm_cu_library;
typedef struct glm_cu_kernel *glm_cu_kernel;
typedef struct glm_cu_function *glm_cu_function;
typedef struct glm_cu_graph *glm_cu_graph;
typedef struct glm_cu_graph_exec *glm_cu_graph_exec;

enum {
    GLM_CU_SUCCESS = 0,
    GLM_CU_INVALID_VALUE = 1,
    GLM_CU_OUT_OF_MEMORY = 2,
    GLM_CU_DEINITIALIZED = 4,
    GLM_CU_STUB_LIBRARY = 34,
    GLM_CU_NEWER_DRIVER = 36,
    GLM_CU_DEVICE_UNAVAILABLE = 46,
    GLM_CU_NO_DEVICE = 100,
    GLM_CU_INVALID_DEVICE = 101,
    GLM_CU_INVALID_IMAGE = 200,
    GLM_CU_NO_BINARY = 209,
    GLM_CU_ECC = 214,
    GLM_CU_NVLINK = 220,
    GLM_CU_NO_COMPILER = 221, /* of PTX, in the driver */
    GLM_CU_UNSUPPORTED_PTX = 222,
    GLM_CU_COMPILER_OFF = 223,
    GLM_CU_CONTAINED = 226,
    GLM_CU_NOT_FOUND = 500,
    GLM_CU_NOT_READY = 600,
    GLM_CU_ILLEGAL_ADDRESS = 700,
    GLM_CU_LAUNCH_RESOURCES = 701,
    GLM_CU_LAUNCH_FAILED = 719,
    GLM_CU_SYSTEM_NOT_READY = 802,
    GLM_CU_DRIVER_MISMATCH = 803,
    GLM_CU_GRAPH_UPDATE = 910,
    GLM_CU_UNKNOWN = 999
};

enum {
    GLM_CU_ATTR_SMS = 16,
    GLM_CU_ATTR_MAJOR = 75,
    GLM_CU_ATTR_MINOR = 76
};

enum { GLM_CU_FUNC_MAX_DYNAMIC_SHARED = 8 };

enum {
    GLM_CU_STREAM_NON_BLOCKING = 1,
    GLM_CU_EVENT_NO_TIMING = 2,
    GLM_CU_CAPTURE_THREAD_LOCAL = 1,
    GLM_CU_LAUNCH_SERIALIZATION = 6 /* programmatic: begins before the launch ahead has ended */
};

struct glm_cu_launch_attribute {
    unsigned id;
    char pad[4];
    union {
        char room[64];
        int flag;
    } value;
};

struct glm_cu_launch {
    unsigned grid[3], block[3];
    unsigned shared; /* bytes */
    glm_cu_stream stream;
    struct glm_cu_launch_attribute *attributes;
    unsigned attribute_count;
};

struct glm_cu_update_result {
    int result;
    void *error_node, *error_from;
};

/* X(field, symbol, parameters): every function returns one of the codes above. */
#define GLM_CU_FUNCTIONS(X)                                                                        \
    X(init, "cuInit", (unsigned flags))                                                            \
    X(driver_version, "cuDriverGetVersion", (int *version))                                        \
    X(error_name, "cuGetErrorName", (int code, const char **name))                                 \
    X(device_count, "cuDeviceGetCount", (int *count))                                              \
    X(device_get, "cuDeviceGet", (int *device, int ordinal))                                       \
    X(device_name, "cuDeviceGetName", (char *name, int len, int device))                           \
    X(device_attribute, "cuDeviceGetAttribute", (int *value, int attribute, int device))           \
    X(device_memory, "cuDeviceTotalMem_v2", (size_t * bytes, int device))                          \
    X(context_retain, "cuDevicePrimaryCtxRetain", (glm_cu_context * context, int device))          \
    X(context_release, "cuDevicePrimaryCtxRelease_v2", (int device))                               \
    X(context_set, "cuCtxSetCurrent", (glm_cu_context context))                                    \
    X(memory_info, "cuMemGetInfo_v2", (size_t * free_bytes, size_t * total))                       \
    X(alloc, "cuMemAlloc_v2", (glm_device_ptr * ptr, size_t bytes))                                \
    X(free, "cuMemFree_v2", (glm_device_ptr ptr))                                                  \
    X(alloc_host, "cuMemAllocHost_v2", (void **ptr, size_t bytes))                                 \
    X(free_host, "cuMemFreeHost", (void *ptr))                                                     \
    X(copy_up, "cuMemcpyHtoDAsync_v2",                                                             \
      (glm_device_ptr to, const void *from, size_t bytes, glm_cu_stream stream))                   \
    X(copy_down, "cuMemcpyDtoHAsync_v2",                                                           \
      (void *to, glm_device_ptr from, size_t bytes, glm_cu_stream stream))                         \
    X(copy_across, "cuMemcpyDtoDAsync_v2",                                                         \
      (glm_device_ptr to, glm_device_ptr from, size_t bytes, glm_cu_stream stream))                \
    X(stream_create, "cuStreamCreate", (glm_cu_stream * stream, unsigned flags))                   \
    X(stream_destroy, "cuStreamDestroy_v2", (glm_cu_stream stream))                                \
    X(stream_wait, "cuStreamSynchronize", (glm_cu_stream stream))                                  \
    X(event_create, "cuEventCreate", (glm_cu_event * event, unsigned flags))                       \
    X(event_destroy, "cuEventDestroy_v2", (glm_cu_event event))                                    \
    X(event_record, "cuEventRecord", (glm_cu_event event, glm_cu_stream stream))                   \
    X(event_wait, "cuEventSynchronize", (glm_cu_event event))                                      \
    X(event_elapsed, "cuEventElapsedTime",                                                         \
      (float *milliseconds, glm_cu_event from, glm_cu_event to))                                   \
    X(library_load, "cuLibraryLoadData",                                                           \
      (glm_cu_library * library, const void *code, void *jit, void *jit_values,                    \
       unsigned jit_count, void *options, void *option_values, unsigned option_count))             \
    X(library_unload, "cuLibraryUnload", (glm_cu_library library))                                 \
    X(library_kernel, "cuLibraryGetKernel",                                                        \
      (glm_cu_kernel * kernel, glm_cu_library library, const char *name))                          \
    X(kernel_function, "cuKernelGetFunction", (glm_cu_function * function, glm_cu_kernel kernel))  \
    X(function_load, "cuFuncLoad", (glm_cu_function function))                                     \
    X(function_set, "cuFuncSetAttribute", (glm_cu_function function, int attribute, int value))    \
    X(launch, "cuLaunchKernelEx",                                                                  \
      (const struct glm_cu_launch *launch, glm_cu_function function, void **parameters,            \
       void **extra))                                                                              \
    X(capture_begin, "cuStreamBeginCapture_v2", (glm_cu_stream stream, int mode))                  \
    X(capture_end, "cuStreamEndCapture", (glm_cu_stream stream, glm_cu_graph * graph))             \
    X(graph_make, "cuGraphInstantiateWithFlags",                                                   \
      (glm_cu_graph_exec * exec, glm_cu_graph graph, unsigned long long flags))                    \
    X(graph_update, "cuGraphExecUpdate_v2",                                                        \
      (glm_cu_graph_exec exec, glm_cu_graph graph, struct glm_cu_update_result * result))          \
    X(graph_launch, "cuGraphLaunch", (glm_cu_graph_exec exec, glm_cu_stream stream))               \
    X(graph_exec_destroy, "cuGraphExecDestroy", (glm_cu_graph_exec exec))                          \
    X(graph_destroy, "cuGraphDestroy", (glm_cu_graph graph))

struct glm_cu_api {
#define GLM_CU_FIELD(field, symbol, parameters) int(*field) parameters;
    GLM_CU_FUNCTIONS(GLM_CU_FIELD)
#undef GLM_CU_FIELD
};

#endif
