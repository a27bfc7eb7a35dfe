/* predictions.h - classifies many clips in several threads that share one model. Results are taken
 * in the order of the clips. */
#ifndef KWS_CORPUS_PREDICTIONS_H
#define KWS_CORPUS_PREDICTIONS_H

#include "corpus/files.h"
#include "corpus/notes.h"
#include "corpus/thread_pool.h"
#include "model/model.h"

typedef struct {
	const char *path; /* of the clip, from the list of files */
	enum kws_status status;
	bool cut;	/* the clip was longer than the model can process */
	float *prob;	/* (n_words,) if status is KWS_OK */
	double seconds; /* of audio */
	char error[512];
} kws_prediction;

typedef struct kws_predictions kws_predictions;

/* Start classifying files with up to n_threads threads, as in kws_thread_pool_create(). at_end: as
 * in kws_classifier_create(). m, files and what opener.ctx points to MUST outlive the predictions.
 * KWS_ERR_NOMEM. */
enum kws_status kws_predictions_create(kws_predictions **out, const kws_model *m,
				       const kws_files *files, kws_opener opener, bool at_end,
				       size_t n_threads);

/* Wait for clip i, at most 100 ms. NULL: it is not done yet. The result lives until the next call
 * for another clip. */
const kws_prediction *kws_predictions_wait(kws_predictions *p, size_t i,
					   kws_work_progress *progress);

/* What was odd about the clips. Call it when all are done. */
const kws_notes *kws_predictions_notes(const kws_predictions *p);

/* Clips that no thread has begun are left out. */
void kws_predictions_destroy(kws_predictions *p);

#endif
