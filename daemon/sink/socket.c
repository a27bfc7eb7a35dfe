/* A Unix socket for readers. Each one gets every event from then on, as a line. A reader that is
 * too slow loses whole lines, and "dropped" in the next line it gets is their number. Nothing is
 * read from readers. */
#include "runtime/server.h"
#include "daemon/sink/sink.h"

#include <stdlib.h>

typedef struct {
	kws_sink base;
	kws_server *server;
	unsigned long taken;
} sock;

static enum kws_status open_socket(kws_sink *sink, kws_sink *live, kws_error *err)
{
	return kws_server_open(((sock *)sink)->server, NULL, live ? ((sock *)live)->server : NULL,
			       err);
}

static void offer(kws_client *c, const kws_report *r)
{
	kws_report own = *r;
	char line[KWS_EVENT_JSON + 1];

	own.dropped = kws_client_lost(c);
	size_t n = kws_report_json(&own, line, KWS_EVENT_JSON);
	line[n++] = '\n';
	kws_client_put(c, line, n);
}

static void push(kws_sink *sink, const kws_report *r)
{
	sock *s = (sock *)sink;

	s->taken++;
	for (kws_client *c = NULL; (c = kws_server_next(s->server, c));)
		offer(c, r);
}

static void stats(kws_sink *sink, kws_sink_stats *st)
{
	sock *s = (sock *)sink;
	kws_server_stats of;

	kws_server_stats_get(s->server, &of);
	st->taken = s->taken;
	st->dropped = of.lost;
	st->failed = of.turned;
	st->has_readers = true;
	st->readers = of.connected;
}

static void serve(kws_sink *sink)
{
	kws_server_serve(((sock *)sink)->server);
}

static void stop(kws_sink *sink, int timeout_ms, bool wait)
{
	kws_server_stop(((sock *)sink)->server, timeout_ms, wait);
	free(sink);
}

static const kws_sink_ops ops = { open_socket, push, stats, serve, stop };

static enum kws_status create(kws_sink **sink, const void *c, kws_error *err)
{
	const kws_conf_socket *conf = c;
	sock *s = calloc(1, sizeof *s);
	enum kws_status status;

	*sink = NULL;
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "socket: out of memory");
	kws_sink_init(&s->base, &ops, &kws_sink_socket, conf->name, -1);
	const kws_server_config server = {
		.door = { s->base.label, conf->path, conf->group, conf->mode },
		.clients = conf->clients,
		.out_bytes = (size_t)conf->buffer_kb * 1024,
	};
	status = kws_server_create(&s->server, &server, err);
	if (status != KWS_OK) {
		free(s);
		return status;
	}
	s->base.fd = kws_server_fd(s->server);
	*sink = &s->base;
	return KWS_OK;
}

const kws_sink_kind kws_sink_socket = { "socket", NULL, create };
