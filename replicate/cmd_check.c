#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "replicate/check_report.h"
#include "replicate/check_schema_json.h"
#include "replicate/command.h"
#include "replicate/model_options.h"

#define CONFIG_USUAL "check.json"
#define MAX_JOBS 64

static const char usage[] =
    "Usage: glmv-replicate check [CONFIG.json] [NAME...] [OPTION...]\n"
    "Renders pages and compares them with their baselines, as the config says (check.json).\n"
    "NAMEs are of baselines without .png, and may be patterns such as 'home.*'.\n\n"
    "  -j N                 renders at a time, 1 to 64; one a processor, at most 8\n"
    "  --update[=KINDS]     write baselines for new, changed and missing ones; KINDS chooses "
    "among\n"
    "                       new,changed,missing,removed (or all); nothing is written unless every\n"
    "                       chosen page could be drawn\n"
    "  --shard I/N          only every N-th page, from the I-th\n"
    "  --fix                for each changed page, propose one that looks like its baseline\n"
    "  --urls               pages at addresses may be loaded from the network\n"
    "  --output DIR         reports and pictures go there instead of the config's \"output\"\n"
    "  --github             annotations for GitHub Actions on standard output\n"
    "  --schema             print the JSON schema of the config\n"
    "  -q, --quiet          print errors only\n"
    "\nWith --fix, a model instead of the built-in tracer:\n" REPLICATE_MODEL_HELP
    "\nreport.html, report.json, junit.xml and summary.md are written into the output folder.\n"
    "Exit codes: 0 all the same (or updated), 1 different, 2 usage, 3 input, 4 a page failed or\n"
    "does not stand still, 130 interrupted\n";

struct request {
    const char *config, *output;
    bool fix, github, quiet;
    struct check_options options;
    struct replicate_model model;
};

enum { OPT_UPDATE = 256, OPT_SHARD, OPT_FIX, OPT_URLS, OPT_OUTPUT, OPT_GITHUB, OPT_SCHEMA };

static const struct option long_options[] = {{"update", optional_argument, NULL, OPT_UPDATE},
                                             {"shard", required_argument, NULL, OPT_SHARD},
                                             {"fix", no_argument, NULL, OPT_FIX},
                                             {"urls", no_argument, NULL, OPT_URLS},
                                             {"output", required_argument, NULL, OPT_OUTPUT},
                                             {"github", no_argument, NULL, OPT_GITHUB},
                                             {"schema", no_argument, NULL, OPT_SCHEMA},
                                             {"jobs", required_argument, NULL, 'j'},
                                             REPLICATE_MODEL_OPTIONS,
                                             {"quiet", no_argument, NULL, 'q'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

static bool read_kinds(const char *text, struct check_options *o, struct glmv_err *err)
{
    static const enum check_status kinds[] = {CHECK_IS_NEW, CHECK_IS_CHANGED, CHECK_IS_MISSING,
                                              CHECK_IS_REMOVED};
    const size_t count = sizeof kinds / sizeof kinds[0];
    const char *p = text != NULL ? text : "new,changed,missing";
    while (*p != '\0') {
        size_t len = strcspn(p, ",");
        bool all = len == 3 && strncmp(p, "all", 3) == 0;
        bool known = all;
        for (size_t i = 0; i < count; i++) {
            const char *name = check_status_name(kinds[i]);
            if (all || (strlen(name) == len && strncmp(p, name, len) == 0)) {
                known = o->update[kinds[i]] = true;
            }
        }
        if (!known) {
            return glmv_fail(err, GLMV_ERR_USAGE,
                             "--update: '%.*s' is not one of new, changed, missing, removed, all",
                             (int)len, p);
        }
        p += len + (p[len] == ',');
    }
    return p != text || glmv_fail(err, GLMV_ERR_USAGE, "--update= needs kinds behind it");
}

static bool read_shard(const char *text, struct check_options *o, struct glmv_err *err)
{
    char tail;
    return (sscanf(text, "%d/%d%c", &o->shard, &o->shards, &tail) == 2 && o->shard >= 1 &&
            o->shards >= o->shard && o->shards <= 10000) ||
           glmv_fail(err, GLMV_ERR_USAGE, "--shard: '%s' is not like 3/10, the third of ten", text);
}

/* The config is the first name that ends in .json; the others are patterns. */
static void take_names(int argc, char **argv, struct request *r)
{
    r->config = CONFIG_USUAL;
    if (optind < argc) {
        size_t len = strlen(argv[optind]);
        if (len > 5 && strcmp(argv[optind] + len - 5, ".json") == 0) {
            r->config = argv[optind++];
        }
    }
    r->options.patterns = (const char *const *)(argv + optind);
    r->options.pattern_count = (size_t)(argc - optind);
}

/* 0 to go on, else the exit code plus one. */
static int read_options(int argc, char **argv, struct request *r, struct glmv_err *err)
{
    optind = 1;
    for (int c = getopt_long(argc, argv, "j:qh", long_options, NULL); c != -1;
         c = getopt_long(argc, argv, "j:qh", long_options, NULL)) {
        bool ok = true;
        switch (c) {
        case 'j':
            ok = replicate_read_whole("-j", optarg, 1, MAX_JOBS, &r->options.jobs, err);
            break;
        case 'q':
            r->quiet = true;
            break;
        case OPT_UPDATE:
            ok = read_kinds(optarg, &r->options, err);
            break;
        case OPT_SHARD:
            ok = read_shard(optarg, &r->options, err);
            break;
        case OPT_FIX:
            r->fix = true;
            break;
        case OPT_URLS:
            r->options.urls = true;
            break;
        case OPT_OUTPUT:
            r->output = optarg;
            break;
        case OPT_GITHUB:
            r->github = true;
            break;
        case OPT_SCHEMA:
            fputs(check_schema_json, stdout);
            return 1 + REPLICATE_DONE;
        case 'h':
            fputs(usage, stdout);
            return 1 + REPLICATE_DONE;
        default:
            ok = replicate_model_option(&r->model, c, optarg, err);
            if (ok || err->message[0] != '\0') {
                break;
            }
            fputs("Try 'glmv-replicate check --help'.\n", stderr);
            return 1 + REPLICATE_USAGE;
        }
        if (!ok) {
            return 1 + replicate_report(err);
        }
    }
    take_names(argc, argv, r);
    return 0;
}

static void show(void *arg, const struct check_result *result)
{
    struct glmv_buf out;
    glmv_buf_init(&out, (size_t)1 << 24);
    (void)arg;
    if (check_report_line(result, &out, NULL) && out.len > 0) {
        fwrite(out.data, 1, out.len, stdout);
        fflush(stdout);
    }
    glmv_buf_release(&out);
}

typedef bool report_fn(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err);

static bool write_report(const struct check_run *run, const char *name, report_fn *write,
                         struct glmv_err *err)
{
    char *path = check_path(run->config->output, name, "", err);
    struct glmv_buf out;
    glmv_buf_init(&out, (size_t)1 << 30);
    bool ok =
        path != NULL && write(run, &out, err) && glmv_file_write(path, out.data, out.len, err);
    glmv_buf_release(&out);
    free(path);
    return ok;
}

static bool print(const struct check_run *run, report_fn *write, const char *tail,
                  struct glmv_err *err)
{
    struct glmv_buf out;
    glmv_buf_init(&out, (size_t)1 << 30);
    bool ok = write(run, &out, err) && glmv_buf_append_str(&out, tail, err) &&
              glmv_file_write("-", out.data, out.len, err);
    glmv_buf_release(&out);
    return ok;
}

static bool write_reports(const struct request *r, const struct check_run *run,
                          struct glmv_err *err)
{
    return write_report(run, "report.html", check_report_html, err) &&
           write_report(run, "report.json", check_report_json, err) &&
           write_report(run, "junit.xml", check_report_junit, err) &&
           write_report(run, "summary.md", check_report_markdown, err) &&
           (!r->github || print(run, check_report_github, "", err)) &&
           (r->quiet || print(run, check_report_proposals, "", err)) &&
           (r->quiet || print(run, check_report_totals, "\n", err));
}

static bool updates(const struct request *r)
{
    bool any = false;
    for (int i = 0; i < CHECK_STATUS_COUNT; i++) {
        any = any || r->options.update[i];
    }
    return any;
}

/* What to do after a run in which not every page looked like its baseline. */
static void advise(const struct request *r, const struct check_run *run, int code)
{
    fprintf(stderr, "Look at %s/report.html\n", run->config->output);
    const size_t *n = run->totals;
    if (code != REPLICATE_BELOW || updates(r)) {
        return;
    }
    bool usual = strcmp(r->config, CONFIG_USUAL) == 0;
    const char *config = usual ? "" : r->config;
    if (n[CHECK_IS_CHANGED] + n[CHECK_IS_NEW] + n[CHECK_IS_MISSING] > 0) {
        fprintf(stderr, "If that is how it should look: glmv-replicate check %s%s--update\n",
                config, usual ? "" : " ");
    }
    if (n[CHECK_IS_REMOVED] > 0) {
        fprintf(stderr,
                "To drop the baselines of removed pages: glmv-replicate check %s%s"
                "--update=removed\n",
                config, usual ? "" : " ");
    }
}

/* What an update did that is not in the counts. */
static void tell_update(const struct check_run *run, int code)
{
    if (run->interrupted) {
        fputs("glmv-replicate: interrupted; no baseline was updated\n", stderr);
    } else if (run->updated == 0 && code > REPLICATE_BELOW) {
        fputs("glmv-replicate: no baseline was updated; first mend what stands above\n", stderr);
    } else if (run->updated > 0 && run->totals[CHECK_IS_NEW] > 0) {
        fprintf(stderr, "The baselines are in %s; keep them with the pages.\n",
                run->config->baselines);
    }
}

/* Whether a mask of the same selector, of any page's rules, found something. */
static bool selector_found(const struct check_config *config, const char *selector)
{
    bool found = false;
    for (size_t i = 0; i < config->rules_count; i++) {
        for (size_t k = 0; k < config->rules[i]->mask_count; k++) {
            struct check_mask *mask = &config->rules[i]->masks[k];
            bool same = mask->selector != NULL && strcmp(mask->selector, selector) == 0;
            found = found || (same && atomic_load(&mask->found));
        }
    }
    return found;
}

/* A mask that hides nothing may be misspelt. Only a run of everything can tell. */
static void tell_idle_masks(const struct check_run *run)
{
    const struct check_config *config = run->config;
    bool whole = run->options->pattern_count == 0 && run->options->shards == 1 &&
                 run->totals[CHECK_IS_FAILED] == 0 && !run->interrupted;
    for (size_t i = 0; whole && i < config->rules_count; i++) {
        for (size_t k = 0; k < config->rules[i]->mask_count; k++) {
            struct check_mask *mask = &config->rules[i]->masks[k];
            if (mask->selector != NULL && !selector_found(config, mask->selector)) {
                fprintf(stderr, "glmv-replicate: masks: '%s' is on none of the pages\n",
                        mask->selector);
                atomic_store(&mask->found, true); /* said once */
            }
        }
    }
}

static int run_check(struct request *r, const struct check_config *config, struct glmv_err *err)
{
    struct check_run run;
    bool ok = check_run(&run, config, &r->options, err);
    int code = check_run_exit(&run);
    struct glmv_err late = {0};
    if (ok && r->fix && code != REPLICATE_INTERRUPTED) {
        ok = check_fix(&run, &r->model, err);
    }
    if (run.judged && write_reports(r, &run, &late) && code != REPLICATE_DONE && !r->quiet) {
        advise(r, &run, code);
    }
    if (ok && updates(r) && (!r->quiet || code > REPLICATE_BELOW)) {
        tell_update(&run, code);
    }
    if (ok && !r->quiet) {
        tell_idle_masks(&run);
    }
    check_run_release(&run);
    if (!ok) {
        return replicate_report(err);
    }
    return late.code != GLMV_ERR_NONE ? replicate_report(&late) : code;
}

int replicate_cmd_check(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct request r = {.options = {.shard = 1, .shards = 1}, .model = replicate_model_defaults()};
    r.model.where = NULL; /* the tracer proposes unless --model is said here */
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    r.options.jobs = processors < 1 ? 1 : processors > 8 ? 8 : (int)processors;
    int stop = read_options(argc, argv, &r, &err);
    if (stop != 0) {
        return stop - 1;
    }
    struct check_config *config = check_config_read(r.config, &err);
    if (config == NULL) {
        int failed = replicate_report(&err);
        if (access(r.config, F_OK) != 0) {
            fputs("A config can be as short as {\"pages\": [\"site/*.html\"]}; 'glmv-replicate "
                  "check --schema' prints what else it takes.\n",
                  stderr);
        }
        return failed;
    }
    if (r.output != NULL) {
        free(config->output);
        config->output = strdup(r.output);
    }
    int code;
    if (config->output == NULL) {
        glmv_fail_memory(&err);
        code = replicate_report(&err);
    } else if (strcmp(config->output, config->baselines) == 0) {
        glmv_fail(&err, GLMV_ERR_USAGE, "--output must not be the folder of the baselines");
        code = replicate_report(&err);
    } else {
        r.options.on_result = r.quiet ? NULL : show;
        r.options.cancel = replicate_cancel_flag();
        code = run_check(&r, config, &err);
    }
    check_config_free(config);
    return code;
}
