/* http.h - the HTTP server: libmicrohttpd within the loop, on its one thread.
 *
 *   GET  /            the page            GET  /events       its stream (server-sent events)
 *   GET  /metrics     for Prometheus      GET  /status       of kwsd, as JSON
 *   GET  /clips/NAME  a clip, if the configuration allows it
 *   POST /set         {"values": {"threshold.yes": 0.7}, "keep": true}
 *   POST /listen      {"on": false, "listener": "kitchen", "keep": true}
 *
 * What a client can take is bounded: connections, the time that one may be idle, bytes of a head and
 * of a body. Access as access.h says. */
#ifndef KWS_WEB_HTTP_H
#define KWS_WEB_HTTP_H

#include "gateway/web/access.h"
#include "gateway/web/feed.h"
#include "gateway/web/metrics.h"
#include "gateway/web/sockets.h"

typedef struct kws_http kws_http;

typedef struct {
	kws_access access; /* the machine's name MUST outlive the server */
	const char *clips; /* folder; NULL: none are served */
	unsigned pages;	   /* that may look at once; as many other connections, and some */
} kws_http_config;

/* Serve on these sockets, which stay the caller's. The feed MUST outlive the server; it is the
 * only one that listens to it. */
enum kws_status kws_http_create(kws_http **out, kws_loop *loop, kws_feed *feed,
				const kws_web_sockets *sockets, const kws_http_config *config,
				kws_error *err);
/* Ends all connections. */
void kws_http_destroy(kws_http *h);

void kws_http_counts(const kws_http *h, kws_metrics_own *own);

#endif
