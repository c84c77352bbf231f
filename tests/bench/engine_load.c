/*
 * From a folder to the first token: opens the weights, evaluates one token and its logits. See
 * engine_load.py for a folder of the full size.
 *     build/release/tests/model/glm/bench_engine_load FOLDER bf16|int8|int4|int4-g128
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/glm/model.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct glm_store store;
    struct glm_decoder d;
    if (argc < 3 || !glm_store_parse(argv[2], &store, &err)) {
        fprintf(stderr, "usage: %s FOLDER bf16|int8|int4|int4-g128\n", argv[0]);
        return 2;
    }
    double start = now();
    struct glm_model *model = glm_model_open(argv[1], store, 0, &err);
    if (model == NULL || !glm_decoder_init(&d, model, 32768, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    double opened = now();
    float *x = malloc((size_t)model->config.text.hidden * sizeof *x);
    float *logits = malloc((size_t)model->config.text.vocab * sizeof *logits);
    double first = 0, best = 1e9;
    for (int32_t i = 0; i < 6; i++) {
        double begin = now();
        int32_t place[3] = {i, i, i};
        glm_row(&model->embed, (size_t)(100 + i), x);
        if (!glm_decoder_step(&d, x, place, 1, 1, logits, NULL, &err)) {
            return 1;
        }
        double t = now() - begin;
        first = i == 0 ? now() - start : first;
        best = t < best ? t : best;
    }
    struct glm_need need = glm_model_need(&model->config, store);
    printf("open %.2f s, first token after %.2f s; then %.0f ms a token at best, %.1f GB/s "
           "(logit %g)\n",
           opened - start, first, best * 1e3, need.text / best / 1e9, (double)logits[5]);
    free(x);
    free(logits);
    glm_decoder_release(&d);
    glm_model_close(model);
    return 0;
}
