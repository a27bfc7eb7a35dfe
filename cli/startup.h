/* startup.h - how long kws takes to start. */
#ifndef KWS_CLI_STARTUP_H
#define KWS_CLI_STARTUP_H

#include "kws.h"

/* Seconds from exec to a process that has loaded the model (NULL: as kws finds it), heard one hop and gone: another kws, on
 * one hop of silence. NaN: it could not be run, or failed; err says why. */
double kws_startup_seconds(const char *model, kws_error *err);

#endif
