/* Where the weights of a model known by name are: the cache that Hugging Face's tools fill. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/glm/glm.h"
#include "model/glm/weights.h"

static const char *const published[] = {"GLM-4.6V-Flash", "GLM-4.1V-9B-Thinking"};

/* "glm-4.6v-flash" and "zai-org/GLM-4.6V-Flash" are the same model. */
static const char *published_name(const char *name)
{
    static const char owner[] = "zai-org/";
    if (strncasecmp(name, owner, sizeof owner - 1) == 0) {
        name += sizeof owner - 1;
    }
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        if (strcasecmp(name, published[i]) == 0) {
            return published[i];
        }
    }
    return NULL;
}

bool glmv_glm_known(const char *name)
{
    return published_name(name) != NULL;
}

/* The folder of the cache, by the variables its tools look at. */
static void cache_folder(char *out, size_t size)
{
    const char *hub = getenv("HF_HUB_CACHE"), *base = getenv("HF_HOME");
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (hub != NULL && hub[0] != '\0') {
        snprintf(out, size, "%s", hub);
    } else if (base != NULL && base[0] != '\0') {
        snprintf(out, size, "%s/hub", base);
    } else if (cache != NULL && cache[0] != '\0') {
        snprintf(out, size, "%s/huggingface/hub", cache);
    } else {
        snprintf(out, size, "%s/.cache/huggingface/hub", home != NULL ? home : "");
    }
}

bool glmv_glm_find(const char *name, char *out, size_t size, struct glmv_err *err)
{
    char cache[2048], file[3072], revision[128] = "";
    const char *model = published_name(name);
    if (model == NULL) {
        return glmv_fail(err, GLMV_ERR_USAGE, "'%.80s' is not a model that is known by name", name);
    }
    cache_folder(cache, sizeof cache);
    snprintf(file, sizeof file, "%s/models--zai-org--%s/refs/main", cache, model);
    FILE *ref = fopen(file, "re");
    if (ref != NULL) {
        if (fscanf(ref, "%127[0-9A-Za-z._-]", revision) != 1) {
            revision[0] = '\0';
        }
        fclose(ref);
    }
    if (strstr(revision, "..") != NULL) {
        revision[0] = '\0'; /* a file says it, so it may not lead elsewhere */
    }
    int len = snprintf(out, size, "%s/models--zai-org--%s/snapshots/%s", cache, model, revision);
    if (revision[0] != '\0' && len > 0 && (size_t)len < size && glm_is_folder(out)) {
        return true;
    }
    return glmv_fail(err, GLMV_ERR_MISSING,
                     "%s is not in %s; get it with 'hf download zai-org/%s', or give --model the "
                     "folder that holds it",
                     model, cache, model);
}
