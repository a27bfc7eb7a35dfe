/* problems.h - what was wrong with some of many inputs: texts for people, in the order in which the
 * problems appeared. Work on the other inputs continues. */
#ifndef KWS_CORPUS_PROBLEMS_H
#define KWS_CORPUS_PROBLEMS_H

#include <stddef.h>

typedef struct {
	char **text; /* (n,) */
	size_t n, cap;
	size_t lost; /* further problems that memory was too short for */
} kws_problems;	     /* starts as all zeros */

void kws_problems_add(kws_problems *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same about a file: its name precedes the text, unless the text begins with it. */
void kws_problems_add_of(kws_problems *p, const char *path, const char *text);

/* Move all problems to the end of `to'. */
void kws_problems_move(kws_problems *to, kws_problems *from);

void kws_problems_free(kws_problems *p);

#endif
