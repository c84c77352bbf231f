/*
 * The program's front. Comparing pictures takes milliseconds, and the libraries of the other
 * commands (text recognition, fonts, HTTP) take longer than that to load; so `diff` is answered
 * here, and everything else by glmv-replicate-main, which takes this process over.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "replicate/command.h"
#include "replicate/comparison.h"

int main(int argc, char **argv)
{
    bool pictures = argc > 1 && strcmp(argv[1], "diff") == 0;
    for (int i = 2; i < argc; i++) {
        /* A page has to be drawn; the file of --html is none. */
        pictures = pictures && (strcmp(argv[i - 1], "--html") == 0 || !replicate_is_page(argv[i]));
    }
    if (pictures) {
        return replicate_diff(argc - 1, argv + 1, NULL);
    }
    static const char *const places[] = {"", "../libexec/glmv-replicate/"};
    char self[PATH_MAX];
    glmv_program_folder(self, sizeof self);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s%sglmv-replicate-main", self, places[i]);
        execv(path, argv);
    }
    fputs("glmv-replicate: glmv-replicate-main is neither beside this program nor in libexec; "
          "install the whole program\n",
          stderr);
    return REPLICATE_ENGINE;
}
