/* What reading rows, telling scripts and making words share. Private to model/tracer/text*.c. */
#ifndef GLMV_MODEL_TRACER_TEXT_H
#define GLMV_MODEL_TRACER_TEXT_H

#include "model/tracer/perception.h"

enum {
    MODEL_DOUBTFUL = 80, /* confidence below which a line is read again */
    MODEL_CERTAIN = 100, /* of words that were read letter by letter */
};

struct model_reading {
    struct model_view *view;
    struct model_ocr *ocr;
    bool again; /* a second language: only doubtful lines, kept where it is surer */
    struct model_ocr_line *lines; /* of each row, boxes in px of the page */
};

/* A word of the row with its marks. */
struct model_found {
    const struct model_ocr_word *word;
    int *marks;
    int count;
    struct model_rect r;
    uint32_t colour;
    bool apart; /* an icon stands between the word before and this one */
};

/* Gives the marks of a row to its words, whose marks have room for all of them, and measures these.
 */
void model_found_assign(const struct model_view *view, const struct model_row *row,
                        struct model_found *words, int count);
/* Where a Han word begins with something that stands apart, that may be an icon: it becomes a word
 * of its own. The new word is the last of read. Returns how many words there are. */
int model_found_split(const struct model_view *view, struct model_ocr_line *read,
                      struct model_found *words, int count);
/* The ink of a row as 0..255 into a buffer of its box. */
void model_text_draw_ink(const struct model_view *view, const struct model_row *row, uint8_t *ink);
/* A job of model_parallel: reads row i. context is a struct model_reading. */
void model_text_read_row(void *context, int i, int worker);
/* Of rows that lie in one another one is forgotten. */
void model_text_settle(struct model_text *text);
/* Whether a character is kana. */
static inline bool model_is_kana(const char *c)
{
    return (unsigned char)c[0] == 0xe3 && (unsigned char)c[1] >= 0x81 &&
           (unsigned char)c[1] <= 0x83;
}
/* Whether a text holds Han characters or kana; a letter or a digit of any script. */
bool model_has_cjk(const char *text);
bool model_has_alnum(const char *text);
/* Chinese and Japanese come back in scraps whose boxes slip: what stands close together becomes one
 * word. */
void model_text_join_scraps(struct model_ocr_line *line);
/* Joins the scene's lines of these scripts that only a stop's blank parts. */
bool model_text_join_lines(struct glmv_scene *scene);
/* Gives lines whose colour hardly any px shows in full the one of others that explains it. */
bool model_text_agree_colors(const struct model_view *view, struct glmv_scene *scene,
                             struct glmv_err *err);

/* Whether no space ever stands between two pieces of text: one ends in a sign as wide as Han
 * characters, or begins with one. */
bool model_text_runs_on(const char *before, const char *after);
/* Whether a text has Han characters and no Latin letter or digit. */
bool model_text_is_all_han(const char *text);
/* Joins words of a line in Chinese or Japanese between which the ink leaves no space, and parts
 * those in which it leaves one between a Han character and a Latin letter or digit. */
bool model_text_break_scripts(const struct model_view *view, struct glmv_scene_line *line,
                              struct glmv_err *err);

#endif
