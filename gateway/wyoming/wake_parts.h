/* wake_parts.h - shared by the files of the wake: wake.c hears, wake_change.c takes other models. */
#ifndef KWS_WYOMING_WAKE_PARTS_H
#define KWS_WYOMING_WAKE_PARTS_H

#include "gateway/wyoming/timeline.h"
#include "gateway/wyoming/wake.h"
#include "runtime/handover.h"

/* Events of one block: each spotter has at most one a network frame, of 10 ms or more. */
enum { KWS_WAKE_EVENTS = 6 * KWS_CONF_MODELS };

/* A word as one part of the roster has heard it; times in ms since the audio began. */
typedef struct {
	size_t part;
	unsigned word;
	double decided, start, end;
} heard;

typedef struct {
	kws_wake *wake;
	size_t part;
	kws_spotter *spotter;
	double from; /* where its audio begins, ms */
	bool open;   /* it has counted a word: those that it opens may count */
	double end;
	kws_handover handover;
} ear;

/* When a word was reported last, and by whom; SIZE_MAX: by a part that is gone. */
typedef struct {
	bool has;
	size_t part;
	double end;
} reported;

struct kws_wake {
	kws_roster *roster;
	kws_wake_fn *fn;
	void *ctx;
	kws_pcm pcm;
	float *block; /* (room,) */
	size_t room, n;
	uint64_t taken; /* samples, at the client's rate */
	uint64_t heard; /* of them */
	float *past;	/* (n_past,) sample i of the audio is at i % n_past; for new ears */
	size_t n_past;
	kws_timeline time;
	ear *ears[KWS_CONF_MODELS]; /* (roster->n_parts,) they do not move: spotters call them */
	reported *last;		    /* (roster->n_words,) */
	heard event[KWS_WAKE_EVENTS];
	size_t n_events;
};

/* What the spotter of e, for this part, is to be told. */
kws_spotter_config kws_wake_ear_config(const kws_roster_part *p, ear *e);
enum kws_status kws_wake_ear_open(ear **out, kws_wake *w, const kws_roster_part *p, kws_error *err);
void kws_wake_ear_close(ear *e); /* NULL is fine */
/* Report the events that wait, in the order of time. */
void kws_wake_settle(kws_wake *w);

#endif
