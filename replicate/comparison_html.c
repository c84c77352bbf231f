/* A comparison as one page that needs nothing else: pictures, boxes around what changed, and a
 * little script. */
#include "base/base64.h"
#include "replicate/comparison.h"

static const char page_head[] =
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
    "content=\"width=device-width\"><title>Visual diff</title><style>"
    ":root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d3d8e0;--ground:#f4f5f7;"
    "--card:#fff;--mark:#d81b3c;--hot:#ffb300}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa5b4;--line:#38414e;"
    "--ground:#14181e;--card:#1d232b;--mark:#ff6b81}}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:0;padding:1.5rem;color:var(--ink);"
    "background:var(--ground)}h1{font-size:1.3rem;margin:0 0 .25rem}"
    "header p{margin:.25rem 0 1rem;color:var(--soft)}code{font:13px ui-monospace,monospace}"
    ".badge{display:inline-block;padding:.1rem .7rem;border-radius:1rem;color:#fff;"
    "background:#c62842;font-size:.85rem;vertical-align:.15em;margin-left:.5rem}"
    ".badge.same{background:#1f8a4c}"
    "ol,ul{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:0 0 1rem;"
    "padding:.5rem 1rem .5rem 2.4rem}li{padding:.15rem .4rem;border-radius:4px}"
    "ol li{cursor:pointer}li.hot{background:#ffb30033}li code{color:var(--soft)}"
    "nav{position:sticky;top:0;background:var(--ground);padding:.5rem 0;z-index:2}"
    "button{font:inherit;padding:.3rem .9rem;border:1px solid var(--line);background:var(--card);"
    "color:inherit;border-radius:6px;cursor:pointer}button[aria-pressed=true]{background:#2a5bd7;"
    "border-color:#2a5bd7;color:#fff}label{margin-left:1rem;color:var(--soft)}"
    "#cut{width:18rem;vertical-align:middle;margin-left:1rem}body:not(.slide) #cut{display:none}"
    "#stage{display:flex;gap:1rem;align-items:flex-start;position:relative}"
    "figure{margin:0;flex:1 1 0;min-width:0}figcaption{color:var(--soft);margin-bottom:.25rem}"
    ".pic{position:relative;line-height:0}.pic img{width:100%;height:auto;background:"
    "repeating-conic-gradient(#8883 0 25%,#0000 0 50%) 0/16px 16px;"
    "box-shadow:0 0 0 1px var(--line)}"
    ".pic i{position:absolute;outline:2px solid var(--mark);outline-offset:2px;"
    "font:700 11px/16px system-ui;color:#fff}.pic i::before{content:attr(data-n);position:absolute;"
    "left:-4px;top:-20px;min-width:16px;text-align:center;background:var(--mark);"
    "border-radius:3px}.pic i.hot{outline-color:var(--hot);background:#ffb30055}"
    ".plain .pic i{display:none}"
    ".over #stage{display:block}.over figure:not(:first-child){position:absolute;left:0;top:0;"
    "width:100%}.over figcaption,.over figure:last-child{display:none}"
    "</style><header><h1>Visual diff";
static const char page_controls[] =
    "<nav><button data-mode=\"\" aria-pressed=true>Side by side</button> "
    "<button data-mode=slide>Slider</button> <button data-mode=blink>Blink</button>"
    "<label><input type=checkbox id=boxes checked> boxes</label>"
    "<input id=cut type=range value=50 aria-label=Slider></nav><div id=stage>";
static const char page_tail[] =
    "</div><script>const $=s=>[...document.querySelectorAll(s)],after=$('#after')[0],"
    "cut=$('#cut')[0];let timer,mode='';"
    "function slide(){after.style.clipPath='inset(0 0 0 '+cut.value+'%)'}"
    "function classes(){document.body.className=(mode?'over '+mode:'')+"
    "($('#boxes')[0].checked?'':' plain')}"
    "function show(next){mode=next;clearInterval(timer);after.style.clipPath='';"
    "after.style.opacity=1;classes();"
    "$('button').forEach(b=>b.setAttribute('aria-pressed',b.dataset.mode==mode));"
    "if(mode=='slide')slide();"
    "if(mode=='blink')timer=setInterval(()=>after.style.opacity=1-after.style.opacity,600)}"
    "cut.oninput=slide;$('#boxes')[0].onchange=classes;"
    "$('button').forEach(b=>b.onclick=()=>show(b.dataset.mode));"
    "function heat(n,on){$('[data-n=\"'+n+'\"]').forEach(e=>e.classList.toggle('hot',on))}"
    "$('[data-n]').forEach(e=>{e.onmouseenter=()=>heat(e.dataset.n,true);"
    "e.onmouseleave=()=>heat(e.dataset.n,false)});"
    "$('li[data-n]').forEach(e=>e.onclick=()=>$('i[data-n=\"'+e.dataset.n+'\"]')[0]"
    ".scrollIntoView({block:'center',behavior:'smooth'}))"
    "</script></html>\n";

/* Boxes in percent, so that they stay where they are when the picture is scaled. */
static bool boxes(const struct replicate_comparison *c, int which, struct glmv_buf *out,
                  struct glmv_err *err)
{
    double w = c->sizes[which][0] / 100.0;
    double h = c->sizes[which][1] / 100.0;
    bool ok = true;
    for (size_t i = 0; i < c->finding_count && ok; i++) {
        struct glmv_box b = replicate_comparison_place(c, i, which);
        ok = glmv_buf_appendf(out, err,
                              "<i data-n=%zu style=\"left:%.3f%%;top:%.3f%%;width:%.3f%%;"
                              "height:%.3f%%\"></i>",
                              i + 1, b.x / w, b.y / h, b.w / w, b.h / h);
    }
    return ok;
}

static bool picture(const struct replicate_comparison *c, int which, struct glmv_buf *out,
                    struct glmv_err *err)
{
    static const char *const ids[] = {"before", "after", "difference"};
    struct glmv_buf png;
    glmv_buf_init(&png, 1u << 29);
    bool ok =
        (which < 2 ? glmv_image_encode_png(replicate_comparison_image(c, which), 6, &png, err)
                   : replicate_comparison_png(c, &png, err)) &&
        glmv_buf_appendf(out, err,
                         "<figure id=%s><figcaption>%s</figcaption><div class=pic><img alt=%s "
                         "src=\"data:image/png;base64,",
                         ids[which], ids[which], ids[which]) &&
        glmv_base64_append(out, png.data, png.len, err) && glmv_buf_append_str(out, "\">", err) &&
        (which == 2 || boxes(c, which, out, err)) &&
        glmv_buf_append_str(out, "</div></figure>", err);
    glmv_buf_release(&png);
    return ok;
}

static bool list(const struct replicate_comparison *c, struct glmv_buf *out, struct glmv_err *err)
{
    bool sized = c->sizes[0][0] != c->sizes[1][0] || c->sizes[0][1] != c->sizes[1][1];
    bool ok =
        (c->gap_count == 0 && !sized) || (glmv_buf_append_str(out, "<ul>", err) &&
                                          replicate_comparison_layout(c, "<li>", "", out, err) &&
                                          glmv_buf_append_str(out, "</ul>", err));
    ok = ok && (c->finding_count == 0 || glmv_buf_append_str(out, "<ol>", err));
    for (size_t i = 0; i < c->finding_count && ok; i++) {
        const char *element = replicate_comparison_element(c, i);
        ok = glmv_buf_appendf(out, err, "<li data-n=%zu>", i + 1) &&
             glmv_finding_sentence(&c->findings[i], out, err);
        if (ok && element != NULL) {
            ok = glmv_buf_append_str(out, " <code>", err) &&
                 glmv_buf_append_html(out, element, err) &&
                 glmv_buf_append_str(out, "</code>", err);
        }
    }
    return ok && (c->finding_count == 0 || glmv_buf_append_str(out, "</ol>", err));
}

bool replicate_comparison_html(const struct replicate_comparison *c, struct glmv_buf *out,
                               struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(out, page_head, err) &&
              glmv_buf_append_str(out,
                                  c->same ? "<span class=\"badge same\">passed</span>"
                                          : "<span class=badge>failed</span>",
                                  err) &&
              glmv_buf_append_str(out, "</h1><p><code>", err) &&
              glmv_buf_append_html(out, c->paths[0], err) &&
              glmv_buf_append_str(out, "</code> → <code>", err) &&
              glmv_buf_append_html(out, c->paths[1], err) &&
              glmv_buf_append_str(out, "</code>: ", err) &&
              replicate_comparison_verdict(c, out, err) &&
              glmv_buf_append_str(out, "</p></header>", err) && list(c, out, err) &&
              glmv_buf_append_str(out, page_controls, err);
    for (int i = 0; i < 3 && ok; i++) {
        ok = picture(c, i, out, err);
    }
    return ok && glmv_buf_append_str(out, page_tail, err);
}
