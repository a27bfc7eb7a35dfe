/* Wyoming clients that do what nobody should, beside others that must not notice. */
#include "tests/wyoming_sockets.h"

/* One that asks and never reads costs others nothing, and is sent away. */
static void who_does_not_read_is_sent_away(void **state)
{
	const int stuck = come(), other = come();
	int asked = 0;

	(void)state;
	for (int idle = 0; idle < 20; step(1)) {
		const ssize_t k = write(stuck, describe, strlen(describe));

		asked += k > 0;
		idle = k > 0 ? 0 : idle + 1;
	}
	assert_true(asked > 100);
	for (int s = 0; s < 28; s++) {
		pass(1.0);
		assert_true(answers_describe(other));
	}
	assert_int_equal(connected(), 2);
	for (int s = 0; s < 4; s++) {
		pass(1.0);
		assert_true(answers_describe(other));
	}
	assert_int_equal(connected(), 1);
	assert_int_equal(refused(), 1);
	close(stuck);
	close(other);
}

/* What is no Wyoming is answered by an error, then nothing that comes is used; and the connection
 * ends, if not by the client then by us. */
static void who_breaks_the_protocol_is_told(void **state)
{
	const int fd = come();
	bool ended;

	(void)state;
	assert_int_equal(write(fd, "HELO\n", 5), 5);
	step(2);
	assert_true(answers(fd, "bad-message", &ended));
	assert_true(ended);
	assert_int_equal(connected(), 1);
	assert_int_equal(write(fd, describe, strlen(describe)), strlen(describe));
	step(2);
	assert_false(answers(fd, "info", NULL));
	pass(1.0);
	assert_int_equal(connected(), 1);
	pass(2.5);
	assert_int_equal(connected(), 0);
	close(fd);
}

/* However much the others send, describe is answered in the step in which it comes, or the next. */
static void describe_waits_for_nobody(void **state)
{
	wy_text t = { NULL, 0, 0 };
	size_t at[MOST - 1] = { 0 };
	int fd[MOST - 1];

	(void)state;
	wy_audio(&t, &plain, demo, 2 * 10 * WY_RATE);
	for (int i = 0; i < 20000; i++)
		wy_event(&t, "ping", NULL, NULL, 0);
	for (int i = 0; i < MOST - 1; i++)
		fd[i] = come();
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < MOST - 1; i++) {
			const ssize_t k = write(fd[i], t.bytes + at[i], t.n - at[i]);

			at[i] += k > 0 ? (size_t)k : 0;
			at[i] = at[i] == t.n ? 0 : at[i];
		}
		if (round % 10 == 9) {
			const int asking = come();

			assert_true(answers_describe(asking));
			close(asking);
		}
		step(1);
		answers(fd[0], "", NULL); /* the others do not even read */
	}
	for (int i = 0; i < MOST - 1; i++)
		close(fd[i]);
	free(t.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_does_not_read_is_sent_away),
		TEST(who_breaks_the_protocol_is_told),
		TEST(describe_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all) != 0;
}
