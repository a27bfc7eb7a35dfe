/* layers.h - the network of a model as a table: what each layer is, what comes out of it, how many
 * parameters it has, and its share of the work. */
#ifndef KWS_CLI_LAYERS_H
#define KWS_CLI_LAYERS_H

#include "kws.h"

#include <stdio.h>

/* The model from the file at path. */
void kws_layers_print(const kws_model *m, const char *path, FILE *to);

#endif
