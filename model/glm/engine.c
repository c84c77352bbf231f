/*
 * The engine behind model/chat.h: a checkpoint folder as a partner of conversations. What was
 * evaluated stays in the decoder's memory; the next conversation is compared with it token by token
 * (and picture by picture) and only what differs is evaluated.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "model/glm/draft.h"
#include "model/glm/gguf.h"
#include "model/glm/glm.h"
#include "model/glm/model.h"
#include "model/glm/prompt.h"
#include "model/glm/sample.h"
#include "model/glm/speak.h"

#define MAX_PICTURES 32
#define KEPT_PICTURES 8
#define DEFAULT_CONTEXT 32768 /* tokens; the memory is touched as it fills */
#define DEFAULT_ANSWER 16384

/* A picture the tower has read. */
struct sight {
    uint64_t hash; /* of its pixels; 0: free */
    float *rows;
    struct glm_span span;
    unsigned used; /* when last */
};

struct engine {
    struct glm_model *model;
    struct glm_tokenizer *tokenizer;
    enum glm_dialect dialect;
    struct glm_decoder decoder;
    uint64_t *past; /* [capacity] what stands at each place: an id, or a picture's hash */
    struct sight sights[MAX_PICTURES + KEPT_PICTURES];
    unsigned clock;
    float *logits; /* [GLM_BATCH][vocab] */
    float *input;
    unsigned char *banned, *marks;
    struct glm_draft draft;
    double step_seconds, row_seconds; /* of a step with one row; of each row more */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

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
    struct engine *e = self;
    for (size_t i = 0; i < sizeof e->sights / sizeof e->sights[0]; i++) {
        free(e->sights[i].rows);
    }
    glm_decoder_release(&e->decoder);
    glm_draft_release(&e->draft);
    glm_tokenizer_close(e->tokenizer);
    glm_model_close(e->model);
    free(e->past);
    free(e->logits);
    free(e->input);
    free(e->banned);
    free(e->marks);
    free(e);
}

static bool is_end(const struct engine *e, int32_t id)
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
static void fill_banned(struct engine *e)
{
    for (int32_t id = 0; id < e->model->config.text.vocab; id++) {
        size_t len;
        bool known = glm_tokenizer_bytes(e->tokenizer, id, &len) != NULL;
        e->banned[id] = !known || (glm_tokenizer_special(e->tokenizer, id) && !is_end(e, id));
    }
}

static bool prepare(struct engine *e, const char *folder, struct glmv_err *err)
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
    const size_t vocab = (size_t)c->text.vocab;
    e->past = calloc(capacity, sizeof *e->past);
    e->logits = malloc(GLM_BATCH * vocab * sizeof *e->logits);
    e->input = malloc(GLM_BATCH * (size_t)c->text.hidden * sizeof *e->input);
    e->banned = malloc(vocab);
    e->marks = malloc(vocab);
    if (e->past == NULL || e->logits == NULL || e->input == NULL || e->banned == NULL ||
        e->marks == NULL) {
        return glmv_fail_memory(err);
    }
    fill_banned(e);
    return glm_draft_init(&e->draft, 2 * capacity, err) &&
           glm_decoder_init(&e->decoder, e->model, capacity, err);
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
    struct engine *e = calloc(1, sizeof *e);
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

static uint64_t hash_picture(const struct glmv_image *image)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ (uint64_t)image->width << 32 ^ (uint64_t)image->height,
             v = 0;
    size_t len = (size_t)image->width * (size_t)image->height * 4;
    for (size_t i = 0; i < len; i += 4) {
        memcpy(&v, image->rgba + i, 4);
        h = (h ^ v) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    return h | 1ull << 63; /* above every token id */
}

/* The rows of a picture: kept ones, or from the tower. */
static struct sight *look(struct engine *e, const struct glmv_image *image, struct glmv_err *err)
{
    struct sight *oldest = &e->sights[0];
    uint64_t hash = hash_picture(image);
    for (size_t i = 0; i < sizeof e->sights / sizeof e->sights[0]; i++) {
        if (e->sights[i].hash == hash) {
            e->sights[i].used = ++e->clock;
            return &e->sights[i];
        }
        oldest = e->sights[i].used < oldest->used ? &e->sights[i] : oldest;
    }
    struct glm_patches patches;
    if (!glm_picture_patches(&e->model->config, image, &patches, err)) {
        return NULL;
    }
    const int merge = e->model->config.vision.merge;
    float *rows = glm_vision_encode(e->model, &patches, NULL, err);
    if (rows != NULL) {
        free(oldest->rows);
        *oldest = (struct sight){
            hash, rows, {patches.grid_h / merge, patches.grid_w / merge}, ++e->clock};
    }
    glm_patches_release(&patches);
    return rows != NULL ? oldest : NULL;
}

/* A conversation made ready. */
struct turn {
    struct glm_ids ids;
    int32_t *positions;
    uint64_t *keys; /* as engine.past */
    struct sight *seen[MAX_PICTURES];
    struct glm_span spans[MAX_PICTURES];
    size_t pictures;
    int32_t next; /* position of the first new token */
};

static bool collect(struct engine *e, const struct glmv_chat_message *messages, size_t count,
                    struct turn *turn, const atomic_bool *cancel, struct glmv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < messages[i].chunk_count; k++) {
            const struct glmv_image *image = messages[i].chunks[k].image;
            if (image == NULL || messages[i].role == GLMV_CHAT_ASSISTANT) {
                continue;
            }
            if (turn->pictures == MAX_PICTURES) {
                return glmv_fail(err, GLMV_ERR_LIMIT, "more than %d pictures in a conversation",
                                 MAX_PICTURES);
            }
            if (cancel != NULL && atomic_load(cancel)) {
                return glmv_fail(err, GLMV_ERR_CANCELLED, "stopped");
            }
            struct sight *s = look(e, image, err);
            if (s == NULL) {
                return false;
            }
            turn->seen[turn->pictures] = s;
            turn->spans[turn->pictures++] = s->span;
        }
    }
    return true;
}

static bool make_turn(struct engine *e, const struct glmv_chat_message *messages, size_t count,
                      const struct glmv_chat_options *options, struct turn *turn,
                      struct glmv_err *err)
{
    struct glm_ids plain = {0};
    const int image = e->model->config.image_token;
    bool ok = collect(e, messages, count, turn, options->cancel, err) &&
              glm_prompt_render(e->tokenizer, e->dialect, messages, count, options, &plain, err) &&
              glm_prompt_expand(&plain, image, turn->spans, turn->pictures, &turn->ids, err);
    glm_ids_release(&plain);
    if (!ok) {
        return false;
    }
    if (turn->ids.len + 1 >= e->decoder.capacity) {
        return glmv_fail(err, GLMV_ERR_LIMIT,
                         "the conversation has %zu tokens, the context holds %zu; send fewer or "
                         "smaller pictures",
                         turn->ids.len, e->decoder.capacity);
    }
    turn->positions = malloc(turn->ids.len * 3 * sizeof *turn->positions);
    turn->keys = malloc(turn->ids.len * sizeof *turn->keys);
    if (turn->positions == NULL || turn->keys == NULL) {
        return glmv_fail_memory(err);
    }
    turn->next = glm_prompt_positions(&turn->ids, image, turn->spans, turn->positions);
    size_t at = 0, left = 0;
    for (size_t i = 0; i < turn->ids.len; i++) {
        bool picture = turn->ids.data[i] == image;
        if (picture && left == 0) {
            left = (size_t)turn->spans[at].rows * (size_t)turn->spans[at].cols;
            at++;
        }
        left -= picture ? 1 : 0;
        turn->keys[i] = picture ? turn->seen[at - 1]->hash : (uint64_t)turn->ids.data[i];
    }
    return true;
}

/* Evaluates the prompt from the first place that differs from what is in memory. */
static bool prefill(struct engine *e, const struct turn *turn, const atomic_bool *cancel,
                    size_t *cached, struct glmv_err *err)
{
    const size_t h = (size_t)e->model->config.text.hidden, len = turn->ids.len;
    size_t same = 0, picture = 0, row = 0;
    while (same + 1 < len && same < e->decoder.len && e->past[same] == turn->keys[same]) {
        same++;
    }
    *cached = same;
    e->decoder.len = same;
    size_t filled = 0, start = same;
    for (size_t i = 0; i < len; i++) {
        const float *from = NULL;
        if (turn->ids.data[i] == e->model->config.image_token) {
            const struct glm_span *span = &turn->spans[picture];
            from = turn->seen[picture]->rows + row * h;
            if (++row == (size_t)span->rows * (size_t)span->cols) {
                row = 0;
                picture++;
            }
        }
        if (i < same) {
            continue;
        }
        if (from != NULL) {
            memcpy(e->input + filled * h, from, h * sizeof *from);
        } else {
            glm_row(&e->model->embed, (size_t)turn->ids.data[i], e->input + filled * h);
        }
        e->past[i] = turn->keys[i];
        if (++filled == GLM_BATCH || i + 1 == len) {
            if (cancel != NULL && atomic_load(cancel)) {
                return glmv_fail(err, GLMV_ERR_CANCELLED, "stopped");
            }
            if (!glm_decoder_step(&e->decoder, e->input, turn->positions + start * 3, filled,
                                  i + 1 == len ? 1 : 0, e->logits, NULL, err)) {
                return false;
            }
            start += filled;
            filled = 0;
        }
    }
    return true;
}

static struct glm_sampler sampler_of(const struct engine *e,
                                     const struct glmv_chat_options *options)
{
    const struct glm_sampling_config *c = &e->model->config.sampling;
    struct glm_sampler s = {
        .temperature = options->temperature >= 0 ? options->temperature : c->temperature,
        .top_p = options->top_p >= 0 ? options->top_p : c->top_p,
        .top_k = options->top_k >= 0 ? options->top_k : c->top_k,
        .repetition_penalty =
            options->repetition_penalty > 0 ? options->repetition_penalty : c->repetition_penalty,
        .random = options->seed >= 0 ? (uint64_t)options->seed : (uint64_t)time(NULL)};
    if (!c->sample && options->temperature < 0) {
        s.temperature = 0;
    }
    return s;
}

static int32_t choose(struct engine *e, struct glm_sampler *sampler, const struct turn *turn,
                      const struct glm_speaker *speaker, const struct glmv_chat_options *options,
                      float *logits)
{
    const size_t vocab = (size_t)e->model->config.text.vocab;
    if (options->think_budget > 0 && speaker->place == GLM_PLACE_THOUGHT &&
        speaker->thoughts >= options->think_budget) {
        return speaker->think_end;
    }
    for (size_t i = 0; i < vocab; i++) {
        if (e->banned[i] || !isfinite(logits[i])) {
            logits[i] = -INFINITY;
        }
    }
    return glm_sample(sampler, logits, vocab, turn->ids.data, turn->ids.len, e->marks);
}

/* What a checked row costs as a part of a step; at first, memory is taken to be the limit. */
static double price_of(const struct engine *e)
{
    double price = e->step_seconds > 0 ? e->row_seconds / e->step_seconds : 0.1;
    return price < 0.01 ? 0.01 : price > 0.9 ? 0.9 : price;
}

/* Keeps an average of what steps cost. It decides how much is guessed, never what is said. */
static void note_cost(struct engine *e, size_t rows, double seconds)
{
    if (rows == 1) {
        e->step_seconds += (seconds - e->step_seconds) * (e->step_seconds > 0 ? 0.2 : 1);
    } else if (e->step_seconds > 0) {
        double row = (seconds - e->step_seconds) / (double)(rows - 1);
        e->row_seconds += ((row > 0 ? row : 0) - e->row_seconds) * 0.2;
    }
}

/* Evaluates the last token together with guesses of what follows; e->logits gets a row for each. */
static bool advance(struct engine *e, int32_t id, int32_t next, bool drafting, int32_t *guess,
                    size_t *guessed, struct glmv_err *err)
{
    const size_t h = (size_t)e->model->config.text.hidden;
    size_t room = e->decoder.capacity - e->decoder.len - 1;
    int32_t places[GLM_BATCH][3];
    room = room < GLM_BATCH - 1 ? room : GLM_BATCH - 1;
    /* the cost of one row has to be known before more are worth anything */
    *guessed =
        drafting && e->step_seconds > 0 ? glm_draft_guess(&e->draft, guess, room, price_of(e)) : 0;
    for (size_t i = 0; i <= *guessed; i++) {
        int32_t token = i == 0 ? id : guess[i - 1];
        places[i][0] = places[i][1] = places[i][2] = next + (int32_t)i;
        glm_row(&e->model->embed, (size_t)token, e->input + i * h);
        e->past[e->decoder.len + i] = (uint64_t)token;
    }
    double started = now();
    bool ok = glm_decoder_step(&e->decoder, e->input, places[0], *guessed + 1, *guessed + 1,
                               e->logits, NULL, err);
    note_cost(e, *guessed + 1, now() - started);
    return ok;
}

/* Takes a token into the answer. done: it was the last one. */
static bool say(struct engine *e, struct turn *turn, int32_t id, size_t prompt,
                struct glm_speaker *speaker, struct glmv_chat_result *result, bool *done,
                struct glmv_err *err)
{
    *done = false;
    if (id < 0) {
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "the model gave no usable numbers; the checkpoint is damaged");
    }
    result->usage.completion_tokens = (int64_t)(turn->ids.len - prompt + 1);
    if (is_end(e, id)) {
        result->finish = GLMV_CHAT_FINISH_STOP;
        *done = true;
        return true;
    }
    if (!glm_speaker_token(speaker, id, err) || !glm_ids_push(&turn->ids, id, err)) {
        return false;
    }
    glm_draft_push(&e->draft, id);
    if (speaker->stopped) {
        result->finish = GLMV_CHAT_FINISH_STOP;
        *done = true;
    } else if (glm_loops(turn->ids.data + prompt, turn->ids.len - prompt)) {
        snprintf(result->warning, sizeof result->warning,
                 "the model repeated itself; its answer was ended there");
        *done = true;
    }
    return true;
}

/*
 * A step evaluates one sure token and some guesses. The token after each is chosen as it would be
 * without guesses, from the same bits and with the same draws; as long as it is the one guessed,
 * the next row is there already. What was guessed wrongly is forgotten; at the end it may stay,
 * since e->past says what stands where.
 */
static bool generate(struct engine *e, struct turn *turn, const struct glmv_chat_options *options,
                     struct glm_speaker *speaker, struct glmv_chat_result *result, double started,
                     struct glmv_err *err)
{
    struct glm_sampler sampler = sampler_of(e, options);
    const size_t prompt = turn->ids.len, vocab = (size_t)e->model->config.text.vocab;
    const size_t most = options->max_tokens > 0 ? (size_t)options->max_tokens : DEFAULT_ANSWER;
    int32_t guess[GLM_BATCH];
    size_t guessed = 0, row = 0;
    result->finish = GLMV_CHAT_FINISH_LENGTH;
    while (turn->ids.len - prompt < most) {
        if (options->cancel != NULL && atomic_load(options->cancel)) {
            return glmv_fail(err, GLMV_ERR_CANCELLED, "stopped");
        }
        int32_t id = choose(e, &sampler, turn, speaker, options, e->logits + row * vocab);
        if (turn->ids.len == prompt) {
            result->first_seconds = now() - started;
        }
        bool done;
        if (!say(e, turn, id, prompt, speaker, result, &done, err)) {
            return false;
        }
        if (done) {
            break;
        }
        turn->next++;
        if (row < guessed && guess[row] == id) {
            row++;
            continue;
        }
        e->decoder.len -= guessed - row;
        row = 0;
        if (e->decoder.len >= e->decoder.capacity) {
            break;
        }
        if (!advance(e, id, turn->next - 1, !options->plain_decoding, guess, &guessed, err)) {
            return false;
        }
        result->steps++;
    }
    return true;
}

static bool engine_complete(void *self, const struct glmv_chat_message *messages, size_t count,
                            const struct glmv_chat_options *options,
                            const struct glmv_chat_watch *watch, struct glmv_chat_result *result,
                            struct glmv_err *err)
{
    struct engine *e = self;
    struct turn turn = {0};
    struct glm_speaker speaker;
    size_t cached = 0;
    double started = now();
    glm_speaker_init(&speaker, e->tokenizer, options, watch, result);
    bool ok = make_turn(e, messages, count, options, &turn, err) &&
              prefill(e, &turn, options->cancel, &cached, err);
    if (ok) {
        result->usage = (struct glmv_chat_usage){(int64_t)turn.ids.len, 0, (int64_t)cached};
        glm_draft_begin(&e->draft, turn.ids.data, turn.ids.len);
        ok = generate(e, &turn, options, &speaker, result, started, err);
        ok = glm_speaker_end(&speaker, err) && ok;
        if (result->call_count > 0 && result->finish == GLMV_CHAT_FINISH_STOP) {
            result->finish = GLMV_CHAT_FINISH_CALLS;
        }
    }
    result->seconds = now() - started;
    glm_speaker_release(&speaker);
    glm_ids_release(&turn.ids);
    free(turn.positions);
    free(turn.keys);
    return ok;
}

static bool engine_ask_about(void *self, struct glmv_chat_about *about, struct glmv_err *err)
{
    const struct engine *e = self;
    about->program = strdup("native engine");
    about->models = calloc(1, sizeof *about->models);
    if (about->program == NULL || about->models == NULL ||
        (about->models[0].name = strdup(e->model->config.name)) == NULL) {
        return glmv_fail_memory(err);
    }
    about->models[0].context = (int64_t)e->decoder.capacity;
    about->model_count = 1;
    return true;
}

static const char *engine_name(const void *self)
{
    return ((const struct engine *)self)->model->config.name;
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
