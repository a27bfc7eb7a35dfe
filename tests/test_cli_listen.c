/* kws listen, run as a user runs it: on a terminal of its own, with keys, and without one. */
#define _XOPEN_SOURCE 700
#include "tests/run_kws.h"

#include <sys/ioctl.h>
#include <termios.h>

static int terminal = -1; /* the master's side of the last one */

/* kws listen on a terminal of this size, whose session it leads. Its sound comes from the pipe `in';
 * all that it writes goes to the terminal. */
static child listen_on_terminal(unsigned short columns, unsigned short rows,
				const char *const *argv)
{
	const struct winsize size = { .ws_col = columns, .ws_row = rows };
	int in[2];
	child c = { .out = -1, .err = -1 };
	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (terminal < 0) {
		print_message("there are no pseudo terminals here: is /dev/pts mounted?\n");
		skip();
	}
	assert_true(grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
	assert_int_equal(pipe(in), 0);
	c.in = in[1];
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		setsid();
		const int mine = open(ptsname(terminal), O_RDWR); /* and so the session's */
		dup2(in[0], 0);
		dup2(mine, 1);
		dup2(mine, 2);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		if (chdir(dir) == 0)
			execv(kws, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(in[0]);
	return c;
}

static size_t n_shown;

/* Read until this text has been written, or to the end (NULL). */
static void await(const char *text)
{
	while (!text || !strstr(out, text)) {
		struct pollfd p = { terminal, POLLIN, 0 };
		assert_true(poll(&p, 1, 60000) > 0);
		assert_true(n_shown < MOST - 1);
		const ssize_t k = read(terminal, out + n_shown, MOST - 1 - n_shown);
		if (k <= 0) {
			assert_null(text);
			return;
		}
		n_shown += (size_t)k;
		out[n_shown] = '\0';
	}
}

static void type(const char *keys)
{
	assert_int_equal(write(terminal, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/* Close its sound, and wait. */
static int end_of(child *c)
{
	int status;
	close(c->in);
	await(NULL);
	close(terminal);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static child begin(unsigned short columns, unsigned short rows)
{
	static const char *const argv[] = {
		"kws", "listen", "-d", "raw:-", "--threshold=0.9", NULL
	};
	n_shown = 0;
	out[0] = '\0';
	return listen_on_terminal(columns, rows, argv);
}

/* So many seconds of the sound of set_up(). */
static void say(const child *c, size_t seconds)
{
	static short pcm[RATE * 30];
	make_sound(pcm, RATE * 30, 33);
	for (size_t at = 0, n = 2 * RATE * seconds; at < n;) {
		const ssize_t k = write(c->in, (const char *)pcm + at, n - at);
		assert_true(k > 0);
		at += (size_t)k;
	}
}

/* What stands there when the page is gone. */
static const char *after_page(void)
{
	const char *at = strstr(out, "\033[?1049l");
	assert_non_null(at);
	return at + strlen("\033[?1049l");
}

/* Whether this stands on the last page. */
static bool on_last_page(const char *text)
{
	const char *page = out;
	for (const char *at = out; (at = strstr(at, "\033[H")); at++)
		page = at;
	const char *found = strstr(page, text);
	return found && found < after_page();
}

static void keys_move_thresholds(void **state)
{
	(void)state;
	child c = begin(80, 24);
	say(&c, 2);
	await("q end");
	type("\033[C\033[C"); /* yes: 0.92 */
	await("> yes 0.92");
	type("j-"); /* no: 0.89 */
	await("> no  0.89");
	type("o");
	await("> no  off");
	type("\033OD\033[D"); /* from off to 1, and one less */
	await("> no  0.9999");
	type("q");
	assert_int_equal(end_of(&c), 0);
	/* On from here it is a piece of a configuration, and the terminal as it was. */
	assert_non_null(strstr(after_page(), "[threshold]"));
	assert_non_null(strstr(after_page(), "# set by hand\r\nyes = 0.92\r\n"));
	assert_non_null(strstr(after_page(), "# set by hand\r\nno = 0.9999\r\n"));
	assert_null(strstr(after_page(), "\033"));
}

static void the_end_tells_all(void **state)
{
	(void)state;
	child c = begin(40, 12);
	say(&c, 20);
	assert_int_equal(end_of(&c), 0);
	const char *told = after_page();
	assert_true(on_last_page("0:20.0"));
	assert_non_null(strstr(told, " near miss "));
	assert_non_null(strstr(told, "# kws listen, 20 s\r\n"));
	assert_non_null(strstr(told, "[threshold]\r\n"));
	assert_null(strstr(told, "set by hand"));
	for (const char *at = told; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] != '\0'))
		assert_true(strcspn(at, "\r") < 40);
}

static void an_interrupt_restores_the_terminal(void **state)
{
	(void)state;
	struct termios before, now;
	child c = begin(80, 24);
	assert_int_equal(tcgetattr(terminal, &before), 0);
	say(&c, 2);
	await("q end");
	assert_int_equal(tcgetattr(terminal, &now), 0);
	assert_int_equal(now.c_lflag & (ICANON | ECHO), 0);
	assert_int_equal(kill(c.pid, SIGINT), 0);
	await("[threshold]");
	assert_int_equal(tcgetattr(terminal, &now), 0);
	assert_int_equal(now.c_lflag, before.c_lflag);
	assert_int_equal(end_of(&c), 0);
	assert_non_null(strstr(after_page(), "[threshold]"));
}

/* Ctrl-Z leaves the page. Here no shell could continue it (its process group is an orphan), so the
 * system lets it go on at once, and back comes the page. */
static void a_stop_leaves_the_page(void **state)
{
	(void)state;
	child c = begin(80, 24);
	say(&c, 2);
	await("q end");
	assert_null(strstr(out, "\033[?1049l"));
	assert_int_equal(kill(c.pid, SIGTSTP), 0);
	await("\033[?1049l");
	/* what was read beyond it may be the page again */
	n_shown = strlen(after_page());
	memmove(out, after_page(), n_shown + 1);
	await("\033[?1049h");
	await("q end");
	type("q");
	assert_int_equal(end_of(&c), 0);
	assert_non_null(strstr(after_page(), "[threshold]"));
}

/* Styles only where they are wanted, a page only where the cursor can be placed. */
static void colour_only_where_wanted(void **state)
{
	(void)state;
	static const struct {
		const char *name, *value;
		bool page, colour;
	} all[] = {
		{ "NO_COLOR", "", true, true }, /* as https://no-color.org has it */
		{ "NO_COLOR", "1", true, false },
		{ "TERM", "dumb", false, false },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		setenv(all[i].name, all[i].value, 1);
		child c = begin(80, 24);
		unsetenv("NO_COLOR");
		setenv("TERM", "xterm", 1);
		say(&c, 3);
		assert_int_equal(end_of(&c), 0);
		assert_int_equal(strstr(out, "\033[?1049h") != NULL, all[i].page);
		assert_int_equal(strstr(out, "\033[2m") != NULL, all[i].colour);
		assert_non_null(strstr(out, "[threshold]"));
	}
	assert_int_equal(run_line("listen -d raw:said.wav --threshold=0.9"), 0);
	assert_null(strchr(out, '\033'));
	assert_non_null(strstr(out, " score "));
	assert_non_null(strstr(out, " near miss "));
	assert_true(count_lines(out) >= 30);
}

static void several_models_listen(void **state)
{
	(void)state;
	assert_int_equal(run_line("listen -d raw:said.wav -m wake=tiny.safetensors -m "
				  "order=tiny.safetensors --after order=wake --threshold "
				  "wake:0.5,order:0.5"),
			 0);
	assert_non_null(strstr(out, " wake:yes"));
	assert_non_null(strstr(out, "[threshold wake]\n"));
	assert_non_null(strstr(out, "[threshold order]\n"));
	/* What both hear is what kws spot hears. */
	size_t n = 0;
	for (const char *at = out; (at = strstr(at, " score ")); at++)
		n++;
	assert_int_equal(run_line("spot said.wav -m wake=tiny.safetensors -m "
				  "order=tiny.safetensors --after order=wake --threshold "
				  "wake:0.5,order:0.5 --format csv"),
			 0);
	assert_true(n > 0);
	assert_int_equal(count_lines(out) - 1, n);
	assert_int_equal(run_line("listen -d raw:said.wav -m tiny.safetensors --after a=b"), 2);
	assert_int_equal(run_line("listen -d raw:said.wav -m full.safetensors"), 3);
}

static int set_up(void **state)
{
	setenv("TERM", "xterm", 1);
	setenv("LC_ALL", "C", 1);
	unsetenv("NO_COLOR");
	return set_up_said(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_move_thresholds),
		cmocka_unit_test(the_end_tells_all),
		cmocka_unit_test(an_interrupt_restores_the_terminal),
		cmocka_unit_test(a_stop_leaves_the_page),
		cmocka_unit_test(colour_only_where_wanted),
		cmocka_unit_test(several_models_listen),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
