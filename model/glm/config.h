/*
 * What the files of a checkpoint folder say about the model: config.json (both key styles),
 * preprocessor_config.json and generation_config.json. Every number is checked here once, so that
 * the code that uses it need not. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_CONFIG_H
#define GLMV_MODEL_GLM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GLM_MAX_EOS 8
#define GLM_MOST_DIM 1024 /* of a head */

struct glm_text_config {
    int hidden, layers, heads, kv_heads, head_dim, inner, vocab;
    int rot;        /* rotated dims of a head, even */
    int section[3]; /* frequencies of time, row, column; their sum is rot / 2 */
    double theta;
    float eps;
    int64_t context; /* tokens */
    bool halves;     /* pairs that turn are (j, j + rot / 2), not neighbours: GGUF files */
};

struct glm_vision_config {
    int depth, hidden, heads, head_dim;
    int patch, temporal, merge; /* patch side in px, frames a patch, merged patches a side */
    int grid;                   /* learned positions a side */
    int out;                    /* width of the result, and inner width of a block */
    int inner;                  /* inner width of the merger */
    float eps;
};

struct glm_picture_config {
    int64_t min_area, max_area; /* px times the temporal factor */
    double mean[3], std[3], rescale;
};

struct glm_sampling_config {
    double temperature, top_p, repetition_penalty;
    int top_k;
    bool sample;
};

struct glm_config {
    struct glm_text_config text;
    struct glm_vision_config vision;
    struct glm_picture_config picture;
    struct glm_sampling_config sampling;
    int image_token;
    int eos[GLM_MAX_EOS];
    int eos_count;
    char name[64];                    /* "GLM-4.6V-Flash" style name of the folder */
    double stored_text, stored_tower; /* bytes in memory as stored; 0: two a weight */
    double stored_weight;             /* of a layer of the text, where the file says so; 0: two */
};

/* Reads the three files of a folder, or GGUF files (gguf.h). Of the three, the last two may be
 * missing: the published values are used. */
bool glm_config_read(struct glm_config *config, const char *folder, struct glmv_err *err);
/* Reads texts that are in memory; picture and generation may be NULL. */
bool glm_config_parse(struct glm_config *config, const char *main_text, const char *picture,
                      const char *generation, const char *where, struct glmv_err *err);

#endif
