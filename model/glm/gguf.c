#include "model/glm/gguf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "model/glm/blocks.h"

enum {
    MAX_VALUES = 4096,
    MAX_KEY = 65535, /* the format's own limits */
    MAX_NAME = 256,
    MAX_DIMS = 4,
    DEFAULT_ALIGNMENT = 32
};

/* What is left of the file. */
struct reader {
    const unsigned char *bytes;
    size_t at, len;
};

static bool take(struct reader *r, size_t count, const unsigned char **out)
{
    if (count > r->len - r->at) {
        return false;
    }
    *out = r->bytes + r->at;
    r->at += count;
    return true;
}

static uint64_t number_at(const unsigned char *p, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

static bool take_number(struct reader *r, size_t bytes, uint64_t *out)
{
    const unsigned char *p;
    if (!take(r, bytes, &p)) {
        return false;
    }
    *out = number_at(p, bytes);
    return true;
}

static bool take_string(struct reader *r, size_t most, const char **text, size_t *len)
{
    uint64_t size;
    const unsigned char *p;
    if (!take_number(r, 8, &size) || size > most || !take(r, (size_t)size, &p)) {
        return false;
    }
    *text = (const char *)p;
    *len = (size_t)size;
    return true;
}

/* Bytes of a value; 0 for those that say it themselves. */
static size_t size_of(enum glm_gguf_type type)
{
    static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return sizes[type];
}

static bool take_type(struct reader *r, enum glm_gguf_type *type)
{
    uint64_t value;
    if (!take_number(r, 4, &value) || value > GLM_GGUF_F64) {
        return false;
    }
    *type = (enum glm_gguf_type)value;
    return true;
}

static bool take_value(struct reader *r, struct glm_gguf_value *value)
{
    const unsigned char *p;
    uint64_t count = 1;
    size_t total;
    if (!take_string(r, MAX_KEY, &value->key, &value->key_len) || !take_type(r, &value->type)) {
        return false;
    }
    value->array = value->type == GLM_GGUF_ARRAY;
    if (value->array && (!take_type(r, &value->type) || value->type == GLM_GGUF_ARRAY ||
                         !take_number(r, 8, &count))) {
        return false;
    }
    value->at = r->bytes + r->at;
    size_t start = r->at, size = size_of(value->type);
    if (size > 0) {
        if (count > r->len || !glmv_size_mul((size_t)count, size, &total) || !take(r, total, &p)) {
            return false;
        }
    } else if (count > (r->len - r->at) / 8) { /* each string begins with its length */
        return false;
    } else {
        const char *text;
        size_t len;
        for (uint64_t i = 0; i < count; i++) {
            if (!take_string(r, r->len, &text, &len)) {
                return false;
            }
        }
    }
    value->count = (size_t)count;
    value->bytes = r->at - start;
    return true;
}

static bool read_values(struct glm_gguf *file, struct reader *r, uint64_t count,
                        struct glmv_err *err)
{
    if (count > MAX_VALUES) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "%s: more than %d values", file->path, MAX_VALUES);
    }
    file->values = calloc((size_t)count + 1, sizeof *file->values);
    if (file->values == NULL) {
        return glmv_fail_memory(err);
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!take_value(r, &file->values[i])) {
            return glmv_fail(err, GLMV_ERR_FORMAT,
                             "%s: value %llu is damaged or cut off; download the file again",
                             file->path, (unsigned long long)i);
        }
        file->value_count++;
    }
    return true;
}

static int shown(size_t len)
{
    return len < 80 ? (int)len : 80;
}

static bool read_tensor(const struct glm_gguf *file, struct reader *r, struct glm_gguf_tensor *t,
                        uint64_t *place, struct glmv_err *err)
{
    uint64_t dims, side, number;
    size_t total = 1;
    bool ok = take_string(r, MAX_NAME, &t->name, &t->name_len) && take_number(r, 4, &dims);
    if (!ok || dims > MAX_DIMS) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: the list of tensors is damaged or cut off; download the file again",
                         file->path);
    }
    t->dims = (int)dims;
    for (int i = 0; ok && i < t->dims; i++) {
        ok = take_number(r, 8, &side) && side > 0 && side <= INT64_MAX &&
             glmv_size_mul(total, (size_t)side, &total);
        t->shape[t->dims - 1 - i] = ok ? (int64_t)side : 0;
    }
    if (!ok || !take_number(r, 4, &number) || !take_number(r, 8, place)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: tensor %.*s has an impossible shape",
                         file->path, shown(t->name_len), t->name);
    }
    const char *kind;
    if (!glm_type_of_gguf((uint32_t)number, &t->type, &kind)) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "%s: tensor %.*s is %s (type %u), which is not supported yet; take a "
                         "Q4_0, Q4_K_M, Q5_K_M, Q6_K, Q8_0, F16 or BF16 file",
                         file->path, shown(t->name_len), t->name, kind, (unsigned)number);
    }
    size_t weights = glm_block_weights(t->type),
           row = t->dims > 0 ? (size_t)t->shape[t->dims - 1] : 1;
    if (row % weights != 0 ||
        !glmv_size_mul(total / weights, glm_block_bytes(t->type), &t->bytes)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: tensor %.*s has rows of %zu, not whole blocks",
                         file->path, shown(t->name_len), t->name, row);
    }
    return true;
}

static bool read_tensors(struct glm_gguf *file, struct reader *r, uint64_t count,
                         struct glmv_err *err)
{
    double wanted = DEFAULT_ALIGNMENT;
    if (glm_gguf_find(file, "general.alignment") != NULL &&
        (!glm_gguf_number(file, "general.alignment", 0, &wanted) ||
         !(wanted >= 1 && wanted <= 1 << 20))) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: general.alignment is absurd", file->path);
    }
    if (count > GLM_MAX_TENSORS) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "%s: more than %d tensors", file->path,
                         GLM_MAX_TENSORS);
    }
    const size_t alignment = (size_t)wanted;
    uint64_t *places = calloc((size_t)count + 1, sizeof *places);
    file->tensors = calloc((size_t)count + 1, sizeof *file->tensors);
    bool ok = (places != NULL && file->tensors != NULL) || glmv_fail_memory(err);
    for (uint64_t i = 0; ok && i < count; i++) {
        ok = read_tensor(file, r, &file->tensors[i], &places[i], err);
    }
    size_t start = (r->at + alignment - 1) / alignment * alignment;
    size_t room = start < r->len ? r->len - start : 0;
    for (uint64_t i = 0; ok && i < count; i++) {
        struct glm_gguf_tensor *t = &file->tensors[i];
        ok = (places[i] <= room && t->bytes <= room - places[i]) ||
             glmv_fail(err, GLMV_ERR_FORMAT,
                       "%s: tensor %.*s is outside the file; download the file again", file->path,
                       shown(t->name_len), t->name);
        t->data = ok ? r->bytes + start + places[i] : NULL;
    }
    file->tensor_count = ok ? (size_t)count : 0;
    free(places);
    return ok;
}

bool glm_gguf_parse(struct glm_gguf *file, const unsigned char *bytes, size_t len, const char *name,
                    struct glmv_err *err)
{
    struct reader r = {bytes, 4, len};
    uint64_t version, tensors, values;
    double parts;
    memset(file, 0, sizeof *file);
    file->path = strdup(name);
    if (file->path == NULL) {
        return glmv_fail_memory(err);
    }
    if (len < 4 || memcmp(bytes, "GGUF", 4) != 0 || !take_number(&r, 4, &version)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: not a GGUF file, or cut short", name);
    }
    if (version != 2 && version != 3) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "%s: version %llu of GGUF (or one for big-endian machines) is not "
                         "supported; versions 2 and 3 are",
                         name, (unsigned long long)version);
    }
    if (!take_number(&r, 8, &tensors) || !take_number(&r, 8, &values)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: cut short; download the file again", name);
    }
    if (!read_values(file, &r, values, err)) {
        return false;
    }
    if (glm_gguf_number(file, "split.count", 0, &parts) && parts > 1) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "%s: one of %.0f parts, which are not read yet; join them with "
                         "'llama-gguf-split --merge'",
                         name, parts);
    }
    return read_tensors(file, &r, tensors, err);
}

bool glm_gguf_open(struct glm_gguf *file, const char *path, struct glmv_err *err)
{
    struct stat st;
    memset(file, 0, sizeof *file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        glmv_fail(err, GLMV_ERR_IO, "%s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    void *base = S_ISREG(st.st_mode) && st.st_size > 0
                     ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                     : MAP_FAILED;
    close(fd);
    if (base == MAP_FAILED) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: not a file that can be mapped", path);
    }
    bool ok = glm_gguf_parse(file, base, (size_t)st.st_size, path, err);
    file->map = (struct glm_mapping){base, (size_t)st.st_size};
    return ok;
}

void glm_gguf_close(struct glm_gguf *file)
{
    free(file->path);
    free(file->values);
    free(file->tensors);
    if (file->map.base != NULL) {
        munmap(file->map.base, file->map.len);
    }
    memset(file, 0, sizeof *file);
}

const struct glm_gguf_value *glm_gguf_find(const struct glm_gguf *file, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < file->value_count; i++) {
        if (file->values[i].key_len == len && memcmp(file->values[i].key, key, len) == 0) {
            return &file->values[i];
        }
    }
    return NULL;
}

bool glm_gguf_number(const struct glm_gguf *file, const char *key, size_t at, double *out)
{
    const struct glm_gguf_value *value = glm_gguf_find(file, key);
    size_t size = value != NULL ? size_of(value->type) : 0;
    if (size == 0 || at >= value->count) {
        return false;
    }
    uint64_t bits = number_at(value->at + at * size, size);
    uint32_t low = (uint32_t)bits;
    float single;
    switch (value->type) {
    case GLM_GGUF_F32:
        memcpy(&single, &low, sizeof single);
        *out = single;
        return true;
    case GLM_GGUF_F64:
        memcpy(out, &bits, sizeof *out);
        return true;
    case GLM_GGUF_I8:
        *out = (int8_t)bits;
        return true;
    case GLM_GGUF_I16:
        *out = (int16_t)bits;
        return true;
    case GLM_GGUF_I32:
        *out = (int32_t)low;
        return true;
    case GLM_GGUF_I64:
        *out = (double)(int64_t)bits;
        return true;
    default:
        *out = (double)bits;
        return true;
    }
}

bool glm_gguf_next(const struct glm_gguf_value *value, size_t *place, const char **text,
                   size_t *len)
{
    if (value->type != GLM_GGUF_STRING || *place >= value->bytes) {
        return false;
    }
    /* the lengths were checked when the file was read */
    *len = (size_t)number_at(value->at + *place, 8);
    *text = (const char *)value->at + *place + 8;
    *place += 8 + *len;
    return true;
}

bool glm_gguf_is(const struct glm_gguf *file, const char *key, const char *text)
{
    const struct glm_gguf_value *value = glm_gguf_find(file, key);
    const char *have;
    size_t place = 0, len;
    return value != NULL && !value->array && glm_gguf_next(value, &place, &have, &len) &&
           len == strlen(text) && memcmp(have, text, len) == 0;
}

const struct glm_gguf_tensor *glm_gguf_tensor(const struct glm_gguf *file, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < file->tensor_count; i++) {
        if (file->tensors[i].name_len == len && memcmp(file->tensors[i].name, name, len) == 0) {
            return &file->tensors[i];
        }
    }
    return NULL;
}
