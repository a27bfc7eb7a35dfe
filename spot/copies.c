#include "spot/copies.h"

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

static enum kws_status hear(kws_copy *c, kws_embedder *e, const kws_said *said, unsigned rate_hz)
{
	const size_t step = kws_embedder_step(e), rank = kws_embedder_rank(e);
	c->n = said->n / step;
	c->all = calloc(c->n * rank + 1, sizeof *c->all);
	float *rows = calloc(c->n * kws_embedder_dim(e) + 1, sizeof *rows);
	const bool good = c->all && rows;
	if (good) {
		kws_embedder_reset(e);
		kws_embedder_run(e, said->pcm, c->n, rows);
		kws_embedder_points(e, rows, c->n, c->all);
		mark(c, said, step, rate_hz);
	}
	free(rows);
	return good ? KWS_OK : KWS_ERR_NOMEM;
}

enum kws_status kws_copies_make(kws_copy *c, kws_embedder *e, const kws_said *take,
				const kws_said *others, size_t n_others, uint64_t seed,
				unsigned rate_hz)
{
	kws_random r = kws_random_init(seed, 1);
	for (unsigned k = 0; k < KWS_COPIES; k++) {
		kws_said said;
		if (kws_augment(&r, take, others, n_others, k, rate_hz, &said))
			return KWS_ERR_NOMEM;
		const enum kws_status status = hear(&c[k], e, &said, rate_hz);
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
