#include "cli/terminal.h"

#include "cli/args.h"
#include "cli/out.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A variable of the environment; NULL: it is not set, or empty. */
static const char *value_of(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* The first of these that is set decides, as for all programs. */
bool kws_terminal_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names && !locale; i++)
		locale = value_of(names[i]);
	const char *dot = locale ? strchr(locale, '.') : NULL;
	return dot && (strncasecmp(dot, ".UTF-8", 6) == 0 || strncasecmp(dot, ".utf8", 5) == 0);
}

/* Whether the cursor can be moved there. */
static bool is_page(void)
{
	const char *kind = value_of("TERM");
	return isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

static void read_keys(kws_terminal *t)
{
	struct termios raw;
	if (t->keys < 0)
		return;
	if (tcgetattr(t->keys, &t->before) != 0) {
		close(t->keys);
		t->keys = -1;
		return;
	}
	raw = t->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(t->keys, TCSANOW, &raw);
}

bool kws_terminal_open(kws_terminal *t)
{
	*t = (kws_terminal){ .keys = -1 };
	if (!is_page())
		return false;
	/* Standard input may be the sound. */
	t->keys = open("/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (t->keys >= 0 && tcgetpgrp(t->keys) != getpgrp()) {
		close(t->keys);
		return false;
	}
	read_keys(t);
	t->colour = !value_of("NO_COLOR");
	t->utf8 = kws_terminal_utf8();
	t->open = true;
	/* another page, without a cursor */
	fputs("\033[?1049h\033[?25l", stdout);
	return true;
}

void kws_terminal_close(kws_terminal *t)
{
	if (!t->open)
		return;
	fputs("\033[?25h\033[?1049l", stdout);
	kws_out_flush();
	if (t->keys >= 0) {
		tcsetattr(t->keys, TCSANOW, &t->before);
		close(t->keys);
	}
	t->open = false;
}

/* By the environment, if the system does not say. */
static void set_by_name(const char *name, unsigned usual, unsigned *n)
{
	const char *text = getenv(name);
	if (!*n && (!text || !kws_args_unsigned(text, 1, 10000, n)))
		*n = usual;
}

void kws_terminal_size(unsigned *columns, unsigned *rows)
{
	struct winsize size = { 0 };
	*columns = *rows = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		*columns = size.ws_col;
		*rows = size.ws_row;
	}
	set_by_name("COLUMNS", 80, columns);
	set_by_name("LINES", 24, rows);
}

static int take(kws_terminal *t, size_t n, int key)
{
	t->n_typed -= n;
	memmove(t->typed, t->typed + n, t->n_typed);
	return key;
}

int kws_terminal_key(kws_terminal *t)
{
	static const int arrows[] = { KWS_KEY_UP, KWS_KEY_DOWN, KWS_KEY_RIGHT, KWS_KEY_LEFT };
	if (!t->open || t->keys < 0)
		return KWS_KEY_NONE;
	const ssize_t more = read(t->keys, t->typed + t->n_typed, sizeof t->typed - t->n_typed);
	t->n_typed += more > 0 ? (size_t)more : 0;
	while (t->n_typed) {
		const char *at = t->typed;
		if (*at != '\033')
			return take(t, 1, (unsigned char)*at);
		if (t->n_typed >= 3 && (at[1] == '[' || at[1] == 'O') && at[2] >= 'A'
		    && at[2] <= 'D')
			return take(t, 3, arrows[at[2] - 'A']);
		if (t->n_typed < 3 && more > 0)
			return KWS_KEY_NONE; /* the rest of it is on its way */
		take(t, 1, 0);
	}
	return KWS_KEY_NONE;
}
