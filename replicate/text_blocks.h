/* Blocks of text of a page: from the boxes that the browser gave and from the ink in its picture.
 * Private to replicate. */
#ifndef GLMV_REPLICATE_TEXT_BLOCKS_H
#define GLMV_REPLICATE_TEXT_BLOCKS_H

#include "base/image.h"
#include "base/page.h"
#include "diff/blocks.h"

struct replicate_blocks {
    struct glmv_block *list; /* owned, with its texts */
    size_t count;
};

/*
 * Lines of one container that follow each other in one style are a block. bare: the page with its
 * text hidden; where that changes nothing a text has no ink and does not count.
 */
bool replicate_blocks_of_page(const struct glmv_page *page, const struct glmv_image *image,
                              const struct glmv_image *bare, struct replicate_blocks *blocks,
                              struct glmv_err *err);

/* From JSON: {"blocks": [{"text", "bbox": [x, y, w, h] in px, "color": "#rrggbb"}]} of a picture of
 * so many px. name is used in messages. */
bool replicate_blocks_of_json(const char *json, size_t len, const char *name, int width, int height,
                              struct replicate_blocks *blocks, struct glmv_err *err);

void replicate_blocks_release(struct replicate_blocks *blocks);

#endif
