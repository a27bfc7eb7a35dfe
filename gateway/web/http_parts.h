/* http_parts.h - shared by the files of the HTTP server: http.c runs it and checks requests,
 * http_answers.c answers them, http_events.c sends the stream of a page. */
#ifndef KWS_WEB_HTTP_PARTS_H
#define KWS_WEB_HTTP_PARTS_H

#include "gateway/web/http.h"
#include "gateway/web/page.h"

#include <microhttpd.h>

enum { KWS_HTTP_BODY = 4096 };

typedef struct kws_http_reader kws_http_reader;

struct kws_http {
	kws_loop *loop;
	kws_feed *feed;
	kws_http_config conf; /* its texts are here: */
	char hosts[KWS_CONF_TEXT], clips[KWS_CONF_TEXT];
	struct MHD_Daemon *daemon[KWS_WEB_SOCKETS];
	size_t n_daemons;
	kws_timer run, wake, impatience;
	kws_http_reader *readers;
	struct kws_http_request *waiting; /* for kwsd */
	kws_metrics_own own;
	char policy[KWS_PAGE_POLICY];
	bool closing;
};

/* A request, from its head to its answer. */
/* What kwsd was asked for, and by whom; NULL: the request has ended meanwhile. */
typedef struct {
	struct kws_http_request *by;
} kws_http_ticket;

typedef struct kws_http_request {
	struct kws_http_request *next; /* in waiting */
	kws_http *http;
	struct MHD_Connection *connection;
	const struct kws_http_route *route;
	double since;		 /* when it began to wait */
	bool answered;		 /* by kwsd; or it was away, or too slow */
	json_t *answer;		 /* NULL: none came */
	kws_http_ticket *ticket; /* NULL: it waits for a status, or for nothing */
	bool large;		 /* the body is longer than it may be */
	size_t n;
	char body[KWS_HTTP_BODY];
} kws_http_request;

/* Answers a request, or suspends it to be called again. path: what follows that of the route. */
typedef enum MHD_Result kws_http_fn(kws_http_request *r, const char *path);

typedef struct kws_http_route {
	const char *method, *path;
	kws_http_fn *fn;
} kws_http_route;

/* The route of a path; NULL: there is none. *rest: what follows. */
const kws_http_route *kws_http_find(const char *path, const char **rest);

/* Send a response, which is freed, with the headers that all have. */
enum MHD_Result kws_http_send(kws_http_request *r, unsigned status, const char *type,
			      struct MHD_Response *response);
/* Send a text (n,), which is freed by free(); NULL: memory was lacking. */
enum MHD_Result kws_http_text(kws_http_request *r, unsigned status, const char *type, char *text,
			      size_t n);
/* Send {"ok":false,"error":WHY}. */
enum MHD_Result kws_http_refuse(kws_http_request *r, unsigned status, const char *why);

/* Suspend the request until kws_http_resume(), or until kwsd has had enough time. Then it is called
 * again, with `answered'. */
void kws_http_wait(kws_http_request *r);
void kws_http_resume(kws_http_request *r);

kws_http_fn kws_http_page, kws_http_status, kws_http_metrics, kws_http_clip, kws_http_set,
	kws_http_listen, kws_http_events;

/* Resume a connection, and serve it soon. */
void kws_http_go_on(kws_http *h, struct MHD_Connection *c);

/* Wake all readers that wait for news. */
void kws_http_wake(kws_http *h);

#endif
