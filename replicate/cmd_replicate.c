/* The main job: a screenshot becomes a page. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "replicate/command.h"
#include "replicate/model_options.h"
#include "replicate/model_page.h"
#include "replicate/report.h"
#include "replicate/trace.h"

#define REPORT_MAX ((size_t)1 << 30)

static const char usage[] =
    "Usage: glmv-replicate SHOT.png -o PAGE.html [OPTION...]\n"
    "Rebuilds a screenshot (PNG, WebP; - for standard input) as a page, renders it and measures "
    "how near it came.\n\n"
    "  -o FILE            the page; - for standard output\n"
    "  --report FILE      what was measured, as one HTML file to look at\n"
    "  --json FILE        the same for programs; - for standard output\n"
    "  --assets inline|DIR  pictures in the page (the default) or as files in a folder\n"
    "  --rounds N         renders that may correct the page, 0 to 20; 6\n"
    "  --target SCORE     stop at this score, and exit with 1 below it\n"
    "  --scale N          device px per CSS px of the screenshot, 1 to 4; 1\n"
    "  --lang LANGS       languages of the text as Tesseract names them, such as eng+jpn\n"
    "  --title TEXT       title of the page; its largest text\n"
    "  --threads N        for reading text; one a processor\n"
    "  --without STAGES   leave stages of the tracer out, to see what they are worth: "
    "photos,faces,\n"
    "                     icons,shadows\n"
    "  -q, --quiet        print errors only\n"
    "\nWith a model instead of the built-in tracer:\n" REPLICATE_MODEL_HELP
    "  --blocks               take search/replace blocks as corrections; whole pages otherwise\n"
    "  --tools                let the model draw, compare and crop by function calls, 8 an answer\n"
    "  --slice PX             height of the slices in which tall pages go; 2400; 0: in one piece\n"
    "  --no-corrections       leave the numbers in the model's style sheet as they are\n"
    "  --budget-tokens N      stop after so many tokens, prompts counted\n"
    "  --budget-seconds N     start no round after so many seconds\n"
    "\nExit codes: 0 done, 1 below the wanted score, 2 usage, 3 input, 4 renderer, 130 "
    "interrupted\n";

enum {
    OPT_REPORT = 256,
    OPT_JSON,
    OPT_ASSETS,
    OPT_ROUNDS,
    OPT_TARGET,
    OPT_SCALE,
    OPT_LANG,
    OPT_TITLE,
    OPT_THREADS,
    OPT_WITHOUT,
    OPT_BLOCKS,
    OPT_NO_CORRECTIONS,
    OPT_TOOLS,
    OPT_SLICE,
    OPT_BUDGET_TOKENS,
    OPT_BUDGET_SECONDS,
    OPT_HELP
};

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"report", required_argument, NULL, OPT_REPORT},
    {"json", required_argument, NULL, OPT_JSON},
    {"assets", required_argument, NULL, OPT_ASSETS},
    {"rounds", required_argument, NULL, OPT_ROUNDS},
    {"target", required_argument, NULL, OPT_TARGET},
    {"scale", required_argument, NULL, OPT_SCALE},
    {"lang", required_argument, NULL, OPT_LANG},
    {"title", required_argument, NULL, OPT_TITLE},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"without", required_argument, NULL, OPT_WITHOUT},
    {"blocks", no_argument, NULL, OPT_BLOCKS},
    {"tools", no_argument, NULL, OPT_TOOLS},
    {"slice", required_argument, NULL, OPT_SLICE},
    {"no-corrections", no_argument, NULL, OPT_NO_CORRECTIONS},
    {"budget-tokens", required_argument, NULL, OPT_BUDGET_TOKENS},
    {"budget-seconds", required_argument, NULL, OPT_BUDGET_SECONDS},
    REPLICATE_MODEL_OPTIONS,
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0}};

struct request {
    const char *input, *output, *report, *json;
    bool quiet, has_target, blocks, tools, no_corrections;
    struct replicate_trace_options trace;
    struct replicate_model model;
    int budget_tokens, budget_seconds; /* 0: no limit */
    int slice_px;
};

/* Names of stages, separated by commas. */
static bool read_stages(const char *text, struct request *r, struct glmv_err *err)
{
    static const struct {
        const char *name;
        enum glmv_look_stage stage;
    } stages[] = {{"photos", GLMV_LOOK_PHOTOS},
                  {"faces", GLMV_LOOK_FACES},
                  {"icons", GLMV_LOOK_ICONS},
                  {"shadows", GLMV_LOOK_SHADOWS}};
    for (const char *name = text; *name != '\0';) {
        size_t length = strcspn(name, ",");
        unsigned stage = 0;
        for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
            if (strlen(stages[i].name) == length && strncmp(name, stages[i].name, length) == 0) {
                stage = stages[i].stage;
            }
        }
        if (stage == 0) {
            return glmv_fail(err, GLMV_ERR_USAGE,
                             "--without: '%.*s' is none of photos, faces, icons, shadows",
                             (int)length, name);
        }
        r->trace.look.without |= stage;
        name += length + (name[length] == ',');
    }
    return true;
}

/* 0 to go on, else the exit code plus one. */
static int read_options(int argc, char **argv, struct request *r, struct glmv_err *err)
{
    optind = 1;
    for (int c = getopt_long(argc, argv, "o:qh", long_options, NULL); c != -1;
         c = getopt_long(argc, argv, "o:qh", long_options, NULL)) {
        bool ok = true;
        switch (c) {
        case 'o':
            r->output = optarg;
            break;
        case 'q':
            r->quiet = true;
            break;
        case OPT_REPORT:
            r->report = optarg;
            break;
        case OPT_JSON:
            r->json = optarg;
            break;
        case OPT_ASSETS:
            r->trace.emit.assets_dir = strcmp(optarg, "inline") == 0 ? NULL : optarg;
            break;
        case OPT_ROUNDS:
            ok = replicate_read_whole("--rounds", optarg, 0, REPLICATE_MAX_ROUNDS, &r->trace.rounds,
                                      err);
            break;
        case OPT_TARGET:
            ok = replicate_read_number("--target", optarg, 0, 1, &r->trace.target, err);
            r->has_target = true;
            break;
        case OPT_SCALE:
            ok = replicate_read_number("--scale", optarg, 1, 4, &r->trace.look.scale, err);
            break;
        case OPT_LANG:
            r->trace.look.lang = optarg;
            break;
        case OPT_TITLE:
            r->trace.emit.title = optarg;
            break;
        case OPT_THREADS:
            ok = replicate_read_whole("--threads", optarg, 1, 256, &r->trace.look.threads, err);
            break;
        case OPT_WITHOUT:
            ok = read_stages(optarg, r, err);
            break;
        case 'h':
        case OPT_HELP:
            fputs(usage, stdout);
            return 1 + REPLICATE_DONE;
        case OPT_BLOCKS:
            r->blocks = true;
            break;
        case OPT_TOOLS:
            r->tools = true;
            break;
        case OPT_SLICE:
            ok = replicate_read_whole("--slice", optarg, 0, GLMV_IMAGE_MAX_SIDE, &r->slice_px, err);
            if (ok && r->slice_px > 0 && r->slice_px < 300) {
                ok = glmv_fail(err, GLMV_ERR_USAGE, "--slice: 300 px or more, or 0");
            }
            break;
        case OPT_NO_CORRECTIONS:
            r->no_corrections = true;
            break;
        case OPT_BUDGET_TOKENS:
            ok =
                replicate_read_whole("--budget-tokens", optarg, 1, INT_MAX, &r->budget_tokens, err);
            break;
        case OPT_BUDGET_SECONDS:
            ok = replicate_read_whole("--budget-seconds", optarg, 1, INT_MAX, &r->budget_seconds,
                                      err);
            break;
        default:
            ok = replicate_model_option(&r->model, c, optarg, err);
            if (ok || err->message[0] != '\0') {
                break;
            }
            fputs("Try 'glmv-replicate --help'.\n", stderr);
            return 1 + REPLICATE_USAGE;
        }
        if (!ok) {
            return 1 + replicate_report(err);
        }
    }
    r->input = optind < argc ? argv[optind] : NULL;
    if (r->input == NULL || argc > optind + 1 || r->output == NULL) {
        glmv_fail(err, GLMV_ERR_USAGE,
                  "one screenshot and -o PAGE.html are needed; see 'glmv-replicate --help'");
        return 1 + replicate_report(err);
    }
    return 0;
}

static void show_progress(void *arg, const char *what)
{
    (void)arg;
    fprintf(stderr, "\r\033[K%s", what);
    fflush(stderr);
}

static bool write_results(const struct request *r, const struct glmv_image *target,
                          const struct replicate_trace *t, struct glmv_err *err)
{
    struct replicate_report report = {r->input, r->output, target, t};
    struct glmv_buf buf;
    glmv_buf_init(&buf, REPORT_MAX);
    bool ok = glmv_draft_write_assets(t->draft, err) &&
              glmv_file_write(r->output, t->html.data, t->html.len, err);
    if (ok && r->report != NULL) {
        ok = replicate_report_html(&report, &buf, err) &&
             glmv_file_write(r->report, buf.data, buf.len, err);
        glmv_buf_clear(&buf);
    }
    if (ok && r->json != NULL) {
        ok = replicate_report_json(&report, &buf, err) &&
             glmv_file_write(r->json, buf.data, buf.len, err);
    }
    glmv_buf_release(&buf);
    return ok;
}

static int run(struct request *r, struct glmv_err *err)
{
    struct glmv_image *target = glmv_image_read(r->input, err);
    if (target == NULL) {
        return replicate_report(err);
    }
    glmv_image_flatten(target, 0xffffff);
    bool terminal = !r->quiet && isatty(STDERR_FILENO);
    r->trace.progress = terminal ? show_progress : NULL;
    r->trace.cancel = replicate_cancel_flag();
    struct replicate_trace t;
    bool ok = replicate_trace_run(target, &r->trace, &t, err);
    if (terminal) {
        fputs("\r\033[K", stderr);
    }
    struct glmv_err late = {0};
    bool written = false;
    if (t.render != NULL && t.html.len > 0) {
        written = write_results(r, target, &t, &late);
    }
    int code = REPLICATE_DONE;
    if (!ok) {
        code = replicate_report(err);
    }
    if (late.code != GLMV_ERR_NONE) {
        code = replicate_report(&late);
    } else if (written && !r->quiet && strcmp(r->output, "-") != 0) {
        fprintf(stderr, "%s: score %.4f after %d render%s, %.1f s%s%s\n", r->output, t.score.total,
                t.round_count, t.round_count == 1 ? "" : "s", t.total_seconds,
                r->report != NULL ? "; look at " : "", r->report != NULL ? r->report : "");
        if (r->trace.look.scale == 0 && t.scene->scale > 1) {
            fprintf(stderr,
                    "%s: looks as if taken at %g device px per CSS px; --scale %g makes a page of "
                    "that size\n",
                    r->input, t.scene->scale, t.scene->scale);
        }
        for (size_t i = 0; i < t.scene->note_count; i++) {
            fprintf(stderr, "%s: %s\n", r->output, t.scene->notes[i]);
        }
    }
    if (code == REPLICATE_DONE && r->has_target && t.score.total < r->trace.target) {
        code = REPLICATE_BELOW;
    }
    replicate_trace_release(&t);
    glmv_image_free(target);
    return code;
}

static void print_line(void *arg, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "%s\n", sentence);
}

static int run_model(struct request *r)
{
    struct replicate_rounds_options rounds = replicate_rounds_defaults();
    rounds.rounds = r->trace.rounds;
    rounds.target = r->has_target ? r->trace.target : rounds.target;
    rounds.corrections = r->no_corrections ? 0 : rounds.corrections;
    rounds.budget_tokens = r->budget_tokens;
    rounds.budget_seconds = r->budget_seconds;
    rounds.log = r->quiet ? NULL : print_line;
    struct replicate_model_page job = {.model = &r->model,
                                       .rounds = &rounds,
                                       .lang = r->trace.look.lang,
                                       .scale = r->trace.look.scale,
                                       .threads = r->trace.look.threads,
                                       .blocks = r->blocks,
                                       .tools = r->tools,
                                       .slice_px = r->slice_px};
    struct replicate_model_files files = {r->input, r->output, r->report, r->json,
                                          r->trace.emit.assets_dir};
    int code = replicate_with_model(&files, &job);
    return code == REPLICATE_BELOW && !r->has_target ? REPLICATE_DONE : code;
}

int replicate_cmd_replicate(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct request r = {.trace = replicate_trace_defaults(),
                        .model = replicate_model_defaults(),
                        .slice_px = REPLICATE_SLICE_PX};
    r.model.where = NULL; /* the tracer works unless --model is said here */
    int stop = read_options(argc, argv, &r, &err);
    if (stop != 0) {
        return stop - 1;
    }
    /* Before the work of seconds, or of minutes with a model. */
    if (!glmv_file_may_write(r.output, &err) ||
        (r.report != NULL && !glmv_file_may_write(r.report, &err)) ||
        (r.json != NULL && !glmv_file_may_write(r.json, &err))) {
        return replicate_report(&err);
    }
    return r.model.where != NULL ? run_model(&r) : run(&r, &err);
}
