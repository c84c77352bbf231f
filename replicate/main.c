#include <stdio.h>
#include <string.h>

#include "replicate/command.h"

static const struct replicate_command commands[] = {
    {"ask", "ask a model about pictures", replicate_cmd_ask},
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
    /* Not a command: a screenshot, or an option of the main job. */
    return replicate_cmd_replicate(argc, argv);
}
