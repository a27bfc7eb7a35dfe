/* pool.h - classify many files with several threads that share one model; results are taken in the
 * order of the files. */
#ifndef KWS_CLI_PREDICTIONS_H
#define KWS_CLI_PREDICTIONS_H

#include "cli/args.h"
#include "corpus/notes.h"

typedef struct {
	const char *path; /* set by the caller */
	enum kws_status status;
	bool done, cut; /* cut: the clip was longer than this model can hear */
	float *prob;	/* (n_words,) when status is KWS_OK */
	double seconds; /* of audio */
	char error[512];
} kws_job;

typedef struct kws_pool kws_pool;

/* Starts up to n_threads threads on job (n,), which MUST outlive the pool. at_end: as in
 * spot/classify.h. KWS_ERR_NOMEM; KWS_ERR_IO: no thread at all. */
enum kws_status kws_pool_create(kws_pool **out, const kws_model *m, const kws_args_audio *audio,
				bool at_end, kws_job *job, size_t n, size_t n_threads);

/* Wait until job i is done, but at most 100 ms: returns whether it is. n_done and audio_s, of all
 * jobs, are for the progress line. The caller may then read the job and free its prob. */
bool kws_pool_wait(kws_pool *p, size_t i, size_t *n_done, double *audio_s);

/* What was odd about the files that are done: n_done of them. */
const kws_notes *kws_pool_notes(const kws_pool *p);

/* Jobs that no thread has begun are left undone. */
void kws_pool_destroy(kws_pool *p);

#endif
