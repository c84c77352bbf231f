#include "replicate/referee.h"

#include <math.h>

struct glmv_render *replicate_measure(const struct replicate_court *court, const char *html,
                                      size_t len, struct glmv_score *score, struct glmv_err *err)
{
    struct glmv_render_options options = glmv_render_defaults();
    options.width = (int)lround(court->target->width / court->scale);
    options.height = (int)lround(court->target->height / court->scale);
    options.scale = court->scale;
    struct glmv_render *render = glmv_renderer_render(court->renderer, html, len, &options, err);
    if (render != NULL && !glmv_diff_score(court->target, render->image, score, err)) {
        glmv_render_free(render);
        return NULL;
    }
    return render;
}
