/* The client against a scripted server over real HTTP: every dialect and every fault. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/image.h"
#include "model/chat.h"
#include "tests/check.h"
#include "tests/model/server/scripted.h"

static struct scripted server;

struct seen {
    char text[256], reasoning[256];
    int notes;
};

static void on_text(void *arg, const char *text, size_t len)
{
    struct seen *seen = arg;
    size_t room = sizeof seen->text - 1 - strlen(seen->text);
    strncat(seen->text, text, len < room ? len : room);
}

static void on_reasoning(void *arg, const char *text, size_t len)
{
    struct seen *seen = arg;
    size_t room = sizeof seen->reasoning - 1 - strlen(seen->reasoning);
    strncat(seen->reasoning, text, len < room ? len : room);
}

static void on_note(void *arg, const char *sentence)
{
    (void)sentence;
    ((struct seen *)arg)->notes++;
}

/* One question to one scenario. */
static bool ask(const char *scenario, const char *model, struct glmv_chat_options *options,
                struct seen *seen, struct glmv_chat_result *result, struct glmv_err *err)
{
    memset(result, 0, sizeof *result);
    struct glmv_chat *chat = glmv_chat_open(scripted_url(&server, scenario), model, err);
    if (chat == NULL) {
        return false;
    }
    struct glmv_chat_chunk chunk = glmv_chat_text("Say \"hello\"\n\xff\x01");
    struct glmv_chat_message message = {.role = GLMV_CHAT_USER, .chunks = &chunk, .chunk_count = 1};
    struct glmv_chat_options defaults = glmv_chat_defaults();
    memset(seen, 0, sizeof *seen);
    struct glmv_chat_watch watch = {on_text, on_reasoning, on_note, seen};
    bool ok = glmv_chat_complete(chat, &message, 1, options != NULL ? options : &defaults, &watch,
                                 result, err);
    glmv_chat_close(chat);
    return ok;
}

static void check_answer(const char *scenario, const char *text, const char *reasoning)
{
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    bool ok = ask(scenario, "m", NULL, &seen, &result, &err);
    CHECK_MSG(ok, "%s: %s\n", scenario, err.message);
    CHECK_STR(result.text.data, text);
    CHECK_STR(seen.text, text);
    CHECK_STR(result.reasoning.len > 0 ? result.reasoning.data : "", reasoning);
    CHECK_MSG(result.finish == GLMV_CHAT_FINISH_STOP, "%s ends with %d\n", scenario, result.finish);
    glmv_chat_result_release(&result);
}

#define FIRST_S "4"

/* The failure names the fault; partial is what had arrived. */
static void check_failure(const char *scenario, enum glmv_err_code code, const char *words,
                          const char *partial)
{
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    bool ok = ask(scenario, "m", NULL, &seen, &result, &err);
    CHECK_MSG(!ok, "%s should fail\n", scenario);
    CHECK_MSG(err.code == code, "%s: code %d: %s\n", scenario, err.code, err.message);
    CHECK_MSG(strstr(err.message, words) != NULL, "%s says: %s\n", scenario, err.message);
    CHECK_MSG(strchr(err.message, '\n') == NULL, "%s: one line\n", scenario);
    CHECK_STR(result.text.len > 0 ? result.text.data : "", partial);
    glmv_chat_result_release(&result);
}

/* Reads what a scenario's server saw, through the client's own protocol-free path: a plain socket
 * would do the same, curl is not needed. */
static char *server_log(const char *scenario)
{
    static char log[65536];
    char command[256];
    snprintf(command, sizeof command,
             "python3 -c 'import urllib.request as u; "
             "print(u.urlopen(\"http://127.0.0.1:%d/log/%s\").read().decode())'",
             server.port, scenario);
    FILE *pipe = popen(command, "r");
    size_t len = pipe != NULL ? fread(log, 1, sizeof log - 1, pipe) : 0;
    log[len] = '\0';
    if (pipe != NULL) {
        pclose(pipe);
    }
    return log;
}

static void test_dialects(void)
{
    const char *hello = "Hello, world: \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80!";
    check_answer("plain", hello, "");
    check_answer("reasoning-content", "Answer", "I think");
    check_answer("reasoning", "Answer", "I think");
    check_answer("reasoning-both", "Answer", "I think");
    check_answer("think-tags", "Answer", "I <b>think</b>");
    check_answer("framing", "Hello", "");
    check_answer("split",
                 "a\xe4\xbd\xa0"
                 "b\xef\xbf\xbd\xf0\x9f\x98\x80",
                 "");
    check_answer("no-done", "Done", "");
    check_answer("no-stream", "Whole", "thought");
    check_answer("no-type", "Typeless", "");
}

/* The opening tag was part of the prompt: told apart at the end only. */
static void test_lone_close(void)
{
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    CHECK(ask("think-close", "m", NULL, &seen, &result, &err));
    CHECK_STR(result.text.data, "Answer");
    CHECK_STR(result.reasoning.data, "I think");
    glmv_chat_result_release(&result);
}

static void test_usage_and_calls(void)
{
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    CHECK(ask("plain", NULL, NULL, &seen, &result, &err));
    CHECK(result.usage.prompt_tokens == 321 && result.usage.completion_tokens == 7);
    CHECK(result.usage.cached_tokens == 300);
    CHECK(result.first_seconds > 0 && result.seconds >= result.first_seconds);
    glmv_chat_result_release(&result);
    CHECK(ask("calls", "m", NULL, &seen, &result, &err));
    CHECK(result.finish == GLMV_CHAT_FINISH_CALLS && result.call_count == 2);
    CHECK_STR(result.calls[0].name, "crop");
    CHECK_STR(result.calls[0].id, "call_1");
    CHECK_STR(result.calls[0].arguments, "{\"box\":[1,2,3,4]}");
    CHECK_STR(result.calls[1].name, "compare");
    glmv_chat_result_release(&result);
}

static void test_retries(void)
{
    static const char *const passing[] = {"busy", "flaky", "error-first"};
    for (int i = 0; i < 3; i++) {
        struct glmv_err err = {0};
        struct seen seen;
        struct glmv_chat_result result;
        CHECK_MSG(ask(passing[i], "m", NULL, &seen, &result, &err), "%s: %s\n", passing[i],
                  err.message);
        CHECK(strncmp(seen.text, "Hello", 5) == 0);
        CHECK(seen.notes == (i < 2 ? 2 : 1));
        glmv_chat_result_release(&result);
    }
    check_failure("down", GLMV_ERR_MODEL, "4 tries", "");
    check_failure("busy-long", GLMV_ERR_MODEL, "asks to wait 7200 s", "");
    check_failure("credit", GLMV_ERR_MODEL, "no credit", "");
}

static void test_faults(void)
{
    check_failure("wrong-key", GLMV_ERR_MODEL, "does not accept this key", "");
    check_failure("error-late", GLMV_ERR_MODEL, "KV cache exhausted", "Half an ans");
    check_failure("silent-start", GLMV_ERR_MODEL, "GLMV_SERVER_FIRST_S", "");
    check_failure("silent", GLMV_ERR_MODEL, "fell silent", "Half");
    check_failure("garbage", GLMV_ERR_MODEL, "not JSON", "");
    check_failure("html", GLMV_ERR_MODEL, "not JSON", "");
    check_failure("empty", GLMV_ERR_MODEL, "empty answer", "");
    check_failure("only-thoughts", GLMV_ERR_MODEL, "thinking", "");
    check_failure("no-vision", GLMV_ERR_MODEL, "cannot see pictures", "");
    check_failure("blind", GLMV_ERR_MODEL, "cannot see pictures", "");
    CHECK(strstr(server_log("blind"), "}, {\"body\"") == NULL); /* not tried again */
    check_failure("context", GLMV_ERR_MODEL, "context", "");
    check_failure("not-found", GLMV_ERR_MODEL, "glmv-replicate models", "");
    check_failure("elsewhere", GLMV_ERR_MODEL, "sends elsewhere", "");
    setenv("GLMV_SERVER_FIRST_S", "120", 1); /* so much takes a busy machine a while */
    check_failure("endless-comments", GLMV_ERR_MODEL, "more than 256 MiB", "");
    check_failure("huge-event", GLMV_ERR_MODEL, "limit", "");
    setenv("GLMV_SERVER_FIRST_S", FIRST_S, 1);
}

static void test_huge_answer_keeps_its_start(void)
{
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    CHECK(!ask("huge", "m", NULL, &seen, &result, &err));
    CHECK(err.code == GLMV_ERR_MODEL && strstr(err.message, "longer than") != NULL);
    CHECK(result.text.len > GLMV_CHAT_MAX_ANSWER - 60001);
    CHECK(result.text.len <= GLMV_CHAT_MAX_ANSWER);
    glmv_chat_result_release(&result);
}

static void test_half_an_answer_is_told(void)
{
    static const char *const halves[] = {"half", "half-clean"};
    for (int i = 0; i < 2; i++) {
        struct glmv_err err = {0};
        struct seen seen;
        struct glmv_chat_result result;
        CHECK_MSG(ask(halves[i], "m", NULL, &seen, &result, &err), "%s\n", err.message);
        CHECK(result.finish == GLMV_CHAT_FINISH_UNKNOWN);
        CHECK_STR(result.text.data, "Half an ans");
        CHECK(strstr(result.warning, "before the answer was finished") != NULL);
        glmv_chat_result_release(&result);
    }
}

static void test_no_server(void)
{
    struct glmv_err err = {0};
    struct glmv_chat *chat = glmv_chat_open("http://127.0.0.1:1/v1", "m", &err);
    struct glmv_chat_options options = glmv_chat_defaults();
    struct glmv_chat_chunk chunk = glmv_chat_text("x");
    struct glmv_chat_message message = {.role = GLMV_CHAT_USER, .chunks = &chunk, .chunk_count = 1};
    struct glmv_chat_result result;
    CHECK(!glmv_chat_complete(chat, &message, 1, &options, NULL, &result, &err));
    CHECK(err.code == GLMV_ERR_MODEL && strstr(err.message, "is the server running") != NULL);
    glmv_chat_result_release(&result);
    glmv_chat_close(chat);
    glmv_err_clear(&err);
    CHECK(glmv_chat_open("http://me:secret@h/v1", "m", &err) == NULL);
    CHECK(strstr(err.message, "secret") == NULL);
}

static void test_refused_fields_are_left_out(void)
{
    struct glmv_chat_options options = glmv_chat_defaults();
    options.temperature = 0;
    options.top_k = 2;
    options.repetition_penalty = 1.1;
    options.max_tokens = 100;
    options.thinking = GLMV_CHAT_THINK_OFF;
    options.think_budget = 64;
    options.stop[0] = "</html>";
    options.stop[1] = "\n\n";
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    CHECK_MSG(ask("strict", "m", &options, &seen, &result, &err), "%s\n", err.message);
    CHECK(strstr(result.warning, "left out") != NULL);
    glmv_chat_result_release(&result);
    const char *log = server_log("strict");
    CHECK(strstr(log, "\"enable_thinking\": false") != NULL);
    CHECK(strstr(log, "\"thinking_token_budget\": 64") != NULL);
    CHECK(strstr(log, "\"max_completion_tokens\": 100") != NULL);
    CHECK(strstr(log, "\"temperature\": 0.0") != NULL);
    CHECK(strstr(log, "\"stop\": [\"</html>\", \"\\n\\n\"]") != NULL);
    CHECK(strstr(log, "Say \\\"hello\\\"\\n\\ufffd\\u0001") != NULL);
    CHECK(ask("ollama", "glm", &options, &seen, &result, &err));
    glmv_chat_result_release(&result);
    CHECK(strstr(server_log("ollama"), "\"reasoning_effort\": \"none\"") != NULL);
}

static bool ask_picture(const char *scenario, const char *model, int width, int height,
                        struct glmv_chat_result *result, struct glmv_err *err)
{
    struct glmv_chat *chat = glmv_chat_open(scripted_url(&server, scenario), model, err);
    struct glmv_image *image = glmv_image_new(width, height, err);
    glmv_image_flatten(image, 0x336699);
    struct glmv_chat_chunk chunks[] = {glmv_chat_text("First"), glmv_chat_image(image),
                                       glmv_chat_text("then")};
    struct glmv_chat_message message = {.role = GLMV_CHAT_USER, .chunks = chunks, .chunk_count = 3};
    struct glmv_chat_options options = glmv_chat_defaults();
    bool ok = glmv_chat_complete(chat, &message, 1, &options, NULL, result, err);
    glmv_image_free(image);
    glmv_chat_close(chat);
    return ok;
}

static void test_pictures(void)
{
    struct glmv_err err = {0};
    struct glmv_chat_result result;
    CHECK_MSG(ask_picture("picture", "x", 560, 280, &result, &err), "%s\n", err.message);
    CHECK_STR(result.warning, ""); /* 200 tokens at least, 321 counted */
    glmv_chat_result_release(&result);
    const char *log = server_log("picture");
    CHECK(strstr(log, "560x280") != NULL);
    CHECK(strstr(log, "First") < strstr(log, "560x280") &&
          strstr(log, "560x280") < strstr(log, "then"));
    CHECK(ask_picture("picture", "glm-4.6v", 1920, 1080, &result, &err));
    CHECK(strstr(result.warning, "shrunk") != NULL); /* about 2,691 tokens, 321 counted */
    glmv_chat_result_release(&result);
    CHECK_MSG(ask_picture("encoder", "glm-4.6v", 1920, 1080, &result, &err), "%s\n", err.message);
    CHECK(strstr(result.warning, "went out smaller") != NULL);
    glmv_chat_result_release(&result);
    CHECK(strstr(server_log("encoder"), "\"pictures\": [[1920, 1080]]") != NULL);
}

/* A call and its answer with a picture; returns what the server saw. */
static const char *tool_talk(const char *scenario)
{
    struct glmv_err err = {0};
    struct glmv_chat *chat = glmv_chat_open(scripted_url(&server, scenario), "m", &err);
    struct glmv_image *image = glmv_image_new(30, 20, &err);
    char id[] = "call_1", name[] = "crop", arguments[] = "{\"box\":[1]}";
    struct glmv_chat_call call = {id, name, arguments};
    struct glmv_chat_chunk question = glmv_chat_text("Look");
    struct glmv_chat_chunk answer[] = {glmv_chat_text("30 x 20 px"), glmv_chat_image(image)};
    struct glmv_chat_message messages[] = {
        {.role = GLMV_CHAT_USER, .chunks = &question, .chunk_count = 1},
        {.role = GLMV_CHAT_ASSISTANT, .calls = &call, .call_count = 1},
        {.role = GLMV_CHAT_TOOL, .chunks = answer, .chunk_count = 2, .call_id = id},
    };
    struct glmv_chat_tool tool = {"crop", "cuts", "{\"type\":\"object\"}"};
    struct glmv_chat_options options = glmv_chat_defaults();
    options.tools = &tool;
    options.tool_count = 1;
    struct glmv_chat_result result;
    CHECK_MSG(glmv_chat_complete(chat, messages, 3, &options, NULL, &result, &err), "%s\n",
              err.message);
    glmv_chat_result_release(&result);
    glmv_image_free(image);
    glmv_chat_close(chat);
    return server_log(scenario);
}

static void test_tool_pictures(void)
{
    /* Where they are taken: in the answer itself. */
    const char *log = tool_talk("toolimage");
    const char *tool_turn = strstr(log, "\"role\": \"tool\"");
    CHECK(strstr(log, "\"arguments\": \"{\\\"box\\\":[1]}\"") != NULL);
    CHECK(tool_turn != NULL && strstr(tool_turn, "\"role\": \"user\"") == NULL);
    CHECK(tool_turn != NULL && strstr(tool_turn, "30x20") != NULL);
    CHECK(strstr(log, "\"tool_call_id\": \"call_1\"") != NULL);
    /* Where they are refused: once more, as a message of the user behind the answer. */
    log = tool_talk("tool-text");
    const char *refused = strstr(log, "\"role\": \"tool\"");
    CHECK(refused != NULL);
    tool_turn = refused != NULL ? strstr(refused + 1, "\"role\": \"tool\"") : NULL;
    CHECK(tool_turn != NULL && strstr(tool_turn, "\"content\": \"30 x 20 px\"") != NULL);
    const char *user = tool_turn != NULL ? strstr(tool_turn, "\"role\": \"user\"") : NULL;
    CHECK(user != NULL && strstr(user, "30x20") != NULL);
    /* Where that is known beforehand: at once. */
    log = tool_talk("llama");
    tool_turn = strstr(log, "\"role\": \"tool\"");
    CHECK(tool_turn != NULL && strstr(tool_turn, "\"role\": \"user\"") != NULL &&
          strstr(tool_turn + 1, "\"role\": \"tool\"") == NULL);
}

/* The key goes out, is cut from its line end, and never into a message. */
static void test_key(void)
{
    setenv("GLMV_API_KEY", "sk-scripted-secret \n", 1);
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    CHECK(!ask("wrong-key", "m", NULL, &seen, &result, &err));
    CHECK_MSG(strstr(err.message, "secret") == NULL, "%s\n", err.message);
    CHECK(strstr(err.message, "Incorrect API key provided: ****") != NULL);
    glmv_chat_result_release(&result);
    CHECK(strstr(server_log("wrong-key"), "Bearer sk-scripted-secret\"") != NULL);
    setenv("GLMV_API_KEY", "two\nlines", 1);
    glmv_err_clear(&err);
    CHECK(glmv_chat_open("http://h/v1", "m", &err) == NULL && strstr(err.message, "two") == NULL);
    unsetenv("GLMV_API_KEY");
}

static void test_models(void)
{
    static const struct {
        const char *scenario, *program, *model;
        int64_t context;
    } cases[] = {{"vllm", "vLLM", "glm-4.6v-flash", 65536},
                 {"llama", "llama-server", "m.gguf", 8192},
                 {"ollama", "Ollama", "glm", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct glmv_err err = {0};
        struct glmv_chat_about about;
        struct glmv_chat *chat =
            glmv_chat_open(scripted_url(&server, cases[i].scenario), NULL, &err);
        CHECK(glmv_chat_ask_about(chat, &about, &err));
        CHECK_STR(about.program, cases[i].program);
        CHECK(about.model_count == 1 && about.models[0].context == cases[i].context);
        CHECK_STR(about.models[0].name, cases[i].model);
        glmv_chat_about_release(&about);
        glmv_chat_close(chat);
    }
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    CHECK(!ask("two", NULL, NULL, &seen, &result, &err) && strstr(err.message, "2 models") != NULL);
    glmv_chat_result_release(&result);
    glmv_err_clear(&err);
    CHECK(!ask("garbage-list", NULL, NULL, &seen, &result, &err));
    CHECK(strstr(err.message, "is not a list of models") != NULL);
    glmv_chat_result_release(&result);
}

static void *cancel_soon(void *arg)
{
    nanosleep(&(struct timespec){.tv_nsec = 400000000}, NULL);
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static void test_cancel(void)
{
    atomic_bool cancel = false;
    struct glmv_chat_options options = glmv_chat_defaults();
    options.cancel = &cancel;
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_soon, &cancel);
    struct glmv_err err = {0};
    struct seen seen;
    struct glmv_chat_result result;
    CHECK(!ask("slow", "m", &options, &seen, &result, &err));
    pthread_join(thread, NULL);
    CHECK(err.code == GLMV_ERR_CANCELLED);
    CHECK(result.text.len > 0 && result.text.len < 50 * 5);
    CHECK(strncmp(result.text.data, "tick tick", 4) == 0);
    glmv_chat_result_release(&result);
    glmv_err_clear(&err);
    CHECK(!ask("silent-start", "m", &options, &seen, &result, &err));
    CHECK(err.code == GLMV_ERR_CANCELLED);
    glmv_chat_result_release(&result);
}

int main(void)
{
    unsetenv("GLMV_API_KEY");
    unsetenv("GLMV_API_KEY_FILE");
    setenv("no_proxy", "127.0.0.1", 1);
    setenv("GLMV_SERVER_FIRST_S", FIRST_S, 1);
    setenv("GLMV_SERVER_IDLE_S", "1.5", 1);
    if (scripted_start(&server, ".") != 0) {
        SKIP("no python3");
    }
    test_dialects();
    test_lone_close();
    test_usage_and_calls();
    test_retries();
    test_half_an_answer_is_told();
    test_no_server();
    test_refused_fields_are_left_out();
    test_pictures();
    test_tool_pictures();
    test_models();
    test_cancel();
    test_huge_answer_keeps_its_start();
    setenv("GLMV_API_KEY", "sk-any-key-at-all", 1);
    test_faults();
    test_key();
    scripted_stop(&server);
    TEST_END();
}
