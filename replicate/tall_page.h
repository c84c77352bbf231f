/*
 * A tall screenshot by a model: cut at quiet rows, every slice written and repaired as a page of
 * its own, all of them joined into one page, which is measured as a whole. Private to replicate.
 */
#ifndef GLMV_REPLICATE_TALL_PAGE_H
#define GLMV_REPLICATE_TALL_PAGE_H

#include "replicate/model_page.h"

/* most: height of a slice in px of the picture. As replicate_model_page_write. */
bool replicate_tall_page_write(const struct replicate_model_page *job, struct glmv_chat *chat,
                               int most, struct replicate_rounds_result *result,
                               struct glmv_err *err);

#endif
