#include "spot/gate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static uint64_t samples(double seconds, unsigned in_hz)
{
	return (uint64_t)llround(seconds * in_hz);
}

void kws_gate_configure(kws_gate *g, unsigned in_hz, double within_s)
{
	assert(within_s >= 0.0 && within_s <= KWS_GATE_LONGEST_S);
	g->within = samples(within_s, in_hz);
}

void kws_gate_init(kws_gate *g, unsigned in_hz, double within_s)
{
	memset(g, 0, sizeof *g);
	g->back = samples(KWS_GATE_BACK_S, in_hz);
	g->rest = samples(KWS_GATE_REST_S, in_hz);
	kws_gate_configure(g, in_hz, within_s);
}

bool kws_gate_word_heard(kws_gate *g, const kws_gate_word *word, uint64_t decided)
{
	const uint64_t until = word->end + g->within + g->rest;
	const bool opened = !g->open;
	if (opened) {
		g->open = true;
		g->from = decided > g->back ? decided - g->back : 0;
		g->until = until;
		g->n_words = 0;
	}
	g->until = until > g->until ? until : g->until;
	g->words[g->n_words++ % KWS_GATE_WORDS] = *word;
	return opened;
}

/* The last word that ends at or before this sample. */
static const kws_gate_word *last_before(const kws_gate *g, uint64_t sample)
{
	const uint64_t n = g->n_words, kept = n < KWS_GATE_WORDS ? n : KWS_GATE_WORDS;
	for (uint64_t i = n; i > n - kept; i--) {
		const kws_gate_word *word = &g->words[(i - 1) % KWS_GATE_WORDS];
		if (word->end <= sample)
			return word;
	}
	return NULL;
}

const kws_gate_word *kws_gate_count(kws_gate *g, uint64_t start, uint64_t end)
{
	const uint64_t middle = start + (end - start) / 2;
	const kws_gate_word *word = last_before(g, middle);
	if (!word || start > word->end + g->within || middle < g->told)
		return NULL;
	g->told = end;
	return word;
}

void kws_gate_close(kws_gate *g)
{
	g->open = false;
}
