/* Products of many rows, for every form of weights. */
#include "model/glm/cuda/gemm.cuh"

GEMM_KERNELS(bf16, GLM_CUDA_BF16)
GEMM_KERNELS(fp8, GLM_CUDA_FP8)
GEMM_KERNELS(int8, GLM_CUDA_INT8)
GEMM_KERNELS(int4, GLM_CUDA_INT4)
GEMM_KERNELS(least, GLM_CUDA_LEAST)
