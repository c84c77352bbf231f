/*
 * The CUDA kernels on the processor: the .cu files of model/glm/cuda compiled by a C++ compiler
 * over emulate.h. Slow, exact about who meets whom and where memory ends.
 */
#ifndef GLMV_TESTS_MODEL_GLM_CUDA_EMULATED_H
#define GLMV_TESTS_MODEL_GLM_CUDA_EMULATED_H

#include <stdint.h>

#include "model/glm/cuda/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs a kernel to its end. args: the kernel's structure, pointers in it are ordinary ones. seed:
 * the order in which warps and threads get their turn. Aborts with a message where threads of a
 * warp part at an instruction they share, an address is not aligned, or a kernel does not wait for
 * the one before it. */
void glm_emulate(struct glm_cuda_launch launch, const void *args, uint64_t seed);
/* The same beginning before the kernel before it has ended, as programmatic launches do: the first
 * block runs up to its depend_wait, then ended(arg) is called, and the rest happens. */
void glm_emulate_early(struct glm_cuda_launch launch, const void *args, uint64_t seed,
                       void (*ended)(void *arg), void *arg);

/* A function that is no kernel of ours, in place of launch.kernel: for tests of the emulator. */
void glm_emulate_body(const char *name, void (*run)(const void *args),
                      struct glm_cuda_launch launch, const void *args, uint64_t seed);
/* ended for the next of these. */
void glm_emulate_before(void (*ended)(void *arg), void *arg);

/* From here on, what takes time as well: turns of the banks, and constants. */
void glm_emulate_watch(void);

/* Shared memory of the last launch, as far as it was reached by the functions that copy, put and
 * load whole fragments: turns that its banks took, and how many would have done. */
struct glm_emulate_turns {
    uint64_t taken, least;
};
struct glm_emulate_turns glm_emulate_turns(void);

/* "linear8_bf16" for GLM_CUDA_K_LINEAR8_BF16 */
const char *glm_emulate_name(enum glm_cuda_kernel kernel);

#ifdef __cplusplus
}
#endif
#endif
