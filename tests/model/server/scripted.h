/* Starts tests/model/server/scripted.py and knows its port. It ends with the test: its standard
 * input closes. */
#ifndef GLMV_TESTS_MODEL_SERVER_SCRIPTED_H
#define GLMV_TESTS_MODEL_SERVER_SCRIPTED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct scripted {
    pid_t pid;
    int port, in;
};

/* Returns 0, or -1 when there is no Python. */
static int scripted_start(struct scripted *server, const char *answers)
{
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) {
        return -1;
    }
    server->pid = fork();
    if (server->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", "tests/model/server/scripted.py", "--answers", answers,
               (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server->in = in[1];
    char line[32] = "";
    size_t len = 0;
    while (len < sizeof line - 1 && read(out[0], line + len, 1) == 1 && line[len++] != '\n') {
    }
    close(out[0]);
    server->port = len > 0 ? atoi(line) : 0;
    return server->port > 0 ? 0 : -1;
}

static void scripted_stop(struct scripted *server)
{
    close(server->in);
    waitpid(server->pid, NULL, 0);
}

/* Address of a scenario; valid until the next call. */
static const char *scripted_url(const struct scripted *server, const char *scenario)
{
    static char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s/v1", server->port, scenario);
    return url;
}

#endif
