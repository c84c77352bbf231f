/*
 * Letters and signs that the reader does not know: English data has hardly any accents. What was
 * read is drawn in the face of its line and laid over the picture. Where ink is left that the
 * drawing does not show, what is often taken for the letters there is tried in their place, and
 * stays where it shows the ink.
 */
#include "model/tracer/letters.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/faces_draw.h"
#include "model/tracer/proof.h"
#include "model/tracer/text.h"

enum {
    ROOM = 4,         /* px around a word's ink */
    MOST_BYTES = 160, /* of a word that is looked at */
    MOST_CHANGES = 6, /* in a word */
    LONGEST_SIGN = 3, /* letters that one sign is read as */
};

/* How far a text may be stretched to be as wide as its ink. */
#define NARROWEST 0.7
#define WIDEST 1.4
#define KERNED 0.03 /* em by which a mark may change its width */

/* In squares of the size: */
#define LEFT 0.002        /* ink beside a letter that asks for one with a mark */
#define OFF 0.0015        /* by which a letter differs that asks for another one */
#define MARKED 0.0028     /* by which a text with a mark differs less, at least */
#define MISTAKEN 0.005    /* by which one with another letter does */
#define MOSTLY 0.45       /* the same, where other letters are wrong as well */
#define SHOWN 0.005       /* by which it may differ then, a letter */
#define SHOWN_MARKED 0.01 /* the same where a letter only has a mark */
#define CLEARLY 0.3       /* of what a text differs by, which another letter takes away at least */

/* What is read, and what may stand there. */
struct confusion {
    const char *read;
    const char *maybe; /* parted by blanks */
};
/* The same letter with something above, below or across it. */
static const struct confusion marked[] = {
    {"a", "á à â ä ã å ą"},
    {"A", "Á À Â Ä Ã Å Ą"},
    {"c", "ç ć č"},
    {"C", "Ç Ć Č"},
    {"e", "é è ê ë ę ě"},
    {"é", "è ê ë ě"},
    {"E", "É È Ê Ë"},
    {"g", "ğ"},
    {"i", "í ì î ï"},
    {"I", "Í Î İ"},
    {"l", "ł"},
    {"L", "Ł"},
    {"n", "ñ ń ň"},
    {"N", "Ñ"},
    {"o", "ó ò ô ö õ ø ő"},
    {"O", "Ó Ò Ô Ö Õ Ø"},
    {"r", "ř"},
    {"s", "ś š ş"},
    {"S", "Ś Š Ş"},
    {"u", "ú ù û ü ů ű"},
    {"U", "Ú Ù Û Ü"},
    {"y", "ý ÿ"},
    {"z", "ź ż ž"},
    {"Z", "Ź Ż Ž"},
};
/* Letters that are looked for on a page of whatever language, names may have them. */
static const char common_letters[] = "áàâäãåéèêëóôöõúùûüñçßÁÀÂÄÃÅÉÈÊËÓÔÖÕÚÙÛÜÑÇ";
/* Another letter. */
static const struct confusion mistaken[] = {
    {"d", "ã á ö ó"}, {"é", "¿"},         {";", "¡ ¿"},
    {"j", "¡"},       {"~", "¿"},         {"i", "¡"},
    {"¢", "¿"},       {"g", "¿"},         {"é", "ó ò ô ö õ ø å á"},
    {"a", "ø"},       {"6", "ó ò ô ö õ"}, {"t", "ł"},
    {"q", "ą"},       {"¢", "ç ć"},       {"i", "ü ú üß"},
    {"U", "ü ú"},     {"O", "ö ó ô õ"},   {"A", "á â ã à å"},
    {"B", "ß"},       {"R", "ß"},         {"&", "ß"},
    {"8", "ß"},       {"k", "ß"},         {"f", "ß"},
    {"®", "ß"},       {"z", "æ"},         {"fi", "ñ ü"},
    {"ii", "ü"},      {"ti", "ü ú"},      {"tt", "ü"},
    {"O6", "ö"},      {"AE", "Æ"},        {"a", "æ"},
    {"e", "æ"},       {"ze", "æ"},        {"ee", "æ"},
    {"g", "ø"},       {"E", "Æ"},         {"oe", "œ"},
    {"c¢", "ć"},      {"G", "õ"},
};

/* Signs of every language. */
static const struct confusion signs[] = {
    {"-", "· – — • −"}, {"—", "–"},     {"*", "•"},     {"«", "•"},    {"+", "± ÷ †"},
    {"x", "×"},         {"...", "…"},   {"'", "’ ‘"},   {"\"", "“ ”"}, {",,", "„"},
    {"<", "≤ ‹"},       {">", "≥ › →"}, {"=", "≠ ≈ ÷"}, {"#", "≠"},    {"%", "½ ¼ ¾ ‰"},
    {"?", "² ³"},       {"~", "→ ≈"},   {"2", "²"},     {"3", "³"},    {"§", "¶"},
    {"v", "√"},         {"t", "↑ †"},   {"J", "↓"},     {"¥", "½"},
};

/* A word's ink and the type that it is drawn in. */
struct sheet {
    struct model_faces *faces;
    struct model_face *face;
    const char *letters; /* that may stand there */
    struct model_ink seen, drawn;
    double size, spacing;
    double left, wide; /* of the ink in the sheet */
    int baseline;
    bool hinted;
    struct model_laid laid; /* what is drawn */
    double natural;         /* px that it is wide */
    double stretch;         /* of its places, to be as wide as the ink */
};

static void close_sheet(struct sheet *s)
{
    model_ink_release(&s->seen);
    model_ink_release(&s->drawn);
    model_laid_release(&s->laid);
}

static bool open_sheet(const struct model_view *view, struct model_faces *faces,
                       const struct glmv_scene_line *line, const struct glmv_scene_word *word,
                       struct sheet *s)
{
    *s = (struct sheet){.faces = faces,
                        .face = model_faces_find(faces, line->font, line->weight),
                        .size = line->font_px,
                        .spacing = line->letter_spacing,
                        .wide = word->ink.w - 2 * MODEL_INK_BLEED,
                        .baseline = (int)lround(line->baseline - word->ink.y) + ROOM};
    struct model_ink ink;
    if (s->face == NULL || !model_ink_take(view, &word->ink, line->background, &ink)) {
        return false;
    }
    s->seen = (struct model_ink){.w = ink.w + 2 * ROOM, .h = ink.h + 2 * ROOM};
    s->drawn = s->seen;
    size_t room = (size_t)s->seen.w * (size_t)s->seen.h;
    s->seen.px = calloc(room, 1);
    s->drawn.px = calloc(room, 1);
    bool ok = s->seen.px != NULL && s->drawn.px != NULL;
    for (int y = 0; ok && y < ink.h; y++) {
        memcpy(s->seen.px + (size_t)(y + ROOM) * (size_t)s->seen.w + ROOM,
               ink.px + (size_t)y * (size_t)ink.w, (size_t)ink.w);
    }
    model_ink_release(&ink);
    if (!ok) {
        close_sheet(s);
    }
    return ok;
}

/* Where a glyph stands in the sheet. */
static double place_of(const struct sheet *s, double em_left, size_t i)
{
    return s->left +
           ((s->laid.glyphs[i].x - em_left) * s->size + (double)i * s->spacing) * s->stretch;
}

/* Draws a text as wide as the ink. */
static bool draw(struct sheet *s, const char *text, double *places)
{
    struct model_measure m = {0};
    model_laid_release(&s->laid);
    if (!model_face_measure(s->face, text, &m) || !model_face_lay(s->face, text, &s->laid)) {
        return false;
    }
    s->natural = (m.ink.right - m.ink.left) * s->size + s->spacing * (double)(m.glyphs - 1);
    memset(s->drawn.px, 0, (size_t)s->drawn.w * (size_t)s->drawn.h);
    s->stretch = s->natural > 0 ? s->wide / s->natural : 0;
    if (s->stretch < NARROWEST || s->stretch > WIDEST) {
        return false;
    }
    /* Ink ends on whole px: what is off by less than one is in the middle of it. */
    bool exact = fabs(s->wide - s->natural) <= 1;
    s->left = ROOM + MODEL_INK_BLEED + (exact ? (s->wide - s->natural) / 2 : 0);
    s->stretch = exact ? 1 : s->stretch;
    for (size_t i = 0; i < s->laid.count; i++) {
        double at = place_of(s, m.ink.left, i);
        if (places != NULL) {
            places[i] = at;
        }
        if (!model_glyph_draw(s->faces, &s->laid.glyphs[i], s->size, at, s->baseline, s->hinted,
                              &s->drawn)) {
            return false;
        }
    }
    if (places != NULL) {
        places[s->laid.count] = s->left + s->wide;
    }
    return true;
}

static int soft(const struct model_ink *ink, int x, int y)
{
    const uint8_t *row = ink->px + (size_t)y * (size_t)ink->w;
    return row[x - 1] + 2 * row[x] + row[x + 1];
}

/* The ink by which the drawing differs from what is seen between two columns, in px. */
static double difference_in(const struct sheet *s, int from, int to)
{
    int sum = 0;
    for (int y = 0; y < s->seen.h; y++) {
        for (int x = model_max(1, from); x < model_min(s->seen.w - 1, to); x++) {
            int d = (soft(&s->seen, x, y) - soft(&s->drawn, x, y)) / 4;
            sum += d * d;
        }
    }
    return sum / (255.0 * 255);
}

/* The same of a whole word; what has to be stretched differs as well. */
static double difference(const struct sheet *s)
{
    return difference_in(s, 1, s->seen.w - 1) +
           0.1 * s->size * s->size * fmax(0, fabs(log(s->stretch)) - 0.03);
}

static int most_around(const struct model_ink *ink, int x, int y)
{
    int most = 0;
    for (int dy = -1; dy <= 1; dy++) {
        for (int dx = -1; dx <= 1; dx++) {
            most = model_max(most, ink->px[(size_t)(y + dy) * (size_t)ink->w + (size_t)(x + dx)]);
        }
    }
    return most;
}

/* The ink between two columns that one of the two has and the other has not near by, in px. */
static double unexplained(const struct sheet *s, double from, double to)
{
    double sum = 0;
    for (int x = model_max(1, (int)floor(from)); x < model_min(s->seen.w - 1, (int)ceil(to)); x++) {
        for (int y = 1; y < s->seen.h - 1; y++) {
            size_t at = (size_t)y * (size_t)s->seen.w + (size_t)x;
            sum += model_max(0, s->seen.px[at] - 2 * most_around(&s->drawn, x, y));
            sum += model_max(0, s->drawn.px[at] - 2 * most_around(&s->seen, x, y));
        }
    }
    return sum / 255;
}

/* How the letters of a line stand on their px. */
struct setting {
    const char *letters; /* beyond ASCII of its page */
    int lower;           /* px, than the baseline as measured */
    bool hinted;         /* heights are whole px */
};

static void set_in(struct sheet *s, const struct setting *setting)
{
    s->baseline += setting->lower;
    s->hinted = setting->hinted;
    s->letters = setting->letters;
}

/* The setting in which the line's longest word shows its ink best. */
static struct setting find_setting(const struct model_view *view, struct model_faces *faces,
                                   const struct glmv_scene_line *line)
{
    const struct glmv_scene_word *word = &line->words[0];
    for (size_t i = 1; i < line->word_count; i++) {
        word = strlen(line->words[i].text) > strlen(word->text) ? &line->words[i] : word;
    }
    struct setting best = {0};
    struct sheet s;
    if (!open_sheet(view, faces, line, word, &s)) {
        return best;
    }
    int baseline = s.baseline;
    double least = 1e9;
    for (int i = 0; i < 6; i++) {
        struct setting setting = {.lower = i / 2 - 1, .hinted = i % 2 == 1};
        s.baseline = baseline;
        set_in(&s, &setting);
        double d = draw(&s, word->text, NULL) ? difference(&s) : 1e9;
        if (d < least) {
            least = d;
            best = setting;
        }
    }
    close_sheet(&s);
    return best;
}

struct change {
    size_t at, len; /* bytes that go */
    char with[8];
    double gain;    /* px of ink by which the text differs less */
    double differs; /* by which it still does */
};

static bool substitute(const char *text, const struct change *c, char *out)
{
    size_t with = strlen(c->with);
    size_t len = strlen(text);
    if (len - c->len + with >= MOST_BYTES) {
        return false;
    }
    memcpy(out, text, c->at);
    memcpy(out + c->at, c->with, with);
    memcpy(out + c->at + with, text + c->at + c->len, len - c->at - c->len + 1);
    return true;
}

static bool is_of(const char *letters, const char *c)
{
    char one[8] = {0};
    memcpy(one, c, glmv_utf8_first(c));
    return strstr(letters, one) != NULL;
}

/* Whether a sign may stand where something else was read: letters are signs where they stand alone,
 * digits behind letters, dashes between numbers or before one. */
static bool may_be_sign(const char *text, size_t at, size_t len, const char *sign)
{
    bool first = at == 0;
    bool last = text[at + len] == '\0';
    unsigned char read = (unsigned char)text[at];
    unsigned char before = first ? ' ' : (unsigned char)text[at - 1];
    if (isdigit(read)) {
        return last && isalpha(before);
    }
    if (isalpha(read)) {
        return first && last;
    }
    if (read == '-' && !(first && last)) {
        return strncmp(sign, "–", 3) == 0   ? isdigit(before) != 0
               : strncmp(sign, "−", 3) == 0 ? first
                                            : false;
    }
    return true;
}

/* A place of a text: where it is in the sheet, and what of its ink the text leaves as it was read.
 */
struct spot {
    size_t at;       /* byte */
    double from, to; /* px */
    double left;     /* ink that is not explained */
    double off;      /* ink that differs */
    double natural;  /* px that the whole text is wide */
};

/* Tries what may stand at a spot. as_read: by how much the whole text differs, or less than 0 where
 * a letter only gains a mark: what the other letters do says nothing about that. */
static void try_all(struct sheet *s, const struct confusion *confusions, size_t count,
                    const char *text, const struct spot *spot, double as_read, struct change *best)
{
    double area = s->size * s->size;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(confusions[i].read);
        if (strncmp(text + spot->at, confusions[i].read, len) != 0) {
            continue;
        }
        for (const char *c = confusions[i].maybe; *c != '\0';) {
            size_t n = strcspn(c, " ");
            struct change change = {.at = spot->at, .len = len};
            char other[MOST_BYTES];
            memcpy(change.with, c, n);
            bool possible =
                confusions == signs ? may_be_sign(text, spot->at, len, c) : is_of(s->letters, c);
            if (possible && substitute(text, &change, other) && draw(s, other, NULL)) {
                change.differs = difference(s);
                change.gain = as_read - change.differs;
                bool fits = true;
                if (as_read < 0) {
                    change.gain =
                        spot->off - difference_in(s, (int)floor(spot->from), (int)ceil(spot->to));
                    /* Kerning that differs would move all letters, which says nothing of marks. */
                    bool moved = strchr("iIl", text[spot->at]) == NULL &&
                                 fabs(s->natural - spot->natural) > KERNED * s->size;
                    fits = !moved && unexplained(s, spot->from, spot->to) <=
                                         fmax(0.5 * spot->left, 0.5 * LEFT * area);
                }
                if (fits && change.gain > best->gain) {
                    *best = change;
                }
            }
            c += n + (c[n] == ' ');
        }
    }
}

/* The change of a text that shows its ink best; false where none does clearly. */
static bool find_change(struct sheet *s, const char *text, char *out)
{
    double places[MOST_BYTES + 1];
    struct spot spots[MOST_BYTES];
    double area = s->size * s->size;
    bool drawn = draw(s, text, places);
    size_t count = s->laid.count;
    if (!drawn && count > LONGEST_SIGN) {
        return false;
    }
    /* A sign that cannot be as wide as the ink differs by all of it. */
    double as_read = drawn ? difference(s) : difference_in(s, 1, s->seen.w - 1);
    for (size_t i = 0; i < count; i++) {
        struct spot *spot = &spots[i];
        *spot = (struct spot){.at = s->laid.glyphs[i].at,
                              .from = drawn ? places[i] - 0.5 : 1,
                              .to = drawn ? places[i + 1] + 0.5 : s->seen.w - 1};
        spot->natural = s->natural;
        spot->left = unexplained(s, spot->from, spot->to);
        spot->off = difference_in(s, (int)floor(spot->from), (int)ceil(spot->to));
    }
    struct change mark = {.gain = MARKED * area};
    struct change best = {.gain = fmax(MISTAKEN * area, CLEARLY * as_read)};
    for (size_t i = 0; i < count; i++) {
        if (drawn && (spots[i].left > LEFT * area || spots[i].off > OFF * area)) {
            try_all(s, marked, sizeof marked / sizeof marked[0], text, &spots[i], -1, &mark);
        }
        if (spots[i].off > OFF * area) {
            if (s->letters != common_letters) {
                try_all(s, mistaken, sizeof mistaken / sizeof mistaken[0], text, &spots[i], as_read,
                        &best);
            }
            try_all(s, signs, sizeof signs / sizeof signs[0], text, &spots[i], as_read, &best);
        }
    }
    if (best.len == 0 ||
        (best.differs > SHOWN * area * (double)count && best.gain < MOSTLY * as_read) ||
        best.gain < mark.gain) {
        best = mark;
    }
    return best.len > 0 && best.differs <= SHOWN_MARKED * area * (double)count &&
           substitute(text, &best, out);
}

static bool mend_word(const struct model_view *view, struct model_faces *faces,
                      const struct glmv_scene_line *line, const struct setting *setting,
                      struct glmv_scene_word *word)
{
    struct sheet s;
    char text[2][MOST_BYTES];
    if (strlen(word->text) >= MOST_BYTES || !open_sheet(view, faces, line, word, &s)) {
        return false;
    }
    strcpy(text[0], word->text);
    set_in(&s, setting);
    int changes = 0;
    while (changes < MOST_CHANGES && find_change(&s, text[changes % 2], text[(changes + 1) % 2])) {
        changes++;
    }
    close_sheet(&s);
    char *kept = changes > 0 ? strdup(text[changes % 2]) : NULL;
    if (kept != NULL) {
        free(word->text);
        word->text = kept;
    }
    return kept != NULL;
}

/* Puts a line's text together from its words. */
static bool tell_again(struct glmv_scene_line *line)
{
    size_t len = 1;
    for (size_t i = 0; i < line->word_count; i++) {
        len += strlen(line->words[i].text) + 1;
    }
    char *text = calloc(len, 1);
    for (size_t i = 0; text != NULL && i < line->word_count; i++) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, line->words[i].text);
    }
    if (text != NULL) {
        free(line->text);
        line->text = text;
    }
    return text != NULL;
}

bool model_letters_mend(const struct model_view *view, struct model_faces *faces,
                        struct glmv_scene *scene, model_refit_fn *refit, void *context)
{
    const struct model_language *language = model_language_find(scene->lang);
    bool ok = true;
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        if (line->on_picture || line->family == GLMV_FAMILY_MONO || model_has_cjk(line->text) ||
            line->rotation != 0) {
            continue;
        }
        struct setting setting = find_setting(view, faces, line);
        setting.letters = language != NULL ? language->letters : common_letters;
        bool changed = false;
        for (size_t k = 0; k < line->word_count; k++) {
            changed = mend_word(view, faces, line, &setting, &line->words[k]) || changed;
        }
        ok = !changed || tell_again(line);
        if (ok && changed) {
            refit(context, line);
        }
    }
    return ok;
}
