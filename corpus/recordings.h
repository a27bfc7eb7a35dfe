/* recordings.h - what misses and false alarms are measured on: recordings, each heard once, and what is said in them. */
#ifndef KWS_CORPUS_RECORDINGS_H
#define KWS_CORPUS_RECORDINGS_H

#include "corpus/det.h"
#include "corpus/files.h"
#include "corpus/vocabulary.h"

typedef struct {
	kws_opener opener;
	unsigned n_threads; /* as in kws_thread_pool_create() */
	double tolerance;   /* seconds that a word may be late */
	bool unlabelled_only;
	int smooth_ms, refractory_ms; /* -1: the model's */
	/* About ten times a second, with how many files are done and the seconds of audio in them; NULL: nobody asks. */
	void (*progress)(void *ctx, size_t n_done, double audio_s);
	void *progress_ctx;
} kws_recordings_config;

typedef struct {
	const kws_model *model;
	kws_material material; /* its recordings are those that could be heard */
	size_t n_labelled, n_said;
	double labelled_s, unlabelled_s;
	size_t failed;		   /* files that could not be heard; and what the caller adds */
	kws_vocabulary vocabulary; /* of the truth files */
	kws_recording *recording;  /* (material.n,) */
	bool *command;		   /* (n_words,) */
} kws_recordings;		   /* starts as all zeros */

/* Hear every file with m, which hears streams. The words said in a recording are read from the file beside it that ends in
 * .tsv instead of its own suffix; where there is none, nothing is said. What is wrong with some of them becomes problems,
 * in the order of the files. KWS_ERR_NOMEM. */
enum kws_status kws_recordings_hear(kws_recordings *r, const kws_model *m, const kws_files *files,
				    const kws_recordings_config *config, kws_problems *problems);

void kws_recordings_free(kws_recordings *r);

#endif
