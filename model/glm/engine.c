/*
 * The engine behind model/chat.h: a checkpoint folder as a partner of conversations. What was
 * evaluated stays in the decoder's memory; the next conversation is compared with it token by token
 * (and picture by picture) and only what differs is evaluated.
 */
#include "model/glm/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/glm/gguf.h"
#include "model/glm/glm.h"

#define DEFAULT_CONTEXT 32768 /* tokens; the memory is touched as it fills */

bool glmv_glm_accepts(const char *where)
{
    return glm_is_folder(where) || glm_gguf_here(where) || glmv_glm_known(where);
}

/* Gives up what runs the model, and everything that it knows. */
static void stop(struct glm_engine *e)
{
    for (size_t i = 0; i < sizeof e->sights / sizeof e->sights[0]; i++) {
        if (e->runner != NULL) {
            glm_runner_forget(e->runner, e->sights[i].rows);
        }
    }
    memset(e->sights, 0, sizeof e->sights);
    glm_runner_close(e->runner);
    e->runner = NULL;
}

static void unprepare(struct glm_engine *e)
{
    glm_draft_release(&e->draft);
    glm_tokenizer_close(e->tokenizer);
    free(e->past);
    free(e->banned);
    e->tokenizer = NULL;
    e->past = NULL;
    e->banned = NULL;
}

static void engine_close(void *self)
{
    struct glm_engine *e = self;
    stop(e);
    unprepare(e);
    glm_model_close(e->model);
    free(e->items);
    free(e->where);
    free(e->name);
    free(e);
}

bool glm_engine_end(const struct glm_engine *e, int32_t id)
{
    const struct glm_config *c = &e->model->config;
    for (int i = 0; i < c->eos_count; i++) {
        if (c->eos[i] == id) {
            return true;
        }
    }
    return id >= 0 && (id == glm_tokenizer_added(e->tokenizer, "<|user|>") ||
                       id == glm_tokenizer_added(e->tokenizer, "<|endoftext|>") ||
                       id == glm_tokenizer_added(e->tokenizer, "<|observation|>"));
}

/* Tokens that are remembered at most. */
static size_t context_of(const struct glm_engine *e)
{
    const int64_t context = e->model->config.text.context;
    return context < DEFAULT_CONTEXT ? (size_t)context : DEFAULT_CONTEXT;
}

/* Rows without a token, and marks that make no sense inside an answer. */
static void fill_banned(struct glm_engine *e)
{
    for (int32_t id = 0; id < e->model->config.text.vocab; id++) {
        size_t len;
        bool known = glm_tokenizer_bytes(e->tokenizer, id, &len) != NULL;
        e->banned[id] =
            !known || (glm_tokenizer_special(e->tokenizer, id) && !glm_engine_end(e, id));
    }
}

static bool make_ready(struct glm_engine *e, struct glmv_err *err)
{
    const struct glm_config *c = &e->model->config;
    e->tokenizer = glm_tokenizer_find(e->where, c->text.vocab, err);
    if (e->tokenizer == NULL) {
        return false;
    }
    if (glm_tokenizer_added(e->tokenizer, "<|image|>") != c->image_token) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: <|image|> is not the image_token_id of config.json; the tokenizer "
                         "belongs to another model",
                         e->where);
    }
    e->dialect =
        glm_tokenizer_added(e->tokenizer, "/nothink") >= 0 ? GLM_DIALECT_46V : GLM_DIALECT_41V;
    e->past = calloc(context_of(e), sizeof *e->past);
    e->banned = malloc((size_t)c->text.vocab);
    if (e->past == NULL || e->banned == NULL) {
        return glmv_fail_memory(err);
    }
    fill_banned(e);
    return glm_draft_init(&e->draft, 2 * context_of(e), err);
}

/* What a conversation needs beside the runner; once. */
static bool prepare(struct glm_engine *e, struct glmv_err *err)
{
    if (e->tokenizer != NULL) {
        return true;
    }
    if (!make_ready(e, err)) {
        unprepare(e);
        return false;
    }
    return true;
}

/* The runner, and room for its steps. */
static bool take_runner(struct glm_engine *e, struct glm_runner *runner, struct glmv_err *err)
{
    e->runner = runner;
    if (runner == NULL) {
        return false;
    }
    struct glm_item *items = e->items;
    if (runner->batch > e->items_cap) {
        items = realloc(e->items, runner->batch * sizeof *items);
        e->items_cap = runner->batch;
    }
    e->items = items != NULL ? items : e->items;
    e->step_seconds = e->row_seconds = 0;
    return items != NULL || glmv_fail_memory(err);
}

static bool start_cuda(struct glm_engine *e, struct glmv_err *err)
{
    struct glm_cuda_found found;
    struct glm_cuda_options options = {.ordinal = e->device.ordinal};
    if (!glm_cuda_built(err) || !glm_cuda_look(e->device.ordinal, &found, err) ||
        !glm_cuda_kept_parse(e->name, &options.kept, err)) {
        return false;
    }
    e->model = glm_device_open_cuda(e->where, e->name, err);
    if (e->model == NULL || !prepare(e, err)) {
        return false;
    }
    options.capacity = context_of(e);
    options.banned = e->banned;
    if (!take_runner(e, glm_runner_cuda(e->model, &options, err), err)) {
        return false;
    }
    glm_device_keep_pack(e->model, e->name, e->runner);
    return true;
}

static bool start_cpu(struct glm_engine *e, struct glmv_err *err)
{
    struct glm_store store;
    struct glm_model *model =
        glm_store_parse(e->name, &store, err) ? glm_model_open(e->where, store, 0, err) : NULL;
    if (model == NULL) {
        return false;
    }
    glm_model_close(e->model); /* as a device wanted it */
    e->model = model;
    return prepare(e, err) &&
           take_runner(e, glm_runner_cpu(e->model, context_of(e), e->banned, err), err);
}

/* On the processor, since a device cannot be used. fp8 is for devices only. */
static bool fall_back(struct glm_engine *e, const char *why, struct glmv_err *err)
{
    if (e->name != NULL && strcmp(e->name, "fp8") == 0) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED, "fp8 weights need a CUDA device: %s", why);
    }
    stop(e);
    snprintf(e->note, sizeof e->note, "the model runs on the processor: %s", why);
    return start_cpu(e, err);
}

static bool start(struct glm_engine *e, struct glmv_err *err)
{
    struct glmv_err why = {0};
    if (e->device.kind == GLM_DEVICE_CPU) {
        return start_cpu(e, err);
    }
    if (e->device.kind == GLM_DEVICE_CUDA) {
        return start_cuda(e, err);
    }
    return start_cuda(e, &why) || fall_back(e, why.message, err);
}

static void *engine_open(const char *where, const char *name, const char *device,
                         struct glmv_err *err)
{
    struct glm_device wanted;
    char folder[4096];
    if (!glm_device_parse(device, &wanted, err) || !glm_device_name(name, err)) {
        return NULL;
    }
    if (!glm_is_folder(where) && !glm_gguf_here(where)) {
        if (!glmv_glm_find(where, folder, sizeof folder, err)) {
            return NULL;
        }
        where = folder;
    }
    struct glm_engine *e = calloc(1, sizeof *e);
    if (e == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    e->device = wanted;
    e->where = strdup(where);
    e->name = name != NULL ? strdup(name) : NULL;
    if (e->where == NULL || (name != NULL && e->name == NULL)) {
        glmv_fail_memory(err);
        engine_close(e);
        return NULL;
    }
    if (!start(e, err)) {
        engine_close(e);
        return NULL;
    }
    return e;
}

/* A conversation, and how far it came. */
struct talk {
    const struct glmv_chat_message *messages;
    size_t count;
    const struct glmv_chat_options *options;
    struct glmv_chat_result *result;
    struct glm_speaker speaker;
    struct glm_sampler sampler;
    struct glm_ids said;
    double started;
};

/* From the beginning, or from what was said already. */
static bool go_on(struct glm_engine *e, struct talk *t, struct glmv_err *err)
{
    struct glm_turn turn = {0};
    struct glm_choice first;
    size_t cached = 0;
    bool ok = glm_turn_make(e, t->messages, t->count, t->options, &turn, err) &&
              glm_turn_resume(&turn, t->said.data, t->said.len, err) &&
              glm_turn_prefill(e, &turn, &t->sampler, t->options->cancel, &cached, &first, err);
    if (ok) {
        if (t->said.len == 0) {
            t->result->usage = (struct glmv_chat_usage){(int64_t)turn.prompt, 0, (int64_t)cached};
            glm_draft_begin(&e->draft, turn.ids.data, turn.ids.len);
        }
        ok = glm_turn_generate(e, &turn, t->options, &t->sampler, &first, &t->speaker, t->result,
                               t->started, err);
        t->said.len = 0;
        for (size_t i = turn.prompt; !ok && e->runner->failed && i < turn.ids.len; i++) {
            if (!glm_ids_push(&t->said, turn.ids.data[i], NULL)) {
                e->runner->failed = false; /* cannot be resumed: the failure stands */
            }
        }
    }
    glm_turn_release(&turn);
    return ok;
}

/* A device that fails on the way is left, where that was allowed; the answer goes on. */
static bool talk_through(struct glm_engine *e, struct talk *t, const struct glmv_chat_watch *watch,
                         struct glmv_err *err)
{
    struct glmv_err problem = {0};
    e->runner->failed = false;
    if (go_on(e, t, &problem)) {
        return true;
    }
    if (!e->runner->failed || e->device.kind != GLM_DEVICE_AUTO) {
        return glmv_fail(err, problem.code, "%s", problem.message);
    }
    if (!fall_back(e, problem.message, err)) {
        stop(e);
        return false;
    }
    if (watch->note != NULL) {
        watch->note(watch->arg, e->note);
    }
    return go_on(e, t, err);
}

static bool engine_complete(void *self, const struct glmv_chat_message *messages, size_t count,
                            const struct glmv_chat_options *options,
                            const struct glmv_chat_watch *watch, struct glmv_chat_result *result,
                            struct glmv_err *err)
{
    struct glm_engine *e = self;
    if (e->runner == NULL) {
        return glmv_fail(err, GLMV_ERR_MODEL, "nothing runs the model any more; open it again");
    }
    struct talk t = {.messages = messages,
                     .count = count,
                     .options = options,
                     .result = result,
                     .sampler = glm_turn_sampler(e, options),
                     .started = glmv_now()};
    glm_speaker_init(&t.speaker, e->tokenizer, options, watch, result);
    bool ok = talk_through(e, &t, watch, err);
    ok = glm_speaker_end(&t.speaker, err) && ok;
    if (ok && result->call_count > 0 && result->finish == GLMV_CHAT_FINISH_STOP) {
        result->finish = GLMV_CHAT_FINISH_CALLS;
    }
    result->seconds = glmv_now() - t.started;
    glm_ids_release(&t.said);
    glm_speaker_release(&t.speaker);
    return ok;
}

static bool engine_ask_about(void *self, struct glmv_chat_about *about, struct glmv_err *err)
{
    const struct glm_engine *e = self;
    char program[192];
    snprintf(program, sizeof program, "native engine on %s",
             e->runner != NULL ? e->runner->place : "nothing");
    about->program = strdup(program);
    about->models = calloc(1, sizeof *about->models);
    if (about->program == NULL || about->models == NULL ||
        (about->models[0].name = strdup(e->model->config.name)) == NULL) {
        return glmv_fail_memory(err);
    }
    about->models[0].context = e->runner != NULL ? (int64_t)e->runner->capacity : 0;
    about->model_count = 1;
    return true;
}

static const char *engine_name(const void *self)
{
    return ((const struct glm_engine *)self)->model->config.name;
}

static const char *engine_note(const void *self)
{
    const struct glm_engine *e = self;
    return e->note[0] != '\0' ? e->note : NULL;
}

const struct glmv_chat_kind glmv_chat_engine = {
    .what = "engine",
    .accepts = glmv_glm_accepts,
    .open = engine_open,
    .close = engine_close,
    .complete = engine_complete,
    .ask_about = engine_ask_about,
    .name = engine_name,
    .note = engine_note,
};
