/* Clips that cannot be kept: what is counted, what the log says, and what stays. */
#include "tests/clips.h"

#include <fcntl.h>
#include <time.h>

typedef struct {
	kws_conf_clips conf;
	kws_clips *clips;
	kws_history h;
	kws_clip_list list;
	size_t cap;
} stream;

/* At hz, with silence as far as the history goes. */
static stream begin(kws_conf_clips c, unsigned hz)
{
	stream s = { .conf = c, .list = { .hz = hz }, .cap = kws_clips_history(&c, hz) };

	assert_int_equal(kws_clips_create(&s.clips, &c, hz, NULL), KWS_OK);
	kws_history_init(&s.h, calloc(s.cap, sizeof *s.h.buf), s.cap);
	s.h.end = s.cap;
	return s;
}

static void end(stream *s)
{
	kws_clips_stop(s->clips, 10000, true);
	free(s->h.buf);
}

/* Wait until so many were written, or not. */
static kws_clips_stats until(const stream *s, unsigned long n)
{
	kws_clips_stats st;

	while (kws_clips_stats_get(s->clips, &st), st.written + st.failed < n)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return st;
}

static void keep(stream *s, double wall)
{
	char name[KWS_CLIP_NAME];

	kws_clips_name(name, wall, "", "w", 0.5f, false);
	kws_clips_want(s->clips, &s->list, name, s->cap - 32000, s->cap - 800);
	kws_clips_step(s->clips, &s->list, &s->h, true);
}

/* What the log says goes into this file meanwhile. */
static int log_into(const char *path)
{
	const int own = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	dup2(fd, STDERR_FILENO);
	close(fd);
	kws_log_level(KWS_LOG_INFO);
	return own;
}

static unsigned count(const char *path, const char *part)
{
	char line[1024];
	unsigned n = 0;
	FILE *f = fopen(path, "r");

	while (fgets(line, sizeof line, f))
		n += strstr(line, part) != NULL;
	fclose(f);
	return n;
}

/* Clips that fail are counted, the log says it once, and when they work again. */
static void test_folder_that_goes(void **state)
{
	char away[80], log[80];
	stream s = begin(conf(), 16000);
	kws_clips_stats st;

	(void)state;
	snprintf(away, sizeof away, "%s.away", dir);
	snprintf(log, sizeof log, "%s.log", dir);
	const int own = log_into(log);
	assert_int_equal(rename(dir, away), 0);
	keep(&s, 1.0);
	keep(&s, 2.0);
	st = until(&s, 2);
	assert_int_equal(st.failed, 2);
	assert_int_equal(rename(away, dir), 0);
	keep(&s, 3.0);
	keep(&s, 4.0);
	st = until(&s, 4);
	end(&s);
	kws_log_level(0);
	dup2(own, STDERR_FILENO);
	close(own);
	assert_int_equal(st.written, 2);
	assert_true(there("19700101T000003.000Z-w-50.wav"));
	assert_int_equal(count(log, "19700101T000001.000Z-w-50.wav: No such file or directory"), 1);
	assert_int_equal(count(log, "writing again"), 1);
	assert_int_equal(count(log, "clips"), 2);
	unlink(log);
	empty();
}

/* No clip is removed for one that is larger than all that is allowed. */
static void test_more_than_the_quota(void **state)
{
	static const char older[] = "20200101T000000.000Z-yes-50.wav";
	kws_conf_clips c = conf();
	kws_clips_stats st;

	(void)state;
	c.pre_ms = 2000;
	fill(older, 1000);
	stream s = begin(c, 192000);
	kws_clips_want(s.clips, &s.list, "20300101T000000.000Z-w-50.wav", 2 * 192000, s.cap);
	kws_clips_step(s.clips, &s.list, &s.h, true);
	st = until(&s, 1);
	end(&s);
	assert_int_equal(st.failed, 1);
	assert_int_equal(st.removed, 0);
	assert_true(there(older));
	assert_int_equal(look().files, 1);
	empty();
}

/* More wishes at a time than there is room for are counted. A word without an end has its end kept. */
static void test_wishes(void **state)
{
	const size_t longest = (KWS_CONF_CLIP_WORD_MS + 150) * 16;
	kws_conf_clips c = conf();
	kws_clips_stats st;
	unsigned char last[2];
	char path[128];

	(void)state;
	c.queue = 64;
	stream s = begin(c, 16000);
	s.h.buf[s.cap - 1] = 0.5f;
	for (unsigned i = 0; i < KWS_CLIPS_WANTED + 3; i++) {
		char name[KWS_CLIP_NAME];

		kws_clips_name(name, i, "", "w", 0.5f, false);
		kws_clips_want(s.clips, &s.list, name, i ? s.cap - 2000 : 0, s.cap - 800);
	}
	kws_clips_stats_get(s.clips, &st);
	assert_int_equal(st.dropped, 3);
	kws_clips_step(s.clips, &s.list, &s.h, false);
	assert_int_equal(until(&s, KWS_CLIPS_WANTED).written, KWS_CLIPS_WANTED);
	end(&s);
	assert_int_equal(look().bytes,
			 44 * KWS_CLIPS_WANTED + 2 * (longest + (KWS_CLIPS_WANTED - 1) * 3600));
	snprintf(path, sizeof path, "%s/19700101T000000.000Z-w-50.wav", dir);
	FILE *f = fopen(path, "rb");
	assert_int_equal(fseek(f, -2, SEEK_END), 0);
	assert_int_equal(fread(last, 1, 2, f), 2);
	fclose(f);
	assert_int_equal(last[0] + 256 * last[1], 16384);
	empty();
}

static void test_folder_that_is_not_there(void **state)
{
	kws_conf_clips c = { .dir = "/nonexistent/clips" };
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_clips_check(&c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "clips.dir: /nonexistent/clips: "));
	snprintf(c.dir, sizeof c.dir, "/dev/null");
	assert_int_equal(kws_clips_check(&c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "clips.dir: /dev/null: is no folder"));
	c.dir[0] = 0;
	assert_int_equal(kws_clips_check(&c, &err), KWS_OK);
	assert_int_equal(kws_clips_history(&c, 16000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder_that_goes),
		cmocka_unit_test(test_more_than_the_quota),
		cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_folder_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
