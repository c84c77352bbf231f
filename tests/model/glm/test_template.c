/* What conversations become, token for token, against the published templates' own output, which
 * reference.py writes for a table of conversations. */
#include <cjson/cJSON.h>

#include "base/file.h"
#include "model/glm/prompt.h"
#include "tests/check.h"

#define GOLD "tests/model/glm/golden/"

enum { MESSAGES = 8, PARTS = 8, CALLS = 4, TOOLS = 4 };

/* A conversation as the program holds it. */
struct talk {
    struct glmv_chat_message messages[MESSAGES];
    struct glmv_chat_chunk parts[MESSAGES][PARTS];
    struct glmv_chat_call calls[MESSAGES][CALLS];
    struct glmv_chat_tool tools[TOOLS];
    char *made[64]; /* what has to be freed */
    size_t count, tool_count, made_count;
};

static const struct glmv_image picture = {1, 1, NULL};

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static char *printed(struct talk *talk, const cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);
    CHECK(text != NULL && talk->made_count < sizeof talk->made / sizeof talk->made[0]);
    talk->made[talk->made_count++] = text;
    return text;
}

static void take_message(struct talk *talk, const cJSON *from)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    size_t at = talk->count++;
    struct glmv_chat_message *m = &talk->messages[at];
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(from, "content"), *item;
    CHECK(at < MESSAGES);
    for (int role = 0; role < 4; role++) {
        m->role =
            strcmp(text_of(from, "role"), roles[role]) == 0 ? (enum glmv_chat_role)role : m->role;
    }
    m->chunks = talk->parts[at];
    if (cJSON_IsString(content)) {
        talk->parts[at][m->chunk_count++] = glmv_chat_text(content->valuestring);
    }
    for (item = cJSON_IsArray(content) ? content->child : NULL; item != NULL; item = item->next) {
        bool image = strcmp(text_of(item, "type"), "image") == 0;
        CHECK(m->chunk_count < PARTS);
        talk->parts[at][m->chunk_count++] =
            image ? glmv_chat_image(&picture) : glmv_chat_text(text_of(item, "text"));
    }
    m->calls = talk->calls[at];
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(from, "tool_calls"))
    {
        const cJSON *function = cJSON_GetObjectItemCaseSensitive(item, "function");
        CHECK(m->call_count < CALLS);
        talk->calls[at][m->call_count++] = (struct glmv_chat_call){
            (char *)(uintptr_t) "1", (char *)(uintptr_t)text_of(function, "name"),
            printed(talk, cJSON_GetObjectItemCaseSensitive(function, "arguments"))};
    }
}

static void take_tools(struct talk *talk, const cJSON *tools)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, tools)
    {
        const cJSON *function = cJSON_GetObjectItemCaseSensitive(item, "function");
        CHECK(talk->tool_count < TOOLS);
        talk->tools[talk->tool_count++] = (struct glmv_chat_tool){
            text_of(function, "name"), text_of(function, "description"),
            printed(talk, cJSON_GetObjectItemCaseSensitive(function, "parameters"))};
    }
}

/* The ids back as text, for a failure that can be read. */
static void show(const struct glm_tokenizer *t, const struct glm_ids *ids, const char *what)
{
    printf("%s: ", what);
    for (size_t i = 0; i < ids->len; i++) {
        size_t len;
        const char *bytes = glm_tokenizer_bytes(t, ids->data[i], &len);
        fwrite(bytes, 1, len, stdout);
    }
    printf("\n");
}

static void compare(const struct glm_tokenizer *t, const cJSON *row, int at)
{
    static struct talk talk;
    memset(&talk, 0, sizeof talk);
    const cJSON *message, *think = cJSON_GetObjectItemCaseSensitive(row, "thinking");
    cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(row, "messages"))
    {
        take_message(&talk, message);
    }
    take_tools(&talk, cJSON_GetObjectItemCaseSensitive(row, "tools"));
    struct glmv_chat_options options = glmv_chat_defaults();
    options.thinking = cJSON_IsTrue(think)    ? GLMV_CHAT_THINK_ON
                       : cJSON_IsFalse(think) ? GLMV_CHAT_THINK_OFF
                                              : GLMV_CHAT_THINK_DEFAULT;
    options.tools = talk.tools;
    options.tool_count = talk.tool_count;
    enum glm_dialect dialect =
        strcmp(text_of(row, "model"), "4.6V") == 0 ? GLM_DIALECT_46V : GLM_DIALECT_41V;
    struct glm_ids got = {0}, want = {0};
    const char *text = text_of(row, "want");
    CHECK(glm_prompt_render(t, dialect, talk.messages, talk.count, &options, &got, NULL));
    CHECK(glm_tokenizer_encode(t, text, strlen(text), true, &want, NULL));
    bool same = got.len == want.len && memcmp(got.data, want.data, got.len * sizeof *got.data) == 0;
    CHECK_MSG(same, "conversation %d", at);
    if (!same) {
        show(t, &want, "wanted");
        show(t, &got, "got");
    }
    glm_ids_release(&got);
    glm_ids_release(&want);
    for (size_t i = 0; i < talk.made_count; i++) {
        free(talk.made[i]);
    }
}

int main(void)
{
    struct glm_tokenizer *t = glm_tokenizer_open(GOLD "nano/tokenizer.json", 768, NULL);
    struct glmv_buf text;
    glmv_buf_init(&text, 4 << 20);
    CHECK(t != NULL && glmv_file_read(GOLD "templates.json", text.max, &text, NULL));
    cJSON *rows = cJSON_Parse(text.data), *row;
    int count = 0;
    cJSON_ArrayForEach(row, rows)
    {
        compare(t, row, count++);
    }
    CHECK(count > 100);
    printf("%d conversations\n", count);
    cJSON_Delete(rows);
    glmv_buf_release(&text);
    glm_tokenizer_close(t);
    TEST_END();
}
