/* ear.h - from the device to reports: capture, engine, history, clips and the bookkeeping of gaps
 * and times. */
#ifndef KWS_DAEMON_EAR_H
#define KWS_DAEMON_EAR_H

#include "daemon/capture.h"
#include "daemon/clips.h"
#include "daemon/conf.h"
#include "daemon/engine.h"
#include "spot/event.h"

typedef struct kws_ear kws_ear;

/* An event, complete but for the sink's own dropped. */
typedef void kws_ear_fn(void *ctx, const kws_report *r);

/* The engine belongs to the ear on success. */
enum kws_status kws_ear_create(kws_ear **out, const kws_conf *c, kws_engine *engine, kws_ear_fn *fn,
			       void *ctx, kws_error *err);
/* False: the device hangs, and memory was left behind; the process should end. */
bool kws_ear_destroy(kws_ear *e, int timeout_ms);

/* Hear what has come, look after the device. */
enum kws_capture_state kws_ear_step(kws_ear *e);

/* The end: hear what has come, decide what is open. */
void kws_ear_finish(kws_ear *e);

/* Go on with another configuration, between two hops. engine NULL: the model stays. Else the new
 * engine, which belongs to the ear, first hears the last three seconds once more, so that it takes
 * over in the middle of a word: in the steps that follow, some tenths of a second in each, until it
 * has caught up. Its first events may come that much later. */
void kws_ear_swap(kws_ear *e, const kws_conf *c, kws_engine *engine);

typedef struct {
	double heard_s;	  /* audio in all */
	unsigned streams; /* opened so far */
	unsigned gaps;
	double gap_s;
	unsigned long overflows;
	unsigned long long dropped; /* samples */
	unsigned long events, near_misses;
	bool silent; /* the device sends one value only */
} kws_ear_stats;

const kws_ear_stats *kws_ear_stats_get(const kws_ear *e);
kws_capture *kws_ear_capture(kws_ear *e);
kws_engine *kws_ear_engine(kws_ear *e);
kws_clips *kws_ear_clips(kws_ear *e); /* NULL: off */

#endif
