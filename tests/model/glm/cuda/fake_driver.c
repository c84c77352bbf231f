/* The driver's functions under their own names. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/model/glm/cuda/fake_calls.h"

#define CONTEXT ((glm_cu_context)(uintptr_t)0xC0)
#define SHARED_MOST (227 * 1024)

struct glm_cu_function {
    enum glm_cuda_kernel kernel;
    size_t args;
    int shared;
    bool loaded;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local glm_cu_context current;
static struct glm_cu_function functions[GLM_CUDA_KERNEL_COUNT];
static glm_cu_stream streams[16];
static int sticky;
static bool started;
size_t fake_graphs, fake_objects;
static size_t calls, kernels;
static size_t planned_seen; /* calls that FAKE_CUDA_FAIL means */
static int contexts;

void fake_wrong(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "fake CUDA: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    abort();
}

static long long setting(const char *name, long long otherwise)
{
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0' ? atoll(text) : otherwise;
}

bool fake_is_hollow(void)
{
    return setting("FAKE_CUDA_HOLLOW", 0) != 0;
}

bool fake_is_early(void)
{
    return setting("FAKE_CUDA_EARLY", 0) != 0;
}

static bool is_final(int code)
{
    return code == GLM_CU_ECC ||
           (code >= GLM_CU_ILLEGAL_ADDRESS && code <= GLM_CU_LAUNCH_FAILED &&
            code != GLM_CU_LAUNCH_RESOURCES) ||
           code == GLM_CU_UNKNOWN;
}

/* The code this call returns without doing anything. */
int fake_planned(const char *name)
{
    const char *plan = getenv("FAKE_CUDA_FAIL");
    const size_t len = plan != NULL ? strcspn(plan, ":") : 0;
    unsigned long at;
    int code;
    calls++;
    if (sticky != 0 || plan == NULL || sscanf(plan + len, ":%lu:%d", &at, &code) != 2 ||
        !(strncmp(plan, "any", len) == 0 ||
          (strlen(name) == len && strncmp(plan, name, len) == 0)) ||
        ++planned_seen != at) {
        return sticky;
    }
    sticky = is_final(code) ? code : 0;
    return code;
}

void fake_lock(void)
{
    pthread_mutex_lock(&lock);
}

/* Begins a call: what it returns at once, if anything. */
int fake_enter(const char *name, bool needs_context)
{
    pthread_mutex_lock(&lock);
    int code = fake_planned(name);
    if (code != 0) {
        return code;
    }
    if (!started && strcmp(name, "cuInit") != 0 && strcmp(name, "cuDriverGetVersion") != 0 &&
        strcmp(name, "cuGetErrorName") != 0) {
        fake_wrong("%s before cuInit", name);
    }
    if (needs_context && current != CONTEXT) {
        fake_wrong("%s without a current context", name);
    }
    return 0;
}

int fake_leave(int code)
{
    pthread_mutex_unlock(&lock);
    return code;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

glm_cu_stream fake_stream_of(glm_cu_stream stream, const char *name)
{
    if (stream == NULL || stream->magic != STREAM) {
        fake_wrong("%s: not a stream", name);
    }
    return stream;
}

/* Does what waits in a stream, up to an event where one is given. After a failure nothing is. */
static void run_queue(glm_cu_stream s, glm_cu_event until)
{
    bool found = until == NULL;
    for (const struct fake_work *w = s->queue.first; w != NULL && !found; w = w->next) {
        found = w->kind == FAKE_EVENT && w->event == until;
    }
    while (found && s->queue.first != NULL) {
        struct fake_list one = {s->queue.first, s->queue.first, 1};
        s->queue.first = one.first->next;
        s->queue.last = s->queue.first != NULL ? s->queue.last : NULL;
        s->queue.count--;
        one.first->next = NULL;
        bool last = one.first->kind == FAKE_EVENT && one.first->event == until;
        if (sticky == 0) {
            kernels += one.first->kind == FAKE_KERNEL ? 1 : 0;
            fake_work_run(one.first);
        }
        if (one.first->kind == FAKE_EVENT) {
            one.first->event->pending = false;
            one.first->event->time = now();
        }
        fake_list_release(&one);
        if (last && until != NULL) {
            return;
        }
    }
}

static void run_all(void)
{
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        if (streams[i] != NULL) {
            run_queue(streams[i], NULL);
        }
    }
}

static void put(glm_cu_stream s, const struct fake_work *work)
{
    fake_list_add(s->recording ? &s->recorded : &s->queue, fake_work_copy(work));
}

int fake_init(unsigned flags)
{
    ENTER("cuInit", false);
    started = true;
    return fake_leave(flags != 0                             ? GLM_CU_INVALID_VALUE
                      : setting("FAKE_CUDA_DEVICES", 1) == 0 ? GLM_CU_NO_DEVICE
                                                             : 0);
}

int fake_driver_version(int *version)
{
    ENTER("cuDriverGetVersion", false);
    *version = (int)setting("FAKE_CUDA_DRIVER", 13000);
    return fake_leave(0);
}

int fake_error_name(int code, const char **name)
{
    *name = code == GLM_CU_OUT_OF_MEMORY   ? "CUDA_ERROR_OUT_OF_MEMORY"
            : code == GLM_CU_LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED"
            : code == GLM_CU_ECC           ? "CUDA_ERROR_ECC_UNCORRECTABLE"
                                           : NULL;
    return *name != NULL ? 0 : GLM_CU_INVALID_VALUE;
}

int fake_device_count(int *count)
{
    ENTER("cuDeviceGetCount", false);
    *count = (int)setting("FAKE_CUDA_DEVICES", 1);
    return fake_leave(0);
}

int fake_device_get(int *device, int ordinal)
{
    ENTER("cuDeviceGet", false);
    *device = ordinal;
    return fake_leave(
        ordinal >= 0 && ordinal < setting("FAKE_CUDA_DEVICES", 1) ? 0 : GLM_CU_INVALID_DEVICE);
}

int fake_device_name(char *name, int len, int device)
{
    ENTER("cuDeviceGetName", false);
    snprintf(name, (size_t)len, "Fake Device %d", device);
    return fake_leave(0);
}

int fake_device_attribute(int *value, int attribute, int device)
{
    (void)device;
    ENTER("cuDeviceGetAttribute", false);
    long long capability = setting("FAKE_CUDA_CAPABILITY", 90);
    *value = attribute == GLM_CU_ATTR_MAJOR   ? (int)capability / 10
             : attribute == GLM_CU_ATTR_MINOR ? (int)capability % 10
                                              : 132;
    return fake_leave(0);
}

static size_t device_bytes(void)
{
    return (size_t)setting("FAKE_CUDA_MEMORY", 4ll << 30);
}

int fake_device_memory(size_t *bytes, int device)
{
    (void)device;
    ENTER("cuDeviceTotalMem_v2", false);
    *bytes = device_bytes();
    return fake_leave(0);
}

int fake_context_retain(glm_cu_context *context, int device)
{
    (void)device;
    ENTER("cuDevicePrimaryCtxRetain", false);
    *context = CONTEXT;
    contexts++;
    return fake_leave(0);
}

int fake_context_release(int device)
{
    (void)device;
    ENTER_END("cuDevicePrimaryCtxRelease_v2");
    size_t pieces, bytes, most;
    if (--contexts < 0) {
        fake_wrong("a context is released once more than it was taken");
    }
    fake_memory_count(&pieces, &bytes, &most);
    if (contexts == 0 && (pieces > 0 || fake_objects > 0)) {
        fake_wrong("left behind: %zu pieces of memory, %zu bytes, and %zu streams, events, "
                   "libraries or fake_graphs",
                   pieces, bytes, fake_objects);
    }
    if (contexts == 0) {
        sticky = 0;
    }
    return fake_leave(0);
}

int fake_context_set(glm_cu_context context)
{
    ENTER("cuCtxSetCurrent", false);
    if (context != NULL && (context != CONTEXT || contexts == 0)) {
        fake_wrong("not a context");
    }
    current = context;
    return fake_leave(0);
}

int fake_memory_info(size_t *unused, size_t *total)
{
    ENTER("cuMemGetInfo_v2", true);
    size_t pieces, bytes, most;
    fake_memory_count(&pieces, &bytes, &most);
    *total = device_bytes();
    *unused = bytes < *total ? *total - bytes : 0;
    return fake_leave(0);
}

int fake_alloc(glm_device_ptr *ptr, size_t bytes)
{
    ENTER("cuMemAlloc_v2", true);
    size_t pieces, used, most;
    fake_memory_count(&pieces, &used, &most);
    if (bytes == 0) {
        fake_wrong("cuMemAlloc of nothing");
    }
    if (bytes > device_bytes() || used > device_bytes() - bytes) {
        return fake_leave(GLM_CU_OUT_OF_MEMORY);
    }
    *ptr = (glm_device_ptr)(uintptr_t)fake_memory_take(bytes, false);
    return fake_leave(0);
}

int fake_free(glm_device_ptr ptr)
{
    ENTER_END("cuMemFree_v2");
    run_all(); /* as the driver does: it waits */
    fake_memory_give((void *)(uintptr_t)ptr, false);
    return fake_leave(0);
}

int fake_alloc_host(void **ptr, size_t bytes)
{
    ENTER("cuMemAllocHost_v2", true);
    *ptr = fake_memory_take(bytes, true);
    return fake_leave(0);
}

int fake_free_host(void *ptr)
{
    ENTER_END("cuMemFreeHost");
    run_all();
    fake_memory_give(ptr, true);
    return fake_leave(0);
}

/* Pageable memory too is read when the copy is made: a driver stages it ahead of that only where
 * the device cannot read it by itself, and promises neither. */
int fake_copy_up(glm_device_ptr to, const void *from, size_t bytes, glm_cu_stream stream)
{
    ENTER("cuMemcpyHtoDAsync_v2", true);
    glm_cu_stream s = fake_stream_of(stream, "cuMemcpyHtoDAsync");
    bool pinned = fake_memory_holds(from, bytes, true);
    if (s->recording && !pinned) {
        fake_wrong("a copy of pageable memory is recorded");
    }
    if (!fake_memory_holds((void *)(uintptr_t)to, bytes, false)) {
        fake_wrong("a copy of %zu bytes leaves the device's memory", bytes);
    }
    struct fake_work work = {.kind = FAKE_UP,
                             .to = (void *)(uintptr_t)to,
                             .from = from,
                             .pageable = !pinned,
                             .bytes = bytes};
    put(s, &work);
    return fake_leave(0);
}

int fake_copy_down(void *to, glm_device_ptr from, size_t bytes, glm_cu_stream stream)
{
    ENTER("cuMemcpyDtoHAsync_v2", true);
    glm_cu_stream s = fake_stream_of(stream, "cuMemcpyDtoHAsync");
    struct fake_work work = {
        .kind = FAKE_DOWN, .to = to, .from = (void *)(uintptr_t)from, .bytes = bytes};
    if (!fake_memory_holds(work.from, bytes, false)) {
        fake_wrong("a copy of %zu bytes leaves the device's memory", bytes);
    }
    if (fake_memory_holds(to, bytes, true)) {
        put(s, &work);
        return fake_leave(0);
    }
    if (s->recording) {
        fake_wrong("a copy to pageable memory is recorded");
    }
    run_queue(s, NULL);
    memcpy(to, work.from, bytes);
    return fake_leave(sticky);
}

int fake_copy_across(glm_device_ptr to, glm_device_ptr from, size_t bytes, glm_cu_stream stream)
{
    ENTER("cuMemcpyDtoDAsync_v2", true);
    struct fake_work work = {.kind = FAKE_ACROSS,
                             .to = (void *)(uintptr_t)to,
                             .from = (void *)(uintptr_t)from,
                             .bytes = bytes};
    put(fake_stream_of(stream, "cuMemcpyDtoDAsync"), &work);
    return fake_leave(0);
}

int fake_stream_create(glm_cu_stream *stream, unsigned flags)
{
    (void)flags;
    ENTER("cuStreamCreate", true);
    *stream = calloc(1, sizeof **stream);
    (*stream)->magic = STREAM;
    size_t i = 0;
    while (streams[i] != NULL) {
        i++;
    }
    streams[i] = *stream;
    fake_objects++;
    return fake_leave(0);
}

int fake_stream_destroy(glm_cu_stream stream)
{
    ENTER_END("cuStreamDestroy_v2");
    glm_cu_stream s = fake_stream_of(stream, "cuStreamDestroy");
    if (s->recording) {
        fake_wrong("a stream is closed while it records");
    }
    run_queue(s, NULL);
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        streams[i] = streams[i] == s ? NULL : streams[i];
    }
    free(s);
    fake_objects--;
    return fake_leave(0);
}

int fake_stream_wait(glm_cu_stream stream)
{
    ENTER("cuStreamSynchronize", true);
    glm_cu_stream s = fake_stream_of(stream, "cuStreamSynchronize");
    if (s->recording) {
        fake_wrong("somebody waits for a stream that records");
    }
    run_queue(s, NULL);
    return fake_leave(sticky);
}

static glm_cu_event event_of(glm_cu_event event, const char *name)
{
    if (event == NULL || event->magic != EVENT) {
        fake_wrong("%s: not an event", name);
    }
    return event;
}

int fake_event_create(glm_cu_event *event, unsigned flags)
{
    (void)flags;
    ENTER("cuEventCreate", true);
    *event = calloc(1, sizeof **event);
    (*event)->magic = EVENT;
    fake_objects++;
    return fake_leave(0);
}

int fake_event_destroy(glm_cu_event event)
{
    ENTER_END("cuEventDestroy_v2");
    if (event_of(event, "cuEventDestroy")->pending) {
        run_all();
    }
    free(event);
    fake_objects--;
    return fake_leave(0);
}

int fake_event_record(glm_cu_event event, glm_cu_stream stream)
{
    ENTER("cuEventRecord", true);
    struct fake_work work = {.kind = FAKE_EVENT, .event = event_of(event, "cuEventRecord")};
    event->pending = true;
    put(fake_stream_of(stream, "cuEventRecord"), &work);
    return fake_leave(0);
}

int fake_event_wait(glm_cu_event event)
{
    ENTER("cuEventSynchronize", true);
    event_of(event, "cuEventSynchronize");
    for (size_t i = 0; event->pending && i < sizeof streams / sizeof streams[0]; i++) {
        if (streams[i] != NULL) {
            run_queue(streams[i], event);
        }
    }
    return fake_leave(sticky);
}

int fake_event_elapsed(float *milliseconds, glm_cu_event from, glm_cu_event to)
{
    ENTER("cuEventElapsedTime", true);
    event_of(from, "cuEventElapsedTime");
    if (from->pending || event_of(to, "cuEventElapsedTime")->pending) {
        return fake_leave(GLM_CU_NOT_READY);
    }
    *milliseconds = (float)((to->time - from->time) * 1e3);
    return fake_leave(0);
}

int fake_library_load(glm_cu_library *library, const void *code, void *jit, void *jit_values,
                      unsigned jit_count, void *options, void *option_values, unsigned option_count)
{
    (void)jit, (void)jit_values, (void)jit_count;
    (void)options, (void)option_values, (void)option_count;
    ENTER("cuLibraryLoadData", true);
    if (code == NULL) {
        return fake_leave(GLM_CU_INVALID_VALUE);
    }
    *library = malloc(1);
    fake_objects++;
    return fake_leave(0);
}

int fake_library_unload(glm_cu_library library)
{
    ENTER_END("cuLibraryUnload");
    free(library);
    fake_objects--;
    return fake_leave(0);
}

int fake_library_kernel(glm_cu_kernel *kernel, glm_cu_library library, const char *name)
{
    (void)library;
    ENTER("cuLibraryGetKernel", true);
    size_t args = 0;
    enum glm_cuda_kernel found = fake_kernel_find(name, &args);
    if (found == GLM_CUDA_KERNEL_COUNT) {
        return fake_leave(GLM_CU_NOT_FOUND);
    }
    functions[found] =
        (struct glm_cu_function){found, args, 0, false}; /* of shared memory: as if its own
                                                     were all that goes unasked */
    *kernel = (glm_cu_kernel)(void *)&functions[found];
    return fake_leave(0);
}

int fake_kernel_function(glm_cu_function *function, glm_cu_kernel kernel)
{
    ENTER("cuKernelGetFunction", true);
    *function = (glm_cu_function)(void *)kernel;
    return fake_leave(0);
}

int fake_function_load(glm_cu_function function)
{
    ENTER("cuFuncLoad", true);
    function->loaded = true;
    return fake_leave(0);
}

int fake_function_set(glm_cu_function function, int attribute, int value)
{
    ENTER("cuFuncSetAttribute", true);
    if (attribute != GLM_CU_FUNC_MAX_DYNAMIC_SHARED || value > SHARED_MOST) {
        return fake_leave(GLM_CU_INVALID_VALUE);
    }
    function->shared = value;
    return fake_leave(0);
}

int fake_launch(const struct glm_cu_launch *l, glm_cu_function function, void **parameters,
                void **extra)
{
    ENTER("cuLaunchKernelEx", true);
    glm_cu_stream s = fake_stream_of(l->stream, "cuLaunchKernelEx");
    if (function < functions || function >= functions + GLM_CUDA_KERNEL_COUNT || extra != NULL) {
        fake_wrong("cuLaunchKernelEx: not a function");
    }
    if (l->grid[0] == 0 || l->grid[1] == 0 || l->grid[2] == 0 || l->grid[1] > 65535 ||
        l->grid[2] > 65535 || l->block[0] == 0 || l->block[0] > 1024 || l->block[1] != 1 ||
        l->block[2] != 1 || (int)l->shared > function->shared) {
        fake_wrong("kernel %d: a grid of %u x %u x %u, blocks of %u, %u bytes shared",
                   (int)function->kernel, l->grid[0], l->grid[1], l->grid[2], l->block[0],
                   l->shared);
    }
    for (unsigned i = 0; i < l->attribute_count; i++) {
        if (l->attributes[i].id != GLM_CU_LAUNCH_SERIALIZATION) {
            fake_wrong("launch attribute %u", l->attributes[i].id);
        }
    }
    if (s->recording && !function->loaded) {
        fake_wrong("kernel %d has to be loaded while a step is recorded", (int)function->kernel);
    }
    struct fake_work work = {.kind = FAKE_KERNEL,
                             .kernel = function->kernel,
                             .grid = {l->grid[0], l->grid[1], l->grid[2]},
                             .threads = l->block[0],
                             .shared = l->shared,
                             .early = l->attribute_count > 0 && l->attributes[0].value.flag != 0,
                             .args = parameters[0],
                             .args_size = function->args};
    put(s, &work);
    return fake_leave(0);
}

/* For tests: a driver that was never used, between two conversations of a process. */
void fake_cuda_reset(void);
void fake_cuda_reset(void)
{
    if (contexts != 0) {
        fake_wrong("a context is still open");
    }
    started = false;
    sticky = 0;
    planned_seen = 0;
}

__attribute__((destructor)) static void report(void)
{
    size_t pieces, bytes, most;
    const char *path = getenv("FAKE_CUDA_LOG");
    FILE *file = path != NULL && calls > 0 ? fopen(path, "ae") : NULL;
    fake_memory_count(&pieces, &bytes, &most);
    if (file != NULL) {
        fprintf(file, "calls %zu kernels %zu fake_graphs %zu most %zu\n", calls, kernels,
                fake_graphs, most);
        fclose(file);
    }
    if (contexts != 0) {
        fprintf(stderr, "fake CUDA: %d contexts, %zu pieces of memory left at the end\n", contexts,
                pieces);
    }
}
