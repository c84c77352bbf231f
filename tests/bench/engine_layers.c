/*
 * Tokens through full-width layers with random weights, as the decoder makes them: one at a time,
 * and a prompt of 288. Prints the weights read per second beside what the machine can read, both
 * measured by turns in the same run, and the best turn of each.
 *     build/release/tests/model/glm/bench_engine_layers bf16|int8|int4|int4-g128 [OPTIONS]
 *         --layers N (4)  --threads N (all)  --turns N (12)  --context N (512) tokens before
 *         --floats 1  keys and values in floats, not in half floats
 *         --load N    by turns also beside N busy processes for each thread
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/glm/model.h"

enum { HIDDEN = 4096, INNER = 13696, HEADS = 32, KV = 2, DIM = 128, PROMPT = 288, MOST = 16384 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A matrix of random numbers of a trained model's size, in the wanted form. */
static struct glm_matrix random_matrix(struct glm_pool *pool, size_t rows, size_t cols,
                                       struct glm_store store)
{
    static uint32_t state = 1;
    uint16_t *data = aligned_alloc(64, rows * cols * 2);
    struct glm_matrix m = {GLM_FORM_BF16, rows, cols, data, NULL, 0}, out;
    if (data == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < rows * cols; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (uint16_t)(0x3C00 | (state >> 16 & 0x80FF));
    }
    if (store.form == GLM_FORM_BF16) {
        return m;
    }
    if (!glm_quantise(pool, &m, store.form, store.group, &out, NULL)) {
        exit(1);
    }
    free(data);
    return out;
}

static float *filled(size_t count, float value)
{
    float *x = malloc(count * sizeof *x);
    for (size_t i = 0; x != NULL && i < count; i++) {
        x[i] = value;
    }
    return x;
}

static void make_layer(struct glm_pool *pool, struct glm_text_layer *l, struct glm_store store)
{
    l->q = random_matrix(pool, HEADS * DIM, HIDDEN, store);
    l->k = random_matrix(pool, KV * DIM, HIDDEN, store);
    l->v = random_matrix(pool, KV * DIM, HIDDEN, store);
    l->o = random_matrix(pool, HIDDEN, HEADS * DIM, store);
    l->gate = random_matrix(pool, INNER, HIDDEN, store);
    l->up = random_matrix(pool, INNER, HIDDEN, store);
    l->down = random_matrix(pool, HIDDEN, INNER, store);
    l->q_bias = l->k_bias = l->v_bias = NULL;
    l->norm_in = l->norm_attn_out = l->norm_mlp_in = l->norm_mlp_out = filled(HIDDEN, 1);
}

struct reading {
    const unsigned long long *data;
    unsigned long long sum;
};

enum { AHEAD = 4096 / 8 };

static void read_part(void *arg, size_t begin, size_t end)
{
    struct reading *r = arg;
    unsigned long long sum[8] = {0};
    for (size_t i = begin; i + 8 <= end; i += 8) {
        __builtin_prefetch(r->data + i + AHEAD);
        for (size_t k = 0; k < 8; k++) {
            sum[k] ^= r->data[i + k];
        }
    }
    for (size_t k = 0; k < 8; k++) {
        __atomic_fetch_xor(&r->sum, sum[k], __ATOMIC_RELAXED);
    }
}

/* Bytes a second of a plain loop over a buffer that no cache holds. */
static double read_rate(struct glm_pool *pool, const void *data, size_t bytes)
{
    struct reading r = {data, 0};
    double start = now();
    glm_pool_run(pool, bytes / 8, 16384, read_part, &r);
    return (double)bytes / (now() - start) + (double)(r.sum & 1);
}

static double steps(struct glm_decoder *d, size_t context, size_t rows, size_t count, float *x)
{
    static int32_t places[PROMPT][3];
    double start = now();
    d->len = context;
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < rows; n++) {
            places[n][0] = places[n][1] = places[n][2] = (int32_t)(d->len + n);
        }
        if (!glm_decoder_step(d, x, places[0], rows, 0, NULL, NULL, NULL)) {
            exit(1);
        }
    }
    return (now() - start) / (double)(count * rows);
}

/* Busy processes, which are stopped while nothing is measured beside them. */
struct beside {
    pid_t process[8 * 256];
    int count;
};

static void tell(const struct beside *beside, int signal)
{
    for (int i = 0; i < beside->count; i++) {
        kill(beside->process[i], signal);
    }
    for (int i = 0; signal != SIGCONT && i < beside->count; i++) {
        waitpid(beside->process[i], NULL, WUNTRACED);
    }
    if (beside->count > 0) {
        usleep(20000); /* until they are spread over the processors */
    }
}

static void start(struct beside *beside)
{
    for (int i = 0; i < beside->count; i++) {
        beside->process[i] = fork();
        if (beside->process[i] == 0) {
            for (volatile unsigned long k = 0;; k++) {
            }
        }
        if (beside->process[i] < 0) {
            exit(1);
        }
    }
    tell(beside, SIGSTOP);
}

/* Seconds a token, at best and summed over turns: one at a time, and of a prompt. */
struct seen {
    double read, one, many, ones, manys;
};
static const struct seen nothing_seen = {0, 1e9, 1e9, 0, 0};

static void look(struct glm_decoder *d, size_t context, float *x, struct seen *seen)
{
    const double one = steps(d, context, 1, 8, x);
    const double many = steps(d, context, GLM_STEP, PROMPT / GLM_STEP, x);
    seen->one = one < seen->one ? one : seen->one;
    seen->many = many < seen->many ? many : seen->many;
    seen->ones += one;
    seen->manys += many;
}

struct options {
    struct glm_store store;
    int layers, threads, turns, context, load, floats;
};

static bool read_options(int argc, char **argv, struct options *o)
{
    *o = (struct options){.layers = 4, .turns = 12, .context = 512};
    struct {
        const char *name;
        int *value, most;
    } all[] = {{"--layers", &o->layers, 40}, {"--threads", &o->threads, 256},
               {"--turns", &o->turns, 1000}, {"--context", &o->context, MOST - PROMPT},
               {"--load", &o->load, 8},      {"--floats", &o->floats, 1}};
    bool ok = argc >= 2 && argc % 2 == 0 && glm_store_parse(argv[1], &o->store, NULL);
    for (int i = 2; ok && i + 1 < argc; i += 2) {
        ok = false;
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
            if (strcmp(argv[i], all[k].name) == 0) {
                *all[k].value = atoi(argv[i + 1]);
                ok = *all[k].value >= 0 && *all[k].value <= all[k].most;
            }
        }
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct options o;
    if (!read_options(argc, argv, &o)) {
        fprintf(stderr,
                "usage: %s bf16|int8|int4|int4-g128 [--layers N] [--threads N] "
                "[--turns N] [--context N] [--load N] [--floats 1]\n",
                argv[0]);
        return 2;
    }
    struct glm_model m = {.pool = glm_pool_new(o.threads, NULL), .half = !o.floats};
    m.config.text = (struct glm_text_config){.hidden = HIDDEN,
                                             .layers = o.layers,
                                             .heads = HEADS,
                                             .kv_heads = KV,
                                             .head_dim = DIM,
                                             .inner = INNER,
                                             .vocab = 16,
                                             .rot = 64,
                                             .section = {8, 12, 12},
                                             .theta = 500000,
                                             .eps = 1e-5f};
    struct glm_need need = glm_model_need(&m.config, o.store);
    m.layers = calloc((size_t)o.layers, sizeof *m.layers);
    float *x = filled(PROMPT * HIDDEN, 0.5f);
    struct glm_decoder d;
    if (m.pool == NULL || m.layers == NULL || x == NULL || !glm_pool_fit(m.pool, INNER, NULL) ||
        !glm_decoder_init(&d, &m, MOST, NULL)) {
        return 1;
    }
    for (int i = 0; i < o.layers; i++) {
        make_layer(m.pool, &m.layers[i], o.store);
    }
    const size_t context = (size_t)o.context, bytes = (size_t)256 << 20;
    unsigned long long *buffer = malloc(bytes + AHEAD * 8);
    if (buffer == NULL) {
        return 1;
    }
    memset(buffer, 5, bytes);
    steps(&d, 0, GLM_STEP, context / GLM_STEP, x); /* what the attention looks at */
    struct beside beside = {.count = o.load * glm_pool_threads(m.pool)};
    start(&beside);
    struct seen quiet = nothing_seen, loaded = nothing_seen;
    for (int i = 0; i < o.turns; i++) {
        double r = read_rate(m.pool, buffer, bytes);
        quiet.read = r > quiet.read ? r : quiet.read;
        look(&d, context, x, &quiet);
        if (beside.count > 0) {
            tell(&beside, SIGCONT);
            look(&d, context, x, &loaded);
            tell(&beside, SIGSTOP);
        }
    }
    tell(&beside, SIGKILL);
    const double turns = o.turns, rate = need.text / quiet.one;
    const double work =
        o.layers * 2e-9 * (2.0 * HIDDEN * (HEADS + KV) * DIM + 3.0 * HIDDEN * INNER);
    printf("%s, %d layers, %d threads: read %.1f GB/s\n", argv[1], o.layers,
           glm_pool_threads(m.pool), quiet.read / 1e9);
    printf("  a token: %.2f ms at best, %.2f on average; %.1f GB/s, %.0f %% of read\n",
           quiet.one * 1e3, quiet.ones / turns * 1e3, rate / 1e9, 100 * rate / quiet.read);
    printf("  a prompt: %.2f ms a token at best, %.0f GFLOP/s\n", quiet.many * 1e3,
           work / quiet.many);
    if (beside.count > 0) {
        const double processors = (double)sysconf(_SC_NPROCESSORS_ONLN);
        const double all = beside.count + glm_pool_threads(m.pool);
        printf(
            "  beside %d busy processes, on average: a token %.2f ms, %.0f %% of the quiet rate; a "
            "prompt %.2f ms a token, %.0f %%; an equal share is %.0f %%\n",
            beside.count, loaded.ones / turns * 1e3, 100 * quiet.ones / loaded.ones,
            loaded.manys / turns * 1e3, 100 * quiet.manys / loaded.manys,
            100 * (all > processors ? processors / all : 1));
    }
    fflush(stdout);
    _exit(0); /* gigabytes that nobody looks at again */
}
