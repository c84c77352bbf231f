#include "render/facts.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? strdup(item->valuestring) : NULL;
}

static double number_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : 0;
}

static int whole_of(const cJSON *object, const char *key)
{
    double value = number_of(object, key);
    return value > 2e9 ? 2000000000 : value < -2e9 ? -2000000000 : (int)value;
}

static uint32_t colour_of(const cJSON *object, const char *key)
{
    double value = number_of(object, key);
    return value < 0 || value > 4294967295.0 ? 0 : (uint32_t)value;
}

static struct glmv_box box_from(const cJSON *list)
{
    double v[4] = {0};
    for (int i = 0; i < 4; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        v[i] = cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : 0;
    }
    return (struct glmv_box){v[0], v[1], v[2], v[3]};
}

static struct glmv_box box_of(const cJSON *object)
{
    return box_from(cJSON_GetObjectItemCaseSensitive(object, "r"));
}

static bool read_texts(struct glmv_page *page, const cJSON *list)
{
    page->texts = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof page->texts[0]);
    if (page->texts == NULL) {
        return false;
    }
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        struct glmv_page_text *text = &page->texts[page->text_count++];
        text->text = text_of(item, "t");
        text->font = text_of(item, "f");
        text->box = box_of(item);
        text->font_px = number_of(item, "s");
        text->line_px = number_of(item, "l");
        text->weight = whole_of(item, "w");
        text->italic = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "i"));
        text->rgba = colour_of(item, "c");
        text->element = whole_of(item, "e");
        if (text->text == NULL || text->font == NULL || text->element < 0) {
            return false;
        }
    }
    return true;
}

static bool read_elements(struct glmv_page *page, const cJSON *list)
{
    page->elements = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof page->elements[0]);
    if (page->elements == NULL) {
        return false;
    }
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        int index = (int)page->element_count;
        struct glmv_page_element *element = &page->elements[page->element_count++];
        element->tag = text_of(item, "t");
        element->path = text_of(item, "p");
        element->id = text_of(item, "i");
        element->classes = text_of(item, "k");
        element->mark = whole_of(item, "m");
        element->parent = whole_of(item, "u");
        element->box = box_of(item);
        element->background = colour_of(item, "b");
        if (element->tag == NULL || element->path == NULL || element->parent >= index ||
            element->parent < -1) {
            return false;
        }
    }
    return true;
}

static bool read_strings(char ***out, size_t *count, const cJSON *list)
{
    *out = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof **out);
    if (*out == NULL) {
        return false;
    }
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        if (cJSON_IsString(item) && ((*out)[*count] = strdup(item->valuestring)) != NULL) {
            *count += 1;
        }
    }
    return true;
}

struct glmv_page *render_facts_read(const char *json, size_t len, struct glmv_err *err)
{
    cJSON *root = cJSON_ParseWithLength(json, len);
    const cJSON *texts = cJSON_GetObjectItemCaseSensitive(root, "texts");
    const cJSON *elements = cJSON_GetObjectItemCaseSensitive(root, "elements");
    const cJSON *blocked = cJSON_GetObjectItemCaseSensitive(root, "blocked");
    const cJSON *console = cJSON_GetObjectItemCaseSensitive(root, "console");
    struct glmv_page *page = calloc(1, sizeof *page);
    bool ok = page != NULL && cJSON_IsArray(texts) && cJSON_IsArray(elements) &&
              cJSON_IsArray(blocked) && cJSON_IsArray(console) && read_elements(page, elements) &&
              read_texts(page, texts) &&
              read_strings(&page->blocked, &page->blocked_count, blocked) &&
              read_strings(&page->console, &page->console_count, console);
    for (size_t i = 0; ok && i < page->text_count; i++) {
        ok = (size_t)page->texts[i].element < page->element_count;
    }
    if (ok) {
        page->width = whole_of(root, "width");
        page->height = whole_of(root, "height");
    }
    cJSON_Delete(root);
    if (!ok) {
        glmv_page_free(page);
        glmv_fail(err, GLMV_ERR_RENDER, "the renderer's account of the page makes no sense");
        return NULL;
    }
    return page;
}

struct glmv_render_found *render_facts_found(const char *json, size_t len, size_t *count,
                                             struct glmv_err *err)
{
    cJSON *root = cJSON_ParseWithLength(json, len);
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(root, "found");
    size_t total = 0;
    const cJSON *list;
    cJSON_ArrayForEach(list, lists)
    {
        total += (size_t)cJSON_GetArraySize(list);
    }
    struct glmv_render_found *found = calloc(total + 1, sizeof *found);
    size_t selector = 0;
    *count = 0;
    cJSON_ArrayForEach(list, lists)
    {
        const cJSON *box;
        cJSON_ArrayForEach(box, list)
        {
            if (found != NULL) {
                found[(*count)++] = (struct glmv_render_found){selector, box_from(box)};
            }
        }
        selector++;
    }
    cJSON_Delete(root);
    if (found == NULL) {
        glmv_fail_memory(err);
    }
    return found;
}
