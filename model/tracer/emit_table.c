/* Tables and form fields. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/roles.h"

#define CELL_FILLED 0.95 /* of its column that a text fills at most, to stand right in its cell */

/* The line above a record, or the border on top of its box. */
struct edge {
    double width;
    uint32_t color;
};

struct grid {
    const struct tracer_node *node;
    struct tracer_table table;
    double left, right; /* of the table */
};

static const struct tracer_node *record_of(const struct grid *grid, int i)
{
    return grid->node->children[grid->table.records[i]];
}

static const struct glmv_scene_box *box_of(const struct tracer_emitter *e,
                                           const struct tracer_node *node)
{
    return node->scene_box >= 0 ? &e->draft->scene->boxes[node->scene_box] : NULL;
}

/* The divider right above a record, NULL without one. */
static const struct tracer_node *divider_above(const struct grid *grid, int i)
{
    int at = grid->table.records[i];
    int before = i > 0 ? grid->table.records[i - 1] : grid->table.from - 1;
    return at - 1 > before ? grid->node->children[at - 1] : NULL;
}

/* Where a record begins: at its divider, at its box, or half-way from the record above. */
static double top_of(const struct grid *grid, int i)
{
    const struct tracer_node *record = record_of(grid, i);
    const struct tracer_node *divider = divider_above(grid, i);
    if (divider != NULL) {
        return divider->box.y;
    }
    if (i == 0 || record->scene_box >= 0) {
        return record->box.y;
    }
    const struct tracer_node *above = record_of(grid, i - 1);
    return (above->box.y + above->box.h + record->box.y) / 2;
}

static double bottom_of(const struct grid *grid, int i)
{
    if (i + 1 < grid->table.record_count) {
        return top_of(grid, i + 1);
    }
    const struct tracer_node *last = grid->node->children[grid->table.to - 1];
    return fmax(record_of(grid, i)->box.y + record_of(grid, i)->box.h, last->box.y + last->box.h);
}

static struct edge edge_above(const struct tracer_emitter *e, const struct grid *grid, int i)
{
    const struct tracer_node *divider = divider_above(grid, i);
    if (divider != NULL) {
        const struct glmv_scene_box *box = box_of(e, divider);
        return (struct edge){divider->box.h, box->color};
    }
    const struct glmv_scene_box *box = box_of(e, record_of(grid, i));
    return box != NULL ? (struct edge){box->border[GLMV_TOP].width, box->border[GLMV_TOP].color}
                       : (struct edge){0};
}

static struct edge edge_below(const struct tracer_emitter *e, const struct grid *grid, int i)
{
    const struct tracer_node *last = grid->node->children[grid->table.to - 1];
    if (i + 1 == grid->table.record_count && last != record_of(grid, i)) {
        return (struct edge){last->box.h, box_of(e, last)->color};
    }
    const struct glmv_scene_box *box = box_of(e, record_of(grid, i));
    return box != NULL
               ? (struct edge){box->border[GLMV_BOTTOM].width, box->border[GLMV_BOTTOM].color}
               : (struct edge){0};
}

static bool put_edge(struct tracer_emitter *e, struct glmv_buf *rules, const char *side,
                     struct edge edge)
{
    return edge.width <= 0 ||
           (glmv_buf_appendf(rules, e->err, "border-%s: %.4gpx solid ", side, edge.width) &&
            tracer_sheet_color(&e->sheet, edge.color, rules, e->err) &&
            glmv_buf_append_str(rules, "; ", e->err));
}

/* How many cells of a record are one text, and how many of these are bold. */
static int count_texts(const struct tracer_emitter *e, const struct tracer_node *record, int *bold)
{
    int texts = 0;
    *bold = 0;
    for (int k = 0; k < record->child_count; k++) {
        const struct tracer_node *cell = record->children[k];
        const struct tracer_node *text = cell->child_count == 1 ? cell->children[0] : cell;
        if (text->kind == TRACER_TEXT) {
            texts++;
            *bold += e->draft->scene->lines[text->main].weight >= 600;
        }
    }
    return texts;
}

/* Bold, where what follows is not, or on another ground: a row of headings. */
static bool is_header(const struct tracer_emitter *e, const struct grid *grid)
{
    const struct glmv_scene_box *a = box_of(e, record_of(grid, 0));
    const struct glmv_scene_box *b = box_of(e, record_of(grid, 1));
    int bold;
    int bold_below;
    int texts = count_texts(e, record_of(grid, 0), &bold);
    int texts_below = count_texts(e, record_of(grid, 1), &bold_below);
    bool stands_out = bold * 2 > texts && bold_below * 2 <= texts_below;
    bool ground = (a != NULL) != (b != NULL) || (a != NULL && b != NULL && a->color != b->color);
    return texts == record_of(grid, 0)->child_count && (stands_out || ground);
}

/* Whether a cell holds one line that can stand right in it. */
static bool is_plain_cell(const struct tracer_emitter *e, const struct grid *grid,
                          const struct tracer_node *cell, int column, double top)
{
    double left = grid->table.edges[column];
    double wide = grid->table.edges[column + 1] - left;
    return !e->texts_apart && cell->kind == TRACER_TEXT && cell->row_count == 1 && !cell->code &&
           cell->box.y >= top && cell->box.x >= left &&
           cell->box.x - left + cell->box.w <= CELL_FILLED * wide;
}

/* Cells of a column begin at one place, which is not known more exactly than this. */
static double half(double px)
{
    return round(px * 2) / 2;
}

/* The type of a cell's text, and its place as room at its sides. */
static bool cell_text_rules(struct tracer_emitter *e, const struct grid *grid,
                            const struct tracer_node *cell, int column, double top,
                            struct glmv_buf *rules)
{
    double left = half(cell->box.x - grid->table.edges[column]);
    double right = half(grid->table.edges[column + 1] - tracer_right(cell->box));
    bool ends = right < left / 4 && left > 0;
    return tracer_type_rules(&e->sheet, &e->draft->scene->lines[cell->main],
                             &e->draft->types[cell->main], cell->pitch, rules, e->err) &&
           (cell->box.y - top < 0.05 ||
            tracer_px_rule(e, rules, "padding-top", cell->box.y - top)) &&
           (ends ? glmv_buf_append_str(rules, "text-align: right; ", e->err) &&
                       (right < 0.05 || tracer_px_rule(e, rules, "padding-right", right))
                 : left < 0.05 || tracer_px_rule(e, rules, "padding-left", left));
}

static bool put_cell(struct tracer_emitter *e, const struct grid *grid, int i, int column,
                     bool header)
{
    const struct tracer_node *record = record_of(grid, i);
    const struct tracer_node *cell = NULL;
    for (int k = 0; k < record->child_count; k++) {
        if (tracer_table_column(&grid->table, record->children[k]) == column) {
            cell = record->children[k];
        }
    }
    struct edge above = edge_above(e, grid, i);
    double top = top_of(grid, i);
    bool direct = cell != NULL && is_plain_cell(e, grid, cell, column, top + above.width);
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    bool ok =
        tracer_px_rule(e, &rules, "height", bottom_of(grid, i) - top) &&
        put_edge(e, &rules, "top", above) &&
        put_edge(e, &rules, "bottom", edge_below(e, grid, i)) &&
        (!direct || cell_text_rules(e, grid, cell, column, top + above.width, &rules)) &&
        tracer_open(e, header ? "th" : "td", "cell", &rules, NULL, header ? " scope=\"col\"" : "");
    if (direct) {
        struct tracer_room room = {.x = grid->table.edges[column],
                                   .w = grid->table.edges[column + 1] - grid->table.edges[column],
                                   .bottom = top + above.width};
        if (ok) {
            tracer_lays_out(e, NULL, &room, bottom_of(grid, i));
        }
        ok = ok && tracer_put_lines(e, cell);
    } else if (cell != NULL) {
        struct tracer_room room = {.x = grid->table.edges[column],
                                   .w = grid->table.edges[column + 1] - grid->table.edges[column],
                                   .bottom = top + above.width};
        if (ok) {
            tracer_lays_out(e, NULL, &room, bottom_of(grid, i));
        }
        e->indent++;
        ok = ok && tracer_emit_node(e, cell, &room);
        e->indent--;
        ok = ok && tracer_new_line(e);
    }
    return ok && glmv_buf_appendf(&e->body, e->err, "</%s>", header ? "th" : "td");
}

static bool put_record(struct tracer_emitter *e, const struct grid *grid, int i, bool header)
{
    const struct tracer_node *record = record_of(grid, i);
    const struct glmv_scene_box *box = box_of(e, record);
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    bool ok = true;
    if (box != NULL && box->fill == GLMV_FILL_SOLID) {
        ok = glmv_buf_append_str(&rules, "background: ", e->err) &&
             tracer_sheet_color(&e->sheet, box->color, &rules, e->err) &&
             glmv_buf_append_str(&rules, "; ", e->err);
    }
    ok = ok && tracer_open(e, "tr", "record", &rules, record, "");
    e->indent++;
    bool was = e->in_head;
    e->in_head = header;
    for (int c = 0; ok && c < grid->table.columns; c++) {
        ok = put_cell(e, grid, i, c, header);
    }
    e->in_head = was;
    e->indent--;
    return ok && tracer_new_line(e) && tracer_put(e, "</tr>");
}

static bool put_columns(struct tracer_emitter *e, const struct grid *grid)
{
    double all = grid->right - grid->left;
    bool ok = tracer_open_plain(e, "colgroup", "columns");
    e->indent++;
    for (int c = 0; ok && c < grid->table.columns; c++) {
        struct glmv_buf rules;
        glmv_buf_init(&rules, TRACER_RULES_MAX);
        ok = glmv_buf_appendf(&rules, e->err, "width: %.3f%%; ",
                              100 * (grid->table.edges[c + 1] - grid->table.edges[c]) / all) &&
             tracer_open(e, "col", "column", &rules, NULL, "");
    }
    e->indent--;
    return ok && tracer_new_line(e) && tracer_put(e, "</colgroup>");
}

int tracer_emit_table(struct tracer_emitter *e, const struct tracer_node *node, int from, int limit,
                      struct tracer_room *room)
{
    struct grid grid = {.node = node};
    if (!tracer_table_find(e, node, from, limit, &grid.table)) {
        return 0;
    }
    int taken = grid.table.to - from;
    grid.left = grid.table.edges[0];
    grid.right = grid.table.edges[grid.table.columns];
    bool header = is_header(e, &grid);
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    double first = top_of(&grid, 0);
    double drop = first - room->bottom;
    double left = grid.left - room->x;
    double right = room->x + room->w - grid.right;
    room->bottom = bottom_of(&grid, grid.table.record_count - 1);
    /* Not wider than its room, or margins at its sides as they were measured. */
    bool ok = (fabs(drop) < 0.05 || tracer_px_rule(e, &rules, "margin-top", drop)) &&
              (left + right < 0.6 ||
               (glmv_buf_appendf(&rules, e->err, "width: %.3f%%; ",
                                 100 * (grid.right - grid.left) / room->w) &&
                (fabs(left) < 0.3 || glmv_buf_appendf(&rules, e->err, "margin-left: %.3f%%; ",
                                                      100 * left / room->w)))) &&
              tracer_open(e, "table", "table", &rules, NULL, "");
    e->indent++;
    ok = ok && put_columns(e, &grid);
    for (int i = 0; ok && i < grid.table.record_count; i++) {
        bool head = header && i == 0;
        if (i == 0 || (i == 1 && header)) {
            ok = tracer_open_plain(e, head ? "thead" : "tbody", "records");
        }
        e->indent++;
        ok = ok && put_record(e, &grid, i, head);
        e->indent--;
        if (ok && (head || i + 1 == grid.table.record_count)) {
            ok = tracer_new_line(e) && tracer_put(e, head ? "</thead>" : "</tbody>");
        }
    }
    e->indent--;
    if (!(ok && tracer_new_line(e) && tracer_put(e, "</table>"))) {
        e->failed = true;
    }
    tracer_table_release(&grid.table);
    return taken;
}

/* How far a colour stands out from the ground, 0..255. */
static int contrast(uint32_t a, uint32_t b)
{
    int worst = 0;
    for (int shift = 8; shift < 32; shift += 8) {
        worst = abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > worst
                    ? abs((int)(a >> shift & 255) - (int)(b >> shift & 255))
                    : worst;
    }
    return worst;
}

bool tracer_emit_field(struct tracer_emitter *e, const struct tracer_node *node,
                       struct tracer_room *room)
{
    const struct glmv_scene_box *box = box_of(e, node);
    const struct tracer_node *child = node->child_count > 0 ? node->children[0] : NULL;
    const struct glmv_scene_line *line =
        child != NULL ? &e->draft->scene->lines[child->main] : NULL;
    const char *tick = tracer_tick(e, node);
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    bool ok = tracer_px_rule(e, &rules, "height", node->box.h) &&
              tracer_paint_rules(&e->sheet, box, &rules, e->err) &&
              tracer_place_container(e, node, room, node->box.x, node->box.w, &rules);
    if (tick != NULL) {
        ok = ok && tracer_px_rule(e, &rules, "width", node->box.w);
        char extra[80];
        snprintf(extra, sizeof extra, " type=\"%s\" aria-label=\"Option\"", tick);
        return ok && tracer_open(e, "input", tick, &rules, node, extra);
    }
    if (line == NULL) {
        return ok &&
               tracer_open(e, "input", "field", &rules, node, " type=\"text\" aria-label=\"Text\"");
    }
    double inset = child->box.x - node->box.x - box->border[GLMV_LEFT].width;
    bool hint = contrast(line->color, line->background) < 160;
    struct glmv_buf extra;
    glmv_buf_init(&extra, TRACER_BODY_MAX);
    struct glmv_buf body = e->body;
    ok = ok &&
         tracer_type_rules(&e->sheet, line, &e->draft->types[child->main], child->pitch, &rules,
                           e->err) &&
         tracer_px_rule(e, &rules, "padding-left", inset);
    glmv_buf_init(&e->body, TRACER_BODY_MAX); /* the attribute's value is escaped as text is */
    ok = ok && tracer_put_text(e, line->text);
    ok = ok && glmv_buf_appendf(&extra, e->err, " type=\"text\" aria-label=\"%s\" %s=\"%s\"",
                                e->body.data, hint ? "placeholder" : "value", e->body.data);
    glmv_buf_release(&e->body);
    e->body = body;
    ok = ok && tracer_open(e, "input", "field", &rules, node, extra.data);
    glmv_buf_release(&extra);
    return ok;
}
