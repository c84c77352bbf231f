#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "tests/check.h"

static void pieces_are_zeros_and_apart(void)
{
    struct glmv_arena arena = {NULL};
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
    struct glmv_arena arena = {NULL};
    uint8_t *first = glmv_arena_take(&arena, 1 << 20);
    memset(first, 1, 1000);
    glmv_arena_trim(&arena, first, 1000);
    uint8_t *second = glmv_arena_take(&arena, 100);
    CHECK(second >= first + 1000 && second < first + 2000);
    CHECK(second[0] == 0 && second[99] == 0 && first[999] == 1);
    glmv_arena_release(&arena);
}

static void what_cannot_be_had_is_null(void)
{
    struct glmv_arena arena = {NULL};
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
    what_cannot_be_had_is_null();
    TEST_END();
}
