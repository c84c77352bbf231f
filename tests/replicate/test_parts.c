/* Slices: where a picture is cut, and what becomes of the pages of its parts. */
#include "base/image.h"
#include "replicate/parts.h"
#include "replicate/slices.h"
#include "tests/check.h"

static void fill(struct glmv_image *image, int y0, int y1, uint8_t grey, bool noisy)
{
    for (int y = y0; y < y1; y++) {
        for (int x = 0; x < image->width; x++) {
            uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
            uint8_t value = noisy ? (uint8_t)((x * 37 + y * 101) % 251) : grey;
            p[0] = p[1] = p[2] = value;
            p[3] = 255;
        }
    }
}

static void test_cuts_lie_in_gaps(void)
{
    struct glmv_err err = {0};
    struct glmv_image *image = glmv_image_new(40, 3000, &err);
    int tops[8];
    fill(image, 0, 3000, 255, true);
    fill(image, 930, 960, 255, false); /* two gaps, neither at its even share */
    fill(image, 2100, 2130, 255, false);
    CHECK(replicate_slices_cut(image, 1000, tops, 8) == 3);
    CHECK_MSG(tops[0] == 0 && tops[1] > 930 && tops[1] < 960 && tops[2] > 2100 && tops[2] < 2130,
              "%d %d %d\n", tops[0], tops[1], tops[2]);
    fill(image, 0, 3000, 255, true); /* no gap at all: something is cut, in order */
    CHECK(replicate_slices_cut(image, 1000, tops, 8) == 3 && tops[1] > 0 && tops[2] > tops[1]);
    CHECK(replicate_slices_cut(image, 100, tops, 8) == 8 && tops[7] < 3000);
    CHECK(replicate_slices_cut(image, 3000, tops, 8) == 1);
    glmv_image_free(image);
}

static const char *joined(const char *const *pages, size_t count)
{
    static struct glmv_buf out;
    struct replicate_part parts[8];
    struct glmv_err err = {0};
    glmv_buf_release(&out);
    glmv_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct replicate_part){pages[i], pages[i] != NULL ? strlen(pages[i]) : 0, 100};
    }
    CHECK_MSG(replicate_parts_join(parts, count, &out, &err), "%s\n", err.message);
    return out.data != NULL ? out.data : "";
}

#define HAS(text, words) CHECK_MSG(strstr(text, words) != NULL, "wanted %s in\n%s", words, text)
#define LACKS(text, words) CHECK_MSG(strstr(text, words) == NULL, "no %s in\n%s", words, text)

static void test_rules_stay_in_their_slice(void)
{
    static const char *const pages[] = {
        "<!DOCTYPE html><html lang=de><head><title>T</title><style>*{margin:0} body{color:red}"
        ".a{color:blue} .only{top:1px} h1, body > p{left:1px} @font-face{src:x}"
        "</style></head><body class='home' style='top:0'><p class='a only'>1</body></html>",
        "<html><head><style>* { margin: 0; } body{color:green}.a{color:pink}"
        "@media (x){.a{top:2px}} @font-face{src:x}</style></head><body><p "
        "class=a>2</p></body></html>",
    };
    const char *text = joined(pages, 2);
    HAS(text, "<html lang=de>");
    HAS(text, "grid-template: 100px 100px / 100%");
    HAS(text, ":where(.slice-1) { color:red }");
    HAS(text, ":where(.slice-2) { color:green }");
    HAS(text, ":where(.slice-1) .a { color:blue }");
    HAS(text, ":where(.slice-2) .a { color:pink }");
    HAS(text, "\n.only { top:1px }");
    HAS(text, ":where(.slice-1) h1, :where(.slice-1) > p { left:1px }");
    HAS(text, "@media (x) {\n:where(.slice-2) .a { top:2px }\n}");
    HAS(text, "<section class='slice slice-1 home' style='top:0'>");
    HAS(text, "<section class=\"slice slice-2\">");
    const char *face = strstr(text, "@font-face");
    CHECK(face != NULL && strstr(face + 1, "@font-face") == NULL);
    /* A part of which nothing is known leaves its row. */
    const char *const holes[] = {pages[0], NULL};
    HAS(joined(holes, 2), "slice-2");
}

static void test_damaged_documents(void)
{
    static const char *const damaged[] = {"",
                                          "<",
                                          "<style",
                                          "<style>",
                                          "<style>a{",
                                          "<style>}}}{{{",
                                          "<body",
                                          "<body class='x",
                                          "<body class=x>",
                                          "<body class>",
                                          "<html",
                                          "<title>",
                                          "</body></style></html>",
                                          "<style>@media {",
                                          "<style>@x;",
                                          "<style>a{b:url(</style><body>c",
                                          "<style>/*</style>",
                                          "<style>,,{}</style>",
                                          "<style>:where(</style>",
                                          "<body class=\"\"",
                                          "no markup at all"};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        for (size_t k = 0; k < sizeof damaged / sizeof damaged[0]; k++) {
            const char *const pages[] = {damaged[i], damaged[k]};
            LACKS(joined(pages, 2), "(null)");
        }
    }
}

int main(void)
{
    test_cuts_lie_in_gaps();
    test_rules_stay_in_their_slice();
    test_damaged_documents();
    TEST_END();
}
