/* Kernels that are wrong in one way each: what the emulator has to see; see test_cuda_faults.c. */
#ifndef GLMV_TESTS_MODEL_GLM_CUDA_FAULTS_H
#define GLMV_TESTS_MODEL_GLM_CUDA_FAULTS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum cuda_fault {
    /* of a product of 64 x 64 and 128 x 64 numbers by a warpgroup */
    CUDA_FAULT_NONE,
    CUDA_FAULT_UNFENCED,    /* tiles are written and not fenced */
    CUDA_FAULT_ATOM,        /* tiles begin at no multiple of 1024 */
    CUDA_FAULT_SWIZZLE,     /* pieces lie in their plain order */
    CUDA_FAULT_REGISTERS,   /* no fence before the batch */
    CUDA_FAULT_UNWAITED,    /* ends while products are under way */
    CUDA_FAULT_SUMS,        /* sums change while products are under way */
    CUDA_FAULT_SUMS_READ,   /* or are taken for done */
    CUDA_FAULT_TILE,        /* a tile does */
    CUDA_FAULT_OUTSIDE,     /* a descriptor leads out of the shared memory */
    CUDA_FAULT_PRODUCT_END, /* not a fault */
    /* of 128 threads */
    CUDA_FAULT_DEPEND,   /* some do not wait for the kernel before */
    CUDA_FAULT_RELEASE,  /* the next may begin before this one has waited */
    CUDA_FAULT_LANES,    /* a lane leaves the others at an instruction of all */
    CUDA_FAULT_ALIGNED,  /* 16 bytes from a place that is not theirs */
    CUDA_FAULT_CONSTANT, /* what is read as constant is written */
    CUDA_FAULT_BARRIER,  /* a barrier without its beginning */
    CUDA_FAULT_STUCK,    /* one that waits for more than there are */
    CUDA_FAULT_COPY,     /* an asynchronous copy is used without a wait for it */
    CUDA_FAULT_EARLY,    /* what the kernel before writes is read ahead of the wait */
    CUDA_FAULT_BANKS,    /* a column of pieces in one bank */
    CUDA_FAULT_SMALL_END,
    /* of 384 threads */
    CUDA_FAULT_MORE_REGISTERS, /* than the kernel began with */
    CUDA_FAULT_OTHER_WAY       /* more that are fewer */
};

/* Runs it. x: [192][64] bf16, left rows first; out: [64][128], of the small ones [129], out[0] is 1
 * until the kernel before has ended, then 2. */
void cuda_fault_run(enum cuda_fault fault, uint16_t *x, float *out);

#ifdef __cplusplus
}
#endif
#endif
