#include "spot/copies.h"

#include "spot/sounds.h"

#include <stdlib.h>
#include <string.h>

enum {
	AFTER_MS = 250, /* a row may end this long after the word and still count as it */
	BEFORE_MS = 20,
	LEAD_MS = 560, /* rows that end earlier have too little context */
};

/* Find the points of the word and of its first half. */
static void mark(kws_copy *c, const kws_said *said, size_t step, size_t rate_hz)
{
	const size_t before = BEFORE_MS * rate_hz / 1000, after = AFTER_MS * rate_hz / 1000;
	const size_t half = said->start + 11 * (said->end - said->start) / 20;
	for (size_t i = 0; i < c->n; i++) {
		const size_t end = (i + 1) * step;
		if (end + before >= said->end && end <= said->end + after)
			c->is = c->n_is++ ? c->is : i;
		else if (end > LEAD_MS * rate_hz / 1000 && end <= half)
			c->half = c->n_half++ ? c->half : i;
	}
}

/* What degrades a copy: synthetic sounds, bits of kws_augment(), or those of the bank. */
typedef struct {
	unsigned synthetic;
	bool noise, speech;
} plan;

/* Sounds of the bank are better than synthetic ones, but there are few of them. */
static plan draw(kws_random *r, const kws_bank *b, size_t n_mels)
{
	const bool voice = kws_random_below(r, 10) < 4, noise = kws_random_below(r, 10) < 8;
	const bool real_voice = kws_random_below(r, 10) < 8,
		   real_noise = kws_random_below(r, 10) < 7;
	const plan p = { .speech =
				 voice && real_voice && kws_sounds_has(b, KWS_BANK_SPEECH, n_mels),
			 .noise =
				 noise && real_noise && kws_sounds_has(b, KWS_BANK_NOISE, n_mels) };
	return (plan){ .synthetic = (voice && !p.speech ? KWS_AUGMENT_VOICE : 0u)
				    | (noise && !p.noise ? KWS_AUGMENT_NOISE : 0u),
		       .speech = p.speech,
		       .noise = p.noise };
}

/* A copy of a take, and what is made from it. */
typedef struct {
	kws_embedder *embedder;
	const kws_bank *bank;
	kws_random random;
	unsigned rate_hz;
} hearing;

static enum kws_status hear(kws_copy *c, hearing *h, const kws_said *said, plan p)
{
	kws_embedder *e = h->embedder;
	const size_t step = kws_embedder_step(e), per_row = kws_embedder_frames_per_row(e),
		     hop = step / per_row;
	c->n = said->n / step;
	kws_word_frames f = { .n = c->n * per_row,
			      .n_mels = kws_embedder_n_mels(e),
			      .start = said->start / hop,
			      .end = said->end / hop };
	f.at = calloc(f.n * f.n_mels + 1, sizeof *f.at);
	c->all = calloc(c->n * kws_embedder_rank(e) + 1, sizeof *c->all);
	float *rows = calloc(c->n * kws_embedder_dim(e) + 1, sizeof *rows);
	const bool good = f.at && c->all && rows;
	if (good) {
		kws_embedder_reset(e);
		kws_embedder_mel(e, said->pcm, c->n, f.at);
		if (p.speech)
			kws_sounds_add_speech(&h->random, h->bank, &f);
		if (p.noise)
			kws_sounds_add_noise(&h->random, h->bank, &f);
		kws_embedder_run_frames(e, f.at, c->n, rows);
		kws_embedder_points(e, rows, c->n, c->all);
		mark(c, said, step, h->rate_hz);
	}
	free(f.at);
	free(rows);
	return good ? KWS_OK : KWS_ERR_NOMEM;
}

enum kws_status kws_copies_make(kws_copy *c, kws_embedder *e, const kws_bank *bank,
				const kws_said *take, const kws_said *others, size_t n_others,
				uint64_t seed, unsigned rate_hz)
{
	hearing h = { e, bank, kws_random_init(seed, 1), rate_hz };
	for (size_t k = 0; k < KWS_COPIES; k++) {
		kws_said said;
		const plan p = k ? draw(&h.random, bank, kws_embedder_n_mels(e)) : (plan){ 0 };
		if (kws_augment(&h.random, take, others, n_others, k == 0, p.synthetic, rate_hz,
				&said))
			return KWS_ERR_NOMEM;
		const enum kws_status status = hear(&c[k], &h, &said, p);
		free(said.pcm);
		if (status)
			return status;
	}
	return KWS_OK;
}

void kws_copies_free(kws_copy *c)
{
	for (size_t i = 0; i < KWS_COPIES; i++)
		free(c[i].all);
	memset(c, 0, KWS_COPIES * sizeof *c);
}
