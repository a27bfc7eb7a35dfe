/* marks.h - what a user says of clips that kwsd has kept: was the word said in them? */
#ifndef KWS_CLI_MARKS_H
#define KWS_CLI_MARKS_H

#include "cli/clip_name.h"

#include <stddef.h>

enum kws_mark { KWS_MARK_SKIP, KWS_MARK_YES, KWS_MARK_NO };

/* A clip of kwsd, by its name: 20260301T120000.250Z-kitchen-yes-93-near.wav. */
typedef struct {
	char *path;
	const char *name; /* the last part of path */
	kws_clip_name says;
	enum kws_mark mark;
} kws_marked;

typedef struct {
	kws_marked *all; /* (n,) by name, which is by time */
	size_t n;
} kws_marks;

/* Add the clips of a word, or of all if it is NULL, that are in a folder. False: it cannot be read,
 * or there is no memory; reported. m starts as all zeros; free it in any case. */
bool kws_marks_list(kws_marks *m, const char *folder, const char *word);

/* Add one clip, by its path. False: it is none, or there is no memory; reported. */
bool kws_marks_add(kws_marks *m, const char *path);

/* Leave out the clips for which done() is true. */
void kws_marks_drop(kws_marks *m, bool (*done)(const void *ctx, const char *name), const void *ctx);

/* Take the marks from a file. Each line is the name of a clip, with or without its folder, and after
 * a blank right, wrong, missed or skip: right and missed say that the word was said. # begins a
 * comment. False: the file cannot be read, has another mark, or names a clip that is not in the
 * list; reported. */
bool kws_marks_read(kws_marks *m, const char *path);

/* Take the marks of `kws label': what the truth files beside the clips say. False: one of them cannot
 * be read; reported. */
bool kws_marks_labelled(kws_marks *m, const char *word);

/* Ask of each clip without a mark whether the word was said (cli/asking.h). */
void kws_marks_ask(kws_marks *m, const char *word);

void kws_marks_free(kws_marks *m);

#endif
