/* Commands in turn, each a cold process: medians of wall time, processor time and peak memory. This
 * program is small, so that little of its own is in the numbers.
 * Usage: turns ROUNDS COMMAND... -- COMMAND... -- ...; the first one is what the others are
 * compared with. Exit codes 0, 1 and 22 (odiff's "different") are results; any other ends the run.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define MOST 16 /* commands */

extern char **environ;

struct command {
    char **argv;
    double *wall, *cpu; /* ms, of each round */
    double *ratio;      /* to the first command's wall time in the same round */
    long memory;        /* KiB */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static int ascending(const void *p, const void *q)
{
    double a = *(const double *)p;
    double b = *(const double *)q;
    return a < b ? -1 : a > b;
}

static void run(struct command *c, int round)
{
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    int status = 0;
    struct rusage usage;
    double start = now();
    if (posix_spawnp(&pid, c->argv[0], &quiet, NULL, c->argv, environ) != 0 ||
        wait4(pid, &status, 0, &usage) != pid) {
        fprintf(stderr, "%s: cannot be run\n", c->argv[0]);
        exit(2);
    }
    c->wall[round] = now() - start;
    posix_spawn_file_actions_destroy(&quiet);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    if (code != 0 && code != 1 && code != 22) {
        fprintf(stderr, "%s: exit code %d\n", c->argv[0], code);
        exit(2);
    }
    c->cpu[round] = ms(usage.ru_utime) + ms(usage.ru_stime);
    c->memory = usage.ru_maxrss > c->memory ? usage.ru_maxrss : c->memory;
}

static void print(struct command *c, const struct command *first, int rounds)
{
    for (int r = 0; r < rounds; r++) {
        c->ratio[r] = c->wall[r] / first->wall[r];
    }
    double *all[] = {c->ratio, c->cpu, c == first ? c->cpu : c->wall};
    for (int i = 0; i < 3; i++) {
        qsort(all[i], (size_t)rounds, sizeof(double), ascending);
    }
    const char *name = strrchr(c->argv[0], '/');
    name = name != NULL ? name + 1 : c->argv[0];
    double *wall = c->wall;
    if (c == first) { /* its rounds are still wanted in their order */
        wall = malloc((size_t)rounds * sizeof *wall);
        if (wall == NULL) {
            exit(2);
        }
        memcpy(wall, c->wall, (size_t)rounds * sizeof *wall);
        qsort(wall, (size_t)rounds, sizeof *wall, ascending);
    }
    printf("  %-15s median %8.2f ms, least %8.2f, CPU %8.2f, %6.2f x the first, %5.1f MB\n", name,
           wall[rounds / 2], wall[0], c->cpu[rounds / 2], c->ratio[rounds / 2],
           (double)c->memory / 1024);
    if (c == first) {
        free(wall);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[1]) : 0;
    struct command commands[MOST] = {{0}};
    int count = 0;
    for (int i = 2; i < argc && count < MOST; i++) {
        if (i == 2 || argv[i - 1] == NULL) {
            commands[count++].argv = argv + i;
        }
        if (strcmp(argv[i], "--") == 0) {
            argv[i] = NULL;
        }
    }
    if (rounds < 1 || count == 0) {
        fputs("Usage: turns ROUNDS COMMAND... [-- COMMAND...]...\n", stderr);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        double *room = calloc((size_t)rounds * 3, sizeof *room);
        if (room == NULL) {
            return 2;
        }
        commands[i].wall = room;
        commands[i].cpu = room + rounds;
        commands[i].ratio = room + (size_t)2 * (size_t)rounds;
    }
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < count; i++) {
            run(&commands[(i + r) % count], r);
        }
    }
    for (int i = 0; i < count; i++) {
        print(&commands[i], &commands[0], rounds);
        if (i > 0) {
            free(commands[i].wall);
        }
    }
    free(commands[0].wall);
    return 0;
}
