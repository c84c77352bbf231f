/* Style sheets as models write them: which declaration wins, and what becomes of it. */
#include "replicate/selector.h"
#include "replicate/wishes.h"
#include "tests/check.h"

/* html > body > (div#main.a.b > (p.x, p.x, span), p) */
static struct glmv_page_element elements[] = {
    {.tag = "html", .path = "html", .mark = -1, .parent = -1},
    {.tag = "body", .path = "body", .mark = -1, .parent = 0},
    {.tag = "div", .path = "#main", .id = "main", .classes = "a b", .mark = -1, .parent = 1},
    {.tag = "p", .path = "#main > p:nth-of-type(1)", .classes = "x", .mark = -1, .parent = 2},
    {.tag = "p", .path = "#main > p:nth-of-type(2)", .classes = "x", .mark = -1, .parent = 2},
    {.tag = "span", .path = "#main > span", .mark = -1, .parent = 2},
    {.tag = "p", .path = "body > p", .mark = -1, .parent = 1},
};
static struct glmv_page page = {.elements = elements,
                                .element_count = sizeof elements / sizeof elements[0]};

static unsigned rank(const char *list, int element)
{
    return replicate_selector_fits(list, strlen(list), &page, element);
}

static void test_selectors(void)
{
    CHECK(rank("*", 3) == 1);
    CHECK(rank("p", 3) == 1 + 1 && rank("P", 3) == 1 + 1 && rank("p", 5) == 0);
    CHECK(rank(".x", 3) == 1 + 256 && rank("p.x", 3) == 1 + 257 && rank("p.y", 3) == 0);
    CHECK(rank("#main.a.b", 2) == 1 + 65536 + 512 && rank(".a.c", 2) == 0);
    CHECK(rank("#main > p", 3) != 0 && rank("body > p", 3) == 0 && rank("body p", 3) != 0);
    CHECK(rank("html body .a>p.x", 4) != 0 && rank("body>p", 6) != 0);
    CHECK(rank("span, .x , #none", 3) == 1 + 256);
    CHECK(rank("p:first-child", 3) != 0 && rank("p:first-child", 4) == 0);
    CHECK(rank("p:nth-child(2)", 4) != 0 && rank(":last-child", 5) != 0);
    CHECK(rank(elements[3].path, 3) != 0 && rank(elements[4].path, 3) == 0);
    CHECK(rank(":root", 0) != 0 && rank("p:hover", 3) == 0 && rank("p::before", 3) == 0);
    CHECK(rank("p + p", 4) == 0 && rank("p[class]", 3) == 0 && rank("", 3) == 0 &&
          rank(" > p", 3) == 0 && rank("p:nth-child(", 3) == 0);
}

static const char html[] =
    "<!DOCTYPE html><html><head><title>t</title><style>\n"
    "/* p { color: red } */\n"
    ":root { --ink: #111111; }\n"
    "@media (max-width: 600px) { p { color: blue } }\n"
    "body { color: var(--ink); font: 16px/1.5 'A;}B' }\n"
    ".x { color: #222222; margin: 1px 2px 3px; background: url(data:a;b) #fff }\n"
    "p { color: #333333 }\n"
    "</style></head><body><div id=main class='a b'><p class=x>1<p class=x style=\"color:#444444\">2"
    "<span>s</span></div><p>last</p></body></html>\n";

static void test_cascade(void)
{
    struct glmv_err err = {0};
    struct replicate_sheet *sheet = replicate_sheet_read(html, strlen(html), &page, &err);
    CHECK(sheet != NULL);
    const struct replicate_declaration *d = replicate_sheet_find(sheet, 3, "color", NULL);
    CHECK(d != NULL && replicate_span_is(sheet, d->value, "#222222"));
    d = replicate_sheet_find(sheet, 4, "color", NULL);
    CHECK(d != NULL && replicate_span_is(sheet, d->value, "#444444"));
    d = replicate_sheet_find(sheet, 6, "color", NULL);
    CHECK(d != NULL && replicate_span_is(sheet, d->value, "#333333"));
    d = replicate_sheet_find(sheet, 1, "line-height", "font");
    CHECK(d != NULL && replicate_span_is(sheet, d->value, "16px/1.5 'A;}B'"));
    d = replicate_sheet_find(sheet, 3, "background-color", "background");
    CHECK(d != NULL && replicate_span_is(sheet, d->value, "url(data:a;b) #fff"));
    CHECK(replicate_sheet_find(sheet, 5, "color", NULL) == NULL);
    d = wish_source(sheet, 5, WISH_COLOR); /* inherited, and through a variable */
    CHECK(d != NULL && replicate_span_is(sheet, d->name, "--ink"));
    replicate_sheet_free(sheet);
}

/* The page with some wishes come true. */
static const char *granted(const struct wish *list, size_t count, int *changed)
{
    static struct glmv_buf out;
    struct glmv_err err = {0};
    glmv_buf_release(&out);
    glmv_buf_init(&out, 1 << 16);
    struct replicate_sheet *sheet = replicate_sheet_read(html, strlen(html), &page, &err);
    struct wishes wishes = {.sheet = sheet};
    for (size_t i = 0; i < count; i++) {
        CHECK(wishes_add(&wishes, &list[i], &err));
    }
    CHECK(wishes_write(&wishes, &out, changed, &err));
    wishes_release(&wishes);
    replicate_sheet_free(sheet);
    return out.data != NULL ? out.data : "";
}

#define HAS(text, words) CHECK_MSG(strstr(text, words) != NULL, "wanted %s in %s", words, text)

static void test_a_declaration_changes_for_all_or_not_at_all(void)
{
    int changed;
    struct wish variable = {5, WISH_COLOR, true, 10, "#abcdef", NULL};
    const char *text = granted(&variable, 1, &changed);
    HAS(text, ":root { --ink: #abcdef; }");
    CHECK(changed == 1);
    /* Two of two want about the same of .x's margin: behind the shorthand. */
    struct wish both[] = {{3, WISH_MARGIN_TOP, true, 5, "9px", NULL},
                          {4, WISH_MARGIN_TOP, true, 5, "9.5px", NULL}};
    text = granted(both, 2, &changed);
    HAS(text, "margin: 1px 2px 3px; margin-top: 9px; background");
    CHECK(changed == 1);
    /* One of two: a rule of its own, strong enough without force. */
    text = granted(both, 1, &changed);
    HAS(text, "#main > p:nth-of-type(1) { margin-top: 9px; }\n</style>");
    HAS(text, "margin: 1px 2px 3px; background");
    /* A style attribute belongs to one element and is changed where it stands. */
    struct wish attribute = {4, WISH_COLOR, true, 5, "#555555", NULL};
    text = granted(&attribute, 1, &changed);
    HAS(text, "style=\"color:#555555\"");
    /* Nothing to change leaves nothing. */
    struct wish keep = {3, WISH_COLOR, false, 5, "#222222", NULL};
    text = granted(&keep, 1, &changed);
    CHECK(changed == 0 && text[0] == '\0');
}

static void test_damaged_sheets(void)
{
    static const char *const damaged[] = {"<style>p { color: red",
                                          "<style>}{",
                                          "<style>p{color:red;}}}} a{b:c",
                                          "<style>@media x { p {",
                                          "<style>p{a:'",
                                          "<style>/*",
                                          "<div style=\"color:",
                                          "<style>p{:;;:}",
                                          "<style>",
                                          "<",
                                          "<!--",
                                          "<style>p{a:url((((",
                                          "<div style=color:red id=main class='a b'>"};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        struct glmv_err err = {0};
        struct replicate_sheet *sheet =
            replicate_sheet_read(damaged[i], strlen(damaged[i]), &page, &err);
        CHECK_MSG(sheet != NULL, "%s: %s\n", damaged[i], err.message);
        replicate_sheet_free(sheet);
    }
}

int main(void)
{
    test_selectors();
    test_cascade();
    test_a_declaration_changes_for_all_or_not_at_all();
    test_damaged_sheets();
    TEST_END();
}
