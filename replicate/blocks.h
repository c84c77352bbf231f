/*
 * Changes of a page as search/replace blocks:
 *
 *     <<<<<<< SEARCH
 *     lines of the page
 *     =======
 *     lines that take their place
 *     >>>>>>> REPLACE
 *
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_BLOCKS_H
#define GLMV_REPLICATE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Whether an answer begins a block. */
bool replicate_blocks_found(const char *answer, size_t len);

/*
 * Appends html with all blocks of the answer carried out, in their order. The lines to search for
 * have to occur once: as they are, or else with white space around lines and empty lines left out
 * of account. GLMV_ERR_MODEL, and nothing appended, when a block is incomplete or does not fit.
 */
bool replicate_blocks_apply(const char *html, size_t html_len, const char *answer, size_t len,
                            struct glmv_buf *out, struct glmv_err *err);

#endif
