#define _GNU_SOURCE /* O_TMPFILE */
#include "model/glm/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "model/glm/blocks.h"
#include "model/glm/codes.h"

enum {
    HEAD = 8,  /* numbers in the header */
    ENTRY = 6, /* numbers of a matrix */
    ALIGN = 64,
    VERSION = 2,
    SAMPLE = 2048, /* bytes at each end of a tensor */
    MAX_MATRICES = 4096,
};

static const char magic[8] = "GLMPACK";

static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ p[i]) * 0x100000001B3u;
    }
    return h;
}

uint64_t glm_pack_source(const struct glm_weights *weights)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < weights->count; i++) {
        const struct glm_tensor *t = &weights->tensors[i];
        if (glm_type_is_packed(t->type)) {
            continue; /* its parts are in the set as well */
        }
        size_t part = t->bytes < SAMPLE ? t->bytes : SAMPLE;
        h = mix(h, t->name, strlen(t->name) + 1);
        h = mix(h, t->shape, (size_t)t->dims * sizeof t->shape[0]);
        h = mix(h, &t->type, sizeof t->type);
        h = mix(h, t->data, part);
        h = mix(h, (const char *)t->data + t->bytes - part, part);
    }
    return h;
}

bool glm_pack_path(uint64_t source, struct glm_store store, char *out, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char base[3000];
    int len = cache != NULL && cache[0] == '/' ? snprintf(base, sizeof base, "%s", cache)
              : home != NULL && home[0] == '/' ? snprintf(base, sizeof base, "%s/.cache", home)
                                               : -1;
    if (len < 0 || (size_t)len >= sizeof base) {
        return false;
    }
    mkdir(base, 0700);
    len = snprintf(out, size, "%s/glmv-replicate", base);
    if (len < 0 || (size_t)len >= size || (mkdir(out, 0700) != 0 && errno != EEXIST)) {
        return false;
    }
    len = snprintf(out, size, "%s/glmv-replicate/%016llx-%s-g%zu.pack", base,
                   (unsigned long long)source,
                   store.form == GLM_FORM_INT4   ? "int4"
                   : store.form == GLM_FORM_INT8 ? "int8"
                   : store.form == GLM_FORM_FP8  ? "fp8"
                                                 : "stored",
                   store.group);
    return len > 0 && (size_t)len < size;
}

static bool inside(uint64_t place, size_t bytes, size_t len)
{
    return place % ALIGN == 0 && place <= len && bytes <= len - place;
}

static bool take_entry(const unsigned char *bytes, size_t len, const uint64_t *entry,
                       struct glm_store store, struct glm_matrix *m)
{
    struct glm_matrix out = {store.form, m->rows, m->cols, NULL, NULL, store.group};
    size_t data, scales;
    if (entry[0] != (uint64_t)store.form || entry[1] != store.group || entry[2] != m->rows ||
        entry[3] != m->cols || !glm_tile_sizes(&out, &data, &scales) ||
        !inside(entry[4], data, len) || !inside(entry[5], scales, len)) {
        return false;
    }
    out.data = bytes + entry[4];
    out.scales = (const uint16_t *)(const void *)(bytes + entry[5]);
    *m = out;
    return true;
}

bool glm_pack_parse(const unsigned char *bytes, size_t len, const char *name, uint64_t source,
                    struct glm_store store, const struct glm_part *parts, size_t count,
                    struct glmv_err *err)
{
    uint64_t head[HEAD], entry[ENTRY];
    if (len < sizeof head || count > MAX_MATRICES) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: not a file of packed weights", name);
    }
    memcpy(head, bytes, sizeof head);
    uint64_t check = head[7];
    if (memcmp(bytes, magic, sizeof magic) != 0 || head[1] != VERSION ||
        head[2] != (uint64_t)store.form || head[3] != store.group || head[4] != source ||
        head[5] != len || head[6] != count || len < sizeof head + count * sizeof entry) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: packed weights of another model or version, or cut short", name);
    }
    if (check != mix(mix(0, head, sizeof head - 8), bytes + sizeof head, count * sizeof entry)) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: the table of the packed weights is damaged",
                         name);
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(entry, bytes + sizeof head + i * sizeof entry, sizeof entry);
        if (!take_entry(bytes, len, entry, parts[i].store, parts[i].matrix)) {
            return glmv_fail(err, GLMV_ERR_FORMAT, "%s: matrix %zu of %zu does not fit", name, i,
                             count);
        }
    }
    return true;
}

bool glm_pack_open(struct glm_pack *pack, const char *path, uint64_t source, struct glm_store store,
                   const struct glm_part *parts, size_t count, struct glmv_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0) {
        if (fd >= 0) {
            close(fd);
        }
        return glmv_fail(err, GLMV_ERR_IO, "%s: no packed weights", path);
    }
    void *base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (base == MAP_FAILED) {
        return glmv_fail(err, GLMV_ERR_MEMORY, "%s: cannot be mapped: %s", path, strerror(errno));
    }
    if (!glm_pack_parse(base, (size_t)st.st_size, path, source, store, parts, count, err)) {
        munmap(base, (size_t)st.st_size);
        return false;
    }
    madvise(base, (size_t)st.st_size, MADV_WILLNEED);
    *pack = (struct glm_pack){base, (size_t)st.st_size};
    return true;
}

void glm_pack_close(struct glm_pack *pack)
{
    if (pack->base != NULL) {
        munmap(pack->base, pack->len);
    }
    memset(pack, 0, sizeof *pack);
}

static bool write_at(int fd, const void *bytes, size_t len, uint64_t place)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t done = pwrite(fd, p, len < (1u << 30) ? len : 1u << 30, (off_t)place);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        p += done;
        len -= (size_t)done;
        place += (uint64_t)done;
    }
    return true;
}

static uint64_t aligned(uint64_t place)
{
    return (place + ALIGN - 1) / ALIGN * ALIGN;
}

/* Makes and writes the matrices; fills the table and returns where the file ends. */
static bool write_all(int fd, const struct glm_pack_maker *maker, const char *path,
                      const struct glm_part *parts, size_t count, uint64_t *table, uint64_t *end,
                      struct glmv_err *err)
{
    uint64_t place = aligned((HEAD + count * ENTRY) * 8);
    for (size_t i = 0; i < count; i++) {
        struct glm_matrix m;
        size_t data, scales;
        if (!maker->make(maker->arg, i, &parts[i], &m, err)) {
            return false;
        }
        uint64_t second = 0;
        bool ok = glm_tile_sizes(&m, &data, &scales);
        if (ok) {
            second = aligned(place + data);
            memcpy(table + i * ENTRY,
                   (uint64_t[]){(uint64_t)m.form, m.group, m.rows, m.cols, place, second},
                   ENTRY * 8);
            ok = write_at(fd, m.data, data, place) && write_at(fd, m.scales, scales, second);
        }
        free((void *)(uintptr_t)m.data);
        free((void *)(uintptr_t)m.scales);
        if (!ok) {
            return glmv_fail(err, GLMV_ERR_IO, "%s: %s", path, strerror(errno));
        }
        place = aligned(second + scales);
    }
    *end = place;
    return ftruncate(fd, (off_t)place) == 0 ||
           glmv_fail(err, GLMV_ERR_IO, "%s: %s", path, strerror(errno));
}

static bool quantise_here(void *arg, size_t at, const struct glm_part *part, struct glm_matrix *out,
                          struct glmv_err *err)
{
    (void)at;
    return glm_quantise(arg, part->matrix, part->store.form, part->store.group, out, err);
}

bool glm_pack_write(struct glm_pool *pool, const char *path, uint64_t source,
                    struct glm_store store, const struct glm_part *parts, size_t count,
                    struct glmv_err *err)
{
    const struct glm_pack_maker here = {quantise_here, pool};
    return glm_pack_write_made(&here, path, source, store, parts, count, err);
}

bool glm_pack_write_made(const struct glm_pack_maker *maker, const char *path, uint64_t source,
                         struct glm_store store, const struct glm_part *parts, size_t count,
                         struct glmv_err *err)
{
    char folder[4096], self[64];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL || count > MAX_MATRICES) {
        return glmv_fail(err, GLMV_ERR_USAGE, "%s: no place for packed weights", path);
    }
    *slash = '\0';
    /* a file without a name until it is whole: nothing is left behind by a crash */
    int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    uint64_t *table = calloc(HEAD + count * ENTRY, sizeof *table), end = 0;
    if (fd < 0 || table == NULL) {
        glmv_fail(err, GLMV_ERR_IO, "%s: %s", folder, strerror(errno));
        goto fail;
    }
    if (!write_all(fd, maker, path, parts, count, table + HEAD, &end, err)) {
        goto fail;
    }
    memcpy(table, magic, sizeof magic);
    table[1] = VERSION;
    table[2] = (uint64_t)store.form;
    table[3] = store.group;
    table[4] = source;
    table[5] = end;
    table[6] = count;
    table[7] = mix(mix(0, table, (HEAD - 1) * 8), table + HEAD, count * ENTRY * 8);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (!write_at(fd, table, (HEAD + count * ENTRY) * 8, 0) || fsync(fd) != 0 ||
        (unlink(path) != 0 && errno != ENOENT) ||
        linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0) {
        glmv_fail(err, GLMV_ERR_IO, "%s: %s", path, strerror(errno));
        goto fail;
    }
    free(table);
    close(fd);
    return true;
fail:
    free(table);
    if (fd >= 0) {
        close(fd);
    }
    return false;
}
