/* The Hungarian method by shortest augmenting paths (Jonker and Volgenant 1987, Crouse 2016). */
#include "diff/assign.h"

#include <math.h>
#include <stdlib.h>

struct search {
    const double *cost; /* n x m, n <= m */
    size_t n, m;
    double *u, *v;           /* duals */
    double *distance;        /* to each column */
    int *path;               /* the row from which a column was reached */
    int *column_of, *row_of; /* the assignment so far, -1 for none */
    bool *row_seen, *column_seen;
    size_t *left; /* columns not reached for good */
};

/* The free column at the end of the shortest path from a row. */
static size_t shortest_path(struct search *s, size_t start, double *length)
{
    size_t count = s->m;
    for (size_t j = 0; j < s->m; j++) {
        s->left[j] = s->m - 1 - j;
        s->distance[j] = INFINITY;
        s->column_seen[j] = false;
    }
    for (size_t i = 0; i < s->n; i++) {
        s->row_seen[i] = false;
    }
    *length = 0;
    for (size_t i = start;;) {
        size_t best = 0;
        double lowest = INFINITY;
        s->row_seen[i] = true;
        for (size_t k = 0; k < count; k++) {
            size_t j = s->left[k];
            double d = *length + s->cost[i * s->m + j] - s->u[i] - s->v[j];
            if (d < s->distance[j]) {
                s->path[j] = (int)i;
                s->distance[j] = d;
            }
            /* Of equals one that ends the path. */
            if (s->distance[j] < lowest || (s->distance[j] == lowest && s->row_of[j] == -1)) {
                lowest = s->distance[j];
                best = k;
            }
        }
        *length = lowest;
        size_t j = s->left[best];
        s->column_seen[j] = true;
        s->left[best] = s->left[--count];
        if (s->row_of[j] == -1) {
            return j;
        }
        i = (size_t)s->row_of[j];
    }
}

static void augment(struct search *s, size_t start)
{
    double length;
    size_t j = shortest_path(s, start, &length);
    s->u[start] += length;
    for (size_t i = 0; i < s->n; i++) {
        if (s->row_seen[i] && i != start) {
            s->u[i] += length - s->distance[s->column_of[i]];
        }
    }
    for (size_t k = 0; k < s->m; k++) {
        if (s->column_seen[k]) {
            s->v[k] -= length - s->distance[k];
        }
    }
    for (size_t i = s->n; i != start;) {
        i = (size_t)s->path[j];
        s->row_of[j] = (int)i;
        int before = s->column_of[i];
        s->column_of[i] = (int)j;
        j = (size_t)before;
    }
}

static bool solve(struct search *s)
{
    s->u = calloc(s->n, sizeof *s->u);
    s->v = calloc(s->m, sizeof *s->v);
    s->distance = malloc(s->m * sizeof *s->distance);
    s->path = malloc(s->m * sizeof *s->path);
    s->row_seen = malloc(s->n * sizeof *s->row_seen);
    s->column_seen = malloc(s->m * sizeof *s->column_seen);
    s->left = malloc(s->m * sizeof *s->left);
    bool ok = s->u != NULL && s->v != NULL && s->distance != NULL && s->path != NULL &&
              s->row_seen != NULL && s->column_seen != NULL && s->left != NULL;
    for (size_t i = 0; ok && i < s->n; i++) {
        augment(s, i);
    }
    free(s->u);
    free(s->v);
    free(s->distance);
    free(s->path);
    free(s->row_seen);
    free(s->column_seen);
    free(s->left);
    return ok;
}

bool diff_assign(const double *cost, size_t rows, size_t columns, int *column)
{
    if (rows == 0 || columns == 0) {
        for (size_t i = 0; i < rows; i++) {
            column[i] = -1;
        }
        return true;
    }
    bool turned = rows > columns;
    double *copy = turned ? malloc(rows * columns * sizeof *copy) : NULL;
    int *other = malloc((turned ? columns : rows) * sizeof *other);
    int *row_of = turned ? column : malloc(columns * sizeof *row_of);
    bool ok = other != NULL && row_of != NULL && (copy != NULL || !turned);
    if (ok) {
        struct search s = {.cost = cost, .n = rows, .m = columns};
        if (turned) {
            for (size_t i = 0; i < rows * columns; i++) {
                copy[(i % columns) * rows + i / columns] = cost[i];
            }
            s.cost = copy;
            s.n = columns;
            s.m = rows;
        }
        for (size_t i = 0; i < s.n; i++) {
            other[i] = -1;
        }
        for (size_t j = 0; j < s.m; j++) {
            row_of[j] = -1;
        }
        s.column_of = other;
        s.row_of = row_of;
        ok = solve(&s);
    }
    for (size_t i = 0; ok && !turned && i < rows; i++) {
        column[i] = other[i];
    }
    if (!turned) {
        free(row_of);
    }
    free(other);
    free(copy);
    return ok;
}
