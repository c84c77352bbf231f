/* glmv-replicate batch: a folder of screenshots becomes a folder of pages. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "replicate/batch.h"
#include "replicate/command.h"
#include "replicate/trace.h"

#define MAX_JOBS 256

static const char help[] =
    "Usage: glmv-replicate batch FOLDER -o OUT [OPTION...]\n\n"
    "Rebuilds every screenshot (.png, .webp) of a folder: OUT/NAME.html is the page, "
    "OUT/NAME.json\n"
    "says how it went. Pages that are there already are left alone, so a run that was stopped "
    "goes\n"
    "on with the same command. A terminal shows a bar, anything else gets a JSON line a page on\n"
    "standard output. Exit code 4 when a page failed.\n\n"
    "  -o, --output OUT       folder for the pages\n"
    "  -j, --jobs N           pages at a time, 1 to 256; 4. Requests to a server wait together;\n"
    "                         reading and drawing takes one processor each\n"
    "  --rounds N             renders that may correct a page, 0 to 20; 6, or 3 with a model\n"
    "  --target SCORE         a page is done at this score\n"
    "  --lang LANGS           languages of the text as Tesseract names them\n"
    "\nWith a model instead of the built-in tracer:\n" REPLICATE_MODEL_HELP;

struct show {
    bool terminal;
    double started;
};

/* Seconds until the end at the pace so far; -1 before there is one. */
static double eta(const struct show *show, const struct replicate_batch_count *count)
{
    size_t ended = count->done + count->failed, rest = count->total - count->skipped - ended;
    return ended > 0 ? (glmv_now() - show->started) / (double)ended * (double)rest : -1;
}

static void print_json(cJSON *root)
{
    char *text = cJSON_PrintUnformatted(root);
    if (text != NULL) {
        puts(text);
        fflush(stdout);
    }
    free(text);
    cJSON_Delete(root);
}

static void show_bar(const struct show *show, const struct replicate_batch_event *event,
                     const struct replicate_batch_count *count)
{
    enum { CELLS = 24 };
    char bar[CELLS + 1];
    size_t ended = count->done + count->failed + count->skipped;
    size_t full = ended * CELLS / count->total;
    memset(bar, '#', full);
    memset(bar + full, '.', CELLS - full);
    bar[CELLS] = '\0';
    if (event->problem[0] != '\0') {
        fprintf(stderr, "\r\033[K%s: %s\n", event->page, event->problem);
    }
    long left = (long)eta(show, count);
    fprintf(stderr, "\r\033[K%s %zu/%zu  %zu failed  ETA %ld:%02ld:%02ld", bar, ended, count->total,
            count->failed, left / 3600, left / 60 % 60, left % 60);
    fflush(stderr);
}

static void on_page(void *arg, const struct replicate_batch_event *event,
                    const struct replicate_batch_count *count)
{
    const struct show *show = arg;
    if (show->terminal) {
        show_bar(show, event, count);
        return;
    }
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "page", event->page);
    cJSON_AddStringToObject(root, "status", event->problem[0] == '\0' ? "done" : "failed");
    if (event->written) {
        cJSON_AddNumberToObject(root, "score", event->score);
        cJSON_AddNumberToObject(root, "rounds", event->rounds);
        cJSON_AddNumberToObject(root, "accepted", event->accepted);
    }
    cJSON_AddNumberToObject(root, "seconds", event->seconds);
    if (event->problem[0] != '\0') {
        cJSON_AddStringToObject(root, "problem", event->problem);
    }
    cJSON_AddNumberToObject(root, "eta_s", eta(show, count));
    print_json(root);
}

static int run(const struct replicate_batch_options *options)
{
    struct glmv_err err = {0};
    struct replicate_batch_count count;
    struct show show = {isatty(STDERR_FILENO) && isatty(STDOUT_FILENO), glmv_now()};
    bool ok = replicate_batch_run(options, on_page, &show, &count, &err);
    size_t left = count.total - count.skipped - count.done - count.failed;
    if (show.terminal) {
        fprintf(stderr, "\r\033[K%zu done, %zu failed, %zu were there already, %zu left\n",
                count.done, count.failed, count.skipped, left);
    } else if (count.total > 0) {
        cJSON *root = cJSON_CreateObject();
        cJSON_AddNumberToObject(root, "total", (double)count.total);
        cJSON_AddNumberToObject(root, "done", (double)count.done);
        cJSON_AddNumberToObject(root, "failed", (double)count.failed);
        cJSON_AddNumberToObject(root, "skipped", (double)count.skipped);
        cJSON_AddNumberToObject(root, "left", (double)left);
        cJSON_AddNumberToObject(root, "seconds", glmv_now() - show.started);
        print_json(root);
    }
    if (!ok) {
        return replicate_report(&err);
    }
    if (count.failed > 0) {
        fprintf(stderr, "glmv-replicate: %zu pages failed; the same command tries them again\n",
                count.failed);
        return REPLICATE_ENGINE;
    }
    return REPLICATE_DONE;
}

int replicate_cmd_batch(int argc, char **argv)
{
    enum { OPT_ROUNDS = 1, OPT_TARGET, OPT_LANG };
    static const struct option long_options[] = {
        {"help", no_argument, NULL, 'h'},
        {"output", required_argument, NULL, 'o'},
        {"jobs", required_argument, NULL, 'j'},
        {"rounds", required_argument, NULL, OPT_ROUNDS},
        {"target", required_argument, NULL, OPT_TARGET},
        {"lang", required_argument, NULL, OPT_LANG},
        REPLICATE_MODEL_OPTIONS,
        {0},
    };
    struct replicate_model model = replicate_model_defaults();
    struct replicate_batch_options options = {.jobs = 4, .rounds = -1, .target = 2};
    struct glmv_err err = {0};
    int code;
    model.where = NULL; /* the tracer works unless --model is said here */
    while ((code = getopt_long(argc, argv, "ho:j:", long_options, NULL)) != -1) {
        bool ok = true;
        if (code == 'h') {
            fputs(help, stdout);
            return REPLICATE_DONE;
        }
        if (code == 'o') {
            options.output = optarg;
        } else if (code == 'j') {
            ok = replicate_read_whole("--jobs", optarg, 1, MAX_JOBS, &options.jobs, &err);
        } else if (code == OPT_ROUNDS) {
            ok = replicate_read_whole("--rounds", optarg, 0, REPLICATE_MAX_ROUNDS, &options.rounds,
                                      &err);
        } else if (code == OPT_TARGET) {
            ok = replicate_read_number("--target", optarg, 0, 1, &options.target, &err);
        } else if (code == OPT_LANG) {
            options.lang = optarg;
        } else if (!replicate_model_option(&model, code, optarg, &err)) {
            return err.message[0] != '\0' ? replicate_report(&err) : REPLICATE_USAGE;
        }
        if (!ok) {
            return replicate_report(&err);
        }
    }
    if (argc - optind != 1 || options.output == NULL) {
        fputs("glmv-replicate: batch takes one folder and -o OUT; see glmv-replicate batch "
              "--help\n",
              stderr);
        return REPLICATE_USAGE;
    }
    options.folder = argv[optind];
    options.model = model.where != NULL ? &model : NULL;
    options.rounds = options.rounds >= 0 ? options.rounds : options.model != NULL ? 3 : 6;
    options.cancel = replicate_cancel_flag();
    return run(&options);
}
