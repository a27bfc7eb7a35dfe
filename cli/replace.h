/* replace.h - a file that appears whole or not at all: written beside its place, then moved
 * there. */
#ifndef KWS_CLI_REPLACE_H
#define KWS_CLI_REPLACE_H

#include <stdbool.h>
#include <stdio.h>

typedef struct {
	FILE *to;
	const char *path, *temporary;
	char *own;
} kws_replace;

/* Open r->to for writing; path MUST outlive r. false: said why not. */
bool kws_replace_open(kws_replace *r, const char *path);

/* Close it and, if good, put it in its place, durably; else leave nothing. Returns whether it
 * stands there; what the system refused was said. */
bool kws_replace_finish(kws_replace *r, bool good);

#endif
