/*
 * The contract between the kernels (*.cu) and the host side that launches them: the name of each
 * kernel, the one structure it takes by value, and the grid that goes with it. Plain C11, read by
 * C, by nvcc and by the emulated build of the tests. Private to model/glm/cuda.
 *
 *     struct glm_cuda_linear args = {...};
 *     struct glm_cuda_launch launch = glm_cuda_linear_launch(&args);
 *     cuLaunchKernel(function[launch.kernel], launch.x, launch.y, launch.z, launch.threads, 1, 1,
 *                    launch.shared, stream, (void *[]){&args}, NULL);
 *
 * Pointers are device addresses. 16-bit numbers (uint16_t) are bf16 where nothing else is said.
 * Matrices and rows of inputs begin at multiples of 16 bytes, every width is a multiple of 8, and
 * of 32 for the weight-streaming products. Dynamic shared memory above 48 KB needs
 * CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES. Every kernel may be launched with programmatic
 * stream serialisation: it waits for the kernel before it ahead of its first access to anything but
 * weights, and lets the next one start early.
 *
 * One row and k rows give the same bits: a number of a row is summed in an order that depends on
 * the matrix (GLM_CUDA_STRANDS, glm_cuda_slices) or on the place of keys (GLM_CUDA_SPLIT), never on
 * n.
 */
#ifndef GLMV_MODEL_GLM_CUDA_KERNELS_H
#define GLMV_MODEL_GLM_CUDA_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define GLM_CUDA_ROWS 64   /* rows of a decode or verify step, at most */
#define GLM_CUDA_STRANDS 4 /* warps of a block that share the columns of a product */
#define GLM_CUDA_STEP 128  /* columns a warp takes at a time; strands take them by turns */
#define GLM_CUDA_SPLIT 256 /* keys that one block of the decode attention takes */
#define GLM_CUDA_PARTS 32  /* pieces the vocabulary is cut into when the best are sought */
#define GLM_CUDA_BEST 64   /* largest top-k on the device */
#define GLM_CUDA_OUTPUTS 3 /* matrices of one launch that share their input */

#define GLM_CUDA_WIDEST 8192 /* row of a norm: each of 1024 threads keeps eight numbers */

/* Weights. BF16: row-major. FP8: e4m3, row-major, scales are float, one a row. INT8, INT4, LEAST:
 * the tiles of model/glm/codes.h, byte for byte, scales half floats. */
enum glm_cuda_form {
    GLM_CUDA_BF16,
    GLM_CUDA_FP8,
    GLM_CUDA_INT8,
    GLM_CUDA_INT4,
    GLM_CUDA_LEAST,
    GLM_CUDA_FORMS
};

struct glm_cuda_matrix {
    const void *data;
    const void *scales; /* NULL for BF16 */
    uint32_t form, rows, cols, group;
};

/* X(CONSTANT, name): the kernel is the extern "C" function glm_cuda_<name>. */
#define GLM_CUDA_EACH_FORM(X, LARGE, small)                                                        \
    X(LARGE##_BF16, small##_bf16)                                                                  \
    X(LARGE##_FP8, small##_fp8)                                                                    \
    X(LARGE##_INT8, small##_int8) X(LARGE##_INT4, small##_int4) X(LARGE##_LEAST, small##_least)
#define GLM_CUDA_KERNELS(X)                                                                        \
    GLM_CUDA_EACH_FORM(X, LINEAR8, linear8)                                                        \
    GLM_CUDA_EACH_FORM(X, LINEAR16, linear16)                                                      \
    GLM_CUDA_EACH_FORM(X, LINEAR32, linear32)                                                      \
    GLM_CUDA_EACH_FORM(X, LINEAR64, linear64)                                                      \
    GLM_CUDA_EACH_FORM(X, GATE8, gate8)                                                            \
    GLM_CUDA_EACH_FORM(X, GATE16, gate16)                                                          \
    GLM_CUDA_EACH_FORM(X, GATE32, gate32)                                                          \
    GLM_CUDA_EACH_FORM(X, GATE64, gate64)                                                          \
    GLM_CUDA_EACH_FORM(X, GEMM, gemm)                                                              \
    GLM_CUDA_EACH_FORM(X, GEMM_GATE, gemm_gate)                                                    \
    GLM_CUDA_EACH_FORM(X, GEMM_WIDE, gemm_wide)                                                    \
    GLM_CUDA_EACH_FORM(X, GEMM_WIDE_GATE, gemm_wide_gate)                                          \
    X(EMBED, embed)                                                                                \
    X(NORM, norm)                                                                                  \
    X(ROPE, rope)                                                                                  \
    X(ATTEND16, attend16)                                                                          \
    X(ATTEND128, attend128)                                                                        \
    X(COMBINE16, combine16)                                                                        \
    X(COMBINE128, combine128)                                                                      \
    X(FLASH16, flash16)                                                                            \
    X(FLASH128, flash128)                                                                          \
    X(FLASH_WIDE128, flash_wide128)                                                                \
    X(POSITIONS, positions)                                                                        \
    X(TURN, turn)                                                                                  \
    X(GELU, gelu)                                                                                  \
    X(ACROSS, across)                                                                              \
    X(CUT, cut)                                                                                    \
    X(BEST_PARTS, best_parts)                                                                      \
    X(BEST_MERGE, best_merge)                                                                      \
    X(WHOLE_LIMIT, whole_limit)                                                                    \
    X(WHOLE_DRAW, whole_draw)                                                                      \
    X(VERIFY, verify)                                                                              \
    X(QUANTISE, quantise)                                                                          \
    X(CONVERT, convert)                                                                            \
    X(FILL, fill)                                                                                  \
    X(COPY, copy)                                                                                  \
    X(READ, read)

#define GLM_CUDA_CONSTANT(LARGE, small) GLM_CUDA_K_##LARGE,
enum glm_cuda_kernel { GLM_CUDA_KERNELS(GLM_CUDA_CONSTANT) GLM_CUDA_KERNEL_COUNT };
#undef GLM_CUDA_CONSTANT

struct glm_cuda_launch {
    enum glm_cuda_kernel kernel;
    uint32_t x, y, z, threads, shared; /* shared: dynamic bytes */
};

/* Where a conversation stands, in device memory. Kernels of a step read it, so that a graph can be
 * launched again and again; verify moves it on. */
struct glm_cuda_state {
    uint64_t random; /* of glm_sampler */
    int32_t len;     /* keys in the cache */
    int32_t place;   /* position of the next token, on all three axes */
    int32_t count;   /* tokens that the last verify chose */
    int32_t tokens[GLM_CUDA_ROWS];
};

/* x[n][hidden] (float) = rows of the table; an id < 0 takes row -1 - id of extra. */
struct glm_cuda_embed {
    const uint16_t *table; /* [vocab][hidden]; may be NULL if every id is negative */
    const float *extra;    /* pictures, or rows the host gathered; may be NULL */
    const int32_t *ids;    /* [n] */
    float *x;
    uint32_t n, hidden;
};
static inline struct glm_cuda_launch glm_cuda_embed_launch(const struct glm_cuda_embed *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_EMBED, a->n, 1, 1, 256, 0};
    return l;
}

/*
 * The norms on both sides of a part, and the residual, in one pass over a row:
 *     t = sum of the slices of parts, in order;  x += part_weight ? rms(t) * part_weight : t
 *     y = rms(x) * weight
 * parts NULL: x stays. weight NULL: no y. y goes to out (bf16) and out_float, where these are
 * given; out_float may be x.
 */
struct glm_cuda_norm {
    const float *parts, *part_weight;
    float *x;
    const float *weight;
    uint16_t *out;
    float *out_float;
    uint32_t slices, n, width;
    float eps;
};
static inline struct glm_cuda_launch glm_cuda_norm_launch(const struct glm_cuda_norm *a)
{
    uint32_t threads = a->width > 2048 ? 1024 : 256;
    struct glm_cuda_launch l = {GLM_CUDA_K_NORM, a->n, 1, 1, threads, 0};
    return l;
}

/*
 * The weight-streaming product of 1 .. GLM_CUDA_ROWS rows: parts[slice][n][width] = x * m^T over
 * the columns of the slice, for up to three matrices of one form and one cols whose outputs stand
 * side by side. width is the sum of their rows. Who reads parts sums the slices in order and adds
 * biases. A slice is a range of whole steps.
 */
struct glm_cuda_linear {
    struct glm_cuda_matrix m[GLM_CUDA_OUTPUTS];
    const uint16_t *x; /* [n][cols] */
    float *parts;
    uint32_t count, n, width, slices; /* slices: glm_cuda_slices(form, width, cols) */
};

/* Weight rows of a warp: a lane's 16 bytes hold four rows of the tiles, or one of row-major ones.
 */
static inline uint32_t glm_cuda_warp_rows(uint32_t form)
{
    return form == GLM_CUDA_BF16 || form == GLM_CUDA_FP8 ? 16 : 32;
}
/* Blocks hold two groups of such rows for up to 8 rows of inputs, four for more, so that inputs are
 * read from the second-level cache less often than weights from memory; with more than 32 rows the
 * registers last for two. */
static inline uint32_t glm_cuda_groups(uint32_t n)
{
    return n <= 8 || n > 32 ? 2 : 4;
}
/* How many slices: enough blocks for two on each of 132 processors where the columns suffice. */
static inline uint32_t glm_cuda_slices(uint32_t form, uint32_t width, uint32_t cols)
{
    uint32_t rows = 2 * glm_cuda_warp_rows(form), blocks = (width + rows - 1) / rows;
    uint32_t steps = (cols + GLM_CUDA_STEP - 1) / GLM_CUDA_STEP;
    uint32_t most = steps / GLM_CUDA_STRANDS, want = (264 + blocks / 2) / blocks;
    want = want > 8 ? 8 : want;
    want = want > most ? most : want;
    return want < 1 ? 1 : want;
}
/* 0, 1, 2, 3 for tiles of 8, 16, 32 and 64 rows of inputs. */
static inline uint32_t glm_cuda_size_of(uint32_t n)
{
    return n <= 8 ? 0 : n <= 16 ? 1 : n <= 32 ? 2 : 3;
}
static inline struct glm_cuda_launch glm_cuda_linear_launch(const struct glm_cuda_linear *a)
{
    uint32_t form = a->m[0].form, rows = glm_cuda_groups(a->n) * glm_cuda_warp_rows(form);
    uint32_t kernel = GLM_CUDA_K_LINEAR8_BF16 + glm_cuda_size_of(a->n) * GLM_CUDA_FORMS + form;
    struct glm_cuda_launch l = {(enum glm_cuda_kernel)kernel, 0, a->slices, 1, 0, 0};
    for (uint32_t i = 0; i < a->count; i++) { /* a block never crosses from matrix to matrix */
        l.x += (a->m[i].rows + rows - 1) / rows;
    }
    l.threads = glm_cuda_groups(a->n) * GLM_CUDA_STRANDS * 32;
    return l;
}

/* out[n][rows] (bf16) = silu(x * gate^T) * (x * up^T), 1 .. GLM_CUDA_ROWS rows; half of the row
 * groups of a block are the gate's. No slices. */
struct glm_cuda_gate {
    struct glm_cuda_matrix gate, up; /* same form and shape */
    const uint16_t *x;
    uint16_t *out;
    uint32_t n;
};
static inline struct glm_cuda_launch glm_cuda_gate_launch(const struct glm_cuda_gate *a)
{
    uint32_t form = a->gate.form, rows = glm_cuda_groups(a->n) / 2 * glm_cuda_warp_rows(form);
    uint32_t kernel = GLM_CUDA_K_GATE8_BF16 + glm_cuda_size_of(a->n) * GLM_CUDA_FORMS + form;
    struct glm_cuda_launch l = {(enum glm_cuda_kernel)kernel,
                                (a->gate.rows + rows - 1) / rows,
                                1,
                                1,
                                glm_cuda_groups(a->n) * GLM_CUDA_STRANDS * 32,
                                0};
    return l;
}

/*
 * From the products of q, k and v, [slices][n][(heads + 2 kv_heads) * dim], to queries
 * q[n][heads][dim] and rows state->len + i of the caches [kv_head][capacity][dim] of a layer; sums
 * slices, adds the bias, rotates the first rot dims of queries and keys. Row i stands at
 * positions[i] (time, row, column), or at state->place + i where positions is NULL.
 */
struct glm_cuda_rope {
    const float *parts, *bias; /* bias: [(heads + 2 kv_heads) * dim], may be NULL */
    const float *freq;         /* [rot / 2]: (float)theta^(-2 j / rot), as decoder.c has it */
    const int32_t *positions;
    const struct glm_cuda_state *state;
    uint16_t *q, *keys, *values;
    uint32_t slices, n, heads, kv_heads, dim, rot, capacity;
    uint32_t section[2]; /* frequencies of time and of the row; the rest are the column's */
    uint32_t halves;     /* pairs are (j, j + rot / 2), not neighbours */
};
static inline struct glm_cuda_launch glm_cuda_rope_launch(const struct glm_cuda_rope *a)
{
    struct glm_cuda_launch l = {
        GLM_CUDA_K_ROPE, a->n, a->heads + 2 * a->kv_heads, 1, a->dim < 32 ? 32 : a->dim / 2, 0};
    return l;
}

/*
 * Attention of the rows of a step over the cache; row i sees keys 0 .. state->len + i, its own
 * among them. Split s holds keys GLM_CUDA_SPLIT * s .., and leaves for row i and head h, at
 * parts[((i * heads + h) * splits + s) * (dim + 2)]: dim sums, the largest score, the sum of the
 * weights. combine adds the splits a row sees in rising order. splits: those launched, at least
 * (len + n + GLM_CUDA_SPLIT - 1) / GLM_CUDA_SPLIT; more end at once and leave nothing. heads /
 * kv_heads <= 16. dim is 16 or 128.
 */
struct glm_cuda_attend {
    const uint16_t *q, *keys, *values; /* as rope leaves them */
    const struct glm_cuda_state *state;
    float *parts;
    uint16_t *out; /* combine's: [n][heads * dim] */
    uint32_t n, heads, kv_heads, dim, capacity, splits;
    float scale; /* 1 / sqrt(dim) */
};
static inline size_t glm_cuda_attend_bytes(uint32_t n, uint32_t heads, uint32_t dim,
                                           uint32_t splits)
{
    return (size_t)n * heads * splits * (dim + 2) * sizeof(float);
}
/* A block takes several rows where there would be more blocks than 132 processors, which hold one
 * each: keys and values stay in its registers from row to row. */
static inline struct glm_cuda_launch glm_cuda_attend_launch(const struct glm_cuda_attend *a)
{
    uint32_t rows = (a->n * a->splits * a->kv_heads + 131) / 132;
    struct glm_cuda_launch l = {a->dim == 16 ? GLM_CUDA_K_ATTEND16 : GLM_CUDA_K_ATTEND128,
                                a->splits,
                                a->kv_heads,
                                (a->n + rows - 1) / rows,
                                256,
                                0};
    return l;
}
static inline struct glm_cuda_launch glm_cuda_combine_launch(const struct glm_cuda_attend *a)
{
    struct glm_cuda_launch l = {
        a->dim == 16 ? GLM_CUDA_K_COMBINE16 : GLM_CUDA_K_COMBINE128, a->heads, a->n, 1, a->dim, 0};
    l.threads = a->dim < 32 ? 32 : a->dim;
    return l;
}

/*
 * Attention of many queries: causal for a prompt (query i sees keys 0 .. first + i, the cache as k
 * and v), full for the tower (sees all keys). Strides in elements: from token to token, from head
 * to head; head h of q uses head h / group of k and v. dim is 16 or 128.
 */
struct glm_cuda_flash {
    const uint16_t *q, *k, *v;
    uint16_t *out;
    size_t q_row, k_row, v_row, out_row, q_head, k_head, v_head, out_head;
    uint32_t n, keys, heads, group, dim, causal, first; /* keys: first + n where causal */
    float scale;
};
#define GLM_CUDA_FLASH_QUERIES 128
#define GLM_CUDA_FLASH_KEYS 64
static inline struct glm_cuda_launch glm_cuda_flash_launch(const struct glm_cuda_flash *a)
{
    struct glm_cuda_launch l = {a->dim == 16 ? GLM_CUDA_K_FLASH16 : GLM_CUDA_K_FLASH128,
                                a->heads,
                                (a->n + GLM_CUDA_FLASH_QUERIES - 1) / GLM_CUDA_FLASH_QUERIES,
                                1,
                                256,
                                4 * GLM_CUDA_FLASH_KEYS * a->dim * 2};
    return l;
}

/* The same by warpgroups, for compute capability 9.0 alone; dim is 128. */
#define GLM_CUDA_FLASH_WIDE_KEYS 128
#define GLM_CUDA_FLASH_WIDE_SLOTS 5 /* of keys or of values, beside the queries */
static inline struct glm_cuda_launch glm_cuda_flash_wide_launch(const struct glm_cuda_flash *a)
{
    struct glm_cuda_launch l = glm_cuda_flash_launch(a);
    l.kernel = GLM_CUDA_K_FLASH_WIDE128;
    l.threads = 384;
    l.shared = 1024 + (1 + GLM_CUDA_FLASH_WIDE_SLOTS) * GLM_CUDA_FLASH_WIDE_KEYS * 256;
    return l;
}
/* wide: processors of a device with warpgroups, 0 of others. */
static inline struct glm_cuda_launch glm_cuda_flash_launch_on(const struct glm_cuda_flash *a,
                                                              uint32_t wide)
{
    return wide > 0 && a->dim == 128 ? glm_cuda_flash_wide_launch(a) : glm_cuda_flash_launch(a);
}

/*
 * The product of many rows on the tensor cores: y[n][sum of rows] = x * m^T + bias, up to three
 * matrices side by side, any n. cols is a multiple of 8 (BF16) or 32. y_row: elements from row to
 * row of y. The gate form has gate in m[0] and up in m[1] and leaves silu(gate) * up.
 */
enum glm_cuda_store { GLM_CUDA_STORE_FLOAT, GLM_CUDA_STORE_ADD, GLM_CUDA_STORE_BF16 };
struct glm_cuda_gemm {
    struct glm_cuda_matrix m[GLM_CUDA_OUTPUTS];
    const uint16_t *x;
    const float *bias; /* [sum of rows] or NULL */
    void *y;           /* float, float that is added to, or bf16 */
    size_t x_row, y_row;
    uint32_t count, n, store;
};
#define GLM_CUDA_GEMM_TILE 128 /* rows of x and of weights of a block */
#define GLM_CUDA_GEMM_DEPTH 32 /* columns of a stage */
#define GLM_CUDA_GEMM_STAGES 3
static inline struct glm_cuda_launch glm_cuda_gemm_launch(const struct glm_cuda_gemm *a)
{
    struct glm_cuda_launch l = {(enum glm_cuda_kernel)(GLM_CUDA_K_GEMM_BF16 + a->m[0].form),
                                0,
                                (a->n + GLM_CUDA_GEMM_TILE - 1) / GLM_CUDA_GEMM_TILE,
                                1,
                                128,
                                GLM_CUDA_GEMM_STAGES * 2 * GLM_CUDA_GEMM_TILE *
                                    GLM_CUDA_GEMM_DEPTH * 2};
    for (uint32_t i = 0; i < a->count; i++) {
        l.x += (a->m[i].rows + GLM_CUDA_GEMM_TILE - 1) / GLM_CUDA_GEMM_TILE;
    }
    return l;
}
/* count is 2, store GLM_CUDA_STORE_BF16, no bias, y_row a multiple of 2. */
static inline struct glm_cuda_launch glm_cuda_gemm_gate_launch(const struct glm_cuda_gemm *a)
{
    struct glm_cuda_launch l = glm_cuda_gemm_launch(a);
    l.kernel = (enum glm_cuda_kernel)(GLM_CUDA_K_GEMM_GATE_BF16 + a->m[0].form);
    l.x = (2 * a->m[0].rows + GLM_CUDA_GEMM_TILE - 1) / GLM_CUDA_GEMM_TILE;
    return l;
}

/* The same products by warpgroups, for compute capability 9.0 alone. processors: those of the
 * device; a block stays on one and takes tile after tile. */
#define GLM_CUDA_WIDE_INPUTS 128  /* rows of x of a tile */
#define GLM_CUDA_WIDE_WEIGHTS 256 /* rows of weights */
#define GLM_CUDA_WIDE_SLOT ((GLM_CUDA_WIDE_INPUTS + GLM_CUDA_WIDE_WEIGHTS) * 128)
#define GLM_CUDA_WIDE_SLOTS 4 /* of 64 columns */
#define GLM_CUDA_WIDE_BLOCK 384
static inline struct glm_cuda_launch glm_cuda_wide_launch_of(const struct glm_cuda_gemm *a,
                                                             uint32_t kernel, uint32_t across,
                                                             uint32_t processors)
{
    uint32_t tiles = (a->n + GLM_CUDA_WIDE_INPUTS - 1) / GLM_CUDA_WIDE_INPUTS * across;
    struct glm_cuda_launch l = {(enum glm_cuda_kernel)(kernel + a->m[0].form),
                                tiles < processors ? tiles : processors,
                                1,
                                1,
                                GLM_CUDA_WIDE_BLOCK,
                                1024 + GLM_CUDA_WIDE_SLOTS * GLM_CUDA_WIDE_SLOT};
    return l;
}
static inline struct glm_cuda_launch glm_cuda_gemm_wide_launch(const struct glm_cuda_gemm *a,
                                                               uint32_t processors)
{
    uint32_t across = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        across += (a->m[i].rows + GLM_CUDA_WIDE_WEIGHTS - 1) / GLM_CUDA_WIDE_WEIGHTS;
    }
    return glm_cuda_wide_launch_of(a, GLM_CUDA_K_GEMM_WIDE_BF16, across, processors);
}
static inline struct glm_cuda_launch glm_cuda_gemm_wide_gate_launch(const struct glm_cuda_gemm *a,
                                                                    uint32_t processors)
{
    uint32_t across = (2 * a->m[0].rows + GLM_CUDA_WIDE_WEIGHTS - 1) / GLM_CUDA_WIDE_WEIGHTS;
    return glm_cuda_wide_launch_of(a, GLM_CUDA_K_GEMM_WIDE_GATE_BF16, across, processors);
}

/* wide: processors of a device with warpgroups, 0 of others. */
static inline struct glm_cuda_launch glm_cuda_gemm_launch_on(const struct glm_cuda_gemm *a,
                                                             uint32_t wide)
{
    return wide > 0 ? glm_cuda_gemm_wide_launch(a, wide) : glm_cuda_gemm_launch(a);
}
static inline struct glm_cuda_launch glm_cuda_gemm_gate_launch_on(const struct glm_cuda_gemm *a,
                                                                  uint32_t wide)
{
    return wide > 0 ? glm_cuda_gemm_wide_gate_launch(a, wide) : glm_cuda_gemm_gate_launch(a);
}

/* The tower. Patch n of a grid: merge blocks row by row, inside a block row by row. */
struct glm_cuda_grid {
    uint32_t n, height, width, merge; /* patches */
};
/* x[n][hidden] += the learned table [side][side][hidden], read by cubic convolution. */
struct glm_cuda_positions {
    struct glm_cuda_grid grid;
    const float *table;
    float *x;
    uint32_t side, hidden;
};
static inline struct glm_cuda_launch glm_cuda_positions_launch(const struct glm_cuda_positions *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_POSITIONS, a->grid.n, 1, 1, 256, 0};
    return l;
}
/* Rotates q and k of qkv[n][3][heads][dim] in place. freq: [dim / 4], as vision.c has it. */
struct glm_cuda_turn {
    struct glm_cuda_grid grid;
    uint16_t *qkv;
    const float *freq;
    uint32_t heads, dim;
};
static inline struct glm_cuda_launch glm_cuda_turn_launch(const struct glm_cuda_turn *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_TURN, a->grid.n, 1, 1, 256, 0};
    return l;
}
/* out[n][width] (bf16) = GELU(LayerNorm(x) * weight + bias), the exact form, eps 1e-5. */
struct glm_cuda_gelu {
    const float *x, *weight, *bias;
    uint16_t *out;
    uint32_t n, width;
};
static inline struct glm_cuda_launch glm_cuda_gelu_launch(const struct glm_cuda_gelu *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_GELU, a->n, 1, 1, 256, 0};
    return l;
}

/* A screenshot to patches, with the bits of picture.c: whole numbers, 22 of whose bits are a
 * fraction. A sample o of a pass is made of the samples first[o] .. first[o] + count[o] - 1. */
struct glm_cuda_taps {
    const int32_t *first, *count, *weights; /* weights: [outs][most] */
    uint32_t outs, most;
};
/* out[lines][outs][3] = lines of rgba[lines][width][4] over white, made outs wide. */
struct glm_cuda_across {
    struct glm_cuda_taps taps;
    const uint8_t *rgba;
    uint8_t *out;
    uint32_t width, lines;
};
static inline struct glm_cuda_launch glm_cuda_across_launch(const struct glm_cuda_across *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_ACROSS, (a->taps.outs + 255) / 256, a->lines, 1, 256, 0};
    return l;
}
/* out[grid.n][3][temporal][patch][patch] (bf16) = rows of from[.][grid.width * patch][3], made
 * outs high, each number looked up in values[3][256]. */
struct glm_cuda_cut {
    struct glm_cuda_taps taps;
    struct glm_cuda_grid grid;
    const uint8_t *from;
    const uint16_t *values;
    uint16_t *out;
    uint32_t patch, temporal;
};
static inline struct glm_cuda_launch glm_cuda_cut_launch(const struct glm_cuda_cut *a)
{
    struct glm_cuda_launch l = {
        GLM_CUDA_K_CUT, (a->grid.width * a->patch + 255) / 256, a->taps.outs, 1, 256, 0};
    return l;
}

/*
 * Logits to tokens, as sample.c does it, for rows of a step: ids[0] is the last token, ids[1 ..]
 * what is guessed to follow. best_parts leaves the want best of each piece of the vocabulary,
 * best_merge those of a row with their chances, verify chooses in order, one draw a token where
 * there is a choice, and stops after the first that was not guessed. It then moves the state: len
 * and place by count, ids[0] to the last token, seen by all that were chosen.
 */
struct glm_cuda_sample {
    float *logits;          /* [n][vocab]; not changed */
    const uint32_t *banned; /* a bit each token, or NULL */
    uint32_t *seen;         /* a bit each token of the history, ids[0] among them; or NULL */
    int32_t *ids;           /* [n] */
    struct glm_cuda_state *state;
    float *part_logits;                 /* [n][GLM_CUDA_PARTS][want] */
    int32_t *part_ids;                  /* same */
    int32_t *best_ids;                  /* [n][want] */
    double *best_chances;               /* [n][want] */
    int32_t *best_count;                /* [n] */
    uint64_t *cut, *mass;               /* [n]; of the whole kernels */
    double temperature, top_p, penalty; /* of glm_sampler */
    uint32_t n, vocab;
    uint32_t want;  /* 1 where greedy, else top_k, 1 .. GLM_CUDA_BEST; 0: by the whole kernels */
    uint32_t top_k; /* of these; 0: all */
};
static inline struct glm_cuda_launch glm_cuda_best_parts_launch(const struct glm_cuda_sample *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_BEST_PARTS, GLM_CUDA_PARTS, a->n, 1, 256, 0};
    l.shared = (a->vocab + GLM_CUDA_PARTS - 1) / GLM_CUDA_PARTS * (uint32_t)sizeof(float);
    return l;
}
static inline struct glm_cuda_launch glm_cuda_best_merge_launch(const struct glm_cuda_sample *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_BEST_MERGE, a->n, 1, 1, 256, 0};
    l.shared = GLM_CUDA_PARTS * a->want * (uint32_t)(sizeof(float) + sizeof(int32_t));
    return l;
}
/* Instead of these two, want 0: whole_limit finds the tokens that may be chosen, whole_draw one of
 * them, best_ids[n], for every row. The order of the tokens is sample.c's; chances are rounded to
 * 2^-44 of the best one's, by which one draw in a million may fall on the neighbour. */
#define GLM_CUDA_WHOLE 768 /* threads: with more, eight loads at a time have no registers */
static inline struct glm_cuda_launch glm_cuda_whole_limit_launch(const struct glm_cuda_sample *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_WHOLE_LIMIT, a->n, 1, 1, GLM_CUDA_WHOLE, 0};
    return l;
}
static inline struct glm_cuda_launch glm_cuda_whole_draw_launch(const struct glm_cuda_sample *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_WHOLE_DRAW, a->n, 1, 1, GLM_CUDA_WHOLE, 0};
    return l;
}
static inline struct glm_cuda_launch glm_cuda_verify_launch(const struct glm_cuda_sample *a)
{
    (void)a;
    struct glm_cuda_launch l = {GLM_CUDA_K_VERIFY, 1, 1, 1, 32, 0};
    return l;
}

/* bf16 [rows][cols] to FP8, INT8 or INT4 (groups of 32 or 128), with the same bits as glm_quantise;
 * data and scales as glm_cuda_matrix has them, whole tiles. cols is a multiple of 32. */
struct glm_cuda_quantise {
    const uint16_t *from;
    void *data, *scales;
    uint32_t form, rows, cols, group;
};
static inline struct glm_cuda_launch glm_cuda_quantise_launch(const struct glm_cuda_quantise *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_QUANTISE, (a->rows + 15) / 16, 1, 1, 256, 0};
    return l;
}
/* bf16 from float (half 0) or half floats (half 1). */
struct glm_cuda_convert {
    const void *from;
    uint16_t *to;
    size_t count;
    uint32_t half;
};
static inline struct glm_cuda_launch glm_cuda_convert_launch(const struct glm_cuda_convert *a)
{
    size_t blocks = (a->count + 2047) / 2048;
    struct glm_cuda_launch l = {
        GLM_CUDA_K_CONVERT, blocks > 4096 ? 4096 : (uint32_t)blocks, 1, 1, 256, 0};
    return l;
}
/* Random weights: about normal, the same for the same seed on every machine; never all zero. */
struct glm_cuda_fill {
    uint16_t *to;
    size_t count;
    uint64_t seed;
    float sigma;
};
static inline struct glm_cuda_launch glm_cuda_fill_launch(const struct glm_cuda_fill *a)
{
    size_t blocks = (a->count + 2047) / 2048;
    struct glm_cuda_launch l = {
        GLM_CUDA_K_FILL, blocks > 4096 ? 4096 : (uint32_t)blocks, 1, 1, 256, 0};
    return l;
}
/* What the memory can do: to[i] = from[i]; or from is read only, and sums[block] written. */
struct glm_cuda_stream {
    const void *from;
    void *to;     /* COPY */
    float *sums;  /* READ: [blocks] */
    size_t bytes; /* a multiple of 16 */
    uint32_t blocks;
};
static inline struct glm_cuda_launch glm_cuda_copy_launch(const struct glm_cuda_stream *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_COPY, a->blocks, 1, 1, 512, 0};
    return l;
}
static inline struct glm_cuda_launch glm_cuda_read_launch(const struct glm_cuda_stream *a)
{
    struct glm_cuda_launch l = {GLM_CUDA_K_READ, a->blocks, 1, 1, 512, 0};
    return l;
}

/* The compiled kernels: fatbins for cuLibraryLoadData, each with some of the kernels; none where
 * the build had no nvcc. */
struct glm_cuda_image {
    const unsigned char *data;
    size_t size;
};
extern const struct glm_cuda_image glm_cuda_images[]; /* ends with a NULL */
extern const size_t glm_cuda_image_count;
/* 1 where they were compiled for sm_90a, without which the kernels for warpgroups are empty. */
extern const int glm_cuda_image_wide;

#endif
