/* kwsd, run as a user runs it: what it hears of files and pipes, what it heeds, and how it ends. */
#define _POSIX_C_SOURCE 200809L
#include "tests/run_kwsd.h"

#include "daemon/setup.h"
#include "tests/sockets.h"

#include <errno.h>
#include <sysexits.h>
#include <time.h>

/* ---- what it hears ---- */

typedef struct {
	size_t n;
	char word[256][16];
	double start[256], score[256];
} heard;

/* The events of out, which is left as it is. */
static void take_events(heard *h)
{
	h->n = count_lines(out);
	assert_true(h->n > 0 && h->n <= 256);
	for (size_t i = 0; i < h->n; i++) {
		json_t *o = json_line(i);

		snprintf(h->word[i], sizeof h->word[i], "%s", text_of(o, "word"));
		h->start[i] = number_of(o, "start");
		h->score[i] = number_of(o, "score");
		json_decref(o);
	}
}

static void expect_events(const heard *want)
{
	static heard got;

	take_events(&got);
	assert_int_equal(got.n, want->n);
	for (size_t i = 0; i < got.n; i++) {
		assert_string_equal(got.word[i], want->word[i]);
		assert_true(fabs(got.start[i] - want->start[i]) < 1e-9);
		assert_true(fabs(got.score[i] - want->score[i]) < 1e-9);
	}
}

/* A file, and standard input, to their ends: what kws spot says of them, and status 0. */
static void test_finite_inputs(void **state)
{
	static char wav[1 << 20];
	static heard want;
	const size_t n = read_whole(in_dir("said.wav"), wav, sizeof wav);

	(void)state;
	use("kws");
	assert_int_equal(run_line("spot --format jsonl said.wav"), 0);
	take_events(&want);
	assert_int_equal(KWSD("-d raw:%s", in_dir("said.wav")), EX_OK);
	expect_events(&want);
	expect("configuration conf");
	expect("model tiny");
	use("kwsd");
	assert_int_equal(run_on(wav + 44, n - 44, "-c", in_dir("conf"), "--device=raw:-",
				"--log-level", "debug", NULL),
			 EX_OK);
	expect_events(&want);
	expect("debug: event: ");
	assert_int_equal(KWSD("-l error -d raw:other.wav"), EX_OK);
	assert_string_equal(err, "");
}

/* -m: from the folder in which it is said, as a reload from there would find it. */
static void test_model_beside(void **state)
{
	(void)state;
	assert_int_equal(KWSD("-m tiny.safetensors -d raw:other.wav"), EX_OK);
	expect(in_dir("tiny.safetensors"));
	assert_int_equal(KWSD("-m none.safetensors -d raw:other.wav"), EX_CONFIG);
	expect(in_dir("none.safetensors"));
}

/* ---- how it ends ---- */

static void test_wrong_usage(void **state)
{
	char long_name[KWS_CONF_TEXT + 32] = "";
	const char *argv[2 * KWS_CONF_OVERRIDES + 8] = { "kwsd" };
	size_t n = 1;
	child c;

	(void)state;
	assert_int_equal(KWSD("--no-such-option"), EX_USAGE);
	expect("no-such-option");
	memset(long_name, 'x', sizeof long_name - 1);
	assert_int_equal(KWSD("-d %s", long_name), EX_USAGE);
	expect("too long");
	for (int i = 0; i < KWS_CONF_OVERRIDES; i++) {
		argv[n++] = "-o";
		argv[n++] = "log.level=info";
	}
	argv[n++] = "-t";
	c = start(argv, -1);
	assert_int_equal(finish(&c, "", 0), EX_OK); /* so many may be */
	argv[n++] = "-o";
	argv[n++] = "log.level=info";
	c = start(argv, -1);
	assert_int_equal(finish(&c, "", 0), EX_USAGE);
	expect("more than 64 overrides");
}

static void test_wrong_configuration(void **state)
{
	static const struct {
		const char *words, *says;
	} rows[] = {
		{ "-o audio.rate_hz=1", "[audio] rate_hz: 1" },
		{ "-o audio.rat=1", "rat" },
		{ "-m junk.wav -d raw:said.wav", "junk.wav" },
		{ "-m full.safetensors -d raw:said.wav", "full.safetensors" },
		{ "-o file.path=/dev/null/x -d raw:said.wav", "[file] path: /dev/null/x" },
		{ "-o socket.path=/dev/null/x -d raw:said.wav", "[socket] path: /dev/null/x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(KWSD("%s", rows[i].words), EX_CONFIG);
		expect("kwsd: error: ");
		expect(rows[i].says);
		assert_string_equal(out, "");
	}
	use("kwsd");
	assert_int_equal(run_line("-c none.conf -d raw:said.wav"), EX_CONFIG);
	expect("none.conf");
	/* all that is wrong at once */
	put_text("wrong", "[audio]\nstall_ms = 1\n[log]\nlevel = loud\n");
	assert_int_equal(run_line("-c wrong"), EX_CONFIG);
	expect("wrong:2");
	expect("wrong:4");
}

/* kwsd with this descriptor closed from the start; its standard error in err. */
static int without(int closed, const char *device)
{
	const char *argv[] = { "kwsd", "-c", in_dir("conf"), "-d", device, NULL };
	size_t n = 0;
	int bad[2], status;
	pid_t pid;

	use("kwsd");
	assert_int_equal(pipe(bad), 0);
	pid = fork();
	if (pid == 0) {
		dup2(open("/dev/null", O_RDWR), 0);
		dup2(0, 1);
		dup2(bad[1], 2);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		close(closed);
		alarm(60);
		execv(kws, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(bad[1]);
	while (take(bad[0], err, &n))
		continue;
	close(bad[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_closed_descriptors(void **state)
{
	char device[300];

	(void)state;
	snprintf(device, sizeof device, "raw:%s", in_dir("other.wav"));
	assert_int_equal(without(0, "raw:-"), EX_NOINPUT);
	expect("raw:-: standard input is closed");
	assert_int_equal(without(0, device), EX_OK); /* which needs none */
	put_text("conf", "[stdout]\nenabled = auto\n[journal]\nenabled = no\n");
	assert_int_equal(without(1, device), EX_OK);
	expect("standard output is closed: no events there");
	put_text("conf", "[stdout]\nenabled = yes\n[journal]\nenabled = no\n");
}

/* ---- while it runs ---- */

/* Reads standard error until it has this. */
static void until(child *c, const char *part, size_t *n)
{
	struct pollfd p = { c->err, POLLIN, 0 };

	while (!strstr(err, part))
		if (poll(&p, 1, 60000) != 1 || !take(c->err, err, n))
			fail_msg("it ended without \"%s\":\n%s", part, err);
}

/* Asks for its statistics until they have this: sound is taken from the pipe bit by bit. */
static void until_stats(child *c, const char *part, size_t *n)
{
	for (int i = 0; i < 1000; i++) {
		*n = 0;
		err[0] = '\0';
		kill(c->pid, SIGUSR1);
		until(c, " log_lost=", n);
		if (strstr(err, part))
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 20000000L }, NULL);
	}
	fail_msg("no \"%s\" in the statistics:\n%s", part, err);
}

static int told_fd;

/* The next thing that systemd is told that begins so. */
static void until_told(const char *what)
{
	char text[512];

	do {
		struct pollfd p = { told_fd, POLLIN, 0 };
		assert_int_equal(poll(&p, 1, 60000), 1);
		const ssize_t n = recv(told_fd, text, sizeof text - 1, 0);
		assert_true(n > 0);
		text[n] = 0;
	} while (strncmp(text, what, strlen(what)) != 0);
}

static void listen_as_systemd(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	told_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", in_dir("notify"));
	assert_int_equal(bind(told_fd, (const struct sockaddr *)&a, sizeof a), 0);
	setenv("NOTIFY_SOCKET", in_dir("notify"), 1);
}

/* As a service: told when it hears, when it reloads and when it stops; each signal does what kwsd(8) says. */
static void test_signals(void **state)
{
	static const int ends[] = { SIGTERM, SIGINT };
	static short pcm[RATE];

	(void)state;
	use("kwsd");
	listen_as_systemd();
	for (size_t i = 0; i < 2; i++) {
		const char *argv[] = { "kwsd", "-c", in_dir("conf"), "-d", "raw:-", NULL };
		size_t n = 0;
		child c = start(argv, -1);

		assert_int_equal(write(c.in, pcm, sizeof pcm), sizeof pcm);
		until_told("READY=1");
		until_stats(&c, "heard_s=1.0", &n);
		kill(c.pid, SIGHUP);
		until_told("RELOADING=1");
		until_told("READY=1");
		kill(c.pid, ends[i]);
		until_told("STOPPING=1");
		assert_int_equal(finish(&c, "", 0), EX_OK);
	}
	unsetenv("NOTIFY_SOCKET");
	close(told_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finite_inputs),
		cmocka_unit_test(test_model_beside),
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_wrong_configuration),
		cmocka_unit_test(test_closed_descriptors),
		cmocka_unit_test(test_signals),
	};

	return cmocka_run_group_tests(tests, set_up_kwsd, tear_down);
}
