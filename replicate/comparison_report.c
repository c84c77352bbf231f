#include "replicate/comparison.h"

bool replicate_comparison_verdict(const struct replicate_comparison *c, struct glmv_buf *out,
                                  struct glmv_err *err)
{
    if (c->count.differing == 0) {
        return glmv_buf_append_str(out,
                                   c->finding_count == 0 ? "the same"
                                   : c->same             ? "the same at this threshold"
                                                         : "different, by less than the threshold",
                                   err);
    }
    return glmv_buf_appendf(out, err, "%s: %zu of %zu pixels differ (%.3f %%)",
                            c->same ? "within the limit" : "different", c->count.differing,
                            c->count.total,
                            100 * (double)c->count.differing / (double)c->count.total) &&
           (c->count.antialiased == 0 ||
            glmv_buf_appendf(out, err, ", %zu more by anti-aliasing only", c->count.antialiased));
}

bool replicate_comparison_layout(const struct replicate_comparison *c, const char *lead,
                                 const char *tail, struct glmv_buf *out, struct glmv_err *err)
{
    const int(*size)[2] = c->sizes;
    bool ok = true;
    if (size[0][0] != size[1][0] || size[0][1] != size[1][1]) {
        ok = glmv_buf_appendf(out, err, "%sThe size changed from %d x %d to %d x %d px.%s", lead,
                              size[0][0], size[0][1], size[1][0], size[1][1], tail);
    }
    for (size_t i = 0; i < c->gap_count && ok; i++) {
        const struct glmv_gap *g = &c->gaps[i];
        ok = glmv_buf_appendf(
            out, err, "%s%d px were %s at y %d%s.%s", lead, g->h,
            g->inserted ? "inserted" : "removed", g->y,
            g->inserted ? "; what is below moved down" : "; what is below moved up", tail);
    }
    if (c->gap_count > 0 && ok) {
        ok =
            glmv_buf_appendf(out, err, "%sWith rows that moved matched, %zu pixels still differ.%s",
                             lead, c->aligned, tail);
    }
    return ok;
}

/* Appends the selector of an element in a form that the output takes. */
typedef bool name_fn(struct glmv_buf *out, const char *text, struct glmv_err *err);

static bool as_it_is(struct glmv_buf *out, const char *text, struct glmv_err *err)
{
    return glmv_buf_append_str(out, text, err);
}

static bool as_code(struct glmv_buf *out, const char *text, struct glmv_err *err)
{
    return glmv_buf_appendf(out, err, "`%s`", text);
}

/* One sentence for each finding, with lead before and tail behind it. */
static bool findings(const struct replicate_comparison *c, const char *lead, const char *tail,
                     name_fn *name, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = replicate_comparison_layout(c, lead, tail, out, err);
    for (size_t i = 0; i < c->finding_count && ok; i++) {
        const char *element = replicate_comparison_element(c, i);
        ok = glmv_buf_append_str(out, lead, err) &&
             glmv_finding_sentence(&c->findings[i], out, err) &&
             (element == NULL || (glmv_buf_append_str(out, " In ", err) &&
                                  name(out, element, err) && glmv_buf_append_str(out, ".", err))) &&
             glmv_buf_append_str(out, tail, err);
    }
    return ok;
}

bool replicate_comparison_text(const struct replicate_comparison *c, struct glmv_buf *out,
                               struct glmv_err *err)
{
    return replicate_comparison_verdict(c, out, err) && glmv_buf_append_str(out, "\n", err) &&
           findings(c, "  ", "\n", as_it_is, out, err);
}

/* What a kind of finding has besides its box. */
static bool numbers(const struct glmv_finding *f, struct glmv_buf *out, struct glmv_err *err)
{
    switch (f->change) {
    case GLMV_CHANGE_MOVED:
        return glmv_buf_appendf(out, err, "\"dx\":%d,\"dy\":%d,", f->dx, f->dy);
    case GLMV_CHANGE_SIZE:
        return glmv_buf_appendf(out, err, "\"before\":[%d,%d],\"after\":[%d,%d],", f->before_w,
                                f->before_h, f->after_w, f->after_h);
    case GLMV_CHANGE_COLOUR:
        return glmv_buf_appendf(out, err,
                                "\"before\":\"#%06x\",\"after\":\"#%06x\",\"delta_e\":%.2f,"
                                "\"faint\":%s,",
                                f->before, f->after, f->delta_e, f->faint ? "true" : "false");
    default:
        return true;
    }
}

static bool element(const struct replicate_comparison *c, size_t i, struct glmv_buf *out,
                    struct glmv_err *err)
{
    const char *path = replicate_comparison_element(c, i);
    return path == NULL ||
           (glmv_buf_append_str(out, "\"selector\":", err) &&
            glmv_buf_append_json(out, path, err) && glmv_buf_append_str(out, ",", err));
}

bool replicate_comparison_json(const struct replicate_comparison *c, struct glmv_buf *out,
                               struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, "{\"files\":[", err) &&
              glmv_buf_append_json(out, c->paths[0], err) && glmv_buf_append_str(out, ",", err) &&
              glmv_buf_append_json(out, c->paths[1], err) &&
              glmv_buf_appendf(out, err,
                               "],\"same\":%s,\"sizes\":[[%d,%d],[%d,%d]],\"pixels\":%zu,"
                               "\"differing\":%zu,\"antialiased\":%zu,\"outside\":%zu,"
                               "\"differing_aligned\":%zu,",
                               c->same ? "true" : "false", c->sizes[0][0], c->sizes[0][1],
                               c->sizes[1][0], c->sizes[1][1], c->count.total, c->count.differing,
                               c->count.antialiased, c->count.outside, c->aligned);
    if (c->wants_noise) {
        ok = ok && glmv_buf_appendf(out, err, "\"noise\":%.0f,", c->noise);
    }
    ok = ok && glmv_buf_append_str(out, "\"shifts\":[", err);
    for (size_t i = 0; i < c->gap_count && ok; i++) {
        const struct glmv_gap *g = &c->gaps[i];
        ok = glmv_buf_appendf(out, err, "%s{\"kind\":\"%s\",\"y\":%d,\"height\":%d}",
                              i > 0 ? "," : "", g->inserted ? "inserted" : "removed", g->y, g->h);
    }
    ok = ok && glmv_buf_append_str(out, "],\"regions\":[", err);
    for (size_t i = 0; i < c->finding_count && ok; i++) {
        const struct glmv_finding *f = &c->findings[i];
        const struct glmv_region *r = &f->region;
        struct glmv_buf text;
        glmv_buf_init(&text, 4096);
        ok = glmv_buf_appendf(out, err,
                              "%s{\"kind\":\"%s\",\"box\":[%d,%d,%d,%d],\"differing\":%zu,",
                              i > 0 ? "," : "", glmv_change_name(f->change), r->x, r->y, r->w, r->h,
                              r->pixels) &&
             numbers(f, out, err) && element(c, i, out, err) &&
             glmv_finding_sentence(f, &text, err) &&
             glmv_buf_append_str(out, "\"sentence\":", err) &&
             glmv_buf_append_json(out, text.data, err) && glmv_buf_append_str(out, "}", err);
        glmv_buf_release(&text);
    }
    return ok && glmv_buf_append_str(out, "]}\n", err);
}

bool replicate_comparison_markdown(const struct replicate_comparison *c, struct glmv_buf *out,
                                   struct glmv_err *err)
{
    return glmv_buf_appendf(out, err, "### `%s` → `%s`\n\n**", c->paths[0], c->paths[1]) &&
           replicate_comparison_verdict(c, out, err) && glmv_buf_append_str(out, "**\n\n", err) &&
           findings(c, "- ", "\n", as_code, out, err);
}

bool replicate_comparison_github(const struct replicate_comparison *c, struct glmv_buf *out,
                                 struct glmv_err *err)
{
    /* a workflow command is one line; %0A is its line break */
    return glmv_buf_append_str(
               out,
               c->same ? "::notice title=visual diff::" : "::error title=visual diff::", err) &&
           replicate_comparison_verdict(c, out, err) &&
           findings(c, "%0A", "", as_it_is, out, err) && glmv_buf_append_str(out, "\n", err);
}

bool replicate_comparison_junit(const struct replicate_comparison *c, struct glmv_buf *out,
                                struct glmv_err *err)
{
    bool ok = glmv_buf_appendf(out, err,
                               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite "
                               "name=\"visual diff\" tests=\"1\" failures=\"%d\">\n<testcase "
                               "name=\"",
                               !c->same) &&
              glmv_buf_append_html(out, c->paths[1], err) && glmv_buf_append_str(out, "\">", err);
    if (ok && !c->same) {
        ok = glmv_buf_append_str(out, "<failure message=\"", err) &&
             replicate_comparison_verdict(c, out, err) && glmv_buf_append_str(out, "\">", err) &&
             findings(c, "", "\n", glmv_buf_append_html, out, err) &&
             glmv_buf_append_str(out, "</failure>", err);
    }
    return ok && glmv_buf_append_str(out, "</testcase>\n</testsuite>\n", err);
}
