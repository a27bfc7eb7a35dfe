/* capture.h - a device that is kept open, whatever happens to it.
 *
 *   CLOSED --time--> OPENING --ok--> RUNNING --lost--> CLOSING --done--> CLOSED ...
 *
 * PortAudio says little about lost devices: a server that dies may end the stream, or leave it
 * silent for ever, and then hang whoever closes it. So a stream is lost when no block has come for
 * stall_ms, whatever PortAudio thinks; it is opened and closed by a thread of its own, under a
 * deadline; and when that hangs, the state is HUNG, from which only a new process helps: the whole
 * process has one PortAudio. The streams of other captures run on meanwhile. Their attempts to open are
 * refused after 5 s, with that reason; an attempt to close hangs, too. */
#ifndef KWS_DAEMON_CAPTURE_H
#define KWS_DAEMON_CAPTURE_H

#include "audio/device.h"
#include "daemon/conf.h"

enum kws_capture_state {
	KWS_CAPTURE_CLOSED, /* waiting to try again */
	KWS_CAPTURE_OPENING,
	KWS_CAPTURE_RUNNING,
	KWS_CAPTURE_CLOSING,
	KWS_CAPTURE_ENDED,   /* the source is finished for good */
	KWS_CAPTURE_REFUSED, /* the source is no sound that can be heard, and never will be */
	KWS_CAPTURE_HUNG     /* the device's thread does not come back */
};

typedef struct kws_capture kws_capture;

enum kws_status kws_capture_create(kws_capture **out, const kws_conf_audio *c, kws_error *err);
/* Close the device, waiting up to timeout_ms. False: it hangs, and everything is left behind. */
bool kws_capture_destroy(kws_capture *c, int timeout_ms);
/* The same in the background, however long it takes. c is gone. */
void kws_capture_retire(kws_capture *c);

/* Look after the device; mono is now on the monotonic clock. Call every poll_ms, and when
 * kws_capture_fd is ready. */
enum kws_capture_state kws_capture_step(kws_capture *c, double mono);

/* The stream is no good, for this reason: close it and open it again. Only in RUNNING. */
void kws_capture_lose(kws_capture *c, const char *reason);

/* Use these settings; opens the device anew when they name another stream, and closes it when enabled is
 * KWS_NO: until that changes, the state stays CLOSED. */
void kws_capture_configure(kws_capture *c, const kws_conf_audio *conf);

/* The running device, else NULL. */
kws_device *kws_capture_device(kws_capture *c);
/* Counts the streams that were opened: a new number is a new stream. */
unsigned kws_capture_stream(const kws_capture *c);
/* Failed attempts to open since the last stream, for the status line, and why the last one failed.
 */
unsigned kws_capture_attempts(const kws_capture *c);
const char *kws_capture_reason(const kws_capture *c);
const char *kws_capture_state_name(const kws_capture *c); /* "off", "closed", "opening", ... */

int kws_capture_fd(const kws_capture *c); /* ready when an order was done */
int kws_capture_data_fd(kws_capture *c);  /* ready when a pipe has samples; -1: none */

#endif
