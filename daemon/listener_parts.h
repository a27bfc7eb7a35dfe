/* listener_parts.h - what the files of the listener share: listener.c hears streams, listener_events.c makes reports of
 * events, listener_swap.c takes another configuration. */
#ifndef KWS_DAEMON_LISTENER_PARTS_H
#define KWS_DAEMON_LISTENER_PARTS_H

#include "daemon/clock.h"
#include "daemon/listener.h"
#include "spot/history.h"

/* WARM_S: what a new engine hears once more. It does so in steps of CATCH_UP_HOPS, and while it is
 * behind, LAG_HOPS of new audio at most are taken at a time, so that it comes nearer with every
 * step. */
enum { N_RECENT = 16, WARM_S = 3, HISTORY_S = WARM_S + 1, CATCH_UP_HOPS = 20, LAG_HOPS = 15 };

typedef struct {
	char word[64];
	double start, end; /* seconds of this stream: another model may have another rate */
} kws_recent;

struct kws_listener {
	kws_conf conf;
	kws_capture *capture;
	kws_engine *engine;
	kws_clips *clips;
	kws_listener_fn *fn;
	void *ctx;
	char host[65],
		run[128]; /* run: tells this listener from all others, also those of other days */
	struct {
		unsigned streams, gaps;
		double gap_s;
		unsigned long overflows, events, near_misses;
		unsigned long long dropped;
	} count;
	double created; /* monotonic time */

	/* the stream */
	unsigned stream, in_hz;
	bool open;	 /* a stream is being heard */
	double origin_s; /* heard before this stream */
	uint64_t n_in;	 /* samples of this stream */
	uint64_t fed;	 /* of them, the engine has heard; less while a new one catches up */
	char device[KWS_DEVICE_NAME];
	kws_history history;
	size_t hop;
	float *pcm; /* (hop,) */
	kws_anchor anchor;
	unsigned long overflows; /* of the device, known */
	size_t dropped;

	/* lost audio, told with the next event */
	unsigned gap_count;
	double gap_s, lost_at; /* lost_at: monotonic time of the last audio */
	char gap_reason[32];
	bool told; /* that there is no audio */
	double next_splice_log;

	/* digital silence */
	float last;
	uint64_t constant; /* samples that equal the one before */
	double patience_s;
	bool silent;

	double suspended_s; /* boot time minus monotonic time */
	kws_recent recents[N_RECENT];
	unsigned n_recent;
	uint64_t swapped_at; /* what had been heard at the last swap, of n_in; 0: none */
};

/* n_in samples of the device, in samples of the model's rate. */
uint64_t kws_listener_model_samples(const kws_listener *e, uint64_t n_in);
/* Samples that the history has to hold for clips; 0: none are kept. */
size_t kws_listener_clip_history(const kws_conf_clips *c, unsigned hz);
/* What the engine calls; ctx is the listener. */
void kws_listener_on_event(void *ctx, const kws_event *ev, bool near);

#endif
