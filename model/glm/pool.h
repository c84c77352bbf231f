/* What the operations need to know of the pool. Private to model/glm. */
#ifndef GLMV_MODEL_GLM_POOL_H
#define GLMV_MODEL_GLM_POOL_H

#include "model/glm/backend.h"
#include "model/glm/codes.h"

/* The kernels this pool uses. */
glm_rows_fn *glm_pool_rows(const struct glm_pool *pool);
glm_dots_fn *glm_pool_dots(const struct glm_pool *pool);

#define GLM_CODE_ROWS 64 /* rows of inputs that are coded at a time */

/* Memory for the codes of GLM_CODE_ROWS rows; used by one job at a time. */
struct glm_code_space {
    size_t width;
    int8_t *code;
    float *scale;
    int32_t *fix;
};

/* Makes room for rows of cols inputs, so that nothing is allocated while a token is made. Called
 * before a quantised matrix of that width is used. */
bool glm_pool_fit(struct glm_pool *pool, size_t cols, struct glmv_err *err);
struct glm_code_space glm_pool_codes(const struct glm_pool *pool, size_t cols);

#endif
