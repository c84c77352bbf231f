/* Stencils: letters drawn in their cells, and laid over the ink of a row. */
#include "model/tracer/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RISE 0.98 /* em above the baseline that letters and brackets reach */
#define FALL 0.32
#define SAID 0.5    /* of what a face lacks in likeness, what an earlier reading is worth */
#define STRANGE 0.6 /* likeness below which faint ink is that of a neighbour */
#define TWIN 0.96   /* likeness of two letters that were seen, where one was misread */

enum {
    EMPTY = 60,  /* root of the sum of squares of levels that no letter stays below */
    FAINT = 420, /* that most letters stay above */
    OFTEN = 2,   /* times that a letter was seen before it counts */
    LARGEST = 4096,
};

static size_t place(const struct model_stencils *s, int phase, int letter)
{
    return ((size_t)phase * MODEL_STENCIL_CHARS + (size_t)letter) * (size_t)s->columns *
           (size_t)(s->rise + s->fall);
}

/* Columns of a cell that begins a phase after a px. */
static int columns_of(const struct model_stencils *s, int phase)
{
    return (int)ceil((double)phase / MODEL_STENCIL_PHASES + s->pitch - 0.05);
}

static double norm_of(const uint8_t *ink, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)ink[i] * ink[i];
    }
    return sqrt(sum);
}

bool model_stencils_draw(struct model_stencils *stencils, struct model_faces *faces,
                         struct model_face *face, double pitch)
{
    struct model_measure m = {0};
    *stencils = (struct model_stencils){.pitch = pitch};
    if (!model_face_measure(face, "x", &m) || m.advance <= 0) {
        return false;
    }
    double size = pitch / m.advance;
    stencils->rise = (int)ceil(RISE * size);
    stencils->fall = (int)ceil(FALL * size);
    stencils->columns = (int)ceil(pitch) + 1;
    size_t cell = (size_t)stencils->columns * (size_t)(stencils->rise + stencils->fall);
    size_t count = (size_t)MODEL_STENCIL_PHASES * MODEL_STENCIL_CHARS;
    stencils->ink = calloc(count, cell);
    stencils->norm = calloc(count, sizeof *stencils->norm);
    stencils->seen = calloc(MODEL_STENCIL_CHARS * cell, sizeof *stencils->seen);
    stencils->sight = calloc(MODEL_STENCIL_CHARS, sizeof *stencils->sight);
    stencils->count = calloc(MODEL_STENCIL_CHARS, sizeof *stencils->count);
    if (cell > LARGEST || stencils->ink == NULL || stencils->norm == NULL ||
        stencils->seen == NULL || stencils->sight == NULL || stencils->count == NULL) {
        model_stencils_release(stencils);
        return false;
    }
    for (int phase = 0; phase < MODEL_STENCIL_PHASES; phase++) {
        double x = (double)phase / MODEL_STENCIL_PHASES;
        for (int i = 1; i < MODEL_STENCIL_CHARS; i++) {
            uint8_t *to = stencils->ink + place(stencils, phase, i);
            struct model_ink ink = {to, stencils->columns, stencils->rise + stencils->fall};
            if (model_face_draw_letter(faces, face, (uint32_t)(' ' + i), size, x, stencils->rise,
                                       &ink)) {
                stencils->norm[phase * MODEL_STENCIL_CHARS + i] = norm_of(to, cell);
            }
        }
    }
    return true;
}

void model_stencils_release(struct model_stencils *stencils)
{
    free(stencils->ink);
    free(stencils->norm);
    free(stencils->seen);
    free(stencils->sight);
    free(stencils->count);
    *stencils = (struct model_stencils){0};
}

static int cell_size(const struct model_stencils *s)
{
    return s->columns * (s->rise + s->fall);
}

static double level(const struct model_strip *strip, int x, int y)
{
    bool inside = x >= 0 && x < strip->w && y >= 0 && y < strip->h;
    return inside ? strip->ink[(size_t)y * (size_t)strip->w + (size_t)x] : 0;
}

/* Copies a cell out of a strip; px outside of it are empty. Returns its phase. */
static int take_cell(const struct model_stencils *s, const struct model_strip *strip, int k,
                     uint8_t *cell)
{
    /* Browsers draw a letter at the nearest quarter of a px. */
    double left = strip->x + k * s->pitch + 0.5 / MODEL_STENCIL_PHASES;
    int x = (int)floor(left);
    int phase = (int)((left - x) * MODEL_STENCIL_PHASES);
    int columns = columns_of(s, phase);
    for (int y = 0; y < s->rise + s->fall; y++) {
        for (int c = 0; c < s->columns; c++) {
            int sy = strip->baseline - s->rise + y;
            cell[y * s->columns + c] = c < columns ? (uint8_t)level(strip, x + c, sy) : 0;
        }
    }
    return phase;
}

/* The same moved to whole px, so that cells of all phases can be compared. */
static double move_cell(const struct model_stencils *s, const struct model_strip *strip, int k,
                        float *cell)
{
    double left = strip->x + k * s->pitch;
    int x = (int)floor(left);
    double part = left - x;
    double sum = 0;
    for (int y = 0; y < s->rise + s->fall; y++) {
        for (int c = 0; c < s->columns; c++) {
            int sy = strip->baseline - s->rise + y;
            double v = (1 - part) * level(strip, x + c, sy) + part * level(strip, x + c + 1, sy);
            double inside = fmax(0, fmin(1, s->pitch - c)); /* of the last column only a part */
            cell[y * s->columns + c] = (float)(v * inside);
            sum += v * inside * v * inside;
        }
    }
    return sqrt(sum);
}

void model_stencils_forget(struct model_stencils *stencils)
{
    size_t cell = (size_t)cell_size(stencils);
    memset(stencils->seen, 0, MODEL_STENCIL_CHARS * cell * sizeof *stencils->seen);
    memset(stencils->sight, 0, MODEL_STENCIL_CHARS * sizeof *stencils->sight);
    memset(stencils->count, 0, MODEL_STENCIL_CHARS * sizeof *stencils->count);
}

void model_stencils_add(struct model_stencils *stencils, const struct model_strip *strip, int k,
                        char letter)
{
    float cell[LARGEST];
    int i = letter - ' ';
    double norm = move_cell(stencils, strip, k, cell);
    if (i < 1 || i >= MODEL_STENCIL_CHARS || norm < EMPTY) {
        return;
    }
    float *to = stencils->seen + (size_t)i * (size_t)cell_size(stencils);
    for (int p = 0; p < cell_size(stencils); p++) {
        to[p] += cell[p] / (float)norm;
    }
    stencils->count[i]++;
}

static double product(const float *a, const float *b, int count)
{
    double sum = 0;
    for (int p = 0; p < count; p++) {
        sum += (double)(a[p] * b[p]);
    }
    return sum;
}

/* How much the letter that was seen looks like one of the face. */
static double like_drawn(const struct model_stencils *s, int seen, int letter)
{
    double norm = s->norm[letter];
    const uint8_t *ink = s->ink + place(s, 0, letter);
    const float *mean = s->seen + (size_t)seen * (size_t)cell_size(s);
    double sum = 0;
    for (int p = 0; norm > 0 && p < cell_size(s); p++) {
        sum += (double)mean[p] * ink[p];
    }
    return norm > 0 ? sum / (norm * s->sight[seen]) : 0;
}

/* Of two letters that look the same one was a misreading: the one that the face has another shape
 * for, or the rarer one. */
static bool is_misread(const struct model_stencils *s, int i, int k)
{
    int cell = cell_size(s);
    double alike =
        product(s->seen + (size_t)i * (size_t)cell, s->seen + (size_t)k * (size_t)cell, cell) /
        (s->sight[i] * s->sight[k]);
    if (alike < TWIN) {
        return false;
    }
    double own = like_drawn(s, i, i) + like_drawn(s, k, i);
    double other = like_drawn(s, i, k) + like_drawn(s, k, k);
    return fabs(own - other) > 0.04 ? own < other : s->count[i] < s->count[k];
}

void model_stencils_close(struct model_stencils *stencils)
{
    int cell = cell_size(stencils);
    for (int i = 0; i < MODEL_STENCIL_CHARS; i++) {
        const float *own = stencils->seen + (size_t)i * (size_t)cell;
        stencils->sight[i] = stencils->count[i] >= OFTEN ? sqrt(product(own, own, cell)) : 0;
    }
    for (int i = 0; i < MODEL_STENCIL_CHARS; i++) {
        for (int k = 0; k < MODEL_STENCIL_CHARS && stencils->sight[i] > 0; k++) {
            if (k != i && stencils->sight[k] > 0 && is_misread(stencils, i, k)) {
                stencils->sight[i] = 0;
            }
        }
    }
}

static double like_face(const struct model_stencils *s, int phase, const uint8_t *cell, double norm,
                        int letter)
{
    double other = s->norm[phase * MODEL_STENCIL_CHARS + letter];
    const uint8_t *ink = s->ink + place(s, phase, letter);
    uint32_t sum = 0;
    for (int p = 0; other > 0 && p < cell_size(s); p++) {
        sum += (uint32_t)ink[p] * cell[p];
    }
    return other > 0 ? sum / (norm * other) : 0;
}

char model_stencils_match(const struct model_stencils *stencils, const struct model_strip *strip,
                          int k, char said, double *likeness)
{
    uint8_t cell[LARGEST];
    float moved[LARGEST];
    int size = cell_size(stencils);
    int phase = take_cell(stencils, strip, k, cell);
    double norm = norm_of(cell, (size_t)size);
    double moved_norm = move_cell(stencils, strip, k, moved);
    *likeness = 1;
    if (norm < EMPTY || moved_norm < EMPTY) {
        return ' ';
    }
    char best = ' ';
    double top = 0;
    *likeness = 0;
    for (int i = 1; i < MODEL_STENCIL_CHARS; i++) {
        double like = stencils->sight[i] > 0
                          ? product(stencils->seen + (size_t)i * (size_t)size, moved, size) /
                                (stencils->sight[i] * moved_norm)
                          : like_face(stencils, phase, cell, norm, i);
        double score = like + (' ' + i == said ? SAID * (1 - stencils->like) : 0);
        if (score > top) {
            top = score;
            best = (char)(' ' + i);
            *likeness = like;
        }
    }
    return *likeness < STRANGE && norm < FAINT ? ' ' : best;
}

static void blur(const uint8_t *from, int columns, int rows, float *to)
{
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            int sum = 0;
            for (int dy = -1; dy <= 1; dy++) {
                for (int dx = -1; dx <= 1; dx++) {
                    bool inside = y + dy >= 0 && y + dy < rows && x + dx >= 0 && x + dx < columns;
                    sum += inside ? from[(y + dy) * columns + x + dx] : 0;
                }
            }
            to[y * columns + x] = (float)sum;
        }
    }
}

double model_stencils_blurred(const struct model_stencils *stencils,
                              const struct model_strip *strip, int k, char letter)
{
    uint8_t cell[LARGEST];
    float seen[LARGEST];
    float drawn[LARGEST];
    int size = cell_size(stencils);
    int phase = take_cell(stencils, strip, k, cell);
    blur(cell, stencils->columns, stencils->rise + stencils->fall, seen);
    blur(stencils->ink + place(stencils, phase, letter - ' '), stencils->columns,
         stencils->rise + stencils->fall, drawn);
    double norm = sqrt(product(seen, seen, size) * product(drawn, drawn, size));
    return norm > 0 ? product(seen, drawn, size) / norm : 0;
}
