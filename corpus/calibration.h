/* calibration.h - chooses the threshold of each word on recordings, for a target rate of false
 * alarms. */
#ifndef KWS_CORPUS_CALIBRATION_H
#define KWS_CORPUS_CALIBRATION_H

#include "corpus/recordings.h"

typedef struct {
	double target; /* false alarms per hour: of all words, or of each with per_word */
	float lowest;  /* the lowest threshold allowed */
	bool per_word;
	bool allow_unsupported; /* continue if there are too few hours to support the target */
} kws_calibration_config;

typedef struct {
	const kws_recordings *on;
	kws_calibration_config config;
	double hours;	     /* hours in which false alarms are counted */
	double hours_needed; /* the target needs that many, with no false alarm; 0: enough */
	size_t budget;	     /* false alarms allowed: of all words, or of each with per_word */
	kws_count *curve;    /* (KWS_DET_GRID, n_words + 1) */
	bool *chosen;	     /* (n_words,) false: not said here; keeps the model's threshold */
	float *threshold;    /* (n_words,) the result */
	kws_count *count;    /* (n_words + 1,) at the result */
	bool supported;	     /* the counts support the target with 95 % confidence */
} kws_calibration;	     /* starts as all zeros */

/* on MUST outlive c. KWS_ERR_NOMEM; KWS_ERR_ARG: the recordings do not support the target, and err
 * says why. Free c in any case. */
enum kws_status kws_calibrate(kws_calibration *c, const kws_recordings *on,
			      const kws_calibration_config *config, kws_error *err);
void kws_calibration_free(kws_calibration *c);

#endif
