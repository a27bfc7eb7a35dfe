#include "dsp/resample.h"

#include <samplerate.h>

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_HZ = 1000, MAX_HZ = 384000 };

/* The library's middle quality is flat to 0.84 of half the lower rate: 6.7 kHz of 16 kHz, -0.3 dB
 * at 7 kHz. Log-mel bands up to 7 kHz of speech at 44.1 to 192 kHz then differ from those of its
 * 16 kHz original by 0.00002 on average, 0.03 at most, in the last band. The best quality brings
 * that to 0.0004 for three times the time. */
enum { QUALITY = SRC_SINC_MEDIUM_QUALITY };

struct kws_resample {
	SRC_STATE *src; /* NULL: equal rates */
	float *pending; /* (quantum,) input that does not fill a quantum yet */
	size_t n_pending;
	size_t quantum; /* samples that the library gets at a time: 10 ms, rounded up */
	size_t latency; /* most input samples that the library holds back */
	unsigned in_hz, out_hz;
	uint64_t n_in, n_out; /* samples since reset, without whole seconds of input */
};

/* Convert n samples at in_hz to samples at out_hz, rounded up. */
static uint64_t scale_up(const kws_resample *rs, uint64_t n)
{
	return (n * rs->out_hz + rs->in_hz - 1) / rs->in_hz;
}

/* Process one whole quantum from pending. Returns how many samples were written. */
static size_t feed(kws_resample *rs, float *out, size_t room)
{
	SRC_DATA d = {
		.data_in = rs->pending,
		.input_frames = (long)rs->quantum,
		.data_out = out,
		.output_frames = (long)room,
		.src_ratio = (double)rs->out_hz / (double)rs->in_hz,
	};
	const int failed = src_process(rs->src, &d);
	assert(!failed && d.input_frames_used == d.input_frames);
	(void)failed;
	rs->n_pending = 0;
	return (size_t)d.output_frames_gen;
}

/* The library does not tell how much its filter holds back. Measure it: feed silence until the
 * first sample comes out. */
static enum kws_status measure_latency(kws_resample *rs)
{
	const size_t room = (size_t)scale_up(rs, rs->quantum) + 1;
	float *out = calloc(room, sizeof *out);
	if (!out)
		return KWS_ERR_NOMEM;
	size_t got = 0;
	for (rs->latency = 0; got == 0 && rs->latency < rs->in_hz; rs->latency += rs->quantum)
		got = feed(rs, out, room);
	free(out);
	return KWS_OK;
}

enum kws_status kws_resample_create(kws_resample **out, unsigned in_hz, unsigned out_hz)
{
	*out = NULL;
	if (in_hz < MIN_HZ || in_hz > MAX_HZ || out_hz < MIN_HZ || out_hz > MAX_HZ
	    || !src_is_valid_ratio((double)out_hz / (double)in_hz))
		return KWS_ERR_ARG;
	kws_resample *rs = calloc(1, sizeof *rs);
	if (!rs)
		return KWS_ERR_NOMEM;
	rs->in_hz = in_hz;
	rs->out_hz = out_hz;
	rs->quantum = (in_hz + 99) / 100;
	if (in_hz != out_hz) {
		int err = 0;
		rs->pending = calloc(rs->quantum, sizeof *rs->pending);
		rs->src = src_new(QUALITY, 1, &err);
		if (!rs->pending || !rs->src || measure_latency(rs) != KWS_OK)
			goto fail;
	}
	kws_resample_reset(rs);
	*out = rs;
	return KWS_OK;
fail:
	kws_resample_destroy(rs);
	return KWS_ERR_NOMEM;
}

void kws_resample_destroy(kws_resample *rs)
{
	if (!rs)
		return;
	if (rs->src)
		src_delete(rs->src);
	free(rs->pending);
	free(rs);
}

void kws_resample_reset(kws_resample *rs)
{
	if (rs->src)
		src_reset(rs->src);
	rs->n_pending = 0;
	rs->n_in = rs->n_out = 0;
}

size_t kws_resample_bound(const kws_resample *rs, size_t n)
{
	if (!rs->src)
		return n;
	/* pending samples, those in the filter, and the quantum of silence that flush adds */
	return (size_t)scale_up(rs, (uint64_t)n + 2 * rs->quantum + rs->latency) + 1;
}

/* Leave out whole seconds in both counters, so that they stay exact for ever. */
static void count(kws_resample *rs, size_t n_in, size_t n_out)
{
	rs->n_in += n_in;
	rs->n_out += n_out;
	while (rs->n_in >= 2 * (uint64_t)rs->in_hz && rs->n_out >= rs->out_hz) {
		rs->n_in -= rs->in_hz;
		rs->n_out -= rs->out_hz;
	}
}

size_t kws_resample_process(kws_resample *rs, const float *in, size_t n, float *out)
{
	if (!rs->src) {
		if (n)
			memcpy(out, in, n * sizeof *in);
		return n;
	}
	const size_t room = kws_resample_bound(rs, n);
	size_t made = 0;
	for (size_t at = 0; at < n;) {
		size_t take = rs->quantum - rs->n_pending;
		take = take < n - at ? take : n - at;
		/* NaN would spread over the whole length of the filter */
		for (size_t i = 0; i < take; i++)
			rs->pending[rs->n_pending + i] = isfinite(in[at + i]) ? in[at + i] : 0.0f;
		rs->n_pending += take;
		at += take;
		if (rs->n_pending == rs->quantum)
			made += feed(rs, out + made, room - made);
	}
	count(rs, n, made);
	return made;
}

/* The library's own end_of_input rounds the length in floating point. Silence after the input and a
 * count give the same samples and an exact length. */
size_t kws_resample_flush(kws_resample *rs, float *out)
{
	if (!rs->src)
		return 0;
	const size_t room = kws_resample_bound(rs, 0);
	const uint64_t want = scale_up(rs, rs->n_in);
	size_t made = 0;
	while (rs->n_out + made < want) {
		memset(rs->pending + rs->n_pending, 0,
		       (rs->quantum - rs->n_pending) * sizeof *rs->pending);
		made += feed(rs, out + made, room - made);
	}
	if (rs->n_out + made > want)
		made = (size_t)(want - rs->n_out);
	rs->n_out += made;
	return made;
}
