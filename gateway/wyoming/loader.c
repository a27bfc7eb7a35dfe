#include "gateway/wyoming/loader.h"

#include "runtime/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct kws_loader {
	kws_loop *loop;
	kws_loader_fn *fn;
	void *ctx;
	int done; /* an eventfd: the thread has finished */
	pthread_t thread;
	bool busy;
	kws_conf conf;
	const kws_roster *now;
	kws_roster *roster;
	kws_error err;
};

static void *load(void *arg)
{
	kws_loader *l = arg;
	const uint64_t one = 1;

	kws_roster_load(&l->roster, &l->conf, l->now, &l->err);
	while (write(l->done, &one, sizeof one) < 0 && errno == EINTR)
		continue;
	return NULL;
}

static void on_done(void *ctx, unsigned events)
{
	kws_loader *l = ctx;
	uint64_t n;

	(void)events;
	if (read(l->done, &n, sizeof n) < 0)
		return;
	pthread_join(l->thread, NULL);
	l->busy = false;
	l->fn(l->ctx, l->roster, &l->conf, &l->err);
}

enum kws_status kws_loader_create(kws_loader **out, kws_loop *loop, kws_loader_fn *fn, void *ctx,
				  kws_error *err)
{
	kws_loader *l = calloc(1, sizeof *l);
	enum kws_status status = KWS_OK;

	*out = NULL;
	if (!l)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	l->loop = loop;
	l->fn = fn;
	l->ctx = ctx;
	l->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->done < 0)
		status = kws_fail(err, KWS_ERR_NOMEM, "eventfd: %s", kws_strerrno(errno));
	if (status == KWS_OK)
		status = kws_loop_add(loop, l->done, KWS_LOOP_READ, on_done, l, err);
	if (status != KWS_OK) {
		kws_loader_destroy(l);
		return status;
	}
	*out = l;
	return KWS_OK;
}

void kws_loader_destroy(kws_loader *l)
{
	if (!l)
		return;
	if (l->busy) {
		pthread_join(l->thread, NULL);
		kws_roster_release(l->roster);
	}
	kws_loop_remove(l->loop, l->done);
	if (l->done >= 0)
		close(l->done);
	free(l);
}

void kws_loader_begin(kws_loader *l, const kws_conf *c, const kws_roster *now)
{
	int failed;

	assert(!l->busy);
	l->conf = *c;
	l->now = now;
	l->roster = NULL;
	l->err.text[0] = 0;
	failed = kws_clock_start(&l->thread, NULL, load, l);
	l->busy = !failed;
	if (!failed)
		return;
	kws_fail(&l->err, KWS_ERR_NOMEM, KWS_NO_THREAD, strerror(failed));
	l->fn(l->ctx, NULL, &l->conf, &l->err);
}

bool kws_loader_is_busy(const kws_loader *l)
{
	return l->busy;
}
