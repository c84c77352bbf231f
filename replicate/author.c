#include "replicate/author.h"

#include "replicate/crops.h"
#include "replicate/hints.h"
#include "replicate/prompt.h"
#include "replicate/talk.h"

#define MAX_TEXT (1u << 20)
#define MAX_CROPS 3 /* places that are shown beside the facts */

static const char *text_of(const struct glmv_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

/* The start that every conversation has: system, screenshot with its facts. */
static bool write_start(struct replicate_author *author, struct glmv_buf *system,
                        struct glmv_buf *draft, struct glmv_err *err)
{
    glmv_buf_init(system, MAX_TEXT);
    glmv_buf_init(draft, MAX_TEXT);
    return replicate_prompt_write("system", NULL, system, err) &&
           (author->tools == NULL || replicate_prompt_write("tools", NULL, system, err)) &&
           replicate_hints_write(author->scene, author->part, draft, err);
}

bool replicate_author_draft(struct replicate_author *author, struct glmv_buf *answer,
                            struct glmv_err *err)
{
    struct glmv_buf system, draft;
    bool ok = write_start(author, &system, &draft, err);
    if (ok) {
        struct glmv_chat_chunk rules = glmv_chat_text(system.data);
        struct glmv_chat_chunk ask[] = {glmv_chat_image(author->target),
                                        glmv_chat_text(draft.data)};
        struct glmv_chat_message messages[4] = {
            {.role = GLMV_CHAT_SYSTEM, .chunks = &rules, .chunk_count = 1},
            {.role = GLMV_CHAT_USER, .chunks = ask, .chunk_count = 2},
        };
        ok = replicate_talk(author, messages, 2, answer, err);
    }
    glmv_buf_release(&system);
    glmv_buf_release(&draft);
    return ok;
}

static bool covers(struct glmv_box large, struct glmv_box small)
{
    double x = small.x + small.w / 2, y = small.y + small.h / 2;
    return x >= large.x && x < large.x + large.w && y >= large.y && y < large.y + large.h;
}

/* Target beside render at the worst places, each once. Returns how many; -1 without memory. */
static int cut_crops(const struct replicate_author *author,
                     const struct replicate_revision *revision, struct glmv_image **crops,
                     struct glmv_err *err)
{
    struct glmv_box shown[MAX_CROPS];
    int count = 0;
    for (int i = 0; i < revision->fact_count && count < MAX_CROPS; i++) {
        struct glmv_box box = revision->facts[i].box;
        bool seen = false;
        for (int k = 0; k < count; k++) {
            seen = seen || covers(shown[k], box);
        }
        if (seen) {
            continue;
        }
        crops[count] = replicate_crop_pair(author->target, revision->render, box, err);
        if (crops[count] == NULL) {
            return -1;
        }
        shown[count++] = box;
    }
    return count;
}

static bool ask_revision(struct replicate_author *author, const struct replicate_revision *revision,
                         struct glmv_image **crops, int crop_count, const char *round,
                         struct glmv_buf *answer, struct glmv_err *err)
{
    struct glmv_buf system, draft;
    bool ok = write_start(author, &system, &draft, err);
    if (ok) {
        struct glmv_chat_chunk rules = glmv_chat_text(system.data);
        struct glmv_chat_chunk ask[] = {glmv_chat_image(author->target),
                                        glmv_chat_text(draft.data)};
        struct glmv_chat_chunk page = glmv_chat_text(revision->html);
        struct glmv_chat_chunk wrong[MAX_CROPS + 2] = {glmv_chat_image(revision->render)};
        size_t count = 1;
        for (int i = 0; i < crop_count; i++) {
            wrong[count++] = glmv_chat_image(crops[i]);
        }
        wrong[count++] = glmv_chat_text(round);
        struct glmv_chat_message messages[] = {
            {.role = GLMV_CHAT_SYSTEM, .chunks = &rules, .chunk_count = 1},
            {.role = GLMV_CHAT_USER, .chunks = ask, .chunk_count = 2},
            {.role = GLMV_CHAT_ASSISTANT, .chunks = &page, .chunk_count = 1},
            {.role = GLMV_CHAT_USER, .chunks = wrong, .chunk_count = count},
        };
        ok = replicate_talk(author, messages, 4, answer, err);
    }
    glmv_buf_release(&system);
    glmv_buf_release(&draft);
    return ok;
}

bool replicate_author_revise(struct replicate_author *author,
                             const struct replicate_revision *revision, struct glmv_buf *answer,
                             struct glmv_err *err)
{
    struct glmv_buf facts, round;
    struct glmv_image *crops[MAX_CROPS] = {NULL};
    glmv_buf_init(&facts, MAX_TEXT);
    glmv_buf_init(&round, MAX_TEXT);
    int count = cut_crops(author, revision, crops, err);
    bool ok = count >= 0 &&
              replicate_feedback_write(revision->facts, revision->fact_count, author->target->width,
                                       author->target->height, &facts, err);
    if (ok) {
        const struct replicate_fill fills[] = {
            {"facts", text_of(&facts)}, {"tried", revision->tried}, {NULL, NULL}};
        ok =
            replicate_prompt_write(author->blocks ? "round-blocks" : "round", fills, &round, err) &&
            ask_revision(author, revision, crops, count, round.data, answer, err);
    }
    for (int i = 0; i < MAX_CROPS; i++) {
        glmv_image_free(crops[i]);
    }
    glmv_buf_release(&facts);
    glmv_buf_release(&round);
    return ok;
}
