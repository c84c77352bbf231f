#include "model/glm/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/codes.h"

static float scale_at(const struct glm_packed *p, size_t at)
{
    const unsigned char *from = p->scales + at * (p->scale_type == GLM_F32 ? 4 : 2);
    uint32_t bits = (uint32_t)from[0] | (uint32_t)from[1] << 8;
    float value;
    if (p->scale_type == GLM_F16) {
        return glm_half_to_float((uint16_t)bits);
    }
    bits = p->scale_type == GLM_BF16 ? bits << 16
                                     : bits | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Four bits of a line of words that begins at from. Words are little-endian: two to a byte. */
static int nibble(const unsigned char *from, size_t at)
{
    return from[at / 2] >> (at % 2 * 4) & 15;
}

/* Where AWQ puts a row of eight. */
static size_t awq_place(size_t row)
{
    static const unsigned char place[8] = {0, 4, 1, 5, 2, 6, 3, 7};
    return row / 8 * 8 + place[row % 8];
}

static const struct glm_packed *packed_of(const struct glm_matrix *m)
{
    return m->data;
}

static int code_at(const struct glm_matrix *m, size_t row, size_t col)
{
    const struct glm_packed *p = packed_of(m);
    row += p->first;
    return m->group == GLM_PACKED_ROWS ? nibble(p->codes + row * (p->cols / 2), col)
                                       : nibble(p->codes + col * (p->all_rows / 2), awq_place(row));
}

/* Of the group that col is in. */
static void group_at(const struct glm_matrix *m, size_t row, size_t col, float *scale, int *zero)
{
    const struct glm_packed *p = packed_of(m);
    const size_t group = col / p->group;
    row += p->first;
    if (m->group == GLM_PACKED_ROWS) {
        *scale = scale_at(p, row * (p->cols / p->group) + group);
        *zero = 8;
    } else {
        *scale = scale_at(p, group * p->all_rows + row);
        *zero = nibble(p->zeros + group * (p->all_rows / 2), awq_place(row));
    }
}

void glm_packed_part(const struct glm_matrix *m, size_t row, size_t from, size_t count, float *out)
{
    const size_t wide = packed_of(m)->group;
    float scale = 0;
    int zero = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || (from + i) % wide == 0) {
            group_at(m, row, from + i, &scale, &zero);
        }
        out[i] = (float)(code_at(m, row, from + i) - zero) * scale;
    }
}

void glm_packed_codes(const struct glm_matrix *m, size_t row, size_t from, int codes[32],
                      uint16_t halves[2])
{
    float scale;
    int zero;
    group_at(m, row, from, &scale, &zero);
    for (size_t i = 0; i < 32; i++) {
        codes[i] = code_at(m, row, from + i) - 8;
    }
    halves[0] = glm_half_from_float(scale);
    halves[1] = glm_half_from_float((float)zero * scale / 8);
}

size_t glm_packed_group(const struct glm_matrix *m)
{
    return m->group == GLM_PACKED_ROWS && packed_of(m)->group % 128 == 0 ? 128 : 32;
}

void glm_packed_from(struct glm_matrix *m, size_t row, struct glm_packed *out)
{
    *out = *packed_of(m);
    out->first += row;
    m->data = out;
}

/* What is being put together. */
struct finding {
    struct glm_weights *weights;
    const char *packed; /* the name of the tensor of codes */
    size_t stem;        /* of its letters that name the layer, with the dot */
    struct glmv_err *err;
};

static bool refuse(const struct finding *f, const char *why)
{
    return glmv_fail(f->err, GLMV_ERR_FORMAT, "%s: tensor %s %s",
                     f->weights->where != NULL ? f->weights->where : "weights", f->packed, why);
}

/* The tensor of the same layer with another ending, in a set that is not sorted yet. */
static const struct glm_tensor *beside(const struct finding *f, const char *ending)
{
    for (size_t i = 0; i < f->weights->count; i++) {
        const char *name = f->weights->tensors[i].name;
        if (strncmp(name, f->packed, f->stem) == 0 && strcmp(name + f->stem, ending) == 0) {
            return &f->weights->tensors[i];
        }
    }
    return NULL;
}

static bool is_table(const struct glm_tensor *t, bool words, size_t rows, size_t cols)
{
    return t != NULL && t->dims == 2 && (words ? t->type == GLM_I32 : t->type <= GLM_BF16) &&
           t->shape[0] == (int64_t)rows && t->shape[1] == (int64_t)cols;
}

static bool read_rows(const struct finding *f, const struct glm_tensor *t, struct glm_packed *p)
{
    const struct glm_tensor *scale = beside(f, "weight_scale"), *shape = beside(f, "weight_shape");
    if (beside(f, "weight_zero_point") != NULL) {
        return refuse(f, "has zero points, which is not supported yet; use a symmetric checkpoint");
    }
    if (beside(f, "weight_g_idx") != NULL) {
        return refuse(f, "has columns in another order (actorder), which is not supported yet");
    }
    const size_t rows = (size_t)t->shape[0], cols = (size_t)t->shape[1] * 8;
    int64_t sides[2];
    if (shape != NULL && shape->type == GLM_I64 && shape->bytes == sizeof sides) {
        memcpy(sides, shape->data, sizeof sides);
        if (sides[0] != (int64_t)rows || sides[1] != (int64_t)cols) {
            return refuse(f, "does not have the shape that weight_shape says");
        }
    }
    const size_t groups = scale != NULL && scale->dims == 2 ? (size_t)scale->shape[1] : 0;
    if (groups == 0 || cols % groups != 0 || !is_table(scale, false, rows, groups)) {
        return refuse(f, "has no scales of its size");
    }
    *p = (struct glm_packed){t->data, NULL, scale->data, scale->type, rows, cols, cols / groups, 0};
    return true;
}

static bool read_awq(const struct finding *f, const struct glm_tensor *t, struct glm_packed *p)
{
    const struct glm_tensor *scales = beside(f, "scales"), *zeros = beside(f, "qzeros");
    const size_t cols = (size_t)t->shape[0], rows = (size_t)t->shape[1] * 8;
    const size_t groups = scales != NULL && scales->dims == 2 ? (size_t)scales->shape[0] : 0;
    if (groups == 0 || cols % groups != 0 || !is_table(scales, false, groups, rows)) {
        return refuse(f, "has no scales of its size");
    }
    if (!is_table(zeros, true, groups, rows / 8)) {
        return refuse(f, "has no zeros of its size");
    }
    *p = (struct glm_packed){t->data, zeros->data, scales->data,  scales->type,
                             rows,    cols,        cols / groups, 0};
    return true;
}

static bool read_one(struct finding *f, const struct glm_tensor *t, bool awq, struct glm_packed *p)
{
    if (t->type != GLM_I32 || t->dims != 2 || t->shape[0] == 0 || t->shape[1] == 0) {
        return refuse(f, "is no table of 32-bit words");
    }
    if (awq ? !read_awq(f, t, p) : !read_rows(f, t, p)) {
        return false;
    }
    return p->group % GLM_GROUP == 0 || refuse(f, "has groups that are no multiple of 32 columns");
}

/* How many letters of a name belong to the layer; 0: the tensor is not packed. */
static size_t stem_of(const char *name, bool *awq)
{
    static const char *const endings[] = {".weight_packed", ".qweight"};
    const size_t len = strlen(name);
    for (size_t i = 0; i < 2; i++) {
        const size_t end = strlen(endings[i]);
        if (len > end && strcmp(name + len - end, endings[i]) == 0) {
            *awq = i == 1;
            return len - end + 1;
        }
    }
    return 0;
}

bool glm_packed_find(struct glm_weights *weights, struct glmv_err *err)
{
    size_t count = 0, done = 0;
    bool awq;
    for (size_t i = 0; i < weights->count; i++) {
        count += stem_of(weights->tensors[i].name, &awq) > 0;
    }
    if (count == 0) {
        return true;
    }
    const size_t before = weights->count;
    struct glm_packed *all = calloc(count, sizeof *all);
    struct glm_tensor *grown =
        all != NULL ? realloc(weights->tensors, (before + count) * sizeof *grown) : NULL;
    if (grown == NULL) {
        free(all);
        return glmv_fail_memory(err);
    }
    weights->tensors = grown;
    weights->made = all;
    for (size_t i = 0; i < before; i++) {
        const struct glm_tensor *t = &weights->tensors[i];
        const size_t stem = stem_of(t->name, &awq);
        if (stem == 0) {
            continue;
        }
        struct finding f = {weights, t->name, stem, err};
        struct glm_packed *p = &all[done++];
        if (!read_one(&f, t, awq, p)) {
            return false;
        }
        struct glm_tensor whole = {.name = malloc(stem + sizeof "weight"),
                                   .type = awq ? GLM_PACKED_AWQ : GLM_PACKED_ROWS,
                                   .dims = 2,
                                   .shape = {(int64_t)p->all_rows, (int64_t)p->cols},
                                   .data = p};
        if (whole.name == NULL) {
            return glmv_fail_memory(err);
        }
        snprintf(whole.name, stem + sizeof "weight", "%.*sweight", (int)stem, t->name);
        weights->tensors[weights->count++] = whole;
    }
    return true;
}
