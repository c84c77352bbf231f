/* Classes that set one thing: distances in whole px, and where things stand in a row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/style.h"

/* "12" of "12px" and of "0"; NULL where a value is none of whole px. The end is stored. */
static const char *whole_px(const char *value, int *px, const char **end)
{
    size_t digits = strspn(value, "0123456789");
    bool unit = strncmp(value + digits, "px", 2) == 0;
    if (digits == 0 || digits > 4 || (!unit && value[0] != '0')) {
        return NULL;
    }
    *px = atoi(value);
    *end = value + digits + (unit ? 2 : 0);
    return **end == '\0' || **end == ' ' ? value : NULL;
}

static bool name_distance(const struct tracer_rule *rule, char name[24])
{
    static const char *const stems[][2] = {{"margin-top", "mt"},   {"margin-left", "ml"},
                                           {"margin-right", "mr"}, {"margin-bottom", "mb"},
                                           {"padding-left", "pl"}, {"padding-right", "pr"},
                                           {"padding-top", "pt"},  {"padding-bottom", "pb"},
                                           {"gap", "gap"},         {"padding", "p"}};
    int px;
    const char *end;
    for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++) {
        if (strcmp(rule->name, stems[i][0]) == 0 && whole_px(rule->value, &px, &end) != NULL &&
            *end == '\0') {
            snprintf(name, 24, "%s-%d", stems[i][1], px);
            return true;
        }
    }
    return false;
}

/* "padding: 0 12px" and "padding: 12px 0". */
static bool name_two_sides(const struct tracer_rule *rule, char name[24])
{
    int first;
    int second;
    const char *end;
    if (strcmp(rule->name, "padding") != 0 || whole_px(rule->value, &first, &end) == NULL ||
        *end != ' ' || whole_px(end + 1, &second, &end) == NULL || *end != '\0' ||
        (first != 0 && second != 0)) {
        return false;
    }
    snprintf(name, 24, first == 0 ? "px-%d" : "py-%d", first == 0 ? second : first);
    return true;
}

bool tracer_utility_name(const struct tracer_rule *rule, char name[24])
{
    static const char *const words[][3] = {{"margin-left", "auto", "ml-auto"},
                                           {"margin-inline", "auto", "mx-auto"},
                                           {"align-items", "center", "items-center"},
                                           {"align-items", "flex-end", "items-end"},
                                           {"justify-content", "center", "justify-center"},
                                           {"justify-content", "space-between", "justify-between"},
                                           {"justify-content", "flex-end", "justify-end"},
                                           {"text-align", "center", "text-center"},
                                           {"text-align", "right", "text-right"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(rule->name, words[i][0]) == 0 && strcmp(rule->value, words[i][1]) == 0) {
            snprintf(name, 24, "%s", words[i][2]);
            return true;
        }
    }
    return name_distance(rule, name) || name_two_sides(rule, name);
}

/* By stem, and by number within it. */
static int by_name(const void *pa, const void *pb)
{
    const char *a = ((const struct tracer_rule *)pa)->name;
    const char *b = ((const struct tracer_rule *)pb)->name;
    size_t stem_a = strcspn(a, "0123456789{");
    size_t stem_b = strcspn(b, "0123456789{");
    int order = strncmp(a, b, stem_a < stem_b ? stem_a : stem_b);
    return order != 0         ? order
           : stem_a != stem_b ? (stem_a > stem_b) - (stem_a < stem_b)
                              : atoi(a + stem_a) - atoi(b + stem_b);
}

bool tracer_utilities_write(struct tracer_element *utilities, struct glmv_buf *out,
                            struct glmv_err *err)
{
    if (utilities->rule_count == 0) {
        return true;
    }
    qsort(utilities->rules, (size_t)utilities->rule_count, sizeof *utilities->rules, by_name);
    bool ok = glmv_buf_append_str(
        out, "\n/* One declaration each: mt-8 is a margin of 8 px at the top, p a padding */\n",
        err);
    for (int i = 0; ok && i < utilities->rule_count; i++) {
        ok = glmv_buf_appendf(out, err, "%s\n", utilities->rules[i].name);
    }
    return ok;
}
