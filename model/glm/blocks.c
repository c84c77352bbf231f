#include "model/glm/blocks.h"

#include <string.h>

#include "model/glm/codes.h"
#include "model/glm/packed.h"

static const struct {
    uint32_t number; /* in a file */
    enum glm_type type;
    size_t weights, bytes; /* of a block */
    const char *name;
} kinds[] = {{0, GLM_F32, 1, 4, "F32"},           {1, GLM_F16, 1, 2, "F16"},
             {30, GLM_BF16, 1, 2, "BF16"},        {2, GLM_Q4_0, 32, 18, "Q4_0"},
             {3, GLM_Q4_1, 32, 20, "Q4_1"},       {6, GLM_Q5_0, 32, 22, "Q5_0"},
             {7, GLM_Q5_1, 32, 24, "Q5_1"},       {8, GLM_Q8_0, 32, 34, "Q8_0"},
             {12, GLM_Q4_K, 256, 144, "Q4_K"},    {13, GLM_Q5_K, 256, 176, "Q5_K"},
             {14, GLM_Q6_K, 256, 210, "Q6_K"},    {20, GLM_IQ4_NL, 32, 18, "IQ4_NL"},
             {23, GLM_IQ4_XS, 256, 136, "IQ4_XS"}};

/* Types that are named in an error only. */
static const struct {
    uint32_t number;
    const char *name;
} others[] = {{9, "Q8_1"},    {10, "Q2_K"},    {11, "Q3_K"},  {15, "Q8_K"},  {16, "IQ2_XXS"},
              {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {21, "IQ3_S"}, {22, "IQ2_S"},
              {24, "I8"},     {25, "I16"},     {26, "I32"},   {27, "I64"},   {28, "F64"},
              {29, "IQ1_M"},  {34, "TQ1_0"},   {35, "TQ2_0"}, {39, "MXFP4"}, {40, "NVFP4"}};

bool glm_type_of_gguf(uint32_t number, enum glm_type *type, const char **name)
{
    const char *called = "of an unknown kind";
    bool known = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !known; i++) {
        if (kinds[i].number == number) {
            *type = kinds[i].type;
            called = kinds[i].name;
            known = true;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0] && !known; i++) {
        if (others[i].number == number) {
            called = others[i].name;
        }
    }
    if (name != NULL) {
        *name = called;
    }
    return known;
}

size_t glm_block_weights(enum glm_type type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].type == type) {
            return kinds[i].weights;
        }
    }
    return 1;
}

size_t glm_block_bytes(enum glm_type type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].type == type) {
            return kinds[i].bytes;
        }
    }
    return glm_type_size(type);
}

static float half_at(const unsigned char *p)
{
    return glm_half_to_float((uint16_t)(p[0] | p[1] << 8));
}

/* The uneven steps of the IQ4 types. */
static const int8_t steps[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                 1,    13,   25,  38,  53,  69,  89,  113};

/* Whole numbers of a block of 32 that has one scale and no offset. */
static void codes_of(enum glm_type type, const unsigned char *block, int codes[32])
{
    const unsigned char *q = block + 2;
    if (type == GLM_Q8_0) {
        for (int i = 0; i < 32; i++) {
            codes[i] = (int8_t)q[i];
        }
        return;
    }
    const unsigned char *high = NULL;
    if (type == GLM_Q5_0) {
        high = q;
        q += 4;
    }
    for (int i = 0; i < 32; i++) {
        int low = i < 16 ? q[i] & 15 : q[i - 16] >> 4;
        codes[i] = type == GLM_IQ4_NL ? steps[low]
                   : high != NULL     ? (low | (high[i / 8] >> i % 8 & 1) << 4) - 16
                                      : low - 8;
    }
}

/* Q4_1 and Q5_1: value = scale * code + least */
static void with_least(enum glm_type type, const unsigned char *block, float *out)
{
    const float scale = half_at(block), least = half_at(block + 2);
    const unsigned char *high = type == GLM_Q5_1 ? block + 4 : NULL;
    const unsigned char *q = high != NULL ? block + 8 : block + 4;
    for (int i = 0; i < 32; i++) {
        int code = i < 16 ? q[i] & 15 : q[i - 16] >> 4;
        code |= high != NULL ? (high[i / 8] >> i % 8 & 1) << 4 : 0;
        out[i] = scale * (float)code + least;
    }
}

/* Eight scales and eight offsets of six bits in twelve bytes. */
static void scale_and_least(const unsigned char *packed, int i, int *scale, int *least)
{
    if (i < 4) {
        *scale = packed[i] & 63;
        *least = packed[i + 4] & 63;
    } else {
        *scale = (packed[i + 4] & 15) | (packed[i - 4] >> 6) << 4;
        *least = packed[i + 4] >> 4 | (packed[i] >> 6) << 4;
    }
}

/* Q4_K and Q5_K: eight groups of 32; groups 2 i and 2 i + 1 share 32 bytes, low and high halves. */
static void groups_of_32(enum glm_type type, const unsigned char *block, float *out)
{
    const float d = half_at(block), dmin = half_at(block + 2);
    const unsigned char *high = type == GLM_Q5_K ? block + 16 : NULL;
    const unsigned char *q = high != NULL ? block + 48 : block + 16;
    for (int g = 0; g < 8; g++) {
        int scale, least;
        scale_and_least(block + 4, g, &scale, &least);
        const float step = d * (float)scale, offset = dmin * (float)least;
        for (int i = 0; i < 32; i++) {
            int code = q[g / 2 * 32 + i] >> (g % 2 * 4) & 15;
            code |= high != NULL ? (high[i] >> g & 1) << 4 : 0;
            out[g * 32 + i] = step * (float)code - offset;
        }
    }
}

/* Q6_K: sixteen groups of 16; four bits in one place, two in another. */
static void groups_of_16(const unsigned char *block, float *out)
{
    const unsigned char *scales = block + 192;
    const float d = half_at(block + 208);
    for (int i = 0; i < 256; i++) {
        int half = i / 128, part = i % 128 / 32, at = i % 32;
        int low = block[half * 64 + part % 2 * 32 + at] >> (part / 2 * 4) & 15;
        int high = block[128 + half * 32 + at] >> (part * 2) & 3;
        float step = d * (float)(int8_t)scales[i / 16];
        out[i] = step * (float)((low | high << 4) - 32);
    }
}

static void uneven_steps(const unsigned char *block, float *out)
{
    const float d = half_at(block);
    const int high = block[2] | block[3] << 8;
    for (int g = 0; g < 8; g++) {
        int scale = (block[4 + g / 2] >> (g % 2 * 4) & 15) | (high >> (g * 2) & 3) << 4;
        const float step = d * (float)(scale - 32);
        const unsigned char *q = block + 8 + g * 16;
        for (int i = 0; i < 32; i++) {
            out[g * 32 + i] = step * (float)steps[i < 16 ? q[i] & 15 : q[i - 16] >> 4];
        }
    }
}

void glm_block_values(enum glm_type type, const unsigned char *block, float *out)
{
    switch (type) {
    case GLM_Q4_0:
    case GLM_Q5_0:
    case GLM_Q8_0:
    case GLM_IQ4_NL: {
        int codes[32];
        const float scale = half_at(block);
        codes_of(type, block, codes);
        for (int i = 0; i < 32; i++) {
            out[i] = scale * (float)codes[i];
        }
        return;
    }
    case GLM_Q4_1:
    case GLM_Q5_1:
        with_least(type, block, out);
        return;
    case GLM_Q4_K:
    case GLM_Q5_K:
        groups_of_32(type, block, out);
        return;
    case GLM_Q6_K:
        groups_of_16(block, out);
        return;
    case GLM_IQ4_XS:
        uneven_steps(block, out);
        return;
    default: /* plain numbers are no blocks */
        return;
    }
}

void glm_blocks_part(const struct glm_matrix *m, size_t row, size_t from, size_t count, float *out)
{
    const enum glm_type type = (enum glm_type)m->group;
    if (glm_type_is_packed(type)) {
        glm_packed_part(m, row, from, count, out);
        return;
    }
    const size_t weights = glm_block_weights(type), bytes = glm_block_bytes(type);
    const unsigned char *data = (const unsigned char *)m->data + row * (m->cols / weights) * bytes;
    float values[GLM_MAX_BLOCK];
    while (count > 0) {
        size_t skip = from % weights, take = weights - skip < count ? weights - skip : count;
        glm_block_values(type, data + from / weights * bytes, values);
        memcpy(out, values + skip, take * sizeof *out);
        out += take;
        from += take;
        count -= take;
    }
}

enum glm_form glm_blocks_form(enum glm_type type)
{
    switch (type) {
    case GLM_Q4_0:
    case GLM_PACKED_ROWS:
        return GLM_FORM_INT4;
    case GLM_Q4_1:
    case GLM_Q4_K:
    case GLM_PACKED_AWQ:
        return GLM_FORM_LEAST;
    default:
        return GLM_FORM_INT8;
    }
}

size_t glm_blocks_group(const struct glm_matrix *m)
{
    return glm_type_is_packed((enum glm_type)m->group) ? glm_packed_group(m) : GLM_GROUP;
}

bool glm_blocks_keeps(const struct glm_matrix *m, enum glm_form form, size_t group)
{
    const enum glm_type type = (enum glm_type)m->group;
    return m->form == GLM_FORM_BLOCKS && (group == 32 || group == glm_blocks_group(m)) &&
           form == glm_blocks_form(type) && type != GLM_Q5_1 && type != GLM_Q5_K &&
           type != GLM_Q6_K && type != GLM_IQ4_XS;
}

/* Q4_1, Q4_K: the group within its block, and what is at its least. */
static void codes_from_least(enum glm_type type, const unsigned char *block, int group,
                             int codes[32], uint16_t halves[2])
{
    const unsigned char *q = block + (type == GLM_Q4_1 ? 4 : 16 + group / 2 * 32);
    float step = half_at(block), least = -half_at(block + 2);
    for (int i = 0; i < 32; i++) {
        int code = type == GLM_Q4_K ? q[i] >> (group % 2 * 4) : i < 16 ? q[i] : q[i - 16] >> 4;
        codes[i] = (code & 15) - 8;
    }
    if (type == GLM_Q4_K) {
        int scale, offset;
        scale_and_least(block + 4, group, &scale, &offset);
        step *= (float)scale;
        least *= -(float)offset;
    }
    halves[0] = glm_half_from_float(step);
    halves[1] = glm_half_from_float(least / 8);
}

void glm_blocks_codes(const struct glm_matrix *m, size_t row, size_t from, int codes[32],
                      uint16_t halves[2])
{
    const enum glm_type type = (enum glm_type)m->group;
    if (glm_type_is_packed(type)) {
        glm_packed_codes(m, row, from, codes, halves);
        return;
    }
    const size_t weights = glm_block_weights(type);
    const unsigned char *block =
        (const unsigned char *)m->data +
        (row * (m->cols / weights) + from / weights) * glm_block_bytes(type);
    if (glm_blocks_form(type) == GLM_FORM_LEAST) {
        codes_from_least(type, block, (int)(from % weights / 32), codes, halves);
        return;
    }
    codes_of(type, block, codes);
    halves[0] = (uint16_t)(block[0] | block[1] << 8);
    halves[1] = 0;
}
