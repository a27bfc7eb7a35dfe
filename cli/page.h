/* page.h - what kws listen shows on a terminal: a level meter, a bar for each word with its
 * threshold and its highest score of late, the last 30 seconds, and what was found. It fits from 40
 * columns on. */
#ifndef KWS_CLI_PAGE_H
#define KWS_CLI_PAGE_H

#include "cli/listening.h"

#include <stdio.h>

typedef struct {
	unsigned columns, rows;
	bool colour, utf8;
	const char *title;
	const char *warning; /* "": none */
	size_t chosen;	     /* the word that keys change */
} kws_page;

/* Draw all of it, from the first row on; every row ends on its own line, but for the last. */
void kws_page_draw(const kws_page *p, const kws_listening *l, FILE *to);

/* m:ss.t, from an hour on h:mm:ss.t; at least 12 bytes. */
const char *kws_page_clock(double s, char text[24]);

/* The threshold as the page shows it: "0.85", "0.885", "0.9995", "off". */
const char *kws_page_threshold(float x, char text[16]);

#endif
