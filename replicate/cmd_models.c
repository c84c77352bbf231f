/* glmv-replicate models: what a server has, and whether it can see. */
#include <stdio.h>
#include <string.h>

#include "replicate/command.h"
#include "replicate/model_options.h"

static const char help[] =
    "Usage: glmv-replicate models --model ADDRESS [--probe]\n\n"
    "Lists the models of a server, one per line with the tokens its context holds.\n\n"
    "  --probe                send a small picture and a question to the model that --model-name\n"
    "                         chooses (or to every one) and say what came back and how "
    "fast\n" REPLICATE_MODEL_HELP;

/* Left half red, right half blue. */
static struct glmv_image *probe_picture(struct glmv_err *err)
{
    struct glmv_image *image = glmv_image_new(224, 224, err);
    for (size_t i = 0; image != NULL && i < 224 * 224; i++) {
        uint8_t *p = image->rgba + i * 4;
        p[i % 224 < 112 ? 0 : 2] = 230;
        p[3] = 255;
    }
    return image;
}

static bool probe(const struct replicate_model *model, const char *name, struct glmv_err *err)
{
    struct glmv_chat *chat = glmv_chat_open(model->where, name, err);
    struct glmv_image *image = probe_picture(err);
    bool ok = chat != NULL && image != NULL;
    if (ok) {
        struct glmv_chat_chunk chunks[] = {
            glmv_chat_image(image),
            glmv_chat_text("Which colour is the left half of this picture? Answer with one word.")};
        struct glmv_chat_message message = {
            .role = GLMV_CHAT_USER, .chunks = chunks, .chunk_count = 2};
        struct glmv_chat_options options = model->chat;
        options.cancel = replicate_cancel_flag();
        struct glmv_chat_result result;
        ok = glmv_chat_complete(chat, &message, 1, &options, NULL, &result, err);
        if (ok) {
            double after = result.seconds - result.first_seconds;
            int len = (int)strcspn(result.text.len > 0 ? result.text.data : "", "\n");
            printf("  %s: pictures accepted; first token after %.2f s", name, result.first_seconds);
            if (result.usage.completion_tokens > 1 && after > 0) {
                printf(", %.1f tokens/s", (double)(result.usage.completion_tokens - 1) / after);
            }
            printf("; asked for red it said: %.*s\n", len < 80 ? len : 80,
                   result.text.len > 0 ? result.text.data : "");
            if (result.warning[0] != '\0') {
                printf("    %s\n", result.warning);
            }
        }
        glmv_chat_result_release(&result);
    }
    glmv_image_free(image);
    glmv_chat_close(chat);
    return ok;
}

static int list(const struct replicate_model *model, bool probing)
{
    struct glmv_err err = {0};
    struct glmv_chat_about about = {0};
    struct glmv_chat *chat = replicate_model_open(model, &err);
    bool ok = chat != NULL && glmv_chat_ask_about(chat, &about, &err);
    if (ok) {
        fprintf(stderr, "%s at %s\n", about.program, model->where);
    }
    int code = REPLICATE_DONE;
    for (size_t i = 0; ok && i < about.model_count; i++) {
        const char *name = about.models[i].name;
        if (model->name != NULL && strcmp(model->name, name) != 0) {
            continue;
        }
        if (about.models[i].context > 0) {
            printf("%s\t%lld\n", name, (long long)about.models[i].context);
        } else {
            puts(name);
        }
        struct glmv_err problem = {0};
        if (probing && !probe(model, name, &problem)) {
            code = replicate_report(&problem);
        }
    }
    if (ok && about.model_count == 0) {
        ok = glmv_fail(&err, GLMV_ERR_MODEL, "the server has no model loaded");
    }
    glmv_chat_about_release(&about);
    glmv_chat_close(chat);
    return ok ? code : replicate_report(&err);
}

int replicate_cmd_models(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"probe", no_argument, NULL, 'p'},
        REPLICATE_MODEL_OPTIONS,
        {0},
    };
    struct replicate_model model = replicate_model_defaults();
    struct glmv_err err = {0};
    bool probing = false;
    int code;
    while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (code == 'h') {
            fputs(help, stdout);
            return REPLICATE_DONE;
        }
        if (code == 'p') {
            probing = true;
        } else if (!replicate_model_option(&model, code, optarg, &err)) {
            return err.message[0] != '\0' ? replicate_report(&err) : REPLICATE_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "glmv-replicate: models takes no '%s'; see glmv-replicate models --help\n",
                argv[optind]);
        return REPLICATE_USAGE;
    }
    return list(&model, probing);
}
