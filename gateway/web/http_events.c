/* The stream of a page: first what it has missed, then what comes. A reader without news is
 * suspended: one that returned nothing without that would be asked again at once, and spin. */
#include "gateway/web/http_parts.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8192 };

struct kws_http_reader {
	kws_http_reader *next;
	kws_http *http;
	struct MHD_Connection *connection;
	char *greeting; /* (n,) sent up to `sent' */
	size_t n, sent;
	uint64_t at; /* place in the fan-out */
	bool suspended;
};

static ssize_t read_greeting(kws_http_reader *r, char *out, size_t max)
{
	const size_t left = r->n - r->sent, n = left < max ? left : max;

	memcpy(out, r->greeting + r->sent, n);
	r->sent += n;
	return (ssize_t)n;
}

static ssize_t read_on(void *ctx, uint64_t pos, char *out, size_t max)
{
	kws_http_reader *r = ctx;
	ssize_t n;

	(void)pos;
	if (r->http->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (r->sent < r->n)
		return read_greeting(r, out, max);
	n = kws_fanout_read(kws_feed_fanout(r->http->feed), &r->at, out, max);
	if (n < 0) { /* the page comes back, and begins anew */
		r->http->own.slow++;
		return MHD_CONTENT_READER_END_OF_STREAM;
	}
	if (n == 0) {
		r->suspended = true;
		MHD_suspend_connection(r->connection);
	}
	return n;
}

static void forget(void *ctx)
{
	kws_http_reader *r = ctx, **at = &r->http->readers;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	kws_feed_pages(r->http->feed, -1);
	free(r->greeting);
	free(r);
}

void kws_http_wake(kws_http *h)
{
	for (kws_http_reader *r = h->readers; r; r = r->next)
		if (r->suspended) {
			r->suspended = false;
			kws_http_go_on(h, r->connection);
		}
}

enum MHD_Result kws_http_events(kws_http_request *q, const char *path)
{
	kws_http *h = q->http;
	kws_http_reader *r;
	struct MHD_Response *response;

	(void)path;
	if (kws_feed_n_pages(h->feed) >= h->conf.pages)
		return kws_http_refuse(q, 503, "as many pages as [web] pages allows look already");
	r = calloc(1, sizeof *r);
	if (r)
		r->greeting = kws_feed_greeting(h->feed, h->conf.clips != NULL, &r->n);
	response = r && r->greeting ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
									read_on, r, forget)
				    : NULL;
	if (!response) {
		if (r)
			free(r->greeting);
		free(r);
		return MHD_NO;
	}
	r->http = h;
	r->connection = q->connection;
	r->at = kws_fanout_end(kws_feed_fanout(h->feed));
	r->next = h->readers;
	h->readers = r;
	kws_feed_pages(h->feed, 1);
	MHD_add_response_header(response, "X-Accel-Buffering",
				"no"); /* nginx passes it on at once */
	return kws_http_send(q, 200, "text/event-stream", response);
}
