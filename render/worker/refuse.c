/* What a page may not do, and the one folder it may read. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gio/gunixinputstream.h>

#include "render/worker/browser.h"

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
    browser_finish(b);
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
        browser_finish(b);
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
        browser_fail(b, "the page opens dialogs without end");
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

void browser_refuse_in_context(struct browser *b)
{
    webkit_web_context_register_uri_scheme(b->context, "page", on_asset, b, NULL);
    g_signal_connect(b->context, "download-started", G_CALLBACK(on_download), b);
}

void browser_refuse_in_view(struct browser *b)
{
    g_signal_connect(b->view, "decide-policy", G_CALLBACK(on_policy), b);
    g_signal_connect(b->view, "load-failed", G_CALLBACK(on_load_failed), b);
    g_signal_connect(b->view, "create", G_CALLBACK(on_create), b);
    g_signal_connect(b->view, "script-dialog", G_CALLBACK(on_dialog), b);
    g_signal_connect(b->view, "print", G_CALLBACK(on_print), b);
    g_signal_connect(b->view, "permission-request", G_CALLBACK(on_permission), b);
    g_signal_connect(b->view, "run-file-chooser", G_CALLBACK(on_chooser), b);
}
