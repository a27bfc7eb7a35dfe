#include "spot/near.h"

#include "spot/decide.h"

bool kws_near_step(kws_near *n, uint64_t sample, float score, float bar, float threshold)
{
	bool was_open = n->open;

	if (threshold > 1.0f) {
		n->armed = n->open = n->ended = false;
		return false;
	}
	if (n->ended) {
		n->ended = false;
		return true;
	}
	if (score < KWS_NEAR_OVER * bar) {
		n->armed = true;
		n->open = false;
		n->ended = was_open && n->reached;
		return was_open && !n->reached;
	}
	if (n->armed && score >= bar) {
		n->armed = n->reached = false;
		n->open = sample >= n->quiet_until;
		n->start = sample;
		n->score = -1.0f;
	}
	n->reached = n->reached || score >= threshold;
	if (n->open && score > n->score) {
		n->score = score;
		n->peak = sample;
	}
	return false;
}

void kws_near_event(kws_near *n, uint64_t quiet_until)
{
	n->armed = n->open = n->ended = false;
	if (n->quiet_until < quiet_until)
		n->quiet_until = quiet_until;
}

void kws_near_events(kws_near *n, size_t n_words, const kws_event *ev, unsigned rate_hz,
		     unsigned refractory_ms)
{
	const uint64_t dead = (uint64_t)KWS_DECIDE_DEAD_MS * rate_hz / 1000;
	const uint64_t refractory = (uint64_t)refractory_ms * rate_hz / 1000;

	for (size_t w = 0; w < n_words; w++)
		kws_near_event(&n[w],
			       ev->sample
				       + (w == ev->word && refractory > dead ? refractory : dead));
}

bool kws_near_flush(kws_near *n)
{
	bool was_open = n->open || n->ended;

	n->open = n->ended = false;
	return was_open;
}
