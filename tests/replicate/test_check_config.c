#include "replicate/check_config.h"
#include "replicate/json_place.h"
#include "tests/check.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/glmv-check-XXXXXX";

static void make_file(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    if (f != NULL) {
        fputs("<p>x</p>", f);
        fclose(f);
    }
}

static struct check_config *parse(const char *text, struct glmv_err *err)
{
    char path[200];
    snprintf(path, sizeof path, "%s/check.json", folder);
    return check_config_parse(text, strlen(text), path, err);
}

static void refuses(const char *text, const char *line, const char *part)
{
    struct glmv_err err = {0};
    struct check_config *config = parse(text, &err);
    CHECK_MSG(config == NULL, "accepted: %s", text);
    CHECK_MSG(strstr(err.message, part) != NULL, "\"%s\" does not say \"%s\"", err.message, part);
    CHECK_MSG(strstr(err.message, line) != NULL, "\"%s\" does not name line %s", err.message, line);
    check_config_free(config);
}

static void pages_meet_viewports_and_schemes(void)
{
    struct glmv_err err = {0};
    struct check_config *config = parse("{\"pages\": [\"*.html\", {\"name\": \"extra\", \"file\": "
                                        "\"b.html\", \"max_diff\": \"0.5%\"}],\n"
                                        " \"viewports\": [\"1280x800\", {\"name\": \"phone\", "
                                        "\"width\": 390, \"height\": 844, \"scale\": 2}],\n"
                                        " \"color_schemes\": [\"light\", \"dark\"], \"masks\": "
                                        "[\"#clock\", {\"x\":1,\"y\":2,\"w\":3,\"h\":4}]}",
                                        &err);
    CHECK_MSG(config != NULL, "%s", err.message);
    if (config == NULL) {
        return;
    }
    CHECK(config->case_count == 12);
    CHECK_STR(config->cases[0].name, "a.1280x800");
    CHECK_STR(config->cases[1].name, "a.1280x800.dark");
    CHECK_STR(config->cases[11].name, "extra.phone.dark");
    CHECK(config->cases[11].rules->max_diff_share && config->cases[11].rules->max_diff == 0.005);
    CHECK(config->cases[11].rules->mask_count == 2 && config->cases[11].viewport.scale == 2);
    CHECK(!config->cases[0].rules->max_diff_share && config->cases[0].rules->retries == 2);
    check_config_free(config);
}

static void names_leave_the_way_out_of_the_folder(void)
{
    char text[300];
    struct glmv_err err = {0};
    snprintf(text, sizeof text, "{\"pages\": [\"../%s/a.html\", \"./b.html\"]}",
             strrchr(folder, '/') + 1);
    struct check_config *config = parse(text, &err);
    CHECK_MSG(config != NULL && config->case_count == 2, "%s", err.message);
    if (config != NULL) {
        char want[200];
        snprintf(want, sizeof want, "%s-a.1280x800", strrchr(folder, '/') + 1);
        CHECK_STR(config->cases[0].name, "b.1280x800");
        CHECK_STR(config->cases[1].name, want);
    }
    check_config_free(config);
}

static void errors_point_at_line_and_key(void)
{
    refuses("{\n\"pages\": [\"a.html\"],\n\"treshold\": 1}", ":3:", "treshold: unknown key");
    refuses("{\n\"pages\": [\"a.html\"],\n\n\"threshold\": 2}",
            ":4:", "threshold: must be a number from 0 to 1");
    refuses("{\"pages\": [\n\"a.html\",\n{\"file\": \"a.html\",\n\"retries\": 1.5}]}",
            ":4:", "pages[1].retries");
    refuses("{\"pages\": [\"nothing-*.html\"]}", ":1:", "no file matches");
    refuses("{\"pages\": [\"a.html\",\n\"a.html\"]}", ":1:", "share the baseline");
    refuses("{\"pages\": [\"a.html\"],\n\"viewports\": [\"wide\"]}", ":2:", "viewports[0]");
    refuses("{\"pages\": [\"a.html\"],\n\"masks\": [{\"x\":1}]}", ":2:", "masks[0]");
    refuses("{\"pages\": [\"a.html\"],\n oops}", ":2:", "not valid JSON");
    refuses("{\"pages\": [\"a.html\"], \"baselines\": \"x\", \"output\": \"x\"}", ":1:", "output");
    refuses("[]", ":1:", "object");
    refuses("{}", ":1:", "pages");
    refuses("[[[[[[[[[[[[[[[[[[[[", "", "nested deeper");
}

static void every_cut_of_a_config_is_safe(void)
{
    const char *text = "{\"pages\": [{\"file\": \"a.html\", \"masks\": [\"#x\\\"y\", "
                       "{\"x\":1,\"y\":2,\"w\":3,\"h\":4}]}],"
                       "\"viewports\": [{\"width\": 3, \"height\": 4}], \"max_diff\": 3}";
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        char part[400];
        snprintf(part, sizeof part, "%.*s", (int)cut, text);
        struct glmv_err err = {0};
        struct check_config *config = parse(part, &err);
        CHECK((config != NULL) == (cut == strlen(text)));
        check_config_free(config);
    }
}

static void lines_of_places(void)
{
    const char *text = "{\n\"a\": [1,\n{\"b\": \"]}\\\"\",\n\"c\": 2}]\n}";
    CHECK(replicate_json_line(text, strlen(text), "") == 1);
    CHECK(replicate_json_line(text, strlen(text), "a[0]") == 2);
    CHECK(replicate_json_line(text, strlen(text), "a[1]") == 3);
    CHECK(replicate_json_line(text, strlen(text), "a[1].c") == 4);
    CHECK(replicate_json_line(text, strlen(text), "a[7].c") == 2);
}

int main(void)
{
    CHECK(mkdtemp(folder) != NULL);
    make_file("a.html");
    make_file("b.html");
    pages_meet_viewports_and_schemes();
    names_leave_the_way_out_of_the_folder();
    errors_point_at_line_and_key();
    every_cut_of_a_config_is_safe();
    lines_of_places();
    char command[200];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
    TEST_END();
}
