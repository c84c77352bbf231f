/* A rectangle with its top left corner, in CSS px of a page or in px of a picture, as the owner
 * says. */
#ifndef GLMV_BASE_BOX_H
#define GLMV_BASE_BOX_H

struct glmv_box {
    double x, y, w, h;
};

/* The smallest box that holds both. */
static inline struct glmv_box glmv_box_joined(struct glmv_box a, struct glmv_box b)
{
    double x = a.x < b.x ? a.x : b.x;
    double y = a.y < b.y ? a.y : b.y;
    double right = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w;
    double bottom = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;
    return (struct glmv_box){x, y, right - x, bottom - y};
}

#endif
