/*
 * What the CUDA back end reaches on a card, as one table; gpu.sh runs it with everything around it.
 *     bench_gpu [--small] [--product TFLOPS] [--peer TOKENS]    the table. Full-size random
 * weights. bench_gpu FOLDER bf16|fp8|int8|int4|int4-g128             from files to the first token
 * --small: tiny sizes, to try the program itself. --product: what 8192^3 in bf16 reaches otherwise;
 * --peer: tokens a second of another engine on this card, in bf16. 77 without a device.
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
    bool small, failed;
    double product, peer; /* given; 0: not */
    double copy, read;    /* bytes a second */
    struct glm_config config;
    struct glm_model *model;
    struct glm_runner *runner;
    size_t weights; /* bytes that a token reads */
    double one;     /* seconds of a step of one row, at the shortest context */
    int32_t *ids;
    struct glm_item *items;
};

/* One line of the table. must, stretch: 0 for none; what is better is larger, or smaller where
 * less.
 */
static void row(const char *what, double value, const char *unit, double must, double stretch,
                bool less)
{
    bool meets = must <= 0 || (less ? value <= must : value >= must);
    bool far = stretch > 0 && (less ? value <= stretch : value >= stretch);
    printf("| %-46s | %9.3f %-8s | %7.3g | %7.3g | %-7s |\n", what, value, unit, must, stretch,
           must <= 0 ? ""
           : far     ? "stretch"
           : meets   ? "met"
                     : "missed");
    fflush(stdout);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

static double median(double *times, size_t count)
{
    qsort(times, count, sizeof *times, by_size);
    return times[count / 2];
}

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

/* Seconds of a kernel, a median, with the device waited for. */
static double time_kernel(struct bench *b, struct glm_cuda_device *d, struct glm_cuda_launch launch,
                          void *args)
{
    struct glmv_err err = {0};
    double times[STEPS];
    for (size_t i = 0; i < turns(b, STEPS); i++) {
        double start = glmv_now();
        if (!fine(b, glm_cuda_run(d, launch, args, &err) && glm_cuda_wait(d, &err), &err)) {
            return INFINITY;
        }
        times[i] = glmv_now() - start;
    }
    return median(times, turns(b, STEPS));
}

/* Ceilings: copy, read-only sum, and the product with our own kernel where none is given. */
static void ceilings(struct bench *b)
{
    struct glm_cuda_device d;
    struct glmv_err err = {0};
    const size_t bytes = b->small ? 1 << 16 : (size_t)2 << 30;
    const uint32_t side = b->small ? 128 : 8192;
    glm_device_ptr from = 0, to = 0;
    if (!fine(b, glm_cuda_device_open(&d, 0, &err), &err)) {
        return;
    }
    uint32_t blocks = b->small ? 2 : (uint32_t)d.cuda.sms * 8;
    if (fine(b,
             glm_cuda_alloc(&d.cuda, bytes, "a measurement", &from, &err) &&
                 glm_cuda_alloc(&d.cuda, bytes, "a measurement", &to, &err),
             &err)) {
        uint16_t *x = (uint16_t *)(uintptr_t)from;
        void *y = (void *)(uintptr_t)to;
        struct glm_cuda_fill fill = {x, bytes / 2, 1, 0.02f};
        struct glm_cuda_stream move = {x, y, y, bytes, blocks};
        struct glm_cuda_gemm gemm = {.m = {{x, NULL, GLM_CUDA_BF16, side, side, 0}},
                                     .x = x,
                                     .y = y,
                                     .x_row = side,
                                     .y_row = side,
                                     .count = 1,
                                     .n = side,
                                     .store = GLM_CUDA_STORE_BF16};
        time_kernel(b, &d, glm_cuda_fill_launch(&fill), &fill);
        b->copy = 2.0 * (double)bytes / time_kernel(b, &d, glm_cuda_copy_launch(&move), &move);
        b->read = (double)bytes / time_kernel(b, &d, glm_cuda_read_launch(&move), &move);
        double flop = 2.0 * side * side * side;
        double own = flop / time_kernel(b, &d, glm_cuda_gemm_launch_on(&gemm, d.wide), &gemm);
        row("copy, read and written", b->copy / 1e12, "TB/s", 0, 0, false);
        row("read-only sum", b->read / 1e12, "TB/s", 0, 0, false);
        row("8192^3 bf16, our kernel", own / 1e12, "TFLOP/s", 0, 0, false);
        if (b->product > 0) {
            row("8192^3 bf16, cuBLAS", b->product / 1e12, "TFLOP/s", 0, 0, false);
        } else {
            printf("| no cuBLAS at hand: shares of the product are of our own kernel's\n");
            b->product = own;
        }
    }
    glm_cuda_free(&d.cuda, from);
    glm_cuda_free(&d.cuda, to);
    glm_cuda_device_close(&d);
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
    return b->failed ? INFINITY : median(times, turns(b, STEPS));
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
    row(what, plain / quick, "x plain", 4, 10, false);
    snprintf(what, sizeof what, "%s: ids equal with guesses and without", form);
    row(what, 100.0 * (double)same / (double)count, "%", 100, 0, false);
    snprintf(what, sizeof what, "%s: tokens a step of it", form);
    row(what, (double)count / (double)steps, "", 0, 0, false);
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
        row(what, 1 / t, "a second", 0, 0, false);
        snprintf(what, sizeof what, "%s: decode at %zu, share of copy", form, contexts[i]);
        row(what, 100 * rate / b->copy, "%", i < 2 ? must : 0, i < 2 ? stretch : 0, false);
        snprintf(what, sizeof what, "%s: decode at %zu, share of read", form, contexts[i]);
        row(what, 100 * rate / b->read, "%", 0, 0, false);
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
        row(what, glmv_now() - start, "s", 0, 0, true);
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
        row(what, many / b->one, "x", verify_must, verify_stretch, true);
        edit_round(b, form, price > 0.01 ? price : 0.01);
        if (b->peer > 0) {
            bool four = strcmp(form, "int4-g128") == 0;
            snprintf(what, sizeof what, "%s: against transformers in bf16", form);
            row(what, 1 / b->one / b->peer, "x", four ? 6 : 2, four ? 9 : 3, false);
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
        row(what, 100 * flop / median(times, turns(b, PICTURES)) / b->product, "%", 60, 75, false);
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
        row(what,
            100 * tower_flop(&b->config.vision, (double)shape.grid.n) /
                median(times, turns(b, PICTURES)) / b->product,
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

static void screenshot(struct bench *b)
{
    char path[] = "/tmp/glmv-gpu-XXXXXX.png";
    struct glmv_err err = {0};
    double times[PICTURES];
    int fd = mkstemps(path, 4);
    struct glmv_image *image = glmv_image_new(b->small ? 60 : 1920, b->small ? 60 : 1080, &err);
    bool ok = fd >= 0 && close(fd) == 0 && image != NULL;
    for (size_t i = 0; ok && i < (size_t)image->width * (size_t)image->height * 4; i++) {
        image->rgba[i] = (uint8_t)(i * 2654435761u >> 24 & (i / 4096 % 3 == 0 ? 255 : 15));
    }
    ok = ok && fine(b, glmv_image_write_png(image, path, &err), &err);
    for (size_t i = 0; ok && i < turns(b, PICTURES); i++) {
        times[i] = first_token(b, path);
    }
    if (ok && !b->failed) {
        row("1920x1080 screenshot, file to first token", median(times, turns(b, PICTURES)), "s",
            0.22, 0.16, true);
    }
    unlink(path);
    glmv_image_free(image);
}

static int table(struct bench *b)
{
    struct glmv_err err = {0};
    char line[256] = "";
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
    snprintf(line, sizeof line, "%s, compute capability %d.%d, %.1f GB, driver for CUDA %d.%d",
             found.name, found.major, found.minor, (double)found.memory / 1e9, found.driver / 1000,
             found.driver % 1000 / 10);
    printf("%s%s\n| %-46s | %-18s | must    | stretch |         |\n", line,
           b->small ? " -- TINY SIZES, NO MEASUREMENT" : "", "what", "measured");
    ceilings(b);
    one_form(b, "bf16", 85, 92, 1.10, 1.03);
    one_form(b, "int4-g128", 75, 85, 1.20, 1.10);
    one_form(b, "fp8", 80, 88, 0, 0);
    if (!b->failed && open_form(b, "bf16")) {
        prompts(b);
        towers(b, b->small ? 56 : 1920, b->small ? 56 : 1080, 0, 0);
        towers(b, b->small ? 84 : 1960, b->small ? 56 : 2408, 50, 65);
        screenshot(b);
    }
    glm_runner_close(b->runner);
    if (!b->failed) {
        double off = bench_logits(b->small, &err);
        if (fine(b, off >= 0, &err)) {
            row("logits against floats on the processor", off, "relative", 1e-2, 0, true);
        }
    }
    glm_model_close(b->model);
    free(b->ids);
    free(b->items);
    return b->failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    if (argc == 3 && argv[1][0] != '-') {
        return bench_load(argv[1], argv[2]);
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--small") == 0) {
            b.small = true;
        } else if (strcmp(argv[i], "--product") == 0 && i + 1 < argc) {
            b.product = atof(argv[++i]) * 1e12;
        } else if (strcmp(argv[i], "--peer") == 0 && i + 1 < argc) {
            b.peer = atof(argv[++i]);
        } else {
            fprintf(stderr, "usage: %s [--small] [--product TFLOPS] [--peer TOKENS]\n", argv[0]);
            return 2;
        }
    }
    return table(&b);
}
