/* alarms.h - false alarms of a head in recordings without the word, and the threshold for a target
 * rate of them. */
#ifndef KWS_SPOT_ALARMS_H
#define KWS_SPOT_ALARMS_H

#include "spot/bank.h"
#include "spot/fit.h"

typedef struct {
	float threshold; /* of the smoothed probability */
	double hours;	 /* of audio */
	size_t n;	 /* false alarms in it at the threshold */
} kws_alarms;

/* How frames of a model become scores: `smooth' network frames are averaged, and `every' of them
 * are one row of the embedding. */
typedef struct {
	size_t smooth, every;
} kws_pace;

/* Run the head on the points of the bank's judging parts, which follow each other. The threshold is
 * `above` logits higher than the one of the target rate. Moves the last bias of the head so that it
 * is near 0.5, where a mean of probabilities is as good as a mean of logits; the threshold is for
 * the head after that. The rate is estimated from the tail of the highest scores, not from a single
 * one. KWS_ERR_NOMEM. */
enum kws_status kws_alarms_limit(kws_head *h, const kws_bank *b, kws_points points, kws_pace pace,
				 double per_hour, float above, kws_alarms *out);

/* logits (n,) of rows -> scores (n,): the highest smoothed probability of the frames that have the
 * logit of each row. scores may be logits. */
void kws_alarms_smooth(const float *logits, size_t n, kws_pace pace, float *scores);

#endif
