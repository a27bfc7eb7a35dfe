/* replace.h - writes a file completely or not at all: first under a temporary name, then moved to
 * its place. */
#ifndef KWS_CLI_REPLACE_H
#define KWS_CLI_REPLACE_H

#include <stdbool.h>
#include <stdio.h>

typedef struct {
	FILE *to;
	const char *path, *temporary;
	char *own;
} kws_replace;

/* Open r->to for writing; path MUST outlive r. False: the reason was printed. */
bool kws_replace_open(kws_replace *r, const char *path);

/* Close the file. If good, move it to its place, durably; otherwise remove it. Returns whether it
 * is in its place; errors were printed. */
bool kws_replace_finish(kws_replace *r, bool good);

#endif
