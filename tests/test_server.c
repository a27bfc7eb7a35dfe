/* Clients that speak in lines: how lines are cut, what is lost, who is sent away. */
#include "tests/sinks.h"
#include "tests/sockets.h"

#include "daemon/server.h"

#include <poll.h>

enum { IN = 64, OUT = 4096, RESERVE = 1024, CLIENTS = 4 };

/* What the owner was told, in order, and its answers. */
typedef struct {
	char told[1 << 16];
	size_t n;
	bool awaits, echoes, busy;
	unsigned gone;
	kws_client *last;
} owner;

static void note(owner *o, const char *kind, const char *text)
{
	o->n += (size_t)snprintf(o->told + o->n, sizeof o->told - o->n, "%s:%s|", kind, text);
}

static bool on_line(void *ctx, kws_client *c, const char *line, size_t n)
{
	owner *o = ctx;

	assert_int_equal(n, strlen(line));
	o->last = c;
	if (o->busy)
		return false;
	note(o, "line", line);
	if (o->echoes && kws_client_answer(c, line, n))
		kws_client_answer(c, "\n", 1);
	return true;
}

static void on_bad_line(void *ctx, kws_client *c, const char *why)
{
	note(ctx, "bad", why);
	((owner *)ctx)->last = c;
}

static bool is_awaited(void *ctx, kws_client *c)
{
	(void)c;
	return ((owner *)ctx)->awaits;
}

static void on_gone(void *ctx, kws_client *c)
{
	(void)c;
	((owner *)ctx)->gone++;
}

static const kws_server_ops ops = { on_line, on_bad_line, is_awaited, on_gone };

static kws_server_config config(void)
{
	static char path[128];

	snprintf(path, sizeof path, "%s", in_dir("control"));
	return (kws_server_config){ .door = { "control", path, "", 0600 },
				    .clients = CLIENTS,
				    .out_bytes = OUT,
				    .reserve = RESERVE,
				    .in_bytes = IN,
				    .own_bytes = 16,
				    .full = "full\n",
				    .ops = &ops };
}

static kws_server *serving(owner *o)
{
	kws_server_config c = config();
	kws_server *s;
	kws_error err = { "" };

	memset(o, 0, sizeof *o);
	if (kws_server_create(&s, &c, &err) != KWS_OK
	    || kws_server_open(s, o, NULL, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return s;
}

static void serve(kws_server *s)
{
	for (int i = 0; i < 400; i++)
		kws_server_serve(s);
}

static unsigned connected(const kws_server *s)
{
	kws_server_stats st;

	kws_server_stats_get(s, &st);
	return st.connected;
}

static int come(kws_server *s)
{
	int fd = visit(in_dir("control"));

	assert_true(fd >= 0);
	serve(s);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

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
		cmocka_unit_test(test_lines_of_any_cut),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_a_line_without_end),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_a_flood_is_taken_in_pieces),
		cmocka_unit_test(test_lines_wait),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_a_thousand_clients),
		cmocka_unit_test(test_taken_over),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
