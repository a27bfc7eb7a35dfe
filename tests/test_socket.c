/* The event socket: its readers, also through a reload. */
#include "tests/sinks.h"
#include "tests/sockets.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

static unsigned readers(kws_sink *s)
{
	kws_sink_stats st;

	kws_sink_serve(s);
	kws_sink_stats_get(s, &st);
	return st.readers;
}

static void test_socket_readers(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_report r = event(5);
	struct stat st;
	char text[8192];
	int fd[4];

	(void)state;
	OPENED(s, kws_sink_socket.create(&s, &c, NULL));
	assert_int_equal(stat(c.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0620);
	kws_sink_push(s, &r); /* nobody there */
	for (int i = 0; i < 4; i++)
		fd[i] = visit(c.path);
	assert_int_equal(readers(s), 4);
	int fifth = visit(c.path);
	assert_int_equal(readers(s), 4);
	assert_int_equal(recv(fifth, text, sizeof text, 0), 0); /* shown the door */
	close(fifth);
	kws_sink_push(s, &r);
	for (int i = 0; i < 4; i++) {
		read_for_now(fd[i], text, sizeof text);
		assert_int_equal(count_lines(text), 1);
		assert_non_null(strstr(text, "\"start_sample\":5,"));
		assert_int_equal(schema_check_lines(text), 1);
	}
	close(fd[1]); /* one leaves */
	assert_int_equal(readers(s), 3);
	shutdown(fd[2], SHUT_WR); /* one has nothing more to say, but listens */
	assert_int_equal(readers(s), 3);
	kws_sink_push(s, &r);
	read_for_now(fd[2], text, sizeof text);
	assert_int_equal(count_lines(text), 1);
	kws_sink_stop(s, 100, true);
	assert_int_equal(stat(c.path, &st), -1);
	for (int i = 0; i < 4; i++)
		if (i != 1)
			close(fd[i]);
}

/* A reader that never reads loses whole lines, which are counted; the others lose none. */
static void test_socket_slow_reader(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_sink_stats st;
	static char text[1 << 20];
	unsigned good_lines = 0, slow_lines, told = 0;

	(void)state;
	OPENED(s, kws_sink_socket.create(&s, &c, NULL));
	int slow = visit(c.path), good = visit(c.path);
	assert_int_equal(readers(s), 2);
	for (unsigned i = 0; i < 3000; i++) {
		kws_report r = event(i);

		kws_sink_push(s, &r);
		kws_sink_serve(s);
		read_for_now(good, text, sizeof text);
		good_lines += count_lines(text);
	}
	assert_int_equal(good_lines, 3000);
	kws_sink_stats_get(s, &st);
	assert_true(st.dropped > 0 && st.dropped < 3000);
	/* it wakes up: what it finds is whole lines, then new events, the first of which says how
	 * many are missing */
	size_t at = 0, k;
	do {
		k = read_for_now(slow, text + at, sizeof text - at);
		at += k;
		kws_sink_serve(s);
	} while (k > 0);
	slow_lines = count_lines(text);
	assert_int_equal(slow_lines + st.dropped, 3000);
	assert_int_equal(text[at - 1], '\n');
	for (int i = 0; i < 2; i++) {
		kws_report r = event(9999);

		kws_sink_push(s, &r);
	}
	read_for_now(slow, text, sizeof text);
	assert_int_equal(sscanf(strstr(text, "\"dropped\":"), "\"dropped\":%u", &told), 1);
	assert_int_equal(told, st.dropped);
	assert_int_equal(
		sscanf(strstr(strchr(text, '\n'), "\"dropped\":"), "\"dropped\":%u", &told), 1);
	assert_int_equal(told, 0);
	close(slow);
	close(good);
	kws_sink_stop(s, 100, true);
}

static ino_t inode(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

/* What is only created is seen by nobody, whether there is a live socket or not. */
static void test_created_is_not_seen(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *live, *next;
	unsigned names = count_names();

	(void)state;
	assert_int_equal(kws_sink_socket.create(&next, &c, NULL), KWS_OK);
	assert_int_equal(count_names(), names);
	kws_sink_stop(next, 0, true);
	OPENED(live, kws_sink_socket.create(&live, &c, NULL));
	ino_t was = inode(c.path);
	int reader = visit(c.path);
	assert_int_equal(readers(live), 1);
	c.mode = 0600;
	assert_int_equal(kws_sink_socket.create(&next, &c, NULL), KWS_OK);
	assert_int_equal(count_names(), names + 1);
	kws_sink_stop(next, 0, true); /* a reload that was refused */
	assert_int_equal(inode(c.path), was);
	int another = visit(c.path);
	assert_true(another >= 0);
	assert_int_equal(readers(live), 2);
	close(reader);
	close(another);
	kws_sink_stop(live, 0, true);
	assert_int_equal(count_names(), names);
}

/* Readers stay through a reload that changes the socket, with what waits for them; the name passes
 * over in one step and has the new rights. */
static void test_readers_stay(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *live, *next;
	kws_sink_stats st;
	static char text[1 << 20];
	struct stat info;
	unsigned lines = 0;
	size_t k;

	(void)state;
	OPENED(live, kws_sink_socket.create(&live, &c, NULL));
	int slow = visit(c.path), good = visit(c.path), none = visit(c.path);
	assert_int_equal(readers(live), 3);
	for (unsigned i = 0; i < 2000; i++) { /* slow's buffer is full afterwards */
		kws_report r = event(i);

		kws_sink_push(live, &r);
		read_for_now(good, text, sizeof text);
		read_for_now(none, text, sizeof text);
	}
	kws_sink_stats_get(live, &st);
	c.mode = 0600;
	c.clients = 2;
	c.buffer_kb = 64;
	assert_int_equal(kws_sink_socket.create(&next, &c, NULL), KWS_OK);
	assert_int_equal(kws_sink_open(next, live, NULL), KWS_OK);
	kws_sink_stop(live, 0, false); /* must not take the new one's name away */
	assert_int_equal(stat(c.path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(readers(next), 2);
	assert_int_equal(recv(none, text, sizeof text, 0), 0); /* one too many: told by the end */
	do {
		k = read_for_now(slow, text, sizeof text);
		lines += count_lines(text);
		kws_sink_serve(next);
	} while (k > 0);
	assert_int_equal(lines + st.dropped, 2000); /* nothing more was lost */
	kws_report r = event(7);
	kws_sink_push(next, &r);
	read_for_now(good, text, sizeof text);
	assert_int_equal(count_lines(text), 1);
	read_for_now(slow, text, sizeof text);
	snprintf(text + 4096, 64, "\"dropped\":%lu}", st.dropped);
	assert_non_null(strstr(text, text + 4096)); /* and it is told what it has lost before */
	close(slow);
	close(good);
	close(none);
	kws_sink_stop(next, 0, true);
	assert_int_equal(access(c.path, F_OK), -1);
}

/* Another name: the readers stay, too, and the old name goes. */
static void test_socket_moves(void **state)
{
	kws_conf_socket c = socket_conf(), to = c;
	kws_sink *live, *next;
	kws_report r = event(1);
	char text[4096];

	(void)state;
	snprintf(to.path, sizeof to.path, "%s", in_dir("moved.sock"));
	OPENED(live, kws_sink_socket.create(&live, &c, NULL));
	int fd = visit(c.path);
	assert_int_equal(readers(live), 1);
	assert_int_equal(kws_sink_socket.create(&next, &to, NULL), KWS_OK);
	assert_int_equal(kws_sink_open(next, live, NULL), KWS_OK);
	kws_sink_stop(live, 0, false);
	assert_int_equal(access(c.path, F_OK), -1);
	assert_int_equal(access(to.path, F_OK), 0);
	kws_sink_push(next, &r);
	read_for_now(fd, text, sizeof text);
	assert_int_equal(count_lines(text), 1);
	close(fd);
	kws_sink_stop(next, 0, true);
}

/* Somebody was quicker between the check and the swap: what runs goes on as it is. */
static void test_open_that_fails(void **state)
{
	kws_conf_socket c = socket_conf(), to = c;
	kws_sink *live, *next;
	kws_error err = { "" };

	(void)state;
	snprintf(to.path, sizeof to.path, "%s", in_dir("contested.sock"));
	OPENED(live, kws_sink_socket.create(&live, &c, NULL));
	int fd = visit(c.path);
	assert_int_equal(readers(live), 1);
	assert_int_equal(kws_sink_socket.create(&next, &to, NULL), KWS_OK);
	int theirs = squat(to.path);
	unsigned names = count_names();
	assert_int_equal(kws_sink_open(next, live, &err), KWS_ERR_IO);
	kws_sink_stop(next, 0, true);
	assert_int_equal(count_names(), names);
	assert_int_equal(readers(live), 1);
	close(theirs);
	unlink(to.path);
	kws_sink_stop(live, 0, true);
	close(fd);
}

/* No descriptor is left: the loop is not woken for ever, it is told once, and whoever waits at the
 * door gets the next event for which there is a descriptor. */
static void test_no_descriptor_left(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_report r = event(3);
	struct rlimit was, none;
	char text[4096];

	(void)state;
	if (getenv("KWS_WRAP")) /* memcheck has its own limit of descriptors */
		skip();
	OPENED(s, kws_sink_socket.create(&s, &c, NULL));
	int fd = visit(c.path), beyond = dup(fd);
	close(beyond);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)beyond;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	struct pollfd p = { .fd = kws_sink_fd(s), .events = POLLIN };
	int before = poll(&p, 1, 0);
	unsigned in = readers(s);
	int after = poll(&p, 1, 0);
	kws_sink_push(s, &r); /* still none */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(before, 1);
	assert_int_equal(in, 0);
	assert_int_equal(after, 0);
	kws_sink_push(s, &r);
	assert_int_equal(readers(s), 1);
	read_for_now(fd, text, sizeof text);
	assert_int_equal(count_lines(text), 1);
	int other = visit(c.path); /* and the door is open again */
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(readers(s), 2);
	close(other);
	close(fd);
	kws_sink_stop(s, 0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_readers),
		cmocka_unit_test(test_socket_slow_reader),
		cmocka_unit_test(test_created_is_not_seen),
		cmocka_unit_test(test_readers_stay),
		cmocka_unit_test(test_socket_moves),
		cmocka_unit_test(test_open_that_fails),
		cmocka_unit_test(test_no_descriptor_left),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
