/* Models for measurements on a device. */
#ifndef GLMV_TESTS_BENCH_GPU_MODEL_H
#define GLMV_TESTS_BENCH_GPU_MODEL_H

#include "model/glm/config.h"

/* The published sizes, or tiny ones. */
void bench_config(struct glm_config *config, bool small);
/* Logits of random weights on a device against floats on the processor: their distance relative to
 * their size, for two layers of the published widths and a small vocabulary; negative: failed. */
double bench_logits(bool small, struct glmv_err *err);
/* Opens a folder on a device and says when the first token was there. An exit code. */
int bench_load(const char *folder, const char *form);

#endif
