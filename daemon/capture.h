/* capture.h - keeps a device open, whatever happens to it.
 *
 *   CLOSED --time--> OPENING --ok--> RUNNING --lost--> CLOSING --done--> CLOSED ...
 *
 * PortAudio reports little about lost devices. A sound server that dies may end the stream, or
 * leave it silent for ever and then make closing hang. So a stream counts as lost if no block has
 * come for stall_ms, whatever PortAudio reports. A separate thread opens and closes it, with a
 * deadline. If that thread hangs, the state is HUNG, and only a new process helps: the whole
 * process shares one PortAudio. Streams of other captures keep running. New attempts to open fail
 * after 5 s, with that reason; attempts to close hang, too. */
#ifndef KWS_DAEMON_CAPTURE_H
#define KWS_DAEMON_CAPTURE_H

#include "audio/device.h"
#include "conf/conf.h"

enum kws_capture_state {
	KWS_CAPTURE_CLOSED, /* waits to try again */
	KWS_CAPTURE_OPENING,
	KWS_CAPTURE_RUNNING,
	KWS_CAPTURE_CLOSING,
	KWS_CAPTURE_ENDED,   /* the source has ended for good */
	KWS_CAPTURE_REFUSED, /* the source is not audio that can be read, and never will be */
	KWS_CAPTURE_HUNG     /* the device's thread does not return */
};

typedef struct kws_capture kws_capture;

enum kws_status kws_capture_create(kws_capture **out, const kws_conf_audio *c, kws_error *err);
/* Close the device, waiting up to timeout_ms, and free c. False: it hangs, and nothing was
 * freed. */
bool kws_capture_destroy(kws_capture *c, int timeout_ms);
/* The same in the background, however long it takes. c must not be used any more. */
void kws_capture_retire(kws_capture *c);

/* Look after the device; mono: the monotonic clock now. Call it at least every latency_ms, and when
 * kws_capture_fd is ready. */
enum kws_capture_state kws_capture_step(kws_capture *c, double mono);

/* Close the stream and open it again, for this reason. Only in RUNNING. */
void kws_capture_lose(kws_capture *c, const char *reason);

/* Use these settings. Reopens the device if they describe another stream. Closes it if enabled is
 * KWS_NO; then the state stays CLOSED until that changes. */
void kws_capture_configure(kws_capture *c, const kws_conf_audio *conf);

/* The running device; NULL: none runs. */
kws_device *kws_capture_device(kws_capture *c);
/* The number of streams opened so far: a new number means a new stream. */
unsigned kws_capture_stream(const kws_capture *c);
/* Failed attempts to open since the last stream, and why the last one failed; for the status
 * line. */
unsigned kws_capture_attempts(const kws_capture *c);
const char *kws_capture_reason(const kws_capture *c);
const char *kws_capture_state_name(const kws_capture *c); /* "off", "closed", "opening", ... */

int kws_capture_fd(const kws_capture *c); /* ready when the thread has opened or closed */
int kws_capture_data_fd(kws_capture *c);  /* ready when a pipe has samples; -1: none */

#endif
