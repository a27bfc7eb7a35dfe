/* loop.h - the daemon's main thread: a timer, signals, the sockets; drains the ring, feeds the
 * sinks. */
#ifndef KWS_DAEMON_LOOP_H
#define KWS_DAEMON_LOOP_H

#include "daemon/setup.h"

typedef struct kws_loop kws_loop;

/* Catch the signals that the loop heeds, from now on, whenever it comes to run. */
enum kws_status kws_loop_catch_signals(kws_error *err);
/* For who waits before the loop runs: ready for input when one came; whether it was SIGTERM or
 * SIGINT. The others are left for the loop. */
int kws_loop_signal_fd(void);
bool kws_loop_stop_asked(void);

/* The loop takes over what setup holds, which has been opened; on failure it does not. src is read again on SIGHUP and must live as long. */
enum kws_status kws_loop_create(kws_loop **out, const kws_setup_source *src, kws_setup *setup,
				kws_error *err);

/* Until SIGTERM, SIGINT or the end of the audio: the exit status, with everything delivered and
 * freed; or EX_TEMPFAIL when the device hangs and only a new process can help: then memory is left
 * behind. l is gone. */
int kws_loop_run(kws_loop *l);

#endif
