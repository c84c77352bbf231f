/* Fibers for the threads of a block, and where they meet; see model/glm/cuda/emulate.h. */
#include "tests/model/glm/cuda_emulated.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "model/glm/cuda/emulate_warpgroup.h"
#include "tests/model/glm/cuda_products.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

emulate_place threadIdx, blockIdx, blockDim, gridDim;
unsigned char *emulate_dynamic_shared;

namespace
{

enum state {
    RUNS,
    WAITS_FOR_WARP,
    WAITS_FOR_GROUP,
    WAITS_FOR_BLOCK,
    WAITS_FOR_KERNEL, /* before this one */
    ASKS_AGAIN,
    DONE
};
constexpr size_t STACK = 256 << 10, LARGEST = 64; /* bytes of what a lane brings to a meeting */

struct copy {
    void *to;
    const void *from;
    bool valid;
    bool hidden; /* from products, until a fence */
};

/* An access to shared memory, by its place in the block's. */
struct access {
    uint32_t at, size;
};

/* What was read as nobody's to write while the kernel runs. */
struct constant {
    const void *from;
    size_t size;
    unsigned char bytes[16];
};

/* What was put into a tile and products do not see yet. */
struct hidden {
    void *to;
    size_t size;
    unsigned char bytes[16];
};

struct fiber {
    ucontext_t context;
    std::unique_ptr<unsigned char[]> stack;
    state now;
    bool waited;                        /* for the kernel before */
    std::deque<std::vector<copy>> sets; /* asynchronous copies; the last set is open */
    std::vector<hidden> unfenced;
    std::vector<access> accesses;
    int registers; /* of a kernel that moves them; 0 until it does */
    bool fenced;   /* since the last batch of products was closed */
    int left;      /* batches that the wait it is at leaves */
    std::deque<std::vector<emulate_product>> batches; /* the last one is open */
    std::map<float *, std::vector<float>> sums;       /* of products under way */
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
uint64_t events; /* whatever lets somebody go on */
size_t shared_size;
const char *kernel_name;
void (*body)(const void *args);
const void *body_args;
bool watching;
std::vector<constant> constants;
struct glm_emulate_turns turns;
void (*before_ended)(void *arg); /* NULL once it was told */
void *before_arg;

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
    if (!fibers[current].unfenced.empty() || fibers[current].batches.size() > 1) {
        fail("ends with tiles that are not fenced, or products under way");
    }
    events++;
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

/* Turns of the banks for lanes that reach shared memory at the same time: 128 bytes a turn, by as
 * many lanes as bring them; another place in the same banks takes another turn. */
void count_turns(const access *const *lanes)
{
    const uint32_t size = lanes[0]->size, part = 128 / size;
    for (uint32_t first = 0; first < 32; first += part) {
        uint32_t counts[32] = {0}, most = 1;
        for (uint32_t i = first; i < first + part; i++) {
            bool again = false;
            for (uint32_t k = first; k < i; k++) {
                again = again || lanes[k]->at == lanes[i]->at;
            }
            uint32_t *count = &counts[lanes[i]->at / size % part];
            *count += again ? 0 : 1;
            most = *count > most ? *count : most;
        }
        turns.taken += most;
        turns.least++;
    }
}

/* The accesses of a block that has ended: those of a warp that all of its lanes made. */
void count_accesses(uint32_t threads)
{
    for (uint32_t warp = 0; warp < threads / 32; warp++) {
        const fiber *lanes = &fibers[warp * 32];
        const size_t count = lanes[0].accesses.size();
        bool same = true;
        for (uint32_t i = 1; i < 32; i++) {
            same = same && lanes[i].accesses.size() == count;
        }
        for (size_t k = 0; same && k < count; k++) {
            const access *all[32];
            for (uint32_t i = 0; i < 32; i++) {
                all[i] = &lanes[i].accesses[k];
            }
            count_turns(all);
        }
    }
}

/* A kernel whose warpgroups hold more registers together than it began with waits for ever. */
void check_registers(uint32_t threads)
{
    const uint32_t each = 65536 / threads / 8 * 8;
    uint32_t held = 0;
    bool moved = false;
    for (uint32_t i = 0; i < threads; i++) {
        moved = moved || fibers[i].registers != 0;
        held += fibers[i].registers != 0 ? (uint32_t)fibers[i].registers : each;
    }
    if (moved && held > each * threads) {
        fail("more registers than the kernel began with");
    }
}

/* Until every lane of a warp waits for more than its warp, or is done. */
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
            if (waiting + count_in(first, 32, ASKS_AGAIN) == 32) {
                return; /* lanes that ask a barrier one by one come later */
            }
            fail("lanes of its warp part at an instruction of all");
        }
        warps[index].meeting++;
        warps[index].size = 0;
        events++;
        for (uint32_t i = 0; i < 32; i++) {
            fibers[first + i].now = RUNS;
        }
    }
}

constexpr uint32_t UNTOUCHED = 0x7FC0DEAD; /* a NaN: sums of products under way */

/* Gives back what nothing under way adds to any more. */
void give_sums(fiber &f)
{
    for (auto it = f.sums.begin(); it != f.sums.end();) {
        bool busy = false;
        for (const auto &batch : f.batches) {
            for (const emulate_product &p : batch) {
                busy = busy || p.sums == it->first;
            }
        }
        if (busy) {
            ++it;
            continue;
        }
        for (size_t i = 0; i < it->second.size(); i++) {
            if (bits_of(it->first[i]) != UNTOUCHED) {
                fail("sums of products under way were touched");
            }
        }
        memcpy(it->first, it->second.data(), it->second.size() * sizeof(float));
        it = f.sums.erase(it);
    }
}

uint16_t shared_cell(uint32_t address)
{
    const uint32_t base = emulate_shared_address(emulate_dynamic_shared);
    uint16_t cell;
    if (address < base || address + 2 - base > shared_size) {
        fail("a product reads outside the block's shared memory");
    }
    memcpy(&cell, emulate_dynamic_shared + (address - base), 2);
    return cell;
}

void read_tile(float (*to)[products::MOST], uint64_t descriptor, bool turned, uint32_t count)
{
    products::operand o;
    const char *wrong = products::read_descriptor(descriptor, &o);
    if (wrong != nullptr) {
        fail(wrong);
    }
    for (uint32_t row = 0; row < count; row++) {
        for (uint32_t k = 0; k < products::DEPTH; k++) {
            const uint32_t bits = shared_cell(products::address_of(o, turned, row, k));
            to[k][row] = float_of(bits << 16);
        }
    }
}

/* A number made of what a product's tiles hold. */
uint64_t hash_tiles(const emulate_product &p)
{
    static float tile[products::DEPTH][products::MOST];
    uint64_t hash = 0;
    for (int right = p.left == nullptr ? 0 : 1; right < 2; right++) {
        const uint32_t count = right != 0 ? p.columns : products::ROWS;
        read_tile(tile, right != 0 ? p.b : p.a, right != 0 && p.turned, count);
        for (uint32_t i = 0; i < products::DEPTH * count; i++) {
            hash = (hash ^ bits_of(tile[i / count][i % count])) * 0x100000001B3u;
        }
    }
    return hash;
}

/* Product `at` of the oldest batch, for the 128 threads from first on. */
void run_product(uint32_t first, size_t at)
{
    static float left[products::DEPTH][products::MOST], a[products::ROWS][products::DEPTH];
    static float b[products::DEPTH][products::MOST];
    static products::sums d;
    const emulate_product p = fibers[first].batches.front()[at];
    if (hash_tiles(p) != p.hash) {
        fail("a tile changed after a product was asked for");
    }
    if (p.left == nullptr) {
        read_tile(left, p.a, false, products::ROWS);
    }
    read_tile(b, p.b, p.turned, p.columns);
    for (uint32_t t = 0; t < products::LANES; t++) {
        const emulate_product &q = fibers[first + t].batches.front()[at];
        if (q.a != p.a || q.b != p.b || q.columns != p.columns || q.sum != p.sum) {
            fail("threads of a warpgroup give different operands");
        }
        for (uint32_t i = 0; q.left != nullptr && i < 8; i++) {
            const uint32_t k = t % 4 * 2 + i / 4 * 8 + i % 2;
            left[k][products::row_of(t, i)] = emulate_half_of_pair(q.left[i / 2], i % 2);
        }
        const float *before = fibers[first + t].sums.at(q.sums).data();
        for (uint32_t i = 0; i < p.columns / 2; i++) {
            d.at[products::row_of(t, i)][products::column_of(t, i)] = p.sum ? before[i] : 0;
        }
    }
    for (uint32_t i = 0; i < products::ROWS * products::DEPTH; i++) {
        a[i / products::DEPTH][i % products::DEPTH] =
            left[i % products::DEPTH][i / products::DEPTH];
    }
    products::add_products(d, a, b, p.columns);
    for (uint32_t t = 0; t < products::LANES; t++) {
        fiber &f = fibers[first + t];
        float *after = f.sums.at(f.batches.front()[at].sums).data();
        for (uint32_t i = 0; i < p.columns / 2; i++) {
            after[i] = d.at[products::row_of(t, i)][products::column_of(t, i)];
        }
    }
}

/* A warpgroup whose threads are all at a wait: ends the batches that it does not leave. */
void run_group(uint32_t first)
{
    const size_t keep = (size_t)fibers[first].left + 1;
    while (fibers[first].batches.size() > keep) {
        const size_t count = fibers[first].batches.front().size();
        for (uint32_t t = 0; t < products::LANES; t++) {
            const fiber &f = fibers[first + t];
            if (f.batches.size() != fibers[first].batches.size() || f.left + 1 != (int)keep ||
                f.batches.front().size() != count) {
                fail("threads of a warpgroup part");
            }
        }
        for (size_t i = 0; i < count; i++) {
            run_product(first, i);
        }
        for (uint32_t t = 0; t < products::LANES; t++) {
            fibers[first + t].batches.pop_front();
        }
    }
    for (uint32_t t = 0; t < products::LANES; t++) {
        current = first + t;
        give_sums(fibers[first + t]);
        fibers[first + t].now = RUNS;
    }
    events++;
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
        f.unfenced.clear();
        f.accesses.clear();
        f.registers = 0;
        f.fenced = false;
        f.batches.assign(1, {});
        f.sums.clear();
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
    for (uint64_t before = events - 1; count_in(0, threads, DONE) < threads;) {
        if (events == before) {
            fail("everybody waits");
        }
        before = events;
        shuffle(order);
        for (uint32_t index : order) {
            run_warp(index, lanes);
        }
        for (uint32_t i = 0; i + products::LANES <= threads; i += products::LANES) {
            if (count_in(i, products::LANES, WAITS_FOR_GROUP) == products::LANES) {
                run_group(i);
            }
        }
        const uint32_t waiting = count_in(0, threads, WAITS_FOR_BLOCK);
        const bool all = waiting > 0 && waiting + count_in(0, threads, DONE) == threads;
        if (before_ended != nullptr && count_in(0, threads, WAITS_FOR_KERNEL) == threads) {
            before_ended(before_arg);
            before_ended = nullptr;
            events++;
        }
        events += all ? 1 : 0;
        for (uint32_t i = 0; i < threads; i++) {
            const bool goes = fibers[i].now == ASKS_AGAIN ||
                              (fibers[i].now == WAITS_FOR_KERNEL && before_ended == nullptr) ||
                              (all && fibers[i].now == WAITS_FOR_BLOCK);
            fibers[i].now = goes ? RUNS : fibers[i].now;
        }
    }
    check_registers(threads);
    count_accesses(threads);
}

void note_access(const void *p, size_t size)
{
    if (watching) {
        fibers[current].accesses.push_back({emulate_shared_address(p), (uint32_t)size});
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
    if (before_ended != nullptr) {
        leave(WAITS_FOR_KERNEL);
    }
}

void emulate_depend_release(void)
{
    if (!fibers[current].waited) { /* what attend.cu reads ahead of its wait rests on this order */
        fail("lets the next kernel begin before it has waited for the one before it");
    }
}

void emulate_constant(const void *from, size_t size)
{
    constant c = {from, size, {0}};
    emulate_aligned(from, size);
    if (watching && constants.size() < 1u << 20) {
        memcpy(c.bytes, from, size);
        constants.push_back(c);
    }
}

void emulate_shared_read(const void *from, size_t size)
{
    note_access(from, size);
}

void emulate_aligned(const void *p, size_t size)
{
    if (reinterpret_cast<uintptr_t>(p) % size != 0) {
        fail("an address is not aligned");
    }
}

static void copy_later(void *to, const void *from, bool valid, bool hidden)
{
    emulate_aligned(to, 16);
    emulate_aligned(from, 16);
    note_access(to, 16);
    memset(to, 0xFF, 16); /* nobody may read it until it has arrived */
    fibers[current].sets.back().push_back({to, from, valid, hidden});
}

void emulate_copy(void *to, const void *from, bool valid)
{
    copy_later(to, from, valid, false);
}

void emulate_copy_tile(void *to, const void *from, bool valid)
{
    copy_later(to, from, valid, true);
}

void emulate_copy_close(void)
{
    fibers[current].sets.push_back({});
}

/* Written, and not seen by products before the next fence. */
static void hide(void *to, const void *from, size_t size)
{
    hidden h = {to, size, {0}};
    emulate_aligned(to, size);
    memcpy(h.bytes, from, size);
    fibers[current].unfenced.push_back(h);
    memset(to, 0xFF, size);
}

void emulate_copy_wait(int left)
{
    static const unsigned char zeros[16] = {0};
    std::deque<std::vector<copy>> &sets = fibers[current].sets;
    while (sets.size() > (size_t)left + 1) {
        for (const copy &c : sets.front()) {
            if (c.hidden) {
                hide(c.to, c.valid ? c.from : zeros, 16);
            } else {
                memcpy(c.to, c.valid ? c.from : zeros, 16);
            }
        }
        sets.pop_front();
    }
}

uint32_t emulate_shared_address(const void *p)
{
    /* as far from a multiple of 1024 as the memory itself is: kernels have to find one */
    const uintptr_t base = reinterpret_cast<uintptr_t>(emulate_dynamic_shared);
    const uintptr_t at = reinterpret_cast<uintptr_t>(p);
    if (at < base || at >= base + shared_size) {
        fail("an address outside the dynamic shared memory");
    }
    return (uint32_t)(1024 + base % 1024 + (at - base));
}

void emulate_put(void *to, const void *from, size_t size)
{
    note_access(to, size);
    hide(to, from, size);
}

void emulate_products_fence(void)
{
    for (const hidden &h : fibers[current].unfenced) {
        memcpy(h.to, h.bytes, h.size);
    }
    fibers[current].unfenced.clear();
}

/* A barrier: arrivals still wanted, arrivals of a phase, the parity of the phase, a mark. */
constexpr uint64_t BARRIER = (uint64_t)0xBA55 << 48, BARRIER_COUNT = 0xFFFFF;

void emulate_barrier_init(uint64_t *barrier, uint32_t count)
{
    *barrier = BARRIER | (uint64_t)count << 20 | count;
}

void emulate_barrier_arrive(uint64_t *barrier)
{
    if (*barrier >> 48 != BARRIER >> 48) {
        fail("a barrier that was not initialised");
    }
    --*barrier;
    if ((*barrier & BARRIER_COUNT) == 0) {
        *barrier = (*barrier ^ (uint64_t)1 << 40) | (*barrier >> 20 & BARRIER_COUNT);
    }
    events++;
}

void emulate_barrier_wait(uint64_t *barrier, uint32_t parity)
{
    while ((*barrier >> 40 & 1) == parity) {
        leave(ASKS_AGAIN);
    }
    if (*barrier >> 48 != BARRIER >> 48) {
        fail("a barrier that was not initialised");
    }
    events++;
}

void emulate_group_fence(void)
{
    fibers[current].fenced = true;
}

void emulate_registers(int count, bool more)
{
    const int now = (int)(65536 / blockDim.x / 8 * 8);
    fiber &f = fibers[current];
    if (f.registers != 0 || (more ? count < now : count > now)) {
        fail("registers are moved the other way, or twice");
    }
    f.registers = count;
    warp_wait();
}

void emulate_hold(const float *sums)
{
    if (fibers[current].sums.count(const_cast<float *>(sums)) != 0) {
        fail("sums of products under way were touched");
    }
}

void emulate_multiply(const emulate_product &product)
{
    fiber &f = fibers[current];
    const size_t count = product.columns / 2;
    if (!f.fenced) {
        fail("a product without a fence since the batch before");
    }
    if (f.sums.count(product.sums) == 0) {
        f.sums[product.sums].assign(product.sums, product.sums + count);
    } else if (bits_of(product.sums[0]) != UNTOUCHED) {
        fail("sums of products under way were touched");
    }
    for (size_t i = 0; i < count; i++) {
        product.sums[i] = float_of(UNTOUCHED);
    }
    f.batches.back().push_back(product);
    if (current % products::LANES == 0) {
        f.batches.back().back().hash = hash_tiles(product);
    }
}

void emulate_group_close(void)
{
    fibers[current].batches.push_back({});
    fibers[current].fenced = false;
}

void emulate_group_wait(int left)
{
    fibers[current].left = left;
    leave(WAITS_FOR_GROUP);
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
DECLARE_FORMS(gemm, gemm_wide)
DECLARE_FORMS(gemm, gemm_wide_gate)
DECLARE(embed, embed)
DECLARE(norm, norm)
DECLARE(rope, rope)
DECLARE(attend, attend16)
DECLARE(attend, attend128)
DECLARE(attend, combine16)
DECLARE(attend, combine128)
DECLARE(flash, flash16)
DECLARE(flash, flash128)
DECLARE(flash, flash_wide128)
DECLARE(positions, positions)
DECLARE(turn, turn)
DECLARE(gelu, gelu)
DECLARE(across, across)
DECLARE(cut, cut)
DECLARE(sample, best_parts)
DECLARE(sample, best_merge)
DECLARE(sample, whole_limit)
DECLARE(sample, whole_draw)
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

/* Nobody wrote what was read as constant. */
static void check_constants(void)
{
    for (const constant &c : constants) {
        if (memcmp(c.from, c.bytes, c.size) != 0) {
            fail("what was read as constant was written by the same kernel");
        }
    }
    constants.clear();
}

void glm_emulate_watch(void)
{
    watching = true;
}

struct glm_emulate_turns glm_emulate_turns(void)
{
    return turns;
}

void glm_emulate(struct glm_cuda_launch launch, const void *args, uint64_t seed)
{
    glm_emulate_early(launch, args, seed, nullptr, nullptr);
}

void glm_emulate_before(void (*ended)(void *arg), void *arg)
{
    before_ended = ended;
    before_arg = arg;
}

void glm_emulate_early(struct glm_cuda_launch launch, const void *args, uint64_t seed,
                       void (*ended)(void *arg), void *arg)
{
    glm_emulate_before(ended, arg);
    glm_emulate_body(kernels[launch.kernel].name, kernels[launch.kernel].run, launch, args, seed);
}

void glm_emulate_body(const char *name, void (*run)(const void *args),
                      struct glm_cuda_launch launch, const void *args, uint64_t seed)
{
    turns = {0, 0};
    constants.clear();
    kernel_name = name;
    body = run;
    body_args = args;
    draws = seed;
    blockDim = {launch.threads, 1, 1};
    gridDim = {launch.x, launch.y, launch.z};
    if (launch.threads % 32 != 0 || launch.threads > 1024 || launch.x == 0 || launch.y == 0) {
        fail("no such launch");
    }
    for (uint32_t i = 0; i < launch.x * launch.y * launch.z; i++) {
        blockIdx = {i % launch.x, i / launch.x % launch.y, i / launch.x / launch.y};
        const size_t before = draw() % 8 * 128; /* all that a device promises is 128 bytes */
        void *memory = nullptr;
        shared_size = launch.shared;
        if (posix_memalign(&memory, 1024, before + shared_size + 1) != 0) {
            fail("the test itself has no memory");
        }
        emulate_dynamic_shared = static_cast<unsigned char *>(memory) + before;
        memset(emulate_dynamic_shared, 0xFF, shared_size);
        run_block(launch.threads);
        free(memory);
    }
    check_constants();
}
