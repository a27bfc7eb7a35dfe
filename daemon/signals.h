/* signals.h - SIGTERM, SIGINT, SIGHUP and SIGUSR1 as something to wait for; SIGPIPE is ignored.
 *
 * However many come, and to whichever thread, none is lost; several of one kind count as one. */
#ifndef KWS_DAEMON_SIGNALS_H
#define KWS_DAEMON_SIGNALS_H

#include "kws.h"

/* Catch them from now on, whatever who started us has blocked. */
enum kws_status kws_signals_catch(kws_error *err);
/* Ready for input when one came. */
int kws_signals_fd(void);
/* The number of one that came and was not told yet; 0: there is none. */
int kws_signals_next(void);
/* For who waits beside the loop: whether SIGTERM or SIGINT came. Tells of nothing, so that the loop
 * finds all of them. */
bool kws_signals_stop_asked(void);

#endif
