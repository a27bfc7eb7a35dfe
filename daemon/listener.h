/* listener.h - one microphone: keeps its device open and turns its audio into reports. */
#ifndef KWS_DAEMON_LISTENER_H
#define KWS_DAEMON_LISTENER_H

#include "audio/judge.h"
#include "daemon/capture.h"
#include "daemon/hearing.h"

typedef struct kws_listener kws_listener;

/* Does nothing before it is stepped and has engines. to MUST outlive it. */
enum kws_status kws_listener_create(kws_listener **out, const kws_conf_audio *c,
				    const kws_observer *to, kws_error *err);
/* Close the device, waiting up to timeout_ms, and free l. False: it hangs, and memory was not
 * freed; the process should end. */
bool kws_listener_destroy(kws_listener *l, int timeout_ms);
/* The same, but the device is closed in the background, however long it takes. */
void kws_listener_retire(kws_listener *l);

/* Process the audio that has come, and look after the device. */
enum kws_capture_state kws_listener_step(kws_listener *l);
/* When to step next, on the monotonic clock; sooner if a descriptor is ready. */
double kws_listener_next(const kws_listener *l);

/* At the end: process the audio that has come, and decide open words. */
void kws_listener_finish(kws_listener *l);

/* Use other settings, between two hops. The device is reopened only if they describe another
 * stream, and closed if enabled is KWS_NO. */
void kws_listener_configure(kws_listener *l, const kws_conf_audio *c);
kws_hearing *kws_listener_hearing(kws_listener *l); /* engines, clips */

/* Texts live as long as the listener, those of the spotters as long as their engines. */
typedef struct {
	const char *name;  /* of [audio NAME]; "" */
	const char *state; /* off, closed, opening, running, closing, ended, refused, hung */
	const char *device,
		*reason; /* device: its stable name, "": none is open; reason: why the last one
					was lost or did not open */
	unsigned rate_hz, channels,
		attempts;	 /* 0 without a device; attempts: failed ones to open */
	double heard_s, quiet_s; /* audio in all; time without any until now */
	unsigned streams;	 /* opened so far */
	unsigned gaps;
	double gap_s;
	unsigned long overflows;
	unsigned long long dropped; /* samples */
	unsigned long events, near_misses;
	kws_tally hops; /* seconds that each hop took, by kws_tally_seconds */
	float level_dbfs;
	bool enabled, silent; /* silent: the device sends only one value */
	bool squelched;	      /* the models do not hear: there is no sound over the noise */
	double skipped_s;     /* of heard_s, by the squelch */
	kws_findings sound;   /* since the device was opened; all 0: nothing is known yet */
	size_t n_spotters;
	kws_spotter_stats spotter[KWS_CONF_MODELS];
} kws_listener_stats;

void kws_listener_stats_get(kws_listener *l, kws_listener_stats *st);
const char *kws_listener_name(const kws_listener *l);
bool kws_listener_enabled(const kws_listener *l);
double kws_listener_heard_s(const kws_listener *l);
const char *kws_listener_reason(const kws_listener *l); /* why the device was lost */

int kws_listener_fd(const kws_listener *l); /* ready: call kws_listener_step */
int kws_listener_data_fd(kws_listener *l);  /* ready when a pipe has samples; -1: none */

#endif
