/*
 * Tesseract behind a small door. The library is opened only when text has to be read, so that other
 * commands start without it, and after OMP_THREAD_LIMIT is set: its loops would otherwise start a
 * team of OpenMP threads in every one of ours and spin.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tesseract/capi.h>

#include "model/tracer/perception.h"

enum { MAX_READERS = 8, MAX_WORDS = 400 };

struct library {
    TessBaseAPI *(*create)(void);
    void (*delete)(TessBaseAPI *);
    int (*init)(TessBaseAPI *, const char *, const char *, TessOcrEngineMode);
    BOOL (*set_variable)(TessBaseAPI *, const char *, const char *);
    void (*set_mode)(TessBaseAPI *, TessPageSegMode);
    void (*set_image)(TessBaseAPI *, const unsigned char *, int, int, int, int);
    void (*set_resolution)(TessBaseAPI *, int);
    int (*recognize)(TessBaseAPI *, ETEXT_DESC *);
    TessResultIterator *(*iterator)(TessBaseAPI *);
    void (*iterator_delete)(TessResultIterator *);
    const TessPageIterator *(*page_iterator)(const TessResultIterator *);
    BOOL (*next)(TessResultIterator *, TessPageIteratorLevel);
    char *(*text)(const TessResultIterator *, TessPageIteratorLevel);
    float (*confidence)(const TessResultIterator *, TessPageIteratorLevel);
    BOOL (*box)(const TessPageIterator *, TessPageIteratorLevel, int *, int *, int *, int *);
    void (*delete_text)(const char *);
};

struct model_ocr {
    void *handle;
    struct library lib;
    char lang[64];
    char data[512];                /* folder of the language data; empty: the library's own */
    TessBaseAPI *api[MAX_READERS]; /* made by the thread that uses it */
    bool failed[MAX_READERS];
};

static const char *const data_folders[] = {
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
};

static bool has_data(const char *folder, const char *lang)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s.traineddata", folder, lang);
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        fclose(file);
    }
    return file != NULL;
}

static bool find_data(struct model_ocr *ocr, const char *lang)
{
    const char *set = getenv("TESSDATA_PREFIX");
    if (set != NULL && has_data(set, lang)) {
        snprintf(ocr->data, sizeof ocr->data, "%s", set);
        return true;
    }
    for (size_t i = 0; set == NULL && i < sizeof data_folders / sizeof data_folders[0]; i++) {
        if (has_data(data_folders[i], lang)) {
            snprintf(ocr->data, sizeof ocr->data, "%s", data_folders[i]);
            return true;
        }
    }
    return false;
}

bool model_ocr_has(const struct model_ocr *ocr, const char *lang)
{
    return has_data(ocr->data, lang);
}

/* Every part of "eng+jpn" needs its data. */
static bool check_languages(struct model_ocr *ocr, struct glmv_err *err)
{
    char copy[sizeof ocr->lang];
    snprintf(copy, sizeof copy, "%s", ocr->lang);
    char *rest = NULL;
    for (char *lang = strtok_r(copy, "+", &rest); lang != NULL; lang = strtok_r(NULL, "+", &rest)) {
        bool found = ocr->data[0] != '\0' ? has_data(ocr->data, lang) : find_data(ocr, lang);
        if (found) {
            continue;
        }
        char package[64];
        snprintf(package, sizeof package, "tesseract-ocr-%.40s", lang);
        for (char *c = package; *c != '\0'; c++) {
            *c = *c == '_' ? '-' : *c;
        }
        return glmv_fail(err, GLMV_ERR_MISSING,
                         "no OCR data for '%s': install it (apt install %s) or name its folder in "
                         "TESSDATA_PREFIX",
                         lang, package);
    }
    return true;
}

static bool load(struct model_ocr *ocr, struct glmv_err *err)
{
    struct {
        void **to;
        const char *name;
    } symbols[] = {
        {(void **)&ocr->lib.create, "TessBaseAPICreate"},
        {(void **)&ocr->lib.delete, "TessBaseAPIDelete"},
        {(void **)&ocr->lib.init, "TessBaseAPIInit2"},
        {(void **)&ocr->lib.set_variable, "TessBaseAPISetVariable"},
        {(void **)&ocr->lib.set_mode, "TessBaseAPISetPageSegMode"},
        {(void **)&ocr->lib.set_image, "TessBaseAPISetImage"},
        {(void **)&ocr->lib.set_resolution, "TessBaseAPISetSourceResolution"},
        {(void **)&ocr->lib.recognize, "TessBaseAPIRecognize"},
        {(void **)&ocr->lib.iterator, "TessBaseAPIGetIterator"},
        {(void **)&ocr->lib.iterator_delete, "TessResultIteratorDelete"},
        {(void **)&ocr->lib.page_iterator, "TessResultIteratorGetPageIteratorConst"},
        {(void **)&ocr->lib.next, "TessResultIteratorNext"},
        {(void **)&ocr->lib.text, "TessResultIteratorGetUTF8Text"},
        {(void **)&ocr->lib.confidence, "TessResultIteratorConfidence"},
        {(void **)&ocr->lib.box, "TessPageIteratorBoundingBox"},
        {(void **)&ocr->lib.delete_text, "TessDeleteText"},
    };
    setenv("OMP_THREAD_LIMIT", "1", 1);
    ocr->handle = dlopen("libtesseract.so.5", RTLD_NOW | RTLD_LOCAL);
    if (ocr->handle == NULL) {
        return glmv_fail(
            err, GLMV_ERR_MISSING,
            "the OCR library libtesseract.so.5 cannot be opened: apt install libtesseract5 "
            "tesseract-ocr-eng");
    }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        *symbols[i].to = dlsym(ocr->handle, symbols[i].name);
        if (*symbols[i].to == NULL) {
            return glmv_fail(err, GLMV_ERR_UNSUPPORTED, "libtesseract.so.5 has no %s",
                             symbols[i].name);
        }
    }
    return true;
}

struct model_ocr *model_ocr_open(const char *lang, int threads, struct glmv_err *err)
{
    (void)threads;
    struct model_ocr *ocr = calloc(1, sizeof *ocr);
    if (ocr == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    snprintf(ocr->lang, sizeof ocr->lang, "%s", lang);
    if (!load(ocr, err) || !check_languages(ocr, err)) {
        model_ocr_close(ocr);
        return NULL;
    }
    return ocr;
}

void model_ocr_close(struct model_ocr *ocr)
{
    if (ocr == NULL) {
        return;
    }
    for (int i = 0; i < MAX_READERS; i++) {
        if (ocr->api[i] != NULL) {
            ocr->lib.delete(ocr->api[i]);
        }
    }
    /* The library stays loaded: its OpenMP run time cannot be unloaded safely. */
    free(ocr);
}

static TessBaseAPI *reader(struct model_ocr *ocr, int worker)
{
    if (ocr->api[worker] != NULL || ocr->failed[worker]) {
        return ocr->api[worker];
    }
    TessBaseAPI *api = ocr->lib.create();
    if (api == NULL || ocr->lib.init(api, ocr->data, ocr->lang, OEM_LSTM_ONLY) != 0) {
        ocr->failed[worker] = true;
        if (api != NULL) {
            ocr->lib.delete(api);
        }
        return NULL;
    }
    ocr->lib.set_variable(api, "tessedit_do_invert", "0");
    ocr->lib.set_variable(api, "debug_file", "/dev/null");
    ocr->api[worker] = api;
    return api;
}

static bool take_words(struct model_ocr *ocr, TessResultIterator *it, struct model_ocr_line *out)
{
    const TessPageIterator *page = ocr->lib.page_iterator(it);
    double weight = 0;
    do {
        char *text = ocr->lib.text(it, RIL_WORD);
        struct model_rect r;
        if (text == NULL) {
            continue;
        }
        if (text[0] != '\0' && strcmp(text, " ") != 0 && out->count < MAX_WORDS &&
            ocr->lib.box(page, RIL_WORD, &r.x0, &r.y0, &r.x1, &r.y1)) {
            struct model_ocr_word *word = &out->words[out->count];
            word->text = strdup(text);
            word->r = r;
            word->confidence = (double)ocr->lib.confidence(it, RIL_WORD);
            if (word->text != NULL) {
                out->count++;
                out->confidence += word->confidence * (double)strlen(text);
                weight += (double)strlen(text);
            }
        }
        ocr->lib.delete_text(text);
    } while (ocr->lib.next(it, RIL_WORD));
    out->confidence = weight > 0 ? out->confidence / weight : 0;
    return out->count > 0;
}

bool model_ocr_read(struct model_ocr *ocr, int worker, const uint8_t *grey, int w, int h, int mode,
                    struct model_ocr_line *out)
{
    *out = (struct model_ocr_line){0};
    TessBaseAPI *api = reader(ocr, worker);
    if (api == NULL) {
        return false;
    }
    out->words = calloc(MAX_WORDS + 1, sizeof *out->words); /* one more for a word that is split */
    if (out->words == NULL) {
        return false;
    }
    ocr->lib.set_mode(api, (TessPageSegMode)mode);
    ocr->lib.set_image(api, grey, w, h, 1, w);
    ocr->lib.set_resolution(api, 150);
    bool found = false;
    if (ocr->lib.recognize(api, NULL) == 0) {
        TessResultIterator *it = ocr->lib.iterator(api);
        if (it != NULL) {
            found = take_words(ocr, it, out);
            ocr->lib.iterator_delete(it);
        }
    }
    if (!found) {
        model_ocr_line_release(out);
    }
    return found;
}

void model_ocr_line_release(struct model_ocr_line *line)
{
    for (int i = 0; i < line->count; i++) {
        free(line->words[i].text);
    }
    free(line->words);
    *line = (struct model_ocr_line){0};
}
