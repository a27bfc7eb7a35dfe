/* listener.h - from the device to reports: capture, engine, history, clips and the bookkeeping of gaps
 * and times. */
#ifndef KWS_DAEMON_LISTENER_H
#define KWS_DAEMON_LISTENER_H

#include "daemon/capture.h"
#include "daemon/clips.h"
#include "daemon/conf.h"
#include "daemon/engine.h"
#include "spot/event.h"

typedef struct kws_listener kws_listener;
enum { KWS_LISTENER_SPOTTERS = 16 };

/* An event, complete but for the sink's own dropped. */
typedef void kws_listener_fn(void *ctx, const kws_report *r);

/* The engine belongs to the listener on success. */
enum kws_status kws_listener_create(kws_listener **out, const kws_conf *c, kws_engine *engine,
				    kws_listener_fn *fn, void *ctx, kws_error *err);
/* False: the device hangs, and memory was left behind; the process should end. */
bool kws_listener_destroy(kws_listener *e, int timeout_ms);

/* Hear what has come, look after the device. */
enum kws_capture_state kws_listener_step(kws_listener *e);

/* The end: hear what has come, decide what is open. */
void kws_listener_finish(kws_listener *e);

/* Go on with another configuration, between two hops. engine NULL: the model stays. Else the new
 * engine, which belongs to the listener, first hears the last three seconds once more, so that it takes
 * over in the middle of a word: in the steps that follow, some tenths of a second in each, until it
 * has caught up. Its first events may come that much later. */
void kws_listener_swap(kws_listener *e, const kws_conf *c, kws_engine *engine);

/* Texts live as long as the listener, and those of the spotters as long as their engines. */
typedef struct {
	const char *name;	     /* of [audio NAME]; "" */
	const char *state;	     /* closed, opening, running, closing, ended, refused, hung */
	const char *device, *reason; /* device: by its stable name, "": none is open; reason: why */
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
	kws_spotter_stats spotter[KWS_LISTENER_SPOTTERS];
} kws_listener_stats;

void kws_listener_stats_get(kws_listener *e, kws_listener_stats *st);
void kws_listener_forget_best(kws_listener *e);
double kws_listener_heard_s(const kws_listener *e);
kws_capture *kws_listener_capture(kws_listener *e);
kws_engine *kws_listener_engine(kws_listener *e);
kws_clips *kws_listener_clips(kws_listener *e); /* NULL: off */

#endif
