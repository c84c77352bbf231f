/*
 * What a browser knows about a page that it has rendered: the boxes of its text and of its
 * elements. The renderer fills it; measuring, naming regions and correcting a page read it. Lengths
 * are CSS px from the top left corner of the document; colours are 0xRRGGBBAA; texts are UTF-8.
 */
#ifndef GLMV_BASE_PAGE_H
#define GLMV_BASE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/box.h"

/* One line of one text node, as it was laid out, or the value or placeholder of a form field. */
struct glmv_page_text {
    char *text;          /* white space collapsed as rendered, never empty */
    struct glmv_box box; /* of the line's range: advance width, font ascent and descent high */
    char *font;          /* font-family as computed */
    double font_px;
    double line_px; /* line-height in px; 0 for normal */
    int weight;     /* 1..1000 */
    bool italic;
    uint32_t rgba; /* text colour */
    int element;   /* index of the element that holds it */
};

struct glmv_page_element {
    char *tag;     /* lower case */
    char *path;    /* a CSS selector that finds exactly this element */
    char *id;      /* NULL without one */
    char *classes; /* NULL without one */
    int mark;      /* the number in its data-glmv attribute; -1 without one */
    int parent;    /* index, smaller than its own; -1 for html */
    struct glmv_box box;
    uint32_t background; /* background-color */
};

struct glmv_page {
    int width, height;            /* of the whole document, before any limit */
    struct glmv_page_text *texts; /* in document order */
    size_t text_count;
    struct glmv_page_element *elements; /* in document order */
    size_t element_count;
    char **console; /* error messages of the page's scripts */
    size_t console_count;
    char **blocked; /* addresses that were asked for and refused */
    size_t blocked_count;
};

/* Frees everything inside and the page. NULL is allowed. */
void glmv_page_free(struct glmv_page *page);

#endif
