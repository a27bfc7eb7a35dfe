/* The queue of events on disk: order, bounds, restarts, crashes at every byte, disks that refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/mqtt/spool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/kws-spool.XXXXXX", path[64];
static kws_spool_config conf = { path, 1 << 20, 3600.0 };

static int make_folder(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/events", mkdtemp(folder));
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static kws_spool *open_spool(double wall)
{
	kws_error err = { "" };
	kws_spool *s;

	if (kws_spool_open(&s, &conf, wall, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return s;
}

/* A new file. */
static kws_spool *open_new(size_t most_bytes)
{
	unlink(path);
	conf.most_bytes = most_bytes;
	return open_spool(0.0);
}

static enum kws_status add(kws_spool *s, int i, double wall)
{
	char id[32], text[64];
	const int n = snprintf(text, sizeof text, "{\"word\":\"yes\",\"i\":%d}", i);

	snprintf(id, sizeof id, "id-%d", i);
	return kws_spool_add(s, id, text, (size_t)n, wall, NULL);
}

static kws_spool_stats stats(const kws_spool *s)
{
	kws_spool_stats st;

	kws_spool_stats_get(s, &st);
	return st;
}

/* The number in the text of the next event behind after; -1: there is none. */
static int next(kws_spool *s, uint64_t *after)
{
	kws_spool_event e;
	int v = -1;

	if (!kws_spool_next(s, *after, &e))
		return -1;
	char *text = strndup(e.text, e.n);
	assert_int_equal(sscanf(text, "{\"word\":\"yes\",\"i\":%d}", &v), 1);
	assert_int_equal(text[strlen(text) - 1], '}');
	free(text);
	*after = e.number;
	return v;
}

/* Exactly the events from first to last wait, in order. */
static void assert_waiting(kws_spool *s, int first, int last)
{
	uint64_t after = 0;

	assert_int_equal(stats(s).waiting, last - first + 1);
	for (int i = first; i <= last; i++)
		assert_int_equal(next(s, &after), i);
	assert_int_equal(next(s, &after), -1);
}

/* The oldest but skip. */
static void deliver(kws_spool *s, size_t skip)
{
	kws_spool_event e = { .number = 0 };

	for (size_t i = 0; i <= skip; i++)
		assert_true(kws_spool_next(s, e.number, &e));
	kws_spool_done(s, e.number);
}

static off_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void test_order_survives_a_restart(void **state)
{
	kws_spool *s = open_new(1 << 20);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(add(s, i, 1000.0 + i), KWS_OK);
	assert_waiting(s, 0, 99);
	for (int i = 0; i < 10; i++)
		deliver(s, 0);
	assert_waiting(s, 10, 99);
	kws_spool_close(s);
	s = open_spool(1200.0);
	assert_waiting(s, 10, 99);
	assert_int_equal(add(s, 100, 1200.0), KWS_OK);
	assert_waiting(s, 10, 100);
	kws_spool_event e;
	assert_true(kws_spool_next(s, 0, &e));
	assert_float_equal(e.time, 1010.0, 1e-3);
	kws_spool_close(s);
}

static void test_delivered_out_of_order(void **state)
{
	kws_spool *s = open_new(1 << 20);

	(void)state;
	for (int i = 0; i < 3; i++)
		add(s, i, 0.0);
	deliver(s, 1);
	assert_int_equal(stats(s).waiting, 3);
	uint64_t after = 0;
	assert_int_equal(next(s, &after), 0);
	assert_int_equal(next(s, &after), 2);
	deliver(s, 0);
	assert_waiting(s, 2, 2);
	kws_spool_done(s, 12345);
	assert_waiting(s, 2, 2);
	deliver(s, 0);
	assert_int_equal(stats(s).waiting, 0);
	assert_int_equal(file_size(), 0);
	kws_spool_close(s);
}

static void test_an_id_only_once(void **state)
{
	kws_spool *s = open_new(1 << 20);

	(void)state;
	add(s, 1, 0.0);
	add(s, 2, 0.0);
	assert_int_equal(add(s, 1, 0.0), KWS_OK);
	assert_waiting(s, 1, 2);
	deliver(s, 0);
	assert_int_equal(add(s, 1, 0.0), KWS_OK);
	assert_waiting(s, 2, 2);
	assert_int_equal(stats(s).repeated, 2);
	kws_spool_close(s);
	s = open_spool(0.0);
	add(s, 2, 0.0);
	assert_waiting(s, 2, 2);
	kws_spool_close(s);
}

static void test_size_and_age(void **state)
{
	kws_spool *s = open_new(1000);

	(void)state;
	for (int i = 0; i < 50; i++)
		add(s, i, i);
	const kws_spool_stats st = stats(s);
	assert_true(st.bytes <= 1000 && st.bytes > 800);
	assert_int_equal(st.waiting + st.full, 50);
	assert_waiting(s, (int)st.full, 49);
	assert_true(file_size() < 100000);
	kws_spool_tidy(s, 3600.0 + 40.0);
	assert_waiting(s, 40, 49);
	assert_int_equal(stats(s).old, 40 - st.full);
	kws_spool_tidy(s, -1e6); /* the clock was set back */
	assert_waiting(s, 40, 49);
	kws_spool_close(s);
	s = open_spool(3600.0 + 48.0);
	assert_waiting(s, 48, 49);
	kws_spool_close(s);
	conf.most_bytes = 80; /* a smaller limit since then */
	s = open_spool(0.0);
	assert_waiting(s, 49, 49);
	kws_spool_close(s);
}

static void test_the_file_does_not_grow(void **state)
{
	kws_spool *s = open_new(1 << 20);

	(void)state;
	add(s, 0, 0.0);
	for (int i = 1; i < 1500; i++) {
		add(s, i, 0.0);
		deliver(s, 0);
		assert_true(file_size() < 100000);
	}
	assert_waiting(s, 1499, 1499);
	kws_spool_close(s);
	s = open_spool(0.0);
	assert_waiting(s, 1499, 1499);
	kws_spool_close(s);
}

/* Whatever part of the file is there after a crash: only complete events, in order, and new ones behind
 * them. */
static void test_cut_at_every_byte(void **state)
{
	kws_spool *s = open_new(1 << 20);
	off_t ends[9] = { 0 };
	static char whole[4096];

	(void)state;
	for (int i = 0; i < 8; i++) {
		add(s, i, 0.0);
		ends[i + 1] = file_size();
	}
	kws_spool_close(s);
	int fd = open(path, O_RDONLY);
	const ssize_t n = read(fd, whole, sizeof whole);
	close(fd);
	assert_int_equal(n, ends[8]);
	for (off_t cut = 0; cut <= n; cut++) {
		int complete = 0;

		fd = open(path, O_WRONLY | O_TRUNC);
		assert_int_equal(write(fd, whole, (size_t)cut), cut);
		close(fd);
		while (complete < 8 && ends[complete + 1] <= cut)
			complete++;
		s = open_spool(0.0);
		assert_waiting(s, 0, complete - 1);
		assert_int_equal(stats(s).damaged, cut != ends[complete]);
		add(s, complete, 0.0);
		kws_spool_close(s);
		s = open_spool(0.0);
		assert_waiting(s, 0, complete);
		assert_int_equal(stats(s).damaged, 0);
		kws_spool_close(s);
	}
}

/* A byte that the disk has changed costs the line that it is in, and no other. */
static void test_every_byte_changed(void **state)
{
	kws_spool *s = open_new(1 << 20);
	off_t size;

	(void)state;
	for (int i = 0; i < 3; i++)
		add(s, i, 0.0);
	kws_spool_close(s);
	size = file_size();
	for (off_t at = 0; at < size; at++) {
		char was, now;
		int fd = open(path, O_RDWR);

		assert_int_equal(pread(fd, &was, 1, at), 1);
		now = (char)(was ^ 1);
		assert_int_equal(pwrite(fd, &now, 1, at), 1);
		close(fd);
		conf.most_age_s = 1e18;
		s = open_spool(0.0);
		conf.most_age_s = 3600.0;
		const kws_spool_stats st = stats(s);
		assert_in_range(st.waiting, was == '\n' ? 1 : 2, 2);
		assert_in_range(st.damaged, 1, 2);
		uint64_t after = 0;
		for (size_t i = 0; i < st.waiting; i++)
			assert_true(next(s, &after) >= 0);
		kws_spool_close(s);
		s = open_new(1 << 20);
		for (int i = 0; i < 3; i++)
			add(s, i, 0.0);
		kws_spool_close(s);
	}
}

/* A process that is killed while it writes loses nothing that was added. */
static void test_killed(void **state)
{
	kws_spool *s = open_new(1 << 20);
	int tell[2], added = -1, v;

	(void)state;
	kws_spool_close(s);
	assert_int_equal(pipe(tell), 0);
	const pid_t child = fork();
	if (child == 0) {
		s = open_spool(0.0);
		for (int i = 0;; i++)
			if (add(s, i, 0.0) != KWS_OK || write(tell[1], &i, sizeof i) < 0)
				_exit(1);
	}
	close(tell[1]);
	while (added < 20 && read(tell[0], &v, sizeof v) == (ssize_t)sizeof v)
		added = v;
	kill(child, SIGKILL);
	while (read(tell[0], &v, sizeof v) == (ssize_t)sizeof v)
		added = v;
	waitpid(child, NULL, 0);
	close(tell[0]);
	assert_true(added >= 20);
	s = open_spool(0.0);
	assert_in_range(stats(s).waiting, added + 1, added + 2);
	assert_waiting(s, 0, (int)stats(s).waiting - 1);
	kws_spool_close(s);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit l;

	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* A disk without room: events wait in memory, and are written when there is room again. */
static void test_full_disk(void **state)
{
	kws_spool *s = open_new(1 << 20);
	kws_error err = { "" };

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	add(s, 0, 0.0);
	const off_t before = file_size();
	limit_files(10); /* no line fits */
	assert_int_equal(add(s, 1, 0.0), KWS_ERR_IO);
	assert_int_equal(file_size(), before);
	assert_int_equal(kws_spool_add(s, "id-2", "{\"word\":\"yes\",\"i\":2}", 20, 0.0, &err),
			 KWS_ERR_IO);
	assert_non_null(strstr(err.text, path));
	assert_waiting(s, 0, 2);
	assert_int_equal(stats(s).in_memory, 2);
	deliver(s, 0);
	assert_waiting(s, 1, 2);
	for (int i = 3; i < KWS_SPOOL_MEMORY + 10; i++)
		assert_int_equal(add(s, i, 0.0), KWS_ERR_IO);
	assert_int_equal(stats(s).in_memory, KWS_SPOOL_MEMORY);
	assert_int_equal(stats(s).full, 9);
	limit_files(RLIM_INFINITY);
	kws_spool_tidy(s, 0.0);
	assert_int_equal(stats(s).in_memory, 0);
	assert_int_equal(add(s, KWS_SPOOL_MEMORY + 10, 0.0), KWS_OK);
	kws_spool_close(s);
	s = open_spool(0.0);
	assert_waiting(s, 10, KWS_SPOOL_MEMORY + 10);
	kws_spool_close(s);
}

static void test_without_a_file(void **state)
{
	const kws_spool_config none = { "", 1 << 20, 3600.0 };
	kws_spool *s;

	(void)state;
	assert_int_equal(kws_spool_open(&s, &none, 0.0, NULL), KWS_OK);
	for (int i = 0; i < KWS_SPOOL_MEMORY + 1; i++)
		assert_int_equal(add(s, i, 0.0), KWS_OK);
	assert_waiting(s, 1, KWS_SPOOL_MEMORY);
	deliver(s, 0);
	assert_waiting(s, 2, KWS_SPOOL_MEMORY);
	kws_spool_tidy(s, 0.0);
	kws_spool_close(s);
	kws_spool_close(NULL);
}

static void test_refused(void **state)
{
	static char text[KWS_SPOOL_LINE];
	kws_spool *s = open_new(1000), *other;
	kws_error err = { "" };

	(void)state;
	assert_int_equal(kws_spool_add(s, "", "x", 1, 0.0, NULL), KWS_ERR_ARG);
	assert_int_equal(kws_spool_add(s, "a b", "x", 1, 0.0, NULL), KWS_ERR_ARG);
	assert_int_equal(kws_spool_add(s, "a", "x\ny", 3, 0.0, NULL), KWS_ERR_ARG);
	assert_int_equal(kws_spool_add(s, "a", "x\0y", 3, 0.0, NULL), KWS_ERR_ARG);
	memset(text, 'x', sizeof text);
	assert_int_equal(kws_spool_add(s, "a", text, sizeof text, 0.0, NULL), KWS_ERR_ARG);
	assert_int_equal(kws_spool_add(s, "a", text, 1000, 0.0, &err), KWS_ERR_ARG);
	assert_int_equal(stats(s).waiting, 0);
	assert_int_equal(kws_spool_open(&other, &conf, 0.0, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "another process"));
	assert_null(other);
	kws_spool_close(s);
	conf.path = "/tmp";
	assert_int_equal(kws_spool_open(&other, &conf, 0.0, &err), KWS_ERR_IO);
	conf.path = "/nonexistent/events";
	assert_int_equal(kws_spool_open(&other, &conf, 0.0, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/events: No such file"));
	conf.path = path;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_survives_a_restart),
		cmocka_unit_test(test_delivered_out_of_order),
		cmocka_unit_test(test_an_id_only_once),
		cmocka_unit_test(test_size_and_age),
		cmocka_unit_test(test_the_file_does_not_grow),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_without_a_file),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
