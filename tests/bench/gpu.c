/*
 * What the CUDA back end reaches on a card, as lines of a table; gpu.sh runs it part by part.
 *     bench_gpu [--small] [--product TFLOPS] [--ceilings C,R,P] [PART...]   full-size random
 * weights bench_gpu FOLDER bf16|fp8|int8|int4|int4-g128          from files to the first token
 * Parts: bf16, fp8, int8, int4-g128 (decode, verify, edits, kernels one by one), prompts, pictures,
 * products, logits; all of them where none is named. The ceilings come first, or are those that an
 * earlier run has said (bytes a second copied and read, operations a second). --small: tiny sizes,
 * to try the program itself. --product: what 8192^3 in bf16 reaches otherwise. 77 without a device.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/image.h"
#include "model/glm/cuda/cuda.h"
#include "model/glm/cuda/patches.h"
#include "model/glm/device.h"
#include "model/glm/draft.h"
#include "tests/bench/gpu_model.h"

enum { STEPS = 24, PICTURES = 5 };

struct bench {
    bool small, failed, known; /* known: the ceilings */
    struct bench_ceilings ceilings;
    struct glm_config config;
    struct glm_model *model;
    struct glm_runner *runner;
    size_t weights; /* bytes that a token reads */
    double one;     /* seconds of a step of one row, at the shortest context */
    int32_t *ids;
    struct glm_item *items;
};

/* Tiny sizes are for the program, not for numbers. */
static size_t turns(const struct bench *b, size_t count)
{
    return b->small ? 2 : count;
}

static bool fine(struct bench *b, bool ok, const struct glmv_err *err)
{
    if (!ok) {
        printf("| failed: %s\n", err->message);
        b->failed = true;
    }
    return ok;
}

static struct glm_item item_of(int32_t id, size_t at)
{
    int32_t place = (int32_t)at;
    return (struct glm_item){id, {place, place, place}, NULL, 0};
}

/* Random tokens up to so many places; seconds of it. */
static double fill_to(struct bench *b, size_t len)
{
    struct glmv_err err = {0};
    struct glm_choice choice;
    double start = glmv_now();
    uint32_t random = 1;
    while (!b->failed && b->runner->len < len) {
        size_t left = len - b->runner->len, n = left < b->runner->batch ? left : b->runner->batch;
        size_t chosen;
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525u + 1013904223u;
            b->items[i] = item_of((int32_t)((random >> 8) % (uint32_t)b->config.text.vocab),
                                  b->runner->len + i);
        }
        struct glm_step step = {.items = b->items, .count = n};
        fine(b, glm_runner_step(b->runner, &step, &choice, &chosen, &err), &err);
    }
    fine(b, glm_cuda_wait(glm_runner_cuda_device(b->runner), &err), &err);
    return glmv_now() - start;
}

/* Seconds of a step of n rows at this context, which is left as it was. */
static double time_step(struct bench *b, size_t n)
{
    struct glmv_err err = {0};
    struct glm_sampler greedy = {.top_k = 1};
    struct glm_choice choices[GLM_BATCH];
    double times[STEPS];
    const size_t len = b->runner->len;
    for (size_t t = 0; t < turns(b, STEPS) && !b->failed; t++) {
        size_t chosen;
        for (size_t i = 0; i < n; i++) {
            b->items[i] = item_of((int32_t)(5 + 7 * i + t) % b->config.text.vocab, len + i);
        }
        struct glm_step step = {b->items, n, n - 1, &greedy, b->ids, 0};
        double start = glmv_now();
        fine(b, glm_runner_step(b->runner, &step, choices, &chosen, &err), &err);
        times[t] = glmv_now() - start;
        b->runner->len = len;
    }
    return b->failed ? INFINITY : bench_median(times, turns(b, STEPS));
}

/* The answer that the model gives, token by token or with guesses from source; seconds of it. */
static double answer(struct bench *b, size_t begin, int32_t *out, size_t count, double price,
                     const int32_t *source, size_t source_len, size_t *steps)
{
    struct glmv_err err = {0};
    struct glm_draft draft = {0};
    struct glm_sampler sampler = {
        .temperature = 1, .top_p = 1, .top_k = b->small ? 2 : 40, .random = 3};
    struct glm_choice choices[GLM_BATCH];
    int32_t guess[GLM_BATCH], last = 1;
    size_t said = 0;
    *steps = 0;
    b->runner->len = begin;
    fine(b, glm_draft_init(&draft, 2 * count + source_len + 1, &err), &err);
    if (!b->failed && source != NULL) {
        glm_draft_begin(&draft, source, source_len);
    }
    double start = glmv_now();
    while (!b->failed && said < count) {
        size_t most = count - said - 1 < GLM_BATCH - 1 ? count - said - 1 : GLM_BATCH - 1, chosen;
        size_t guessed = source != NULL ? glm_draft_guess(&draft, guess, most, price) : 0;
        for (size_t i = 0; i <= guessed; i++) {
            b->items[i] = item_of(i == 0 ? last : guess[i - 1], begin + said + i);
        }
        struct glm_step step = {b->items, guessed + 1, guessed, &sampler, b->ids, 0};
        if (!fine(b, glm_runner_step(b->runner, &step, choices, &chosen, &err), &err)) {
            break;
        }
        for (size_t i = 0; i < chosen && said < count; i++) {
            out[said++] = last = choices[i].id;
            sampler.random = choices[i].random;
            if (source != NULL) {
                glm_draft_push(&draft, last);
            }
        }
        ++*steps;
    }
    double seconds = glmv_now() - start;
    glm_draft_release(&draft);
    return seconds;
}

/* An edit: what the model says is the target, the page before it differs in one line of ten. */
static void edit_round(struct bench *b, const char *form, double price)
{
    enum { LINE = 12 };
    const size_t count = b->small ? 24 : 1000, begin = b->small ? 16 : 512;
    int32_t *target = malloc(3 * count * sizeof *target);
    char what[80];
    size_t steps, same = 0;
    if (target == NULL) {
        b->failed = true;
        return;
    }
    int32_t *before = target + count, *again = before + count;
    double plain = answer(b, begin, target, count, price, NULL, 0, &steps);
    for (size_t i = 0; i < count; i++) {
        bool other = i / LINE % 10 == 4;
        before[i] = other ? (target[i] + 1 + (int32_t)i % 7) % b->config.text.vocab : target[i];
    }
    double quick = answer(b, begin, again, count, price, before, count, &steps);
    for (size_t i = 0; i < count; i++) {
        same += again[i] == target[i] ? 1 : 0;
    }
    snprintf(what, sizeof what, "%s: edit round, 10 %% of lines changed", form);
    bench_row(what, plain / quick, "x plain", 4, 10, false);
    snprintf(what, sizeof what, "%s: ids equal with guesses and without", form);
    bench_row(what, 100.0 * (double)same / (double)count, "%", 100, 0, false);
    snprintf(what, sizeof what, "%s: tokens a step of it", form);
    bench_row(what, (double)count / (double)steps, "", 0, 0, false);
    free(target);
}

static void decode(struct bench *b, const char *form, double must, double stretch)
{
    static const size_t full[] = {512, 4096, 16384}, tiny[] = {16, 40, 60};
    const size_t *contexts = b->small ? tiny : full;
    const double key =
        4.0 * b->config.text.layers * b->config.text.kv_heads * b->config.text.head_dim;
    char what[80];
    b->runner->len = 0;
    for (size_t i = 0; i < 3 && !b->failed && contexts[i] + 64 < b->runner->capacity; i++) {
        fill_to(b, contexts[i]);
        double t = time_step(b, 1);
        b->one = i == 0 ? t : b->one;
        double rate = ((double)b->weights + key * (double)contexts[i]) / t;
        snprintf(what, sizeof what, "%s: decode at %zu, tokens", form, contexts[i]);
        bench_row(what, 1 / t, "a second", 0, 0, false);
        snprintf(what, sizeof what, "%s: decode at %zu, share of copy", form, contexts[i]);
        bench_row(what, 100 * rate / b->ceilings.copy, "%", i < 2 ? must : 0, i < 2 ? stretch : 0,
                  false);
        snprintf(what, sizeof what, "%s: decode at %zu, share of read", form, contexts[i]);
        bench_row(what, 100 * rate / b->ceilings.read, "%", 0, 0, false);
    }
    b->runner->len = contexts[0];
}

static bool open_form(struct bench *b, const char *form)
{
    struct glmv_err err = {0};
    unsigned char *banned = calloc(1, (size_t)b->config.text.vocab);
    struct glm_cuda_options options = {
        .capacity = b->small ? 512 : 20480, .banned = banned, .seed = 1};
    double start = glmv_now();
    char what[80];
    bool ok = fine(b, banned != NULL && glm_cuda_kept_parse(form, &options.kept, &err), &err);
    b->runner = ok ? glm_runner_cuda(b->model, &options, &err) : NULL;
    ok = fine(b, b->runner != NULL, &err);
    free(banned);
    if (ok) {
        struct glm_cuda_weights counted;
        snprintf(what, sizeof what, "%s: random weights made and quantised", form);
        bench_row(what, glmv_now() - start, "s", 0, 0, true);
        ok = glm_cuda_weights_count(&counted, b->model, options.kept, &err);
        b->weights = counted.text_bytes;
        glm_cuda_weights_release(&counted, NULL);
    }
    return ok;
}

static void one_form(struct bench *b, const char *form, double must, double stretch,
                     double verify_must, double verify_stretch)
{
    char what[80];
    if (open_form(b, form)) {
        decode(b, form, must, stretch);
        double many = time_step(b, 32), price = (many / b->one - 1) / 31;
        snprintf(what, sizeof what, "%s: 32 rows against one", form);
        bench_row(what, many / b->one, "x", verify_must, verify_stretch, true);
        edit_round(b, form, price > 0.01 ? price : 0.01);
        struct glmv_err err = {0};
        if (!b->failed) {
            fine(b, bench_kernels(b->runner, &b->config, form, b->ceilings.copy, &err), &err);
        }
    }
    glm_runner_close(b->runner);
    b->runner = NULL;
}

/* Prompts and pictures, with bf16 weights: shares of the product's ceiling. */
static void prompts(struct bench *b)
{
    static const size_t full[] = {2691, 6084}, tiny[] = {20, 40};
    const struct glm_text_config *c = &b->config.text;
    char what[80];
    for (size_t i = 0; i < 2 && !b->failed; i++) {
        size_t n = b->small ? tiny[i] : full[i];
        double times[PICTURES], wide = (double)c->heads * c->head_dim,
                                kv = (double)c->kv_heads * c->head_dim;
        double flop = 2.0 * (double)n * c->layers *
                          (c->hidden * (2 * wide + 2 * kv) + 3.0 * c->hidden * c->inner) +
                      2.0 * (double)n * (double)n * wide * c->layers;
        for (size_t k = 0; k < turns(b, PICTURES); k++) {
            b->runner->len = 0;
            times[k] = fill_to(b, n);
        }
        snprintf(what, sizeof what, "prompt of %zu, share of the product", n);
        bench_row(what, 100 * flop / bench_median(times, turns(b, PICTURES)) / b->ceilings.product,
                  "%", 60, 75, false);
    }
}

static double tower_flop(const struct glm_vision_config *c, double n)
{
    double d = c->hidden, out = c->out, m = n / (c->merge * c->merge);
    return 2 * n * 3 * c->temporal * c->patch * c->patch * d +
           c->depth * (2 * n * (4 * d * d + 3 * d * out) + 4 * n * n * d) +
           2 * m * d * c->merge * c->merge * out + 2 * m * (out * out + 3 * out * c->inner);
}

/* Reads a picture of this size; seconds, a median, each of a fresh one. */
static void towers(struct bench *b, int width, int height, double must, double stretch)
{
    struct glmv_err err = {0};
    struct glm_cuda_shape shape;
    double times[PICTURES];
    char what[80];
    struct glmv_image *image = glmv_image_new(width, height, &err);
    if (!fine(b, image != NULL && glm_cuda_shape_of(&b->config, width, height, &shape, &err),
              &err)) {
        glmv_image_free(image);
        return;
    }
    for (size_t i = 0; i < turns(b, PICTURES) && !b->failed; i++) {
        double start = glmv_now();
        struct glm_sight_rows *rows = glm_runner_encode(b->runner, image, &err);
        times[i] = glmv_now() - start;
        fine(b, rows != NULL, &err);
        glm_runner_forget(b->runner, rows);
    }
    snprintf(what, sizeof what, "tower, %u tokens, share of the product", shape.grid.n / 4);
    if (!b->failed) {
        bench_row(what,
                  100 * tower_flop(&b->config.vision, (double)shape.grid.n) /
                      bench_median(times, turns(b, PICTURES)) / b->ceilings.product,
                  "%", must, stretch, false);
    }
    glmv_image_free(image);
}

/* A PNG file of a screenshot with 300 tokens of text behind it, to the first token. */
static double first_token(struct bench *b, const char *path)
{
    struct glmv_err err = {0};
    struct glm_cuda_shape shape = {0};
    struct glm_sampler greedy = {.top_k = 1};
    struct glm_choice choice;
    size_t chosen, at = 0;
    double start = glmv_now();
    struct glmv_image *image = glmv_image_read(path, &err);
    bool ok =
        image != NULL && glm_cuda_shape_of(&b->config, image->width, image->height, &shape, &err);
    struct glm_sight_rows *rows = ok ? glm_runner_encode(b->runner, image, &err) : NULL;
    ok = fine(b, rows != NULL, &err);
    const size_t seen = shape.grid.n / 4, all = seen + (b->small ? 8 : 300);
    b->runner->len = 0;
    while (ok && at < all) {
        size_t n = all - at < b->runner->batch ? all - at : b->runner->batch;
        for (size_t i = 0; i < n; i++) {
            b->items[i] = item_of(17, at + i);
            b->items[i].rows = at + i < seen ? rows : NULL;
            b->items[i].row = at + i;
        }
        at += n;
        struct glm_step step = {b->items, n, 0, at == all ? &greedy : NULL, b->ids, 0};
        ok = fine(b, glm_runner_step(b->runner, &step, &choice, &chosen, &err), &err);
    }
    double seconds = glmv_now() - start;
    glm_runner_forget(b->runner, rows);
    glmv_image_free(image);
    return seconds;
}

/* As a page is: white, with lines of grey specks as large as text and a box with a picture. */
static void paint_page(struct glmv_image *image)
{
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height; i++) {
        const size_t x = i % (size_t)image->width, y = i / (size_t)image->width;
        const uint32_t speck = (uint32_t)(x / 2 + y / 2 * 977) * 2654435761u >> 24,
                       noise = (uint32_t)i * 2654435761u >> 24;
        const bool text = y % 24 < 12 && x % 1200 > 160 && x % 9 < 7 && speck < 110;
        const bool picture = x > 1400 && y > 300 && y < 700;
        const uint8_t v = (uint8_t)(text ? speck : picture ? (x + y) / 4 + noise % 8 : 255);
        memset(image->rgba + 4 * i, v, 3);
        image->rgba[4 * i + 3] = 255;
    }
}

static void screenshot(struct bench *b)
{
    char path[] = "/tmp/glmv-gpu-XXXXXX.png";
    struct glmv_err err = {0};
    double times[PICTURES];
    int fd = mkstemps(path, 4);
    struct glmv_image *image = glmv_image_new(b->small ? 60 : 1920, b->small ? 60 : 1080, &err);
    bool ok = fd >= 0 && close(fd) == 0 && image != NULL;
    if (ok) {
        paint_page(image);
    }
    ok = ok && fine(b, glmv_image_write_png(image, path, &err), &err);
    for (size_t i = 0; ok && i < turns(b, PICTURES); i++) {
        times[i] = first_token(b, path);
    }
    if (ok && !b->failed) {
        bench_row("1920x1080 screenshot, file to first token",
                  bench_median(times, turns(b, PICTURES)), "s", 0.22, 0.16, true);
    }
    unlink(path);
    glmv_image_free(image);
}

/* The decode rows of one form of weights. */
static void form_bf16(struct bench *b)
{
    one_form(b, "bf16", 85, 92, 1.10, 1.03);
}
static void form_int4(struct bench *b)
{
    one_form(b, "int4-g128", 75, 85, 1.20, 1.10);
}
static void form_fp8(struct bench *b)
{
    one_form(b, "fp8", 80, 88, 0, 0);
}
static void form_int8(struct bench *b)
{
    one_form(b, "int8", 0, 0, 0, 0);
}

static void part_prompts(struct bench *b)
{
    if (open_form(b, "bf16")) {
        prompts(b);
    }
    glm_runner_close(b->runner);
    b->runner = NULL;
}

static void part_pictures(struct bench *b)
{
    if (open_form(b, "bf16")) {
        towers(b, b->small ? 56 : 1920, b->small ? 56 : 1080, 0, 0);
        towers(b, b->small ? 84 : 1960, b->small ? 56 : 2408, 50, 65);
        screenshot(b);
    }
    glm_runner_close(b->runner);
    b->runner = NULL;
}

static void part_products(struct bench *b)
{
    struct glmv_err err = {0};
    fine(b, bench_products(b->small, &err), &err);
}

static void part_logits(struct bench *b)
{
    struct glmv_err err = {0};
    double off = bench_logits(b->small, &err);
    if (fine(b, off >= 0, &err)) {
        bench_row("logits against floats on the processor", off, "relative", 1e-2, 0, true);
    }
}

static const struct {
    const char *name;
    void (*run)(struct bench *b);
} parts[] = {{"bf16", form_bf16},         {"int4-g128", form_int4},  {"fp8", form_fp8},
             {"int8", form_int8},         {"prompts", part_prompts}, {"pictures", part_pictures},
             {"products", part_products}, {"logits", part_logits}};
enum { PARTS = sizeof parts / sizeof parts[0] };

static bool is_named(const char *part, char **names, int count)
{
    bool found = count == 0;
    for (int i = 0; i < count; i++) {
        found = found || strcmp(names[i], part) == 0;
    }
    return found;
}

static int table(struct bench *b, char **names, int count)
{
    struct glmv_err err = {0};
    struct glm_cuda_found found;
    if (!glm_cuda_built(&err) || !glm_cuda_look(0, &found, &err)) {
        printf("no CUDA device: nothing was measured (%s)\n", err.message);
        return 77;
    }
    bench_config(&b->config, b->small);
    b->model = glm_model_imagine(&b->config, &err);
    b->ids = calloc(4096, sizeof *b->ids);
    b->items = calloc(GLM_CUDA_BATCH, sizeof *b->items);
    if (b->model == NULL || b->ids == NULL || b->items == NULL) {
        printf("%s\n", err.message);
        return 1;
    }
    if (!b->known) {
        printf("%s, compute capability %d.%d, %.1f GB, driver for CUDA %d.%d%s\n", found.name,
               found.major, found.minor, (double)found.memory / 1e9, found.driver / 1000,
               found.driver % 1000 / 10, b->small ? " -- TINY SIZES, NO MEASUREMENT" : "");
        printf("| %-46s | %-18s | must    | stretch |         |\n", "what", "measured");
        if (fine(b, bench_ceilings(&b->ceilings, b->small, &err), &err)) {
            printf("-- ceilings: %.6e,%.6e,%.6e\n", b->ceilings.copy, b->ceilings.read,
                   b->ceilings.product);
        }
    }
    for (size_t i = 0; i < PARTS && !b->failed; i++) {
        if (is_named(parts[i].name, names, count)) {
            parts[i].run(b);
        }
    }
    glm_model_close(b->model);
    free(b->ids);
    free(b->items);
    return b->failed ? 1 : 0;
}

static int usage(const char *name)
{
    fprintf(stderr,
            "usage: %s [--small] [--product TFLOPS] [--ceilings C,R,P] [PART...], with parts of",
            name);
    for (size_t i = 0; i < PARTS; i++) {
        fprintf(stderr, " %s", parts[i].name);
    }
    fprintf(stderr, "; or %s FOLDER FORM\n", name);
    return 2;
}

static bool is_part(const char *name)
{
    bool found = false;
    for (size_t i = 0; i < PARTS; i++) {
        found = found || strcmp(parts[i].name, name) == 0;
    }
    return found;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--small") == 0) {
            b.small = true;
        } else if (strcmp(argv[at], "--product") == 0 && at + 1 < argc) {
            b.ceilings.product = atof(argv[++at]) * 1e12;
        } else if (strcmp(argv[at], "--ceilings") == 0 && at + 1 < argc &&
                   sscanf(argv[at + 1], "%lf,%lf,%lf", &b.ceilings.copy, &b.ceilings.read,
                          &b.ceilings.product) == 3) {
            b.known = true;
            at++;
        } else {
            return usage(argv[0]);
        }
    }
    if (argc - at == 2 && !is_part(argv[at])) {
        return bench_load(argv[at], argv[at + 1]);
    }
    for (int i = at; i < argc; i++) {
        if (!is_part(argv[i])) {
            return usage(argv[0]);
        }
    }
    return table(&b, argv + at, argc - at);
}
