/* decide.h - turns class probabilities over time into hits: one hit per utterance.
 *
 * All times are audio time. The decision knows nothing of networks. Of the audio it knows only
 * where a new stretch of voice began (spot/voice.h).
 *
 * score: the mean of a word's probabilities over the last smooth_ms. Probabilities before the start
 * are 0.
 *
 * candidate: opens when the score of an armed word reaches its threshold. It is decided when the
 * best score has fallen by KWS_DECIDE_FALL from its peak, or KWS_DECIDE_HOLD_MS after it opened,
 * whichever comes first. The hit is the word with the highest score in that time, among the armed
 * words that reached their thresholds.
 *
 * sure: the network judges what it remembers, so the score of a word that was said and then followed
 * by a pause stays up; that of a part of running speech falls as the speech goes on. Therefore a
 * candidate is only decided then if it is sure: its score is at least KWS_DECIDE_SURE, and the last
 * stretch of voice ended KWS_DECIDE_QUIET_MS ago; or its score is at least KWS_DECIDE_CERTAIN. Any
 * other waits until it is sure, but not longer than wait_ms after it opened. If its score falls
 * below its threshold meanwhile, it is given up: no hit, no refractory, no dead time.
 *
 * refractory: after a hit, its word cannot fire for refractory_ms from the decision. Other words
 * can.
 *
 * dead time: for KWS_DECIDE_DEAD_MS after a decision no candidate opens, for any word. A score that
 * rises then is the tail of the same utterance.
 *
 * armed: every word is armed at the start. A word is disarmed when it is hit; when its score is at
 * or over its threshold as another word is hit; and when it reaches its threshold in its refractory
 * or in the dead time (such a rise is rejected, and extends neither). It is armed again when its
 * score is below KWS_DECIDE_REARM times its threshold. So a score that stays high fires once.
 *
 * said again: the network remembers one window, so a word that is said every second keeps its score
 * up all the time. Therefore a word is also armed again after its refractory, when two things are
 * true: a new stretch of voice has begun since the word was disarmed, and the stretch in which it
 * was disarmed no longer affects the score, as it ended more than a window and smooth_ms ago. A
 * score that is still high then belongs to the new utterance. A word that is drawn out is one
 * stretch, and fires once. */
#ifndef KWS_SPOT_DECIDE_H
#define KWS_SPOT_DECIDE_H

#include "kws.h"
#include "spot/voice.h"

enum { KWS_DECIDE_HOLD_MS = 100, KWS_DECIDE_DEAD_MS = 200, KWS_DECIDE_SMOOTH_MAX_MS = 2000 };
enum { KWS_DECIDE_QUIET_MS = 100, KWS_DECIDE_WAIT_MAX_MS = 500, KWS_REFRACTORY_MAX_MS = 60000 };
#define KWS_DECIDE_FALL	   0.05f
#define KWS_DECIDE_REARM   0.75f
#define KWS_DECIDE_SURE	   0.8f
#define KWS_DECIDE_CERTAIN 0.95f

typedef struct {
	unsigned smooth_ms; /* 0: no smoothing; larger values count as KWS_DECIDE_SMOOTH_MAX_MS */
	unsigned refractory_ms;
	unsigned wait_ms;	/* 0: no candidate waits or is given up */
	const float *threshold; /* (n_words,) 0..1; above 1 or NaN: the word never fires. Copied. */
} kws_decide_config;

/* The result of kws_decide_step(). opened <= peak <= sample, all in samples of the stream. */
typedef struct {
	uint64_t opened, peak; /* when the candidate opened; when its score was highest */
	uint64_t sample;       /* it was decided */
	unsigned word;
	float score, threshold;
} kws_hit;

typedef struct kws_decide kws_decide;

/* frame: samples per step, at least 1 ms. window: samples that the network remembers. KWS_ERR_ARG,
 * KWS_ERR_NOMEM. */
enum kws_status kws_decide_create(kws_decide **out, size_t n_words, unsigned rate_hz, size_t frame,
				  size_t window, const kws_decide_config *cfg);
void kws_decide_destroy(kws_decide *d);
void kws_decide_reset(kws_decide *d); /* the configuration stays */

/* Use new times and thresholds from the next step on. The history, the refractories and an open
 * candidate are kept. */
void kws_decide_configure(kws_decide *d, const kws_decide_config *cfg);

/* Advance by one frame with these probabilities (n_words,). voice: the newest stretch of voice at
 * the end of the frame. Returns 1 and fills *hit, or returns 0. */
int kws_decide_step(kws_decide *d, const float *prob, kws_stretch voice, kws_hit *hit);

/* The stream has ended: decide an open candidate. Returns 1 and fills *hit, or returns 0. Only
 * reset() may follow. */
int kws_decide_flush(kws_decide *d, kws_hit *hit);

/* The scores (n_words,) after the last step. */
const float *kws_decide_score(const kws_decide *d);

#endif
