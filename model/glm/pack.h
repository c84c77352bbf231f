/*
 * Quantised weights in a file of their own, made once and mapped afterwards. It belongs to one
 * checkpoint, which it names by a hash, and is either whole or not there. Private to model/glm.
 *
 * Layout, numbers little-endian and 64 bits wide: "GLMPACK", version; form, group, hash of the
 * source, length of the file, number of matrices, hash of this header and the table; then for each
 * matrix form, group, rows, columns, place of its weights, place of its scales; then these, each at
 * a multiple of 64 bytes.
 */
#ifndef GLMV_MODEL_GLM_PACK_H
#define GLMV_MODEL_GLM_PACK_H

#include "model/glm/backend.h"
#include "model/glm/weights.h"

/* How weights are kept: as stored (GLM_FORM_BF16; blocks of a GGUF file become the nearest form
 * that can be multiplied), quantised in groups of 32 or 128, or to be looked at only
 * (GLM_FORM_BLOCKS). */
struct glm_store {
    enum glm_form form;
    size_t group;
};

/* A matrix, and how it is kept in a pack. */
struct glm_part {
    struct glm_matrix *matrix;
    struct glm_store store;
};

struct glm_pack {
    void *base; /* the mapping, NULL without one */
    size_t len;
};

/* A hash of what the tensors are and of samples of their bytes. */
uint64_t glm_pack_source(const struct glm_weights *weights);

/* The place for a pack: a file in $XDG_CACHE_HOME/glmv-replicate or ~/.cache/glmv-replicate. False
 * when there is no such folder and none can be made. */
bool glm_pack_path(uint64_t source, struct glm_store store, char *out, size_t size);

/* Maps a pack. parts: what is expected, rows and cols given; form, group, data and scales of the
 * matrices are filled in. */
bool glm_pack_open(struct glm_pack *pack, const char *path, uint64_t source, struct glm_store store,
                   const struct glm_part *parts, size_t count, struct glmv_err *err);
/* The same from bytes that stay the caller's. For tests and fuzzing. */
bool glm_pack_parse(const unsigned char *bytes, size_t len, const char *name, uint64_t source,
                    struct glm_store store, const struct glm_part *parts, size_t count,
                    struct glmv_err *err);
/* A zeroed pack is allowed. */
void glm_pack_close(struct glm_pack *pack);

/* Makes the quantised form of part number at; data and scales of out are then freed with free(). */
struct glm_pack_maker {
    bool (*make)(void *arg, size_t at, const struct glm_part *part, struct glm_matrix *out,
                 struct glmv_err *err);
    void *arg;
};

/* Writes what the maker makes, one matrix after the other, into a new file. */
bool glm_pack_write_made(const struct glm_pack_maker *maker, const char *path, uint64_t source,
                         struct glm_store store, const struct glm_part *parts, size_t count,
                         struct glmv_err *err);
/* The same, quantised here. */
bool glm_pack_write(struct glm_pool *pool, const char *path, uint64_t source,
                    struct glm_store store, const struct glm_part *parts, size_t count,
                    struct glmv_err *err);

#endif
