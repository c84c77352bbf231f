/*
 * The private place a browser runs in: namespaces of its own for network and mounts, an ordinary
 * user, an empty /tmp, a folder, and an environment that says the same on every machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "render/wire.h"
#include "render/worker/worker.h"

#define ORDINARY_UID 65534

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

bool worker_place_make(struct worker_place *place, struct glmv_err *err)
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

/*
 * Tries what WebKit's sandbox does, as the user who will do it. A container may allow user
 * namespaces and yet no new /proc; WebKit would crash there, so the two mounts are tried too.
 */
static bool can_sandbox(void)
{
    char *argv[] = {"bwrap", "--unshare-all", "--ro-bind", "/",    "/", "--proc",
                    "/proc", "--dev",         "/dev",      "true", NULL};
    pid_t pid = worker_program_start(argv, NULL);
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

void worker_place_try_sandbox(struct worker_place *place)
{
    place->sandboxed = (place->own_tmp || !place->isolated) && can_sandbox();
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

void worker_place_enter(const struct worker_place *place)
{
    set_environment(place);
    write_fonts(place);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *state)
{
    (void)st;
    (void)kind;
    (void)state;
    return remove(path);
}

void worker_place_remove(const struct worker_place *place)
{
    if (place->folder[0] != '\0') {
        nftw(place->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
}
