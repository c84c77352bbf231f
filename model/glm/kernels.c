/* Which kernels a processor can run. */
#include "model/glm/jobs.h"

enum glm_cpu glm_cpu_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        return __builtin_cpu_supports("avx512bf16") ? GLM_CPU_BF16 : GLM_CPU_AVX512;
    }
    /* every processor with AVX2 converts half floats too */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return GLM_CPU_AVX2;
    }
#endif
    return GLM_CPU_SCALAR;
}

void glm_pool_choose(struct glm_pool *pool, enum glm_cpu cpu)
{
    cpu = cpu > glm_cpu_best() ? glm_cpu_best() : cpu;
    pool->kernels = glm_kernels_scalar;
#if defined(__x86_64__)
    if (cpu >= GLM_CPU_AVX512) {
        pool->kernels = glm_kernels_avx512;
        if (!__builtin_cpu_supports("avx512vnni")) {
            pool->kernels.dots = glm_dots_avx2;
            pool->kernels.wide_dots = NULL;
        }
    } else if (cpu == GLM_CPU_AVX2) {
        pool->kernels = glm_kernels_avx2;
    }
    if (cpu == GLM_CPU_BF16) {
        pool->kernels.pairs = glm_pairs_bf16;
        pool->kernels.wide_pairs = glm_wide_pairs_bf16;
        pool->kernels.round = glm_round_bf16;
    }
#endif
}
