/* progress.h - one line on the terminal: how much is done, how fast, and the time left. */
#ifndef KWS_CLI_PROGRESS_H
#define KWS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

typedef struct {
	bool on;      /* stderr is a terminal */
	bool visible; /* the line is visible on it */
	struct timespec start, last;
	size_t total;
} kws_progress;

void kws_progress_start(kws_progress *p, size_t total);

/* Show that `done' files with this many seconds of audio are done. Draws nothing in the first
 * second, and then at most ten times per second. */
void kws_progress_show(kws_progress *p, size_t done, double audio_s);

/* Remove the line, before anything else is written to the terminal and at the end. */
void kws_progress_clear(kws_progress *p);

#endif
