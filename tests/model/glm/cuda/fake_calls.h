/* What the driver's functions share; see fake.h. */
#ifndef GLMV_TESTS_MODEL_GLM_CUDA_FAKE_CALLS_H
#define GLMV_TESTS_MODEL_GLM_CUDA_FAKE_CALLS_H

#include "tests/model/glm/cuda/fake.h"

#define GLM_CU_DECLARE(field, symbol, parameters) int fake_##field parameters __asm__(symbol);
GLM_CU_FUNCTIONS(GLM_CU_DECLARE)
#undef GLM_CU_DECLARE

struct glm_cu_stream {
    unsigned magic;
    struct fake_list queue, recorded;
    bool recording;
};
struct glm_cu_event {
    unsigned magic;
    bool pending;
    double time;
};
struct glm_cu_graph {
    unsigned magic;
    struct fake_list list;
};
struct glm_cu_graph_exec {
    unsigned magic;
    struct fake_list list;
};
enum { STREAM = 0x5754, EVENT = 0x4556, GRAPH = 0x4752, EXEC = 0x4558 };

extern size_t fake_graphs, fake_objects; /* launched; that exist */

void fake_lock(void);
/* The code this call returns without doing anything. */
int fake_planned(const char *name);
/* Begins a call: what it returns at once, if anything. */
int fake_enter(const char *name, bool needs_context);
int fake_leave(int code);
glm_cu_stream fake_stream_of(glm_cu_stream stream, const char *name);

#define ENTER(name, context)                                                                       \
    do {                                                                                           \
        int planned_code = fake_enter(name, context);                                              \
        if (planned_code != 0) {                                                                   \
            return fake_leave(planned_code);                                                       \
        }                                                                                          \
    } while (0)
/* Frees and closes whatever was planned, as a driver does at the end of a process; counts. */
#define ENTER_END(name)                                                                            \
    do {                                                                                           \
        fake_lock();                                                                               \
        fake_planned(name);                                                                        \
    } while (0)

#endif
