/* startup.h - measures how long kws takes to start. */
#ifndef KWS_CLI_STARTUP_H
#define KWS_CLI_STARTUP_H

#include "kws.h"

/* Seconds from exec until another kws has loaded the model (NULL: the default), processed one hop
 * of silence and ended. NaN: it could not be run, or failed; err says why. */
double kws_startup_seconds(const char *model, kws_error *err);

#endif
