/*
 * The browser process: one WebKit view after another renders what comes over the socket. Jobs are
 * taken one at a time; a view is reused while its pages had no scripts and did not fail.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib-unix.h>

#include "base/clock.h"
#include "render/facts_js.h"
#include "render/worker/browser.h"

#define SNAPSHOT_MAX 32767 /* device px a side: WebKit's own limit */
#define READY_WAIT_MS 400  /* for fonts and pictures that are still being decoded */

void browser_finish(struct browser *b)
{
    g_main_loop_quit(b->loop);
}

void browser_fail(struct browser *b, const char *message)
{
    glmv_fail(&b->err, GLMV_ERR_RENDER, "%s", message);
    browser_finish(b);
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
    browser_finish(b);
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
        browser_finish(b);
        return;
    }
    b->facts = jsc_value_to_string(value);
    g_object_unref(value);
    if (b->facts == NULL || strlen(b->facts) > RENDER_MAX_FACTS) {
        browser_fail(b, "the page has too many elements to be measured");
        return;
    }
    int highest = (int)fmin(b->job.max_height, floor(SNAPSHOT_MAX / b->job.scale));
    double height = facts_number(b->facts, "\"height\":");
    double width = facts_number(b->facts, "\"width\":");
    b->cut = !b->job.viewport_only && height > highest;
    b->large = !b->job.viewport_only && (b->cut || width * b->job.scale > SNAPSHOT_MAX);
    if (b->large) {
        /* A view as high as what is kept shows just that; the whole may be beyond any surface. */
        browser_view_resize(b, device(b, b->job.width), device(b, b->cut ? highest : height));
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
        webkit_web_view_call_async_javascript_function(view, body, -1, NULL, BROWSER_WORLD, NULL,
                                                       NULL, on_facts, b);
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
    browser_fail(b, "the page used too much memory or crashed the browser, and was stopped");
}

static gboolean on_deadline(gpointer data)
{
    struct browser *b = data;
    b->timer = 0;
    glmv_fail(&b->err, GLMV_ERR_RENDER, "the page was not ready after %g s and was stopped",
              b->job.timeout_s);
    browser_finish(b);
    return G_SOURCE_REMOVE;
}

static void open_view(struct browser *b)
{
    browser_view_make(b);
    g_signal_connect(b->view, "load-changed", G_CALLBACK(on_load), b);
    g_signal_connect(b->view, "web-process-terminated", G_CALLBACK(on_terminated), b);
}

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
        open_view(b);
    }
    WebKitSettings *settings = webkit_web_view_get_settings(b->view);
    webkit_settings_set_enable_javascript_markup(settings, b->job.scripts != 0);
    g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", b->job.dark != 0,
                 NULL);
    webkit_web_view_set_zoom_level(b->view, b->job.scale);
    browser_view_resize(b, device(b, b->job.width), device(b, b->job.height));
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
        browser_view_drop(b);
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
        open_view(b);
    }
}

static gboolean on_job(gint fd, GIOCondition condition, gpointer data)
{
    struct browser *b = data;
    (void)condition;
    double deadline = glmv_now() + 30;
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
    b.loop = g_main_loop_new(NULL, FALSE);
    if (!browser_context_make(&b, place)) {
        worker_refuse(socket, &b.err);
        return 4;
    }
    open_view(&b);
    send_hello(&b, place);
    GMainLoop *outer = g_main_loop_new(NULL, FALSE);
    g_unix_fd_add(socket, G_IO_IN | G_IO_HUP, on_job, &b);
    g_main_loop_run(outer);
    return 0;
}
