/* The resampler by numbers: length, time, signal to noise, aliases; and that no cut of the input
 * changes a bit. */
#include "dsp/resample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const unsigned rates[] = { 8000,	 8001,	11025, 12345, 16000, 22050,  32000,
				  37800, 44056, 44100, 48000, 96000, 176400, 192000 };
enum { N_RATES = sizeof rates / sizeof *rates, OUT_HZ = 16000 };

static const float canary = 12345.0f;

static uint32_t draw(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static float noise(uint32_t *s)
{
	return (float)draw(s) / 8388608.0f - 1.0f;
}

static float *room_for(size_t n)
{
	float *p = malloc((n + 1) * sizeof *p);
	assert_non_null(p);
	return p;
}

static kws_resample *create(unsigned in_hz, unsigned out_hz)
{
	kws_resample *rs = NULL;
	assert_int_equal(kws_resample_create(&rs, in_hz, out_hz), KWS_OK);
	assert_non_null(rs);
	return rs;
}

/* One call that may write at most bound(): into a buffer of that size, so that ASan watches too. */
static size_t call(kws_resample *rs, const float *in, size_t n, int flush, float *out)
{
	const size_t bound = kws_resample_bound(rs, n);
	float *tmp = room_for(bound);
	tmp[bound] = canary;
	const size_t got =
		flush ? kws_resample_flush(rs, tmp) : kws_resample_process(rs, in, n, tmp);
	assert_true(got <= bound && tmp[bound] == canary);
	memcpy(out, tmp, got * sizeof *tmp);
	free(tmp);
	return got;
}

/* The whole of in, in calls of 0 to max_cut samples (max_cut 0: in one), and the flush. *n_out is
 * how many came. */
static float *convert(kws_resample *rs, const float *in, size_t n, size_t max_cut, uint32_t seed,
		      size_t *n_out)
{
	float *out = room_for(2 * n * OUT_HZ / 8000 + 1000);
	size_t made = 0;
	for (size_t at = 0; at < n;) {
		size_t cut = max_cut ? draw(&seed) % (max_cut + 1) : n;
		if (cut > n - at)
			cut = n - at;
		made += call(rs, in + at, cut, 0, out + made);
		at += cut;
	}
	made += call(rs, NULL, 0, 1, out + made);
	*n_out = made;
	return out;
}

static void any_cut_gives_the_same_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RATES; i++) {
		const size_t n = rates[i] / 8 + 123, cuts[] = { 3, rates[i] / 100, rates[i] / 30 };
		float *in = room_for(n);
		uint32_t seed = (uint32_t)i + 1;
		for (size_t k = 0; k < n; k++)
			in[k] = noise(&seed);
		kws_resample *rs = create(rates[i], OUT_HZ);
		size_t n_want = 0;
		float *want = convert(rs, in, n, 0, 0, &n_want);
		for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
			size_t n_got = 0;
			kws_resample_reset(rs); /* and so: reset equals new */
			float *got = convert(rs, in, n, cuts[c], (uint32_t)c + 7, &n_got);
			assert_int_equal(n_got, n_want);
			assert_memory_equal(got, want, n_want * sizeof *want);
			free(got);
		}
		kws_resample_destroy(rs);
		free(want);
		free(in);
	}
}

/* ceil(n * out / in) to the sample, at some rates after seconds too. */
static void length_is_exact(void **state)
{
	(void)state;
	uint32_t seed = 5;
	for (size_t i = 0; i < N_RATES; i++) {
		kws_resample *rs = create(rates[i], OUT_HZ);
		const size_t most = rates[i] / (rates[i] % 11025 ? 8 : 1) * 3;
		float *in = room_for(most);
		for (size_t k = 0; k < most; k++)
			in[k] = noise(&seed);
		for (size_t j = 0; j < 10; j++) {
			const size_t n = j < 4 ? j : j == 9 ? most : draw(&seed) % (rates[i] / 20);
			const size_t want = (n * OUT_HZ + rates[i] - 1) / rates[i];
			size_t got = 0;
			kws_resample_reset(rs);
			free(convert(rs, in, n, 1 + rates[i] / 50, seed, &got));
			assert_int_equal(got, want);
		}
		kws_resample_destroy(rs);
		free(in);
	}
}

/* 1/2 cos(2 pi hz t), n samples at rate. */
static float *tone(double hz, unsigned rate, size_t n)
{
	const double pi = 3.14159265358979323846;
	float *x = room_for(n);
	for (size_t k = 0; k < n; k++)
		x[k] = (float)(0.5
			       * cos(2.0 * pi * fmod(hz * (double)k, (double)rate) / (double)rate));
	return x;
}

/* Output sample k must be the tone at k / OUT_HZ: a delay of 1/100 sample would already show as
 * noise at -48 dB for 1 kHz. */
static void tones_keep_time_and_purity(void **state)
{
	(void)state;
	static const struct {
		unsigned in_hz;
		double tone_hz, min_db;
	} table[] = {
		{ 8000, 50, 105 },     { 8000, 1000, 105 },  { 8000, 3000, 105 },
		{ 11025, 1000, 105 },  { 12345, 1000, 105 }, { 22050, 50, 105 },
		{ 22050, 1000, 105 },  { 22050, 6500, 105 }, { 32000, 1000, 105 },
		{ 32000, 6500, 105 },  { 44056, 1000, 105 }, { 44100, 50, 105 },
		{ 44100, 1000, 105 },  { 44100, 6500, 105 }, { 48000, 50, 105 },
		{ 48000, 1000, 105 },  { 48000, 6500, 105 }, { 96000, 1000, 105 },
		{ 96000, 6500, 105 },  { 192000, 50, 105 },  { 192000, 1000, 105 },
		{ 192000, 6500, 105 },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const size_t n = table[i].in_hz / 2;
		float *in = tone(table[i].tone_hz, table[i].in_hz, n);
		float *want = tone(table[i].tone_hz, OUT_HZ, OUT_HZ / 2);
		kws_resample *rs = create(table[i].in_hz, OUT_HZ);
		size_t n_got = 0;
		float *got = convert(rs, in, n, 1000, 3, &n_got);
		assert_int_equal(n_got, (n * OUT_HZ + table[i].in_hz - 1) / table[i].in_hz);
		double signal = 0, error = 0;
		for (size_t k = OUT_HZ / 10; k < OUT_HZ * 4 / 10;
		     k++) { /* without the on- and offset */
			const double e = (double)got[k] - (double)want[k];
			signal += (double)want[k] * (double)want[k];
			error += e * e;
		}
		const double db = 10.0 * log10(signal / error);
		if (!(db >= table[i].min_db))
			fail_msg("%u Hz, tone of %g Hz: %.1f dB", table[i].in_hz, table[i].tone_hz,
				 db);
		kws_resample_destroy(rs);
		free(in);
		free(want);
		free(got);
	}
}

/* Up to 7 kHz, the highest that features listen to, the level stays within 0.3 dB. */
static void passband_is_flat(void **state)
{
	(void)state;
	static const unsigned hz[] = { 22050, 44100, 48000, 192000 };
	for (size_t i = 0; i < 4; i++)
		for (unsigned f = 500; f <= 7000; f += 500) {
			float *in = tone(f, hz[i], hz[i] / 4);
			kws_resample *rs = create(hz[i], OUT_HZ);
			size_t n = 0;
			float *out = convert(rs, in, hz[i] / 4, 0, 0, &n);
			double power = 0;
			for (size_t k = 1000; k < 1000 + OUT_HZ / 10; k++) /* whole periods */
				power += (double)out[k] * (double)out[k] / (OUT_HZ / 10);
			const double db = 10.0 * log10(power / 0.125);
			if (!(fabs(db) <= 0.3))
				fail_msg("%u Hz, tone of %u Hz: %+.2f dB", hz[i], f, db);
			kws_resample_destroy(rs);
			free(in);
			free(out);
		}
}

/* What lies above half of OUT_HZ must not fold back. */
static void aliases_are_rejected(void **state)
{
	(void)state;
	static const struct {
		unsigned in_hz;
		double tone_hz, min_db;
	} table[] = {
		{ 22050, 9000, 100 },	{ 32000, 9000, 100 },	{ 32000, 15000, 100 },
		{ 44100, 9000, 100 },	{ 44100, 15900, 100 },	{ 44100, 20000, 100 },
		{ 48000, 9000, 100 },	{ 48000, 16100, 100 },	{ 48000, 23000, 100 },
		{ 96000, 9000, 100 },	{ 96000, 31900, 100 },	{ 192000, 9000, 100 },
		{ 192000, 64100, 100 }, { 192000, 90000, 100 },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const size_t n = table[i].in_hz / 4;
		float *in = tone(table[i].tone_hz, table[i].in_hz, n);
		kws_resample *rs = create(table[i].in_hz, OUT_HZ);
		size_t n_got = 0;
		float *got = convert(rs, in, n, 0, 0, &n_got);
		double power = 0;
		for (size_t k = OUT_HZ / 20; k < OUT_HZ / 5; k++)
			power += (double)got[k] * (double)got[k] / (OUT_HZ * 0.15);
		const double db = 10.0 * log10(0.125 / (power + 1e-30));
		if (!(db >= table[i].min_db))
			fail_msg("%u Hz, tone of %g Hz: only %.1f dB down", table[i].in_hz,
				 table[i].tone_hz, db);
		kws_resample_destroy(rs);
		free(in);
		free(got);
	}
}

/* An impulse a quarter of a second in: largest and symmetric there, nothing of it early or late. */
static void impulse_stays_in_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RATES; i++) {
		if (rates[i] % 4)
			continue;
		const size_t n_in = rates[i] / 2;
		float *in = room_for(n_in);
		memset(in, 0, n_in * sizeof *in);
		in[rates[i] / 4] = 1.0f;
		kws_resample *rs = create(rates[i], OUT_HZ);
		size_t n = 0;
		float *out = convert(rs, in, n_in, 77, 1, &n);
		size_t peak = 0;
		for (size_t k = 0; k < n; k++)
			peak = fabsf(out[k]) > fabsf(out[peak]) ? k : peak;
		assert_int_equal(peak, OUT_HZ / 4);
		for (size_t d = 1; d < 100; d++)
			assert_true(fabsf(out[peak - d] - out[peak + d]) <= 1e-6f);
		kws_resample_destroy(rs);
		free(in);
		free(out);
	}
}

static void no_number_counts_as_zero(void **state)
{
	(void)state;
	static const unsigned hz[] = { 8000, 44100, 192000 };
	for (size_t i = 0; i < 3; i++) {
		const size_t n = hz[i] / 10;
		float *bad = room_for(n), *good = room_for(n);
		uint32_t seed = 9;
		for (size_t k = 0; k < n; k++) {
			const uint32_t dice = draw(&seed) % 50;
			good[k] = dice < 3 ? 0.0f : noise(&seed);
			bad[k] = dice == 0   ? NAN
				 : dice == 1 ? INFINITY
				 : dice == 2 ? -INFINITY
					     : good[k];
		}
		kws_resample *rs = create(hz[i], OUT_HZ);
		size_t n_want = 0, n_got = 0;
		float *want = convert(rs, good, n, 0, 0, &n_want);
		kws_resample_reset(rs);
		float *got = convert(rs, bad, n, 0, 0, &n_got);
		assert_int_equal(n_got, n_want);
		assert_memory_equal(got, want, n_want * sizeof *want);
		for (size_t k = 0; k < n_got; k++)
			assert_true(isfinite(got[k]));
		kws_resample_destroy(rs);
		free(bad);
		free(good);
		free(want);
		free(got);
	}
}

static void two_streams_do_not_meet(void **state)
{
	(void)state;
	enum { N = 4410, STEP = 210 };
	float *x = tone(440.0, 44100, N), *y = tone(3000.0, 44100, N);
	kws_resample *a = create(44100, OUT_HZ), *b = create(44100, OUT_HZ);
	size_t n_want = 0, n_got = 0;
	float *want = convert(a, x, N, 0, 0, &n_want), *got = room_for(n_want + 1000),
	      *other = room_for(n_want + 1000);
	kws_resample_reset(a);
	for (size_t at = 0; at < N; at += STEP) {
		n_got += call(a, x + at, STEP, 0, got + n_got);
		call(b, y + at, STEP, 0, other);
	}
	n_got += call(a, NULL, 0, 1, got + n_got);
	assert_int_equal(n_got, n_want);
	assert_memory_equal(got, want, n_want * sizeof *want);
	kws_resample_destroy(a);
	kws_resample_destroy(b);
	free(x);
	free(y);
	free(want);
	free(got);
	free(other);
}

static void equal_rates_copy(void **state)
{
	(void)state;
	kws_resample *rs = create(16000, 16000);
	const float in[5] = { 0.1f, -1.0f, 3.0f, 0.0f, 1e-30f };
	float out[5] = { 0 };
	assert_int_equal(kws_resample_bound(rs, 5), 5);
	assert_int_equal(kws_resample_process(rs, in, 5, out), 5);
	assert_memory_equal(in, out, sizeof in);
	assert_int_equal(kws_resample_process(rs, NULL, 0, NULL), 0);
	assert_int_equal(kws_resample_flush(rs, out), 0);
	kws_resample_destroy(rs);
}

static void bad_rates_are_refused(void **state)
{
	(void)state;
	static const unsigned bad[][2] = { { 0, 16000 },	   { 16000, 0 },
					   { 999, 16000 },	   { 384001, 16000 },
					   { 48000, 4000000000u }, { 384000, 1000 } };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		kws_resample *rs = (kws_resample *)&rs;
		assert_int_equal(kws_resample_create(&rs, bad[i][0], bad[i][1]), KWS_ERR_ARG);
		assert_null(rs);
	}
	kws_resample_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_gives_the_same_bits),
		cmocka_unit_test(length_is_exact),
		cmocka_unit_test(tones_keep_time_and_purity),
		cmocka_unit_test(passband_is_flat),
		cmocka_unit_test(aliases_are_rejected),
		cmocka_unit_test(impulse_stays_in_time),
		cmocka_unit_test(no_number_counts_as_zero),
		cmocka_unit_test(two_streams_do_not_meet),
		cmocka_unit_test(equal_rates_copy),
		cmocka_unit_test(bad_rates_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
