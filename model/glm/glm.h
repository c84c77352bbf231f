/*
 * What the program may ask about a checkpoint folder beyond talking to it (model/chat.h does that).
 *
 *     struct glmv_buf text;
 *     glmv_buf_init(&text, 1 << 20);
 *     if (glmv_glm_info("GLM-4.6V-Flash", false, &text, &err)) { fputs(text.data, stdout); }
 */
#ifndef GLMV_MODEL_GLM_GLM_H
#define GLMV_MODEL_GLM_GLM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends lines of "name: value": sizes, limits, memory in each form. verify: also quantises every
 * matrix of the text model and says how far int8 and int4 are from the stored weights. Every tensor
 * the engine needs is looked up either way. */
bool glmv_glm_info(const char *folder, bool verify, struct glmv_buf *out, struct glmv_err *err);

/* One sentence about the memory that a folder (or a published name) needs when it is opened under
 * this name ("int4", NULL, ...) on this device (see glmv_chat_open_on), and how much there is. */
bool glmv_glm_need(const char *where, const char *name, const char *device, struct glmv_buf *out,
                   struct glmv_err *err);
/* One line about the CUDA device ("cuda", "cuda:N"; others are the first); false with the reason
 * where none can be used. */
bool glmv_glm_device(const char *device, struct glmv_buf *out, struct glmv_err *err);

/* True for what the engine opens: a folder, a .gguf file, a published name. */
bool glmv_glm_accepts(const char *where);
/* True for the name of a published checkpoint, such as glm-4.6v-flash. */
bool glmv_glm_known(const char *name);
/* Its folder in the cache of Hugging Face's tools (HF_HUB_CACHE, HF_HOME); GLMV_ERR_MISSING, with
 * the way to get it, when it is not there. */
bool glmv_glm_find(const char *name, char *out, size_t size, struct glmv_err *err);

#endif
