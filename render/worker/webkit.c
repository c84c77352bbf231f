/*
 * The browser process: one WebKit view after another renders what comes over the socket. Jobs are
 * taken one at a time; a view is reused while its pages had no scripts and did not fail.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <gtk/gtk.h>
#include <webkit2/webkit2.h>

#include "render/facts_js.h"
#include "render/listener_js.h"
#include "render/wire.h"
#include "render/witness_js.h"
#include "render/worker/worker.h"

#define SNAPSHOT_MAX 32767 /* device px a side: WebKit's own limit */
#define READY_WAIT_MS 400  /* for fonts and pictures that are still being decoded */
#define WORLD "glmv"

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

struct browser {
    int socket;
    WebKitWebContext *context;
    WebKitUserContentManager *content;
    WebKitWebView *view;
    GMainLoop *loop;

    /* The job at hand. */
    struct render_job job;
    unsigned number;
    char uri[64];
    char *ask; /* JSON for facts.js */
    bool committed, navigated;
    bool large; /* the document is beyond what a snapshot can hold, or beyond the limit */
    bool cut;
    guint timer;
    int dialogs;
    int assets;
    char *facts;
    cairo_surface_t *surface;
    struct glmv_err err;
};

static void finish(struct browser *b)
{
    g_main_loop_quit(b->loop);
}

static void fail(struct browser *b, const char *message)
{
    glmv_fail(&b->err, GLMV_ERR_RENDER, "%s", message);
    finish(b);
}

/* --- the asset folder --- */

static int open_beneath(int folder, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

static void on_asset(WebKitURISchemeRequest *request, gpointer data)
{
    struct browser *b = data;
    char *path = g_uri_unescape_string(webkit_uri_scheme_request_get_path(request), NULL);
    int fd = -1;
    if (b->assets >= 0 && path != NULL && path[0] == '/') {
        fd = open_beneath(b->assets, path + 1);
    }
    if (fd < 0) {
        GError *error =
            g_error_new_literal(G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "not in the asset folder");
        webkit_uri_scheme_request_finish_error(request, error);
        g_error_free(error);
    } else {
        gboolean uncertain;
        char *type = g_content_type_guess(path, NULL, 0, &uncertain);
        char *mime = g_content_type_get_mime_type(type);
        GInputStream *stream = g_unix_input_stream_new(fd, TRUE);
        webkit_uri_scheme_request_finish(request, stream, -1, mime);
        g_object_unref(stream);
        g_free(mime);
        g_free(type);
    }
    g_free(path);
}

/* --- what a page may not do --- */

/* Whether a server answered the page itself with an error, which would be drawn like a page. */
static bool refused(struct browser *b, WebKitResponsePolicyDecision *decision)
{
    WebKitURIResponse *response = webkit_response_policy_decision_get_response(decision);
    guint status = webkit_uri_response_get_status_code(response);
    if (status < 400 || !webkit_response_policy_decision_is_main_frame_main_resource(decision)) {
        return false;
    }
    webkit_policy_decision_ignore(WEBKIT_POLICY_DECISION(decision));
    glmv_fail(&b->err, GLMV_ERR_RENDER, "the server answered with status %u", status);
    finish(b);
    return true;
}

static gboolean on_load_failed(WebKitWebView *view, WebKitLoadEvent event, const char *uri,
                               GError *error, gpointer data)
{
    struct browser *b = data;
    (void)view;
    (void)event;
    if (b->job.is_url && b->facts == NULL && b->err.code == GLMV_ERR_NONE) {
        glmv_fail(&b->err, GLMV_ERR_RENDER, "%s could not be loaded: %s", uri, error->message);
        finish(b);
    }
    return TRUE;
}

static gboolean on_policy(WebKitWebView *view, WebKitPolicyDecision *decision,
                          WebKitPolicyDecisionType type, gpointer data)
{
    struct browser *b = data;
    (void)view;
    if (type == WEBKIT_POLICY_DECISION_TYPE_RESPONSE) {
        return b->job.is_url && refused(b, WEBKIT_RESPONSE_POLICY_DECISION(decision));
    }
    bool allowed = false;
    if (type == WEBKIT_POLICY_DECISION_TYPE_NAVIGATION_ACTION) {
        WebKitNavigationAction *action = webkit_navigation_policy_decision_get_navigation_action(
            WEBKIT_NAVIGATION_POLICY_DECISION(decision));
        const char *uri = webkit_uri_request_get_uri(webkit_navigation_action_get_request(action));
        const char *frame = webkit_navigation_action_get_frame_name(action);
        if (b->job.is_url && b->facts == NULL &&
            (g_str_has_prefix(uri, "http://") || g_str_has_prefix(uri, "https://"))) {
            allowed = true; /* redirects and frames too */
        } else if (!b->navigated && g_strcmp0(uri, b->uri) == 0) {
            b->navigated = true;
            allowed = true;
        } else if (g_strcmp0(uri, "about:srcdoc") == 0 ||
                   (g_strcmp0(uri, "about:blank") == 0 && frame != NULL)) {
            allowed = true;
        }
    }
    if (!allowed) {
        webkit_policy_decision_ignore(decision);
        return TRUE;
    }
    return FALSE;
}

static GtkWidget *on_create(WebKitWebView *view, WebKitNavigationAction *action, gpointer data)
{
    (void)view;
    (void)action;
    (void)data;
    return NULL;
}

static gboolean on_dialog(WebKitWebView *view, WebKitScriptDialog *dialog, gpointer data)
{
    struct browser *b = data;
    (void)view;
    if (webkit_script_dialog_get_dialog_type(dialog) ==
        WEBKIT_SCRIPT_DIALOG_BEFORE_UNLOAD_CONFIRM) {
        webkit_script_dialog_confirm_set_confirmed(dialog, TRUE);
    } else if (++b->dialogs > 50) {
        fail(b, "the page opens dialogs without end");
    }
    return TRUE;
}

static gboolean on_print(WebKitWebView *view, WebKitPrintOperation *operation, gpointer data)
{
    (void)view;
    (void)operation;
    (void)data;
    return TRUE;
}

static gboolean on_permission(WebKitWebView *view, WebKitPermissionRequest *request, gpointer data)
{
    (void)view;
    (void)data;
    webkit_permission_request_deny(request);
    return TRUE;
}

static gboolean on_chooser(WebKitWebView *view, WebKitFileChooserRequest *request, gpointer data)
{
    (void)view;
    (void)data;
    webkit_file_chooser_request_cancel(request);
    return TRUE;
}

static void on_download(WebKitWebContext *context, WebKitDownload *download, gpointer data)
{
    (void)context;
    (void)data;
    webkit_download_cancel(download);
}

/* --- a job, step by step --- */

static void allocate(struct browser *b, int width, int height)
{
    GtkAllocation whole = {0, 0, width, height};
    GtkRequisition ignored;
    gtk_widget_get_preferred_size(GTK_WIDGET(b->view), &ignored, NULL);
    gtk_widget_size_allocate(GTK_WIDGET(b->view), &whole);
}

static int device(const struct browser *b, double css)
{
    return (int)lround(css * b->job.scale);
}

static void on_snapshot(GObject *source, GAsyncResult *result, gpointer data)
{
    struct browser *b = data;
    GError *error = NULL;
    b->surface = webkit_web_view_get_snapshot_finish(WEBKIT_WEB_VIEW(source), result, &error);
    if (b->surface == NULL) {
        glmv_fail(&b->err, GLMV_ERR_RENDER, "the page could not be drawn: %s",
                  error != NULL ? error->message : "no reason given");
    }
    g_clear_error(&error);
    finish(b);
}

static gboolean snapshot_large(gpointer data)
{
    struct browser *b = data;
    webkit_web_view_get_snapshot(b->view, WEBKIT_SNAPSHOT_REGION_VISIBLE,
                                 WEBKIT_SNAPSHOT_OPTIONS_NONE, NULL, on_snapshot, b);
    return G_SOURCE_REMOVE;
}

/* The document's height as the facts say it; they were written by us, but the page had its hands on
 * the DOM. */
static double facts_number(const char *facts, const char *key)
{
    const char *at = strstr(facts, key);
    return at == NULL ? 0 : strtod(at + strlen(key), NULL);
}

static void on_facts(GObject *source, GAsyncResult *result, gpointer data)
{
    struct browser *b = data;
    GError *error = NULL;
    JSCValue *value = webkit_web_view_call_async_javascript_function_finish(WEBKIT_WEB_VIEW(source),
                                                                            result, &error);
    if (value == NULL) {
        glmv_fail(&b->err, GLMV_ERR_RENDER, "the page could not be measured: %s",
                  error != NULL ? error->message : "no reason given");
        g_clear_error(&error);
        finish(b);
        return;
    }
    b->facts = jsc_value_to_string(value);
    g_object_unref(value);
    if (b->facts == NULL || strlen(b->facts) > RENDER_MAX_FACTS) {
        fail(b, "the page has too many elements to be measured");
        return;
    }
    int highest = (int)fmin(b->job.max_height, floor(SNAPSHOT_MAX / b->job.scale));
    double height = facts_number(b->facts, "\"height\":");
    double width = facts_number(b->facts, "\"width\":");
    b->cut = !b->job.viewport_only && height > highest;
    b->large = !b->job.viewport_only && (b->cut || width * b->job.scale > SNAPSHOT_MAX);
    if (b->large) {
        /* A view as high as what is kept shows just that; the whole may be beyond any surface. */
        allocate(b, device(b, b->job.width), device(b, b->cut ? highest : height));
        g_timeout_add(100, snapshot_large, b);
        return;
    }
    webkit_web_view_get_snapshot(b->view,
                                 b->job.viewport_only ? WEBKIT_SNAPSHOT_REGION_VISIBLE
                                                      : WEBKIT_SNAPSHOT_REGION_FULL_DOCUMENT,
                                 WEBKIT_SNAPSHOT_OPTIONS_NONE, NULL, on_snapshot, b);
}

static void on_load(WebKitWebView *view, WebKitLoadEvent event, gpointer data)
{
    struct browser *b = data;
    const char *uri = webkit_web_view_get_uri(view);
    if (b->job.is_url ? uri == NULL || !g_str_has_prefix(uri, "http")
                      : g_strcmp0(uri, b->uri) != 0) {
        return;
    }
    if (event == WEBKIT_LOAD_COMMITTED) {
        b->committed = true;
    } else if (event == WEBKIT_LOAD_FINISHED && b->committed && b->facts == NULL) {
        char *body = g_strdup_printf("const waitMs = %d;\nconst ask = %s;\n%s", READY_WAIT_MS,
                                     b->ask, render_facts_js);
        b->committed = false; /* measured once, whatever the page loads later */
        webkit_web_view_call_async_javascript_function(view, body, -1, NULL, WORLD, NULL, NULL,
                                                       on_facts, b);
        g_free(body);
    }
}

static void on_terminated(WebKitWebView *view, WebKitWebProcessTerminationReason reason,
                          gpointer data)
{
    struct browser *b = data;
    (void)view;
    if (reason == WEBKIT_WEB_PROCESS_TERMINATED_BY_API) {
        return;
    }
    fail(b, "the page used too much memory or crashed the browser, and was stopped");
}

static gboolean on_deadline(gpointer data)
{
    struct browser *b = data;
    b->timer = 0;
    glmv_fail(&b->err, GLMV_ERR_RENDER, "the page was not ready after %g s and was stopped",
              b->job.timeout_s);
    finish(b);
    return G_SOURCE_REMOVE;
}

/* --- views --- */

static void drop_view(struct browser *b)
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

static void make_view(struct browser *b)
{
    WebKitSettings *settings = settings_new();
    b->view = WEBKIT_WEB_VIEW(g_object_new(WEBKIT_TYPE_WEB_VIEW, "web-context", b->context,
                                           "user-content-manager", b->content, "settings", settings,
                                           NULL));
    g_object_ref_sink(b->view);
    g_object_unref(settings);
    gtk_widget_show(GTK_WIDGET(b->view));
    g_signal_connect(b->view, "load-changed", G_CALLBACK(on_load), b);
    g_signal_connect(b->view, "decide-policy", G_CALLBACK(on_policy), b);
    g_signal_connect(b->view, "load-failed", G_CALLBACK(on_load_failed), b);
    g_signal_connect(b->view, "create", G_CALLBACK(on_create), b);
    g_signal_connect(b->view, "script-dialog", G_CALLBACK(on_dialog), b);
    g_signal_connect(b->view, "print", G_CALLBACK(on_print), b);
    g_signal_connect(b->view, "permission-request", G_CALLBACK(on_permission), b);
    g_signal_connect(b->view, "run-file-chooser", G_CALLBACK(on_chooser), b);
    g_signal_connect(b->view, "web-process-terminated", G_CALLBACK(on_terminated), b);
    allocate(b, 1280, 800);
    webkit_web_view_load_html(b->view, "<!doctype html>", "about:blank");
}

/* --- answers --- */

/* The surface, cut to w x h, as opaque RGBA in a memory file; -1 on failure. */
static int pixels_of(cairo_surface_t *surface, int w, int h)
{
    size_t size = (size_t)w * (size_t)h * 4;
    int fd = memfd_create("glmv-pixels", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0) {
        close(fd);
        return -1;
    }
    unsigned char *to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (to == MAP_FAILED) {
        close(fd);
        return -1;
    }
    cairo_surface_flush(surface);
    const unsigned char *from = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < h; y++) {
        const unsigned char *p = from + (size_t)y * (size_t)stride;
        for (int x = 0; x < w; x++, p += 4, to += 4) {
            unsigned clear = 255u - p[3]; /* premultiplied over white */
            to[0] = (unsigned char)(p[2] + clear);
            to[1] = (unsigned char)(p[1] + clear);
            to[2] = (unsigned char)(p[0] + clear);
            to[3] = 255;
        }
    }
    munmap(to - size, size);
    return fd;
}

static bool answer(struct browser *b)
{
    struct render_reply reply = {.magic = RENDER_MAGIC, .cut = b->cut};
    int fd = -1;
    if (b->err.code == GLMV_ERR_NONE) {
        int wide = device(b, b->job.width);
        int have_w = cairo_image_surface_get_width(b->surface);
        int have_h = cairo_image_surface_get_height(b->surface);
        reply.width = have_w < wide ? have_w : wide;
        reply.height = have_h;
        if (b->job.viewport_only && reply.height > device(b, b->job.height)) {
            reply.height = device(b, b->job.height);
        }
        fd = reply.width > 0 && reply.height > 0 ? pixels_of(b->surface, reply.width, reply.height)
                                                 : -1;
        if (fd < 0) {
            glmv_fail(&b->err, GLMV_ERR_MEMORY, "no memory for a picture of %d x %d pixels",
                      reply.width, reply.height);
        } else {
            reply.facts_len = strlen(b->facts);
        }
    }
    if (b->err.code != GLMV_ERR_NONE) {
        reply.width = reply.height = 0;
    }
    reply.code = (uint32_t)b->err.code;
    reply.message_len = (uint32_t)strlen(b->err.message);
    bool ok = render_wire_send(b->socket, &reply, sizeof reply, fd) &&
              render_wire_send(b->socket, b->facts, reply.facts_len, -1) &&
              render_wire_send(b->socket, b->err.message, reply.message_len, -1);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static void run_job(struct browser *b, const char *html, size_t len)
{
    glmv_err_clear(&b->err);
    b->committed = b->navigated = b->large = b->cut = false;
    b->dialogs = 0;
    if (b->view == NULL) {
        make_view(b);
    }
    WebKitSettings *settings = webkit_web_view_get_settings(b->view);
    webkit_settings_set_enable_javascript_markup(settings, b->job.scripts != 0);
    g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", b->job.dark != 0,
                 NULL);
    webkit_web_view_set_zoom_level(b->view, b->job.scale);
    allocate(b, device(b, b->job.width), device(b, b->job.height));
    g_snprintf(b->uri, sizeof b->uri, "page://job%u/", ++b->number);
    double deadline_ms = b->job.timeout_s * 1000;
    b->timer = g_timeout_add((guint)deadline_ms, on_deadline, b);
    if (b->job.is_url) {
        webkit_web_view_load_uri(b->view, html);
    } else {
        GBytes *bytes = g_bytes_new_static(html, len);
        webkit_web_view_load_bytes(b->view, bytes, "text/html", "UTF-8", b->uri);
        g_bytes_unref(bytes);
    }
    g_main_loop_run(b->loop);
    if (b->timer != 0) {
        g_source_remove(b->timer);
        b->timer = 0;
    }
}

static void end_job(struct browser *b)
{
    if (b->job.scripts || b->err.code != GLMV_ERR_NONE || b->large) {
        drop_view(b);
    }
    if (b->surface != NULL) {
        cairo_surface_destroy(b->surface);
        b->surface = NULL;
    }
    g_free(b->facts);
    b->facts = NULL;
    if (b->assets >= 0) {
        close(b->assets);
        b->assets = -1;
    }
    if (b->view == NULL) {
        make_view(b);
    }
}

static gboolean on_job(gint fd, GIOCondition condition, gpointer data)
{
    struct browser *b = data;
    (void)condition;
    double deadline = render_now() + 30;
    int assets = -1;
    if (!render_wire_receive(fd, &b->job, sizeof b->job, &assets, deadline) ||
        b->job.magic != RENDER_MAGIC || b->job.html_len > RENDER_MAX_HTML ||
        b->job.ask_len > RENDER_MAX_ASK) {
        _exit(0);
    }
    b->assets = assets;
    char *html = malloc(b->job.html_len + 1);
    b->ask = malloc((size_t)b->job.ask_len + 1);
    if (html == NULL || b->ask == NULL ||
        !render_wire_receive(fd, html, b->job.html_len, NULL, deadline) ||
        !render_wire_receive(fd, b->ask, b->job.ask_len, NULL, deadline)) {
        _exit(0);
    }
    html[b->job.html_len] = '\0';
    b->ask[b->job.ask_len] = '\0';
    run_job(b, html, b->job.html_len);
    bool ok = answer(b);
    end_job(b);
    free(html);
    free(b->ask);
    b->ask = NULL;
    if (!ok) {
        _exit(0);
    }
    return G_SOURCE_CONTINUE;
}

/* --- start --- */

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
    finish(b);
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
    webkit_web_context_register_uri_scheme(b->context, "page", on_asset, b, NULL);
    g_signal_connect(b->context, "download-started", G_CALLBACK(on_download), b);
    b->content = webkit_user_content_manager_new();
}

static void send_hello(const struct browser *b, const struct worker_place *place)
{
    struct render_hello hello = {
        .magic = RENDER_MAGIC, .sandboxed = place->sandboxed, .isolated = place->isolated};
    render_wire_send(b->socket, &hello, sizeof hello, -1);
}

int worker_browse(int socket, const struct worker_place *place)
{
    struct browser b = {.socket = socket, .assets = -1};
    int null = open("/dev/null", O_RDWR);
    if (null < 0) {
        return 4;
    }
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    fcntl(socket, F_SETFD, FD_CLOEXEC);
    if (!gtk_init_check(NULL, NULL)) {
        glmv_fail(&b.err, GLMV_ERR_MISSING, "GTK cannot open display :%d", place->display);
        worker_refuse(socket, &b.err);
        return 4;
    }
    pin_fonts();
    b.loop = g_main_loop_new(NULL, FALSE);
    make_context(&b, place);
    if (!place->online) {
        add_filter(&b, place->folder);
    }
    if (b.err.code != GLMV_ERR_NONE) {
        worker_refuse(socket, &b.err);
        return 4;
    }
    add_style(&b, calm_css);
    add_style(&b, form_css);
    add_script(&b, render_listener_js, WORLD);
    add_script(&b, render_witness_js, NULL);
    make_view(&b);
    send_hello(&b, place);
    GMainLoop *outer = g_main_loop_new(NULL, FALSE);
    g_unix_fd_add(socket, G_IO_IN | G_IO_HUP, on_job, &b);
    g_main_loop_run(outer);
    return 0;
}
