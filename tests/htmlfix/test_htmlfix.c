#include "htmlfix/htmlfix.h"
#include "tests/check.h"

#define GOOD "<!DOCTYPE html>\n<html><head><title>a</title></head><body><p>x</p></body></html>"

static const struct {
    const char *name, *in, *out; /* out NULL: there is no document */
    unsigned flags;
} cases[] = {
    {"a document stays", GOOD "\n", GOOD "\n", 0},
    {"also with a mark and space before it", "\xef\xbb\xbf\n" GOOD, "\xef\xbb\xbf\n" GOOD, 0},
    {"prose and a fence", "Here:\n```html\n" GOOD "\n```\nDone.", GOOD, GLMV_FIX_AROUND},
    {"a fence glued to prose", "Here:```html\n" GOOD "```", GOOD, GLMV_FIX_AROUND},
    {"four backticks, tildes", "~~~~html\n" GOOD "\n~~~~", GOOD, GLMV_FIX_AROUND},
    {"thinking with a draft", "<think><html>draft</html></think>" GOOD, GOOD,
     GLMV_FIX_THINKING | GLMV_FIX_AROUND},
    {"a closing think alone", "hm</think>\n" GOOD, GOOD, GLMV_FIX_THINKING | GLMV_FIX_AROUND},
    {"thinking without end", "<think>" GOOD, NULL,
     GLMV_FIX_UNCLOSED_THINK | GLMV_FIX_NO_ANSWER | GLMV_FIX_NO_HTML},
    {"the last complete one", "<html>a</html> better: <html>b</html> and <html>c", "<html>b</html>",
     GLMV_FIX_DUPLICATE | GLMV_FIX_AROUND},
    {"an end in a script", "<html><script>s='</html>'</script>x</html>",
     "<html><script>s='</html>'</script>x</html>", 0},
    {"an end in a comment", "<html><!-- </html> -->x</html>", "<html><!-- </html> -->x</html>", 0},
    {"an end in an attribute", "<html><iframe srcdoc=\"<p></html>\"></iframe>x</html>",
     "<html><iframe srcdoc=\"<p></html>\"></iframe>x</html>", 0},
    {"an end in a textarea", "<html><textarea></html></textarea>x</html>",
     "<html><textarea></html></textarea>x</html>", 0},
    {"escapes in scripts stay", "<html><script>a(\"\\n\\\"\")</script></html>",
     "<html><script>a(\"\\n\\\"\")</script></html>", 0},
    {"a tag that is cut off", "<html><p>x</p><div class=\"a", "<html><p>x</p>", GLMV_FIX_TRUNCATED},
    {"a style that is cut off", "<html><style>p{color:r", "<html><style>p{color:r</style>",
     GLMV_FIX_TRUNCATED},
    {"a script that is cut off", "<html><script>f(", "<html><script>f(</script>",
     GLMV_FIX_TRUNCATED},
    {"a comment that is cut off", "<html><p>x<!-- a", "<html><p>x<!-- a-->", GLMV_FIX_TRUNCATED},
    {"a cut-off page in a fence", "```html\n<html><p>x\n```", "<html><p>x\n",
     GLMV_FIX_TRUNCATED | GLMV_FIX_AROUND},
    {"a mention before the page", "I wrap it in <html> now: " GOOD, GOOD, GLMV_FIX_AROUND},
    {"a mention in prose", "Use a <div> or the `html` element.", NULL, GLMV_FIX_NO_HTML},
    {"nothing", "", NULL, GLMV_FIX_NO_ANSWER | GLMV_FIX_NO_HTML},
};

static void cases_come_out_as_written(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct glmv_fix fix;
        struct glmv_buf out;
        glmv_buf_init(&out, 1 << 20);
        bool ok = glmv_html_fix(cases[i].in, strlen(cases[i].in), &out, &fix, NULL);
        CHECK_MSG(ok == (cases[i].out != NULL), "%s", cases[i].name);
        CHECK_MSG(fix.flags == cases[i].flags, "%s: flags %u", cases[i].name, fix.flags);
        CHECK_MSG(!ok || strcmp(out.data, cases[i].out) == 0, "%s: %s", cases[i].name, out.data);
        if (ok) {
            struct glmv_buf twice;
            glmv_buf_init(&twice, 1 << 20);
            CHECK_MSG(glmv_html_fix(out.data, out.len, &twice, &fix, NULL) &&
                          strcmp(twice.data, out.data) == 0,
                      "%s: fixed twice", cases[i].name);
            glmv_buf_release(&twice);
        }
        glmv_buf_release(&out);
    }
}

static void every_prefix_is_safe_and_stable(void)
{
    const char *text =
        "<!doctype html><html><head><style>a{}</style><script>x='</html>'</script></head>"
        "<body class=\"a>b\"><!-- c --><p title='d'>e</p></body></html> tail";
    for (size_t len = 0; len <= strlen(text); len++) {
        struct glmv_fix fix;
        struct glmv_buf once;
        struct glmv_buf twice;
        glmv_buf_init(&once, 1 << 20);
        glmv_buf_init(&twice, 1 << 20);
        if (glmv_html_fix(text, len, &once, &fix, NULL)) {
            CHECK(glmv_html_fix(once.data, once.len, &twice, &fix, NULL));
            CHECK_MSG(twice.len == once.len && memcmp(once.data, twice.data, once.len) == 0,
                      "prefix %zu", len);
        }
        glmv_buf_release(&once);
        glmv_buf_release(&twice);
    }
}

static void deep_and_long_text_is_no_burden(void)
{
    size_t depth = 65536;
    struct glmv_buf text;
    struct glmv_buf out;
    struct glmv_fix fix;
    glmv_buf_init(&text, 1 << 24);
    glmv_buf_init(&out, 1 << 24);
    CHECK(glmv_buf_append_str(&text, "<html>", NULL));
    for (size_t i = 0; i < depth; i++) {
        glmv_buf_appendf(&text, NULL, "<div title=\"<html>%zu\">", i);
    }
    CHECK(glmv_html_fix(text.data, text.len, &out, &fix, NULL));
    CHECK(out.len == text.len + depth * strlen("</div>") + strlen("</html>"));
    CHECK(fix.flags == GLMV_FIX_TRUNCATED);
    glmv_buf_release(&text);
    glmv_buf_release(&out);
}

/* What can be shown while an answer arrives is a whole page each time, and grows with the answer.
 */
static void previews_are_pages(void)
{
    static const char answer[] =
        "Here:\n```html\n<!DOCTYPE html>\n<html><head><title>a</title><style>p{color:red}</style>"
        "</head><body class=\"b\"><div><p>one</p><!-- two --><p>three <b>four</b></p></div>"
        "</body></html>\n```\nDone.";
    struct glmv_fix_stream *stream = glmv_fix_stream_open(1 << 20, NULL);
    size_t most = 0, pages = 0, elements = 0;
    for (size_t i = 0; i < sizeof answer - 1; i++) {
        CHECK(glmv_fix_stream_feed(stream, answer + i, 1, NULL));
        size_t len;
        const char *page = glmv_fix_stream_preview(stream, &len);
        if (page == NULL) {
            CHECK_MSG(pages == 0, "the page is gone at %zu", i);
            continue;
        }
        struct glmv_fix fix;
        struct glmv_buf again;
        glmv_buf_init(&again, 1 << 20);
        CHECK(glmv_html_fix(page, len, &again, &fix, NULL));
        CHECK_MSG(again.len == len && memcmp(again.data, page, len) == 0, "%s", page);
        size_t now = 0;
        for (size_t k = 0; k < len; k++) {
            now += page[k] == '<';
        }
        CHECK_MSG(now + 2 >= elements, "elements are gone at %zu: %s", i, page);
        elements = now;
        most = len > most ? len : most;
        pages++;
        glmv_buf_release(&again);
    }
    CHECK(pages > 100 && most > 150);
    glmv_fix_stream_close(stream);
}

int main(void)
{
    previews_are_pages();
    cases_come_out_as_written();
    every_prefix_is_safe_and_stable();
    deep_and_long_text_is_no_burden();
    TEST_END();
}
