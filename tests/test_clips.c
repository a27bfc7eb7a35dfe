/* Clips: the right samples under the right names, and never more bytes than the quota. */
#include "tests/clips.h"

#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <sys/file.h>
#include <time.h>

static float wave(uint64_t i)
{
	return (float)((i * 37) % 2000) / 32768.0f;
}

static void test_names(void **state)
{
	char name[KWS_CLIP_NAME];

	(void)state;
	kws_clips_name(name, 0.25, "", "yes", 0.937f, false);
	assert_string_equal(name, "19700101T000000.250Z-yes-93.wav");
	kws_clips_name(name, 1e9, "", "../etc/x", 0.5f, true);
	assert_string_equal(name, "20010909T014640.000Z-___etc_x-50-near.wav");
	kws_clips_name(name, 0.25, "kitchen-2", "yes", 0.937f, false);
	assert_string_equal(name, "19700101T000000.250Z-kitchen_2-yes-93.wav");
	/* the longest of all fits, and keeps its end */
	kws_clips_name(name, 0.25, "a123456789b123456789c123456789d",
		       "e123456789f123456789g123456789h123456789", 1.0f, true);
	assert_string_equal(name, "19700101T000000.250Z-a123456789b123456789c123456789d-"
				  "e123456789f123456789g123456-100-near.wav");
}

/* A clip has the word and its rolls, to the sample; one near the start has what there was. */
static void test_samples(void **state)
{
	kws_conf_clips c = conf();
	kws_clips *clips;
	kws_clip_list list = { .hz = 16000 };
	kws_clips_stats st;
	size_t cap = kws_clips_history(&c, 16000);
	float *buf = calloc(cap, sizeof *buf), hop[160];
	kws_history h;
	SF_INFO info = { 0 };
	short pcm[16000];
	char path[256];

	(void)state;
	kws_history_init(&h, buf, cap);
	assert_int_equal(kws_clips_create(&clips, &c, 16000, NULL), KWS_OK);
	kws_clips_want(clips, &list, "20260101T000000.000Z-b-50.wav", 50000, 60000);
	kws_clips_want(clips, &list, "20260101T000000.000Z-a-50.wav", 100, 400);
	for (uint64_t n = 0; n < 60960; n += 160) {
		for (uint64_t i = 0; i < 160; i++)
			hop[i] = wave(n + i);
		kws_history_append(&h, hop, 160);
		kws_clips_step(clips, &list, &h, false);
	}
	kws_clips_want(clips, &list, "20260101T000000.000Z-c-50.wav", 60000,
		       60900); /* the stream ends before its roll */
	kws_clips_step(clips, &list, &h, true);
	kws_clips_stats_get(clips, &st);
	kws_clips_stop(clips, 10000, true);

	static const struct {
		const char *name;
		uint64_t from, to;
	} want[] = {
		{ "20260101T000000.000Z-a-50.wav", 0, 1200 },
		{ "20260101T000000.000Z-b-50.wav", 48400, 60800 },
		{ "20260101T000000.000Z-c-50.wav", 58400, 60960 },
	};
	assert_int_equal(look().files, 3);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, want[i].name);
		SNDFILE *f = sf_open(path, SFM_READ, &info);
		assert_non_null(f);
		assert_int_equal(info.samplerate, 16000);
		assert_int_equal(info.frames, want[i].to - want[i].from);
		sf_read_short(f, pcm, info.frames);
		sf_close(f);
		for (uint64_t k = 0; k < (uint64_t)info.frames; k++)
			assert_int_equal(pcm[k], lrintf(32768.0f * wave(want[i].from + k)));
	}
	free(buf);
	empty();
}

static void test_quota(void **state)
{
	kws_conf_clips c = conf();
	kws_clips *clips;
	kws_clip_list list = { .hz = 16000 };
	size_t cap = kws_clips_history(&c, 16000);
	float *buf = calloc(cap, sizeof *buf);
	kws_history h;
	char name[KWS_CLIP_NAME], other[256];
	FILE *f;

	(void)state;
	snprintf(other, sizeof other, "%s/0000-keep-me.wav",
		 dir); /* not ours, however old it looks */
	f = fopen(other, "w");
	fclose(f);
	kws_history_init(&h, buf, cap);
	h.end = cap;
	for (unsigned i = 0; i < 40; i++) { /* 64 kB each: 2.6 MB in all, 1 MB allowed */
		assert_int_equal(kws_clips_create(&clips, &c, 16000, NULL), KWS_OK);
		kws_clips_name(name, 1e9 + i, "", "w", 0.5f, false);
		kws_clips_want(clips, &list, name, cap - 32000, cap - 800);
		kws_clips_step(clips, &list, &h, true);
		kws_clips_stop(clips, 10000, true);
		assert_true(look().bytes <= 1000000);
	}
	assert_true(look().files >= 14);
	assert_int_equal(access(other, F_OK), 0);
	/* the newest are there, the oldest are not */
	snprintf(other, sizeof other, "%s/%s", dir, name);
	assert_int_equal(access(other, F_OK), 0);
	kws_clips_name(name, 1e9, "", "w", 0.5f, false);
	snprintf(other, sizeof other, "%s/%s", dir, name);
	assert_int_equal(access(other, F_OK), -1);
	free(buf);
	empty();
}

/* Of which nothing is left when it is wanted: it is counted. */
static void test_told_too_late(void **state)
{
	kws_conf_clips c = conf();
	kws_clip_list list = { .hz = 16000 };
	kws_clips *clips;
	kws_clips_stats st;
	kws_history h;
	const size_t cap = kws_clips_history(&c, 16000);
	float *buf = calloc(cap, sizeof *buf);

	(void)state;
	kws_history_init(&h, buf, cap);
	h.end = 3 * cap;
	assert_int_equal(kws_clips_create(&clips, &c, 16000, NULL), KWS_OK);
	kws_clips_want(clips, &list, "20260101T000000.000Z-d-50.wav", 100, 400);
	kws_clips_step(clips, &list, &h, false);
	kws_clips_stats_get(clips, &st);
	assert_int_equal(st.dropped, 1);
	assert_int_equal(list.n, 0);
	kws_clips_stop(clips, 10000, true);
	free(buf);
}

static void write_one(kws_clips_stats *st)
{
	kws_conf_clips c = conf();
	kws_clips *clips;
	kws_clip_list list = { .hz = 16000 };
	size_t cap = kws_clips_history(&c, 16000);
	float *buf = calloc(cap, sizeof *buf);
	kws_history h;

	kws_history_init(&h, buf, cap);
	h.end = cap;
	assert_int_equal(kws_clips_create(&clips, &c, 16000, NULL), KWS_OK);
	kws_clips_want(clips, &list, "20300101T000000.000Z-w-50.wav", cap - 32000, cap - 800);
	kws_clips_step(clips, &list, &h, true);
	while (kws_clips_stats_get(clips, st), st->written + st->failed == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	kws_clips_stop(clips, 10000, true);
	free(buf);
}

/* What a killed daemon left goes at the start, and nothing else does; what another daemon is
 * writing stays and counts to the quota. */
static void test_parts(void **state)
{
	static const char left[] = ".20200101T000000.000Z-yes-50.wav.part",
			  theirs[] = ".20200101T000000.001Z-yes-50.wav.part",
			  oldest[] = "20200101T000000.002Z-yes-50.wav";
	static const char *const others[] = { ".something.part", ".hidden.wav.part",
					      "20200101T000000.000Z-yes-50.wav.part",
					      ".20200101T000000.000Z-yes-50.part" };
	kws_conf_clips c = conf();
	kws_clips *clips;
	kws_clips_stats st;
	char path[256];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		fill(others[i], 10);
	fill(left, 900000);
	assert_int_equal(kws_clips_create(&clips, &c, 16000, NULL), KWS_OK);
	kws_clips_stop(clips, 10000, true);
	assert_false(there(left));

	fill(theirs, 900000);
	fill(oldest, 50000);
	snprintf(path, sizeof path, "%s/%s", dir, theirs);
	int fd = open(path, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	write_one(&st);
	assert_int_equal(st.written, 1);
	assert_int_equal(st.removed, 1); /* with theirs it is more than the quota */
	assert_true(there(theirs));
	assert_false(there(oldest));
	close(fd);
	for (size_t i = 0; i < 4; i++)
		assert_true(there(others[i]));
	empty();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_too_late), cmocka_unit_test(test_names),
		cmocka_unit_test(test_samples),	      cmocka_unit_test(test_quota),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
