/* Models for measurements on a device, kernels measured one by one, and lines of the table. */
#ifndef GLMV_TESTS_BENCH_GPU_MODEL_H
#define GLMV_TESTS_BENCH_GPU_MODEL_H

#include "model/glm/cuda/cuda.h"

/* One line of the table. must, stretch: 0 for none; larger is better, or smaller where less. */
void bench_row(const char *what, double value, const char *unit, double must, double stretch,
               bool less);
double bench_median(double *times, size_t count); /* sorts them */

/* The published sizes, or tiny ones. */
void bench_config(struct glm_config *config, bool small);
/* Logits of random weights on a device against floats on the processor: their distance relative to
 * their size, for two layers of the published widths and a small vocabulary; negative: failed. */
double bench_logits(bool small, struct glmv_err *err);
/* Opens a folder on a device and says when the first token was there. An exit code. */
int bench_load(const char *folder, const char *form);

/* What the card can do: bytes a second, and operations a second of a bf16 product. */
struct bench_ceilings {
    double copy, read, product;
};
/* Measures them on a device of its own; product by our kernel unless it is given. */
bool bench_ceilings(struct bench_ceilings *ceilings, bool small, struct glmv_err *err);
/* Operations a second of products of many rows in the sizes of the model. */
bool bench_products(bool small, struct glmv_err *err);
/* Where a step of one row spends its time: each kind of kernel over all layers. */
bool bench_kernels(struct glm_runner *runner, const struct glm_config *config, const char *form,
                   double copy, struct glmv_err *err);

#endif
