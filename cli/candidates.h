/* candidates.h - words that were heard, of which the user says whether they were said: the clips of
 * kwsd, and events of recordings. */
#ifndef KWS_CLI_CANDIDATES_H
#define KWS_CLI_CANDIDATES_H

#include "cli/marks.h"
#include "cli/models.h"

/* The same word of a clip starts within this. */
#define KWS_CANDIDATE_SAME_S 0.25

/* A word that was heard. */
typedef struct {
	char *path;		  /* the recording */
	char *word;		  /* what was heard */
	double start, end;	  /* of the word in the recording, seconds */
	double from, to;	  /* what is played */
	double score, level_dbfs; /* NAN: unknown */
	bool clip, near;
	bool placed; /* the word of a clip: a model hears it there, with this score */
	double placed_score;
	kws_clip_name says; /* of a clip */
	bool told;	    /* the truth file has it without our doing: there is nothing to ask */
	/* The answer. said: the word that was said there; NULL: none. too: words that were said
	 * between from and to as well, each once. */
	bool answered;
	char *said, **too;
	size_t n_too;
} kws_candidate;

typedef struct {
	kws_candidate *all; /* (n,) by path, then by start */
	size_t n;
} kws_candidates; /* starts as all zeros */

/* Add the word of a clip, where a model hears it there, or else anywhere in it; and each other word that
 * the models find in the clip, as kws eval will. *n_failed counts clips that cannot be read, which is
 * reported. channel: as for kws_source_open_file(). False: no memory; reported. */
bool kws_candidates_clips(kws_candidates *c, const kws_marks *clips, const kws_models *models,
			  int channel, size_t *n_failed);

/* Add the events of a list, lines of `kws spot --format jsonl'. False: it cannot be read, or a line is
 * none of these; reported. */
bool kws_candidates_events(kws_candidates *c, const char *list, const kws_models *models);

/* Leave out those that are told. */
void kws_candidates_drop_told(kws_candidates *c);

/* Bring them in order. An event that is in the list twice counts once. */
void kws_candidates_sort(kws_candidates *c);
void kws_candidates_free(kws_candidates *c);

/* The model of models that has this word as a command, and its index. NULL: none. */
const kws_model *kws_candidates_model(const kws_models *models, const char *word, size_t *index);

/* Forget the answer. */
void kws_candidate_clear(kws_candidate *c);

/* Set what was said in place of, or besides, the word. False: no memory; reported. */
bool kws_candidate_say(kws_candidate *c, const char *word);
bool kws_candidate_say_too(kws_candidate *c, const char *word);

#endif
