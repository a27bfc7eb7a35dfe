/* The name of a socket: who may have it, and how it is taken. */
#include "tests/sinks.h"
#include "tests/sockets.h"

#include "runtime/door.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* What each of many processes does: create, wait until go has been closed, open, say so, and live
 * until it is killed. */
static void contend(const kws_conf_socket *c, int go, int done)
{
	kws_sink *s = NULL;
	char byte = 'n';
	bool created = kws_sink_socket.create(&s, c, NULL) == KWS_OK;

	poll(&(struct pollfd){ .fd = go }, 1, 10000);
	if (created && kws_sink_open(s, NULL, NULL) == KWS_OK)
		byte = 'y';
	if (write(done, &byte, 1) == 1)
		sleep(60);
	_exit(0);
}

/* Of many processes that start at once on one name, one has it; a killed one holds up nobody. */
static void test_one_of_many(void **state)
{
	enum { MANY = 8, ROUNDS = 10 };
	kws_conf_socket c = socket_conf();
	kws_sink *s;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int go[2], done[2], owners = 0, said = 0, fd;
		pid_t pid[MANY];
		char byte;

		assert_int_equal(pipe(go), 0);
		assert_int_equal(pipe(done), 0);
		for (int i = 0; i < MANY; i++) {
			pid[i] = fork();
			if (pid[i] == 0) {
				close(go[1]);
				contend(&c, go[0], done[1]);
			}
		}
		close(done[1]);
		close(go[1]); /* all at once */
		for (int i = 0; i < MANY && read(done[0], &byte, 1) == 1; i++, said++)
			owners += byte == 'y';
		fd = visit(c.path);
		for (int i = 0; i < MANY; i++) {
			kill(pid[i], SIGKILL);
			waitpid(pid[i], NULL, 0);
		}
		close(go[0]);
		close(done[0]);
		close(fd);
		assert_int_equal(said, MANY);
		assert_int_equal(owners, 1);
		assert_true(fd >= 0);
	}
	assert_int_equal(visit(c.path), -1); /* the last one's socket, dead */
	OPENED(s, kws_sink_socket.create(&s, &c, NULL));
	kws_sink_stop(s, 0, true);
}

/* The name is taken under the folder's lock, and only then. */
static void test_folder_lock(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_error err = { "" };
	int folder = open(dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(kws_sink_socket.create(&s, &c, NULL), KWS_OK);
	assert_int_equal(flock(folder, LOCK_EX), 0);
	assert_int_equal(kws_sink_open(s, NULL, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "holds a lock on its folder"));
	assert_int_equal(count_names(), 0);
	assert_int_equal(flock(folder, LOCK_UN), 0);
	assert_int_equal(kws_sink_open(s, NULL, &err), KWS_OK);
	assert_int_equal(flock(folder, LOCK_EX | LOCK_NB), 0); /* held for a moment only */
	close(folder);
	kws_sink_stop(s, 0, true);
}

/* What stands beside the socket is the user's, whatever its name. */
static void test_neighbours_stay(void **state)
{
	static const char *const names[] = { "events.sock.new", "events.sock.lock",
					     "events.sock.00000000" };
	kws_conf_socket c = socket_conf();
	kws_sink *s;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		fclose(fopen(in_dir(names[i]), "w"));
	OPENED(s, kws_sink_socket.create(&s, &c, NULL));
	kws_sink_stop(s, 0, true);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(access(in_dir(names[i]), F_OK), 0);
		unlink(in_dir(names[i]));
	}
}

/* The name was taken away from us and is somebody else's now: it stays with them. */
static void test_name_that_was_taken(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *ours, *next;
	kws_error err = { "" };

	(void)state;
	OPENED(ours, kws_sink_socket.create(&ours, &c, NULL));
	unlink(c.path);
	int theirs = squat(c.path);
	assert_int_equal(kws_sink_socket.create(&next, &c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "another process listens there"));
	kws_sink_stop(ours, 0, true);
	assert_int_equal(access(c.path, F_OK), 0);
	close(theirs);
	unlink(c.path);
}

/* The message names the limit, not what failed because of it. */
static void test_limit_is_named(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_error err = { "" };
	struct rlimit was, none;
	enum kws_status status;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	status = kws_sink_socket.create(&s, &c, &err);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(status, KWS_ERR_IO);
	assert_non_null(strstr(err.text, "too many open files"));
	assert_non_null(strstr(err.text, "LimitNOFILE="));
}

static void test_socket_in_the_way(void **state)
{
	kws_conf_socket c = socket_conf();
	kws_sink *s;
	kws_error err = { "" };
	FILE *f = fopen(c.path, "w");

	(void)state;
	fclose(f);
	assert_int_equal(kws_sink_socket.create(&s, &c, &err),
			 KWS_ERR_IO); /* a file is not ours to remove */
	assert_non_null(strstr(err.text, "is no socket"));
	unlink(c.path);
	snprintf(c.group, sizeof c.group, "no-such-group-here");
	assert_int_equal(kws_sink_socket.create(&s, &c, &err), KWS_ERR_IO);
	assert_non_null(strstr(err.text, "[socket] group: "));
	assert_int_equal(access(c.path, F_OK), -1);
	/* a stale socket of a daemon that was killed is no obstacle */
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "%s", c.path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
	c.group[0] = 0;
	OPENED(s, kws_sink_socket.create(&s, &c, NULL));
	kws_sink_stop(s, 0, true);
}

/* Two doors exchange their names: neither is in the other's way. */
static void test_doors_exchange_names(void **state)
{
	kws_door a, b, to_a, to_b;
	char one[128], two[128];
	kws_error err = { "" };

	(void)state;
	snprintf(one, sizeof one, "%s", in_dir("one"));
	snprintf(two, sizeof two, "%s", in_dir("two"));
	assert_int_equal(kws_door_prepare(&a, &(kws_door_config){ "a", one, "", 0600 }, &err), 0);
	assert_int_equal(kws_door_open(&a, &err), KWS_OK);
	assert_int_equal(kws_door_prepare(&b, &(kws_door_config){ "b", two, "", 0600 }, &err), 0);
	assert_int_equal(kws_door_open(&b, &err), KWS_OK);
	assert_int_equal(kws_door_prepare(&to_a, &(kws_door_config){ "a", two, "", 0600 }, &err),
			 0);
	assert_int_equal(kws_door_prepare(&to_b, &(kws_door_config){ "b", one, "", 0600 }, &err),
			 0);
	assert_int_equal(kws_door_open(&to_a, &err), KWS_OK);
	assert_int_equal(kws_door_open(&to_b, &err), KWS_OK);
	kws_door_close(&a);
	kws_door_close(&b);
	assert_int_equal(access(one, F_OK), 0); /* the new ones' */
	assert_int_equal(access(two, F_OK), 0);
	kws_door_close(&to_a);
	kws_door_close(&to_b);
	assert_int_equal(access(one, F_OK), -1);
	assert_int_equal(access(two, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_of_many),
		cmocka_unit_test(test_folder_lock),
		cmocka_unit_test(test_neighbours_stay),
		cmocka_unit_test(test_name_that_was_taken),
		cmocka_unit_test(test_limit_is_named),
		cmocka_unit_test(test_socket_in_the_way),
		cmocka_unit_test(test_doors_exchange_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
