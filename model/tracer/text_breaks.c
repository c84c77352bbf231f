/* Words of lines in Chinese and Japanese: their readers tell pieces of a sentence apart, and leave
 * out the spaces round Latin words and numbers. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/text.h"

enum { MAX_GAPS = 256 };

/* Ink gaps in em: no narrower one is a space; and how far from its place one is looked for. */
#define SPACE 0.24
#define REACH 0.45
#define SMOOTHED 0.5 /* px by which smoothing makes a gap narrower */
#define NEVER 9.0    /* in em: no gap in a line is as wide */
/* No line's ink is lower than so many em: Han characters fill their squares. */
#define INK_PER_EM 0.98

struct gap {
    int x0, x1;
};

/* What a character is to a space beside it. */
enum kind { OTHER, HAN, KANA, WIDE_SIGN, LATIN };

/* The kind of the character at c. */
static enum kind kind_at(const char *c)
{
    unsigned char a = (unsigned char)c[0];
    if (a < 0x80) {
        return a > ' ' ? LATIN : OTHER;
    }
    unsigned char b = (unsigned char)c[1];
    bool sign = (a == 0xe3 && b == 0x80) || (a == 0xef && (b == 0xbc || b == 0xbd));
    return sign ? WIDE_SIGN : model_is_kana(c) ? KANA : a >= 0xe3 && a <= 0xe9 ? HAN : OTHER;
}

static enum kind last_kind(const char *text)
{
    enum kind kind = OTHER;
    for (; *text != '\0'; text += glmv_utf8_first(text)) {
        kind = kind_at(text);
    }
    return kind;
}

static enum kind first_kind(const char *text)
{
    return *text != '\0' ? kind_at(text) : OTHER;
}

static bool is_east(enum kind kind)
{
    return kind == HAN || kind == KANA;
}

/* How wide a gap between two characters has to be to be a space, in em; 0: there is none between
 * them. Kana and narrow signs leave room in their own squares. */
static double space_between(enum kind a, const char *before, enum kind b, const char *after)
{
    static const char narrow[] = "1!|'()[]";
    bool loose = a == KANA || b == KANA || (a == LATIN && strchr(narrow, *before) != NULL) ||
                 (b == LATIN && strchr(narrow, *after) != NULL);
    bool camel = a == LATIN && b == LATIN && islower((unsigned char)*before) &&
                 isupper((unsigned char)*after);
    bool border = (is_east(a) && b == LATIN) || (a == LATIN && is_east(b));
    if (is_east(a) && is_east(b)) {
        return loose ? NEVER : 1.5 * SPACE;
    }
    return border || camel ? (loose ? 1.35 : 1) * SPACE : 0;
}

bool model_text_runs_on(const char *before, const char *after)
{
    return last_kind(before) == WIDE_SIGN || first_kind(after) == WIDE_SIGN;
}

bool model_text_is_all_han(const char *text)
{
    bool latin = false;
    for (const char *c = text; *c != '\0'; c += glmv_utf8_first(c)) {
        latin = latin || kind_at(c) == LATIN;
    }
    return model_has_cjk(text) && !latin;
}

/* How wide a character is about, in em. */
static double width_of(const char *c, enum kind kind)
{
    if (is_east(kind) || kind == WIDE_SIGN) {
        return 1;
    }
    return strchr("il.,:;|!'j", *c) != NULL          ? 0.26
           : strchr("ftrI()[]-/ ", *c) != NULL       ? 0.34
           : strchr("mMwW%@", *c) != NULL            ? 0.85
           : isupper((unsigned char)*c) || *c == '#' ? 0.67
                                                     : 0.55;
}

/* The same of a text; not 0. */
static double widths(const char *text)
{
    double sum = 0.01;
    for (const char *c = text; *c != '\0'; c += glmv_utf8_first(c)) {
        sum += width_of(c, kind_at(c));
    }
    return sum;
}

/* Columns of a word without ink, as runs of at least least px. */
static int find_gaps(const struct model_view *view, const struct glmv_box *ink, int least,
                     struct gap *gaps)
{
    int count = 0;
    int empty = 0;
    int end = (int)(ink->x + ink->w);
    for (int x = (int)ink->x; x < end && count < MAX_GAPS; x++) {
        bool inked = false;
        for (int y = (int)ink->y; !inked && y < (int)(ink->y + ink->h); y++) {
            inked = view->text_mask[(size_t)y * (size_t)view->w + (size_t)x] != 0;
        }
        if (inked && empty >= least) {
            gaps[count++] = (struct gap){x - empty, x};
        }
        empty = inked ? 0 : empty + 1;
    }
    return count;
}

/* A place in a word's text, and about where it is. */
struct place {
    const char *at;
    double x;
    double
        drift; /* px by which the Latin letters before it may be wider or narrower than thought */
    enum kind before;
};

/* Moves on by a character. */
static void pass(struct place *p, double em)
{
    p->before = kind_at(p->at);
    p->x += width_of(p->at, p->before) * em;
    p->drift += p->before == LATIN ? 0.08 * em : 0;
    p->at += glmv_utf8_first(p->at);
}

/* The border from a place on that a gap is the space of; NULL where it is none. */
static const char *border_at(struct place p, const struct gap *gap, double em)
{
    const char *best = NULL;
    double least = 1e9;
    double middle = (gap->x0 + gap->x1) / 2.0;
    for (; *p.at != '\0' && p.x < gap->x1 + 2 * em; pass(&p, em)) {
        enum kind kind = kind_at(p.at);
        bool none = p.before == OTHER || (is_east(p.before) && is_east(kind));
        double space = none ? 0 : space_between(p.before, p.at - 1, kind, p.at) * em;
        double off = fabs(middle - p.x - 0.14 * em);
        if (space > 0 && gap->x1 - gap->x0 >= space - SMOOTHED && off < REACH * em + p.drift &&
            off < least) {
            least = off;
            best = p.at;
        }
    }
    return best;
}

/* Where a word's text goes over from one script to the other and its ink leaves a space: bytes and
 * gaps, in order. */
static int find_breaks(const struct glmv_scene_word *word, double em, const struct gap *gaps,
                       int gap_count, size_t *at, struct gap *gap)
{
    struct place place = {.at = word->text, .x = word->ink.x - 0.05 * em};
    int count = 0;
    for (int i = 0; i < gap_count; i++) {
        const char *border = border_at(place, &gaps[i], em);
        if (border != NULL) {
            at[count] = (size_t)(border - word->text);
            gap[count++] = gaps[i];
            place = (struct place){.at = border, .x = gaps[i].x1 - 0.05 * em};
        }
    }
    return count;
}

/* The part of a word's box that has ink between two columns. */
static struct glmv_box inked_part(const struct model_view *view, const struct glmv_box *of, int x0,
                                  int x1)
{
    int y0 = (int)(of->y + of->h);
    int y1 = (int)of->y;
    for (int y = (int)of->y; y < (int)(of->y + of->h); y++) {
        for (int x = x0; x < x1; x++) {
            if (view->text_mask[(size_t)y * (size_t)view->w + (size_t)x]) {
                y0 = model_min(y0, y);
                y1 = y + 1;
            }
        }
    }
    return y1 > y0 ? (struct glmv_box){x0, y0, x1 - x0, y1 - y0}
                   : (struct glmv_box){x0, of->y, x1 - x0, of->h};
}

/* Puts the words of a line and its text together anew. */
struct telling {
    struct glmv_scene_word *words;
    size_t count;
    char *text;
    double em;
};

static bool tell(struct telling *t, const char *text, size_t len, struct glmv_box ink,
                 double confidence)
{
    struct glmv_scene_word *last = t->count > 0 ? &t->words[t->count - 1] : NULL;
    char *piece = strndup(text, len);
    if (piece == NULL) {
        return false;
    }
    const char *end = last != NULL ? last->text + strlen(last->text) - 1 : "";
    enum kind a = last != NULL ? last_kind(last->text) : OTHER;
    enum kind b = first_kind(piece);
    double space = space_between(a, end, b, piece) * t->em;
    bool close =
        last != NULL && (model_text_runs_on(last->text, piece) ||
                         (space > 0 && ink.x - last->ink.x - last->ink.w < space - SMOOTHED));
    /* What stands alone before a line may turn out to be an icon. */
    bool icon = close && t->count == 1 && strlen(last->text) == 3 && is_east(a) && is_east(b);
    strcat(t->text, t->count > 0 && !close ? " " : "");
    strcat(t->text, piece);
    if (!close || icon) {
        t->words[t->count++] =
            (struct glmv_scene_word){.text = piece, .ink = ink, .confidence = confidence};
        return true;
    }
    char *joined = realloc(last->text, strlen(last->text) + len + 1);
    if (joined != NULL) {
        last->text = strcat(joined, piece);
        double right = fmax(last->ink.x + last->ink.w, ink.x + ink.w);
        double foot = fmax(last->ink.y + last->ink.h, ink.y + ink.h);
        last->ink.x = fmin(last->ink.x, ink.x);
        last->ink.y = fmin(last->ink.y, ink.y);
        last->ink.w = right - last->ink.x;
        last->ink.h = foot - last->ink.y;
        last->confidence = fmin(last->confidence, confidence);
    }
    free(piece);
    return joined != NULL;
}

/* The words between a word's breaks. */
static bool tell_word(struct telling *t, const struct model_view *view,
                      const struct glmv_scene_word *word)
{
    struct gap gaps[MAX_GAPS];
    struct gap gap[MAX_GAPS];
    size_t at[MAX_GAPS];
    int n = find_gaps(view, &word->ink, model_max(2, (int)round(SPACE * t->em)), gaps);
    int breaks = find_breaks(word, t->em, gaps, n, at, gap);
    size_t from = 0;
    int left = (int)word->ink.x;
    for (int i = 0; i < breaks; i++) {
        if (!tell(t, word->text + from, at[i] - from, inked_part(view, &word->ink, left, gap[i].x0),
                  word->confidence)) {
            return false;
        }
        from = at[i];
        left = gap[i].x1;
    }
    struct glmv_box rest =
        breaks > 0 ? inked_part(view, &word->ink, left, (int)(word->ink.x + word->ink.w))
                   : word->ink;
    return tell(t, word->text + from, strlen(word->text + from), rest, word->confidence);
}

bool model_text_break_scripts(const struct model_view *view, struct glmv_scene_line *line,
                              struct glmv_err *err)
{
    if (!model_has_cjk(line->text)) {
        return true;
    }
    size_t bytes = strlen(line->text);
    struct telling t = {.words = calloc(bytes + 1, sizeof *t.words),
                        .text = calloc(2 * bytes + 2, 1),
                        .em = fmin(line->ink.h / INK_PER_EM, line->ink.w / widths(line->text))};
    bool ok = t.words != NULL && t.text != NULL;
    for (size_t i = 0; ok && i < line->word_count; i++) {
        ok = tell_word(&t, view, &line->words[i]);
    }
    if (!ok) {
        for (size_t i = 0; t.words != NULL && i < t.count; i++) {
            free(t.words[i].text);
        }
        free(t.words);
        free(t.text);
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < line->word_count; i++) {
        free(line->words[i].text);
    }
    free(line->words);
    free(line->text);
    line->words = t.words;
    line->word_count = t.count;
    line->text = t.text;
    return true;
}
