/* What HTML's parser knows about names of elements. Private to htmlfix. */
#ifndef GLMV_HTMLFIX_TAGS_H
#define GLMV_HTMLFIX_TAGS_H

#include <stddef.h>

enum htmlfix_trait {
    HTMLFIX_VOID = 1,      /* has no content and no end tag */
    HTMLFIX_RAW = 2,       /* its content is text up to its end tag */
    HTMLFIX_FORMAT = 4,    /* unclosed, it goes on after its parent's end */
    HTMLFIX_OPTIONAL = 8,  /* its end tag may be left out */
    HTMLFIX_BREAKOUT = 16, /* ends SVG and MathML */
    HTMLFIX_FOREIGN = 32,  /* svg, math */
    HTMLFIX_PORTAL = 64,   /* HTML inside SVG or MathML */
    HTMLFIX_CODE = 128,    /* shows text as it was typed */
    HTMLFIX_FRAME = 256,   /* html, head, body */
    HTMLFIX_WRAPPER = 512, /* no HTML: what models put around an answer */
    HTMLFIX_HEAD = 1024,   /* lives in the head */
    HTMLFIX_SCOPE = 2048,  /* an end tag inside does not reach an element outside */
    HTMLFIX_TABLE = 8192,  /* part of a table */
    HTMLFIX_BLOCK = 4096,  /* its start ends an open paragraph */
};

struct htmlfix_tag {
    const char *name;
    unsigned traits;
};

/* The element's place in the table, or 0 for an unknown one. Name in any case. */
unsigned htmlfix_tag_find(const char *name, size_t len);
const struct htmlfix_tag *htmlfix_tag_get(unsigned id);

enum { HTMLFIX_TAG_COUNT = 160 }; /* ids are below it */

#endif
