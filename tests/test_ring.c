/* The ring with 8 places, so that every wrap and every fill is met; the two threads are proof only
 * under TSan. */
#include "dsp/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { CAP = 8, GUARD = 4 };

static void every_fill_and_phase(void **state)
{
	(void)state;
	for (size_t phase = 0; phase < 2 * CAP; phase++)
		for (size_t put = 0; put <= CAP + 2; put++)
			for (size_t get = 0; get <= CAP + 2; get++) {
				float mem[CAP + 2 * GUARD], src[CAP + 2], dst[CAP + 2];
				kws_ring r;
				for (size_t i = 0; i < CAP + 2 * GUARD; i++)
					mem[i] = -1.0f;
				kws_ring_init(&r, mem + GUARD, CAP);
				for (size_t i = 0; i < phase; i++) {
					assert_int_equal(kws_ring_write(&r, &(float){ 0.5f }, 1),
							 1);
					assert_int_equal(kws_ring_read(&r, dst, 1), 1);
				}
				for (size_t i = 0; i < CAP + 2; i++) {
					src[i] = (float)(i + 1);
					dst[i] = -2.0f;
				}
				const size_t fits = put < CAP ? put : CAP;
				assert_int_equal(kws_ring_write(&r, src, put), fits);
				assert_int_equal(kws_ring_available(&r), fits);
				assert_int_equal(kws_ring_dropped(&r), put - fits);
				const size_t want = get <= fits ? get : 0;
				assert_int_equal(kws_ring_read(&r, dst, get), want);
				assert_memory_equal(dst, src, want * sizeof *dst);
				for (size_t i = want; i < CAP + 2; i++)
					assert_true(dst[i] == -2.0f); /* all or nothing */
				assert_int_equal(kws_ring_available(&r), fits - want);
				assert_int_equal(kws_ring_read(&r, dst, fits - want), fits - want);
				assert_memory_equal(dst, src + want, (fits - want) * sizeof *dst);
				for (size_t i = 0; i < GUARD; i++)
					assert_true(mem[i] == -1.0f
						    && mem[GUARD + CAP + i] == -1.0f);
			}
}

/* Frames of several channels are written whole, or counted as frames. */
static void frames_stay_whole(void **state)
{
	(void)state;
	for (size_t channels = 1; channels <= 5; channels++) {
		float mem[CAP], src[6 * 5], dst[CAP];
		kws_ring r;
		kws_ring_init(&r, mem, CAP);
		for (size_t i = 0; i < 6 * channels; i++)
			src[i] = (float)i;
		for (int round = 0; round < 20;
		     round++) { /* the places wrap in the middle of a frame */
			const size_t before = kws_ring_dropped(&r), fits = CAP / channels;
			const size_t got = kws_ring_write_frames(&r, src, 6, channels);
			assert_int_equal(got, fits < 6 ? fits : 6);
			assert_int_equal(kws_ring_dropped(&r) - before, 6 - got);
			assert_int_equal(kws_ring_available(&r), got * channels);
			assert_int_equal(kws_ring_read(&r, dst, got * channels), got * channels);
			assert_memory_equal(dst, src, got * channels * sizeof *dst);
		}
	}
}

static void counters_may_wrap(void **state)
{
	(void)state;
	float mem[CAP], dst[CAP];
	kws_ring r;
	kws_ring_init(&r, mem, CAP);
	atomic_store(&r.head, SIZE_MAX - 2); /* as after 2^64 samples */
	atomic_store(&r.tail, SIZE_MAX - 2);
	for (size_t i = 0; i < 20; i++) {
		const float src[5] = { (float)i, (float)i + 1, (float)i + 2, (float)i + 3,
				       (float)i + 4 };
		assert_int_equal(kws_ring_write(&r, src, 5), 5);
		assert_int_equal(kws_ring_available(&r), 5);
		assert_int_equal(kws_ring_read(&r, dst, 5), 5);
		assert_memory_equal(dst, src, sizeof src);
	}
	assert_int_equal(kws_ring_dropped(&r), 0);
}

enum { TOTAL = 200000 };

static uint32_t draw(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 16;
}

static void *writer(void *arg)
{
	kws_ring *r = arg;
	uint32_t seed = 1;
	for (size_t at = 0; at < TOTAL;) {
		float src[CAP];
		size_t n = 1 + draw(&seed) % CAP;
		if (n > TOTAL - at)
			n = TOTAL - at;
		for (size_t i = 0; i < n; i++)
			src[i] = (float)(at + i);
		const size_t done = kws_ring_write(r, src, n);
		at += done;
		if (done < n)
			sched_yield();
	}
	return NULL;
}

static void two_threads(void **state)
{
	(void)state;
	float mem[CAP];
	kws_ring r;
	kws_ring_init(&r, mem, CAP);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, writer, &r), 0);
	uint32_t seed = 2;
	size_t wrong = 0;
	for (size_t at = 0; at < TOTAL;) {
		float dst[CAP];
		size_t n = 1 + draw(&seed) % CAP;
		if (n > TOTAL - at)
			n = TOTAL - at;
		if (kws_ring_read(&r, dst, n) == 0) {
			sched_yield();
			continue;
		}
		for (size_t i = 0; i < n; i++)
			wrong += !(dst[i] == (float)(at + i));
		at += n;
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(wrong, 0);
	assert_int_equal(kws_ring_available(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fill_and_phase),
		cmocka_unit_test(frames_stay_whole),
		cmocka_unit_test(counters_may_wrap),
		cmocka_unit_test(two_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
