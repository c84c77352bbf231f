#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "render/render.h"

static cJSON *box_json(struct glmv_box box)
{
    double values[4] = {box.x, box.y, box.w, box.h};
    return cJSON_CreateDoubleArray(values, 4);
}

static void add_colour(cJSON *object, const char *key, uint32_t rgba)
{
    char text[16];
    snprintf(text, sizeof text, "#%08x", (unsigned)rgba);
    cJSON_AddStringToObject(object, key, text);
}

static cJSON *text_json(const struct glmv_page_text *text)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "text", text->text);
    cJSON_AddItemToObject(item, "box", box_json(text->box));
    cJSON_AddStringToObject(item, "font", text->font);
    cJSON_AddNumberToObject(item, "font_px", text->font_px);
    cJSON_AddNumberToObject(item, "line_px", text->line_px);
    cJSON_AddNumberToObject(item, "weight", text->weight);
    cJSON_AddBoolToObject(item, "italic", text->italic);
    add_colour(item, "color", text->rgba);
    cJSON_AddNumberToObject(item, "element", text->element);
    return item;
}

static cJSON *element_json(const struct glmv_page_element *element)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "tag", element->tag);
    cJSON_AddStringToObject(item, "path", element->path);
    if (element->id != NULL) {
        cJSON_AddStringToObject(item, "id", element->id);
    }
    if (element->classes != NULL) {
        cJSON_AddStringToObject(item, "class", element->classes);
    }
    if (element->mark >= 0) {
        cJSON_AddNumberToObject(item, "mark", element->mark);
    }
    cJSON_AddNumberToObject(item, "parent", element->parent);
    cJSON_AddItemToObject(item, "box", box_json(element->box));
    add_colour(item, "background", element->background);
    return item;
}

static void add_strings(cJSON *root, const char *key, char **list, size_t count)
{
    cJSON *array = cJSON_AddArrayToObject(root, key);
    for (size_t i = 0; i < count; i++) {
        cJSON_AddItemToArray(array, cJSON_CreateString(list[i]));
    }
}

bool glmv_render_dom_json(const struct glmv_render *render, struct glmv_buf *out,
                          struct glmv_err *err)
{
    const struct glmv_page *page = render->page;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "width", page->width);
    cJSON_AddNumberToObject(root, "height", page->height);
    cJSON_AddBoolToObject(root, "cut", render->cut);
    cJSON_AddBoolToObject(root, "sandboxed", render->sandboxed);
    cJSON_AddBoolToObject(root, "isolated", render->isolated);
    cJSON *texts = cJSON_AddArrayToObject(root, "texts");
    for (size_t i = 0; i < page->text_count; i++) {
        cJSON_AddItemToArray(texts, text_json(&page->texts[i]));
    }
    cJSON *elements = cJSON_AddArrayToObject(root, "elements");
    for (size_t i = 0; i < page->element_count; i++) {
        cJSON_AddItemToArray(elements, element_json(&page->elements[i]));
    }
    add_strings(root, "console", page->console, page->console_count);
    add_strings(root, "blocked", page->blocked, page->blocked_count);
    return glmv_json_append(out, root, err);
}
