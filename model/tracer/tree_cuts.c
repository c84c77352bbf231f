/* Rows and columns: recursive cuts where nothing crosses, records between dividers, sidebars. */
#include "model/tracer/tree_build.h"

#define MAX_DEPTH 60
#define DIVIDER_HEIGHT 4  /* px */
#define DIVIDER_WIDTH 0.8 /* of the stack */
#define SIDEBAR_WIDTH 0.3 /* of what it stands in, at most */
#define SIDEBAR_HEIGHT 350.0
#define RECORD_HEIGHT 130 /* px between two dividers that are one row of a table */
#define CARD_GAP 8        /* px between cards side by side, at least */
#define CARD_HEIGHT 40    /* px of the box or picture that a card begins with, at least */
#define CARD_SLACK 2      /* px that something sticks out of its card */
#define CARD_MOST 12      /* cards in a row */

/* px that neighbours may overlap and still be cut apart, tried in this order. */
enum { SLACKS = 4 };
static const double slacks[SLACKS] = {0, 1, 3, 6};

struct group {
    int *ids; /* into builder.items */
    int count;
};

static double low(const struct tracer_builder *b, int id, bool vertical)
{
    return vertical ? b->items[id].want.y : b->items[id].want.x;
}

static double high(const struct tracer_builder *b, int id, bool vertical)
{
    const struct glmv_box *box = &b->items[id].want;
    return vertical ? box->y + box->h : box->x + box->w;
}

static void sort_ids(const struct tracer_builder *b, int *ids, int count, bool vertical)
{
    for (int i = 1; i < count; i++) { /* insertion: lists are short and nearly sorted */
        int id = ids[i];
        int k = i;
        while (k > 0 && (low(b, ids[k - 1], vertical) > low(b, id, vertical))) {
            ids[k] = ids[k - 1];
            k--;
        }
        ids[k] = id;
    }
}

/* Cuts a sorted list where nothing crosses, allowing an overlap of slack px. Stores where parts
 * end; returns how many. */
static int cut(const struct tracer_builder *b, const int *ids, int count, bool vertical,
               double slack, int *ends)
{
    int parts = 0;
    double reach = high(b, ids[0], vertical);
    for (int i = 1; i < count; i++) {
        if (low(b, ids[i], vertical) >= reach - slack) {
            ends[parts++] = i;
        }
        reach = fmax(reach, high(b, ids[i], vertical));
    }
    ends[parts++] = count;
    return parts;
}

static struct glmv_box bounds(const struct tracer_builder *b, const int *ids, int count)
{
    struct glmv_box box = b->items[ids[0]].want;
    for (int i = 1; i < count; i++) {
        box = glmv_box_joined(box, b->items[ids[i]].want);
    }
    return box;
}

struct tracer_node *tracer_build_arrange(struct tracer_builder *b, int *ids, int count, int depth);

static bool is_divider(const struct tracer_builder *b, int id, double width)
{
    const struct tracer_item *item = &b->items[id];
    return item->node->kind != TRACER_TEXT && item->node->child_count == 0 &&
           item->want.h <= DIVIDER_HEIGHT && item->want.w >= DIVIDER_WIDTH * width;
}

/* What stands between two dividers is one record, also where lines of one cell stand below each
 * other: such parts are joined, and cut into columns first. Returns how many parts are left; record
 * tells which were joined. */
static int join_records(const struct tracer_builder *b, const int *ids, int *ends, int parts,
                        bool *record)
{
    double left = 1e9;
    double right = 0;
    for (int i = 0; i < ends[parts - 1]; i++) {
        left = fmin(left, b->items[ids[i]].want.x);
        right = fmax(right, b->items[ids[i]].want.x + b->items[ids[i]].want.w);
    }
    int dividers = 0;
    for (int i = 0; i < parts; i++) {
        int from = i > 0 ? ends[i - 1] : 0;
        record[i] = false;
        dividers += ends[i] - from == 1 && is_divider(b, ids[from], right - left);
    }
    if (dividers < 3) {
        return parts;
    }
    int kept = 0;
    int seen = 0;
    int open = 0; /* first item of the record that is being joined */
    for (int i = 0; i < parts; i++) {
        int from = i > 0 ? ends[i - 1] : 0;
        bool divider = ends[i] - from == 1 && is_divider(b, ids[from], right - left);
        bool panel = ends[i] - from == 1 &&
                     b->items[ids[from]].want.w >= DIVIDER_WIDTH * (right - left) &&
                     b->items[ids[from]].node->scene_box >= 0;
        int last = kept > 0 ? ends[kept - 1] : 0;
        const struct glmv_box *first = &b->items[ids[open]].want;
        const struct glmv_box *now = &b->items[ids[ends[i] - 1]].want;
        bool joins = !divider && !panel && seen > 0 && seen < dividers && last > open &&
                     now->y + now->h - first->y <= RECORD_HEIGHT;
        seen += divider;
        if (joins) {
            ends[kept - 1] = ends[i];
            record[kept - 1] = true;
            continue;
        }
        open = divider || panel ? ends[i] : from;
        record[kept] = false;
        ends[kept++] = ends[i];
    }
    return kept;
}

/* Columns of one part, from left to right. Returns how many; 0 for one, for too many, and where
 * they stand closer than cards do. */
static int columns_of(const struct tracer_builder *b, int *ids, int count, struct glmv_box *columns)
{
    int ends[CARD_MOST * 4];
    if (count < 2 || count > CARD_MOST * 4) {
        return 0;
    }
    sort_ids(b, ids, count, false);
    int parts = cut(b, ids, count, false, 0, ends);
    if (parts < 2 || parts > CARD_MOST) {
        return 0;
    }
    for (int i = 0; i < parts; i++) {
        int from = i > 0 ? ends[i - 1] : 0;
        columns[i] = bounds(b, ids + from, ends[i] - from);
        if (i > 0 && columns[i].x - columns[i - 1].x - columns[i - 1].w < CARD_GAP) {
            return 0;
        }
    }
    return parts;
}

/* Whether a part is nothing but boxes and pictures side by side that cards may begin with. */
static bool begins_cards(const struct tracer_builder *b, const int *ids, int count, int columns)
{
    bool heads = count == columns;
    for (int i = 0; heads && i < count; i++) {
        heads =
            b->items[ids[i]].node->kind != TRACER_TEXT && b->items[ids[i]].want.h >= CARD_HEIGHT;
    }
    return heads;
}

/* Whether every column of the lower part belongs to the card above it: within its sides, and nearer
 * to it than cards are to each other. Boxes belong only where they touch it: they may begin cards
 * of their own. */
static bool goes_on(const struct tracer_builder *b, const struct glmv_box *cards, int count,
                    const int *ids, int id_count, double bottom)
{
    double apart = 1e9;
    for (int i = 1; i < count; i++) {
        apart = fmin(apart, cards[i].x - cards[i - 1].x - cards[i - 1].w);
    }
    struct glmv_box part = bounds(b, ids, id_count);
    double gap = part.y - bottom;
    bool has[CARD_MOST] = {false};
    for (int i = 0; i < id_count; i++) {
        const struct tracer_item *item = &b->items[ids[i]];
        int card = 0;
        while (card < count && cards[card].x + cards[card].w + CARD_SLACK < item->want.x) {
            card++;
        }
        bool inside = card < count && item->want.x >= cards[card].x - CARD_SLACK &&
                      item->want.x + item->want.w <= cards[card].x + cards[card].w + CARD_SLACK;
        bool box = item->node->kind != TRACER_TEXT && item->want.h >= CARD_HEIGHT;
        if (!inside || gap > apart || (box && gap > 1)) {
            return false;
        }
        has[card] = true;
    }
    for (int i = 0; i < count; i++) {
        if (!has[i]) {
            return false;
        }
    }
    return true;
}

/* Boxes or pictures side by side and what stands below each of them, within its sides and near it,
 * are cards: their parts are joined and cut into columns first, so that a card stays together when
 * the page gets narrow. Returns how many parts are left. */
static int join_cards(const struct tracer_builder *b, int *ids, int *ends, int parts, bool *record)
{
    struct glmv_box cards[CARD_MOST];
    int kept = 0;
    int count = 0; /* of the cards that may go on; 0 without any */
    double bottom = 0;
    for (int i = 0; i < parts; i++) {
        int from = i > 0 ? ends[i - 1] : 0;
        int items = ends[i] - from;
        struct glmv_box part = bounds(b, ids + from, items);
        bool joins = count > 0 && !record[i] && goes_on(b, cards, count, ids + from, items, bottom);
        if (joins) {
            ends[kept - 1] = ends[i];
            record[kept - 1] = true;
        } else {
            count = columns_of(b, ids + from, items, cards);
            count = !record[i] && begins_cards(b, ids + from, items, count) ? count : 0;
            record[kept] = record[i];
            ends[kept++] = ends[i];
        }
        bottom = part.y + part.h;
    }
    return kept;
}

static struct tracer_node *arrange_columns(struct tracer_builder *b, int *ids, int count,
                                           int depth);

static struct tracer_node *arrange_parts(struct tracer_builder *b, int *ids, int *ends, int parts,
                                         bool vertical, int depth)
{
    bool *record = calloc((size_t)parts, sizeof *record);
    if (record == NULL) {
        b->failed = true;
        return NULL;
    }
    if (vertical) {
        parts = join_records(b, ids, ends, parts, record);
        parts = join_cards(b, ids, ends, parts, record);
    }
    struct tracer_node *node =
        tracer_build_node_new(b, vertical ? TRACER_STACK : TRACER_ROW, (struct glmv_box){0});
    int from = 0;
    for (int i = 0; node != NULL && i < parts; i++) {
        struct tracer_node *child =
            record[i] ? arrange_columns(b, ids + from, ends[i] - from, depth + 1)
                      : tracer_build_arrange(b, ids + from, ends[i] - from, depth + 1);
        if (child != NULL) {
            node->box = i == 0 ? child->box : glmv_box_joined(node->box, child->box);
        }
        tracer_build_adopt(b, node, child);
        from = ends[i];
    }
    free(record);
    return node;
}

/* Cuts into columns where that can be done, as usual otherwise. */
static struct tracer_node *arrange_columns(struct tracer_builder *b, int *ids, int count, int depth)
{
    int *ends = malloc((size_t)count * sizeof *ends);
    if (ends == NULL) {
        b->failed = true;
        return NULL;
    }
    sort_ids(b, ids, count, false);
    int parts = cut(b, ids, count, false, 0, ends);
    struct tracer_node *node = parts > 1 ? arrange_parts(b, ids, ends, parts, false, depth)
                                         : tracer_build_arrange(b, ids, count, depth);
    free(ends);
    return node;
}

/* Whether less than half of the texts of one side stand level with one of the other: no table's
 * column. */
static bool is_independent(const struct tracer_builder *b, const int *ids, int split, int count)
{
    int texts = 0;
    int level = 0;
    for (int i = 0; i < split; i++) {
        const struct tracer_item *one = &b->items[ids[i]];
        if (one->node->kind != TRACER_TEXT) {
            continue;
        }
        texts++;
        double middle = one->want.y + one->want.h / 2;
        for (int k = split; k < count; k++) {
            const struct tracer_item *other = &b->items[ids[k]];
            if (other->node->kind == TRACER_TEXT &&
                fabs(other->want.y + other->want.h / 2 - middle) <= 3) {
                level++;
                break;
            }
        }
    }
    return texts >= 4 && level * 2 < texts;
}

/* Where a narrow column of its own ends that stands beside everything else, 0 without one. ids get
 * sorted by x. */
static int find_sidebar(const struct tracer_builder *b, int *ids, int count, int *ends)
{
    if (count < 10) {
        return 0;
    }
    sort_ids(b, ids, count, false);
    int parts = cut(b, ids, count, false, 0, ends);
    struct glmv_box all = bounds(b, ids, count);
    for (int i = 0; i + 1 < parts; i++) {
        struct glmv_box left = bounds(b, ids, ends[i]);
        struct glmv_box right = bounds(b, ids + ends[i], count - ends[i]);
        double least = fmax(SIDEBAR_HEIGHT, 0.5 * all.h);
        if (left.x + left.w - all.x <= SIDEBAR_WIDTH * all.w && left.h >= least &&
            right.h >= least && is_independent(b, ids, ends[i], count)) {
            return ends[i];
        }
    }
    return 0;
}

bool tracer_build_can_cut(const struct tracer_builder *b, int *ids, int count, int depth)
{
    bool found = false;
    for (int vertical = 1; depth < MAX_DEPTH && !found && vertical >= 0; vertical--) {
        sort_ids(b, ids, count, vertical);
        double reach = high(b, ids[0], vertical);
        for (int i = 1; !found && i < count; i++) {
            found = low(b, ids[i], vertical) >= reach - slacks[SLACKS - 1];
            reach = fmax(reach, high(b, ids[i], vertical));
        }
    }
    return found;
}

struct tracer_node *tracer_build_arrange(struct tracer_builder *b, int *ids, int count, int depth)
{
    if (count == 0 || b->failed) {
        return NULL;
    }
    if (count == 1) {
        struct tracer_node *node = b->items[ids[0]].node;
        b->items[ids[0]].node = NULL;
        return node;
    }
    int *ends = malloc((size_t)count * sizeof *ends);
    if (ends == NULL) {
        b->failed = true;
        return NULL;
    }
    struct tracer_node *node = NULL;
    int sidebar = find_sidebar(b, ids, count, ends);
    if (sidebar > 0) {
        ends[0] = sidebar;
        ends[1] = count;
        node = arrange_parts(b, ids, ends, 2, false, depth);
    }
    for (int k = 0; node == NULL && depth < MAX_DEPTH && k < SLACKS; k++) {
        for (int vertical = 1; node == NULL && vertical >= 0; vertical--) {
            sort_ids(b, ids, count, vertical);
            int parts = cut(b, ids, count, vertical, slacks[k], ends);
            if (parts > 1) {
                node = arrange_parts(b, ids, ends, parts, vertical, depth);
            }
        }
    }
    free(ends);
    return node != NULL || b->failed ? node : tracer_build_layers(b, ids, count, depth);
}
