/* Wyoming clients that do what nobody should, beside others that must not notice. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/wyoming_sockets.h"

#include <dlfcn.h>
#include <fftw3.h>
#include <stdatomic.h>

/* Every hop of audio takes this; it can be made to hang. */
static atomic_bool hangs;

void fftwf_execute(const fftwf_plan p)
{
	static void (*next)(const fftwf_plan);

	if (atomic_load(&hangs))
		fake_clock_hang(&hangs);
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "fftwf_execute");
	next(p);
}

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

/* However long it takes to hear somebody's audio, others are answered. */
static void describe_waits_for_no_ears(void **state)
{
	wy_text t = { NULL, 0, 0 };
	const int streams = come(), other = come();

	(void)state;
	wy_audio(&t, &plain, demo, 2 * 2 * WY_RATE);
	assert_true(answers_describe(other));
	atomic_store(&hangs, true);
	assert_int_equal(write(streams, t.bytes, t.n), t.n);
	step(5);
	for (int i = 0; i < 40; i++) {
		const int asking = come();

		assert_true(answers_describe(asking));
		assert_true(answers_describe(other));
		close(asking);
		pass(1.0);
	}
	assert_false(answers(streams, "detection", NULL));
	assert_false(kws_clients_hear(clients)); /* for the watchdog */
	atomic_store(&hangs, false);
	fake_clock_release(&hangs);
	step(2000);
	assert_true(kws_clients_hear(clients));
	assert_true(answers(streams, "\"name\": \"yes\", \"timestamp\": 1070", NULL));
	assert_int_equal(connected(), 2);
	close(streams);
	close(other);
	free(t.bytes);
}

/* Who hangs up while it is heard, and a server that ends meanwhile. */
static void ears_may_outlive_their_client(void **state)
{
	wy_text t = { NULL, 0, 0 };
	int fd[MOST];

	(void)state;
	wy_audio(&t, &plain, demo, 2 * WY_RATE);
	for (int round = 0; round < 3; round++) {
		atomic_store(&hangs, true);
		for (int i = 0; i < MOST; i++) {
			fd[i] = come();
			assert_int_equal(write(fd[i], t.bytes, t.n / 2), t.n / 2);
			step(1);
		}
		/* it is sent away: it leaves its place to another */
		pass(31.0);
		for (int i = 0; i < MOST; i += 2)
			close(fd[i]);
		step(3);
		atomic_store(&hangs, false);
		fake_clock_release(&hangs);
		if (round < 2)
			step(2000);
		for (int i = 1; i < MOST; i += 2)
			close(fd[i]);
		if (round < 2)
			step(2000);
		assert_true(round == 2 || connected() == 0);
	}
	free(t.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_does_not_read_is_sent_away), TEST(who_breaks_the_protocol_is_told),
		TEST(describe_waits_for_nobody),      TEST(describe_waits_for_no_ears),
		TEST(ears_may_outlive_their_client),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all) != 0;
}
