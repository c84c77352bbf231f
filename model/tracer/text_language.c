/* Which language of Latin letters a page is in, told by its commonest words: they are read well
 * even where the letters with accents are not. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "model/tracer/text.h"

/* words: as English data reads them, without accents; none is a common one of another language of
 * the table or of English. */
static const struct model_language languages[] = {
    {"de", "German", "deu", "äöüßÄÖÜé",
     " und der das ist nicht mit von auf ein eine wir sie den dem des zur zum wie oder auch einen "
     "einem werden wird sind bei nach aus ich mein "},
    {"fr", "French", "fra", "àâäçéèêëîïôöùûüœæÀÂÇÉÈÊËÎÔŒ",
     " les des une est pour dans vous nous avec sur du et votre notre aux ce cette ou qui sont par "
     "pas plus chez "},
    {"es", "Spanish", "spa", "áéíóúüñ¿¡ÁÉÍÓÚÑ",
     " los las una del por con para el en y tu sus su como mas este esta desde "},
    {"pt", "Portuguese", "por", "áâãàçéêíóôõúÁÂÃÀÇÉÊÍÓÔÕÚ",
     " dos das uma para com os em da do na no um sua seu ao mais nao voce "},
    {"it", "Italian", "ita", "àèéìòùÀÈÉÌÒÙ",
     " gli della del che per una con sono di il nel dei alla piu anche "},
    {"nl", "Dutch", "nld", "éëïöüáèÉ", " het een van voor met zijn niet wij aan ook naar bij uit "},
    {"sv", "Swedish", "swe", "åäöéÅÄÖ",
     " och att det som av till vi ett inte den med har kan du om oss "},
    {"da", "Danish", "dan", "æøåéÆØÅ", " og det er til af en ikke jeg med som kan har vi den os "},
    {"pl", "Polish", "pol", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ",
     " jest nie oraz dla sie na w z lub jak przez albo to do ze po od sa czy tylko rowniez "
     "wszystkie prosze mozesz "},
};

/* Whether a list has a word; both are of small letters. */
static bool has_word(const char *list, const char *word)
{
    char framed[40];
    return strlen(word) < sizeof framed - 3 && snprintf(framed, sizeof framed, " %s ", word) > 0 &&
           strstr(list, framed) != NULL;
}

const struct model_language *model_language_find(const char *code)
{
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        if (strcmp(languages[i].code, code) == 0) {
            return &languages[i];
        }
    }
    return NULL;
}

const struct model_language *model_text_language(const struct model_text *text)
{
    enum { COUNT = sizeof languages / sizeof languages[0], LEAST = 4, SHARE = 12 };
    static const char english[] = " the and of to in is for with you that this are your from at "
                                  "be it or by an as on not ";
    int hits[COUNT] = {0};
    int own = 0;
    int words = 0;
    for (int i = 0; i < text->count; i++) {
        for (int k = 0; k < text->lines[i].count; k++) {
            char word[24];
            size_t n = 0;
            const char *c = text->lines[i].words[k].text;
            for (; *c != '\0' && n + 1 < sizeof word; c++) {
                word[n] = (char)tolower((unsigned char)*c);
                n += *c != ',' && *c != '.';
            }
            word[n] = '\0';
            words++;
            own += has_word(english, word);
            for (int l = 0; l < COUNT; l++) {
                hits[l] += has_word(languages[l].words, word);
            }
        }
    }
    int best = 0;
    int second = -1;
    for (int l = 1; l < COUNT; l++) {
        best = hits[l] > hits[best] ? l : best;
    }
    for (int l = 0; l < COUNT; l++) {
        second = l != best && hits[l] > second ? hits[l] : second;
    }
    bool clear = hits[best] >= LEAST && hits[best] * SHARE >= words && hits[best] > 2 * own &&
                 hits[best] > second;
    return clear ? &languages[best] : NULL;
}
