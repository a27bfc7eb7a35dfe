/* ear.h - one model on one stream, and several of them on the same.
 *
 * A stream is a kws_history that the caller appends to. An ear takes from it at its own pace, so that
 * it may begin late, or be behind and catch up. An ear may be gated: it hears only around the words of
 * another (spot/gate.h), and costs nothing in between.
 *
 * Several ears take turns, 10 ms of the stream at a time, in their order: that of all events is the
 * same however the audio is cut, and however late an ear hears. */
#ifndef KWS_SPOT_EAR_H
#define KWS_SPOT_EAR_H

#include "spot/gate.h"
#include "spot/history.h"

typedef struct kws_ear kws_ear;

/* The model is borrowed, and MUST outlive the ear; so MUST config's ctx. config's callbacks are called with samples, at the
 * model's rate, that count from the beginning of the stream, wherever the ear began. They may call kws_ear_score(),
 * kws_ear_after(), and kws_ear_open() of ears that come later. KWS_ERR_ARG, KWS_ERR_NOMEM. */
enum kws_status kws_ear_create(kws_ear **out, const kws_model *m, const kws_spotter_config *config,
			       kws_error *err);
void kws_ear_destroy(kws_ear *e);

/* As kws_spotter_configure(). */
enum kws_status kws_ear_configure(kws_ear *e, const kws_spotter_config *config, kws_error *err);

/* Gated from now on, and closed; within_s: 0..KWS_GATE_LONGEST_S. Of an ear that is gated, only the time changes. */
void kws_ear_gate(kws_ear *e, double within_s);

/* A new stream, heard from this sample on; a gate is closed. Allocates, and may fail, only when in_hz is another than before;
 * then the ear is as it was. */
enum kws_status kws_ear_start(kws_ear *e, unsigned in_hz, uint64_t from, kws_error *err);

/* A word of the ear `by' on the same stream, whose event has this id (or NULL): the gate opens, or stays open longer. An ear
 * that is not gated is left as it is. */
void kws_ear_open(kws_ear *e, const kws_ear *by, const kws_event *ev, const char *id);

/* Hear the stream up to sample `to' <= h->end, but at most *hops of 10 ms, of which those heard are taken. Returns whether it
 * has come so far; a closed ear always has. What the history no longer holds is skipped, as by kws_ear_skip(), and counted. */
bool kws_ear_hear(kws_ear *e, const kws_history *h, uint64_t to, size_t *hops);

/* What was heard ends here: what is open is decided. The rest up to sample `to' is not heard, and what follows is a new
 * beginning. A gate stays as it is. */
void kws_ear_skip(kws_ear *e, uint64_t to);

/* The next sample that it has to hear; UINT64_MAX while it is closed. */
uint64_t kws_ear_next(const kws_ear *e);
uint64_t
kws_ear_lost(const kws_ear *e); /* samples skipped since the start: the history was too short */

const kws_model *kws_ear_model(const kws_ear *e);
const float *kws_ear_score(const kws_ear *e); /* kws_spotter_score() */

/* Samples at the model's rate that it has come to. */
uint64_t kws_ear_heard(const kws_ear *e);

/* In on_event: the gating word that lets the event count; NULL: the ear is not gated. */
const kws_gate_word *kws_ear_after(const kws_ear *e);

/* ---- several ears on one stream -------------------------------------------------------------------------------- */

/* Plain bytes of the caller, who may change ear and n between two calls. An ear MUST come after the one that opens it. */
typedef struct {
	kws_ear **ear; /* (n,) */
	size_t n;
	uint64_t at; /* so far all of them have come */
} kws_ears;

/* Hear what the history holds, in turns, at most so many hops of 10 ms in all. Returns whether all have come to its end, but
 * for a hop that is not whole yet; one ear alone takes that, too. */
bool kws_ears_hear(kws_ears *s, const kws_history *h, size_t hops);

/* The audio ends here, or some is missing: all hear the rest of the history, in their order, and what is open is decided.
 * What follows, at h->end, is a new beginning. */
void kws_ears_settle(kws_ears *s, const kws_history *h);

#endif
