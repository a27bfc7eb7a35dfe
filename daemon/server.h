/* server.h - clients of a Unix socket that speak and are spoken to in lines.
 *
 * Runs on one thread, with nothing that waits, and allocates nothing after create: each client has
 * a fixed room for what waits to be sent to it, and for the line that it is sending. What it has no
 * room for is lost in whole lines, and counted. However many lines clients send, one call of
 * kws_server_serve takes a few of them only. */
#ifndef KWS_DAEMON_SERVER_H
#define KWS_DAEMON_SERVER_H

#include "daemon/door.h"

#include <sys/types.h>

typedef struct kws_server kws_server;
typedef struct kws_client kws_client;

/* What the server's owner does with its clients. */
typedef struct {
	/* A line came, without its line feed and with a 0 behind it. Blank lines are left out.
	 * False: not now. It stays where it is, and no more is heard from this client until
	 * kws_server_again() has brought it once more. */
	bool (*line)(void *ctx, kws_client *c, const char *line, size_t n);
	/* Instead: a line that is longer than in_bytes, or whose end never came. why is a text. */
	void (*bad_line)(void *ctx, kws_client *c, const char *why);
	/* It will send nothing more. False: nor will we, and it is to go when it has taken all. */
	bool (*is_awaited)(void *ctx, kws_client *c);
	/* It is about to be no more. */
	void (*gone)(void *ctx, kws_client *c);
} kws_server_ops;

typedef struct {
	kws_door_config door;
	unsigned clients;	   /* at once */
	size_t out_bytes;	   /* room of each for what it is sent */
	size_t reserve;		   /* of these, what kws_client_put leaves free */
	size_t in_bytes;	   /* the longest line of a client; 0: nothing is taken from them */
	size_t own_bytes;	   /* room of each for the owner's own notes; zero when it comes */
	const char *full;	   /* a line for those that are turned away; NULL: none */
	const kws_server_ops *ops; /* NULL: in_bytes is 0 */
} kws_server_config;

/* Nothing that others can see changes. */
enum kws_status kws_server_create(kws_server **out, const kws_server_config *c, kws_error *err);

/* Let clients in; ctx: of the ops. live, made with the same in_bytes and own_bytes, may be NULL: its
 * clients pass to s with all that waits for them and with what is noted of them. On failure live is
 * as it was. */
enum kws_status kws_server_open(kws_server *s, void *ctx, kws_server *live, kws_error *err);

/* Send what waits, for up to timeout_ms (wait), or what goes at once; and free. s may be NULL. */
void kws_server_stop(kws_server *s, int timeout_ms, bool wait);

/* Poll it for input; when it is ready, call kws_server_serve. */
int kws_server_fd(const kws_server *s);
void kws_server_serve(kws_server *s);

/* Bring the lines once more that were not wanted when they came, the oldest first. */
void kws_server_again(kws_server *s);

/* Clients one by one, in no order: the one behind c, the first behind NULL; NULL: there are no more.
 * Any of them may go at any time: those of them that are gone take nothing. */
kws_client *kws_server_next(kws_server *s, kws_client *c);

typedef struct {
	unsigned connected;
	unsigned long lost;   /* lines, times clients */
	unsigned long turned; /* clients turned away, and those sent away */
} kws_server_stats;

void kws_server_stats_get(const kws_server *s, kws_server_stats *st);

/* Send text (n,), which is whole lines, or lose it, and count that: the reserve stays free. */
bool kws_client_put(kws_client *c, const char *text, size_t n);
/* How many texts it has lost since the last one that kws_client_put took. */
unsigned long kws_client_lost(const kws_client *c);

/* Send text (n,), for which the reserve is there. One who leaves no room for it is sent away. */
bool kws_client_answer(kws_client *c, const char *text, size_t n);

void *kws_client_own(kws_client *c); /* (own_bytes,) aligned for anything */

/* Who connected. */
typedef struct {
	pid_t pid;
	uid_t uid;
	gid_t gid;
} kws_peer;

kws_peer kws_client_peer(const kws_client *c);

#endif
