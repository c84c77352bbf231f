#include "model/tracer/emit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

#define BODY_MAX ((size_t)64 << 20)
#define RULES_MAX ((size_t)64 << 20) /* a photo behind text stands in its rules */
#define WIDE_GAP 64.0                /* px */
#define NARROW 0.95     /* of the picture's width: below it rows break and lines wrap */
#define CELL_SLACK 12.0 /* px a cell may be wider than its content on each side */

/* The horizontal room that a node's children share, and how far down it is filled. */
struct room {
    double x, w;
    double bottom; /* of what came before, for stacks */
    double right;  /* of what came before, for rows */
    bool row;
    double top; /* of the row */
};

struct emitter {
    const struct glmv_draft *draft;
    struct tracer_sheet sheet;
    struct glmv_buf body;
    struct glmv_err *err;
    bool marks;
    bool in_link;   /* inside an <a>: only phrasing content */
    double text_px; /* commonest font size */
    int last_level; /* of the last heading; 0 before the first */
    int indent;
};

static bool emit_node(struct emitter *e, const struct tracer_node *node, struct room *room);

/* --- small pieces
 * ------------------------------------------------------------------------------------------- */

static bool put(struct emitter *e, const char *text)
{
    return glmv_buf_append_str(&e->body, text, e->err);
}

static bool put_text(struct emitter *e, const char *text)
{
    bool ok = true;
    for (const char *p = text; ok && *p != '\0'; p++) {
        const char *entity = *p == '&'   ? "&amp;"
                             : *p == '<' ? "&lt;"
                             : *p == '>' ? "&gt;"
                             : *p == '"' ? "&quot;"
                                         : NULL;
        ok = entity != NULL ? put(e, entity) : glmv_buf_append(&e->body, p, 1, e->err);
    }
    return ok;
}

static bool new_line(struct emitter *e)
{
    return glmv_buf_appendf(&e->body, e->err, "\n%*s", e->indent * 2, "");
}

static bool px_rule(struct emitter *e, struct glmv_buf *rules, const char *name, double value)
{
    return glmv_buf_appendf(rules, e->err, "%s: ", name) && tracer_px(value, rules, e->err) &&
           glmv_buf_append_str(rules, "; ", e->err);
}

/* <TAG class="NAME" data-glmv="MARK"EXTRA> with the class for these rules. Takes the rules' memory.
 */
static bool open_tag(struct emitter *e, const char *tag, const char *role, struct glmv_buf *rules,
                     int mark, const char *extra)
{
    while (rules->len > 0 && rules->data[rules->len - 1] == ' ') {
        rules->data[--rules->len] = '\0';
    }
    bool ok = new_line(e) && glmv_buf_appendf(&e->body, e->err, "<%s", tag);
    if (ok && rules->len > 0) {
        const char *name = tracer_sheet_class(&e->sheet, role, rules->data);
        ok = name != NULL ? glmv_buf_appendf(&e->body, e->err, " class=\"%s\"", name)
                          : glmv_fail_memory(e->err);
    }
    if (ok && e->marks && mark >= 0) {
        ok = glmv_buf_appendf(&e->body, e->err, " data-glmv=\"%d\"", mark);
    }
    glmv_buf_release(rules);
    return ok && put(e, extra) && put(e, ">");
}

/* --- places: margins that put a node where it belongs
 * ------------------------------------------------------- */

static double right_of(struct glmv_box box)
{
    return box.x + box.w;
}

static bool place_in_row(struct emitter *e, const struct tracer_node *node, double x,
                         struct room *room, struct glmv_buf *rules)
{
    double gap = x - room->right;
    double drop = node->box.y - room->top;
    /* A wide gap is a share of the room, so that it shrinks with the page. */
    bool wide = gap > WIDE_GAP && room->w > gap;
    bool ok = (wide ? glmv_buf_appendf(rules, e->err, "margin-left: %.4f%%; ", 100 * gap / room->w)
                    : fabs(gap) < 0.05 || px_rule(e, rules, "margin-left", gap)) &&
              (fabs(drop) < 0.05 || px_rule(e, rules, "margin-top", drop));
    return ok;
}

static bool drop_in_stack(struct emitter *e, const struct tracer_node *node, struct room *room,
                          struct glmv_buf *rules)
{
    double drop = node->box.y - room->bottom;
    room->bottom = node->box.y + node->box.h;
    return fabs(drop) < 0.05 || px_rule(e, rules, "margin-top", drop);
}

/* A block of its own width in a stack: at the left, in the middle or at the right of the room. */
static bool place_block(struct emitter *e, const struct tracer_node *node, struct room *room,
                        struct glmv_buf *rules)
{
    double left = node->box.x - room->x;
    double right = room->x + room->w - right_of(node->box);
    bool ok = drop_in_stack(e, node, room, rules);
    if (!ok || (fabs(left) < 0.6 && fabs(right) < 0.6)) {
        return ok;
    }
    if (fabs(left - right) <= 2 && left > 0) {
        return px_rule(e, rules, "max-width", node->box.w) &&
               glmv_buf_append_str(rules, "width: 100%; margin-inline: auto; ", e->err);
    }
    if (fabs(right) < 0.6 && left > 0) {
        return px_rule(e, rules, "margin-left", left);
    }
    bool far_right = right >= 0 && left > room->w * 0.5 && right < left * 0.25;
    ok = px_rule(e, rules, "width", node->box.w) &&
         glmv_buf_append_str(rules, "max-width: 100%; ", e->err);
    if (far_right) {
        return ok && glmv_buf_append_str(rules, "margin-left: auto; ", e->err) &&
               (right < 0.6 || px_rule(e, rules, "margin-right", right));
    }
    return ok && (fabs(left) < 0.05 || px_rule(e, rules, "margin-left", left));
}

/* --- text
 * ---------------------------------------------------------------------------------------------------
 */

static bool is_heading(const struct emitter *e, const struct tracer_node *node)
{
    const struct glmv_scene_line *line = &e->draft->scene->lines[node->main];
    double ratio = line->font_px / e->text_px;
    return !e->in_link && node->row_count <= 3 && strlen(line->text) > 1 &&
           (ratio >= 1.3 || (ratio >= 1.1 && line->weight >= 600));
}

/* Levels follow size, start at 1 once, and never skip one downwards. */
static int heading_level(struct emitter *e, const struct tracer_node *node)
{
    double ratio = e->draft->scene->lines[node->main].font_px / e->text_px;
    int level = ratio >= 2 ? 2 : ratio >= 1.5 ? 3 : 4;
    if (e->last_level == 0) {
        level = 1;
    } else if (level > e->last_level + 1) {
        level = e->last_level + 1;
    }
    e->last_level = level;
    return level;
}

static bool cjk_end(const char *text)
{
    size_t len = strlen(text);
    return len >= 3 && (unsigned char)text[len - 3] >= 0xe3 && (unsigned char)text[len - 3] <= 0xed;
}

/* Whether a run looks as the paragraph does, so that it needs no element of its own. */
static bool plain_run(const struct emitter *e, const struct tracer_node *node, int run)
{
    const struct glmv_scene_line *a = &e->draft->scene->lines[node->main];
    const struct glmv_scene_line *b = &e->draft->scene->lines[run];
    return run == node->main ||
           (a->color == b->color && a->weight == b->weight && a->italic == b->italic &&
            a->underline == b->underline && a->strike == b->strike && a->family == b->family &&
            fabs(a->font_px - b->font_px) < 0.08 * a->font_px);
}

/* A run of other type: strong, em or a where that is what it is. */
static bool put_run(struct emitter *e, const struct tracer_node *node, int run)
{
    const struct glmv_scene_line *a = &e->draft->scene->lines[node->main];
    const struct glmv_scene_line *b = &e->draft->scene->lines[run];
    struct glmv_buf rules;
    glmv_buf_init(&rules, RULES_MAX);
    bool coloured = b->color != a->color && b->weight == a->weight && !b->strike;
    bool link = !e->in_link && (b->underline || coloured);
    const char *tag = link ? "a" : b->weight > a->weight ? "strong" : b->italic ? "em" : "span";
    bool ok = tracer_type_rules(&e->sheet, b, &e->draft->types[run], node->pitch, &rules, e->err);
    while (ok && rules.len > 0 && rules.data[rules.len - 1] == ' ') {
        rules.data[--rules.len] = '\0';
    }
    const char *name = ok ? tracer_sheet_class(&e->sheet, link ? "link" : tag, rules.data) : NULL;
    ok = ok && name != NULL &&
         glmv_buf_appendf(&e->body, e->err, "<%s class=\"%s\"%s>", tag, name,
                          link ? " href=\"#\"" : "") &&
         put_text(e, b->text) && glmv_buf_appendf(&e->body, e->err, "</%s>", tag);
    glmv_buf_release(&rules);
    return ok;
}

/* The blanks that bring a line of code to its place, or that stand between two runs of one. */
static bool put_blanks(struct emitter *e, const struct tracer_node *node, int i)
{
    const struct glmv_scene *s = e->draft->scene;
    const struct glmv_scene_line *line = &s->lines[node->runs[i]];
    const struct glmv_scene_line *main = &s->lines[node->main];
    size_t letters = strlen(main->text);
    double wide =
        letters > 0 && main->advance > 0 ? main->advance / (double)letters : main->font_px * 0.6;
    bool same_row = i > 0 && node->rows[i] == node->rows[i - 1];
    const struct glmv_scene_line *before = same_row ? &s->lines[node->runs[i - 1]] : NULL;
    double from = before != NULL ? before->ink.x + before->ink.w : node->box.x;
    int blanks = (int)lround((line->ink.x - from) / wide);
    bool ok = same_row || i == 0 || put(e, "\n");
    for (int k = 0; ok && k < blanks; k++) {
        ok = put(e, " ");
    }
    return ok;
}

static bool put_lines(struct emitter *e, const struct tracer_node *node)
{
    const struct glmv_scene *s = e->draft->scene;
    bool ok = true;
    for (int i = 0; ok && i < node->run_count; i++) {
        const struct glmv_scene_line *line = &s->lines[node->runs[i]];
        if (node->code && !e->in_link) {
            ok = put_blanks(e, node, i);
        } else if (node->hard && i > 0 && node->rows[i] != node->rows[i - 1]) {
            ok = put(e, "<br>");
        } else if (i > 0) {
            const struct glmv_scene_line *before = &s->lines[node->runs[i - 1]];
            double gap = line->ink.x - before->ink.x - before->ink.w;
            bool same_row = node->rows[i] == node->rows[i - 1];
            bool tight = same_row ? gap < 0.12 * line->font_px : cjk_end(before->text);
            ok = tight || put(e, " ");
        }
        ok = ok && (plain_run(e, node, node->runs[i]) ? put_text(e, line->text)
                                                      : put_run(e, node, node->runs[i]));
    }
    return ok;
}

/* The width of one line of a paragraph, and that of the first word of the next; -1 without one. */
static double row_width(const struct emitter *e, const struct tracer_node *node, int row,
                        double *next_word)
{
    const struct glmv_scene *s = e->draft->scene;
    double left = 1e9;
    double right = 0;
    *next_word = -1;
    for (int i = 0; i < node->run_count; i++) {
        const struct glmv_scene_line *line = &s->lines[node->runs[i]];
        if (node->rows[i] == row) {
            left = fmin(left, line->ink.x);
            right = fmax(right, line->ink.x + line->ink.w);
        } else if (node->rows[i] == row + 1 && *next_word < 0) {
            *next_word = line->word_count > 0 ? line->words[0].ink.w : line->ink.w;
        }
    }
    return right - left;
}

/* The width at which a paragraph wraps as it was measured: past its widest line, before any next
 * word fits. */
static double wrap_width(const struct emitter *e, const struct tracer_node *node)
{
    double least = 0;
    double most = 1e9;
    for (int row = 0; row < node->row_count; row++) {
        double word;
        double width = row_width(e, node, row, &word);
        least = fmax(least, width);
        if (word >= 0) {
            most = fmin(most, width + 0.28 * e->draft->scene->lines[node->main].font_px + word);
        }
    }
    if (node->hard) {
        return least + e->draft->scene->lines[node->main].font_px;
    }
    return most > least ? (least + fmin(most, least + 24)) / 2 : least + 2;
}

static bool text_place(struct emitter *e, const struct tracer_node *node, struct room *room,
                       struct glmv_buf *rules)
{
    double left = node->box.x - room->x;
    double right = room->x + room->w - right_of(node->box);
    if (room->row) {
        bool ok = place_in_row(e, node, node->box.x, room, rules);
        room->right = right_of(node->box);
        return ok &&
               (node->row_count == 1 ||
                (px_rule(e, rules, "width", wrap_width(e, node) + e->draft->types[node->first].wrap) &&
                 (!node->centered || glmv_buf_append_str(rules, "text-align: center; ", e->err))));
    }
    bool ok = drop_in_stack(e, node, room, rules);
    bool middle = fabs(left - right) <= 4 && left > 6;
    if (node->row_count > 1) {
        double width = wrap_width(e, node) + e->draft->types[node->first].wrap;
        ok = ok && px_rule(e, rules, "max-width", width);
        if (middle && node->centered) {
            return ok &&
                   glmv_buf_append_str(rules, "margin-inline: auto; text-align: center; ", e->err);
        }
        if (node->centered) {
            left -= (width - node->box.w) / 2;
            ok = ok && glmv_buf_append_str(rules, "text-align: center; ", e->err);
        }
        return ok && (fabs(left) < 0.05 || px_rule(e, rules, "margin-left", left));
    }
    if (middle) {
        return ok && glmv_buf_append_str(rules, "text-align: center; ", e->err) &&
               (fabs(left - right) < 0.3 ||
                px_rule(e, rules, "padding-left", fmax(left - right, 0)));
    }
    if (right >= -1 && left > room->w * 0.6 && right < 0.1 * room->w) {
        return ok && glmv_buf_append_str(rules, "text-align: right; ", e->err) &&
               (right < 0.05 || px_rule(e, rules, "margin-right", right));
    }
    return ok && (fabs(left) < 0.05 || px_rule(e, rules, "margin-left", left));
}

static bool emit_text(struct emitter *e, const struct tracer_node *node, struct room *room)
{
    const struct glmv_scene_line *line = &e->draft->scene->lines[node->main];
    struct glmv_buf rules;
    glmv_buf_init(&rules, RULES_MAX);
    char tag[16] = "p";
    if (e->in_link) {
        snprintf(tag, sizeof tag, "span");
    } else if (node->code) {
        snprintf(tag, sizeof tag, "pre");
    } else if (is_heading(e, node)) {
        snprintf(tag, sizeof tag, "h%d", heading_level(e, node));
    }
    bool ok = tracer_type_rules(&e->sheet, line, &e->draft->types[node->main], node->pitch, &rules,
                                e->err) &&
              (!e->in_link || glmv_buf_append_str(&rules, "display: block; ", e->err)) &&
              (node->row_count > 1 ||
               glmv_buf_append_str(&rules, "min-width: var(--text); ", e->err)) &&
              text_place(e, node, room, &rules);
    return ok &&
           open_tag(e, tag,
                    tag[0] == 'h' ? "heading"
                    : node->code  ? "code"
                    : e->in_link  ? "label"
                                  : "text",
                    &rules, node->mark, "") &&
           put_lines(e, node) && glmv_buf_appendf(&e->body, e->err, "</%s>", tag);
}

/* --- pictures
 * -----------------------------------------------------------------------------------------------
 */

static bool put_address(struct emitter *e, int picture, struct glmv_buf *out)
{
    const struct glmv_scene *s = e->draft->scene;
    if (e->draft->options.assets_dir != NULL) {
        char name[32];
        tracer_asset_name(s, picture, name);
        const char *href = e->draft->options.assets_href;
        return glmv_buf_appendf(out, e->err, "%s/%s",
                                href != NULL ? href : e->draft->options.assets_dir, name);
    }
    struct glmv_buf bytes;
    glmv_buf_init(&bytes, BODY_MAX);
    bool ok = tracer_asset_bytes(&s->pictures[picture], &bytes, e->err) &&
              glmv_buf_append_str(out, "data:image/webp;base64,", e->err) &&
              glmv_base64_append(out, bytes.data, bytes.len, e->err);
    glmv_buf_release(&bytes);
    return ok;
}

static bool emit_picture(struct emitter *e, const struct tracer_node *node, struct room *room)
{
    const struct glmv_scene_picture *picture = &e->draft->scene->pictures[node->scene_picture];
    struct glmv_buf rules;
    struct glmv_buf extra;
    glmv_buf_init(&rules, RULES_MAX);
    glmv_buf_init(&extra, BODY_MAX);
    bool ok;
    if (room->row) {
        ok = place_in_row(e, node, node->box.x, room, &rules) &&
             glmv_buf_append_str(&rules, "flex: none; ", e->err);
        room->right = right_of(node->box);
    } else {
        double left = node->box.x - room->x;
        ok = glmv_buf_append_str(&rules, "display: block; ", e->err) &&
             drop_in_stack(e, node, room, &rules) &&
             (fabs(left) < 0.05 || px_rule(e, &rules, "margin-left", left));
    }
    if (ok && picture->radius > 0) {
        ok = px_rule(e, &rules, "border-radius", picture->radius);
    }
    ok = ok && glmv_buf_append_str(&extra, " src=\"", e->err) &&
         put_address(e, node->scene_picture, &extra) &&
         glmv_buf_appendf(&extra, e->err, "\" alt=\"\" width=\"%d\" height=\"%d\"",
                          (int)picture->box.w, (int)picture->box.h);
    ok = ok && open_tag(e, "img", picture->kind == GLMV_PICTURE_PHOTO ? "photo" : "icon", &rules,
                        node->mark, extra.data);
    glmv_buf_release(&rules);
    glmv_buf_release(&extra);
    return ok;
}

/* --- containers
 * --------------------------------------------------------------------------------------------- */

static bool is_button(const struct emitter *e, const struct tracer_node *node)
{
    if (e->in_link || node->scene_box < 0 || node->child_count != 1 || node->box.h < 16 ||
        node->box.h > 70 || node->box.w > 420) {
        return false;
    }
    const struct tracer_node *child = node->children[0];
    double left = child->box.x - node->box.x;
    double right = right_of(node->box) - right_of(child->box);
    return child->kind == TRACER_TEXT && child->row_count == 1 && fabs(left - right) <= 6;
}

static const char *role_of(const struct emitter *e, const struct tracer_node *node)
{
    if (is_button(e, node)) {
        return "button";
    }
    if (node->scene_box < 0 && node->scene_picture < 0) {
        return node->kind == TRACER_ROW ? "row" : "group";
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

/* Three or more short texts side by side near the top or in a narrow column are navigation. */
static bool is_nav(const struct emitter *e, const struct tracer_node *node)
{
    if (e->in_link || node->kind != TRACER_ROW || node->child_count < 3 || node->box.y > 140 ||
        node->scene_box >= 0) {
        return false;
    }
    for (int i = 0; i < node->child_count; i++) {
        if (node->children[i]->kind != TRACER_TEXT || node->children[i]->row_count != 1) {
            return false;
        }
    }
    return true;
}

static bool emit_children(struct emitter *e, const struct tracer_node *node, struct room *inside)
{
    bool ok = true;
    e->indent++;
    for (int i = 0; ok && i < node->child_count; i++) {
        ok = emit_node(e, node->children[i], inside);
    }
    e->indent--;
    return ok;
}

static bool emit_layers(struct emitter *e, const struct tracer_node *node, struct room *room)
{
    struct glmv_buf rules;
    glmv_buf_init(&rules, RULES_MAX);
    bool ok = glmv_buf_append_str(&rules, "display: grid; grid-template-columns: minmax(0, 1fr); ",
                                  e->err) &&
              px_rule(e, &rules, "min-height", node->box.h);
    struct room inside = {.x = room->x, .w = room->w, .bottom = node->box.y};
    if (room->row) {
        ok = ok && place_in_row(e, node, node->box.x, room, &rules) &&
             px_rule(e, &rules, "width", node->box.w);
        inside.x = node->box.x;
        inside.w = node->box.w;
        room->right = right_of(node->box);
    } else {
        ok = ok && drop_in_stack(e, node, room, &rules);
    }
    ok = ok && open_tag(e, e->in_link ? "span" : "div", "layers", &rules, node->mark, "");
    e->indent++;
    const struct tracer_node *layer = node->children[node->child_count - 1];
    glmv_buf_init(&rules, RULES_MAX);
    ok = ok && glmv_buf_append_str(&rules, "grid-area: 1 / 1; place-self: start; ", e->err) &&
         px_rule(e, &rules, "margin-left", layer->box.x - inside.x) &&
         px_rule(e, &rules, "margin-top", layer->box.y - node->box.y) &&
         px_rule(e, &rules, "width", layer->box.w) &&
         glmv_buf_append_str(&rules, "max-width: 100%; ", e->err) &&
         open_tag(e, "div", "layer", &rules, -1, "");
    struct room alone = {.x = layer->box.x, .w = layer->box.w, .bottom = layer->box.y};
    e->indent++;
    ok = ok && emit_node(e, layer, &alone);
    e->indent--;
    ok = ok && new_line(e) && put(e, "</div>");
    glmv_buf_init(&rules, RULES_MAX);
    ok = ok &&
         glmv_buf_append_str(&rules, "grid-area: 1 / 1; min-width: 0; display: flow-root;",
                             e->err) &&
         open_tag(e, "div", "over", &rules, -1, "");
    e->indent++;
    for (int i = 0; ok && i + 1 < node->child_count; i++) {
        ok = emit_node(e, node->children[i], &inside);
    }
    e->indent--;
    ok = ok && new_line(e) && put(e, "</div>");
    e->indent--;
    return ok && new_line(e) &&
           glmv_buf_appendf(&e->body, e->err, "</%s>", e->in_link ? "span" : "div");
}

/* Paint and size of a container that is a measured box or photo. */
static bool surface_rules(struct emitter *e, const struct tracer_node *node, struct glmv_buf *rules)
{
    bool ok = px_rule(e, rules, "min-height", node->box.h);
    if (node->scene_box >= 0) {
        ok = ok &&
             tracer_paint_rules(&e->sheet, &e->draft->scene->boxes[node->scene_box], rules, e->err);
    }
    if (node->scene_picture >= 0) {
        ok = ok && glmv_buf_append_str(rules, "background: url(", e->err) &&
             put_address(e, node->scene_picture, rules) &&
             glmv_buf_append_str(rules, ") 0 0 no-repeat; ", e->err);
    }
    return ok;
}

/* What is inside the borders. */
static struct room inner_room(const struct emitter *e, const struct tracer_node *node)
{
    struct room inside = {.x = node->box.x, .w = node->box.w, .bottom = node->box.y};
    if (node->scene_box >= 0) {
        const struct glmv_scene_border *b = e->draft->scene->boxes[node->scene_box].border;
        inside.x += b[GLMV_LEFT].width;
        inside.w -= b[GLMV_LEFT].width + b[GLMV_RIGHT].width;
        inside.bottom += b[GLMV_TOP].width;
    }
    return inside;
}

static bool container_place(struct emitter *e, const struct tracer_node *node, struct room *room,
                            double x, double w, struct glmv_buf *rules)
{
    if (room->row) {
        bool ok = place_in_row(e, node, x, room, rules) &&
                  glmv_buf_append_str(rules, "flex: 0 1 ", e->err) && tracer_px(w, rules, e->err) &&
                  glmv_buf_append_str(rules, "; min-width: 0; ", e->err);
        room->right = x + w;
        return ok;
    }
    return place_block(e, node, room, rules);
}

static bool emit_container(struct emitter *e, const struct tracer_node *node, struct room *room,
                           double x, double w)
{
    struct glmv_buf rules;
    glmv_buf_init(&rules, RULES_MAX);
    bool surface = node->scene_box >= 0 || node->scene_picture >= 0;
    bool button = is_button(e, node);
    bool nav = is_nav(e, node);
    const char *tag = button ? "a" : nav ? "nav" : e->in_link ? "span" : "div";
    struct room inside =
        surface ? inner_room(e, node) : (struct room){.x = x, .w = w, .bottom = node->box.y};
    bool ok = glmv_buf_append_str(
        &rules,
        node->kind == TRACER_ROW ? "display: flex; flex-wrap: var(--row); align-items: flex-start; "
                                 : "display: flow-root; ",
        e->err);
    if (surface) {
        ok = ok && surface_rules(e, node, &rules) && container_place(e, node, room, x, w, &rules);
    } else if (room->row) {
        ok = ok && container_place(e, node, room, x, w, &rules);
    } else {
        ok = ok && drop_in_stack(e, node, room, &rules);
    }
    inside.row = node->kind == TRACER_ROW;
    inside.right = inside.x;
    inside.top = inside.bottom;
    ok = ok && open_tag(e, tag, nav ? "nav" : role_of(e, node), &rules, node->mark,
                        button ? " href=\"#\"" : "");
    bool was = e->in_link;
    e->in_link = was || button;
    ok = ok && emit_children(e, node, &inside);
    e->in_link = was;
    return ok && (node->child_count == 0 || new_line(e)) &&
           glmv_buf_appendf(&e->body, e->err, "</%s>", tag);
}

static bool emit_node(struct emitter *e, const struct tracer_node *node, struct room *room)
{
    if (node->kind == TRACER_TEXT) {
        return emit_text(e, node, room);
    }
    if (node->kind == TRACER_PICTURE) {
        return emit_picture(e, node, room);
    }
    if (node->kind == TRACER_LAYERS) {
        return emit_layers(e, node, room);
    }
    bool surface = node->scene_box >= 0 || node->scene_picture >= 0;
    double x = surface || room->row ? node->box.x : room->x;
    double w = surface || room->row ? node->box.w : room->w;
    if (room->row && !surface) { /* a cell: text in it may come out a little wider */
        double before = fmax(0, node->box.x - room->right);
        double slack = fmin(CELL_SLACK, before / 2);
        double end = fmin(room->x + room->w, right_of(node->box) + CELL_SLACK / 2);
        x -= slack;
        w = end - x;
    }
    return emit_container(e, node, room, x, w);
}

/* --- the document
 * ------------------------------------------------------------------------------------------- */

/* The font size that most letters have. */
static double common_size(const struct glmv_scene *s)
{
    double best = 16;
    size_t most = 0;
    for (size_t i = 0; i < s->line_count; i++) {
        size_t letters = 0;
        for (size_t k = 0; k < s->line_count; k++) {
            if (fabs(s->lines[k].font_px - s->lines[i].font_px) < 0.5) {
                letters += strlen(s->lines[k].text);
            }
        }
        if (letters > most) {
            most = letters;
            best = s->lines[i].font_px;
        }
    }
    return best > 0 ? best : 16;
}

static const char *title_of(const struct glmv_draft *draft)
{
    const struct glmv_scene *s = draft->scene;
    if (draft->options.title != NULL) {
        return draft->options.title;
    }
    const struct glmv_scene_line *best = NULL;
    for (size_t i = 0; i < s->line_count; i++) {
        if (strlen(s->lines[i].text) > 2 &&
            (best == NULL || s->lines[i].font_px > best->font_px * 1.05)) {
            best = &s->lines[i];
        }
    }
    return best != NULL ? best->text : "Page";
}

/* The first and the last child become header and footer where they look like them; the rest is
 * main. */
static bool emit_landmarks(struct emitter *e, const struct tracer_node *root, struct room *room)
{
    int first = 0;
    int last = root->child_count;
    double height = e->draft->scene->height;
    if (root->kind == TRACER_STACK && root->child_count >= 3) {
        const struct tracer_node *top = root->children[0];
        const struct tracer_node *end = root->children[last - 1];
        first = top->kind != TRACER_TEXT && top->box.y < 40 && top->box.h < 160;
        last -= end->box.y > height * 0.7 && end->box.h < 320;
    }
    struct part {
        const char *tag;
        int from, to;
    } parts[] = {{"header", 0, first}, {"main", first, last}, {"footer", last, root->child_count}};
    bool ok = true;
    for (int k = 0; ok && k < 3; k++) {
        if (parts[k].from == parts[k].to) {
            continue;
        }
        ok = new_line(e) && glmv_buf_appendf(&e->body, e->err, "<%s>", parts[k].tag);
        e->indent++;
        for (int i = parts[k].from; ok && i < parts[k].to; i++) {
            ok = emit_node(e, root->children[i], room);
        }
        e->indent--;
        ok = ok && new_line(e) && glmv_buf_appendf(&e->body, e->err, "</%s>", parts[k].tag);
    }
    return ok;
}

static bool emit_body(struct emitter *e)
{
    const struct tracer_node *root = e->draft->tree;
    struct room room = {.x = 0, .w = e->draft->scene->width};
    e->indent = 1;
    if (root->kind == TRACER_STACK) {
        return emit_landmarks(e, root, &room);
    }
    struct glmv_buf none;
    glmv_buf_init(&none, RULES_MAX);
    bool ok = open_tag(e, "main", "main", &none, -1, "");
    e->indent++;
    ok = ok && emit_container(e, root, &room, 0, room.w);
    e->indent--;
    return ok && new_line(e) && put(e, "</main>");
}

static bool write_document(struct emitter *e, struct glmv_buf *out)
{
    const struct glmv_scene *s = e->draft->scene;
    struct glmv_buf base;
    glmv_buf_init(&base, RULES_MAX);
    bool ok =
        glmv_buf_append_str(&base, "body { margin: 0; display: flow-root; background: ", e->err) &&
        tracer_sheet_color(&e->sheet, s->background, &base, e->err) &&
        glmv_buf_appendf(&base, e->err, "; min-height: %dpx; }\n", s->height) &&
        glmv_buf_append_str(
            &base,
            "*, *::before, *::after { box-sizing: border-box; }\n"
            "header, main, footer { display: flow-root; }\n"
            "p, pre, h1, h2, h3, h4, h5, h6 { margin: 0; overflow-wrap: anywhere; }\n"
            "pre { white-space: pre-wrap; }\n"
            "a { color: inherit; text-decoration: none; }\n"
            "img { max-width: 100%; }\n",
            e->err) &&
        glmv_buf_appendf(&base, e->err,
                         ":root { --row: nowrap; --text: max-content; }\n"
                         "@media (max-width: %.0fpx) { :root { --row: wrap; --text: 0; } }\n",
                         NARROW * s->width);
    ok = ok &&
         glmv_buf_appendf(out, e->err,
                          "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
                          s->lang[0] != '\0' ? s->lang : "en") &&
         glmv_buf_append_str(
             out,
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
             e->err);
    struct glmv_buf body = e->body;
    glmv_buf_init(&e->body, BODY_MAX);
    ok = ok && put_text(e, title_of(e->draft)) &&
         glmv_buf_append(out, e->body.data, e->body.len, e->err);
    glmv_buf_release(&e->body);
    e->body = body;
    ok = ok && glmv_buf_append_str(out, "</title>\n<style>\n", e->err) &&
         tracer_sheet_write(&e->sheet, out, e->err) &&
         glmv_buf_append(out, base.data, base.len, e->err) &&
         glmv_buf_append_str(out, "</style>\n</head>\n<body>", e->err) &&
         glmv_buf_append(out, e->body.data, e->body.len, e->err) &&
         glmv_buf_append_str(out, "\n</body>\n</html>\n", e->err);
    glmv_buf_release(&base);
    return ok;
}

bool tracer_emit(const struct glmv_draft *draft, bool marks, struct glmv_buf *out,
                 struct glmv_err *err)
{
    struct emitter e = {
        .draft = draft, .err = err, .marks = marks, .text_px = common_size(draft->scene)};
    glmv_buf_init(&e.body, BODY_MAX);
    bool ok = emit_body(&e) && write_document(&e, out);
    tracer_sheet_release(&e.sheet);
    glmv_buf_release(&e.body);
    return ok;
}
