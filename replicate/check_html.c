/* The report of a check as one page to look at. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "replicate/check_report.h"

#define PICTURES_MAX ((size_t)256 << 20) /* bytes; a browser should still open the page */

static const char head[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>Check</title><style>"
    "body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;color:#1c2430;background:#f4f5f7}"
    "section{background:#fff;border:1px solid #d5dae2;border-radius:6px;margin:1rem 0;padding:1rem}"
    "h2{font-size:1.1rem;margin:0}h2 b{display:inline-block;min-width:6rem;color:#b3261e}"
    "section.same h2 b,section.updated h2 b{color:#1b6e3c}pre{white-space:pre-wrap;margin:.5rem 0}"
    ".stage{display:flex;gap:1rem;align-items:flex-start;position:relative;overflow:auto}"
    "figure{margin:0;flex:1;min-width:0}figure img{max-width:100%;box-shadow:0 0 0 1px #c5cad3}"
    ".over .stage{display:block}.over figure{position:absolute;left:0;top:0}"
    ".over figure:first-child{position:relative}.over figcaption,.over .diff{display:none}"
    "input{width:20rem;vertical-align:middle}figcaption{color:#5b6675}"
    "</style><h1>Pages against their baselines</h1><p>";
static const char controls[] = "<p><button data-mode=\"\">Side by side</button> "
                               "<button data-mode=slide>Slider</button> "
                               "<button data-mode=blink>Blink</button> "
                               "<input type=range value=50 aria-label=Slider></p>";
static const char tail[] =
    "<script>for(const s of document.querySelectorAll('section')){let timer;"
    "const top_=s.querySelector('.after'),cut=s.querySelector('input');"
    "if(!top_||!cut)continue;"
    "const slide=()=>top_.style.clipPath='inset(0 0 0 '+cut.value+'%)';"
    "for(const b of s.querySelectorAll('button'))b.onclick=()=>{const mode=b.dataset.mode;"
    "clearInterval(timer);top_.style.clipPath='';top_.style.opacity=1;"
    "s.classList.toggle('over',mode!=='');cut.oninput=mode==='slide'?slide:null;"
    "if(mode==='slide')slide();"
    "if(mode==='blink')timer=setInterval(()=>top_.style.opacity=1-top_.style.opacity,600)}}"
    "</script></html>\n";

/* One picture in the page, or its name where the page would grow too large. Absent: nothing. */
static bool picture(const char *folder, const char *name, const char *ending, const char *class,
                    const char *caption, struct glmv_buf *out, struct glmv_err *err)
{
    char *path = check_path(folder, name, ending, err);
    if (path == NULL || access(path, F_OK) != 0) {
        free(path);
        return path != NULL;
    }
    struct glmv_buf png;
    glmv_buf_init(&png, GLMV_IMAGE_MAX_FILE + 65536);
    bool ok =
        glmv_file_read(path, GLMV_IMAGE_MAX_FILE, &png, err) &&
        glmv_buf_appendf(out, err, "<figure class=%s><figcaption>%s</figcaption>", class, caption);
    if (ok && out->len + png.len > PICTURES_MAX) {
        ok = check_report_escape(out, path, err);
    } else if (ok) {
        ok = glmv_buf_appendf(out, err, "<img alt=\"%s\" src=\"data:image/png;base64,", caption) &&
             glmv_base64_append(out, png.data, png.len, err) &&
             glmv_buf_append_str(out, "\">", err);
    }
    glmv_buf_release(&png);
    free(path);
    return ok && glmv_buf_append_str(out, "</figure>", err);
}

static bool section(const struct check_run *run, const struct check_result *result,
                    struct glmv_buf *out, struct glmv_err *err)
{
    const struct check_config *config = run->config;
    const char *status = check_status_name(result->status);
    bool ok = glmv_buf_appendf(out, err, "<section class=%s><h2><b>%s%s</b> ",
                               result->updated                   ? "updated"
                               : result->status == CHECK_IS_SAME ? "same"
                                                                 : "bad",
                               status, result->updated ? ", updated" : "") &&
              check_report_escape(out, result->name, err) &&
              glmv_buf_append_str(out, "</h2><pre>", err) &&
              (result->text == NULL || check_report_escape(out, result->text, err));
    if (ok && result->proposal != NULL) {
        ok = glmv_buf_appendf(out, err, "Proposed page (score %.4f, the page itself %.4f): ",
                              result->proposal_score, result->page_score) &&
             check_report_escape(out, result->proposal, err);
    }
    bool two = result->status == CHECK_IS_CHANGED && !result->updated;
    ok = ok && glmv_buf_append_str(out, "</pre>", err) &&
         (!two || glmv_buf_append_str(out, controls, err)) &&
         glmv_buf_append_str(out, "<div class=stage>", err);
    if (ok && (two || result->status == CHECK_IS_REMOVED)) {
        ok = picture(config->baselines, result->name, ".png", "before", "baseline", out, err);
    }
    return ok && picture(config->output, result->name, ".actual.png", "after", "now", out, err) &&
           picture(config->output, result->name, ".diff.png", "diff", "difference", out, err) &&
           glmv_buf_append_str(out, "</div></section>\n", err);
}

bool check_report_html(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, head, err) && check_report_totals(run, out, err) &&
              glmv_buf_append_str(out, "</p>\n", err);
    for (size_t i = 0; i < run->count && ok; i++) {
        if (run->results[i].status != CHECK_IS_SAME || run->results[i].renders > 1) {
            ok = section(run, &run->results[i], out, err);
        }
    }
    return ok && glmv_buf_append_str(out, tail, err);
}
