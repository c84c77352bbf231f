/*
 * What can be measured in a screenshot of a page: text lines with their type, boxes with their paint, pictures.
 * The perception part of the tracer fills a scene; its layout part turns one into HTML; models get it as hints.
 * All lengths are px of the picture, origin at its top left corner; colours are 0xRRGGBBAA.
 */
#ifndef GLMV_MODEL_TRACER_SCENE_H
#define GLMV_MODEL_TRACER_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/box.h"
#include "base/image.h"

enum glmv_family {
    GLMV_FAMILY_SANS,
    GLMV_FAMILY_SERIF,
    GLMV_FAMILY_MONO,
};

/* A word or a run of words of one line that share their type. */
struct glmv_scene_word {
    char *text;          /* UTF-8, no white space */
    struct glmv_box ink; /* box of its ink */
    double confidence;   /* OCR's, 0..100 */
};

/* One line of text, or a part of one where type or colour changes. Lines never span columns. */
struct glmv_scene_line {
    char *text;            /* words joined by single spaces */
    struct glmv_box ink;   /* box of the ink */
    double baseline;       /* y of the baseline */
    struct glmv_scene_word *words;
    size_t word_count;
    char font[64];         /* family as fitted, a name that CSS can use: "Liberation Sans" */
    enum glmv_family family;
    double font_px;        /* size */
    int weight;            /* 100..900 */
    bool italic;
    bool underline, strike;
    double letter_spacing; /* px, 0 mostly */
    double advance;        /* width in px that the fitted type gives this text */
    double inked;          /* and how wide its ink is then, smoothed edges included */
    uint32_t color;
    uint32_t background;   /* what lies behind it */
    double confidence;     /* OCR's, 0..100, weighted by length */
    double fit;            /* 0..1, how well the fitted type, drawn, resembles the pixels */
    bool on_picture;       /* lies on a photo */
    bool cell;             /* of a table with close columns: goes on with nothing beside it */
    int rotation;          /* degrees, 0, 90 or 270 */
};

enum glmv_fill {
    GLMV_FILL_NONE, /* only borders: an outline */
    GLMV_FILL_SOLID,
    GLMV_FILL_GRADIENT,
};

struct glmv_scene_stop {
    double at; /* 0..1 */
    uint32_t color;
};

enum glmv_side { GLMV_TOP, GLMV_RIGHT, GLMV_BOTTOM, GLMV_LEFT };

struct glmv_scene_border {
    double width; /* 0 for none */
    uint32_t color;
    bool dashed; /* or dotted */
    bool dotted;
};

struct glmv_scene_shadow {
    bool present;
    double dx, dy, blur, spread;
    uint32_t color;
};

/* A triangle over the whole width of a box at its upper or lower end, in what comes next's colour. */
struct glmv_scene_slant {
    double depth; /* px of its height; 0 for none */
    bool left;    /* its right angle is at the left side */
    uint32_t color;
};

/* A soft spot on the fill of a box: a disc blurred by a Gaussian. */
struct glmv_scene_glow {
    double cx, cy;    /* px, from the corner of the box's fill */
    double radius;
    double deviation; /* of the Gaussian */
    uint32_t color;   /* its alpha is that of its middle */
};

enum { GLMV_SCENE_GLOWS = 4 };

/* A painted rectangle: a section, a card, a button, a field, a rule. The box includes the borders. */
struct glmv_scene_box {
    struct glmv_box box;
    enum glmv_fill fill;
    uint32_t color;      /* for GLMV_FILL_SOLID; may let through what is under it */
    bool radial;         /* for GLMV_FILL_GRADIENT: an ellipse with middle and radii, else at an angle */
    double cx, cy, rx, ry; /* px, from the corner of the box's fill */
    double angle;        /* CSS degrees */
    struct glmv_scene_stop stops[6];
    int stop_count;
    struct glmv_scene_glow glow[GLMV_SCENE_GLOWS]; /* over the fill; the first lies lowest */
    int glow_count;
    struct glmv_scene_border border[4]; /* by enum glmv_side */
    struct glmv_scene_slant slant[2]; /* at the top, at the bottom */
    double radius[4];    /* top left, top right, bottom right, bottom left */
    struct glmv_scene_shadow shadow;
};

enum glmv_picture_kind {
    GLMV_PICTURE_PHOTO,
    GLMV_PICTURE_ICON,
    GLMV_PICTURE_LEFTOVER, /* pixels that nothing else explains */
    GLMV_PICTURE_DRAWING,  /* shapes that things may lie on; svg has them */
};

/* Pixels that stay a picture. */
struct glmv_scene_picture {
    struct glmv_box box;      /* whole px */
    enum glmv_picture_kind kind;
    struct glmv_image *image; /* owned; box.w x box.h; transparent where the background shows */
    char *svg;                /* owned; a document of the same size that shows the same; NULL: px alone */
    double radius;            /* of its corners */
    int same_as;              /* index of an earlier picture with equal pixels, or -1 */
};

struct glmv_scene {
    int width, height;
    double scale;        /* device px per CSS px as guessed: 1, 2 or 3 */
    uint32_t background; /* of the page */
    char lang[8];        /* of the text: "en", "zh", "ja", ... */
    struct glmv_scene_line *lines; /* top to bottom, left to right */
    size_t line_count;
    struct glmv_scene_box *boxes; /* a box comes before the boxes that lie in it */
    size_t box_count;
    struct glmv_scene_picture *pictures;
    size_t picture_count;
    char **notes; /* sentences for a person: what could not be read or measured and why */
    size_t note_count;
};

/* NULL is allowed. */
void glmv_scene_free(struct glmv_scene *scene);

#endif
