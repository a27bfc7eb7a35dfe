/* decide.h - from class probabilities over time to hits: one hit an utterance.
 *
 * All in audio time. Knows nothing of networks, and of audio only where voice began anew
 * (spot/voice.h).
 *
 * score: of a word, the mean of its probabilities over the last smooth_ms (before the start: 0).
 *
 * candidate: opens when the score of an armed word reaches its threshold. It is decided when the
 * best score has fallen by KWS_DECIDE_FALL from its peak, or KWS_DECIDE_HOLD_MS after it opened,
 * whichever comes first. The hit is the word with the highest score in that time, among armed
 * words at or over their thresholds.
 *
 * refractory: a word that was hit is silent for refractory_ms from the decision; no other word is.
 *
 * dead time: for KWS_DECIDE_DEAD_MS after a decision no candidate opens, whatever the word: what
 * rises then is the tail of the same utterance.
 *
 * armed: each word is, at the start. It is disarmed when it is hit; when it stands at or over its
 * threshold as another word is hit; and when it reaches its threshold in its refractory or in the
 * dead time (a rejected rise: it lengthens nothing). It arms again when its score is below
 * KWS_DECIDE_REARM of its threshold. So a score that stays high fires once.
 *
 * said again: the network remembers a word for a window, so that a word said every second keeps its
 * score up all the time. A word arms again, too, after its refractory, when a new stretch of voice
 * has begun since it was disarmed, and the stretch in which it was disarmed no longer weighs on the
 * score: it ended a window and smooth_ms ago. A score that is still high then is the new
 * utterance's. A word that is drawn out is one stretch, and fires once. */
#ifndef KWS_SPOT_DECIDE_H
#define KWS_SPOT_DECIDE_H

#include "kws.h"
#include "spot/voice.h"

enum { KWS_DECIDE_HOLD_MS = 100, KWS_DECIDE_DEAD_MS = 200, KWS_DECIDE_SMOOTH_MAX_MS = 2000 };
enum { KWS_REFRACTORY_MAX_MS = 60000 };
#define KWS_DECIDE_FALL	 0.05f
#define KWS_DECIDE_REARM 0.75f

typedef struct {
	unsigned smooth_ms; /* 0: no smoothing; above KWS_DECIDE_SMOOTH_MAX_MS counts as that */
	unsigned refractory_ms;
	const float *threshold; /* (n_words,) 0..1; above 1 or NaN: the word never fires. Copied. */
} kws_decide_config;

/* What kws_decide_step() found. opened <= peak <= sample, all in samples of the stream. */
typedef struct {
	uint64_t opened, peak; /* the candidate opened; its best score was highest */
	uint64_t sample;       /* it was decided */
	unsigned word;
	float score, threshold;
} kws_hit;

typedef struct kws_decide kws_decide;

/* frame: samples per step, 1 ms at least. window: samples that the network remembers.
 * KWS_ERR_ARG, KWS_ERR_NOMEM. */
enum kws_status kws_decide_create(kws_decide **out, size_t n_words, unsigned rate_hz, size_t frame,
				  size_t window, const kws_decide_config *cfg);
void kws_decide_destroy(kws_decide *d);
void kws_decide_reset(kws_decide *d); /* the configuration stays */

/* New times and thresholds from the next step on; history, refractories and an open candidate
 * stay. */
void kws_decide_configure(kws_decide *d, const kws_decide_config *cfg);

/* The stream has moved on by one frame with these probabilities (n_words,); the newest stretch of
 * voice at its end. Returns 1 and fills *hit, or 0. */
int kws_decide_step(kws_decide *d, const float *prob, kws_stretch voice, kws_hit *hit);

/* The stream has ended: decides an open candidate. Returns 1 and fills *hit, or 0. Only reset() may
 * follow. */
int kws_decide_flush(kws_decide *d, kws_hit *hit);

/* The scores (n_words,) of the last step. */
const float *kws_decide_score(const kws_decide *d);

#endif
