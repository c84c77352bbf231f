#include "model/glm/weights.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/size.h"
#include "model/glm/gguf.h"
#include "model/glm/packed.h"

#define MAX_HEADER (100u << 20) /* the limit of the format's own reader */

bool glm_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

size_t glm_type_size(enum glm_type type)
{
    static const size_t sizes[GLM_TYPES] = {4, 2, 2, 8, 1, 4};
    return sizes[type];
}

static bool type_from_name(const char *name, enum glm_type *type)
{
    static const char *const names[] = {"F32", "F16", "BF16", "I64", "U8", "I32"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *type = (enum glm_type)i;
            return true;
        }
    }
    return false;
}

/* A JSON number that is a whole one in 0 .. 2^53, which is what a double can say exactly. */
static bool whole(const cJSON *item, uint64_t *out)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
        item->valuedouble > 9007199254740992.0 ||
        item->valuedouble != (double)(uint64_t)item->valuedouble) {
        return false;
    }
    *out = (uint64_t)item->valuedouble;
    return true;
}

/* Exporters wrap the same model differently; what is left is one naming. */
static const char *strip_prefix(const char *name)
{
    static const char *const wraps[] = {"model.language_model.", "language_model.model.",
                                        "language_model.", "model."};
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++) {
            size_t len = strlen(wraps[i]);
            if (strncmp(name, wraps[i], len) == 0) {
                name += len;
                break;
            }
        }
    }
    return name;
}

static char *canonical_name(const char *name)
{
    static const char tower[] = "vision_tower.";
    name = strip_prefix(name);
    bool renamed = strncmp(name, tower, sizeof tower - 1) == 0;
    const char *rest = renamed ? name + sizeof tower - 1 : name;
    size_t len = strlen(rest) + sizeof "visual.";
    char *copy = malloc(len);
    if (copy != NULL) {
        snprintf(copy, len, "%s%s", renamed ? "visual." : "", rest);
    }
    return copy;
}

static bool parse_shape(const cJSON *shape, struct glm_tensor *tensor, size_t *bytes)
{
    int dims = cJSON_GetArraySize(shape);
    if (!cJSON_IsArray(shape) || dims > GLM_MAX_DIMS) {
        return false;
    }
    size_t total = glm_type_size(tensor->type);
    tensor->dims = 0;
    for (const cJSON *item = shape->child; item != NULL; item = item->next) {
        uint64_t side;
        if (!whole(item, &side) || !glmv_size_mul(total, (size_t)side, &total)) {
            return false;
        }
        tensor->shape[tensor->dims++] = (int64_t)side;
    }
    *bytes = total;
    return true;
}

static bool parse_tensor(struct glm_weights *weights, const cJSON *entry, const unsigned char *data,
                         size_t data_len, const char *file, struct glmv_err *err)
{
    const char *name = entry->string;
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(entry, "dtype");
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(entry, "shape");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    uint64_t begin, end;
    if (!cJSON_IsString(type) || !cJSON_IsArray(shape) || cJSON_GetArraySize(offsets) != 2 ||
        !whole(offsets->child, &begin) || !whole(offsets->child->next, &end)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: tensor %s has no type, shape or place", file,
                         name);
    }
    struct glm_tensor tensor = {0};
    if (!type_from_name(type->valuestring, &tensor.type)) {
        return glmv_fail(
            err, GLMV_ERR_UNSUPPORTED,
            "%s: tensor %s has type %s, which is not supported yet; use a bf16, fp16 or "
            "fp32 checkpoint",
            file, name, type->valuestring);
    }
    if (!parse_shape(shape, &tensor, &tensor.bytes)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: tensor %s has an impossible shape", file, name);
    }
    if (begin > end || end > data_len) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: tensor %s is outside the file; download the file again", file, name);
    }
    if (end - begin != tensor.bytes) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: tensor %s has %llu bytes where its shape needs %zu", file, name,
                         (unsigned long long)(end - begin), tensor.bytes);
    }
    if (weights->count >= GLM_MAX_TENSORS) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "%s: more than %d tensors", file, GLM_MAX_TENSORS);
    }
    if ((weights->count & (weights->count - 1)) == 0) {
        size_t cap = weights->count == 0 ? 1 : weights->count * 2;
        struct glm_tensor *grown = realloc(weights->tensors, cap * sizeof *grown);
        if (grown == NULL) {
            return glmv_fail_memory(err);
        }
        weights->tensors = grown;
    }
    tensor.data = data + begin;
    tensor.name = canonical_name(name);
    if (tensor.name == NULL) {
        return glmv_fail_memory(err);
    }
    weights->tensors[weights->count++] = tensor;
    weights->total_bytes += tensor.bytes;
    return true;
}

bool glm_weights_parse(struct glm_weights *weights, const unsigned char *bytes, size_t len,
                       const char *name, struct glmv_err *err)
{
    uint64_t header = 0;
    for (size_t i = 0; i < 8 && len >= 8; i++) {
        header |= (uint64_t)bytes[i] << (8 * i);
    }
    if (len < 8 || header > len - 8 || header > MAX_HEADER) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: not a safetensors file, or cut short; download it again", name);
    }
    cJSON *root = cJSON_ParseWithLength((const char *)bytes + 8, (size_t)header);
    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: the header is not JSON; download it again",
                         name);
    }
    const unsigned char *data = bytes + 8 + header;
    size_t data_len = len - 8 - (size_t)header;
    bool ok = true;
    for (const cJSON *entry = root->child; ok && entry != NULL; entry = entry->next) {
        if (strcmp(entry->string, "__metadata__") != 0) {
            ok = parse_tensor(weights, entry, data, data_len, name, err);
        }
    }
    cJSON_Delete(root);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct glm_tensor *)a)->name, ((const struct glm_tensor *)b)->name);
}

bool glm_weights_finish(struct glm_weights *weights, struct glmv_err *err)
{
    if (!glm_packed_find(weights, err)) {
        return false;
    }
    if (weights->count > 1) {
        qsort(weights->tensors, weights->count, sizeof *weights->tensors, by_name);
    }
    for (size_t i = 1; i < weights->count; i++) {
        if (strcmp(weights->tensors[i - 1].name, weights->tensors[i].name) == 0) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: tensor %s is there twice",
                             weights->where != NULL ? weights->where : "weights",
                             weights->tensors[i].name);
        }
    }
    return true;
}

static bool map_file(struct glm_weights *weights, const char *path, struct glmv_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        glmv_fail(err, GLMV_ERR_IO, "%s: %s", path, strerror(errno));
        goto fail;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < 8) {
        glmv_fail(err, GLMV_ERR_FORMAT, "%s: not a safetensors file", path);
        goto fail;
    }
    if (weights->map_count >= GLM_MAX_SHARDS) {
        glmv_fail(err, GLMV_ERR_LIMIT, "%s: more than %d shards", path, GLM_MAX_SHARDS);
        goto fail;
    }
    void *base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (base == MAP_FAILED) {
        glmv_fail(err, GLMV_ERR_MEMORY, "%s: cannot be mapped: %s", path, strerror(errno));
        goto fail;
    }
    close(fd);
    weights->maps[weights->map_count++] = (struct glm_mapping){base, (size_t)st.st_size};
    return glm_weights_parse(weights, base, (size_t)st.st_size, path, err);
fail:
    if (fd >= 0) {
        close(fd);
    }
    return false;
}

/* A shard's name comes from a file: it must not lead out of the folder. */
static bool map_shard(struct glm_weights *weights, const char *folder, const char *name,
                      struct glmv_err *err)
{
    char path[4096];
    if (strchr(name, '/') != NULL ||
        snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: the index names a shard '%.80s' outside the folder", folder, name);
    }
    if (access(path, R_OK) != 0) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: this shard is missing; finish the download", path);
    }
    return map_file(weights, path, err);
}

static bool open_shards(struct glm_weights *weights, const char *folder, const cJSON *map,
                        const char *index, struct glmv_err *err)
{
    const char *opened[GLM_MAX_SHARDS];
    size_t count = 0;
    if (!cJSON_IsObject(map)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: no weight_map", index);
    }
    for (const cJSON *item = map->child; item != NULL; item = item->next) {
        bool seen = false;
        if (!cJSON_IsString(item)) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: weight_map is not name to file", index);
        }
        for (size_t i = count; i > 0 && !seen; i--) {
            seen = strcmp(opened[i - 1], item->valuestring) == 0;
        }
        if (seen) {
            continue;
        }
        if (count >= GLM_MAX_SHARDS) {
            return glmv_fail(err, GLMV_ERR_LIMIT, "%s: more than %d shards", index, GLM_MAX_SHARDS);
        }
        opened[count++] = item->valuestring;
        if (!map_shard(weights, folder, item->valuestring, err)) {
            return false;
        }
    }
    return true;
}

static bool open_gguf(struct glm_weights *weights, const char *where, struct glmv_err *err)
{
    struct glm_gguf_pair pair;
    bool ok = glm_gguf_pair_open(&pair, where, err) && glm_gguf_weights(&pair, weights, err);
    if (ok) { /* the mappings stay */
        weights->maps[weights->map_count++] = pair.text.map;
        weights->maps[weights->map_count++] = pair.tower.map;
        pair.text.map.base = pair.tower.map.base = NULL;
    } else {
        glm_weights_close(weights);
    }
    glm_gguf_pair_close(&pair);
    return ok;
}

bool glm_weights_open(struct glm_weights *weights, const char *path, struct glmv_err *err)
{
    memset(weights, 0, sizeof *weights);
    if (glm_gguf_here(path)) {
        return open_gguf(weights, path, err);
    }
    weights->where = strdup(path);
    if (weights->where == NULL) {
        return glmv_fail_memory(err);
    }
    char file[4096];
    bool ok;
    if (access(path, F_OK) == 0 && !glm_is_folder(path)) {
        ok = map_file(weights, path, err);
    } else if (snprintf(file, sizeof file, "%s/model.safetensors.index.json", path) <
                   (int)sizeof file &&
               access(file, R_OK) == 0) {
        struct glmv_buf text;
        glmv_buf_init(&text, 64u << 20);
        ok = glmv_file_read(file, text.max, &text, err);
        cJSON *root =
            ok ? cJSON_ParseWithLength(text.data != NULL ? text.data : "", text.len) : NULL;
        ok = ok && open_shards(weights, path, cJSON_GetObjectItemCaseSensitive(root, "weight_map"),
                               file, err);
        cJSON_Delete(root);
        glmv_buf_release(&text);
    } else {
        snprintf(file, sizeof file, "%s/model.safetensors", path);
        ok = access(file, R_OK) == 0
                 ? map_file(weights, file, err)
                 : glmv_fail(err, GLMV_ERR_IO,
                             "%s: no model.safetensors and no model.safetensors.index.json here",
                             path);
    }
    ok = ok && glm_weights_finish(weights, err);
    if (!ok) {
        glm_weights_close(weights);
    }
    return ok;
}

void glm_weights_close(struct glm_weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        free(weights->tensors[i].name);
    }
    free(weights->tensors);
    for (size_t i = 0; i < weights->map_count; i++) {
        munmap(weights->maps[i].base, weights->maps[i].len);
    }
    free(weights->where);
    free(weights->tower);
    free(weights->made);
    memset(weights, 0, sizeof *weights);
}

const struct glm_tensor *glm_weights_find(const struct glm_weights *weights, const char *name)
{
    size_t low = 0, high = weights->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(name, weights->tensors[mid].name);
        if (order == 0) {
            return &weights->tensors[mid];
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

const struct glm_tensor *glm_weights_need(const struct glm_weights *weights, const char *name,
                                          int dims, const int64_t *shape, struct glmv_err *err)
{
    const char *where = weights->where != NULL ? weights->where : "weights";
    where = weights->tower != NULL && strncmp(name, "visual.", 7) == 0 ? weights->tower : where;
    const struct glm_tensor *tensor = glm_weights_find(weights, name);
    if (tensor == NULL) {
        glmv_fail(err, GLMV_ERR_FORMAT, "%s: tensor %s is missing", where, name);
        return NULL;
    }
    bool same = tensor->dims == dims && (tensor->type <= GLM_BF16 || tensor->type >= GLM_Q4_0);
    for (int i = 0; same && i < dims; i++) {
        same = tensor->shape[i] == shape[i];
    }
    if (!same) {
        char have[96] = "", want[96] = "";
        for (int i = 0, at = 0; i < tensor->dims && at < 70; i++) {
            at +=
                snprintf(have + at, sizeof have - (size_t)at, " %lld", (long long)tensor->shape[i]);
        }
        for (int i = 0, at = 0; i < dims && at < 70; i++) {
            at += snprintf(want + at, sizeof want - (size_t)at, " %lld", (long long)shape[i]);
        }
        glmv_fail(err, GLMV_ERR_FORMAT,
                  "%s: tensor %s has shape [%s ], the configuration wants [%s ]", where, name, have,
                  want);
        return NULL;
    }
    return tensor;
}
