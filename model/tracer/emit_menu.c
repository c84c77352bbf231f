/* Lists, menus, and small things with a text right in them: buttons, badges. */
#include <math.h>
#include <stdio.h>

#include "model/tracer/roles.h"

#define OFF_CENTER 0.75 /* px that a button's text may be off the middle */

bool tracer_emit_list(struct tracer_emitter *e, const struct tracer_node *node, int from, int count,
                      struct tracer_room *inside)
{
    bool ok = tracer_open_plain(e, "ul", "list");
    if (ok) {
        const struct glmv_box *last = &node->children[from + count - 1]->box;
        tracer_lays_out(e, inside->row ? "row" : NULL, inside, last->y + last->h);
    }
    bool was = e->linked;
    e->linked = inside->row || e->place != TRACER_BODY;
    e->in_list = true;
    e->indent++;
    for (int i = from; ok && i < from + count; i++) {
        ok = tracer_emit_node(e, node->children[i], inside);
    }
    e->indent--;
    e->in_list = false;
    e->linked = was;
    return ok && tracer_new_line(e) && tracer_put(e, "</ul>");
}

/* A landmark for navigation has a name of its own, as a page may have several. */
void tracer_nav_name(struct tracer_emitter *e, char extra[40])
{
    const char *name = e->place == TRACER_SIDE   ? "Sidebar"
                       : e->place == TRACER_FOOT ? "Footer"
                                                 : "Main";
    e->navs++;
    if (e->navs == 1) {
        snprintf(extra, 40, " aria-label=\"%s\"", name);
    } else {
        snprintf(extra, 40, " aria-label=\"%s %d\"", name, e->navs);
    }
}

/* Texts side by side that are a menu: a list in a landmark, as wide as they are. */
bool tracer_emit_menu(struct tracer_emitter *e, const struct tracer_node *node, int from, int count,
                      struct tracer_room *room)
{
    struct tracer_node menu = {.box = node->children[from]->box};
    const struct glmv_box *last = &node->children[from + count - 1]->box;
    for (int i = from; i < from + count; i++) {
        double bottom =
            fmax(menu.box.y + menu.box.h, node->children[i]->box.y + node->children[i]->box.h);
        menu.box.y = fmin(menu.box.y, node->children[i]->box.y);
        menu.box.h = bottom - menu.box.y;
    }
    menu.box.w = tracer_right(*last) - menu.box.x;
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    char extra[40];
    tracer_nav_name(e, extra);
    struct tracer_room inside = {.x = menu.box.x,
                                 .w = menu.box.w,
                                 .bottom = menu.box.y,
                                 .right = menu.box.x,
                                 .row = true,
                                 .top = menu.box.y};
    bool ok = glmv_buf_append_str(&rules, "", e->err) &&
              tracer_place_in_row(e, &menu, menu.box.x, room, &rules) &&
              tracer_open(e, "nav", "nav", &rules, NULL, extra);
    if (ok) {
        tracer_lays_out(e, NULL, &inside, menu.box.y + menu.box.h);
    }
    room->right = tracer_right(menu.box);
    e->indent++;
    ok = ok && tracer_emit_list(e, node, from, count, &inside);
    e->indent--;
    return ok && tracer_new_line(e) && tracer_put(e, "</nav>");
}

/* A button's text right in it: browsers put it in the middle. While rounds go on it has an element
 * of its own, to be measured. Takes the rules' memory. */
bool tracer_emit_button(struct tracer_emitter *e, const struct tracer_node *node,
                        const struct tracer_room *inside, struct glmv_buf *rules)
{
    const struct tracer_node *held = node->children[0];
    const struct glmv_scene_line *line = &e->draft->scene->lines[held->main];
    double room = tracer_lower_edge(e, node) - inside->bottom;
    double pitch = fmin(held->pitch, floor(room)); /* or the button would grow */
    double low = held->box.y - inside->bottom - (room - held->box.h) / 2;
    double aside = (held->box.x - inside->x) - (inside->x + inside->w - tracer_right(held->box));
    bool ok =
        tracer_type_rules(&e->sheet, line, &e->draft->types[held->main], pitch, rules, e->err) &&
        glmv_buf_append_str(rules, "text-align: center; ", e->err);
    if (fabs(low) >= OFF_CENTER && pitch + 2 * fabs(low) <= room) {
        ok = ok && tracer_px_rule(e, rules, low > 0 ? "padding-top" : "padding-bottom",
                                  round(2 * fabs(low)));
    }
    if (fabs(aside) >= 2 * OFF_CENTER) {
        ok = ok && tracer_px_rule(e, rules, aside > 0 ? "padding-left" : "padding-right",
                                  round(fabs(aside)));
    }
    ok = ok && tracer_open(e, "button", "button", rules, node, " type=\"button\"");
    glmv_buf_release(rules);
    bool was = e->in_link;
    e->in_link = true;
    ok = ok && tracer_put_lines(e, held) && tracer_put(e, "</button>");
    e->in_link = was;
    return ok;
}

/* A badge's text right in it. Takes the rules' memory. */
bool tracer_emit_badge(struct tracer_emitter *e, const struct tracer_node *node,
                       const struct tracer_room *inside, struct glmv_buf *rules)
{
    const struct tracer_node *held = node->children[0];
    const struct glmv_scene_line *line = &e->draft->scene->lines[held->main];
    double above = held->box.y - inside->bottom;
    double aside = (held->box.x - inside->x) - (inside->x + inside->w - tracer_right(held->box));
    bool ok = glmv_buf_append_str(rules, "display: block; text-align: center; ", e->err) &&
              tracer_type_rules(&e->sheet, line, &e->draft->types[held->main],
                                held->pitch + 2 * fmin(above, 0), rules, e->err) &&
              (above < 0.05 || tracer_px_rule(e, rules, "padding-top", above)) &&
              (fabs(aside) < 2 * OFF_CENTER ||
               tracer_px_rule(e, rules, aside > 0 ? "padding-left" : "padding-right",
                              round(fabs(aside))));
    ok = ok && tracer_open(e, "span", "badge", rules, node, "");
    glmv_buf_release(rules);
    bool was = e->in_link;
    e->in_link = true;
    ok = ok && tracer_put_lines(e, held) && tracer_put(e, "</span>");
    e->in_link = was;
    return ok;
}
