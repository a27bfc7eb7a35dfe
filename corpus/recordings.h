/* recordings.h - the data for measuring misses and false alarms: recordings, each processed once,
 * and the words said in them. */
#ifndef KWS_CORPUS_RECORDINGS_H
#define KWS_CORPUS_RECORDINGS_H

#include "corpus/det.h"
#include "corpus/files.h"
#include "corpus/vocabulary.h"

typedef struct {
	kws_opener opener;
	unsigned n_threads; /* as in kws_thread_pool_create() */
	double tolerance;   /* seconds by which an event may follow its word */
	bool unlabelled_only;
	int smooth_ms, refractory_ms; /* -1: the model's */
	/* Called about ten times a second, with the number of files done and the seconds of audio
	 * in them; may be NULL. */
	void (*progress)(void *ctx, size_t n_done, double audio_s);
	void *progress_ctx;
} kws_recordings_config;

typedef struct {
	const kws_model *model;
	kws_material material; /* its recordings are those that could be read */
	size_t n_labelled, n_said;
	double labelled_s, unlabelled_s;
	size_t failed;		   /* files that could not be read */
	bool incomplete;	   /* for the caller: there were others that it could not list */
	kws_vocabulary vocabulary; /* of the truth files */
	kws_recording *recording;  /* (material.n,) */
	bool *command;		   /* (n_words,) */
} kws_recordings;		   /* starts as all zeros */

/* Process every file with m, which must take streams. The words said in a recording come from the
 * file beside it whose suffix is .tsv; without such a file, nothing is said. What is wrong with a
 * file becomes a problem, in the order of the files. KWS_ERR_NOMEM. */
enum kws_status kws_recordings_hear(kws_recordings *r, const kws_model *m, const kws_files *files,
				    const kws_recordings_config *config, kws_problems *problems);

void kws_recordings_free(kws_recordings *r);

#endif
