/* What stands around documents and is no HTML: tokens of roles and boxes, lines of fences. */
#include "htmlfix/markers.h"

#include "htmlfix/chars.h"

static const char *const roles[] = {
    "<|user|>",      "<|assistant|>",   "<|system|>",        "<|observation|>",
    "<|endoftext|>", "<|im_start|>",    "<|im_end|>",        "<|eot_id|>",
    "<|end|>",       "<|end_of_box|>",  "<|begin_of_box|>",  "<|start_header_id|>",
    "<|eom_id|>",    "<|return|>",      "<|end_header_id|>", "<|channel|>",
    "<|message|>",   "<|start|>",       "<|begin_of_text|>", "<|end_of_text|>",
    "<end_of_turn>", "<start_of_turn>", "[/inst]",           "[inst]",
    "</s>\n",
};

size_t htmlfix_role(const char *text, size_t len, size_t at)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (text[at] == roles[i][0] && htmlfix_at(text, len, at, roles[i])) {
            return strlen(roles[i]);
        }
    }
    return 0;
}

size_t htmlfix_run(const char *text, size_t len, size_t at)
{
    size_t end = at;
    while (end < len && text[end] == text[at]) {
        end++;
    }
    return end - at;
}

size_t htmlfix_line_begin(const char *text, size_t at, size_t floor)
{
    while (at > floor && text[at - 1] != '\n' && htmlfix_space(text[at - 1])) {
        at--;
    }
    return at;
}

bool htmlfix_starts_line(const char *text, size_t at, size_t floor)
{
    at = htmlfix_line_begin(text, at, floor);
    return at == floor || text[at - 1] == '\n';
}

bool htmlfix_ends_line(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] != '\n' && htmlfix_space(text[at])) {
        at++;
    }
    return at == len || text[at] == '\n';
}

bool htmlfix_fence_line(const char *text, size_t len, size_t at, size_t floor)
{
    if ((text[at] != '`' && text[at] != '~') || (at > 0 && text[at - 1] == text[at])) {
        return false;
    }
    size_t run = htmlfix_run(text, len, at);
    return run >= 3 && htmlfix_ends_line(text, len, at + run) &&
           htmlfix_starts_line(text, at, floor);
}

bool htmlfix_fence_glued(const char *text, size_t len, size_t at, size_t floor)
{
    if (text[at] != '`' || (at > 0 && text[at - 1] == '`')) {
        return false;
    }
    size_t run = htmlfix_run(text, len, at), after = at + run;
    return run >= 3 && after < len && text[after] >= 'A' && text[after] <= 'Z' &&
           htmlfix_starts_line(text, at, floor);
}
