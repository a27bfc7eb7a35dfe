/* find_model.h - finds the model that kws and kwsd use by default, and files beside the program. */
#ifndef KWS_FIND_MODEL_H
#define KWS_FIND_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#ifndef KWS_MODEL_PATH
#define KWS_MODEL_PATH "/usr/local/share/kwsd/commands-12.safetensors"
#endif

/* Write the model's path to path (n,), cut off if it is longer. The path is wanted; or, if that is
 * NULL, the first of: the environment variable KWS_MODEL; for a program in a build tree, the model
 * of its source tree; the installed model. */
void kws_find_model(const char *wanted, char *path, size_t n);

/* Write the path of a file that ships with the models to path (n,): as for a model that is not wanted
 * by name. */
void kws_find_shipped(const char *name, char *path, size_t n);

/* Write the path of name in the first folder of an environment variable that systemd sets for a
 * service to path (n,), cut off if it is longer. Returns its length; 0: the variable names no
 * folder, and path is "". */
size_t kws_find_of_service(const char *variable, const char *name, char *path, size_t n);

/* Write the path of name, relative to the folder of the running program, to path (n,). Does not
 * check that the file exists. False: the path does not fit, or the folder is unknown. */
bool kws_find_beside(const char *name, char *path, size_t n);

#endif
