/* Scripts: Han characters and kana, and which language a page is read in. */
#include "model/tracer/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool model_has_cjk(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0xe3 && (unsigned char)*c <= 0xe9) {
            return true;
        }
    }
    return false;
}

bool model_has_alnum(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (isalnum((unsigned char)*c) || (unsigned char)*c >= 0xc3) {
            return true;
        }
    }
    return false;
}

/* Chinese and Japanese come back in scraps whose boxes slip: what stands close together is one
 * word. */
void model_text_join_scraps(struct model_ocr_line *line)
{
    int n = 0;
    for (int i = 0; i < line->count; i++) {
        struct model_ocr_word *word = &line->words[i];
        struct model_ocr_word *last = n > 0 ? &line->words[n - 1] : NULL;
        int tall = word->r.y1 - word->r.y0;
        bool both = last != NULL && model_has_cjk(word->text) && model_has_cjk(last->text);
        bool one = last != NULL && (model_has_cjk(word->text) || model_has_cjk(last->text));
        int gap = last != NULL ? word->r.x0 - last->r.x1 : 0;
        if (!(both && gap < tall) && !(one && gap * 10 < tall * 3)) {
            line->words[n++] = *word;
            continue;
        }
        size_t a = strlen(last->text);
        size_t b = strlen(word->text);
        char *joined = realloc(last->text, a + b + 1);
        if (joined == NULL) {
            line->words[n++] = *word;
            continue;
        }
        memcpy(joined + a, word->text, b + 1);
        last->text = joined;
        last->confidence =
            (last->confidence * (double)a + word->confidence * (double)b) / (double)(a + b);
        last->r.x0 = model_min(last->r.x0, word->r.x0);
        last->r.x1 = model_max(last->r.x1, word->r.x1);
        free(word->text);
    }
    line->count = n;
}

static bool is_doubtful(const struct model_text *text, int i)
{
    return text->lines[i].count > 0 && text->view->rows[i].count >= 4 &&
           text->lines[i].confidence < MODEL_DOUBTFUL - 10;
}

bool model_text_looks_cjk(const struct model_text *text)
{
    int doubtful = 0;
    int all = 0;
    for (int i = 0; i < text->count; i++) {
        const struct model_row *row = &text->view->rows[i];
        if (text->lines[i].count > 0 && row->count >= 6) {
            all++;
            doubtful += text->lines[i].confidence < MODEL_DOUBTFUL - 10;
        }
    }
    return doubtful >= 2 && doubtful * 8 >= all;
}

/* What a language makes of the doubtful rows. */
struct trial {
    double sure; /* letters of the script, weighted by confidence */
    int letters;
    int kana;
};

static void count_letters(const struct model_ocr_line *line, struct trial *trial)
{
    for (int i = 0; i < line->count; i++) {
        for (const char *c = line->words[i].text; *c != '\0'; c++) {
            unsigned char a = (unsigned char)c[0];
            unsigned char b = a >= 0xe3 && a <= 0xe9 ? (unsigned char)c[1] : 0;
            bool kana = model_is_kana(c);
            if (b != 0 && (kana || a > 0xe3)) {
                trial->letters++;
                trial->kana += kana;
                trial->sure += line->words[i].confidence / 100;
            }
        }
    }
}

/* Reads some of the doubtful rows, all over the page: many pages repeat one row. */
static struct trial try_language(const struct model_text *text, struct model_ocr *ocr)
{
    enum { TRIES = 16 };
    struct model_reading reading = {.view = text->view, .ocr = ocr, .again = true};
    struct trial trial = {0};
    int doubtful = 0;
    for (int i = 0; i < text->count; i++) {
        doubtful += is_doubtful(text, i);
    }
    reading.lines = calloc((size_t)text->count + 1, sizeof *reading.lines);
    int step = doubtful / TRIES + 1;
    int seen = 0;
    for (int i = 0; reading.lines != NULL && i < text->count; i++) {
        if (!is_doubtful(text, i) || seen++ % step != 0) {
            continue;
        }
        model_text_read_row(&reading, i, 0);
        if (reading.lines[i].count > 0) {
            count_letters(&reading.lines[i], &trial);
        }
        model_ocr_line_release(&reading.lines[i]);
    }
    free(reading.lines);
    return trial;
}

struct model_ocr *model_text_choose(const struct model_text *text, const char *const *langs,
                                    int count, int *chosen)
{
    struct model_ocr *best = NULL;
    double best_score = 0;
    *chosen = -1;
    for (int i = 0; i < count; i++) {
        struct model_ocr *ocr = model_ocr_open(langs[i], 1, NULL);
        struct trial trial = {0};
        if (ocr != NULL) {
            trial = try_language(text, ocr);
        }
        /* Without kana it is not Japanese, whatever its reader makes of the characters. */
        bool japanese = strcmp(langs[i], "jpn") == 0;
        bool fits = !japanese || trial.kana * 10 >= trial.letters;
        double score = fits ? trial.sure : 0.5 * trial.sure;
        if (trial.letters > 0 && trial.sure >= 0.5 * trial.letters && score > best_score) {
            model_ocr_close(best);
            best = ocr;
            best_score = score;
            *chosen = i;
        } else {
            model_ocr_close(ocr);
        }
    }
    return best;
}
