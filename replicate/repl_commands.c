/* What can be typed. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "replicate/author.h"
#include "replicate/css_rule.h"
#include "replicate/line_diff.h"
#include "replicate/region.h"
#include "replicate/repl.h"

/* words: what stands behind the command, without white space at its ends. */
typedef bool command_fn(struct replicate_repl *repl, const char *words, struct glmv_err *err);

struct command {
    const char *name, *takes, *does;
    command_fn *run;
};

static const char *html_of(const struct replicate_repl *repl)
{
    return repl->html.data != NULL ? repl->html.data : "";
}

/* The next word, cut from the rest. "" at the end. */
static const char *next_word(const char **words, char *word, size_t size)
{
    const char *at = *words + strspn(*words, " \t");
    size_t len = strcspn(at, " \t");
    snprintf(word, size, "%.*s", (int)(len < size ? len : size - 1), at);
    at += len;
    *words = at + strspn(at, " \t");
    return word;
}

static bool do_region(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    bool has;
    struct glmv_box box;
    if (strcmp(words, "off") == 0) {
        repl->region[0] = '\0';
        repl->has_box = false;
        puts("the whole page");
        return true;
    }
    if (words[0] != '\0') {
        if (strlen(words) >= sizeof repl->region) {
            return glmv_fail(err, GLMV_ERR_USAGE, "a region is shorter than %zu bytes",
                             sizeof repl->region);
        }
        if (repl->render == NULL || !replicate_region_parse(repl->render->page, words, &box, err)) {
            return glmv_fail(err, GLMV_ERR_RENDER, "there is no render to find the region in");
        }
        snprintf(repl->region, sizeof repl->region, "%s", words);
        repl->has_box = false;
    }
    if (!repl_region(repl, &has, &box, err)) {
        return false;
    }
    if (!has) {
        puts("the whole page; /region x,y,w,h or /region SELECTOR limits edits");
        return true;
    }
    int at = replicate_region_element(repl->render->page, box);
    printf("region: x %.0f, y %.0f, %.0f x %.0f px%s%s\n", box.x, box.y, box.w, box.h,
           at >= 0 ? ", " : "", at >= 0 ? repl->render->page->elements[at].path : "");
    return true;
}

static bool do_mark(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    if (words[0] == '\0' || repl->render == NULL) {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "/mark takes a picture: /render one, draw a red ring on it, /mark it");
    }
    struct glmv_image *mark = glmv_image_read(words, err);
    struct glmv_box box;
    bool ok = mark != NULL && replicate_region_ring(repl->render->image, mark, &box, err);
    glmv_image_free(mark);
    if (!ok) {
        return false;
    }
    repl->region[0] = '\0';
    repl->has_box = true;
    repl->box = box;
    return do_region(repl, "", err);
}

static bool go_to(struct replicate_repl *repl, int number, struct glmv_err *err)
{
    bool ok = replicate_session_go(repl->session, number, err) && repl_load(repl, err);
    if (ok) {
        repl_show(repl);
    }
    return ok;
}

static bool do_undo(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    (void)words;
    int parent = repl->session->versions[repl->session->current - 1].parent;
    return parent > 0 ? go_to(repl, parent, err)
                      : glmv_fail(err, GLMV_ERR_USAGE, "this is the first version");
}

static bool do_redo(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    (void)words;
    int next = replicate_session_next(repl->session);
    return next > 0 ? go_to(repl, next, err)
                    : glmv_fail(err, GLMV_ERR_USAGE, "nothing was taken back");
}

static bool do_history(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    const struct replicate_session *session = repl->session;
    if (words[0] != '\0') {
        char *end;
        long number = strtol(words, &end, 10);
        return *end == '\0' && number >= 1 && number <= session->count
                   ? go_to(repl, (int)number, err)
                   : glmv_fail(err, GLMV_ERR_USAGE, "there are versions 1 to %d", session->count);
    }
    for (int i = 1; i <= session->count; i++) {
        const struct replicate_version *version = &session->versions[i - 1];
        printf("%c%4d  ", i == session->current ? '>' : ' ', i);
        if (version->parent > 0 && version->parent != i - 1) {
            printf("(from %d) ", version->parent);
        }
        puts(version->what);
    }
    return true;
}

static bool do_diff(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    (void)words;
    struct glmv_buf before;
    int parent = repl->session->versions[repl->session->current - 1].parent;
    if (parent == 0) {
        return glmv_fail(err, GLMV_ERR_USAGE, "this is the first version");
    }
    const char *plain = getenv("NO_COLOR");
    bool colour = repl->terminal && (plain == NULL || plain[0] == '\0');
    glmv_buf_init(&before, REPLICATE_MAX_HTML);
    bool ok = replicate_session_read(repl->session, parent, &before, err) &&
              replicate_line_diff(before.data != NULL ? before.data : "", before.len, html_of(repl),
                                  repl->html.len, colour, stdout, err);
    struct glmv_render *old =
        ok ? glmv_renderer_render(repl->renderer, before.data != NULL ? before.data : "",
                                  before.len, &repl->render_options, err)
           : NULL;
    if (old != NULL && repl->render != NULL) {
        struct glmv_box nothing = {0}, where;
        size_t changed = replicate_region_leak(old->image, repl->render->image, nothing, &where);
        printf("%zu pixels differ from version %d", changed, parent);
        if (changed > 0) {
            printf(", within x %.0f, y %.0f, %.0f x %.0f px", where.x, where.y, where.w, where.h);
        }
        putchar('\n');
    }
    ok = ok && old != NULL;
    glmv_render_free(old);
    glmv_buf_release(&before);
    return ok;
}

static bool do_render(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    char path[4200];
    snprintf(path, sizeof path, "%s", words);
    if (words[0] == '\0') {
        snprintf(path, sizeof path, "%s/render.png", repl->session->folder);
    }
    if (repl->render == NULL && !repl_load(repl, err)) {
        return false;
    }
    bool ok = glmv_image_write_png(repl->render->image, path, err);
    if (ok) {
        puts(path);
    }
    return ok;
}

/* Starts xdg-open without waiting for the browser. */
static bool start_browser(const char *path, struct glmv_err *err)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) { /* the browser is nobody's child and stays when we end */
            setsid();
            if (freopen("/dev/null", "w", stdout) != NULL &&
                freopen("/dev/null", "w", stderr) != NULL) {
                execlp("xdg-open", "xdg-open", path, (char *)NULL);
            }
            _exit(127);
        }
        _exit(0);
    }
    if (pid < 0) {
        return glmv_fail(err, GLMV_ERR_IO, "no process can be started; open %s yourself", path);
    }
    waitpid(pid, NULL, 0);
    return true;
}

/* A copy with a <base>: the versions lie in the session's folder, the page's pictures do not. */
static bool do_open(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    (void)words;
    char path[4200];
    struct glmv_buf copy;
    glmv_buf_init(&copy, REPLICATE_MAX_HTML + 65536);
    snprintf(path, sizeof path, "%s/open.html", repl->session->folder);
    bool ok = replicate_css_base(html_of(repl), repl->html.len, repl->assets, &copy, err) &&
              glmv_file_write(path, copy.data, copy.len, err);
    glmv_buf_release(&copy);
    if (!ok) {
        return false;
    }
    puts(path);
    bool screen = getenv("DISPLAY") != NULL || getenv("WAYLAND_DISPLAY") != NULL;
    return !screen || start_browser(path, err);
}

static bool do_save(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    if (strlen(words) >= sizeof repl->saved) {
        return glmv_fail(err, GLMV_ERR_USAGE, "the path is too long");
    }
    if (words[0] != '\0') {
        snprintf(repl->saved, sizeof repl->saved, "%s", words);
    }
    if (repl->saved[0] == '\0' || strcmp(repl->saved, "-") == 0) {
        repl->saved[0] = '\0';
        return glmv_fail(err, GLMV_ERR_USAGE, "/save FILE the first time");
    }
    bool ok = glmv_file_write(repl->saved, html_of(repl), repl->html.len, err);
    if (ok) {
        printf("%s: %zu bytes\n", repl->saved, repl->html.len);
    }
    return ok;
}

static bool do_score(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    if (words[0] != '\0') {
        struct glmv_image *target = glmv_image_read(words, err);
        if (target == NULL) {
            return false;
        }
        glmv_image_flatten(target, 0xFFFFFF);
        if (!repl_aim(repl, target, err) || !repl_load(repl, err)) {
            return false;
        }
    }
    if (repl->target == NULL) {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "/score SHOT.png says what the page should look like");
    }
    repl_show(repl);
    return true;
}

static bool do_set(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    char property[100] = "", what[700];
    const char *rest = words;
    /* A selector with blanks stands in quotes. */
    size_t selector = strcspn(words, " \t");
    if (words[0] == '"') {
        const char *end = strchr(words + 1, '"');
        selector = end != NULL ? (size_t)(end - words) + 1 : selector;
    }
    rest += selector;
    next_word(&rest, property, sizeof property);
    property[strcspn(property, ":")] = '\0';
    if (property[0] == '\0' || rest[0] == '\0') {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "/set SELECTOR PROPERTY VALUE, such as /set h1 color #1a73e8 or /set "
                         "\"nav a\" color red");
    }
    char name[300];
    bool quoted = words[0] == '"' && selector > 1;
    snprintf(name, sizeof name, "%.*s", (int)(selector - (quoted ? 2 : 0)), words + quoted);
    struct glmv_buf html;
    glmv_buf_init(&html, REPLICATE_MAX_HTML);
    snprintf(what, sizeof what, "/set %.600s", words);
    bool ok = replicate_css_set(html_of(repl), repl->html.len, name, property, rest, &html, err) &&
              repl_change(repl, html.data, html.len, NULL, what, err);
    glmv_buf_release(&html);
    return ok;
}

static bool do_model(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    if (words[0] != '\0') {
        char where[sizeof repl->model_where], name[sizeof repl->model_name];
        next_word(&words, where, sizeof where);
        next_word(&words, name, sizeof name);
        struct replicate_model model = repl->model;
        model.where = where;
        model.name = name[0] != '\0' ? name : NULL;
        struct glmv_chat *chat = replicate_model_open(&model, err);
        if (chat == NULL) {
            return false;
        }
        glmv_chat_close(repl->chat);
        repl->chat = chat;
        memcpy(repl->model_where, where, sizeof where);
        memcpy(repl->model_name, name, sizeof name);
        repl->model.where = repl->model_where;
        repl->model.name = name[0] != '\0' ? repl->model_name : NULL;
    }
    if (repl->model.where == NULL) {
        puts("no model; /model ADDRESS [NAME], such as /model http://localhost:8000/v1");
    } else {
        printf("model: %s%s%s\n", repl->model.where, repl->model.name != NULL ? " " : "",
               repl->model.name != NULL ? repl->model.name : "");
    }
    return true;
}

static bool do_think(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    static const char *const names[] = {"as the model likes", "on", "off"};
    bool show = strcmp(words, "show") == 0;
    if (show || strcmp(words, "hide") == 0) {
        repl->model.show_thinking = show;
    } else if (words[0] != '\0' &&
               !replicate_model_option(&repl->model, REPLICATE_OPT_THINK, words, err)) {
        return false;
    }
    printf("thinking: %s, %s\n", names[repl->model.chat.thinking],
           repl->model.show_thinking ? "shown" : "hidden");
    return true;
}

static bool do_quit(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    (void)words;
    (void)err;
    repl->done = true;
    return true;
}

static command_fn do_help;

static const struct command commands[] = {
    {"region", "x,y,w,h | SELECTOR | off", "limit edits to a part of the page", do_region},
    {"mark", "FILE.png", "the same by a red ring drawn on a render", do_mark},
    {"set", "SELECTOR PROPERTY VALUE", "change the page without a model", do_set},
    {"undo", "", "back to the version before", do_undo},
    {"redo", "", "forward again", do_redo},
    {"diff", "", "what this version changed", do_diff},
    {"history", "[N]", "all versions; go to version N", do_history},
    {"render", "[FILE.png]", "write a picture of the page", do_render},
    {"open", "", "show the page in the browser", do_open},
    {"save", "[FILE]", "write the page", do_save},
    {"score", "[SHOT.png]", "how much the page looks like a screenshot", do_score},
    {"model", "[ADDRESS [NAME]]", "which model is asked", do_model},
    {"think", "on | off | TOKENS | show | hide", "whether it thinks first, and shows it", do_think},
    {"help", "", "this list", do_help},
    {"quit", "", "leave; so does Ctrl-D", do_quit},
};

static bool do_help(struct replicate_repl *repl, const char *words, struct glmv_err *err)
{
    (void)repl;
    (void)words;
    (void)err;
    puts("Say what should change, or:");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char usage[80];
        snprintf(usage, sizeof usage, "/%s %s", commands[i].name, commands[i].takes);
        printf("  %-40s %s\n", usage, commands[i].does);
    }
    return true;
}

static const struct command *find_command(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strlen(commands[i].name) == len && memcmp(commands[i].name, name, len) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

void repl_line(struct replicate_repl *repl, const char *line)
{
    struct glmv_err err = {0};
    char *words = strdup(line + strspn(line, " \t\r\n"));
    if (words == NULL) {
        puts("out of memory");
        return;
    }
    for (size_t len = strlen(words); len > 0 && strchr(" \t\r\n", words[len - 1]) != NULL; len--) {
        words[len - 1] = '\0';
    }
    bool ok = true;
    if (words[0] == '/') {
        size_t len = strcspn(words + 1, " \t");
        const struct command *command = find_command(words + 1, len);
        const char *rest = words + 1 + len;
        ok = command != NULL ? command->run(repl, rest + strspn(rest, " \t"), &err)
                             : glmv_fail(&err, GLMV_ERR_USAGE, "there is no /%.*s; see /help",
                                         (int)len, words + 1);
    } else if (words[0] != '\0') {
        ok = repl_edit(repl, words, &err);
    }
    if (!ok) {
        puts(err.code == GLMV_ERR_CANCELLED ? "stopped; the page is as it was" : err.message);
    }
    fflush(stdout);
    free(words);
}
