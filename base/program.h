/* The running program itself. */
#ifndef GLMV_BASE_PROGRAM_H
#define GLMV_BASE_PROGRAM_H

#include <stddef.h>

/* The folder that the program's file is in, with a slash at its end; "" where nobody says. */
void glmv_program_folder(char *out, size_t size);

#endif
