/* wyoming_sockets.h - for tests of all Wyoming clients at once: the clients of a loop that is stepped,
 * with a clock that stands still, and connections to them. */
#ifndef KWS_TESTS_WYOMING_SOCKETS_H
#define KWS_TESTS_WYOMING_SOCKETS_H

#include "tests/wyoming.h"

#include "gateway/wyoming/clients.h"
#include "runtime/clock.h"
#include "tests/fake/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 6, IDLE_S = 60 };

static const wy_format plain = { WY_RATE, 2, 1, 640, -1 };
static const char describe[] = "{\"type\": \"describe\"}\n";
static int16_t demo[WY_LONGEST];
static kws_roster *roster;
static kws_loop *loop;
static kws_clients *clients;
static int listener;
static struct sockaddr_in address;

static inline int set_up_all(void **state)
{
	(void)state;
	wy_demo(demo, WY_LONGEST);
	roster = wy_roster(NULL, 0, NULL);
	return 0;
}

static inline int tear_down_all(void **state)
{
	(void)state;
	kws_roster_release(roster);
	return 0;
}

static inline int set_up(void **state)
{
	const kws_clients_config config = { MOST, IDLE_S };
	socklen_t n = sizeof address;

	(void)state;
	fake_clock_start(1e9);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	address = (struct sockaddr_in){ .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listener, 64), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &n), 0);
	assert_int_equal(kws_loop_create(&loop, NULL), KWS_OK);
	assert_int_equal(kws_clients_create(&clients, loop, &config, roster, NULL), KWS_OK);
	assert_int_equal(kws_clients_listen(clients, listener, NULL), KWS_OK);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	kws_clients_destroy(clients);
	kws_loop_destroy(loop);
	close(listener);
	assert_int_equal(roster->shares, 1);
	fake_clock_stop();
	return 0;
}

static inline void step(int n)
{
	for (int i = 0; i < n; i++) {
		assert_int_equal(kws_loop_step(loop, 0, NULL), KWS_OK);
		fake_clock_settle(); /* what was to be heard is heard */
	}
}

static inline void pass(double s)
{
	fake_clock_pass(s);
	step(3);
}

static inline int come(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	step(1);
	return fd;
}

static inline unsigned connected(void)
{
	kws_clients_stats st;

	kws_clients_stats_get(clients, &st);
	return st.connected;
}

static inline unsigned long refused(void)
{
	kws_clients_stats st;

	kws_clients_stats_get(clients, &st);
	return st.refused;
}

/* Whether what can be read now holds text; all is read. *ended: nothing more will come. */
static inline bool answers(int fd, const char *text, bool *ended)
{
	static char bytes[1 << 20];
	size_t n = 0;
	ssize_t k;

	while ((k = read(fd, bytes + n, sizeof bytes - 1 - n)) > 0)
		n += (size_t)k;
	bytes[n] = 0;
	if (ended)
		*ended = k == 0 || errno == ECONNRESET;
	return strstr(bytes, text) != NULL;
}

static inline bool answers_describe(int fd)
{
	assert_int_equal(write(fd, describe, strlen(describe)), strlen(describe));
	step(2);
	return answers(fd, "\"info\"", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
