#include "gateway/wyoming/ears.h"

#include "runtime/clock.h"
#include "runtime/worker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A job takes milliseconds. */
enum { LAST_JOB_MS = 60000 };

struct kws_ears {
	kws_loop *loop;
	kws_worker *worker;
	kws_ears_fn *fn;
	void *ctx;
	int done; /* an eventfd: the job is done */
	bool busy;
	double begun;  /* the job, monotonic s */
	double took_s; /* of the last job */
};

/* ---- the worker's thread ---- */

static void do_job(void *self, const void *item)
{
	kws_ears *e = self;
	const kws_ears_job *job = item;
	const double from = kws_clock_mono();
	const uint64_t one = 1;

	kws_session_hear(job->heard, job->n_heard);
	e->took_s = kws_clock_mono() - from;
	for (size_t i = 0; i < job->n_ended; i++)
		kws_session_destroy(job->ended[i]);
	while (write(e->done, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

static void free_ears(void *self)
{
	kws_ears *e = self;

	if (e->done >= 0)
		close(e->done);
	free(e);
}

static const kws_worker_ops ops = { .item = do_job, .free = free_ears };

/* ---- the loop's thread ---- */

static void on_done(void *ctx, unsigned events)
{
	kws_ears *e = ctx;
	uint64_t n;

	(void)events;
	if (read(e->done, &n, sizeof n) < 0)
		return;
	e->busy = false;
	e->fn(e->ctx, e->took_s);
}

enum kws_status kws_ears_create(kws_ears **out, kws_loop *l, kws_ears_fn *fn, void *ctx,
				kws_error *err)
{
	kws_ears *e = calloc(1, sizeof *e);
	enum kws_status status = KWS_OK;

	*out = NULL;
	if (!e)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	*e = (kws_ears){ .loop = l, .fn = fn, .ctx = ctx };
	e->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->done < 0)
		status = kws_fail(err, KWS_ERR_NOMEM, "eventfd: %s", kws_strerrno(errno));
	if (status == KWS_OK)
		status = kws_loop_add(l, e->done, KWS_LOOP_READ, on_done, e, err);
	if (status == KWS_OK)
		status = kws_worker_create(&e->worker, "hearing", &ops, e, sizeof(kws_ears_job), 2,
					   err);
	if (status != KWS_OK) {
		kws_loop_remove(l, e->done);
		free_ears(e);
		return status;
	}
	*out = e;
	return KWS_OK;
}

void kws_ears_destroy(kws_ears *e)
{
	if (!e)
		return;
	kws_loop_remove(e->loop, e->done);
	kws_worker_stop(e->worker, LAST_JOB_MS, true);
}

void kws_ears_begin(kws_ears *e, const kws_ears_job *job)
{
	bool taken;

	assert(!e->busy);
	e->busy = true;
	e->begun = kws_clock_mono();
	taken = kws_worker_push(e->worker, job);
	assert(taken); /* it is the only one */
	(void)taken;
}

bool kws_ears_is_busy(const kws_ears *e)
{
	return e->busy;
}

double kws_ears_busy_s(const kws_ears *e)
{
	return e->busy ? kws_clock_mono() - e->begun : 0.0;
}
