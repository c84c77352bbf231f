/*
 * Regions that are several rectangles of one colour: a bar above and a bar beside the content, a
 * band that is wider in one part. Their lines of px are grouped by where they begin and end.
 */
#include <stdlib.h>

#include "model/tracer/perception.h"

enum {
    SLACK = 2,       /* px by which the ends of lines of one section may differ */
    BEND = 24,       /* lines of a round corner between two sections */
    NARROWEST = 16,  /* px of a section */
    HIDDEN_MAX = 80, /* lines of a part that something covers */
    LINES_MAX = 4 * MODEL_SECTIONS,
};

#define FILLED 0.65 /* of a section that is not hidden by what lies on it */

/* Lines from .. to, outside, that all span first .. last, outside. */
struct section {
    int from, to, first, last;
};

/* Where a region is looked at column by column, x and y change places. */
static struct section line_of(const struct model_view *view, int label, bool columns, int line)
{
    struct model_rect r = view->regions[label].r;
    int begin = columns ? r.y0 : r.x0;
    int end = columns ? r.y1 : r.x1;
    int stride = columns ? view->w : 1;
    const int32_t *at = view->label + (columns ? line : line * view->w);
    while (begin < end && at[begin * stride] != label) {
        begin++;
    }
    while (end > begin && at[(end - 1) * stride] != label) {
        end--;
    }
    return (struct section){line, line + 1, begin, end};
}

static bool same_span(const struct section *a, const struct section *b)
{
    return abs(a->first - b->first) <= SLACK && abs(a->last - b->last) <= SLACK;
}

static bool is_tall(const struct section *s)
{
    return s->to - s->from >= NARROWEST;
}

/* Lines of like span; those of a round corner go to the section that follows them. Returns how many
 * there are, or 0 when there are more than most or lines that belong to none. */
static int group_lines(const struct model_view *view, int label, bool columns, struct section *out,
                       int most)
{
    struct model_rect r = view->regions[label].r;
    int begin = columns ? r.x0 : r.y0;
    int end = columns ? r.x1 : r.y1;
    int count = 0;
    struct section run = line_of(view, label, columns, begin);
    int loose = begin; /* first line that belongs to no section yet */
    for (int line = begin + 1; line <= end; line++) {
        struct section next = run;
        if (line < end) {
            next = line_of(view, label, columns, line);
            if (same_span(&run, &next)) {
                run.to = line + 1;
                continue;
            }
        }
        if (is_tall(&run)) {
            if (count == most || run.from - loose > BEND) {
                return 0;
            }
            run.from = loose;
            out[count++] = run;
            loose = run.to;
        }
        run = next;
    }
    if (count == 0 || end - loose > BEND) {
        return 0;
    }
    out[count - 1].to = end;
    return count;
}

/* Whether b is a short part of a and c where something hides one of their ends. */
static bool is_hidden(const struct section *a, const struct section *b, const struct section *c)
{
    return same_span(a, c) && b->to - b->from <= HIDDEN_MAX && b->first >= a->first - SLACK &&
           b->last <= a->last + SLACK;
}

/* What hides a part of a section, such as the chosen entry of a menu, does not end it and is put to
 * covers. Returns how many sections are left. */
static int join_hidden(struct section *s, int count, struct section *covers, int *cover_count)
{
    int kept = 1;
    for (int i = 1; i < count; i++) {
        struct section *last = &s[kept - 1];
        if (same_span(last, &s[i])) {
            last->to = s[i].to;
        } else if (i + 1 < count && is_hidden(last, &s[i], &s[i + 1])) {
            struct section *cover = &covers[(*cover_count)++];
            *cover = s[i];
            bool at_end = s[i].last < last->last - SLACK;
            cover->first = at_end ? s[i].last : last->first;
            cover->last = at_end ? last->last : s[i].first;
            last->to = s[++i].to;
        } else {
            s[kept++] = s[i];
        }
    }
    return kept;
}

static struct model_rect rect_of(const struct section *s, bool columns)
{
    return columns ? (struct model_rect){s->from, s->first, s->to, s->last}
                   : (struct model_rect){s->first, s->from, s->last, s->to};
}

static bool is_filled(const struct model_view *view, int label, struct model_rect r)
{
    int filled = 0;
    for (int y = r.y0; y < r.y1; y++) {
        for (int x = r.x0; x < r.x1; x++) {
            filled += view->label[y * view->w + x] == label;
        }
    }
    return filled >= FILLED * (r.x1 - r.x0) * (r.y1 - r.y0);
}

/* The region that most likely covers r: the one in its middle. */
static int label_in(const struct model_view *view, struct model_rect r)
{
    return view->label[(r.y0 + r.y1) / 2 * view->w + (r.x0 + r.x1) / 2];
}

int model_sections_find(const struct model_view *view, int label, struct model_section *out)
{
    for (int columns = 0; columns < 2; columns++) {
        struct section s[LINES_MAX];
        struct section covers[LINES_MAX];
        int covered = 0;
        int count = group_lines(view, label, columns, s, LINES_MAX);
        count = count == 0 ? 0 : join_hidden(s, count, covers, &covered);
        bool ok = count > 1 && count + covered <= MODEL_SECTIONS;
        for (int i = 0; ok && i < count; i++) {
            out[i] = (struct model_section){rect_of(&s[i], columns), label};
            ok = s[i].last - s[i].first >= NARROWEST && is_filled(view, label, out[i].r);
        }
        for (int i = 0; ok && i < covered; i++) {
            struct model_rect r = rect_of(&covers[i], columns);
            out[count + i] = (struct model_section){r, label_in(view, r)};
        }
        if (ok) {
            return count + covered;
        }
    }
    return 0;
}
