#include "model/glm/cuda/graphs.h"

#include <string.h>

/* A graph costs several times what its kernels cost to launch, so rare steps get none. The plain
 * step of one row comes thousands of times. */
#define USES_ALONE 1
#define USES 3

size_t glm_cuda_splits(size_t keys, size_t capacity)
{
    size_t needed = (keys + GLM_CUDA_SPLIT - 1) / GLM_CUDA_SPLIT, splits = 1;
    size_t most = (capacity + GLM_CUDA_SPLIT - 1) / GLM_CUDA_SPLIT;
    while (splits < needed) {
        splits *= 2;
    }
    return splits < most ? splits : most;
}

/* Records one run. NULL with what is wrong. */
static glm_cu_graph capture(struct glm_cuda_device *device,
                            bool (*record)(void *arg, struct glmv_err *err), void *arg,
                            struct glmv_err *err)
{
    struct glm_cu_api *api = &device->cuda.api;
    glm_cu_graph graph = NULL;
    if (!glm_cuda_check(&device->cuda,
                        api->capture_begin(device->stream, GLM_CU_CAPTURE_THREAD_LOCAL),
                        "record a step", err)) {
        return NULL;
    }
    bool ok = record(arg, err);
    int code = api->capture_end(device->stream, &graph); /* also after a failure */
    if (ok && glm_cuda_check(&device->cuda, code, "record a step", err)) {
        return graph;
    }
    if (graph != NULL) {
        api->graph_destroy(graph);
    }
    return NULL;
}

/* Makes the graph, or makes the one that is there follow other settings. */
static bool make(struct glm_cuda_graphs *g, struct glm_cuda_graph *entry,
                 struct glm_cuda_device *device, bool (*record)(void *arg, struct glmv_err *err),
                 void *arg, struct glmv_err *err)
{
    struct glm_cu_api *api = &device->cuda.api;
    struct glm_cu_update_result result = {0};
    glm_cu_graph graph = capture(device, record, arg, err);
    if (graph == NULL) {
        return false;
    }
    if (entry->exec != NULL && api->graph_update(entry->exec, graph, &result) == GLM_CU_SUCCESS) {
        g->updated++;
        api->graph_destroy(graph);
        return true;
    }
    if (entry->exec != NULL) {
        api->graph_exec_destroy(entry->exec);
        entry->exec = NULL;
    }
    int code = api->graph_make(&entry->exec, graph, 0);
    api->graph_destroy(graph);
    g->made++;
    return glm_cuda_check(&device->cuda, code, "make a graph of a step", err);
}

bool glm_cuda_graphs_run(struct glm_cuda_graphs *g, struct glm_cuda_device *device, size_t n,
                         size_t splits, const struct glm_cuda_settings *settings,
                         bool (*record)(void *arg, struct glmv_err *err), void *arg,
                         struct glmv_err *err)
{
    size_t length = 0;
    while ((size_t)1 << length < splits) {
        length++;
    }
    if (length >= GLM_CUDA_LENGTHS) {
        return record(arg, err);
    }
    struct glm_cuda_graph *entry = &g->all[n - 1][length];
    bool same = memcmp(&entry->settings, settings, sizeof *settings) == 0;
    entry->uses++;
    if (entry->uses < (n == 1 ? USES_ALONE : USES)) {
        return record(arg, err);
    }
    if (entry->exec == NULL || !same) {
        if (!make(g, entry, device, record, arg, err)) {
            return false;
        }
        entry->settings = *settings;
    }
    g->launched++;
    device->after_kernel = false;
    return glm_cuda_check(&device->cuda, device->cuda.api.graph_launch(entry->exec, device->stream),
                          "launch a step", err);
}

void glm_cuda_graphs_release(struct glm_cuda_graphs *g, struct glm_cuda_device *device)
{
    for (size_t n = 0; n < GLM_CUDA_ROWS; n++) {
        for (size_t i = 0; i < GLM_CUDA_LENGTHS; i++) {
            if (g->all[n][i].exec != NULL) {
                device->cuda.api.graph_exec_destroy(g->all[n][i].exec);
            }
        }
    }
    memset(g, 0, sizeof *g);
}
