#include "base/file.h"
#include "render/render.h"
#include "replicate/command.h"
#include "replicate/comparison.h"

#define PAGE_WIDTH 1280 /* px, where the other is a page, too */
#define PAGE_HEIGHT 800 /* at most: a lower picture is of a lower window */
#define MAX_HTML (64u << 20)

/* Draws one of the two in a window as wide as the other is. */
static struct glmv_render *draw_page(struct glmv_renderer *renderer, const char *path,
                                     const int window[2], const char *assets, double scale,
                                     struct glmv_err *err)
{
    struct glmv_render_options options = glmv_render_defaults();
    options.width = (int)(window[0] / scale + 0.5);
    options.height = (int)(window[1] / scale + 0.5);
    options.scale = scale;
    options.assets = assets;
    struct glmv_buf html;
    glmv_buf_init(&html, MAX_HTML);
    struct glmv_render *shot =
        glmv_file_read(path, html.max, &html, err)
            ? glmv_renderer_render(renderer, html.data, html.len, &options, err)
            : NULL;
    glmv_buf_release(&html);
    return shot;
}

static bool draw(struct replicate_comparison *c, const char *assets, double scale,
                 struct glmv_err *err)
{
    int window[2] = {(int)(PAGE_WIDTH * scale), (int)(PAGE_HEIGHT * scale)}; /* px of the picture */
    for (int i = 0; i < 2; i++) {
        if (!replicate_is_page(c->paths[i])) {
            c->images[i] = glmv_image_read(c->paths[i], err);
            if (c->images[i] == NULL) {
                return false;
            }
            glmv_image_flatten(c->images[i], 0xffffff); /* as the page is drawn: over white */
            window[0] = c->images[i]->width;
            window[1] = c->images[i]->height < window[1] ? c->images[i]->height : window[1];
        }
    }
    struct glmv_renderer *renderer = glmv_renderer_open(NULL, err);
    bool ok = renderer != NULL;
    c->scale = scale;
    for (int i = 0; i < 2 && ok; i++) {
        if (replicate_is_page(c->paths[i])) {
            struct glmv_render *shot = draw_page(renderer, c->paths[i], window, assets, scale, err);
            ok = shot != NULL;
            if (ok) {
                c->images[i] = shot->image;
                shot->image = NULL;
                glmv_page_free(c->page); /* of two pages the second names what differs */
                c->page = shot->page;
                shot->page = NULL;
                c->page_side = i;
            }
            glmv_render_free(shot);
        }
    }
    glmv_renderer_close(renderer);
    return ok;
}

int replicate_cmd_diff(int argc, char **argv)
{
    return replicate_diff(argc, argv, draw);
}
