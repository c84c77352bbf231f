/* What the classes of an element say, in the order of the sheet, is what the element declared. */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/element.h"
#include "model/tracer/style.h"
#include "tests/check.h"

static void add(struct tracer_elements *all, const char *rules)
{
    struct glmv_err err = {0};
    struct tracer_element *one = tracer_element_add(all, "td", "cell", 1);
    CHECK(one != NULL && tracer_element_declare(one, rules, &err));
}

static bool has_class(const struct tracer_element *element, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = element->classes; at != NULL && *at != '\0'; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strncmp(at, name, len) == 0 && (at[len] == ' ' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* The padding on top that the last declaration of it sets. */
static double padding_top(const struct tracer_classes *classes,
                          const struct tracer_element *element)
{
    double px = -1;
    for (int i = 0; i < classes->count; i++) {
        const struct tracer_element *said = &classes->list[i].said;
        for (int r = 0; has_class(element, classes->list[i].name) && r < said->rule_count; r++) {
            bool all_sides = strcmp(said->rules[r].name, "padding") == 0;
            if (all_sides || strcmp(said->rules[r].name, "padding-top") == 0) {
                px = strtod(said->rules[r].value, NULL);
            }
        }
    }
    return px;
}

/* One cell among six says its sides in another way: its own distance holds. */
static void check_other_cell(const char *six, const char *one)
{
    struct tracer_elements all = {0};
    for (int i = 0; i < 6; i++) {
        add(&all, six);
    }
    add(&all, one);
    struct tracer_classes classes = {0};
    struct glmv_err err = {0};
    CHECK(tracer_classes_find(&all, &classes, &err));
    CHECK(padding_top(&classes, &all.list[0]) == 14);
    double px = padding_top(&classes, &all.list[6]);
    CHECK_MSG(px == 20, "%g", px);
    tracer_classes_release(&classes);
    tracer_elements_release(&all);
}

static void sides_said_together_hold_against_a_class_that_says_one(void)
{
    check_other_cell("height: 52px; border-top: 2px solid red; padding-top: 14px; ",
                     "height: 52px; border-top: 2px solid red; padding: 20px 12px 0; ");
}

static void one_side_holds_against_a_class_that_says_all(void)
{
    check_other_cell("height: 52px; border-top: 2px solid red; padding: 14px 12px 0; ",
                     "height: 52px; border-top: 2px solid red; padding-top: 20px; ");
}

int main(void)
{
    sides_said_together_hold_against_a_class_that_says_one();
    one_side_holds_against_a_class_that_says_all();
    TEST_END();
}
