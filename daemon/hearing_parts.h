/* hearing_parts.h - shared by the files of the hearing: hearing.c processes streams,
 * hearing_events.c makes reports of events, hearing_engines.c lets new engines take over. */
#ifndef KWS_DAEMON_HEARING_PARTS_H
#define KWS_DAEMON_HEARING_PARTS_H

#include "daemon/hearing.h"
#include "spot/voice.h"

enum { KWS_HEARING_TOLD = 8 };

/* A place for an engine. It keeps its state when a new engine takes over. */
typedef struct {
	kws_engine *engine;
	kws_handover past;
	struct {
		kws_event event;
		char id[64];
	} told[KWS_HEARING_TOLD]; /* events of this stream, for the gate of a new engine */
	unsigned n_told;
	unsigned long events, near_misses;
} kws_seat;

struct kws_hearing {
	char name[KWS_CONF_NAME];
	char host[65], run[160]; /* run: unique among all hearings, also of earlier days */
	char device[KWS_DEVICE_NAME];
	const kws_observer *to;

	kws_seat seat[KWS_CONF_MODELS];
	kws_ear *ear[KWS_CONF_MODELS]; /* of the seats, in the order in which they run */
	kws_ears ears;
	double squelch_db, skipped_s; /* 0: no squelch; skipped_s: by those before */

	kws_clips *clips; /* NULL: none */
	kws_conf_clips clips_conf;
	kws_clip_list list;

	/* the stream */
	bool open, behind;
	unsigned hz;
	double origin_s; /* heard before this stream */
	kws_history history;
	kws_anchor anchor;
	kws_gaps gaps;
	double power;	  /* mean square, smoothed */
	kws_voice *voice; /* of this stream, at hz; NULL: there was none */
	kws_tally hops;	  /* seconds that each took */
};

/* The seat of this name; NULL: there is none. */
kws_seat *kws_hearing_seat(kws_hearing *h, const char *name);

/* Callbacks of an engine; ctx is the hearing. */
void kws_hearing_on_event(void *ctx, kws_engine *engine, const kws_event *ev, bool near);
void kws_hearing_on_frame(void *ctx, kws_engine *engine, const kws_frame *f, const float *score);

#endif
