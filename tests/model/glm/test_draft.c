/*
 * Guessing in replays: real pages are edited line by line, the edited page is what the model will
 * have said, and the guesses are checked against it. Tokens are the pieces of the pre-tokeniser,
 * which are longer than the model's tokens, so a line here is fewer of them and the figures are
 * on the low side.
 */
#include "base/file.h"
#include "model/glm/draft.h"
#include "tests/check.h"

#define PAGES "tests/model/glm/pages/"
#define MOST 63   /* guesses a step checks */
#define FREE 0.02 /* what checking one costs where memory is the limit: nearly nothing */

static uint32_t state;

static uint32_t roll(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(state >> 8) * below >> 24);
}

static void pieces(const char *text, size_t len, struct glm_ids *out)
{
    while (len > 0) {
        size_t piece = glm_piece_next(text, len);
        uint32_t hash = 2166136261u;
        for (size_t i = 0; i < piece; i++) {
            hash = (hash ^ (unsigned char)text[i]) * 16777619u;
        }
        glm_ids_push(out, (int32_t)(hash >> 1), NULL);
        text += piece;
        len -= piece;
    }
}

/* What a round of corrections does to a line: a number or a word becomes another one, mostly; or
 * an attribute more, the line said anew, a line more, a line less. */
static void edit_line(const char *line, size_t len, struct glmv_buf *out)
{
    static const char *const words[] = {"padding", "hello", "Contact", "flex", "row", "blue"};
    uint32_t kind = roll(10);
    size_t at = 0;
    if (kind == 9) {
        return;
    }
    if (kind == 8) {
        glmv_buf_append(out, line, len, NULL);
        glmv_buf_appendf(out, NULL, "        <p style=\"margin: %upx\">%s %u</p>\n", roll(90),
                         words[roll(6)], roll(900));
        return;
    }
    if (kind == 7) {
        glmv_buf_appendf(out, NULL, "    <span class=\"%s%u\">%s and %s</span>\n", words[roll(6)],
                         roll(99), words[roll(6)], words[roll(6)]);
        return;
    }
    size_t from = len > 1 ? roll((uint32_t)len - 1) : 0;
    for (at = from; at < len; at++) {
        char c = line[at];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) {
            break;
        }
    }
    size_t end = at;
    while (end < len &&
           ((line[end] >= '0' && line[end] <= '9') || (line[end] >= 'a' && line[end] <= 'z'))) {
        end++;
    }
    glmv_buf_append(out, line, at, NULL);
    glmv_buf_appendf(out, NULL, kind < 4 ? "%u" : "%u %s", roll(999), words[roll(6)]);
    glmv_buf_append(out, line + end, len - end, NULL);
}

static void edit(const struct glmv_buf *page, uint32_t percent, struct glmv_buf *out)
{
    for (size_t at = 0; at < page->len;) {
        const char *line = page->data + at, *end = memchr(line, '\n', page->len - at);
        size_t len = end != NULL ? (size_t)(end - line) + 1 : page->len - at;
        if (roll(1000) < percent * 10) {
            edit_line(line, len, out);
        } else {
            glmv_buf_append(out, line, len, NULL);
        }
        at += len;
    }
}

/* Steps the model would have needed to say what is in want. */
static size_t replay(struct glm_draft *draft, const struct glm_ids *want, double price,
                     size_t *checked)
{
    size_t steps = 0;
    for (size_t at = 0; at < want->len; steps++) {
        int32_t guess[MOST];
        size_t count = glm_draft_guess(draft, guess, MOST, price), held = 0;
        *checked += count;
        CHECK(count <= MOST);
        while (held < count && at + held < want->len && guess[held] == want->data[at + held]) {
            held++;
        }
        for (size_t i = 0; i <= held && at < want->len; i++) {
            glm_draft_push(draft, want->data[at++]);
        }
    }
    return steps;
}

/* Tokens a step over all pages, with the page before the edit known or not. */
static double rate(uint32_t percent, bool known, double price)
{
    static const char *const names[] = {"admin", "agency", "resume", "shop"};
    size_t tokens = 0, steps = 0, checked = 0;
    struct glm_draft draft;
    CHECK(glm_draft_init(&draft, 1 << 16, NULL));
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        struct glmv_buf page;
        snprintf(path, sizeof path, PAGES "%s.html", names[i]);
        glmv_buf_init(&page, 1 << 20);
        CHECK(glmv_file_read(path, page.max, &page, NULL));
        for (uint32_t seed = 1; seed <= 5; seed++) {
            struct glmv_buf edited;
            struct glm_ids before = {0}, after = {0};
            state = seed * 7919 + percent;
            glmv_buf_init(&edited, 1 << 20);
            edit(&page, percent, &edited);
            pieces(page.data, page.len, &before);
            pieces(edited.data, edited.len, &after);
            draft.len = draft.start = 0;
            glm_draft_begin(&draft, before.data, known ? before.len : 0);
            steps += replay(&draft, &after, price, &checked);
            tokens += after.len;
            glmv_buf_release(&edited);
            glm_ids_release(&before);
            glm_ids_release(&after);
        }
        glmv_buf_release(&page);
    }
    glm_draft_release(&draft);
    double result = (double)tokens / (double)steps;
    printf(
        "%u%% of lines changed, page %s, price %.2f: %.1f tokens a step, %.1f rows checked; %.1f "
        "times as fast\n",
        percent, known ? "known" : "unknown", price, result, (double)checked / (double)steps,
        (double)tokens / ((double)steps + price * (double)checked));
    return result;
}

static void test_replays(void)
{
    double ten = rate(10, true, FREE), three = rate(3, true, FREE), first = rate(0, false, FREE);
    rate(1, true, FREE);
    rate(20, true, FREE);
    rate(35, true, FREE);
    rate(0, false, 0.08);
    rate(10, true, 0.08);
    CHECK_MSG(ten >= 10, "%g tokens a step at 10 %%", ten);
    CHECK_MSG(three >= 30, "%g tokens a step at 3 %%", three);
    CHECK_MSG(first >= 1.3, "%g tokens a step in a first draft", first);
}

/* The last answer is kept for the next conversation, which may not repeat it. */
static void test_memory(void)
{
    struct glm_draft draft;
    int32_t guess[MOST], page[200], other[3] = {7001, 7002, 7003};
    for (int32_t i = 0; i < 200; i++) {
        page[i] = 100 + i;
    }
    CHECK(glm_draft_init(&draft, 512, NULL));
    glm_draft_begin(&draft, other, 3);
    CHECK(glm_draft_guess(&draft, guess, MOST, FREE) == 0);
    for (int i = 0; i < 200; i++) {
        glm_draft_push(&draft, page[i]);
    }
    glm_draft_begin(&draft, other, 3);
    for (int i = 0; i < 20; i++) {
        glm_draft_push(&draft, page[i]);
    }
    size_t count = glm_draft_guess(&draft, guess, MOST, FREE);
    CHECK(count > 20 && memcmp(guess, page + 20, count * sizeof *guess) == 0);
    for (int i = 0; i < 2000; i++) { /* more than fits */
        glm_draft_push(&draft, i);
        count = glm_draft_guess(&draft, guess, MOST, FREE);
        CHECK(count <= MOST);
    }
    glm_draft_begin(&draft, page, 200);
    CHECK(draft.len == 509); /* 309 tokens of the cut answer fit */
    glm_draft_release(&draft);
}

int main(void)
{
    test_memory();
    test_replays();
    TEST_END();
}
