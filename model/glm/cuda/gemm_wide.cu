/* Products of many rows by warpgroups, for every form of weights. */
#include "model/glm/cuda/gemm_wide.cuh"

WIDE_KERNEL(gemm_wide_bf16, GLM_CUDA_BF16, false)
WIDE_KERNEL(gemm_wide_fp8, GLM_CUDA_FP8, false)
WIDE_KERNEL(gemm_wide_int8, GLM_CUDA_INT8, false)
WIDE_KERNEL(gemm_wide_int4, GLM_CUDA_INT4, false)
WIDE_KERNEL(gemm_wide_least, GLM_CUDA_LEAST, false)
WIDE_KERNEL(gemm_wide_gate_bf16, GLM_CUDA_BF16, true)
WIDE_KERNEL(gemm_wide_gate_fp8, GLM_CUDA_FP8, true)
WIDE_KERNEL(gemm_wide_gate_int8, GLM_CUDA_INT8, true)
WIDE_KERNEL(gemm_wide_gate_int4, GLM_CUDA_INT4, true)
WIDE_KERNEL(gemm_wide_gate_least, GLM_CUDA_LEAST, true)
