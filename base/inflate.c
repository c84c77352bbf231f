#include "base/inflate.h"

#include <string.h>

#define SYMBOL_BITS 11 /* of the first table; longer codes go on in a second */
#define DISTANCE_BITS 8
#define LENGTH_BITS 7 /* of the code of code lengths; none is longer */
#define MAX_BITS 15
#define MAX_CODES 288

/* A table's entry: the lengths of the code and its extra bits together in bits 0 .. 7, that of the
 * code alone or a subtable's bits in 8 .. 12, what it is in 13 .. 15, and a literal, the base of a
 * length or distance, or the place of the subtable from 16 on. */
#define IS_LITERAL 0x8000u
#define IS_SPECIAL 0x4000u /* the end of the block, a subtable, or no code at all */
#define IS_SUBTABLE 0x2000u
#define NO_CODE (IS_SPECIAL | IS_LITERAL)

enum place { AT_HEADER, IN_STORED, IN_CODES };

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

void base_inflate_init(struct base_inflate *s, const uint8_t *data, size_t len)
{
    s->in = data;
    s->end = data + len;
    s->bits = 0;
    s->count = 0;
    s->place = AT_HEADER;
    s->last = false;
    s->ended = false;
    s->stored = 0;
}

/* At least 56 bits are at hand afterwards; behind the input's end they are the padding's, and
 * is_overrun() tells. Bits above count are those of the next byte, as the next refill finds. */
#define REFILL(in, bits, count)                                                                    \
    do {                                                                                           \
        (bits) |= load64(in) << (count);                                                           \
        (in) += (63 - (count)) >> 3;                                                               \
        (count) |= 56;                                                                             \
    } while (0)

static bool is_overrun(const struct base_inflate *s)
{
    return s->in - (s->count >> 3) > s->end;
}

static uint32_t take(struct base_inflate *s, unsigned n)
{
    if (s->count < n && !is_overrun(s)) {
        REFILL(s->in, s->bits, s->count);
    }
    uint32_t v = (uint32_t)(s->bits & ((1u << n) - 1));
    s->bits >>= n;
    s->count -= n <= s->count ? n : s->count;
    return v;
}

static unsigned reversed(unsigned v, unsigned count)
{
    unsigned out = 0;
    for (unsigned i = 0; i < count; i++) {
        out = out << 1 | (v >> i & 1);
    }
    return out;
}

/* What the table says of a symbol, with the number of its extra bits in bits 8 .. 12. */
typedef uint32_t entry_fn(unsigned symbol);

static uint32_t length_entry(unsigned symbol)
{
    return symbol << 16;
}

static uint32_t symbol_entry(unsigned symbol)
{
    static const uint8_t extras[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                     2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t bases[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                     15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                     67, 83, 99, 115, 131, 163, 195, 227, 258};
    if (symbol < 256) {
        return IS_LITERAL | symbol << 16;
    }
    if (symbol == 256) {
        return IS_SPECIAL;
    }
    return symbol > 285 ? NO_CODE
                        : (uint32_t)bases[symbol - 257] << 16 | (uint32_t)extras[symbol - 257] << 8;
}

static uint32_t distance_entry(unsigned symbol)
{
    if (symbol > 29) {
        return NO_CODE;
    }
    unsigned extra = symbol < 4 ? 0 : symbol / 2 - 1;
    unsigned base = symbol < 4 ? symbol + 1 : ((2 + symbol % 2) << extra) + 1;
    return base << 16 | extra << 8;
}

struct table {
    uint32_t *entries;
    unsigned bits; /* of the first table */
    unsigned size; /* of entries */
    entry_fn *entry;
    bool may_be_lone; /* one code of one bit is no error */
};

/* Codes are dealt out in the order of their lengths; whether they fill the space as zlib asks. */
static bool first_codes(const uint8_t *lengths, unsigned count, const struct table *t,
                        unsigned *next)
{
    unsigned counts[MAX_BITS + 1] = {0};
    unsigned longest = 0;
    for (unsigned i = 0; i < count; i++) {
        counts[lengths[i]]++;
        longest = lengths[i] > longest ? lengths[i] : longest;
    }
    counts[0] = 0;
    int left = 1;
    unsigned code = 0;
    for (unsigned len = 1; len <= MAX_BITS; len++) {
        left = left * 2 - (int)counts[len];
        if (left < 0) {
            return false;
        }
        code = (code + counts[len - 1]) << 1;
        next[len] = code;
    }
    return left == 0 || longest == 0 || (t->may_be_lone && longest == 1);
}

/* Makes the second tables for codes longer than the first table's bits. */
static bool add_subtables(const uint8_t *lengths, unsigned count, struct table *t,
                          const unsigned *codes)
{
    uint8_t needed[1 << SYMBOL_BITS] = {0};
    unsigned mask = (1u << t->bits) - 1;
    for (unsigned i = 0; i < count; i++) {
        unsigned more = lengths[i] > t->bits ? lengths[i] - t->bits : 0;
        uint8_t *n = &needed[codes[i] & mask];
        *n = more > *n ? (uint8_t)more : *n;
    }
    unsigned used = mask + 1;
    for (unsigned prefix = 0; prefix <= mask; prefix++) {
        if (needed[prefix] > 0) {
            unsigned size = 1u << needed[prefix];
            if (used + size > t->size) {
                return false;
            }
            t->entries[prefix] =
                IS_SPECIAL | IS_SUBTABLE | used << 16 | (uint32_t)needed[prefix] << 8 | t->bits;
            for (unsigned i = 0; i < size; i++) {
                t->entries[used + i] = NO_CODE;
            }
            used += size;
        }
    }
    return true;
}

static bool fill_table(const uint8_t *lengths, unsigned count, struct table *t)
{
    unsigned next[MAX_BITS + 1] = {0};
    unsigned codes[MAX_CODES]; /* first bit lowest */
    if (!first_codes(lengths, count, t, next)) {
        return false;
    }
    bool has_long = false;
    for (unsigned i = 0; i < count; i++) {
        codes[i] = lengths[i] > 0 ? reversed(next[lengths[i]]++, lengths[i]) : 0;
        has_long = has_long || lengths[i] > t->bits;
    }
    for (unsigned i = 0; i < 1u << t->bits; i++) {
        t->entries[i] = NO_CODE;
    }
    if (has_long && !add_subtables(lengths, count, t, codes)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned len = lengths[i];
        uint32_t *entries = t->entries;
        unsigned code = codes[i];
        unsigned bits = t->bits;
        if (len > t->bits) {
            uint32_t sub = t->entries[code & ((1u << t->bits) - 1)];
            entries += sub >> 16;
            bits = sub >> 8 & 31;
            code >>= t->bits;
            len -= t->bits;
        }
        uint32_t e = t->entry(i);
        for (unsigned k = code; len > 0 && k < 1u << bits; k += 1u << len) {
            entries[k] = (e & ~0x1f00u) | len << 8 | (len + (e >> 8 & 31));
        }
    }
    return true;
}

static bool fill_code_tables(struct base_inflate *s, const uint8_t *lengths, unsigned symbols,
                             unsigned distances)
{
    struct table t = {s->symbols, SYMBOL_BITS, BASE_INFLATE_SYMBOLS, symbol_entry, true};
    struct table d = {s->distances, DISTANCE_BITS, BASE_INFLATE_DISTANCES, distance_entry, true};
    return fill_table(lengths, symbols, &t) && fill_table(lengths + symbols, distances, &d);
}

static bool read_fixed(struct base_inflate *s)
{
    uint8_t lengths[MAX_CODES + 32];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    memset(lengths + MAX_CODES, 5, 32);
    return fill_code_tables(s, lengths, MAX_CODES, 32);
}

/* The lengths of both codes, themselves coded; runs may cross from one to the other. */
static bool read_lengths(struct base_inflate *s, const uint32_t *table, uint8_t *lengths,
                         unsigned total)
{
    for (unsigned n = 0; n < total;) {
        if (s->count < LENGTH_BITS && !is_overrun(s)) {
            REFILL(s->in, s->bits, s->count);
        }
        uint32_t e = table[s->bits & ((1u << LENGTH_BITS) - 1)];
        if (e & IS_SPECIAL || is_overrun(s)) {
            return false;
        }
        take(s, e & 255);
        unsigned symbol = e >> 16;
        if (symbol < 16) {
            lengths[n++] = (uint8_t)symbol;
            continue;
        }
        if (symbol == 16 && n == 0) {
            return false;
        }
        uint8_t value = symbol == 16 ? lengths[n - 1] : 0;
        unsigned run = symbol == 16   ? 3 + take(s, 2)
                       : symbol == 17 ? 3 + take(s, 3)
                                      : 11 + take(s, 7);
        if (run > total - n) {
            return false;
        }
        memset(lengths + n, value, run);
        n += run;
    }
    return true;
}

static bool read_dynamic(struct base_inflate *s)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    unsigned symbols = 257 + take(s, 5);
    unsigned distances = 1 + take(s, 5);
    unsigned given = 4 + take(s, 4);
    uint8_t lengths[MAX_CODES + 32] = {0};
    uint32_t entries[1 << LENGTH_BITS];
    struct table t = {entries, LENGTH_BITS, 1 << LENGTH_BITS, length_entry, false};
    for (unsigned i = 0; i < given; i++) {
        lengths[order[i]] = (uint8_t)take(s, 3);
    }
    if (symbols > 286 || distances > 30 || !fill_table(lengths, 19, &t)) {
        return false;
    }
    memset(lengths, 0, 19);
    return read_lengths(s, entries, lengths, symbols + distances) && lengths[256] > 0 &&
           fill_code_tables(s, lengths, symbols, distances);
}

/* Puts whole bytes back, so that in is the next one. */
static void align(struct base_inflate *s)
{
    s->in -= s->count >> 3;
    s->bits = 0;
    s->count = 0;
}

static bool read_header(struct base_inflate *s)
{
    s->last = take(s, 1) != 0;
    unsigned type = take(s, 2);
    s->place = type == 0 ? IN_STORED : IN_CODES;
    switch (type) {
    case 0:
        align(s);
        if (s->end - s->in < 4) {
            return false;
        }
        s->stored = (uint32_t)(s->in[0] | s->in[1] << 8);
        if ((s->stored ^ 0xffff) != (uint32_t)(s->in[2] | s->in[3] << 8)) {
            return false;
        }
        s->in += 4;
        return true;
    case 1:
        return read_fixed(s);
    case 2:
        return read_dynamic(s);
    default:
        return false;
    }
}

static bool copy_stored(struct base_inflate *s, uint8_t *room, size_t *filled, size_t target)
{
    size_t n = s->stored < target - *filled ? s->stored : target - *filled;
    if ((size_t)(s->end - s->in) < n) {
        return false;
    }
    memcpy(room + *filled, s->in, n);
    s->in += n;
    s->stored -= (uint32_t)n;
    *filled += n;
    return true;
}

/* Writes up to 31 bytes too many. */
static inline void copy_match(uint8_t *out, size_t distance, size_t length)
{
    const uint8_t *from = out - distance;
    uint8_t *end = out + length;
    if (distance >= 16) {
        memcpy(out, from, 16); /* most matches end here, and a branch less is missed */
        memcpy(out + 16, from + 16, 16);
        for (size_t i = 32; i < length; i += 16) {
            memcpy(out + i, from + i, 16);
        }
        return;
    }
    if (distance == 1) {
        do {
            memset(out, *from, 32);
            out += 32;
        } while (out < end);
        return;
    }
    while (distance < 8) { /* a pattern repeats at the double of its distance, too */
        uint64_t v = load64(from);
        memcpy(out, &v, 8);
        out += distance;
        distance *= 2;
    }
    for (; out < end; out += 8) {
        uint64_t v = load64(out - distance);
        memcpy(out, &v, 8);
    }
}

#define SYMBOL_MASK ((1u << SYMBOL_BITS) - 1)
#define DISTANCE_MASK ((1u << DISTANCE_BITS) - 1)
#define EXTRA(e) ((bits & (((uint64_t)1 << ((e)&63)) - 1)) >> ((e) >> 8 & 31))
#define USE(n) (bits >>= (n)&63, count -= (n)&63)

/*
 * The codes of one block up to its end or to the target. The next symbol is looked up before a
 * match is copied, so that the wait for the table and the copying go on together.
 */
static inline __attribute__((always_inline)) bool
unpack_codes(struct base_inflate *s, uint8_t *room, size_t *filled, size_t target)
{
    const uint8_t *in = s->in;
    const uint8_t *limit = s->end + 7; /* beyond it more is used up than there is */
    const uint32_t *symbols = s->symbols;
    uint64_t bits = s->bits;
    unsigned count = s->count;
    uint8_t *out = room + *filled;
    bool ok = true;
    REFILL(in, bits, count);
    uint32_t e = symbols[bits & SYMBOL_MASK];
    while (out < room + target) {
        if (in > limit) {
            ok = false;
            break;
        }
        /* Two literals of 11 bits and a symbol of 20 are there without another refill. */
        if ((e & (IS_LITERAL | IS_SPECIAL)) == IS_LITERAL) {
            USE(e);
            *out++ = (uint8_t)(e >> 16);
            e = symbols[bits & SYMBOL_MASK];
            if ((e & (IS_LITERAL | IS_SPECIAL)) == IS_LITERAL) {
                USE(e);
                *out++ = (uint8_t)(e >> 16);
                e = symbols[bits & SYMBOL_MASK];
            }
        }
        if ((e & (IS_SUBTABLE | IS_SPECIAL)) == (IS_SUBTABLE | IS_SPECIAL)) {
            USE(SYMBOL_BITS);
            e = symbols[(e >> 16) + (bits & ((1u << (e >> 8 & 31)) - 1))];
        }
        if (e & (IS_LITERAL | IS_SPECIAL)) {
            USE(e);
            if ((e & NO_CODE) == IS_LITERAL) {
                *out++ = (uint8_t)(e >> 16);
                REFILL(in, bits, count);
                e = symbols[bits & SYMBOL_MASK];
                continue;
            }
            ok = (e & NO_CODE) != NO_CODE;
            s->place = AT_HEADER;
            break;
        }
        size_t length = (e >> 16) + EXTRA(e);
        USE(e);
        REFILL(in, bits, count);
        e = s->distances[bits & DISTANCE_MASK];
        if ((e & (IS_SUBTABLE | IS_SPECIAL)) == (IS_SUBTABLE | IS_SPECIAL)) {
            USE(DISTANCE_BITS);
            e = s->distances[(e >> 16) + (bits & ((1u << (e >> 8 & 31)) - 1))];
        }
        size_t distance = (e >> 16) + EXTRA(e);
        USE(e);
        if (e & IS_SPECIAL || distance > (size_t)(out - room)) {
            ok = false;
            break;
        }
        REFILL(in, bits, count);
        e = symbols[bits & SYMBOL_MASK];
        copy_match(out, distance, length);
        out += length;
    }
    s->in = in;
    s->bits = bits;
    s->count = count;
    *filled = (size_t)(out - room);
    return ok;
}

static bool unpack_plain(struct base_inflate *s, uint8_t *room, size_t *filled, size_t target)
{
    return unpack_codes(s, room, filled, target);
}

#ifdef __x86_64__
/* Shifts by a register cost less with these instructions. */
__attribute__((target("bmi,bmi2"))) static bool unpack_bmi2(struct base_inflate *s, uint8_t *room,
                                                            size_t *filled, size_t target)
{
    return unpack_codes(s, room, filled, target);
}
#endif

static bool unpack(struct base_inflate *s, uint8_t *room, size_t *filled, size_t target)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
        return unpack_bmi2(s, room, filled, target);
    }
#endif
    return unpack_plain(s, room, filled, target);
}

bool base_inflate_until(struct base_inflate *s, uint8_t *room, size_t *filled, size_t target)
{
    while (*filled < target && !s->ended) {
        bool ok = true;
        switch (s->place) {
        case IN_STORED:
            ok = copy_stored(s, room, filled, target);
            s->place = s->stored == 0 ? AT_HEADER : IN_STORED;
            break;
        case IN_CODES:
            ok = unpack(s, room, filled, target);
            break;
        default:
            s->ended = s->last;
            ok = s->ended || read_header(s);
        }
        if (!ok || is_overrun(s)) {
            return false;
        }
    }
    return true;
}

const uint8_t *base_inflate_tail(const struct base_inflate *s)
{
    return s->in - (s->count >> 3);
}
