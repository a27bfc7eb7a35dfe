/* decide.h - from class probabilities over time to events: smoothing, thresholds, refractory, one event an utterance.
 *
 * All in audio time. Knows nothing of audio or networks. */
#ifndef KWS_SPOT_DECIDE_H
#define KWS_SPOT_DECIDE_H

#include "kws.h"

typedef struct {
	uint64_t sample;       /* stream time at which the event was decided, samples at the model's rate */
	uint64_t start, end;   /* of the word, samples at the model's rate; start <= end <= sample */
	unsigned word;
	float score;           /* peak of the smoothed probability, 0..1 */
	float threshold;       /* that it had to reach */
	float level_dbfs;      /* RMS level of the word, dB re full scale */
	float snr_db;          /* level over the background before it, dB */
} kws_event;

#endif
