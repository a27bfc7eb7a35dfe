/* calibration.h - the threshold of each word for a wanted rate of false alarms, chosen on recordings. */
#ifndef KWS_CORPUS_CALIBRATION_H
#define KWS_CORPUS_CALIBRATION_H

#include "corpus/recordings.h"

typedef struct {
	double target; /* false alarms an hour: over all words, or for each with per_word */
	float lowest;  /* no threshold below it */
	bool per_word;
	bool allow_unsupported; /* go on when the hours cannot support the target */
} kws_calibration_config;

typedef struct {
	const kws_recordings *on;
	kws_calibration_config config;
	double hours;	     /* in which false alarms are counted */
	double hours_needed; /* for the target, without a single one; 0: these are enough */
	size_t budget;	     /* false alarms that may be: of all words, or of each with per_word */
	kws_count *curve;    /* (KWS_DET_GRID, n_words + 1) */
	bool *chosen;	     /* (n_words,) false: not said here, and the model's threshold */
	float *threshold;    /* (n_words,) the result */
	kws_count *count;    /* (n_words + 1,) with it */
	bool supported;	     /* the counts support the target with 95 % confidence */
} kws_calibration;	     /* starts as all zeros */

/* on MUST outlive c. KWS_ERR_NOMEM; KWS_ERR_ARG: the recordings do not support what is asked, and err says why. c is to be
 * freed whatever comes back. */
enum kws_status kws_calibrate(kws_calibration *c, const kws_recordings *on,
			      const kws_calibration_config *config, kws_error *err);
void kws_calibration_free(kws_calibration *c);

#endif
