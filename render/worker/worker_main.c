/*
 * The supervisor: it never touches a page. It gives up its rights, starts the display and the
 * browser process, kills what grows too large, and takes everything with it when the client goes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "render/wire.h"
#include "render/worker/worker.h"

#define ORDINARY_UID 65534
#define MEMORY_LIMIT_MB 1536 /* resident, of one process; a page of 16384 px needs about 600 */
#define DISPLAY_WAIT_S 20.0
#define DISPLAY_TRIES 8

#if defined(__SANITIZE_ADDRESS__)
/* GTK and fontconfig keep caches until the process ends; the leak check would report those. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

void worker_refuse(int socket, const struct glmv_err *err)
{
    struct render_hello hello = {.magic = RENDER_MAGIC,
                                 .code = (uint32_t)err->code,
                                 .message_len = (uint32_t)strlen(err->message)};
    render_wire_send(socket, &hello, sizeof hello, -1);
    render_wire_send(socket, err->message, hello.message_len, -1);
}

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

/*
 * An empty /tmp of our own. Every display is number 0 of its network namespace, and its socket lies
 * in /tmp: in a common /tmp the displays of two workers would take each other's place. It also
 * keeps other users' files from the pages, and leaves nothing behind. False inside a chroot, whose
 * root is no mount.
 */
static bool leave_tmp(void)
{
    return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
           mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") == 0;
}

static int network(const struct worker_place *place)
{
    return place->online ? 0 : CLONE_NEWNET;
}

/* Namespaces of our own for network and mounts, as root. */
static void leave_as_root(struct worker_place *place)
{
    if (geteuid() == 0 && unshare(CLONE_NEWNS | network(place)) == 0) {
        place->away = true;
        place->isolated = !place->online;
        place->own_tmp = leave_tmp();
    }
}

/* The rights of a user namespace were for making the others; a page shall not find them. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    return syscall(SYS_capset, &header, none) == 0;
}

/* The same for an ordinary user, in a user namespace that maps the user to itself. */
static bool leave_as_user(struct worker_place *place, struct glmv_err *err)
{
    char uid_map[64];
    char gid_map[64];
    snprintf(uid_map, sizeof uid_map, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    snprintf(gid_map, sizeof gid_map, "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | network(place)) != 0) {
        return true;
    }
    if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", uid_map) ||
        !write_text("/proc/self/gid_map", gid_map)) {
        return glmv_fail(err, GLMV_ERR_RENDER, "the user cannot be mapped into a namespace: %s",
                         strerror(errno));
    }
    place->isolated = !place->online;
    place->own_tmp = leave_tmp();
    return drop_capabilities() ||
           glmv_fail(err, GLMV_ERR_RENDER, "capabilities cannot be given up: %s", strerror(errno));
}

static bool make_folder(struct worker_place *place, struct glmv_err *err)
{
    snprintf(place->folder, sizeof place->folder, "/tmp/glmv-render-XXXXXX");
    return mkdtemp(place->folder) != NULL ||
           glmv_fail(err, GLMV_ERR_IO, "no private folder can be made in /tmp: %s",
                     strerror(errno));
}

/* As root a page would sit in a sandbox that still holds every capability. */
static bool give_up_root(struct glmv_err *err)
{
    if (geteuid() != 0) {
        return true;
    }
    if (setgroups(0, NULL) != 0 || setresgid(ORDINARY_UID, ORDINARY_UID, ORDINARY_UID) != 0 ||
        setresuid(ORDINARY_UID, ORDINARY_UID, ORDINARY_UID) != 0 || setuid(0) == 0) {
        return glmv_fail(err, GLMV_ERR_RENDER, "root cannot be given up: %s", strerror(errno));
    }
    prctl(PR_SET_DUMPABLE, 1, 0, 0,
          0); /* else /proc/self belongs to root, and namespaces cannot be mapped */
    return true;
}

/*
 * Goes on in a child; this process only waits for it. A process with threads may make no user
 * namespace, and WebKit's libraries start one before main: the child has none.
 */
static void become_single(void)
{
    pid_t pid = fork();
    if (pid > 0) {
        close(RENDER_SOCKET_FD);
        close(RENDER_LIFE_FD);
        int status;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        _exit(0);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* not inherited */
}

/* Namespaces, an ordinary user, a folder. */
static bool make_place(struct worker_place *place, struct glmv_err *err)
{
    leave_as_root(place);
    if (!give_up_root(err)) {
        return false;
    }
    if (!place->away) {
        become_single();
        if (!leave_as_user(place, err)) {
            return false;
        }
    }
    return make_folder(place, err);
}

/* Starts a program with no input and no output. Returns its pid, or -1. */
static pid_t start(char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

/*
 * Tries what WebKit's sandbox does, as the user who will do it. A container may allow user
 * namespaces and yet no new /proc; WebKit would crash there, so the two mounts are tried too.
 */
static bool can_sandbox(void)
{
    char *argv[] = {"bwrap", "--unshare-all", "--ro-bind", "/",    "/", "--proc",
                    "/proc", "--dev",         "/dev",      "true", NULL};
    pid_t pid = start(argv);
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* Starts a private Xvfb, which will write its display number to *numbers. */
static bool start_display(int *numbers, struct glmv_err *err)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return glmv_fail(err, GLMV_ERR_IO, "no pipe can be made: %s", strerror(errno));
    }
    char number_fd[16];
    snprintf(number_fd, sizeof number_fd, "%d", ends[1]);
    char *argv[] = {"Xvfb",      "-displayfd", number_fd,  "-screen",    "0",   "64x64x24",
                    "-nolisten", "tcp",        "-noreset", "-extension", "GLX", NULL};
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pid_t pid = start(argv);
    close(ends[1]);
    *numbers = ends[0];
    return pid > 0 ||
           glmv_fail(err, GLMV_ERR_RENDER, "no process can be started: %s", strerror(errno));
}

/* Reads the display's number, and closes the pipe it comes through. */
static bool read_number(int numbers, int *display, struct glmv_err *err)
{
    char text[32];
    size_t len = 0;
    double deadline = render_now() + DISPLAY_WAIT_S;
    while (len < sizeof text - 1 && memchr(text, '\n', len) == NULL) {
        struct pollfd one = {.fd = numbers, .events = POLLIN};
        double left = deadline - render_now();
        if (left <= 0 || poll(&one, 1, (int)(left * 1000)) < 0) {
            break;
        }
        ssize_t got = read(numbers, text + len, sizeof text - 1 - len);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    close(numbers);
    text[len] = '\0';
    if (memchr(text, '\n', len) == NULL) {
        return glmv_fail(
            err, GLMV_ERR_MISSING,
            "no display: Xvfb is not installed or does not start; install the package xvfb");
    }
    *display = (int)strtol(text, NULL, 10);
    return true;
}

/*
 * Waits for the display. Where /tmp or the network is common, two servers that start in the same
 * moment can choose the same number, and one of them ends: it is started again then.
 */
static bool await_display(int numbers, int *display, struct glmv_err *err)
{
    for (int attempt = 1;; attempt++) {
        struct glmv_err last = {0};
        double begin = render_now();
        if (read_number(numbers, display, &last)) {
            return true;
        }
        if (attempt == DISPLAY_TRIES || render_now() - begin >= DISPLAY_WAIT_S) {
            return glmv_fail(err, last.code, "%s", last.message);
        }
        usleep((useconds_t)(10000 + 7919 * (getpid() % 17)));
        if (!start_display(&numbers, err)) {
            return false;
        }
    }
}

static void set_environment(const struct worker_place *place)
{
    static const char *const fixed[][2] = {
        {"WEBKIT_DISABLE_DMABUF_RENDERER", "1"},
        {"GDK_BACKEND", "x11"},
        {"GDK_SCALE", "1"},
        {"GDK_DPI_SCALE", "1"},
        {"DBUS_SESSION_BUS_ADDRESS", "disabled:"},
        {"NO_AT_BRIDGE", "1"},
        {"GIO_USE_VFS", "local"},
        {"GSETTINGS_BACKEND", "memory"},
        {"LANG", "C.UTF-8"},
        {"TZ", "UTC"},
        {"LIBGL_ALWAYS_SOFTWARE", "1"},
        {"JSC_useJIT", "0"},
    };
    static const char *const folders[] = {"HOME",          "XDG_CONFIG_HOME", "XDG_CACHE_HOME",
                                          "XDG_DATA_HOME", "XDG_STATE_HOME",  "XDG_RUNTIME_DIR"};
    static const char *const dropped[] = {"WAYLAND_DISPLAY", "GTK_THEME",   "GTK_MODULES",
                                          "LD_PRELOAD",      "LC_ALL",      "http_proxy",
                                          "GTK_PATH",        "XAUTHORITY",  "FONTCONFIG_FILE",
                                          "DESKTOP_SESSION", "GLMV_API_KEY"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        setenv(fixed[i][0], fixed[i][1], 1);
    }
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        setenv(folders[i], place->folder, 1);
    }
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        unsetenv(dropped[i]);
    }
    char display[16];
    snprintf(display, sizeof display, ":%d", place->display);
    setenv("DISPLAY", display, 1);
}

/* Chromium's system-ui here is Noto Sans; WebKit would take its default family. */
static void write_fonts(const struct worker_place *place)
{
    char path[128];
    snprintf(path, sizeof path, "%s/fontconfig", place->folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/fontconfig/fonts.conf", place->folder);
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        fputs("<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>"
              "<match target=\"pattern\"><test name=\"family\"><string>system-ui</string></test>"
              "<edit name=\"family\" mode=\"prepend\" binding=\"same\"><string>Noto "
              "Sans</string></edit></match>"
              "</fontconfig>",
              file);
        fclose(file);
    }
}

struct process {
    pid_t pid, parent;
    long resident_mb;
};

/* Every process of this machine that we may see; at most max. */
static size_t list_processes(struct process *list, size_t max)
{
    DIR *proc = opendir("/proc");
    size_t count = 0;
    if (proc == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(proc); entry != NULL && count < max;
         entry = readdir(proc)) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid <= 0) {
            continue;
        }
        char path[300];
        char text[512];
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *file = fopen(path, "r");
        if (file == NULL) {
            continue;
        }
        size_t len = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[len] = '\0';
        char *after = strrchr(text, ')');
        int parent;
        long pages;
        if (after != NULL &&
            sscanf(after + 1,
                   " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                   "%*d %*d %*u %*u %ld",
                   &parent, &pages) == 2) {
            list[count++] =
                (struct process){pid, parent, pages / (1048576 / sysconf(_SC_PAGESIZE))};
        }
    }
    closedir(proc);
    return count;
}

static bool descends(const struct process *list, size_t count, pid_t pid, pid_t from)
{
    for (int depth = 0; depth < 64 && pid > 1; depth++) {
        size_t i = 0;
        while (i < count && list[i].pid != pid) {
            i++;
        }
        if (i == count) {
            return false;
        }
        pid = list[i].parent;
        if (pid == from) {
            return true;
        }
    }
    return false;
}

#define MAX_PROCESSES 8192
static struct process processes[MAX_PROCESSES];

static void kill_large(void)
{
    size_t count = list_processes(processes, MAX_PROCESSES);
    for (size_t i = 0; i < count; i++) {
        if (processes[i].resident_mb > MEMORY_LIMIT_MB &&
            descends(processes, count, processes[i].pid, getpid())) {
            kill(processes[i].pid, SIGKILL);
        }
    }
}

/* Kills everything below us until nothing is left; we are the subreaper, so nothing escapes. */
static void kill_all(void)
{
    double deadline = render_now() + 5;
    while (render_now() < deadline) {
        size_t count = list_processes(processes, MAX_PROCESSES);
        bool any = false;
        for (size_t i = 0; i < count; i++) {
            if (descends(processes, count, processes[i].pid, getpid())) {
                kill(processes[i].pid, SIGKILL);
                any = true;
            }
        }
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (!any) {
            return;
        }
        usleep(2000);
    }
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *state)
{
    (void)st;
    (void)kind;
    (void)state;
    return remove(path);
}

/* Until the client goes or the browser ends. */
static void watch(pid_t browser)
{
    for (;;) {
        struct pollfd life = {.fd = RENDER_LIFE_FD, .events = POLLIN};
        int n = poll(&life, 1, 100);
        if (n > 0) {
            return;
        }
        for (pid_t pid = waitpid(-1, NULL, WNOHANG); pid > 0; pid = waitpid(-1, NULL, WNOHANG)) {
            if (pid == browser) {
                return;
            }
        }
        kill_large();
    }
}

/* Removes the display's lock file and socket, which Xvfb cannot do once it is killed. This comes
 * before the kill: afterwards they could already be another server's. */
static void forget_display(int display)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/.X11-unix/X%d", display);
    unlink(path);
    snprintf(path, sizeof path, "/tmp/.X%d-lock", display);
    unlink(path);
}

int main(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct worker_place place = {.display = -1};
    place.online = argc > 1 && strcmp(argv[1], RENDER_ONLINE) == 0;
    signal(SIGINT,
           SIG_IGN); /* Ctrl-C in the terminal is the client's business; it closes the life pipe */
    signal(SIGPIPE, SIG_IGN);
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    umask(077);
    int numbers = -1;
    if (fcntl(RENDER_SOCKET_FD, F_GETFD) < 0 || fcntl(RENDER_LIFE_FD, F_GETFD) < 0) {
        fputs("glmv-render-worker is started by glmv-replicate, not by hand\n", stderr);
        return 2;
    }
    if (!make_place(&place, &err)) {
        worker_refuse(RENDER_SOCKET_FD, &err);
        return 4;
    }
    /* The display starts while the sandbox is tried. */
    bool started = start_display(&numbers, &err);
    place.sandboxed = (place.own_tmp || !place.isolated) && can_sandbox();
    if (started && await_display(numbers, &place.display, &err)) {
        set_environment(&place);
        write_fonts(&place);
        pid_t browser = fork();
        if (browser == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(RENDER_LIFE_FD);
            _exit(worker_browse(RENDER_SOCKET_FD, &place));
        }
        close(RENDER_SOCKET_FD);
        watch(browser);
    } else {
        worker_refuse(RENDER_SOCKET_FD, &err);
    }
    if (place.display >= 0) {
        forget_display(place.display);
    }
    kill_all();
    nftw(place.folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
