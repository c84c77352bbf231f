#include "base/page.h"

#include <stdlib.h>

static void free_strings(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i]);
    }
    free((void *)list);
}

void glmv_page_free(struct glmv_page *page)
{
    if (page == NULL) {
        return;
    }
    for (size_t i = 0; i < page->text_count; i++) {
        free(page->texts[i].text);
        free(page->texts[i].font);
    }
    for (size_t i = 0; i < page->element_count; i++) {
        free(page->elements[i].tag);
        free(page->elements[i].path);
        free(page->elements[i].id);
        free(page->elements[i].classes);
    }
    free(page->texts);
    free(page->elements);
    free_strings(page->console, page->console_count);
    free_strings(page->blocked, page->blocked_count);
    free(page);
}
