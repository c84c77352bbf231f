/*
 * A driver for tests: a libcuda.so.1 whose device is this process. Its memory is the heap's, its
 * kernels are our own, emulated. It does everything as late as it may: what is put into a stream
 * happens when somebody waits, so a copy whose memory is given up or filled again too early is
 * seen. Wrong uses end the program with a sentence: addresses outside or freed, copies of pageable
 * memory in a recording, handles of another kind, calls without a context, objects left over.
 *
 * fake_cuda_reset(), found by dlsym, begins anew between two conversations of a process.
 *
 * Environment:
 *     FAKE_CUDA_DRIVER=12040      the version it says it is
 *     FAKE_CUDA_DEVICES=0         how many devices
 *     FAKE_CUDA_MEMORY=1000000    bytes of a device
 *     FAKE_CUDA_FAIL=NAME:N:CODE  the N-th call of NAME (or of "any") returns CODE; codes that end
 *                                 a context return from every later call as well
 *     FAKE_CUDA_HOLLOW=1          kernels do nothing, memory begins with zeros: for what does not
 *                                 depend on results
 *     FAKE_CUDA_EARLY=1           kernels that may begin before the one before them has ended do:
 *                                 what their first block does ahead of its wait sees the memory as
 *                                 it was before that one, and loses what it writes
 *     FAKE_CUDA_LOG=FILE          a line at the end: calls, kernels, graphs, most memory in use
 */
#ifndef GLMV_TESTS_MODEL_GLM_CUDA_FAKE_H
#define GLMV_TESTS_MODEL_GLM_CUDA_FAKE_H

#include <stdbool.h>

#include "model/glm/cuda/driver_api.h"
#include "model/glm/cuda/kernels.h"

/* Ends the program: a use that a real driver might not survive. */
_Noreturn void fake_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum fake_kind { FAKE_UP, FAKE_DOWN, FAKE_ACROSS, FAKE_KERNEL, FAKE_EVENT };

/* One thing in a stream. */
struct fake_work {
    enum fake_kind kind;
    void *to;
    const void *from;
    bool pageable; /* from */
    size_t bytes;
    enum glm_cuda_kernel kernel;
    unsigned grid[3], threads, shared;
    bool early; /* launched programmatically */
    void *args; /* owned */
    size_t args_size;
    glm_cu_event event;
    struct fake_work *next;
};

struct fake_list {
    struct fake_work *first, *last;
    size_t count;
};

void fake_list_add(struct fake_list *list, struct fake_work *work); /* takes it */
struct fake_work *fake_work_copy(const struct fake_work *work);
void fake_list_release(struct fake_list *list);

/* Memory: of the device, or pinned. */
void *fake_memory_take(size_t bytes, bool pinned);
void fake_memory_give(void *memory, bool pinned);
/* True where all of it lies in one live piece of that kind. */
bool fake_memory_holds(const void *at, size_t bytes, bool pinned);
void fake_memory_count(size_t *pieces, size_t *bytes, size_t *most);

/* The device's memory as it is, kept; then back to how it was before that was kept last, and to how
 * it was when it was. */
void fake_memory_keep(void);
void fake_memory_back(void);
void fake_memory_forth(void);

bool fake_is_hollow(void);
bool fake_is_early(void);
/* Runs it now. */
void fake_work_run(const struct fake_work *work);
/* The kernel of this name, GLM_CUDA_KERNEL_COUNT for none; the bytes of its structure. */
enum glm_cuda_kernel fake_kernel_find(const char *name, size_t *args);

#endif
