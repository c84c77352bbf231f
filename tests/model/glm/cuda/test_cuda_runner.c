/*
 * The engine on a device, end to end, against the processor. The driver is the fake one (fake.h),
 * or with the argument "real" the one of the machine.
 */
#include <dirent.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "model/chat.h"
#include "model/glm/cuda/cuda.h"
#include "model/glm/cuda/patches.h"
#include "model/glm/cuda/upload.h"
#include "model/glm/device.h"
#include "model/glm/glm.h"
#include "tests/check.h"

#define NANO "tests/model/glm/golden/nano"
#define GGUF "tests/model/glm/golden/gguf/q8_0"

static bool real;

struct said {
    char text[4096];
    struct glmv_chat_usage usage;
    int64_t steps;
};

/* One question with a picture, after a short conversation. */
static struct said ask(struct glmv_chat *chat, const struct glmv_chat_options *given, bool plain)
{
    struct glmv_err err = {0};
    struct glmv_image *image = glmv_image_new(60, 50, NULL);
    memset(image->rgba, 180, (size_t)image->width * (size_t)image->height * 4);
    struct glmv_chat_chunk a[] = {glmv_chat_image(image), glmv_chat_text("make a page")},
                           b[] = {glmv_chat_text("<p>one two three</p>\n<p>four</p>")};
    struct glmv_chat_message m[] = {{GLMV_CHAT_USER, a, 2, NULL, 0, NULL},
                                    {GLMV_CHAT_ASSISTANT, b, 1, NULL, 0, NULL},
                                    {GLMV_CHAT_USER, a + 1, 1, NULL, 0, NULL}};
    struct glmv_chat_options options = *given;
    struct glmv_chat_result r;
    struct said said = {.steps = 0};
    options.plain_decoding = plain;
    bool ok = glmv_chat_complete(chat, m, 3, &options, NULL, &r, &err);
    CHECK_MSG(ok, "%s", err.message);
    snprintf(said.text, sizeof said.text, "%.*s", ok ? (int)r.text.len : 0, ok ? r.text.data : "");
    said.usage = r.usage;
    said.steps = r.steps;
    glmv_chat_result_release(&r);
    glmv_image_free(image);
    return said;
}

static struct glmv_chat_options options_of(double temperature, int top_k, int tokens)
{
    struct glmv_chat_options options = glmv_chat_defaults();
    options.temperature = temperature;
    options.top_k = top_k;
    options.top_p = 0.95;
    options.max_tokens = tokens;
    options.seed = 7;
    options.thinking = GLMV_CHAT_THINK_OFF;
    return options;
}

static struct glmv_chat *open_on(const char *name, const char *device)
{
    struct glmv_err err = {0};
    struct glmv_chat *chat = glmv_chat_open_on(NANO, name, device, &err);
    CHECK_MSG(chat != NULL, "%s: %s", device, err.message);
    return chat;
}

/* Greedily the same tokens as on the processor; asked again, when nearly all of the prompt is there
 * already, the same. The sums of a real device's products round in their own way, which decides
 * where two tokens are nearly as good: there test_follows is what has to hold. */
static void test_same_tokens(void)
{
    struct glmv_chat *cpu = open_on(NULL, "cpu"), *cuda = open_on(NULL, "cuda");
    struct glmv_chat_options options = options_of(0, 1, 10);
    if (cpu != NULL && cuda != NULL) {
        struct said a = ask(cpu, &options, true), b = ask(cuda, &options, true),
                    again = ask(cuda, &options, true);
        if (!real) {
            CHECK_STR(b.text, a.text);
        } else {
            printf("the processor's answer: %s\n", strcmp(a.text, b.text) == 0 ? "yes" : "another");
        }
        CHECK_STR(again.text, b.text);
        CHECK(a.usage.prompt_tokens == b.usage.prompt_tokens && b.usage.cached_tokens == 0);
        CHECK(again.usage.cached_tokens == again.usage.prompt_tokens - 1);
    }
    glmv_chat_close(cpu);
    glmv_chat_close(cuda);
}

/* A device that is lost in the middle of an answer, chosen by itself: the processor says the rest.
 */
static void test_resumed(void)
{
    struct glmv_chat_options options = options_of(0, 1, 8);
    struct glmv_chat *cpu = open_on(NULL, "cpu");
    setenv("FAKE_CUDA_FAIL", "cuGraphLaunch:4:214", 1);
    struct glmv_chat *lost = open_on(NULL, "auto");
    if (cpu != NULL && lost != NULL) {
        struct said a = ask(cpu, &options, true), b = ask(lost, &options, true);
        CHECK_STR(b.text, a.text);
        CHECK(a.usage.completion_tokens == b.usage.completion_tokens);
        const char *note = glmv_chat_note(lost);
        CHECK_MSG(note != NULL && strstr(note, "was lost") != NULL, "%s", note);
    }
    unsetenv("FAKE_CUDA_FAIL");
    glmv_chat_close(cpu);
    glmv_chat_close(lost);
}

/* With guesses and without: the same answer, in fewer steps. The guesses come from the answer that
 * was given before. Greedy and drawn on the device, and drawn on the host, where top-k is all. */
static void test_guesses(void)
{
    static const struct {
        double temperature, penalty;
        int top_k, tokens;
    } cases[] = {{0, 1, 1, 14}, {1.2, 1.1, 2, 12}, {0.9, 1.05, 0, 12}};
    struct glmv_chat *cuda = open_on("int4", "cuda");
    int64_t steps = 0, tokens = 0;
    for (size_t i = 0; cuda != NULL && i < sizeof cases / sizeof cases[0]; i++) {
        struct glmv_chat_options options =
            options_of(cases[i].temperature, cases[i].top_k, cases[i].tokens);
        options.repetition_penalty = cases[i].penalty;
        struct said plain = ask(cuda, &options, true), quick = ask(cuda, &options, false);
        CHECK_MSG(strcmp(plain.text, quick.text) == 0, "case %zu: '%s' with guesses '%s'", i,
                  plain.text, quick.text);
        CHECK(plain.usage.completion_tokens == quick.usage.completion_tokens);
        steps += quick.steps;
        tokens += quick.usage.completion_tokens;
    }
    printf("%lld tokens in %lld steps\n", (long long)tokens, (long long)steps);
    CHECK(steps < tokens * 9 / 10);
    glmv_chat_close(cuda);
}

/* The weights as they are on the device, in floats. */
static bool unpack(struct glm_model *m, float **made, size_t *count)
{
    struct glm_matrix *all[64];
    *count = glm_model_matrices(m, all);
    for (size_t i = 0; i < *count; i++) {
        float *data = malloc(all[i]->rows * all[i]->cols * sizeof *data);
        for (size_t row = 0; data != NULL && row < all[i]->rows; row++) {
            glm_row(all[i], row, data + row * all[i]->cols);
        }
        made[i] = data;
        *all[i] = (struct glm_matrix){GLM_FORM_F32, all[i]->rows, all[i]->cols, data, NULL, 0};
    }
    return *count > 0;
}

enum { TOKENS = 12, LAST = 2 };

static void items_of(struct glm_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t at = (int32_t)i;
        items[i] = (struct glm_item){(37 * at + 11) % 256, {at, at / 2, at / 3}, NULL, 0};
    }
}

/* Logits of the last rows of a prompt, in floats on the processor. */
static void reference(const char *where, const char *name, float *logits)
{
    struct glm_store store;
    struct glmv_err err = {0};
    const bool fp8 = strcmp(name, "fp8") == 0;
    CHECK(fp8 || glm_store_parse(name, &store, NULL));
    struct glm_model *m =
        fp8 ? glm_device_open_cuda(where, name, &err) : glm_model_open(where, store, 1, &err);
    CHECK_MSG(m != NULL, "%s", err.message);
    float *made[64];
    size_t count = 0;
    struct glm_decoder d;
    struct glm_item items[TOKENS];
    float x[TOKENS * 64];
    int32_t places[TOKENS][3];
    glm_pool_choose(m->pool, GLM_CPU_SCALAR);
    CHECK(unpack(m, made, &count) && glm_decoder_init(&d, m, 64, NULL));
    items_of(items, TOKENS);
    for (size_t i = 0; i < TOKENS; i++) {
        memcpy(places[i], items[i].position, sizeof places[i]);
        glm_row(&m->embed, (size_t)items[i].id, x + i * 64);
    }
    CHECK(glm_decoder_step(&d, x, places[0], TOKENS, LAST, logits, NULL, NULL));
    glm_decoder_release(&d);
    for (size_t i = 0; i < count; i++) {
        free(made[i]);
    }
    glm_model_close(m);
}

/* How far the logits of a device are from those, relative to their size; rows: so many of the last
 * tokens in one step, the others each in its own. */
static double distance(const char *where, const char *name, const float *wanted, size_t rows,
                       float *logits)
{
    struct glmv_err err = {0};
    struct glm_cuda_options options = {.capacity = 512, .plain = rows != 1};
    unsigned char banned[768] = {0};
    struct glm_model *m = glm_device_open_cuda(where, name, &err);
    options.banned = banned;
    CHECK(glm_cuda_kept_parse(name, &options.kept, &err));
    struct glm_runner *r = glm_runner_cuda(m, &options, &err);
    CHECK_MSG(r != NULL, "%s: %s", name, err.message);
    glm_model_close(m);
    if (r == NULL) {
        return 1;
    }
    struct glm_item items[TOKENS];
    struct glm_sampler greedy = {.top_k = 1};
    struct glm_choice choices[GLM_BATCH];
    int32_t history[TOKENS];
    size_t chosen = 0, at = TOKENS - LAST;
    items_of(items, TOKENS);
    for (size_t i = 0; i < TOKENS; i++) {
        history[i] = items[i].id;
    }
    struct glm_step sure = {.items = items, .count = at};
    CHECK_MSG(glm_runner_step(r, &sure, choices, &chosen, &err), "%s", err.message);
    for (; at < TOKENS; at += rows) {
        struct glm_step step = {items + at, rows, rows - 1, &greedy, history, at + 1};
        CHECK_MSG(glm_runner_step(r, &step, choices, &chosen, &err), "%s", err.message);
        CHECK(glm_runner_cuda_logits(r, rows, logits + (at + LAST - TOKENS) * 768, &err));
        r->len = at + rows; /* whatever was chosen */
    }
    double off = 0, size = 0;
    for (size_t i = 0; i < (size_t)LAST * 768; i++) {
        off += ((double)logits[i] - wanted[i]) * ((double)logits[i] - wanted[i]);
        size += (double)wanted[i] * wanted[i];
    }
    struct glm_cuda_counts counts = glm_runner_cuda_counts(r);
    CHECK(rows != 1 || counts.graphs_launched == LAST);
    glm_runner_close(r);
    return sqrt(off / size);
}

/* Logits of every form, and the same bits for one row and several, with graphs and without. */
static void test_logits(void)
{
    static const struct {
        const char *where, *name, *like;
        double limit;
    } cases[] = {{NANO, "bf16", "bf16", 1e-2},
                 {NANO, "int8", "int8", 1.5e-2},
                 {NANO, "int4", "int4", 1.5e-2},
                 {NANO, "int4-g128", "int4-g128", 1.5e-2},
                 {GGUF, "bf16", "bf16", 1.5e-2}}; /* blocks, which come as tiles */
    static float wanted[LAST * 768], one[LAST * 768], many[LAST * 768];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reference(cases[i].where, cases[i].like, wanted);
        double off = distance(cases[i].where, cases[i].name, wanted, LAST, many);
        printf("%s: logits off by %.2e\n", cases[i].name, off);
        CHECK_MSG(off < cases[i].limit, "%s: logits off by %g", cases[i].name, off);
        distance(cases[i].where, cases[i].name, wanted, 1, one);
        CHECK_MSG(memcmp(one, many, sizeof one) == 0, "%s: one row and %d differ", cases[i].name,
                  LAST);
    }
}

/* The one file in a folder; its name. */
static size_t only_file(const char *folder, char *out, size_t size)
{
    DIR *dir = opendir(folder);
    size_t count = 0;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            snprintf(out, size, "%s/%s", folder, entry->d_name);
            count++;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

/* fp8 is for devices alone: what one has made is kept, and gives the next start the same bits; the
 * processor reads the pack's rows. */
static void test_fp8(void)
{
    static float wanted[LAST * 768], first[LAST * 768], second[LAST * 768];
    char cache[] = "/tmp/glmv-cuda-XXXXXX", folder[64], path[400];
    CHECK(mkdtemp(cache) != NULL);
    snprintf(folder, sizeof folder, "%s/glmv-replicate", cache);
    setenv("XDG_CACHE_HOME", cache, 1);
    reference(NANO, "bf16", wanted);
    double off = distance(NANO, "fp8", wanted, LAST, first);
    CHECK_MSG(off < 1.5e-1, "fp8: logits off by %g from bf16's", off);
    CHECK(only_file(folder, path, sizeof path) == 0);
    glmv_chat_close(open_on("fp8", "cuda"));
    CHECK_MSG(only_file(folder, path, sizeof path) == 1, "no pack");
    struct glm_model *m = glm_device_open_cuda(NANO, "fp8", NULL);
    CHECK(m != NULL && m->pack.base != NULL && m->head.form == GLM_FORM_FP8);
    glm_model_close(m);
    reference(NANO, "fp8", wanted);
    double near = distance(NANO, "fp8", wanted, LAST, second);
    printf("fp8: logits off by %.2e, from bf16's by %.2e\n", near, off);
    CHECK_MSG(near < 1.5e-2, "fp8: logits off by %g", near);
    CHECK_MSG(memcmp(first, second, sizeof first) == 0, "the pack gives other bits");
    unlink(path);
    rmdir(folder);
    rmdir(cache);
    setenv("XDG_CACHE_HOME", "/proc/none", 1);
}

/* Patches made on the device: the processor's, rounded to bf16, every bit. Larger, smaller and as
 * it is; half transparent; in two bands, which takes too long emulated. */
static void test_patches(void)
{
    static const int sizes[][2] = {{60, 50}, {30, 28}, {28, 56}, {301, 97}, {1, 40}, {400, 12000}};
    struct glmv_err err = {0};
    struct glm_cuda_device d;
    struct glm_model *m = glm_device_open_cuda(NANO, "bf16", &err);
    CHECK_MSG(m != NULL && glm_cuda_device_open(&d, 0, &err), "%s", err.message);
    for (size_t i = 0; m != NULL && i < (real ? 6 : 5); i++) {
        struct glm_cuda_shape shape;
        struct glm_patches want = {0};
        struct glm_cuda_arena arena = {0};
        struct glmv_image *image = glmv_image_new(sizes[i][0], sizes[i][1], &err);
        CHECK(glm_cuda_shape_of(&m->config, sizes[i][0], sizes[i][1], &shape, &err));
        uint64_t random = 77 + i;
        for (size_t k = 0; k < (size_t)image->width * (size_t)image->height * 4; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            image->rgba[k] = (uint8_t)(k % 4 == 3 && i % 2 == 0 ? 255 : random >> 56);
        }
        CHECK(glm_picture_patches(&m->config, image, &want, &err));
        const size_t count = want.count * want.width, bytes = count * sizeof(uint16_t);
        const size_t needed = glm_cuda_patches_bytes(&shape) + bytes + GLM_CUDA_ALIGN;
        uint16_t *got = malloc(bytes), *patches = NULL;
        bool ok = glm_cuda_alloc(&d.cuda, needed, "a test", &arena.base, &err);
        arena.size = needed;
        patches = ok ? glm_cuda_take(&arena, bytes) : NULL;
        ok = ok && glm_cuda_patches_read(&d, &m->config, arena, &shape, image, patches, &err) &&
             glm_cuda_fetch(&d, got, patches, bytes, &err) && glm_cuda_wait(&d, &err);
        CHECK_MSG(ok && shape.grid.n == want.count, "%s", err.message);
        size_t wrong = 0;
        for (size_t k = 0; ok && k < count; k++) {
            wrong += got[k] != glm_cuda_bf16(want.rows[k]) ? 1 : 0;
        }
        CHECK_MSG(wrong == 0, "%dx%d: %zu of %zu differ", sizes[i][0], sizes[i][1], wrong, count);
        glm_cuda_free(&d.cuda, arena.base);
        glm_patches_release(&want);
        glmv_image_free(image);
        free(got);
    }
    glm_cuda_device_close(&d);
    glm_model_close(m);
}

/* What a device has quantised is kept, byte for byte as the processor would have; the next start
 * takes it from there, on either. */
static void test_pack_kept(void)
{
    static const char *const names[] = {"int4", "int8", "int4-g128"};
    char cache[] = "/tmp/glmv-cuda-XXXXXX", folder[64], path[2][400];
    CHECK(mkdtemp(cache) != NULL);
    snprintf(folder, sizeof folder, "%s/glmv-replicate", cache);
    setenv("XDG_CACHE_HOME", cache, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct glmv_buf bytes[2];
        for (int k = 0; k < 2; k++) { /* first the device */
            glmv_chat_close(open_on(names[i], k == 0 ? "cuda" : "cpu"));
            CHECK_MSG(only_file(folder, path[k], sizeof path[k]) == 1, "%s: no pack", names[i]);
            glmv_buf_init(&bytes[k], 16 << 20);
            CHECK(glmv_file_read(path[k], 16 << 20, &bytes[k], NULL));
            if (k == 0) {
                unlink(path[k]);
            }
        }
        CHECK_STR(path[0], path[1]);
        CHECK_MSG(bytes[0].len == bytes[1].len && bytes[0].len > 64 &&
                      memcmp(bytes[0].data, bytes[1].data, bytes[0].len) == 0,
                  "%s: the packs differ", names[i]);
        struct stat before, after;
        CHECK(stat(path[1], &before) == 0);
        glmv_chat_close(open_on(names[i], "cuda"));
        CHECK(stat(path[1], &after) == 0 && before.st_ino == after.st_ino);
        unlink(path[1]);
        glmv_buf_release(&bytes[0]);
        glmv_buf_release(&bytes[1]);
    }
    glmv_chat_close(open_on("bf16", "cuda"));
    CHECK(only_file(folder, path[0], sizeof path[0]) == 0);
    rmdir(folder);
    rmdir(cache);
    setenv("XDG_CACHE_HOME", "/proc/none", 1);
}

/* A card without warpgroups takes other kernels for many rows. */
static void test_older_card(void)
{
    static float wanted[LAST * 768], got[LAST * 768];
    setenv("FAKE_CUDA_CAPABILITY", "80", 1);
    reference(NANO, "bf16", wanted);
    double off = distance(NANO, "bf16", wanted, LAST, got);
    printf("bf16 on compute capability 8.0: logits off by %.2e\n", off);
    CHECK_MSG(off < 1e-2, "logits off by %g", off);
    unsetenv("FAKE_CUDA_CAPABILITY");
}

/* Kernels that begin before the one before them has ended: the same bits. */
static void test_early(void)
{
    static const char *const names[] = {"bf16", "int4"};
    static float wanted[LAST * 768], late[LAST * 768], early[LAST * 768];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        reference(NANO, names[i], wanted);
        distance(NANO, names[i], wanted, 1, late);
        setenv("FAKE_CUDA_EARLY", "1", 1);
        distance(NANO, names[i], wanted, 1, early);
        unsetenv("FAKE_CUDA_EARLY");
        CHECK_MSG(memcmp(late, early, sizeof late) == 0, "%s: early launches give other bits",
                  names[i]);
    }
}

/* A device that is told the processor's tokens one by one: what it would say itself is the best
 * token by the processor's logits, or as good but for what bf16 inputs blur. */
static void test_follows(void)
{
    enum { PROMPT = 8, SAID = 16, VOCAB = 768 };
    struct glmv_err err = {0};
    struct glm_cuda_options options = {.capacity = 512};
    unsigned char banned[VOCAB] = {0};
    struct glm_store store;
    struct glm_item items[PROMPT + SAID];
    struct glm_sampler greedy = {.top_k = 1};
    struct glm_choice choices[GLM_BATCH];
    int32_t history[PROMPT + SAID];
    float x[PROMPT * 64], logits[VOCAB];
    int32_t places[PROMPT][3];
    struct glm_decoder d;
    options.banned = banned;
    CHECK(glm_store_parse("bf16", &store, NULL) &&
          glm_cuda_kept_parse("bf16", &options.kept, NULL));
    struct glm_model *m = glm_model_open(NANO, store, 1, &err);
    struct glm_runner *r = m != NULL ? glm_runner_cuda(m, &options, &err) : NULL;
    CHECK_MSG(r != NULL, "%s", err.message);
    if (r == NULL) {
        glm_model_close(m);
        return;
    }
    CHECK(glm_decoder_init(&d, m, 64, NULL));
    items_of(items, PROMPT);
    size_t begin = 0, same = 0;
    double worst = 0;
    for (size_t end = PROMPT; end < PROMPT + SAID; begin = end++) {
        size_t n = end - begin, chosen = 0;
        for (size_t i = 0; i < n; i++) {
            const struct glm_item *item = &items[begin + i];
            memcpy(places[i], item->position, sizeof places[i]);
            history[begin + i] = item->id;
            glm_row(&m->embed, (size_t)item->id, x + i * 64);
        }
        CHECK(glm_decoder_step(&d, x, places[0], n, 1, logits, NULL, NULL));
        struct glm_step step = {items + begin, n, 0, &greedy, history, end};
        CHECK_MSG(glm_runner_step(r, &step, choices, &chosen, &err) && chosen == 1, "%s",
                  err.message);
        int32_t best = 0;
        double size = 0;
        for (int32_t i = 0; i < VOCAB; i++) {
            best = logits[i] > logits[best] ? i : best;
            size += (double)logits[i] * logits[i] / VOCAB;
        }
        double worse = ((double)logits[best] - logits[choices[0].id]) / sqrt(size);
        worst = worse > worst ? worse : worst;
        same += choices[0].id == best ? 1 : 0;
        const int32_t at = (int32_t)end;
        items[end] = (struct glm_item){best, {at, at, at}, NULL, 0};
    }
    printf("%zu of %d tokens are the processor's, the others %.3f worse\n", same, SAID, worst);
    CHECK(worst < 0.05 && same >= SAID * 3 / 4);
    glm_decoder_release(&d);
    glm_runner_close(r);
    glm_model_close(m);
}

static const char published[] =
    "{\"model_type\":\"glm4v\",\"image_token_id\":151363,\"text_config\":{\"hidden_size\":4096,"
    "\"num_hidden_layers\":40,\"num_attention_heads\":32,\"num_key_value_heads\":2,\"head_dim\":"
    "128,"
    "\"intermediate_size\":13696,\"vocab_size\":151552,\"rms_norm_eps\":1e-5,"
    "\"max_position_embeddings\":131072,\"eos_token_id\":[151329],\"rope_parameters\":{\"rope_"
    "type\":"
    "\"default\",\"rope_theta\":500000,\"partial_rotary_factor\":0.5,\"mrope_section\":[8,12,12]}},"
    "\"vision_config\":{\"depth\":24,\"hidden_size\":1536,\"num_heads\":12,\"patch_size\":14,"
    "\"temporal_patch_size\":2,\"spatial_merge_size\":2,\"image_size\":336,\"out_hidden_size\":"
    "4096,"
    "\"intermediate_size\":13696,\"rms_norm_eps\":1e-5,\"in_channels\":3,\"hidden_act\":\"silu\"}}";

/* The published model in int4, with 16K tokens and a 1080p screenshot, fits into 10 GB beside the
 * driver; into less than it needs, it does not, and says so with the numbers. */
static void test_budget(void)
{
    struct glmv_err err = {0};
    struct glm_config config;
    struct glm_cuda_kept int4, bf16;
    struct glm_cuda_budget b;
    char line[256];
    CHECK_MSG(glm_config_parse(&config, published, NULL, NULL, "published", &err), "%s",
              err.message);
    struct glm_model *m = glm_model_imagine(&config, &err);
    CHECK(m != NULL && glm_cuda_fits(&config, NULL));
    CHECK(glm_cuda_kept_parse("int4-g128", &int4, NULL) &&
          glm_cuda_kept_parse("bf16", &bf16, NULL));
    CHECK(glm_cuda_budget_make(&b, m, int4, 16384, &err));
    glm_cuda_budget_say(&b, line, sizeof line);
    printf("int4-g128: %s\n", line);
    CHECK((double)b.total + GLM_CUDA_CONTEXT_BYTES < 10e9);
    CHECK(glm_cuda_budget_fit(&b, m, int4, 32768, 9500000000, &err) && b.capacity == 16384);
    CHECK(glm_cuda_budget_make(&b, m, bf16, 16384, &err));
    glm_cuda_budget_say(&b, line, sizeof line);
    printf("bf16: %s\n", line);
    CHECK(!glm_cuda_budget_fit(&b, m, bf16, 32768, 16000000000, &err));
    CHECK_MSG(strstr(err.message, "16.00 GB are free") != NULL, "%s", err.message);
    glm_model_close(m);
}

int main(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct glmv_buf line;
    glmv_buf_init(&line, 1024);
    real = argc > 1 && strcmp(argv[1], "real") == 0;
    bool there = glmv_glm_device("cuda", &line, &err);
    if (!there && real) {
        printf("skipped: %s\n", err.message);
        return 77;
    }
    CHECK_MSG(there, "%s", err.message);
    printf("%s\n", there ? line.data : "");
    glmv_buf_release(&line);
    setenv("XDG_CACHE_HOME", "/proc/none", 1); /* no pack: one would outlive the test */
    test_budget();
    test_patches();
    test_pack_kept();
    test_logits();
    test_fp8();
    test_follows();
    test_same_tokens();
    test_guesses();
    if (!real) {
        test_older_card();
        test_early();
        test_resumed();
    }
    TEST_END();
}
