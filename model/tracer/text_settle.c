/* Which of two readings of one place counts. */
#include <ctype.h>
#include <string.h>

#include "model/tracer/text.h"

enum { SURE_ON_PHOTO = 70 };

static bool lies_in(const struct model_rect *inner, const struct model_rect *outer)
{
    int x = (inner->x0 + inner->x1) / 2;
    int y = (inner->y0 + inner->y1) / 2;
    return x >= outer->x0 && x < outer->x1 && y >= outer->y0 && y < outer->y1;
}

/* Where a photo is even, its text is found twice: the reading on the surface counts if it is sure
 * and no shorter. */
static bool is_read_better(const struct model_text *text, int row)
{
    const struct model_rect *r = &text->view->rows[row].r;
    for (int i = 0; i < text->count; i++) {
        const struct model_rect *o = &text->view->rows[i].r;
        if (i != row && text->view->rows[i].surface >= 0 && text->lines[i].count > 0 &&
            text->lines[i].confidence >= SURE_ON_PHOTO && lies_in(r, o) &&
            o->x1 - o->x0 >= (r->x1 - r->x0) * 9 / 10) {
            return true;
        }
    }
    return false;
}

/* Between light letters lies something like dark ones, and the other way round. */
static bool is_other_side(const struct model_text *text, int row)
{
    for (int i = 0; i < text->count; i++) {
        if (i != row && text->view->rows[i].surface < 0 && text->lines[i].count > 0 &&
            text->lines[i].confidence > text->lines[row].confidence &&
            lies_in(&text->view->rows[row].r, &text->view->rows[i].r)) {
            return true;
        }
    }
    return false;
}

/* Leaves and stones are read with little confidence, or as a sign or two. */
static bool is_text_on_photo(const struct model_ocr_line *line)
{
    int letters = 0;
    for (int i = 0; i < line->count; i++) {
        for (const char *c = line->words[i].text; *c != '\0'; c++) {
            letters += isalnum((unsigned char)*c) || (unsigned char)*c >= 0xc0;
        }
    }
    return letters >= 3 && line->confidence >= SURE_ON_PHOTO;
}

static void forget_row(struct model_text *text, int i)
{
    model_ocr_line_release(&text->lines[i]);
}

static bool is_inside(const struct model_rect *r, const struct model_rect *o)
{
    return r->x0 > o->x0 && r->x1 < o->x1 && r->y0 > o->y0 && r->y1 < o->y1;
}

/* Whether a row is read inside of another one, on a surface of its own. */
static bool is_read_inside(const struct model_text *text, int inner, int outer)
{
    enum { SURE_INSIDE = 80 };
    const struct model_row *row = &text->view->rows[inner];
    const struct model_ocr_line *line = &text->lines[inner];
    return inner != outer && line->count > 0 && line->confidence >= SURE_INSIDE &&
           row->surface >= 0 && model_has_alnum(line->words[0].text) &&
           is_inside(&row->r, &text->view->rows[outer].r);
}

/* Whether a row says something beside what is read inside of it: a sentence with code in a box. */
static bool has_own_words(const struct model_text *text, int row)
{
    enum { SURE_OWN = 60 };
    const struct model_ocr_line *line = &text->lines[row];
    for (int i = 0; i < line->count; i++) {
        const struct model_ocr_word *word = &line->words[i];
        bool own = word->confidence >= SURE_OWN && model_has_alnum(word->text);
        for (int k = 0; own && k < text->count; k++) {
            const struct model_rect *r = &text->view->rows[k].r;
            own = !is_read_inside(text, k, row) || r->x0 >= word->r.x1 || r->x1 <= word->r.x0;
        }
        if (own) {
            return true;
        }
    }
    return false;
}

/* Whether a row is an outline that holds texts, such as that of the cells of a bar of pages. The
 * holes of letters may pass for a letter or two. */
static bool is_outline(const struct model_text *text, int i)
{
    enum { WORD = 3 };
    const struct model_row *row = &text->view->rows[i];
    int words = 0;
    int letters = 0;
    int wide = 0;
    for (int k = 0; row->surface >= 0 && k < text->count; k++) {
        if (is_read_inside(text, k, i)) {
            const struct model_rect *r = &text->view->rows[k].r;
            words += strlen(text->lines[k].words[0].text) >= WORD;
            letters++;
            wide += r->x1 - r->x0;
        }
    }
    bool doubtful = text->lines[i].confidence < MODEL_DOUBTFUL;
    return (words > 0 || (letters > 1 && doubtful)) && wide * 7 >= row->r.x1 - row->r.x0 &&
           !has_own_words(text, i);
}

/* Outlines that hold texts are no letters. */
static void settle_outlines(struct model_text *text)
{
    for (int i = 0; i < text->count; i++) {
        if (text->lines[i].count > 0 && is_outline(text, i)) {
            forget_row(text, i);
        }
    }
}

/* Whether a third of a rectangle or its middle lies in another one. */
static bool reaches_into(const struct model_rect *r, const struct model_rect *o)
{
    int w = model_min(r->x1, o->x1) - model_max(r->x0, o->x0);
    int h = model_min(r->y1, o->y1) - model_max(r->y0, o->y0);
    return lies_in(r, o) || (w > 0 && h > 0 && w * h * 3 >= (r->x1 - r->x0) * (r->y1 - r->y0));
}

/* Of two readings of one text on a photo one is forgotten. */
static void settle_photos(struct model_text *text)
{
    for (int i = 0; i < text->count; i++) {
        if (text->view->rows[i].surface >= 0 || text->lines[i].count == 0) {
            continue;
        }
        if (!is_text_on_photo(&text->lines[i]) || is_read_better(text, i) ||
            is_other_side(text, i)) {
            forget_row(text, i);
            continue;
        }
        for (int k = 0; k < text->count; k++) {
            if (text->view->rows[k].surface >= 0 && text->lines[k].count > 0 &&
                reaches_into(&text->view->rows[k].r, &text->view->rows[i].r)) {
                forget_row(text, k);
            }
        }
    }
}

void model_text_settle(struct model_text *text)
{
    settle_photos(text);
    settle_outlines(text);
}
