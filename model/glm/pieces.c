/*
 * The GLM-4 pre-tokeniser by hand. Its expression, alternatives in this order:
 *   (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3} |
 *   ' '?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ | \s+(?!\S) | \s+
 */
#include "model/glm/tokenizer.h"
#include "model/glm/unicode.h"

static bool in_ranges(const struct glm_range *ranges, size_t count, uint32_t c)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (c < ranges[mid].first) {
            high = mid;
        } else if (c > ranges[mid].last) {
            low = mid + 1;
        } else {
            return true;
        }
    }
    return false;
}

enum glm_class glm_class_of(uint32_t c)
{
    if (c < 128) {
        uint32_t lower = c | 32;
        return lower >= 'a' && lower <= 'z'      ? GLM_LETTER
               : c >= '0' && c <= '9'            ? GLM_NUMBER
               : c == ' ' || (c >= 9 && c <= 13) ? GLM_SPACE
                                                 : GLM_OTHER;
    }
    if (c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
        c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000) {
        return GLM_SPACE;
    }
    if (in_ranges(glm_letters, glm_letter_count, c)) {
        return GLM_LETTER;
    }
    return in_ranges(glm_numbers, glm_number_count, c) ? GLM_NUMBER : GLM_OTHER;
}

size_t glm_char_next(const char *text, size_t len, uint32_t *c)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t need = s[0] < 0x80                   ? 1
                  : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
                  : (s[0] & 0xF0) == 0xE0       ? 3
                  : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                                : 0;
    if (need == 1) {
        *c = s[0];
        return 1;
    }
    bool ok = need != 0 && need <= len;
    uint32_t value = need == 2 ? s[0] & 0x1F : need == 3 ? s[0] & 0x0F : s[0] & 0x07;
    for (size_t i = 1; ok && i < need; i++) {
        ok = (s[i] & 0xC0) == 0x80;
        value = value << 6 | (s[i] & 0x3F);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!ok || value < least[need] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
        *c = 0x110000u + s[0];
        return 1;
    }
    *c = value;
    return need;
}

/* How many bytes of text are letters, or numbers up to most characters. */
static size_t run_of(const char *text, size_t len, enum glm_class kind, size_t most)
{
    size_t at = 0;
    for (size_t n = 0; at < len && n < most; n++) {
        uint32_t c;
        size_t step = glm_char_next(text + at, len - at, &c);
        if (glm_class_of(c) != kind) {
            break;
        }
        at += step;
    }
    return at;
}

/* 's 't 're 've 'm 'll 'd in any case; the long s folds to s. */
static size_t contraction(const char *text, size_t len)
{
    if (len < 2 || text[0] != '\'') {
        return 0;
    }
    char a = (char)(text[1] | 32), b = len > 2 ? (char)(text[2] | 32) : 0;
    if (a == 's' || a == 't') {
        return 2;
    }
    if (len > 2 && text[1] == '\xC5' && text[2] == '\xBF') {
        return 3;
    }
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e')) {
        return 3;
    }
    if (a == 'm') {
        return 2;
    }
    if (a == 'l' && b == 'l') {
        return 3;
    }
    return a == 'd' ? 2 : 0;
}

/* ' '?[^\s\p{L}\p{N}]+[\r\n]* */
static size_t marks(const char *text, size_t len)
{
    size_t lead = text[0] == ' ' ? 1 : 0;
    size_t run = lead < len ? run_of(text + lead, len - lead, GLM_OTHER, SIZE_MAX) : 0;
    if (run == 0) {
        return 0;
    }
    size_t at = lead + run;
    while (at < len && (text[at] == '\r' || text[at] == '\n')) {
        at++;
    }
    return at;
}

/* The three alternatives for white space; the run is at least one character. */
static size_t spaces(const char *text, size_t len, size_t run)
{
    size_t newline = 0, last = 0;
    for (size_t at = 0; at < run;) {
        uint32_t c;
        last = at;
        at += glm_char_next(text + at, run - at, &c);
        if (c == '\r' || c == '\n') {
            newline = at;
        }
    }
    if (newline > 0) {
        return newline;
    }
    return run == len || last == 0 ? run : last;
}

size_t glm_piece_next(const char *text, size_t len)
{
    size_t size = contraction(text, len);
    if (size > 0) {
        return size;
    }
    uint32_t c;
    size_t step = glm_char_next(text, len, &c);
    enum glm_class kind = glm_class_of(c);
    if (kind == GLM_LETTER) {
        return run_of(text, len, GLM_LETTER, SIZE_MAX);
    }
    if (kind == GLM_NUMBER) {
        return run_of(text, len, GLM_NUMBER, 3);
    }
    if (c != '\r' && c != '\n' && step < len) {
        size = run_of(text + step, len - step, GLM_LETTER, SIZE_MAX);
        if (size > 0) {
            return step + size;
        }
    }
    size = marks(text, len);
    if (size > 0) {
        return size;
    }
    return spaces(text, len, run_of(text, len, GLM_SPACE, SIZE_MAX));
}
