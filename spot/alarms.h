/* alarms.h - false alarms of a head in recordings without the word, and the threshold for a
 * wanted rate of them. */
#ifndef KWS_SPOT_ALARMS_H
#define KWS_SPOT_ALARMS_H

#include "spot/bank.h"
#include "spot/embedder.h"
#include "spot/fit.h"

typedef struct {
	float threshold; /* of the smoothed probability */
	double hours;	 /* that were heard */
	size_t n;	 /* alarms in them at the threshold */
} kws_alarms;

/* How a model's frames become scores: smooth network frames are averaged, `every` of them are a
 * row of the embedding. */
typedef struct {
	size_t smooth, every;
} kws_pace;

/* Hear the judging parts of the bank. The head's last bias is moved so that the wanted rate lies
 * near a probability of one half, where a mean of probabilities is as good as one of logits; the
 * threshold is for the head as it is then. The rate comes from the tail of the highest scores,
 * not from the last of them alone. KWS_ERR_NOMEM. */
enum kws_status kws_alarms_limit(kws_head *h, const kws_bank *b, kws_embedder *e, kws_pace pace,
				 double per_hour, kws_alarms *out);

/* Logits of rows (n,) -> the smoothed probability at the end of each, (n,). scores may be
 * logits. */
void kws_alarms_smooth(const float *logits, size_t n, kws_pace pace, float *scores);

#endif
