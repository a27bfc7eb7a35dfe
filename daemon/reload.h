/* reload.h - `kwsd --reload PID`: ask a running kwsd to reload, wait, and know how it went.
 *
 * SIGHUP carries no answer, and a service manager wants one. So the daemon counts its reloads in a
 * file "reload" of its runtime folder (RUNTIME_DIRECTORY, which systemd sets for both): one that
 * began after we had looked has read what we want it to read. Without such a folder there is no
 * file, and SIGHUP and the log are all. */
#ifndef KWS_DAEMON_RELOAD_H
#define KWS_DAEMON_RELOAD_H

#include <stdbool.h>

typedef struct {
	unsigned begun, done; /* numbers of the last reload that began, and that ended */
	bool taken;	      /* the last that ended; false: refused */
} kws_reload;

/* The daemon: write it down. */
void kws_reload_note(const kws_reload *r);

/* The other side: returns an exit status, 0 when the reload was taken. Says on stderr what is
 * wrong. */
int kws_reload_ask(const char *pid);

#endif
