/* The engine on a device, end to end: the driver is the fake one (see CMakeLists.txt), or the real
 * one under the label gpu. */
#include <dlfcn.h>
#include <math.h>

#include "model/chat.h"
#include "model/glm/cuda/cuda.h"
#include "model/glm/engine.h"
#include "tests/check.h"

#define NANO "tests/model/glm/golden/nano"

struct said {
    char text[4096];
    struct glmv_chat_usage usage;
    int64_t steps;
};

/* One question with a picture. */
static struct said ask(struct glmv_chat *chat, const struct glmv_chat_options *given, bool plain)
{
    struct glmv_err err = {0};
    struct glmv_image *image = glmv_image_new(120, 80, NULL);
    memset(image->rgba, 180, (size_t)image->width * (size_t)image->height * 4);
    struct glmv_chat_chunk a[] = {glmv_chat_image(image), glmv_chat_text("make a page")},
                           b[] = {glmv_chat_text("<p>one two three</p>\n<p>four</p>")};
    struct glmv_chat_message m[] = {{GLMV_CHAT_USER, a, 2, NULL, 0, NULL},
                                    {GLMV_CHAT_ASSISTANT, b, 1, NULL, 0, NULL},
                                    {GLMV_CHAT_USER, a + 1, 1, NULL, 0, NULL}};
    struct glmv_chat_options options = *given;
    struct glmv_chat_result r;
    struct said said = {.steps = 0};
    options.plain_decoding = plain;
    bool ok = glmv_chat_complete(chat, m, 3, &options, NULL, &r, &err);
    CHECK_MSG(ok, "%s", err.message);
    snprintf(said.text, sizeof said.text, "%.*s", (int)r.text.len, ok ? r.text.data : "");
    said.usage = r.usage;
    said.steps = r.steps;
    glmv_chat_result_release(&r);
    glmv_image_free(image);
    return said;
}

static struct glmv_chat_options options_of(double temperature, int tokens)
{
    struct glmv_chat_options options = glmv_chat_defaults();
    options.temperature = temperature;
    options.top_k = 20;
    options.top_p = 0.95;
    options.max_tokens = tokens;
    options.seed = 7;
    options.thinking = GLMV_CHAT_THINK_OFF;
    return options;
}

static void test_same_tokens(void)
{
    struct glmv_err err = {0};
    struct glmv_chat *cpu = glmv_chat_open_on(NANO, NULL, "cpu", &err);
    struct glmv_chat *cuda = glmv_chat_open_on(NANO, NULL, "cuda", &err);
    CHECK_MSG(cpu != NULL && cuda != NULL, "%s", err.message);
    struct glmv_chat_options options = options_of(0, 24);
    if (cpu != NULL && cuda != NULL) {
        struct said a = ask(cpu, &options, true), b = ask(cuda, &options, true);
        CHECK_STR(b.text, a.text);
    }
    glmv_chat_close(cpu);
    glmv_chat_close(cuda);
}

int main(void)
{
    test_same_tokens();
    TEST_END();
}
