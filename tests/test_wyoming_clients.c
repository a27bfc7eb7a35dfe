/* All Wyoming clients at once, by real sockets: none waits for another, and what they leave behind. */
#include "tests/wyoming_sockets.h"

#include <stdio.h>

/* Give the clients bytes (n,), all of it. */
static void feed(int fd, const char *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		const ssize_t k = write(fd, bytes + at, n - at);

		at += k > 0 ? (size_t)k : 0;
		step(1);
	}
	step(200);
}

/* ---- come and go ---- */

static void clients_come_and_go(void **state)
{
	kws_clients_stats st;

	(void)state;
	for (int i = 0; i < 300; i++) {
		const int fd = come();

		assert_true(answers_describe(fd));
		close(fd);
		step(2);
		assert_int_equal(connected(), 0);
	}
	kws_clients_stats_get(clients, &st);
	assert_int_equal(st.served, 300);
	assert_int_equal(st.refused, 0);
}

static void too_many_are_told_so(void **state)
{
	int fd[MOST], more;
	bool ended;

	(void)state;
	for (int i = 0; i < MOST; i++)
		fd[i] = come();
	more = come();
	assert_true(answers(more, "too-many-clients", &ended));
	assert_true(ended);
	assert_int_equal(connected(), MOST);
	assert_int_equal(refused(), 1);
	assert_true(answers_describe(fd[0]));
	close(fd[0]);
	close(more);
	step(2);
	fd[0] = come();
	assert_true(answers_describe(fd[0]));
	for (int i = 0; i < MOST; i++)
		close(fd[i]);
}

/* When all places are taken, one that is leaving or has been silent longest makes room. */
static void silent_ones_make_room(void **state)
{
	int fd[MOST], more;
	bool ended;

	(void)state;
	for (int i = 0; i < MOST; i++)
		fd[i] = come();
	/* one that was told that it is no Wyoming does not keep others out */
	assert_int_equal(write(fd[0], "HELO\n", 5), 5);
	step(2);
	more = come();
	assert_true(answers_describe(more));
	assert_int_equal(connected(), MOST);
	for (int s = 0; s < 31; s++) {
		pass(1.0);
		for (int i = 2; i < MOST; i++)
			assert_true(answers_describe(fd[i]));
		assert_true(answers_describe(more));
	}
	close(fd[0]);
	fd[0] = come();
	assert_true(answers_describe(fd[0]));
	answers(fd[1], "", &ended);
	assert_true(ended);
	assert_true(answers_describe(fd[2]));
	assert_int_equal(connected(), MOST);
	close(more);
	for (int i = 0; i < MOST; i++)
		close(fd[i]);
}

static void who_says_nothing_is_sent_away(void **state)
{
	const kws_clients_config never = { MOST, 0 };
	const int quiet = come(), busy = come();
	bool ended;

	(void)state;
	for (int s = 0; s < IDLE_S; s++) {
		pass(1.0);
		assert_true(answers_describe(busy));
	}
	assert_int_equal(connected(), 2);
	pass(2.0);
	assert_int_equal(connected(), 1);
	answers(quiet, "", &ended);
	assert_true(ended);
	kws_clients_configure(clients, &never);
	for (int i = 0; i < 3 * IDLE_S; i++)
		pass(1.0);
	assert_true(answers_describe(busy));
	close(quiet);
	close(busy);
}

/* ---- audio ---- */

static void streams_side_by_side(void **state)
{
	wy_text t = { NULL, 0, 0 };
	int fd[3];

	(void)state;
	wy_audio(&t, &plain, demo, 2 * 2 * WY_RATE);
	for (int i = 0; i < 3; i++)
		fd[i] = come();
	for (size_t from = 0; from < t.n; from += 1000)
		for (int i = 0; i < 3; i++)
			feed(fd[i], t.bytes + from, t.n - from < 1000 ? t.n - from : 1000);
	for (int i = 0; i < 3; i++) {
		assert_true(answers(fd[i], "\"name\": \"yes\", \"timestamp\": 1070", NULL));
		close(fd[i]);
	}
	free(t.bytes);
}

/* One that has sent all and listens still gets what was heard. */
static void half_closed_connections_are_answered(void **state)
{
	wy_text t = { NULL, 0, 0 };
	const int fd = come();
	bool ended;

	(void)state;
	wy_audio(&t, &plain, demo, 2 * 2 * WY_RATE);
	feed(fd, t.bytes, t.n);
	shutdown(fd, SHUT_WR);
	step(10);
	assert_true(answers(fd, "\"name\": \"yes\"", &ended));
	assert_true(ended);
	assert_int_equal(connected(), 0);
	close(fd);
	free(t.bytes);
}

/* Other words: a client that streams has them with its next bytes, one that is quiet soon. */
static void words_change_for_all(void **state)
{
	static const char *const set[] = { "threshold.no=off" };
	kws_roster *r = wy_roster(set, 1, roster);
	const int busy = come(), quiet = come();
	wy_text t = { NULL, 0, 0 };

	(void)state;
	wy_audio(&t, &plain, demo, 2 * 2 * WY_RATE);
	feed(busy, t.bytes, t.n / 4);
	assert_true(answers_describe(quiet));
	kws_clients_change(clients, r);
	feed(busy, t.bytes + t.n / 4, t.n - t.n / 4);
	assert_true(answers(busy, "\"name\": \"yes\", \"timestamp\": 1070", NULL));
	assert_int_equal(roster->shares, 2); /* the quiet one's, and this test's */
	pass(1.5);
	assert_int_equal(roster->shares, 1);
	assert_int_equal(write(quiet, describe, strlen(describe)), strlen(describe));
	step(2);
	assert_false(answers(quiet, "\"name\": \"no\"", NULL));
	close(busy);
	close(quiet);
	kws_clients_change(clients, roster);
	step(2);
	assert_int_equal(r->shares, 1);
	kws_roster_release(r);
	free(t.bytes);
}

/* ---- standard input and output ---- */

static void gone(void *ctx)
{
	*(bool *)ctx = true;
}

/* in: a pipe or a file with these bytes; out: likewise. */
static void stdio(int in, int out, int result, const char *want)
{
	bool has_gone = false;

	assert_int_equal(kws_clients_admit(clients, in, out, gone, &has_gone, NULL), KWS_OK);
	for (int i = 0; i < 2000 && !has_gone; i++)
		step(1);
	assert_true(has_gone);
	assert_int_equal(connected(), 0);
	if (lseek(result, 0, SEEK_SET) < 0)
		fcntl(result, F_SETFL, O_NONBLOCK);
	assert_true(answers(result, want, NULL));
	assert_true(fcntl(in, F_GETFD) >= 0 && fcntl(out, F_GETFD) >= 0); /* not ours to close */
}

static void pipes_and_files_are_clients_too(void **state)
{
	FILE *from = tmpfile(), *to = tmpfile();
	wy_text t = { NULL, 0, 0 };
	int in[2], out[2];

	(void)state;
	wy_event(&t, "describe", NULL, NULL, 0);
	wy_audio(&t, &plain, demo, 2 * 2 * WY_RATE);
	assert_true(fwrite(t.bytes, 1, t.n, from) == t.n && fflush(from) == 0);
	rewind(from);
	stdio(fileno(from), fileno(to), fileno(to), "\"name\": \"yes\", \"timestamp\": 1070");
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(write(in[1], describe, strlen(describe)), strlen(describe));
	close(in[1]);
	stdio(in[0], out[1], out[0], "\"info\"");
	rewind(from);
	close(out[0]);
	close(out[1]);
	assert_int_equal(pipe(out), 0);
	stdio(fileno(from), out[1], out[0], "\"name\": \"yes\", \"timestamp\": 1070");
	close(in[0]);
	close(out[0]);
	close(out[1]);
	fclose(from);
	fclose(to);
	free(t.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clients_come_and_go),   TEST(too_many_are_told_so),
		TEST(silent_ones_make_room), TEST(who_says_nothing_is_sent_away),
		TEST(streams_side_by_side),  TEST(half_closed_connections_are_answered),
		TEST(words_change_for_all),  TEST(pipes_and_files_are_clients_too),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all) != 0;
}
