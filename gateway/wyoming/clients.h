/* clients.h - all clients, and whose turn it is.
 *
 * One thread, which never waits for a client, nor for what is heard: that is another thread's work.
 * What a client sends is used in turns: a turn is some events or 40 ms of audio, and the audio of
 * several clients is heard in one job. What somebody sends first, such as describe, is answered at
 * once. A client that does not read its answers is not read from either. */
#ifndef KWS_WYOMING_CLIENTS_H
#define KWS_WYOMING_CLIENTS_H

#include "gateway/wyoming/roster.h"
#include "runtime/loop.h"

typedef struct kws_clients kws_clients;

typedef struct {
	unsigned most;	 /* clients at once; one more takes the place of one that has been silent
			    for 30 s, or is turned away */
	unsigned idle_s; /* a client that says nothing for so long is sent away; 0: never */
} kws_clients_config;

/* Takes a share of r. */
enum kws_status kws_clients_create(kws_clients **out, kws_loop *l, const kws_clients_config *c,
				   kws_roster *r, kws_error *err);
void kws_clients_destroy(kws_clients *all); /* hangs up */

/* From now on. */
void kws_clients_configure(kws_clients *all, const kws_clients_config *c);
void kws_clients_change(kws_clients *all, kws_roster *r);

/* Accept clients at this listening socket, until kws_clients_destroy(); it stays open then. fd MUST
 * not block. */
enum kws_status kws_clients_listen(kws_clients *all, int fd, kws_error *err);

/* A client that writes to in and reads from out, which stay open: pipes, terminals or files. gone
 * is called when it has gone. */
enum kws_status kws_clients_admit(kws_clients *all, int in, int out, kws_timer_fn *gone, void *ctx,
				  kws_error *err);

/* False: what should take milliseconds has not been heard for 30 s. Clients are answered, but told no
 * words: only a new process can help. */
bool kws_clients_hear(const kws_clients *all);

typedef struct {
	unsigned connected, streaming;
	double load;	       /* part of the last second that hearing took, 0..1 */
	unsigned long served;  /* since create */
	unsigned long refused; /* turned away or sent away since create */
} kws_clients_stats;

void kws_clients_stats_get(const kws_clients *all, kws_clients_stats *st);

#endif
