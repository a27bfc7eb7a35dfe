/* What is wrong with a sound: each flaw is found where it was put, and nothing in a sound that is
 * good. */
#include "audio/judge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 16000, SECONDS = 4, N = RATE * SECONDS, MOST = 8 };

static float x[N * MOST], mono[N];

static uint32_t draw(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static float noise(uint32_t *seed)
{
	return (float)((int)(draw(seed) % 65536) - 32768) / 32768.0f;
}

/* Something like speech: noise that comes and goes, 40 dB above its pauses. */
static float speech(size_t t, uint32_t *seed, float peak)
{
	const float syllable = t / (RATE / 3) % 2 ? 1.0f : 0.01f;
	return peak * syllable * noise(seed);
}

static void mix(size_t channels, size_t channel)
{
	for (size_t t = 0; t < N; t++) {
		float sum = 0.0f;
		for (size_t c = 0; c < channels; c++)
			sum += x[t * channels + c];
		mono[t] = channel ? x[t * channels + channel - 1] : sum / (float)channels;
	}
}

static kws_findings judged(size_t channels, size_t channel, size_t n, size_t block)
{
	kws_findings f;
	kws_judge *j = kws_judge_create(RATE, (unsigned)channels, (unsigned)channel);
	assert_non_null(j);
	mix(channels, channel);
	for (size_t t = 0; t < n; t += block) {
		const size_t k = block < n - t ? block : n - t;
		kws_judge_add(j, x + t * channels, mono + t, k);
	}
	kws_judge_find(j, &f);
	kws_judge_destroy(j);
	return f;
}

/* wanted -1: none. */
static void only(const kws_findings *f, int wanted)
{
	for (int i = 0; i < KWS_N_FLAWS; i++)
		if (f->has[i] != (i == wanted)) {
			char text[KWS_FLAW_TEXT];
			kws_flaw_say(f, (enum kws_flaw)i, "--channel ", text);
			fail_msg("flaw %d: %s", i, text);
		}
}

static void says(const kws_findings *f, enum kws_flaw flaw, const char *part)
{
	char text[KWS_FLAW_TEXT];
	only(f, (int)flaw);
	kws_flaw_say(f, flaw, "--channel ", text);
	if (!strstr(text, part))
		fail_msg("%s, want %s", text, part);
}

static void fill(size_t channels, float peak)
{
	uint32_t seed = 1;
	for (size_t t = 0; t < N; t++)
		for (size_t c = 0; c < channels; c++)
			x[t * channels + c] = speech(t, &seed, peak);
}

static void good_sound_has_no_flaw(void **state)
{
	(void)state;
	static const size_t counts[] = { 1, 2, 3, 8 };
	for (size_t i = 0; i < 4; i++) { /* channels that have nothing to do with each other */
		fill(counts[i], 0.3f);
		const kws_findings f = judged(counts[i], 0, N, 1000);
		only(&f, -1);
		assert_true(f.seconds == SECONDS);
	}
	fill(1, 0.3f);
	for (size_t t = 0; t < N; t++) /* the same on both */
		x[t * 2] = x[t * 2 + 1] = mono[t];
	const kws_findings f = judged(2, 0, N, 1000);
	only(&f, -1);
}

static void channels_that_cancel(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		/* inverted; inverted and weaker; inverted, and each with noise of its own */
		const float gain = i == 1 ? -0.8f : -1.0f;
		uint32_t seed = 1;
		for (size_t t = 0; t < N; t++) {
			const float s = speech(t, &seed, 0.3f);
			x[2 * t] = s + (i == 2 ? 0.003f * noise(&seed) : 0.0f);
			x[2 * t + 1] = gain * s + (i == 2 ? 0.003f * noise(&seed) : 0.0f);
		}
		kws_findings f = judged(2, 0, N, 1000);
		f.has[KWS_FLAW_STEADY] = false; /* what is left of the mix may be */
		says(&f, KWS_FLAW_CANCELLING, "--channel 1");
		f = judged(2, 2, N, 1000); /* heard alone there is nothing wrong */
		only(&f, -1);
	}
}

static void one_channel_of_several(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (size_t t = 0; t < N; t++) {
		x[3 * t] = speech(t, &seed, 0.3f);
		x[3 * t + 1] = 0.0f;
		x[3 * t + 2] = speech(t, &seed, 0.2f);
	}
	kws_findings f = judged(3, 0, N, 1000);
	says(&f, KWS_FLAW_DEAD_CHANNEL, "channel 2 is silent");
	for (size_t t = 0; t < N; t++)
		x[3 * t + 1] = 0.5f * noise(&seed);
	f = judged(3, 0, N, 1000);
	f.has[KWS_FLAW_STEADY] = false;
	says(&f, KWS_FLAW_NOISY_CHANNEL, "channel 2 is steady noise");
	assert_int_equal(f.best_channel, 1);
}

static void level_clipping_and_offset(void **state)
{
	(void)state;
	kws_findings f;
	fill(1, 0.0005f);
	f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_LOW, "very quiet");
	for (int i = 0; i < 2; i++) { /* at full scale, and turned down behind that */
		fill(1, 2.0f);
		for (size_t t = 0; t < N; t++)
			x[t] = (i ? 0.3f : 1.0f) * fmaxf(-1.0f, fminf(1.0f, x[t]));
		f = judged(1, 0, N, 1000);
		says(&f, KWS_FLAW_CLIPPED, "clipped: ");
		assert_true(f.clipped > 0.01 && f.clipped < 0.3);
	}
	fill(1, 0.3f);
	for (size_t t = 0; t < N; t++)
		x[t] += 0.1f;
	f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_OFFSET, "(DC) of 10.");
	/* neither loudness nor swing come from the offset */
	assert_true(f.level_dbfs < -14.0 && f.loud_dbfs - f.quiet_dbfs > 30.0);
}

/* Tones up to 3.8 kHz, loud and quiet in turn; with a little noise they are no telephone's. */
static void a_narrow_band(void **state)
{
	(void)state;
	for (int noisy = 0; noisy < 2; noisy++) {
		uint32_t seed = 1;
		for (size_t t = 0; t < N; t++) {
			float s = 0.0f;
			for (int k = 1; k < 20; k++)
				s += 0.02f
				     * sinf(6.2831853f * (float)k * (float)(t % (RATE / 200))
					    / (RATE / 200));
			x[t] = (t / (RATE / 3) % 2 ? 1.0f : 0.02f) * s
			       + (noisy ? 2e-3f * noise(&seed) : 0.0f);
			x[t] = floorf(x[t] * 32768.0f + 0.5f) / 32768.0f;
		}
		const kws_findings f = judged(1, 0, N, 1000);
		if (noisy)
			only(&f, -1);
		else
			says(&f, KWS_FLAW_NARROW, "nothing above 4 kHz");
	}
}

static void nothing_said(void **state)
{
	(void)state;
	kws_findings f;
	uint32_t seed = 1;
	for (size_t t = 0; t < N; t++)
		x[t] = 0.25f;
	f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_DIGITAL_SILENCE, "every sample is 0.25");
	for (size_t t = 0; t < N; t++)
		x[t] = 0.01f * noise(&seed);
	f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_STEADY, "nothing rises above the background");
	f = judged(1, 0, RATE / 4, 1000); /* too short to be judged */
	only(&f, -1);
	f = judged(1, 0, 0, 1000);
	only(&f, -1);
	assert_true(f.seconds == 0.0);
}

/* Bytes of something else, from a quarter of a second on; never what is only loud. */
static void bytes_that_are_no_sound(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (size_t t = 0; t < N; t++)
		x[t] = noise(&seed);
	kws_findings f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_NO_SOUND, "another format, encoding or byte order");
	f = judged(1, 0, RATE / 8, 160);
	says(&f, KWS_FLAW_NO_SOUND, "another format");
	f = judged(1, 0, 900, 160);
	only(&f, -1);
	for (size_t t = 0; t < N; t++) /* floats, their halves taken for 16 bits */
		x[t] = t % 2 ? noise(&seed) : noise(&seed) < 0.0f ? -0.52f : 0.48f;
	f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_NO_SOUND, "another format");
	for (size_t t = 0; t < N; t++) /* a loud tone */
		x[t] = 0.9f * sinf(0.3f * (float)t) * (t / 8000 % 2 ? 1.0f : 0.1f);
	f = judged(1, 0, N, 1000);
	assert_false(f.has[KWS_FLAW_NO_SOUND]);
	for (size_t t = 0; t < N; t++) /* a tone that is clipped nearly throughout */
		x[t] = fmaxf(-1.0f, fminf(1.0f, 10.0f * sinf(0.1f * (float)t)));
	f = judged(1, 0, N, 1000);
	assert_false(f.has[KWS_FLAW_NO_SOUND]);
	assert_true(f.has[KWS_FLAW_CLIPPED]);
	for (size_t t = 0; t < N; t++) /* noise, not so loud */
		x[t] = 0.5f * noise(&seed);
	f = judged(1, 0, N, 1000);
	assert_false(f.has[KWS_FLAW_NO_SOUND]);
}

/* What 16 bits are heard of samples of 8 and of 32, and what is only like it. */
static void samples_of_another_width(void **state)
{
	(void)state;
	for (size_t t = 0; t < N; t++) { /* two of 8 bits that count from 0, one of 16 */
		const int low = 128 + (int)lrint(20.0 * sin(0.2 * (double)(2 * t))),
			  high = 128 + (int)lrint(20.0 * sin(0.2 * (double)(2 * t + 1)));
		x[t] = (float)(int16_t)(high << 8 | low) / 32768.0f;
	}
	kws_findings f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_NO_SOUND, "another format, encoding");
	fill(1, 0.3f);
	for (size_t t = 0; t < N; t += 2)
		x[t] = 0.0f;
	f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_EMPTY_HALVES, "every second sample is 0");
	x[100] = 0.001f; /* a single one between them */
	f = judged(1, 0, N, 1000);
	assert_false(f.has[KWS_FLAW_EMPTY_HALVES]);
	for (size_t t = 0; t < N; t++) /* clicks */
		x[t] = t % 100 ? 0.0f : 0.5f;
	f = judged(1, 0, N, 1000);
	assert_false(f.has[KWS_FLAW_EMPTY_HALVES] || f.has[KWS_FLAW_NO_SOUND]);
	for (size_t t = 0; t < N; t++) /* a square wave, as loud as they come, half of the time */
		x[t] = t / 8000 % 2 ? 0.0f : t % 40 < 20 ? 1.0f : -1.0f;
	f = judged(1, 0, N, 1000);
	assert_false(f.has[KWS_FLAW_NO_SOUND]);
}

static void samples_that_are_no_numbers(void **state)
{
	(void)state;
	fill(1, 0.3f);
	for (size_t t = 0; t < N; t += 1000)
		x[t] = t % 2000 ? NAN : -INFINITY;
	kws_findings f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_NO_NUMBERS, "0.1 % of the samples are not numbers");
	assert_true(f.level_dbfs > -30.0 && f.level_dbfs < -10.0 && f.peak_dbfs < -10.0);
	for (size_t t = 0; t < N; t++)
		x[t] = NAN;
	f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_NO_NUMBERS, "100 % of the samples");
	/* whole numbers in floats */
	fill(1, 9000.0f);
	f = judged(1, 0, N, 1000);
	says(&f, KWS_FLAW_CLIPPED, "beyond full scale: its peak is at 79");
}

static void cuts_do_not_matter(void **state)
{
	(void)state;
	static const size_t blocks[] = { 1, 159, 1600, N };
	fill(2, 0.3f);
	const kws_findings want = judged(2, 0, N - 7, 1600);
	for (size_t i = 0; i < 4; i++) {
		const kws_findings f = judged(2, 0, N - 7, blocks[i]);
		assert_true(f.loud_dbfs == want.loud_dbfs && f.quiet_dbfs == want.quiet_dbfs);
		assert_true(fabs(f.level_dbfs - want.level_dbfs) < 1e-6);
		only(&f, -1);
	}
	kws_judge *j = kws_judge_create(RATE, 2, 0);
	kws_findings f;
	assert_non_null(j);
	kws_judge_add(j, x, mono, N);
	kws_judge_reset(j);
	kws_judge_find(j, &f);
	assert_true(f.seconds == 0.0);
	kws_judge_destroy(j);
	kws_judge_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_sound_has_no_flaw),
		cmocka_unit_test(channels_that_cancel),
		cmocka_unit_test(one_channel_of_several),
		cmocka_unit_test(level_clipping_and_offset),
		cmocka_unit_test(a_narrow_band),
		cmocka_unit_test(nothing_said),
		cmocka_unit_test(bytes_that_are_no_sound),
		cmocka_unit_test(samples_of_another_width),
		cmocka_unit_test(samples_that_are_no_numbers),
		cmocka_unit_test(cuts_do_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
