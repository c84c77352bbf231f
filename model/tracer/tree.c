#include "model/tracer/tree_build.h"

#define VEIL_AREA 15000 /* px; smaller pictures are shown as they are */
#define VEIL_INK 0.3    /* share of a picture's px that are not transparent */
#define VEIL_PAGE 0.25  /* share of the page that a veil covers */
#define FRAME_INK 0.03  /* of an outline around other things */

void tracer_node_free(struct tracer_node *node)
{
    if (node == NULL) {
        return;
    }
    for (int i = 0; i < node->child_count; i++) {
        tracer_node_free(node->children[i]);
    }
    free((void *)node->children);
    free(node->runs);
    free(node->rows);
    free(node->chips);
    free(node);
}

struct tracer_node *tracer_build_node_new(struct tracer_builder *b, enum tracer_node_kind kind,
                                          struct glmv_box box)
{
    struct tracer_node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        b->failed = true;
        return NULL;
    }
    node->kind = kind;
    node->box = box;
    node->scene_box = -1;
    node->scene_picture = -1;
    node->mark = -1;
    return node;
}

/* Takes the child, also when it cannot be kept. */
void tracer_build_adopt(struct tracer_builder *b, struct tracer_node *node,
                        struct tracer_node *child)
{
    if (child == NULL) {
        return;
    }
    struct tracer_node **grown =
        node == NULL
            ? NULL
            : realloc((void *)node->children, ((size_t)node->child_count + 1) * sizeof *grown);
    if (grown == NULL) {
        b->failed = true;
        tracer_node_free(child);
        return;
    }
    node->children = grown;
    node->children[node->child_count++] = child;
}

int tracer_node_count(const struct tracer_node *node)
{
    int count = 1;
    for (int i = 0; i < node->child_count; i++) {
        count += tracer_node_count(node->children[i]);
    }
    return count;
}

void tracer_node_move(struct tracer_node *node, double dx, double dy)
{
    node->box.x += dx;
    node->box.y += dy;
    for (int i = 0; i < node->child_count; i++) {
        tracer_node_move(node->children[i], dx, dy);
    }
}

struct glmv_box tracer_build_moved(struct glmv_box box, struct tracer_shift by)
{
    box.x += by.dx;
    box.y += by.dy;
    return box;
}

bool tracer_build_holds(struct glmv_box outer, struct glmv_box inner, double slack)
{
    return inner.x >= outer.x - slack && inner.y >= outer.y - slack &&
           inner.x + inner.w <= outer.x + outer.w + slack &&
           inner.y + inner.h <= outer.y + outer.h + slack;
}

void tracer_font_metrics(const char *font, enum glmv_family family, double *ascent, double *descent)
{
    /* hhea or typo metrics, whichever the font asks browsers to use. */
    static const struct {
        const char *name;
        double ascent, descent;
    } known[] = {
        {"Liberation Sans", 0.905, 0.212}, {"Liberation Serif", 0.891, 0.216},
        {"Liberation Mono", 0.833, 0.300}, {"DejaVu Sans Mono", 0.928, 0.236},
        {"DejaVu Serif", 0.928, 0.236},    {"DejaVu Sans", 0.928, 0.236},
        {"Noto Sans Mono", 1.069, 0.293},  {"Noto Serif", 1.069, 0.293},
        {"Noto Sans CJK", 1.160, 0.288},   {"Noto Serif CJK", 1.151, 0.286},
        {"Noto Sans", 1.069, 0.293},
    };
    *ascent = family == GLMV_FAMILY_SERIF ? 0.891 : 0.905;
    *descent = 0.214;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(font, known[i].name, strlen(known[i].name)) == 0) {
            *ascent = known[i].ascent;
            *descent = known[i].descent;
            return;
        }
    }
}

void tracer_build_add_item(struct tracer_builder *b, struct glmv_box want, struct tracer_node *node)
{
    if (node != NULL) {
        b->items[b->count++] = (struct tracer_item){want, node, -1, want.w * want.h};
    }
}

/* --- containment
 * -------------------------------------------------------------------------------------------- */

/* A large picture that is nearly all transparent, or that text stands in without its being a photo,
 * is the rest of a shadow or of an outline around other things. Shown, it would cover them with a
 * bitmap for a few faint pixels. */
static bool is_veil(const struct glmv_scene *s, const struct glmv_scene_picture *picture)
{
    const struct glmv_image *image = picture->image;
    size_t px = (size_t)image->width * (size_t)image->height;
    if (px < VEIL_AREA || picture->kind == GLMV_PICTURE_DRAWING) {
        return false;
    }
    size_t ink = 0;
    for (size_t i = 0; i < px; i++) {
        ink += image->rgba[i * 4 + 3] != 0;
    }
    int lines = 0;
    for (size_t i = 0; picture->kind != GLMV_PICTURE_PHOTO && i < s->line_count; i++) {
        lines += tracer_build_holds(picture->box, s->lines[i].ink, 0);
    }
    bool large = (double)px > VEIL_PAGE * s->width * s->height;
    return (large && (lines > 1 || (double)ink < VEIL_INK * (double)px)) ||
           (double)ink < FRAME_INK * (double)px || lines > 6;
}

static void add_boxes_and_pictures(struct tracer_builder *b)
{
    const struct glmv_scene *s = b->scene;
    for (size_t i = 0; i < s->box_count; i++) {
        struct tracer_node *node = tracer_build_node_new(
            b, TRACER_STACK, tracer_build_moved(s->boxes[i].box, b->box_shift[i]));
        if (node != NULL) {
            node->scene_box = (int)i;
        }
        tracer_build_add_item(b, s->boxes[i].box, node);
    }
    for (size_t i = 0; i < s->picture_count; i++) {
        if (is_veil(s, &s->pictures[i])) {
            continue;
        }
        struct tracer_node *node = tracer_build_node_new(
            b, TRACER_PICTURE, tracer_build_moved(s->pictures[i].box, b->picture_shift[i]));
        if (node != NULL) {
            node->scene_picture = (int)i;
        }
        tracer_build_add_item(b, s->pictures[i].box, node);
    }
}

static bool may_hold(const struct tracer_builder *b, const struct tracer_item *item)
{
    if (item->node->kind != TRACER_PICTURE) {
        return true;
    }
    enum glmv_picture_kind kind = b->scene->pictures[item->node->scene_picture].kind;
    return kind == GLMV_PICTURE_PHOTO || kind == GLMV_PICTURE_DRAWING;
}

/* The smallest box, photo or drawing that holds a rectangle; self is left out. */
int tracer_build_holder_of(const struct tracer_builder *b, struct glmv_box box, double slack,
                           int self, int limit)
{
    int best = -1;
    double area = box.w * box.h;
    for (int i = 0; i < limit; i++) {
        const struct tracer_item *item = &b->items[i];
        if (i == self || !may_hold(b, item) || !tracer_build_holds(item->want, box, slack)) {
            continue;
        }
        bool larger = item->area > area || (item->area == area && i < self);
        if ((self < 0 || larger) && (best < 0 || item->area < b->items[best].area)) {
            best = i;
        }
    }
    return best;
}

/* Fills every container, innermost first: items are ordered so that a holder has a larger area than
 * what it holds. */
static void fill(struct tracer_builder *b, struct tracer_node *node, int holder, int *scratch)
{
    int count = 0;
    for (int i = 0; i < b->count; i++) {
        if (b->items[i].parent == holder && b->items[i].node != NULL) {
            scratch[count++] = i;
        }
    }
    if (count == 0) {
        return;
    }
    int *ids = malloc((size_t)count * sizeof *ids);
    if (ids == NULL) {
        b->failed = true;
        return;
    }
    memcpy(ids, scratch, (size_t)count * sizeof *ids);
    for (int i = 0; i < count; i++) {
        struct tracer_node *child = b->items[ids[i]].node;
        if (child->kind != TRACER_TEXT) {
            fill(b, child, ids[i], scratch);
        }
    }
    struct tracer_node *inside = tracer_build_arrange(b, ids, count, 0);
    free(ids);
    if (inside == NULL) {
        return;
    }
    if (node->kind == TRACER_PICTURE) {
        node->kind = TRACER_STACK; /* a photo that holds things is their background */
    }
    bool plain = inside->scene_box < 0 && inside->scene_picture < 0 && inside->kind <= TRACER_ROW;
    if (plain) { /* the container itself is the stack or the row */
        node->kind = inside->kind;
        node->children = inside->children;
        node->child_count = inside->child_count;
        inside->children = NULL;
        inside->child_count = 0;
        tracer_node_free(inside);
    } else {
        node->kind = TRACER_STACK;
        tracer_build_adopt(b, node, inside);
    }
}

static void number_nodes(struct tracer_node *node, int *next)
{
    node->mark = (*next)++;
    for (int i = 0; i < node->child_count; i++) {
        number_nodes(node->children[i], next);
    }
}

struct tracer_node *tracer_tree_new(const struct glmv_scene *scene,
                                    const struct tracer_shift *line_shift,
                                    const struct tracer_shift *box_shift,
                                    const struct tracer_shift *picture_shift, struct glmv_err *err)
{
    struct tracer_builder b = {.scene = scene,
                               .line_shift = line_shift,
                               .box_shift = box_shift,
                               .picture_shift = picture_shift};
    size_t most = scene->line_count + scene->box_count + scene->picture_count + 1;
    b.items = calloc(most, sizeof *b.items);
    int *scratch = malloc(most * sizeof *scratch);
    struct tracer_node *root = NULL;
    if (b.items != NULL && scratch != NULL) {
        root = tracer_build_node_new(&b, TRACER_STACK,
                                     (struct glmv_box){0, 0, scene->width, scene->height});
    }
    if (root != NULL) {
        add_boxes_and_pictures(&b);
        b.failed = !tracer_build_find_chips(&b) || b.failed;
        int containers = b.count;
        for (int i = 0; i < containers; i++) {
            b.items[i].parent =
                tracer_build_holder_of(&b, b.items[i].want, TRACER_BOX_TOLERANCE, i, containers);
        }
        if (!b.failed) {
            tracer_build_add_lines(&b);
        }
        fill(&b, root, -1, scratch);
        int next = 0;
        number_nodes(root, &next);
    }
    for (int i = 0; b.items != NULL && i < b.count; i++) {
        tracer_node_free(b.items[i].node);
    }
    free(b.items);
    free(b.chips);
    free(scratch);
    if (root == NULL || b.failed) {
        tracer_node_free(root);
        glmv_fail_memory(err);
        return NULL;
    }
    return root;
}
