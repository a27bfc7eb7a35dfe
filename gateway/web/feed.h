/* feed.h - what kwsd says, for all pages at once.
 *
 * One connection to the control socket, one subscription, whatever the number of pages. Without a
 * page only events and near misses are subscribed; scores, levels and mel bands begin with the
 * first page and end some seconds after the last. The status is requested at most once a second,
 * and after each change. */
#ifndef KWS_WEB_FEED_H
#define KWS_WEB_FEED_H

#include "gateway/control_client.h"
#include "gateway/web/fanout.h"

typedef struct kws_feed kws_feed;

typedef struct {
	/* Something was put into the fan-out: wake the readers. */
	void (*news)(void *ctx);
	/* A status that was wanted has come, or cannot be had. */
	void (*status)(void *ctx);
} kws_feed_ops;

enum kws_status kws_feed_create(kws_feed **out, kws_loop *loop, const char *control,
				kws_error *err);
void kws_feed_destroy(kws_feed *f);

/* Who is told from now on. */
void kws_feed_listen(kws_feed *f, const kws_feed_ops *ops, void *ctx);
/* ctx is told no more; it does nothing if another one listens already. */
void kws_feed_leave(kws_feed *f, const void *ctx);

/* One page more (1) or less (-1) looks. */
void kws_feed_pages(kws_feed *f, int by);
unsigned kws_feed_n_pages(const kws_feed *f);

/* The stream of messages: each is "data: {JSON}" and an empty line, as browsers read it. */
const kws_fanout *kws_feed_fanout(const kws_feed *f);

/* What a new page is told first: hello, the state, the last hundred events. A new text, to be freed;
 * *n: its length. clips: whether it may play them. NULL: out of memory. */
char *kws_feed_greeting(const kws_feed *f, bool clips, size_t *n);

/* Want a status that is not older than a second. True: there is one now, or kwsd is away. False:
 * ops->status follows. */
bool kws_feed_want_status(kws_feed *f);
/* The last status; NULL: kwsd is away, or has not answered for long. Borrowed. */
const json_t *kws_feed_status(const kws_feed *f);

/* Something was changed: get a new status, for all pages. */
void kws_feed_refresh(kws_feed *f);

bool kws_feed_is_connected(const kws_feed *f);

/* Change something; as kws_control_client_request. */
bool kws_feed_request(kws_feed *f, json_t *request, kws_control_answer_fn *fn, void *ctx);

#endif
