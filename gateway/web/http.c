#include "gateway/web/http_parts.h"

#include "gateway/sockets.h"
#include "runtime/clock.h"
#include "runtime/log.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Of a connection: memory for its head and what is sent; seconds without progress. Some connections
 * more than pages, so that pages alone never take them all. */
enum { MEMORY = 32 * 1024, IDLE_S = 30, SPARE = 32 };
/* News are collected for so long before the readers are woken. */
static const double gather_s = 0.05;
/* kwsd has so long to answer. */
static const double patience_s = 5.0;

/* ---- sending ---- */

enum MHD_Result kws_http_send(kws_http_request *r, unsigned status, const char *type,
			      struct MHD_Response *response)
{
	static const char *const always[][2] = {
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
	};
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", type);
	for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
		MHD_add_response_header(response, always[i][0], always[i][1]);
	if (status == 401)
		MHD_add_response_header(response, "WWW-Authenticate",
					"Basic realm=\"kwsd\", charset=\"UTF-8\"");
	if (status == 405)
		MHD_add_response_header(response, "Allow",
					r->route && *r->route->method == 'P' ? "POST"
									     : "GET, HEAD");
	r->http->own.requests++;
	r->http->own.refused += status >= 400;
	result = MHD_queue_response(r->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

enum MHD_Result kws_http_text(kws_http_request *r, unsigned status, const char *type, char *text,
			      size_t n)
{
	struct MHD_Response *response =
		text ? MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE) : NULL;

	if (!response)
		free(text);
	return kws_http_send(r, status, type, response);
}

enum MHD_Result kws_http_refuse(kws_http_request *r, unsigned status, const char *why)
{
	json_t *o = json_pack("{s:b, s:s}", "ok", 0, "error", why);
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	return kws_http_text(r, status, "application/json; charset=utf-8", text,
			     text ? strlen(text) : 0);
}

/* ---- waiting for kwsd ---- */

static void on_impatience(void *ctx);
static void on_run(void *ctx);

/* The library does not say by its descriptor that it has something to do now. */
void kws_http_go_on(kws_http *h, struct MHD_Connection *c)
{
	MHD_resume_connection(c);
	kws_loop_time(h->loop, &h->run, 0.0, 0.0, on_run, h);
}

void kws_http_wait(kws_http_request *r)
{
	kws_http *h = r->http;

	r->since = kws_clock_mono();
	r->next = h->waiting;
	h->waiting = r;
	if (!h->impatience.set)
		kws_loop_time(h->loop, &h->impatience, patience_s, 0.0, on_impatience, h);
	MHD_suspend_connection(r->connection);
}

void kws_http_resume(kws_http_request *r)
{
	kws_http_request **at = &r->http->waiting;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	r->answered = true;
	if (r->ticket) /* an answer that comes later finds nobody */
		r->ticket->by = NULL;
	r->ticket = NULL;
	kws_http_go_on(r->http, r->connection);
}

/* Resume those that wait for a status (or for anything), and have waited since then. */
static void resume_all(kws_http *h, bool tickets, double since)
{
	kws_http_request *next;

	for (kws_http_request *r = h->waiting; r; r = next) {
		next = r->next;
		if (r->since <= since && (tickets || !r->ticket))
			kws_http_resume(r);
	}
}

static void on_impatience(void *ctx)
{
	kws_http *h = ctx;

	resume_all(h, true, kws_clock_mono() - patience_s);
	if (h->waiting)
		kws_loop_time(h->loop, &h->impatience, patience_s, 0.0, on_impatience, h);
}

static void on_status(void *ctx)
{
	resume_all(ctx, false, (double)INFINITY);
}

static void on_wake(void *ctx)
{
	kws_http_wake(ctx);
}

static void on_news(void *ctx)
{
	kws_http *h = ctx;

	if (h->readers && !h->wake.set)
		kws_loop_time(h->loop, &h->wake, gather_s, 0.0, on_wake, h);
}

static const kws_feed_ops feed_ops = { on_news, on_status };

/* ---- a request ---- */

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static bool is_local(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info && info->client_addr && kws_sockets_is_local(info->client_addr);
}

static unsigned check(const kws_http_request *r, const char *path, const char **why)
{
	struct MHD_Connection *c = r->connection;
	const kws_access_request asked = {
		.host = header(c, "Host"),
		.origin = header(c, "Origin"),
		.site = header(c, "Sec-Fetch-Site"),
		.authorization = header(c, "Authorization"),
		.proxied =
			header(c, "Forwarded") || header(c, "X-Forwarded-For") || header(c, "Via"),
		.local = is_local(c),
		.page = !strcmp(path, "/"),
	};

	return kws_access_check(&r->http->conf.access, &asked, why);
}

/* Only JSON: a form of another site cannot send it without being asked first. */
static bool is_json(struct MHD_Connection *c)
{
	static const char json[] = "application/json";
	const char *type = header(c, "Content-Type");

	return type && !strncasecmp(type, json, sizeof json - 1)
	       && (!type[sizeof json - 1] || strchr("; ", type[sizeof json - 1]));
}

static enum MHD_Result on_head(kws_http_request *r, const char *path, const char *method)
{
	const char *why = "", *rest = "";
	const unsigned status = check(r, path, &why);
	const bool is_get = !strcmp(method, "GET") || !strcmp(method, "HEAD");
	const bool is_post = !strcmp(method, "POST");

	if (status)
		return kws_http_refuse(r, status, why);
	r->route = kws_http_find(path, &rest);
	if (!r->route)
		return kws_http_refuse(r, 404, "there is no such page");
	if (*r->route->method == 'P' ? !is_post : !is_get)
		return kws_http_refuse(r, 405, "not by this method");
	if (is_post && !is_json(r->connection))
		return kws_http_refuse(r, 415, "want application/json");
	return MHD_YES;
}

static void take_body(kws_http_request *r, const char *data, size_t n)
{
	r->large |= n > sizeof r->body - r->n;
	if (r->large)
		return;
	memcpy(r->body + r->n, data, n);
	r->n += n;
}

/* Called for the head, for each piece of the body, at its end, and again after each suspension. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *n, void **own)
{
	kws_http_request *r = *own;
	const char *rest = "";

	(void)version;
	if (!r) {
		r = calloc(1, sizeof *r);
		if (!r)
			return MHD_NO;
		*own = r;
		r->http = ctx;
		r->connection = c;
		return on_head(r, path, method);
	}
	if (*n) {
		take_body(r, data, *n);
		*n = 0;
		return MHD_YES;
	}
	kws_http_find(path, &rest);
	return r->route->fn(r, rest);
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **own,
			 enum MHD_RequestTerminationCode why)
{
	kws_http_request *r = *own;

	(void)ctx;
	(void)c;
	(void)why;
	if (!r)
		return;
	if (r->ticket)
		r->ticket->by = NULL;
	json_decref(r->answer);
	free(r);
	*own = NULL;
}

/* ---- the loop ---- */

static void run(kws_http *h);

static void on_run(void *ctx)
{
	run(ctx);
}

static void on_ready(void *ctx, unsigned events)
{
	(void)events;
	run(ctx);
}

/* Serve what is ready, and come again when the library wants it. */
static void run(kws_http *h)
{
	double next_s = -1.0;

	for (size_t i = 0; i < h->n_daemons; i++) {
		MHD_UNSIGNED_LONG_LONG ms;

		MHD_run(h->daemon[i]);
		if (MHD_get_timeout(h->daemon[i], &ms) == MHD_YES
		    && (next_s < 0.0 || 1e-3 * (double)ms < next_s))
			next_s = 1e-3 * (double)ms;
	}
	if (next_s >= 0.0)
		kws_loop_time(h->loop, &h->run, next_s, 0.0, on_run, h);
	else
		kws_loop_cancel(h->loop, &h->run);
}

__attribute__((format(printf, 2, 0))) static void on_library_log(void *ctx, const char *format,
								 va_list ap)
{
	char text[256];

	(void)ctx;
	vsnprintf(text, sizeof text, format, ap);
	text[strcspn(text, "\n")] = 0;
	kws_log(KWS_LOG_DEBUG, "libmicrohttpd: %s", text);
}

/* No path of ours has anything to unescape: what is written with % is none. */
static size_t leave(void *ctx, struct MHD_Connection *c, char *text)
{
	(void)ctx;
	(void)c;
	return strlen(text);
}

/* ---- create and destroy ---- */

static enum kws_status serve(kws_http *h, int socket, kws_error *err)
{
	const int fd = fcntl(socket, F_DUPFD_CLOEXEC, 0); /* the library closes it */
	const union MHD_DaemonInfo *info;
	struct MHD_Daemon *d = NULL;

	if (fd >= 0)
		d = MHD_start_daemon(
			MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
			on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
			MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
			MHD_OPTION_UNESCAPE_CALLBACK, leave, NULL, MHD_OPTION_CONNECTION_LIMIT,
			2 * h->conf.pages + SPARE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
			(size_t)MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
			MHD_OPTION_END);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return kws_fail(err, KWS_ERR_NOMEM, "libmicrohttpd does not start");
	}
	h->daemon[h->n_daemons++] = d;
	info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
	return kws_loop_add(h->loop, info->epoll_fd, KWS_LOOP_READ, on_ready, h, err);
}

enum kws_status kws_http_create(kws_http **out, kws_loop *loop, kws_feed *feed,
				const kws_web_sockets *sockets, const kws_http_config *config,
				kws_error *err)
{
	kws_http *h = calloc(1, sizeof *h);
	enum kws_status status = KWS_OK;

	*out = NULL;
	if (!h)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	h->loop = loop;
	h->feed = feed;
	h->conf = *config;
	snprintf(h->hosts, sizeof h->hosts, "%s", config->access.hosts);
	h->conf.access.hosts = h->hosts;
	if (config->clips) {
		snprintf(h->clips, sizeof h->clips, "%s", config->clips);
		h->conf.clips = h->clips;
	}
	kws_page_policy(h->policy);
	for (size_t i = 0; i < sockets->n && status == KWS_OK; i++)
		status = serve(h, sockets->fd[i], err);
	if (status != KWS_OK) {
		kws_http_destroy(h);
		return status;
	}
	kws_feed_listen(feed, &feed_ops, h);
	*out = h;
	return KWS_OK;
}

void kws_http_destroy(kws_http *h)
{
	if (!h)
		return;
	kws_feed_leave(h->feed, h);
	h->closing = true;
	resume_all(h, true, (double)INFINITY);
	kws_http_wake(h);
	for (size_t i = 0; i < h->n_daemons; i++) {
		const union MHD_DaemonInfo *info =
			MHD_get_daemon_info(h->daemon[i], MHD_DAEMON_INFO_EPOLL_FD);

		kws_loop_remove(h->loop, info->epoll_fd);
		MHD_run(h->daemon[i]); /* what was suspended has to go on before it can end */
		MHD_stop_daemon(h->daemon[i]);
	}
	kws_loop_cancel(h->loop, &h->run);
	kws_loop_cancel(h->loop, &h->wake);
	kws_loop_cancel(h->loop, &h->impatience);
	free(h);
}

void kws_http_counts(const kws_http *h, kws_metrics_own *own)
{
	char text[64] = "";
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	*own = h->own;
	own->pages = kws_feed_n_pages(h->feed);
	if (f && fgets(text, sizeof text, f) && strchr(text, ' '))
		pages = strtol(strchr(text, ' '), NULL, 10);
	if (f)
		fclose(f);
	own->resident_bytes = (double)pages * (double)sysconf(_SC_PAGESIZE);
}
