/* marks.h - what a user says of clips that kwsd has kept: was the word said in them? */
#ifndef KWS_CLI_MARKS_H
#define KWS_CLI_MARKS_H

#include <stdbool.h>
#include <stddef.h>

enum kws_mark { KWS_MARK_SKIP, KWS_MARK_YES, KWS_MARK_NO };

/* A clip of kwsd, by its name: 20260301T120000.250Z-kitchen-yes-93-near.wav. */
typedef struct {
	char *path;
	const char *name; /* the last part of path */
	unsigned percent; /* the score */
	bool near;	  /* a near miss: there was no event */
	enum kws_mark mark;
} kws_marked;

typedef struct {
	kws_marked *all; /* (n,) by name, which is by time */
	size_t n;
} kws_marks;

/* List the clips of a word in a folder. False: it cannot be read, or there is no memory; reported.
 * Free m in any case. */
bool kws_marks_list(kws_marks *m, const char *folder, const char *word);

/* Leave out the clips for which done() is true. */
void kws_marks_drop(kws_marks *m, bool (*done)(const void *ctx, const char *name), const void *ctx);

/* Take the marks from a file. Each line is the name of a clip, with or without its folder, and after
 * a blank right, wrong, missed or skip: right and missed say that the word was said. # begins a
 * comment. False: the file cannot be read, has another mark, or names a clip that is not in the
 * list; reported. */
bool kws_marks_read(kws_marks *m, const char *path);

/* Ask for each clip whether the word was said: play it, and read the answer from standard input. The
 * end of the input, or q, skips the rest. */
void kws_marks_ask(kws_marks *m, const char *word);

void kws_marks_free(kws_marks *m);

#endif
