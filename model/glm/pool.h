/* What the operations need to know of the pool. Private to model/glm. */
#ifndef GLMV_MODEL_GLM_POOL_H
#define GLMV_MODEL_GLM_POOL_H

#include "model/glm/backend.h"

/* The row kernel this pool uses. */
glm_rows_fn *glm_pool_rows(const struct glm_pool *pool);

#endif
