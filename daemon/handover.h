/* handover.h - around a reload two models hear the same sound: which of their events are told, so that
 * none is lost and none told twice.
 *
 * The new model takes over at a moment of the stream, and hears some seconds before it once more. What
 * the old one had decided by then, is decided; what it had told of and reaches beyond, too. All times
 * are seconds of the stream. */
#ifndef KWS_DAEMON_HANDOVER_H
#define KWS_DAEMON_HANDOVER_H

#include <stdbool.h>

enum { KWS_HANDOVER_RECENT = 16 };

/* All zero: at the start of a stream. */
typedef struct {
	struct {
		char word[64];
		double start_s, end_s;
	} recent[KWS_HANDOVER_RECENT]; /* told */
	unsigned n_recent;
	double at_s; /* of the last handover */
	bool happened;
} kws_handover;

/* An event is told. */
void kws_handover_told(kws_handover *h, const char *word, double start_s, double end_s);
/* Another model takes over here. */
void kws_handover_begin(kws_handover *h, double at_s);
/* Whether the model before has told of this event, or found it to be nothing. near: a near miss. */
bool kws_handover_was_decided(const kws_handover *h, const char *word, double start_s, double end_s,
			      double decided_s, bool near);

#endif
