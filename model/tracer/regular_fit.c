/* What holds things that were moved follows them. */
#include <math.h>

#include "model/tracer/regular.h"

void tracer_regular_note(const struct tracer_node *node, struct glmv_box *boxes)
{
    boxes[node->mark] = node->box;
    for (int i = 0; i < node->child_count; i++) {
        tracer_regular_note(node->children[i], boxes);
    }
}

static struct glmv_box around(const struct tracer_node *node, const struct glmv_box *boxes)
{
    struct glmv_box all = {0};
    for (int i = 0; i < node->child_count; i++) {
        const struct tracer_node *child = node->children[i];
        struct glmv_box b = boxes != NULL ? boxes[child->mark] : child->box;
        all = i == 0 ? b : glmv_box_joined(all, b);
    }
    return all;
}

/* A painted box must not grow: what would stand farther out of it than before stays inside. */
static void keep_inside(const struct glmv_scene *scene, struct tracer_node *node,
                        const struct glmv_box *before)
{
    const struct glmv_scene_border *border =
        node->scene_box >= 0 ? scene->boxes[node->scene_box].border : NULL;
    double edge = border != NULL ? border[GLMV_BOTTOM].width : 0;
    const struct glmv_box *was = &before[node->mark];
    double bottom = node->box.y + node->box.h - edge;
    for (int i = 0; i < node->child_count; i++) {
        struct tracer_node *child = node->children[i];
        const struct glmv_box *b = &before[child->mark];
        double over = child->box.y + child->box.h - bottom;
        double was_over = fmax(0, b->y + b->h - (was->y + was->h - edge));
        if (over > was_over) {
            tracer_node_move(child, 0, was_over - over);
        }
    }
}

/* What is not painted grows and shrinks with what it holds. */
void tracer_regular_fit(const struct glmv_scene *scene, struct tracer_node *node,
                        const struct glmv_box *before)
{
    for (int i = 0; i < node->child_count; i++) {
        tracer_regular_fit(scene, node->children[i], before);
    }
    if (node->child_count == 0 || node->kind == TRACER_LAYERS) {
        return;
    }
    if (node->scene_box >= 0 || node->scene_picture >= 0) {
        keep_inside(scene, node, before);
        return;
    }
    struct glmv_box now = around(node, NULL);
    struct glmv_box then = around(node, before);
    const struct glmv_box *was = &before[node->mark];
    struct glmv_box *b = &node->box;
    double x = now.x + was->x - then.x;
    double y = now.y + was->y - then.y;
    *b = (struct glmv_box){x, y, now.x + now.w + was->x + was->w - then.x - then.w - x,
                           now.y + now.h + was->y + was->h - then.y - then.h - y};
}
