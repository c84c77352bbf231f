#include "replicate/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define MAX_PROMPT (1u << 20)

static bool find_text(const char *name, struct glmv_buf *text, struct glmv_err *err)
{
    const char *folder = getenv("GLMV_PROMPTS");
    if (folder != NULL && folder[0] != '\0') {
        char path[4096];
        int len = snprintf(path, sizeof path, "%s/%s.txt", folder, name);
        if (len > 0 && (size_t)len < sizeof path && access(path, F_OK) == 0) {
            return glmv_file_read(path, MAX_PROMPT, text, err);
        }
    }
    for (const struct replicate_prompt *p = replicate_prompts; p->name != NULL; p++) {
        if (strcmp(p->name, name) == 0) {
            return glmv_buf_append_str(text, p->text, err);
        }
    }
    return glmv_fail(err, GLMV_ERR_USAGE, "no prompt '%s'", name);
}

static const char *value_of(const struct replicate_fill *fills, const char *name, size_t len)
{
    for (; fills != NULL && fills->name != NULL; fills++) {
        if (strlen(fills->name) == len && memcmp(fills->name, name, len) == 0) {
            return fills->value;
        }
    }
    return "";
}

bool replicate_prompt_write(const char *name, const struct replicate_fill *fills,
                            struct glmv_buf *out, struct glmv_err *err)
{
    struct glmv_buf text;
    glmv_buf_init(&text, MAX_PROMPT);
    bool ok = find_text(name, &text, err);
    const char *at = text.data != NULL ? text.data : "";
    while (ok && *at != '\0') {
        const char *open = strstr(at, "{{");
        const char *close = open != NULL ? strstr(open, "}}") : NULL;
        if (close == NULL) {
            ok = glmv_buf_append_str(out, at, err);
            break;
        }
        ok = glmv_buf_append(out, at, (size_t)(open - at), err) &&
             glmv_buf_append_str(out, value_of(fills, open + 2, (size_t)(close - open) - 2), err);
        at = close + 2;
    }
    glmv_buf_release(&text);
    return ok;
}
