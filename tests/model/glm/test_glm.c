/* The engine against the golden files that reference.py writes: a failure names its stage. */
#include <cjson/cJSON.h>
#include <math.h>

#include "base/file.h"
#include "model/glm/model.h"
#include "model/glm/prompt.h"
#include "model/glm/sample.h"
#include "model/glm/tokenizer.h"
#include "model/glm/unicode.h"
#include "tests/check.h"
#include "tests/model/glm/golden.h"

static uint64_t fnv(uint64_t h, uint64_t value)
{
    return (h ^ value) * 1099511628211u;
}

static cJSON *read_json(const char *path)
{
    struct glmv_buf text;
    glmv_buf_init(&text, 1 << 20);
    CHECK(glmv_file_read(path, text.max, &text, NULL));
    cJSON *root = cJSON_Parse(text.data != NULL ? text.data : "");
    CHECK(root != NULL);
    glmv_buf_release(&text);
    return root;
}

static uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void append_char(struct glmv_buf *out, uint32_t c)
{
    char s[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len; i-- > 0; c >>= 6) {
        s[i] = (char)(i == 0 ? lead[len] | c : 0x80 | (c & 0x3F));
    }
    if (len == 1) {
        s[0] = (char)(s[0] & 0x7F);
    }
    glmv_buf_append(out, s, len, NULL);
}

/* The same text as mixed_text() of reference.py. A seed with a NUL would end early in cJSON, so
 * that one is rebuilt. */
static void mixed_text(const cJSON *seeds, uint64_t seed, struct glmv_buf *out)
{
    uint64_t state = seed, count = (uint64_t)cJSON_GetArraySize(seeds);
    for (int piece = 0; piece < 700; piece++) {
        uint64_t kind = random_next(&state) % 4;
        if (kind < 2) {
            const char *s =
                cJSON_GetArrayItem(seeds, (int)(random_next(&state) % count))->valuestring;
            if (s[0] == '\0') {
                glmv_buf_append(out, "\0\1\177", 3, NULL);
            } else {
                glmv_buf_append_str(out, s, NULL);
            }
        } else if (kind == 2) {
            for (uint64_t n = 1 + random_next(&state) % 12; n > 0; n--) {
                append_char(out, 32 + (uint32_t)(random_next(&state) % 95));
            }
        } else {
            for (uint64_t n = 1 + random_next(&state) % 4; n > 0; n--) {
                uint32_t c = (uint32_t)(random_next(&state) % 0x30000);
                append_char(out, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
            }
        }
    }
}

static void test_tokenizer(struct glm_tokenizer *tokenizer)
{
    cJSON *gold = read_json(GOLD "tokens.json");
    const cJSON *seeds = cJSON_GetObjectItem(gold, "seeds");
    const cJSON *blocks = cJSON_GetObjectItem(gold, "blocks");
    size_t total = 0;
    int seed = 0;
    for (const cJSON *block = blocks->child; block != NULL; block = block->next, seed++) {
        struct glmv_buf text, back;
        struct glm_ids ids = {0};
        glmv_buf_init(&text, 1 << 20);
        glmv_buf_init(&back, 1 << 20);
        mixed_text(seeds, (uint64_t)seed, &text);
        total += text.len;
        CHECK(text.len == (size_t)cJSON_GetArrayItem(block, 0)->valueint);
        CHECK(glm_tokenizer_encode(tokenizer, text.data, text.len, true, &ids, NULL));
        uint64_t h = 1469598103934665603u;
        for (size_t i = 0; i < ids.len; i++) {
            size_t len;
            h = fnv(h, (uint64_t)ids.data[i]);
            const char *bytes = glm_tokenizer_bytes(tokenizer, ids.data[i], &len);
            CHECK(bytes != NULL && glmv_buf_append(&back, bytes, len, NULL));
        }
        char hex[32];
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)h);
        CHECK_MSG(ids.len == (size_t)cJSON_GetArrayItem(block, 1)->valueint, "seed %d: %zu ids",
                  seed, ids.len);
        CHECK_STR(hex, cJSON_GetArrayItem(block, 2)->valuestring);
        CHECK(back.len == text.len && memcmp(back.data, text.data, text.len) == 0);
        glm_ids_release(&ids);
        glmv_buf_release(&text);
        glmv_buf_release(&back);
    }
    CHECK(total > 1000000);
    cJSON_Delete(gold);
}

static void test_pictures(const struct glm_config *config)
{
    cJSON *gold = read_json(GOLD "pictures.json");
    for (const cJSON *row = gold->child; row != NULL; row = row->next) {
        int w = cJSON_GetArrayItem(row, 0)->valueint, h = cJSON_GetArrayItem(row, 1)->valueint;
        struct glmv_image *image = test_picture(w, h);
        struct glm_patches p;
        CHECK(glm_picture_patches(config, image, &p, NULL));
        CHECK(p.grid_h == cJSON_GetArrayItem(row, 2)->valueint);
        CHECK(p.grid_w == cJSON_GetArrayItem(row, 3)->valueint);
        uint64_t hash = 1469598103934665603u;
        const unsigned char *bytes = (const unsigned char *)p.rows;
        for (size_t i = 0; i < p.count * p.width * sizeof(float); i++) {
            hash = fnv(hash, bytes[i]);
        }
        char hex[32];
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)hash);
        CHECK_MSG(strcmp(hex, cJSON_GetArrayItem(row, 4)->valuestring) == 0, "%dx%d", w, h);
        glm_patches_release(&p);
        glmv_image_free(image);
    }
    cJSON_Delete(gold);
}

struct seen {
    const struct glm_weights *gold;
    double limit;
    size_t row; /* first row of the next trace of one stage, for a tower that runs twice */
    size_t offset[16];
    char names[16][32];
    int count;
};

static double worst_of(const float *got, const float *want, size_t count)
{
    double worst = 0, scale = 0;
    for (size_t i = 0; i < count; i++) {
        scale = fmax(scale, fabs(want[i]));
        worst = fmax(worst, fabs((double)got[i] - want[i]));
    }
    return worst / scale;
}

/* Compares with the golden tensor from where the last trace of this stage ended. */
static void compare(void *arg, const char *stage, const float *data, size_t count)
{
    struct seen *seen = arg;
    const struct glm_tensor *t = glm_weights_find(seen->gold, stage);
    if (t == NULL) {
        return;
    }
    int at = 0;
    while (at < seen->count && strcmp(seen->names[at], stage) != 0) {
        at++;
    }
    if (at == seen->count) {
        snprintf(seen->names[at], sizeof seen->names[at], "%s", stage);
        seen->offset[at] = 0;
        seen->count++;
    }
    const size_t total = t->bytes / sizeof(float);
    CHECK_MSG(seen->offset[at] + count <= total, "%s: too many rows", stage);
    if (seen->offset[at] + count > total) {
        return;
    }
    float *want = malloc(count * sizeof *want);
    memcpy(want, (const char *)t->data + seen->offset[at] * sizeof(float), count * sizeof(float));
    double worst = worst_of(data, want, count);
    /* rounded inputs: what is bounded are the logits */
    double limit =
        seen->limit < 1e-3 || strcmp(stage, "text.logits") == 0 ? seen->limit : 2 * seen->limit;
    CHECK_MSG(worst <= limit, "stage %s: relative error %g", stage, worst);
    printf("%-20s %.2e\n", stage, worst);
    seen->offset[at] += count;
    free(want);
}

static void longs(const struct glm_weights *gold, const char *name, struct glm_ids *out)
{
    const struct glm_tensor *t = glm_weights_find(gold, name);
    CHECK(t != NULL);
    for (size_t i = 0; t != NULL && i < t->bytes / 8; i++) {
        int64_t value;
        memcpy(&value, (const char *)t->data + i * 8, 8);
        glm_ids_push(out, (int32_t)value, NULL);
    }
}

/* Runs the golden conversation; rows_a_step 1 must give the bits that a batch gives. */
static void run_stages(struct glm_model *model, const struct glm_weights *gold, double limit,
                       size_t step, bool greedy, float *last)
{
    struct glm_ids ids = {0}, want = {0};
    struct glm_span spans[2];
    longs(gold, "ids", &ids);
    longs(gold, "greedy", &want);
    struct seen seen = {.gold = gold, .limit = limit};
    struct glm_trace trace = {compare, &seen};
    const size_t h = (size_t)model->config.text.hidden, vocab = (size_t)model->config.text.vocab;
    static const int sizes[2][2] = {{101, 67}, {56, 140}};
    float *rows[2];
    for (int i = 0; i < 2; i++) {
        struct glmv_image *image = test_picture(sizes[i][0], sizes[i][1]);
        struct glm_patches p;
        CHECK(glm_picture_patches(&model->config, image, &p, NULL));
        spans[i] = (struct glm_span){p.grid_h / 2, p.grid_w / 2};
        rows[i] = glm_vision_encode(model, &p, limit > 0 ? &trace : NULL, NULL);
        glm_patches_release(&p);
        glmv_image_free(image);
    }
    float *x = malloc((ids.len + 16) * h * sizeof *x);
    int32_t *positions = malloc((ids.len + 16) * 3 * sizeof *positions);
    size_t used[2] = {0, 0};
    int image_at = 0;
    for (size_t i = 0; i < ids.len; i++) {
        if (ids.data[i] == model->config.image_token) {
            if (used[image_at] == (size_t)(spans[image_at].rows * spans[image_at].cols)) {
                image_at++;
            }
            memcpy(x + i * h, rows[image_at] + used[image_at]++ * h, h * sizeof *x);
        } else {
            glm_row(&model->embed, (size_t)ids.data[i], x + i * h);
        }
    }
    int32_t next = glm_prompt_positions(&ids, model->config.image_token, spans, positions);
    const struct glm_tensor *places = glm_weights_find(gold, "positions");
    for (size_t i = 0; i < ids.len * 3; i++) {
        float value;
        memcpy(&value, (const char *)places->data + i * 4, 4);
        CHECK((float)positions[i] == value);
    }
    struct glm_decoder d;
    CHECK(glm_decoder_init(&d, model, ids.len + 16, NULL));
    float *logits = malloc(8 * vocab * sizeof *logits);
    for (size_t i = 0; i < ids.len; i += step) {
        size_t n = ids.len - i < step ? ids.len - i : step;
        bool all = n == ids.len;
        CHECK(glm_decoder_step(&d, x + i * h, positions + i * 3, n, all ? 8 : 1, logits,
                               all && limit > 0 ? &trace : NULL, NULL));
        if (all) {
            memmove(logits, logits + 7 * vocab, vocab * sizeof *logits);
        }
    }
    memcpy(last, logits, vocab * sizeof *last);
    for (size_t k = 0; greedy && k < want.len; k++) {
        size_t best = 0;
        for (size_t i = 1; i < vocab; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        CHECK_MSG((int32_t)best == want.data[k], "greedy token %zu: %zu, wanted %d", k, best,
                  want.data[k]);
        int32_t place[3] = {next, next, next};
        next++;
        glm_row(&model->embed, best, x);
        CHECK(glm_decoder_step(&d, x, place, 1, 1, logits, NULL, NULL));
    }
    glm_decoder_release(&d);
    free(rows[0]);
    free(rows[1]);
    free(x);
    free(positions);
    free(logits);
    glm_ids_release(&ids);
    glm_ids_release(&want);
}

/* The checkpoint with every tensor in 32 bits, in folder. */
static void write_floats(const char *folder)
{
    static const char *const files[] = {"config.json", "preprocessor_config.json",
                                        "generation_config.json"};
    struct glm_weights from;
    struct glmv_buf head, data, copy;
    char path[512], place[64];
    glmv_buf_init(&head, 1 << 20);
    glmv_buf_init(&data, 8 << 20);
    CHECK(glm_weights_open(&from, GOLD "nano", NULL));
    for (size_t i = 0; i < from.count; i++) {
        const struct glm_tensor *t = &from.tensors[i];
        size_t count = t->bytes / glm_type_size(t->type);
        struct glm_matrix m = {GLM_FORM_BF16, 1, count, t->data, NULL, 0};
        float *values = malloc(count * sizeof *values);
        glm_row(&m, 0, values);
        glmv_buf_appendf(&head, NULL, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", i == 0 ? "{" : ",",
                         t->name);
        for (int k = 0; k < t->dims; k++) {
            glmv_buf_appendf(&head, NULL, "%s%lld", k == 0 ? "" : ",", (long long)t->shape[k]);
        }
        glmv_buf_appendf(&head, NULL, "],\"data_offsets\":[%zu,%zu]}", data.len,
                         data.len + count * 4);
        CHECK(t->type == GLM_BF16 && glmv_buf_append(&data, (char *)values, count * 4, NULL));
        free(values);
    }
    CHECK(glmv_buf_append_str(&head, "}", NULL));
    memset(place, 0, sizeof place);
    uint64_t len = head.len;
    memcpy(place, &len, 8);
    glmv_buf_init(&copy, 16 << 20);
    CHECK(glmv_buf_append(&copy, place, 8, NULL) &&
          glmv_buf_append(&copy, head.data, head.len, NULL) &&
          glmv_buf_append(&copy, data.data, data.len, NULL));
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    CHECK(glmv_file_write(path, copy.data, copy.len, NULL));
    for (size_t i = 0; i < 3; i++) {
        glmv_buf_clear(&copy);
        snprintf(path, sizeof path, GOLD "nano/%s", files[i]);
        CHECK(glmv_file_read(path, copy.max, &copy, NULL));
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        CHECK(glmv_file_write(path, copy.data, copy.len, NULL));
    }
    glm_weights_close(&from);
    glmv_buf_release(&head);
    glmv_buf_release(&data);
    glmv_buf_release(&copy);
}

/* A checkpoint in 32 bits is exact with every kernel, also where bf16 ones are rounded. */
static void test_floats(void)
{
    char folder[] = "/tmp/glmv-floats-XXXXXX", command[64];
    struct glmv_err err = {0};
    struct glm_weights gold;
    float last[1024];
    CHECK(mkdtemp(folder) != NULL);
    write_floats(folder);
    CHECK(glm_weights_open(&gold, GOLD "stages.safetensors", &err));
    struct glm_model *model = glm_model_open(folder, (struct glm_store){GLM_FORM_BF16, 0}, 2, &err);
    CHECK_MSG(model != NULL, "%s", err.message);
    for (int cpu = GLM_CPU_SCALAR; model != NULL && cpu <= (int)glm_cpu_best(); cpu++) {
        printf("32 bits, kernels %d\n", cpu);
        glm_pool_choose(model->pool, (enum glm_cpu)cpu);
        run_stages(model, &gold, 1e-5, 64, true, last);
    }
    glm_model_close(model);
    glm_weights_close(&gold);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
}

static void test_stages(void)
{
    struct glmv_err err = {0};
    struct glm_weights gold;
    float last[4][1024], packed[1024];
    CHECK(glm_weights_open(&gold, GOLD "stages.safetensors", &err));
    struct glm_model *model =
        glm_model_open(GOLD "nano", (struct glm_store){GLM_FORM_BF16, 0}, 2, &err);
    CHECK_MSG(model != NULL, "%s", err.message);
    const size_t vocab = (size_t)model->config.text.vocab, bytes = vocab * sizeof(float);
    float theirs[2][1024];
    const struct glm_tensor *exact = glm_weights_find(&gold, "text.logits");
    const struct glm_tensor *rounded = glm_weights_find(&gold, "bf16.logits");
    memcpy(theirs[0], (const char *)exact->data + 7 * bytes, bytes);
    memcpy(theirs[1], (const char *)rounded->data + 7 * bytes, bytes);
    double own = worst_of(theirs[1], theirs[0], vocab);
    printf("the reference in bf16: logits off by %.2e\n", own);
    for (int cpu = GLM_CPU_SCALAR; cpu <= (int)glm_cpu_best(); cpu++) {
        glm_pool_choose(model->pool, (enum glm_cpu)cpu);
        printf("kernels %d\n", cpu);
        run_stages(model, &gold, cpu == GLM_CPU_BF16 ? 1e-2 : 1e-5, 64, true, last[0]);
        run_stages(model, &gold, 0, 1, false, last[1]);
        run_stages(model, &gold, 0, 7, false, last[2]);
        CHECK_MSG(memcmp(last[0], last[1], bytes) == 0, "one row and 64 rows differ, kernels %d",
                  cpu);
        CHECK_MSG(memcmp(last[0], last[2], bytes) == 0, "seven rows and 64 rows differ");
        CHECK_MSG(worst_of(last[0], theirs[0], vocab) < own, "farther off than the reference");
    }
    glm_model_close(model);
    model = glm_model_open(GOLD "nano-old", (struct glm_store){GLM_FORM_BF16, 0}, 1, &err);
    CHECK_MSG(model != NULL, "%s", err.message);
    run_stages(model, &gold, 0, 64, true, last[3]);
    CHECK(worst_of(last[3], last[0], bytes / 4) < 1e-2);
    glm_model_close(model);
    /* each is opened twice: the first one writes the pack, the second maps it */
    static const char *const names[] = {"int8", "int8", "int4", "int4", "int4-g128", "int4-g128"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct glm_store store;
        CHECK(glm_store_parse(names[i], &store, &err));
        int form = (int)store.form;
        model = glm_model_open(GOLD "nano", store, 2, &err);
        CHECK_MSG(model != NULL, "%s", err.message);
        glm_pool_choose(model->pool, GLM_CPU_SCALAR);
        run_stages(model, &gold, 0, 64, false, last[1]);
        double error = worst_of(last[1], last[0], bytes / 4);
        CHECK_MSG(error < (form == GLM_FORM_INT8 ? 0.05 : 0.6), "form %d: %g", form, error);
        printf("%s: logits off by %.3g\n", names[i], error);
        CHECK(model->pack.base != NULL);
        CHECK_MSG(i % 2 == 0 || memcmp(last[1], packed, bytes) == 0, "%s: the pack differs",
                  names[i]);
        memcpy(packed, last[1], bytes);
        for (int cpu = GLM_CPU_AVX2; cpu <= (int)glm_cpu_best(); cpu++) {
            glm_pool_choose(model->pool, (enum glm_cpu)cpu);
            run_stages(model, &gold, 0, 64, false, last[2]);
            run_stages(model, &gold, 0, 1, false, last[3]);
            CHECK_MSG(cpu == GLM_CPU_BF16 || worst_of(last[2], last[1], bytes / 4) < 1e-5,
                      "form %d kernels %d", form, cpu);
            CHECK_MSG(memcmp(last[2], last[3], bytes) == 0, "form %d kernels %d: k rows", form,
                      cpu);
        }
        glm_model_close(model);
    }
    glm_weights_close(&gold);
}

/* The candidates and their chances, against the reference's processors. */
static void test_sampling(void)
{
    enum { VOCAB = 500, HISTORY = 40 };
    struct glm_candidates c;
    cJSON *gold = read_json(GOLD "sampling.json"), *row;
    uint64_t seed = 0;
    CHECK(glm_candidates_init(&c, VOCAB, NULL));
    cJSON_ArrayForEach(row, gold)
    {
        float logits[VOCAB];
        int32_t history[HISTORY];
        uint64_t state = seed++;
        for (int i = 0; i < VOCAB; i++) {
            logits[i] = (float)(((double)(random_next(&state) % 20001) - 10000) / 1000);
        }
        for (int i = 0; i < HISTORY; i++) {
            history[i] = (int32_t)(random_next(&state) % VOCAB);
        }
        struct glm_sampler s = {.temperature = cJSON_GetObjectItem(row, "temperature")->valuedouble,
                                .top_p = cJSON_GetObjectItem(row, "top_p")->valuedouble,
                                .top_k = cJSON_GetObjectItem(row, "top_k")->valueint,
                                .repetition_penalty =
                                    cJSON_GetObjectItem(row, "penalty")->valuedouble};
        glm_candidates_find(&c, &s, logits, VOCAB, history, HISTORY);
        CHECK_MSG(c.count == (size_t)cJSON_GetObjectItem(row, "count")->valueint,
                  "sampling %d: %zu candidates", (int)seed - 1, c.count);
        const cJSON *best = cJSON_GetObjectItem(row, "best"), *one;
        size_t at = 0;
        cJSON_ArrayForEach(one, best)
        {
            CHECK(at < c.count && c.ids[at] == one->child->valueint);
            CHECK(fabs(c.p[at] - one->child->next->valuedouble) < 1e-6);
            at++;
        }
        int drawn[VOCAB] = {0};
        for (int i = 0; i < 4000 && c.count > 1; i++) { /* penalties were taken already */
            float again[VOCAB];
            memcpy(again, logits, sizeof again);
            s.repetition_penalty = 1;
            drawn[glm_sample(&s, &c, again, VOCAB, history, HISTORY)]++;
        }
        for (size_t i = 0; i < c.count && c.count > 1; i++) {
            CHECK(fabs(drawn[c.ids[i]] / 4000.0 - c.p[i]) < 0.04);
        }
    }
    glm_candidates_release(&c);
    cJSON_Delete(gold);
}

int main(void)
{
    struct glmv_err err = {0};
    struct glm_config config;
    char cache[] = "/tmp/glmv-packs-XXXXXX", command[64];
    CHECK(mkdtemp(cache) != NULL && setenv("XDG_CACHE_HOME", cache, 1) == 0);
    CHECK(glm_config_read(&config, GOLD "nano", &err));
    struct glm_tokenizer *t =
        glm_tokenizer_open(GOLD "nano/tokenizer.json", config.text.vocab, &err);
    CHECK_MSG(t != NULL, "%s", err.message);
    test_tokenizer(t);
    glm_tokenizer_close(t);
    test_pictures(&config);
    test_sampling();
    test_floats();
    test_stages();
    snprintf(command, sizeof command, "rm -r %s", cache);
    CHECK(system(command) == 0);
    TEST_END();
}
