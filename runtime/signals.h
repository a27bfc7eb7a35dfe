/* signals.h - SIGTERM, SIGINT, SIGHUP and SIGUSR1 by a descriptor to poll; SIGPIPE is ignored.
 *
 * No signal is lost, whichever thread receives it; several of one kind count as one. */
#ifndef KWS_RUNTIME_SIGNALS_H
#define KWS_RUNTIME_SIGNALS_H

#include "kws.h"

/* Catch them from now on, even if the parent process has blocked them. */
enum kws_status kws_signals_catch(kws_error *err);
/* Ready for input when a signal has come. */
int kws_signals_fd(void);
/* Take the number of a signal that has come; 0: there is none. */
int kws_signals_next(void);
/* For code that waits outside the loop: whether SIGTERM or SIGINT has come. Takes none, so that the
 * loop still finds it. */
bool kws_signals_stop_asked(void);

#endif
