#include "htmlfix/decode.h"

#include <stdlib.h>
#include <string.h>

#include "htmlfix/chars.h"
#include "htmlfix/scan.h"
#include "htmlfix/tags.h"

enum { MARK_EVERY = 4096 }; /* bytes of the result between two marks */

struct piece {
    char bytes[8];
    size_t len;  /* of bytes */
    size_t next; /* place in the source */
};

static unsigned char at(const char *text, size_t len, size_t i)
{
    return i < len ? (unsigned char)text[i] : 0;
}

/* Bytes of the UTF-8 character at a place; 0 when it is none. */
static size_t character(const char *text, size_t len, size_t i)
{
    unsigned char a = at(text, len, i), b = at(text, len, i + 1);
    if (a < 0x80) {
        return 1;
    }
    if (a < 0xC2 || a > 0xF4 || (b & 0xC0) != 0x80) {
        return 0;
    }
    if (a < 0xE0) {
        return 2;
    }
    if ((at(text, len, i + 2) & 0xC0) != 0x80 || (a == 0xE0 && b < 0xA0) ||
        (a == 0xED && b > 0x9F)) {
        return 0;
    }
    if (a < 0xF0) {
        return 3;
    }
    bool whole = (at(text, len, i + 3) & 0xC0) == 0x80;
    return !whole || (a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F) ? 0 : 4;
}

/* ASCII without NUL, eight bytes at a time; where it ends. */
static size_t skip_ascii(const char *text, size_t len, size_t i)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    while (i + 8 <= len) {
        uint64_t word;
        memcpy(&word, text + i, 8);
        if (((word | (word - ones)) & high) != 0) {
            break;
        }
        i += 8;
    }
    while (i < len && text[i] > 0) {
        i++;
    }
    return i;
}

bool htmlfix_is_plain(const char *text, size_t len)
{
    for (size_t i = skip_ascii(text, len, 0); i < len;) {
        size_t size = text[i] == '\0' ? 0 : character(text, len, i);
        if (size == 0) {
            return false;
        }
        i += size;
        if (i < len && text[i] > 0) {
            i = skip_ascii(text, len, i);
        }
    }
    return true;
}

size_t htmlfix_cut_character(const char *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)text[len - back];
        if (c >= 0xC2 && c <= 0xF4) {
            size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
            return need > back ? back : 0;
        }
        if (c < 0x80 || c >= 0xC0) {
            return 0;
        }
    }
    return 0;
}

static void put_character(struct piece *piece, unsigned code)
{
    unsigned char *p = (unsigned char *)piece->bytes;
    piece->len = code == 0 ? 0 : code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    switch (piece->len) {
    case 1:
        p[0] = (unsigned char)code;
        break;
    case 2:
        p[0] = (unsigned char)(0xC0 | code >> 6);
        p[1] = (unsigned char)(0x80 | (code & 63));
        break;
    case 3:
        p[0] = (unsigned char)(0xE0 | code >> 12);
        p[1] = (unsigned char)(0x80 | (code >> 6 & 63));
        p[2] = (unsigned char)(0x80 | (code & 63));
        break;
    case 4:
        p[0] = (unsigned char)(0xF0 | code >> 18);
        p[1] = (unsigned char)(0x80 | (code >> 12 & 63));
        p[2] = (unsigned char)(0x80 | (code >> 6 & 63));
        p[3] = (unsigned char)(0x80 | (code & 63));
        break;
    default:
        break;
    }
}

static unsigned join(unsigned high, unsigned low)
{
    return 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF);
}

/* Half of a surrogate pair written as a UTF-8 character of its own; 0 when it is none. */
static unsigned utf8_half(const char *text, size_t len, size_t i)
{
    unsigned char b = at(text, len, i + 1), c = at(text, len, i + 2);
    bool half = at(text, len, i) == 0xED && b >= 0xA0 && b < 0xC0 && (c & 0xC0) == 0x80;
    return half ? 0xD000u | (b & 63u) << 6 | (c & 63u) : 0;
}

static void step_plain(const char *text, size_t len, size_t i, struct piece *piece)
{
    size_t size = character(text, len, i);
    if (text[i] == '\0') {
        piece->len = 0;
        piece->next = i + 1;
    } else if (size > 0) {
        memcpy(piece->bytes, text + i, size);
        piece->len = size;
        piece->next = i + size;
    } else {
        unsigned high = utf8_half(text, len, i), low = high != 0 ? utf8_half(text, len, i + 3) : 0;
        bool pair = high >= 0xD800 && high < 0xDC00 && low >= 0xDC00;
        put_character(piece, pair ? join(high, low) : 0xFFFD);
        piece->next = i + (pair ? 6 : high != 0 ? 3 : 1);
    }
}

/* Reads hexadecimal digits; false when there are fewer. */
static bool hex(const char *text, size_t len, size_t i, size_t digits, unsigned *value)
{
    *value = 0;
    for (size_t k = 0; k < digits; k++) {
        char c = htmlfix_lower((char)at(text, len, i + k));
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
        *value = *value * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return true;
}

static bool only_hex(const char *text, size_t len, size_t i)
{
    unsigned digit;
    while (i < len && hex(text, len, i, 1, &digit)) {
        i++;
    }
    return i == len;
}

static void step_unicode(const char *text, size_t len, size_t i, struct piece *piece)
{
    unsigned code, low;
    size_t digits = text[i + 1] == 'u' ? 4 : 2;
    if (!hex(text, len, i + 2, digits, &code)) {
        bool cut = len - i < 2 + digits && only_hex(text, len, i + 2);
        piece->len = cut ? 0 : 1;
        piece->bytes[0] = '\\';
        piece->next = cut ? len : i + 1;
        return;
    }
    piece->next = i + 2 + digits;
    if (code >= 0xD800 && code < 0xE000) {
        bool pair = code < 0xDC00 && at(text, len, i + 6) == '\\' && at(text, len, i + 7) == 'u' &&
                    hex(text, len, i + 8, 4, &low) && low >= 0xDC00 && low < 0xE000;
        bool cut = code < 0xDC00 && len - piece->next < 6 &&
                   (piece->next == len || text[piece->next] == '\\');
        code = pair ? join(code, low) : cut ? 0 : 0xFFFD;
        piece->next = pair ? i + 12 : cut ? len : piece->next;
    }
    put_character(piece, code);
}

static void step_string(const char *text, size_t len, size_t i, struct piece *piece)
{
    static const char from[] = "nrtbf\"'/\\`$", to[] = "\n\r\t\b\f\"'/\\`$";
    piece->bytes[0] = text[i];
    piece->len = 1;
    piece->next = i + 1;
    if (text[i] != '\\') {
        return;
    }
    char c = (char)at(text, len, i + 1);
    const char *known = c != '\0' ? strchr(from, c) : NULL;
    if (i + 1 == len) {
        piece->len = 0; /* the answer ends inside an escape */
    } else if (known != NULL) {
        piece->bytes[0] = to[known - from];
        piece->next = i + 2;
    } else if (c == 'u' || c == 'x') {
        step_unicode(text, len, i, piece);
    }
}

static void step_entity(const char *text, size_t len, size_t i, struct piece *piece)
{
    static const struct {
        const char *name;
        char byte;
    } names[] = {{"lt;", '<'},    {"gt;", '>'},   {"amp;", '&'},   {"quot;", '"'}, {"apos;", '\''},
                 {"#39;", '\''},  {"#34;", '"'},  {"#60;", '<'},   {"#62;", '>'},  {"#38;", '&'},
                 {"#x27;", '\''}, {"#x22;", '"'}, {"#x3c;", '<'},  {"#x3e;", '>'}, {"#x26;", '&'},
                 {"#x2f;", '/'},  {"#47;", '/'},  {"#039;", '\''}, {"#61;", '='},  {"#x3d;", '='}};
    piece->bytes[0] = text[i];
    piece->len = 1;
    piece->next = i + 1;
    for (size_t k = 0; text[i] == '&' && k < sizeof names / sizeof names[0]; k++) {
        if (htmlfix_at(text, len, i + 1, names[k].name)) {
            piece->bytes[0] = names[k].byte;
            piece->next = i + 1 + strlen(names[k].name);
            return;
        }
    }
}

static void step_slash(const char *text, size_t len, size_t i, struct piece *piece)
{
    size_t slash = i + 1;
    while (text[i] == '<' && slash < len && text[slash] == '\\') {
        slash++;
    }
    piece->bytes[0] = text[i];
    piece->len = 1;
    piece->next = slash < len && text[slash] == '/' ? slash : i + 1;
}

/*
 * At a start tag of raw text: where its content ends (then *real says whether it holds real line
 * ends: an escaped document has none, so the escapes in there are the page's own), or 0.
 */
static size_t raw_content(const char *text, size_t len, size_t i, bool *real)
{
    static const char *const names[] = {"script", "style", "pre", "textarea"};
    for (size_t k = 0; text[i] == '<' && k < sizeof names / sizeof names[0]; k++) {
        size_t size = strlen(names[k]);
        if (!htmlfix_at(text, len, i + 1, names[k]) || !htmlfix_name_ends(text, len, i + 1, size)) {
            continue;
        }
        size_t open = htmlfix_byte(text, len, i, '>');
        size_t close = open == HTMLFIX_NOWHERE ? HTMLFIX_NOWHERE
                                               : htmlfix_raw_end(text, len, open + 1, names[k]);
        if (close == HTMLFIX_NOWHERE) {
            return len; /* no need to look again */
        }
        *real = htmlfix_byte(text, close, open + 1, '\n') != HTMLFIX_NOWHERE;
        return close;
    }
    return 0;
}

static void step(const struct htmlfix_view *view, const char *text, size_t len, size_t i,
                 struct htmlfix_mark *state, struct piece *piece)
{
    switch (view->coding) {
    case HTMLFIX_PLAIN:
        step_plain(text, len, i, piece);
        return;
    case HTMLFIX_ENTITY:
        step_entity(text, len, i, piece);
        return;
    case HTMLFIX_BACKSLASH:
    case HTMLFIX_SLASH:
        if (i >= state->seen && text[i] == '<') {
            bool real = false;
            size_t end = raw_content(text, len, i, &real);
            state->seen = end > state->seen ? end : state->seen;
            state->keep = real || (view->coding == HTMLFIX_SLASH && end < len) ? end : state->keep;
        }
        if (i < state->keep) {
            *piece = (struct piece){{text[i]}, 1, i + 1};
            return;
        }
        if (view->coding == HTMLFIX_SLASH) {
            step_slash(text, len, i, piece);
            return;
        }
        break;
    case HTMLFIX_STRING:
        break;
    }
    step_string(text, len, i, piece);
}

static bool add_mark(struct htmlfix_view *view, size_t *room, struct htmlfix_mark mark,
                     struct glmv_err *err)
{
    if (view->mark_count == *room) {
        size_t more = *room == 0 ? 16 : *room * 2;
        struct htmlfix_mark *grown = realloc(view->marks, more * sizeof *grown);
        if (grown == NULL) {
            return glmv_fail_memory(err);
        }
        view->marks = grown;
        *room = more;
    }
    view->marks[view->mark_count++] = mark;
    return true;
}

bool htmlfix_view_decode(struct htmlfix_view *view, const struct htmlfix_view *parent, size_t begin,
                         size_t end, enum htmlfix_coding coding, struct glmv_err *err)
{
    *view = (struct htmlfix_view){.parent = parent, .coding = coding, .begin = begin};
    const char *text = parent->text + begin;
    size_t len = end - begin, room = 0;
    struct htmlfix_mark state = {0};
    glmv_buf_init(&view->bytes, len * 3 + 16); /* a byte that is no text becomes U+FFFD */
    bool ok = glmv_buf_reserve(&view->bytes, len, err);
    for (size_t i = 0; ok && i < len;) {
        if (view->mark_count == 0 ||
            view->bytes.len - view->marks[view->mark_count - 1].out >= MARK_EVERY) {
            state.out = view->bytes.len;
            state.in = i;
            ok = add_mark(view, &room, state, err);
        }
        struct piece piece;
        step(view, text, len, i, &state, &piece);
        ok = ok && glmv_buf_append(&view->bytes, piece.bytes, piece.len, err);
        i = piece.next;
    }
    view->text = view->bytes.data != NULL ? view->bytes.data : "";
    view->len = view->bytes.len;
    return ok;
}

void htmlfix_view_release(struct htmlfix_view *view)
{
    glmv_buf_release(&view->bytes);
    free(view->marks);
    view->marks = NULL;
}

static size_t parent_place(const struct htmlfix_view *view, size_t place)
{
    size_t low = 0, high = view->mark_count;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        if (view->marks[middle].out <= place) {
            low = middle;
        } else {
            high = middle;
        }
    }
    struct htmlfix_mark mark = high > 0 ? view->marks[low] : (struct htmlfix_mark){0};
    const char *text = view->parent->text + view->begin;
    size_t len = view->parent->len - view->begin;
    while (mark.in < len && mark.out < place) {
        struct piece piece;
        step(view, text, len, mark.in, &mark, &piece);
        mark.out += piece.len;
        mark.in = piece.next;
    }
    return view->begin + mark.in;
}

size_t htmlfix_view_origin(const struct htmlfix_view *view, size_t place)
{
    while (view->parent != NULL) {
        place = parent_place(view, place);
        view = view->parent;
    }
    return place;
}
