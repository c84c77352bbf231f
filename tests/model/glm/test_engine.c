/* The engine as the program meets it, and lying checkpoints. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "model/chat.h"
#include "model/glm/codes.h"
#include "model/glm/config.h"
#include "model/glm/engine.h"
#include "model/glm/glm.h"
#include "model/glm/pack.h"
#include "model/glm/picture.h"
#include "model/glm/pool.h"
#include "model/glm/prompt.h"
#include "model/glm/sample.h"
#include "model/glm/tokenizer.h"
#include "model/glm/weights.h"
#include "tests/check.h"

#define NANO "tests/model/glm/golden/nano"

static void hear(void *arg, const char *text, size_t len)
{
    glmv_buf_append(arg, text, len, NULL);
}

static void ask(struct glmv_chat *chat, const struct glmv_image *image, const char *question,
                int64_t seed, struct glmv_chat_result *result, struct glmv_buf *heard)
{
    struct glmv_err err = {0};
    struct glmv_chat_chunk chunks[] = {glmv_chat_image(image), glmv_chat_text(question)};
    struct glmv_chat_message message = {GLMV_CHAT_USER, chunks, 2, NULL, 0, NULL};
    struct glmv_chat_options options = glmv_chat_defaults();
    struct glmv_chat_watch watch = {.text = hear, .arg = heard};
    options.max_tokens = 24;
    options.seed = seed;
    options.temperature = 1.5;
    options.top_k = 20;
    options.top_p = 0.95;
    options.thinking = GLMV_CHAT_THINK_OFF;
    bool ok = glmv_chat_complete(chat, &message, 1, &options, &watch, result, &err);
    CHECK_MSG(ok, "%s", err.message);
}

static void test_conversation(void)
{
    struct glmv_err err = {0};
    struct glmv_chat *chat = glmv_chat_open(NANO, NULL, &err);
    CHECK_MSG(chat != NULL, "%s", err.message);
    if (chat == NULL) {
        return;
    }
    struct glmv_image *image = glmv_image_new(120, 80, NULL);
    struct glmv_chat_result r[4];
    struct glmv_buf heard;
    glmv_buf_init(&heard, 1 << 20);
    ask(chat, image, "What is <|user|> here?", 5, &r[0], &heard);
    CHECK(heard.len == r[0].text.len && memcmp(heard.data, r[0].text.data, heard.len) == 0);
    CHECK(r[0].usage.cached_tokens == 0 && r[0].usage.prompt_tokens > 12);
    CHECK(r[0].usage.completion_tokens > 0 && r[0].usage.completion_tokens <= 24);
    ask(chat, image, "What is <|user|> here?", 5, &r[1], &heard);
    CHECK(r[1].usage.cached_tokens == r[1].usage.prompt_tokens - 1);
    CHECK_MSG(strcmp(r[0].text.data, r[1].text.data) == 0, "the memory changed the answer");
    ask(chat, image, "What is <|user|> here?", 6, &r[2], &heard);
    CHECK_MSG(strcmp(r[0].text.data, r[2].text.data) != 0, "the seed changes nothing");
    image->rgba[40] = 200;
    ask(chat, image, "What is <|user|> here?", 5, &r[3], &heard);
    CHECK_MSG(r[3].usage.cached_tokens < 8, "another picture, same memory: %lld",
              (long long)r[3].usage.cached_tokens);
    for (int i = 0; i < 4; i++) {
        glmv_chat_result_release(&r[i]);
    }
    atomic_bool stop;
    atomic_init(&stop, true);
    struct glmv_chat_options options = glmv_chat_defaults();
    options.cancel = &stop;
    struct glmv_chat_chunk chunk = glmv_chat_text("x");
    struct glmv_chat_message message = {GLMV_CHAT_USER, &chunk, 1, NULL, 0, NULL};
    CHECK(!glmv_chat_complete(chat, &message, 1, &options, NULL, &r[0], &err));
    CHECK(err.code == GLMV_ERR_CANCELLED);
    glmv_chat_result_release(&r[0]);
    glmv_buf_release(&heard);
    glmv_image_free(image);
    glmv_chat_close(chat);
}

/* A thought that used up its budget is closed; text and thought are told apart. */
static void test_budget(void)
{
    struct glm_tokenizer *t = glm_tokenizer_open(NANO "/tokenizer.json", 768, NULL);
    struct glmv_chat_options options = glmv_chat_defaults();
    struct glmv_chat_watch watch = {0};
    struct glmv_chat_result r = {0};
    struct glm_speaker s;
    int32_t think = glm_tokenizer_added(t, "<think>"), end = glm_tokenizer_added(t, "</think>");
    glmv_buf_init(&r.text, 4096);
    glmv_buf_init(&r.reasoning, 4096);
    options.think_budget = 3;
    glm_speaker_init(&s, t, &options, &watch, &r);
    CHECK(glm_speaker_forced(&s) < 0 && glm_speaker_token(&s, think, NULL));
    for (int32_t i = 0; i < 3; i++) {
        CHECK_MSG(glm_speaker_forced(&s) < 0, "closed after %d tokens", i);
        CHECK(glm_speaker_token(&s, 40 + i, NULL));
    }
    CHECK(glm_speaker_forced(&s) == end);
    CHECK(glm_speaker_token(&s, end, NULL) && glm_speaker_forced(&s) < 0);
    CHECK(glm_speaker_token(&s, 50, NULL) && glm_speaker_end(&s, NULL));
    CHECK(r.reasoning.len > 0 && r.text.len > 0);
    glm_speaker_release(&s);
    glmv_chat_result_release(&r);
    glm_tokenizer_close(t);
}

/* Marks of boxes, pictures and people cannot be said, whatever the model wants; marks of ends,
 * thoughts and calls can. */
static void test_bans(void)
{
    static const char *const never[] = {"<|begin_of_box|>",   "<|end_of_box|>", "<|image|>",
                                        "<|video|>",          "[gMASK]",        "<sop>",
                                        "<|begin_of_image|>", "<|system|>",     "<|assistant|>",
                                        "<|code_prefix|>"};
    static const char *const may[] = {"<think>",  "</think>",      "<tool_call>",
                                      "<|user|>", "<|endoftext|>", "<|observation|>"};
    struct glmv_err err = {0};
    struct glm_engine *e = glmv_chat_engine.open(NANO, NULL, "cpu", &err);
    CHECK_MSG(e != NULL, "%s", err.message);
    for (size_t i = 0; e != NULL && i < sizeof never / sizeof never[0]; i++) {
        int32_t id = glm_tokenizer_added(e->tokenizer, never[i]);
        CHECK_MSG(id >= 0 && e->banned[id], "%s may be said", never[i]);
    }
    for (size_t i = 0; e != NULL && i < sizeof may / sizeof may[0]; i++) {
        int32_t id = glm_tokenizer_added(e->tokenizer, may[i]);
        CHECK_MSG(id >= 0 && !e->banned[id], "%s may not be said", may[i]);
    }
    CHECK(e == NULL || e->banned[767]); /* a row without a token */
    glmv_chat_engine.close(e);
}

/* Three pictures, two of them the same: each is read once, an answer depends on their order, and a
 * conversation that goes on reuses all of it. */
static void test_pictures(void)
{
    struct glmv_err err = {0};
    struct glm_engine *e = glmv_chat_engine.open(NANO, NULL, "cpu", &err);
    struct glmv_image *a = glmv_image_new(60, 90, NULL), *b = glmv_image_new(200, 40, NULL);
    memset(a->rgba, 200, (size_t)a->width * (size_t)a->height * 4);
    memset(b->rgba, 90, (size_t)b->width * (size_t)b->height * 4);
    struct glmv_chat_chunk parts[] = {glmv_chat_image(a), glmv_chat_text(" and "),
                                      glmv_chat_image(b), glmv_chat_image(a),
                                      glmv_chat_text("compare")};
    struct glmv_chat_chunk turned[] = {parts[2], parts[1], parts[0], parts[3], parts[4]};
    struct glmv_chat_message m[] = {{GLMV_CHAT_USER, parts, 5, NULL, 0, NULL},
                                    {GLMV_CHAT_ASSISTANT, &parts[1], 1, NULL, 0, NULL},
                                    {GLMV_CHAT_USER, &parts[4], 1, NULL, 0, NULL}};
    struct glmv_chat_options options = glmv_chat_defaults();
    struct glmv_chat_watch watch = {0};
    struct glmv_chat_result r[3];
    options.temperature = 0;
    options.max_tokens = 12;
    options.thinking = GLMV_CHAT_THINK_OFF;
    memset(r, 0, sizeof r);
    for (int i = 0; i < 3; i++) {
        glmv_buf_init(&r[i].text, 4096);
        glmv_buf_init(&r[i].reasoning, 4096);
    }
    CHECK_MSG(glmv_chat_engine.complete(e, m, 1, &options, &watch, &r[0], &err), "%s", err.message);
    size_t read = 0;
    for (size_t i = 0; i < sizeof e->sights / sizeof e->sights[0]; i++) {
        read += e->sights[i].rows != NULL ? 1 : 0;
    }
    CHECK_MSG(read == 2, "%zu pictures read, 2 are different", read);
    CHECK(glmv_chat_engine.complete(e, m, 3, &options, &watch, &r[1], &err));
    CHECK_MSG(r[1].usage.cached_tokens + 4 > r[0].usage.prompt_tokens - 4,
              "%lld of %lld tokens reused", (long long)r[1].usage.cached_tokens,
              (long long)r[0].usage.prompt_tokens);
    m[0].chunks = turned;
    CHECK(glmv_chat_engine.complete(e, m, 1, &options, &watch, &r[2], &err));
    CHECK(r[2].usage.prompt_tokens == r[0].usage.prompt_tokens);
    CHECK_MSG(r[2].usage.cached_tokens < 8, "the order of pictures was not seen");
    for (int i = 0; i < 3; i++) {
        glmv_chat_result_release(&r[i]);
    }
    glmv_image_free(a);
    glmv_image_free(b);
    glmv_chat_engine.close(e);
}

/* Pictures of absurd sizes: an error that says what to do, or patches within the limit. */
static void test_sizes(void)
{
    static const struct {
        int w, h;
        bool fits;
    } sizes[] = {{1, 1, true},      {1, 200, true},       {1, 30000, false},  {30000, 1, false},
                 {28, 5601, false}, {20000, 20000, true}, {65535, 400, true}, {2, 65535, false}};
    struct glm_config config;
    CHECK(glm_config_read(&config, NANO, NULL));
    config.picture.min_area = 12544; /* the published ones */
    config.picture.max_area = 9633792;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct glmv_err err = {0};
        int w = 0, h = 0;
        bool ok = glm_picture_size(&config, sizes[i].w, sizes[i].h, &w, &h, &err);
        CHECK_MSG(ok == sizes[i].fits, "%dx%d: %s", sizes[i].w, sizes[i].h, err.message);
        CHECK(ok ? w % 28 == 0 && h % 28 == 0 && w > 0 && h > 0 && (double)w * h * 2 <= 9633792
                 : strstr(err.message, "cut it into parts") != NULL);
    }
}

/* Greedy or sampled, with and without guesses: the same text. Random weights repeat nothing by
 * themselves, so the earlier answer that guesses come from is the same one, from the plain run. */
static void test_guessing(void)
{
    struct glmv_err err = {0};
    struct glmv_chat *chat = glmv_chat_open(NANO, NULL, &err);
    CHECK_MSG(chat != NULL, "%s", err.message);
    static const double temperatures[] = {0, 0.2, 0.7, 1.5};
    int64_t steps = 0, tokens = 0;
    for (size_t i = 0; chat != NULL && i < 8; i++) {
        struct glmv_chat_result r[2];
        for (int plain = 1; plain >= 0; plain--) {
            struct glmv_chat_chunk a = glmv_chat_text("make a page"),
                                   b = glmv_chat_text("<p>one two three</p>\n<p>four</p>");
            struct glmv_chat_message m[] = {{GLMV_CHAT_USER, &a, 1, NULL, 0, NULL},
                                            {GLMV_CHAT_ASSISTANT, &b, 1, NULL, 0, NULL},
                                            {GLMV_CHAT_USER, &a, 1, NULL, 0, NULL}};
            struct glmv_chat_options options = glmv_chat_defaults();
            options.temperature = temperatures[i / 2];
            options.repetition_penalty = i % 2 == 0 ? 1 : 1.1;
            options.top_k = 20;
            options.max_tokens = 180;
            options.seed = (int64_t)i;
            options.thinking = GLMV_CHAT_THINK_OFF;
            options.plain_decoding = plain == 1;
            CHECK(glmv_chat_complete(chat, m, 3, &options, NULL, &r[plain], &err));
        }
        CHECK_MSG(r[0].text.len == r[1].text.len &&
                      memcmp(r[0].text.data, r[1].text.data, r[0].text.len) == 0 &&
                      r[0].usage.completion_tokens == r[1].usage.completion_tokens,
                  "guessing changed the answer, case %zu", i);
        CHECK(r[1].steps + 1 >= r[1].usage.completion_tokens);
        steps += r[0].steps;
        tokens += r[0].usage.completion_tokens;
        glmv_chat_result_release(&r[0]);
        glmv_chat_result_release(&r[1]);
    }
    printf("%lld tokens in %lld steps\n", (long long)tokens, (long long)steps);
    CHECK_MSG(steps < tokens * 9 / 10, "no guess held: %lld tokens in %lld steps",
              (long long)tokens, (long long)steps);
    glmv_chat_close(chat);
}

/* A header and some data as a file in memory. */
static bool parse(const char *header, size_t data, struct glmv_err *err)
{
    unsigned char *file = calloc(1, 8 + strlen(header) + data);
    struct glm_weights w = {0};
    file[0] = (unsigned char)strlen(header);
    memcpy(file + 8, header, strlen(header));
    bool ok = glm_weights_parse(&w, file, 8 + strlen(header) + data, "x", err) &&
              glm_weights_finish(&w, err);
    glm_weights_close(&w);
    free(file);
    return ok;
}

static void test_lies(void)
{
    static const char *const lies[] = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
        "{\"a\":{\"dtype\":\"Q9\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,2],\"data_offsets\":[0,8]}}",
        "{\"a\":7}",
        "[]",
        "{",
        ""};
    CHECK(parse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, NULL));
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct glmv_err err = {0};
        CHECK_MSG(!parse(lies[i], 8, &err), "believed %s", lies[i]);
        CHECK(err.message[0] != '\0');
    }
    struct glm_config c;
    CHECK(!glm_config_parse(&c, "{\"model_type\":\"llama\"}", NULL, NULL, "x", NULL));
    CHECK(!glm_config_parse(&c, "{\"model_type\":\"glm4v\",\"vision_config\":{}}", NULL, NULL, "x",
                            NULL));
    CHECK(glm_tokenizer_parse("{\"model\":{\"vocab\":{\"a\":900},\"merges\":[]}}", 42, 100, "x",
                              NULL) == NULL);
    CHECK(glm_tokenizer_parse("{\"model\":{\"vocab\":{\"a\":1},\"merges\":[\"a b\"]}}", 46, 100,
                              "x", NULL) == NULL);
}

/* Every cut and many flipped bytes of a real file: an error or a set of tensors, never a crash. */
static void test_damage(void)
{
    struct glmv_buf file;
    glmv_buf_init(&file, 1 << 22);
    CHECK(glmv_file_read(NANO "-old/model.safetensors", file.max, &file, NULL));
    uint32_t random = 1;
    for (int i = 0; i < 3000; i++) {
        struct glm_weights w = {0};
        random = random * 1664525u + 1013904223u;
        size_t at = random % 7000;
        char old = file.data[at];
        file.data[at] = (char)(random >> 24);
        size_t len = i % 3 == 0 ? at : file.len;
        CHECK(glm_weights_parse(&w, (unsigned char *)file.data, len, "x", NULL) || w.count < 100);
        glm_weights_finish(&w, NULL);
        glm_weights_close(&w);
        file.data[at] = old;
    }
    glmv_buf_release(&file);
}

/* A pack that was cut, changed or made for something else is not used. */
static void test_pack(void)
{
    struct glmv_err err = {0};
    struct glm_pool *pool = glm_pool_new(1, NULL);
    float weights[4 * 96];
    for (size_t i = 0; i < 4 * 96; i++) {
        weights[i] = (float)(int)(i * 37 % 101 - 50) / 50;
    }
    struct glm_store store = {GLM_FORM_INT4, 32};
    struct glm_matrix a = {GLM_FORM_F32, 4, 96, weights, NULL, 0}, b = a;
    const struct glm_part list[] = {{&a, {GLM_FORM_INT4, 32}}, {&b, {GLM_FORM_INT8, 32}}};
    char path[] = "/tmp/glmv-pack-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK_MSG(glm_pack_write(pool, path, 77, store, list, 2, &err), "%s", err.message);
    struct glmv_buf file;
    glmv_buf_init(&file, 1 << 20);
    CHECK(glmv_file_read(path, file.max, &file, NULL));
    unsigned char *bytes = aligned_alloc(64, (file.len + 63) / 64 * 64);
    memcpy(bytes, file.data, file.len);
    CHECK(glm_pack_parse(bytes, file.len, "x", 77, store, list, 2, &err));
    CHECK(a.form == GLM_FORM_INT4 && b.form == GLM_FORM_INT8 && a.data != NULL);
    float row[96];
    glm_row(&b, 3, row);
    for (size_t i = 0; i < 96; i++) {
        CHECK(fabsf(row[i] - weights[3 * 96 + i]) < 0.005f);
    }
    CHECK(!glm_pack_parse(bytes, file.len, "x", 78, store, list, 2, NULL));
    CHECK(!glm_pack_parse(bytes, file.len, "x", 77, store, list, 1, NULL));
    store.group = 128;
    CHECK(!glm_pack_parse(bytes, file.len, "x", 77, store, list, 2, NULL));
    store.group = 32;
    a.rows = 5;
    CHECK(!glm_pack_parse(bytes, file.len, "x", 77, store, list, 2, NULL));
    a.rows = 4;
    for (size_t len = 0; len < file.len; len++) {
        CHECK(!glm_pack_parse(bytes, len, "x", 77, store, list, 2, NULL));
    }
    for (size_t at = 0; at < (8 + 2 * 6) * 8; at++) {
        bytes[at] ^= 4;
        CHECK_MSG(!glm_pack_parse(bytes, file.len, "x", 77, store, list, 2, NULL), "byte %zu", at);
        bytes[at] ^= 4;
    }
    unlink(path);
    free(bytes);
    glmv_buf_release(&file);
    glm_pool_free(pool);
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK(glmv_file_write(path, text, strlen(text), NULL));
}

/* A model by its name, in a cache laid out as Hugging Face's tools do. */
static void test_find(void)
{
    char cache[] = "/tmp/glmv-hub-XXXXXX", path[512], found[512], command[64];
    struct glmv_err err = {0};
    CHECK(mkdtemp(cache) != NULL && setenv("HF_HUB_CACHE", cache, 1) == 0);
    CHECK(glmv_glm_known("glm-4.6v-flash") && glmv_glm_known("zai-org/GLM-4.1V-9B-Thinking"));
    CHECK(!glmv_glm_known("glm-4.6v") && !glmv_glm_known("../glm-4.6v-flash"));
    CHECK(!glmv_glm_find("glm-4.6v-flash", found, sizeof found, &err));
    CHECK(err.code == GLMV_ERR_MISSING && strstr(err.message, "hf download") != NULL);
    static const char *const folders[] = {"", "/refs", "/snapshots", "/snapshots/0a1b"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/models--zai-org--GLM-4.6V-Flash%s", cache, folders[i]);
        CHECK(mkdir(path, 0700) == 0);
    }
    snprintf(path, sizeof path, "%s/models--zai-org--GLM-4.6V-Flash", cache);
    put_file(path, "refs/main", "0a1b\n");
    CHECK(glmv_glm_find("GLM-4.6V-Flash", found, sizeof found, NULL));
    CHECK(strstr(found, "/snapshots/0a1b") != NULL);
    put_file(path, "refs/main", "../../..");
    CHECK(!glmv_glm_find("GLM-4.6V-Flash", found, sizeof found, NULL));
    unsetenv("HF_HUB_CACHE");
    snprintf(command, sizeof command, "rm -r %s", cache);
    CHECK(system(command) == 0);
}

static void test_loops(void)
{
    int32_t ids[600];
    for (int i = 0; i < 600; i++) {
        ids[i] = i % 40;
    }
    CHECK(glm_loops(ids, 600) && !glm_loops(ids, 150));
    ids[590] = 99;
    CHECK(!glm_loops(ids, 600));
}

/* Products of odd sizes. Quantised ones have the same bits with every kernel; all have the same
 * bits whether one row is taken at a time or many. */
static void test_kernels(void)
{
    enum {
        ROWS = 37,
        COLS = 1120,
        N = GLM_WIDE_ROWS + 23
    }; /* more than a block of glm_wide, more rows than it takes at a time, rests of all kinds */
    static const struct glm_store stores[] = {
        {GLM_FORM_F32, 0},    {GLM_FORM_F16, 0},   {GLM_FORM_BF16, 0},  {GLM_FORM_INT8, 32},
        {GLM_FORM_INT8, 128}, {GLM_FORM_INT4, 32}, {GLM_FORM_INT4, 128}};
    static float w[ROWS * COLS], x[N * COLS], first[N * ROWS], y[N * ROWS], one[N * ROWS];
    static uint16_t half[ROWS * COLS];
    struct glm_pool *pool = glm_pool_new(2, NULL);
    uint32_t random = 5;
    for (size_t i = 0; i < ROWS * COLS; i++) {
        random = random * 1664525u + 1013904223u;
        w[i] = (float)((int)(random >> 20) - 2048) / 4096;
    }
    for (size_t i = 0; i < N * COLS; i++) {
        random = random * 1664525u + 1013904223u;
        x[i] = (float)((int)(random >> 8 & 4095) - 2048) / 1024;
    }
    for (size_t s = 0; s < sizeof stores / sizeof stores[0]; s++) {
        const struct glm_store *store = &stores[s];
        struct glm_matrix m = {GLM_FORM_F32, ROWS, COLS, w, NULL, 0}, plain = m;
        bool packed = store->form >= GLM_FORM_INT8;
        CHECK(glm_pool_fit(pool, COLS, NULL));
        if (packed) {
            CHECK(glm_quantise(pool, &plain, store->form, store->group, &m, NULL));
        } else if (store->form != GLM_FORM_F32) {
            for (size_t i = 0; i < ROWS * COLS; i++) {
                uint32_t bits;
                memcpy(&bits, &w[i], 4);
                half[i] = store->form == GLM_FORM_F16 ? glm_half_from_float(w[i])
                                                      : (uint16_t)(bits >> 16);
            }
            m.form = store->form;
            m.data = half;
        }
        for (int cpu = GLM_CPU_SCALAR; cpu <= (int)glm_cpu_best(); cpu++) {
            glm_pool_choose(pool, (enum glm_cpu)cpu);
            glm_linear(pool, &m, NULL, x, N, y);
            for (size_t n = 0; n < N; n += 1 + n % 3) {
                size_t count = N - n < 1 + n % 3 ? N - n : 1 + n % 3;
                glm_linear(pool, &m, NULL, x + n * COLS, count, one + n * ROWS);
            }
            CHECK_MSG(memcmp(y, one, sizeof y) == 0, "store %zu, kernels %d: rows", s, cpu);
            if (cpu == GLM_CPU_SCALAR) {
                memcpy(first, y, sizeof y);
            }
            bool rounded = cpu == GLM_CPU_BF16 && store->form == GLM_FORM_BF16;
            for (size_t i = 0; i < N * ROWS; i++) {
                CHECK_MSG(
                    packed ? y[i] == first[i] : fabsf(y[i] - first[i]) < (rounded ? 0.3f : 5e-4f),
                    "store %zu, kernels %d: %g, not %g", s, cpu, (double)y[i], (double)first[i]);
            }
        }
        if (packed) {
            free((void *)(uintptr_t)m.data);
            free((void *)(uintptr_t)m.scales);
        }
    }
    glm_pool_free(pool);
}

/* Inputs as codes: the same with every kernel, also where they are no numbers. */
static void test_codes(void)
{
    enum { COLS = 192 };
    float x[COLS], scale[COLS / 32], want_scale[COLS / 32];
    int8_t code[COLS], want[COLS];
    int32_t fix[COLS / 32], want_fix[COLS / 32];
    struct glm_pool *pool = glm_pool_new(1, NULL);
    uint32_t random = 3;
    for (int turn = 0; turn < 200; turn++) {
        for (size_t i = 0; i < COLS; i++) {
            random = random * 1664525u + 1013904223u;
            x[i] = ldexpf((float)((int)(random >> 8 & 511) - 256), (int)(random >> 28) - turn % 40);
        }
        x[turn % COLS] = turn % 7 == 0 ? NAN : turn % 7 == 1 ? INFINITY : x[turn % COLS];
        for (size_t i = 0; i < 32 && turn % 5 == 0; i++) {
            x[32 + i] = 0;
        }
        const size_t per = turn % 3 == 0 ? 4 : 1; /* the last group of 128 is half of one */
        memset(scale, 0, sizeof scale);
        memset(want_scale, 0, sizeof want_scale);
        memset(fix, 0, sizeof fix);
        memset(want_fix, 0, sizeof want_fix);
        glm_code_row(x, COLS, turn % 2 == 0, per, want, want_scale, want_fix);
        for (int cpu = GLM_CPU_SCALAR; cpu <= (int)glm_cpu_best(); cpu++) {
            glm_pool_choose(pool, (enum glm_cpu)cpu);
            glm_pool_kernels(pool)->code(x, COLS, turn % 2 == 0, per, code, scale, fix);
            CHECK_MSG(memcmp(code, want, sizeof code) == 0 &&
                          memcmp(fix, want_fix, sizeof fix) == 0,
                      "turn %d, kernels %d", turn, cpu);
            for (size_t g = 0; g < COLS / 32; g++) {
                CHECK(scale[g] == want_scale[g] || (isnan(scale[g]) && isnan(want_scale[g])));
            }
        }
    }
    glm_pool_free(pool);
}

/* Attention with every kernel, query by query and all at once, over more keys than are held at a
 * time. */
static void test_attention(void)
{
    enum { N = 11, HEADS = 6, GROUP = 3, DIM = 20, FIRST = 290, ROOM = 320 };
    static float q[N * HEADS * DIM], k[2 * ROOM * DIM], v[2 * ROOM * DIM], plain[2 * ROOM * DIM];
    static float out[N * HEADS * DIM], want[N * HEADS * DIM], one[N * HEADS * DIM];
    struct glm_pool *pool = glm_pool_new(2, NULL);
    uint32_t random = 9;
    for (size_t head = 0; head < 2; head++) {
        for (size_t i = 0; i < ROOM * DIM; i++) {
            random = random * 1664525u + 1013904223u;
            plain[head * ROOM * DIM + i] = (float)((int)(random >> 20) - 2048) / 1024;
            v[head * ROOM * DIM + i] = (float)((int)(random >> 8 & 4095) - 2048) / 1024;
            q[i % (N * HEADS * DIM)] = plain[head * ROOM * DIM + i] * 1.5f;
        }
        glm_keys_put(k + head * ROOM * DIM, DIM, 0, plain + head * ROOM * DIM, DIM, ROOM);
    }
    struct glm_attention a = {q,          k,          v,           out,   N,           HEADS,
                              GROUP,      DIM,        HEADS * DIM, DIM,   HEADS * DIM, DIM,
                              ROOM * DIM, ROOM * DIM, DIM,         FIRST, 1,           false};
    static uint16_t k_half[2 * ROOM * DIM], v_half[2 * ROOM * DIM];
    for (int cpu = GLM_CPU_SCALAR; cpu <= (int)glm_cpu_best(); cpu++) {
        glm_pool_choose(pool, (enum glm_cpu)cpu);
        a.q = q, a.out = out, a.n = N, a.first = FIRST;
        glm_attend(pool, &a);
        for (size_t i = 0; i < N; i++) {
            a.q = q + i * HEADS * DIM, a.out = one + i * HEADS * DIM, a.n = 1, a.first = FIRST + i;
            glm_attend(pool, &a);
        }
        CHECK_MSG(memcmp(out, one, sizeof out) == 0, "kernels %d: one query and many", cpu);
        /* these numbers are half floats as they are: the same bits */
        for (size_t head = 0; head < 2; head++) {
            glm_keys_put_half(pool, k_half + head * ROOM * DIM, DIM, 0, plain + head * ROOM * DIM,
                              DIM, ROOM);
        }
        glm_halve(pool, v, 2 * ROOM * DIM, v_half);
        a.q = q, a.out = one, a.n = N, a.first = FIRST, a.half = true, a.k = k_half, a.v = v_half;
        glm_attend(pool, &a);
        CHECK_MSG(memcmp(out, one, sizeof out) == 0, "kernels %d: half floats", cpu);
        a.half = false, a.k = k, a.v = v;
        if (cpu == GLM_CPU_SCALAR) {
            memcpy(want, out, sizeof out);
        }
        for (size_t i = 0; i < N * HEADS * DIM; i++) {
            CHECK_MSG(fabsf(out[i] - want[i]) < 2e-5f, "kernels %d: %g, not %g", cpu,
                      (double)out[i], (double)want[i]);
        }
    }
    glm_pool_free(pool);
}

int main(void)
{
    test_kernels();
    test_codes();
    test_attention();
    test_lies();
    test_damage();
    test_pack();
    test_find();
    test_loops();
    test_budget();
    test_bans();
    test_pictures();
    test_sizes();
    test_conversation();
    test_guessing();
    TEST_END();
}
