/* glmv-replicate fix: the page in what a model said. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "htmlfix/htmlfix.h"
#include "replicate/command.h"

#define ANSWER_MAX ((size_t)64 << 20)

static const char usage[] =
    "Usage: glmv-replicate fix [FILE|-] [-o OUT] [--json]\n"
    "Makes one valid page out of what a model said: takes it out of thinking, prose, fences, JSON\n"
    "and escapes, closes what was cut off and repairs what a browser would build otherwise than\n"
    "it was meant. A page that is fine comes out byte for byte.\n\n"
    "  -o FILE   the page; standard output\n"
    "  --json    what was found, as JSON on standard output (then -o is needed for the page):\n"
    "            {\"page\": true, \"start\": 8, \"end\": 950, \"flags\": [\"around\"], \"notes\": "
    "[\n"
    "            {\"flag\": \"around\", \"start\": 8, \"end\": 950, \"sentence\": \"...\"}]}\n"
    "            start and end are bytes of the answer; no flags: the page was fine\n"
    "\nFlags: around thinking duplicate truncated no_html unclosed_think no_answer unescaped\n"
    "envelope fragment inlined elided loop unclosed jsx quotes base64 bytes\n"
    "\nExit codes: 0 a page, 2 usage, 3 no page in it (the text goes to standard error)\n";

static void print_json(const struct glmv_fix *fix, bool page)
{
    const char *gap = "";
    printf("{\"page\": %s, \"start\": %zu, \"end\": %zu, \"flags\": [", page ? "true" : "false",
           fix->start, fix->end);
    for (unsigned i = 0; i < GLMV_FIX_FLAGS; i++) {
        if (fix->flags & 1u << i) {
            printf("%s\"%s\"", gap, glmv_fix_name((enum glmv_fix_flag)(1u << i)));
            gap = ", ";
        }
    }
    fputs("], \"notes\": [", stdout);
    gap = "";
    for (size_t i = 0; i < fix->note_count; i++) {
        const struct glmv_fix_note *note = &fix->notes[i];
        printf("%s\n  {\"flag\": \"%s\", \"start\": %zu, \"end\": %zu, \"sentence\": \"%s\"}", gap,
               glmv_fix_name(note->flag), note->begin, note->end, note->sentence);
        gap = ",";
    }
    puts("]}");
}

static int fix(const char *input, const char *output, bool json)
{
    struct glmv_err err = {0};
    struct glmv_fix found = {0};
    struct glmv_buf text;
    struct glmv_buf page;
    glmv_buf_init(&text, ANSWER_MAX + 65536);
    glmv_buf_init(&page, 4 * ANSWER_MAX); /* end tags, and bytes that are no UTF-8 */
    int code = REPLICATE_DONE;
    bool read = glmv_file_read(input, ANSWER_MAX, &text, &err);
    bool ok = read && glmv_html_fix(text.data, text.len, &page, &found, &err);
    if (json && read) {
        print_json(&found, ok);
    }
    if (!ok || (!(json && output == NULL) &&
                !glmv_file_write(output != NULL ? output : "-", page.data, page.len, &err))) {
        code = replicate_report(&err);
    }
    if (read && !ok && text.len > 0) {
        fwrite(text.data, 1, text.len, stderr);
    }
    glmv_buf_release(&text);
    glmv_buf_release(&page);
    return code;
}

int replicate_cmd_fix(int argc, char **argv)
{
    const char *input = NULL;
    const char *output = NULL;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return REPLICATE_DONE;
        }
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
            output = argv[++i];
        } else if (input == NULL && (argv[i][0] != '-' || argv[i][1] == '\0')) {
            input = argv[i];
        } else {
            fputs(usage, stderr);
            return REPLICATE_USAGE;
        }
    }
    return fix(input != NULL ? input : "-", output, json);
}
