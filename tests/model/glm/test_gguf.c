/* GGUF files against the checkpoint they were made from (gguf_files.py makes them). */
#include <cjson/cJSON.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "model/chat.h"
#include "model/glm/blocks.h"
#include "model/glm/codes.h"
#include "model/glm/gguf.h"
#include "model/glm/model.h"
#include "model/glm/prompt.h"
#include "tests/check.h"
#include "tests/model/glm/conversation.h"
#include "tests/model/glm/golden.h"

#define TEXT GOLD "gguf/q8_0/nano-Q8_0.gguf"

/* Every type gives the bits that the format's own library gives; where a form of the engine holds
 * them without loss, so does that. */
static void test_blocks(void)
{
    struct glmv_buf text;
    CHECK(read_all(GOLD "gguf/blocks.json", &text));
    cJSON *root = cJSON_ParseWithLength(text.data, text.len);
    struct glm_pool *pool = glm_pool_new(2, NULL);
    int kinds = 0, lossless = 0, kept = 0;
    for (const cJSON *row = root->child; row != NULL; row = row->next, kinds++) {
        const char *hex = cJSON_GetArrayItem(row, 1)->valuestring, *name;
        enum glm_type type;
        unsigned char data[24 * 256];
        CHECK(glm_type_of_gguf((uint32_t)cJSON_GetArrayItem(row, 0)->valueint, &type, &name));
        const size_t bytes = strlen(hex) / 2, each = glm_block_weights(type);
        CHECK(bytes == 24 * glm_block_bytes(type));
        for (size_t i = 0; i < bytes; i++) {
            unsigned byte;
            CHECK(sscanf(hex + 2 * i, "%2x", &byte) == 1);
            data[i] = (unsigned char)byte;
        }
        float values[24 * 256], again[1], part[7];
        struct glm_matrix m = {GLM_FORM_BLOCKS, 3, 8 * each, data, NULL, type};
        for (size_t i = 0; i < 3; i++) {
            glm_row(&m, i, values + i * m.cols);
        }
        glm_row_part(&m, 2, each - 3, 7, part);
        CHECK_MSG(memcmp(part, values + 2 * m.cols + each - 3, sizeof part) == 0, "%s", name);
        for (size_t i = 0; i < 24 * each; i++) {
            values[i] += 0.0f; /* one zero, not two */
        }
        char hash[32];
        snprintf(hash, sizeof hash, "%016llx",
                 (unsigned long long)golden_hash(values, 24 * each * 4));
        CHECK_MSG(strcmp(hash, cJSON_GetArrayItem(row, 2)->valuestring) == 0, "%s", name);
        struct glm_matrix q;
        const enum glm_form q_form = glm_blocks_form(type);
        const bool same = glm_blocks_keeps(&m, q_form, 32);
        const bool exact = same && q_form != GLM_FORM_LEAST;
        CHECK(glm_quantise(pool, &m, glm_blocks_form(type), 32, &q, NULL));
        for (size_t i = 0; i < 24 * each; i++) {
            glm_row_part(&q, i / m.cols, i % m.cols, 1, again);
            double off = fabs((double)again[0] - values[i]), most = 0;
            for (size_t k = i / 32 * 32; k < i / 32 * 32 + 32; k++) {
                most = fmax(most, fabs(values[k]));
            }
            CHECK_MSG(off <= (exact ? 0 : most / (same ? 1000 : 250) + 1e-5),
                      "%s: weight %zu off by %g", name, i, off);
        }
        lossless += exact;
        kept += same;
        free((void *)(uintptr_t)q.data);
        free((void *)(uintptr_t)q.scales);
    }
    CHECK(kinds == 10 && lossless == 4 && kept == 6);
    glm_pool_free(pool);
    cJSON_Delete(root);
    glmv_buf_release(&text);
}

/* Products with Q4_K as it is kept: the same bits with any kernels and for any number of rows, and
 * what the unpacked weights give, but for inputs in eight bits. */
static void test_products(void)
{
    enum { ROWS = 40, COLS = 512, N = 11 };
    static unsigned char data[ROWS * COLS / 256 * 144];
    static float x[N * COLS], row[COLS], y[N * ROWS], first[N * ROWS], one[ROWS];
    uint64_t state = 9;
    for (size_t i = 0; i < sizeof data; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        data[i] = (unsigned char)(state >> 40);
        if (i % 144 < 4) { /* both scales positive, the second larger, so that signs mix */
            static const unsigned char scales[] = {0x66, 0x06, 0x00, 0x12};
            data[i] = scales[i % 144];
        }
    }
    for (size_t i = 0; i < N * COLS; i++) {
        x[i] = (float)((int)(i * 7919 % 1013) - 506) / 300;
    }
    struct glm_pool *pool = glm_pool_new(2, NULL);
    struct glm_matrix m = {GLM_FORM_BLOCKS, ROWS, COLS, data, NULL, GLM_Q4_K}, q;
    CHECK(glm_quantise(pool, &m, GLM_FORM_LEAST, 32, &q, NULL) && q.form == GLM_FORM_LEAST);
    for (int cpu = GLM_CPU_SCALAR; cpu <= (int)glm_cpu_best(); cpu++) {
        glm_pool_choose(pool, (enum glm_cpu)cpu);
        glm_linear(pool, &q, NULL, x, N, y);
        memcpy(first, cpu == GLM_CPU_SCALAR ? y : first, sizeof first);
        CHECK_MSG(memcmp(y, first, sizeof y) == 0, "kernels %d", cpu);
        for (size_t n = 0; n < N; n++) {
            glm_linear(pool, &q, NULL, x + n * COLS, 1, one);
            CHECK_MSG(memcmp(one, y + n * ROWS, sizeof one) == 0, "kernels %d, row %zu", cpu, n);
        }
    }
    double error = 0, size = 0;
    for (size_t r = 0; r < ROWS; r++) {
        glm_row(&m, r, row);
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < COLS; k++) {
                sum += (double)row[k] * x[n * COLS + k];
            }
            error += (sum - y[n * ROWS + r]) * (sum - y[n * ROWS + r]);
            size += sum * sum;
        }
    }
    CHECK_MSG(sqrt(error / size) < 0.01, "off by %g", sqrt(error / size));
    printf("Q4_K products: off by %.2e\n", sqrt(error / size));
    free((void *)(uintptr_t)q.data);
    free((void *)(uintptr_t)q.scales);
    glm_pool_free(pool);
}

static void test_config(void)
{
    struct glmv_err err = {0};
    struct glm_config a, b;
    CHECK(glm_config_read(&a, GOLD "nano", &err));
    CHECK_MSG(glm_config_read(&b, TEXT, &err), "%s", err.message);
    CHECK(!a.text.halves && b.text.halves);
    b.text.halves = false;
    CHECK(memcmp(&a.text, &b.text, sizeof a.text) == 0);
    CHECK(memcmp(&a.vision, &b.vision, sizeof a.vision) == 0);
    CHECK(a.picture.min_area == b.picture.min_area && a.picture.max_area == b.picture.max_area);
    for (int i = 0; i < 3; i++) { /* single precision in a GGUF file */
        CHECK(fabs(a.picture.mean[i] - b.picture.mean[i]) < 1e-7);
        CHECK(fabs(a.picture.std[i] - b.picture.std[i]) < 1e-7);
    }
    CHECK(a.image_token == b.image_token && b.eos_count == 2);
    CHECK(b.eos[0] == a.eos[0] && b.eos[1] == a.eos[1]);
    CHECK_STR(b.name, "nano-Q8_0");
}

/* The same ids for the same text, the same bytes for the same ids. */
static void test_tokens(void)
{
    struct glmv_err err = {0};
    struct glm_tokenizer *a = glm_tokenizer_find(GOLD "nano", 768, &err);
    struct glm_tokenizer *b = glm_tokenizer_find(TEXT, 768, &err);
    CHECK_MSG(a != NULL && b != NULL, "%s", err.message);
    CHECK(glm_tokenizer_count(a) == glm_tokenizer_count(b));
    for (int32_t id = -1; id <= glm_tokenizer_count(a); id++) {
        size_t len[2] = {0, 0};
        const char *one = glm_tokenizer_bytes(a, id, &len[0]);
        const char *two = glm_tokenizer_bytes(b, id, &len[1]);
        CHECK_MSG((one == NULL) == (two == NULL) && len[0] == len[1] &&
                      (one == NULL || memcmp(one, two, len[0]) == 0),
                  "token %d", id);
        CHECK(glm_tokenizer_special(a, id) == glm_tokenizer_special(b, id));
    }
    struct glmv_buf text;
    CHECK(read_all(GOLD "tokens.json", &text)); /* the seeds: scripts, marks, control bytes */
    CHECK(glmv_buf_append_str(&text, "<|user|>\n<think>a</think>[gMASK]<sop>/nothink", NULL));
    uint64_t state = 5;
    for (int i = 0; i < 200000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        char byte = (char)(state >> 40);
        CHECK(glmv_buf_append(&text, &byte, 1, NULL));
    }
    for (int added = 0; added < 2; added++) {
        struct glm_ids x = {0}, y = {0};
        CHECK(glm_tokenizer_encode(a, text.data, text.len, added, &x, NULL));
        CHECK(glm_tokenizer_encode(b, text.data, text.len, added, &y, NULL));
        CHECK(x.len == y.len && memcmp(x.data, y.data, x.len * sizeof *x.data) == 0);
        glm_ids_release(&x);
        glm_ids_release(&y);
    }
    glmv_buf_release(&text);
    glm_tokenizer_close(a);
    glm_tokenizer_close(b);
}

static struct glm_matrix as_stored(const struct glm_tensor *t, size_t rows)
{
    static const enum glm_form forms[] = {GLM_FORM_F32, GLM_FORM_F16, GLM_FORM_BF16};
    return (struct glm_matrix){forms[t->type], rows, t->bytes / glm_type_size(t->type) / rows,
                               t->data,        NULL, 0};
}

/* Names, shapes and numbers are those of the checkpoint, but for the order of q's and k's rows. */
static void test_tensors(void)
{
    struct glmv_err err = {0};
    struct glm_weights a, b;
    CHECK(glm_weights_open(&a, GOLD "nano", &err));
    CHECK_MSG(glm_weights_open(&b, GOLD "gguf/bf16", &err), "%s", err.message);
    CHECK(a.count == b.count);
    for (size_t i = 0; i < a.count; i++) {
        const struct glm_tensor *t = &a.tensors[i];
        const struct glm_tensor *u = glm_weights_need(&b, t->name, t->dims, t->shape, &err);
        CHECK_MSG(u != NULL, "%s", err.message);
        bool mixed = strstr(t->name, "q_proj") != NULL || strstr(t->name, "k_proj") != NULL;
        size_t rows = (size_t)t->shape[0];
        struct glm_matrix m = as_stored(t, rows), n = as_stored(u, rows);
        float x[4096], y[4096];
        for (size_t row = 0; row < rows; row++) {
            /* heads of 16, of which 8 turn: old rows 0, 2, 4, 6, then 1, 3, 5, 7 */
            size_t in = row % 16, old = in < 4 ? 2 * in : in < 8 ? 2 * (in - 4) + 1 : in;
            glm_row(&m, mixed ? row - in + old : row, x);
            glm_row(&n, row, y);
            CHECK_MSG(memcmp(x, y, m.cols * sizeof *x) == 0, "%s, row %zu", t->name, row);
        }
    }
    glm_weights_close(&a);
    glm_weights_close(&b);
}

/* Against the reference on the same numbers. What is left of an error with quantised weights comes
 * from the inputs, which are rounded to eight bits. */
static void test_conversations(void)
{
    char cache[] = "/tmp/glmv-packs-XXXXXX", command[64];
    CHECK(mkdtemp(cache) != NULL && setenv("XDG_CACHE_HOME", cache, 1) == 0);
    conversation(GOLD "gguf/bf16", "bf16", GOLD "stages.safetensors", 1e-5);
    conversation_as(GOLD "gguf/bf16", "bf16", GOLD "stages.safetensors", 1e-3, true);
    conversation(GOLD "gguf/q8_0", NULL, GOLD "gguf/q8_0/stages.safetensors", 1e-5);
    conversation(GOLD "gguf/q4_0", NULL, GOLD "gguf/q4_0/stages.safetensors", 1e-5);
    for (int i = 0; i < 2; i++) { /* the pack is made, then found */
        conversation(GOLD "gguf/q8_0", "bf16", GOLD "gguf/q8_0/stages.safetensors", 0.05);
        conversation(GOLD "gguf/q4_0", "bf16", GOLD "gguf/q4_0/stages.safetensors", 0.05);
    }
    /* what is in 8 bits already is not rounded again */
    double as_is = conversation(GOLD "gguf/q8_0", "bf16", GOLD "stages.safetensors", 0.05);
    double int8 = conversation(GOLD "gguf/q8_0", "int8", GOLD "stages.safetensors", 0.05);
    CHECK(as_is == int8);
    conversation(GOLD "gguf/q4_0", "int4", GOLD "gguf/q4_0/stages.safetensors", 0.05);
    conversation(GOLD "gguf/q8_0", "int4", GOLD "gguf/q8_0/stages.safetensors", 0.6);
    snprintf(command, sizeof command, "rm -r %s", cache);
    CHECK(system(command) == 0);
}

static void answer(const char *where, struct glmv_chat_result *result)
{
    struct glmv_err err = {0};
    struct glmv_chat *chat = glmv_chat_open(where, NULL, &err);
    CHECK_MSG(chat != NULL, "%s", err.message);
    struct glmv_image *image = test_picture(120, 80);
    struct glmv_chat_chunk chunks[] = {glmv_chat_image(image), glmv_chat_text("What is it?")};
    struct glmv_chat_message message = {GLMV_CHAT_USER, chunks, 2, NULL, 0, NULL};
    struct glmv_chat_options options = glmv_chat_defaults();
    options.max_tokens = 32;
    options.temperature = 0;
    options.thinking = GLMV_CHAT_THINK_OFF;
    bool ok = chat != NULL && glmv_chat_complete(chat, &message, 1, &options, NULL, result, &err);
    CHECK_MSG(ok, "%s: %s", where, err.message);
    glmv_image_free(image);
    glmv_chat_close(chat);
}

/* What a person gets from the files is what the folder gives them. */
static void test_answers(void)
{
    struct glmv_chat_result a = {0}, b = {0};
    answer(GOLD "nano", &a);
    answer(GOLD "gguf/bf16/nano-BF16.gguf", &b);
    CHECK(a.usage.prompt_tokens == b.usage.prompt_tokens && a.text.len > 0);
    CHECK(a.usage.completion_tokens == b.usage.completion_tokens);
    CHECK(a.text.len == b.text.len && memcmp(a.text.data, b.text.data, a.text.len) == 0);
    glmv_chat_result_release(&a);
    glmv_chat_result_release(&b);
}

static void fails_with(const char *where, const char *part)
{
    struct glmv_err err = {0};
    struct glm_config config;
    CHECK(!glm_config_read(&config, where, &err));
    CHECK_MSG(strstr(err.message, part) != NULL, "%s: '%s'", where, err.message);
}

static void link_here(const char *from, const char *folder, const char *name)
{
    char to[300], at[4096];
    snprintf(to, sizeof to, "%s/%s", folder, name);
    CHECK(realpath(from, at) != NULL && symlink(at, to) == 0);
}

/* Which file belongs to which, and what is said where one is missing. */
static void test_finding(void)
{
    char folder[] = "/tmp/glmv-gguf-XXXXXX", path[300], command[64];
    struct glmv_err err = {0};
    struct glm_gguf_pair pair;
    CHECK(mkdtemp(folder) != NULL);
    CHECK(!glm_gguf_here(folder) && !glm_gguf_here("nowhere.gguf"));
    fails_with(GOLD "gguf/q8_0/mmproj-nano-Q8_0.gguf", "part that reads pictures");
    link_here(TEXT, folder, "Nano-Q8_0.gguf");
    CHECK(glm_gguf_here(folder));
    fails_with(folder, "no mmproj-*.gguf beside");
    link_here(GOLD "gguf/bf16/mmproj-nano-BF16.gguf", folder, "mmproj-other-BF16.gguf");
    link_here(GOLD "gguf/q8_0/mmproj-nano-Q8_0.gguf", folder, "mmproj-nano-Q8_0.gguf");
    snprintf(path, sizeof path, "%s/Nano-Q8_0.gguf", folder);
    CHECK(glm_gguf_here(path) && glm_gguf_pair_open(&pair, path, &err));
    CHECK(strstr(pair.tower.path, "/mmproj-nano-Q8_0.gguf") != NULL);
    glm_gguf_pair_close(&pair);
    link_here(TEXT, folder, "nano-copy.gguf");
    fails_with(folder, "2 text models here: Nano-Q8_0.gguf, nano-copy.gguf");
    /* a tower that is no tower, a text model of another kind */
    snprintf(path, sizeof path, "%s/mmproj-nano-Q8_0.gguf", folder);
    CHECK(unlink(path) == 0);
    link_here(TEXT, folder, "mmproj-nano-Q8_0.gguf");
    snprintf(path, sizeof path, "%s/nano-copy.gguf", folder);
    fails_with(path, "not the picture part");
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
}

/* Cut anywhere, with any byte of its head changed: refused or read, never out of bounds. */
static void test_damage(void)
{
    struct glmv_buf text;
    struct glm_gguf file;
    CHECK(read_all(TEXT, &text));
    CHECK(glm_gguf_parse(&file, (const unsigned char *)text.data, text.len, "x", NULL));
    const size_t head = (size_t)(file.tensors[0].data - (const unsigned char *)text.data);
    glm_gguf_close(&file);
    unsigned char *bytes = malloc(text.len);
    for (size_t len = 0; len < text.len; len += len < 2000 ? 1 : 997) {
        unsigned char *cut = malloc(len + 1);
        memcpy(cut, text.data, len);
        CHECK_MSG(!glm_gguf_parse(&file, cut, len, "x", NULL), "%zu bytes", len);
        glm_gguf_close(&file);
        free(cut);
    }
    for (size_t at = 0; at < head; at += at < 2000 || at > head - 4000 ? 1 : 61) {
        struct glm_gguf_pair pair = {0};
        struct glm_config config;
        memcpy(bytes, text.data, text.len);
        bytes[at] ^= (unsigned char)(1u << at % 8);
        if (glm_gguf_parse(&pair.text, bytes, text.len, "x", NULL)) {
            struct glm_weights weights = {0};
            glm_gguf_parse(&pair.tower, bytes, text.len, "x", NULL);
            glm_gguf_config(&pair, &config, NULL);
            glm_gguf_weights(&pair, &weights, NULL);
            glm_tokenizer_close(glm_gguf_tokenizer(&pair.text, 768, NULL));
            glm_weights_close(&weights);
        }
        glm_gguf_pair_close(&pair);
    }
    free(bytes);
    glmv_buf_release(&text);
}

int main(void)
{
    test_blocks();
    test_products();
    test_config();
    test_tokens();
    test_tensors();
    test_conversations();
    test_answers();
    test_finding();
    test_damage();
    TEST_END();
}
