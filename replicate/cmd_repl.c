/* glmv-replicate repl: a page changed line by line. */
#include <errno.h>
#include <histedit.h>
#include <libgen.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "replicate/author.h"
#include "replicate/command.h"
#include "replicate/model_page.h"
#include "replicate/repl.h"
#include "replicate/trace.h"

#define HISTORY_LINES 2000

static const char help[] =
    "Usage: glmv-replicate repl [PAGE.html | SHOT.png] [OPTION...]\n\n"
    "Changes a page line by line: say what should change, or use a /command (/help lists them).\n"
    "A screenshot is rebuilt first: by the model when --model is given, else by the tracer. With\n"
    "neither page nor screenshot the newest session goes on. Every version stays on disk, under\n"
    "XDG_STATE_HOME/glmv-replicate/sessions.\n\n"
    "  --resume NAME          go on with this session\n"
    "  --list                 list the sessions\n"
    "  --width PX             width of the window for a page; 1280\n" REPLICATE_MODEL_HELP;

struct options {
    const char *input, *resume;
    bool list, model_said;
    int width;
    struct replicate_model model;
};

/* -- start --------------------------------------------------------------------------------------
 */

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), size = strlen(end);
    return len >= size && strcmp(text + len - size, end) == 0;
}

static void on_line(void *arg, const char *sentence)
{
    (void)arg;
    puts(sentence);
}

/* First version out of a screenshot. */
static bool rebuild(struct replicate_repl *repl, const struct options *options,
                    struct glmv_err *err)
{
    if (options->model_said) {
        struct replicate_rounds_options rounds = replicate_rounds_defaults();
        rounds.log = on_line;
        struct replicate_model_page job = {.model = &repl->model,
                                           .rounds = &rounds,
                                           .renderer = repl->renderer,
                                           .target = repl->target,
                                           .slice_px = REPLICATE_SLICE_PX,
                                           .scale = 1};
        struct replicate_rounds_result result;
        bool ok = replicate_model_page_write(&job, &result, err);
        if (result.render != NULL) {
            if (!ok) { /* the best page so far is worth having */
                puts(err->message);
                glmv_err_clear(err);
            }
            ok = replicate_session_add(repl->session, result.page.data, result.page.len,
                                       "rebuilt by the model", err);
        }
        replicate_rounds_release(&result);
        return ok;
    }
    struct replicate_trace_options trace = replicate_trace_defaults();
    struct replicate_trace result;
    trace.cancel = repl->cancel;
    trace.progress = on_line;
    bool ok = replicate_trace_run(repl->target, &trace, &result, err) &&
              replicate_session_add(repl->session, result.html.data, result.html.len,
                                    "rebuilt by the tracer", err);
    replicate_trace_release(&result);
    return ok;
}

static bool start_with_shot(struct replicate_repl *repl, const struct options *options,
                            struct glmv_err *err)
{
    struct glmv_image *shot = glmv_image_read(options->input, err);
    if (shot == NULL) {
        return false;
    }
    glmv_image_flatten(shot, 0xFFFFFF);
    repl->session = replicate_session_new(options->input, shot->width, shot->height, err);
    if (repl->session == NULL) {
        glmv_image_free(shot);
        return false;
    }
    return repl_aim(repl, shot, err) && rebuild(repl, options, err);
}

static bool start_with_page(struct replicate_repl *repl, const struct options *options,
                            struct glmv_err *err)
{
    struct glmv_buf html;
    glmv_buf_init(&html, REPLICATE_MAX_HTML);
    bool ok = glmv_file_read(options->input, REPLICATE_MAX_HTML, &html, err);
    if (ok && html.len == 0) {
        ok = glmv_fail(err, GLMV_ERR_FORMAT, "%s is empty", options->input);
    }
    if (ok) {
        repl->session = replicate_session_new(options->input, options->width, 800, err);
        ok = repl->session != NULL &&
             replicate_session_add(repl->session, html.data, html.len, options->input, err);
    }
    glmv_buf_release(&html);
    return ok;
}

static bool start(struct replicate_repl *repl, const struct options *options, struct glmv_err *err)
{
    bool shot = options->input != NULL &&
                (ends_in(options->input, ".png") || ends_in(options->input, ".webp"));
    bool ok;
    repl->renderer = glmv_renderer_open(NULL, err);
    if (repl->renderer == NULL) {
        return false;
    }
    if (options->input == NULL) {
        repl->session = replicate_session_open(options->resume, err);
        ok = repl->session != NULL && repl_read_target(repl, err);
    } else {
        ok = shot ? start_with_shot(repl, options, err) : start_with_page(repl, options, err);
    }
    if (!ok) {
        return false;
    }
    snprintf(repl->assets, sizeof repl->assets, "%s", repl->session->source);
    dirname(repl->assets);
    repl->render_options.assets = repl->assets;
    bool page = !ends_in(repl->session->source, ".png") && !ends_in(repl->session->source, ".webp");
    snprintf(repl->saved, sizeof repl->saved, "%s", page ? repl->session->source : "");
    /* A version that cannot be drawn must not lock the person out of the others. */
    struct glmv_err late = {0};
    if (!repl_load(repl, &late)) {
        puts(late.message);
    }
    printf("session %s; /help lists the commands\n", replicate_session_name(repl->session));
    repl_show(repl);
    return true;
}

/* -- lines --------------------------------------------------------------------------------------
 */

static char *prompt(EditLine *el)
{
    (void)el;
    static char text[] = "> ";
    return text;
}

struct editor {
    EditLine *el;
    History *history;
    HistEvent event;
    struct glmv_buf path; /* of the history */
};

static bool editor_open(struct editor *editor, struct glmv_err *err)
{
    memset(editor, 0, sizeof *editor);
    glmv_buf_init(&editor->path, 4096);
    editor->el = el_init("glmv-replicate", stdin, stdout, stderr);
    editor->history = history_init();
    if (editor->el == NULL || editor->history == NULL) {
        return glmv_fail(err, GLMV_ERR_MISSING, "the terminal cannot be used for editing lines");
    }
    history(editor->history, &editor->event, H_SETSIZE, HISTORY_LINES);
    history(editor->history, &editor->event, H_SETUNIQUE, 1);
    el_set(editor->el, EL_PROMPT, prompt);
    el_set(editor->el, EL_EDITOR, "emacs");
    el_set(editor->el, EL_HIST, history, editor->history);
    el_set(editor->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(editor->el, NULL);
    if (!replicate_session_root("history", &editor->path, err)) {
        return false;
    }
    history(editor->history, &editor->event, H_LOAD, editor->path.data);
    return true;
}

static void editor_close(struct editor *editor)
{
    if (editor->history != NULL) {
        history_end(editor->history);
    }
    if (editor->el != NULL) {
        el_end(editor->el);
    }
    glmv_buf_release(&editor->path);
}

/* Ctrl-C at the prompt empties the line. */
static bool edit_lines(struct replicate_repl *repl, struct glmv_err *err)
{
    struct editor editor;
    bool ok = editor_open(&editor, err);
    while (ok && !repl->done) {
        int count = 0;
        errno = 0;
        const char *line = el_gets(editor.el, &count);
        if (atomic_load(repl->cancel)) {
            replicate_cancel_reset();
            el_reset(editor.el);
            puts("^C");
            continue;
        }
        if (line == NULL || count <= 0) {
            putchar('\n');
            break;
        }
        if (line[strspn(line, " \t\n")] != '\0') {
            history(editor.history, &editor.event, H_ENTER, line);
            history(editor.history, &editor.event, H_SAVE, editor.path.data);
        }
        repl_line(repl, line);
        replicate_cancel_reset();
    }
    editor_close(&editor);
    return ok;
}

/* Lines from a pipe or a file: no prompt, no history. */
static void read_lines(struct replicate_repl *repl)
{
    char *line = NULL;
    size_t size = 0;
    while (!repl->done && getline(&line, &size, stdin) > 0 && !atomic_load(repl->cancel)) {
        repl_line(repl, line);
    }
    free(line);
}

static int run(const struct options *options)
{
    struct glmv_err err = {0};
    struct replicate_repl repl = {
        .render_options = glmv_render_defaults(),
        .model = options->model,
        .cancel = replicate_cancel_keep(),
        .terminal = isatty(STDOUT_FILENO),
    };
    glmv_buf_init(&repl.html, REPLICATE_MAX_HTML);
    setlocale(LC_CTYPE, "");
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool ok = start(&repl, options, &err);
    if (ok && isatty(STDIN_FILENO) && repl.terminal) {
        replicate_cancel_keep(); /* the rounds of a model set a handler of their own */
        replicate_cancel_reset();
        ok = edit_lines(&repl, &err);
    } else if (ok) {
        read_lines(&repl);
    }
    if (repl.session != NULL && repl.session->count > 0) {
        printf("go on with: glmv-replicate repl --resume %s\n",
               replicate_session_name(repl.session));
    }
    bool stopped = !repl.terminal && atomic_load(repl.cancel);
    repl_release(&repl);
    return !ok ? replicate_report(&err) : stopped ? REPLICATE_INTERRUPTED : REPLICATE_DONE;
}

int replicate_cmd_repl(int argc, char **argv)
{
    enum { OPT_RESUME = 1, OPT_LIST, OPT_WIDTH };
    static const struct option long_options[] = {
        {"help", no_argument, NULL, 'h'},
        {"resume", required_argument, NULL, OPT_RESUME},
        {"list", no_argument, NULL, OPT_LIST},
        {"width", required_argument, NULL, OPT_WIDTH},
        REPLICATE_MODEL_OPTIONS,
        {0},
    };
    struct options options = {.width = 1280, .model = replicate_model_defaults()};
    struct glmv_err err = {0};
    int code;
    while ((code = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (code == 'h') {
            fputs(help, stdout);
            return REPLICATE_DONE;
        }
        if (code == OPT_RESUME) {
            options.resume = optarg;
        } else if (code == OPT_LIST) {
            options.list = true;
        } else if (code == OPT_WIDTH) {
            options.width = atoi(optarg);
        } else if (!replicate_model_option(&options.model, code, optarg, &err)) {
            return err.message[0] != '\0' ? replicate_report(&err) : REPLICATE_USAGE;
        }
        options.model_said = options.model_said || code == REPLICATE_OPT_MODEL;
    }
    options.input = optind < argc ? argv[optind] : NULL;
    if (argc - optind > 1 || (options.input != NULL && options.resume != NULL) ||
        options.width < 1 || options.width > 16384) {
        fputs("glmv-replicate: repl takes one page or screenshot, or --resume NAME; see "
              "glmv-replicate repl --help\n",
              stderr);
        return REPLICATE_USAGE;
    }
    if (options.list) {
        return replicate_session_list(&err) ? REPLICATE_DONE : replicate_report(&err);
    }
    return run(&options);
}
