/* model_copy.h - a copy of a model file with other decision defaults; its tensors stay byte for
 * byte. */
#ifndef KWS_CLI_MODEL_COPY_H
#define KWS_CLI_MODEL_COPY_H

#include "model/model.h"

#include <jansson.h>
#include <stdbool.h>

/* Copy the model file `from' to `to' (which may be the same), with `decision' merged into its
 * metadata entry "decision" and `calibration' as its entry "calibration". The copy is checked as
 * every model is, and appears whole or not at all. false: said why not. */
bool kws_model_copy(const char *from, const char *to, json_t *decision, json_t *calibration);

#endif
