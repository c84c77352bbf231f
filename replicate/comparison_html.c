/* A comparison as one page that needs nothing else. */
#include <stdio.h>

#include "replicate/comparison.h"
#include "replicate/view.h"

static bool figure(const char *name, const char *format, double value, struct glmv_buf *out,
                   struct glmv_err *err)
{
    char text[40];
    snprintf(text, sizeof text, format, value);
    return glmv_buf_appendf(out, err, "<div class=\"figure\"><b>%s</b><span>%s</span></div>\n",
                            text, name);
}

static bool figures(const struct replicate_comparison *c, struct glmv_buf *out,
                    struct glmv_err *err)
{
    double total = c->count.total > 0 ? (double)c->count.total : 1;
    double share = 100 * (double)c->count.differing / total;
    bool ok = glmv_buf_append_str(out, "<div class=\"figures\">\n", err) &&
              figure("pixels differ", "%.0f", (double)c->count.differing, out, err) &&
              figure("of all pixels", "%.3f %%", share, out, err);
    if (c->count.antialiased > 0) {
        ok = ok && figure("by anti-aliasing", "%.0f", (double)c->count.antialiased, out, err);
    }
    if (c->gap_count > 0) {
        ok = ok && figure("with moved rows matched", "%.0f", (double)c->aligned, out, err);
    }
    if (c->wants_noise) {
        ok = ok && figure("noise score; a change above 512", "%.0f", c->noise, out, err);
    }
    return ok && glmv_buf_append_str(out, "</div>\n", err);
}

static bool layout(const struct replicate_comparison *c, struct glmv_buf *out, struct glmv_err *err)
{
    bool sized = c->sizes[0][0] != c->sizes[1][0] || c->sizes[0][1] != c->sizes[1][1];
    return (c->gap_count == 0 && !sized) ||
           (glmv_buf_append_str(out, "<ul>\n", err) &&
            replicate_comparison_layout(c, "<li>", "</li>\n", out, err) &&
            glmv_buf_append_str(out, "</ul>\n", err));
}

static bool pictures(const struct replicate_comparison *c, struct glmv_buf *out,
                     struct glmv_err *err)
{
    struct glmv_buf png;
    glmv_buf_init(&png, 1u << 29);
    bool ok = glmv_buf_append_str(out, "<h2>Pictures</h2>\n", err) &&
              view_compare_begin(out, err) &&
              view_picture(out, "before", "before", replicate_comparison_image(c, 0), err) &&
              view_picture(out, "after", "after", replicate_comparison_image(c, 1), err) &&
              replicate_comparison_png(c, &png, err) &&
              view_png(out, "difference", "difference", png.data, png.len, err) &&
              view_compare_end(out, err);
    glmv_buf_release(&png);
    return ok;
}

/* The boxes in both pictures, which the script marks. */
static bool finding(const struct replicate_comparison *c, size_t i, struct glmv_buf *out,
                    struct glmv_err *err)
{
    const char *element = replicate_comparison_element(c, i);
    struct glmv_box a = replicate_comparison_place(c, i, 0);
    struct glmv_box b = replicate_comparison_place(c, i, 1);
    bool ok = glmv_buf_appendf(out, err,
                               "<tr data-box=\"%.0f,%.0f,%.0f,%.0f\" "
                               "data-after=\"%.0f,%.0f,%.0f,%.0f\"><td>%zu</td>"
                               "<td><div class=\"crops\"></div></td><td>",
                               a.x, a.y, a.w, a.h, b.x, b.y, b.w, b.h, i + 1) &&
              glmv_finding_sentence(&c->findings[i], out, err);
    if (ok && element != NULL) {
        ok = glmv_buf_append_str(out, "<br><code>", err) &&
             glmv_buf_append_html(out, element, err) && glmv_buf_append_str(out, "</code>", err);
    }
    return ok && glmv_buf_appendf(out, err, "</td><td class=\"number\">%zu</td></tr>\n",
                                  c->findings[i].region.pixels);
}

static bool findings(const struct replicate_comparison *c, struct glmv_buf *out,
                     struct glmv_err *err)
{
    if (c->finding_count == 0) {
        return true;
    }
    bool ok = glmv_buf_append_str(out,
                                  "<h2>What changed</h2>\n<div class=\"wide\">"
                                  "<table class=\"boxes\"><tr><th></th><th>before, after</th>"
                                  "<th>what happened</th><th>pixels</th></tr>\n",
                                  err);
    for (size_t i = 0; i < c->finding_count && ok; i++) {
        ok = finding(c, i, out, err);
    }
    return ok && glmv_buf_append_str(out, "</table></div>\n", err);
}

bool replicate_comparison_html(const struct replicate_comparison *c, struct glmv_buf *out,
                               struct glmv_err *err)
{
    return view_head(out, c->paths[1], err) && glmv_buf_append_str(out, "<h1>", err) &&
           glmv_buf_append_html(out, c->paths[1], err) &&
           glmv_buf_append_str(out, "</h1>\n<p class=\"sub\">against ", err) &&
           glmv_buf_append_html(out, c->paths[0], err) &&
           glmv_buf_appendf(out, err, ": <b class=\"%s\">", c->same ? "good" : "bad") &&
           replicate_comparison_verdict(c, out, err) &&
           glmv_buf_append_str(out, "</b></p>\n", err) && figures(c, out, err) &&
           layout(c, out, err) && pictures(c, out, err) && findings(c, out, err) &&
           view_tail(out, err);
}
