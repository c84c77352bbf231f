/* Recordings and graphs. */
#include <stdlib.h>
#include <string.h>

#include "tests/model/glm/cuda/fake_calls.h"

int fake_capture_begin(glm_cu_stream stream, int mode)
{
    (void)mode;
    ENTER("cuStreamBeginCapture_v2", true);
    glm_cu_stream s = fake_stream_of(stream, "cuStreamBeginCapture");
    if (s->recording) {
        fake_wrong("a stream that records is told to record");
    }
    s->recording = true;
    return fake_leave(0);
}

int fake_capture_end(glm_cu_stream stream, glm_cu_graph *graph)
{
    fake_lock();
    int code = fake_planned("cuStreamEndCapture");
    glm_cu_stream s = fake_stream_of(stream, "cuStreamEndCapture");
    if (!s->recording) {
        fake_wrong("the end of a recording that did not begin");
    }
    s->recording = false;
    if (code != 0) {
        fake_list_release(&s->recorded);
        return fake_leave(code);
    }
    *graph = calloc(1, sizeof **graph);
    **graph = (struct glm_cu_graph){GRAPH, s->recorded};
    memset(&s->recorded, 0, sizeof s->recorded);
    fake_objects++;
    return fake_leave(0);
}

static glm_cu_graph graph_of(glm_cu_graph graph)
{
    if (graph == NULL || graph->magic != GRAPH) {
        fake_wrong("not a graph");
    }
    return graph;
}

static glm_cu_graph_exec exec_of(glm_cu_graph_exec exec)
{
    if (exec == NULL || exec->magic != EXEC) {
        fake_wrong("not a graph that can be launched");
    }
    return exec;
}

static void copy_list(struct fake_list *to, const struct fake_list *from)
{
    for (const struct fake_work *w = from->first; w != NULL; w = w->next) {
        fake_list_add(to, fake_work_copy(w));
    }
}

int fake_graph_make(glm_cu_graph_exec *exec, glm_cu_graph graph, unsigned long long flags)
{
    (void)flags;
    ENTER("cuGraphInstantiateWithFlags", true);
    *exec = calloc(1, sizeof **exec);
    (*exec)->magic = EXEC;
    copy_list(&(*exec)->list, &graph_of(graph)->list);
    fake_objects++;
    return fake_leave(0);
}

int fake_graph_update(glm_cu_graph_exec exec, glm_cu_graph graph,
                      struct glm_cu_update_result *result)
{
    ENTER("cuGraphExecUpdate_v2", true);
    const struct fake_work *a = exec_of(exec)->list.first, *b = graph_of(graph)->list.first;
    while (a != NULL && b != NULL && a->kind == b->kind &&
           (a->kind != FAKE_KERNEL || a->kernel == b->kernel)) {
        a = a->next;
        b = b->next;
    }
    result->result = a != NULL || b != NULL;
    if (result->result != 0) {
        return fake_leave(GLM_CU_GRAPH_UPDATE);
    }
    fake_list_release(&exec->list);
    copy_list(&exec->list, &graph->list);
    return fake_leave(0);
}

int fake_graph_launch(glm_cu_graph_exec exec, glm_cu_stream stream)
{
    ENTER("cuGraphLaunch", true);
    glm_cu_stream s = fake_stream_of(stream, "cuGraphLaunch");
    if (s->recording) {
        fake_wrong("a graph is launched while recording");
    }
    copy_list(&s->queue, &exec_of(exec)->list);
    fake_graphs++;
    return fake_leave(0);
}

int fake_graph_exec_destroy(glm_cu_graph_exec exec)
{
    ENTER_END("cuGraphExecDestroy");
    fake_list_release(&exec_of(exec)->list);
    free(exec);
    fake_objects--;
    return fake_leave(0);
}

int fake_graph_destroy(glm_cu_graph graph)
{
    ENTER_END("cuGraphDestroy");
    fake_list_release(&graph_of(graph)->list);
    free(graph);
    fake_objects--;
    return fake_leave(0);
}
