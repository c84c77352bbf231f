/* The token lists of a GGUF file become the tree of a tokenizer.json, which is then read as ever.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/gguf.h"

enum { UNKNOWN = 2, USER_DEFINED = 4, UNUSED = 5 }; /* types of tokens */

/* A string of the file as a JSON one; NULL for one with a zero byte, or without memory. */
static char *copy_string(const char *text, size_t len)
{
    return memchr(text, '\0', len) == NULL ? strndup(text, len) : NULL;
}

/* Merges may end in a token that was added later as well; such ones are plain text. */
static bool may_be_merged(const char *text)
{
    for (; *text > ' ' && *text < 127; text++) {
    }
    return *text == '\0';
}

static bool copy_token(cJSON *vocab, cJSON *added, const char *text, int64_t id, double type)
{
    if (type == UNUSED) {
        return true;
    }
    bool mark = type >= UNKNOWN && type <= USER_DEFINED;
    if ((!mark || may_be_merged(text)) &&
        cJSON_AddNumberToObject(vocab, text, (double)id) == NULL) {
        return false;
    }
    if (!mark) {
        return true;
    }
    cJSON *one = cJSON_CreateObject();
    return cJSON_AddItemToArray(added, one) &&
           cJSON_AddNumberToObject(one, "id", (double)id) != NULL &&
           cJSON_AddStringToObject(one, "content", text) != NULL &&
           cJSON_AddBoolToObject(one, "special", type != USER_DEFINED) != NULL;
}

static bool copy_tokens(const struct glm_gguf *file, cJSON *vocab, cJSON *added,
                        struct glmv_err *err)
{
    const struct glm_gguf_value *tokens = glm_gguf_find(file, "tokenizer.ggml.tokens");
    size_t place = 0, len;
    const char *text;
    if (tokens == NULL || !tokens->array || tokens->count > 1u << 22) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: tokenizer.ggml.tokens is missing", file->path);
    }
    for (int64_t id = 0; glm_gguf_next(tokens, &place, &text, &len); id++) {
        double type;
        if (!glm_gguf_number(file, "tokenizer.ggml.token_type", (size_t)id, &type)) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: token %lld has no type", file->path,
                             (long long)id);
        }
        char *copy = copy_string(text, len);
        bool ok = copy != NULL && copy_token(vocab, added, copy, id, type);
        free(copy);
        if (!ok) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: token %lld cannot be read", file->path,
                             (long long)id);
        }
    }
    return true;
}

static bool copy_merges(const struct glm_gguf *file, cJSON *merges, struct glmv_err *err)
{
    const struct glm_gguf_value *list = glm_gguf_find(file, "tokenizer.ggml.merges");
    size_t place = 0, len;
    const char *text;
    if (list == NULL || !list->array || list->count > 1u << 23) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: tokenizer.ggml.merges is missing", file->path);
    }
    while (glm_gguf_next(list, &place, &text, &len)) {
        char *copy = copy_string(text, len);
        cJSON *one = copy != NULL ? cJSON_CreateString(copy) : NULL;
        free(copy);
        if (!cJSON_AddItemToArray(merges, one)) {
            cJSON_Delete(one);
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: a merge cannot be read", file->path);
        }
    }
    return true;
}

struct glm_tokenizer *glm_gguf_tokenizer(const struct glm_gguf *text, int vocab,
                                         struct glmv_err *err)
{
    if (!glm_gguf_is(text, "tokenizer.ggml.model", "gpt2") ||
        (!glm_gguf_is(text, "tokenizer.ggml.pre", "glm4") &&
         !glm_gguf_is(text, "tokenizer.ggml.pre", "chatglm-bpe"))) {
        glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                  "%s: its tokenizer is not the GLM-4 one (gpt2 with pre-tokeniser glm4)",
                  text->path);
        return NULL;
    }
    cJSON *root = cJSON_CreateObject(), *model = cJSON_AddObjectToObject(root, "model");
    cJSON *words = cJSON_AddObjectToObject(model, "vocab");
    cJSON *merges = cJSON_AddArrayToObject(model, "merges");
    cJSON *added = cJSON_AddArrayToObject(root, "added_tokens");
    struct glm_tokenizer *out = NULL;
    if (added == NULL || merges == NULL || words == NULL) {
        glmv_fail_memory(err);
    } else if (copy_tokens(text, words, added, err) && copy_merges(text, merges, err)) {
        out = glm_tokenizer_build(root, vocab, text->path, err);
    }
    cJSON_Delete(root);
    return out;
}
