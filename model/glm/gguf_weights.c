/* The tensors of a pair of GGUF files under the names of the checkpoint they were made from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/blocks.h"
#include "model/glm/gguf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Names in a GGUF file and in the checkpoint, without the ending. A # is a layer's number. */
static const char *const names[][2] = {
    {"token_embd", "embed_tokens"},
    {"output_norm", "norm"},
    {"output", "lm_head"},
    {"blk.#.attn_norm", "layers.#.input_layernorm"},
    {"blk.#.attn_q", "layers.#.self_attn.q_proj"},
    {"blk.#.attn_k", "layers.#.self_attn.k_proj"},
    {"blk.#.attn_v", "layers.#.self_attn.v_proj"},
    {"blk.#.attn_output", "layers.#.self_attn.o_proj"},
    {"blk.#.post_attention_norm", "layers.#.post_self_attn_layernorm"},
    {"blk.#.ffn_norm", "layers.#.post_attention_layernorm"},
    {"blk.#.ffn_up", "layers.#.mlp.gate_up_proj"},
    {"blk.#.ffn_down", "layers.#.mlp.down_proj"},
    {"blk.#.post_ffw_norm", "layers.#.post_mlp_layernorm"},
    {"v.patch_embd", "visual.patch_embed.proj"},
    {"v.norm_embd", "visual.post_conv_layernorm"},
    {"v.position_embd", "visual.embeddings.position_embedding"},
    {"v.blk.#.ln1", "visual.blocks.#.norm1"},
    {"v.blk.#.ln2", "visual.blocks.#.norm2"},
    {"v.blk.#.attn_qkv", "visual.blocks.#.attn.qkv"},
    {"v.blk.#.attn_out", "visual.blocks.#.attn.proj"},
    {"v.blk.#.ffn_gate", "visual.blocks.#.mlp.gate_proj"},
    {"v.blk.#.ffn_up", "visual.blocks.#.mlp.up_proj"},
    {"v.blk.#.ffn_down", "visual.blocks.#.mlp.down_proj"},
    {"v.post_ln", "visual.post_layernorm"},
    {"mm.patch_merger", "visual.downsample"},
    {"mm.model.fc", "visual.merger.proj"},
    {"mm.post_norm", "visual.merger.post_projection_norm"},
    {"mm.gate", "visual.merger.gate_proj"},
    {"mm.up", "visual.merger.up_proj"},
    {"mm.down", "visual.merger.down_proj"},
};

/* Matches name with a pattern; the number is put into out's place of it. */
static bool rename_as(const char *name, const char *pattern, const char *to, char *out, size_t size)
{
    char number[8] = "";
    const char *ending = strrchr(name, '.');
    if (ending == NULL || (strcmp(ending, ".weight") != 0 && strcmp(ending, ".bias") != 0)) {
        return false;
    }
    while (name < ending && *pattern != '\0') {
        if (*pattern == '#') {
            size_t digits = strspn(name, "0123456789");
            if (digits == 0 || digits >= sizeof number) {
                return false;
            }
            memcpy(number, name, digits);
            number[digits] = '\0';
            name += digits;
            pattern++;
        } else if (*name++ != *pattern++) {
            return false;
        }
    }
    if (name != ending || *pattern != '\0') {
        return false;
    }
    const char *mark = strchr(to, '#');
    int before = mark != NULL ? (int)(mark - to) : (int)strlen(to);
    snprintf(out, size, "%.*s%s%s%s", before, to, number, mark != NULL ? mark + 1 : "", ending);
    return true;
}

static bool add_tensor(struct glm_weights *weights, const struct glm_gguf_tensor *t,
                       struct glmv_err *err)
{
    char plain[300], renamed[300];
    bool known = false;
    snprintf(plain, sizeof plain, "%.*s", (int)t->name_len, t->name);
    for (size_t i = 0; i < COUNT(names) && !known; i++) {
        known = rename_as(plain, names[i][0], names[i][1], renamed, sizeof renamed);
    }
    if (!known) {
        return true; /* nothing the engine would look for */
    }
    struct glm_tensor *to = &weights->tensors[weights->count];
    *to = (struct glm_tensor){.name = strdup(renamed),
                              .type = t->type,
                              .dims = t->dims,
                              .data = t->data,
                              .bytes = t->bytes};
    memcpy(to->shape, t->shape, sizeof t->shape);
    if (to->name == NULL) {
        return glmv_fail_memory(err);
    }
    weights->count++;
    weights->total_bytes += t->bytes;
    return true;
}

/* The filter of the patches stands in two tensors, one for each of the frames; the checkpoint has
 * them in one, [out][colour][frame][y][x]. */
static bool join_frames(const struct glm_gguf *file, struct glm_weights *weights,
                        struct glmv_err *err)
{
    const struct glm_gguf_tensor *a = glm_gguf_tensor(file, "v.patch_embd.weight");
    const struct glm_gguf_tensor *b = glm_gguf_tensor(file, "v.patch_embd.weight.1");
    if (a == NULL || b == NULL || a->dims != 4 || b->dims != 4 || a->type != b->type ||
        glm_type_is_blocks(a->type) || memcmp(a->shape, b->shape, sizeof a->shape) != 0) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: tensors v.patch_embd.weight and v.patch_embd.weight.1 are missing or "
                         "do not fit together",
                         file->path);
    }
    struct glm_tensor *to = NULL;
    for (size_t i = 0; i < weights->count && to == NULL; i++) {
        to = strcmp(weights->tensors[i].name, "visual.patch_embed.proj.weight") == 0
                 ? &weights->tensors[i]
                 : NULL;
    }
    unsigned char *both = malloc(2 * a->bytes);
    if (to == NULL || both == NULL) {
        free(both);
        return glmv_fail_memory(err);
    }
    size_t frames = (size_t)(a->shape[0] * a->shape[1]), size = a->bytes / frames;
    for (size_t i = 0; i < frames; i++) {
        memcpy(both + 2 * i * size, a->data + i * size, size);
        memcpy(both + (2 * i + 1) * size, b->data + i * size, size);
    }
    *to = (struct glm_tensor){.name = to->name,
                              .type = a->type,
                              .dims = 5,
                              .shape = {a->shape[0], a->shape[1], 2, a->shape[2], a->shape[3]},
                              .data = both,
                              .bytes = 2 * a->bytes};
    weights->made = both;
    return true;
}

bool glm_gguf_weights(const struct glm_gguf_pair *pair, struct glm_weights *weights,
                      struct glmv_err *err)
{
    const struct glm_gguf *files[] = {&pair->text, &pair->tower};
    size_t most = pair->text.tensor_count + pair->tower.tensor_count;
    weights->tensors = calloc(most + 1, sizeof *weights->tensors);
    weights->where = strdup(pair->text.path);
    weights->tower = strdup(pair->tower.path);
    if (weights->tensors == NULL || weights->where == NULL || weights->tower == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t f = 0; f < 2; f++) {
        for (size_t i = 0; i < files[f]->tensor_count; i++) {
            if (!add_tensor(weights, &files[f]->tensors[i], err)) {
                return false;
            }
        }
    }
    return join_frames(&pair->tower, weights, err) && glm_weights_finish(weights, err);
}
