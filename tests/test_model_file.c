/* The model file as a file: what is there is read whole or refused, whatever others do to it; and
 * names in it stay on their line. */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/tiny_model.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[] = "/tmp/kws-test-model.XXXXXX";

static void put(const void *blob, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, blob, len), len);
	close(fd);
}

/* The tiny model under another name, given as JSON spells it. */
static void *named(const char *name, size_t *len)
{
	static const char old[] = "\"name\":\"tiny\"";
	size_t n_old;
	unsigned char *blob = tiny_model_bytes(&tiny_default, &n_old);
	unsigned char *out = malloc(n_old + 256);
	char entry[256];

	snprintf(entry, sizeof entry, "\"name\":\"%s\"", name);
	unsigned char *at = memmem(blob, n_old, old, strlen(old));
	size_t head = (size_t)(at - blob), tail = head + strlen(old), n = strlen(entry);
	uint64_t header = 0;
	for (int i = 7; i >= 0; i--)
		header = header << 8 | blob[i];
	header += n - strlen(old);
	memcpy(out, blob, head);
	memcpy(out + head, entry, n);
	memcpy(out + head + n, blob + tail, n_old - tail);
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(header >> (8 * i));
	*len = head + n + n_old - tail;
	free(blob);
	return out;
}

static enum kws_status open_named(const char *name, kws_error *err)
{
	size_t len;
	void *blob = named(name, &len);
	kws_model *m;

	put(blob, len);
	free(blob);
	enum kws_status status = kws_model_open(&m, path, err);
	kws_model_close(m);
	return status;
}

static void test_names(void **state)
{
	static const char *const bad[] = { "",		"x\\nSTOPPING=1", "\\u001b[2J", "a\\u007f",
					   "a\\u0085b", "\xc2\x9bm",	  "tab\\there", "\\r" };
	kws_error err = { "" };

	(void)state;
	assert_int_equal(open_named("tiny", &err), KWS_OK);
	assert_int_equal(open_named("M\xc3\xbcller \xe2\x82\xac \xc2\xa0", &err), KWS_OK);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(open_named(bad[i], &err), KWS_ERR_FORMAT);
		assert_non_null(strstr(err.text, "metadata: name"));
	}
}

/* Nobody writes to it: opening must not wait for them. */
static void test_named_pipe(void **state)
{
	kws_model *m;
	kws_error err = { "" };

	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(20);
	assert_int_equal(kws_model_open(&m, path, &err), KWS_ERR_IO);
	alarm(0);
	assert_non_null(strstr(err.text, "not a regular file"));
	unlink(path);
}

/* Somebody cuts and writes the file all the time: each open gets a whole model or an error that
 * says something, and the process lives. */
static void test_written_over_while_read(void **state)
{
	size_t len;
	void *blob = tiny_model_bytes(&tiny_default, &len);
	unsigned whole = 0, refused = 0;

	(void)state;
	put(blob, len);
	pid_t pid = fork();
	if (pid == 0) {
		for (;;) {
			int fd = open(path, O_WRONLY);
			for (int i = 0; i < 100; i++) {
				if (ftruncate(fd, i % 2 ? 0 : (off_t)len / 2) != 0
				    || pwrite(fd, blob, len, 0) < 0)
					_exit(1);
			}
			close(fd);
		}
	}
	for (int i = 0; i < 3000; i++) {
		kws_error err = { "" };
		kws_model *m;

		if (kws_model_open(&m, path, &err) == KWS_OK)
			whole++;
		else
			refused += *err.text != 0;
		kws_model_close(m);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(whole + refused, 3000);
	put(blob, len);
	kws_model *m;
	assert_int_equal(kws_model_open(&m, path, NULL), KWS_OK);
	kws_model_close(m);
	free(blob);
}

static int setup(void **state)
{
	(void)state;
	int fd = mkstemp(path);

	close(fd);
	return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_named_pipe),
		cmocka_unit_test(test_written_over_while_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
