/*
 * What is built as a cJSON tree, as text.
 */
#ifndef GLMV_BASE_JSON_H
#define GLMV_BASE_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct cJSON;

/* Appends the tree, indented, and a line feed. Takes root and frees it, also on failure; NULL
 * stands for a tree that found no memory. */
bool glmv_json_append(struct glmv_buf *buf, struct cJSON *root, struct glmv_err *err);

#endif
