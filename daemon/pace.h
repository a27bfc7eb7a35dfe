/* pace.h - when a listener looks next for sound that comes in pieces.
 *
 * The next look comes a little before the next piece is due; if it is not there yet, the looks after
 * it come more often, and at last as often as pieces. So the looks follow the pieces closely, with
 * one thread and one timer.
 *
 * Each look costs as much as hearing some hundred milliseconds: the caches are cold. So while it is
 * quiet, a look takes as many pieces as come in 120 ms. A word that begins meanwhile lasts longer
 * than that, and is decided after its end, when the looks are closer again. */
#ifndef KWS_DAEMON_PACE_H
#define KWS_DAEMON_PACE_H

#include <stdbool.h>

typedef struct {
	unsigned misses;  /* looks in a row that found nothing */
	unsigned rest_ms; /* whole pieces that were to come before this look */
} kws_pace;

/* Seconds from this look to the next. piece_ms: 1 or more. found_s: length of the sound that this
 * look found. quiet: no voice was heard of late, so hardly a word will be decided in the next
 * 120 ms. Start with all 0. */
double kws_pace_next(kws_pace *p, unsigned piece_ms, double found_s, bool quiet);

#endif
