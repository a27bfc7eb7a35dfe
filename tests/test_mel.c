/* The features against the formula in double precision, and the properties that a stream needs. */
#include "dsp/mel.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double pi = 3.14159265358979323846;

static const kws_features usual = { .rate_hz = 16000,
				    .win = 400,
				    .hop = 160,
				    .n_fft = 512,
				    .n_mels = 40,
				    .f_lo_hz = 20.0f,
				    .f_hi_hz = 7000.0f,
				    .log_floor = 1e-5f };

static const kws_features several[] = {
	{ 16000, 400, 160, 512, 40, 20.0f, 7000.0f, 1e-5f, KWS_MEL_HTK },
	{ 16000, 400, 160, 512, 32, 60.0f, 3800.0f, 1e-4f, KWS_MEL_SLANEY },
	{ 16000, 512, 512, 512, 13, 0.0f, 8000.0f, 1e-3f,
	  KWS_MEL_SLANEY }, /* no overlap, no padding, odd number of bands */
	{ 8000, 201, 67, 256, 23, 60.5f, 3999.0f, 1e-4f,
	  KWS_MEL_HTK }, /* nothing is a multiple of anything */
	{ 16000, 64, 1, 64, 1, 100.0f, 5000.0f, 1e-4f, KWS_MEL_HTK }, /* every sample a frame */
	{ 48000, 1200, 480, 2048, 80, 20.0f, 12000.0f, 1e-3f, KWS_MEL_HTK },
	{ 44100, 4096, 441, 4096, 128, 300.0f, 22050.0f, 1e-2f, KWS_MEL_HTK },
};
enum { N_SEVERAL = sizeof several / sizeof *several };

static uint32_t draw(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static void *mem(size_t n)
{
	void *p = calloc(n ? n : 1, sizeof(float));
	assert_non_null(p);
	return p;
}

static kws_mel *create(const kws_features *c)
{
	kws_mel *m = NULL;
	kws_error err;
	if (kws_mel_create(&m, c, &err) != KWS_OK)
		fail_msg("%s", err.text);
	assert_non_null(m);
	return m;
}

/* The i-th of the n_mels + 2 edges of the bands, by bisection of the scales' formulas. */
static double edge(const kws_features *c, size_t i)
{
	const double f[] = { (double)c->f_lo_hz, (double)c->f_hi_hz };
	double mel[2], lo = 0.0, hi = 24000.0;
	for (int k = 0; k < 60 + 2; k++) {
		const double hz = k < 2 ? f[k] : (lo + hi) / 2.0;
		const double m = c->mel == KWS_MEL_HTK ? 2595.0 * log10(1.0 + hz / 700.0)
				 : hz < 1000.0	       ? 3.0 * hz / 200.0
					       : 15.0 + log(hz / 1000.0) / (log(6.4) / 27.0);
		if (k < 2)
			mel[k] = m;
		else if (m < mel[0] + (mel[1] - mel[0]) * (double)i / (c->n_mels + 1))
			lo = hz;
		else
			hi = hz;
	}
	return lo;
}

/* Rather like speech: harmonics that fall by 1/h and move, a little noise. */
static float *voice(const kws_features *c, size_t n)
{
	float *x = mem(n);
	uint32_t seed = 1;
	double phase = 0;
	for (size_t i = 0; i < n; i++) {
		const double t = (double)i / c->rate_hz;
		phase += 2.0 * pi * (120.0 + 30.0 * sin(2.0 * pi * 3.0 * t)) / c->rate_hz;
		double v = 0.002 * ((double)draw(&seed) / 8388608.0 - 1.0);
		for (int h = 1; h <= 20; h++)
			v += 0.1 / h * sin(h * phase);
		x[i] = (float)v;
	}
	return x;
}

/* The header's formula, directly: one frame from the win samples that end before x + end. */
static void reference(const kws_features *c, const float *x, size_t end, double *frame)
{
	const size_t n_bins = c->n_fft / 2 + 1;
	double *power = calloc(n_bins, sizeof *power), *turn = calloc(c->n_fft, 2 * sizeof *turn);
	double *window = calloc(c->win, sizeof *window);
	assert_non_null(power);
	assert_non_null(turn);
	assert_non_null(window);
	for (size_t i = 0; i < c->n_fft; i++) {
		turn[2 * i] = cos(2.0 * pi * (double)i / c->n_fft);
		turn[2 * i + 1] = -sin(2.0 * pi * (double)i / c->n_fft);
	}
	for (size_t i = 0; i < c->win; i++)
		window[i] = 0.5 * (1.0 - cos(2.0 * pi * (double)i / c->win));
	for (size_t k = 0; k < n_bins; k++) {
		double re = 0, im = 0;
		for (size_t i = 0; i < c->win; i++) {
			if (end + i < c->win)
				continue; /* silence before the start */
			const double v = window[i] * (double)x[end + i - c->win];
			re += v * turn[2 * (k * i % c->n_fft)];
			im += v * turn[2 * (k * i % c->n_fft) + 1];
		}
		power[k] = re * re + im * im;
	}
	for (size_t m = 0; m < c->n_mels; m++) {
		double e[3], sum = 0;
		for (size_t j = 0; j < 3; j++)
			e[j] = edge(c, m + j);
		for (size_t k = 0; k < n_bins; k++) {
			const double f = (double)k * c->rate_hz / c->n_fft;
			if (f > e[0] && f < e[2])
				sum += power[k]
				       * (f < e[1] ? (f - e[0]) / (e[1] - e[0])
						   : (e[2] - f) / (e[2] - e[1]));
		}
		frame[m] = log(fmax((double)c->log_floor, sum));
	}
	free(power);
	free(turn);
	free(window);
}

static void frames_follow_the_formula(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SEVERAL; i++) {
		const kws_features *c = &several[i];
		const size_t n_hops = 2 * c->win / c->hop + 3;
		float *pcm = voice(c, n_hops * c->hop), *got = mem(n_hops * c->n_mels);
		double want[128];
		kws_mel *m = create(c);
		kws_mel_process(m, pcm, n_hops, got);
		for (size_t t = 0; t < n_hops; t += 1 + n_hops / 4) {
			reference(c, pcm, (t + 1) * c->hop, want);
			for (size_t b = 0; b < c->n_mels; b++) {
				const double diff = fabs((double)got[t * c->n_mels + b] - want[b]);
				if (!(diff <= 1e-4))
					fail_msg("config %zu frame %zu band %zu: %.7f, want %.7f",
						 i, t, b, (double)got[t * c->n_mels + b], want[b]);
			}
		}
		kws_mel_destroy(m);
		free(pcm);
		free(got);
	}
}

static void any_cut_gives_the_same_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SEVERAL; i++) {
		const kws_features *c = &several[i];
		const size_t n_hops = 100, size = n_hops * c->n_mels;
		float *pcm = voice(c, n_hops * c->hop), *want = mem(size), *got = mem(size);
		kws_mel *m = create(c);
		kws_mel_process(m, pcm, n_hops, want);
		uint32_t seed = 3;
		for (size_t most = 1; most <= 64; most *= 2) {
			kws_mel_reset(m); /* and so: reset equals new */
			memset(got, 0, size * sizeof *got);
			for (size_t t = 0; t < n_hops;) {
				size_t n = draw(&seed) % (most + 1);
				n = n < n_hops - t ? n : n_hops - t;
				kws_mel_process(m, pcm + t * c->hop, n, got + t * c->n_mels);
				t += n;
			}
			assert_memory_equal(got, want, size * sizeof *got);
		}
		kws_mel_destroy(m);
		free(pcm);
		free(want);
		free(got);
	}
}

static void tones_peak_in_their_band(void **state)
{
	(void)state;
	const kws_features *c = &usual;
	kws_mel *m = create(c);
	float *pcm = mem(10 * c->hop), *frames = mem(10 * c->n_mels);
	for (size_t b = 0; b < c->n_mels; b++) {
		const double hz = edge(c, b + 1);
		for (size_t i = 0; i < 10 * c->hop; i++)
			pcm[i] = (float)(0.9 * sin(2.0 * pi * hz * (double)i / c->rate_hz));
		kws_mel_reset(m);
		kws_mel_process(m, pcm, 10, frames);
		const float *last = frames + 9 * c->n_mels;
		size_t peak = 0;
		for (size_t k = 0; k < c->n_mels; k++)
			peak = last[k] > last[peak] ? k : peak;
		/* below 500 Hz a band is narrower than the window's main lobe, and its wider
		 * neighbour may win */
		if (!(peak == b || (hz < 500.0 && peak == b + 1)))
			fail_msg("%.1f Hz, band %zu, peaks in %zu", hz, b, peak);
		for (size_t k = 0; k < c->n_mels;
		     k++) /* three bands and 200 Hz away the tone is 40 dB down */
			if (hz > 1000.0 && (k + 3 < b || k > b + 3))
				assert_true(last[k] < last[b] - 9.2f);
	}
	kws_mel_destroy(m);
	free(pcm);
	free(frames);
}

static void silence_is_the_floor(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SEVERAL; i++) {
		const kws_features *c = &several[i];
		float *pcm = mem(20 * c->hop), *frames = mem(20 * c->n_mels);
		kws_mel *m = create(c);
		kws_mel_process(m, pcm, 20, frames);
		for (size_t k = 0; k < 20 * c->n_mels; k++)
			assert_true(fabsf(frames[k] - logf(c->log_floor)) <= 2e-6f
				    && frames[k] == frames[0]);
		kws_mel_destroy(m);
		free(pcm);
		free(frames);
	}
}

/* Twice as loud is 2 ln 2 more, in every band that is well above the floor. */
static void loudness_adds(void **state)
{
	(void)state;
	enum { HOPS = 30 };
	const size_t n = HOPS * usual.hop, size = HOPS * usual.n_mels;
	float *pcm = voice(&usual, n), *once = mem(size), *twice = mem(size);
	kws_mel *m = create(&usual);
	kws_mel_process(m, pcm, HOPS, once);
	for (size_t i = 0; i < n; i++)
		pcm[i] *= 2.0f;
	kws_mel_reset(m);
	kws_mel_process(m, pcm, HOPS, twice);
	size_t above = 0;
	for (size_t k = 0; k < size; k++)
		if (once[k] > logf(usual.log_floor) + 1.0f) {
			assert_true(fabsf(twice[k] - once[k] - 1.3862944f) <= 5e-6f);
			above++;
		}
	assert_true(above > size / 2);
	kws_mel_destroy(m);
	free(pcm);
	free(once);
	free(twice);
}

/* What is no number counts as 0; nothing that a float can hold makes a frame that is no number. */
static void output_is_finite(void **state)
{
	(void)state;
	static const float odd[] = { NAN,    INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 1e30f,
				     1e15f,  1.1e15f,  -1.0f,	  1e-38f,  1e-45f,   -1e-42f,
				     1e-20f, -1e-15f,  -0.0f,	  32768.0f };
	enum { HOPS = 40, N_ODD = sizeof odd / sizeof *odd };
	const size_t n = HOPS * usual.hop, size = HOPS * usual.n_mels;
	float *bad = voice(&usual, n), *good = mem(n), *got = mem(size), *want = mem(size);
	kws_mel *m = create(&usual);
	for (size_t i = 0; i < N_ODD; i++) { /* one kind of sample and nothing else */
		for (size_t k = 0; k < n; k++)
			good[k] = odd[i];
		kws_mel_reset(m);
		kws_mel_process(m, good, HOPS, got);
		for (size_t k = 0; k < size; k++)
			assert_true(isfinite(got[k]) && got[k] >= logf(usual.log_floor) - 2e-6f);
	}
	uint32_t seed = 4;
	for (size_t k = 0; k < n; k++) {
		const uint32_t dice = draw(&seed) % 64;
		good[k] = dice < 6 ? 0.0f : bad[k];
		bad[k] = dice < 6 ? odd[dice] : bad[k];
	}
	kws_mel_reset(m);
	kws_mel_process(m, good, HOPS, want);
	kws_mel_reset(m);
	kws_mel_process(m, bad, HOPS, got);
	assert_memory_equal(got, want, size * sizeof *got);
	kws_mel_destroy(m);
	free(bad);
	free(good);
	free(got);
	free(want);
}

static void two_streams_do_not_meet(void **state)
{
	(void)state;
	enum { HOPS = 20 };
	const size_t hop = usual.hop, n_mels = usual.n_mels;
	float *x = voice(&usual, HOPS * hop), *y = mem(HOPS * hop), other[128];
	float *want = mem(HOPS * n_mels), *got = mem(HOPS * n_mels);
	for (size_t k = 0; k < HOPS * hop; k++)
		y[k] = -3.0f * x[HOPS * hop - 1 - k];
	kws_mel *a = create(&usual), *b = create(&usual);
	kws_mel_process(a, x, HOPS, want);
	kws_mel_reset(a);
	for (size_t t = 0; t < HOPS; t++) {
		kws_mel_process(a, x + t * hop, 1, got + t * n_mels);
		kws_mel_process(b, y + t * hop, 1, other);
	}
	assert_memory_equal(got, want, HOPS * n_mels * sizeof *got);
	kws_mel_destroy(a);
	kws_mel_destroy(b);
	free(x);
	free(y);
	free(want);
	free(got);
}

static void *make_and_run(void *arg)
{
	float *frames = arg;
	float *pcm = mem(3 * usual.hop);
	for (size_t i = 0; i < 3 * usual.hop; i++)
		pcm[i] = (float)(i % 100) / 100.0f;
	for (int i = 0; i < 10; i++) {
		kws_mel *m = NULL;
		if (kws_mel_create(&m, &usual, NULL) != KWS_OK)
			break; /* leaves frames as they are, which the caller sees */
		kws_mel_process(m, pcm, 3, frames);
		kws_mel_destroy(m);
	}
	free(pcm);
	return NULL;
}

/* FFTW's planner takes one thread at a time; proof only under TSan. */
static void threads_may_create(void **state)
{
	(void)state;
	enum { THREADS = 4 };
	pthread_t thread[THREADS];
	float *frames[THREADS], *want = mem(3 * usual.n_mels);
	make_and_run(want);
	assert_true(want[0] != 0.0f);
	for (size_t i = 0; i < THREADS; i++) {
		frames[i] = mem(3 * usual.n_mels);
		assert_int_equal(pthread_create(&thread[i], NULL, make_and_run, frames[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_memory_equal(frames[i], want, 3 * usual.n_mels * sizeof *want);
		free(frames[i]);
	}
	free(want);
}

static void refused(const char *field, kws_features c)
{
	kws_mel *m = (kws_mel *)&c;
	kws_error err = { "" };
	assert_int_equal(kws_mel_create(&m, &c, &err), KWS_ERR_ARG);
	assert_null(m);
	const size_t n = strlen(field);
	if (strncmp(err.text, field, n) != 0 || err.text[n] != ':')
		fail_msg("%s: %s", field, err.text);
	assert_int_equal(kws_mel_create(&m, &c, NULL), KWS_ERR_ARG);
}

static kws_features with_floats(float lo, float hi, float floor)
{
	kws_features c = usual;
	c.f_lo_hz = lo;
	c.f_hi_hz = hi;
	c.log_floor = floor;
	return c;
}

static kws_features with_counts(unsigned rate, unsigned win, unsigned hop, unsigned n_fft,
				unsigned n_mels)
{
	kws_features c = usual;
	c.rate_hz = rate;
	c.win = win;
	c.hop = hop;
	c.n_fft = n_fft;
	c.n_mels = n_mels;
	return c;
}

static void bad_fields_are_named(void **state)
{
	(void)state;
	refused("rate_hz", with_counts(7999, 400, 160, 512, 40));
	refused("rate_hz", with_counts(48001, 400, 160, 512, 40));
	refused("win", with_counts(16000, 513, 160, 512, 40));
	refused("win", with_counts(16000, 0, 0, 512, 40));
	refused("hop", with_counts(16000, 400, 401, 512, 40));
	refused("hop", with_counts(16000, 400, 0, 512, 40));
	refused("n_fft", with_counts(16000, 400, 160, 500, 40));
	refused("n_fft", with_counts(16000, 32, 16, 32, 4));
	refused("n_fft", with_counts(16000, 400, 160, 8192, 40));
	refused("n_fft", with_counts(16000, 400, 160, 0, 40));
	refused("n_mels", with_counts(16000, 400, 160, 512, 0));
	refused("n_mels", with_counts(16000, 400, 160, 512, 129));
	refused("n_mels",
		with_counts(16000, 400, 160, 512, 128)); /* empty triangles at the bottom */
	refused("f_lo_hz", with_floats(-1.0f, 7000.0f, 1e-5f));
	kws_features c = usual;
	c.mel = (enum kws_mel_scale)2;
	refused("mel", c);
	refused("f_lo_hz", with_floats(7000.0f, 7000.0f, 1e-5f));
	refused("f_lo_hz", with_floats(NAN, 7000.0f, 1e-5f));
	refused("f_lo_hz", with_floats(20.0f, NAN, 1e-5f));
	refused("f_hi_hz", with_floats(20.0f, 8000.5f, 1e-5f));
	refused("f_hi_hz", with_floats(20.0f, INFINITY, 1e-5f));
	refused("log_floor", with_floats(20.0f, 7000.0f, 0.0f));
	refused("log_floor", with_floats(20.0f, 7000.0f, -1.0f));
	refused("log_floor", with_floats(20.0f, 7000.0f, 1e-40f));
	refused("log_floor", with_floats(20.0f, 7000.0f, INFINITY));
	refused("log_floor", with_floats(20.0f, 7000.0f, NAN));
	kws_mel_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_follow_the_formula),
		cmocka_unit_test(any_cut_gives_the_same_bits),
		cmocka_unit_test(tones_peak_in_their_band),
		cmocka_unit_test(silence_is_the_floor),
		cmocka_unit_test(loudness_adds),
		cmocka_unit_test(output_is_finite),
		cmocka_unit_test(two_streams_do_not_meet),
		cmocka_unit_test(threads_may_create),
		cmocka_unit_test(bad_fields_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
