/* Which type a line is set in: the order of the steps. */
#include "model/tracer/type.h"

#include "model/tracer/letters.h"
#include "model/tracer/proof.h"

struct refit {
    struct model_typing typing;
    struct model_choice choice;
};

static void refit_line(void *context, struct glmv_scene_line *line)
{
    struct refit *r = context;
    model_type_fit_line(&r->typing, &r->choice, line->weight >= 600 ? MODEL_BOLD : MODEL_REGULAR,
                        line);
}

bool model_type_fit(struct model_view *view, struct model_faces *faces, struct glmv_scene *scene,
                    unsigned without, struct glmv_err *err)
{
    struct refit all = {.typing = {view, faces}};
    bool ok = true;
    if ((without & GLMV_LOOK_FACES) != 0) {
        all.choice = (struct model_choice){{"Liberation Sans"}, 1};
        for (size_t i = 0; i < scene->line_count; i++) {
            model_type_fit_line(&all.typing, &all.choice, MODEL_REGULAR, &scene->lines[i]);
        }
    } else {
        model_type_vote(&all.typing, scene, &all.choice);
        ok = model_type_weigh(&all.typing, &all.choice, scene);
        model_type_code(&all.typing, scene);
        ok = ok && model_type_sizes(view, faces, scene, err);
        model_type_settle(view, scene);
        model_type_agree(scene);
        model_type_agree_scripts(scene);
        for (int pass = 0; ok && pass < 2; pass++) {
            ok = model_letters_mend(view, faces, scene, refit_line, &all);
            model_type_agree(scene);
        }
    }
    if ((without & GLMV_LOOK_ICONS) == 0) {
        model_proof(view, faces, scene, refit_line, &all);
    }
    return ok || glmv_fail_memory(err);
}
