/* Stands for the compiled kernels, which the fake driver does not read: the tests do not need nvcc.
 */
#include "model/glm/cuda/kernels.h"

const struct glm_cuda_image glm_cuda_images[] = {{(const unsigned char *)"none", 4}, {NULL, 0}};
const size_t glm_cuda_image_count = 1;
const int glm_cuda_image_wide = 1;
