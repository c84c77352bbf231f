/* The loop with a scripted author, a real renderer and a real measurement. The target is a page of
 * our own; its scene is made from what the browser knows about it, so that every number is known.
 */
#include <math.h>
#include <sys/stat.h>

#include "replicate/referee.h"
#include "replicate/rounds.h"
#include "replicate/slots.h"
#include "tests/check.h"
#include "tests/model/server/scripted.h"

static const char page_start[] =
    "<!DOCTYPE html><html><head><style>*{margin:0;padding:0;box-sizing:border-box}"
    "body{width:1000px;height:700px;background:#fff;font-family:'Liberation "
    "Sans';position:relative}"
    "h1,p,div,a{position:absolute}"
    ".card{width:280px;height:200px;top:220px;background:#eef2ff;border-radius:8px}"
    ".card p{left:20px;top:24px;font-size:18px;color:#111827}"
    "a{left:40px;top:480px;width:160px;height:44px;color:#fff;font-size:16px;padding:12px 20px}"
    "</style></head><body>";

struct parts {
    int heading_top;
    const char *third_card; /* "none" hides it */
    const char *button;
    const char *extra;
};

static char *write_page(const struct parts *parts)
{
    static char html[4096];
    snprintf(html, sizeof html,
             "%s<h1 style='left:40px;top:%dpx;font-size:40px;color:#111827'>Pricing</h1>"
             "<p style='left:40px;top:140px;font-size:16px;color:#4b5563'>Plans for every team</p>"
             "<div class=card style='left:40px'><p>Starter plan</p></div>"
             "<div class=card style='left:350px'><p>Business plan</p></div>"
             "<div class=card style='left:660px;display:%s'><p>Enterprise offer</p></div>"
             "<a style='background:%s'>Start today</a>%s</body></html>",
             page_start, parts->heading_top, parts->third_card, parts->button, parts->extra);
    return html;
}

static const struct parts right = {60, "block", "#1a73e8", ""};

/* A scene as perception would measure it, from the browser's own facts. */
static struct glmv_scene *scene_of(const struct glmv_render *render)
{
    struct glmv_scene *scene = calloc(1, sizeof *scene);
    const struct glmv_page *page = render->page;
    scene->width = render->image->width;
    scene->height = render->image->height;
    scene->scale = 1;
    scene->background = 0xFFFFFFFF;
    scene->lines = calloc(page->text_count + 1, sizeof *scene->lines);
    scene->boxes = calloc(page->element_count + 1, sizeof *scene->boxes);
    for (size_t i = 0; i < page->text_count; i++) {
        const struct glmv_page_text *text = &page->texts[i];
        struct glmv_scene_line *line = &scene->lines[scene->line_count++];
        line->text = text->text;
        line->ink = text->box;
        line->baseline = text->box.y + 0.81 * text->box.h;
        line->font_px = text->font_px;
        line->weight = text->weight;
        line->color = text->rgba;
        line->confidence = 95;
    }
    for (size_t i = 0; i < page->element_count; i++) {
        const struct glmv_page_element *element = &page->elements[i];
        if ((element->background & 255) == 255 && strcmp(element->tag, "body") != 0 &&
            strcmp(element->tag, "html") != 0) {
            struct glmv_scene_box *box = &scene->boxes[scene->box_count++];
            box->box = element->box;
            box->fill = GLMV_FILL_SOLID;
            box->color = element->background;
        }
    }
    return scene;
}

static void free_scene(struct glmv_scene *scene)
{
    free(scene->lines); /* their texts are the page's */
    free(scene->boxes);
    free(scene);
}

static struct glmv_renderer *renderer;
static struct glmv_render *target;
static struct glmv_scene *scene;
static struct scripted server;
static char folder[] = "/tmp/glmv-rounds-XXXXXX";

static struct glmv_render *render_page(const char *html, struct glmv_err *err)
{
    struct glmv_render_options options = glmv_render_defaults();
    options.width = 1000;
    options.height = 700;
    return glmv_renderer_render(renderer, html, strlen(html), &options, err);
}

/* The facts about a page with some parts wrong, as one text. */
static const char *facts_about(struct parts parts, int *count)
{
    static struct glmv_buf text;
    struct replicate_fact facts[REPLICATE_MAX_FACTS];
    struct glmv_err err = {0};
    struct glmv_render *render = render_page(write_page(&parts), &err);
    glmv_buf_release(&text);
    glmv_buf_init(&text, 65536);
    *count = -1;
    if (render != NULL) {
        *count = replicate_feedback_find(scene, render, 1, facts, &err);
        replicate_feedback_write(facts, *count, scene->width, scene->height, &text, &err);
    }
    CHECK_MSG(render != NULL && *count >= 0, "%s\n", err.message);
    glmv_render_free(render);
    return text.data != NULL ? text.data : "";
}

static void check_fact(struct parts parts, const char *words)
{
    int count;
    const char *facts = facts_about(parts, &count);
    CHECK_MSG(strstr(facts, words) != NULL, "wanted \"%s\" in:\n%s", words, facts);
    CHECK_MSG(count == 1, "one defect gives one fact, not:\n%s", facts);
}

static void test_feedback_names_the_defect(void)
{
    int count;
    facts_about(right, &count);
    CHECK(count == 0);
    struct parts moved = right, missing = right, colour = right, extra = right;
    moved.heading_top += 36;
    check_fact(moved, "1. heading 'Pricing': 36 px too low");
    missing.third_card = "none";
    check_fact(missing, "1. missing: the box at x 660, y 220, 280 x 200 px, filled #eef2ff, with "
                        "the text 'Enterprise offer' [660,314,940,600]");
    colour.button = "#2563eb";
    check_fact(colour,
               "background of the a at x 40, y 480, 160 x 44 px: #2563eb should be #1a73e8");
    extra.extra = "<p style='left:600px;top:40px;color:#111827'>Subscribe now</p>";
    check_fact(extra, "text 'Subscribe now' at y 40 is not in the target");
    struct parts all = {96, "none", "#2563eb", ""};
    const char *facts = facts_about(all, &count);
    const char *first = strstr(facts, "missing: the box"), *second = strstr(facts, "36 px too low"),
               *third = strstr(facts, "should be #1a73e8");
    CHECK_MSG(count == 3 && first != NULL && first < second && second < third, "%s", facts);
}

static void test_acceptance(void)
{
    struct replicate_rounds_options options = replicate_rounds_defaults();
    struct glmv_score best = {.total = 0.8, .slices = {0.8, 0.8}, .slice_count = 2};
    struct glmv_score same = best, better = best, robbing = best;
    char why[80];
    CHECK(!replicate_rounds_accepts(&options, &best, &same, why));
    better.total = 0.81;
    CHECK(replicate_rounds_accepts(&options, &best, &better, why));
    robbing.total = 0.9;
    robbing.slices[0] = 1;
    robbing.slices[1] = 0.76;
    CHECK(!replicate_rounds_accepts(&options, &best, &robbing, why));
    CHECK(strstr(why, "part 2 of 2") != NULL);
}

static bool extract(void *arg, const char *answer, size_t len, struct glmv_buf *html,
                    struct glmv_err *err)
{
    (void)arg;
    if (strstr(answer, "</html>") == NULL) {
        return glmv_fail(err, GLMV_ERR_MODEL, "no page");
    }
    return glmv_buf_append(html, answer, len, err);
}

static struct glmv_render *measure(void *arg, const char *html, size_t len,
                                   struct glmv_score *score, struct glmv_err *err)
{
    return replicate_measure(arg, html, len, score, err);
}

static void write_answer(int number, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%d.txt", folder, number);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0);
    if (file != NULL) {
        fclose(file);
    }
}

static char logged[8192];

static void on_log(void *arg, const char *sentence)
{
    (void)arg;
    size_t used = strlen(logged);
    snprintf(logged + used, sizeof logged - used, "%s\n", sentence);
}

/* The picture of a page that scrolls sideways does not show it, its score does. */
static void test_scrolling_sideways_costs(void)
{
    struct parts wide = right;
    struct replicate_court court = {renderer, target->image, 1, NULL};
    struct glmv_score fits;
    struct glmv_score beyond;
    struct glmv_err err = {0};
    const char *html = write_page(&right);
    struct glmv_render *one = replicate_measure(&court, html, strlen(html), &fits, &err);
    wide.extra = "<p style='left:0;top:0;width:1250px;height:1px'></p>";
    html = write_page(&wide);
    struct glmv_render *two = replicate_measure(&court, html, strlen(html), &beyond, &err);
    CHECK_MSG(one != NULL && two != NULL, "%s\n", err.message);
    CHECK(fits.total > 0.9999 && fabs(beyond.total - 0.8) < 0.0001);
    glmv_render_free(one);
    glmv_render_free(two);
}

static bool run_script(struct replicate_rounds_options *options,
                       struct replicate_rounds_result *result, struct glmv_err *err)
{
    struct replicate_court court = {renderer, target->image, 1, scene};
    struct replicate_referee referee = {extract, measure, &court};
    if (scripted_start(&server, folder) != 0) {
        SKIP("no python3");
    }
    struct glmv_chat *chat = glmv_chat_open(scripted_url(&server, "script"), "m", err);
    struct replicate_author author = {
        .chat = chat, .options = glmv_chat_defaults(), .target = target->image, .scene = scene, .part = ""};
    logged[0] = '\0';
    options->log = on_log;
    options->corrections = 0; /* the script is about what the model is told */
    bool ok = replicate_rounds_run(&author, &referee, options, result, err);
    CHECK(author.tokens > 0);
    glmv_chat_close(chat);
    return ok;
}

/* Heading too low and a card missing; then a worse page; then one without a page; then the card is
 * back; then all is right. */
static void test_loop_keeps_the_best(void)
{
    struct parts bad = {96, "none", "#2563eb", ""}, worse = {400, "none", "#000000", ""};
    struct parts carded = {96, "block", "#2563eb", ""};
    write_answer(1, write_page(&bad));
    write_answer(2, write_page(&worse));
    write_answer(3, write_page(&carded));
    write_answer(4, "I cannot see anything wrong.");
    write_answer(5, write_page(&right));
    struct replicate_rounds_options options = replicate_rounds_defaults();
    struct replicate_rounds_result result;
    struct glmv_err err = {0};
    options.rounds = 10;
    bool ok = run_script(&options, &result, &err);
    CHECK_MSG(ok, "%s\n", err.message);
    CHECK_MSG(result.tried == 4 && result.accepted == 2, "%d tried, %d accepted\n%s", result.tried,
              result.accepted, logged);
    CHECK(result.stop == REPLICATE_STOP_TARGET && result.score.total > 0.9999);
    CHECK_STR(result.html.data, write_page(&right));
    CHECK(strstr(logged, "round 1: rejected: the score went from") != NULL);
    CHECK(strstr(logged, "round 2: accepted") != NULL);
    CHECK(strstr(logged, "round 3: rejected: no page") != NULL);
    struct replicate_court court = {renderer, target->image, 1, scene};
    struct glmv_score again;
    struct glmv_render *render =
        replicate_measure(&court, result.page.data, result.page.len, &again, &err);
    CHECK(render != NULL && fabs(again.total - result.score.total) < 1e-12);
    glmv_render_free(render);
    replicate_rounds_release(&result);
    scripted_stop(&server);
}

static void test_plateau_and_failure_keep_the_best(void)
{
    struct parts bad = {96, "block", "#1a73e8", ""}, worse = {400, "none", "#000000", ""};
    write_answer(1, write_page(&bad));
    write_answer(2, write_page(&worse));
    write_answer(3, write_page(&worse));
    struct replicate_rounds_options options = replicate_rounds_defaults();
    struct replicate_rounds_result result;
    struct glmv_err err = {0};
    options.rounds = 10;
    CHECK(run_script(&options, &result, &err));
    CHECK(result.stop == REPLICATE_STOP_PLATEAU && result.tried == 2 && result.accepted == 0);
    CHECK_STR(result.html.data, write_page(&bad));
    replicate_rounds_release(&result);
    scripted_stop(&server);
    options.budget_tokens = 1;
    CHECK(run_script(&options, &result, &err));
    CHECK(result.stop == REPLICATE_STOP_BUDGET && result.tried == 0);
    replicate_rounds_release(&result);
    scripted_stop(&server);
}

static void test_slots(void)
{
    struct glmv_err err = {0};
    struct glmv_scene pictures = {0};
    struct glmv_scene_picture one = {.image = glmv_image_new(2, 2, &err)};
    pictures.pictures = &one;
    pictures.picture_count = 1;
    struct glmv_buf out;
    glmv_buf_init(&out, 65536);
    const char *html = "<img src=\"slot:0\"><img src='slot:7'><p>timeslot:0 slot: x";
    CHECK(replicate_slots_fill(&pictures, html, strlen(html), &out, &err));
    CHECK(strncmp(out.data, "<img src=\"data:image/png;base64,iVBOR", 37) == 0);
    CHECK(strstr(out.data, "\"><img src='slot:7'><p>timeslot:0 slot: x") != NULL);
    glmv_buf_release(&out);
    glmv_image_free(one.image);
}

int main(void)
{
    setenv("no_proxy", "127.0.0.1", 1);
    unsetenv("GLMV_PROMPTS");
    struct glmv_err err = {0};
    test_acceptance();
    test_slots();
    renderer = glmv_renderer_open(NULL, &err);
    target = renderer != NULL ? render_page(write_page(&right), &err) : NULL;
    if (target == NULL) {
        fprintf(stderr, "%s\n", err.message);
        SKIP("no renderer");
    }
    CHECK(mkdtemp(folder) != NULL);
    scene = scene_of(target);
    test_scrolling_sideways_costs();
    test_feedback_names_the_defect();
    test_loop_keeps_the_best();
    test_plateau_and_failure_keep_the_best();
    free_scene(scene);
    glmv_render_free(target);
    glmv_renderer_close(renderer);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0);
    TEST_END();
}
