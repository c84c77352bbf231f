/* Layers: what cannot be cut because things lie over each other, or across. */
#include "model/tracer/tree_build.h"

#define SLACK 2         /* px that something sticks out of what it lies in */
#define CROSSING_MOST 4 /* things that may lie across a cut */
#define CROSSING_REST 6 /* times as many stand on either side */
#define CROSSING_OF 600 /* things, or trying all of them takes too long */

/* Whether one box lies over another: its upper edge is seen within the other, from side to side. */
static bool lies_over(struct glmv_box upper, struct glmv_box lower)
{
    enum { SEEN = 4 }; /* px */
    return upper.y > lower.y + SEEN && upper.y + SEEN < lower.y + lower.h &&
           upper.y + upper.h > lower.y + lower.h + SEEN && upper.x >= lower.x - SLACK &&
           upper.x + upper.w <= lower.x + lower.w + SLACK;
}

/* Whether a text of a node stands in a box. */
static bool has_text_in(const struct tracer_node *node, struct glmv_box box)
{
    bool found = node->kind == TRACER_TEXT && tracer_build_holds(box, node->box, SLACK);
    for (int i = 0; !found && i < node->child_count; i++) {
        found = has_text_in(node->children[i], box);
    }
    return found;
}

/* What becomes a layer first: the largest thing that is not text, or what that lies over. */
static int pick_layer(const struct tracer_builder *b, const int *ids, int count)
{
    int largest = 0;
    for (int i = 1; i < count; i++) {
        bool text = b->items[ids[i]].node->kind == TRACER_TEXT;
        bool best_text = b->items[ids[largest]].node->kind == TRACER_TEXT;
        if (best_text != text ? best_text : b->items[ids[i]].area > b->items[ids[largest]].area) {
            largest = i;
        }
    }
    for (int i = 0, over = largest; i < count; i++) {
        const struct tracer_item *item = &b->items[ids[i]];
        struct glmv_box top = b->items[ids[over]].want;
        if (item->node->kind != TRACER_TEXT && lies_over(top, item->want) &&
            !has_text_in(item->node, top)) {
            largest = i;
        }
    }
    return largest;
}

static void swap(int *a, int *b)
{
    int kept = *a;
    *a = *b;
    *b = kept;
}

/* Which side of a straight line something stands on: -1, 1, or 0 where it lies across. */
static int side_of(const struct tracer_item *item, double at, bool vertical)
{
    double low = vertical ? item->want.y : item->want.x;
    double high = low + (vertical ? item->want.h : item->want.w);
    return high <= at + SLACK ? -1 : low >= at - SLACK ? 1 : 0;
}

/* A few things that alone keep many others from being cut, as a text does that was joined across
 * columns: they are moved to the end of ids. Returns how many; 0 without any, or with others than
 * texts among them where texts are asked for. */
static int find_crossing(const struct tracer_builder *b, int *ids, int count, bool texts)
{
    int best = CROSSING_MOST + 1;
    double best_at = 0;
    bool best_vertical = false;
    for (int vertical = 0; vertical < 2; vertical++) {
        for (int i = 0; i < count; i++) {
            const struct glmv_box *edge = &b->items[ids[i]].want;
            double at = vertical ? edge->y + edge->h : edge->x + edge->w;
            int sides[3] = {0};
            for (int k = 0; k < count && sides[1] < best; k++) {
                const struct tracer_item *item = &b->items[ids[k]];
                int side = side_of(item, at, vertical);
                bool barred = side == 0 && texts && item->node->kind != TRACER_TEXT;
                sides[1 + side] += barred ? CROSSING_MOST + 1 : 1;
            }
            int least = sides[0] < sides[2] ? sides[0] : sides[2];
            if (sides[1] > 0 && sides[1] < best && least >= CROSSING_REST * sides[1]) {
                best = sides[1];
                best_at = at;
                best_vertical = vertical;
            }
        }
    }
    int found = 0;
    for (int i = count - 1; best <= CROSSING_MOST && i >= 0; i--) {
        if (side_of(&b->items[ids[i]], best_at, best_vertical) == 0) {
            swap(&ids[i], &ids[count - ++found]);
        }
    }
    return found;
}

/* Moves to the end of ids what shall be layers, one after the other, until the rest can be cut.
 * Returns how many things are the rest. */
static int part_layers(const struct tracer_builder *b, int *ids, int count, int depth)
{
    int rest = count;
    while (rest == count || (rest > 1 && !tracer_build_can_cut(b, ids, rest, depth + 1))) {
        bool few = rest > 2 && rest <= CROSSING_OF;
        int crossing = few ? find_crossing(b, ids, rest, true) : 0;
        if (crossing == 0) {
            swap(&ids[pick_layer(b, ids, rest)], &ids[rest - 1]);
            bool enough = !few || tracer_build_can_cut(b, ids, rest - 1, depth + 1);
            crossing = enough ? 0 : find_crossing(b, ids, rest, false);
        }
        rest -= crossing > 0 ? crossing : 1;
    }
    return rest;
}

struct tracer_node *tracer_build_layers(struct tracer_builder *b, int *ids, int count, int depth)
{
    int rest = part_layers(b, ids, count, depth);
    struct tracer_node *flow = tracer_build_arrange(b, ids, rest, depth + 1);
    struct tracer_node *node =
        tracer_build_node_new(b, TRACER_LAYERS, flow != NULL ? flow->box : (struct glmv_box){0});
    tracer_build_adopt(b, node, flow);
    for (int i = rest; node != NULL && i < count; i++) {
        struct tracer_node *layer = b->items[ids[i]].node;
        b->items[ids[i]].node = NULL;
        node->box = glmv_box_joined(node->box, layer->box);
        tracer_build_adopt(b, node, layer);
    }
    return node;
}
