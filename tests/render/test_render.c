/* What the renderer promises, with a real WebKit. */
#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "render/render.h"
#include "tests/check.h"

static const char page[] =
    "<!doctype html><title>t</title><style>body{margin:0;font:16px/20px 'Liberation Sans'}"
    ".box{width:200px;height:100px;background:#2563eb;color:#fff}</style>"
    "<div class=\"box\" id=\"one\" data-glmv=\"7\">Hello <b>there</b></div>"
    "<p>one two</p><p>three</p><input placeholder=\"Your name\">"
    "<img src=\"http://127.0.0.1:9/x.png\"><script>document.body.innerHTML=''</script>";

static struct glmv_render *draw(struct glmv_renderer *r, const char *html,
                                const struct glmv_render_options *options, struct glmv_err *err)
{
    return glmv_renderer_render(r, html, strlen(html), options, err);
}

static const struct glmv_page_text *find_text(const struct glmv_page *p, const char *text)
{
    for (size_t i = 0; i < p->text_count; i++) {
        if (strcmp(p->texts[i].text, text) == 0) {
            return &p->texts[i];
        }
    }
    return NULL;
}

static void facts_say_what_is_there(struct glmv_renderer *r)
{
    struct glmv_err err = {0};
    struct glmv_render_options o = glmv_render_defaults();
    struct glmv_render *shot = draw(r, page, &o, &err);
    CHECK_MSG(shot != NULL, "%s", err.message);
    if (shot == NULL) {
        return;
    }
    CHECK(shot->image->width == 1280 && shot->image->height == 800);
    CHECK(shot->image->rgba[0] == 0x25 && shot->image->rgba[1] == 0x63 &&
          shot->image->rgba[2] == 0xeb);
    const struct glmv_page_text *bold = find_text(shot->page, "there");
    CHECK(bold != NULL && bold->weight == 700 && bold->rgba == 0xffffffff && bold->font_px == 16);
    CHECK(find_text(shot->page, "Your name") != NULL);
    const struct glmv_page_text *three = find_text(shot->page, "three");
    CHECK(three != NULL);
    if (three != NULL) {
        CHECK_STR(shot->page->elements[three->element].path, "body > p:nth-of-type(2)");
    }
    bool marked = false;
    for (size_t i = 0; i < shot->page->element_count; i++) {
        const struct glmv_page_element *e = &shot->page->elements[i];
        marked = marked || (e->mark == 7 && e->box.w == 200 && e->box.h == 100 &&
                            e->background == 0x2563ebff && strcmp(e->path, "#one") == 0);
        CHECK(e->parent < (int)i);
    }
    CHECK(marked);
    CHECK(shot->page->blocked_count == 1);
    glmv_render_free(shot);
}

static void the_same_bytes_give_the_same_pixels(struct glmv_renderer *r)
{
    struct glmv_err err = {0};
    struct glmv_render_options o = glmv_render_defaults();
    struct glmv_renderer *other = glmv_renderer_open(NULL, &err);
    struct glmv_render *a = draw(r, page, &o, &err);
    struct glmv_render *b = draw(other, page, &o, &err);
    CHECK_MSG(a != NULL && b != NULL, "%s", err.message);
    CHECK(a != NULL && b != NULL && a->image->height == b->image->height &&
          memcmp(a->image->rgba, b->image->rgba,
                 (size_t)a->image->width * (size_t)a->image->height * 4) == 0);
    glmv_render_free(a);
    glmv_render_free(b);
    glmv_renderer_close(other);
}

static void sizes_are_as_asked(struct glmv_renderer *r)
{
    struct glmv_err err = {0};
    struct glmv_render_options o = glmv_render_defaults();
    o.width = 300;
    o.height = 200;
    o.scale = 2;
    struct glmv_render *shot =
        draw(r, "<body style='margin:0'><div style='height:500px'>x</div>", &o, &err);
    CHECK(shot != NULL && shot->image->width == 600 && shot->image->height == 1000 &&
          shot->page->height == 500);
    glmv_render_free(shot);
    o.viewport_only = true;
    shot = draw(r, "<body style='margin:0'><div style='height:500px'>x</div>", &o, &err);
    CHECK(shot != NULL && shot->image->height == 400);
    glmv_render_free(shot);
    o = glmv_render_defaults();
    o.max_height = 1000;
    shot = draw(r, "<body style='margin:0'><div style='height:90000px;background:red'>x</div>", &o,
                &err);
    CHECK_MSG(shot != NULL && shot->cut && shot->image->height == 1000, "%s", err.message);
    CHECK(shot != NULL && shot->page->height == 90000 &&
          shot->image->rgba[(999 * 1280 + 5) * 4] == 255);
    glmv_render_free(shot);
    shot = draw(
        r, "<body style='margin:0'><div style='width:90000px;height:20px;background:red'>x</div>",
        &o, &err);
    CHECK_MSG(shot != NULL && !shot->cut && shot->image->width == 1280, "%s", err.message);
    glmv_render_free(shot);
    o.width = 0;
    err = (struct glmv_err){0};
    CHECK(draw(r, "x", &o, &err) == NULL && err.code == GLMV_ERR_USAGE);
}

static void dark_pages_are_dark(struct glmv_renderer *r)
{
    const char *html = "<style>body{background:#fff}@media(prefers-color-scheme:dark){body{"
                       "background:#000}}</style>x";
    struct glmv_render_options o = glmv_render_defaults();
    struct glmv_render *light = draw(r, html, &o, NULL);
    o.dark = true;
    struct glmv_render *dark = draw(r, html, &o, NULL);
    CHECK(light != NULL && light->image->rgba[0] == 255);
    CHECK(dark != NULL && dark->image->rgba[0] == 0);
    glmv_render_free(light);
    glmv_render_free(dark);
}

static bool is_red(const struct glmv_render *shot)
{
    return shot != NULL && shot->image->rgba[0] == 255 && shot->image->rgba[1] == 0;
}

/* A folder with red.png inside, one outside, and a link to the outside. */
static void only_the_asset_folder_is_reached(struct glmv_renderer *r)
{
    char top[] = "/tmp/glmv-assets-XXXXXX";
    char path[200];
    char link[200];
    char folder[200];
    CHECK(mkdtemp(top) != NULL);
    chmod(top, 0755);
    snprintf(folder, sizeof folder, "%s/in", top);
    mkdir(folder, 0755);
    struct glmv_image *red = glmv_image_new(50, 50, NULL);
    glmv_image_flatten(red, 0xff0000);
    snprintf(path, sizeof path, "%s/in/red.png", top);
    CHECK(glmv_image_write_png(red, path, NULL));
    snprintf(path, sizeof path, "%s/outside.png", top);
    CHECK(glmv_image_write_png(red, path, NULL));
    snprintf(link, sizeof link, "%s/in/link.png", top);
    CHECK(symlink(path, link) == 0);
    struct glmv_render_options o = glmv_render_defaults();
    static const char *const sources[] = {"red.png", "../outside.png", "..%2foutside.png",
                                          "link.png"};
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        char html[200];
        snprintf(html, sizeof html, "<body style='margin:0'><img src='%s' style='display:block'>",
                 sources[i]);
        o.assets = folder;
        struct glmv_render *shot = draw(r, html, &o, NULL);
        CHECK_MSG(is_red(shot) == (i == 0), "%s", sources[i]);
        glmv_render_free(shot);
        o.assets = NULL;
        shot = draw(r, html, &o, NULL);
        CHECK(shot != NULL && !is_red(shot));
        glmv_render_free(shot);
    }
    char command[220];
    snprintf(command, sizeof command, "rm -r %s", top);
    CHECK(system(command) == 0);
    glmv_image_free(red);
}

static void a_hang_is_stopped_and_the_next_render_works(struct glmv_renderer *r)
{
    struct glmv_err err = {0};
    struct glmv_render_options o = glmv_render_defaults();
    o.scripts = true;
    o.timeout_s = 1;
    CHECK(draw(r, "<script>for(;;);</script>", &o, &err) == NULL);
    CHECK(err.code == GLMV_ERR_RENDER && strstr(err.message, "1 s") != NULL);
    err = (struct glmv_err){0};
    o = glmv_render_defaults();
    struct glmv_render *shot = draw(r, page, &o, &err);
    CHECK_MSG(shot != NULL, "%s", err.message);
    glmv_render_free(shot);
}

static void a_page_that_eats_memory_is_stopped_and_the_next_render_works(struct glmv_renderer *r)
{
    struct glmv_err err = {0};
    struct glmv_render_options o = glmv_render_defaults();
    o.scripts = true;
    o.timeout_s = 60; /* far beyond what it needs to reach the limit: time is not what stops it */
    CHECK(draw(r, "<script>const a=[];for(;;)a.push(new Uint8Array(1<<24).fill(1))</script>", &o,
               &err) == NULL);
    CHECK_MSG(err.code == GLMV_ERR_RENDER && strstr(err.message, "memory") != NULL, "%s",
              err.message);
    err = (struct glmv_err){0};
    o = glmv_render_defaults();
    struct glmv_render *shot = draw(r, page, &o, &err);
    CHECK_MSG(shot != NULL, "%s", err.message);
    glmv_render_free(shot);
}

static bool mentions(char *const *list, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(list[i], what) != NULL) {
            return true;
        }
    }
    return false;
}

static void errors_and_requests_are_told(struct glmv_renderer *r)
{
    struct glmv_err err = {0};
    struct glmv_render_options o = glmv_render_defaults();
    o.scripts = true;
    const char *html =
        "<link rel=stylesheet href=\"https://example.invalid/a.css\">"
        "<style>@import url(//example.invalid/b.css);b{background:url('http://192.0.2.1/c.png')}"
        "</style><img srcset=\"https://example.invalid/d.png 2x\"><b>x</b>"
        "<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\">"
        "<script>console.log('quiet');console.error('told \\'so\\'');nothing.there()</script>";
    struct glmv_render *shot = draw(r, html, &o, &err);
    CHECK_MSG(shot != NULL, "%s", err.message);
    if (shot == NULL) {
        return;
    }
    const struct glmv_page *p = shot->page;
    CHECK(mentions(p->console, p->console_count, "told 'so'"));
    CHECK(mentions(p->console, p->console_count, "nothing"));
    CHECK(!mentions(p->console, p->console_count, "quiet"));
    static const char *const asked[] = {"/a.css", "/b.css", "http://192.0.2.1/c.png", "/d.png"};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        CHECK_MSG(mentions(p->blocked, p->blocked_count, asked[i]), "%s", asked[i]);
    }
    CHECK(p->blocked_count == 4);
    glmv_render_free(shot);
    o.scripts = false;
    shot = draw(r, html, &o, &err);
    CHECK(shot != NULL && !mentions(shot->page->console, shot->page->console_count, "told"));
    glmv_render_free(shot);
}

/* Where a user may make a sandbox, pages are in it. Run as root, the worker's user is nobody. */
static void pages_have_the_walls_that_the_machine_allows(struct glmv_renderer *r)
{
    static const char probe[] =
        "bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev true 2>/dev/null";
    char command[200];
    snprintf(command, sizeof command,
             geteuid() == 0 ? "setpriv --reuid 65534 --regid 65534 --clear-groups %s" : "%s",
             probe);
    bool possible = system(command) == 0;
    struct glmv_render_options o = glmv_render_defaults();
    struct glmv_render *shot = draw(r, page, &o, NULL);
    CHECK(shot != NULL && (!possible || (shot->sandboxed && shot->isolated)));
    glmv_render_free(shot);
}

static void *draw_many(void *arg)
{
    struct glmv_renderer *r = glmv_renderer_open(NULL, NULL);
    struct glmv_render_options o = glmv_render_defaults();
    int *good = arg;
    for (int i = 0; r != NULL && i < 3; i++) {
        struct glmv_render *shot = draw(r, page, &o, NULL);
        *good += shot != NULL;
        glmv_render_free(shot);
    }
    glmv_renderer_close(r);
    return NULL;
}

static void several_work_at_once(void)
{
    pthread_t threads[3];
    int good[3] = {0};
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, draw_many, &good[i]) == 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        CHECK(good[i] == 3);
    }
}

/* Processes below this one, and private folders of workers. */
static int leftovers(void)
{
    int count = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        char path[300];
        int parent = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *file = e->d_name[0] >= '0' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (file != NULL) {
            count += fscanf(file, "%*d %*s %*c %d", &parent) == 1 && parent == getpid();
            fclose(file);
        }
    }
    closedir(folder);
    return count;
}

int main(void)
{
    if (system("command -v Xvfb >/dev/null") != 0) {
        SKIP("Xvfb is not installed");
    }
    struct glmv_err err = {0};
    struct glmv_renderer *r = glmv_renderer_open(NULL, &err);
    CHECK_MSG(r != NULL, "%s", err.message);
    if (r != NULL) {
        facts_say_what_is_there(r);
        the_same_bytes_give_the_same_pixels(r);
        sizes_are_as_asked(r);
        dark_pages_are_dark(r);
        only_the_asset_folder_is_reached(r);
        a_hang_is_stopped_and_the_next_render_works(r);
        a_page_that_eats_memory_is_stopped_and_the_next_render_works(r);
        errors_and_requests_are_told(r);
        pages_have_the_walls_that_the_machine_allows(r);
    }
    glmv_renderer_close(r);
    several_work_at_once();
    CHECK(leftovers() == 0);
    glmv_renderer_close(NULL);
    struct glmv_err missing = {0};
    CHECK(glmv_renderer_open("/nonexistent/worker", &missing) == NULL &&
          missing.code == GLMV_ERR_MISSING);
    TEST_END();
}
