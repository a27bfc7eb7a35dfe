#include "cli/predictions.h"

#include "spot/classify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { READ = 16384, MOST_THREADS = 256 };

struct kws_pool {
	const kws_model *model;
	const kws_args_audio *audio;
	bool at_end;
	kws_job *job;
	size_t n_jobs;
	size_t next, n_done; /* these and what follows, and each job's done: under the lock */
	double audio_s;
	kws_notes notes;
	pthread_mutex_t lock;
	pthread_cond_t progress;
	pthread_t thread[MOST_THREADS];
	size_t n_threads;
};

/* One thread's tools. The classifier is kept from file to file as long as the rate stays. */
typedef struct {
	kws_pool *pool;
	kws_classifier *classifier;
	unsigned in_hz;
	float pcm[READ];
} worker;

static enum kws_status tune_to(worker *w, unsigned in_hz, kws_error *err)
{
	if (w->classifier && w->in_hz == in_hz)
		return KWS_OK;
	kws_classifier_destroy(w->classifier);
	w->in_hz = in_hz;
	return kws_classifier_create(&w->classifier, w->pool->model, in_hz, w->pool->at_end, err);
}

static enum kws_status listen(worker *w, kws_source *src, kws_job *job, kws_error *err)
{
	const kws_model *m = w->pool->model;
	enum kws_status st = tune_to(w, kws_source_rate(src), err);
	if (st != KWS_OK)
		return st;
	uint64_t n = 0;
	size_t got = 0;
	do {
		st = kws_source_read(src, w->pcm, READ, &got, err);
		kws_classifier_process(w->classifier, w->pcm, got);
		n += got;
	} while (st == KWS_OK && got);
	/* Whatever came: the next file needs a fresh state. */
	kws_classifier_finish(w->classifier, job->prob);
	if (st == KWS_OK && n == 0)
		return kws_fail(err, KWS_ERR_FORMAT, "no audio in it");
	job->seconds = (double)n / (double)kws_source_rate(src);
	size_t most = kws_model_max_frames(m) * kws_model_stride(m) * kws_model_features(m)->hop;
	job->cut = most && job->seconds * (double)kws_model_features(m)->rate_hz > (double)most;
	if (st == KWS_OK) {
		pthread_mutex_lock(&w->pool->lock);
		kws_notes_add(&w->pool->notes, (size_t)(job - w->pool->job), job->path, src, true);
		pthread_mutex_unlock(&w->pool->lock);
	}
	return st;
}

static void classify(worker *w, kws_job *job)
{
	kws_error err = { "" };
	kws_source *src = NULL;
	job->prob = calloc(kws_model_n_words(w->pool->model), sizeof *job->prob);
	job->status = job->prob ? kws_args_open_source(&src, w->pool->audio, job->path, &err)
				: kws_fail(&err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	if (job->status == KWS_OK)
		job->status = listen(w, src, job, &err);
	kws_source_close(src);
	if (job->status == KWS_OK)
		return;
	free(job->prob);
	job->prob = NULL;
	snprintf(job->error, sizeof job->error, "%s",
		 err.text[0] ? err.text : kws_strerror(job->status));
}

static void *work(void *arg)
{
	worker *w = arg;
	kws_pool *p = w->pool;
	pthread_mutex_lock(&p->lock);
	while (p->next < p->n_jobs) {
		kws_job *job = &p->job[p->next++];
		pthread_mutex_unlock(&p->lock);
		classify(w, job);
		pthread_mutex_lock(&p->lock);
		job->done = true;
		p->n_done++;
		p->audio_s += job->seconds;
		pthread_cond_signal(&p->progress);
	}
	pthread_mutex_unlock(&p->lock);
	kws_classifier_destroy(w->classifier);
	free(w);
	return NULL;
}

static bool start(kws_pool *p)
{
	worker *w = calloc(1, sizeof *w);
	if (!w)
		return false;
	w->pool = p;
	if (pthread_create(&p->thread[p->n_threads], NULL, work, w) != 0) {
		free(w);
		return false;
	}
	p->n_threads++;
	return true;
}

enum kws_status kws_pool_create(kws_pool **out, const kws_model *m, const kws_args_audio *audio,
				bool at_end, kws_job *job, size_t n, size_t n_threads)
{
	*out = NULL;
	kws_pool *p = calloc(1, sizeof *p);
	if (!p)
		return KWS_ERR_NOMEM;
	p->model = m;
	p->audio = audio;
	p->at_end = at_end;
	p->job = job;
	p->n_jobs = n;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->progress, &attr);
	pthread_condattr_destroy(&attr);
	n_threads = n_threads < n ? n_threads : n;
	while (p->n_threads < n_threads && p->n_threads < MOST_THREADS && start(p))
		continue;
	if (p->n_threads == 0 && n) {
		kws_pool_destroy(p);
		return KWS_ERR_IO;
	}
	*out = p;
	return KWS_OK;
}

bool kws_pool_wait(kws_pool *p, size_t i, size_t *n_done, double *audio_s)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 100000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&p->lock);
	while (!p->job[i].done && pthread_cond_timedwait(&p->progress, &p->lock, &until) == 0)
		continue;
	bool done = p->job[i].done;
	*n_done = p->n_done;
	*audio_s = p->audio_s;
	pthread_mutex_unlock(&p->lock);
	return done;
}

const kws_notes *kws_pool_notes(const kws_pool *p)
{
	return &p->notes;
}

void kws_pool_destroy(kws_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->next = p->n_jobs;
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->n_threads; i++)
		pthread_join(p->thread[i], NULL);
	pthread_cond_destroy(&p->progress);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
