/* Steps that were recorded once and are launched as one: for each number of rows and, roughly, of
 * keys. Private to model/glm/cuda. */
#ifndef GLMV_MODEL_GLM_CUDA_GRAPHS_H
#define GLMV_MODEL_GLM_CUDA_GRAPHS_H

#include "model/glm/cuda/choose.h"

#define GLM_CUDA_LENGTHS 16 /* powers of two of GLM_CUDA_SPLIT keys */

struct glm_cuda_graph {
    glm_cu_graph_exec exec;
    struct glm_cuda_settings settings;
    unsigned uses;
};

struct glm_cuda_graphs {
    struct glm_cuda_graph all[GLM_CUDA_ROWS][GLM_CUDA_LENGTHS];
    size_t made, updated, launched;
};

/* Pieces of the attention for so many keys: a power of two, so that few graphs serve a whole
 * conversation, but never more than there is memory for. */
size_t glm_cuda_splits(size_t keys, size_t capacity);

/* Runs what record puts into the stream: directly the first times, as a graph when it comes again.
 * splits: as glm_cuda_splits has it. */
bool glm_cuda_graphs_run(struct glm_cuda_graphs *graphs, struct glm_cuda_device *device, size_t n,
                         size_t splits, const struct glm_cuda_settings *settings,
                         bool (*record)(void *arg, struct glmv_err *err), void *arg,
                         struct glmv_err *err);
/* A zeroed one is allowed. */
void glm_cuda_graphs_release(struct glm_cuda_graphs *graphs, struct glm_cuda_device *device);

#endif
