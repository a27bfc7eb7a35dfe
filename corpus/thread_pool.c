#include "corpus/thread_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct {
	kws_thread_pool *of;
	size_t index;
	pthread_t thread;
} worker;

struct kws_thread_pool {
	kws_work_fn *work;
	void *ctx;
	size_t n_jobs;
	/* under the lock from here on */
	pthread_mutex_t lock;
	pthread_cond_t news;
	size_t next; /* job */
	bool *done;  /* (n_jobs,) */
	kws_work_progress progress;
	/* no longer under the lock */
	size_t n_threads;
	worker threads[KWS_THREAD_POOL_MOST];
};

unsigned kws_thread_pool_default(void)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 1 && n <= KWS_THREAD_POOL_MOST ? (unsigned)n : 1;
}

/* Do the next job. Called with the lock held; releases it during the job. */
static void do_next(kws_thread_pool *w, size_t index)
{
	const size_t job = w->next++;
	pthread_mutex_unlock(&w->lock);
	const double audio_s = w->work(w->ctx, index, job);
	pthread_mutex_lock(&w->lock);
	w->done[job] = true;
	w->progress.n_done++;
	w->progress.audio_s += audio_s;
	pthread_cond_signal(&w->news);
}

static void *run(void *arg)
{
	const worker *me = arg;
	kws_thread_pool *w = me->of;
	pthread_mutex_lock(&w->lock);
	while (w->next < w->n_jobs)
		do_next(w, me->index);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

enum kws_status kws_thread_pool_create(kws_thread_pool **out, size_t n_threads, size_t n_jobs,
				       kws_work_fn *work, void *ctx)
{
	*out = NULL;
	kws_thread_pool *w = calloc(1, sizeof *w);
	bool *done = calloc(n_jobs + 1, sizeof *done);
	if (!w || !done) {
		free(w);
		free(done);
		return KWS_ERR_NOMEM;
	}
	w->work = work;
	w->ctx = ctx;
	w->n_jobs = n_jobs;
	w->done = done;
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->news, &attr);
	pthread_condattr_destroy(&attr);
	for (size_t i = 0; i < n_threads && i < n_jobs && i < KWS_THREAD_POOL_MOST; i++) {
		w->threads[i] = (worker){ .of = w, .index = i };
		if (pthread_create(&w->threads[i].thread, NULL, run, &w->threads[i]) != 0)
			break;
		w->n_threads++;
	}
	*out = w;
	return KWS_OK;
}

static bool is_done(const kws_thread_pool *w, size_t job)
{
	return job < w->n_jobs ? w->done[job] : w->progress.n_done == w->n_jobs;
}

bool kws_thread_pool_wait(kws_thread_pool *w, size_t job, kws_work_progress *progress)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 100000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&w->lock);
	if (w->n_threads == 0 && !is_done(w, job))
		do_next(w, 0);
	while (w->n_threads && !is_done(w, job)
	       && pthread_cond_timedwait(&w->news, &w->lock, &until) == 0)
		continue;
	const bool done = is_done(w, job);
	if (progress)
		*progress = w->progress;
	pthread_mutex_unlock(&w->lock);
	return done;
}

void kws_thread_pool_destroy(kws_thread_pool *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->next = w->n_jobs;
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i].thread, NULL);
	pthread_cond_destroy(&w->news);
	pthread_mutex_destroy(&w->lock);
	free(w->done);
	free(w);
}
