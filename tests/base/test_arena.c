#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "tests/check.h"

static void pieces_are_zeros_and_apart(void)
{
    struct glmv_arena arena = {0};
    static const size_t sizes[] = {1, 64, 100, 5000, 3u << 20, 40u << 20, 7};
    uint8_t *pieces[sizeof sizes / sizeof sizes[0]];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        pieces[i] = glmv_arena_take(&arena, sizes[i]);
        CHECK(pieces[i] != NULL && (uintptr_t)pieces[i] % 64 == 0);
        size_t sum = 0;
        for (size_t k = 0; k < sizes[i]; k++) {
            sum += pieces[i][k];
        }
        CHECK(sum == 0);
        memset(pieces[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CHECK(pieces[i][0] == (int)i + 1 && pieces[i][sizes[i] - 1] == (int)i + 1);
    }
    glmv_arena_release(&arena);
    CHECK(arena.last == NULL);
}

static void an_end_can_be_given_back(void)
{
    struct glmv_arena arena = {0};
    uint8_t *first = glmv_arena_take(&arena, 1 << 20);
    memset(first, 1, 1000);
    glmv_arena_trim(&arena, first, 1000);
    uint8_t *second = glmv_arena_take(&arena, 100);
    CHECK(second >= first + 1000 && second < first + 2000);
    CHECK(second[0] == 0 && second[99] == 0 && first[999] == 1);
    glmv_arena_release(&arena);
}

static void sparse_pieces_are_zeros_and_go_with_the_rest(void)
{
    struct glmv_arena arena = {0};
    uint8_t *dense = glmv_arena_take(&arena, 5000);
    uint8_t *sparse = glmv_arena_take_sparse(&arena, 4u << 20);
    CHECK(dense != NULL && sparse != NULL && arena.sparse != NULL);
    sparse[0] = sparse[(4u << 20) - 1] = 3;
    CHECK(sparse[1] == 0 && sparse[2u << 20] == 0 && dense[4999] == 0);
    glmv_arena_expect(&arena);
    memset(sparse + (1u << 20), 5, 2u << 20);
    CHECK(sparse[0] == 3 && sparse[(4u << 20) - 1] == 3 && sparse[(1u << 20) - 1] == 0);
    struct glmv_arena_block *blocks = arena.sparse;
    uint8_t *later = glmv_arena_take_sparse(&arena, 100);
    CHECK(later != NULL && later[99] == 0 && arena.sparse == blocks);
    glmv_arena_release(&arena);
    CHECK(arena.last == NULL && arena.sparse == NULL && !arena.fills);
}

static void what_cannot_be_had_is_null(void)
{
    struct glmv_arena arena = {0};
    CHECK(glmv_arena_take(&arena, SIZE_MAX) == NULL);
    CHECK(glmv_arena_take(&arena, SIZE_MAX - 200) == NULL);
    CHECK(glmv_arena_take(&arena, SIZE_MAX / 2) == NULL);
    CHECK(glmv_arena_take(&arena, 10) != NULL);
    glmv_arena_release(&arena);
}

int main(void)
{
    pieces_are_zeros_and_apart();
    an_end_can_be_given_back();
    sparse_pieces_are_zeros_and_go_with_the_rest();
    what_cannot_be_had_is_null();
    TEST_END();
}
