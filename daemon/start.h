/* start.h - build what the configuration asks for, while signals are still heard. */
#ifndef KWS_DAEMON_START_H
#define KWS_DAEMON_START_H

#include "daemon/setup.h"

/* As kws_setup_build with nothing running, in a thread of its own: a large or slow model takes its
 * time. *stopped: SIGTERM or SIGINT came first; then the thread was left behind and the process
 * should end. Needs kws_signals_catch. */
enum kws_status kws_start_build(kws_setup *s, bool *stopped, kws_error *err);

#endif
