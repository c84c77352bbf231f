/* Fibers for the threads of a block, and where they meet; see model/glm/cuda/emulate.h. */
#include "tests/model/glm/cuda_emulated.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "model/glm/cuda/emulate.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

emulate_place threadIdx, blockIdx, blockDim, gridDim;
unsigned char *emulate_dynamic_shared;

namespace
{

enum state { RUNS, WAITS_FOR_WARP, WAITS_FOR_BLOCK, DONE };
constexpr size_t STACK = 256 << 10, LARGEST = 64; /* bytes of what a lane brings to a meeting */

struct copy {
    void *to;
    const void *from;
    bool valid;
};

struct fiber {
    ucontext_t context;
    std::unique_ptr<unsigned char[]> stack;
    state now;
    bool waited;                        /* for the kernel before */
    std::deque<std::vector<copy>> sets; /* asynchronous copies; the last set is open */
};

struct warp {
    uint32_t meeting;
    size_t size;
    alignas(16) unsigned char brought[2][32 * LARGEST];
};

std::vector<fiber> fibers;
std::vector<warp> warps;
ucontext_t scheduler;
uint32_t current;
uint64_t draws;
const char *kernel_name;
void (*body)(const void *args);
const void *body_args;

[[noreturn]] void fail(const char *what)
{
    fprintf(stderr, "glm_cuda_%s, block %u %u %u, thread %u: %s\n", kernel_name, blockIdx.x,
            blockIdx.y, blockIdx.z, current, what);
    abort();
}

uint64_t draw()
{
    uint64_t z = draws += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    return z ^ z >> 27;
}

void shuffle(std::vector<uint32_t> &order)
{
    for (size_t i = order.size(); i > 1; i--) {
        std::swap(order[i - 1], order[draw() % i]);
    }
}

#if defined(__SANITIZE_ADDRESS__)
const void *scheduler_stack;
size_t scheduler_size;
void arrive(void *kept)
{
    __sanitizer_finish_switch_fiber(kept, &scheduler_stack, &scheduler_size);
}
#endif

/* From a fiber back to the scheduler. */
void leave(state why)
{
    fiber &f = fibers[current];
    f.now = why;
#if defined(__SANITIZE_ADDRESS__)
    void *kept = nullptr;
    __sanitizer_start_switch_fiber(why == DONE ? nullptr : &kept, scheduler_stack, scheduler_size);
    swapcontext(&f.context, &scheduler);
    arrive(kept);
#else
    swapcontext(&f.context, &scheduler);
#endif
}

void start()
{
#if defined(__SANITIZE_ADDRESS__)
    arrive(nullptr);
#endif
    body(body_args);
    if (!fibers[current].waited) {
        fail("ends without waiting for the kernel before it");
    }
    leave(DONE);
}

void enter(uint32_t thread)
{
    current = thread;
    threadIdx.x = thread;
    fibers[thread].now = RUNS;
#if defined(__SANITIZE_ADDRESS__)
    void *kept = nullptr;
    __sanitizer_start_switch_fiber(&kept, fibers[thread].stack.get(), STACK);
    swapcontext(&scheduler, &fibers[thread].context);
    __sanitizer_finish_switch_fiber(kept, nullptr, nullptr);
#else
    swapcontext(&scheduler, &fibers[thread].context);
#endif
}

uint32_t count_in(uint32_t first, uint32_t count, state wanted)
{
    uint32_t found = 0;
    for (uint32_t i = first; i < first + count; i++) {
        found += fibers[i].now == wanted ? 1 : 0;
    }
    return found;
}

/* Until every lane of a warp waits for the block or is done. */
void run_warp(uint32_t index, std::vector<uint32_t> &lanes)
{
    const uint32_t first = index * 32;
    while (true) {
        shuffle(lanes);
        for (uint32_t lane : lanes) {
            if (fibers[first + lane].now == RUNS) {
                enter(first + lane);
            }
        }
        const uint32_t waiting = count_in(first, 32, WAITS_FOR_WARP);
        if (waiting == 0) {
            return;
        }
        if (waiting != 32) {
            fail("lanes of its warp part at an instruction of all");
        }
        warps[index].meeting++;
        warps[index].size = 0;
        for (uint32_t i = 0; i < 32; i++) {
            fibers[first + i].now = RUNS;
        }
    }
}

void prepare(uint32_t threads)
{
    const size_t before = fibers.size();
    if (before < threads) {
        fibers.resize(threads);
        for (size_t i = before; i < threads; i++) {
            fibers[i].stack.reset(new unsigned char[STACK]);
        }
    }
    warps.assign(threads / 32, warp());
    for (uint32_t i = 0; i < threads; i++) {
        fiber &f = fibers[i];
        f.now = RUNS;
        f.waited = false;
        f.sets.assign(1, {});
        getcontext(&f.context);
        f.context.uc_stack.ss_sp = f.stack.get();
        f.context.uc_stack.ss_size = STACK;
        f.context.uc_link = nullptr;
        makecontext(&f.context, start, 0);
    }
}

void run_block(uint32_t threads)
{
    std::vector<uint32_t> order(threads / 32), lanes(32);
    for (uint32_t i = 0; i < 32; i++) {
        lanes[i] = i;
    }
    for (uint32_t i = 0; i < order.size(); i++) {
        order[i] = i;
    }
    prepare(threads);
    while (count_in(0, threads, DONE) < threads) {
        shuffle(order);
        for (uint32_t index : order) {
            run_warp(index, lanes);
        }
        for (uint32_t i = 0; i < threads; i++) {
            fibers[i].now = fibers[i].now == WAITS_FOR_BLOCK ? RUNS : fibers[i].now;
        }
    }
}

template <class Args, void (*kernel)(const Args)> void call(const void *args)
{
    kernel(*static_cast<const Args *>(args));
}

} // namespace

const unsigned char *emulate_meet_warp(const void *mine, size_t size)
{
    warp &w = warps[current / 32];
    unsigned char *brought = w.brought[w.meeting % 2];
    if (size > LARGEST || (w.size != 0 && w.size != size)) {
        fail("lanes of its warp bring different things");
    }
    w.size = size;
    memcpy(brought + current % 32 * size, mine, size);
    leave(WAITS_FOR_WARP);
    return brought;
}

void emulate_meet_block(void)
{
    leave(WAITS_FOR_BLOCK);
}

void emulate_depend_wait(void)
{
    fibers[current].waited = true;
}

void emulate_aligned(const void *p, size_t size)
{
    if (reinterpret_cast<uintptr_t>(p) % size != 0) {
        fail("an address is not aligned");
    }
}

void emulate_copy(void *to, const void *from, bool valid)
{
    emulate_aligned(to, 16);
    emulate_aligned(from, 16);
    memset(to, 0xFF, 16); /* nobody may read it until it has arrived */
    fibers[current].sets.back().push_back({to, from, valid});
}

void emulate_copy_close(void)
{
    fibers[current].sets.push_back({});
}

void emulate_copy_wait(int left)
{
    std::deque<std::vector<copy>> &sets = fibers[current].sets;
    while (sets.size() > (size_t)left + 1) {
        for (const copy &c : sets.front()) {
            if (c.valid) {
                memcpy(c.to, c.from, 16);
            } else {
                memset(c.to, 0, 16);
            }
        }
        sets.pop_front();
    }
}

#define DECLARE(type, name)                                                                        \
    extern "C" void glm_cuda_##name(const struct glm_cuda_##type);                                 \
    static void (*const run_##name)(const void *) = call<struct glm_cuda_##type, glm_cuda_##name>;
#define DECLARE_FORMS(type, name)                                                                  \
    DECLARE(type, name##_bf16)                                                                     \
    DECLARE(type, name##_fp8)                                                                      \
    DECLARE(type, name##_int8) DECLARE(type, name##_int4) DECLARE(type, name##_least)
DECLARE_FORMS(linear, linear8)
DECLARE_FORMS(linear, linear16)
DECLARE_FORMS(linear, linear32)
DECLARE_FORMS(linear, linear64)
DECLARE_FORMS(gate, gate8)
DECLARE_FORMS(gate, gate16)
DECLARE_FORMS(gate, gate32)
DECLARE_FORMS(gate, gate64)
DECLARE_FORMS(gemm, gemm)
DECLARE_FORMS(gemm, gemm_gate)
DECLARE(embed, embed)
DECLARE(norm, norm)
DECLARE(rope, rope)
DECLARE(attend, attend16)
DECLARE(attend, attend128)
DECLARE(attend, combine16)
DECLARE(attend, combine128)
DECLARE(flash, flash16)
DECLARE(flash, flash128)
DECLARE(positions, positions)
DECLARE(turn, turn)
DECLARE(gelu, gelu)
DECLARE(across, across)
DECLARE(cut, cut)
DECLARE(sample, best_parts)
DECLARE(sample, best_merge)
DECLARE(sample, verify)
DECLARE(quantise, quantise)
DECLARE(convert, convert)
DECLARE(fill, fill)
DECLARE(stream, copy)
DECLARE(stream, read)

struct kernel_entry {
    const char *name;
    void (*run)(const void *args);
};
#define ENTRY(LARGE, small) {#small, run_##small},
static const kernel_entry kernels[] = {GLM_CUDA_KERNELS(ENTRY)};

const char *glm_emulate_name(enum glm_cuda_kernel kernel)
{
    return kernels[kernel].name;
}

void glm_emulate(struct glm_cuda_launch launch, const void *args, uint64_t seed)
{
    kernel_name = kernels[launch.kernel].name;
    body = kernels[launch.kernel].run;
    body_args = args;
    draws = seed;
    blockDim = {launch.threads, 1, 1};
    gridDim = {launch.x, launch.y, launch.z};
    if (launch.threads % 32 != 0 || launch.threads > 1024 || launch.x == 0 || launch.y == 0) {
        fail("no such launch");
    }
    for (uint32_t i = 0; i < launch.x * launch.y * launch.z; i++) {
        blockIdx = {i % launch.x, i / launch.x % launch.y, i / launch.x / launch.y};
        emulate_dynamic_shared = static_cast<unsigned char *>(
            aligned_alloc(128, launch.shared == 0 ? 128 : (launch.shared + 127u) / 128 * 128));
        memset(emulate_dynamic_shared, 0xFF, launch.shared);
        run_block(launch.threads);
        free(emulate_dynamic_shared);
    }
}
