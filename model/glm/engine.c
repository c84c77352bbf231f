/*
 * The engine behind model/chat.h: a checkpoint folder as a partner of conversations. What was
 * evaluated stays in the decoder's memory; the next conversation is compared with it token by token
 * (and picture by picture) and only what differs is evaluated.
 */
#include "model/glm/engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "model/glm/gguf.h"
#include "model/glm/glm.h"

#define DEFAULT_CONTEXT 32768 /* tokens; the memory is touched as it fills */

static bool is_folder(const char *where)
{
    struct stat st;
    return stat(where, &st) == 0 && S_ISDIR(st.st_mode);
}

bool glmv_glm_accepts(const char *where)
{
    return is_folder(where) || glm_gguf_here(where) || glmv_glm_known(where);
}

static void engine_close(void *self)
{
    struct glm_engine *e = self;
    for (size_t i = 0; i < sizeof e->sights / sizeof e->sights[0]; i++) {
        glm_runner_forget(e->runner, e->sights[i].rows);
    }
    glm_runner_close(e->runner);
    glm_draft_release(&e->draft);
    glm_tokenizer_close(e->tokenizer);
    glm_model_close(e->model);
    free(e->past);
    free(e->items);
    free(e->banned);
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

static bool prepare(struct glm_engine *e, const char *folder, struct glmv_err *err)
{
    const struct glm_config *c = &e->model->config;
    e->tokenizer = glm_tokenizer_find(folder, c->text.vocab, err);
    if (e->tokenizer == NULL) {
        return false;
    }
    if (glm_tokenizer_added(e->tokenizer, "<|image|>") != c->image_token) {
        return glmv_fail(err, GLMV_ERR_FORMAT,
                         "%s: <|image|> is not the image_token_id of config.json; the tokenizer "
                         "belongs to another model",
                         folder);
    }
    e->dialect =
        glm_tokenizer_added(e->tokenizer, "/nothink") >= 0 ? GLM_DIALECT_46V : GLM_DIALECT_41V;
    size_t capacity = c->text.context < DEFAULT_CONTEXT ? (size_t)c->text.context : DEFAULT_CONTEXT;
    e->past = calloc(capacity, sizeof *e->past);
    e->banned = malloc((size_t)c->text.vocab);
    if (e->past == NULL || e->banned == NULL) {
        return glmv_fail_memory(err);
    }
    fill_banned(e);
    e->runner = glm_runner_cpu(e->model, capacity, e->banned, err);
    if (e->runner == NULL || !glm_draft_init(&e->draft, 2 * capacity, err)) {
        return false;
    }
    e->items = malloc(e->runner->batch * sizeof *e->items);
    return e->items != NULL || glmv_fail_memory(err);
}

static void *engine_open(const char *where, const char *name, struct glmv_err *err)
{
    struct glm_store store;
    char folder[4096];
    if (!glm_store_parse(name, &store, err)) {
        return NULL;
    }
    if (!is_folder(where) && !glm_gguf_here(where)) {
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
    e->model = glm_model_open(where, store, 0, err);
    if (e->model == NULL || !prepare(e, where, err)) {
        engine_close(e);
        return NULL;
    }
    return e;
}

static bool engine_complete(void *self, const struct glmv_chat_message *messages, size_t count,
                            const struct glmv_chat_options *options,
                            const struct glmv_chat_watch *watch, struct glmv_chat_result *result,
                            struct glmv_err *err)
{
    struct glm_engine *e = self;
    struct glm_turn turn = {0};
    struct glm_speaker speaker;
    size_t cached = 0;
    struct glm_sampler sampler = glm_turn_sampler(e, options);
    struct glm_choice first;
    double started = glmv_now();
    glm_speaker_init(&speaker, e->tokenizer, options, watch, result);
    bool ok = glm_turn_make(e, messages, count, options, &turn, err) &&
              glm_turn_prefill(e, &turn, &sampler, options->cancel, &cached, &first, err);
    if (ok) {
        result->usage = (struct glmv_chat_usage){(int64_t)turn.ids.len, 0, (int64_t)cached};
        glm_draft_begin(&e->draft, turn.ids.data, turn.ids.len);
        ok = glm_turn_generate(e, &turn, options, &sampler, &first, &speaker, result, started, err);
        ok = glm_speaker_end(&speaker, err) && ok;
        if (result->call_count > 0 && result->finish == GLMV_CHAT_FINISH_STOP) {
            result->finish = GLMV_CHAT_FINISH_CALLS;
        }
    }
    result->seconds = glmv_now() - started;
    glm_speaker_release(&speaker);
    glm_turn_release(&turn);
    return ok;
}

static bool engine_ask_about(void *self, struct glmv_chat_about *about, struct glmv_err *err)
{
    const struct glm_engine *e = self;
    about->program = strdup("native engine");
    about->models = calloc(1, sizeof *about->models);
    if (about->program == NULL || about->models == NULL ||
        (about->models[0].name = strdup(e->model->config.name)) == NULL) {
        return glmv_fail_memory(err);
    }
    about->models[0].context = (int64_t)e->runner->capacity;
    about->model_count = 1;
    return true;
}

static const char *engine_name(const void *self)
{
    return ((const struct glm_engine *)self)->model->config.name;
}

const struct glmv_chat_kind glmv_chat_engine = {
    .what = "engine",
    .accepts = glmv_glm_accepts,
    .open = engine_open,
    .close = engine_close,
    .complete = engine_complete,
    .ask_about = engine_ask_about,
    .name = engine_name,
};
