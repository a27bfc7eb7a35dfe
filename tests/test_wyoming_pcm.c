/* The bytes of a Wyoming client as samples, and its clock. */
#include "gateway/wyoming/pcm.h"
#include "gateway/wyoming/timeline.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static size_t convert(const kws_pcm_format *f, const void *bytes, size_t n, size_t piece,
		      float *out)
{
	kws_pcm p;
	size_t done = 0, used;

	kws_pcm_init(&p, f);
	for (size_t at = 0; at < n; at += used) {
		const size_t k = n - at < piece ? n - at : piece;

		/* little room: what does not fit is left */
		const size_t got =
			kws_pcm_take(&p, (const char *)bytes + at, k, &used, out + done, 3);
		assert_true(used <= k && got <= 3 && (used == k || got == 3));
		done += got;
	}
	return done;
}

static void check(unsigned width, unsigned channels, const void *bytes, size_t n, const float *want,
		  size_t n_want)
{
	const kws_pcm_format f = { 16000, width, channels };
	float out[16];

	for (size_t piece = 1; piece <= n; piece++) {
		memset(out, 0x7f, sizeof out);
		assert_int_equal(convert(&f, bytes, n, piece, out), n_want);
		for (size_t i = 0; i < n_want; i++)
			assert_true(out[i] == want[i]);
	}
}

static void every_width(void **state)
{
	static const unsigned char one[] = { 0, 128, 255, 64 };
	static const unsigned char two[] = { 0, 0, 1, 0, 0xff, 0x7f, 0, 0x80, 0xff, 0xff };
	static const unsigned char three[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0x80, 0xff, 0xff, 0xff };
	static const unsigned char four[] = { 0, 0, 0, 0x80, 0, 0, 0, 0x40, 0, 0, 0, 0xc0 };

	(void)state;
	check(1, 1, one, sizeof one, (const float[]){ -1.0f, 0.0f, 127.0f / 128.0f, -0.5f }, 4);
	check(2, 1, two, sizeof two,
	      (const float[]){ 0.0f, 1.0f / 32768.0f, 32767.0f / 32768.0f, -1.0f,
			       -1.0f / 32768.0f },
	      5);
	check(3, 1, three, sizeof three,
	      (const float[]){ 0.0f, 1.0f / 8388608.0f, -1.0f, -1.0f / 8388608.0f }, 4);
	check(4, 1, four, sizeof four, (const float[]){ -1.0f, 0.5f, -0.5f }, 3);
}

static void channels_become_their_mean(void **state)
{
	static const unsigned char stereo[] = { 0,    0x40, 0, 0xc0, 0xff, 0x7f,
						0xff, 0x7f, 0, 0x20, 0,	   0 };
	static const unsigned char four[] = { 255, 129, 128, 0 };

	(void)state;
	/* two that are full do not clip */
	check(2, 2, stereo, sizeof stereo, (const float[]){ 0.0f, 32767.0f / 32768.0f, 0.125f }, 3);
	check(1, 4, four, sizeof four, (const float[]){ 0.0f }, 1);
	/* half a frame is no sample */
	check(2, 2, stereo, 6, (const float[]){ 0.0f }, 1);
}

static void refused(unsigned rate, unsigned width, unsigned channels, const char *why)
{
	const kws_pcm_format f = { rate, width, channels };
	kws_error e = { "" };

	assert_int_equal(kws_pcm_check(&f, &e), KWS_ERR_ARG);
	assert_string_equal(e.text, why);
}

static void formats_have_limits(void **state)
{
	const kws_pcm_format least = { 8000, 1, 1 }, most = { 192000, 4, 32 };

	(void)state;
	assert_int_equal(kws_pcm_check(&least, NULL), KWS_OK);
	assert_int_equal(kws_pcm_check(&most, NULL), KWS_OK);
	refused(7999, 2, 1, "rate: 7999 is not in 8000..192000");
	refused(192001, 2, 1, "rate: 192001 is not in 8000..192000");
	refused(16000, 0, 1, "width: 0 is not in 1..4");
	refused(16000, 5, 1, "width: 5 is not in 1..4");
	refused(16000, 2, 0, "channels: 0 is not in 1..32");
	refused(16000, 2, 33, "channels: 33 is not in 1..32");
}

/* ---- the client's clock ---- */

/* n chunks of chunk_ms each, the first at `first', `step' apart. */
static kws_timeline chunks(int n, double chunk_ms, int64_t first, int64_t step)
{
	kws_timeline t = { 0 };

	for (int i = 0; i < n; i++)
		kws_timeline_chunk(&t, i * chunk_ms, true, first + i * step);
	return t;
}

static void a_clock_in_ms_is_followed(void **state)
{
	kws_timeline t = chunks(50, 64.0, 5000, 64);

	(void)state;
	assert_int_equal(kws_timeline_at(&t, 3000.4), 8000);
	assert_int_equal(kws_timeline_at(&t, 2000.0), 7000);
	/* some chunks were lost: 640 ms of the clock without audio */
	kws_timeline_chunk(&t, 50 * 64.0, true, 5000 + 60 * 64);
	assert_int_equal(kws_timeline_at(&t, 50 * 64.0 + 10.0), 5000 + 60 * 64 + 10);
	/* a clock that rounds down, 46.4 ms as 46 */
	t = chunks(1000, 46.4, 0, 46);
	assert_int_equal(kws_timeline_at(&t, 999 * 46.4), 999 * 46);
	/* pieces of less than a millisecond */
	t = (kws_timeline){ 0 };
	for (int i = 0; i < 4000; i++)
		kws_timeline_chunk(&t, 0.0625 * i, true, 700 + i / 16);
	assert_in_range(kws_timeline_at(&t, 250.0), 949, 951);
}

static void a_clock_of_another_kind_is_not(void **state)
{
	kws_timeline t = chunks(50, 20.0, 16345880838612, 20000000);

	(void)state;
	assert_int_equal(kws_timeline_at(&t, 400.0), 400); /* nanoseconds */
	t = chunks(50, 20.0, 1000000, 20000);
	assert_int_equal(kws_timeline_at(&t, 400.0), 400); /* microseconds */
	t = chunks(50, 20.0, 70, 0);
	assert_int_equal(kws_timeline_at(&t, 400.0), 400); /* always the same */
	t = chunks(500, 1.0, 70, 0);
	assert_int_equal(kws_timeline_at(&t, 400.0), 400);
	t = chunks(50, 20.0, 50000, -20);
	assert_int_equal(kws_timeline_at(&t, 400.0), 400); /* backwards */
	t = chunks(1, 20.0, 5000, 20);
	assert_int_equal(kws_timeline_at(&t, 400.0), 400); /* a single one tells nothing */
	t = chunks(2, 20.0, 5000, 20);
	assert_int_equal(kws_timeline_at(&t, 400.0), 5400);
	kws_timeline_chunk(&t, 40.0, false, 0);
	assert_int_equal(kws_timeline_at(&t, 400.0), 400); /* the client has given it up */
	t = (kws_timeline){ 0 };
	assert_int_equal(kws_timeline_at(&t, 400.0), 400); /* none */
	assert_int_equal(kws_timeline_at(&t, -3.0), 0);
	t = chunks(2, 20.0, (INT64_C(1) << 53) - 20, 20);
	assert_true(kws_timeline_at(&t, 1e6) > (INT64_C(1) << 53));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_width),
		cmocka_unit_test(channels_become_their_mean),
		cmocka_unit_test(formats_have_limits),
		cmocka_unit_test(a_clock_in_ms_is_followed),
		cmocka_unit_test(a_clock_of_another_kind_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
