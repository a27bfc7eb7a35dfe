/* ears.h - a thread that hears the audio of sessions, so that nobody waits for it who only asks
 * something.
 *
 * The ears of all sessions of a model belong to one thread: a session that has ears is heard here,
 * and is destroyed here. */
#ifndef KWS_WYOMING_EARS_H
#define KWS_WYOMING_EARS_H

#include "gateway/wyoming/session.h"
#include "runtime/loop.h"

typedef struct kws_ears kws_ears;

typedef struct {
	kws_session *heard[KWS_WAKE_TOGETHER]; /* (n_heard,) for kws_session_hear() */
	size_t n_heard;
	kws_session *ended[KWS_WAKE_TOGETHER]; /* (n_ended,) for kws_session_destroy() */
	size_t n_ended;
} kws_ears_job;

/* Called on the loop's thread when a job is done: the sessions that were heard are the callee's
 * again. took_s: for how long they were heard. */
typedef void kws_ears_fn(void *ctx, double took_s);

enum kws_status kws_ears_create(kws_ears **out, kws_loop *l, kws_ears_fn *fn, void *ctx,
				kws_error *err);
/* Waits for the job that is being done; fn is not called any more. */
void kws_ears_destroy(kws_ears *e);

/* Do a job, which is copied. Until fn is called, its sessions MUST NOT be used, and no other job may
 * begin. */
void kws_ears_begin(kws_ears *e, const kws_ears_job *job);
bool kws_ears_is_busy(const kws_ears *e);
/* For how long the job has been under way, s; 0: there is none. */
double kws_ears_busy_s(const kws_ears *e);

#endif
