/* terminal.h - a page on a terminal: the whole of it, with keys, until it is closed; then what was
 * there before is there again. */
#ifndef KWS_CLI_TERMINAL_H
#define KWS_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

typedef struct {
	bool open;
	bool colour; /* unless NO_COLOR is set */
	bool utf8;
	int keys; /* the terminal, to read from; -1: there are none */
	struct termios before;
	char typed[64]; /* (n_typed,) not taken yet */
	size_t n_typed;
} kws_terminal;

enum kws_key { KWS_KEY_NONE, KWS_KEY_UP = 0x100, KWS_KEY_DOWN, KWS_KEY_LEFT, KWS_KEY_RIGHT };

/* Standard output becomes a page. False, and nothing has changed: it is no terminal, or one that
 * cannot move its cursor (TERM), or another job's at the moment. */
bool kws_terminal_open(kws_terminal *t);
void kws_terminal_close(kws_terminal *t); /* may be called twice */

/* Columns and rows as they are now: of standard output, or else by COLUMNS and LINES, or 80 by
 * 24. */
void kws_terminal_size(unsigned *columns, unsigned *rows);

/* Whether it shows UTF-8, by LC_ALL, LC_CTYPE or LANG. */
bool kws_terminal_utf8(void);

/* The next key that was typed: one of enum kws_key, or its letter. Does not wait. */
int kws_terminal_key(kws_terminal *t);

#endif
