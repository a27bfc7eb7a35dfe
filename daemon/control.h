/* control.h - the control socket: requests, answers, and live streams of events, scores and
 * features, as lines of JSON. docs/control.md has the protocol.
 *
 * All of it runs on the main thread and never waits. Requests and answers allocate a bounded amount
 * of memory for a moment; streams allocate none. */
#ifndef KWS_DAEMON_CONTROL_H
#define KWS_DAEMON_CONTROL_H

#include "conf/conf.h"
#include "runtime/server.h"
#include "spot/event.h"

#include <jansson.h>

typedef struct kws_control kws_control;

enum kws_control_result {
	KWS_CONTROL_DONE,
	KWS_CONTROL_LATER,   /* kws_control_reloaded() will give the result */
	KWS_CONTROL_BUSY,    /* a reload is going on; kws_control_reloaded() will follow */
	KWS_CONTROL_IN_PART, /* done, except for the errors */
	KWS_CONTROL_REFUSED, /* nothing has changed */
};

enum { KWS_CONTROL_ERRORS = 8192 };

/* What the daemon does for the socket. Neither set nor reload calls kws_control_reloaded()
 * itself. */
typedef struct {
	/* The state of the daemon as a new object; NULL: out of memory. */
	json_t *(*status)(void *ctx);
	/* Names of the configured listeners and spotters; NULL: there is no i-th. */
	const char *(*listener)(void *ctx, size_t i);
	const char *(*spotter)(void *ctx, size_t i);
	/* Apply "threshold.yes=0.7" and n - 1 more at once, or none of them. keep: they also
	 * survive a reload or a restart. errors: one per line. DONE, BUSY, IN_PART (applied but not
	 * kept) or REFUSED. */
	enum kws_control_result (*set)(void *ctx, const char *const *set, size_t n, bool keep,
				       char errors[KWS_CONTROL_ERRORS]);
	/* Start a reload of the configuration. LATER, BUSY or REFUSED. */
	enum kws_control_result (*reload)(void *ctx, char errors[KWS_CONTROL_ERRORS]);
} kws_control_ops;

/* Create it without a socket: nobody can connect yet. */
enum kws_status kws_control_create(kws_control **out, const kws_control_ops *ops, void *ctx,
				   kws_error *err);

/* Build the socket of conf next to the running one (now; NULL at the start), which is only read.
 * Nothing changes outside the process. *out NULL: the socket stays, or there is to be none. */
enum kws_status kws_control_prepare(kws_server **out, const kws_conf_control *conf,
				    const kws_control *now, kws_error *err);

/* Use conf, with the socket that was prepared for it, from now on; clients stay connected. On
 * failure nothing has changed, and next is freed. */
enum kws_status kws_control_swap(kws_control *c, const kws_conf_control *conf, kws_server *next,
				 kws_error *err);

/* Send what is queued, for up to timeout_ms, and free c. c may be NULL. */
void kws_control_stop(kws_control *c, int timeout_ms);

/* Poll it for input; if it is ready, call kws_control_serve. A swap does not change it. */
int kws_control_fd(const kws_control *c);
void kws_control_serve(kws_control *c);

/* A reload is complete, whoever asked for it: DONE, IN_PART or REFUSED. */
void kws_control_reloaded(kws_control *c, enum kws_control_result result, const char *errors);

/* ---- streams ---- */

void kws_control_event(kws_control *c, const kws_report *r);
void kws_control_near_miss(kws_control *c, const kws_report *r);

/* The spotters that run from now on: each spotter on each listener ("": no name), with the model of
 * its frames. has_levels: set for one spotter of each listener, whose frames give the level.
 * Allocates; KWS_ERR_NOMEM: streams leave out the new ones. */
typedef struct {
	const char *listener, *spotter;
	const kws_model *model;
	bool has_levels;
} kws_control_ear;

enum kws_status kws_control_ears(kws_control *c, const kws_control_ear *ear, size_t n,
				 kws_error *err);

/* A frame of one of these, with the smoothed scores (n_words,). time_s: its end, in seconds as in
 * events. Returns at once if nobody subscribes. */
void kws_control_frame(kws_control *c, const char *listener, const char *spotter,
		       const kws_frame *f, const float *score, double time_s);

void kws_control_stats_get(const kws_control *c, kws_server_stats *st);

#endif
