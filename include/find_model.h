/* find_model.h - which model kws and kwsd use when none is named, and what lies beside the program. */
#ifndef KWS_FIND_MODEL_H
#define KWS_FIND_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#ifndef KWS_MODEL_PATH
#define KWS_MODEL_PATH "/usr/local/share/kwsd/commands-12.safetensors"
#endif

/* wanted; or when it is NULL, the first of: the environment's KWS_MODEL, for a program in a build
 * tree the model of its source tree, the installed one. Written into path (n,), cut off when it is
 * longer. */
void kws_find_model(const char *wanted, char *path, size_t n);

/* The path of name, seen from the folder of the running program, into path (n,). False: it does not fit, or the folder is
 * not known. Whether anything is there is not looked at. */
bool kws_find_beside(const char *name, char *path, size_t n);

#endif
