/* Unicode categories the pre-tokeniser asks for. Private to model/glm. */
#ifndef GLMV_MODEL_GLM_UNICODE_H
#define GLMV_MODEL_GLM_UNICODE_H

#include <stddef.h>
#include <stdint.h>

enum glm_class { GLM_OTHER, GLM_LETTER, GLM_NUMBER, GLM_SPACE };

struct glm_range {
    uint32_t first, last;
};

/* unicode_table.c, made by tests/model/glm/reference.py; sorted, disjoint. */
extern const struct glm_range glm_letters[];
extern const size_t glm_letter_count;
extern const struct glm_range glm_numbers[];
extern const size_t glm_number_count;

enum glm_class glm_class_of(uint32_t c);

/* Decodes one character; a byte that is no UTF-8 counts as a character of its own above
 * U+10FFFF. len > 0. */
size_t glm_char_next(const char *text, size_t len, uint32_t *c);

#endif
