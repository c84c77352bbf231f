#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define GAP LINE /* between pieces, so that what runs over one is found */
#else
#define GAP ((size_t)0)
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

#include "base/size.h"

#define HUGE_PAGE ((size_t)2 << 20) /* bytes */
#define BLOCK ((size_t)32 << 20)    /* addresses reserved at once */
#define LINE ((size_t)64)
/* Few small pages of a piece of such a size cost less than one huge page. */
#define SPARSE_BELOW ((size_t)8 << 20)

/* At the start of the addresses that it describes. */
struct glmv_arena_block {
    struct glmv_arena_block *before;
    void *mapped; /* with what lies before the first whole huge page */
    size_t mapped_size;
    size_t size, used;
};

_Static_assert(sizeof(struct glmv_arena_block) <= LINE, "the first piece lies behind it");

static struct glmv_arena_block *new_block(size_t size, bool sparse)
{
    size_t rounded = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    size_t mapped_size;
    if (rounded < size || !glmv_size_add(rounded, HUGE_PAGE, &mapped_size)) {
        return NULL;
    }
    void *mapped = mmap(NULL, mapped_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) {
        return NULL;
    }
    size_t skipped = (HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE) % HUGE_PAGE;
    struct glmv_arena_block *block = (void *)((uint8_t *)mapped + skipped);
    if (!sparse) {
        madvise(block, rounded, MADV_HUGEPAGE); /* a hint: without it everything works slower */
    }
    *block = (struct glmv_arena_block){NULL, mapped, mapped_size, rounded, LINE};
    ASAN_POISON_MEMORY_REGION((uint8_t *)block + LINE, rounded - LINE);
    return block;
}

static void *take(struct glmv_arena_block **last, size_t size, bool sparse)
{
    size_t need;
    if (!glmv_size_add(size, LINE - 1 + GAP, &need)) {
        return NULL;
    }
    need -= need % LINE;
    struct glmv_arena_block *block = *last;
    if (block == NULL || need > block->size - block->used) {
        size_t whole;
        if (!glmv_size_add(need, LINE, &whole)) {
            return NULL;
        }
        block = new_block(whole < BLOCK ? BLOCK : whole, sparse);
        if (block == NULL) {
            return NULL;
        }
        block->before = *last;
        *last = block;
    }
    uint8_t *taken = (uint8_t *)block + block->used;
    block->used += need;
    ASAN_UNPOISON_MEMORY_REGION(taken, size);
    return taken;
}

void *glmv_arena_take(struct glmv_arena *arena, size_t size)
{
    return take(&arena->last, size, false);
}

void *glmv_arena_take_sparse(struct glmv_arena *arena, size_t size)
{
    bool sparse = size < SPARSE_BELOW && !arena->fills;
    return take(sparse ? &arena->sparse : &arena->last, size, sparse);
}

void glmv_arena_expect(struct glmv_arena *arena)
{
    arena->fills = true;
    for (struct glmv_arena_block *block = arena->sparse; block != NULL; block = block->before) {
        madvise(block, block->size, MADV_HUGEPAGE);
    }
}

void glmv_arena_trim(struct glmv_arena *arena, void *piece, size_t size)
{
    struct glmv_arena_block *block = arena->last;
    size_t start = (size_t)((uint8_t *)piece - (uint8_t *)block);
    size_t used = (start + size + GAP + LINE - 1) / LINE * LINE;
    uint8_t *end = (uint8_t *)piece + size;
    ASAN_POISON_MEMORY_REGION(end, (size_t)((uint8_t *)block + block->used - end));
    block->used = used < block->used ? used : block->used;
}

static void release(struct glmv_arena_block **last)
{
    while (*last != NULL) {
        struct glmv_arena_block *block = *last;
        *last = block->before;
        ASAN_UNPOISON_MEMORY_REGION(block, block->size);
        munmap(block->mapped, block->mapped_size);
    }
}

void glmv_arena_release(struct glmv_arena *arena)
{
    release(&arena->last);
    release(&arena->sparse);
    arena->fills = false;
}
