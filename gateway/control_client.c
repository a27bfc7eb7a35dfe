#include "gateway/control_client.h"

#include "runtime/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A status of many models has some tens of KiB. */
enum { LONGEST_LINE = 1 << 20, PIECE = 1 << 14, UNSENT = 1 << 18 };
static const double first_wait_s = 0.25, longest_wait_s = 5.0;

typedef struct pending {
	struct pending *next;
	json_int_t id;
	kws_control_answer_fn *fn;
	void *ctx;
} pending;

typedef struct {
	char *text;
	size_t n, room;
} buffer;

struct kws_control_client {
	kws_loop *loop;
	char path[KWS_CONTROL_CLIENT_PATH];
	const kws_control_client_ops *ops;
	void *ctx;
	int fd; /* -1: not connected */
	kws_timer retry;
	double wait_s;
	buffer in, out;
	size_t searched; /* of in: it has no line feed before this */
	json_int_t last_id;
	pending *pending; /* the oldest first */
	bool told;	  /* the log has said that the daemon is away */
};

static void connect_later(kws_control_client *c);

void kws_control_client_path(const kws_conf *c, char path[KWS_CONTROL_CLIENT_PATH])
{
	const char *named = getenv("KWS_CONTROL");

	if (*c->control.path && strcmp(c->control.path, "auto") != 0)
		named = c->control.path;
	snprintf(path, KWS_CONTROL_CLIENT_PATH, "%s",
		 named && *named ? named : "/run/kwsd/control");
}

static bool make_room(buffer *b, size_t n, size_t most)
{
	size_t room = b->room ? b->room : PIECE;
	char *text;

	while (room < b->n + n)
		room *= 2;
	if (b->n + n > most)
		return false;
	if (room == b->room)
		return true;
	text = realloc(b->text, room);
	if (!text)
		return false;
	b->text = text;
	b->room = room;
	return true;
}

static void take(buffer *b, size_t n)
{
	b->n -= n;
	memmove(b->text, b->text + n, b->n);
}

/* ---- the end of a connection ---- */

static void fail_pending(kws_control_client *c)
{
	while (c->pending) {
		pending *p = c->pending;

		c->pending = p->next;
		if (p->fn)
			p->fn(p->ctx, NULL);
		free(p);
	}
}

static void disconnect(kws_control_client *c, const char *why)
{
	if (c->fd < 0)
		return;
	kws_loop_remove(c->loop, c->fd);
	close(c->fd);
	c->fd = -1;
	c->in.n = c->out.n = c->searched = 0;
	fail_pending(c);
	kws_log(KWS_LOG_WARNING, "%s: %s; trying again", c->path, why);
	c->told = true;
	c->ops->lost(c->ctx, why);
	connect_later(c);
}

/* ---- lines ---- */

static void answer(kws_control_client *c, const json_t *line)
{
	const json_t *id = json_object_get(line, "id");
	pending **at = &c->pending, *p;

	while (*at && (*at)->id != json_integer_value(id))
		at = &(*at)->next;
	p = *at;
	if (!p || !p->fn) {
		const char *error = json_string_value(json_object_get(line, "error"));

		if (error)
			kws_log(KWS_LOG_ERROR, "%s: %s", c->path, error);
	}
	if (!p)
		return;
	*at = p->next;
	if (p->fn)
		p->fn(p->ctx, line);
	free(p);
}

static void on_line(kws_control_client *c, const char *text, size_t n)
{
	json_error_t e;
	json_t *line = json_loadb(text, n, 0, &e);

	if (!line)
		kws_log(KWS_LOG_ERROR, "%s: a line that is not JSON: %s", c->path, e.text);
	else if (json_object_get(line, "ok"))
		answer(c, line);
	else
		c->ops->line(c->ctx, line);
	json_decref(line);
}

/* The callbacks cannot disconnect. */
static void take_lines(kws_control_client *c)
{
	size_t from = 0;
	char *end;

	while ((end = memchr(c->in.text + c->searched, '\n', c->in.n - c->searched))) {
		on_line(c, c->in.text + from, (size_t)(end - c->in.text) - from);
		from = c->searched = (size_t)(end + 1 - c->in.text);
	}
	take(&c->in, from);
	c->searched = c->in.n;
}

static void receive(kws_control_client *c)
{
	ssize_t n;

	if (!make_room(&c->in, PIECE, LONGEST_LINE)) {
		disconnect(c, "a line is too long");
		return;
	}
	n = recv(c->fd, c->in.text + c->in.n, PIECE, 0);
	if (n == 0)
		disconnect(c, "the daemon has closed the connection");
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		disconnect(c, kws_strerrno(errno));
	if (n <= 0)
		return;
	c->in.n += (size_t)n;
	take_lines(c);
}

static void transmit(kws_control_client *c)
{
	ssize_t n = 0;

	if (c->out.n)
		n = send(c->fd, c->out.text, c->out.n, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		disconnect(c, kws_strerrno(errno));
		return;
	}
	if (n > 0)
		take(&c->out, (size_t)n);
	kws_loop_modify(c->loop, c->fd, c->out.n ? KWS_LOOP_READ | KWS_LOOP_WRITE : KWS_LOOP_READ);
}

static void on_ready(void *ctx, unsigned events)
{
	kws_control_client *c = ctx;

	if (events & KWS_LOOP_READ)
		receive(c);
	if (c->fd >= 0 && (events & KWS_LOOP_WRITE))
		transmit(c);
}

/* ---- connecting ---- */

/* Returns a descriptor, or -1 with errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code;

	if (fd < 0)
		return -1;
	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	code = errno;
	close(fd);
	errno = code;
	return -1;
}

static void try_to_connect(void *ctx)
{
	kws_control_client *c = ctx;
	kws_error err = { "" };

	c->fd = connect_to(c->path);
	if (c->fd < 0)
		snprintf(err.text, sizeof err.text, "%s: %s", c->path, kws_strerrno(errno));
	else if (kws_loop_add(c->loop, c->fd, KWS_LOOP_READ, on_ready, c, &err) != KWS_OK) {
		close(c->fd);
		c->fd = -1;
	}
	if (c->fd < 0) {
		if (!c->told)
			kws_log(KWS_LOG_WARNING, "%s; trying until kwsd is there", err.text);
		c->told = true;
		connect_later(c);
		return;
	}
	if (c->told)
		kws_log(KWS_LOG_INFO, "%s: connected", c->path);
	c->told = false;
	c->wait_s = first_wait_s;
	c->ops->connected(c->ctx);
}

static void connect_later(kws_control_client *c)
{
	kws_loop_time(c->loop, &c->retry, c->wait_s, 0.0, try_to_connect, c);
	c->wait_s = c->wait_s * 2.0 < longest_wait_s ? c->wait_s * 2.0 : longest_wait_s;
}

enum kws_status kws_control_client_create(kws_control_client **out, kws_loop *loop,
					  const char *path, const kws_control_client_ops *ops,
					  void *ctx, kws_error *err)
{
	kws_control_client *c;

	*out = NULL;
	if (strlen(path) >= sizeof c->path)
		return kws_fail(err, KWS_ERR_ARG, "%s: longer than %zu bytes", path,
				sizeof c->path - 1);
	c = calloc(1, sizeof *c);
	if (!c)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	c->loop = loop;
	snprintf(c->path, sizeof c->path, "%s", path);
	c->ops = ops;
	c->ctx = ctx;
	c->fd = -1;
	c->wait_s = first_wait_s;
	kws_loop_time(loop, &c->retry, 0.0, 0.0, try_to_connect, c);
	*out = c;
	return KWS_OK;
}

void kws_control_client_destroy(kws_control_client *c)
{
	if (!c)
		return;
	kws_loop_cancel(c->loop, &c->retry);
	if (c->fd >= 0) {
		kws_loop_remove(c->loop, c->fd);
		close(c->fd);
	}
	fail_pending(c);
	free(c->in.text);
	free(c->out.text);
	free(c);
}

bool kws_control_client_connected(const kws_control_client *c)
{
	return c->fd >= 0;
}

/* Append the request and a line feed to what is to be sent. */
static bool append(kws_control_client *c, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	const size_t n = text ? strlen(text) : 0;
	const bool fits = text && make_room(&c->out, n + 1, UNSENT);

	if (fits) {
		memcpy(c->out.text + c->out.n, text, n);
		c->out.text[c->out.n + n] = '\n';
		c->out.n += n + 1;
	}
	free(text);
	return fits;
}

bool kws_control_client_request(kws_control_client *c, json_t *request, kws_control_answer_fn *fn,
				void *ctx)
{
	pending *p = c->fd >= 0 ? calloc(1, sizeof *p) : NULL, **at = &c->pending;

	if (!p || json_object_set_new(request, "id", json_integer(++c->last_id)) != 0
	    || !append(c, request)) {
		json_decref(request);
		free(p);
		return false;
	}
	json_decref(request);
	*p = (pending){ .id = c->last_id, .fn = fn, .ctx = ctx };
	while (*at)
		at = &(*at)->next;
	*at = p;
	kws_loop_modify(c->loop, c->fd, KWS_LOOP_READ | KWS_LOOP_WRITE);
	return true;
}
