/* What a node of the tree is to a reader: a button, a field, a table, a list, navigation. */
#include "model/tracer/roles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BADGE_HEIGHT 27.0 /* px */
#define BADGE_WIDTH 140.0 /* px */
#define BADGE_FONT 13.6   /* px; most pages have badges of 12 or of 75 % of their text */
#define TALL 0.45         /* of the page's height, of a sidebar */
#define SLIM 0.3          /* of its width */
#define MENU_TOP 140.0    /* px, where the main menu is */
#define MENU_GAP 64.0     /* px from one link to the next at most */
#define ENTRY_STEP 4.0    /* font sizes from one entry to the next at most */
#define SIDE_STEP 5.0     /* and in a sidebar */

/* A box with a short text in its middle. */
static bool is_labelled(const struct tracer_node *node)
{
    if (node->scene_box < 0 || node->child_count != 1) {
        return false;
    }
    const struct tracer_node *child = node->children[0];
    double left = child->box.x - node->box.x;
    double right = tracer_right(node->box) - tracer_right(child->box);
    return child->kind == TRACER_TEXT && child->row_count == 1 && fabs(left - right) <= 6;
}

bool tracer_is_badge(const struct tracer_emitter *e, const struct tracer_node *node)
{
    if (!is_labelled(node) || node->box.h >= BADGE_HEIGHT || node->box.w > BADGE_WIDTH) {
        return false;
    }
    const struct tracer_node *child = node->children[0];
    const struct glmv_scene_box *box = &e->draft->scene->boxes[node->scene_box];
    return child->run_count == 1 && e->draft->scene->lines[child->main].font_px <= BADGE_FONT &&
           child->pitch <= node->box.h && box->fill != GLMV_FILL_NONE &&
           box->border[GLMV_TOP].width <= 0;
}

bool tracer_is_button(const struct tracer_emitter *e, const struct tracer_node *node)
{
    return !e->in_link && !e->in_list && node->box.h >= 16 && node->box.h <= 70 &&
           node->box.w <= 420 && is_labelled(node) && !tracer_is_badge(e, node);
}

bool tracer_is_sidebar(const struct tracer_emitter *e, const struct tracer_node *node)
{
    const struct glmv_scene *s = e->draft->scene;
    bool side = node->box.x < 2 || tracer_right(node->box) > s->width - 2;
    return side && node->kind == TRACER_STACK && node->box.h > TALL * s->height &&
           node->box.w < SLIM * s->width && s->width > s->height * 0.5;
}

bool tracer_has_menu(const struct tracer_emitter *e, const struct tracer_node *node)
{
    bool found = false;
    for (int i = 0; !found && i < node->child_count; i++) {
        found = tracer_list_length(e, node, i, node->child_count) > 0 ||
                tracer_has_menu(e, node->children[i]);
    }
    return found;
}

const char *tracer_role(const struct tracer_emitter *e, const struct tracer_node *node)
{
    if (tracer_is_button(e, node)) {
        return "button";
    }
    if (node->scene_box < 0 && node->scene_picture < 0) {
        return "group";
    }
    if (node->scene_picture >= 0) {
        return "banner";
    }
    if (node->child_count == 0) {
        return node->box.h <= 4 || node->box.w <= 4 ? "rule" : "shape";
    }
    if (node->box.w >= 0.95 * e->draft->scene->width) {
        return "band";
    }
    return e->draft->scene->boxes[node->scene_box].border[0].width > 0 ||
                   e->draft->scene->boxes[node->scene_box].radius[0] > 0
               ? "card"
               : "panel";
}

int tracer_menu_length(const struct tracer_emitter *e, const struct tracer_node *node, int from,
                       int limit)
{
    bool place = e->place == TRACER_FOOT || (e->place != TRACER_SIDE && node->box.y <= MENU_TOP);
    if (e->in_link || e->in_list || e->in_head || !place || node->kind != TRACER_ROW) {
        return 0;
    }
    int n = 0;
    for (; from + n < limit; n++) {
        const struct tracer_node *one = node->children[from + n];
        const struct tracer_node *before = n > 0 ? node->children[from + n - 1] : one;
        if (one->kind != TRACER_TEXT || one->row_count != 1 || one->code ||
            one->box.x - tracer_right(before->box) > MENU_GAP ||
            fabs(one->pitch - before->pitch) > 3 || fabs(one->box.y - before->box.y) > 4) {
            break;
        }
    }
    return n >= 3 ? n : 0;
}

static bool has_letters(const char *text)
{
    int letters = 0;
    bool small = false;
    for (const char *p = text; *p != '\0'; p++) {
        small = small || (*p >= 'a' && *p <= 'z') || (*p & 0x80) != 0;
        letters += (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p & 0x80) != 0;
    }
    return letters >= 3 && small;
}

bool tracer_is_link(const struct tracer_emitter *e, const struct tracer_node *node)
{
    const struct glmv_scene_line *line = &e->draft->scene->lines[node->main];
    int r = (int)(line->color >> 24);
    int g = (int)(line->color >> 16 & 255);
    int b = (int)(line->color >> 8 & 255);
    bool blue = b >= r + 40 && b >= g && b >= 120;
    bool edge = (e->place == TRACER_HEAD || e->place == TRACER_FOOT) && line->word_count <= 2;
    return !e->in_link && node->row_count == 1 && node->run_count == 1 && !node->code &&
           has_letters(line->text) && (line->underline || blue || edge);
}

/* Three or more short texts side by side near the top are navigation. */
bool tracer_is_nav(const struct tracer_emitter *e, const struct tracer_node *node)
{
    return node->scene_box < 0 && node->child_count >= 3 &&
           tracer_menu_length(e, node, 0, node->child_count) == node->child_count;
}

static bool is_framed(const struct tracer_emitter *e, const struct tracer_node *node)
{
    if (node->scene_box < 0 || node->scene_picture >= 0) {
        return false;
    }
    const struct glmv_scene_border *b = e->draft->scene->boxes[node->scene_box].border;
    for (int side = 0; side < 4; side++) {
        if (b[side].width <= 0 || b[side].width > 3) {
            return false;
        }
    }
    return true;
}

bool tracer_is_field(const struct tracer_emitter *e, const struct tracer_node *node)
{
    struct glmv_box box = node->box;
    if (e->in_link || !is_framed(e, node) || box.h < 24 || box.h > 64 || box.w < 100 ||
        box.w < 2.2 * box.h || node->child_count > 1) {
        return false;
    }
    if (node->child_count == 0) {
        return true;
    }
    const struct tracer_node *child = node->children[0];
    double left = child->box.x - box.x;
    double right = tracer_right(box) - tracer_right(child->box);
    double middle = child->box.y + child->box.h / 2 - box.y - box.h / 2;
    return child->kind == TRACER_TEXT && child->run_count == 1 && left <= 40 && right > 2 * left &&
           fabs(middle) <= 5;
}

const char *tracer_tick(const struct tracer_emitter *e, const struct tracer_node *node)
{
    double w = node->box.w;
    if (e->in_link || !is_framed(e, node) || node->child_count > 0 || w < 11 || w > 24 ||
        fabs(w - node->box.h) > 1) {
        return NULL;
    }
    double radius = e->draft->scene->boxes[node->scene_box].radius[0];
    return radius >= w / 2 - 1 ? "radio" : radius <= 6 ? "checkbox" : NULL;
}

static bool is_entry(const struct tracer_emitter *e, const struct tracer_node *node)
{
    return node->kind == TRACER_TEXT && node->row_count == 1 && node->run_count == 1 &&
           !node->code && e->draft->scene->lines[node->main].font_px < 1.3 * e->text_px;
}

/* A bullet and what it stands before, as a row. */
static bool is_bulleted(const struct tracer_emitter *e, const struct tracer_node *node)
{
    if (node->kind != TRACER_ROW || node->child_count != 2 || node->scene_box >= 0 ||
        node->scene_picture >= 0) {
        return false;
    }
    const struct tracer_node *bullet = node->children[0];
    const struct tracer_node *text = node->children[1];
    bool shape = bullet->child_count == 0 && bullet->kind != TRACER_TEXT;
    double size = text->kind == TRACER_TEXT ? e->draft->scene->lines[text->main].font_px : 0;
    return shape && bullet->box.w <= 0.55 * size && bullet->box.h <= 0.55 * size &&
           text->box.x - tracer_right(bullet->box) <= 1.5 * size;
}

/* How many rows with a bullet in one column follow each other. */
static int bulleted_length(const struct tracer_emitter *e, const struct tracer_node *node, int from,
                           int limit)
{
    int n = 0;
    while (from + n < limit && is_bulleted(e, node->children[from + n]) &&
           fabs(node->children[from + n]->box.x - node->children[from]->box.x) <= 3) {
        n++;
    }
    return n >= 2 ? n : 0;
}

/* The text of an entry of a menu: with an icon before it, an arrow or a number behind it, or on a
 * ground of its own where it is the current one. NULL when it is none. */
static const struct tracer_node *entry_text(const struct tracer_emitter *e,
                                            const struct tracer_node *node)
{
    if (is_entry(e, node)) {
        return node;
    }
    if (node->kind == TRACER_TEXT || node->kind == TRACER_LAYERS || node->scene_picture >= 0 ||
        node->child_count == 0 || node->child_count > 4 ||
        (node->kind == TRACER_STACK && (node->child_count > 1 || node->scene_box < 0))) {
        return NULL;
    }
    const struct tracer_node *text = NULL;
    for (int i = 0; i < node->child_count; i++) {
        const struct tracer_node *one = node->children[i];
        bool small = one->box.w <= ENTRY_STEP * e->text_px && one->box.h <= ENTRY_STEP * e->text_px;
        if (is_entry(e, one) && text == NULL) {
            text = one;
        } else if (one->kind == TRACER_LAYERS || !small ||
                   (one->kind == TRACER_TEXT &&
                    strlen(e->draft->scene->lines[one->main].text) > 4) ||
                   (one->child_count > 0 && !is_labelled(one))) {
            return NULL;
        }
    }
    bool low =
        text != NULL && node->box.h <= ENTRY_STEP * e->draft->scene->lines[text->main].font_px;
    return low ? text : NULL;
}

/* How many entries of a menu follow each other at equal distances. */
static int entries_length(const struct tracer_emitter *e, const struct tracer_node *node, int from,
                          int limit)
{
    const struct tracer_node *first = entry_text(e, node->children[from]);
    const struct tracer_node *before = first;
    bool side = e->place == TRACER_SIDE; /* where menus have parts of few entries */
    double step = 0;
    int n = first != NULL;
    for (; n > 0 && from + n < limit; n++) {
        const struct tracer_node *text = entry_text(e, node->children[from + n]);
        if (text == NULL) {
            break;
        }
        const struct glmv_scene_line *type = &e->draft->scene->lines[first->main];
        double size = e->draft->scene->lines[text->main].font_px;
        double down = text->box.y + text->box.h / 2 - before->box.y - before->box.h / 2;
        step = n == 1 ? down : step;
        if (down <= 0 || down > (side ? SIDE_STEP : ENTRY_STEP) * type->font_px ||
            (!side && fabs(down - step) > 3) || fabs(text->box.x - first->box.x) > 3 ||
            fabs(size - type->font_px) > 0.12 * type->font_px) {
            break;
        }
        before = text;
    }
    return n >= (side ? 2 : 3) ? n : 0;
}

int tracer_list_length(const struct tracer_emitter *e, const struct tracer_node *node, int from,
                       int limit)
{
    int bulleted =
        e->in_link || node->kind != TRACER_STACK ? 0 : bulleted_length(e, node, from, limit);
    if (bulleted > 0) {
        return bulleted;
    }
    return e->in_link || e->in_list || node->kind != TRACER_STACK || from + 1 >= limit
               ? 0
               : entries_length(e, node, from, limit);
}

/* --- tables */

static bool is_rule(const struct tracer_node *node)
{
    return node->scene_box >= 0 && node->child_count == 0 && node->box.h <= 4;
}

/* A row of cells: at its own height, not a card of its own. */
static bool is_record(const struct tracer_node *node)
{
    return node->kind == TRACER_ROW && node->scene_picture < 0 && node->child_count >= 2 &&
           node->box.h <= 130;
}

struct span {
    double from, to;
};

static int by_start(const void *pa, const void *pb)
{
    const struct span *a = pa;
    const struct span *b = pb;
    return a->from < b->from ? -1 : a->from > b->from;
}

/* Cuts the cells of all records into columns that no cell crosses. */
static bool find_columns(const struct tracer_node *node, struct tracer_table *table, int cells)
{
    struct span *spans = malloc((size_t)cells * sizeof *spans);
    table->edges = malloc(((size_t)cells + 1) * sizeof *table->edges);
    if (spans == NULL || table->edges == NULL) {
        free(spans);
        return false;
    }
    int n = 0;
    for (int i = 0; i < table->record_count; i++) {
        const struct tracer_node *record = node->children[table->records[i]];
        for (int k = 0; k < record->child_count; k++) {
            const struct glmv_box *b = &record->children[k]->box;
            spans[n++] = (struct span){b->x, b->x + b->w};
        }
    }
    qsort(spans, (size_t)n, sizeof *spans, by_start);
    double reach = spans[0].to;
    double left = spans[0].from;
    double right = spans[0].to;
    for (int i = table->from; i < table->to; i++) {
        left = fmin(left, node->children[i]->box.x);
        right = fmax(right, tracer_right(node->children[i]->box));
    }
    table->columns = 0;
    table->edges[table->columns++] = left;
    for (int i = 1; i < n; i++) {
        if (spans[i].from >= reach - 1) {
            table->edges[table->columns++] = spans[i].from - fmin((spans[i].from - reach) / 2, 12);
        }
        reach = fmax(reach, spans[i].to);
    }
    table->edges[table->columns] = fmax(right, reach);
    free(spans);
    return true;
}

int tracer_table_column(const struct tracer_table *table, const struct tracer_node *cell)
{
    double middle = cell->box.x + cell->box.w / 2;
    for (int c = 0; c < table->columns; c++) {
        if (middle >= table->edges[c] && middle < table->edges[c + 1]) {
            return c;
        }
    }
    return -1;
}

/* Whether each record has at most one cell a column and most of the table is filled with text. */
static bool is_regular(const struct tracer_node *node, const struct tracer_table *table, int cells)
{
    int texts = 0;
    double lowest = 1e9;
    double highest = 0;
    for (int i = 0; i < table->record_count; i++) {
        const struct tracer_node *record = node->children[table->records[i]];
        int last = -1;
        lowest = fmin(lowest, record->box.h);
        highest = fmax(highest, record->box.h);
        for (int k = 0; k < record->child_count; k++) {
            const struct tracer_node *cell = record->children[k];
            int c = tracer_table_column(table, cell);
            if (c <= last) {
                return false;
            }
            last = c;
            texts += cell->kind == TRACER_TEXT ||
                     (cell->child_count == 1 && cell->children[0]->kind == TRACER_TEXT);
        }
    }
    if (highest > 2.5 * lowest && table->record_count < 5) {
        return false; /* columns of text side by side */
    }
    return table->columns >= 2 && (table->columns > 2 || table->record_count >= 4) &&
           cells >= 0.7 * table->columns * table->record_count && texts >= 0.55 * cells;
}

/* Takes the children from..to for a table. */
static bool try_table(const struct tracer_node *node, int from, int to, struct tracer_table *out)
{
    int cells = 0;
    *out = (struct tracer_table){.from = from, .to = to};
    out->records = malloc((size_t)(to - from + 1) * sizeof *out->records);
    for (int i = from; out->records != NULL && i < to; i++) {
        if (is_record(node->children[i])) {
            out->records[out->record_count++] = i;
            cells += node->children[i]->child_count;
        }
    }
    if (out->records != NULL && out->record_count >= 3 && find_columns(node, out, cells) &&
        is_regular(node, out, cells)) {
        return true;
    }
    tracer_table_release(out);
    return false;
}

bool tracer_table_find(const struct tracer_emitter *e, const struct tracer_node *node, int from,
                       int limit, struct tracer_table *out)
{
    *out = (struct tracer_table){0};
    if (e->in_link || node->kind != TRACER_STACK) {
        return false;
    }
    int to = from;
    while (to < limit && (is_record(node->children[to]) || is_rule(node->children[to]))) {
        to++;
    }
    /* What follows a table in the same stack may look like a record: it is left out from the end.
     */
    for (int end = to; end - from >= 3 && end > to - 4; end--) {
        if (try_table(node, from, end, out)) {
            return true;
        }
    }
    return false;
}

void tracer_table_release(struct tracer_table *table)
{
    free(table->records);
    free(table->edges);
    *table = (struct tracer_table){0};
}
