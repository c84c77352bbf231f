#include "replicate/referee.h"

#include <math.h>

#include "replicate/pairing.h"

enum { REFEREE_SECONDS = 30 }; /* a page of thousands of nodes on a busy machine */

#define PIXELS 0.6

struct glmv_render *replicate_measure(const struct replicate_court *court, const char *html,
                                      size_t len, struct glmv_score *score, struct glmv_err *err)
{
    struct glmv_render_options options = glmv_render_defaults();
    options.timeout_s = REFEREE_SECONDS;
    double scale = court->scale;
    options.width = (int)lround(court->target->width / scale);
    options.height = (int)lround(court->target->height / scale);
    options.scale = scale;
    struct glmv_render *render = glmv_renderer_render(court->renderer, html, len, &options, err);
    if (render == NULL) {
        return NULL;
    }
    bool ok = glmv_diff_score(court->target, render->image, score, err);
    glmv_score_charge_width(score, options.width, render->page->width);
    if (ok && court->scene != NULL) {
        struct replicate_pairing *pairing = replicate_pairing_new(court->scene, render, scale, err);
        ok = pairing != NULL;
        if (ok) {
            double text = replicate_pairing_agreement(pairing);
            score->total = PIXELS * score->total + (1 - PIXELS) * text;
        }
        replicate_pairing_free(pairing);
    }
    if (!ok) {
        glmv_render_free(render);
        return NULL;
    }
    return render;
}
