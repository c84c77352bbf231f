/* glmv-replicate author: a model writes the page of a screenshot, a measurement judges it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "replicate/command.h"
#include "replicate/model_page.h"

static const char help[] =
    "Usage: glmv-replicate author SHOT.png -o OUT.html --model ADDRESS\n\n"
    "A model writes the page; it is rendered and measured, the model is told what is wrong in\n"
    "numbers and tries again. The best measured page is written. Exit code 1: below --target;\n"
    "4: the model failed (the best page so far is written where there is one).\n\n"
    "  -o, --output FILE      where the page goes (- for standard output)\n"
    "  --rounds N             revisions after the draft; 3\n"
    "  --target S             a score from 0 to 1 at which to stop; 0.99\n"
    "  --budget-tokens N      stop after so many tokens, prompts counted\n"
    "  --budget-seconds N     start no round after so many seconds\n"
    "  --lang LANGS           languages of the text as Tesseract names them\n"
    "  --scale N              device px per CSS px; guessed by default\n" REPLICATE_MODEL_HELP;

static void on_log(void *arg, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "%s\n", sentence);
}

static int author(const char *shot, const char *output, struct replicate_model_page *job)
{
    static const char *const stops[] = {
        "the score reached the target", "all rounds are used",     "two rounds in a row were worse",
        "the budget is used up",        "nothing is left to name", "the model failed",
    };
    struct glmv_err err = {0}, problem = {0};
    struct replicate_rounds_result result = {0};
    struct glmv_image *target = glmv_image_read(shot, &err);
    job->target = target;
    job->renderer = target != NULL ? glmv_renderer_open(NULL, &err) : NULL;
    int code = REPLICATE_DONE;
    bool ok = false;
    if (job->renderer != NULL) {
        glmv_image_flatten(target, 0xFFFFFF);
        ok = replicate_model_page_write(job, &result, &err);
    }
    if (result.render != NULL) {
        if (glmv_file_write(output, result.page.data, result.page.len, &problem)) {
            fprintf(stderr, "score %.4f after %d rounds, %d accepted: %s\n", result.score.total,
                    result.tried, result.accepted, stops[result.stop]);
            code = result.score.total >= job->rounds->target ? REPLICATE_DONE : REPLICATE_BELOW;
        } else {
            code = replicate_report(&problem);
        }
    }
    if (!ok) {
        code = replicate_report(&err);
    }
    replicate_rounds_release(&result);
    glmv_renderer_close(job->renderer);
    glmv_image_free(target);
    return code;
}

/* Reads a number from low to high; says what is wrong otherwise. */
static bool number(const char *name, const char *text, double low, double high, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end != '\0' || !(*out >= low && *out <= high)) {
        fprintf(stderr, "glmv-replicate: --%s is a number from %g to %g, not '%s'\n", name, low,
                high, text);
        return false;
    }
    return true;
}

int replicate_cmd_author(int argc, char **argv)
{
    enum { OPT_ROUNDS = 1, OPT_TARGET, OPT_TOKENS, OPT_SECONDS, OPT_LANG, OPT_SCALE };
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"output", required_argument, NULL, 'o'},
        {"rounds", required_argument, NULL, OPT_ROUNDS},
        {"target", required_argument, NULL, OPT_TARGET},
        {"budget-tokens", required_argument, NULL, OPT_TOKENS},
        {"budget-seconds", required_argument, NULL, OPT_SECONDS},
        {"lang", required_argument, NULL, OPT_LANG},
        {"scale", required_argument, NULL, OPT_SCALE},
        REPLICATE_MODEL_OPTIONS,
        {0},
    };
    struct replicate_model model = replicate_model_defaults();
    struct replicate_rounds_options rounds = replicate_rounds_defaults();
    struct replicate_model_page job = {.model = &model, .rounds = &rounds};
    struct glmv_err err = {0};
    const char *output = NULL;
    double value;
    bool ok = true;
    int code;
    rounds.log = on_log;
    while (ok && (code = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
        switch (code) {
        case 'h':
            fputs(help, stdout);
            return REPLICATE_DONE;
        case 'o':
            output = optarg;
            break;
        case OPT_ROUNDS:
            ok = number("rounds", optarg, 0, 100, &value);
            rounds.rounds = (int)value;
            break;
        case OPT_TARGET:
            ok = number("target", optarg, 0, 1, &rounds.target);
            break;
        case OPT_TOKENS:
            ok = number("budget-tokens", optarg, 1, 1e12, &value);
            rounds.budget_tokens = (int64_t)value;
            break;
        case OPT_SECONDS:
            ok = number("budget-seconds", optarg, 0.001, 1e9, &rounds.budget_seconds);
            break;
        case OPT_LANG:
            job.lang = optarg;
            break;
        case OPT_SCALE:
            ok = number("scale", optarg, 0.5, 8, &job.scale);
            break;
        default:
            if (!replicate_model_option(&model, code, optarg, &err)) {
                return err.message[0] != '\0' ? replicate_report(&err) : REPLICATE_USAGE;
            }
        }
    }
    if (ok && (argc - optind != 1 || output == NULL)) {
        fputs("glmv-replicate: author takes a screenshot and -o; see glmv-replicate author "
              "--help\n",
              stderr);
        ok = false;
    }
    return ok ? author(argv[optind], output, &job) : REPLICATE_USAGE;
}
