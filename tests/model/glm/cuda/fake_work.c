#include <stdlib.h>
#include <string.h>

#include "tests/model/glm/cuda/fake.h"
#include "tests/model/glm/cuda_emulated.h"

#define NAME(LARGE, small) "glm_cuda_" #small,
static const char *const names[] = {GLM_CUDA_KERNELS(NAME)};
#undef NAME

enum glm_cuda_kernel fake_kernel_find(const char *name, size_t *args)
{
    static const struct {
        const char *begin;
        size_t size;
    } sizes[] = {{"linear", sizeof(struct glm_cuda_linear)},
                 {"gate", sizeof(struct glm_cuda_gate)},
                 {"gemm", sizeof(struct glm_cuda_gemm)},
                 {"embed", sizeof(struct glm_cuda_embed)},
                 {"norm", sizeof(struct glm_cuda_norm)},
                 {"rope", sizeof(struct glm_cuda_rope)},
                 {"attend", sizeof(struct glm_cuda_attend)},
                 {"combine", sizeof(struct glm_cuda_attend)},
                 {"flash", sizeof(struct glm_cuda_flash)},
                 {"positions", sizeof(struct glm_cuda_positions)},
                 {"turn", sizeof(struct glm_cuda_turn)},
                 {"gelu", sizeof(struct glm_cuda_gelu)},
                 {"across", sizeof(struct glm_cuda_across)},
                 {"cut", sizeof(struct glm_cuda_cut)},
                 {"best", sizeof(struct glm_cuda_sample)},
                 {"whole", sizeof(struct glm_cuda_sample)},
                 {"verify", sizeof(struct glm_cuda_sample)},
                 {"quantise", sizeof(struct glm_cuda_quantise)},
                 {"convert", sizeof(struct glm_cuda_convert)},
                 {"fill", sizeof(struct glm_cuda_fill)},
                 {"copy", sizeof(struct glm_cuda_stream)},
                 {"read", sizeof(struct glm_cuda_stream)}};
    const size_t prefix = strlen("glm_cuda_");
    for (size_t k = 0; k < GLM_CUDA_KERNEL_COUNT; k++) {
        for (size_t i = 0; strcmp(names[k], name) == 0 && i < sizeof sizes / sizeof sizes[0]; i++) {
            if (strncmp(name + prefix, sizes[i].begin, strlen(sizes[i].begin)) == 0) {
                *args = sizes[i].size;
                return (enum glm_cuda_kernel)k;
            }
        }
    }
    return GLM_CUDA_KERNEL_COUNT;
}

static void *copy_of(const void *from, size_t bytes)
{
    void *copy = malloc(bytes > 0 ? bytes : 1);
    if (copy == NULL) {
        fake_wrong("the test itself has no memory");
    }
    memcpy(copy, from, bytes);
    return copy;
}

struct fake_work *fake_work_copy(const struct fake_work *work)
{
    struct fake_work *out = copy_of(work, sizeof *work);
    out->args = work->args != NULL ? copy_of(work->args, work->args_size) : NULL;
    out->next = NULL;
    return out;
}

void fake_list_add(struct fake_list *list, struct fake_work *work)
{
    if (list->last != NULL) {
        list->last->next = work;
    } else {
        list->first = work;
    }
    list->last = work;
    list->count++;
}

void fake_list_release(struct fake_list *list)
{
    while (list->first != NULL) {
        struct fake_work *work = list->first;
        list->first = work->next;
        free(work->args);
        free(work);
    }
    memset(list, 0, sizeof *list);
}

static void need(const void *at, size_t bytes, bool pinned, const char *what)
{
    if (!fake_memory_holds(at, bytes, pinned)) {
        fake_wrong("%s: %zu bytes at %p are not (or no longer) in one piece of %s memory", what,
                   bytes, at, pinned ? "pinned" : "device");
    }
}

static void ended(void *arg)
{
    (void)arg;
    fake_memory_forth();
}

static void run_kernel(const struct fake_work *w)
{
    static uint64_t order; /* in which threads get their turn: another one each time */
    const struct glm_cuda_launch launch = {w->kernel,  w->grid[0], w->grid[1],
                                           w->grid[2], w->threads, w->shared};
    const bool early = fake_is_early();
    if (early) {
        fake_memory_keep();
    }
    if (early && w->early) {
        fake_memory_back();
        glm_emulate_early(launch, w->args, ++order, ended, NULL);
    } else {
        glm_emulate(launch, w->args, ++order);
    }
}

void fake_work_run(const struct fake_work *w)
{
    const void *from = w->from;
    switch (w->kind) {
    case FAKE_UP:
        need(w->to, w->bytes, false, "a copy to the device");
        if (!w->pageable) {
            need(from, w->bytes, true, "a copy to the device");
        }
        memcpy(w->to, from, w->bytes);
        break;
    case FAKE_DOWN:
        need(from, w->bytes, false, "a copy from the device");
        need(w->to, w->bytes, true, "a copy from the device");
        memcpy(w->to, from, w->bytes);
        break;
    case FAKE_ACROSS:
        need(from, w->bytes, false, "a copy on the device");
        need(w->to, w->bytes, false, "a copy on the device");
        memmove(w->to, from, w->bytes);
        break;
    case FAKE_KERNEL:
        if (!fake_is_hollow()) {
            run_kernel(w);
        }
        break;
    case FAKE_EVENT:
        break;
    }
}
