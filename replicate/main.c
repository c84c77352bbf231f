#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "replicate/command.h"

#define NAME_MAX_LENGTH 32 /* of a word that may be a mistyped command */

static const struct replicate_command commands[] = {
    {"ask", "ask a model about pictures", replicate_cmd_ask},
    {"batch", "rebuild every screenshot of a folder", replicate_cmd_batch},
    {"check", "compare pages with their baselines", replicate_cmd_check},
    {"diff", "compare two pictures of a page", replicate_cmd_diff},
    {"doctor", "check what works on this machine", replicate_cmd_doctor},
    {"edit", "change a page by an instruction", replicate_cmd_edit},
    {"fix", "take the page out of what a model said", replicate_cmd_fix},
    {"inspect", "say what the tracer measures in a screenshot", replicate_cmd_inspect},
    {"model-info", "what a folder with weights holds", replicate_cmd_model_info},
    {"models", "list the models of a server", replicate_cmd_models},
    {"render", "draw an HTML page into a picture", replicate_cmd_render},
    {"repl", "change a page line by line", replicate_cmd_repl},
    {"replicate", "rebuild a screenshot as a page (needs not be named)", replicate_cmd_replicate},
    {"score", "say how much a page looks like a picture", replicate_cmd_score},
    {"version", "print the version", replicate_cmd_version},
};

static void print_help(FILE *out)
{
    fputs("Usage: glmv-replicate SHOT.png -o PAGE.html [OPTION...]\n"
          "       glmv-replicate COMMAND [OPTION...]\n\n"
          "Turns a picture of a web page into HTML and CSS that look the same.\n\nCommands:\n",
          out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
}

/* How many letters must be put in, left out, changed or swapped with the next to make b of a. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_MAX_LENGTH + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++) {
        above[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[width];
}

/* The command that a word was probably meant to be, or NULL. */
static const char *nearest_command(const char *word)
{
    const char *nearest = NULL;
    size_t least = 3;
    for (size_t i = 0; strlen(word) <= NAME_MAX_LENGTH && i < sizeof commands / sizeof commands[0];
         i++) {
        size_t d = distance(word, commands[i].name);
        if (d < least && d * 2 < strlen(commands[i].name)) {
            least = d;
            nearest = commands[i].name;
        }
    }
    return nearest;
}

/* A bare word that names no file was meant as a command. */
static bool is_mistyped(const char *word)
{
    return word[0] != '-' && strpbrk(word, "./") == NULL && access(word, F_OK) != 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return REPLICATE_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return REPLICATE_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return replicate_cmd_version(argc - 1, argv + 1);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (is_mistyped(argv[1])) {
        const char *nearest = nearest_command(argv[1]);
        fprintf(stderr, "glmv-replicate: '%s' is neither a command nor a file; %s%s%s\n", argv[1],
                nearest != NULL ? "did you mean '" : "'glmv-replicate --help' lists the commands",
                nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
        return REPLICATE_USAGE;
    }
    /* Not a command: a screenshot, or an option of the main job. */
    return replicate_cmd_replicate(argc, argv);
}
