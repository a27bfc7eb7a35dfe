/* program.h - what the gateways have in common as programs: options, the configuration, signals,
 * systemd, exit status.
 *
 * A gateway is a program with a network. It hears no room: it has no sound devices, and knows kwsd
 * only by its control socket. Each one has a section of its name in kwsd.conf.
 *
 *   kwsd-NAME [-c FILE] [-t] [-o SECTION.KEY=VALUE] [-l LEVEL]
 *
 * SIGHUP reads the configuration again; one with errors is refused, and the old one stays. SIGUSR1
 * logs the status, SIGTERM and SIGINT end. Exit status as of kwsd: 78 for a configuration that is
 * wrong, 71 if the system lacks something. */
#ifndef KWS_GATEWAY_PROGRAM_H
#define KWS_GATEWAY_PROGRAM_H

#include "conf/source.h"
#include "runtime/loop.h"

enum { KWS_GATEWAY_STATUS = 256 };

typedef struct {
	const char *name; /* "kwsd-mqtt" */
	const char *what; /* for --help: what it does, one sentence */
	/* The sections of kwsd.conf that it uses, its own first, NULL at the end: -t prints them. */
	const char *const *sections;
	/* Whether the section makes it run at all. It ends with status 78, and says why, if err is
	 * filled in. Also called by -t: check everything that can be checked without a change
	 * outside the process. */
	enum kws_status (*check)(const kws_conf *c, kws_error *err);
	/* Open everything. c lives as long as the program, and a reload replaces its content. */
	enum kws_status (*start)(void **self, kws_loop *loop, const kws_conf *c, kws_error *err);
	/* c is the new configuration, which check has passed. KWS_OK: it is in force. Otherwise
	 * nothing has changed. */
	enum kws_status (*reload)(void *self, const kws_conf *c, kws_error *err);
	/* One line for `systemctl status` and the log: "3 clients, 2 words". */
	void (*status)(void *self, char *text, size_t n);
	/* False: the watchdog of systemd should start another process, although the loop goes round.
	 * Called several times in its period. NULL: always true. */
	bool (*is_alive)(void *self);
	/* End, within a second or two. */
	void (*stop)(void *self);
} kws_gateway;

/* Returns the exit status. */
int kws_gateway_main(const kws_gateway *g, int argc, char **argv);

#endif
