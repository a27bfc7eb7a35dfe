/* server.h - serves clients of a Unix socket, with lines in both directions.
 *
 * Runs on one thread, never waits, and allocates nothing after create: each client has a fixed
 * buffer for output that waits to be sent, and one for the line that it is sending. Output that
 * does not fit is dropped in whole lines, and counted. However many lines clients send, one call of
 * kws_server_serve takes only a few of them. */
#ifndef KWS_RUNTIME_SERVER_H
#define KWS_RUNTIME_SERVER_H

#include "runtime/door.h"

#include <sys/types.h>

typedef struct kws_server kws_server;
typedef struct kws_client kws_client;

/* Callbacks of the server's owner. */
typedef struct {
	/* A line came; it has a final 0 and no line feed. Blank lines are skipped. False: not now.
	 * Then it stays, and nothing more is read from this client until kws_server_again() has
	 * brought it again. */
	bool (*line)(void *ctx, kws_client *c, const char *line, size_t n);
	/* Instead: a line is longer than in_bytes, or was not finished. why: a text. */
	void (*bad_line)(void *ctx, kws_client *c, const char *why);
	/* The client will send nothing more. False: the owner neither; close it when all is
	 * sent. */
	bool (*is_awaited)(void *ctx, kws_client *c);
	/* The client is about to be freed. */
	void (*gone)(void *ctx, kws_client *c);
} kws_server_ops;

typedef struct {
	kws_door_config door;
	unsigned clients;	   /* at most, at once */
	size_t out_bytes;	   /* output buffer of each */
	size_t reserve;		   /* part of it that kws_client_put leaves free */
	size_t in_bytes;	   /* the longest line of a client; 0: nothing is read from them */
	size_t own_bytes;	   /* memory of each for the owner; zero when a client connects */
	const char *full;	   /* a line for clients that are turned away; NULL: none */
	const kws_server_ops *ops; /* NULL: in_bytes is 0 */
} kws_server_config;

/* Changes nothing outside the process. */
enum kws_status kws_server_create(kws_server **out, const kws_server_config *c, kws_error *err);

/* Accept clients; ctx: for the ops. live may be NULL; otherwise it has the same in_bytes and
 * own_bytes, and its clients pass to s with their queued output and the owner's memory. On failure
 * live has not changed. */
enum kws_status kws_server_open(kws_server *s, void *ctx, kws_server *live, kws_error *err);

/* Send what is queued, for up to timeout_ms (wait) or only what can be sent at once, and free s. s
 * may be NULL. */
void kws_server_stop(kws_server *s, int timeout_ms, bool wait);

/* Poll it for input; if it is ready, call kws_server_serve. */
int kws_server_fd(const kws_server *s);
void kws_server_serve(kws_server *s);

/* Bring again the lines for which ops.line returned false, the oldest first. */
void kws_server_again(kws_server *s);

/* Iterate over the clients, in no order: the one after c; c NULL: the first. Returns NULL after the
 * last. Clients may go at any time meanwhile; sending to one that is gone does nothing. */
kws_client *kws_server_next(kws_server *s, kws_client *c);

typedef struct {
	unsigned connected;
	unsigned long lost;   /* lines, counted for each client */
	unsigned long turned; /* clients turned away or sent away */
} kws_server_stats;

void kws_server_stats_get(const kws_server *s, kws_server_stats *st);

/* Send text (n,), which is whole lines. The reserve stays free. False: no room; the text is lost,
 * and counted. */
bool kws_client_put(kws_client *c, const char *text, size_t n);
/* Texts that were lost since the last one that kws_client_put took. */
unsigned long kws_client_lost(const kws_client *c);

/* Send text (n,); it may use the reserve. If there is still no room, the client is sent away. */
bool kws_client_answer(kws_client *c, const char *text, size_t n);

void *kws_client_own(kws_client *c); /* (own_bytes,) aligned for anything */

/* The process that connected. */
typedef struct {
	pid_t pid;
	uid_t uid;
	gid_t gid;
} kws_peer;

kws_peer kws_client_peer(const kws_client *c);

#endif
