/* The schema that is printed and the reader that decides know the same keys. */
#include <cjson/cJSON.h>

#include "replicate/check_config.h"
#include "tests/check.h"

static char *read_whole(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, 65536);
    CHECK(f != NULL && text != NULL);
    if (f != NULL && text != NULL) {
        CHECK(fread(text, 1, 65535, f) > 0);
        fclose(f);
    }
    return text;
}

/* The keys that the reader names when it meets one that it does not know, each with ", " behind. */
static void known_keys(const char *config, char *out, size_t size)
{
    struct glmv_err err = {0};
    CHECK(check_config_parse(config, strlen(config), "tests/check.json", &err) == NULL);
    const char *list = strstr(err.message, "known here: ");
    CHECK_MSG(list != NULL, "%s", err.message);
    snprintf(out, size, ", %s, ", list != NULL ? list + strlen("known here: ") : "");
}

static void same_keys(const char *place, const cJSON *object, const char *config)
{
    char known[700];
    known_keys(config, known, sizeof known);
    size_t commas = 0;
    for (const char *p = known; *p != '\0'; p++) {
        commas += *p == ',';
    }
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(object, "properties");
    CHECK_MSG((size_t)cJSON_GetArraySize(keys) == commas - 1, "%s: %d keys in the schema, read: %s",
              place, cJSON_GetArraySize(keys), known);
    const cJSON *key;
    cJSON_ArrayForEach(key, keys)
    {
        char part[80];
        snprintf(part, sizeof part, ", %s, ", key->string);
        CHECK_MSG(strstr(known, part) != NULL, "%s: the reader does not know %s", place,
                  key->string);
    }
    CHECK_MSG(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(object, "additionalProperties")),
              "%s takes unknown keys", place);
}

/* The default and the limits of a number in the schema are the reader's. */
static void numbers_agree(const cJSON *rules)
{
    const cJSON *rule;
    cJSON_ArrayForEach(rule, rules)
    {
        const cJSON *high = cJSON_GetObjectItemCaseSensitive(rule, "maximum");
        const cJSON *low = cJSON_GetObjectItemCaseSensitive(rule, "minimum");
        if (high == NULL) {
            continue;
        }
        const double values[] = {high->valuedouble, low->valuedouble, high->valuedouble + 1,
                                 low->valuedouble - 1};
        for (int i = 0; i < 4; i++) {
            char config[200];
            struct glmv_err err = {0};
            snprintf(config, sizeof config, "{\"pages\": [\"check.h\"], \"%s\": %g}", rule->string,
                     values[i]);
            struct check_config *read =
                check_config_parse(config, strlen(config), "tests/check.json", &err);
            CHECK_MSG((read != NULL) == (i < 2), "%s: %g %s", rule->string, values[i], err.message);
            check_config_free(read);
        }
    }
}

int main(void)
{
    char *text = read_whole("replicate/check.schema.json");
    cJSON *root = cJSON_Parse(text);
    const cJSON *defs = cJSON_GetObjectItemCaseSensitive(root, "$defs");
    CHECK(root != NULL && defs != NULL);
    same_keys("the root", root, "{\"zzz\": 1}");
    same_keys("a page", cJSON_GetObjectItemCaseSensitive(defs, "page"),
              "{\"pages\": [{\"zzz\": 1}]}");
    same_keys("a viewport", cJSON_GetObjectItemCaseSensitive(defs, "viewport"),
              "{\"pages\": [\"check.h\"], \"viewports\": [{\"zzz\": 1}]}");
    same_keys(
        "a box", cJSON_GetObjectItemCaseSensitive(defs, "box"),
        "{\"pages\": [\"check.h\"], \"masks\": [{\"x\": 1, \"y\": 1, \"w\": 1, \"zzz\": 1}]}");
    numbers_agree(cJSON_GetObjectItemCaseSensitive(defs, "rules"));
    cJSON_Delete(root);
    free(text);
    TEST_END();
}
