/* What a kernel can do wrong that its results may hide: the emulator has to see it. Each of these
 * kernels runs in a process of its own, which has to end with the sentence. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/model/glm/cuda_faults.h"
#include "tests/model/glm/cuda_test.h"

enum { ROWS = 64, COLUMNS = 128, DEPTH = 64 };

static float x[(ROWS + COLUMNS) * DEPTH], out[ROWS * COLUMNS];

/* How the process ended; what it said. */
static int run_apart(enum cuda_fault fault, uint16_t *rounded, char *said, size_t size)
{
    int ends[2], status = 0;
    size_t len = 0;
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], 2);
        cuda_fault_run(fault, rounded, out);
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got; len + 1 < size && (got = read(ends[0], said + len, size - 1 - len)) > 0;) {
        len += (size_t)got;
    }
    said[len] = '\0';
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void test_stops(uint16_t *rounded)
{
    static const struct {
        enum cuda_fault fault;
        const char *sentence;
    } cases[] = {
        {CUDA_FAULT_UNFENCED, "tiles that are not fenced"},
        {CUDA_FAULT_ATOM, "not at a multiple of 1024"},
        {CUDA_FAULT_REGISTERS, "a product without a fence"},
        {CUDA_FAULT_UNWAITED, "products under way"},
        {CUDA_FAULT_SUMS, "sums of products under way were touched"},
        {CUDA_FAULT_SUMS_READ, "sums of products under way were touched"},
        {CUDA_FAULT_TILE, "a tile changed after"},
        {CUDA_FAULT_OUTSIDE, "outside the block's shared memory"},
        {CUDA_FAULT_DEPEND, "without waiting for the kernel before"},
        {CUDA_FAULT_RELEASE, "before it has waited"},
        {CUDA_FAULT_LANES, "lanes of its warp part"},
        {CUDA_FAULT_ALIGNED, "not aligned"},
        {CUDA_FAULT_CONSTANT, "read as constant was written"},
        {CUDA_FAULT_BARRIER, "a barrier that was not initialised"},
        {CUDA_FAULT_STUCK, "everybody waits"},
        {CUDA_FAULT_MORE_REGISTERS, "more registers than"},
        {CUDA_FAULT_OTHER_WAY, "the other way"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[512];
        const int status = run_apart(cases[i].fault, rounded, said, sizeof said);
        CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
                      strstr(said, cases[i].sentence) != NULL,
                  "fault %d: no '%s' in '%s', status %x", (int)cases[i].fault, cases[i].sentence,
                  said, (unsigned)status);
    }
}

/* Off from x w^T. */
static double distance(void)
{
    static float want[ROWS * COLUMNS];
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++) {
        want[i] = 0;
        for (size_t k = 0; k < DEPTH; k++) {
            want[i] += x[i / COLUMNS * DEPTH + k] * x[(ROWS + i % COLUMNS) * DEPTH + k];
        }
    }
    return test_distance(out, want, (size_t)ROWS * COLUMNS);
}

/* What no sentence says shows in the numbers. */
static void test_shows(uint16_t *rounded)
{
    cuda_fault_run(CUDA_FAULT_NONE, rounded, out);
    CHECK_MSG(distance() < 1e-6, "the right one is %g off", distance());
    CHECK(glm_emulate_turns().taken == glm_emulate_turns().least);
    cuda_fault_run(CUDA_FAULT_SWIZZLE, rounded, out);
    CHECK_MSG(distance() > 0.1, "%g off without the order of pieces", distance());
    cuda_fault_run(CUDA_FAULT_COPY, rounded, out);
    CHECK(isnan(out[0]) && isnan(out[127]));
    out[0] = 1;
    cuda_fault_run(CUDA_FAULT_EARLY, rounded, out);
    CHECK_MSG(out[0] == 2 && out[1] == 1 && out[128] == 1, "%g was read", out[1]);
    cuda_fault_run(CUDA_FAULT_BANKS, rounded, out);
    const struct glm_emulate_turns turns = glm_emulate_turns();
    CHECK_MSG(turns.taken == 8 * turns.least, "%d turns for %d", (int)turns.taken,
              (int)turns.least);
}

int main(void)
{
    float *numbers = test_floats((size_t)(ROWS + COLUMNS) * DEPTH, 1);
    uint16_t *rounded = test_rounded(numbers, (size_t)(ROWS + COLUMNS) * DEPTH);
    memcpy(x, numbers, sizeof x);
    glm_emulate_watch();
    test_stops(rounded);
    test_shows(rounded);
    free(numbers);
    free(rounded);
    TEST_END();
}
