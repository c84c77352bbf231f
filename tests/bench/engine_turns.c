/*
 * The text model of a folder or GGUF file, asked line by line; see engine_llama.py.
 *     prefill N         evaluates N tokens from the start
 *     decode N          evaluates N more, one at a time
 *     logits N FILE     a prefill, then the last token's logits as floats
 * Answers with seconds. Token i is (37 i + 11) mod 256.
 *     build/release/tests/model/glm/bench_engine_turns WHERE bf16|int8|int4|int4-g128|floats
 * THREADS floats: every weight is unpacked first, so that nothing is rounded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/glm/model.h"

enum { CONTEXT = 2048 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* count tokens in one step; logits of the last one where wanted. */
static bool step(struct glm_decoder *d, size_t count, bool wanted, float *x, float *logits)
{
    int32_t places[GLM_STEP][3];
    const size_t hidden = (size_t)d->model->config.text.hidden;
    for (size_t i = 0; i < count; i++) {
        int32_t at = (int32_t)(d->len + i);
        places[i][0] = places[i][1] = places[i][2] = at;
        glm_row(&d->model->embed, (size_t)(37 * at + 11) % 256, x + i * hidden);
    }
    return glm_decoder_step(d, x, places[0], count, wanted ? 1 : 0, logits, NULL, NULL);
}

static bool prefill(struct glm_decoder *d, size_t count, float *x, float *logits)
{
    bool ok = true;
    for (d->len = 0; ok && d->len < count;) {
        size_t part = count - d->len < GLM_STEP ? count - d->len : GLM_STEP;
        ok = step(d, part, d->len + part == count, x, logits);
    }
    return ok;
}

static bool save(const char *path, const float *logits, size_t count)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(logits, sizeof *logits, count, file) == count;
    return file != NULL && fclose(file) == 0 && ok;
}

/* Not freed: the program ends with the model. */
static bool unpack(struct glm_model *model)
{
    const size_t most = (size_t)model->config.text.layers * GLM_LAYER_MATRICES + 1;
    struct glm_matrix **all = malloc(most * sizeof *all);
    const size_t count = all != NULL ? glm_model_matrices(model, all) : 0;
    for (size_t i = 0; i < count; i++) {
        struct glm_matrix *m = all[i];
        float *data = malloc(m->rows * m->cols * sizeof *data);
        if (data == NULL) {
            return false;
        }
        for (size_t row = 0; row < m->rows; row++) {
            glm_row(m, row, data + row * m->cols);
        }
        *m = (struct glm_matrix){GLM_FORM_F32, m->rows, m->cols, data, NULL, 0};
    }
    free(all);
    return count > 0;
}

int main(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct glm_store store;
    struct glm_decoder d = {0};
    const bool floats = argc > 2 && strcmp(argv[2], "floats") == 0;
    if (argc < 4 || !glm_store_parse(floats ? NULL : argv[2], &store, &err)) {
        fprintf(stderr, "usage: %s WHERE bf16|int8|int4|int4-g128|floats THREADS\n", argv[0]);
        return 2;
    }
    store.form = floats ? GLM_FORM_BLOCKS : store.form; /* as they are in the file */
    struct glm_model *model = glm_model_open(argv[1], store, atoi(argv[3]), &err);
    if (model != NULL) {
        model->half = !floats;
    }
    if (model == NULL || !glm_decoder_init(&d, model, CONTEXT, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (floats && !unpack(model)) {
        return 1;
    }
    const size_t vocab = (size_t)model->config.text.vocab;
    float *x = malloc(GLM_STEP * (size_t)model->config.text.hidden * sizeof *x);
    float *logits = malloc(vocab * sizeof *logits);
    char line[4200], what[16], path[4096];
    unsigned count;
    bool ok = x != NULL && logits != NULL;
    printf("ready\n");
    fflush(stdout);
    while (ok && fgets(line, sizeof line, stdin) != NULL) {
        int fields = sscanf(line, "%15s %u %4095s", what, &count, path);
        double start = now();
        if (fields >= 2 && what[0] == 'd' && d.len + count <= CONTEXT) {
            for (unsigned i = 0; ok && i < count; i++) {
                ok = step(&d, 1, true, x, logits);
            }
        } else {
            ok = fields >= 2 && count <= CONTEXT && prefill(&d, count, x, logits);
        }
        printf("%.6f\n", now() - start);
        ok = ok && (fields < 3 || save(path, logits, vocab));
        fflush(stdout);
    }
    free(x);
    free(logits);
    glm_decoder_release(&d);
    glm_model_close(model);
    return ok ? 0 : 1;
}
