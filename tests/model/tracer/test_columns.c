/* Rows of a table whose columns stand close to each other are cut into its cells. */
#include <stdlib.h>

#include "model/tracer/perception.h"
#include "tests/check.h"

enum { ROWS = 10, LETTER = 7, GAP = 1, SPACE = 5, PITCH = 20 };

struct page {
    struct model_view view;
    int lines; /* that were begun */
};

/* Letters from x on, in a row of their own unless one is open. */
static int write_letters(struct page *page, int count, int x, bool fresh)
{
    struct model_view *view = &page->view;
    page->lines += fresh;
    int y = PITCH * page->lines;
    if (fresh) {
        view->rows[view->row_count++] = (struct model_row){
            .r = {x, y, x, y + 11}, .surface = 0, .marks = calloc(200, sizeof(int))};
    }
    struct model_row *row = &view->rows[view->row_count - 1];
    for (int i = 0; i < count; i++, x += LETTER + GAP) {
        view->marks[view->mark_count] =
            (struct model_mark){.r = {x, y, x + LETTER, y + 11}, .row = view->row_count - 1};
        row->marks[row->count++] = view->mark_count++;
        row->r.x1 = x + LETTER;
    }
    return x - GAP;
}

static void begin(struct page *page)
{
    *page = (struct page){0};
    page->view.rows = calloc(8 * ROWS, sizeof *page->view.rows);
    page->view.marks = calloc(200 * ROWS, sizeof *page->view.marks);
}

static void end(struct page *page)
{
    for (int i = 0; i < page->view.row_count; i++) {
        free(page->view.rows[i].marks);
    }
    free(page->view.rows);
    free(page->view.marks);
}

static void cells_three_px_apart_are_cut(void)
{
    /* Names of different lengths; the longest ends 3 px before the next column. */
    static const int letters[ROWS] = {12, 5, 9, 12, 7, 12, 4, 12, 12, 6};
    struct page page;
    begin(&page);
    int second = 20 + 12 * (LETTER + GAP) - GAP + 3;
    int third = second + 2 * (LETTER + GAP) - GAP + 3;
    for (int i = 0; i < ROWS; i++) {
        write_letters(&page, letters[i], 20, true);
        write_letters(&page, 2, second, false);
        write_letters(&page, 6, third, false);
    }
    CHECK(model_columns_cut(&page.view, NULL));
    CHECK_MSG(page.view.row_count == 3 * ROWS, "%d rows", page.view.row_count);
    int marks = 0;
    int inside = 0;
    for (int i = 0; i < page.view.row_count; i++) {
        const struct model_row *row = &page.view.rows[i];
        marks += row->count;
        CHECK(row->cell);
        inside +=
            row->r.x1 < second || (row->r.x0 == second && row->r.x1 < third) || row->r.x0 == third;
        for (int k = 0; k < row->count; k++) {
            CHECK(page.view.marks[row->marks[k]].row == i);
        }
    }
    CHECK(marks == page.view.mark_count && inside == page.view.row_count);
    end(&page);
}

static void running_text_stays_whole(void)
{
    static const int words[ROWS][4] = {{3, 7, 2, 9}, {6, 4, 8, 3}, {2, 2, 9, 8}, {9, 5, 4, 3},
                                       {4, 8, 6, 3}, {7, 3, 3, 8}, {5, 9, 2, 5}, {8, 2, 7, 4},
                                       {3, 3, 6, 9}, {10, 4, 4, 3}};
    struct page page;
    begin(&page);
    for (int i = 0; i < ROWS; i++) {
        int x = 20;
        for (int k = 0; k < 4; k++) {
            x = write_letters(&page, words[i][k], x, k == 0) + SPACE;
        }
    }
    CHECK(model_columns_cut(&page.view, NULL));
    CHECK(page.view.row_count == ROWS && !page.view.rows[0].cell);
    end(&page);
}

/* Numbers and their entries: one gap that all lines have. */
static void a_numbered_list_stays_whole(void)
{
    struct page page;
    begin(&page);
    for (int i = 0; i < ROWS; i++) {
        int x = write_letters(&page, 1, 20, true) + SPACE;
        for (int k = 0; k < 3; k++) {
            x = write_letters(&page, 2 + (i * 5 + k * 3) % 7, x, false) + SPACE;
        }
    }
    CHECK(model_columns_cut(&page.view, NULL));
    CHECK(page.view.row_count == ROWS);
    end(&page);
}

int main(void)
{
    cells_three_px_apart_are_cut();
    running_text_stays_whole();
    a_numbered_list_stays_whole();
    TEST_END();
}
