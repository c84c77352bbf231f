#include "model/glm/cuda/upload.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

bool glm_cuda_upload_open(struct glm_cuda_upload *u, struct glm_cuda_device *device,
                          struct glm_pool *pool, struct glmv_err *err)
{
    struct glm_cu_api *api = &device->cuda.api;
    memset(u, 0, sizeof *u);
    u->device = device;
    u->pool = pool;
    for (; u->slot_count < GLM_CUDA_SLOTS; u->slot_count++) {
        struct glm_cuda_slot *s = &u->slots[u->slot_count];
        pthread_mutex_init(&s->lock, NULL);
        if (!glm_cuda_alloc_host(&device->cuda, GLM_CUDA_PIECE, &s->memory, err) ||
            !glm_cuda_check(&device->cuda, api->event_create(&s->taken, GLM_CU_EVENT_NO_TIMING),
                            "make an event", err)) {
            u->slot_count++;
            glm_cuda_upload_close(u);
            return false;
        }
    }
    return true;
}

void glm_cuda_upload_close(struct glm_cuda_upload *u)
{
    for (size_t i = 0; i < u->slot_count; i++) {
        struct glm_cuda_slot *s = &u->slots[i];
        if (s->taken != NULL) {
            u->device->cuda.api.event_wait(s->taken);
            u->device->cuda.api.event_destroy(s->taken);
        }
        glm_cuda_free_host(&u->device->cuda, s->memory);
        pthread_mutex_destroy(&s->lock);
    }
    memset(u, 0, sizeof *u);
}

struct job {
    struct glm_cuda_upload *upload;
    unsigned char *to;               /* of the device */
    const unsigned char *from;       /* bytes, or NULL: */
    const struct glm_matrix *matrix; /* rows of this one */
    size_t row, count, piece;        /* count and piece: bytes, or rows */
    atomic_size_t turn;
    atomic_int code; /* the first failure */
};

static void fill_rows(const struct job *job, size_t begin, size_t end, uint16_t *out)
{
    const size_t cols = job->matrix->cols;
    float part[512];
    for (size_t r = begin; r < end; r++) {
        for (size_t at = 0; at < cols; at += 512) {
            size_t count = cols - at < 512 ? cols - at : 512;
            glm_row_part(job->matrix, job->row + r, at, count, part);
            for (size_t i = 0; i < count; i++) {
                uint32_t bits;
                memcpy(&bits, &part[i], sizeof bits);
                bool nan = part[i] != part[i];
                *out++ = (uint16_t)(nan ? 0x7FC0 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
            }
        }
    }
}

static void send_piece(struct job *job, size_t begin, size_t end)
{
    struct glm_cuda_device *device = job->upload->device;
    struct glm_cu_api *api = &device->cuda.api;
    struct glm_cuda_slot *s =
        &job->upload->slots[atomic_fetch_add(&job->turn, 1) % job->upload->slot_count];
    const size_t size = job->from != NULL ? 1 : job->matrix->cols * sizeof(uint16_t);
    pthread_mutex_lock(&s->lock);
    int code = api->context_set(device->cuda.context);
    if (code == GLM_CU_SUCCESS) {
        code = api->event_wait(s->taken); /* what the slot held before has arrived */
    }
    if (code == GLM_CU_SUCCESS && job->from != NULL) {
        memcpy(s->memory, job->from + begin, end - begin);
    } else if (code == GLM_CU_SUCCESS) {
        fill_rows(job, begin, end, s->memory);
    }
    if (code == GLM_CU_SUCCESS) {
        code = api->copy_up((glm_device_ptr)(uintptr_t)(job->to + begin * size), s->memory,
                            (end - begin) * size, device->stream);
    }
    if (code == GLM_CU_SUCCESS) {
        code = api->event_record(s->taken, device->stream);
    }
    pthread_mutex_unlock(&s->lock);
    int none = GLM_CU_SUCCESS;
    if (code != GLM_CU_SUCCESS) {
        atomic_compare_exchange_strong(&job->code, &none, code);
    }
}

static void send_part(void *arg, size_t begin, size_t end)
{
    struct job *job = arg;
    for (size_t at = begin; at < end && atomic_load(&job->code) == GLM_CU_SUCCESS; at++) {
        size_t first = at * job->piece, last = first + job->piece;
        send_piece(job, first, last < job->count ? last : job->count);
    }
}

static bool send_all(struct job *job, struct glmv_err *err)
{
    struct glm_cuda_device *device = job->upload->device;
    device->after_kernel = false;
    atomic_init(&job->turn, 0);
    atomic_init(&job->code, GLM_CU_SUCCESS);
    glm_pool_run(job->upload->pool, (job->count + job->piece - 1) / job->piece, 1, send_part, job);
    return glm_cuda_check(&device->cuda, atomic_load(&job->code), "copy the weights", err);
}

bool glm_cuda_upload_bytes(struct glm_cuda_upload *u, void *to, const void *from, size_t bytes,
                           struct glmv_err *err)
{
    struct job job = {.upload = u, .to = to, .from = from, .count = bytes, .piece = GLM_CUDA_PIECE};
    return send_all(&job, err);
}

bool glm_cuda_upload_rows(struct glm_cuda_upload *u, void *to, const struct glm_matrix *from,
                          size_t row, size_t count, struct glmv_err *err)
{
    const size_t line = from->cols * sizeof(uint16_t);
    if (from->form == GLM_FORM_BF16) {
        return glm_cuda_upload_bytes(u, to, (const char *)from->data + row * line, count * line,
                                     err);
    }
    if (line > GLM_CUDA_PIECE) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "a row of %zu weights is too long", from->cols);
    }
    struct job job = {.upload = u,
                      .to = to,
                      .matrix = from,
                      .row = row,
                      .count = count,
                      .piece = GLM_CUDA_PIECE / line};
    return send_all(&job, err);
}
