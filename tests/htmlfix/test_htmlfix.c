#include "htmlfix/htmlfix.h"
#include "tests/check.h"

static void expect(const char *input, const char *want, bool truncated)
{
    struct glmv_fix_report report;
    struct glmv_buf out;
    struct glmv_err err = {0};
    glmv_buf_init(&out, 1u << 20);
    CHECK(glmv_html_fix(input, strlen(input), &out, &report, &err));
    CHECK_STR(out.data != NULL ? out.data : "", want);
    CHECK(report.truncated == truncated && report.no_html == (want[0] == '\0'));
    glmv_buf_release(&out);
}

#define PAGE "<!DOCTYPE html><html><body>x</body></html>"

int main(void)
{
    expect(PAGE, PAGE, false);
    expect("Here:\n```html\n" PAGE "\n```\nDone </html>", PAGE, false);
    expect("<think><html>draft</html></think>" PAGE, PAGE, false);
    expect("draft <html>a</html> b</think>" PAGE, PAGE, false);
    expect("<think><html>draft</html>", "", false);
    expect("use a <div> here", "", false);
    expect("<html>1</html><html>2</html><html>3", "<html>2</html>", false);
    expect("<html><script>a='</html>'</script>b</html>",
           "<html><script>a='</html>'</script>b</html>", false);
    expect("<html><!-- </html> -->b</html>", "<html><!-- </html> -->b</html>", false);
    expect("<html><i srcdoc='</html>'>b</html>", "<html><i srcdoc='</html>'>b</html>", false);
    expect("<html><style>a{", "<html><style>a{</style>", true);
    expect("<html><p>a<img src=\"x", "<html><p>a", true);
    expect("<html><!-- a", "<html><!-- a-->", true);
    const char *page = "<html><style>a{}</style><p class=\"x\">y<!-- z --></html>";
    for (size_t i = 0; i <= strlen(page); i++) {
        struct glmv_fix_report report;
        struct glmv_buf out;
        glmv_buf_init(&out, 4096);
        CHECK(glmv_html_fix(page, i, &out, &report, NULL));
        glmv_buf_release(&out);
    }
    TEST_END();
}
