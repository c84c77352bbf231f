/*
 * Classes. Elements of one role that look alike are a kind: what all of a kind declare, and what
 * most do, is its class. What is left of an element is a distance that others have as well
 * ("mt-8"), or a class of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/style.h"

enum {
    NAMES_MAX = 160,
    LEAST_SHARED = 2,
    MOST_UTILITIES = 4,
    MOST_OTHERWISE = 2, /* declarations of their look in which elements of one kind differ */
};

/* Elements of one role that look alike but for a colour or two. */
struct kind {
    int first;                 /* element */
    int count;                 /* elements */
    struct tracer_element own; /* what its class says */
    int class;                 /* index, or -1 while it has none */
};

/* A declaration, and how many elements of a kind make it. */
struct tally {
    const struct tracer_rule *rule; /* borrowed */
    int users;
};

struct sorter {
    struct tracer_elements *all;
    struct tracer_classes *classes;
    struct kind *kinds; /* owned */
    int kind_count;
    int *kind_of;                /* owned; of each element, -1 for those that say nothing */
    struct tracer_element *rest; /* owned; what the class of its kind does not say of each */
    int *class_of_rest;          /* owned; the class for that, or -1 */
    struct tally *tallies;       /* owned; room for one of each rule of the page */
    struct glmv_err *err;
};

void tracer_classes_release(struct tracer_classes *classes)
{
    for (int i = 0; i < classes->count; i++) {
        tracer_element_release(&classes->list[i].said);
    }
    free(classes->list);
    tracer_element_release(&classes->utilities);
    *classes = (struct tracer_classes){0};
}

/* --- kinds */

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What a thing looks like, wherever it stands. */
static bool is_look(const char *name)
{
    return starts(name, "font-") || starts(name, "background") || starts(name, "border") ||
           strcmp(name, "line-height") == 0 || strcmp(name, "color") == 0 ||
           strcmp(name, "box-shadow") == 0 || strcmp(name, "text-decoration") == 0;
}

/* How many declarations of their look two elements make otherwise; -1 where one makes some that the
 * other does not, or hardly any alike. */
static int look_distance(const struct tracer_element *a, const struct tracer_element *b)
{
    int looks = 0;
    int others = 0;
    for (int i = 0; i < a->rule_count; i++) {
        if (is_look(a->rules[i].name)) {
            const char *other = tracer_element_find(b, a->rules[i].name);
            looks++;
            others += other == NULL || strcmp(other, a->rules[i].value) != 0;
            if (other == NULL) {
                return -1;
            }
        }
    }
    int same = looks - others;
    for (int i = 0; i < b->rule_count; i++) {
        looks -= is_look(b->rules[i].name);
    }
    return looks == 0 && (others == 0 || (others <= MOST_OTHERWISE && same >= others)) ? others
                                                                                       : -1;
}

/* Texts are named after their look, and what groups them has none: those are one kind where all is
 * alike. */
static bool varies(const char *role)
{
    static const char *const fixed[] = {"text", "group", "heading", "section", "main", "layer"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(role, fixed[i]) == 0) {
            return false;
        }
    }
    return true;
}

/* The kind that an element is of, the most alike; -1 when it is the first of its own. */
static int kind_of_element(const struct sorter *s, const struct tracer_element *one)
{
    int best = -1;
    int nearest = 0;
    for (int k = 0; k < s->kind_count; k++) {
        const struct tracer_element *first = &s->all->list[s->kinds[k].first];
        int off = strcmp(first->role, one->role) == 0 ? look_distance(first, one) : -1;
        if (off >= 0 && (off == 0 || varies(one->role)) && (best < 0 || off < nearest)) {
            best = k;
            nearest = off;
        }
    }
    return best;
}

static void find_kinds(struct sorter *s)
{
    for (int i = 0; i < s->all->count; i++) {
        const struct tracer_element *one = &s->all->list[i];
        s->kind_of[i] = -1;
        if (one->rule_count == 0) {
            continue;
        }
        int k = kind_of_element(s, one);
        if (k < 0) {
            k = s->kind_count++;
            s->kinds[k] = (struct kind){.first = i, .class = -1};
        }
        tracer_element_name(&s->kinds[k].own, one->role);
        s->kinds[k].count++;
        s->kind_of[i] = k;
    }
}

/* --- what a kind says */

/* What undoes a declaration; NULL: nothing that is known to. */
static const char *undone(const char *name)
{
    return starts(name, "margin") || starts(name, "padding") ? "0"
           : strcmp(name, "letter-spacing") == 0             ? "normal"
                                                             : NULL;
}

/* Texts that look alike, and groups, may stand anywhere: where they stand is no part of their kind
 * where there are classes for that. */
static bool is_elsewhere(const struct sorter *s, const struct kind *kind,
                         const struct tracer_rule *rule)
{
    static const char *const anywhere[] = {"text", "group", "icon", "heading", "section", "main"};
    char name[24];
    bool any = false;
    for (size_t i = 0; i < sizeof anywhere / sizeof anywhere[0]; i++) {
        any = any || strcmp(kind->own.role, anywhere[i]) == 0;
    }
    if (!any || is_look(rule->name) || !tracer_utility_name(rule, name)) {
        return false;
    }
    /* What one element alone declares stays together where a part of it needs a class. */
    const struct tracer_element *first = &s->all->list[kind->first];
    int places = 0;
    for (int i = 0; i < first->rule_count; i++) {
        bool place = !is_look(first->rules[i].name);
        places += place;
        if (kind->count == 1 && place && !tracer_utility_name(&first->rules[i], name)) {
            return false;
        }
    }
    return kind->count > 1 || places <= MOST_UTILITIES;
}

/* What elements of a kind declare, each thing once, in order, with how many do. Returns how many
 * there are. */
static int tally_kind(const struct sorter *s, int kind)
{
    int count = 0;
    for (int i = s->kinds[kind].first; i < s->all->count; i++) {
        const struct tracer_element *element = &s->all->list[i];
        for (int r = 0; s->kind_of[i] == kind && r < element->rule_count; r++) {
            const struct tracer_rule *rule = &element->rules[r];
            int k = 0;
            while (k < count && (strcmp(s->tallies[k].rule->name, rule->name) != 0 ||
                                 strcmp(s->tallies[k].rule->value, rule->value) != 0)) {
                k++;
            }
            if (k == count) {
                s->tallies[count++] = (struct tally){rule, 0};
            }
            s->tallies[k].users++;
        }
    }
    return count;
}

/* How many of a kind declare something of a name. */
static int count_speakers(const struct sorter *s, int tallies, const char *name)
{
    int speakers = 0;
    for (int k = 0; k < tallies; k++) {
        speakers += strcmp(s->tallies[k].rule->name, name) == 0 ? s->tallies[k].users : 0;
    }
    return speakers;
}

/* Whether no other declaration of its name is commoner in a kind. */
static bool is_commonest(const struct sorter *s, int tallies, int one)
{
    for (int k = 0; k < tallies; k++) {
        bool rival = strcmp(s->tallies[k].rule->name, s->tallies[one].rule->name) == 0;
        if (rival && (s->tallies[k].users > s->tallies[one].users ||
                      (k < one && s->tallies[k].users == s->tallies[one].users))) {
            return false;
        }
    }
    return true;
}

static bool settle_kind(struct sorter *s, int kind)
{
    struct kind *one = &s->kinds[kind];
    int tallies = tally_kind(s, kind);
    bool ok = true;
    for (int k = 0; ok && k < tallies; k++) {
        const struct tracer_rule *rule = s->tallies[k].rule;
        int users = s->tallies[k].users;
        bool all = count_speakers(s, tallies, rule->name) == one->count;
        bool most = users >= LEAST_SHARED && users * 5 >= one->count * 3 &&
                    (undone(rule->name) != NULL || all);
        if (is_look(rule->name)) { /* some may have another colour: they say that */
            most = all && is_commonest(s, tallies, k);
        }
        if ((users == one->count || most) && !is_elsewhere(s, one, rule)) {
            ok = tracer_element_set(&one->own, rule->name, rule->value, s->err);
        }
    }
    return ok;
}

/* Whether an element says all sides at once, of which a declaration is one. */
static bool says_all_sides(const struct tracer_element *one, const char *name)
{
    return (starts(name, "padding-") && tracer_element_find(one, "padding") != NULL) ||
           (starts(name, "margin-") && tracer_element_find(one, "margin") != NULL);
}

/* Whether a declaration of all sides has to be said behind those of one side that a kind makes and
 * the element does not. */
static bool is_said_again(const struct tracer_element *kind, const struct tracer_element *one,
                          const char *name)
{
    for (int i = 0; i < kind->rule_count; i++) {
        const char *side = kind->rules[i].name;
        if (strlen(side) > strlen(name) && starts(side, name) && says_all_sides(one, side) &&
            tracer_element_find(one, side) == NULL) {
            return true;
        }
    }
    return false;
}

/* What the class of its kind does not say of an element, or says otherwise. What undoes comes
 * first: it may be of a side that the element says together with others. */
static bool find_rest(struct sorter *s, int element)
{
    const struct tracer_element *one = &s->all->list[element];
    const struct tracer_element *kind = &s->kinds[s->kind_of[element]].own;
    struct tracer_element *rest = &s->rest[element];
    bool ok = true;
    tracer_element_name(rest, one->role);
    for (int i = 0; ok && i < kind->rule_count; i++) {
        const char *name = kind->rules[i].name;
        if (tracer_element_find(one, name) == NULL && !says_all_sides(one, name)) {
            ok = tracer_element_set(rest, name, undone(name), s->err);
        }
    }
    for (int i = 0; ok && i < one->rule_count; i++) {
        const char *said = tracer_element_find(kind, one->rules[i].name);
        if (said == NULL || strcmp(said, one->rules[i].value) != 0 ||
            is_said_again(kind, one, one->rules[i].name)) {
            ok = tracer_element_set(rest, one->rules[i].name, one->rules[i].value, s->err);
        }
    }
    return ok;
}

/* Whether all that is left of an element, of few things, has classes that set one thing. */
static bool takes_utilities(const struct tracer_element *rest)
{
    char name[24];
    for (int i = 0; i < rest->rule_count; i++) {
        if (!tracer_utility_name(&rest->rules[i], name)) {
            return false;
        }
    }
    return rest->rule_count > 0 && rest->rule_count <= MOST_UTILITIES;
}

/* --- names */

static bool is_name_taken(const struct tracer_classes *classes, const char *name)
{
    for (int i = 0; i < classes->count; i++) {
        if (strcmp(classes->list[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Appends a value's word: "lg" of var(--text-lg), "bold" of 700. */
static void add_word(char name[48], const struct tracer_element *look, const char *rule)
{
    const char *value = tracer_element_find(look, rule);
    size_t len = strlen(name);
    if (value == NULL) {
        return;
    }
    if (starts(value, "var(--")) {
        value += 6;
        value += starts(value, "text-") || starts(value, "font-") ? 5 : 0;
        snprintf(name + len, 48 - len, "-%.*s", (int)strcspn(value, ")"), value);
    } else if (strcmp(rule, "font-weight") == 0) {
        snprintf(name + len, 48 - len, "-%s",
                 atoi(value) >= 600  ? "bold"
                 : atoi(value) < 400 ? "light"
                                     : "regular");
    } else if (strcmp(value, "italic") == 0) {
        snprintf(name + len, 48 - len, "-italic");
    }
}

/* A text that is nothing else is called by its look: text-sm-gray-400. */
static void base_name(const struct tracer_element *said, char name[48])
{
    snprintf(name, 48, "%s", said->role);
    if (strcmp(said->role, "text") == 0 || strcmp(said->role, "heading") == 0) {
        add_word(name, said, "font-size");
        add_word(name, said, "font-weight");
        add_word(name, said, "font-style");
        add_word(name, said, "font-family");
        add_word(name, said, "color");
    }
}

/* What sets one of a kind off is called by its colour, where it is by that: badge-green-50. */
static void rest_name(const struct tracer_element *rest, const struct tracer_element *one,
                      char name[48])
{
    if (!varies(one->role)) {
        base_name(one, name);
        return;
    }
    snprintf(name, 48, "%s", one->role);
    add_word(name, rest, "background");
    if (strcmp(name, one->role) == 0) {
        add_word(name, rest, "color");
    }
}

/* A class with these rules, which it takes, named after what it is for. Its index, or -1 without
 * memory. */
static int add_class(struct sorter *s, const char *name, struct tracer_element *rules)
{
    struct tracer_classes *all = s->classes;
    if (all->count == all->cap) {
        int cap = all->cap == 0 ? 64 : all->cap * 2;
        struct tracer_class *grown = realloc(all->list, (size_t)cap * sizeof *grown);
        if (grown == NULL) {
            glmv_fail_memory(s->err);
            return -1;
        }
        all->list = grown;
        all->cap = cap;
    }
    struct tracer_class fresh = {.said = *rules};
    *rules = (struct tracer_element){0};
    snprintf(fresh.name, sizeof fresh.name, "%s", name);
    for (int n = 2; is_name_taken(all, fresh.name); n++) {
        snprintf(fresh.name, sizeof fresh.name, "%.32s-%d", name, n);
    }
    all->list[all->count] = fresh;
    return all->count++;
}

/* --- elements */

static bool add_name(char names[NAMES_MAX], const char *name)
{
    size_t len = strlen(names);
    snprintf(names + len, NAMES_MAX - len, "%s%s", len > 0 ? " " : "", name);
    return true;
}

/* The names of the classes that set one thing each; they are noted to be written. */
static bool name_utilities(struct sorter *s, int element, char names[NAMES_MAX])
{
    const struct tracer_element *rest = &s->rest[element];
    bool ok = true;
    for (int i = 0; ok && i < rest->rule_count; i++) {
        char name[24];
        char line[96];
        tracer_utility_name(&rest->rules[i], name);
        add_name(names, name);
        /* ".mt-8 { margin-top: 8px; }": the set of those is kept as an element's rules. */
        snprintf(line, sizeof line, ".%s { %s: %s; }", name, rest->rules[i].name,
                 rest->rules[i].value);
        ok = tracer_element_set(&s->classes->utilities, line, "", s->err);
    }
    return ok;
}

/* The class for what the kind of an element does not say; shared where another one of its kind
 * needs the same. */
static bool class_rest(struct sorter *s, int element)
{
    for (int i = s->kinds[s->kind_of[element]].first; i < element; i++) {
        if (s->kind_of[i] == s->kind_of[element] && s->class_of_rest[i] >= 0 &&
            tracer_element_equal(&s->classes->list[s->class_of_rest[i]].said, &s->rest[element])) {
            s->class_of_rest[element] = s->class_of_rest[i];
            return true;
        }
    }
    char name[48];
    rest_name(&s->rest[element], &s->all->list[element], name);
    s->class_of_rest[element] = add_class(s, name, &s->rest[element]);
    return s->class_of_rest[element] >= 0;
}

static bool name_element(struct sorter *s, int element, bool shares)
{
    struct tracer_element *one = &s->all->list[element];
    char names[NAMES_MAX] = "";
    bool ok = true;
    if (s->kind_of[element] >= 0) {
        struct kind *kind = &s->kinds[s->kind_of[element]];
        if (kind->class < 0 && kind->own.rule_count > 0) {
            char name[48];
            base_name(one, name);
            kind->class = add_class(s, name, &kind->own);
            ok = kind->class >= 0;
        }
        if (ok && kind->class >= 0) {
            add_name(names, s->classes->list[kind->class].name);
        }
        if (ok && s->rest[element].rule_count > 0 && shares) {
            ok = name_utilities(s, element, names);
        } else if (ok && s->rest[element].rule_count > 0) {
            ok = class_rest(s, element) &&
                 add_name(names, s->classes->list[s->class_of_rest[element]].name);
        }
    }
    if (one->layout != NULL) {
        add_name(names, one->layout);
    }
    one->classes = ok && names[0] != '\0' ? strdup(names) : NULL;
    return ok && (names[0] == '\0' || one->classes != NULL || glmv_fail_memory(s->err));
}

/* How many elements need the class that sets one thing. */
static int count_needs(const struct sorter *s, const bool *shares, const struct tracer_rule *rule)
{
    int needs = 0;
    for (int i = 0; i < s->all->count; i++) {
        const char *value = shares[i] ? tracer_element_find(&s->rest[i], rule->name) : NULL;
        needs += value != NULL && strcmp(value, rule->value) == 0;
    }
    return needs;
}

/* A class that sets one thing for one element says nothing that the element's own does not say as
 * well: the class of a kind of one takes it, and several of them make a class together. */
static bool settle_lone(struct sorter *s, bool *shares, int element)
{
    struct tracer_element *rest = &s->rest[element];
    struct kind *kind = &s->kinds[s->kind_of[element]];
    bool lone[MOST_UTILITIES] = {false};
    int count = 0;
    for (int i = 0; i < rest->rule_count; i++) {
        lone[i] = count_needs(s, shares, &rest->rules[i]) == 1;
        count += lone[i];
    }
    bool own = kind->count == 1 && (kind->own.rule_count > 0 || count > 1);
    if (!own) {
        shares[element] = count < 2 || count < rest->rule_count;
        return true;
    }
    bool ok = true;
    for (int i = rest->rule_count - 1; ok && i >= 0; i--) {
        if (lone[i]) {
            ok = tracer_element_set(&kind->own, rest->rules[i].name, rest->rules[i].value, s->err);
            tracer_element_drop(rest, rest->rules[i].name);
        }
    }
    return ok;
}

static bool sort(struct sorter *s)
{
    int count = s->all->count;
    bool *shares = calloc((size_t)count + 1, sizeof *shares);
    bool ok = shares != NULL || glmv_fail_memory(s->err);
    if (ok) {
        find_kinds(s);
    }
    for (int k = 0; ok && k < s->kind_count; k++) {
        ok = settle_kind(s, k);
    }
    for (int i = 0; ok && i < count; i++) {
        s->class_of_rest[i] = -1;
        ok = s->kind_of[i] < 0 || find_rest(s, i);
    }
    for (int i = 0; ok && i < count; i++) { /* before classes take what is left */
        shares[i] = takes_utilities(&s->rest[i]);
    }
    for (int i = 0; ok && i < count; i++) {
        ok = !shares[i] || settle_lone(s, shares, i);
    }
    for (int i = 0; ok && i < count; i++) {
        ok = name_element(s, i, shares[i]);
    }
    free(shares);
    return ok;
}

bool tracer_classes_find(struct tracer_elements *all, struct tracer_classes *classes,
                         struct glmv_err *err)
{
    size_t size = (size_t)all->count + 1;
    struct sorter s = {.all = all, .classes = classes, .err = err};
    s.kinds = calloc(size, sizeof *s.kinds);
    s.kind_of = calloc(size, sizeof *s.kind_of);
    s.rest = calloc(size, sizeof *s.rest);
    s.class_of_rest = calloc(size, sizeof *s.class_of_rest);
    size_t rules = 1;
    for (int i = 0; i < all->count; i++) {
        rules += (size_t)all->list[i].rule_count;
    }
    s.tallies = malloc(rules * sizeof *s.tallies);
    bool ok = s.kinds != NULL && s.kind_of != NULL && s.rest != NULL && s.class_of_rest != NULL &&
              s.tallies != NULL;
    ok = ok ? sort(&s) : glmv_fail_memory(err);
    for (int k = 0; k < s.kind_count; k++) {
        tracer_element_release(&s.kinds[k].own);
    }
    for (int i = 0; s.rest != NULL && i < all->count; i++) {
        tracer_element_release(&s.rest[i]);
    }
    free(s.kinds);
    free(s.kind_of);
    free(s.rest);
    free(s.class_of_rest);
    free(s.tallies);
    return ok;
}
