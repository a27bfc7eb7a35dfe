/* Clients of a server: what is lost, who is sent away, who is let in, who stays. */
#include "tests/server.h"

#include <sys/resource.h>

/* No descriptor is left: who waits at the door is let in when somebody leaves. */
static void test_no_descriptor_left(void **state)
{
	static owner o;
	struct rlimit was, none;

	(void)state;
	if (getenv("KWS_WRAP")) /* memcheck has its own limit of descriptors */
		skip();
	kws_server *s = serving(&o);
	int a = come(s), fd = visit(in_dir("control")), beyond = dup(fd);
	close(beyond);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)beyond;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	serve(s);
	unsigned in = connected(s);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(in, 1);
	close(a);
	serve(s);
	say(fd, "here\n");
	serve(s);
	assert_string_equal(o.told, "line:here|");
	close(fd);
	kws_server_stop(s, 0, true);
}

static void fill_socket(kws_client *c)
{
	char text[512];

	memset(text, 'f', sizeof text);
	text[sizeof text - 1] = '\n';
	while (kws_client_put(c, text, sizeof text))
		continue;
}

/* Lines are lost and counted before the reserve is touched; the reserve is for answers; who leaves no
 * room for one goes. */
static void test_room(void **state)
{
	static owner o;
	static char text[1 << 20];
	char answer[RESERVE];
	kws_server_stats st;
	kws_server *s = serving(&o);
	int stuck = come(s), good;

	(void)state;
	say(stuck, "hello\n");
	serve(s);
	kws_client *c = o.last;
	fill_socket(c);
	assert_int_equal(kws_client_lost(c), 1);
	assert_false(kws_client_put(c, "ffffffffffffffffffffffffffffffff", OUT));
	assert_int_equal(kws_client_lost(c), 2);
	memset(answer, 'a', sizeof answer);
	answer[sizeof answer - 1] = '\n';
	assert_true(kws_client_answer(c, answer, sizeof answer));
	assert_int_equal(kws_client_lost(c), 2);
	assert_int_equal(connected(s), 1);
	/* it reads after all: whole lines, the answer last; then there is room again */
	size_t at = 0, k;
	do {
		k = read_for_now(stuck, text + at, sizeof text - at);
		at += k;
		serve(s);
	} while (k);
	assert_true(at > RESERVE);
	assert_int_equal(text[at - RESERVE - 1], '\n');
	assert_memory_equal(text + at - RESERVE, answer, RESERVE);
	assert_true(kws_client_put(c, "more\n", 5));
	assert_int_equal(kws_client_lost(c), 0);
	kws_server_stats_get(s, &st);
	assert_int_equal(st.lost, 2);

	good = come(s);
	fill_socket(c);
	while (kws_client_answer(c, answer, sizeof answer))
		continue;
	assert_int_equal(connected(s), 1); /* the other one */
	o.echoes = true;
	say(good, "still here\n");
	serve(s);
	assert_int_equal(read_for_now(good, text, sizeof text), 11);
	close(stuck);
	close(good);
	kws_server_stop(s, 0, true);
}

static void test_a_thousand_clients(void **state)
{
	static owner o;
	kws_server_stats st;
	kws_server *s = serving(&o);
	char text[64];
	int in[CLIENTS];

	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		in[i] = come(s);
	for (int i = CLIENTS; i < 1000; i++) {
		int fd = visit(in_dir("control"));

		kws_server_serve(s);
		assert_int_equal(recv(fd, text, sizeof text, 0), 5);
		assert_memory_equal(text, "full\n", 5);
		assert_int_equal(recv(fd, text, sizeof text, 0), 0);
		close(fd);
	}
	kws_server_stats_get(s, &st);
	assert_int_equal(st.turned, 1000 - CLIENTS);
	close(in[1]);
	serve(s);
	in[1] = come(s);
	assert_int_equal(connected(s), CLIENTS);
	say(in[1], "new\n");
	serve(s);
	assert_string_equal(o.told, "line:new|");
	assert_int_equal(kws_client_peer(o.last).pid, getpid());
	assert_int_equal(kws_client_peer(o.last).uid, getuid());
	for (int i = 0; i < CLIENTS; i++)
		close(in[i]);
	kws_server_stop(s, 0, true);
}

/* A reload: half a line, what waits, and what is noted of a client come along. */
static void test_taken_over(void **state)
{
	static owner o;
	static char text[1 << 20];
	kws_error err = { "" };
	kws_server *live = serving(&o), *next;
	kws_server_config c = config();
	int fd = come(live);

	(void)state;
	say(fd, "first\nsec");
	serve(live);
	strcpy(kws_client_own(o.last), "mine");
	fill_socket(o.last);
	assert_int_equal(kws_client_lost(o.last), 1);
	c.out_bytes = 2 * OUT;
	assert_int_equal(kws_server_create(&next, &c, &err), KWS_OK);
	assert_int_equal(kws_server_open(next, &o, live, &err), KWS_OK);
	kws_server_stop(live, 0, false);
	assert_int_equal(connected(next), 1);
	say(fd, "ond\n");
	serve(next);
	assert_string_equal(o.told, "line:first|line:second|");
	assert_string_equal(kws_client_own(o.last), "mine");
	assert_int_equal(kws_client_lost(o.last), 1);
	size_t k, lines = 0;
	do {
		k = read_for_now(fd, text, sizeof text);
		lines += count_lines(text);
		assert_int_equal(k % 512, 0);
		serve(next);
	} while (k);
	assert_true(lines > 0);
	/* a new one in its place is not taken for it */
	close(fd);
	serve(next);
	fd = come(next);
	say(fd, "other\n");
	serve(next);
	assert_string_equal(kws_client_own(o.last), "");
	assert_int_equal(kws_client_lost(o.last), 0);
	close(fd);
	kws_server_stop(next, 0, true);
	assert_int_equal(access(in_dir("control"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_descriptor_left),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_a_thousand_clients),
		cmocka_unit_test(test_taken_over),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
