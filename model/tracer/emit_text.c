/* Paragraphs, headings, code and the runs in them. */
#include "model/tracer/roles.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHROMATIC 40 /* levels between the channels of a colour that is no grey */

static bool is_heading(const struct tracer_emitter *e, const struct tracer_node *node)
{
    const struct glmv_scene_line *line = &e->draft->scene->lines[node->main];
    double ratio = line->font_px / e->text_px;
    return !e->in_link && !e->in_nav && !e->in_list && !e->in_head && node->row_count <= 3 &&
           strlen(line->text) > 1 && (ratio >= 1.3 || (ratio >= 1.1 && line->weight >= 600));
}

/* Levels follow size, start at 1 once, and never skip one downwards. */
static int heading_level(struct tracer_emitter *e, const struct tracer_node *node)
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

/* Whether a run looks as the paragraph does, so that it needs no element of its own. Code has one
 * face in one size. */
static bool plain_run(const struct tracer_emitter *e, const struct tracer_node *node, int i)
{
    int run = node->runs[i];
    const struct glmv_scene_line *a = &e->draft->scene->lines[node->main];
    const struct glmv_scene_line *b = &e->draft->scene->lines[run];
    bool coloured = a->color != b->color || a->weight != b->weight || a->italic != b->italic;
    return node->chips[i] < 0 &&
           (run == node->main ||
            (!coloured && (node->code || (a->underline == b->underline && a->strike == b->strike &&
                                          a->family == b->family &&
                                          fabs(a->font_px - b->font_px) < 0.08 * a->font_px))));
}

/* The surface of words in running text. It reaches as far from their letters as was measured, and
 * moves no line. */
static bool chip_rules(struct tracer_emitter *e, const struct tracer_node *node, int i,
                       struct glmv_buf *rules)
{
    if (node->chips[i] < 0) {
        return true;
    }
    const struct glmv_scene_line *line = &e->draft->scene->lines[node->runs[i]];
    const struct glmv_scene_box *chip = &e->draft->scene->boxes[node->chips[i]];
    const struct glmv_scene_border *b = chip->border;
    double ascent;
    double descent;
    tracer_font_metrics(line->font, line->family, &ascent, &descent);
    double letters = line->baseline - round(ascent * line->font_px);
    double top = letters - chip->box.y - b[GLMV_TOP].width;
    letters = line->baseline + round(descent * line->font_px);
    double bottom = chip->box.y + chip->box.h - b[GLMV_BOTTOM].width - letters;
    double aside = chip->box.w - b[GLMV_LEFT].width - b[GLMV_RIGHT].width - line->advance;
    return glmv_buf_append_str(rules, " ", e->err) &&
           tracer_paint_rules(&e->sheet, chip, rules, e->err) &&
           glmv_buf_appendf(rules, e->err, "padding: %.4gpx %.4gpx %.4gpx; ", fmax(top, 0),
                            fmax(aside / 2, 0), fmax(bottom, 0));
}

/* A part of code that is coloured or bold by its syntax. */
static bool put_token(struct tracer_emitter *e, const struct tracer_node *node, int i)
{
    int run = node->runs[i];
    const struct glmv_scene_line *a = &e->draft->scene->lines[node->main];
    const struct glmv_scene_line *b = &e->draft->scene->lines[run];
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    bool ok = glmv_buf_append_str(&rules, "color: ", e->err) &&
              tracer_sheet_color(&e->sheet, b->color, &rules, e->err) &&
              glmv_buf_append_str(&rules, ";", e->err) &&
              (a->weight == b->weight ||
               glmv_buf_appendf(&rules, e->err, " font-weight: %d;", b->weight)) &&
              (a->italic == b->italic || glmv_buf_appendf(&rules, e->err, " font-style: %s;",
                                                          b->italic ? "italic" : "normal")) &&
              chip_rules(e, node, i, &rules);
    ok = ok && tracer_open_run(e, "span", "token", &rules, "") && tracer_put_text(e, b->text) &&
         tracer_put(e, "</span>");
    glmv_buf_release(&rules);
    return ok;
}

/* What a run of its paragraph's face and size differs in. An element may say the weight or the
 * slant already. */
static bool run_rules(struct tracer_emitter *e, const struct glmv_scene_line *a,
                      const struct glmv_scene_line *b, const char *tag, struct glmv_buf *rules)
{
    bool strong = strcmp(tag, "strong") == 0 && a->weight < 600 && b->weight == 700;
    bool em = strcmp(tag, "em") == 0 && !a->italic;
    return (a->weight == b->weight || strong ||
            glmv_buf_appendf(rules, e->err, "font-weight: %d; ", b->weight)) &&
           (a->italic == b->italic || em ||
            glmv_buf_appendf(rules, e->err, "font-style: %s; ", b->italic ? "italic" : "normal")) &&
           (a->color == b->color || (glmv_buf_append_str(rules, "color: ", e->err) &&
                                     tracer_sheet_color(&e->sheet, b->color, rules, e->err) &&
                                     glmv_buf_append_str(rules, "; ", e->err))) &&
           (!(b->underline || b->strike) || (strcmp(tag, "s") == 0 && !b->underline) ||
            glmv_buf_appendf(rules, e->err, "text-decoration:%s%s; ",
                             b->underline ? " underline" : "", b->strike ? " line-through" : ""));
}

/* Links have a colour; a shade of grey sets words off. */
static bool is_chromatic(uint32_t color)
{
    int most = 0;
    int least = 255;
    for (int shift = 8; shift < 32; shift += 8) {
        int level = (int)(color >> shift & 255);
        most = level > most ? level : most;
        least = level < least ? level : least;
    }
    return most - least >= CHROMATIC;
}

/* A run of other type: strong, em or a where that is what it is. */
static bool put_run(struct tracer_emitter *e, const struct tracer_node *node, int i)
{
    int run = node->runs[i];
    const struct glmv_scene_line *a = &e->draft->scene->lines[node->main];
    const struct glmv_scene_line *b = &e->draft->scene->lines[run];
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    bool coloured =
        b->color != a->color && is_chromatic(b->color) && b->weight == a->weight && !b->strike;
    bool chip = node->chips[i] >= 0;
    bool code = b->family == GLMV_FAMILY_MONO && (chip || a->family != GLMV_FAMILY_MONO);
    bool link = !e->in_link && !e->in_nav && (b->underline || (coloured && !(chip && code)));
    bool small = b->font_px < 0.92 * a->font_px && b->weight <= a->weight;
    const char *tag = link                    ? "a"
                      : b->strike             ? "s"
                      : code                  ? "code"
                      : b->weight > a->weight ? "strong"
                      : b->italic             ? "em"
                      : small                 ? "small"
                                              : "span";
    /* No higher than its letters where its size is its own, or the line that it stands in would
     * grow. */
    bool alike = strcmp(a->font, b->font) == 0 && fabs(a->font_px - b->font_px) < 0.08 * a->font_px;
    bool ok = alike ? run_rules(e, a, b, tag, &rules)
                    : tracer_type_rules(&e->sheet, b, &e->draft->types[run], 0, &rules, e->err);
    ok = ok && chip_rules(e, node, i, &rules);
    const char *role = link ? "link" : strcmp(tag, "span") == 0 ? "accent" : tag;
    ok = ok && tracer_open_run(e, tag, role, &rules, link ? " href=\"#\"" : "") &&
         tracer_put_text(e, b->text) && glmv_buf_appendf(&e->body, e->err, "</%s>", tag);
    glmv_buf_release(&rules);
    return ok;
}

/* The blanks that bring a line of code to its place, or that stand between two runs of one. */
static bool put_blanks(struct tracer_emitter *e, const struct tracer_node *node, int i)
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
    /* Ink begins and ends a little inside of its characters. */
    double inset = i > 0 && same_row ? 0.35 : 0;
    int blanks = (int)lround((line->ink.x - from) / wide - inset);
    bool ok = true;
    for (int row = i == 0 ? node->rows[0] : node->rows[i - 1]; ok && row < node->rows[i]; row++) {
        ok = tracer_put(e, "\n");
    }
    for (int k = 0; ok && k < blanks; k++) {
        ok = tracer_put(e, " ");
    }
    return ok;
}

/* The ink of a run, or what lies behind it. */
static struct glmv_box run_box(const struct tracer_emitter *e, const struct tracer_node *node,
                               int i)
{
    const struct glmv_scene *s = e->draft->scene;
    return node->chips[i] >= 0 ? s->boxes[node->chips[i]].box : s->lines[node->runs[i]].ink;
}

bool tracer_put_lines(struct tracer_emitter *e, const struct tracer_node *node)
{
    const struct glmv_scene *s = e->draft->scene;
    bool ok = true;
    for (int i = 0; ok && i < node->run_count; i++) {
        const struct glmv_scene_line *line = &s->lines[node->runs[i]];
        if (node->code && !e->in_link) {
            ok = put_blanks(e, node, i);
        } else if (node->hard && i > 0 && node->rows[i] != node->rows[i - 1]) {
            ok = tracer_put(e, "<br>");
        } else if (i > 0) {
            const struct glmv_scene_line *before = &s->lines[node->runs[i - 1]];
            struct glmv_box from = run_box(e, node, i - 1);
            double gap = run_box(e, node, i).x - from.x - from.w;
            bool same_row = node->rows[i] == node->rows[i - 1];
            bool tight = same_row ? gap < 0.12 * line->font_px : cjk_end(before->text);
            ok = tight || tracer_put(e, " ");
        }
        ok = ok && (plain_run(e, node, i)       ? tracer_put_text(e, line->text)
                    : node->code && !e->in_link ? put_token(e, node, i)
                                                : put_run(e, node, i));
    }
    return ok;
}

/* The width of one line of a paragraph, and that of the first word of the next; -1 without one. */
static double row_width(const struct tracer_emitter *e, const struct tracer_node *node, int row,
                        double *next_word)
{
    const struct glmv_scene *s = e->draft->scene;
    double left = 1e9;
    double right = 0;
    *next_word = -1;
    for (int i = 0; i < node->run_count; i++) {
        const struct glmv_scene_line *line = &s->lines[node->runs[i]];
        if (node->rows[i] == row) {
            struct glmv_box box = run_box(e, node, i);
            left = fmin(left, box.x);
            right = fmax(right, box.x + box.w);
        } else if (node->rows[i] == row + 1 && *next_word < 0) {
            *next_word = line->word_count > 0 ? line->words[0].ink.w : line->ink.w;
        }
    }
    return right - left;
}

/* The width at which a paragraph wraps as it was measured: past its widest line, before any next
 * word fits. */
static double wrap_width(const struct tracer_emitter *e, const struct tracer_node *node)
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
    if (node->code) { /* with what its lines are indented by */
        return node->box.w + e->draft->scene->lines[node->main].font_px;
    }
    if (node->hard) {
        return least + e->draft->scene->lines[node->main].font_px;
    }
    return most > least ? (least + fmin(most, least + 24)) / 2 : least + 2;
}

/* Some engines, WebKit is one, cut the height of a line to whole px: what follows a paragraph
 * stands at the same place all the same. While rounds go on its height tells how many lines it has,
 * so the difference is added below it then. */
static bool keep_height(struct tracer_emitter *e, const struct tracer_node *node,
                        struct glmv_buf *rules)
{
    double rest = node->pitch - floor(node->pitch);
    if (node->row_count < 2 || rest < 0.01) {
        return true;
    }
    return e->marks ? tracer_px_rule(e, rules, "padding-bottom", rest * node->row_count)
                    : tracer_px_rule(e, rules, "min-height", node->pitch * node->row_count);
}

/* A paragraph of several lines: as wide as makes it wrap as measured. */
static bool paragraph_place(struct tracer_emitter *e, const struct tracer_node *node,
                            struct tracer_room *room, struct glmv_buf *rules)
{
    double width = wrap_width(e, node) + e->draft->types[node->first].wrap;
    double more = width - node->box.w;
    double left = node->box.x - room->x;
    double right = room->x + room->w - tracer_right(node->box);
    /* What it is wider than its ink lies on the side that its lines do not keep to. */
    double before = node->centered ? more / 2 : node->flush ? more : 0;
    const char *align = node->centered ? "center" : "right";
    bool ok = (!node->centered && !node->flush) ||
              glmv_buf_appendf(rules, e->err, "text-align: %s; ", align);
    if (room->row) {
        ok = ok && tracer_place_in_row(e, node, node->box.x - before, room, rules) &&
             tracer_px_rule(e, rules, "width", width);
        room->right = node->box.x - before + width;
        return ok;
    }
    ok = ok && tracer_drop(e, node, room, rules) && tracer_px_rule(e, rules, "max-width", width);
    if (node->centered && fabs(left - right) <= 4 && left > 6) {
        return ok && glmv_buf_append_str(rules, "margin-inline: auto; ", e->err);
    }
    if (node->flush && right >= 0 && right < left) {
        return ok && glmv_buf_append_str(rules, "margin-left: auto; ", e->err) &&
               (right < 0.05 || tracer_px_rule(e, rules, "margin-right", right));
    }
    return ok && tracer_indent(e, room, left - before, rules);
}

static bool text_place(struct tracer_emitter *e, const struct tracer_node *node,
                       struct tracer_room *room, struct glmv_buf *rules)
{
    if (node->row_count > 1 && (room->row || !node->code)) {
        return paragraph_place(e, node, room, rules);
    }
    double left = node->box.x - room->x;
    double right = room->x + room->w - tracer_right(node->box);
    if (room->row) {
        bool ok = tracer_place_in_row(e, node, node->box.x, room, rules);
        room->right = tracer_right(node->box);
        return ok;
    }
    bool ok = tracer_drop(e, node, room, rules);
    if (fabs(left - right) <= 4 && left > 6 && !node->code) {
        return ok && glmv_buf_append_str(rules, "text-align: center; ", e->err) &&
               (fabs(left - right) < 0.3 ||
                tracer_px_rule(e, rules, "padding-left", fmax(left - right, 0)));
    }
    if (!node->code && right >= -1 && left > room->w * 0.6 && right < 0.1 * room->w) {
        return ok && glmv_buf_append_str(rules, "text-align: right; ", e->err) &&
               (right < 0.05 || tracer_px_rule(e, rules, "margin-right", right));
    }
    return ok && tracer_indent(e, room, left, rules);
}

/* A link that looks as what it stands in does. */
static bool open_link(struct tracer_emitter *e)
{
    struct glmv_buf none;
    glmv_buf_init(&none, TRACER_RULES_MAX);
    return tracer_open_run(e, "a", "link", &none, " href=\"#\"");
}

bool tracer_emit_text(struct tracer_emitter *e, const struct tracer_node *node,
                      struct tracer_room *room)
{
    const struct glmv_scene_line *line = &e->draft->scene->lines[node->main];
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    char tag[16] = "p";
    if (e->in_link) {
        snprintf(tag, sizeof tag, "span");
    } else if (node->code) {
        snprintf(tag, sizeof tag, "pre");
    } else if (e->in_nav || e->in_list) {
        snprintf(tag, sizeof tag, e->in_nav ? "a" : "li");
    } else if (is_heading(e, node)) {
        snprintf(tag, sizeof tag, "h%d", heading_level(e, node));
    }
    bool ok = tracer_type_rules(&e->sheet, line, &e->draft->types[node->main], node->pitch, &rules,
                                e->err) &&
              (!node->code || node->row_count > 1 ||
               glmv_buf_append_str(&rules, "flex: none; ", e->err)) &&
              keep_height(e, node, &rules) && text_place(e, node, room, &rules);
    ok = ok && tracer_open(e, tag,
                           tag[0] == 'h' ? "heading"
                           : node->code  ? "code"
                           : e->in_nav   ? "nav-link"
                           : e->in_list  ? "entry"
                           : e->in_link  ? "label"
                                         : "text",
                           &rules, node, e->in_nav ? " href=\"#\"" : "");
    if (ok && node->row_count > 1 && !node->code) {
        e->elements.list[e->elements.count - 1].layout = "paragraph";
    }
    bool was = e->in_link;
    bool link = (e->in_list && e->linked) ||
                ((tag[0] == 'p' || tag[0] == 'l') && !node->code && tracer_is_link(e, node));
    e->in_link = was || link;
    ok = ok && (!link || open_link(e)) && tracer_put_lines(e, node) &&
         (!link || tracer_put(e, "</a>"));
    e->in_link = was;
    return ok && glmv_buf_appendf(&e->body, e->err, "</%s>", tag);
}
