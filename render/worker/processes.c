/* Programs that the worker starts, and every process below it: how much memory, and the end. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "render/wire.h"
#include "render/worker/worker.h"

#define MEMORY_LIMIT_MB 1536 /* resident, of one process; a page of 16384 px needs about 600 */

pid_t worker_program_start(char *const argv[], const char *log)
{
    int failed[2];
    if (pipe2(failed, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        int words = log != NULL ? open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
        dup2(null, 0);
        dup2(null, 1);
        dup2(words >= 0 ? words : null, 2);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execvp(argv[0], argv);
        int why = errno;
        _exit(write(failed[1], &why, sizeof why) == sizeof why ? 127 : 126);
    }
    close(failed[1]);
    int why = errno;
    if (pid > 0) {
        if (read(failed[0], &why, sizeof why) != sizeof why) {
            close(failed[0]);
            return pid; /* the program runs: its end of the pipe was closed */
        }
        waitpid(pid, NULL, 0);
    }
    close(failed[0]);
    errno = why;
    return -1;
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

void worker_kill_large(void)
{
    size_t count = list_processes(processes, MAX_PROCESSES);
    for (size_t i = 0; i < count; i++) {
        if (processes[i].resident_mb > MEMORY_LIMIT_MB &&
            descends(processes, count, processes[i].pid, getpid())) {
            kill(processes[i].pid, SIGKILL);
        }
    }
}

void worker_kill_all(void)
{
    double deadline = glmv_now() + 5;
    while (glmv_now() < deadline) {
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
