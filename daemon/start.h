/* start.h - builds everything that the configuration names, and still reacts to signals. */
#ifndef KWS_DAEMON_START_H
#define KWS_DAEMON_START_H

#include "daemon/setup.h"

/* As kws_setup_build at the start, but in a separate thread: a large or slow model takes time.
 * *stopped: SIGTERM or SIGINT came first; then the thread still runs and the process should end.
 * Needs kws_signals_catch. */
enum kws_status kws_start_build(kws_setup *s, bool *stopped, kws_error *err);

#endif
