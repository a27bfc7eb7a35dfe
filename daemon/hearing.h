/* hearing.h - processes a listener's stream: runs several engines on it and makes a report of each
 * event, complete except for the sink's count of dropped events.
 *
 * It knows no device: streams begin, samples come, some are missing, streams end. */
#ifndef KWS_DAEMON_HEARING_H
#define KWS_DAEMON_HEARING_H

#include "daemon/anchor.h"
#include "daemon/clips.h"
#include "daemon/engine.h"
#include "daemon/gaps.h"
#include "daemon/observer.h"
#include "runtime/handover.h"
#include "spot/event.h"

typedef struct kws_hearing kws_hearing;

/* name: of [audio NAME], or "". to MUST outlive it. */
enum kws_status kws_hearing_create(kws_hearing **out, const char *name, const kws_observer *to,
				   kws_error *err);
/* Frees its engines, too. */
void kws_hearing_destroy(kws_hearing *h);

/* Use engine (n,) from now on, in the order of the configuration; the hearing becomes their owner.
 * Engines that it already has stay. A new engine takes over from the old one of the same name. All
 * old ones that are not in engine are destroyed. New engines process the last three seconds again,
 * so that they can take over in the middle of a word; the following steps do that until they have
 * caught up. */
void kws_hearing_engines(kws_hearing *h, kws_engine *const *engine, size_t n);
/* The engine of this name; NULL: there is none. */
kws_engine *kws_hearing_engine(kws_hearing *h, const char *name);

/* Where clips go; NULL: nowhere. conf: the section [clips]. */
void kws_hearing_clips(kws_hearing *h, kws_clips *clips, const kws_conf_clips *conf);

/* Hear only what is worth it (spot/squelch.h). over_db: 0..KWS_SQUELCH_MOST_DB; 0: everything. */
void kws_hearing_squelch(kws_hearing *h, double over_db);
bool kws_hearing_is_squelched(const kws_hearing *h); /* nothing is heard now */
double kws_hearing_skipped_s(const kws_hearing *h);  /* of kws_hearing_heard_s(), not heard */

/* A stream of a device begins, at hz. Can fail only if the rate has changed. */
enum kws_status kws_hearing_begin(kws_hearing *h, unsigned hz, const char *device, kws_error *err);
/* pcm (n,): whole hops of 10 ms, at most KWS_HEARING_BLOCK_HOPS; at the end of a stream less. */
enum { KWS_HEARING_BLOCK_HOPS = 4 };
void kws_hearing_feed(kws_hearing *h, const float *pcm, size_t n);
/* Let engines that are behind process a few hops more. */
void kws_hearing_catch_up(kws_hearing *h);
/* Some engine is behind: at most KWS_HEARING_LAG_HOPS may be fed before it catches up. */
bool kws_hearing_is_behind(const kws_hearing *h);
/* As kws_hearing_catch_up, until no engine is behind or the time is over. */
void kws_hearing_hurry(kws_hearing *h);
/* Audio is missing here: open words are decided, and the engines start anew. */
void kws_hearing_splice(kws_hearing *h);
/* The stream has ended. */
void kws_hearing_end(kws_hearing *h);

/* For the listener, which sets the anchor and reports gaps. */
kws_anchor *kws_hearing_anchor(kws_hearing *h);
kws_gaps *kws_hearing_gaps(kws_hearing *h);

/* There was no voice for half a second. So no word is about to be decided, but for one that hardly
 * rises above the noise, or that waits until it is sure (spot/decide.h). */
bool kws_hearing_is_quiet(const kws_hearing *h);

double kws_hearing_heard_s(const kws_hearing *h); /* in all streams */
float kws_hearing_level(const kws_hearing *h);	  /* of the last second or so, dBFS */
/* Seconds that each hop took in all engines, by kws_tally_seconds. */
const kws_tally *kws_hearing_hops(const kws_hearing *h);
/* st (KWS_CONF_MODELS,): returns how many engines there are. */
size_t kws_hearing_stats(const kws_hearing *h, kws_spotter_stats *st);
void kws_hearing_forget_best(kws_hearing *h);

/* Seconds by which a new engine starts behind; hops that may be fed at a time while one is
 * behind. */
enum { KWS_HEARING_WARM_S = KWS_HANDOVER_WARM_S, KWS_HEARING_LAG_HOPS = 15 };

#endif
