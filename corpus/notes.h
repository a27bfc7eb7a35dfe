/* notes.h - what was odd about recordings that could be read: one text for each kind, however many
 * files have it. */
#ifndef KWS_CORPUS_NOTES_H
#define KWS_CORPUS_NOTES_H

#include "audio/source.h"
#include "corpus/problems.h"

enum { KWS_NOTE_HEADER = KWS_N_FLAWS, KWS_NOTE_EMPTY, KWS_N_NOTES };

typedef struct {
	struct {
		size_t n;	  /* files with it */
		size_t index;	  /* the first one */
		const char *path; /* its name, the caller's */
		char text[256];
	} kind[KWS_N_NOTES];
} kws_notes; /* starts as all zeros */

/* Add what was found in sound that was read to its end: file number index, in any order. path MUST
 * outlive the notes. words: words were found in it. */
void kws_notes_findings(kws_notes *notes, size_t index, const char *path, const kws_findings *f,
			bool words);

/* The same for a source, with what is odd about its file. */
void kws_notes_add(kws_notes *notes, size_t index, const char *path, const kws_source *src,
		   bool words);

void kws_notes_report(const kws_notes *notes, kws_problems *problems);

#endif
