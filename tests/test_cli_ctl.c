/* kws ctl, against something that answers as it is told: what it asks, what it shows, how it ends. */
#define _POSIX_C_SOURCE 200809L
#include "tests/run_kws.h"
#include "tests/sockets.h"

#include <sys/stat.h>
#include <sysexits.h>

static char asked[4096]; /* of the last run, by all connections, a line each */
static char path[100];

/* Serve one connection after the other: what asks a line gets the reply, and the connection is closed but for the last
 * one of those that stay. In a process of its own, which writes what it was asked into a file. */
typedef struct {
	const char *reply[3]; /* of each connection; "": hears, and says nothing */
	bool stays;	      /* the last one is not closed */
} daemon;

static void serve(int door, const daemon *d)
{
	FILE *log = fopen(in_dir("asked"), "w");
	char text[4096];

	for (size_t i = 0; i < 3 && d->reply[i]; i++) {
		int fd = accept(door, NULL, NULL);
		size_t n = 0;
		ssize_t k = 1;

		while (n < sizeof text - 1 && k > 0 && !memchr(text, '\n', n)) {
			k = recv(fd, text + n, sizeof text - 1 - n, 0);
			n += k > 0 ? (size_t)k : 0;
		}
		fprintf(log, "%.*s", (int)n, text);
		fflush(log);
		send(fd, d->reply[i], strlen(d->reply[i]), MSG_NOSIGNAL);
		if (d->stays && !(i < 2 && d->reply[i + 1]))
			pause();
		close(fd);
	}
	fclose(log);
	_exit(0);
}

/* kws with these words between blanks, while it runs. Returns the exit status. */
static int with(daemon d, const char *words)
{
	int door = squat(path), status;
	pid_t pid = fork();

	if (pid == 0)
		serve(door, &d);
	close(door);
	status = run_line("%s", words);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
	read_whole(in_dir("asked"), asked, sizeof asked);
	return status;
}

#define SAYS(...)	    ((daemon){ { __VA_ARGS__ }, false })
#define SAYS_AND_STAYS(...) ((daemon){ { __VA_ARGS__ }, true })

static void what_it_asks(void **state)
{
	static const struct {
		const char *words, *asked;
	} rows[] = {
		{ "ctl version", "{\"request\":\"version\"}\n" },
		{ "ctl reload", "{\"request\":\"reload\"}\n" },
		{ "ctl --keep set threshold.yes=0.7 a=b=c",
		  "{\"request\":\"set\",\"values\":{\"threshold.yes\":\"0.7\",\"a\":\"b=c\"},"
		  "\"keep\":true}\n" },
		{ "ctl off", "{\"request\":\"listen\",\"on\":false,\"keep\":false}\n" },
		{ "ctl on kitchen --keep",
		  "{\"request\":\"listen\",\"on\":true,\"keep\":true,\"listener\":\"kitchen\"}\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(with(SAYS("{\"ok\":true}\n"), rows[i].words), 0);
		assert_string_equal(asked, rows[i].asked);
		assert_string_equal(out, "");
		assert_string_equal(err, "");
	}
	assert_int_equal(
		with(SAYS("{\"ok\":true,\"streams\":[]}\n"), "ctl events --listener attic"),
		EX_UNAVAILABLE);
	assert_string_equal(asked,
			    "{\"request\":\"subscribe\",\"events\":{\"listener\":\"attic\"}}\n");
	assert_int_equal(with(SAYS("{\"ok\":true,\"streams\":[]}\n"),
			      "ctl subscribe scores=12.5 levels --spotter x"),
			 EX_UNAVAILABLE);
	assert_string_equal(asked,
			    "{\"request\":\"subscribe\",\"scores\":{\"rate_hz\":12.5,\"spotter\":"
			    "\"x\"},\"levels\":{\"spotter\":\"x\"}}\n");
}

static void how_it_ends(void **state)
{
	static const struct {
		const char *reply, *error;
		int status;
	} rows[] = {
		{ "{\"ok\":true}\n", "", 0 },
		{ "{\"ok\":false,\"code\":\"refused\",\"error\":\"a\",\"errors\":[\"a\",\"b\\u001b["
		  "31m\"]}\n",
		  "kws: a\nkws: b\\x1b[31m\n", EX_CONFIG },
		{ "{\"ok\":false,\"code\":\"in part\",\"error\":\"kept not\"}\n", "kws: kept not\n",
		  EX_CONFIG },
		{ "{\"ok\":false,\"code\":\"request\",\"error\":\"no such\"}\n", "kws: no such\n",
		  1 },
		{ "{\"ok\":false,\"code\":\"full\",\"error\":\"full\"}\n", "kws: full\n",
		  EX_TEMPFAIL },
		{ "", "kwsd has closed it", EX_UNAVAILABLE },
		{ "{\"ok\":tr", "kwsd has closed it", EX_UNAVAILABLE },
		{ "HTTP/1.1 400 Bad Request\n", "is not kwsd", EX_UNAVAILABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(with(SAYS(rows[i].reply), "ctl reload"), rows[i].status);
		assert_non_null(strstr(err, rows[i].error));
		assert_string_equal(out, "");
	}
	assert_int_equal(with(SAYS_AND_STAYS(""), "ctl --timeout 0.2 reload"), EX_TEMPFAIL);
	assert_int_equal(run_line("ctl reload"), EX_UNAVAILABLE);
	assert_non_null(strstr(err, "kwsd is not there"));
	close(squat(path)); /* nobody listens any more */
	assert_int_equal(run_line("ctl reload"), EX_UNAVAILABLE);
	assert_non_null(strstr(err, "kwsd is not there"));
	unlink(path);
}

static void what_is_typed_wrongly(void **state)
{
	static const char *const rows[][2] = {
		{ "ctl relaod", "did you mean 'reload'?" },
		{ "ctl reload now", "takes no arguments" },
		{ "ctl set", "set what?" },
		{ "ctl set threshold.yes", "want KEY=VALUE" },
		{ "ctl set =1", "want KEY=VALUE" },
		{ "ctl on a b", "one microphone at a time" },
		{ "ctl subscribe", "subscribe to what?" },
		{ "ctl subscribe scores=fast", "a number of lines a second" },
		{ "ctl subscribe scores=", "a number of lines a second" },
		{ "ctl events now", "takes no arguments" },
		{ "ctl --format=csv status", "csv" },
		{ "ctl --timeout=soon status", "soon" },
		{ "ctl --kep set a=1", "did you mean 'keep'?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(run_line("%s", rows[i][0]), 2);
		if (!strstr(err, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], err);
	}
}

static const char status[] = "{\"ok\":true,\"request\":\"status\",\"status\":{\"version\":\"0.2."
			     "0\",\"configuration\":\"/etc/k.conf\",\"up_s\":"
			     "183845.5,\"cpu_s\":1838.0,\"rss_mb\":23.4,\"reloads\":2,\"reload_"
			     "error\":\"k.conf:3: no\",\"listeners\":[{"
			     "\"name\":\"kitchen\",\"enabled\":true,\"state\":\"running\","
			     "\"device\":\"alsa:U\\u001b[1mSB\",\"rate_hz\":48000,"
			     "\"reason\":\"\",\"heard_s\":3725.0,\"gaps\":2,\"gap_s\":0.31,"
			     "\"events\":12,\"silent\":true,\"level_dbfs\":-52.3,"
			     "\"spotters\":[{\"name\":\"commands\",\"model\":\"c12\",\"model_"
			     "hash\":\"0123456789abcdef\",\"path\":\"/m\","
			     "\"events\":5,\"near_misses\":1,\"best_score\":0.25,\"cost\":0.012,"
			     "\"after\":\"jarvis\",\"open\":false}]},{"
			     "\"name\":\"\",\"enabled\":false,\"reason\":\"\"}],\"sinks\":[{"
			     "\"kind\":\"file\",\"name\":\"log\",\"taken\":4,"
			     "\"dropped\":1,\"failed\":0}]}}\n";

static void the_status(void **state)
{
	(void)state;
	for (const char *const *words = (const char *const[]){ "ctl", "ctl status", NULL }; *words;
	     words++) {
		assert_int_equal(with(SAYS(status), *words), 0);
		assert_string_equal(asked, "{\"request\":\"status\"}\n");
		assert_non_null(
			strstr(out, "kwsd 0.2.0, up 2 d 03:04:05, 23.4 MB, 1.0 % of a processor\n"
				    "configuration /etc/k.conf, reloaded 2 times\n"
				    "the last reload was refused: k.conf:3: no\n"));
		assert_non_null(strstr(
			out, "\nkitchen     running, silent  -52.3 dBFS  01:02:05  2, 0.3 s  12  "
			     "    alsa:U\\x1b[1mSB at 48000 Hz\n"));
		assert_non_null(strstr(out, "\n-           off "));
		assert_non_null(strstr(
			out, "\ncommands  kitchen     5       1     0.250  1.2 %  after jarvis, "
			     "closed  0123456789ab /m\n"));
		assert_non_null(strstr(out, "\nfile log  4       1        0       -\n"));
	}
	for (const char *const *words =
		     (const char *const[]){ "ctl --json", "ctl status --format jsonl", NULL };
	     *words; words++) {
		assert_int_equal(with(SAYS(status), *words), 0);
		assert_string_equal(out, status);
	}
	assert_int_equal(
		with(SAYS("{\"ok\":true,\"version\":\"0.2.0\",\"protocol\":1}\n"), "ctl version"),
		0);
	assert_string_equal(out, "kwsd 0.2.0, protocol 1\n");
}

#define STREAMS "{\"ok\":true,\"streams\":[\"events\"]}\n"
#define EVENT                                                                                      \
	"{\"event\":{\"word\":\"yes\",\"score\":0.91,\"threshold\":0.7,\"level_dbfs\":-20.5,"      \
	"\"start_time\":\"2026-03-01T12:00:00.250Z\",\"listener\":\"kitchen\",\"after\":"          \
	"\"jarvis\"}"                                                                              \
	",\"dropped\":3}\n"
#define OTHERS                                                                                     \
	"{\"near_miss\":{\"word\":\"no\",\"score\":0.5,\"threshold\":0.7,\"level_dbfs\":null,"     \
	"\"start_time\":\"2026-03-01T12:00:01.250Z\"}}\n"                                          \
	"{\"level\":{\"time\":1.5,\"level_dbfs\":-70.0}}\n"                                        \
	"{\"scores\":{\"time\":2.5,\"spotter\":\"commands\",\"words\":{\"yes\":0.25,\"no\":0.001}" \
	"}}\n"                                                                                     \
	"{\"mel\":{\"time\":2.5,\"bands\":[1.0]}}\n"

static void streams(void **state)
{
	(void)state;
	assert_int_equal(with(SAYS(STREAMS EVENT OTHERS), "ctl events"), EX_UNAVAILABLE);
	assert_string_equal(out,
			    "2026-03-01T12:00:00.250Z  yes  0.910 of 0.700  -20.5 dBFS  kitchen  "
			    "after jarvis\n"
			    "2026-03-01T12:00:01.250Z  near miss: no  0.500 of 0.700\n"
			    "      1.50 s   -70.0 dBFS  #                                   \n"
			    "      2.50 s  commands  yes 0.25\n"
			    "{\"mel\":{\"time\":2.5,\"bands\":[1.0]}}\n");
	assert_non_null(strstr(err, "3 lines were lost"));
	assert_non_null(strstr(err, "kwsd has closed it"));
	assert_int_equal(with(SAYS(STREAMS EVENT OTHERS), "ctl events --json"), EX_UNAVAILABLE);
	assert_string_equal(out, EVENT OTHERS);
	assert_int_equal(
		with(SAYS("{\"ok\":false,\"code\":\"request\",\"error\":\"no\"}\n"), "ctl events"),
		1);
}

/* The daemon goes and comes again, twice; then what comes refuses. */
static void following(void **state)
{
	(void)state;
	daemon d = SAYS(STREAMS EVENT, STREAMS EVENT,
			"{\"ok\":false,\"code\":\"request\",\"error\":\"no more\"}\n");

	assert_int_equal(with(d, "ctl events --json --follow"), 1);
	assert_memory_equal(out, EVENT EVENT, strlen(EVENT EVENT));
	assert_non_null(strstr(asked, "}\n{"));
	assert_non_null(strstr(err, "no more"));
}

static void where_it_is(void **state)
{
	char dirs[256];

	(void)state;
	unsetenv("KWS_CONTROL");
	snprintf(dirs, sizeof dirs, "%s:/elsewhere", dir);
	setenv("RUNTIME_DIRECTORY", dirs, 1);
	assert_int_equal(with(SAYS("{\"ok\":true}\n"), "ctl reload"), 0);
	unsetenv("RUNTIME_DIRECTORY");
	assert_int_equal(with(SAYS("{\"ok\":true}\n"), "ctl --socket control reload"), 0);
	/* of the session, where its kwsd runs; else the system's */
	setenv("XDG_RUNTIME_DIR", dir, 1);
	mkdir(in_dir("kwsd"), 0700);
	snprintf(path, sizeof path, "%s/kwsd/control", dir);
	assert_int_equal(with(SAYS("{\"ok\":true}\n"), "ctl reload"), 0);
	snprintf(path, sizeof path, "%s/control", dir);
	assert_int_equal(with(SAYS("{\"ok\":true}\n"), "ctl reload"), EX_UNAVAILABLE);
	assert_non_null(strstr(err, "/run/kwsd/control: kwsd is not"));
	rmdir(in_dir("kwsd"));
	setenv("KWS_CONTROL", "/nonexistent/control", 1);
	assert_int_equal(with(SAYS("{\"ok\":true}\n"), "ctl reload"), EX_UNAVAILABLE);
	assert_non_null(strstr(err, "/nonexistent/control: kwsd is not"));
	setenv("KWS_CONTROL", path, 1);
}

static int set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	make_dir(&tiny_default);
	snprintf(path, sizeof path, "%s/control", dir);
	put_text("asked", "");
	return setenv("KWS_CONTROL", path, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_asks),
		cmocka_unit_test(how_it_ends),
		cmocka_unit_test(what_is_typed_wrongly),
		cmocka_unit_test(the_status),
		cmocka_unit_test(streams),
		cmocka_unit_test(following),
		cmocka_unit_test(where_it_is),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
