/*
 * The values of a pair of GGUF files become the three JSON texts of a checkpoint folder, which are
 * then read, and checked, as ever.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "model/glm/blocks.h"
#include "model/glm/gguf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NORMAL = 1, UNKNOWN = 2, USER_DEFINED = 4 }; /* types of tokens */

static bool made(const void *pointer, struct glmv_err *err)
{
    return pointer != NULL || glmv_fail_memory(err);
}

struct key {
    const char *here, *there; /* in the GGUF file, in config.json */
    bool needed;
};

static const struct key text_keys[] = {
    {"glm4.embedding_length", "hidden_size", true},
    {"glm4.block_count", "num_hidden_layers", true},
    {"glm4.attention.head_count", "num_attention_heads", true},
    {"glm4.attention.head_count_kv", "num_key_value_heads", true},
    {"glm4.attention.key_length", "head_dim", false},
    {"glm4.feed_forward_length", "intermediate_size", true},
    {"glm4.context_length", "max_position_embeddings", true},
    {"glm4.attention.layer_norm_rms_epsilon", "rms_norm_eps", true},
};

static const struct key tower_keys[] = {
    {"clip.vision.block_count", "depth", true},
    {"clip.vision.embedding_length", "hidden_size", true},
    {"clip.vision.attention.head_count", "num_heads", true},
    {"clip.vision.patch_size", "patch_size", true},
    {"clip.vision.image_size", "image_size", true},
    {"clip.vision.spatial_merge_size", "spatial_merge_size", false},
    {"clip.vision.projection_dim", "out_hidden_size", true},
    {"clip.vision.feed_forward_length", "intermediate_size", true},
    {"clip.vision.attention.layer_norm_epsilon", "rms_norm_eps", true},
};

static const struct key sampling_keys[] = {
    {"general.sampling.temp", "temperature", false},
    {"general.sampling.top_p", "top_p", false},
    {"general.sampling.top_k", "top_k", false},
    {"general.sampling.penalty_repeat", "repetition_penalty", false},
};

static bool copy_numbers(const struct glm_gguf *file, const struct key *keys, size_t count,
                         cJSON *to, struct glmv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        double value;
        if (!glm_gguf_number(file, keys[i].here, 0, &value)) {
            if (keys[i].needed) {
                return glmv_fail(err, GLMV_ERR_FORMAT, "%s: %s is missing", file->path,
                                 keys[i].here);
            }
        } else if (!made(cJSON_AddNumberToObject(to, keys[i].there, value), err)) {
            return false;
        }
    }
    return true;
}

/* Turned dims and their sections. With sections, the rows of q and k were put in another order by
 * the converter: the pairs that turn are half apart (config.halves). */
static bool copy_rope(const struct glm_gguf *file, cJSON *to, struct glmv_err *err)
{
    const struct glm_gguf_value *scaling = glm_gguf_find(file, "glm4.rope.scaling.type");
    double theta, turned, heads, width, dim, part;
    cJSON *rope = cJSON_AddObjectToObject(to, "rope_parameters");
    if (!made(rope, err)) {
        return false;
    }
    if (scaling != NULL && !glm_gguf_is(file, "glm4.rope.scaling.type", "none")) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED, "%s: rope scaling is not supported yet",
                         file->path);
    }
    if (!glm_gguf_number(file, "glm4.rope.freq_base", 0, &theta) ||
        !glm_gguf_number(file, "glm4.rope.dimension_count", 0, &turned)) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: glm4.rope.freq_base or glm4.rope.dimension_count is missing",
                         file->path);
    }
    if (!glm_gguf_number(file, "glm4.attention.key_length", 0, &dim)) {
        glm_gguf_number(file, "glm4.attention.head_count", 0, &heads);
        glm_gguf_number(file, "glm4.embedding_length", 0, &width);
        dim = heads >= 1 ? (double)(int64_t)(width / heads) : 0;
    }
    /* a quarter more, so that the product with dim is not rounded below the whole number */
    if (!(turned >= 2 && dim >= turned && dim <= 1024) ||
        !made(cJSON_AddNumberToObject(rope, "rope_theta", theta), err) ||
        !made(cJSON_AddNumberToObject(rope, "partial_rotary_factor",
                                      turned < dim ? (turned + 0.25) / dim : 1),
              err)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: glm4.rope.dimension_count is absurd",
                         file->path);
    }
    if (glm_gguf_find(file, "glm4.rope.dimension_sections") == NULL) {
        return true;
    }
    cJSON *sections = cJSON_AddArrayToObject(rope, "mrope_section");
    for (size_t i = 0; i < 3; i++) {
        cJSON *one = glm_gguf_number(file, "glm4.rope.dimension_sections", i, &part)
                         ? cJSON_CreateNumber(part)
                         : NULL;
        if (!cJSON_AddItemToArray(sections, one)) {
            cJSON_Delete(one);
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: glm4.rope.dimension_sections is absurd",
                             file->path);
        }
    }
    return true;
}

/* The id of a token that text is not made of, or -1. */
static int64_t mark_id(const struct glm_gguf *file, const char *text)
{
    const struct glm_gguf_value *tokens = glm_gguf_find(file, "tokenizer.ggml.tokens");
    size_t place = 0, len, want = strlen(text);
    const char *have;
    for (int64_t id = 0; tokens != NULL && glm_gguf_next(tokens, &place, &have, &len); id++) {
        double type = NORMAL;
        if (len == want && memcmp(have, text, len) == 0 &&
            glm_gguf_number(file, "tokenizer.ggml.token_type", (size_t)id, &type) &&
            type >= UNKNOWN && type <= USER_DEFINED) {
            return id;
        }
    }
    return -1;
}

static bool copy_main(const struct glm_gguf_pair *pair, cJSON *root, struct glmv_err *err)
{
    const struct glm_gguf_tensor *embed = glm_gguf_tensor(&pair->text, "token_embd.weight");
    cJSON *text = cJSON_AddObjectToObject(root, "text_config");
    cJSON *tower = cJSON_AddObjectToObject(root, "vision_config");
    int64_t image = mark_id(&pair->text, "<|image|>");
    if (embed == NULL || embed->dims != 2) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: tensor token_embd.weight is missing",
                         pair->text.path);
    }
    if (image < 0) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: there is no token <|image|>; this model does not read pictures",
                         pair->text.path);
    }
    return made(text, err) && made(tower, err) &&
           made(cJSON_AddStringToObject(root, "model_type", "glm4v"), err) &&
           made(cJSON_AddNumberToObject(root, "image_token_id", (double)image), err) &&
           made(cJSON_AddNumberToObject(text, "vocab_size", (double)embed->shape[0]), err) &&
           copy_numbers(&pair->text, text_keys, COUNT(text_keys), text, err) &&
           copy_rope(&pair->text, text, err) &&
           copy_numbers(&pair->tower, tower_keys, COUNT(tower_keys), tower, err);
}

/* Areas are counted in both frames of a patch by the checkpoint's file, in one by this one. */
static bool copy_picture(const struct glm_gguf *file, cJSON *root, struct glmv_err *err)
{
    static const char *const keys[][2] = {{"clip.vision.image_mean", "image_mean"},
                                          {"clip.vision.image_std", "image_std"}};
    static const char *const areas[][2] = {{"clip.vision.image_min_pixels", "shortest_edge"},
                                           {"clip.vision.image_max_pixels", "longest_edge"}};
    double value;
    cJSON *size = cJSON_AddObjectToObject(root, "size");
    if (!made(size, err)) {
        return false;
    }
    for (size_t k = 0; k < 2; k++) {
        if (glm_gguf_number(file, areas[k][0], 0, &value) &&
            !made(cJSON_AddNumberToObject(size, areas[k][1], 2 * value), err)) {
            return false;
        }
        cJSON *list = cJSON_AddArrayToObject(root, keys[k][1]);
        for (size_t i = 0; i < 3; i++) {
            cJSON *one =
                glm_gguf_number(file, keys[k][0], i, &value) ? cJSON_CreateNumber(value) : NULL;
            if (!cJSON_AddItemToArray(list, one)) {
                cJSON_Delete(one);
                return glmv_fail(err, GLMV_ERR_FORMAT, "%s: %s is missing or damaged", file->path,
                                 keys[k][0]);
            }
        }
    }
    return true;
}

/* The marks that end an answer. A file names two of them; the engine knows the ones both models
 * share by their text, and </answer> ends those of GLM-4.1V. */
static bool copy_ends(const struct glm_gguf *file, cJSON *root, struct glmv_err *err)
{
    static const char *const keys[] = {"tokenizer.ggml.eos_token_id",
                                       "tokenizer.ggml.eot_token_id"};
    cJSON *list = cJSON_AddArrayToObject(root, "eos_token_id");
    double id[3] = {-1, -1, (double)mark_id(file, "</answer>")};
    for (size_t i = 0; i < 3; i++) {
        if (i < 2 && !glm_gguf_number(file, keys[i], 0, &id[i])) {
            continue;
        }
        cJSON *one = cJSON_CreateNumber(id[i]);
        if (!cJSON_AddItemToArray(list, one)) {
            cJSON_Delete(one);
            return glmv_fail_memory(err);
        }
    }
    return copy_numbers(file, sampling_keys, COUNT(sampling_keys), root, err);
}

static bool right_kind(const struct glm_gguf_pair *pair, struct glmv_err *err)
{
    if (!glm_gguf_is(&pair->text, "general.architecture", "glm4")) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "%s: another kind of model; this engine runs GGUF files of GLM-4.6V-Flash "
                         "and GLM-4.1V-9B-Thinking (architecture glm4)",
                         pair->text.path);
    }
    if (!glm_gguf_is(&pair->tower, "general.architecture", "clip") ||
        (!glm_gguf_is(&pair->tower, "clip.projector_type", "glm4v") &&
         !glm_gguf_is(&pair->tower, "clip.vision.projector_type", "glm4v"))) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "%s: not the picture part of a GLM-4V model (projector glm4v); get the "
                         "mmproj file that belongs to %s",
                         pair->tower.path, pair->text.path);
    }
    return true;
}

/* Bytes that stay in memory when the matrices of a file are kept as they are. */
static double bytes_kept(const struct glm_gguf *file)
{
    double bytes = 0;
    for (size_t i = 0; i < file->tensor_count; i++) {
        const struct glm_gguf_tensor *t = &file->tensors[i];
        double weights =
            (double)(t->bytes / glm_block_bytes(t->type)) * (double)glm_block_weights(t->type);
        if (t->name_len == 17 && memcmp(t->name, "token_embd.weight", 17) == 0) {
            continue; /* a row at a time is read */
        }
        bytes += !glm_type_is_blocks(t->type)                 ? (double)t->bytes
                 : glm_blocks_form(t->type) == GLM_FORM_INT4  ? weights * 0.5625
                 : glm_blocks_form(t->type) == GLM_FORM_LEAST ? weights * 0.625
                                                              : weights * 1.0625;
    }
    return bytes;
}

bool glm_gguf_config(const struct glm_gguf_pair *pair, struct glm_config *config,
                     struct glmv_err *err)
{
    if (!right_kind(pair, err)) {
        return false;
    }
    cJSON *root[3] = {cJSON_CreateObject(), cJSON_CreateObject(), cJSON_CreateObject()};
    char *text[3] = {NULL, NULL, NULL};
    bool ok = copy_main(pair, root[0], err) && copy_picture(&pair->tower, root[1], err) &&
              copy_ends(&pair->text, root[2], err);
    for (int i = 0; i < 3; i++) {
        text[i] = ok ? cJSON_PrintUnformatted(root[i]) : NULL;
        ok = ok && made(text[i], err);
    }
    ok = ok && glm_config_parse(config, text[0], text[1], text[2], pair->text.path, err);
    for (int i = 0; i < 3; i++) {
        cJSON_free(text[i]);
        cJSON_Delete(root[i]);
    }
    if (ok) {
        const char *slash = strrchr(pair->text.path, '/');
        const char *name = slash != NULL ? slash + 1 : pair->text.path;
        size_t len = strlen(name);
        len = len > 5 ? len - 5 : len; /* .gguf */
        snprintf(config->name, sizeof config->name, "%.*s", (int)(len < 60 ? len : 60), name);
        config->text.halves = glm_gguf_find(&pair->text, "glm4.rope.dimension_sections") != NULL;
        config->stored_text = bytes_kept(&pair->text);
        config->stored_tower = bytes_kept(&pair->tower);
    }
    return ok;
}
