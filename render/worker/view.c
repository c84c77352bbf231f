/* Views and what they have in common: settings, fonts, content filter, style sheets, scripts. */
#include "render/listener_js.h"
#include "render/witness_js.h"
#include "render/worker/browser.h"

/* Calms a page down without hiding what only an animation would show. */
static const char calm_css[] =
    "*,*::before,*::after{transition:none!important;caret-color:transparent!important;"
    "scroll-behavior:auto!important}::-webkit-scrollbar{display:none!important}";

/* Form fields as Chromium draws them by default, so that pages made for it keep their size. */
static const char form_css[] =
    "button,input,select,textarea{font-family:Arial;font-size:13.333px}"
    "textarea{font-family:monospace;padding:2px;border:1px solid #767676}"
    "input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=color]):not([type="
    "image]):not([type="
    "submit]):not([type=button]):not([type=reset]){padding:1px 2px;border:2px inset #767676}"
    "button,input[type=submit],input[type=button],input[type=reset]{padding:1px 6px;border:2px "
    "outset "
    "#767676;min-height:0}"
    "input[type=checkbox]{width:13px;height:13px;margin:3px 3px 3px 4px}"
    "input[type=radio]{width:13px;height:13px;margin:3px 3px 0 5px}";

void browser_view_resize(struct browser *b, int width, int height)
{
    GtkAllocation whole = {0, 0, width, height};
    GtkRequisition ignored;
    gtk_widget_get_preferred_size(GTK_WIDGET(b->view), &ignored, NULL);
    gtk_widget_size_allocate(GTK_WIDGET(b->view), &whole);
}

void browser_view_drop(struct browser *b)
{
    if (b->view != NULL) {
        webkit_web_view_terminate_web_process(b->view);
        g_signal_handlers_disconnect_by_data(b->view, b);
        gtk_widget_destroy(GTK_WIDGET(b->view));
        g_clear_object(&b->view);
    }
}

static WebKitSettings *settings_new(void)
{
    return webkit_settings_new_with_settings(
        "enable-javascript", TRUE, "enable-javascript-markup", FALSE, "enable-webgl", FALSE,
        "enable-page-cache", FALSE, "enable-html5-local-storage", FALSE, "enable-html5-database",
        FALSE, "enable-dns-prefetching", FALSE, "enable-back-forward-navigation-gestures", FALSE,
        "javascript-can-open-windows-automatically", FALSE, "enable-smooth-scrolling", FALSE,
        "enable-developer-extras", FALSE, "default-font-family", "Times New Roman",
        "serif-font-family", "Times New Roman", "sans-serif-font-family", "Arial",
        "monospace-font-family", "Monospace", "cursive-font-family", "Comic Sans MS",
        "fantasy-font-family", "Impact", "hardware-acceleration-policy",
        WEBKIT_HARDWARE_ACCELERATION_POLICY_NEVER, NULL);
}

void browser_view_make(struct browser *b)
{
    WebKitSettings *settings = settings_new();
    b->view = WEBKIT_WEB_VIEW(g_object_new(WEBKIT_TYPE_WEB_VIEW, "web-context", b->context,
                                           "user-content-manager", b->content, "settings", settings,
                                           NULL));
    g_object_ref_sink(b->view);
    g_object_unref(settings);
    gtk_widget_show(GTK_WIDGET(b->view));
    browser_refuse_in_view(b);
    browser_view_resize(b, 1280, 800);
    webkit_web_view_load_html(b->view, "<!doctype html>", "about:blank");
}

static void on_filter(GObject *source, GAsyncResult *result, gpointer data)
{
    struct browser *b = data;
    WebKitUserContentFilter *filter = webkit_user_content_filter_store_save_finish(
        WEBKIT_USER_CONTENT_FILTER_STORE(source), result, NULL);
    if (filter == NULL) {
        glmv_fail(&b->err, GLMV_ERR_RENDER,
                  "WebKit's content filter cannot be compiled; pages would reach the network");
    } else {
        webkit_user_content_manager_add_filter(b->content, filter);
        webkit_user_content_filter_unref(filter);
    }
    browser_finish(b);
}

/* Blocks every address but data:, about: and our own. */
static void add_filter(struct browser *b, const char *folder)
{
    static const char rules[] =
        "[{\"trigger\":{\"url-filter\":\".*\"},\"action\":{\"type\":\"block\"}},"
        "{\"trigger\":{\"url-filter\":\"^data:\"},\"action\":{\"type\":\"ignore-previous-rules\"}},"
        "{\"trigger\":{\"url-filter\":\"^about:\"},\"action\":{\"type\":\"ignore-previous-rules\"}}"
        ","
        "{\"trigger\":{\"url-filter\":\"^page:\"},\"action\":{\"type\":\"ignore-previous-rules\"}}"
        "]";
    char *path = g_build_filename(folder, "filters", NULL);
    WebKitUserContentFilterStore *store = webkit_user_content_filter_store_new(path);
    GBytes *bytes = g_bytes_new_static(rules, sizeof rules - 1);
    webkit_user_content_filter_store_save(store, "block", bytes, NULL, on_filter, b);
    g_main_loop_run(b->loop);
    g_bytes_unref(bytes);
    g_object_unref(store);
    g_free(path);
}

static void add_style(struct browser *b, const char *css)
{
    WebKitUserStyleSheet *sheet = webkit_user_style_sheet_new(
        css, WEBKIT_USER_CONTENT_INJECT_ALL_FRAMES, WEBKIT_USER_STYLE_LEVEL_USER, NULL, NULL);
    webkit_user_content_manager_add_style_sheet(b->content, sheet);
    webkit_user_style_sheet_unref(sheet);
}

/* world: NULL for the page's own. */
static void add_script(struct browser *b, const char *source, const char *world)
{
    WebKitUserScript *script =
        world != NULL
            ? webkit_user_script_new_for_world(source, WEBKIT_USER_CONTENT_INJECT_TOP_FRAME,
                                               WEBKIT_USER_SCRIPT_INJECT_AT_DOCUMENT_START, world,
                                               NULL, NULL)
            : webkit_user_script_new(source, WEBKIT_USER_CONTENT_INJECT_TOP_FRAME,
                                     WEBKIT_USER_SCRIPT_INJECT_AT_DOCUMENT_START, NULL, NULL);
    webkit_user_content_manager_add_script(b->content, script);
    webkit_user_script_unref(script);
}

/* The same type on every machine: GTK would take these from the desktop. */
static void pin_fonts(void)
{
    g_object_set(gtk_settings_get_default(), "gtk-xft-antialias", 1, "gtk-xft-hinting", 1,
                 "gtk-xft-hintstyle", "hintslight", "gtk-xft-rgba", "none", "gtk-xft-dpi", 98304,
                 "gtk-font-name", "Liberation Sans 10", NULL);
}

static void make_context(struct browser *b, const struct worker_place *place)
{
    WebKitMemoryPressureSettings *memory = webkit_memory_pressure_settings_new();
    webkit_memory_pressure_settings_set_memory_limit(memory, 1024);
    WebKitWebsiteDataManager *data = webkit_website_data_manager_new_ephemeral();
    b->context = WEBKIT_WEB_CONTEXT(g_object_new(WEBKIT_TYPE_WEB_CONTEXT, "website-data-manager",
                                                 data, "memory-pressure-settings", memory,
                                                 "time-zone-override", "UTC", NULL));
    webkit_memory_pressure_settings_free(memory);
    g_object_unref(data);
    webkit_web_context_set_sandbox_enabled(b->context, place->sandboxed);
    webkit_web_context_set_cache_model(b->context, WEBKIT_CACHE_MODEL_DOCUMENT_VIEWER);
    const char *languages[] = {"en-US", NULL};
    webkit_web_context_set_preferred_languages(b->context, languages);
    browser_refuse_in_context(b);
    b->content = webkit_user_content_manager_new();
}

bool browser_context_make(struct browser *b, const struct worker_place *place)
{
    pin_fonts();
    make_context(b, place);
    if (!place->online) {
        add_filter(b, place->folder);
    }
    add_style(b, calm_css);
    add_style(b, form_css);
    add_script(b, render_listener_js, BROWSER_WORLD);
    add_script(b, render_witness_js, NULL);
    return b->err.code == GLMV_ERR_NONE;
}
