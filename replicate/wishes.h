/*
 * What should become of a page's declarations, collected first and written into the source at once.
 * Private to replicate/correct*.c.
 */
#ifndef GLMV_REPLICATE_WISHES_H
#define GLMV_REPLICATE_WISHES_H

#include "base/buf.h"
#include "replicate/sheet.h"

enum wish_property {
    WISH_COLOR,
    WISH_BACKGROUND,
    WISH_FONT_SIZE,
    WISH_FONT_WEIGHT,
    WISH_LINE_HEIGHT,
    WISH_WIDTH,
    WISH_HEIGHT,
    WISH_TOP,
    WISH_LEFT,
    WISH_BOTTOM,
    WISH_RIGHT,
    WISH_MARGIN_TOP,
    WISH_MARGIN_LEFT,
    WISH_PADDING_BOTTOM,
    WISH_PROPERTIES,
};

/* An element and a value that it should have, or that it has and should keep. */
struct wish {
    int element;
    enum wish_property property;
    bool change;
    double weight; /* how much of the page it concerns */
    char value[96];
    const struct replicate_declaration *source; /* what gives the value now; NULL: nothing does */
};

struct wishes {
    const struct replicate_sheet *sheet;
    struct wish *list;
    size_t count, room;
};

/* The names of a property and of its shorthand (NULL without one). */
const char *wish_name(enum wish_property property);
const char *wish_shorthand(enum wish_property property);

/*
 * The declaration that gives an element a property; of inherited properties also one of an element
 * around it. A value that is nothing but var(--x) leads to the declaration of --x.
 */
const struct replicate_declaration *wish_source(const struct replicate_sheet *sheet, int element,
                                                enum wish_property property);

/* wish->source is found here. false without memory. */
bool wishes_add(struct wishes *wishes, const struct wish *wish, struct glmv_err *err);
/* Appends the source with the wishes in it. changed receives how many declarations that took. */
bool wishes_write(struct wishes *wishes, struct glmv_buf *out, int *changed, struct glmv_err *err);
void wishes_release(struct wishes *wishes);

#endif
