/* Clients that speak in lines: how lines are cut, wait and end. */
#include "tests/server.h"

/* However the bytes are cut, the lines are the same. */
static void test_lines_of_any_cut(void **state)
{
	static const char text[] = "one\n\n \t\r\ntwo three\nlast\n";
	static owner o;

	(void)state;
	for (size_t cut = 1; cut < sizeof text; cut++) {
		kws_server *s = serving(&o);
		int fd = come(s);

		for (size_t at = 0; at < sizeof text - 1; at += cut) {
			size_t n = sizeof text - 1 - at < cut ? sizeof text - 1 - at : cut;

			assert_int_equal(send(fd, text + at, n, 0), n);
			serve(s);
		}
		assert_string_equal(o.told, "line:one|line:two three|line:last|");
		close(fd);
		kws_server_stop(s, 0, true);
	}
}

static void test_long_lines(void **state)
{
	static owner o;
	char line[3 * IN], want[2 * IN];
	kws_server *s = serving(&o);
	int fd = come(s);

	(void)state;
	memset(line, 'x', sizeof line);
	line[IN] = '\n';
	line[IN + 1] = 0;
	say(fd, line);
	serve(s);
	line[IN] = 0;
	snprintf(want, sizeof want, "line:%s|", line);
	assert_string_equal(o.told, want);
	o.n = 0;
	line[IN] = 'x';
	line[IN + 1] = '\n';
	line[IN + 2] = 0;
	say(fd, line);
	say(fd, "next\n");
	serve(s);
	assert_string_equal(o.told, "bad:the line is too long|line:next|");
	assert_int_equal(connected(s), 1);
	close(fd);
	kws_server_stop(s, 0, true);
}

static void test_a_line_without_end(void **state)
{
	static owner o;
	kws_server *s = serving(&o);
	int fd = come(s);
	char text[64];

	(void)state;
	say(fd, "half");
	serve(s);
	assert_int_equal(o.n, 0); /* whatever it means, it is not done */
	shutdown(fd, SHUT_WR);
	serve(s);
	assert_string_equal(o.told, "bad:the line has no end|");
	assert_int_equal(recv(fd, text, sizeof text, 0), 0); /* nothing else to come */
	close(fd);
	kws_server_stop(s, 0, true);
}

/* Who has sent all still gets what waits, and stays while something is to come. */
static void test_half_closed(void **state)
{
	static owner o;
	kws_server *s = serving(&o);
	int fd = come(s);
	char text[64];

	(void)state;
	o.awaits = o.echoes = true;
	say(fd, "hello\n");
	shutdown(fd, SHUT_WR);
	serve(s);
	assert_int_equal(read_for_now(fd, text, sizeof text), 6);
	assert_int_equal(connected(s), 1);
	assert_true(kws_client_put(o.last, "late\n", 5));
	assert_int_equal(connected(s), 1);
	o.awaits = false;
	assert_true(kws_client_put(o.last, "last\n", 5));
	assert_int_equal(connected(s), 0);
	assert_int_equal(read_for_now(fd, text, sizeof text), 10);
	close(fd);

	/* who is gone altogether is heard all the same */
	fd = come(s);
	o.echoes = false;
	o.n = 0;
	say(fd, "bye\n");
	close(fd);
	serve(s);
	assert_string_equal(o.told, "line:bye|");
	assert_int_equal(connected(s), 0);
	assert_false(kws_client_put(o.last, "late\n", 5));
	assert_false(kws_client_answer(o.last, "late\n", 5));
	kws_server_stop(s, 0, true);
}

/* However much one sends, each call takes some of it only, and nothing of it is lost. */
static void test_a_flood_is_taken_in_pieces(void **state)
{
	static owner o;
	kws_server *s = serving(&o);
	int fd = come(s);
	char text[4096];
	size_t most = 0, was = 0;

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 2 ? '\n' : 'x';
	assert_int_equal(send(fd, text, sizeof text, MSG_DONTWAIT), sizeof text);
	for (int i = 0; i < 3000; i++) {
		kws_server_serve(s);
		most = o.n - was > most ? o.n - was : most;
		was = o.n;
	}
	assert_int_equal(o.n, sizeof text / 2 * strlen("line:x|"));
	assert_int_equal(most, strlen("line:x|"));
	close(fd);
	kws_server_stop(s, 0, true);
}

/* Lines that come at a bad time wait, and all that is behind them; in the order in which they came. */
static void test_lines_wait(void **state)
{
	static owner o;
	kws_server *s = serving(&o);
	int a = come(s), b = come(s);

	(void)state;
	o.busy = true;
	say(b, "b1\nb2\n");
	serve(s);
	say(a, "a1\na2\n");
	serve(s);
	kws_server_again(s);
	assert_int_equal(o.n, 0);
	struct pollfd p = { .fd = kws_server_fd(s), .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0); /* and wake nobody */
	o.busy = false;
	kws_server_again(s);
	assert_string_equal(o.told, "line:b1|line:a1|");
	serve(s);
	assert_int_equal(o.n, 4 * strlen("line:xx|"));
	o.busy = true;
	o.n = 0;
	say(b, "b3\n");
	say(a, "a3\n");
	serve(s);
	close(b); /* does not wait for the answer */
	serve(s);
	assert_int_equal(o.gone, 1);
	o.busy = false;
	kws_server_again(s);
	assert_string_equal(o.told, "line:a3|");
	close(a);
	serve(s);
	assert_int_equal(o.gone, 2);
	kws_server_stop(s, 0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_any_cut),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_a_line_without_end),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_a_flood_is_taken_in_pieces),
		cmocka_unit_test(test_lines_wait),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
