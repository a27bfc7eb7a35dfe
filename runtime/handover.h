/* handover.h - around a reload, two models process the same sound. Decides which of their events
 * are reported, so that none is lost and none is reported twice.
 *
 * The new model takes over at a moment of the stream, and processes some seconds before it again.
 * What the old model had decided by then stays decided; so does a word that it had reported and
 * that lasts beyond that moment. All times are seconds of the stream. */
#ifndef KWS_RUNTIME_HANDOVER_H
#define KWS_RUNTIME_HANDOVER_H

#include <stdbool.h>

/* The seconds before it that the new model processes again, to be as warm as the old one. */
enum { KWS_HANDOVER_WARM_S = 3 };

enum { KWS_HANDOVER_RECENT = 16 };

/* All zero: at the start of a stream. */
typedef struct {
	struct {
		char word[64];
		double start_s, end_s;
	} recent[KWS_HANDOVER_RECENT]; /* reported */
	unsigned n_recent;
	double at_s; /* of the last handover */
	bool happened;
} kws_handover;

/* An event was reported. */
void kws_handover_told(kws_handover *h, const char *word, double start_s, double end_s);
/* Another model takes over at at_s. If that is before the last handover, because the model that
 * leaves had not caught up yet, the last one still counts. */
void kws_handover_begin(kws_handover *h, double at_s);
/* Whether the previous model has reported or rejected this event. near: it is a near miss. */
bool kws_handover_was_decided(const kws_handover *h, const char *word, double start_s, double end_s,
			      double decided_s, bool near);

#endif
