/* find_model.h - which model kws and kwsd use when none is named. */
#ifndef KWS_FIND_MODEL_H
#define KWS_FIND_MODEL_H

#include <stddef.h>

#ifndef KWS_MODEL_PATH
#define KWS_MODEL_PATH "/usr/local/share/kwsd/commands-12.safetensors"
#endif

/* wanted; or when it is NULL, the first of: the environment's KWS_MODEL, for a program in a build
 * tree the model of its source tree, the installed one. Written into path (n,), cut off when it is
 * longer. */
void kws_find_model(const char *wanted, char *path, size_t n);

#endif
