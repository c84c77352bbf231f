/* glmv-replicate ask: a question about pictures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replicate/boxes.h"
#include "replicate/command.h"
#include "replicate/model_options.h"
#include "replicate/prompt.h"

#define MAX_IMAGES 8
#define MAX_PLACES 256

static const char help[] =
    "Usage: glmv-replicate ask PICTURE... \"QUESTION\" --model ADDRESS\n\n"
    "Asks a model about one or more pictures (PNG or WebP) and prints its answer while it "
    "arrives.\n"
    "\n"
    "  --boxes OUT.png        ask where things are: boxes are printed in px of the (first) "
    "picture\n"
    "                         as x,y,w,h and drawn on a copy of it\n" REPLICATE_MODEL_HELP;

struct question {
    const char *images[MAX_IMAGES];
    int image_count;
    const char *text;
    const char *boxes; /* NULL: no boxes wanted */
    struct replicate_model model;
};

/* Prints text without GLM's box markers, which may arrive in two pieces. */
struct printer {
    char held[32];
    size_t held_len;
    bool at_line_start;
    bool thinking;
};

static void print_char(struct printer *printer, char c)
{
    static const char *const markers[] = {"<|begin_of_box|>", "<|end_of_box|>"};
    printer->held[printer->held_len++] = c;
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(markers[i]);
        if (printer->held_len <= size &&
            memcmp(markers[i], printer->held, printer->held_len) == 0) {
            if (printer->held_len == size) {
                printer->held_len = 0;
            }
            return;
        }
    }
    /* What was held is text; its last character may start a marker of its own. */
    size_t out = c == '<' && printer->held_len > 1 ? printer->held_len - 1 : printer->held_len;
    fwrite(printer->held, 1, out, stdout);
    printer->at_line_start = printer->held[out - 1] == '\n';
    memmove(printer->held, printer->held + out, printer->held_len - out);
    printer->held_len -= out;
}

static void on_text(void *arg, const char *text, size_t len)
{
    struct printer *printer = arg;
    if (printer->thinking) {
        fputs("\n\n", stderr);
        printer->thinking = false;
    }
    for (size_t i = 0; i < len; i++) {
        print_char(printer, text[i]);
    }
    fflush(stdout);
}

static void on_reasoning(void *arg, const char *text, size_t len)
{
    ((struct printer *)arg)->thinking = true;
    fwrite(text, 1, len, stderr);
}

static void on_note(void *arg, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "glmv-replicate: %s\n", sentence);
}

static bool show_boxes(const struct question *question, struct glmv_image *image, const char *text,
                       struct glmv_err *err)
{
    struct replicate_place *places = calloc(MAX_PLACES, sizeof *places);
    if (places == NULL) {
        return glmv_fail_memory(err);
    }
    size_t count = replicate_boxes_find(text, image->width, image->height, places, MAX_PLACES);
    for (size_t i = 0; i < count; i++) {
        const struct glmv_box *b = &places[i].box;
        printf("%.0f,%.0f,%.0f,%.0f\t%s\n", b->x, b->y, b->w, b->h, places[i].label);
    }
    bool ok = count > 0 || glmv_fail(err, GLMV_ERR_MODEL,
                                     "no box in the answer; ask where "
                                     "something is");
    if (ok) {
        replicate_boxes_draw(image, places, count);
        ok = glmv_image_write_png(image, question->boxes, err);
    }
    free(places);
    return ok;
}

static bool converse(const struct question *question, struct glmv_chat *chat,
                     struct glmv_image **images, const char *prompt, struct glmv_err *err)
{
    struct glmv_chat_chunk chunks[MAX_IMAGES + 1];
    for (int i = 0; i < question->image_count; i++) {
        chunks[i] = glmv_chat_image(images[i]);
    }
    chunks[question->image_count] = glmv_chat_text(prompt);
    struct glmv_chat_message message = {
        .role = GLMV_CHAT_USER, .chunks = chunks, .chunk_count = (size_t)question->image_count + 1};
    struct printer printer = {.at_line_start = true};
    struct glmv_chat_watch watch = {
        .text = on_text,
        .reasoning = question->model.show_thinking ? on_reasoning : NULL,
        .note = on_note,
        .arg = &printer,
    };
    struct glmv_chat_options options = question->model.chat;
    options.cancel = replicate_cancel_flag();
    struct glmv_chat_result result;
    bool ok = glmv_chat_complete(chat, &message, 1, &options, &watch, &result, err);
    fwrite(printer.held, 1, printer.held_len, stdout);
    if (!printer.at_line_start || printer.held_len > 0) {
        putchar('\n');
    }
    if (result.warning[0] != '\0') {
        on_note(NULL, result.warning);
    }
    if (ok && result.finish == GLMV_CHAT_FINISH_UNKNOWN) {
        ok = glmv_fail(err, GLMV_ERR_MODEL,
                       "the answer is not complete: the connection closed; "
                       "ask again");
    } else if (ok && result.finish == GLMV_CHAT_FINISH_LENGTH) {
        on_note(NULL, "the answer was cut at the limit of tokens; allow more with --max-tokens");
    }
    if (ok && question->boxes != NULL) {
        ok = show_boxes(question, images[0], result.text.data, err);
    }
    glmv_chat_result_release(&result);
    return ok;
}

static bool ask(const struct question *question, struct glmv_err *err)
{
    struct glmv_image *images[MAX_IMAGES] = {0};
    struct glmv_buf prompt;
    glmv_buf_init(&prompt, 1u << 20);
    struct glmv_chat *chat = replicate_model_open(&question->model, err);
    bool ok = chat != NULL;
    for (int i = 0; ok && i < question->image_count; i++) {
        images[i] = glmv_image_read(question->images[i], err);
        ok = images[i] != NULL;
    }
    ok = ok && glmv_buf_append_str(&prompt, question->text, err);
    if (ok && question->boxes != NULL) {
        ok = glmv_buf_append_str(&prompt, "\n", err) &&
             replicate_prompt_write("boxes", NULL, &prompt, err);
    }
    ok = ok && converse(question, chat, images, prompt.data, err);
    for (int i = 0; i < question->image_count; i++) {
        glmv_image_free(images[i]);
    }
    glmv_buf_release(&prompt);
    glmv_chat_close(chat);
    return ok;
}

int replicate_cmd_ask(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"boxes", required_argument, NULL, 'b'},
        REPLICATE_MODEL_OPTIONS,
        {0},
    };
    struct question question = {.model = replicate_model_defaults()};
    struct glmv_err err = {0};
    int code;
    while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (code == 'h') {
            fputs(help, stdout);
            return REPLICATE_DONE;
        }
        if (code == 'b') {
            question.boxes = optarg;
        } else if (!replicate_model_option(&question.model, code, optarg, &err)) {
            return err.message[0] != '\0' ? replicate_report(&err) : REPLICATE_USAGE;
        }
    }
    int left = argc - optind;
    if (left < 2 || left > MAX_IMAGES + 1) {
        fprintf(stderr,
                "glmv-replicate: ask takes 1 to %d pictures and a question; see "
                "glmv-replicate ask --help\n",
                MAX_IMAGES);
        return REPLICATE_USAGE;
    }
    question.image_count = left - 1;
    for (int i = 0; i < question.image_count; i++) {
        question.images[i] = argv[optind + i];
    }
    question.text = argv[argc - 1];
    return ask(&question, &err) ? REPLICATE_DONE : replicate_report(&err);
}
