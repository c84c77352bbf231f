/* Letters that English data does not know, and signs: told by their ink. Drawn here in an installed
 * face. */
#include <math.h>

#include "model/tracer/faces.h"
#include "tests/model/tracer/lettered.h"

enum { WIDTH = 760, LINE = 40 };

/* Black on white, one text below the other. lang: as in the options; NULL: told by the page. */
static struct glmv_scene *look(const char *const *texts, int count, const char *lang)
{
    struct glmv_err err = {0};
    struct model_faces faces;
    CHECK(model_faces_open(&faces, &err));
    struct model_face *face = model_faces_find(&faces, "Liberation Sans", 400);
    if (face == NULL) {
        model_faces_close(&faces);
        SKIP("Liberation Sans is not installed");
    }
    struct glmv_image *image = new_picture(WIDTH, LINE * (count + 1));
    memset(image->rgba, 255, (size_t)WIDTH * (size_t)image->height * 4);
    for (int i = 0; i < count; i++) {
        struct model_ink ink;
        CHECK_MSG(model_face_draw(&faces, face, texts[i], 16, &ink), "'%s' is not drawn", texts[i]);
        paint_ink(image, &ink, 20, LINE * i + 20);
        model_ink_release(&ink);
    }
    model_faces_close(&faces);
    struct glmv_look_options options = {.threads = 2, .lang = lang};
    struct glmv_scene *scene = glmv_tracer_look(image, &options, &err);
    glmv_image_free(image);
    if (scene == NULL && err.code == GLMV_ERR_MISSING) {
        SKIP(err.message);
    }
    CHECK_MSG(scene != NULL, "%s", err.message);
    return scene;
}

static void check_lines(const struct glmv_scene *scene, const char *const *texts, int count)
{
    for (int i = 0; i < count; i++) {
        bool found = false;
        const char *near = "";
        for (size_t k = 0; k < scene->line_count; k++) {
            found = found || strcmp(scene->lines[k].text, texts[i]) == 0;
            near = fabs(scene->lines[k].ink.y - LINE * i - 20) < 8 ? scene->lines[k].text : near;
        }
        CHECK_MSG(found, "'%s' is read as '%s'", texts[i], near);
    }
}

static bool has_note(const struct glmv_scene *scene, const char *part)
{
    for (size_t i = 0; i < scene->note_count; i++) {
        if (strstr(scene->notes[i], part) != NULL) {
            return true;
        }
    }
    return false;
}

static void a_page_in_german_keeps_its_letters(void)
{
    static const char *const texts[] = {
        "Das Haus ist mit dem Garten und der Straße verbunden.",
        "Wir sind für Sie da und prüfen jeden Antrag in der Stadt.",
        "Die Gäste sind auch von dem schönen Ort begeistert.",
    };
    struct glmv_scene *scene = look(texts, 3, NULL);
    CHECK(strcmp(scene->lang, "de") == 0);
    check_lines(scene, texts, 3);
    glmv_scene_free(scene);
}

static void a_page_in_spanish_keeps_its_letters(void)
{
    static const char *const texts[] = {
        "La casa está en el centro de la ciudad con los jardines.",
        "Mañana por la tarde las puertas del museo se abren para todos.",
    };
    struct glmv_scene *scene = look(texts, 2, NULL);
    CHECK(strcmp(scene->lang, "es") == 0);
    check_lines(scene, texts, 2);
    glmv_scene_free(scene);
}

static void a_name_on_an_english_page_keeps_its_accent(void)
{
    static const char *const texts[] = {
        "The owner of this place is Zoë and she is from the city.",
        "Build the settings, fill in the invoice and submit it for review.",
        "Illustrations of single items, all of them in the digital edition.",
    };
    struct glmv_scene *scene = look(texts, 3, NULL);
    CHECK(strcmp(scene->lang, "en") == 0);
    CHECK(!has_note(scene, "English data"));
    check_lines(scene, texts, 3);
    glmv_scene_free(scene);
}

static void letters_of_words_are_no_signs(void)
{
    static const char *const texts[] = {
        "You can report bugs and discuss features on the issues page.",
        "E-mail address of the two test-takers, up to a well-known one",
    };
    struct glmv_scene *scene = look(texts, 2, "eng");
    check_lines(scene, texts, 2);
    glmv_scene_free(scene);
}

static void signs_are_told_by_their_ink(void)
{
    static const char *const texts[] = {
        "Temperature 21 ± 3 degrees over an area of 12 m² in all",
        "Home · Products · Services · Contact us today",
        "The plate of 4 × 5 cm was cut from the larger one",
    };
    struct glmv_scene *scene = look(texts, 3, "eng");
    check_lines(scene, texts, 3);
    glmv_scene_free(scene);
}

int main(void)
{
    a_page_in_german_keeps_its_letters();
    a_page_in_spanish_keeps_its_letters();
    a_name_on_an_english_page_keeps_its_accent();
    signs_are_told_by_their_ink();
    letters_of_words_are_no_signs();
    TEST_END();
}
