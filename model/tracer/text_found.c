/* Words that were read come back to their marks: their boxes, their colours, and what stands apart
 * at their beginning. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/text.h"

/* The commonest of the colours farthest from the background. */
static uint32_t ink_colour(const struct model_view *view, const int *marks, int count)
{
    int far = 0;
    for (int k = 0; k < count; k++) {
        far = model_max(far, view->marks[marks[k]].contrast);
    }
    uint32_t seen[64];
    int votes[64];
    int used = 0;
    for (int k = 0; k < count; k++) {
        const struct model_mark *m = &view->marks[marks[k]];
        for (int y = m->r.y0; y < m->r.y1; y++) {
            for (int x = m->r.x0; x < m->r.x1; x++) {
                const uint8_t *p = model_px(view, x, y);
                if (!model_is_ink(view, m, x, y) || model_distance(p, m->bg) * 100 < far * 94) {
                    continue;
                }
                uint32_t colour = model_rgba(p);
                int i = 0;
                while (i < used && seen[i] != colour) {
                    i++;
                }
                if (i < used) {
                    votes[i]++;
                } else if (used < 64) {
                    seen[used] = colour;
                    votes[used++] = 1;
                }
            }
        }
    }
    int best = 0;
    for (int i = 1; i < used; i++) {
        best = votes[i] > votes[best] ? i : best;
    }
    return used > 0 ? seen[best] : 0xff;
}

static int distance_to(const struct model_rect *r, int x)
{
    return x < r->x0 ? r->x0 - x : x > r->x1 ? x - r->x1 : 0;
}

/* The box and the colour of a word from its marks. */
static void measure_found(const struct model_view *view, struct model_found *f)
{
    f->r = f->count > 0 ? model_marks_around(view, f->marks, f->count) : f->word->r;
    f->colour = ink_colour(view, f->marks, f->count);
}

/* Boxes of words slip by a letter or two: a word without a mark takes the one nearest to it from a
 * neighbour. */
static void give_marks(const struct model_view *view, struct model_found *words, int count)
{
    for (int i = 0; i < count; i++) {
        struct model_found *from = NULL;
        int best = -1;
        int nearest = 0;
        int x = (words[i].word->r.x0 + words[i].word->r.x1) / 2;
        for (int side = -1; side <= 1 && words[i].count == 0; side += 2) {
            struct model_found *other = i + side >= 0 && i + side < count ? &words[i + side] : NULL;
            for (int k = 0; other != NULL && other->count > 1 && k < other->count; k++) {
                int d = distance_to(&view->marks[other->marks[k]].r, x);
                if (best < 0 || d < nearest) {
                    from = other;
                    best = k;
                    nearest = d;
                }
            }
        }
        if (from != NULL && nearest <= words[i].word->r.y1 - words[i].word->r.y0) {
            words[i].marks[words[i].count++] = from->marks[best];
            from->marks[best] = from->marks[--from->count];
        }
    }
}

void model_found_assign(const struct model_view *view, const struct model_row *row,
                        struct model_found *words, int count)
{
    for (int k = 0; k < row->count; k++) {
        const struct model_mark *m = &view->marks[row->marks[k]];
        int best = 0;
        for (int i = 1; i < count; i++) {
            int x = (m->r.x0 + m->r.x1) / 2;
            if (distance_to(&words[i].word->r, x) < distance_to(&words[best].word->r, x)) {
                best = i;
            }
        }
        words[best].marks[words[best].count++] = row->marks[k];
    }
    give_marks(view, words, count);
    for (int i = 0; i < count; i++) {
        measure_found(view, &words[i]);
    }
}

int model_found_split(const struct model_view *view, struct model_ocr_line *read,
                      struct model_found *words, int count)
{
    struct model_found *first = &words[0];
    const char *text = first->word->text;
    size_t letter = glmv_utf8_first(text);
    if (!model_has_cjk(text) || text[letter] == '\0' || first->count < 2) {
        return count;
    }
    int tall = first->r.y1 - first->r.y0;
    int edge = first->r.x0; /* right end of what begins the word */
    for (bool grown = true; grown;) {
        grown = false;
        for (int k = 0; k < first->count; k++) {
            const struct model_rect *r = &view->marks[first->marks[k]].r;
            if (r->x0 <= edge + model_max(1, tall / 8) && r->x1 > edge) {
                edge = r->x1;
                grown = true;
            }
        }
    }
    int next = first->r.x1;
    for (int k = 0; k < first->count; k++) {
        const struct model_rect *r = &view->marks[first->marks[k]].r;
        next = r->x0 >= edge ? model_min(next, r->x0) : next;
    }
    if (edge >= first->r.x1 || (next - edge) * 5 < tall || edge - first->r.x0 > tall * 3 / 2) {
        return count;
    }
    struct model_ocr_word *apart = &read->words[read->count];
    *apart = *first->word;
    apart->text = strndup(text, letter);
    if (apart->text == NULL) {
        return count;
    }
    read->count++;
    memmove((char *)text, text + letter, strlen(text + letter) + 1);
    memmove(&words[1], &words[0], (size_t)count * sizeof *words);
    struct model_found *rest = &words[1];
    words[0].word = apart;
    words[0].count = 0;
    words[0].marks = rest->marks + rest->count;
    int kept = 0;
    int *all = rest->marks;
    int moved = rest->count;
    for (int k = 0; k < moved; k++) { /* the marks of the icon move behind those of the rest */
        if (view->marks[all[k]].r.x0 >= edge) {
            int mark = all[k];
            all[k] = all[kept];
            all[kept++] = mark;
        }
    }
    words[0].marks = all + kept;
    words[0].count = moved - kept;
    rest->count = kept;
    measure_found(view, &words[0]);
    measure_found(view, rest);
    return count + 1;
}
