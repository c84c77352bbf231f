#include "model/glm/cuda/upload.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void glm_cuda_upload_open(struct glm_cuda_upload *u, struct glm_cuda_device *device,
                          struct glm_pool *pool)
{
    memset(u, 0, sizeof *u);
    u->device = device;
    u->pool = pool;
}

/* Pinning takes a millisecond for a slot: only what will be used. */
static bool open_slots(struct glm_cuda_upload *u, size_t pieces, struct glmv_err *err)
{
    struct glm_cuda *cuda = &u->device->cuda;
    const size_t wanted = pieces < GLM_CUDA_SLOTS ? pieces : GLM_CUDA_SLOTS;
    while (u->slot_count < wanted) {
        struct glm_cuda_slot *s = &u->slots[u->slot_count++];
        pthread_mutex_init(&s->lock, NULL);
        if (!glm_cuda_alloc_host(cuda, GLM_CUDA_PIECE, &s->memory, err) ||
            !glm_cuda_check(cuda, cuda->api.event_create(&s->taken, GLM_CU_EVENT_NO_TIMING),
                            "make an event", err)) {
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
    free(u->pieces);
    memset(u, 0, sizeof *u);
}

/* Pieces, or where there is a matrix, rows of it. */
struct job {
    struct glm_cuda_upload *upload;
    const struct glm_cuda_piece *pieces;
    const struct glm_matrix *matrix;
    unsigned char *to;       /* of the device; for the rows */
    size_t row, count, line; /* line: rows of a piece */
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
                *out++ = glm_cuda_bf16(part[i]);
            }
        }
    }
}

static void send_piece(struct job *job, size_t at)
{
    struct glm_cuda_device *device = job->upload->device;
    struct glm_cu_api *api = &device->cuda.api;
    struct glm_cuda_slot *s =
        &job->upload->slots[atomic_fetch_add(&job->turn, 1) % job->upload->slot_count];
    struct glm_cuda_piece piece = {0};
    pthread_mutex_lock(&s->lock);
    int code = api->context_set(device->cuda.context);
    if (code == GLM_CU_SUCCESS) {
        code = api->event_wait(s->taken); /* what the slot held before has arrived */
    }
    if (code == GLM_CU_SUCCESS && job->matrix == NULL) {
        piece = job->pieces[at];
        memcpy(s->memory, piece.from, piece.bytes);
    } else if (code == GLM_CU_SUCCESS) {
        const size_t begin = at * job->line, left = job->count - begin,
                     rows = left < job->line ? left : job->line,
                     bytes = job->matrix->cols * sizeof(uint16_t);
        fill_rows(job, begin, begin + rows, s->memory);
        piece = (struct glm_cuda_piece){job->to + begin * bytes, NULL, rows * bytes};
    }
    if (code == GLM_CU_SUCCESS) {
        code = api->copy_up((glm_device_ptr)(uintptr_t)piece.to, s->memory, piece.bytes,
                            device->stream);
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
        send_piece(job, at);
    }
}

static bool send_all(struct job *job, size_t pieces, struct glmv_err *err)
{
    struct glm_cuda_device *device = job->upload->device;
    if (!open_slots(job->upload, pieces, err)) {
        return false;
    }
    device->after_kernel = false;
    atomic_init(&job->turn, 0);
    atomic_init(&job->code, GLM_CU_SUCCESS);
    glm_pool_run(job->upload->pool, pieces, 1, send_part, job);
    return glm_cuda_check(&device->cuda, atomic_load(&job->code), "copy the weights", err);
}

bool glm_cuda_upload_later(struct glm_cuda_upload *u, void *to, const void *from, size_t bytes,
                           struct glmv_err *err)
{
    for (size_t at = 0; at < bytes; at += GLM_CUDA_PIECE) {
        if (u->piece_count == u->piece_room) {
            size_t room = u->piece_room > 0 ? 2 * u->piece_room : 1024;
            struct glm_cuda_piece *more = realloc(u->pieces, room * sizeof *more);
            if (more == NULL) {
                return glmv_fail_memory(err);
            }
            u->pieces = more;
            u->piece_room = room;
        }
        size_t size = bytes - at < GLM_CUDA_PIECE ? bytes - at : GLM_CUDA_PIECE;
        u->pieces[u->piece_count++] = (struct glm_cuda_piece){
            (unsigned char *)to + at, (const unsigned char *)from + at, size};
    }
    return true;
}

bool glm_cuda_upload_all(struct glm_cuda_upload *u, struct glmv_err *err)
{
    struct job job = {.upload = u, .pieces = u->pieces};
    bool ok = send_all(&job, u->piece_count, err);
    u->piece_count = 0;
    return ok;
}

bool glm_cuda_upload_rows(struct glm_cuda_upload *u, void *to, const struct glm_matrix *from,
                          size_t row, size_t count, struct glmv_err *err)
{
    const size_t line = from->cols * sizeof(uint16_t);
    if (from->form == GLM_FORM_BF16) {
        return glm_cuda_upload_later(u, to, (const char *)from->data + row * line, count * line,
                                     err) &&
               glm_cuda_upload_all(u, err);
    }
    if (line > GLM_CUDA_PIECE) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "a row of %zu weights is too long", from->cols);
    }
    struct job job = {.upload = u,
                      .matrix = from,
                      .to = to,
                      .row = row,
                      .count = count,
                      .line = GLM_CUDA_PIECE / line};
    return send_all(&job, (count + job.line - 1) / job.line, err);
}
