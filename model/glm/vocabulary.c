/* A vocabulary from a tokenizer.json or a GGUF file; nothing in it is believed. */
#include "model/glm/vocabulary.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "model/glm/gguf.h"
#include "model/glm/unicode.h"

#define MAX_TOKENIZER (256u << 20)

static uint64_t hash_bytes(const char *bytes, size_t len)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (unsigned char)bytes[i]) * 1099511628211u;
    }
    return h ^ h >> 29;
}

static uint64_t hash_pair(uint64_t pair)
{
    pair *= 0x9E3779B97F4A7C15u;
    return pair ^ pair >> 32;
}

static size_t table_size(size_t count)
{
    size_t size = 16;
    while (size < count * 2) {
        size *= 2;
    }
    return size;
}

int32_t glm_vocabulary_token(const struct glm_tokenizer *t, const char *bytes, size_t len)
{
    for (size_t at = hash_bytes(bytes, len) & t->slot_mask;; at = (at + 1) & t->slot_mask) {
        int32_t id = t->slots[at];
        if (id < 0) {
            return -1;
        }
        if (t->tokens[id].len == len && memcmp(t->tokens[id].bytes, bytes, len) == 0) {
            return id;
        }
    }
}

const struct glm_merge *glm_vocabulary_merge(const struct glm_tokenizer *t, int32_t left,
                                             int32_t right)
{
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    for (size_t at = hash_pair(pair) & t->merge_mask;; at = (at + 1) & t->merge_mask) {
        if (t->merges[at].pair == pair) {
            return &t->merges[at];
        }
        if (t->merges[at].pair == UINT64_MAX) {
            return NULL;
        }
    }
}

/* The byte a character of the byte-level alphabet stands for, or -1. */
static int byte_of(uint32_t c)
{
    if ((c >= 33 && c <= 126) || (c >= 161 && c <= 172) || (c >= 174 && c <= 255)) {
        return (int)c;
    }
    if (c < 256 || c >= 256 + 68) {
        return -1;
    }
    int n = (int)c - 256;
    return n < 33 ? n : n < 67 ? 127 + n - 33 : 173;
}

/* Decodes a vocabulary entry into out (at least len bytes). False where it is not in the alphabet.
 */
static bool decode_entry(const char *text, size_t len, char *out, size_t *out_len)
{
    size_t n = 0;
    for (size_t at = 0; at < len;) {
        uint32_t c;
        at += glm_char_next(text + at, len - at, &c);
        int byte = byte_of(c);
        if (byte < 0) {
            return false;
        }
        out[n++] = (char)byte;
    }
    *out_len = n;
    return n > 0;
}

static bool store_token(struct glm_tokenizer *t, int32_t id, const char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    free(t->tokens[id].bytes);
    t->tokens[id].bytes = copy;
    t->tokens[id].len = (uint32_t)len;
    return true;
}

static bool valid_id(const cJSON *item, int vocab)
{
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < vocab &&
           item->valuedouble == (double)item->valueint;
}

static bool read_vocab(struct glm_tokenizer *t, const cJSON *vocab, int limit, const char *name,
                       struct glmv_err *err)
{
    for (const cJSON *item = vocab->child; item != NULL; item = item->next) {
        size_t len = strlen(item->string), used;
        if (!valid_id(item, limit)) {
            return glmv_fail(err, GLMV_ERR_FORMAT,
                             "%s: token '%.60s' has an id past the model's %d rows; the tokenizer "
                             "belongs to another model",
                             name, item->string, limit);
        }
        char *bytes = malloc(len + 1);
        if (bytes == NULL) {
            return glmv_fail_memory(err);
        }
        bool ok = decode_entry(item->string, len, bytes, &used);
        if (ok && t->tokens[item->valueint].bytes != NULL) {
            ok = false;
        }
        ok = ok && store_token(t, item->valueint, bytes, used);
        free(bytes);
        if (!ok) {
            return glmv_fail(err, GLMV_ERR_FORMAT,
                             "%s: token '%.60s' is not byte-level text, or its "
                             "id is taken",
                             name, item->string);
        }
        if (item->valueint >= t->count) {
            t->count = item->valueint + 1;
        }
    }
    return true;
}

static bool index_tokens(struct glm_tokenizer *t, const char *name, struct glmv_err *err)
{
    size_t size = table_size((size_t)t->count);
    t->slots = malloc(size * sizeof *t->slots);
    if (t->slots == NULL) {
        return glmv_fail_memory(err);
    }
    memset(t->slots, 0xFF, size * sizeof *t->slots);
    t->slot_mask = size - 1;
    for (int32_t id = 0; id < t->count; id++) {
        if (t->tokens[id].bytes == NULL) {
            continue;
        }
        size_t at = hash_bytes(t->tokens[id].bytes, t->tokens[id].len) & t->slot_mask;
        while (t->slots[at] >= 0) {
            at = (at + 1) & t->slot_mask;
        }
        t->slots[at] = id;
    }
    for (int i = 0; i < 256; i++) {
        char byte = (char)i;
        t->byte_ids[i] = glm_vocabulary_token(t, &byte, 1);
        if (t->byte_ids[i] < 0) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: no token for byte %d", name, i);
        }
    }
    return true;
}

/* A merge is "a b" or ["a", "b"], both in the byte-level alphabet. */
static bool merge_sides(const cJSON *item, const char *side[2], size_t len[2])
{
    if (cJSON_IsString(item)) {
        const char *gap = strchr(item->valuestring, ' ');
        if (gap == NULL) {
            return false;
        }
        side[0] = item->valuestring;
        len[0] = (size_t)(gap - item->valuestring);
        side[1] = gap + 1;
    } else if (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2 &&
               cJSON_IsString(item->child) && cJSON_IsString(item->child->next)) {
        side[0] = item->child->valuestring;
        len[0] = strlen(side[0]);
        side[1] = item->child->next->valuestring;
    } else {
        return false;
    }
    len[1] = strlen(side[1]);
    return true;
}

static bool add_merge(struct glm_tokenizer *t, const cJSON *item, int32_t rank)
{
    const char *side[2];
    size_t len[2], used[2];
    char text[4096];
    if (!merge_sides(item, side, len) || len[0] + len[1] > sizeof text ||
        !decode_entry(side[0], len[0], text, &used[0]) ||
        !decode_entry(side[1], len[1], text + used[0], &used[1])) {
        return false;
    }
    int32_t left = glm_vocabulary_token(t, text, used[0]);
    int32_t right = glm_vocabulary_token(t, text + used[0], used[1]);
    int32_t whole = glm_vocabulary_token(t, text, used[0] + used[1]);
    if (left < 0 || right < 0 || whole < 0) {
        return false;
    }
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t at = hash_pair(pair) & t->merge_mask;
    while (t->merges[at].pair != UINT64_MAX && t->merges[at].pair != pair) {
        at = (at + 1) & t->merge_mask;
    }
    t->merges[at] = (struct glm_merge){pair, rank, whole};
    return true;
}

static bool read_merges(struct glm_tokenizer *t, const cJSON *merges, const char *name,
                        struct glmv_err *err)
{
    int count = cJSON_GetArraySize(merges);
    size_t size = table_size((size_t)count);
    t->merges = malloc(size * sizeof *t->merges);
    if (t->merges == NULL) {
        return glmv_fail_memory(err);
    }
    memset(t->merges, 0xFF, size * sizeof *t->merges);
    t->merge_mask = size - 1;
    int32_t rank = 0;
    for (const cJSON *item = merges != NULL ? merges->child : NULL; item != NULL;
         item = item->next, rank++) {
        if (!add_merge(t, item, rank)) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: merge %d is broken", name, rank);
        }
    }
    return true;
}

static bool read_added(struct glm_tokenizer *t, const cJSON *added, int limit, const char *name,
                       struct glmv_err *err)
{
    for (const cJSON *item = added != NULL ? added->child : NULL; item != NULL; item = item->next) {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(item, "id");
        const cJSON *content = cJSON_GetObjectItemCaseSensitive(item, "content");
        if (!cJSON_IsString(content) || content->valuestring[0] == '\0' || !valid_id(id, limit) ||
            t->added_count >= GLM_MAX_ADDED) {
            return glmv_fail(err, GLMV_ERR_FORMAT,
                             "%s: an added token is broken or past the model's %d "
                             "rows; the tokenizer belongs to another model",
                             name, limit);
        }
        if (!store_token(t, id->valueint, content->valuestring, strlen(content->valuestring))) {
            return glmv_fail_memory(err);
        }
        t->tokens[id->valueint].special =
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "special"));
        t->added[t->added_count++] = id->valueint;
        t->added_first[(unsigned char)content->valuestring[0]] = true;
        if (id->valueint >= t->count) {
            t->count = id->valueint + 1;
        }
    }
    return true;
}

static bool build(struct glm_tokenizer *t, const cJSON *root, int limit, const char *name,
                  struct glmv_err *err)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model");
    const cJSON *vocab = cJSON_GetObjectItemCaseSensitive(model, "vocab");
    const cJSON *merges = cJSON_GetObjectItemCaseSensitive(model, "merges");
    const cJSON *added = cJSON_GetObjectItemCaseSensitive(root, "added_tokens");
    if (!cJSON_IsObject(vocab) || !cJSON_IsArray(merges)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: no BPE vocabulary in it", name);
    }
    const cJSON *ignore = cJSON_GetObjectItemCaseSensitive(model, "ignore_merges");
    t->ignore_merges = cJSON_IsTrue(ignore);
    t->tokens = calloc((size_t)limit, sizeof *t->tokens);
    if (t->tokens == NULL) {
        return glmv_fail_memory(err);
    }
    return read_vocab(t, vocab, limit, name, err) && index_tokens(t, name, err) &&
           read_merges(t, merges, name, err) && read_added(t, added, limit, name, err);
}

struct glm_tokenizer *glm_tokenizer_build(const cJSON *root, int vocab, const char *name,
                                          struct glmv_err *err)
{
    struct glm_tokenizer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        glmv_fail_memory(err);
    } else if (!build(t, root, vocab, name, err)) {
        glm_tokenizer_close(t);
        t = NULL;
    }
    return t;
}

struct glm_tokenizer *glm_tokenizer_parse(const char *json, size_t len, int vocab, const char *name,
                                          struct glmv_err *err)
{
    cJSON *root = cJSON_ParseWithLength(json, len);
    struct glm_tokenizer *t = NULL;
    if (root == NULL) {
        glmv_fail(err, GLMV_ERR_FORMAT, "%s: not JSON; download it again", name);
    } else {
        t = glm_tokenizer_build(root, vocab, name, err);
    }
    cJSON_Delete(root);
    return t;
}

struct glm_tokenizer *glm_tokenizer_open(const char *path, int vocab, struct glmv_err *err)
{
    struct glmv_buf text;
    struct glm_tokenizer *t = NULL;
    glmv_buf_init(&text, MAX_TOKENIZER);
    if (glmv_file_read(path, MAX_TOKENIZER, &text, err)) {
        t = glm_tokenizer_parse(text.data != NULL ? text.data : "", text.len, vocab, path, err);
    }
    glmv_buf_release(&text);
    return t;
}

struct glm_tokenizer *glm_tokenizer_find(const char *where, int vocab, struct glmv_err *err)
{
    char path[4200];
    if (!glm_gguf_here(where)) {
        snprintf(path, sizeof path, "%.4096s/tokenizer.json", where);
        return glm_tokenizer_open(path, vocab, err);
    }
    struct glm_gguf_pair pair;
    struct glm_tokenizer *t =
        glm_gguf_pair_open(&pair, where, err) ? glm_gguf_tokenizer(&pair.text, vocab, err) : NULL;
    glm_gguf_pair_close(&pair);
    return t;
}

void glm_tokenizer_close(struct glm_tokenizer *t)
{
    if (t == NULL) {
        return;
    }
    for (int i = 0; t->tokens != NULL && i < t->count; i++) {
        free(t->tokens[i].bytes);
    }
    free(t->tokens);
    free(t->slots);
    free(t->merges);
    free(t);
}
