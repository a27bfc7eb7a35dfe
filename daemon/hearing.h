/* hearing.h - what a listener makes of its stream: several engines hear it, and each event becomes a
 * report, complete but for the sink's own dropped.
 *
 * Knows of no device: streams begin, samples come, some are missing, streams end. */
#ifndef KWS_DAEMON_HEARING_H
#define KWS_DAEMON_HEARING_H

#include "daemon/anchor.h"
#include "daemon/clips.h"
#include "daemon/engine.h"
#include "daemon/gaps.h"
#include "daemon/observer.h"
#include "spot/event.h"

typedef struct kws_hearing kws_hearing;

/* name: of [audio NAME], "". to MUST outlive it. */
enum kws_status kws_hearing_create(kws_hearing **out, const char *name, const kws_observer *to,
				   kws_error *err);
/* With its engines. */
void kws_hearing_destroy(kws_hearing *h);

/* Hear with these from now on: engine (n,), in the order of the configuration, belong to the hearing.
 * Those that are there already, stay; one of a name that was there takes over from that one, which is
 * destroyed, as are all others. Whatever is new hears the last three seconds once more, so that it takes
 * over in the middle of a word: in the steps that follow, until it has caught up. */
void kws_hearing_engines(kws_hearing *h, kws_engine *const *engine, size_t n);
/* The engine of this name; NULL: there is none. */
kws_engine *kws_hearing_engine(kws_hearing *h, const char *name);

/* Where clips go, NULL: nowhere. conf: the configuration's. */
void kws_hearing_clips(kws_hearing *h, kws_clips *clips, const kws_conf_clips *conf);

/* A stream of a device begins, at hz. May fail only where the rate is another than before. */
enum kws_status kws_hearing_begin(kws_hearing *h, unsigned hz, const char *device, kws_error *err);
/* pcm (n,): 10 ms, or at the end of a stream less. */
void kws_hearing_feed(kws_hearing *h, const float *pcm, size_t n);
/* Engines that are behind hear more: some hops. */
void kws_hearing_catch_up(kws_hearing *h);
/* Some engine has not heard all that was fed: only a little more may be fed before it catches up. */
bool kws_hearing_is_behind(const kws_hearing *h);
/* As kws_hearing_catch_up, until all was heard, or the time is over. */
void kws_hearing_hurry(kws_hearing *h);
/* Audio is missing here: what is open is decided, and what follows is a new beginning. */
void kws_hearing_splice(kws_hearing *h);
/* The stream has ended. */
void kws_hearing_end(kws_hearing *h);

/* Of the listener: it sets the anchor and tells of gaps. */
kws_anchor *kws_hearing_anchor(kws_hearing *h);
kws_gaps *kws_hearing_gaps(kws_hearing *h);

double kws_hearing_heard_s(const kws_hearing *h); /* in all streams */
float kws_hearing_level(const kws_hearing *h);	  /* of the last second or so, dBFS */
/* st (KWS_CONF_MODELS,): returns how many engines there are. */
size_t kws_hearing_stats(const kws_hearing *h, kws_spotter_stats *st);
void kws_hearing_forget_best(kws_hearing *h);

/* How far behind an engine may begin, and how much may be fed at a time while one is: hops. */
enum { KWS_HEARING_WARM_S = 3, KWS_HEARING_LAG_HOPS = 15 };

#endif
