/* A rectangle with its top left corner, in CSS px of a page or in px of a picture, as the owner
 * says. */
#ifndef GLMV_BASE_BOX_H
#define GLMV_BASE_BOX_H

struct glmv_box {
    double x, y, w, h;
};

#endif
