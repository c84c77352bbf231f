/* glmv-replicate edit: one instruction, one changed page. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "replicate/author.h"
#include "replicate/command.h"
#include "replicate/edit.h"
#include "replicate/model_options.h"
#include "replicate/region.h"

static const char help[] =
    "Usage: glmv-replicate edit PAGE.html \"INSTRUCTION\" -o OUT.html --model ADDRESS\n\n"
    "Changes a page as asked, renders it and compares. Exit code 1: pixels outside the region\n"
    "changed too (the page is written, and the place is named), or nothing changed at all.\n\n"
    "  -o, --output FILE      where the changed page goes (- for standard output)\n"
    "  --region x,y,w,h       only this part, in CSS px\n"
    "  --region SELECTOR      only this element: #id, .class, tag.class\n"
    "  --mark PICTURE.png     only what a red ring on a render of the page encloses\n"
    "  --width PX             width of the window; 1280\n" REPLICATE_MODEL_HELP;

struct edit_command {
    const char *page, *instruction, *output, *region, *mark;
    int width;
    struct replicate_model model;
};

static void on_note(void *arg, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "glmv-replicate: %s\n", sentence);
}

static bool find_region(const struct edit_command *command, struct replicate_edit_request *request,
                        struct glmv_err *err)
{
    if (command->region != NULL) {
        request->has_region = true;
        return replicate_region_parse(request->before->page, command->region, &request->region,
                                      err);
    }
    if (command->mark == NULL) {
        return true;
    }
    struct glmv_image *mark = glmv_image_read(command->mark, err);
    bool ok =
        mark != NULL && replicate_region_ring(request->before->image, mark, &request->region, err);
    request->has_region = ok;
    glmv_image_free(mark);
    return ok;
}

/* Says what changed; returns the exit code. */
static int report(const struct replicate_edit_request *request,
                  const struct replicate_edit_result *result)
{
    if (result->warning[0] != '\0') {
        on_note(NULL, result->warning);
    }
    if (result->changed == 0) {
        on_note(NULL, "the page looks as before: nothing changed");
        return REPLICATE_BELOW;
    }
    if (!request->has_region) {
        fprintf(stderr, "%zu pixels changed\n", result->changed);
        return REPLICATE_DONE;
    }
    fprintf(stderr, "%zu pixels changed inside the region, %zu outside\n",
            result->changed - result->leak, result->leak);
    if (result->leak == 0) {
        return REPLICATE_DONE;
    }
    const struct glmv_box *w = &result->leak_where;
    fprintf(stderr,
            "glmv-replicate: the page also changed outside the region, within x %.0f, y "
            "%.0f, %.0f x %.0f px\n",
            w->x, w->y, w->w, w->h);
    return REPLICATE_BELOW;
}

static int edit(const struct edit_command *command)
{
    struct glmv_err err = {0};
    struct glmv_buf html;
    glmv_buf_init(&html, REPLICATE_MAX_HTML);
    struct glmv_chat_options chat_options = command->model.chat;
    chat_options.cancel = replicate_cancel_flag();
    struct glmv_chat_watch watch = {.note = on_note};
    struct glmv_render_options render_options = glmv_render_defaults();
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", command->page);
    render_options.width = command->width;
    render_options.assets = dirname(folder);
    struct glmv_render *before = NULL;
    struct replicate_edit_result result = {0};
    struct replicate_edit_request request = {
        .chat = replicate_model_open(&command->model, &err),
        .options = &chat_options,
        .watch = &watch,
        .render_options = &render_options,
        .instruction = command->instruction,
    };
    int code = REPLICATE_DONE;
    bool ok =
        request.chat != NULL && glmv_file_read(command->page, REPLICATE_MAX_HTML, &html, &err);
    request.renderer = ok ? glmv_renderer_open(NULL, &err) : NULL;
    request.html = html.data != NULL ? html.data : "";
    if (request.renderer != NULL) {
        before =
            glmv_renderer_render(request.renderer, request.html, html.len, &render_options, &err);
    }
    request.before = before;
    ok = before != NULL && find_region(command, &request, &err) &&
         replicate_edit(&request, &result, &err) &&
         glmv_file_write(command->output, result.html.data, result.html.len, &err);
    code = ok ? report(&request, &result) : replicate_report(&err);
    replicate_edit_release(&result);
    glmv_render_free(before);
    glmv_renderer_close(request.renderer);
    glmv_chat_close(request.chat);
    glmv_buf_release(&html);
    return code;
}

int replicate_cmd_edit(int argc, char **argv)
{
    enum { OPT_REGION = 1, OPT_MARK, OPT_WIDTH };
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"output", required_argument, NULL, 'o'},
        {"region", required_argument, NULL, OPT_REGION},
        {"mark", required_argument, NULL, OPT_MARK},
        {"width", required_argument, NULL, OPT_WIDTH},
        REPLICATE_MODEL_OPTIONS,
        {0},
    };
    struct edit_command command = {.width = 1280, .model = replicate_model_defaults()};
    struct glmv_err err = {0};
    int code;
    while ((code = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
        if (code == 'h') {
            fputs(help, stdout);
            return REPLICATE_DONE;
        }
        if (code == 'o') {
            command.output = optarg;
        } else if (code == OPT_REGION) {
            command.region = optarg;
        } else if (code == OPT_MARK) {
            command.mark = optarg;
        } else if (code == OPT_WIDTH) {
            command.width = atoi(optarg);
        } else if (!replicate_model_option(&command.model, code, optarg, &err)) {
            return err.message[0] != '\0' ? replicate_report(&err) : REPLICATE_USAGE;
        }
    }
    if (argc - optind != 2 || command.output == NULL || command.width < 1 ||
        command.width > 16384 || (command.region != NULL && command.mark != NULL)) {
        fputs("glmv-replicate: edit takes a page, an instruction, -o and at most one of --region "
              "and --mark; see glmv-replicate edit --help\n",
              stderr);
        return REPLICATE_USAGE;
    }
    command.page = argv[optind];
    command.instruction = argv[optind + 1];
    return edit(&command);
}
