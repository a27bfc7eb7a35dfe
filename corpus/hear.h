/* hear.h - processes recordings to measure on: each once, with the words that are said in it, in
 * several threads. */
#ifndef KWS_CORPUS_HEAR_H
#define KWS_CORPUS_HEAR_H

#include "corpus/files.h"
#include "corpus/measured.h"
#include "corpus/vocabulary.h"

typedef struct {
	kws_opener opener;
	unsigned n_threads; /* as in kws_thread_pool_create() */
	double tolerance;   /* seconds by which an event may follow its word */
	bool unlabelled_only;
	double hours;		      /* that the recordings are cut from; 0: they are whole */
	int smooth_ms, refractory_ms; /* -1: the model's */
	/* Called about ten times a second, with the number of files done and the seconds of audio
	 * in them; may be NULL. */
	void (*progress)(void *ctx, size_t n_done, double audio_s);
	void *progress_ctx;
} kws_hear_config;

/* How to count: all of a material but its recordings. command (n_words,) is filled, and MUST
 * outlive m. */
void kws_hear_terms(kws_material *m, bool *command, const kws_model *model,
		    const kws_hear_config *config);

/* A recording. */
typedef struct {
	kws_recording recording; /* it owns what it points to */
	kws_measured measured;	 /* what `work' makes of it */
	kws_vocabulary vocabulary;
	kws_problems problems; /* what is wrong with it, even if it could be read */
	bool failed;	       /* could not be read: these are zeros */
} kws_heard;

typedef struct {
	/* In the thread that heard it, in any order; KWS_ERR_NOMEM fails it. NULL: nothing. */
	enum kws_status (*work)(void *ctx, kws_heard *h);
	/* In the thread that called kws_hear(), in the order of the files. May keep what h owns,
	 * and then leaves zeros. False: enough, the others are not heard. */
	bool (*take)(void *ctx, size_t i, kws_heard *h);
	void *ctx;
} kws_hear_work;

/* Process every file with model, which must take streams. The words said in a recording come from
 * the file beside it whose suffix is .tsv; without such a file, nothing is said. At the end what was
 * odd about the sound of some becomes problems. KWS_ERR_NOMEM. */
enum kws_status kws_hear(const kws_model *model, const kws_material *terms, const kws_files *files,
			 const kws_hear_config *config, const kws_hear_work *work,
			 kws_problems *problems);

void kws_heard_free(kws_heard *h);

#endif
