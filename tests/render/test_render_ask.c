/* What a check of pages asks of the renderer: waiting, finding, pictures without facts, addresses.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "render/render.h"
#include "tests/check.h"

static struct glmv_render *draw(struct glmv_renderer *r, const char *html,
                                const struct glmv_render_options *o, struct glmv_err *err)
{
    return glmv_renderer_render(r, html, strlen(html), o, err);
}

static void selectors_come_back_as_boxes(struct glmv_renderer *r)
{
    static const char *const selectors[] = {".a", "#none", "#b"};
    struct glmv_render_options o = glmv_render_defaults();
    struct glmv_err err = {0};
    o.selectors = selectors;
    o.selector_count = 3;
    o.picture_only = true;
    struct glmv_render *shot =
        draw(r,
             "<!doctype html><body style=margin:0><p class=a style=\"margin:0;height:10px\">x"
             "<p class=a style=\"margin:0;height:20px\">x<p id=b style=\"margin:0;height:5px\">",
             &o, &err);
    CHECK_MSG(shot != NULL, "%s", err.message);
    if (shot == NULL) {
        return;
    }
    CHECK(shot->found_count == 3 && shot->page->text_count == 0);
    CHECK(shot->found_count == 3 && shot->found[1].selector == 0 && shot->found[1].box.y == 10 &&
          shot->found[1].box.h == 20);
    CHECK(shot->found_count == 3 && shot->found[2].selector == 2 && shot->found[2].box.y == 30);
    glmv_render_free(shot);
}

static void a_wrong_selector_is_named(struct glmv_renderer *r)
{
    static const char *const selectors[] = {"p[["};
    struct glmv_render_options o = glmv_render_defaults();
    struct glmv_err err = {0};
    o.selectors = selectors;
    o.selector_count = 1;
    CHECK(draw(r, "<p>x", &o, &err) == NULL);
    CHECK_MSG(strstr(err.message, "'p[[' is not a CSS selector") != NULL, "%s", err.message);
}

static void the_picture_waits_for_what_scripts_make(struct glmv_renderer *r)
{
    static const char page[] =
        "<body style=margin:0><script>setTimeout(() => document.body.innerHTML = '<div id=late "
        "style=\"height:50px;background:#f00\"></div>', 700)</script>";
    static const char *const selectors[] = {"#late"};
    struct glmv_render_options o = glmv_render_defaults();
    struct glmv_err err = {0};
    o.scripts = true;
    o.wait_for = "#late";
    o.selectors = selectors;
    o.selector_count = 1;
    struct glmv_render *shot = draw(r, page, &o, &err);
    CHECK_MSG(shot != NULL && shot->found_count == 1, "%s", err.message);
    CHECK(shot != NULL && shot->image->rgba[0] == 255 && shot->image->rgba[1] == 0);
    glmv_render_free(shot);
    o.wait_for = "#never";
    o.timeout_s = 1.5;
    CHECK(draw(r, page, &o, &err) == NULL);
    CHECK_MSG(strstr(err.message, "not ready after 1.5 s") != NULL, "%s", err.message);
    o.wait_for = NULL;
    o.settle_ms = 1000;
    o.timeout_s = 10;
    struct glmv_err later = {0};
    shot = draw(r, page, &o, &later);
    CHECK_MSG(shot != NULL && shot->found_count == 1, "%s", later.message);
    glmv_render_free(shot);
}

/* Answers each connection by its path: /page, /page.css, /moved, anything else is a 404. */
static void *serve(void *arg)
{
    int listener = *(int *)arg;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        char text[2048] = "";
        ssize_t got = recv(fd, text, sizeof text - 1, 0);
        text[got > 0 ? got : 0] = '\0';
        const char *status = "404 Not Found";
        const char *extra = "Content-Type: text/html";
        const char *body = "nothing";
        if (strncmp(text, "GET /page.css ", 14) == 0) {
            status = "200 OK";
            extra = "Content-Type: text/css";
            body = "body{margin:0;background:#00f}";
        } else if (strncmp(text, "GET /page ", 10) == 0) {
            status = "200 OK";
            body = "<!doctype html><link rel=stylesheet href=page.css>";
        } else if (strncmp(text, "GET /moved ", 11) == 0) {
            status = "302 Found";
            extra = "Location: /page";
        }
        dprintf(fd, "HTTP/1.1 %s\r\n%s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                status, extra, strlen(body), body);
        close(fd);
    }
}

static void addresses_load_when_the_renderer_is_online(struct glmv_renderer *offline)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 8) == 0 &&
          getsockname(listener, (struct sockaddr *)&at, &size) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, serve, &listener) == 0);
    char url[64];
    struct glmv_err err = {0};
    struct glmv_render_options o = glmv_render_defaults();
    struct glmv_renderer *online = glmv_renderer_open_online(NULL, &err);
    CHECK(online != NULL);
    static const char *const good[] = {"page", "moved"};
    for (int i = 0; i < 2 && online != NULL; i++) {
        snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", ntohs(at.sin_port), good[i]);
        struct glmv_render *shot = glmv_renderer_load(online, url, &o, &err);
        CHECK_MSG(shot != NULL, "%s", err.message);
        CHECK(shot != NULL && shot->image->rgba[2] == 255 && shot->image->rgba[0] == 0);
        glmv_render_free(shot);
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d/absent", ntohs(at.sin_port));
    CHECK(glmv_renderer_load(online, url, &o, &err) == NULL);
    CHECK_MSG(strstr(err.message, "status 404") != NULL, "%s", err.message);
    struct glmv_err refused = {0};
    CHECK(glmv_renderer_load(online, "http://127.0.0.1:47/", &o, &refused) == NULL);
    CHECK_MSG(strstr(refused.message, "could not be loaded") != NULL, "%s", refused.message);
    struct glmv_err wrong = {0};
    CHECK(glmv_renderer_load(offline, url, &o, &wrong) == NULL);
    CHECK_MSG(wrong.code == GLMV_ERR_USAGE, "%s", wrong.message);
    glmv_renderer_close(online);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
}

int main(void)
{
    struct glmv_err err = {0};
    struct glmv_renderer *r = glmv_renderer_open(NULL, &err);
    CHECK_MSG(r != NULL, "%s", err.message);
    if (r != NULL) {
        selectors_come_back_as_boxes(r);
        a_wrong_selector_is_named(r);
        the_picture_waits_for_what_scripts_make(r);
        addresses_load_when_the_renderer_is_online(r);
    }
    glmv_renderer_close(r);
    TEST_END();
}
