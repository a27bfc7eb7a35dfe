/* The client of the control socket: it waits for the daemon, asks, and comes back. */
#include "tests/sockets.h"

#include "gateway/control_client.h"
#include "tests/fake/clock.h"

#include <stdlib.h>
#include <string.h>

static char path[64];
static kws_loop *loop;
static kws_control_client *client;

/* What the owner was told. */
static struct {
	int connected, lost, lines, answers, without;
	char last[1 << 17];
} told;

static void on_connected(void *ctx)
{
	(void)ctx;
	told.connected++;
}

static void keep(const json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	snprintf(told.last, sizeof told.last, "%s", text);
	free(text);
}

static void on_line(void *ctx, const json_t *line)
{
	(void)ctx;
	told.lines++;
	keep(line);
}

static void on_lost(void *ctx, const char *why)
{
	(void)ctx;
	assert_true(*why);
	told.lost++;
}

static void on_answer(void *ctx, const json_t *answer)
{
	(void)ctx;
	told.answers++;
	told.without += !answer;
	if (answer)
		keep(answer);
}

static const kws_control_client_ops ops = { on_connected, on_line, on_lost };

static int set_up(void **state)
{
	(void)state;
	memset(&told, 0, sizeof told);
	fake_clock_start(1e9);
	snprintf(path, sizeof path, "/tmp/kws-control-%d", getpid());
	unlink(path);
	if (kws_loop_create(&loop, NULL) != KWS_OK)
		return -1;
	return kws_control_client_create(&client, loop, path, &ops, NULL, NULL) == KWS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	kws_control_client_destroy(client);
	kws_loop_destroy(loop);
	fake_clock_stop();
	unlink(path);
	return 0;
}

/* Let the loop do all that is to be done within s. */
static void run(double s)
{
	for (double left = s; left >= 0.0; left -= 0.05) {
		for (int i = 0; i < 8; i++)
			assert_int_equal(kws_loop_step(loop, 0, NULL), KWS_OK);
		fake_clock_pass(0.05);
	}
}

static int accepted(int door)
{
	int fd;

	run(0.1);
	fd = accept(door, NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	run(0.0);
}

static void test_lines_and_answers(void **state)
{
	int door = squat(path), fd = accepted(door);
	char text[256];

	(void)state;
	assert_int_equal(told.connected, 1);
	assert_true(kws_control_client_connected(client));
	assert_true(kws_control_client_request(client, json_pack("{ss}", "request", "status"),
					       on_answer, NULL));
	assert_true(kws_control_client_request(client, json_pack("{ss}", "request", "version"),
					       on_answer, NULL));
	run(0.0);
	read_for_now(fd, text, sizeof text);
	assert_string_equal(text, "{\"request\":\"status\",\"id\":1}\n"
				  "{\"request\":\"version\",\"id\":2}\n");
	say(fd, "{\"event\":{\"word\":\"yes\"}}\n{\"ok\":true,\"id\":2,\"a\"");
	assert_string_equal(told.last, "{\"event\":{\"word\":\"yes\"}}");
	assert_int_equal(told.answers, 0);
	say(fd, ":1}\n{\"ok\":false,\"id\":1,\"error\":\"no\"}\nnonsense\n{\"level\":{}}\n");
	assert_int_equal(told.answers, 2);
	assert_int_equal(told.without, 0);
	assert_int_equal(told.lines, 2);
	/* a second answer to the same request is nobody's */
	say(fd, "{\"ok\":true,\"id\":1}\n");
	assert_int_equal(told.answers, 2);
	close(fd);
	close(door);
}

/* The daemon goes with a question open, and comes back. */
static void test_connects_again(void **state)
{
	int door = squat(path), fd = accepted(door);

	(void)state;
	assert_true(kws_control_client_request(client, json_pack("{ss}", "request", "status"),
					       on_answer, NULL));
	run(0.0);
	close(fd);
	close(door);
	unlink(path);
	run(0.0);
	assert_int_equal(told.lost, 1);
	assert_int_equal(told.answers, 1);
	assert_int_equal(told.without, 1);
	assert_false(kws_control_client_connected(client));
	assert_false(kws_control_client_request(client, json_pack("{ss}", "request", "status"),
						on_answer, NULL));
	run(60.0);
	assert_int_equal(told.connected, 1);
	door = squat(path);
	run(5.1); /* the longest wait */
	assert_int_equal(told.connected, 2);
	assert_true(kws_control_client_connected(client));
	assert_int_equal(told.answers, 1);
	close(door);
}

static void test_the_daemon_comes_later(void **state)
{
	int door;

	(void)state;
	run(20.0);
	assert_int_equal(told.connected + told.lost, 0);
	door = squat(path);
	run(5.1);
	assert_int_equal(told.connected, 1);
	close(door);
}

/* A line of the greatest length passes, a longer one ends the connection. */
static void test_long_lines(void **state)
{
	int door = squat(path), fd = accepted(door), size = 1 << 22;
	static char line[(1 << 20) + 1];

	(void)state;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	memset(line, ' ', sizeof line);
	memcpy(line, "{\"level\":{}}", 12);
	for (size_t at = 0; at < 100000; at += 1000) {
		assert_int_equal(send(fd, line + at, 1000, 0), 1000);
		run(0.0);
	}
	say(fd, "\n");
	assert_int_equal(told.lines, 1);
	for (size_t at = 0; at < sizeof line && !told.lost; at += 1000) {
		send(fd, line, 1000, MSG_NOSIGNAL);
		run(0.0);
	}
	assert_int_equal(told.lost, 1);
	close(fd);
	close(door);
}

static void test_where_the_socket_is(void **state)
{
	static kws_conf c; /* large */
	char found[KWS_CONTROL_CLIENT_PATH];

	(void)state;
	kws_conf_defaults(&c);
	setenv("RUNTIME_DIRECTORY", "/run/kwsd-mqtt", 1);
	unsetenv("KWS_CONTROL");
	kws_control_client_path(&c, found);
	assert_string_equal(found, "/run/kwsd/control");
	setenv("KWS_CONTROL", "/run/kwsd-desk/control", 1);
	kws_control_client_path(&c, found);
	assert_string_equal(found, "/run/kwsd-desk/control");
	snprintf(c.control.path, sizeof c.control.path, "/tmp/c");
	kws_control_client_path(&c, found);
	assert_string_equal(found, "/tmp/c");
	unsetenv("KWS_CONTROL");
	unsetenv("RUNTIME_DIRECTORY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines_and_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_connects_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_daemon_comes_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_lines, set_up, tear_down),
		cmocka_unit_test(test_where_the_socket_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
