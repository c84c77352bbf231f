/* libFuzzer target of the GGUF reader: four bytes say where the text model's file ends and the
 * tower's begins. */
#include <stdlib.h>
#include <string.h>

#include "model/glm/blocks.h"
#include "model/glm/gguf.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Ends where the bytes end, so that a read past them is seen. */
static unsigned char *copy_of(const unsigned char *data, size_t size)
{
    unsigned char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, data, size);
    return copy;
}

static void read_rows(const struct glm_weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        const struct glm_tensor *t = &weights->tensors[i];
        if (!glm_type_is_blocks(t->type) || t->dims != 2) {
            continue;
        }
        float last[32];
        struct glm_matrix m = {
            GLM_FORM_BLOCKS, (size_t)t->shape[0], (size_t)t->shape[1], t->data, NULL, t->type};
        glm_row_part(&m, 0, 0, 32, last);
        glm_row_part(&m, m.rows - 1, m.cols - 32, 32, last);
        if (glm_blocks_keeps(&m, glm_blocks_form(t->type), 32)) {
            int codes[32];
            uint16_t halves[2];
            glm_blocks_codes(&m, m.rows - 1, m.cols - 32, codes, halves);
        }
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    uint32_t cut;
    if (size < sizeof cut) {
        return 0;
    }
    memcpy(&cut, data, sizeof cut);
    data += sizeof cut;
    size -= sizeof cut;
    size_t first = cut < size ? cut : size;
    unsigned char *text = copy_of(data, first), *tower = copy_of(data + first, size - first);
    struct glm_gguf_pair pair = {0};
    struct glm_config config;
    struct glm_weights weights = {0};
    if (glm_gguf_parse(&pair.text, text, first, "text", NULL)) {
        glm_tokenizer_close(glm_gguf_tokenizer(&pair.text, 4096, NULL));
        if (glm_gguf_parse(&pair.tower, tower, size - first, "tower", NULL)) {
            glm_gguf_config(&pair, &config, NULL);
            if (glm_gguf_weights(&pair, &weights, NULL)) {
                read_rows(&weights);
            }
        }
    }
    glm_weights_close(&weights);
    glm_gguf_pair_close(&pair);
    free(text);
    free(tower);
    return 0;
}
