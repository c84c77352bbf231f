/* Changes of a page's text: search/replace blocks, rules of /set, <base>. */
#include <string.h>

#include "replicate/blocks.h"
#include "replicate/css_rule.h"
#include "tests/check.h"

static const char page[] = "<html>\n<head>\n  <title>T</title>\n</head>\n<body>\n    <p>One</p>\n\n"
                           "    <p>Two</p>\n    <p>Two</p>\n</body>\n</html>\n";

static void check_blocks(const char *answer, const char *wanted, const char *complaint)
{
    struct glmv_buf out;
    struct glmv_err err = {0};
    glmv_buf_init(&out, 4096);
    bool ok = replicate_blocks_apply(page, strlen(page), answer, strlen(answer), &out, &err);
    CHECK_MSG(ok == (wanted != NULL), "%s: %s\n", answer, err.message);
    if (wanted != NULL) {
        CHECK_MSG(ok && strstr(out.data, wanted) != NULL, "%s: %s\n", answer, ok ? out.data : "");
    } else {
        CHECK_MSG(strstr(err.message, complaint) != NULL, "%s: %s\n", answer, err.message);
        CHECK(err.code == GLMV_ERR_MODEL && out.len == 0);
    }
    glmv_buf_release(&out);
}

#define BLOCK(search, replace) "<<<<<<< SEARCH\n" search "=======\n" replace ">>>>>>> REPLACE\n"

static void test_blocks(void)
{
    CHECK(replicate_blocks_found("Sure\n<<<<<<< SEARCH\n", 20));
    CHECK(!replicate_blocks_found("a <<<<<<< b\n<<< c\n", 18));
    check_blocks(BLOCK("    <p>One</p>\n", "    <p>1</p>\n"), "<body>\n    <p>1</p>\n\n", NULL);
    check_blocks(BLOCK("<p>One</p>\n<p>Two</p>\n", "<p>x</p>\n"), "<body>\n<p>x</p>\n    <p>Two",
                 NULL);
    check_blocks(BLOCK("  <title>T</title>\n", "") BLOCK("<head>\n</head>\n", "<head></head>\n"),
                 "<html>\n<head></head>\n<body>", NULL);
    check_blocks(BLOCK("<p>Two</p>\n", "x\n"), NULL, "block 1 fits 2 places");
    check_blocks(BLOCK("<p>Three</p>\n", "x\n"), NULL, "block 1 fits 0 places");
    check_blocks(BLOCK("    <p>One</p>\n", "y\n") BLOCK("<p>One</p>\n", "x\n"), NULL,
                 "block 2 fits 0");
    check_blocks(BLOCK(" \n", "x\n"), NULL, "searches for nothing");
    check_blocks("<<<<<<< SEARCH\n<p>One</p>\n=======\n<p>1", NULL, "has no end");
    check_blocks("nothing of the kind", NULL, "no search/replace block");
}

static void check_set(const char *html, const char *value, const char *wanted)
{
    struct glmv_buf out;
    struct glmv_err err = {0};
    glmv_buf_init(&out, 4096);
    bool ok = replicate_css_set(html, strlen(html), "h1", "color", value, &out, &err);
    CHECK_STR(ok ? out.data : err.message, wanted);
    glmv_buf_release(&out);
}

static void test_set(void)
{
    check_set("<html><head><style>\nh1 { margin: 0; }\n</style></head>", "red",
              "<html><head><style>\nh1 { margin: 0; }\nh1 { color: red; }\n</style></head>");
    check_set("<style>\nh1 { color: red; }\np { margin: 0; }\n</style><body></style>", "blue",
              "<style>\nh1 { color: blue; }\np { margin: 0; }\n</style><body></style>");
    check_set("<html><header>x</header></html>", "red",
              "<html><style>\nh1 { color: red; }\n</style>\n<header>x</header></html>");
    check_set("<p>x", "red", "<style>\nh1 { color: red; }\n</style>\n<p>x");
    check_set("<p>x", "red} body { color: red",
              "'red} body { color: red' is not the value of one CSS property");
    check_set("<p>x", "red</style>", "'red</style>' is not the value of one CSS property");
}

static void test_base(void)
{
    struct glmv_buf out;
    glmv_buf_init(&out, 4096);
    const char html[] = "<!doctype html><html><head lang=x><title>a</title>";
    CHECK(replicate_css_base(html, strlen(html), "/a b\"c", &out, NULL));
    CHECK_STR(
        out.data,
        "<!doctype html><html><head lang=x><base href=\"file:///a%20b%22c/\"><title>a</title>");
    glmv_buf_release(&out);
}

int main(void)
{
    test_blocks();
    test_set();
    test_base();
    TEST_END();
}
