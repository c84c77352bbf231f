#include "model/server/http.h"

#include <libsoup/soup.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE 65536
#define TICK_MS 50
#define CONNECT_S 10
#define LAST_WORDS_S 2

struct server_http {
    GMainContext *context;
    SoupSession *session;
};

/* One request under way. */
struct flight {
    const struct server_request *request;
    struct server_reply *reply;
    struct glmv_err *err;
    SoupMessage *message;
    GCancellable *cancellable;
    GInputStream *stream;
    gint64 deadline;  /* microseconds, monotonic */
    const char *late; /* what the deadline means */
    bool sent, last_words, timed_out, cancelled, failed, done;
    char piece[PIECE];
};

struct server_http *server_http_open(struct glmv_err *err)
{
    struct server_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    http->context = g_main_context_new();
    g_main_context_push_thread_default(http->context);
    http->session = soup_session_new_with_options("user-agent", "glmv-replicate/" GLMV_VERSION,
                                                  "timeout", 0, "idle-timeout", 30, NULL);
    g_main_context_pop_thread_default(http->context);
    return http;
}

void server_http_close(struct server_http *http)
{
    if (http == NULL) {
        return;
    }
    g_main_context_push_thread_default(http->context);
    soup_session_abort(http->session);
    g_object_unref(http->session);
    while (g_main_context_iteration(http->context, FALSE)) {
    }
    g_main_context_pop_thread_default(http->context);
    g_main_context_unref(http->context);
    free(http);
}

static void set_deadline(struct flight *flight, double seconds, const char *late)
{
    flight->deadline = g_get_monotonic_time() + (gint64)(seconds * 1e6);
    flight->late = late;
}

static gboolean tick(gpointer arg)
{
    struct flight *flight = arg;
    if (flight->request->cancel != NULL && atomic_load(flight->request->cancel)) {
        flight->cancelled = true;
    } else if (g_get_monotonic_time() > flight->deadline) {
        flight->timed_out = true;
    } else {
        return G_SOURCE_CONTINUE;
    }
    g_cancellable_cancel(flight->cancellable);
    return G_SOURCE_CONTINUE;
}

/* Says why the connection failed and whether another try makes sense. */
static void explain(struct flight *flight, const GError *error)
{
    const char *url = flight->request->url;
    struct server_reply *reply = flight->reply;
    flight->failed = true;
    flight->done = true;
    if (flight->cancelled) {
        glmv_fail(flight->err, GLMV_ERR_CANCELLED, "stopped");
    } else if (flight->timed_out) {
        reply->worth_retrying = flight->deadline != 0 && !flight->sent;
        glmv_fail(flight->err, GLMV_ERR_MODEL, "%s: %s", url, flight->late);
    } else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED) ||
               g_error_matches(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND) ||
               g_error_matches(error, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE) ||
               g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE)) {
        glmv_fail(flight->err, GLMV_ERR_MODEL,
                  "cannot reach %s (%s): is the server running and the address right?", url,
                  error->message);
    } else if (error->domain == G_TLS_ERROR) {
        glmv_fail(flight->err, GLMV_ERR_MODEL, "%s: no trusted connection: %s", url,
                  error->message);
    } else {
        reply->worth_retrying = reply->status == 0;
        reply->cut = reply->status != 0;
        glmv_fail(flight->err, GLMV_ERR_MODEL, "%s: the connection broke: %s", url, error->message);
    }
}

static void read_more(struct flight *flight);

static void on_read(GObject *source, GAsyncResult *result, gpointer arg)
{
    struct flight *flight = arg;
    GError *error = NULL;
    gssize len = g_input_stream_read_finish(G_INPUT_STREAM(source), result, &error);
    if (len < 0) {
        if (flight->last_words && !flight->cancelled) {
            flight->done = true;
        } else {
            explain(flight, error);
        }
        g_error_free(error);
        return;
    }
    if (len == 0) {
        flight->done = true;
        return;
    }
    enum server_more more = flight->request->bytes(flight->request->arg, flight->reply,
                                                   flight->piece, (size_t)len, flight->err);
    if (more == SERVER_STOP || more == SERVER_ENOUGH) {
        flight->failed = more == SERVER_STOP;
        flight->done = true;
        return;
    }
    if (more == SERVER_LAST_WORDS && !flight->last_words) {
        flight->last_words = true;
        set_deadline(flight, LAST_WORDS_S, "");
    } else if (!flight->last_words && more == SERVER_MORE) {
        set_deadline(flight, flight->request->idle_s,
                     "the server fell silent in the middle of its answer; a longer silence is "
                     "allowed with GLMV_SERVER_IDLE_S");
    }
    read_more(flight);
}

static void read_more(struct flight *flight)
{
    g_input_stream_read_async(flight->stream, flight->piece, PIECE, G_PRIORITY_DEFAULT,
                              flight->cancellable, on_read, flight);
}

static void read_head(struct flight *flight)
{
    struct server_reply *reply = flight->reply;
    SoupMessageHeaders *headers = soup_message_get_response_headers(flight->message);
    reply->status = (int)soup_message_get_status(flight->message);
    const char *type = soup_message_headers_get_content_type(headers, NULL);
    const char *location = soup_message_headers_get_one(headers, "Location");
    const char *after = soup_message_headers_get_one(headers, "Retry-After");
    g_strlcpy(reply->content_type, type != NULL ? type : "", sizeof reply->content_type);
    g_strlcpy(reply->location, location != NULL ? location : "", sizeof reply->location);
    if (after != NULL) {
        char *end;
        double seconds = g_ascii_strtod(after, &end);
        GDateTime *when = end == after ? soup_date_time_new_from_http_string(after) : NULL;
        if (when != NULL) {
            seconds = (double)(g_date_time_to_unix(when) - (gint64)time(NULL));
            g_date_time_unref(when);
        }
        reply->retry_after = seconds >= 0 ? seconds : 0;
    }
}

static void on_sent(GObject *source, GAsyncResult *result, gpointer arg)
{
    struct flight *flight = arg;
    GError *error = NULL;
    flight->stream = soup_session_send_finish(SOUP_SESSION(source), result, &error);
    if (flight->stream == NULL) {
        explain(flight, error);
        g_error_free(error);
        return;
    }
    flight->sent = true;
    read_head(flight);
    read_more(flight);
}

static void on_network(SoupMessage *message, GSocketClientEvent event, GIOStream *connection,
                       gpointer arg)
{
    (void)message;
    (void)connection;
    struct flight *flight = arg;
    if (event == G_SOCKET_CLIENT_COMPLETE) {
        set_deadline(flight, flight->request->first_s,
                     "connected, but no answer came; a slow server gets more time with "
                     "GLMV_SERVER_FIRST_S");
    }
}

static void start(struct server_http *http, struct flight *flight)
{
    const struct server_request *request = flight->request;
    SoupMessageHeaders *headers = soup_message_get_request_headers(flight->message);
    soup_message_add_flags(flight->message, SOUP_MESSAGE_NO_REDIRECT);
    soup_message_headers_replace(headers, "Accept", "text/event-stream, application/json");
    if (request->key != NULL) {
        char *bearer = g_strconcat("Bearer ", request->key, NULL);
        soup_message_headers_replace(headers, "Authorization", bearer);
        memset(bearer, 0, strlen(bearer));
        g_free(bearer);
    }
    if (request->body != NULL) {
        GBytes *bytes = g_bytes_new_static(request->body, request->body_len);
        soup_message_set_request_body_from_bytes(flight->message, "application/json", bytes);
        g_bytes_unref(bytes);
    }
    g_signal_connect(flight->message, "network-event", G_CALLBACK(on_network), flight);
    /* A kept connection sends no "complete" event: it gets the long limit at once. */
    set_deadline(flight, request->first_s < CONNECT_S ? CONNECT_S : request->first_s,
                 "no answer came; a slow server gets more time with GLMV_SERVER_FIRST_S");
    soup_session_send_async(http->session, flight->message, G_PRIORITY_DEFAULT, flight->cancellable,
                            on_sent, flight);
}

static void on_starting(SoupMessage *message, GSocketClientEvent event, GIOStream *connection,
                        gpointer arg)
{
    (void)message;
    (void)connection;
    if (event == G_SOCKET_CLIENT_RESOLVING || event == G_SOCKET_CLIENT_CONNECTING) {
        set_deadline(arg, CONNECT_S, "no connection within 10 s: is the address right?");
    }
}

bool server_http_send(struct server_http *http, const struct server_request *request,
                      struct server_reply *reply, struct glmv_err *err)
{
    memset(reply, 0, sizeof *reply);
    reply->retry_after = -1;
    SoupMessage *message = soup_message_new(request->body != NULL ? "POST" : "GET", request->url);
    if (message == NULL) {
        return glmv_fail(err, GLMV_ERR_USAGE, "'%s' is not an address", request->url);
    }
    struct flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL) {
        g_object_unref(message);
        return glmv_fail_memory(err);
    }
    flight->request = request;
    flight->reply = reply;
    flight->err = err;
    flight->message = message;
    flight->cancellable = g_cancellable_new();
    g_main_context_push_thread_default(http->context);
    g_signal_connect(message, "network-event", G_CALLBACK(on_starting), flight);
    GSource *timer = g_timeout_source_new(TICK_MS);
    g_source_set_callback(timer, tick, flight, NULL);
    g_source_attach(timer, http->context);
    start(http, flight);
    while (!flight->done) {
        g_main_context_iteration(http->context, TRUE);
    }
    g_source_destroy(timer);
    g_source_unref(timer);
    if (flight->stream != NULL) {
        /* Closing an unfinished body drops the connection instead of reading the rest. */
        g_cancellable_cancel(flight->cancellable);
        g_input_stream_close(flight->stream, flight->cancellable, NULL);
        g_object_unref(flight->stream);
    }
    g_signal_handlers_disconnect_by_data(message, flight);
    while (g_main_context_iteration(http->context, FALSE)) {
    }
    g_main_context_pop_thread_default(http->context);
    g_object_unref(flight->cancellable);
    g_object_unref(message);
    bool ok = !flight->failed;
    free(flight);
    return ok;
}

bool server_http_wait(double seconds, const atomic_bool *cancel, struct glmv_err *err)
{
    for (double left = seconds; left > 0; left -= TICK_MS / 1000.0) {
        if (cancel != NULL && atomic_load(cancel)) {
            return glmv_fail(err, GLMV_ERR_CANCELLED, "stopped");
        }
        double part = left < TICK_MS / 1000.0 ? left : TICK_MS / 1000.0;
        nanosleep(&(struct timespec){.tv_nsec = (long)(part * 1e9)}, NULL);
    }
    return true;
}
