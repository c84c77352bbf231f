/* Every flag has a note whose place in the answer is what the sentence speaks of. */
#include "htmlfix/htmlfix.h"
#include "tests/check.h"

#define HEAD "<!DOCTYPE html><html><head></head><body>"
#define TAIL "</body></html>"
#define GOOD HEAD "<p>x</p>" TAIL

static char long_loop[8192], long_data[8192];

static const struct {
    enum glmv_fix_flag flag;
    const char *in, *slice; /* of the first note with the flag */
} cases[] = {
    {GLMV_FIX_AROUND, "Here: " GOOD " Done.", GOOD},
    {GLMV_FIX_THINKING, "<think>\nhm\n</think>\n" GOOD, "<think>\nhm\n</think>"},
    {GLMV_FIX_THINKING, "hm</think>" GOOD, "hm</think>"},
    {GLMV_FIX_DUPLICATE, "<html><p>a</p></html>\nor\n<html><p>b</p></html>",
     "<html><p>b</p></html>"},
    {GLMV_FIX_TRUNCATED, HEAD "<p>x</p><a hre", "<a hre"},
    {GLMV_FIX_TRUNCATED, HEAD "<p>x", ""},
    {GLMV_FIX_TRUNCATED, HEAD "<!-- x", "<!-- x"},
    {GLMV_FIX_TRUNCATED, HEAD "<style>p{", "<style>p{"},
    {GLMV_FIX_TRUNCATED, "{\"html\": \"<html>\\n<p>x<b cla", "<b cla"},
    {GLMV_FIX_NO_HTML, "I can't see it.", "I can't see it."},
    {GLMV_FIX_UNCLOSED_THINK, "<think>\n" GOOD, "<think>\n" GOOD},
    {GLMV_FIX_NO_ANSWER, "<think>\n" GOOD, "<think>\n" GOOD},
    {GLMV_FIX_NO_ANSWER, " \n", " \n"},
    {GLMV_FIX_UNESCAPED, "So:\n<html>\\n<p class=\\\"a\\\">x</p>\\n</html>",
     "<html>\\n<p class=\\\"a\\\">x</p>\\n</html>"},
    {GLMV_FIX_UNESCAPED, "So: &lt;html&gt;&lt;p&gt;x&lt;/p&gt;&lt;/html&gt;",
     "&lt;html&gt;&lt;p&gt;x&lt;/p&gt;&lt;/html&gt;"},
    {GLMV_FIX_UNESCAPED, HEAD "<p id=\"a\"></p><p title=\\\"a b\\\" id=\"b\">x</p>" TAIL,
     "\\\"a b\\\""},
    {GLMV_FIX_UNESCAPED, "<html><p>x<\\/p><\\/html>", "<html><p>x<\\/p><\\/html>"},
    {GLMV_FIX_ENVELOPE, "{\"a\": 1, \"html\": \"<html><p>x</p></html>\"}", "<html><p>x</p></html>"},
    {GLMV_FIX_ENVELOPE, "{'html': '<html><p>x</p></html>'}", "<html><p>x</p></html>"},
    {GLMV_FIX_FRAGMENT, "Here:\n<div><p>x</p></div>\nIt is short.", "<div><p>x</p></div>\n"},
    {GLMV_FIX_INLINED, "```html\n" GOOD "\n```\n```css\np {}\n```\n", "p {}\n"},
    {GLMV_FIX_INLINED, "```html\n" GOOD "\n```\n```js\nf()\n```\n", "f()\n"},
    {GLMV_FIX_ELIDED, HEAD "<!-- ... rest of the page ... --><p>x</p>" TAIL,
     "<!-- ... rest of the page ... -->"},
    {GLMV_FIX_LOOP, long_loop, NULL},
    {GLMV_FIX_UNCLOSED, HEAD "<p><b>x</p><i>y</i>" TAIL, ""},
    {GLMV_FIX_UNCLOSED, HEAD "<!-- x\n<p>y</p>" TAIL, "<!-- x"},
    {GLMV_FIX_JSX, HEAD "<p className=\"a\">x</p>" TAIL, "className"},
    {GLMV_FIX_JSX, HEAD "<div id=\"a\" /><p>x</p>" TAIL, "<div id=\"a\" />"},
    {GLMV_FIX_JSX, HEAD "<p style={{color: 1}}>x</p>" TAIL, "{{color: 1}}"},
    {GLMV_FIX_JSX, HEAD "<p tabindex={1}>x</p>" TAIL, "{1}"},
    {GLMV_FIX_QUOTES,
     HEAD "<p class=\xe2\x80\x9c"
          "a b\xe2\x80\x9d>x</p>" TAIL,
     "\xe2\x80\x9c"
     "a b\xe2\x80\x9d"},
    {GLMV_FIX_BASE64, long_data, NULL},
    {GLMV_FIX_BYTES, "<html><p>x\xff</p></html>", "<html><p>x\xff</p></html>"},
};

/* A list that goes on and on, and a picture that does. */
static void write_long(void)
{
    strcpy(long_loop, HEAD "<ul>");
    while (strlen(long_loop) < 6000) {
        strcat(long_loop, "<li class=\"a\">again</li>\n");
    }
    strcpy(long_data, HEAD "<img src=\"data:image/png;base64,");
    size_t len = strlen(long_data);
    memset(long_data + len, 'A', 6000);
    long_data[len + 6000] = '\0';
}

static const struct glmv_fix_note *first_note(const struct glmv_fix *fix, enum glmv_fix_flag flag)
{
    for (size_t i = 0; i < fix->note_count; i++) {
        if (fix->notes[i].flag == flag) {
            return &fix->notes[i];
        }
    }
    return NULL;
}

static void every_note_is_where_it_says(void)
{
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct glmv_fix fix;
        struct glmv_buf out;
        const char *name = glmv_fix_name(cases[i].flag);
        size_t len = strlen(cases[i].in);
        glmv_buf_init(&out, 1 << 20);
        (void)glmv_html_fix(cases[i].in, len, &out, &fix, NULL);
        const struct glmv_fix_note *note = first_note(&fix, cases[i].flag);
        CHECK_MSG(note != NULL, "%s: no note: %s", name, cases[i].in);
        if (note != NULL) {
            const char *at = cases[i].in + note->begin;
            int size = (int)(note->end - note->begin);
            CHECK_MSG(note->end <= len && note->begin <= note->end, "%s", name);
            CHECK_MSG(cases[i].slice == NULL || (strlen(cases[i].slice) == (size_t)size &&
                                                 memcmp(at, cases[i].slice, (size_t)size) == 0),
                      "%s: '%.*s', wanted '%s'", name, size, at, cases[i].slice);
        }
        seen |= (unsigned)cases[i].flag;
        glmv_buf_release(&out);
    }
    CHECK(seen == (1u << GLMV_FIX_FLAGS) - 1);
}

/* What is cut away of a loop is whole repetitions but two; of a picture, its bytes. */
static void long_places_are_exact(void)
{
    struct glmv_fix fix;
    struct glmv_buf out;
    glmv_buf_init(&out, 1 << 20);
    CHECK(glmv_html_fix(long_loop, strlen(long_loop), &out, &fix, NULL));
    const struct glmv_fix_note *note = first_note(&fix, GLMV_FIX_LOOP);
    size_t period = strlen("<li class=\"a\">again</li>\n"), ends = 0;
    CHECK(note != NULL && note->end == strlen(long_loop));
    CHECK(note != NULL && note->begin - strlen(HEAD "<ul>") <= 3 * period);
    for (const char *at = out.data; (at = strstr(at, "</li>")) != NULL; at++) {
        ends++;
    }
    CHECK_MSG(ends == 2 || ends == 3, "%zu", ends);
    glmv_buf_clear(&out);
    CHECK(glmv_html_fix(long_data, strlen(long_data), &out, &fix, NULL));
    note = first_note(&fix, GLMV_FIX_BASE64);
    CHECK(note != NULL && note->begin == strlen(long_data) - 6000 &&
          note->end == strlen(long_data));
    CHECK_MSG(strstr(out.data, "<img src=\"data:image/png;base64,\">") != NULL, "%s", out.data);
    glmv_buf_release(&out);
}

static void notes_beyond_the_limit_are_dropped_flags_are_not(void)
{
    struct glmv_fix fix;
    struct glmv_buf text, out;
    glmv_buf_init(&text, 1 << 20);
    glmv_buf_init(&out, 1 << 20);
    CHECK(glmv_buf_append_str(&text, HEAD, NULL));
    for (int i = 0; i < 500; i++) {
        CHECK(glmv_buf_append_str(&text, "<p className=\"a\">x</p>", NULL));
    }
    CHECK(glmv_buf_append_str(&text, "<!-- rest of the page --><p htmlFor=a>x<b cl", NULL));
    CHECK(glmv_html_fix(text.data, text.len, &out, &fix, NULL));
    CHECK(fix.note_count <= GLMV_FIX_MAX_NOTES);
    CHECK(first_note(&fix, GLMV_FIX_JSX) != NULL && first_note(&fix, GLMV_FIX_ELIDED) != NULL &&
          first_note(&fix, GLMV_FIX_TRUNCATED) != NULL);
    glmv_buf_release(&text);
    glmv_buf_release(&out);
}

int main(void)
{
    write_long();
    every_note_is_where_it_says();
    long_places_are_exact();
    notes_beyond_the_limit_are_dropped_flags_are_not();
    TEST_END();
}
