/* The real kws, run as a user runs it, on a small random model and sounds made here. */
#define _POSIX_C_SOURCE 200809L
#include "find_model.h"
#include "tests/tiny_model.h"
#include "tests/schema.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RATE = 16000, SECONDS = 20, N = RATE * SECONDS, MOST = 1 << 20 };

static char kws[4096]; /* the program */
static char dir[] = "/tmp/kws-test-XXXXXX";
static short sound[N];
static char out[MOST], err[MOST]; /* of the last run, as strings */

/* ---- running ---- */

typedef struct {
	pid_t pid;
	int in, out, err;
} child;

static child start(const char *const *argv, int out_fd)
{
	int in[2], to[2], bad[2];
	child c;
	assert_int_equal(pipe(in) | pipe(to) | pipe(bad), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		dup2(in[0], 0);
		dup2(out_fd >= 0 ? out_fd : to[1], 1);
		dup2(bad[1], 2);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		execv(kws, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(in[0]);
	close(to[1]);
	close(bad[1]);
	c.in = in[1];
	c.out = to[0];
	c.err = bad[0];
	return c;
}

/* Reads what there is into text, keeps it a string. false: the end. */
static int take(int fd, char *text, size_t *n)
{
	ssize_t k = read(fd, text + *n, MOST - 1 - *n);
	if (k > 0)
		*n += (size_t)k;
	text[*n] = '\0';
	return k > 0;
}

/* Feed `input` and collect what is said on both sides until the child ends. Returns its exit
 * status, 256 + n for signal n. */
static int finish(child *c, const void *input, size_t n_in)
{
	size_t sent = 0, n_out = 0, n_err = 0;
	struct pollfd p[3] = { { c->in, POLLOUT, 0 },
			       { c->out, POLLIN, 0 },
			       { c->err, POLLIN, 0 } };
	out[0] = err[0] = '\0';
	while (p[0].fd >= 0 || p[1].fd >= 0 || p[2].fd >= 0) {
		if (p[0].fd >= 0 && sent == n_in) {
			close(c->in);
			p[0].fd = -1;
			continue;
		}
		assert_true(poll(p, 3, 60000) > 0);
		if (p[0].fd >= 0 && p[0].revents) {
			size_t left = n_in - sent;
			ssize_t k =
				write(c->in, (const char *)input + sent, left < 4096 ? left : 4096);
			sent = k < 0 ? n_in : sent + (size_t)k;
		}
		if (p[1].fd >= 0 && p[1].revents && !take(c->out, out, &n_out))
			p[1].fd = -1;
		if (p[2].fd >= 0 && p[2].revents && !take(c->err, err, &n_err))
			p[2].fd = -1;
	}
	close(c->out);
	close(c->err);
	int status;
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

enum { MOST_ARGS = 24 };

static int run_with(const void *input, size_t n_in, const char *first, va_list more)
{
	const char *argv[MOST_ARGS] = { "kws" };
	size_t n = 1;
	for (const char *a = first; a; a = va_arg(more, const char *)) {
		assert_true(n < MOST_ARGS - 1);
		argv[n++] = a;
	}
	child c = start(argv, -1);
	return finish(&c, input, n_in);
}

/* kws with these arguments, the last of them NULL, and nothing on stdin. */
static int run(const char *first, ...)
{
	va_list more;
	va_start(more, first);
	int status = run_with("", 0, first, more);
	va_end(more);
	return status;
}

static int run_on(const void *input, size_t n_in, const char *first, ...)
{
	va_list more;
	va_start(more, first);
	int status = run_with(input, n_in, first, more);
	va_end(more);
	return status;
}

/* ---- material ---- */

static char names[16][4200];

/* A path in the folder of this test; holds for the next fifteen. */
static const char *in_dir(const char *name)
{
	static size_t next;
	char *path = names[next++ % 16];
	snprintf(path, sizeof names[0], "%s/%s", dir, name);
	return path;
}

static void put_file(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(in_dir(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void put_le(unsigned char *at, size_t bytes, unsigned long value)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

static void put_wav(const char *name, const short *pcm, size_t n)
{
	unsigned char *wav = calloc(1, 44 + 2 * n);
	assert_non_null(wav);
	memcpy(wav, "RIFF....WAVEfmt ", 16);
	put_le(wav + 4, 4, 36 + 2 * n);
	put_le(wav + 16, 4, 16);
	put_le(wav + 20, 2, 1);
	put_le(wav + 22, 2, 1);
	put_le(wav + 24, 4, RATE);
	put_le(wav + 28, 4, 2 * RATE);
	put_le(wav + 32, 2, 2);
	put_le(wav + 34, 2, 16);
	memcpy(wav + 36, "data", 4);
	put_le(wav + 40, 4, 2 * n);
	for (size_t i = 0; i < n; i++)
		put_le(wav + 44 + 2 * i, 2, (unsigned short)pcm[i]);
	put_file(name, wav, 44 + 2 * n);
	free(wav);
}

static void make_sound(void)
{
	double gain = 0.1, step = 0.01, noise = 0.5;
	srand(33);
	for (size_t i = 0; i < N; i++) {
		if (i % (RATE / 2) == 0) {
			gain = pow(10.0, (rand() % 60 - 62) / 20.0);
			step = 6.2832 * (100.0 + rand() % 3000) / RATE;
			noise = rand() % 100 / 100.0;
		}
		double x = gain * sin(step * (double)(i % RATE))
			   + gain * noise * (rand() / (double)RAND_MAX - 0.5);
		sound[i] = (short)lrint(32767.0 * fmax(fmin(x, 1.0), -1.0));
	}
}

static int set_up(void **state)
{
	(void)state;
	assert_true(kws_find_beside("kws", kws, sizeof kws));
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(dir));
	size_t len;
	void *model = tiny_model_bytes(&tiny_default, &len);
	put_file("tiny.safetensors", model, len);
	free(model);
	tiny_config full = tiny_default;
	full.chunk = -1;
	model = tiny_model_bytes(&full, &len);
	put_file("full.safetensors", model, len);
	free(model);
	setenv("KWS_MODEL", in_dir("tiny.safetensors"), 1);
	make_sound();
	put_wav("long.wav", sound, N);
	put_file("junk.wav", "this is no audio", 16);
	/* Clips in a tree, made in another order than they sort. */
	mkdir(in_dir("clips"), 0755);
	mkdir(in_dir("clips/b"), 0755);
	mkdir(in_dir("clips/a"), 0755);
	for (int i = 9; i >= 0; i--) {
		char name[64];
		snprintf(name, sizeof name, "clips/%c/%d.wav", i % 2 ? 'a' : 'b', i);
		put_wav(name, sound + i * RATE, RATE);
	}
	put_file("clips/readme.txt", "no audio", 8);
	put_wav("quo\"te, and\nline.wav", sound, RATE);
	put_wav("latin\xe9.wav", sound, RATE);
	return 0;
}

static void remove_tree(const char *path)
{
	char command[8192];
	snprintf(command, sizeof command, "rm -rf -- '%s'", path);
	assert_int_equal(system(command), 0);
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Line i of out as JSON; fails when it is none. */
static json_t *json_line(size_t i)
{
	const char *at = out;
	for (; i; i--) {
		at = strchr(at, '\n');
		assert_non_null(at);
		at++;
	}
	json_t *o = json_loadb(at, strcspn(at, "\n"), 0, NULL);
	assert_non_null(o);
	return o;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	assert_non_null(text);
	return text;
}

static double number_of(const json_t *o, const char *key)
{
	assert_true(json_is_number(json_object_get(o, key)));
	return json_number_value(json_object_get(o, key));
}

/* ---- the command itself ---- */

static void help_and_version(void **state)
{
	(void)state;
	assert_int_equal(run("--version", NULL), 0);
	assert_string_equal(out, "kws " KWS_VERSION "\n");
	assert_int_equal(run("help", NULL), 0);
	assert_non_null(strstr(out, "classify"));
	assert_int_equal(run("--help", NULL), 0);
	const char *const commands[] = { "classify", "spot", "model", "bench" };
	for (size_t i = 0; i < 4; i++) {
		static char help[MOST];
		assert_int_equal(run("help", commands[i], NULL), 0);
		memcpy(help, out, sizeof help);
		assert_int_equal(run(commands[i], "--help", NULL), 0);
		assert_string_equal(out, help);
		assert_non_null(strstr(out, commands[i]));
		assert_string_equal(err, "");
	}
}

static void bad_usage_is_2_and_named(void **state)
{
	(void)state;
	const char *const bad[][5] = {
		{ "sing", NULL, NULL, NULL, "sing" },
		{ "help", "sing", NULL, NULL, "sing" },
		{ "--frob", NULL, NULL, NULL, "--frob" },
		{ "spot", "--frob", NULL, NULL, "frob" },
		{ "spot", NULL, NULL, NULL, "no file" },
		{ "classify", NULL, NULL, NULL, "no file" },
		{ "spot", "--format=xml", "-", NULL, "xml" },
		{ "classify", "--format=audacity", "-", NULL, "audacity" },
		{ "spot", "--block=0", "-", NULL, "--block" },
		{ "spot", "--block=10ms", "-", NULL, "10ms" },
		{ "spot", "--rate=7999", "-", NULL, "--rate" },
		{ "spot", "--rate=16000.5", "-", NULL, "16000.5" },
		{ "spot", "--channels=-1", "-", NULL, "-1" },
		{ "spot", "--channel=0", "-", NULL, "--channel" },
		{ "spot", "--encoding=s17", "-", NULL, "s17" },
		{ "spot", "--threshold=1.5", "-", NULL, "1.5" },
		{ "spot", "--threshold=yes=nan", "-", NULL, "nan" },
		{ "spot", "--threshold=maybe=0.5", "-", NULL, "maybe" },
		{ "spot", "--threshold=_unknown_=0.5", "-", NULL, "_unknown_" },
		{ "spot", "--threshold=0.5,", "-", NULL, "--threshold" },
		{ "spot", "--smooth=x", "-", NULL, "--smooth" },
		{ "classify", "-k", "0", "-", "--top" },
		{ "classify", "-j", "x", "-", "--jobs" },
		{ "classify", "--manifest=x", "y", NULL, "--manifest" },
		{ "model", "--format=csv", NULL, NULL, "csv" },
		/* What a hand in a hurry types: never read as something else. */
		{ "spto", NULL, NULL, NULL, "did you mean 'spot'?" },
		{ "help", "calibrat", NULL, NULL, "did you mean 'calibrate'?" },
		{ "spot", "--treshold=0.5", "-", NULL, "did you mean 'threshold'?" },
		{ "eval", "--unlabeled-only", "x", NULL, "did you mean 'unlabelled-only'?" },
		{ "spot", "--threshold", "0,1", "-", "write 0.1" },
		{ "spot", "-t", "yes=0,1", "-", "write 0.1" },
		{ "spot", "-t", "no=0.5,yes=1,0", "-", "write 1.0" },
		{ "spot", "-t", "0.4,0.5", "-", "sets all words twice" },
		{ "spot", "-t", "yes=0.4,yes=0.5", "-", "sets yes twice" },
		{ "spot", "-t", "Yes=0.4", "-", "did you mean 'yes'?" },
		{ "spot", "-t", "yse=0.4", "-", "did you mean 'yes'?" },
		{ "spot", "-t", "0.4 0.5", "-", "0.4 0.5" },
		{ "listen", "-t", "0,1", "-draw:/dev/null", "write 0.1" },
		{ "listen", "-c", "2", NULL, "--channel 2" },
		{ "doctor", "-c", "2", NULL, "--channel 2" },
		{ "eval", "--at=0,5", "x", NULL, "write 0.5" },
		{ "eval", "--manifest=x", "--smooth=100", NULL, "no use for" },
		{ "eval", "--manifest=x", "--unlabelled-only", NULL, "no use for" },
		{ "eval", "--tolerance=0,75", "x", NULL, "write 0.75" },
		{ "calibrate", "--target=1,5", "x", NULL, "write 1.5" },
		{ "calibrate", "--lowest=0,3", "x", NULL, "write 0.3" },
		{ "plot", "--start=1,5", "x", NULL, "write 1.5" },
		{ "devices", "--format=cvs", NULL, NULL, "did you mean 'csv'?" },
		{ "bench", "--format=csv", NULL, NULL, "csv" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(run(bad[i][0], bad[i][1], bad[i][2], bad[i][3], NULL), 2);
		assert_string_equal(out, "");
		assert_non_null(strstr(err, bad[i][4]));
	}
	assert_int_equal(run(NULL), 2);
}

static void bad_models_are_3(void **state)
{
	(void)state;
	const char *const commands[] = { "spot", "classify" };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(run(commands[i], "-m", in_dir("none"), in_dir("long.wav"), NULL),
				 3);
		assert_non_null(strstr(err, "none"));
		assert_int_equal(
			run(commands[i], "-m", in_dir("junk.wav"), in_dir("long.wav"), NULL), 3);
		assert_non_null(strstr(err, "junk.wav"));
		assert_string_equal(out, "");
	}
	assert_int_equal(run("spot", "-m", in_dir("full.safetensors"), in_dir("long.wav"), NULL),
			 3);
	assert_non_null(strstr(err, "full attention"));
	assert_int_equal(run("spot", "-m", "tests/golden/net_fastformer_clip.safetensors",
			     in_dir("long.wav"), NULL),
			 3);
	assert_non_null(strstr(err, "fastformer_clip"));
	assert_int_equal(run("model", in_dir("none"), NULL), 3);
}

static void unwritable_output_is_1(void **state)
{
	(void)state;
	const char *argv[] = { "kws", "spot", "--threshold=0.3", in_dir("long.wav"), NULL };
	int full = open("/dev/full", O_WRONLY);
	assert_true(full >= 0);
	child c = start(argv, full);
	assert_int_equal(finish(&c, "", 0), 1);
	assert_non_null(strstr(err, strerror(ENOSPC)));
	close(full);
	/* A reader that has gone is no news. */
	c = start(argv, -1);
	close(c.out);
	c.out = open("/dev/null", O_RDONLY);
	assert_int_equal(finish(&c, "", 0), 1);
	assert_string_equal(err, "");
}

/* ---- spot ---- */

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
	assert_int_equal(run("spot", "-t0.4", in_dir("long.wav"), in_dir("clips/a/1.wav"), NULL),
			 0);
	assert_non_null(strstr(out, "long.wav"));
}

static void spot_reads_raw_pcm(void **state)
{
	(void)state;
	static char wav[MOST];
	static unsigned char raw[2 * N], big[4 * N];
	assert_int_equal(run("spot", "--format=audacity", "-t0.4", in_dir("long.wav"), NULL), 0);
	memcpy(wav, out, sizeof wav);
	for (size_t i = 0; i < N; i++)
		put_le(raw + 2 * i, 2, (unsigned short)sound[i]);
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
				put_le(hop + 2 * i, 2, (unsigned short)sound[at + i]);
			ssize_t k = write(c.in, hop, sizeof hop);
			assert_int_equal(k, sizeof hop);
			at += 160;
		}
	}
	assert_memory_equal(line, whole, first);
	finish(&c, "", 0);
}

/* ---- classify ---- */

static void classify_walks_folders_in_order(void **state)
{
	(void)state;
	static char one[MOST];
	assert_int_equal(run("classify", "--format=jsonl", "-j1", in_dir("clips"), NULL), 0);
	memcpy(one, out, sizeof one);
	assert_int_equal(count_lines(out), 10);
	const char *const order[] = { "a/1", "a/3", "a/5", "a/7", "a/9",
				      "b/0", "b/2", "b/4", "b/6", "b/8" };
	for (size_t i = 0; i < 10; i++) {
		json_t *o = json_line(i);
		assert_non_null(strstr(text_of(o, "file"), order[i]));
		assert_true(number_of(o, "prob") > 0.0 && number_of(o, "prob") <= 1.0);
		assert_true(strlen(text_of(o, "label")) > 0);
		json_decref(o);
	}
	const char *const jobs[] = { "-j2", "-j3", "-j16" };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run("classify", "--format=jsonl", jobs[i], in_dir("clips"), NULL),
				 0);
		assert_string_equal(out, one);
	}
}

static void classify_shows_the_top(void **state)
{
	(void)state;
	assert_int_equal(
		run("classify", "--format=jsonl", "-k", "9", in_dir("clips/a/1.wav"), NULL), 0);
	json_t *o = json_line(0), *top = json_object_get(o, "top");
	assert_int_equal(json_array_size(top), TINY_WORDS);
	assert_string_equal(text_of(json_array_get(top, 0), "label"), text_of(o, "label"));
	double sum = 0.0, last = 1.0;
	for (size_t i = 0; i < TINY_WORDS; i++) {
		double p = number_of(json_array_get(top, i), "prob");
		assert_true(p <= last);
		last = p;
		sum += p;
	}
	assert_true(fabs(sum - 1.0) < 1e-5);
	json_decref(o);
	assert_int_equal(run("classify", "--format=csv", "-k2", in_dir("clips/a/1.wav"), NULL), 0);
	assert_memory_equal(out, "file,label,prob,label2,prob2\n", 29);
	assert_int_equal(run("classify", in_dir("clips/a/1.wav"), NULL), 0);
	assert_non_null(strstr(out, "label"));
	assert_non_null(strstr(out, "1.wav"));
}

static void names_break_no_format(void **state)
{
	(void)state;
	const char *odd = in_dir("quo\"te, and\nline.wav"), *latin = in_dir("latin\xe9.wav");
	assert_int_equal(run("classify", "--format=jsonl", odd, latin, NULL), 0);
	assert_int_equal(count_lines(out), 2);
	json_t *o = json_line(0);
	assert_string_equal(text_of(o, "file"), odd);
	json_decref(o);
	o = json_line(1);
	assert_non_null(strstr(text_of(o, "file"), "latin\xef\xbf\xbd.wav"));
	json_decref(o);
	assert_int_equal(run("classify", "--format=csv", odd, NULL), 0);
	assert_non_null(strstr(out, "quo\"\"te, and\nline.wav\","));
	assert_int_equal(run("classify", odd, NULL), 0);
	assert_int_equal(count_lines(out), 2);
	assert_int_equal(run("classify", in_dir("no\nwhere.wav"), NULL), 1);
	assert_int_equal(count_lines(err), 1);
}

static double prob_of(size_t samples, const char *option)
{
	assert_int_equal(run_on(sound, samples, "classify", "--format=jsonl", "-", option, NULL),
			 0);
	json_t *o = json_line(0);
	double p = number_of(o, "prob");
	json_decref(o);
	return p;
}

/* A clip of one window has one moment; in a longer one the end is only one of many. */
static void classify_judges_the_end(void **state)
{
	(void)state;
	size_t other = 0;
	assert_true(prob_of(3200, "--at-end") == prob_of(3200, NULL));
	for (size_t n = 2; n < 10; n++)
		other += prob_of(n * 3200, "--at-end") != prob_of(n * 3200, NULL);
	assert_true(other > 0);
}

static void classify_reports_what_it_cannot_read(void **state)
{
	(void)state;
	assert_int_equal(run("classify", "--format=jsonl", in_dir("junk.wav"), in_dir("none.wav"),
			     in_dir("clips/a"), NULL),
			 1);
	assert_int_equal(count_lines(out), 5);
	assert_int_equal(count_lines(err), 2);
	assert_non_null(strstr(err, "junk.wav"));
	assert_non_null(strstr(err, "none.wav"));
	mkdir(in_dir("empty"), 0755);
	assert_int_equal(run("classify", in_dir("empty"), NULL), 1);
	assert_non_null(strstr(err, "empty"));
	assert_int_equal(run("classify", "-", NULL), 1); /* stdin is empty */
	assert_int_equal(run_on(sound, 2 * RATE, "classify", "--format=jsonl", "-", NULL), 0);
	assert_int_equal(count_lines(out), 1);
}

static void classify_measures_a_list(void **state)
{
	(void)state;
	const char list[] = "path\tset\tword\n"
			    "clips/b/0.wav\tx\tyes\n"
			    "clips/a/1.wav\tx\tno\n"
			    "clips/b/2.wav\tx\tbed\n"
			    "clips/a/3.wav\tx\tsilence\n"
			    "clips/b/4.wav\tx\tyes\n"
			    "none.wav\tx\tyes\n";
	put_file("list.tsv", list, sizeof list - 1);
	assert_int_equal(run("classify", "--format=jsonl", "--manifest", in_dir("list.tsv"), NULL),
			 1);
	assert_int_equal(count_lines(out), 6);
	const char *const classes[] = { "yes", "no", "_unknown_", "_silence_", "yes" };
	size_t right = 0;
	for (size_t i = 0; i < 5; i++) {
		json_t *o = json_line(i);
		int same = strcmp(text_of(o, "label"), classes[i]) == 0;
		assert_int_equal(json_is_true(json_object_get(o, "correct")), same);
		right += (size_t)same;
		json_decref(o);
	}
	json_t *o = json_line(5), *sum = json_object_get(o, "summary"),
	       *words = json_object_get(sum, "words");
	assert_int_equal((int)number_of(sum, "n"), 5);
	assert_int_equal((int)number_of(sum, "failed"), 1);
	assert_int_equal((int)number_of(sum, "correct"), (int)right);
	assert_true(fabs(number_of(sum, "accuracy") - (double)right / 5.0) < 1e-6);
	assert_int_equal((int)number_of(json_object_get(words, "yes"), "n"), 2);
	assert_int_equal((int)number_of(json_object_get(words, "_unknown_"), "n"), 1);
	json_t *confusion = json_object_get(sum, "confusion");
	assert_int_equal(json_array_size(confusion), TINY_WORDS);
	size_t all = 0;
	for (size_t r = 0; r < TINY_WORDS; r++)
		for (size_t h = 0; h < TINY_WORDS; h++)
			all += (size_t)json_integer_value(
				json_array_get(json_array_get(confusion, r), h));
	assert_int_equal(all, 5);
	/* Wilson's interval of 0, 1 and 2 of 2, worked out by hand: z * z / (2 + z * z) = 0.65762,
	 * and so on. */
	const double lo[] = { 0.0, 0.094531, 0.342380 }, hi[] = { 0.657620, 0.905469, 1.0 };
	json_t *yes = json_object_get(words, "yes"), *ci = json_object_get(yes, "recall_ci");
	size_t k = (size_t)number_of(yes, "correct");
	assert_true(fabs(json_number_value(json_array_get(ci, 0)) - lo[k]) < 2e-6);
	assert_true(fabs(json_number_value(json_array_get(ci, 1)) - hi[k]) < 2e-6);
	json_decref(o);
	assert_int_equal(run("classify", "--quiet", "--manifest", in_dir("list.tsv"), NULL), 1);
	assert_non_null(strstr(out, "accuracy"));
	assert_non_null(strstr(out, "confusion"));
	assert_int_equal(run("classify", "--manifest", in_dir("none.tsv"), NULL), 1);
	assert_non_null(strstr(err, "none.tsv"));
}

static void no_word_of_a_list_is_taken_for_another(void **state)
{
	(void)state;
	const char list[] = "clips/b/0.wav\tYES\n"
			    "clips/a/1.wav\t yes \n"
			    "clips/b/2.wav\tyes\xc2\xa0\n"
			    "clips/a/3.wav\t\"yes\"\n"
			    "clips/b/4.wav\tSilence\n"
			    "clips/a/5.wav\tyess\n"
			    "clips/b/6.wav\tmarvin\n"
			    "clips/a/7.wav\tmarvin\n"
			    "clips/b/8.wav\t_Unknown_\n"
			    "clips/a/9.wav\tno\n";
	put_file("respelt.tsv", list, sizeof list - 1);
	assert_int_equal(
		run("classify", "--format=jsonl", "-q", "--manifest", in_dir("respelt.tsv"), NULL),
		0);
	json_t *o = json_line(0), *sum = json_object_get(o, "summary"),
	       *words = json_object_get(sum, "words");
	assert_int_equal((int)number_of(json_object_get(words, "yes"), "n"), 4);
	assert_int_equal((int)number_of(json_object_get(words, "_silence_"), "n"), 1);
	assert_int_equal((int)number_of(json_object_get(words, "_unknown_"), "n"), 4);
	assert_int_equal((int)number_of(sum, "words_respelt"), 6);
	assert_int_equal((int)number_of(sum, "words_not_in_model"), 3);
	json_decref(o);
	assert_non_null(strstr(err, "6 words with other blanks, quotes or capitals"));
	assert_non_null(strstr(err, "respelt.tsv:1: 'YES' as 'yes'"));
	assert_non_null(strstr(err, "3 words are not in tiny and count as _unknown_: 1 'yess' "
				    "(line 6; did you mean 'yes'?), 2 'marvin'"));
	/* A list without such words says nothing. */
	const char plain[] = "clips/b/0.wav\tyes\nclips/a/1.wav\tsilence\n";
	put_file("plain.tsv", plain, sizeof plain - 1);
	assert_int_equal(run("classify", "-q", "--manifest", in_dir("plain.tsv"), NULL), 0);
	assert_string_equal(err, "");
}

static void full_attention_takes_clips(void **state)
{
	(void)state;
	assert_int_equal(
		run("classify", "-m", in_dir("full.safetensors"), in_dir("clips/a/1.wav"), NULL),
		0);
	assert_non_null(strstr(err, "longer than this model can hear"));
	assert_int_equal(run("classify", "-m", "tests/golden/net_fastformer_clip.safetensors",
			     "tests/golden/speech.flac", NULL),
			 0);
	assert_non_null(strstr(err, "longer than this model can hear"));
	assert_non_null(strstr(out, "speech.flac"));
}

/* ---- model ---- */

static void model_tells_what_is_in_it(void **state)
{
	(void)state;
	assert_int_equal(run("model", "--format=jsonl", NULL), 0);
	json_t *o = json_line(0);
	assert_string_equal(text_of(o, "name"), "tiny");
	assert_string_equal(text_of(o, "licence"), "CC0-1.0");
	assert_int_equal(strlen(text_of(o, "sha256")), 64);
	assert_int_equal(json_array_size(json_object_get(o, "words")), TINY_WORDS);
	assert_int_equal((int)number_of(json_object_get(o, "features"), "n_mels"), 10);
	assert_int_equal((int)number_of(json_object_get(o, "network"), "dim"), 8);
	assert_int_equal((int)number_of(json_object_get(o, "decision"), "smooth_ms"), 60);
	assert_true(number_of(json_object_get(json_object_get(o, "decision"), "thresholds"), "no")
		    == 0.6);
	assert_int_equal((int)number_of(o, "window_ms"), 200);
	assert_true(number_of(o, "parameters") > 1000 && number_of(o, "state_bytes") > 0);
	json_decref(o);
	assert_int_equal(run("model", in_dir("tiny.safetensors"), NULL), 0);
	assert_non_null(strstr(out, "_unknown_"));
	assert_non_null(strstr(out, "16000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(bad_usage_is_2_and_named),
		cmocka_unit_test(bad_models_are_3),
		cmocka_unit_test(unwritable_output_is_1),
		cmocka_unit_test(spot_does_not_depend_on_the_block),
		cmocka_unit_test(spot_tells_what_it_found),
		cmocka_unit_test(spot_thresholds),
		cmocka_unit_test(spot_goes_on_after_a_bad_file),
		cmocka_unit_test(spot_reads_raw_pcm),
		cmocka_unit_test(events_come_while_the_pipe_runs),
		cmocka_unit_test(classify_walks_folders_in_order),
		cmocka_unit_test(classify_shows_the_top),
		cmocka_unit_test(names_break_no_format),
		cmocka_unit_test(classify_judges_the_end),
		cmocka_unit_test(classify_reports_what_it_cannot_read),
		cmocka_unit_test(classify_measures_a_list),
		cmocka_unit_test(no_word_of_a_list_is_taken_for_another),
		cmocka_unit_test(full_attention_takes_clips),
		cmocka_unit_test(model_tells_what_is_in_it),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
