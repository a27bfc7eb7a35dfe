#include "dsp/mel.h"

#define KWS_VEC_BYTES 16 /* on every processor: other lanes would round differently */
#include "vec/lanes.h"
#include "vec/vec.h"

#include <fftw3.h>

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_HOPS = 16 };

typedef int32_t vi __attribute__((vector_size(LANES * sizeof(int32_t))));

/* LANES neighbouring triangles. Each covers n_blocks vectors of bins from its own first bin on,
 * filled up with zero weights. */
typedef struct {
	size_t bin[LANES];
	size_t n_blocks;
	const float *weights; /* (n_blocks, LANES triangles, LANES bins) */
} group;

struct kws_mel {
	kws_features cfg;
	const kws_vec *vec;
	size_t n_groups; /* of LANES triangles; the last group may have fewer */
	size_t n_power;	 /* n_fft / 2 + 1 bins, rounded up to whole vectors */
	float *window;	 /* (win,) */
	float *past;	 /* (win - hop,): state of m's own stream */
	float *pcm;	 /* (win - hop + BLOCK_HOPS * hop,): the past, then new hops */
	float *frame;	 /* (n_fft,): windowed, zeros from win on */
	float *spectrum; /* (n_power, 2): zeros after the last bin */
	float *power;	 /* (2 * n_power,): zeros from n_power on, for padded triangles */
	float *weights;
	group *groups; /* (n_groups,) */
	fftwf_plan plan;
};

/* FFTW's planner is the only part of it that is not thread-safe. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

static size_t whole_vectors(size_t n)
{
	return (n + LANES - 1) / LANES * LANES;
}

double kws_mel_of_hz(enum kws_mel_scale scale, double hz)
{
	if (scale == KWS_MEL_HTK)
		return 2595.0 * log10(1.0 + hz / 700.0);
	return hz < 1000.0 ? 3.0 * hz / 200.0 : 15.0 + 27.0 * log(hz / 1000.0) / log(6.4);
}

static double hz_of_mel(enum kws_mel_scale scale, double mel)
{
	if (scale == KWS_MEL_HTK)
		return 700.0 * (pow(10.0, mel / 2595.0) - 1.0);
	return mel < 15.0 ? 200.0 * mel / 3.0 : 1000.0 * exp((mel - 15.0) * log(6.4) / 27.0);
}

/* Edge i of the n_mels + 2 that are equally spaced in mel. Triangle m rises from edge m to m + 1
 * and falls to m + 2. */
static double edge_hz(const kws_features *c, size_t i)
{
	const double lo = kws_mel_of_hz(c->mel, (double)c->f_lo_hz);
	const double hi = kws_mel_of_hz(c->mel, (double)c->f_hi_hz);
	return hz_of_mel(c->mel, lo + (hi - lo) * (double)i / (double)(c->n_mels + 1));
}

static double triangle(const kws_features *c, size_t m, size_t bin)
{
	const double f = (double)bin * (double)c->rate_hz / (double)c->n_fft;
	const double left = edge_hz(c, m), peak = edge_hz(c, m + 1), right = edge_hz(c, m + 2);
	return fmax(0.0, fmin((f - left) / (peak - left), (right - f) / (right - peak)));
}

static enum kws_status check(const kws_features *c, kws_error *err)
{
	const double nyquist = (double)c->rate_hz / 2.0;
	if (c->rate_hz < 8000 || c->rate_hz > 48000)
		return kws_fail(err, KWS_ERR_ARG, "rate_hz: %u is not in 8000..48000", c->rate_hz);
	if (c->n_fft < 64 || c->n_fft > 4096 || (c->n_fft & (c->n_fft - 1)))
		return kws_fail(err, KWS_ERR_ARG, "n_fft: %u is not a power of two in 64..4096",
				c->n_fft);
	if (c->win < 1 || c->win > c->n_fft)
		return kws_fail(err, KWS_ERR_ARG, "win: %u is not in 1..n_fft (%u)", c->win,
				c->n_fft);
	if (c->hop < 1 || c->hop > c->win)
		return kws_fail(err, KWS_ERR_ARG, "hop: %u is not in 1..win (%u)", c->hop, c->win);
	if (c->n_mels < 1 || c->n_mels > 128)
		return kws_fail(err, KWS_ERR_ARG, "n_mels: %u is not in 1..128", c->n_mels);
	if (!(c->f_lo_hz >= 0.0f && c->f_lo_hz < c->f_hi_hz))
		return kws_fail(err, KWS_ERR_ARG, "f_lo_hz: %g is not in 0..f_hi_hz (%g)",
				(double)c->f_lo_hz, (double)c->f_hi_hz);
	if (!((double)c->f_hi_hz <= nyquist))
		return kws_fail(err, KWS_ERR_ARG, "f_hi_hz: %g is above half the rate (%g)",
				(double)c->f_hi_hz, nyquist);
	if (!(c->log_floor >= FLT_MIN && c->log_floor <= FLT_MAX))
		return kws_fail(err, KWS_ERR_ARG, "log_floor: %g is not a positive normal number",
				(double)c->log_floor);
	if (c->mel != KWS_MEL_HTK && c->mel != KWS_MEL_SLANEY)
		return kws_fail(err, KWS_ERR_ARG, "mel: there is no scale %d", (int)c->mel);
	return KWS_OK;
}

/* The number of bins in band m; *first is the first one. */
static size_t span(const kws_features *c, size_t m, size_t *first)
{
	size_t n = 0;
	for (size_t k = 0; k <= c->n_fft / 2; k++)
		if (triangle(c, m, k) > 0.0) {
			if (n == 0)
				*first = k;
			n++;
		}
	return n;
}

/* Find the bins of each group. Returns the number of weights they need; 0: a triangle is empty. */
static size_t lay_out(kws_mel *m, kws_error *err)
{
	const kws_features *c = &m->cfg;
	size_t total = 0;
	for (size_t i = 0; i < c->n_mels; i++) {
		group *g = &m->groups[i / LANES];
		const size_t n = span(c, i, &g->bin[i % LANES]);
		if (n == 0) {
			kws_fail(err, KWS_ERR_ARG,
				 "n_mels: band %zu, %.1f to %.1f Hz, holds no bin of n_fft %u", i,
				 edge_hz(c, i), edge_hz(c, i + 2), c->n_fft);
			return 0;
		}
		if (g->n_blocks < whole_vectors(n) / LANES)
			g->n_blocks = whole_vectors(n) / LANES;
	}
	for (size_t i = 0; i < m->n_groups; i++)
		total += m->groups[i].n_blocks * LANES * LANES;
	return total;
}

static enum kws_status make_bands(kws_mel *m, kws_error *err)
{
	const kws_features *c = &m->cfg;
	const size_t total = lay_out(m, err);
	if (total == 0)
		return KWS_ERR_ARG;
	float *w = m->weights = calloc(total, sizeof *m->weights);
	if (!w)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < m->n_groups; i++) {
		group *g = &m->groups[i];
		g->weights = w;
		for (size_t at = 0; at < g->n_blocks * LANES * LANES; at++) {
			const size_t j = at / LANES % LANES;
			const size_t k = g->bin[j] + at / LANES / LANES * LANES + at % LANES;
			if (i * LANES + j < c->n_mels && k <= c->n_fft / 2)
				*w = (float)triangle(c, i * LANES + j, k);
			w++;
		}
	}
	return KWS_OK;
}

static float *fft_buffer(size_t n)
{
	float *p = fftwf_malloc(n * sizeof *p);
	if (p)
		memset(p, 0, n * sizeof *p);
	return p;
}

static enum kws_status make_buffers(kws_mel *m, kws_error *err)
{
	const kws_features *c = &m->cfg;
	m->n_groups = whole_vectors(c->n_mels) / LANES;
	m->n_power = whole_vectors(c->n_fft / 2 + 1);
	m->window = calloc(c->win, sizeof *m->window);
	m->past = calloc((size_t)c->win - c->hop + 1, sizeof *m->past);
	m->pcm = calloc((size_t)c->win - c->hop + (size_t)BLOCK_HOPS * c->hop, sizeof *m->pcm);
	m->frame = fft_buffer(c->n_fft);
	m->spectrum = fft_buffer(2 * m->n_power);
	m->power = calloc(2 * m->n_power, sizeof *m->power);
	m->groups = calloc(m->n_groups, sizeof *m->groups);
	if (!m->window || !m->past || !m->pcm || !m->frame || !m->spectrum || !m->power
	    || !m->groups)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	const double pi = 3.14159265358979323846;
	for (size_t i = 0; i < c->win; i++)
		m->window[i] = (float)(0.5 - 0.5 * cos(2.0 * pi * (double)i / (double)c->win));
	return KWS_OK;
}

enum kws_status kws_mel_create(kws_mel **out, const kws_features *cfg, kws_error *err)
{
	*out = NULL;
	enum kws_status s = check(cfg, err);
	if (s != KWS_OK)
		return s;
	kws_mel *m = calloc(1, sizeof *m);
	if (!m)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	m->cfg = *cfg;
	m->vec = kws_vec_get();
	s = make_buffers(m, err);
	if (s != KWS_OK)
		goto fail;
	s = make_bands(m, err);
	if (s != KWS_OK)
		goto fail;
	/* FFTW_ESTIMATE: a measured plan is hardly faster, takes 0.1 s, and its rounding may differ
	 * from run to run. */
	pthread_mutex_lock(&planner);
	m->plan = fftwf_plan_dft_r2c_1d((int)cfg->n_fft, m->frame, (fftwf_complex *)m->spectrum,
					FFTW_ESTIMATE);
	pthread_mutex_unlock(&planner);
	if (!m->plan) {
		s = kws_fail(err, KWS_ERR_NOMEM, "FFTW has no plan for n_fft %u", cfg->n_fft);
		goto fail;
	}
	kws_mel_reset(m);
	*out = m;
	return KWS_OK;
fail:
	kws_mel_destroy(m);
	return s;
}

void kws_mel_destroy(kws_mel *m)
{
	if (!m)
		return;
	if (m->plan) {
		pthread_mutex_lock(&planner);
		fftwf_destroy_plan(m->plan);
		pthread_mutex_unlock(&planner);
	}
	fftwf_free(m->frame);
	fftwf_free(m->spectrum);
	free(m->window);
	free(m->past);
	free(m->pcm);
	free(m->power);
	free(m->weights);
	free(m->groups);
	free(m);
}

void kws_mel_reset(kws_mel *m)
{
	memset(m->past, 0, kws_mel_past(m) * sizeof *m->past);
}

static uint32_t bits_of(float x)
{
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	return u;
}

/* 2^-50 and 2^50 times full scale: in between, no power of the spectrum is subnormal (slow) or
 * infinite. */
enum { EXPONENT = 0x7f800000, LEAST = (127 - 50) << 23, MOST = (127 + 50) << 23 };

static void take_in(float *dst, const float *src, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES) {
		const vi bits = (vi)load(src + i);
		const vi e = bits & EXPONENT;
		store(dst + i, (vf)(bits & (e >= LEAST) & (e < MOST)));
	}
	for (; i < n; i++) {
		const uint32_t e = bits_of(src[i]) & EXPONENT;
		dst[i] = e >= LEAST && e < MOST ? src[i] : 0.0f;
	}
}

/* |z|^2 for whole vectors of bins. */
static void take_power(float *power, const float *spectrum, size_t n)
{
	for (size_t k = 0; k < n; k += LANES) {
		const vf a = load(spectrum + 2 * k), b = load(spectrum + 2 * k + LANES);
		const vf re = __builtin_shufflevector(a, b, 0, 2, 4, 6);
		const vf im = __builtin_shufflevector(a, b, 1, 3, 5, 7);
		store(power + k, re * re + im * im);
	}
}

/* Lane i of the result is the sum of the lanes of the i-th argument, as (0 + 2) + (1 + 3). */
static inline vf add_lanes(vf a, vf b, vf c, vf d)
{
	const vf ab = __builtin_shufflevector(a, b, 0, 4, 1, 5)
		      + __builtin_shufflevector(a, b, 2, 6, 3, 7);
	const vf cd = __builtin_shufflevector(c, d, 0, 4, 1, 5)
		      + __builtin_shufflevector(c, d, 2, 6, 3, 7);
	return __builtin_shufflevector(ab, cd, 0, 1, 4, 5)
	       + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

/* The power in each triangle, at least the floor. */
static void weigh(const kws_mel *m, float *out)
{
	const vf floor = (vf){ 0 } + m->cfg.log_floor;
	for (size_t i = 0; i < m->n_groups; i++) {
		const group *g = &m->groups[i];
		const float *p0 = m->power + g->bin[0], *p1 = m->power + g->bin[1];
		const float *p2 = m->power + g->bin[2], *p3 = m->power + g->bin[3];
		vf s0 = { 0 }, s1 = { 0 }, s2 = { 0 }, s3 = { 0 };
		for (size_t k = 0; k < g->n_blocks; k++) {
			const float *w0 = g->weights + k * LANES * LANES, *w1 = w0 + LANES;
			const float *w2 = w1 + LANES, *w3 = w2 + LANES;
			s0 += load(p0 + k * LANES) * load(w0);
			s1 += load(p1 + k * LANES) * load(w1);
			s2 += load(p2 + k * LANES) * load(w2);
			s3 += load(p3 + k * LANES) * load(w3);
		}
		const vf x = add_lanes(s0, s1, s2, s3);
		const vi above = x > floor;
		const vf y = (vf)(((vi)x & above) | ((vi)floor & ~above));
		const size_t left = m->cfg.n_mels - i * LANES;
		memcpy(out + i * LANES, &y, left < LANES ? left * sizeof *out : sizeof y);
	}
}

size_t kws_mel_past(const kws_mel *m)
{
	return m->cfg.win - m->cfg.hop;
}

void kws_mel_process(kws_mel *m, const float *pcm, size_t n_hops, float *frames)
{
	kws_mel_run(m, m->past, pcm, n_hops, frames);
}

void kws_mel_run(kws_mel *m, float *past, const float *pcm, size_t n_hops, float *frames)
{
	const size_t hop = m->cfg.hop, win = m->cfg.win, n_mels = m->cfg.n_mels, before = win - hop;
	memcpy(m->pcm, past, before * sizeof *past);
	while (n_hops) {
		const size_t n = n_hops < BLOCK_HOPS ? n_hops : BLOCK_HOPS;
		take_in(m->pcm + before, pcm, n * hop);
		for (size_t t = 0; t < n; t++) {
			m->vec->mul(m->frame, m->pcm + t * hop, m->window, win);
			fftwf_execute(m->plan);
			take_power(m->power, m->spectrum, m->n_power);
			weigh(m, frames + t * n_mels);
		}
		m->vec->log(frames, n * n_mels);
		memmove(m->pcm, m->pcm + n * hop, before * sizeof *m->pcm);
		pcm += n * hop;
		frames += n * n_mels;
		n_hops -= n;
	}
	memcpy(past, m->pcm, before * sizeof *past);
}
