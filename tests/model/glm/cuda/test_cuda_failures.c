/* What a device can do wrong, with the fake driver (fake.h): each failure ends in one sentence, or,
 * where the device was chosen by "auto", in the processor's answer; nothing is left behind, which
 * the driver looks after. */
#include <dlfcn.h>

#include "model/chat.h"
#include "model/glm/cuda/driver_api.h"
#include "model/glm/glm.h"
#include "tests/check.h"

#define NANO "tests/model/glm/golden/nano"
enum { MESSAGE = 640 };

static char noted[MESSAGE];

static void note(void *arg, const char *sentence)
{
    (void)arg;
    snprintf(noted, sizeof noted, "%s", sentence);
}

static void reset_driver(void)
{
    void (*reset)(void) = NULL;
    void *driver = dlopen("libcuda.so.1", RTLD_NOW);
    CHECK(driver != NULL);
    void *symbol = driver != NULL ? dlsym(driver, "fake_cuda_reset") : NULL;
    memcpy(&reset, &symbol, sizeof reset);
    CHECK_MSG(reset != NULL, "not the fake driver");
    if (reset != NULL) {
        reset();
    }
}

/* Opens and asks. False with the message; text is the answer. */
static bool converse(const char *device, char *text, size_t size, char *message)
{
    struct glmv_err err = {0};
    struct glmv_image *image = glmv_image_new(30, 28, NULL);
    struct glmv_chat_chunk parts[] = {glmv_chat_image(image), glmv_chat_text("hi")};
    struct glmv_chat_message m = {GLMV_CHAT_USER, parts, 2, NULL, 0, NULL};
    struct glmv_chat_options options = glmv_chat_defaults();
    struct glmv_chat_watch watch = {.note = note};
    struct glmv_chat_result r;
    options.temperature = 0;
    options.max_tokens = 5;
    options.thinking = GLMV_CHAT_THINK_OFF;
    noted[0] = text[0] = '\0';
    reset_driver();
    struct glmv_chat *chat = glmv_chat_open_on(NANO, NULL, device, &err);
    bool ok = false;
    if (chat != NULL) {
        if (glmv_chat_note(chat) != NULL) {
            note(NULL, glmv_chat_note(chat));
        }
        ok = glmv_chat_complete(chat, &m, 1, &options, &watch, &r, &err);
        snprintf(text, size, "%.*s", ok ? (int)r.text.len : 0, ok ? r.text.data : "");
        glmv_chat_result_release(&r);
    }
    glmv_chat_close(chat);
    glmv_image_free(image);
    snprintf(message, MESSAGE, "%s", err.message);
    return ok;
}

static char answer[512]; /* the processor's */

/* With a device that was asked for: an error with these words. With auto: the answer, and a note
 * with the same words. */
static void expect(const char *what, const char *words)
{
    char text[512], message[MESSAGE];
    CHECK_MSG(!converse("cuda", text, sizeof text, message), "%s: nothing was noticed", what);
    CHECK_MSG(strstr(message, words) != NULL, "%s: no '%s' in '%s'", what, words, message);
    CHECK_MSG(converse("auto", text, sizeof text, message), "%s: %s", what, message);
    CHECK_MSG(strcmp(text, answer) == 0, "%s: '%s', not '%s'", what, text, answer);
    CHECK_MSG(strstr(noted, words) != NULL && strstr(noted, "runs on the processor") != NULL,
              "%s: no '%s' in the note '%s'", what, words, noted);
}

static void test_sentences(void)
{
    static const struct {
        const char *variable, *value, *words;
    } cases[] = {
        {"FAKE_CUDA_DRIVER", "12040", "it is for CUDA 12.4, and CUDA 13.0 (branch 580) is needed"},
        {"FAKE_CUDA_DEVICES", "0", "sees no device"},
        {"FAKE_CUDA_CAPABILITY", "75", "compute capability 7.5, and 8.0"},
        {"FAKE_CUDA_MEMORY", "6000000", "GB are free"},
        {"FAKE_CUDA_FAIL", "cuInit:1:803", "does not start (803)"},
        {"FAKE_CUDA_FAIL", "cuInit:1:999", "was lost"},
        {"FAKE_CUDA_FAIL", "cuDevicePrimaryCtxRetain:1:46", "another program has it"},
        {"FAKE_CUDA_FAIL", "cuLibraryLoadData:1:209", "-DGLMV_CUDA_ARCHS=90a;"},
        {"FAKE_CUDA_FAIL", "cuLibraryGetKernel:1:209", "-DGLMV_CUDA_ARCHS=90a;"},
        {"FAKE_CUDA_FAIL", "cuKernelGetFunction:2:209", "-DGLMV_CUDA_ARCHS=90a;"},
        {"FAKE_CUDA_FAIL", "cuFuncLoad:3:222", "-DGLMV_CUDA_ARCHS=90a;"},
        {"FAKE_CUDA_FAIL", "cuLibraryLoadData:1:221", "-DGLMV_CUDA_ARCHS=90"},
        {"FAKE_CUDA_FAIL", "cuLibraryLoadData:1:222", "-DGLMV_CUDA_ARCHS=90"},
        {"FAKE_CUDA_FAIL", "cuLibraryLoadData:1:223", "-DGLMV_CUDA_ARCHS=90"},
        {"FAKE_CUDA_FAIL", "cuLibraryGetKernel:3:500", "glm_cuda_"},
        {"FAKE_CUDA_FAIL", "cuMemAlloc_v2:1:2", "no memory left: cannot take"},
        {"FAKE_CUDA_FAIL", "cuMemAlloc_v2:3:2", "for keys and values"},
        {"FAKE_CUDA_FAIL", "cuMemAllocHost_v2:2:2", "cannot pin"},
        {"FAKE_CUDA_FAIL", "cuMemcpyHtoDAsync_v2:30:700", "was lost"},
        {"FAKE_CUDA_FAIL", "cuEventRecord:2:719", "was lost"},
        {"FAKE_CUDA_FAIL", "cuLaunchKernelEx:9:719", "was lost"},
        {"FAKE_CUDA_FAIL", "cuStreamEndCapture:1:901", "record a step"},
        {"FAKE_CUDA_FAIL", "cuGraphInstantiateWithFlags:1:2", "no memory left"},
        {"FAKE_CUDA_FAIL", "cuGraphLaunch:1:719", "was lost"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv(cases[i].variable, cases[i].value, 1);
        expect(cases[i].value, cases[i].words);
        unsetenv(cases[i].variable);
    }
}

/* Any call may fail, in either way. */
static void test_everywhere(void)
{
    static const int codes[] = {2, 719};
    char text[512], message[MESSAGE], plan[64];
    long failed = 0, tries = 0;
    for (size_t c = 0; c < 2; c++) {
        bool reached = true;
        for (long at = 1; reached && at < 100000; at += 1 + at / 5) {
            snprintf(plan, sizeof plan, "any:%ld:%d", at, codes[c]);
            setenv("FAKE_CUDA_FAIL", plan, 1);
            reached = !converse("cuda", text, sizeof text, message);
            CHECK_MSG(!reached || message[0] != '\0', "%s: without a word", plan);
            /* a call of the clean-up, or one that may fail, hides a failure; go on behind it */
            failed += reached ? 1 : 0;
            tries++;
            reached = reached || at < 300;
        }
    }
    unsetenv("FAKE_CUDA_FAIL");
    printf("%ld places tried, %ld ended in an error\n", tries, failed);
    CHECK(failed > 40);
}

/* Memory that runs out at each of the allocations of a conversation, of the device and pinned: an
 * error that says how much was wanted, and with auto the processor's answer. */
static void test_memory(void)
{
    static const char *const calls[] = {"cuMemAlloc_v2", "cuMemAllocHost_v2"};
    char text[512], message[MESSAGE], plan[64];
    int places = 0;
    for (size_t c = 0; c < 2; c++) {
        for (int at = 1, fine = 0; fine < 2 && at < 100; at++) {
            snprintf(plan, sizeof plan, "%s:%d:2", calls[c], at);
            setenv("FAKE_CUDA_FAIL", plan, 1);
            if (converse("cuda", text, sizeof text, message)) {
                fine++; /* rows of a picture go to the host; or there is no such call any more */
                continue;
            }
            fine = 0;
            places++;
            expect(plan, c == 0 ? "no memory left: cannot" : "cannot pin");
        }
    }
    unsetenv("FAKE_CUDA_FAIL");
    printf("memory ran out at %d places\n", places);
    CHECK(places >= 6);
}

/* Every function of the driver fails once, by itself and for good. */
static void test_each_function(void)
{
#define NAME(field, symbol, parameters) symbol,
    static const char *const all[] = {GLM_CU_FUNCTIONS(NAME)};
#undef NAME
    static const int codes[] = {1, 719};
    char text[512], message[MESSAGE], plan[96];
    size_t ended = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (size_t c = 0; c < 2; c++) {
            snprintf(plan, sizeof plan, "%s:%d:%d", all[i], 1, codes[c]);
            setenv("FAKE_CUDA_FAIL", plan, 1);
            bool ok = converse("cuda", text, sizeof text, message);
            CHECK_MSG(ok || message[0] != '\0', "%s: without a word", plan);
            CHECK_MSG(converse("auto", text, sizeof text, message), "%s: %s", plan, message);
            CHECK_MSG(ok || strstr(noted, "runs on the processor") != NULL, "%s: '%s'", plan,
                      noted);
            ended += ok ? 0 : 1;
        }
    }
    unsetenv("FAKE_CUDA_FAIL");
    printf("%zu functions, %zu failures ended in an error\n", sizeof all / sizeof all[0], ended);
    CHECK(ended > 40);
}

int main(void)
{
    char message[MESSAGE], text[512];
    setenv("XDG_CACHE_HOME", "/proc/none", 1);
    CHECK_MSG(converse("cpu", answer, sizeof answer, message), "%s", message);
    setenv("FAKE_CUDA_HOLLOW", "1", 1);
    CHECK_MSG(converse("auto", text, sizeof text, message), "%s", message);
    CHECK_STR(noted, "");
    test_sentences();
    test_memory();
    test_each_function();
    test_everywhere();
    TEST_END();
}
