#include "replicate/referee.h"

#include <math.h>

#define PIXELS 0.6

struct glmv_render *replicate_measure(const struct replicate_court *court, const char *html,
                                      size_t len, struct glmv_score *score, struct glmv_err *err)
{
    struct glmv_render_options options = glmv_render_defaults();
    double scale = court->scale, text;
    options.width = (int)lround(court->target->width / scale);
    options.height = (int)lround(court->target->height / scale);
    options.scale = scale;
    struct glmv_render *render = glmv_renderer_render(court->renderer, html, len, &options, err);
    if (render == NULL) {
        return NULL;
    }
    bool ok = glmv_diff_score(court->target, render->image, score, err);
    if (ok && court->scene != NULL) {
        ok = replicate_feedback_agreement(court->scene, render->page, scale, &text, err);
        score->total = ok ? PIXELS * score->total + (1 - PIXELS) * text : 0;
    }
    if (!ok) {
        glmv_render_free(render);
        return NULL;
    }
    return render;
}
