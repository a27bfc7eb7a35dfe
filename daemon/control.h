/* control.h - the control socket: requests and answers, and streams of what is heard, as lines of JSON.
 * docs/control.md has the protocol.
 *
 * All of it runs on the main thread, with nothing that waits. Requests and their answers take memory for
 * a moment, within bounds; streams take none. */
#ifndef KWS_DAEMON_CONTROL_H
#define KWS_DAEMON_CONTROL_H

#include "daemon/conf.h"
#include "daemon/server.h"
#include "spot/event.h"

#include <jansson.h>

typedef struct kws_control kws_control;

enum kws_control_result {
	KWS_CONTROL_DONE,
	KWS_CONTROL_LATER, /* kws_control_reloaded() will tell */
	KWS_CONTROL_BUSY,  /* the configuration is being read; kws_control_reloaded() will follow */
	KWS_CONTROL_IN_PART, /* done, but for what is wrong */
	KWS_CONTROL_REFUSED, /* all is as it was */
};

enum { KWS_CONTROL_ERRORS = 8192 };

/* What the daemon does for it. Neither set nor reload calls kws_control_reloaded() itself. */
typedef struct {
	/* All that is known, as a new object; NULL: out of memory. */
	json_t *(*status)(void *ctx);
	/* Names of the listeners and the spotters that are configured; NULL: there is no i-th. */
	const char *(*listener)(void *ctx, size_t i);
	const char *(*spotter)(void *ctx, size_t i);
	/* "threshold.yes=0.7" and n - 1 more, in force at once, or none of them; keep: also after a
	 * reload or a restart. errors: what is wrong, one a line. DONE, BUSY, IN_PART (it could not be
	 * kept) or REFUSED. */
	enum kws_control_result (*set)(void *ctx, const char *const *set, size_t n, bool keep,
				       char errors[KWS_CONTROL_ERRORS]);
	/* Begin to read the configuration anew. LATER, BUSY or REFUSED. */
	enum kws_control_result (*reload)(void *ctx, char errors[KWS_CONTROL_ERRORS]);
} kws_control_ops;

/* Without a socket: nobody can connect yet. */
enum kws_status kws_control_create(kws_control **out, const kws_control_ops *ops, void *ctx,
				   kws_error *err);

/* What conf asks for, beside what runs (now; NULL at the start), which is only looked at. Nothing that
 * others can see changes. *out NULL: nothing is to change, or there is to be no socket. */
enum kws_status kws_control_prepare(kws_server **out, const kws_conf_control *conf,
				    const kws_control *now, kws_error *err);

/* From now on as conf says, with what was prepared for it; clients stay connected. On failure all is as
 * it was, and next is gone. */
enum kws_status kws_control_swap(kws_control *c, const kws_conf_control *conf, kws_server *next,
				 kws_error *err);

/* Send what waits, for up to timeout_ms, and free. c may be NULL. */
void kws_control_stop(kws_control *c, int timeout_ms);

/* Poll it for input, the same through all swaps; when it is ready, call kws_control_serve. */
int kws_control_fd(const kws_control *c);
void kws_control_serve(kws_control *c);

/* The configuration was read anew, whoever asked for it, and everything that changes has changed: DONE,
 * IN_PART or REFUSED. */
void kws_control_reloaded(kws_control *c, enum kws_control_result result, const char *errors);

/* ---- what is heard ---- */

void kws_control_event(kws_control *c, const kws_report *r);
void kws_control_near_miss(kws_control *c, const kws_report *r);

/* What is heard from now on: each spotter on each listener (listener "" and spotter "": without a name),
 * with the same model and features as its frames. has_levels: one of each listener, whose frames say how
 * loud it is. Takes memory; KWS_ERR_NOMEM: streams leave out what is new. */
typedef struct {
	const char *listener, *spotter;
	const kws_model *model;
	bool has_levels;
} kws_control_ear;

enum kws_status kws_control_ears(kws_control *c, const kws_control_ear *ear, size_t n,
				 kws_error *err);

/* A frame of one of these, with the scores (n_words,) that the decision compares. time_s: its end, in
 * seconds as events count them. Returns at once when nobody looks. */
void kws_control_frame(kws_control *c, const char *listener, const char *spotter,
		       const kws_frame *f, const float *score, double time_s);

void kws_control_stats_get(const kws_control *c, kws_server_stats *st);

#endif
