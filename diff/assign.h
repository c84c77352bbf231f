/* The assignment of least cost. Private to diff. */
#ifndef GLMV_DIFF_ASSIGN_H
#define GLMV_DIFF_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>

/* cost: rows x columns; column[i] receives the column of row i, -1 for rows that are left over.
 * False without memory. */
bool diff_assign(const double *cost, size_t rows, size_t columns, int *column);

#endif
