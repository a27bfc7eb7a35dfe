/* listener.h - one microphone: its device is kept open, and what it hears becomes reports. */
#ifndef KWS_DAEMON_LISTENER_H
#define KWS_DAEMON_LISTENER_H

#include "daemon/capture.h"
#include "daemon/hearing.h"

typedef struct kws_listener kws_listener;

/* Hears nothing before it is stepped and has engines. to MUST outlive it. */
enum kws_status kws_listener_create(kws_listener **out, const kws_conf_audio *c,
				    const kws_observer *to, kws_error *err);
/* Close the device, waiting up to timeout_ms. False: it hangs, and memory was left behind; the process
 * should end. */
bool kws_listener_destroy(kws_listener *l, int timeout_ms);
/* The same, but the device is closed in the background, however long that takes. */
void kws_listener_retire(kws_listener *l);

/* Hear what has come, look after the device. */
enum kws_capture_state kws_listener_step(kws_listener *l);

/* The end: hear what has come, decide what is open. */
void kws_listener_finish(kws_listener *l);

/* Go on with other settings, between two hops; the device is opened anew only when they name another
 * stream, and closed when enabled says so. */
void kws_listener_configure(kws_listener *l, const kws_conf_audio *c);
kws_hearing *kws_listener_hearing(kws_listener *l); /* engines, clips */

/* Texts live as long as the listener, and those of the spotters as long as their engines. */
typedef struct {
	const char *name;  /* of [audio NAME]; "" */
	const char *state; /* off, closed, opening, running, closing, ended, refused, hung */
	const char *device,
		*reason; /* device: by its stable name, "": none is open; reason: why the last
					one was lost, or did not open */
	unsigned rate_hz, channels,
		attempts;	 /* 0 without a device; attempts: to open, that failed */
	double heard_s, quiet_s; /* audio in all; since when there has been none */
	unsigned streams;	 /* opened so far */
	unsigned gaps;
	double gap_s;
	unsigned long overflows;
	unsigned long long dropped; /* samples */
	unsigned long events, near_misses;
	float level_dbfs;
	bool enabled, silent; /* silent: the device sends one value only */
	size_t n_spotters;
	kws_spotter_stats spotter[KWS_CONF_MODELS];
} kws_listener_stats;

void kws_listener_stats_get(kws_listener *l, kws_listener_stats *st);
const char *kws_listener_name(const kws_listener *l);
bool kws_listener_enabled(const kws_listener *l);
double kws_listener_heard_s(const kws_listener *l);
const char *kws_listener_reason(const kws_listener *l); /* why the device was lost */

int kws_listener_fd(const kws_listener *l); /* ready when something is to be done */
int kws_listener_data_fd(kws_listener *l);  /* ready when a pipe has samples; -1: none */

#endif
