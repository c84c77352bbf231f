/*
 * Compares documents as WebKit's parser builds them. Each frame on standard input is three texts
 * (eight bytes of length, the bytes): the wanted page, the page to judge, and for a page that was
 * cut off what was left of it, else nothing. The answer is a line: "equal", "prefix", or what
 * differs first. Texts are compared with white space collapsed outside of pre and textarea.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <webkit2/webkit2.h>

static const char script[] =
    "const list = (html, texts) => {"
    "  const out = [], doc = new DOMParser().parseFromString(html, 'text/html');"
    "  let text = '';"
    "  const flush = (depth, raw) => {"
    "    const t = raw ? text : text.replace(/[ \\t\\n\\r\\f]+/g, ' ').trim();"
    "    if (t && texts) out.push(depth + ' \"' + t); text = ''; };"
    "  const walk = (top) => {"
    "    const stack = [[top, 0, 0, false]];"
    "    while (stack.length) {"
    "      const f = stack[stack.length - 1], kids = f[0].childNodes;"
    "      if (f[2] >= kids.length) { flush(f[1], f[3]); stack.pop(); continue; }"
    "      const node = kids[f[2]++];"
    "      if (node.nodeType === 3) { text += node.data; continue; }"
    "      if (node.nodeType !== 1) continue;"
    "      flush(f[1], f[3]);"
    "      const attrs = Array.from(node.attributes, a => a.name + '=' + a.value).sort().join(' ');"
    "      out.push(f[1] + ' ' + node.namespaceURI.slice(-4) + ' ' + node.localName + ' ' + attrs);"
    "      const raw = f[3] || ['pre', 'textarea', 'script', 'style'].includes(node.localName);"
    "      stack.push([node.localName === 'template' && node.content || node, f[1] + 1, 0, raw]); "
    "} };"
    "  walk(doc); out.unshift(doc.compatMode); return out; };"
    "const lined = t => t.replace(/^\\ufeff/, '').replace(/\\r\\n?/g, '\\n');"
    "const cut = rest.length > 0, a = list(lined(want), !cut), b = list(lined(got), !cut);"
    "const implied = /<body/i.test(rest) ? 0 : 1;" /* by the parser, in what was left */
    "const n = cut ? Math.min(list(rest, false).length - implied, a.length)"
    "              : Math.max(a.length, b.length);"
    "for (let i = 0; i < n; i++)"
    "  if (a[i] !== b[i]) return `${i} of ${n}: wanted <${String(a[i]).slice(0, 150)}> got <${"
    "String(b[i]).slice(0, 150)}>`.replace(/\\n/g, ' ');"
    "return cut ? 'prefix' : 'equal';";

static GMainLoop *loop;
static char *verdict;

static void answered(GObject *view, GAsyncResult *result, gpointer unused)
{
    GError *error = NULL;
    JSCValue *value = webkit_web_view_call_async_javascript_function_finish(WEBKIT_WEB_VIEW(view),
                                                                            result, &error);
    (void)unused;
    verdict = value != NULL ? jsc_value_to_string(value) : g_strdup(error->message);
    g_clear_error(&error);
    g_clear_object(&value);
    g_main_loop_quit(loop);
}

static void loaded(WebKitWebView *view, WebKitLoadEvent event, gpointer unused)
{
    (void)view;
    (void)unused;
    if (event == WEBKIT_LOAD_FINISHED) {
        g_main_loop_quit(loop);
    }
}

/* A text of standard input as UTF-8 without NULs; NULL at its end. */
static char *read_text(void)
{
    uint64_t len;
    if (fread(&len, sizeof len, 1, stdin) != 1) {
        return NULL;
    }
    char *bytes = g_malloc(len + 1);
    if (fread(bytes, 1, len, stdin) != len) {
        g_free(bytes);
        return NULL;
    }
    bytes[len] = '\0';
    char *text = g_utf8_make_valid(bytes, (gssize)len);
    g_free(bytes);
    return text;
}

int main(int argc, char **argv)
{
    gtk_init(&argc, &argv);
    loop = g_main_loop_new(NULL, FALSE);
    WebKitWebView *view = WEBKIT_WEB_VIEW(webkit_web_view_new());
    g_signal_connect(view, "load-changed", G_CALLBACK(loaded), NULL);
    webkit_web_view_load_html(view, "<p>", NULL);
    g_main_loop_run(loop);
    for (char *want; (want = read_text()) != NULL;) {
        char *got = read_text(), *rest = read_text();
        if (rest == NULL) {
            return 1;
        }
        GVariantDict texts;
        g_variant_dict_init(&texts, NULL);
        g_variant_dict_insert(&texts, "want", "s", want);
        g_variant_dict_insert(&texts, "got", "s", got);
        g_variant_dict_insert(&texts, "rest", "s", rest);
        webkit_web_view_call_async_javascript_function(view, script, -1, g_variant_dict_end(&texts),
                                                       NULL, NULL, NULL, answered, NULL);
        g_main_loop_run(loop);
        puts(verdict);
        fflush(stdout);
        g_free(verdict);
        g_free(want);
        g_free(got);
        g_free(rest);
    }
    return 0;
}
