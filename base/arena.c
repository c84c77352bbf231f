#include "base/arena.h"

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

/* At the start of the addresses that it describes. */
struct glmv_arena_block {
    struct glmv_arena_block *before;
    void *mapped; /* with what lies before the first whole huge page */
    size_t mapped_size;
    size_t size, used;
};

_Static_assert(sizeof(struct glmv_arena_block) <= LINE, "the first piece lies behind it");

static struct glmv_arena_block *new_block(size_t size)
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
    madvise(block, rounded, MADV_HUGEPAGE); /* a hint: without it everything works slower */
    *block = (struct glmv_arena_block){NULL, mapped, mapped_size, rounded, LINE};
    ASAN_POISON_MEMORY_REGION((uint8_t *)block + LINE, rounded - LINE);
    return block;
}

void *glmv_arena_take(struct glmv_arena *arena, size_t size)
{
    size_t need;
    if (!glmv_size_add(size, LINE - 1 + GAP, &need)) {
        return NULL;
    }
    need -= need % LINE;
    struct glmv_arena_block *block = arena->last;
    if (block == NULL || need > block->size - block->used) {
        size_t whole;
        if (!glmv_size_add(need, LINE, &whole)) {
            return NULL;
        }
        block = new_block(whole < BLOCK ? BLOCK : whole);
        if (block == NULL) {
            return NULL;
        }
        block->before = arena->last;
        arena->last = block;
    }
    uint8_t *taken = (uint8_t *)block + block->used;
    block->used += need;
    ASAN_UNPOISON_MEMORY_REGION(taken, size);
    return taken;
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

void glmv_arena_release(struct glmv_arena *arena)
{
    while (arena->last != NULL) {
        struct glmv_arena_block *block = arena->last;
        arena->last = block->before;
        ASAN_UNPOISON_MEMORY_REGION(block, block->size);
        munmap(block->mapped, block->mapped_size);
    }
}
