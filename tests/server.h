/* server.h - what the tests of clients that speak in lines share: an owner of the server, and clients. */
#ifndef KWS_TESTS_SERVER_H
#define KWS_TESTS_SERVER_H

#include "tests/sinks.h"
#include "tests/sockets.h"

#include "runtime/server.h"

#include <poll.h>

enum { IN = 64, OUT = 4096, RESERVE = 1024, CLIENTS = 4 };

/* What the owner was told, in order, and its answers. */
typedef struct {
	char told[1 << 16];
	size_t n;
	bool awaits, echoes, busy;
	unsigned gone;
	kws_client *last;
} owner;

static inline void note(owner *o, const char *kind, const char *text)
{
	o->n += (size_t)snprintf(o->told + o->n, sizeof o->told - o->n, "%s:%s|", kind, text);
}

static inline bool on_line(void *ctx, kws_client *c, const char *line, size_t n)
{
	owner *o = ctx;

	assert_int_equal(n, strlen(line));
	o->last = c;
	if (o->busy)
		return false;
	note(o, "line", line);
	if (o->echoes && kws_client_answer(c, line, n))
		kws_client_answer(c, "\n", 1);
	return true;
}

static inline void on_bad_line(void *ctx, kws_client *c, const char *why)
{
	note(ctx, "bad", why);
	((owner *)ctx)->last = c;
}

static inline bool is_awaited(void *ctx, kws_client *c)
{
	(void)c;
	return ((owner *)ctx)->awaits;
}

static inline void on_gone(void *ctx, kws_client *c)
{
	(void)c;
	((owner *)ctx)->gone++;
}

static const kws_server_ops ops = { on_line, on_bad_line, is_awaited, on_gone };

static inline kws_server_config config(void)
{
	static char path[128];

	snprintf(path, sizeof path, "%s", in_dir("control"));
	return (kws_server_config){ .door = { "control", path, "", 0600 },
				    .clients = CLIENTS,
				    .out_bytes = OUT,
				    .reserve = RESERVE,
				    .in_bytes = IN,
				    .own_bytes = 16,
				    .full = "full\n",
				    .ops = &ops };
}

static inline kws_server *serving(owner *o)
{
	kws_server_config c = config();
	kws_server *s;
	kws_error err = { "" };

	memset(o, 0, sizeof *o);
	if (kws_server_create(&s, &c, &err) != KWS_OK
	    || kws_server_open(s, o, NULL, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return s;
}

static inline void serve(kws_server *s)
{
	for (int i = 0; i < 400; i++)
		kws_server_serve(s);
}

static inline unsigned connected(const kws_server *s)
{
	kws_server_stats st;

	kws_server_stats_get(s, &st);
	return st.connected;
}

static inline int come(kws_server *s)
{
	int fd = visit(in_dir("control"));

	assert_true(fd >= 0);
	serve(s);
	return fd;
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

#endif
