/* ear.h - one model on one stream, and several models on the same stream.
 *
 * A stream is a kws_history to which the caller appends. An ear reads from it at its own pace: it
 * may begin late, or fall behind and catch up. An ear may be gated: it then listens only around the
 * words of another ear (spot/gate.h), and costs nothing at other times.
 *
 * Several ears take turns in a fixed order, 10 ms of the stream at a time. So the order of all
 * events is the same, however the audio is cut and however late an ear listens. */
#ifndef KWS_SPOT_EAR_H
#define KWS_SPOT_EAR_H

#include "spot/gate.h"
#include "spot/history.h"
#include "spot/squelch.h"

typedef struct kws_ear kws_ear;

/* The model is borrowed and MUST outlive the ear; so MUST config's ctx. Samples in the callbacks
 * are at the model's rate and count from the beginning of the stream, wherever the ear began. The
 * callbacks may call kws_ear_score(), kws_ear_after(), and kws_ear_open() for later ears.
 * KWS_ERR_ARG, KWS_ERR_NOMEM. */
enum kws_status kws_ear_create(kws_ear **out, const kws_model *m, const kws_spotter_config *config,
			       kws_error *err);
void kws_ear_destroy(kws_ear *e);

/* Like kws_spotter_configure(). */
enum kws_status kws_ear_configure(kws_ear *e, const kws_spotter_config *config, kws_error *err);

/* Make the ear gated, with its gate closed. within_s: 0..KWS_GATE_LONGEST_S. If the ear is gated
 * already, only the time changes. */
void kws_ear_gate(kws_ear *e, double within_s);

/* Begin a new stream, and listen from sample `from' on; a gate is closed. Allocates, and may fail,
 * only when in_hz changes; after a failure the ear is unchanged. */
enum kws_status kws_ear_start(kws_ear *e, unsigned in_hz, uint64_t from, kws_error *err);

/* The ear `by' heard a word on the same stream; id is the id of its event, or NULL. Opens the gate
 * or keeps it open longer. Does nothing to an ear that is not gated. */
void kws_ear_open(kws_ear *e, const kws_ear *by, const kws_event *ev, const char *id);

/* Process the stream up to sample `to' <= h->end, but at most *hops hops of 10 ms; *hops is reduced
 * by the number processed. Returns whether the ear has reached `to'; a closed ear always has.
 * Samples that the history no longer holds are skipped, as by kws_ear_skip(), and counted. */
bool kws_ear_hear(kws_ear *e, const kws_history *h, uint64_t to, size_t *hops);

/* Decide the words that are still open, skip everything up to sample `to', and begin anew there. A
 * gate stays as it is. */
void kws_ear_skip(kws_ear *e, uint64_t to);

/* The next sample that the ear will process; UINT64_MAX while it is closed. */
uint64_t kws_ear_next(const kws_ear *e);
/* Samples skipped since the start, because the history was too short. */
uint64_t kws_ear_lost(const kws_ear *e);

const kws_model *kws_ear_model(const kws_ear *e);
const float *kws_ear_score(const kws_ear *e); /* kws_spotter_score() */

/* The position that the ear has reached, in samples at the model's rate. */
uint64_t kws_ear_heard(const kws_ear *e);

/* Call it in on_event: the gating word because of which the event counts; NULL: the ear is not
 * gated. */
const kws_gate_word *kws_ear_after(const kws_ear *e);

/* ---- several ears on one stream -------------------------------------------------------------- */

/* Owned by the caller, who may change ear and n between two calls. An ear MUST come after the ear
 * that opens it. */
typedef struct {
	kws_ear **ear; /* (n,) */
	size_t n;
	uint64_t at; /* the sample that all of them have reached */
	/* What is not worth hearing is skipped, and all ears begin anew when it opens; NULL: all is
	 * heard. The history MUST hold 1 s more than is added at a time. */
	kws_squelch *squelch;
} kws_ears;

/* All ears begin a new stream at sample 0, after kws_ear_start(). */
void kws_ears_start(kws_ears *s);

/* Process what the history holds, in turns, with at most this many hops of 10 ms in total. Returns
 * whether all ears have reached the end of the history, apart from an incomplete last hop. A single
 * ear without a squelch processes the incomplete hop, too. */
bool kws_ears_hear(kws_ears *s, const kws_history *h, size_t hops);

/* The audio ends here, or some is missing. All ears process the rest of the history, in their
 * order, and decide the words that are still open. They begin anew with the audio that follows, at
 * h->end. */
void kws_ears_settle(kws_ears *s, const kws_history *h);
/* The same without hearing the rest: everything up to sample `to' is skipped. */
void kws_ears_skip(kws_ears *s, uint64_t to);
/* Use this squelch from s->at on, or none. Ears that were asleep wake up there. */
void kws_ears_squelch(kws_ears *s, kws_squelch *q);

#endif
