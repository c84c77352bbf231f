/* The queue of jobs: every piece is done once, in order, and a thread that is stopped holds up
 * nobody. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "model/glm/pool.h"
#include "tests/check.h"

enum { HELPERS = 3, PIECES = 200 };

static void add_part(void *arg, size_t begin, size_t end)
{
    atomic_fetch_add((atomic_size_t *)arg, end - begin);
}

/* Short jobs one after the other, few and more things than are told apart at a time. */
static void test_short(void)
{
    static const size_t counts[] = {0, 1, 3, 4, 5, 40, 3000017};
    for (int threads = 1; threads <= HELPERS + 1; threads++) {
        struct glm_pool *pool = glm_pool_new(threads, NULL);
        CHECK(pool != NULL && glm_pool_threads(pool) == threads);
        atomic_size_t done;
        atomic_init(&done, 0);
        size_t want = 0;
        for (int i = 0; i < 3000; i++) {
            const size_t count = counts[(size_t)i % (i < 7 ? 7 : 6)];
            glm_pool_run(pool, count, 1, add_part, &done);
            want += count;
        }
        CHECK_MSG(atomic_load(&done) == want, "%d threads: %zu of %zu", threads, atomic_load(&done),
                  want);
        glm_pool_free(pool);
    }
}

/* Helpers stop in the middle of their pieces until they are let go. */
struct stop {
    pthread_t caller;
    atomic_int stopped, tries;
    atomic_bool go;
    int want;
    atomic_int written[PIECES];
};

static void stopping_race(void *arg, size_t begin, size_t end, struct glm_try *try)
{
    struct stop *s = *(struct stop **)arg;
    if (pthread_equal(pthread_self(), s->caller)) {
        while (atomic_load(&s->stopped) < s->want) {
            sched_yield(); /* until all helpers have pieces in hand */
        }
    } else if (atomic_fetch_add(&s->stopped, 1) < s->want) {
        while (!atomic_load(&s->go)) {
            sched_yield();
        }
    }
    atomic_fetch_add(&s->tries, (int)(end - begin));
    if (glm_pool_mine(try)) {
        for (size_t i = begin; i < end; i++) {
            atomic_fetch_add(&s->written[i], 1);
        }
    }
}

/* What stopped threads have in hand is done by the caller, and not written again afterwards. */
static void test_stopped(void)
{
    for (size_t most = 1; most <= 7; most += 3) {
        struct stop s = {.caller = pthread_self(), .want = HELPERS};
        struct stop *at = &s;
        struct glm_pool *pool = glm_pool_new(HELPERS + 1, NULL);
        atomic_size_t after;
        atomic_init(&after, 0);
        const struct glm_work work = {
            .count = PIECES, .part = 1, .most = most, .race = stopping_race};
        glm_pool_begin(pool);
        glm_pool_queue(pool, &work, &at, sizeof at);
        for (int i = 0; i < 50; i++) { /* others may follow before they are let go */
            glm_pool_run(pool, 64, 1, add_part, &after);
        }
        glm_pool_end(pool);
        CHECK(atomic_load(&s.stopped) >= HELPERS && atomic_load(&after) == 50 * 64);
        const int tries = atomic_load(&s.tries);
        CHECK_MSG(tries == PIECES, "%d tries while helpers were stopped", tries);
        atomic_store(&s.go, true);
        glm_pool_free(pool);
        CHECK_MSG(atomic_load(&s.tries) > tries, "no helper was stopped");
        for (size_t i = 0; i < PIECES; i++) {
            CHECK_MSG(atomic_load(&s.written[i]) == 1, "piece %zu written %d times", i,
                      atomic_load(&s.written[i]));
        }
    }
}

/* Numbers go from job to job through the room and back. */
enum { WIDTH = 96 };
struct pass {
    uint32_t *values, *room;
};

static void pack_part(void *arg, size_t begin, size_t end)
{
    const struct pass *pass = arg;
    memcpy(pass->room + begin, pass->values + begin, (end - begin) * sizeof *pass->room);
}

static void pass_race(void *arg, size_t begin, size_t end, struct glm_try *try)
{
    const struct pass *pass = arg;
    uint32_t own[WIDTH];
    for (size_t i = begin; i < end; i++) {
        own[i - begin] = pass->room[i] * 3 + pass->room[(i + 1) % WIDTH];
    }
    if (glm_pool_mine(try)) {
        memcpy(pass->values + begin, own, (end - begin) * sizeof *own);
    }
}

/* Many more jobs than wait at a time, and more room than there is, in one batch. */
static void test_batch(void)
{
    enum { TURNS = 3000 };
    uint32_t values[WIDTH], want[WIDTH], next[WIDTH];
    struct glm_pool *pool = glm_pool_new(HELPERS + 1, NULL);
    CHECK(glm_pool_fit(pool, 64, NULL));
    for (size_t i = 0; i < WIDTH; i++) {
        values[i] = want[i] = (uint32_t)i * 77 + 1;
    }
    glm_pool_begin(pool);
    for (int turn = 0; turn < TURNS; turn++) {
        const struct glm_work pack = {.count = WIDTH, .part = 8, .most = 1, .run = pack_part};
        const struct glm_work work = {
            .count = WIDTH, .part = 4, .most = 3, .race = pass_race, .last = true};
        struct pass pass = {values, glm_pool_room(pool, sizeof values)};
        glm_pool_queue(pool, &pack, &pass, sizeof pass);
        glm_pool_queue(pool, &work, &pass, sizeof pass);
        for (size_t i = 0; i < WIDTH; i++) {
            next[i] = want[i] * 3 + want[(i + 1) % WIDTH];
        }
        memcpy(want, next, sizeof want);
    }
    glm_pool_end(pool);
    CHECK(memcmp(values, want, sizeof want) == 0);
    glm_pool_free(pool);
}

int main(void)
{
    test_short();
    test_stopped();
    test_batch();
    TEST_END();
}
