#include "replicate/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/prompt.h"
#include "replicate/tools.h"

#define MAX_TEXT (1u << 20)
#define CONTINUATIONS 3
#define MAX_STEPS (REPLICATE_MAX_CALLS + 2) /* answers of one talk that may hold calls */

/* An answer with calls and what they gave, kept until the talk is over: the messages borrow it. */
struct step {
    struct glmv_chat_result result;
    struct replicate_tool_answer answers[GLMV_CHAT_MAX_CALLS];
    struct glmv_chat_chunk chunks[GLMV_CHAT_MAX_CALLS][2];
    struct glmv_chat_chunk said;
    size_t answer_count;
};

struct talk {
    struct replicate_author *author;
    struct glmv_chat_options options;
    struct glmv_chat_message *messages; /* room for everything that can come */
    size_t count;
    struct step *steps;
    size_t step_count;
};

static const char *text_of(const struct glmv_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

/* Appends a continuation without the words that it repeats from the end of what is there. */
static bool join(struct glmv_buf *answer, const char *more, size_t len, struct glmv_err *err)
{
    size_t most = answer->len < len ? answer->len : len;
    most = most < 400 ? most : 400;
    for (size_t same = most; same >= 12; same--) {
        if (memcmp(answer->data + answer->len - same, more, same) == 0) {
            return glmv_buf_append(answer, more + same, len - same, err);
        }
    }
    return glmv_buf_append(answer, more, len, err);
}

static bool complete(struct talk *talk, const struct glmv_chat_message *messages, size_t count,
                     struct glmv_chat_result *result, struct glmv_err *err)
{
    struct replicate_author *author = talk->author;
    bool ok = glmv_chat_complete(author->chat, messages, count, &talk->options, &author->watch,
                                 result, err);
    author->tokens += result->usage.prompt_tokens > 0 ? result->usage.prompt_tokens : 0;
    author->tokens += result->usage.completion_tokens > 0 ? result->usage.completion_tokens : 0;
    if (result->warning[0] != '\0') {
        snprintf(author->warning, sizeof author->warning, "%s", result->warning);
    }
    return ok;
}

/* Carries out the calls of the last step and adds them and their answers to the conversation. */
static bool answer_calls(struct talk *talk, struct step *step, struct glmv_err *err)
{
    struct glmv_chat_result *result = &step->result;
    step->said = glmv_chat_text(text_of(&result->text));
    talk->messages[talk->count++] = (struct glmv_chat_message){.role = GLMV_CHAT_ASSISTANT,
                                                               .chunks = &step->said,
                                                               .chunk_count = 1,
                                                               .calls = result->calls,
                                                               .call_count = result->call_count};
    for (size_t i = 0; i < result->call_count; i++) {
        struct replicate_tool_answer *answer = &step->answers[i];
        step->answer_count++;
        if (!replicate_tools_call(talk->author->tools, &result->calls[i], answer, err)) {
            return false;
        }
        step->chunks[i][0] = glmv_chat_text(text_of(&answer->text));
        step->chunks[i][1] = glmv_chat_image(answer->image);
        talk->messages[talk->count++] =
            (struct glmv_chat_message){.role = GLMV_CHAT_TOOL,
                                       .chunks = step->chunks[i],
                                       .chunk_count = answer->image != NULL ? 2 : 1,
                                       .call_id = result->calls[i].id};
    }
    if (talk->author->tools->calls >= REPLICATE_MAX_CALLS) {
        talk->options.tool_count = 0; /* what comes now is the answer */
    }
    return true;
}

/* Answers calls until there is an answer without any. result is the caller's to release. */
static bool settle(struct talk *talk, struct glmv_chat_result *result, struct glmv_err *err)
{
    for (;;) {
        bool ok = complete(talk, talk->messages, talk->count, result, err);
        bool calls = ok && result->call_count > 0 && talk->options.tool_count > 0;
        if (!calls || talk->step_count == MAX_STEPS) {
            return ok;
        }
        struct step *step = &talk->steps[talk->step_count++];
        step->result = *result;
        memset(result, 0, sizeof *result);
        if (!answer_calls(talk, step, err)) {
            return false;
        }
    }
}

/* Asks an answer that was cut off to go on. */
static bool go_on(struct talk *talk, const char *so_far, struct glmv_chat_result *result,
                  struct glmv_err *err)
{
    struct glmv_buf ask;
    glmv_buf_init(&ask, MAX_TEXT);
    memset(result, 0, sizeof *result);
    bool ok = replicate_prompt_write("continue", NULL, &ask, err);
    if (ok) {
        struct glmv_chat_chunk said = glmv_chat_text(so_far), more = glmv_chat_text(ask.data);
        talk->messages[talk->count] = (struct glmv_chat_message){
            .role = GLMV_CHAT_ASSISTANT, .chunks = &said, .chunk_count = 1};
        talk->messages[talk->count + 1] =
            (struct glmv_chat_message){.role = GLMV_CHAT_USER, .chunks = &more, .chunk_count = 1};
        ok = complete(talk, talk->messages, talk->count + 2, result, err);
    }
    glmv_buf_release(&ask);
    return ok;
}

static bool run(struct talk *talk, struct glmv_buf *answer, struct glmv_err *err)
{
    size_t start = answer->len;
    bool ok = true, more = true;
    for (int part = 0; ok && more && part <= CONTINUATIONS; part++) {
        struct glmv_chat_result result = {0};
        ok = part == 0 ? settle(talk, &result, err)
                       : go_on(talk, answer->data + start, &result, err);
        ok = ok && join(answer, text_of(&result.text), result.text.len, err);
        bool cut =
            result.finish == GLMV_CHAT_FINISH_LENGTH || result.finish == GLMV_CHAT_FINISH_UNKNOWN;
        more = ok && cut && answer->len > start && strstr(answer->data + start, "</html>") == NULL;
        glmv_chat_result_release(&result);
    }
    return ok;
}

bool replicate_talk(struct replicate_author *author, const struct glmv_chat_message *messages,
                    size_t count, struct glmv_buf *answer, struct glmv_err *err)
{
    struct talk talk = {.author = author, .options = author->options};
    size_t room = count + MAX_STEPS * (GLMV_CHAT_MAX_CALLS + 1) + 2;
    talk.messages = calloc(room, sizeof *talk.messages);
    talk.steps = calloc(MAX_STEPS, sizeof *talk.steps);
    bool ok = (talk.messages != NULL && talk.steps != NULL) || glmv_fail_memory(err);
    if (ok) {
        memcpy(talk.messages, messages, count * sizeof *messages);
        talk.count = count;
        if (author->tools != NULL) {
            replicate_tools_reset(author->tools);
            talk.options.tools = replicate_tool_list;
            talk.options.tool_count = replicate_tool_count;
        }
        ok = run(&talk, answer, err);
    }
    for (size_t i = 0; i < talk.step_count; i++) {
        struct step *step = &talk.steps[i];
        for (size_t j = 0; j < step->answer_count; j++) {
            replicate_tool_answer_release(&step->answers[j]);
        }
        glmv_chat_result_release(&step->result);
    }
    free(talk.messages);
    free(talk.steps);
    return ok;
}
