#include "model/glm/vocabulary.h"

#include <stdlib.h>
#include <string.h>

void glm_ids_release(struct glm_ids *ids)
{
    free(ids->data);
    *ids = (struct glm_ids){0};
}

bool glm_ids_push(struct glm_ids *ids, int32_t id, struct glmv_err *err)
{
    if (ids->len == ids->cap) {
        size_t cap = ids->cap == 0 ? 256 : ids->cap * 2;
        if (cap > GLM_MAX_IDS) {
            return glmv_fail(err, GLMV_ERR_LIMIT, "the conversation has more than %u tokens",
                             GLM_MAX_IDS);
        }
        int32_t *grown = realloc(ids->data, cap * sizeof *grown);
        if (grown == NULL) {
            return glmv_fail_memory(err);
        }
        ids->data = grown;
        ids->cap = cap;
    }
    ids->data[ids->len++] = id;
    return true;
}

/* One candidate merge of two neighbours. Stale ones are told by what the symbols are now. */
struct candidate {
    int32_t rank, pos, left, right;
};

struct symbol {
    int32_t id, prev, next; /* id -1: merged away */
};

struct bpe {
    struct symbol *symbols;
    struct candidate *heap;
    size_t heap_len;
};

static bool before(const struct candidate *a, const struct candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->pos < b->pos;
}

static void heap_push(struct bpe *bpe, struct candidate c)
{
    size_t at = bpe->heap_len++;
    while (at > 0 && before(&c, &bpe->heap[(at - 1) / 2])) {
        bpe->heap[at] = bpe->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    bpe->heap[at] = c;
}

static struct candidate heap_pop(struct bpe *bpe)
{
    struct candidate top = bpe->heap[0], last = bpe->heap[--bpe->heap_len];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= bpe->heap_len) {
            break;
        }
        if (child + 1 < bpe->heap_len && before(&bpe->heap[child + 1], &bpe->heap[child])) {
            child++;
        }
        if (!before(&bpe->heap[child], &last)) {
            break;
        }
        bpe->heap[at] = bpe->heap[child];
        at = child;
    }
    bpe->heap[at] = last;
    return top;
}

static void offer(const struct glm_tokenizer *t, struct bpe *bpe, int32_t left, int32_t right)
{
    if (left < 0 || right < 0) {
        return;
    }
    const struct glm_merge *merge =
        glm_vocabulary_merge(t, bpe->symbols[left].id, bpe->symbols[right].id);
    if (merge != NULL) {
        heap_push(bpe, (struct candidate){merge->rank, left, bpe->symbols[left].id,
                                          bpe->symbols[right].id});
    }
}

/* Merges until nothing merges; every merge offers at most two more, so 3 len candidates suffice. */
static void run_merges(const struct glm_tokenizer *t, struct bpe *bpe, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bpe->symbols[i] = (struct symbol){t->byte_ids[(unsigned char)text[i]], (int32_t)i - 1,
                                          i + 1 < len ? (int32_t)i + 1 : -1};
    }
    for (size_t i = 0; i + 1 < len; i++) {
        offer(t, bpe, (int32_t)i, (int32_t)i + 1);
    }
    while (bpe->heap_len > 0) {
        struct candidate c = heap_pop(bpe);
        struct symbol *left = &bpe->symbols[c.pos];
        if (left->id != c.left || left->next < 0 || bpe->symbols[left->next].id != c.right) {
            continue;
        }
        struct symbol *right = &bpe->symbols[left->next];
        left->id = glm_vocabulary_merge(t, c.left, c.right)->id;
        right->id = -1;
        left->next = right->next;
        if (left->next >= 0) {
            bpe->symbols[left->next].prev = c.pos;
        }
        offer(t, bpe, left->prev, c.pos);
        offer(t, bpe, c.pos, left->next);
    }
}

static bool encode_piece(const struct glm_tokenizer *t, const char *text, size_t len,
                         struct glm_ids *out, struct glmv_err *err)
{
    int32_t whole = len == 1 || t->ignore_merges ? glm_vocabulary_token(t, text, len) : -1;
    if (whole >= 0) {
        return glm_ids_push(out, whole, err);
    }
    enum { SMALL = 64 };
    struct symbol few[SMALL];
    struct candidate small_heap[SMALL * 3];
    struct bpe bpe = {few, small_heap, 0};
    if (len > INT32_MAX / 4) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "a word of %zu bytes is too long", len);
    }
    if (len > SMALL) {
        bpe.symbols = malloc(len * sizeof *bpe.symbols);
        bpe.heap = malloc(len * 3 * sizeof *bpe.heap);
    }
    bool ok = bpe.symbols != NULL && bpe.heap != NULL;
    if (ok) {
        run_merges(t, &bpe, text, len);
        for (int32_t i = 0; ok && i >= 0; i = bpe.symbols[i].next) {
            ok = glm_ids_push(out, bpe.symbols[i].id, err);
        }
    } else {
        glmv_fail_memory(err);
    }
    if (bpe.symbols != few) {
        free(bpe.symbols);
        free(bpe.heap);
    }
    return ok;
}

/* The longest added token at text, or -1. */
static int32_t added_at(const struct glm_tokenizer *t, const char *text, size_t len)
{
    int32_t best = -1;
    if (!t->added_first[(unsigned char)text[0]]) {
        return -1;
    }
    for (size_t i = 0; i < t->added_count; i++) {
        const struct glm_token *token = &t->tokens[t->added[i]];
        if (token->len <= len && memcmp(token->bytes, text, token->len) == 0 &&
            (best < 0 || token->len > t->tokens[best].len)) {
            best = t->added[i];
        }
    }
    return best;
}

static bool encode_plain(const struct glm_tokenizer *t, const char *text, size_t len,
                         struct glm_ids *out, struct glmv_err *err)
{
    for (size_t at = 0; at < len;) {
        size_t size = glm_piece_next(text + at, len - at);
        if (!encode_piece(t, text + at, size, out, err)) {
            return false;
        }
        at += size;
    }
    return true;
}

bool glm_tokenizer_encode(const struct glm_tokenizer *t, const char *text, size_t len, bool added,
                          struct glm_ids *out, struct glmv_err *err)
{
    size_t start = 0;
    for (size_t at = 0; added && at < len;) {
        int32_t id = added_at(t, text + at, len - at);
        if (id < 0) {
            at++;
            continue;
        }
        if (!encode_plain(t, text + start, at - start, out, err) || !glm_ids_push(out, id, err)) {
            return false;
        }
        at += t->tokens[id].len;
        start = at;
    }
    return encode_plain(t, text + start, len - start, out, err);
}

const char *glm_tokenizer_bytes(const struct glm_tokenizer *t, int32_t id, size_t *len)
{
    if (id < 0 || id >= t->count || t->tokens[id].bytes == NULL) {
        return NULL;
    }
    *len = t->tokens[id].len;
    return t->tokens[id].bytes;
}

int32_t glm_tokenizer_added(const struct glm_tokenizer *t, const char *text)
{
    for (size_t i = 0; i < t->added_count; i++) {
        if (strcmp(t->tokens[t->added[i]].bytes, text) == 0) {
            return t->added[i];
        }
    }
    return -1;
}

bool glm_tokenizer_special(const struct glm_tokenizer *t, int32_t id)
{
    return id >= 0 && id < t->count && t->tokens[id].special;
}

int glm_tokenizer_count(const struct glm_tokenizer *t)
{
    return t->count;
}
