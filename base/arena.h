/*
 * Memory that is taken piece by piece and given back all at once. It comes in huge pages where the
 * system has them: the first touch of one costs what that of forty small ones does, and holds 512
 * of them; for what lives as long as one comparison that is most of what memory costs. What is
 * never touched costs nothing.
 */
#ifndef GLMV_BASE_ARENA_H
#define GLMV_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct glmv_arena {
    struct glmv_arena_block *last;   /* NULL while nothing was taken */
    struct glmv_arena_block *sparse; /* blocks of small pages */
    bool fills;                      /* see glmv_arena_expect */
};

/* Zeros, aligned to a cache line; NULL without memory. A zeroed struct is an empty arena. */
void *glmv_arena_take(struct glmv_arena *arena, size_t size);
/* The same for what will mostly stay untouched: a small piece comes in small pages, so that a few
 * touches here and there do not bring huge ones. */
void *glmv_arena_take_sparse(struct glmv_arena *arena, size_t size);
/* Says that sparse pieces, these and later ones, are going to be filled after all. */
void glmv_arena_expect(struct glmv_arena *arena);
/* Gives back the end of the piece that was taken last, of which nothing was written. */
void glmv_arena_trim(struct glmv_arena *arena, void *piece, size_t size);
/* Gives back all of it; the arena is empty afterwards. */
void glmv_arena_release(struct glmv_arena *arena);

#endif
