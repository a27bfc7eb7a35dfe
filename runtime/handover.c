#include "runtime/handover.h"

#include <stdio.h>
#include <string.h>

/* A decision takes at most 0.5 s (KWS_DECIDE_WAIT_MAX_MS). What the old model had not decided by then
 * belongs to the new model. */
static const double undecided_s = 0.7;

void kws_handover_told(kws_handover *h, const char *word, double start_s, double end_s)
{
	unsigned i = h->n_recent++ % KWS_HANDOVER_RECENT;

	snprintf(h->recent[i].word, sizeof h->recent[i].word, "%s", word);
	h->recent[i].start_s = start_s;
	h->recent[i].end_s = end_s;
}

void kws_handover_begin(kws_handover *h, double at_s)
{
	if (!h->happened || at_s > h->at_s)
		h->at_s = at_s;
	h->happened = true;
}

static bool was_told(const kws_handover *h, const char *word, double start_s, double end_s)
{
	for (unsigned i = 0; i < KWS_HANDOVER_RECENT; i++)
		if (!strcmp(h->recent[i].word, word) && start_s < h->recent[i].end_s
		    && h->recent[i].start_s < end_s)
			return true;
	return false;
}

bool kws_handover_was_decided(const kws_handover *h, const char *word, double start_s, double end_s,
			      double decided_s, bool near)
{
	if (!h->happened)
		return false;
	if (decided_s + (near ? 0.0 : undecided_s) < h->at_s)
		return true;
	return start_s < h->at_s && was_told(h, word, start_s, end_s);
}
