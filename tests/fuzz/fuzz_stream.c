/* fuzz_stream - any samples, cut anywhere: the same bits as in one piece, probabilities that are some, nothing allocated, and an
 * ear that hears again afterwards.
 *
 * The first byte chooses the rate, the next four seed the cuts. Then come runs of samples: a byte says how (low 3 bits) and how
 * many (high 5 bits, times 37): bytes as samples of full scale, their sign, any bits as floats, or one float again and again. */
#include "spot/stream.h"
#include "tests/allocations.h"
#include "tests/fuzz/fuzz.h"
#include "tests/tiny_model.h"

#include <math.h>
#include <string.h>

enum { RATE = 16000, HEAD = 5, MOST = 8000, AFTER = 3 * RATE, FRAMES = 256 };

typedef struct {
	size_t n;
	uint64_t sample[FRAMES];
	float prob[FRAMES][TINY_WORDS], logit[FRAMES][TINY_WORDS], level[FRAMES][2];
} record;

static void on_frame(void *ctx, const kws_frame *f)
{
	record *r = ctx;
	float sum = 0.0f;
	demand(r->n < FRAMES && f->n_words == TINY_WORDS && f->stride == 2);
	for (size_t w = 0; w < TINY_WORDS; w++) {
		demand(isfinite(f->logit[w]) && f->prob[w] >= 0.0f && f->prob[w] <= 1.0f);
		sum += f->prob[w];
	}
	demand(fabsf(sum - 1.0f) < 1e-5f);
	demand(isfinite(f->level[0]) && isfinite(f->level[1]));
	r->sample[r->n] = f->sample;
	memcpy(r->prob[r->n], f->prob, sizeof r->prob[0]);
	memcpy(r->logit[r->n], f->logit, sizeof r->logit[0]);
	memcpy(r->level[r->n], f->level, sizeof r->level[0]);
	r->n++;
}

/* One run of samples from the input; returns how many bytes it took. */
static size_t fill(const uint8_t *data, size_t size, float *pcm, size_t *n)
{
	const int how = data[0] & 7;
	const size_t want = 37u * (1u + (data[0] >> 3)), room = MOST - *n,
		     count = want < room ? want : room;
	size_t at = 1;
	float x = 0.0f;
	for (size_t i = 0; i < count; i++) {
		const size_t width = how < 3 ? 1 : sizeof x;
		const bool fresh = how < 5 || i == 0;
		if (fresh && at + width > size)
			return size;
		if (fresh && width == 1)
			x = how == 2 ? (data[at] & 1 ? 1.0f : -1.0f)
				     : (float)(int8_t)data[at] / 128.0f;
		else if (fresh)
			memcpy(&x, data + at, sizeof x);
		at += fresh ? width : 0;
		pcm[(*n)++] = x;
	}
	return at;
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* The samples whole, or cut by the seed. */
static void hear(kws_stream *s, const float *pcm, size_t n, uint32_t seed)
{
	const size_t calls = n_allocations;
	for (size_t at = 0; at < n;) {
		const size_t piece = seed ? next(&seed) % (next(&seed) % 3 ? 400 : 9000) : n;
		const size_t k = piece < n - at ? piece : n - at;
		kws_stream_process(s, pcm + at, k);
		at += k;
	}
	demand(calls == n_allocations);
}

static kws_stream *start(const kws_model *m, unsigned rate_hz, record *r)
{
	kws_error err = { "" };
	kws_stream *s;
	memset(r, 0, sizeof *r);
	demand(kws_stream_create(&s, m, rate_hz, on_frame, r, &err) == KWS_OK);
	return s;
}

/* Whatever came before: three seconds later a sound is as probable as if there had been silence. */
static void hears_again(const kws_model *m, kws_stream *used, record *r, size_t n)
{
	static float silence[MOST], sound[AFTER];
	static record other;
	kws_stream *fresh = start(m, RATE, &other);
	for (size_t i = 0; i < AFTER; i++)
		sound[i] = 0.2f * sinf(0.05f * (float)(i % 4000)) * (float)(i % 1000) / 1000.0f;
	hear(used, sound, AFTER, 0);
	hear(fresh, silence, n, 0);
	hear(fresh, sound, AFTER, 0);
	demand(r->n == other.n && r->n > 0);
	for (size_t w = 0; w < TINY_WORDS; w++)
		demand(fabsf(r->prob[r->n - 1][w] - other.prob[r->n - 1][w]) < 0.1f);
	kws_stream_destroy(fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned rates[] = { RATE, 8000, 48000, 44100, 11025, 192000 };
	static kws_model *model;
	static float pcm[MOST];
	static record whole, cut;
	size_t n = 0;
	fuzz_accepted = size > HEAD;
	if (size <= HEAD)
		return 0;
	if (!model)
		model = tiny_model_open(&tiny_default);
	const unsigned rate_hz = rates[data[0] % (sizeof rates / sizeof *rates)];
	uint32_t seed;
	memcpy(&seed, data + 1, sizeof seed);
	for (size_t at = HEAD; at < size && n < MOST;)
		at += fill(data + at, size - at, pcm, &n);
	kws_stream *a = start(model, rate_hz, &whole), *b = start(model, rate_hz, &cut);
	hear(a, pcm, n, 0);
	hear(b, pcm, n, seed | 1);
	demand(memcmp(&whole, &cut, sizeof whole) == 0);
	if (rate_hz == RATE && seed % 8 == 1) { /* now and then: it takes as long as all the rest */
		hears_again(model, a, &whole, n);
	} else {
		kws_stream_flush(a);
		kws_stream_flush(b);
		demand(memcmp(&whole, &cut, sizeof whole) == 0);
	}
	kws_stream_destroy(a);
	kws_stream_destroy(b);
	return 0;
}
