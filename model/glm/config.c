#include "model/glm/config.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "model/glm/gguf.h"

#define MAX_CONFIG (4u << 20)
#define PICTURE_FILE "preprocessor_config.json"

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

/* A whole number in low .. high; missing gives fallback, or fails where fallback is below low. */
static bool number(const cJSON *object, const char *key, int low, int high, int fallback, int *out,
                   const char *where, struct glmv_err *err)
{
    const cJSON *item = get(object, key);
    if (item == NULL || cJSON_IsNull(item)) {
        *out = fallback;
        return fallback >= low || glmv_fail(err, GLMV_ERR_FORMAT, "%s: %s is missing", where, key);
    }
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= low) || !(item->valuedouble <= high) ||
        item->valuedouble != floor(item->valuedouble)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: %s must be a whole number from %d to %d", where,
                         key, low, high);
    }
    *out = (int)item->valuedouble;
    return true;
}

static double real(const cJSON *object, const char *key, double fallback)
{
    const cJSON *item = get(object, key);
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : fallback;
}

/* Newer files keep rope settings in rope_parameters, older ones spread them: the first that has
 * the key wins. A theta that is guessed makes fluent nonsense, so there is no default for it. */
static const cJSON *rope(const cJSON *root, const cJSON *text, const char *key)
{
    const cJSON *levels[] = {text, root};
    for (size_t i = 0; i < 2; i++) {
        const cJSON *places[] = {get(levels[i], "rope_parameters"), get(levels[i], "rope_scaling"),
                                 levels[i]};
        for (size_t j = 0; j < 3; j++) {
            const cJSON *item = get(places[j], key);
            if (item != NULL && !cJSON_IsNull(item)) {
                return item;
            }
        }
    }
    return NULL;
}

static bool parse_rope(struct glm_text_config *text, const cJSON *root, const cJSON *node,
                       const char *where, struct glmv_err *err)
{
    const cJSON *theta = rope(root, node, "rope_theta");
    if (!cJSON_IsNumber(theta) || !(theta->valuedouble > 1) || !(theta->valuedouble < 1e12)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: rope_theta is missing or absurd", where);
    }
    text->theta = theta->valuedouble;
    const cJSON *type = rope(root, node, "rope_type");
    if (cJSON_IsString(type) && strcmp(type->valuestring, "default") != 0) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED, "%s: rope_type %.40s is not supported yet",
                         where, type->valuestring);
    }
    const cJSON *factor = rope(root, node, "partial_rotary_factor");
    double part = cJSON_IsNumber(factor) ? factor->valuedouble : 0.5;
    text->rot = part > 0 && part <= 1 ? (int)(text->head_dim * part) : 0;
    if (text->rot < 2 || text->rot % 2 != 0) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: partial_rotary_factor is absurd", where);
    }
    const cJSON *section = rope(root, node, "mrope_section");
    int half = text->rot / 2;
    if (section == NULL) {
        text->section[0] = half / 4;
        text->section[1] = (half - half / 4) / 2;
        text->section[2] = half - text->section[0] - text->section[1];
        return true;
    }
    int sum = 0;
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(section, i);
        if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > half) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: mrope_section is absurd", where);
        }
        text->section[i] = item->valueint;
        sum += item->valueint;
    }
    return sum == half || glmv_fail(err, GLMV_ERR_FORMAT,
                                    "%s: mrope_section adds up to %d, the heads rotate %d pairs",
                                    where, sum, half);
}

static bool parse_text(struct glm_text_config *text, const cJSON *root, const cJSON *node,
                       const char *where, struct glmv_err *err)
{
    int context;
    if (!number(node, "hidden_size", 2, 65536, 0, &text->hidden, where, err) ||
        !number(node, "num_hidden_layers", 1, 512, 0, &text->layers, where, err) ||
        !number(node, "num_attention_heads", 1, 1024, 0, &text->heads, where, err) ||
        !number(node, "num_key_value_heads", 1, 1024, 0, &text->kv_heads, where, err) ||
        !number(node, "intermediate_size", 1, 1 << 20, 0, &text->inner, where, err) ||
        !number(node, "vocab_size", 2, 1 << 22, 0, &text->vocab, where, err) ||
        !number(node, "head_dim", 2, GLM_MOST_DIM, text->hidden / text->heads, &text->head_dim,
                where, err) ||
        !number(node, "max_position_embeddings", 16, 1 << 24, 65536, &context, where, err)) {
        return false;
    }
    text->context = context;
    text->eps = (float)real(node, "rms_norm_eps", 1e-5);
    if (text->heads % text->kv_heads != 0 || !(text->eps > 0) || text->eps > 1) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: %d heads cannot share %d key heads, or rms_norm_eps "
                         "is absurd",
                         where, text->heads, text->kv_heads);
    }
    return parse_rope(text, root, node, where, err);
}

static bool parse_vision(struct glm_vision_config *vision, const cJSON *node, int text_hidden,
                         const char *where, struct glmv_err *err)
{
    int image;
    if (!number(node, "depth", 1, 256, 0, &vision->depth, where, err) ||
        !number(node, "hidden_size", 4, 16384, 0, &vision->hidden, where, err) ||
        !number(node, "num_heads", 1, 256, 0, &vision->heads, where, err) ||
        !number(node, "patch_size", 1, 64, 14, &vision->patch, where, err) ||
        !number(node, "temporal_patch_size", 1, 4, 2, &vision->temporal, where, err) ||
        !number(node, "spatial_merge_size", 1, 8, 2, &vision->merge, where, err) ||
        !number(node, "image_size", 1, 8192, 336, &image, where, err) ||
        !number(node, "out_hidden_size", 2, 65536, 0, &vision->out, where, err) ||
        !number(node, "intermediate_size", 1, 1 << 20, 0, &vision->inner, where, err)) {
        return false;
    }
    vision->grid = image / vision->patch;
    vision->eps = (float)real(node, "rms_norm_eps", 1e-5);
    vision->head_dim = vision->hidden / vision->heads;
    if (vision->hidden % vision->heads != 0 || vision->head_dim % 4 != 0 ||
        vision->head_dim > GLM_MOST_DIM || vision->grid < 1 || vision->out != text_hidden ||
        !(vision->eps > 0)) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: the numbers of vision_config do not fit together", where);
    }
    return true;
}

static bool says(const cJSON *object, const char *name, const char *value)
{
    const cJSON *item = get(object, name);
    return cJSON_IsString(item) && strcasecmp(item->valuestring, value) == 0;
}

/* What the file of the pictures says about patches has to be what the tower has learned. */
static bool same_patches(const struct glm_vision_config *vision, const cJSON *root,
                         const char *where, struct glmv_err *err)
{
    const struct {
        const char *key;
        int value;
    } all[] = {{"patch_size", vision->patch},
               {"temporal_patch_size", vision->temporal},
               {"merge_size", vision->merge},
               {"resample", 3}}; /* bicubic */
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int value;
        if (!number(root, all[i].key, 0, 8192, all[i].value, &value, where, err)) {
            return false;
        }
        if (value != all[i].value) {
            return glmv_fail(err, GLMV_ERR_FORMAT,
                             "%s: %s is %d, this model needs %d; the file "
                             "belongs to another model",
                             where, all[i].key, value, all[i].value);
        }
    }
    return true;
}

static bool parse_picture(struct glm_picture_config *picture, const cJSON *root, const char *where,
                          struct glmv_err *err)
{
    static const double mean[] = {0.48145466, 0.4578275, 0.40821073};
    static const double std[] = {0.26862954, 0.26130258, 0.27577711};
    const cJSON *size = get(root, "size");
    int low, high;
    if (!number(size, "shortest_edge", 1, 1 << 30, 12544, &low, where, err) ||
        !number(size, "longest_edge", 1, 1 << 30, 9633792, &high, where, err)) {
        return false;
    }
    picture->min_area = low;
    picture->max_area = high;
    picture->rescale = real(root, "rescale_factor", 1.0 / 255);
    for (int i = 0; i < 3; i++) {
        const cJSON *m = cJSON_GetArrayItem(get(root, "image_mean"), i);
        const cJSON *s = cJSON_GetArrayItem(get(root, "image_std"), i);
        picture->mean[i] = cJSON_IsNumber(m) ? m->valuedouble : mean[i];
        picture->std[i] = cJSON_IsNumber(s) ? s->valuedouble : std[i];
        if (!(fabs(picture->std[i]) > 1e-6) || !(fabs(picture->std[i]) < 1e6)) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: image_std is absurd", where);
        }
    }
    if (low > high) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: shortest_edge is above longest_edge", where);
    }
    return true;
}

static void add_eos(struct glm_config *config, const cJSON *item)
{
    if (cJSON_IsArray(item)) {
        for (const cJSON *one = item->child; one != NULL; one = one->next) {
            if (cJSON_IsNumber(one)) {
                add_eos(config, one);
            }
        }
    } else if (cJSON_IsNumber(item) && config->eos_count < GLM_MAX_EOS && item->valuedouble >= 0 &&
               item->valuedouble < config->text.vocab) {
        config->eos[config->eos_count++] = item->valueint;
    }
}

static void parse_generation(struct glm_config *config, const cJSON *root)
{
    struct glm_sampling_config *s = &config->sampling;
    s->temperature = real(root, "temperature", 0.8);
    s->top_p = real(root, "top_p", 0.6);
    s->top_k = (int)fmin(fmax(real(root, "top_k", 2), 0), 1 << 20);
    s->repetition_penalty = real(root, "repetition_penalty", 1.0);
    s->sample = !cJSON_IsFalse(get(root, "do_sample"));
    add_eos(config, get(root, "eos_token_id"));
}

static cJSON *parse_object(const char *text, const char *where, struct glmv_err *err)
{
    cJSON *root = cJSON_Parse(text);
    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        glmv_fail(err, GLMV_ERR_FORMAT, "%s: not a JSON object", where);
        return NULL;
    }
    return root;
}

/* Names the format, so that a person knows what they have. */
static bool refuse_quantised(const char *name, const char *what, const char *where,
                             struct glmv_err *err)
{
    return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                     "%s: the weights are quantised as %.40s%s%.60s%s, which is not supported yet; "
                     "use the bf16 checkpoint (with --int8 or --int4), or a GGUF file",
                     where, name, what != NULL ? " (" : "", what != NULL ? what : "",
                     what != NULL ? ")" : "");
}

static bool is_four(const cJSON *item)
{
    return cJSON_IsNumber(item) && item->valuedouble == 4;
}

/* What of a group of compressed-tensors is not read; NULL: all is. */
static const char *odd_group(const cJSON *group)
{
    const cJSON *weights = get(group, "weights"), *inputs = get(group, "input_activations");
    const cJSON *order = get(weights, "actorder");
    if (inputs != NULL && !cJSON_IsNull(inputs)) {
        return "pack-quantized, quantised activations";
    }
    if (!is_four(get(weights, "num_bits")) || says(weights, "type", "float")) {
        return "pack-quantized, weights that are no integers of four bits";
    }
    if (cJSON_IsFalse(get(weights, "symmetric"))) {
        return "pack-quantized, asymmetric";
    }
    if (cJSON_IsTrue(order) || says(weights, "actorder", "group")) {
        return "pack-quantized, actorder";
    }
    return NULL;
}

/* Four bits in the two forms of packed.h; everything else is refused. */
static bool parse_quantised(struct glm_config *config, const cJSON *q, const char *where,
                            struct glmv_err *err)
{
    const cJSON *method = get(q, "quant_method"), *format = get(q, "format"), *group;
    const char *odd = cJSON_IsString(format) ? format->valuestring : NULL;
    if (says(q, "quant_method", "compressed-tensors")) {
        if (!says(q, "format", "pack-quantized") || get(q, "config_groups") == NULL) {
            return refuse_quantised("compressed-tensors", odd, where, err);
        }
        cJSON_ArrayForEach(group, get(q, "config_groups"))
        {
            if ((odd = odd_group(group)) != NULL) {
                return refuse_quantised("compressed-tensors", odd, where, err);
            }
        }
        config->stored_weight = 0.5 + 2.0 / 32;
        return true;
    }
    if (says(q, "quant_method", "awq")) {
        const cJSON *bits = get(q, "bits") != NULL ? get(q, "bits") : get(q, "w_bit");
        const cJSON *version = get(q, "version");
        odd = !is_four(bits)                                   ? "not four bits"
              : version != NULL && !says(q, "version", "gemm") ? "not the gemm layout"
              : cJSON_IsFalse(get(q, "zero_point"))            ? "without zero points"
                                                               : NULL;
        config->stored_weight = 0.5 + 4.0 / 32;
        return odd == NULL || refuse_quantised("AWQ", odd, where, err);
    }
    const char *name = cJSON_IsString(method) ? method->valuestring : "an unnamed format";
    return refuse_quantised(strcmp(name, "gptq") == 0 ? "GPTQ" : name, NULL, where, err);
}

static bool parse_main(struct glm_config *config, const cJSON *root, const char *where,
                       struct glmv_err *err)
{
    const cJSON *type = get(root, "model_type");
    const cJSON *text = get(root, "text_config"), *vision = get(root, "vision_config");
    if (!cJSON_IsString(type) ||
        (strcmp(type->valuestring, "glm4v") != 0 && strcmp(type->valuestring, "glm46v") != 0)) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "%s: model_type is '%.40s'; this engine runs GLM-4.6V-Flash and "
                         "GLM-4.1V-9B-Thinking (glm4v)",
                         where, cJSON_IsString(type) ? type->valuestring : "missing");
    }
    const cJSON *quantised = get(root, "quantization_config");
    quantised = quantised != NULL ? quantised : get(text, "quantization_config");
    if (quantised != NULL && !cJSON_IsNull(quantised) &&
        !parse_quantised(config, quantised, where, err)) {
        return false;
    }
    if (vision == NULL) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: vision_config is missing", where);
    }
    text = text != NULL ? text : root;
    if (get(text, "hidden_act") != NULL && !says(text, "hidden_act", "silu")) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED, "%s: hidden_act is not silu", where);
    }
    return parse_text(&config->text, root, text, where, err) &&
           parse_vision(&config->vision, vision, config->text.hidden, where, err) &&
           number(root, "image_token_id", 0, config->text.vocab - 1, -1, &config->image_token,
                  where, err);
}

bool glm_config_parse(struct glm_config *config, const char *main_text, const char *picture,
                      const char *generation, const char *where, struct glmv_err *err)
{
    memset(config, 0, sizeof *config);
    cJSON *root = parse_object(main_text, where, err);
    cJSON *pic_root = picture != NULL ? parse_object(picture, PICTURE_FILE, err) : NULL;
    /* newer programs write all of a processor's settings into one file */
    const cJSON *inner = get(pic_root, "image_processor");
    const cJSON *pic = inner != NULL ? inner : pic_root;
    cJSON *gen =
        generation != NULL ? parse_object(generation, "generation_config.json", err) : NULL;
    bool ok = root != NULL && (picture == NULL || pic != NULL) &&
              (generation == NULL || gen != NULL) && parse_main(config, root, where, err) &&
              same_patches(&config->vision, pic, PICTURE_FILE, err) &&
              parse_picture(&config->picture, pic, PICTURE_FILE, err);
    if (ok) {
        parse_generation(config, gen);
        if (config->eos_count == 0) {
            add_eos(config, get(get(root, "text_config"), "eos_token_id"));
        }
        if (config->eos_count == 0) {
            add_eos(config, get(root, "eos_token_id"));
        }
    }
    cJSON_Delete(root);
    cJSON_Delete(pic_root);
    cJSON_Delete(gen);
    return ok;
}

static bool read_text(const char *folder, const char *name, bool needed, struct glmv_buf *text,
                      struct glmv_err *err)
{
    char path[4096];
    glmv_buf_init(text, MAX_CONFIG);
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: the path is too long", folder);
    }
    if (!needed && access(path, R_OK) != 0) {
        return true;
    }
    return glmv_file_read(path, MAX_CONFIG, text, err) &&
           (text->len > 0 || glmv_fail(err, GLMV_ERR_FORMAT, "%s: the file is empty", path));
}

static bool read_gguf(struct glm_config *config, const char *where, struct glmv_err *err)
{
    struct glm_gguf_pair pair;
    bool ok = glm_gguf_pair_open(&pair, where, err) && glm_gguf_config(&pair, config, err);
    glm_gguf_pair_close(&pair);
    return ok;
}

bool glm_config_read(struct glm_config *config, const char *folder, struct glmv_err *err)
{
    if (glm_gguf_here(folder)) {
        return read_gguf(config, folder, err);
    }
    struct glmv_buf text[3] = {{0}};
    char where[4200];
    snprintf(where, sizeof where, "%.4000s/config.json", folder);
    bool ok = read_text(folder, "config.json", true, &text[0], err) &&
              read_text(folder, PICTURE_FILE, false, &text[1], err) &&
              (text[1].data != NULL ||
               read_text(folder, "processor_config.json", false, &text[1], err)) &&
              read_text(folder, "generation_config.json", false, &text[2], err) &&
              glm_config_parse(config, text[0].data, text[1].data, text[2].data, where, err);
    for (int i = 0; i < 3; i++) {
        glmv_buf_release(&text[i]);
    }
    if (ok) {
        size_t len = strlen(folder);
        while (len > 1 && folder[len - 1] == '/') {
            len--;
        }
        size_t start = len;
        while (start > 0 && folder[start - 1] != '/') {
            start--;
        }
        snprintf(config->name, sizeof config->name, "%.*s",
                 (int)(len - start < 60 ? len - start : 60), folder + start);
    }
    return ok;
}
