/* Making a token allocates nothing, however long the context is: allocations of our own objects are
 * counted by the linker's wrap option (see CMakeLists.txt). */
#include <stdatomic.h>

#include "model/glm/draft.h"
#include "model/glm/model.h"
#include "model/glm/sample.h"
#include "tests/check.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static atomic_int allocations;

void *__wrap_malloc(size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __real_aligned_alloc(alignment, size);
}

static void count_step(const char *name)
{
    enum { CONTEXT = 2300, BEFORE = 2240 };
    struct glmv_err err = {0};
    struct glm_store store;
    CHECK(glm_store_parse(name, &store, &err));
    struct glm_model *model = glm_model_open("tests/model/glm/golden/nano", store, 2, &err);
    CHECK_MSG(model != NULL, "%s", err.message);
    const size_t h = (size_t)model->config.text.hidden, vocab = (size_t)model->config.text.vocab;
    struct glm_decoder d;
    struct glm_draft draft;
    CHECK(glm_decoder_init(&d, model, CONTEXT, &err) && glm_draft_init(&draft, CONTEXT, &err));
    float *x = calloc(GLM_BATCH * h, sizeof *x), *logits = calloc(4 * vocab, sizeof *logits);
    struct glm_candidates candidates;
    CHECK(glm_candidates_init(&candidates, vocab, &err));
    int32_t places[GLM_BATCH][3], prompt[BEFORE], guess[3];
    for (size_t at = 0; at < BEFORE; at += GLM_BATCH) {
        for (size_t i = 0; i < GLM_BATCH; i++) {
            prompt[at + i] = (int32_t)((at + i) % 40);
            places[i][0] = places[i][1] = places[i][2] = (int32_t)(at + i);
            glm_row(&model->embed, (size_t)prompt[at + i], x + i * h);
        }
        CHECK(glm_decoder_step(&d, x, places[0], GLM_BATCH, 0, NULL, NULL, &err));
    }
    glm_draft_begin(&draft, prompt, BEFORE);
    struct glm_sampler sampler = {
        .temperature = 0.8, .top_p = 0.9, .top_k = 40, .repetition_penalty = 1.1, .random = 1};
    int before = atomic_load(&allocations);
    CHECK_MSG(before > 0, "allocations are not counted");
    for (int32_t step = 0; step < 10; step++) {
        size_t rows = 1 + glm_draft_guess(&draft, guess, 3, 0.01);
        for (size_t i = 0; i < rows; i++) {
            places[i][0] = places[i][1] = places[i][2] = BEFORE + step;
        }
        CHECK(glm_decoder_step(&d, x, places[0], rows, rows, logits, NULL, &err));
        int32_t id = glm_sample(&sampler, &candidates, logits, vocab, prompt, BEFORE);
        CHECK(id >= 0);
        glm_draft_push(&draft, id);
    }
    CHECK_MSG(atomic_load(&allocations) == before, "%s: %d allocations in ten steps", name,
              atomic_load(&allocations) - before);
    free(x);
    free(logits);
    glm_candidates_release(&candidates);
    glm_draft_release(&draft);
    glm_decoder_release(&d);
    glm_model_close(model);
}

int main(void)
{
    /* no cache: a pack would outlive the test */
    CHECK(setenv("XDG_CACHE_HOME", "/proc/none", 1) == 0);
    count_step("bf16");
    count_step("int4");
    TEST_END();
}
