/* Kernels one by one, timed by the device's own events. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/gpu_model.h"

enum { TURNS = 24 };

void bench_row(const char *what, double value, const char *unit, double must, double stretch,
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

double bench_median(double *times, size_t count)
{
    qsort(times, count, sizeof *times, by_size);
    return times[count / 2];
}

/* What a measurement puts into the stream. */
struct run {
    struct glm_cuda_device *device;
    bool (*put)(void *arg, struct glmv_err *err);
    void *arg;
    size_t turns;
};

/* Seconds, a median; INFINITY where it failed. */
static double time_run(const struct run *run, struct glmv_err *err)
{
    struct glm_cuda *cuda = &run->device->cuda;
    struct glm_cu_api *api = &cuda->api;
    glm_cu_event from = NULL, to = NULL;
    double times[TURNS];
    bool ok = glm_cuda_check(cuda, api->event_create(&from, 0), "make an event", err) &&
              glm_cuda_check(cuda, api->event_create(&to, 0), "make an event", err) &&
              run->put(run->arg, err); /* once for nothing */
    for (size_t i = 0; ok && i < run->turns; i++) {
        float ms = 0;
        run->device->after_kernel = false;
        ok = glm_cuda_check(cuda, api->event_record(from, run->device->stream), "time", err) &&
             run->put(run->arg, err) &&
             glm_cuda_check(cuda, api->event_record(to, run->device->stream), "time", err) &&
             glm_cuda_wait(run->device, err) &&
             glm_cuda_check(cuda, api->event_elapsed(&ms, from, to), "time", err);
        times[i] = ms > 0 ? ms * 1e-3 : 1e-9;
    }
    if (from != NULL) {
        api->event_destroy(from);
    }
    if (to != NULL) {
        api->event_destroy(to);
    }
    return ok ? bench_median(times, run->turns) : INFINITY;
}

struct single {
    struct glm_cuda_device *device;
    struct glm_cuda_launch launch;
    void *args;
};

static bool put_single(void *arg, struct glmv_err *err)
{
    struct single *s = arg;
    return glm_cuda_run(s->device, s->launch, s->args, err);
}

static double time_single(struct glm_cuda_device *d, struct glm_cuda_launch launch, void *args,
                          bool small, struct glmv_err *err)
{
    struct single single = {d, launch, args};
    struct run run = {d, put_single, &single, small ? 2 : TURNS};
    return time_run(&run, err);
}

/* Seconds of x [n][cols] times [rows][cols] in bf16, all random. */
static double time_product(struct glm_cuda_device *d, uint32_t n, uint32_t rows, uint32_t cols,
                           bool small, struct glmv_err *err)
{
    const size_t weights = (size_t)rows * cols, inputs = (size_t)n * cols;
    glm_device_ptr memory = 0;
    struct glm_cuda_arena arena = {0};
    double seconds = INFINITY;
    arena.size = (weights + inputs + (size_t)n * rows) * sizeof(uint16_t) + 4096;
    if (!glm_cuda_alloc(&d->cuda, arena.size, "a measurement", &memory, err)) {
        return seconds;
    }
    arena.base = memory;
    uint16_t *w = glm_cuda_take(&arena, weights * sizeof *w);
    uint16_t *x = glm_cuda_take(&arena, inputs * sizeof *x);
    uint16_t *y = glm_cuda_take(&arena, (size_t)n * rows * sizeof *y);
    struct glm_cuda_fill fill = {w, weights, 1, 0.02f}, fill_x = {x, inputs, 2, 1.0f};
    struct glm_cuda_gemm gemm = {.m = {{w, NULL, GLM_CUDA_BF16, rows, cols, 0}},
                                 .x = x,
                                 .y = y,
                                 .x_row = cols,
                                 .y_row = rows,
                                 .count = 1,
                                 .n = n,
                                 .store = GLM_CUDA_STORE_BF16};
    if (glm_cuda_run(d, glm_cuda_fill_launch(&fill), &fill, err) &&
        glm_cuda_run(d, glm_cuda_fill_launch(&fill_x), &fill_x, err)) {
        seconds = time_single(d, glm_cuda_gemm_launch_on(&gemm, d->wide), &gemm, small, err);
    }
    glm_cuda_free(&d->cuda, memory);
    return seconds;
}

bool bench_ceilings(struct bench_ceilings *c, bool small, struct glmv_err *err)
{
    struct glm_cuda_device d;
    const size_t bytes = small ? 1 << 16 : (size_t)2 << 30;
    const uint32_t side = small ? 128 : 8192;
    glm_device_ptr from = 0, to = 0;
    if (!glm_cuda_device_open(&d, 0, err)) {
        return false;
    }
    bool ok = glm_cuda_alloc(&d.cuda, bytes, "a measurement", &from, err) &&
              glm_cuda_alloc(&d.cuda, bytes, "a measurement", &to, err);
    if (ok) {
        uint16_t *x = (uint16_t *)(uintptr_t)from;
        void *y = (void *)(uintptr_t)to;
        uint32_t blocks = small ? 2 : (uint32_t)d.cuda.sms * 8;
        struct glm_cuda_fill fill = {x, bytes / 2, 1, 0.02f};
        struct glm_cuda_stream move = {x, y, y, bytes, blocks};
        ok = glm_cuda_run(&d, glm_cuda_fill_launch(&fill), &fill, err);
        c->copy =
            2.0 * (double)bytes / time_single(&d, glm_cuda_copy_launch(&move), &move, small, err);
        c->read = (double)bytes / time_single(&d, glm_cuda_read_launch(&move), &move, small, err);
        ok = ok && c->copy > 0 && c->read > 0;
    }
    glm_cuda_free(&d.cuda, from);
    glm_cuda_free(&d.cuda, to);
    if (ok) {
        double own = 2.0 * side * side * side / time_product(&d, side, side, side, small, err);
        bench_row("copy, read and written", c->copy / 1e12, "TB/s", 0, 0, false);
        bench_row("read-only sum", c->read / 1e12, "TB/s", 0, 0, false);
        bench_row("8192^3 bf16, our kernel", own / 1e12, "TFLOP/s", 0, 0, false);
        if (c->product > 0) {
            bench_row("8192^3 bf16, cuBLAS", c->product / 1e12, "TFLOP/s", 0, 0, false);
        } else {
            printf("| no cuBLAS at hand: shares of the product are of our own kernel's\n");
            c->product = own;
        }
        ok = own > 0;
    }
    glm_cuda_device_close(&d);
    return ok;
}

bool bench_products(bool small, struct glmv_err *err)
{
    static const uint32_t full[][3] = {
        {2991, 4608, 4096},  {2991, 4096, 4096},  {2991, 27392, 4096}, {2991, 4096, 13696},
        {24336, 4608, 1536}, {24336, 8192, 1536}, {24336, 1536, 4096}};
    static const uint32_t tiny[][3] = {{70, 96, 64}, {20, 40, 96}};
    struct glm_cuda_device d;
    if (!glm_cuda_device_open(&d, 0, err)) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < (small ? 2 : sizeof full / sizeof full[0]); i++) {
        const uint32_t *s = small ? tiny[i] : full[i];
        char what[80];
        double seconds = time_product(&d, s[0], s[1], s[2], small, err);
        ok = seconds < INFINITY;
        snprintf(what, sizeof what, "product %u x %u x %u", s[0], s[1], s[2]);
        bench_row(what, ok ? 2e-12 * s[0] * s[1] * s[2] / seconds : 0, "TFLOP/s", 0, 0, false);
    }
    glm_cuda_device_close(&d);
    return ok;
}

/* One kind of kernel over all layers, so that no weights are in the cache from the turn before. */
struct kind {
    struct glm_cuda_device *device;
    const struct glm_cuda_weights *weights;
    size_t layers, which;
    uint16_t *x, *out;
    float *parts;
};
enum { QKV, O, GATE, DOWN, HEAD, KINDS };

static size_t linear_of(const struct kind *k, const struct glm_cuda_layer *l,
                        struct glm_cuda_linear *a)
{
    const struct glm_cuda_matrix *m = k->which == QKV    ? l->qkv
                                      : k->which == O    ? &l->o
                                      : k->which == DOWN ? &l->down
                                                         : &k->weights->head;
    *a = (struct glm_cuda_linear){.x = k->x, .parts = k->parts, .n = 1};
    a->count = k->which == QKV ? 3 : 1;
    for (uint32_t i = 0; i < a->count; i++) {
        a->m[i] = m[i];
        a->width += m[i].rows;
    }
    a->slices = k->which == HEAD ? 1 : glm_cuda_slices(m->form, a->width, m->cols);
    return (size_t)a->width * m->cols;
}

static bool put_kind(void *arg, struct glmv_err *err)
{
    const struct kind *k = arg;
    bool ok = true;
    for (size_t i = 0; ok && i < (k->which == HEAD ? 1 : k->layers); i++) {
        const struct glm_cuda_layer *l = &k->weights->layers[i];
        if (k->which == GATE) {
            struct glm_cuda_gate a = {l->gate, l->up, k->x, k->out, 1};
            ok = glm_cuda_run(k->device, glm_cuda_gate_launch(&a), &a, err);
        } else {
            struct glm_cuda_linear a;
            linear_of(k, l, &a);
            ok = glm_cuda_run(k->device, glm_cuda_linear_launch(&a), &a, err);
        }
    }
    return ok;
}

static double bytes_of(const struct glm_cuda_matrix *m)
{
    const double count = (double)m->rows * m->cols;
    return m->form == GLM_CUDA_BF16 ? 2 * count
           : m->form == GLM_CUDA_FP8
               ? count
               : count * (m->form == GLM_CUDA_INT8 ? 1.0 : 0.5) + 2 * count / m->group;
}

bool bench_kernels(struct glm_runner *runner, const struct glm_config *config, const char *form,
                   double copy, struct glmv_err *err)
{
    static const char *const names[KINDS] = {"q, k, v", "o", "gate, up", "down", "head"};
    const struct glm_text_config *c = &config->text;
    struct glm_cuda_device *d = glm_runner_cuda_device(runner);
    struct kind k = {
        .device = d, .weights = glm_runner_cuda_weights(runner), .layers = (size_t)c->layers};
    struct glm_cuda_arena arena = {0};
    const size_t wide = (size_t)(c->inner > c->hidden ? c->inner : c->hidden);
    const size_t parts = 8 * (size_t)(c->vocab > 8 * c->hidden ? c->vocab : 8 * c->hidden);
    arena.size = 4 * wide * sizeof(uint16_t) + parts * sizeof(float) + 4096;
    if (!glm_cuda_enter(&d->cuda, err) ||
        !glm_cuda_alloc(&d->cuda, arena.size, "a measurement", &arena.base, err)) {
        return false;
    }
    k.x = glm_cuda_take(&arena, wide * sizeof *k.x);
    k.out = glm_cuda_take(&arena, wide * sizeof *k.out);
    k.parts = glm_cuda_take(&arena, parts * sizeof *k.parts);
    struct glm_cuda_fill fill = {k.x, wide, 1, 1.0f};
    bool ok = glm_cuda_run(d, glm_cuda_fill_launch(&fill), &fill, err);
    for (k.which = 0; ok && k.which < KINDS; k.which++) {
        struct run run = {d, put_kind, &k, c->layers > 4 ? TURNS : 2};
        const struct glm_cuda_layer *l = k.weights->layers;
        double bytes = k.which == QKV    ? bytes_of(&l->qkv[0]) + 2 * bytes_of(&l->qkv[1])
                       : k.which == O    ? bytes_of(&l->o)
                       : k.which == GATE ? 2 * bytes_of(&l->gate)
                       : k.which == DOWN ? bytes_of(&l->down)
                                         : bytes_of(&k.weights->head);
        double seconds = time_run(&run, err) / (double)(k.which == HEAD ? 1 : k.layers);
        char what[80];
        ok = seconds < INFINITY;
        snprintf(what, sizeof what, "%s: %s, one row", form, names[k.which]);
        bench_row(what, seconds * 1e6, "us", 0, 0, true);
        snprintf(what, sizeof what, "%s: %s, share of copy", form, names[k.which]);
        bench_row(what, 100 * bytes / seconds / copy, "%", 0, 0, false);
    }
    glm_cuda_free(&d->cuda, arena.base);
    return ok;
}
