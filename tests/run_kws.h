/* run_kws.h - the real kws, run as a user runs it, in a folder of its own: a small random model and sounds made here. */
#ifndef KWS_TEST_RUN_KWS_H
#define KWS_TEST_RUN_KWS_H

#include "find_model.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RATE = 16000, MOST = 1 << 20, MOST_ARGS = 32, MOST_NAMES = 16 };

static char kws[4096]; /* the program */
static char dir[] = "/tmp/kws-test-XXXXXX";
static char out[MOST], err[MOST]; /* of the last run, as strings */

/* ---- running ---- */

typedef struct {
	pid_t pid;
	int in, out, err;
} child;

/* In this folder, or in the test's own. out_fd: its standard output; -1: a pipe. */
static inline child start_in(const char *folder, const char *const *argv, int out_fd)
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
		if (chdir(folder) == 0)
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

static inline child start(const char *const *argv, int out_fd)
{
	return start_in(".", argv, out_fd);
}

/* Reads what there is into text, keeps it a string. false: the end. */
static inline int take(int fd, char *text, size_t *n)
{
	assert_true(*n < MOST - 1); /* all of it: a megabyte is too much for any of these */
	ssize_t k = read(fd, text + *n, MOST - 1 - *n);
	if (k > 0)
		*n += (size_t)k;
	text[*n] = '\0';
	return k > 0;
}

/* Feed `input` and collect what is said on both sides until the child ends. Returns its exit
 * status, 256 + n for signal n. */
static inline int finish(child *c, const void *input, size_t n_in)
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

static inline int run_with(const void *input, size_t n_in, const char *first, va_list more)
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
static inline int run(const char *first, ...)
{
	va_list more;
	va_start(more, first);
	int status = run_with("", 0, first, more);
	va_end(more);
	return status;
}

static inline int run_on(const void *input, size_t n_in, const char *first, ...)
{
	va_list more;
	va_start(more, first);
	int status = run_with(input, n_in, first, more);
	va_end(more);
	return status;
}

/* kws with what stands between the blanks, in the folder of this test, so that names are short. */
static inline int run_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline int run_line(const char *format, ...)
{
	char line[4096], *rest = line;
	const char *argv[MOST_ARGS] = { "kws" };
	size_t n = 1;
	va_list more;
	va_start(more, format);
	assert_true(vsnprintf(line, sizeof line, format, more) < (int)sizeof line);
	va_end(more);
	for (char *word; (word = strtok_r(rest, " ", &rest));) {
		assert_true(n < MOST_ARGS - 1);
		argv[n++] = word;
	}
	child c = start_in(dir, argv, -1);
	return finish(&c, "", 0);
}

/* ---- material ---- */

/* A path in the folder of this test; holds for the next fifteen. */
static inline const char *in_dir(const char *name)
{
	static char names[MOST_NAMES][4200];
	static size_t next;
	char *path = names[next++ % MOST_NAMES];
	snprintf(path, sizeof names[0], "%s/%s", dir, name);
	return path;
}

static inline void put_file(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(in_dir(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static inline void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

static inline size_t read_whole(const char *path, char *to, size_t most)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(to, 1, most - 1, f);
	assert_true(n < most - 1);
	to[n] = '\0';
	fclose(f);
	return n;
}

static inline void put_le(unsigned char *at, size_t bytes, unsigned long value)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

/* 16 bits, mono, at RATE. */
static inline void put_wav(const char *name, const short *pcm, size_t n)
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

/* A sound as in tests/sound.h into pcm (n,). */
static inline void make_sound(short *pcm, size_t n, unsigned seed)
{
	float *x = calloc(n, sizeof *x);
	assert_non_null(x);
	sound(x, n, RATE, seed);
	for (size_t i = 0; i < n; i++)
		pcm[i] = (short)lrintf(32767.0f * fmaxf(fminf(x[i], 1.0f), -1.0f));
	free(x);
}

static inline void put_model(const char *name, const tiny_config *config)
{
	size_t len;
	void *model = tiny_model_bytes(config, &len);
	put_file(name, model, len);
	free(model);
}

/* The folder with tiny.safetensors, which is KWS_MODEL, full.safetensors, which hears no streams, and junk.wav. */
static inline void make_dir(const tiny_config *tiny)
{
	tiny_config full = tiny_default;
	full.chunk = -1;
	assert_true(kws_find_beside("kws", kws, sizeof kws));
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(dir));
	put_model("tiny.safetensors", tiny);
	put_model("full.safetensors", &full);
	setenv("KWS_MODEL", in_dir("tiny.safetensors"), 1);
	put_text("junk.wav", "this is no audio");
}

/* The same with half a minute in which a word is said every 1.5 s, yes and no in turn, said.wav, and one in which nothing
 * is, other.wav. */
static inline int set_up_said(void **state)
{
	enum { N = RATE * 30, N_SAID = 19 };
	static short pcm[N];
	char truth[4096] = "start\tend\tword\n";
	tiny_config unsure = tiny_default;
	unsure.loudness = 3.0f; /* not so sure of itself that its scores are 1 */
	(void)state;
	make_dir(&unsure);
	make_sound(pcm, N, 33);
	put_wav("said.wav", pcm, N);
	make_sound(pcm, N, 34);
	put_wav("other.wav", pcm, N);
	for (int i = 0; i < N_SAID; i++)
		snprintf(truth + strlen(truth), 64, "%.2f\t%.2f\t%s\n", 1.0 + 1.5 * i,
			 1.4 + 1.5 * i, i % 2 ? "no" : "yes");
	put_text("said.tsv", truth);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	char command[600];
	snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
	return system(command);
}

/* ---- reading what came ---- */

static inline size_t count_lines(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The next line of *at, ended with NUL; NULL: there is none. */
static inline char *next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');
	if (!*line)
		return NULL;
	*at = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

/* Line i of out as JSON; fails when it is none. */
static inline json_t *json_line(size_t i)
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

static inline json_t *last_json(void)
{
	assert_true(count_lines(out) > 0);
	return json_line(count_lines(out) - 1);
}

static inline const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	assert_non_null(text);
	return text;
}

static inline double number_of(const json_t *o, const char *key)
{
	assert_true(json_is_number(json_object_get(o, key)));
	return json_number_value(json_object_get(o, key));
}

static inline size_t size_of(const json_t *o, const char *key)
{
	assert_true(json_is_integer(json_object_get(o, key)));
	return (size_t)json_integer_value(json_object_get(o, key));
}

/* Lines of `kws spot --format csv' in `text' with this word. */
static inline size_t fired(const char *text, const char *word)
{
	char field[64];
	size_t n = 0;
	snprintf(field, sizeof field, ",%s,", word);
	for (const char *at = strstr(text, field); at; at = strstr(at + 1, field))
		n++;
	return n;
}

#endif
