#include "model/glm/jobs.h"

#include <assert.h>
#include <string.h>
#include <time.h>

/* A word: the pieces from begin to end are its thread's, and the first so many of them in its
 * hands. Closed: a result of those is being written. Words of other jobs have another tag. */
struct span {
    size_t begin, end, some;
    bool closed;
};

enum { PLACE_BITS = 20, SOME_BITS = 7, TAG_BITS = 16 };
#define BITS(n) (((uint64_t)1 << (n)) - 1)
#define CLOSED ((uint64_t)1 << 63)

static uint64_t word_of(uint64_t number, struct span s)
{
    uint64_t word = (number & BITS(TAG_BITS)) << SOME_BITS | s.some;
    word = (word << PLACE_BITS | s.end) << PLACE_BITS | s.begin;
    return s.closed ? word | CLOSED : word;
}

/* False where it is a word of another job or nothing is left. */
static bool read_word(uint64_t word, uint64_t number, struct span *s)
{
    s->begin = word & BITS(PLACE_BITS);
    s->end = word >> PLACE_BITS & BITS(PLACE_BITS);
    s->some = word >> 2 * PLACE_BITS & BITS(SOME_BITS);
    s->closed = (word & CLOSED) != 0;
    return (word >> (2 * PLACE_BITS + SOME_BITS) & BITS(TAG_BITS)) == (number & BITS(TAG_BITS)) &&
           s->begin < s->end;
}

/* One go at the pieces in a thread's hands, by itself or by another one. */
struct glm_try {
    struct glm_hand *hand;
    uint64_t number;
    size_t begin, some;
    bool won;
};

bool glm_pool_mine(struct glm_try *try)
{
    struct span s;
    if (try == NULL) {
        return true;
    }
    uint64_t word = atomic_load(&try->hand->word);
    do {
        if (!read_word(word, try->number, &s) || s.begin != try->begin || s.some != try->some ||
            s.closed) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&try->hand->word, &word, word | CLOSED));
    try->won = true;
    return true;
}

static void look_away(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static uint64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void glm_jobs_wake(struct glm_pool *pool)
{
    if (atomic_load(&pool->asleep) > 0) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
    }
}

enum { LOOKING = 40000 }; /* nanoseconds */

/* Looks for as long as a short job takes, since waking a thread takes as long again; then sleeps,
 * so that the time is not lost to a thread that has no processor. */
static void wait_until(struct glm_pool *pool, bool (*ready)(struct glm_pool *pool, uint64_t number),
                       uint64_t number)
{
    for (uint64_t until = nanoseconds() + LOOKING; nanoseconds() < until; look_away()) {
        if (ready(pool, number)) {
            return;
        }
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->asleep, 1);
    while (!ready(pool, number)) {
        pthread_cond_wait(&pool->wake, &pool->lock);
    }
    atomic_fetch_sub(&pool->asleep, 1);
    pthread_mutex_unlock(&pool->lock);
}

static bool is_past(struct glm_pool *pool, uint64_t number)
{
    return atomic_load(&pool->present) != number;
}

static bool has_work(struct glm_pool *pool, uint64_t number)
{
    return atomic_load(&pool->stop) || atomic_load(&pool->queued) != number;
}

/* Pieces that are taken in hand at a time: fewer towards the end, so that all end together. */
static size_t some_of(const struct glm_work *work, size_t left)
{
    const size_t some = left / 4 < 1 ? 1 : left / 4;
    return some < work->most ? some : work->most;
}

static void take(struct glm_hand *hand, uint64_t number, const struct glm_work *work, size_t begin,
                 size_t end)
{
    const struct span s = {begin, end, some_of(work, end - begin), false};
    atomic_store(&hand->word, word_of(number, s));
}

/* A share that nobody has begun. */
static bool take_share(struct glm_job *job, struct glm_hand *hand, uint64_t number)
{
    if (atomic_load(&job->next) >= job->shares) {
        return false; /* looked at first: adding would take the line away from others */
    }
    const size_t share = atomic_fetch_add(&job->next, 1);
    if (share >= job->shares) {
        return false;
    }
    take(hand, number, &job->work, job->pieces * share / job->shares,
         job->pieces * (share + 1) / job->shares);
    return true;
}

/* Half of what the thread with the most has not begun. */
static bool take_half(struct glm_pool *pool, size_t self, uint64_t number)
{
    struct span s, best = {0};
    struct glm_hand *from = NULL;
    uint64_t word, old = 0;
    for (size_t i = 0; i <= (size_t)pool->count; i++) {
        word = atomic_load(&pool->hands[i].word);
        if (i != self && read_word(word, number, &s) && s.end - s.begin > s.some &&
            (from == NULL || s.end - s.begin - s.some > best.end - best.begin - best.some)) {
            best = s;
            from = &pool->hands[i];
            old = word;
        }
    }
    if (from == NULL) {
        return false;
    }
    const size_t end = best.end, cut = end - (end - best.begin - best.some + 1) / 2;
    best.end = cut;
    if (atomic_compare_exchange_strong(&from->word, &old, word_of(number, best))) {
        take(&pool->hands[self], number, &pool->jobs[number % GLM_JOBS].work, cut, end);
    }
    return true; /* or to be tried again */
}

/* What was in hand is done, and the next pieces are taken up; or all are taken away. Returns those
 * that were not in hand. */
static struct span put_down(struct glm_hand *hand, uint64_t number, const struct glm_work *work,
                            bool all)
{
    uint64_t word = atomic_load(&hand->word), next;
    struct span s, then;
    do {
        read_word(word, number, &s);
        s.begin += s.some;
        s.closed = false;
        then = s;
        then.begin = all ? s.end : s.begin;
        then.some = some_of(work, then.end - then.begin);
        next = word_of(number, then);
    } while (!atomic_compare_exchange_weak(&hand->word, &word, next));
    return s;
}

static void run_pieces(const struct glm_job *job, size_t begin, size_t some, struct glm_try *try)
{
    const struct glm_work *work = &job->work;
    const size_t from = begin * work->part, left = work->count - from;
    const size_t end = left < some * work->part ? work->count : from + some * work->part;
    void *arg = (void *)(uintptr_t)job->arg;
    if (work->race != NULL) {
        work->race(arg, from, end, try);
    } else {
        work->run(arg, from, end);
    }
}

/* The last ones that are done open the next job. */
static void count_done(struct glm_pool *pool, uint64_t number, size_t some)
{
    if (atomic_fetch_sub(&pool->jobs[number % GLM_JOBS].left, some) == some) {
        atomic_store(&pool->present, number + 1);
        glm_jobs_wake(pool);
    }
}

/* Does the pieces that a thread has in hand: its own ones or another's. Returns how many of them
 * are done by it. */
static size_t do_pieces(struct glm_pool *pool, struct glm_hand *own, struct glm_hand *hand,
                        uint64_t number, struct span s)
{
    const struct glm_job *job = &pool->jobs[number % GLM_JOBS];
    struct glm_try try = {hand, number, s.begin, s.some, job->work.race == NULL};
    run_pieces(job, s.begin, s.some, &try);
    if (!try.won) {
        return 0; /* another thread was faster */
    }
    const struct span rest = put_down(hand, number, &job->work, hand != own);
    if (hand != own && rest.begin < rest.end) {
        take(own, number, &job->work, rest.begin, rest.end);
    }
    count_done(pool, number, s.some);
    return s.some;
}

/* Nothing is left to begin. Waits as long as pieces in the hands of others may well take, then does
 * them again. */
static void help_out(struct glm_pool *pool, size_t self, uint64_t number, uint64_t patience)
{
    const size_t threads = (size_t)pool->count + 1;
    struct glm_hand *own = &pool->hands[self];
    struct span s;
    for (uint64_t until = nanoseconds() + patience; nanoseconds() < until; look_away()) {
        if (is_past(pool, number) || take_half(pool, self, number)) {
            return;
        }
    }
    for (size_t i = 1; i < threads; i++) {
        struct glm_hand *hand = &pool->hands[(self + i) % threads];
        if (read_word(atomic_load(&hand->word), number, &s) && !s.closed) {
            do_pieces(pool, own, hand, number, s);
            return;
        }
    }
    wait_until(pool, is_past, number); /* all results are being written */
}

/* Another thread writes what was in these hands, which takes as long as a copy. */
static void wait_for_writer(struct glm_pool *pool, const struct glm_hand *own, uint64_t number)
{
    struct span s;
    for (uint64_t until = nanoseconds() + LOOKING; nanoseconds() < until; look_away()) {
        if (!read_word(atomic_load(&own->word), number, &s) || !s.closed) {
            return;
        }
    }
    wait_until(pool, is_past, number); /* it was stopped there; it does the rest as well */
}

static void do_job(struct glm_pool *pool, size_t self, uint64_t number)
{
    enum { LATE = 20000, LEAST = 2000, MOST = 500000 }; /* nanoseconds */
    struct glm_job *job = &pool->jobs[number % GLM_JOBS];
    struct glm_hand *own = &pool->hands[self];
    const uint64_t start = job->work.race != NULL ? nanoseconds() : 0;
    uint64_t patience = 0;
    size_t done = 0;
    struct span s;
    while (!is_past(pool, number)) {
        if (read_word(atomic_load(&own->word), number, &s)) {
            if (s.closed) {
                wait_for_writer(pool, own, number);
            } else {
                done += do_pieces(pool, own, own, number, s);
            }
        } else if (take_share(job, own, number) || take_half(pool, self, number)) {
            continue;
        } else if (job->work.race == NULL) {
            wait_until(pool, is_past, number);
        } else {
            if (patience == 0) { /* one and a half times what it took this thread */
                patience =
                    done > 0 ? (nanoseconds() - start) / done * job->work.most * 3 / 2 : LATE;
                patience = patience < LEAST ? LEAST : patience > MOST ? MOST : patience;
            }
            help_out(pool, self, number, patience);
        }
    }
}

static void go_inside(struct glm_pool *pool, size_t self, uint64_t number)
{
    atomic_store(&pool->hands[self].inside, number);
    if (atomic_load(&pool->settling)) {
        glm_jobs_wake(pool);
    }
}

/* Takes part in the present job. False: there is none. */
static bool do_present(struct glm_pool *pool, size_t self)
{
    const uint64_t number = atomic_load(&pool->present);
    if (number == atomic_load(&pool->queued)) {
        go_inside(pool, self, GLM_OUTSIDE);
        return false;
    }
    go_inside(pool, self, number);
    /* said first, looked at afterwards: a job that is present then is not used again */
    if (!is_past(pool, number)) {
        do_job(pool, self, number);
    }
    return true;
}

void glm_jobs_help(struct glm_pool *pool, size_t self)
{
    for (;;) {
        if (do_present(pool, self)) {
            continue;
        }
        if (atomic_load(&pool->stop)) {
            return;
        }
        wait_until(pool, has_work, atomic_load(&pool->present));
    }
}

void glm_jobs_finish(struct glm_pool *pool)
{
    while (do_present(pool, 0)) {
    }
}

/* Jobs before this number are read by nobody. */
static uint64_t settled(struct glm_pool *pool)
{
    uint64_t least = atomic_load(&pool->present);
    for (int i = 0; i <= pool->count; i++) {
        const uint64_t inside = atomic_load(&pool->hands[i].inside);
        least = inside < least ? inside : least;
    }
    return least;
}

static bool is_settled(struct glm_pool *pool, uint64_t number)
{
    return settled(pool) >= number;
}

static void settle(struct glm_pool *pool, uint64_t number)
{
    while (!is_settled(pool, number)) {
        if (do_present(pool, 0)) {
            continue;
        }
        atomic_store(&pool->settling, true);
        wait_until(pool, is_settled, number);
        atomic_store(&pool->settling, false);
    }
}

void glm_jobs_settle(struct glm_pool *pool)
{
    settle(pool, atomic_load(&pool->queued));
}

/* Waits until jobs before number can be used again; at least those that are gone are. */
static void retire(struct glm_pool *pool, uint64_t number)
{
    settle(pool, number);
    for (const uint64_t end = settled(pool); pool->retired < end; pool->retired++) {
        pool->room_tail = pool->jobs[pool->retired % GLM_JOBS].room_end;
    }
}

void *glm_pool_room(struct glm_pool *pool, size_t bytes)
{
    bytes = (bytes + 63) / 64 * 64;
    assert(bytes <= pool->room_part);
    size_t at = pool->room_head % pool->room_size;
    if (pool->jobs == NULL) {
        return pool->room;
    }
    if (at + bytes > pool->room_size) {
        pool->room_head += pool->room_size - at;
        at = 0;
    }
    pool->room_head += bytes;
    while (pool->room_head - pool->room_tail > pool->room_size) {
        if (pool->retired < atomic_load(&pool->queued)) {
            retire(pool, pool->retired + 1);
        } else { /* what was done without a job is behind the last one */
            pool->room_tail = pool->room_free;
        }
    }
    return pool->room + at;
}

bool glm_pool_has_room(const struct glm_pool *pool, size_t bytes)
{
    return bytes <= pool->room_part;
}

uint64_t glm_pool_number(const struct glm_pool *pool)
{
    return atomic_load(&pool->queued);
}

void glm_pool_left(struct glm_pool *pool, uint64_t number)
{
    if (pool->jobs != NULL) {
        settle(pool, number);
    }
}

/* By the caller, at once. */
static void run_alone(struct glm_pool *pool, const struct glm_work *work, void *arg)
{
    const size_t most = work->part * work->most;
    pool->room_free = work->last ? pool->room_head : pool->room_free;
    if (work->race == NULL) {
        work->run(arg, 0, work->count);
        return;
    }
    for (size_t at = 0; at < work->count; at += most) {
        work->race(arg, at, work->count - at < most ? work->count : at + most, NULL);
    }
}

/* size 0: arg stays where it is. */
static void queue(struct glm_pool *pool, const struct glm_work *work, void *arg, size_t size)
{
    const uint64_t number = atomic_load(&pool->queued);
    const size_t threads = (size_t)pool->count + 1;
    struct glm_job *job = &pool->jobs[number % GLM_JOBS];
    if (number - pool->retired >= GLM_JOBS - 1) {
        retire(pool, number - GLM_JOBS + 2);
    }
    job->work = *work;
    job->pieces = (work->count + work->part - 1) / work->part;
    while (job->pieces > BITS(PLACE_BITS)) {
        job->work.part *= 2;
        job->pieces = (work->count + job->work.part - 1) / job->work.part;
    }
    job->shares = job->pieces < threads ? job->pieces : threads;
    assert(size <= sizeof job->bytes && work->most <= BITS(SOME_BITS));
    memcpy(job->bytes, arg, size);
    job->arg = size > 0 ? job->bytes : arg;
    pool->room_free = work->last ? pool->room_head : pool->room_free;
    job->room_end = pool->room_free;
    atomic_store(&job->next, 0);
    atomic_store(&job->left, job->pieces);
    atomic_store(&pool->queued, number + 1);
    glm_jobs_wake(pool);
}

void glm_pool_queue(struct glm_pool *pool, const struct glm_work *work, void *arg, size_t size)
{
    if (work->count == 0) {
        return;
    }
    if (pool->jobs == NULL || (!pool->open && work->count <= work->part)) {
        run_alone(pool, work, arg); /* outside of a batch, nothing is waiting */
        return;
    }
    queue(pool, work, arg, size);
    if (!pool->open) {
        glm_jobs_finish(pool);
        glm_jobs_settle(pool);
    }
}

void glm_pool_run(struct glm_pool *pool, size_t count, size_t part,
                  void (*run)(void *arg, size_t begin, size_t end), void *arg)
{
    const struct glm_work work = {.count = count, .part = part, .most = 1, .run = run};
    if (count == 0) {
        return;
    }
    if (pool->jobs == NULL || (!pool->open && count <= part)) {
        run_alone(pool, &work, arg);
        return;
    }
    queue(pool, &work, arg, 0);
    glm_jobs_finish(pool);
}

void glm_pool_begin(struct glm_pool *pool)
{
    pool->open = true;
}

void glm_pool_end(struct glm_pool *pool)
{
    pool->open = false;
    if (pool->jobs != NULL) {
        glm_jobs_finish(pool);
    }
}
