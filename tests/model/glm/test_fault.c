/* Memory that runs out, at any place: opening a model and asking it something ends in an error that
 * says so, or in an answer; never in a crash or a leak. The linker's wrap option (CMakeLists.txt)
 * lets one allocation of our own objects and of the JSON library fail. */
#include <cjson/cJSON.h>
#include <stdatomic.h>

#include "model/chat.h"
#include "model/glm/glm.h"
#include "tests/check.h"

#define NANO "tests/model/glm/golden/nano"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t len);

static atomic_long asked, failing;

static bool fails(void)
{
    return atomic_fetch_add(&asked, 1) + 1 == atomic_load(&failing);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t len)
{
    return fails() ? NULL : __real_strndup(s, len);
}

/* Allocations of a whole conversation; the one with number at fails (0: none). */
static long converse(const char *name, long at, bool *answered)
{
    struct glmv_err err = {0};
    struct glmv_chat_tool tool = {"look", "Looks.", "{\"type\": \"object\"}"};
    struct glmv_image *image = glmv_image_new(60, 40, NULL);
    struct glmv_chat_chunk parts[] = {glmv_chat_image(image), glmv_chat_text("hello")};
    struct glmv_chat_message message = {GLMV_CHAT_USER, parts, 2, NULL, 0, NULL};
    struct glmv_chat_options options = glmv_chat_defaults();
    struct glmv_chat_result result;
    options.max_tokens = 6;
    options.seed = 3;
    options.tools = &tool;
    options.tool_count = 1;
    atomic_store(&asked, 0);
    atomic_store(&failing, at);
    struct glmv_chat *chat = glmv_chat_open(NANO, name, &err);
    *answered = false;
    if (chat != NULL) {
        *answered = glmv_chat_complete(chat, &message, 1, &options, NULL, &result, &err);
        glmv_chat_result_release(&result);
    }
    CHECK_MSG(*answered || err.message[0] != '\0', "allocation %ld failed without a word", at);
    glmv_chat_close(chat);
    atomic_store(&failing, 0);
    glmv_image_free(image);
    return atomic_load(&asked);
}

static void try_all(const char *name)
{
    enum { TRIES = 160 };
    bool answered;
    long all = converse(name, 0, &answered), refused = 0, tries = 0;
    CHECK(answered && all > 200);
    /* the first ones each, then more and more apart: most are entries of the vocabulary */
    for (long at = 1; at <= all; at += 1 + at / TRIES * 6) {
        converse(name, at, &answered);
        refused += answered ? 0 : 1;
        tries++;
    }
    for (long at = all - TRIES / 2; at <= all; at++) { /* the conversation itself */
        converse(name, at, &answered);
        refused += answered ? 0 : 1;
        tries++;
    }
    printf("%s: %ld of %ld allocations failed, one a run; %ld runs ended in an error\n", name,
           tries, all, refused);
    CHECK(refused > tries / 2);
}

int main(void)
{
    cJSON_Hooks hooks = {__wrap_malloc, free};
    cJSON_InitHooks(&hooks);
    /* no cache: a pack would outlive the test */
    CHECK(setenv("XDG_CACHE_HOME", "/proc/none", 1) == 0 && setenv("HOME", "/proc/none", 1) == 0);
    try_all("bf16");
    try_all("int4");
    TEST_END();
}
