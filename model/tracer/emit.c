#include "model/tracer/emit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/roles.h"

#define WIDE_GAP 64.0 /* px */
#define TITLE_CONFIDENCE 60
#define CELL_SLACK 12.0 /* px a cell may be wider than its content on each side */

/* --- small pieces
 * ------------------------------------------------------------------------------------------- */

bool tracer_put(struct tracer_emitter *e, const char *text)
{
    return glmv_buf_append_str(&e->body, text, e->err);
}

bool tracer_put_text(struct tracer_emitter *e, const char *text)
{
    bool ok = true;
    for (const char *p = text; ok && *p != '\0'; p++) {
        const char *entity = *p == '&'   ? "&amp;"
                             : *p == '<' ? "&lt;"
                             : *p == '>' ? "&gt;"
                             : *p == '"' ? "&quot;"
                                         : NULL;
        ok = entity != NULL ? tracer_put(e, entity) : glmv_buf_append(&e->body, p, 1, e->err);
    }
    return ok;
}

bool tracer_new_line(struct tracer_emitter *e)
{
    return glmv_buf_appendf(&e->body, e->err, "\n%*s", e->indent * 2, "");
}

bool tracer_px_rule(struct tracer_emitter *e, struct glmv_buf *rules, const char *name,
                    double value)
{
    return glmv_buf_appendf(rules, e->err, "%s: ", name) && tracer_px(value, rules, e->err) &&
           glmv_buf_append_str(rules, "; ", e->err);
}

/* An element at the end of the body. Takes the rules' memory. */
static bool put_tag(struct tracer_emitter *e, const char *tag, const char *role, int depth,
                    struct glmv_buf *rules, const struct tracer_node *node, const char *extra)
{
    struct tracer_element *element = tracer_element_add(&e->elements, tag, role, depth);
    bool ok = (element != NULL || glmv_fail_memory(e->err)) &&
              glmv_buf_appendf(&e->body, e->err, "<%s", tag) &&
              tracer_element_declare(element, rules->data, e->err);
    glmv_buf_release(rules);
    if (!ok) {
        return false;
    }
    element->at = e->body.len;
    element->node = node;
    if (node != NULL) {
        element->box = node->box;
    }
    if (e->marks && node != NULL) {
        ok = glmv_buf_appendf(&e->body, e->err, " data-glmv=\"%d\"", node->mark);
    }
    return ok && tracer_put(e, extra) && tracer_put(e, ">");
}

bool tracer_open(struct tracer_emitter *e, const char *tag, const char *role,
                 struct glmv_buf *rules, const struct tracer_node *node, const char *extra)
{
    if (!tracer_new_line(e)) {
        glmv_buf_release(rules);
        return false;
    }
    return put_tag(e, tag, role, e->indent, rules, node, extra);
}

bool tracer_open_run(struct tracer_emitter *e, const char *tag, const char *role,
                     struct glmv_buf *rules, const char *extra)
{
    return put_tag(e, tag, role, e->indent + 1, rules, NULL, extra);
}

bool tracer_open_plain(struct tracer_emitter *e, const char *tag, const char *role)
{
    struct glmv_buf none;
    glmv_buf_init(&none, TRACER_RULES_MAX);
    return tracer_open(e, tag, role, &none, NULL, "");
}

void tracer_lays_out(struct tracer_emitter *e, const char *layout, const struct tracer_room *room,
                     double bottom)
{
    struct tracer_element *last = &e->elements.list[e->elements.count - 1];
    last->layout = layout;
    last->inside = (struct glmv_box){room->x, room->bottom, room->w, bottom - room->bottom};
    if (last->node == NULL) {
        last->box = last->inside;
    }
}

/* --- places: margins that put a node where it belongs
 * ------------------------------------------------------- */

/* Pages are made of whole px to the side: what is measured next to one is one. */
static double whole_if_near(double px)
{
    return fabs(px - round(px)) < 0.1 ? round(px) : px;
}

/* Of a room's width, in hundredths of a percent. */
static double share(double px, const struct tracer_room *room)
{
    return round(1e4 * px / room->w) / 100;
}

bool tracer_place_in_row(struct tracer_emitter *e, const struct tracer_node *node, double x,
                         struct tracer_room *room, struct glmv_buf *rules)
{
    double gap = whole_if_near(x - room->right);
    double drop = node->box.y - room->top;
    /* A wide gap is a share of the room, so that it shrinks with the page. */
    bool wide = gap > WIDE_GAP && room->w > gap;
    bool ok = (wide ? glmv_buf_appendf(rules, e->err, "margin-left: %.10g%%; ", share(gap, room))
                    : fabs(gap) < 0.05 || tracer_px_rule(e, rules, "margin-left", gap)) &&
              (fabs(drop) < 0.05 || tracer_px_rule(e, rules, "margin-top", drop));
    return ok;
}

bool tracer_drop(struct tracer_emitter *e, const struct tracer_node *node, struct tracer_room *room,
                 struct glmv_buf *rules)
{
    double drop = node->box.y - room->bottom;
    room->bottom = node->box.y + node->box.h;
    return fabs(drop) < 0.05 || tracer_px_rule(e, rules, "margin-top", drop);
}

bool tracer_indent(struct tracer_emitter *e, const struct tracer_room *room, double left,
                   struct glmv_buf *rules)
{
    if (fabs(left) < 0.05) {
        return true;
    }
    return left > WIDE_GAP && left < room->w
               ? glmv_buf_appendf(rules, e->err, "margin-left: %.10g%%; ", share(left, room))
               : tracer_px_rule(e, rules, "margin-left", whole_if_near(left));
}

bool tracer_beside_indent(struct tracer_emitter *e, const struct tracer_room *room, double left,
                          double right, struct glmv_buf *rules)
{
    if (left < 0.05 || right < -0.05) { /* it sticks out of its room in the picture as well */
        return true;
    }
    return left > WIDE_GAP
               ? glmv_buf_appendf(rules, e->err, "max-width: %.10g%%; ", 100 - share(left, room))
               : glmv_buf_append_str(rules, "max-width: calc(100% - ", e->err) &&
                     tracer_px(left, rules, e->err) && glmv_buf_append_str(rules, "); ", e->err);
}

/* A block of its own width in a stack: at the left, in the middle or at the right of the room. */
static bool place_block(struct tracer_emitter *e, const struct tracer_node *node,
                        struct tracer_room *room, struct glmv_buf *rules)
{
    double left = node->box.x - room->x;
    double right = room->x + room->w - tracer_right(node->box);
    bool ok = tracer_drop(e, node, room, rules);
    /* Buttons and fields are as wide as what they hold unless they are told. */
    bool told = tracer_is_button(e, node) || tracer_is_field(e, node);
    if (!ok || (fabs(left) < 0.6 && fabs(right) < 0.6)) {
        return ok && (!told || glmv_buf_append_str(rules, "width: 100%; ", e->err));
    }
    if (fabs(left - right) <= 2 && left > 0) {
        return tracer_px_rule(e, rules, "max-width", node->box.w) &&
               glmv_buf_append_str(rules, "width: 100%; margin-inline: auto; ", e->err);
    }
    if (fabs(right) < 0.6 && left > 0 && !told) {
        return tracer_indent(e, room, left, rules);
    }
    bool far_right = right >= 0 && left > room->w * 0.5 && right < left * 0.25;
    ok = tracer_px_rule(e, rules, "width", node->box.w);
    if (far_right) {
        return ok && tracer_beside_indent(e, room, right, left, rules) &&
               glmv_buf_append_str(rules, "margin-left: auto; ", e->err) &&
               (right < 0.6 || tracer_px_rule(e, rules, "margin-right", right));
    }
    return ok && tracer_beside_indent(e, room, left, right, rules) &&
           tracer_indent(e, room, left, rules);
}

/* --- containers ----------------------------------------------------------------------------------
 */

/* The children from one on, up to but not including another: tables, lists, and the rest. */
static bool emit_children(struct tracer_emitter *e, const struct tracer_node *node, int from,
                          int to, struct tracer_room *inside)
{
    bool ok = true;
    e->indent++;
    for (int i = from; ok && i < to;) {
        int records = tracer_emit_table(e, node, i, to, inside);
        ok = !e->failed;
        if (records > 0) {
            i += records;
            continue;
        }
        int links = inside->row ? tracer_menu_length(e, node, i, to) : 0;
        if (links > 0) {
            ok = tracer_emit_menu(e, node, i, links, inside);
            i += links;
            continue;
        }
        int entries = tracer_list_length(e, node, i, to);
        ok = entries == 0 ? tracer_emit_node(e, node->children[i], inside)
                          : tracer_emit_list(e, node, i, entries, inside);
        i += entries == 0 ? 1 : entries;
    }
    e->indent--;
    return ok;
}

/* Paint and size of a container that is a measured box or photo. */
static bool surface_rules(struct tracer_emitter *e, const struct tracer_node *node,
                          struct glmv_buf *rules)
{
    bool ok = tracer_px_rule(e, rules, "min-height", node->box.h);
    if (node->scene_box >= 0) {
        ok = ok &&
             tracer_paint_rules(&e->sheet, &e->draft->scene->boxes[node->scene_box], rules, e->err);
    }
    if (node->scene_picture >= 0) {
        /* The picture may have more px than the page shows. */
        const struct glmv_scene_picture *picture = &e->draft->scene->pictures[node->scene_picture];
        ok = ok && glmv_buf_append_str(rules, "background: url(", e->err) &&
             tracer_put_address(e, node->scene_picture, rules) &&
             glmv_buf_appendf(rules, e->err, ") 0 0 / %dpx %dpx no-repeat; ", (int)picture->box.w,
                              (int)picture->box.h);
    }
    return ok;
}

/* What is inside the borders. */
static struct tracer_room inner_room(const struct tracer_emitter *e, const struct tracer_node *node)
{
    struct tracer_room inside = {.x = node->box.x, .w = node->box.w, .bottom = node->box.y};
    if (node->scene_box >= 0) {
        const struct glmv_scene_border *b = e->draft->scene->boxes[node->scene_box].border;
        inside.x += b[GLMV_LEFT].width;
        inside.w -= b[GLMV_LEFT].width + b[GLMV_RIGHT].width;
        inside.bottom += b[GLMV_TOP].width;
    }
    return inside;
}

/* Where what is inside of the borders ends. */
double tracer_lower_edge(const struct tracer_emitter *e, const struct tracer_node *node)
{
    double border = node->scene_box >= 0
                        ? e->draft->scene->boxes[node->scene_box].border[GLMV_BOTTOM].width
                        : 0;
    return node->box.y + node->box.h - border;
}

bool tracer_place_container(struct tracer_emitter *e, const struct tracer_node *node,
                            struct tracer_room *room, double x, double w, struct glmv_buf *rules)
{
    if (room->row) {
        bool ok =
            tracer_place_in_row(e, node, x, room, rules) && tracer_px_rule(e, rules, "width", w);
        room->right = x + w;
        return ok;
    }
    return place_block(e, node, room, rules);
}

static bool emit_container(struct tracer_emitter *e, const struct tracer_node *node,
                           struct tracer_room *room, double x, double w)
{
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    bool surface = node->scene_box >= 0 || node->scene_picture >= 0;
    bool button = tracer_is_button(e, node);
    bool nav = tracer_is_nav(e, node);
    bool badge = !e->texts_apart && !e->in_list && tracer_is_badge(e, node);
    bool entry = e->in_list; /* what it holds is no entry of its own */
    bool side = !e->in_link && e->place != TRACER_SIDE && tracer_is_sidebar(e, node);
    enum tracer_place place = e->place;
    e->place = side ? TRACER_SIDE : place;
    char extra[40] = "";
    if (nav || (side && tracer_has_menu(e, node))) {
        tracer_nav_name(e, extra);
    }
    const char *tag = button             ? "button"
                      : extra[0] != '\0' ? "nav"
                      : e->in_link       ? "span"
                      : entry            ? "li"
                                         : "div";
    struct tracer_room inside =
        surface ? inner_room(e, node) : (struct tracer_room){.x = x, .w = w, .bottom = node->box.y};
    bool ok = !entry || glmv_buf_append_str(&rules, "min-width: 0; ", e->err);
    if (surface) {
        ok = ok && surface_rules(e, node, &rules) &&
             tracer_place_container(e, node, room, x, w, &rules);
    } else if (room->row) {
        ok = ok && tracer_place_container(e, node, room, x, w, &rules);
    } else {
        ok = ok && tracer_drop(e, node, room, &rules);
    }
    if (badge || (button && !e->texts_apart)) {
        return ok && (badge ? tracer_emit_badge(e, node, &inside, &rules)
                            : tracer_emit_button(e, node, &inside, &rules));
    }
    inside.row = node->kind == TRACER_ROW;
    inside.right = inside.x;
    inside.top = inside.bottom;
    ok = ok && tracer_open(e, tag,
                           nav     ? "nav"
                           : entry ? "entry"
                                   : tracer_role(e, node),
                           &rules, node, button ? " type=\"button\"" : extra);
    if (ok) {
        tracer_lays_out(e, inside.row && !nav ? "row" : NULL, &inside, tracer_lower_edge(e, node));
        struct tracer_element *last = &e->elements.list[e->elements.count - 1];
        last->box.x = x;
        last->box.w = w;
        last->grown = node->scene_box >= 0 ? e->draft->box_shift[node->scene_box].grown : 0;
    }
    bool was = e->in_link;
    bool listed = e->in_list;
    e->in_list = listed && !entry;
    e->in_link = was || button;
    e->in_nav = entry && e->linked;
    if (button) {
        /* Browsers centre what a button holds: a margin above moves it by half of itself. */
        const struct glmv_box *held = &node->children[0]->box;
        const struct glmv_scene_border *b = e->draft->scene->boxes[node->scene_box].border;
        double room_h = node->box.h - b[GLMV_TOP].width - b[GLMV_BOTTOM].width;
        double above = held->y - inside.bottom;
        /* No more than brings it to the lower edge, or the button would grow. */
        inside.bottom = held->y - fmin(2 * above - (room_h - held->h), room_h - held->h);
    }
    e->indent += nav;
    ok = ok && (nav ? tracer_emit_list(e, node, 0, node->child_count, &inside)
                    : emit_children(e, node, 0, node->child_count, &inside));
    e->indent -= nav;
    e->in_link = was;
    e->in_list = listed;
    e->in_nav = false;
    e->place = place;
    return ok && (node->child_count == 0 || tracer_new_line(e)) &&
           glmv_buf_appendf(&e->body, e->err, "</%s>", tag);
}

bool tracer_emit_node(struct tracer_emitter *e, const struct tracer_node *node,
                      struct tracer_room *room)
{
    if (node->kind == TRACER_TEXT) {
        return tracer_emit_text(e, node, room);
    }
    if (node->kind == TRACER_PICTURE) {
        return tracer_emit_picture(e, node, room);
    }
    if (node->kind == TRACER_LAYERS) {
        return tracer_emit_layers(e, node, room);
    }
    if (tracer_is_field(e, node) || tracer_tick(e, node) != NULL) {
        return tracer_emit_field(e, node, room);
    }
    bool surface = node->scene_box >= 0 || node->scene_picture >= 0;
    double x = surface || room->row ? node->box.x : room->x;
    double w = surface || room->row ? node->box.w : room->w;
    if (room->row && !surface) { /* a cell: text in it may come out a little wider */
        double before = fmax(0, node->box.x - room->right);
        double slack = fmin(CELL_SLACK, before / 2);
        double end = fmin(room->x + room->w, tracer_right(node->box) + CELL_SLACK / 2);
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
        if (strlen(s->lines[i].text) > 2 && s->lines[i].confidence >= TITLE_CONFIDENCE &&
            (best == NULL || s->lines[i].font_px > best->font_px * 1.05)) {
            best = &s->lines[i];
        }
    }
    return best != NULL ? best->text : "Page";
}

/* The first and the last child become header and footer where they look like them; the rest is
 * main. */
static bool emit_landmarks(struct tracer_emitter *e, const struct tracer_node *root,
                           struct tracer_room *room)
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
        const struct glmv_box *end = &root->children[parts[k].to - 1]->box;
        e->place = k == 0 ? TRACER_HEAD : k == 2 ? TRACER_FOOT : TRACER_BODY;
        ok = tracer_open_plain(e, parts[k].tag, parts[k].tag);
        if (ok) {
            tracer_lays_out(e, NULL, room, end->y + end->h);
        }
        ok = ok && emit_children(e, root, parts[k].from, parts[k].to, room) && tracer_new_line(e) &&
             glmv_buf_appendf(&e->body, e->err, "</%s>", parts[k].tag);
    }
    return ok;
}

static bool emit_body(struct tracer_emitter *e)
{
    const struct tracer_node *root = e->draft->tree;
    struct tracer_room room = {.x = 0, .w = e->draft->scene->width};
    e->indent = 1;
    if (root->kind == TRACER_STACK) {
        return emit_landmarks(e, root, &room);
    }
    bool ok = tracer_open_plain(e, "main", "main");
    if (ok) {
        tracer_lays_out(e, NULL, &room, root->box.y + root->box.h);
    }
    e->indent++;
    ok = ok && emit_container(e, root, &room, 0, room.w);
    e->indent--;
    return ok && tracer_new_line(e) && tracer_put(e, "</main>");
}

/* An HTML page's text in the head. */
static bool put_title(struct tracer_emitter *e, struct glmv_buf *out)
{
    struct glmv_buf body = e->body;
    glmv_buf_init(&e->body, TRACER_BODY_MAX);
    bool ok = tracer_put_text(e, title_of(e->draft)) &&
              glmv_buf_append(out, e->body.data, e->body.len, e->err);
    glmv_buf_release(&e->body);
    e->body = body;
    return ok;
}

/* The body with the classes of its elements. */
static bool put_body(const struct tracer_emitter *e, struct glmv_buf *out)
{
    size_t from = 0;
    bool ok = true;
    for (int i = 0; ok && i < e->elements.count; i++) {
        const struct tracer_element *element = &e->elements.list[i];
        if (element->classes != NULL) {
            ok = glmv_buf_append(out, e->body.data + from, element->at - from, e->err) &&
                 glmv_buf_appendf(out, e->err, " class=\"%s\"", element->classes);
            from = element->at;
        }
    }
    return ok && glmv_buf_append(out, e->body.data + from, e->body.len - from, e->err);
}

static bool write_document(struct tracer_emitter *e, struct glmv_buf *out)
{
    const char *lang = e->draft->scene->lang;
    return glmv_buf_appendf(out, e->err,
                            "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n"
                            "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                            "content=\"width=device-width, initial-scale=1\">\n<title>",
                            lang[0] != '\0' ? lang : "en") &&
           put_title(e, out) && glmv_buf_append_str(out, "</title>\n<style>\n", e->err) &&
           tracer_style_write(e, out) &&
           glmv_buf_append_str(out, "</style>\n</head>\n<body>", e->err) && put_body(e, out) &&
           glmv_buf_append_str(out, "\n</body>\n</html>\n", e->err);
}

bool tracer_emit(const struct glmv_draft *draft, bool marks, struct glmv_buf *out,
                 struct glmv_err *err)
{
    struct tracer_emitter e = {
        .draft = draft, .err = err, .marks = marks, .text_px = common_size(draft->scene)};
    e.texts_apart = marks || draft->texts_apart;
    e.sheet.lang = draft->scene->lang;
    glmv_buf_init(&e.body, TRACER_BODY_MAX);
    bool ok = tracer_scale_find(&e.sheet, draft, err) &&
              tracer_palette_find(&e.sheet, draft->scene, err) && emit_body(&e) &&
              write_document(&e, out);
    tracer_sheet_release(&e.sheet);
    tracer_elements_release(&e.elements);
    glmv_buf_release(&e.body);
    return ok;
}
