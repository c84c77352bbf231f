/* libFuzzer target of the readers: the first byte chooses which one gets the rest, or READER=0 .. 3
 * in the environment, for a run that is all one reader's. */
#include <stdlib.h>
#include <string.h>

#include "model/glm/blocks.h"
#include "model/glm/config.h"
#include "model/glm/pack.h"
#include "model/glm/tokenizer.h"
#include "model/glm/weights.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* The first and the last weights of every layer in four bits. */
static void read_packed(const struct glm_weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        const struct glm_tensor *t = &weights->tensors[i];
        struct glm_matrix m = {
            GLM_FORM_BLOCKS, (size_t)t->shape[0], (size_t)t->shape[1], t->data, NULL, t->type};
        float first[32], last[32];
        if (glm_type_is_packed(t->type)) {
            glm_row_part(&m, 0, 0, 32, first);
            glm_row_part(&m, m.rows - 1, m.cols - 32, 32, last);
        }
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    const char *only = getenv("READER");
    const int reader = only != NULL ? atoi(only) : data[0] % 4;
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (reader == 0) {
        struct glm_weights weights = {0};
        if (glm_weights_parse(&weights, data + 1, size - 1, "fuzz", NULL) &&
            glm_weights_finish(&weights, NULL)) {
            read_packed(&weights);
        }
        glm_weights_close(&weights);
    } else if (reader == 1) {
        struct glm_config config;
        glm_config_parse(&config, text, text, text, "fuzz", NULL);
    } else if (reader == 3) {
        struct glm_matrix a = {GLM_FORM_F32, 4, 96, NULL, NULL, 0}, b = a;
        const struct glm_part list[] = {{&a, {GLM_FORM_INT4, 32}}, {&b, {GLM_FORM_INT8, 32}}};
        glm_pack_parse(data + 1, size - 1, "fuzz", 77, (struct glm_store){GLM_FORM_INT4, 32}, list,
                       2, NULL);
    } else {
        glm_tokenizer_close(glm_tokenizer_parse(text, size - 1, 4096, "fuzz", NULL));
    }
    free(text);
    return 0;
}
