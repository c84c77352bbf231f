/* Pictures, and things that lie over each other. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/base64.h"
#include "model/tracer/emit.h"

#define WIDE_PICTURE 0.6  /* of its room that a picture reaches: its width follows the room */
#define PHONE_WIDTH 320.0 /* px; what reaches farther is wider than some phones */

/* An SVG document as an address that can be read: only what has a meaning there is escaped. */
static bool put_svg(const char *svg, struct glmv_buf *out, struct glmv_err *err)
{
    static const char plain[] = "-_.,:;=+/*!";
    bool ok = glmv_buf_append_str(out, "data:image/svg+xml,", err);
    for (const char *c = svg; ok && *c != '\0'; c++) {
        bool keep = isalnum((unsigned char)*c) || strchr(plain, *c) != NULL;
        if (*c != '\n') {
            ok = keep ? glmv_buf_append(out, c, 1, err)
                      : glmv_buf_appendf(out, err, "%%%02X", (unsigned char)*c);
        }
    }
    return ok;
}

bool tracer_put_address(struct tracer_emitter *e, int picture, struct glmv_buf *out)
{
    const struct glmv_scene *s = e->draft->scene;
    if (e->draft->options.assets_dir != NULL) {
        char name[32];
        tracer_asset_name(s, picture, name);
        const char *href = e->draft->options.assets_href;
        return glmv_buf_appendf(out, e->err, "%s/%s",
                                href != NULL ? href : e->draft->options.assets_dir, name);
    }
    if (s->pictures[picture].svg != NULL) {
        return put_svg(s->pictures[picture].svg, out, e->err);
    }
    struct glmv_buf bytes;
    glmv_buf_init(&bytes, TRACER_BODY_MAX);
    bool ok = tracer_asset_bytes(&s->pictures[picture], &bytes, e->err) &&
              glmv_buf_append_str(out, "data:image/webp;base64,", e->err) &&
              glmv_base64_append(out, bytes.data, bytes.len, e->err);
    glmv_buf_release(&bytes);
    return ok;
}

bool tracer_emit_picture(struct tracer_emitter *e, const struct tracer_node *node,
                         struct tracer_room *room)
{
    const struct glmv_scene_picture *picture = &e->draft->scene->pictures[node->scene_picture];
    struct glmv_buf rules;
    struct glmv_buf extra;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    glmv_buf_init(&extra, TRACER_BODY_MAX);
    bool ok;
    if (room->row) {
        ok = tracer_place_in_row(e, node, node->box.x, room, &rules);
        room->right = tracer_right(node->box);
    } else {
        double left = node->box.x - room->x;
        double right = room->x + room->w - tracer_right(node->box);
        bool wide = left > 0 && left + node->box.w > fmin(WIDE_PICTURE * room->w, PHONE_WIDTH);
        ok = glmv_buf_append_str(&rules, "", e->err) && tracer_drop(e, node, room, &rules) &&
             tracer_indent(e, room, left, &rules) &&
             (!wide || tracer_beside_indent(e, room, left, right, &rules));
    }
    if (node->box.w > picture->box.w + 0.5 || node->box.h > picture->box.h + 0.5) {
        /* Icons of one column, each in the middle of a box of one size. */
        ok = ok && tracer_px_rule(e, &rules, "width", node->box.w) &&
             tracer_px_rule(e, &rules, "height", node->box.h) &&
             glmv_buf_append_str(&rules, "object-fit: none; ", e->err);
    }
    if (ok && picture->radius > 0) {
        ok = tracer_px_rule(e, &rules, "border-radius", picture->radius);
    }
    ok = ok && glmv_buf_append_str(&extra, " src=\"", e->err) &&
         tracer_put_address(e, node->scene_picture, &extra) &&
         glmv_buf_appendf(&extra, e->err, "\" alt=\"\" width=\"%d\" height=\"%d\"",
                          (int)picture->box.w, (int)picture->box.h);
    ok = ok && tracer_open(e, "img", picture->kind == GLMV_PICTURE_PHOTO ? "photo" : "icon", &rules,
                           node, extra.data);
    glmv_buf_release(&rules);
    glmv_buf_release(&extra);
    return ok;
}

static bool has_text(const struct tracer_node *node)
{
    bool found = node->kind == TRACER_TEXT;
    for (int i = 0; !found && i < node->child_count; i++) {
        found = has_text(node->children[i]);
    }
    return found;
}

/* Texts that share a place grow into each other on a narrow page: they stand below each other
 * there. */
static bool texts_meet(const struct tracer_node *node)
{
    int texts = 0;
    for (int i = 0; i < node->child_count; i++) {
        texts += has_text(node->children[i]);
    }
    return texts > 1;
}

/* One thing of several over each other, in its place. A text that lies across what flows is over
 * it. */
static bool emit_layer(struct tracer_emitter *e, const struct tracer_node *node,
                       const struct tracer_node *layer, const struct tracer_room *inside)
{
    double left = layer->box.x - inside->x;
    double down = layer->box.y - node->box.y;
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    bool ok = tracer_indent(e, inside, left, &rules) &&
              (down < 0.05 || tracer_px_rule(e, &rules, "margin-top", down)) &&
              tracer_px_rule(e, &rules, "width", layer->box.w) &&
              tracer_beside_indent(e, inside, left,
                                   inside->x + inside->w - tracer_right(layer->box), &rules) &&
              (layer->kind != TRACER_TEXT || glmv_buf_append_str(&rules, "z-index: 1; ", e->err)) &&
              tracer_open(e, "div", "layer", &rules, NULL, "");
    struct tracer_room alone = {.x = layer->box.x, .w = layer->box.w, .bottom = layer->box.y};
    if (ok) {
        tracer_lays_out(e, NULL, &alone, layer->box.y + layer->box.h);
    }
    e->indent++;
    ok = ok && tracer_emit_node(e, layer, &alone);
    e->indent--;
    return ok && tracer_new_line(e) && tracer_put(e, "</div>");
}

bool tracer_emit_layers(struct tracer_emitter *e, const struct tracer_node *node,
                        struct tracer_room *room)
{
    struct glmv_buf rules;
    glmv_buf_init(&rules, TRACER_RULES_MAX);
    bool ok = tracer_px_rule(e, &rules, "min-height", node->box.h);
    struct tracer_room inside = {.x = room->x, .w = room->w, .bottom = node->box.y};
    if (room->row) {
        ok = ok && tracer_place_in_row(e, node, node->box.x, room, &rules) &&
             tracer_px_rule(e, &rules, "width", node->box.w);
        inside.x = node->box.x;
        inside.w = node->box.w;
        room->right = tracer_right(node->box);
    } else {
        ok = ok && tracer_drop(e, node, room, &rules);
    }
    ok = ok && tracer_open(e, e->in_link ? "span" : "div", "group", &rules, node, "");
    if (ok) {
        tracer_lays_out(e, texts_meet(node) ? "layers layers-apart" : "layers", &inside,
                        node->box.y + node->box.h);
    }
    e->indent++;
    for (int i = node->child_count - 1; ok && i > 0; i--) {
        ok = emit_layer(e, node, node->children[i], &inside);
    }
    ok = ok && tracer_open_plain(e, "div", "over");
    if (ok) {
        tracer_lays_out(e, NULL, &inside, node->box.y + node->box.h);
    }
    e->indent++;
    ok = ok && tracer_emit_node(e, node->children[0], &inside);
    e->indent--;
    ok = ok && tracer_new_line(e) && tracer_put(e, "</div>");
    e->indent--;
    return ok && tracer_new_line(e) &&
           glmv_buf_appendf(&e->body, e->err, "</%s>", e->in_link ? "span" : "div");
}
