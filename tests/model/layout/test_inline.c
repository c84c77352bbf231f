/* Lines that seem to lie over a text and belong to it, or say nothing. */
#include "scenes.h"

#include "tests/check.h"

static struct glmv_scene_line *scene_code(struct scene_kit *kit, const char *text, double x,
                                          double baseline)
{
    struct glmv_scene_line *line = scene_text(kit, text, x, baseline, 8.4 * (double)strlen(text));
    strcpy(line->font, "Liberation Mono");
    line->family = GLMV_FAMILY_MONO;
    line->font_px = 14;
    return line;
}

/* Parts of a listing whose face was not recognised, and what stands far behind a command. */
static void parts_of_code_in_another_face_are_code(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_box(&kit, 20, 20, 760, 140, 0x222222ff);
    scene_code(&kit, "let user = User {", 40, 60);
    struct glmv_scene_line *token =
        scene_text(&kit, "String::from(\"a@example.com\")", 132.4, 82, 244);
    token->color = 0x008200ff; /* seems to be a sans */
    scene_code(&kit, "email:", 73.6, 82);
    scene_code(&kit, "};", 40, 104);
    scene_code(&kit, "npm run dev", 40, 126);
    scene_code(&kit, "# with hot reload", 300, 126);
    char *html = page_of(&kit, false);
    const char *pre = strstr(html, "<pre");
    const char *end = pre != NULL ? strstr(pre, "</pre>") : NULL;
    const char *last = pre != NULL ? strstr(pre, "hot reload") : NULL;
    CHECK(end != NULL && last != NULL && last < end);
    CHECK(strstr(html, "\n    email: <span") != NULL);
    CHECK(strstr(html, " layers") == NULL);
    free(html);
}

static void a_wide_gap_in_a_paragraph_parts_no_line(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_text(&kit, "The quick brown fox jumps over the", 40, 60, 260);
    scene_text(&kit, "lazydogs and then", 40, 84, 130);
    scene_text(&kit, "sleeps in the sun", 184, 84, 118);
    scene_text(&kit, "until evening comes and it's dark.", 40, 108, 261);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "over the lazydogs and then sleeps in the sun until evening") != NULL);
    CHECK(strstr(html, " layers") == NULL);
    free(html);
}

static void what_was_read_twice_is_said_once(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_text(&kit, "List 5-1: the User of this page", 40, 60, 230);
    scene_text(&kit, "User", 130, 60, 32)->ink.h = 10;
    char *html = page_of(&kit, false);
    const char *first = strstr(html, "User");
    CHECK(first != NULL && strstr(html, "User</") == NULL);
    CHECK(strstr(html, " layers") == NULL);
    free(html);
}

/* Cells that were read once more as one doubtful line over all of them. */
static void what_only_a_misreading_says_stays(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    struct glmv_scene_line *all = scene_text(&kit, "Edit Copy Delete", 30, 62, 300);
    all->ink = (struct glmv_box){30, 44, 300, 24};
    all->confidence = 40;
    all->fit = 0.2;
    scene_text(&kit, "Edit", 40, 60, 30);
    scene_text(&kit, "Copy", 140, 60, 36);
    scene_text(&kit, "Delete", 240, 60, 48);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "Edit</") != NULL && strstr(html, "Delete</") != NULL);
    CHECK(strstr(html, "Edit Copy") == NULL);
    free(html);
}

int main(void)
{
    parts_of_code_in_another_face_are_code();
    a_wide_gap_in_a_paragraph_parts_no_line();
    what_was_read_twice_is_said_once();
    what_only_a_misreading_says_stays();
    TEST_END();
}
