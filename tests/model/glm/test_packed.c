/* Checkpoints in four bits, as compressed-tensors and AWQ store them (packed_files.py makes them).
 */
#define _GNU_SOURCE /* memmem */
#include <cjson/cJSON.h>
#include <math.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "model/glm/blocks.h"
#include "model/glm/codes.h"
#include "model/glm/packed.h"
#include "tests/check.h"
#include "tests/model/glm/conversation.h"
#include "tests/model/glm/golden.h"

/* The form of the engine holds the same numbers; with zeros that are no multiples of a half float's
 * last bit, to that bit. */
static void check_kept(struct glm_pool *pool, const struct glm_matrix *m, const float *values,
                       const char *name)
{
    const enum glm_form form = glm_blocks_form((enum glm_type)m->group);
    struct glm_matrix q;
    float again[512];
    CHECK(glm_blocks_keeps(m, form, glm_blocks_group(m)));
    CHECK(glm_quantise(pool, m, form, glm_blocks_group(m), &q, NULL));
    for (size_t row = 0; row < m->rows; row++) {
        glm_row(&q, row, again);
        for (size_t i = 0; i < m->cols; i++) {
            double off = fabs((double)again[i] - values[row * m->cols + i]);
            CHECK_MSG(off <= (form == GLM_FORM_INT4 ? 0 : 1e-3), "%s: row %zu, column %zu: %g off",
                      name, row, i, off);
        }
    }
    free((void *)(uintptr_t)q.data);
    free((void *)(uintptr_t)q.scales);
}

/* Every layer holds the bits that were packed. */
static void test_layers(void)
{
    struct glmv_buf text;
    struct glm_pool *pool = glm_pool_new(2, NULL);
    int kinds[2] = {0, 0}, wide = 0;
    CHECK(read_all(GOLD "packed/packed.json", &text));
    cJSON *root = cJSON_ParseWithLength(text.data, text.len);
    for (int awq = 0; awq < 2; awq++) {
        const char *path =
            awq != 0 ? GOLD "packed/awq/packed.safetensors" : GOLD "packed/rows/packed.safetensors";
        struct glm_weights set;
        struct glmv_err err = {0};
        CHECK_MSG(glm_weights_open(&set, path, &err), "%s", err.message);
        for (const cJSON *item = root->child; item != NULL; item = item->next) {
            const char *stem = strchr(item->string, ':') + 1;
            if ((item->string[0] == 'a') != (awq != 0)) {
                continue;
            }
            char name[128], hash[32];
            const char *inner = strstr(stem, "layers.");
            snprintf(name, sizeof name, "%s.weight", inner != NULL ? inner : stem);
            const struct glm_tensor *t = glm_weights_find(&set, name);
            CHECK_MSG(t != NULL && glm_type_is_packed(t->type), "%s", name);
            struct glm_matrix m = {
                GLM_FORM_BLOCKS, (size_t)t->shape[0], (size_t)t->shape[1], t->data, NULL, t->type};
            float *values = malloc(m.rows * m.cols * sizeof *values), part[40];
            for (size_t i = 0; i < m.rows; i++) {
                glm_row(&m, i, values + i * m.cols);
            }
            glm_row_part(&m, 3, 17, 40, part);
            CHECK(memcmp(part, values + 3 * m.cols + 17, sizeof part) == 0);
            for (size_t i = 0; i < m.rows * m.cols; i++) {
                values[i] += 0.0f; /* one zero, not two */
            }
            snprintf(hash, sizeof hash, "%016llx",
                     (unsigned long long)golden_hash(values, m.rows * m.cols * sizeof *values));
            CHECK_MSG(strcmp(hash, item->valuestring) == 0, "%s", item->string);
            check_kept(pool, &m, values, item->string);
            struct glm_packed from; /* the same from a row on */
            glm_packed_from(&m, 8, &from);
            glm_row_part(&m, 1, 0, 33, part);
            for (size_t i = 0; i < 33; i++) {
                CHECK(part[i] == values[9 * m.cols + i]);
            }
            wide += glm_blocks_group(&m) == 128;
            kinds[awq]++;
            free(values);
        }
        glm_weights_close(&set);
    }
    CHECK(kinds[0] == 15 && kinds[1] == 15 && wide == 1);
    cJSON_Delete(root);
    glmv_buf_release(&text);
    glm_pool_free(pool);
}

static void put(const char *folder, const char *name, const void *bytes, size_t len)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

static void copy(const char *from, const char *folder, const char *name)
{
    struct glmv_buf text;
    CHECK(read_all(from, &text));
    put(folder, name, text.data, text.len);
    glmv_buf_release(&text);
}

/* A shard of the stored checkpoint, in whose header the layers that are packed have another name.
 */
static void copy_rest(const char *from, const char *folder, const char *name)
{
    static const char *const layers[] = {"q_proj", "k_proj",       "v_proj",
                                         "o_proj", "gate_up_proj", "mlp.down_proj"};
    struct glmv_buf text;
    uint64_t header;
    CHECK(read_all(from, &text));
    memcpy(&header, text.data, 8);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        char what[64];
        int len = snprintf(what, sizeof what, "%s.weight", layers[i]);
        for (char *at = text.data + 8, *end = at + header;
             (at = memmem(at, (size_t)(end - at), what, (size_t)len)) != NULL; at += len) {
            char *line = memrchr(text.data, '"', (size_t)(at - text.data));
            if (strncmp(line, "\"model.visual", 13) != 0) {
                memcpy(at + len - 6, "before", 6);
            }
        }
    }
    put(folder, name, text.data, text.len);
    glmv_buf_release(&text);
}

static void make_folder(const char *kind, const char *folder)
{
    static const char index[] = "{\"weight_map\":{\"a\":\"a.safetensors\",\"b\":\"b.safetensors\","
                                "\"c\":\"packed.safetensors\"}}";
    char path[200];
    snprintf(path, sizeof path, GOLD "packed/%s/config.json", kind);
    copy(path, folder, "config.json");
    snprintf(path, sizeof path, GOLD "packed/%s/packed.safetensors", kind);
    copy(path, folder, "packed.safetensors");
    copy(GOLD "nano/preprocessor_config.json", folder, "preprocessor_config.json");
    copy(GOLD "nano/generation_config.json", folder, "generation_config.json");
    copy_rest(GOLD "nano/model-00001-of-00002.safetensors", folder, "a.safetensors");
    copy_rest(GOLD "nano/model-00002-of-00002.safetensors", folder, "b.safetensors");
    put(folder, "model.safetensors.index.json", index, sizeof index - 1);
}

/* The reference's logits with what the codes stand for: as floats, and in the engine's forms, whose
 * inputs are rounded to eight bits; from the pack too, and in eight bits on top. */
static void test_whole(void)
{
    static const char *const kinds[] = {"rows", "awq"};
    char cache[] = "/tmp/glmv-packs-XXXXXX", command[64];
    CHECK(mkdtemp(cache) != NULL && setenv("XDG_CACHE_HOME", cache, 1) == 0);
    for (size_t i = 0; i < 2; i++) {
        char folder[] = "/tmp/glmv-packed-XXXXXX", stages[100];
        CHECK(mkdtemp(folder) != NULL);
        make_folder(kinds[i], folder);
        snprintf(stages, sizeof stages, GOLD "packed/%s/stages.safetensors", kinds[i]);
        conversation(folder, NULL, stages, 1e-5);
        double made = conversation(folder, "bf16", stages, 0.05);
        CHECK(conversation(folder, "bf16", stages, 0.05) == made);
        conversation(folder, "int8", stages, 0.05);
        snprintf(command, sizeof command, "rm -r %s", folder);
        CHECK(system(command) == 0);
    }
    snprintf(command, sizeof command, "rm -r %s", cache);
    CHECK(system(command) == 0);
}

/* Formats that are not read are named, and what of these two is not. */
static void test_refused(void)
{
#define CT(weights)                                                                                \
    "{\"quant_method\":\"compressed-tensors\",\"format\":\"pack-quantized\",\"config_groups\":"    \
    "{\"g\":{\"weights\":{" weights "}}}}"
    static const char *const cases[][2] = {
        {CT("\"num_bits\":8"), "no integers of four bits"},
        {CT("\"num_bits\":4,\"symmetric\":false"), "asymmetric"},
        {CT("\"num_bits\":4,\"actorder\":\"group\""), "actorder"},
        {"{\"quant_method\":\"compressed-tensors\",\"format\":\"float-quantized\"}",
         "compressed-tensors (float-quantized)"},
        {"{\"quant_method\":\"awq\",\"bits\":3}", "AWQ (not four bits)"},
        {"{\"quant_method\":\"awq\",\"bits\":4,\"version\":\"gemv\"}", "gemm layout"},
        {"{\"quant_method\":\"gptq\",\"bits\":4}", "GPTQ"},
        {"{\"quant_method\":\"fp8\"}", "fp8"},
        {"{\"bits\":4}", "an unnamed format"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct glmv_err err = {0};
        struct glm_config config;
        char text[400];
        snprintf(text, sizeof text, "{\"model_type\":\"glm4v\",\"quantization_config\":%s}",
                 cases[i][0]);
        CHECK(!glm_config_parse(&config, text, NULL, NULL, "config.json", &err));
        CHECK(err.code == GLMV_ERR_UNSUPPORTED);
        CHECK_MSG(strstr(err.message, cases[i][1]) != NULL &&
                      strstr(err.message, "not supported yet") != NULL,
                  "%s", err.message);
    }
}

/* A header with one damaged tensor: the tensor is named. */
static void test_damage(void)
{
    static const char *const cases[][3] = {
        {"rows", "extra.wide.weight_scale", "no scales of its size"},
        {"awq", "extra.wide.scales", "no scales of its size"},
        {"awq", "extra.wide.qzeros", "no zeros of its size"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct glmv_buf text;
        struct glmv_err err = {0};
        struct glm_weights set = {0};
        char path[100];
        uint64_t header;
        snprintf(path, sizeof path, GOLD "packed/%s/packed.safetensors", cases[i][0]);
        CHECK(read_all(path, &text));
        memcpy(&header, text.data, 8);
        char *at = memmem(text.data + 8, header, cases[i][1], strlen(cases[i][1]));
        CHECK(at != NULL);
        at[0] = 'x'; /* another layer's */
        CHECK(glm_weights_parse(&set, (const unsigned char *)text.data, text.len, "x", &err));
        CHECK(!glm_weights_finish(&set, &err));
        CHECK_MSG(strstr(err.message, "extra.wide") != NULL &&
                      strstr(err.message, cases[i][2]) != NULL,
                  "%s", err.message);
        glm_weights_close(&set);
        glmv_buf_release(&text);
    }
}

int main(void)
{
    test_layers();
    test_whole();
    test_refused();
    test_damage();
    TEST_END();
}
