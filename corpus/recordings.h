/* recordings.h - recordings with all their probabilities, kept in memory: for choosing thresholds on
 * them, where the same are counted many times. */
#ifndef KWS_CORPUS_RECORDINGS_H
#define KWS_CORPUS_RECORDINGS_H

#include "corpus/hear.h"

typedef struct {
	const kws_model *model;
	kws_material material;	   /* its recordings are those that could be read */
	size_t n_said, failed;	   /* failed: files that could not be read */
	kws_vocabulary vocabulary; /* of the truth files */
	kws_recording *recording;  /* (material.n,) */
	bool *command;		   /* (n_words,) */
} kws_recordings;		   /* starts as all zeros */

/* As kws_hear(); what is wrong with a file becomes a problem, in the order of the files.
 * KWS_ERR_NOMEM. Free r in any case. */
enum kws_status kws_recordings_hear(kws_recordings *r, const kws_model *m, const kws_files *files,
				    const kws_hear_config *config, kws_problems *problems);

void kws_recordings_free(kws_recordings *r);

#endif
