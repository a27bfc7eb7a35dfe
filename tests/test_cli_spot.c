/* kws spot, run as a user runs it. */
#define _POSIX_C_SOURCE 200809L
#include "tests/run_kws.h"
#include "tests/schema.h"

enum { SECONDS = 20, N = RATE * SECONDS };

static short pcm[N];

static int set_up(void **state)
{
	(void)state;
	make_dir(&tiny_default);
	make_sound(pcm, N, 33);
	put_wav("long.wav", pcm, N);
	put_wav("short.wav", pcm, RATE);
	return 0;
}

static void spot_does_not_depend_on_the_block(void **state)
{
	(void)state;
	static char whole[MOST];
	const char *const formats[] = { "--format=text", "--format=jsonl", "--format=csv",
					"--format=audacity" };
	const char *const blocks[] = { "--block=1", "--block=10", "--block=37", "--block=60000" };
	for (size_t f = 0; f < 4; f++) {
		assert_int_equal(
			run("spot", formats[f], "--threshold=0.4", in_dir("long.wav"), NULL), 0);
		memcpy(whole, out, sizeof whole);
		assert_true(count_lines(whole) >= 4);
		for (size_t b = 0; b < 4; b++) {
			assert_int_equal(run("spot", formats[f], "--threshold=0.4", blocks[b],
					     in_dir("long.wav"), NULL),
					 0);
			assert_string_equal(out, whole);
		}
	}
}

static void spot_tells_what_it_found(void **state)
{
	(void)state;
	assert_int_equal(run("spot", "--format=jsonl", "--threshold=0.4", in_dir("long.wav"), NULL),
			 0);
	size_t n = count_lines(out);
	double before = 0.0;
	assert_int_equal(schema_check_lines(out), n);
	assert_true(n >= 4);
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_line(i);
		assert_string_equal(text_of(o, "file"), in_dir("long.wav"));
		assert_true(strcmp(text_of(o, "word"), "yes") == 0
			    || strcmp(text_of(o, "word"), "no") == 0);
		assert_true(number_of(o, "start") <= number_of(o, "end"));
		assert_true(number_of(o, "end") <= number_of(o, "decided"));
		assert_true(number_of(o, "start") >= before && number_of(o, "decided") <= SECONDS);
		assert_true(number_of(o, "score") >= 0.4 && number_of(o, "score") <= 1.0);
		assert_true(fabs(number_of(o, "threshold") - 0.4) < 1e-6);
		assert_true(fabs(number_of(o, "start") - number_of(o, "start_sample") / RATE)
			    < 1e-6);
		assert_true(number_of(o, "level_dbfs") < 3.0 && number_of(o, "snr_db") >= 0.0);
		before = number_of(o, "end");
		json_decref(o);
	}
	assert_int_equal(
		run("spot", "--format=audacity", "--threshold=0.4", in_dir("long.wav"), NULL), 0);
	double from, to;
	assert_int_equal(sscanf(out, "%lf\t%lf\t", &from, &to), 2);
	assert_true(from <= to);
	assert_int_equal(count_lines(out), n);
	assert_int_equal(run("spot", "--format=csv", "--threshold=0.4", in_dir("long.wav"), NULL),
			 0);
	assert_int_equal(count_lines(out), n + 1);
}

static void spot_thresholds(void **state)
{
	(void)state;
	assert_int_equal(run("spot", "--format=jsonl", "--threshold=off", in_dir("long.wav"), NULL),
			 0);
	assert_string_equal(out, "");
	/* Per word beats for all, whatever their order. */
	assert_int_equal(run("spot", "--format=jsonl", "-t", "yes=0.4", "-t", "off",
			     in_dir("long.wav"), NULL),
			 0);
	assert_non_null(strstr(out, "\"yes\""));
	assert_null(strstr(out, "\"no\""));
	assert_int_equal(
		run("spot", "--format=jsonl", "-t", "0.4,yes=off", in_dir("long.wav"), NULL), 0);
	assert_non_null(strstr(out, "\"no\""));
	assert_null(strstr(out, "\"yes\""));
	/* Lists as people write them. */
	assert_int_equal(run("spot", "--format=jsonl", "--threshold", " yes = 0.4 , off ",
			     in_dir("long.wav"), NULL),
			 0);
	assert_non_null(strstr(out, "\"yes\""));
	assert_null(strstr(out, "\"no\""));
}

static void spot_goes_on_after_a_bad_file(void **state)
{
	(void)state;
	static char alone[MOST];
	assert_int_equal(run("spot", "--format=jsonl", "-t0.4", in_dir("long.wav"), NULL), 0);
	memcpy(alone, out, sizeof alone);
	assert_int_equal(run("spot", "--format=jsonl", "-t0.4", in_dir("none.wav"),
			     in_dir("junk.wav"), in_dir("long.wav"), NULL),
			 1);
	assert_string_equal(out, alone);
	assert_non_null(strstr(err, "none.wav"));
	assert_non_null(strstr(err, "junk.wav"));
	assert_int_equal(run("spot", "--channel=2", in_dir("long.wav"), NULL), 1);
	/* Several files: each line says of which. */
	assert_int_equal(run("spot", "-t0.4", in_dir("long.wav"), in_dir("short.wav"), NULL), 0);
	assert_non_null(strstr(out, "long.wav"));
}

/* Whatever the number of threads: the same lines in the same order, on both sides. */
static void spot_does_not_depend_on_jobs(void **state)
{
	(void)state;
	static char once[MOST], once_err[MOST];
	const char *const jobs[] = { "1", "2", "7" };
	const char *const formats[] = { "text", "jsonl", "csv", "audacity" };
	put_text("list",
		 "long.wav\nshort.wav\nnone.wav\nshort.wav\nlong.wav\njunk.wav\nshort.wav\n");
	for (size_t f = 0; f < 4; f++)
		for (size_t j = 0; j < 3; j++) {
			assert_int_equal(run_line("spot --format %s -t 0.4 -j %s --files-from list",
						  formats[f], jobs[j]),
					 1);
			if (j == 0) {
				memcpy(once, out, sizeof once);
				memcpy(once_err, err, sizeof once_err);
				assert_true(count_lines(once) > 8);
				assert_non_null(strstr(err, "none.wav"));
				assert_non_null(strstr(err, "junk.wav"));
			}
			assert_string_equal(out, once);
			assert_string_equal(err, once_err);
		}
	assert_int_equal(run_line("spot - -"), 2);
	assert_int_equal(run_line("spot --files-from - -"), 2);
	assert_int_equal(run_line("spot -0 long.wav"), 2);
	assert_int_equal(run_line("spot -j 0 long.wav"), 2);
	assert_int_equal(run_line("spot"), 2);
	assert_int_equal(run_line("spot --files-from nowhere"), 1);
	assert_non_null(strstr(err, "nowhere: No such file"));
}

static void spot_reads_raw_pcm(void **state)
{
	(void)state;
	static char wav[MOST];
	static unsigned char raw[2 * N], big[4 * N];
	assert_int_equal(run("spot", "--format=audacity", "-t0.4", in_dir("long.wav"), NULL), 0);
	memcpy(wav, out, sizeof wav);
	for (size_t i = 0; i < N; i++)
		put_le(raw + 2 * i, 2, (unsigned short)pcm[i]);
	assert_int_equal(run_on(raw, sizeof raw, "spot", "--format=audacity", "-t0.4", "-", NULL),
			 0);
	assert_string_equal(out, wav);
	/* Big-endian, on the second of two channels. */
	for (size_t i = 0; i < N; i++) {
		big[4 * i] = (unsigned char)rand();
		big[4 * i + 2] = raw[2 * i + 1];
		big[4 * i + 3] = raw[2 * i];
	}
	assert_int_equal(run_on(big, sizeof big, "spot", "--format=audacity", "-t0.4",
				"--encoding=S16_BE", "--channels=2", "--channel=2", "--rate=16000",
				"-", NULL),
			 0);
	assert_string_equal(out, wav);
	assert_int_equal(run_on(raw, 3, "spot", "-", NULL), 0);
	assert_non_null(strstr(err, "1 byte"));
}

static void events_come_while_the_pipe_runs(void **state)
{
	(void)state;
	static char whole[MOST];
	assert_int_equal(run("spot", "--format=audacity", "-t0.4", in_dir("long.wav"), NULL), 0);
	memcpy(whole, out, sizeof whole);
	const char *argv[] = { "kws", "spot", "--format=audacity", "-t0.4", "-", NULL };
	child c = start(argv, -1);
	size_t at = 0, got = 0, first = strcspn(whole, "\n") + 1;
	char line[4096];
	fcntl(c.in, F_SETFL, O_NONBLOCK);
	/* Up to all the sound, but the pipe stays open. Sound first, ears second. */
	while (got < first) {
		struct pollfd p[2] = { { c.out, POLLIN, 0 }, { at < N ? c.in : -1, POLLOUT, 0 } };
		assert_true(poll(p, 2, 60000) > 0);
		if (p[0].revents) {
			ssize_t k = read(c.out, line + got, sizeof line - got);
			assert_true(k > 0);
			got += (size_t)k;
		} else if (p[1].revents) {
			unsigned char hop[320];
			for (size_t i = 0; i < 160; i++)
				put_le(hop + 2 * i, 2, (unsigned short)pcm[at + i]);
			ssize_t k = write(c.in, hop, sizeof hop);
			assert_int_equal(k, sizeof hop);
			at += 160;
		}
	}
	assert_memory_equal(line, whole, first);
	finish(&c, "", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spot_does_not_depend_on_the_block),
		cmocka_unit_test(spot_tells_what_it_found),
		cmocka_unit_test(spot_thresholds),
		cmocka_unit_test(spot_goes_on_after_a_bad_file),
		cmocka_unit_test(spot_does_not_depend_on_jobs),
		cmocka_unit_test(spot_reads_raw_pcm),
		cmocka_unit_test(events_come_while_the_pipe_runs),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
