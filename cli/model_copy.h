/* model_copy.h - copies a model file with other decision defaults; its tensors stay the same, byte
 * for byte. */
#ifndef KWS_CLI_MODEL_COPY_H
#define KWS_CLI_MODEL_COPY_H

#include "model/model.h"

#include <jansson.h>
#include <stdbool.h>

/* Copy the model file `from' to `to', which may be the same. `decision' is merged into the metadata
 * entry "decision", and `calibration' becomes the entry "calibration". The copy is checked like
 * every model, and is written completely or not at all. False: the reason was printed. */
bool kws_model_copy(const char *from, const char *to, json_t *decision, json_t *calibration);

#endif
