/* glmv-replicate doctor: what works on this machine, and what to do about what does not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/glm/glm.h"
#include "render/render.h"
#include "replicate/command.h"
#include "replicate/model_options.h"

static const char help[] =
    "Usage: glmv-replicate doctor [--model ADDRESS]\n\n"
    "Checks what this program needs on this machine and says what to do about what is missing.\n"
    "Exit code 0: everything that is needed is there; 4: something needed is "
    "not.\n" REPLICATE_MODEL_HELP;

enum level {
    FINE,
    LIMITED, /* works without */
    BROKEN,
};

/* Prints one line; broken becomes true when the program cannot do its work like this. */
static void say(bool *broken, enum level level, const char *what, const char *state,
                const char *next)
{
    static const char *const words[] = {"ok     ", "limited", "MISSING"};
    printf("%s  %-10s %s\n", words[level], what, state);
    if (next[0] != '\0') {
        printf("                    -> %s\n", next);
    }
    *broken = *broken || level == BROKEN;
}

/* Finds a program in PATH. */
static bool find_program(const char *name, char *path, size_t size)
{
    const char *list = getenv("PATH");
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ":");
        int n = snprintf(path, size, "%.*s/%s", (int)len, list, name);
        if (n > 0 && (size_t)n < size && access(path, X_OK) == 0) {
            return true;
        }
        list += len + (list[len] == ':');
    }
    return false;
}

/* Runs a program; the first line of what it prints goes to out. Returns its exit code, -1 when it
 * did not run. */
static int run(char *const argv[], char *out, size_t size)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, 0);
        dup2(ends[1], 1);
        dup2(nothing, 2);
        close(ends[0]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    size_t len = 0;
    char piece[256];
    ssize_t n;
    while (pid > 0 && (n = read(ends[0], piece, sizeof piece)) > 0) {
        for (ssize_t i = 0; i < n && len + 1 < size; i++) {
            out[len++] = piece[i];
        }
    }
    close(ends[0]);
    out[len] = '\0';
    out[strcspn(out, "\n")] = '\0';
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

/* What the renderer itself says of its walls: only it knows how they came out. */
static void say_walls(bool *broken, const struct glmv_render *shot)
{
    char path[PATH_MAX];
    if (shot->sandboxed) {
        say(broken, FINE, "sandbox", "pages run in bubblewrap", "");
    } else if (!find_program("bwrap", path, sizeof path)) {
        say(broken, LIMITED, "sandbox", "no bwrap: pages run as an ordinary user without a sandbox",
            "apt install bubblewrap");
    } else {
        say(broken, LIMITED, "sandbox",
            "bwrap is there but may not make namespaces or mounts: pages run as an ordinary user "
            "without a sandbox",
            "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, or in a container "
            "--security-opt seccomp=unconfined --security-opt systempaths=unconfined");
    }
    if (shot->isolated) {
        say(broken, FINE, "network", "pages have none", "");
    } else {
        say(broken, LIMITED, "network",
            "only the content filter keeps pages from it; no namespace can be made",
            "run as root or allow user namespaces");
    }
}

/* Draws a page. */
static void check_renderer(bool *broken)
{
    static const char html[] = "<!doctype html><title>doctor</title><p>Hello";
    struct glmv_err err = {0};
    struct glmv_render *shot = NULL;
    struct glmv_renderer *renderer = glmv_renderer_open(NULL, &err);
    if (renderer != NULL) {
        struct glmv_render_options options = glmv_render_defaults();
        shot = glmv_renderer_render(renderer, html, sizeof html - 1, &options, &err);
    }
    if (shot != NULL) {
        char state[80];
        snprintf(state, sizeof state, "drew a page %.2f s after its start", shot->seconds);
        say(broken, FINE, "renderer", state, "");
        say_walls(broken, shot);
    } else {
        say(broken, BROKEN, "renderer", err.message,
            renderer != NULL
                ? ""
                : "install the whole program, or build it with libwebkit2gtk-4.1-dev present");
    }
    glmv_render_free(shot);
    glmv_renderer_close(renderer);
}

static void check_display(bool *broken)
{
    char path[PATH_MAX];
    if (find_program("Xvfb", path, sizeof path)) {
        say(broken, FINE, "display", path, "");
    } else {
        say(broken, BROKEN, "display", "no Xvfb: the renderer has no screen to draw on",
            "apt install xvfb");
    }
}

static void check_ocr(bool *broken)
{
    const char *const folders[] = {getenv("TESSDATA_PREFIX"), "/usr/share/tesseract-ocr/5/tessdata",
                                   "/usr/share/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata",
                                   "/usr/local/share/tessdata"};
    char list[512] = "";
    bool english = false;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && list[0] == '\0'; i++) {
        DIR *folder = folders[i] != NULL ? opendir(folders[i]) : NULL;
        struct dirent *entry;
        while (folder != NULL && (entry = readdir(folder)) != NULL) {
            size_t len = strlen(entry->d_name), used = strlen(list);
            if (len <= 12 || strcmp(entry->d_name + len - 12, ".traineddata") != 0 ||
                strncmp(entry->d_name, "osd.", 4) == 0 || used + len > sizeof list) {
                continue;
            }
            snprintf(list + used, sizeof list - used, "%s%.*s", used > 0 ? " " : "", (int)len - 12,
                     entry->d_name);
            english = english || strncmp(entry->d_name, "eng.", 4) == 0;
        }
        if (folder != NULL) {
            closedir(folder);
        }
    }
    if (list[0] == '\0') {
        say(broken, BROKEN, "text",
            "no language data for Tesseract: text in pictures cannot be read",
            "apt install tesseract-ocr-eng, and tesseract-ocr-chi-sim and the like as needed");
    } else {
        say(broken, english ? FINE : LIMITED, "text", list,
            english ? "" : "apt install tesseract-ocr-eng");
    }
}

static void check_fonts(bool *broken)
{
    static const struct {
        const char *family, *package;
    } fonts[] = {{"Liberation Sans", "fonts-liberation"},
                 {"DejaVu Sans", "fonts-dejavu"},
                 {"Noto Sans CJK SC", "fonts-noto-cjk"},
                 {"Noto Color Emoji", "fonts-noto-color-emoji"}};
    char have[256] = "", lacking[256] = "", out[256];
    for (size_t i = 0; i < sizeof fonts / sizeof fonts[0]; i++) {
        char family[64];
        snprintf(family, sizeof family, "%s", fonts[i].family);
        char format[] = "%{family}";
        char *const argv[] = {"fc-match", "-f", format, family, NULL};
        bool found = run(argv, out, sizeof out) == 0 && strstr(out, family) != NULL;
        char *list = found ? have : lacking;
        size_t used = strlen(list);
        snprintf(list + used, sizeof have - used, "%s%s", used > 0 ? (found ? ", " : " ") : "",
                 found ? family : fonts[i].package);
    }
    if (lacking[0] == '\0') {
        say(broken, FINE, "fonts", have, "");
        return;
    }
    char next[320];
    snprintf(next, sizeof next, "apt install %s", lacking);
    say(broken, have[0] != '\0' ? LIMITED : BROKEN, "fonts",
        have[0] != '\0' ? have : "none of the usual families", next);
}

static void check_gpu(bool *broken, const struct replicate_model *model)
{
    struct glmv_err err = {0};
    struct glmv_buf line;
    glmv_buf_init(&line, 1024);
    if (glmv_glm_device(model->device, &line, &err)) {
        say(broken, FINE, "gpu", line.data, "");
    } else {
        say(broken, LIMITED, "gpu", err.message,
            "models in this process run on the processor; --model ADDRESS uses a server");
    }
    glmv_buf_release(&line);
}

static void check_server(bool *broken, const struct replicate_model *model)
{
    if (model->where == NULL) {
        say(broken, LIMITED, "model", "no server chosen; the built-in tracer needs none",
            "--model http://localhost:8000/v1 checks one");
        return;
    }
    struct glmv_err err = {0};
    struct glmv_chat_about about = {0};
    struct glmv_chat *chat = replicate_model_open(model, &err);
    if (chat == NULL || !glmv_chat_ask_about(chat, &about, &err)) {
        say(broken, BROKEN, "model", err.message, "");
    } else if (about.model_count == 0) {
        say(broken, BROKEN, "model", "the server has no model loaded", "load one, then try again");
    } else {
        char state[256];
        snprintf(state, sizeof state, "%s with %zu model%s, first: %s", about.program,
                 about.model_count, about.model_count == 1 ? "" : "s", about.models[0].name);
        say(broken, FINE, "model", state,
            "'glmv-replicate models --probe' tries whether it can see");
    }
    glmv_chat_about_release(&about);
    glmv_chat_close(chat);
}

int replicate_cmd_doctor(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'}, REPLICATE_MODEL_OPTIONS, {0}};
    struct replicate_model model = replicate_model_defaults();
    struct glmv_err err = {0};
    int code;
    while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (code == 'h') {
            fputs(help, stdout);
            return REPLICATE_DONE;
        }
        if (!replicate_model_option(&model, code, optarg, &err)) {
            return err.message[0] != '\0' ? replicate_report(&err) : REPLICATE_USAGE;
        }
    }
    bool broken = false;
    check_display(&broken);
    check_renderer(&broken);
    check_ocr(&broken);
    check_fonts(&broken);
    check_gpu(&broken, &model);
    check_server(&broken, &model);
    return broken ? REPLICATE_ENGINE : REPLICATE_DONE;
}
