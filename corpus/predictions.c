#include "corpus/predictions.h"

#include "spot/classify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { READ = 16384 };

/* The tools of one thread. The classifier is kept for the next clip if the rate is the same. */
typedef struct {
	kws_classifier *classifier;
	unsigned in_hz;
	float pcm[READ];
} tools;

struct kws_predictions {
	const kws_model *model;
	const kws_files *files;
	kws_opener opener;
	bool at_end;
	kws_prediction *clip; /* (files->n,) */
	size_t taken;	      /* its prob is freed when the next clip is taken */
	tools *tools;	      /* (n_tools,) */
	size_t n_tools;
	pthread_mutex_t lock; /* of notes */
	kws_notes notes;
	kws_thread_pool *pool;
};

static enum kws_status tune_to(const kws_predictions *p, tools *t, unsigned in_hz, kws_error *err)
{
	if (t->classifier && t->in_hz == in_hz)
		return KWS_OK;
	kws_classifier_destroy(t->classifier);
	t->in_hz = in_hz;
	return kws_classifier_create(&t->classifier, p->model, in_hz, p->at_end, err);
}

static enum kws_status listen(kws_predictions *p, tools *t, kws_source *src, kws_prediction *clip,
			      kws_error *err)
{
	const kws_model *m = p->model;
	enum kws_status status = tune_to(p, t, kws_source_rate(src), err);
	if (status != KWS_OK)
		return status;
	uint64_t n = 0;
	size_t got = 0;
	do {
		status = kws_source_read(src, t->pcm, READ, &got, err);
		kws_classifier_process(t->classifier, t->pcm, got);
		n += got;
	} while (status == KWS_OK && got);
	/* In any case: the next clip needs a fresh state. */
	kws_classifier_finish(t->classifier, clip->prob);
	if (status == KWS_OK && n == 0)
		return kws_fail(err, KWS_ERR_FORMAT, "it contains no audio");
	clip->seconds = (double)n / (double)kws_source_rate(src);
	const size_t most =
		kws_model_max_frames(m) * kws_model_stride(m) * kws_model_features(m)->hop;
	clip->cut = most && clip->seconds * (double)kws_model_features(m)->rate_hz > (double)most;
	if (status == KWS_OK) {
		pthread_mutex_lock(&p->lock);
		kws_notes_add(&p->notes, (size_t)(clip - p->clip), clip->path, src, true);
		pthread_mutex_unlock(&p->lock);
	}
	return status;
}

static double classify(void *ctx, size_t worker, size_t job)
{
	kws_predictions *p = ctx;
	kws_prediction *clip = &p->clip[job];
	kws_error err = { "" };
	kws_source *src = NULL;
	clip->path = p->files->path[job];
	clip->prob = calloc(kws_model_n_words(p->model), sizeof *clip->prob);
	clip->status = clip->prob
			       ? p->opener.open(p->opener.ctx, &src, clip->path, &err)
			       : kws_fail(&err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	if (clip->status == KWS_OK)
		clip->status = listen(p, &p->tools[worker], src, clip, &err);
	kws_source_close(src);
	if (clip->status != KWS_OK) {
		free(clip->prob);
		clip->prob = NULL;
		snprintf(clip->error, sizeof clip->error, "%s",
			 err.text[0] ? err.text : kws_strerror(clip->status));
	}
	return clip->seconds;
}

enum kws_status kws_predictions_create(kws_predictions **out, const kws_model *m,
				       const kws_files *files, kws_opener opener, bool at_end,
				       size_t n_threads)
{
	*out = NULL;
	kws_predictions *p = calloc(1, sizeof *p);
	if (!p)
		return KWS_ERR_NOMEM;
	p->model = m;
	p->files = files;
	p->opener = opener;
	p->at_end = at_end;
	n_threads = n_threads < files->n ? n_threads : files->n;
	p->n_tools = n_threads ? n_threads : 1;
	p->clip = calloc(files->n + 1, sizeof *p->clip);
	p->tools = calloc(p->n_tools, sizeof *p->tools);
	pthread_mutex_init(&p->lock, NULL);
	if (!p->clip || !p->tools
	    || kws_thread_pool_create(&p->pool, n_threads, files->n, classify, p) != KWS_OK) {
		kws_predictions_destroy(p);
		return KWS_ERR_NOMEM;
	}
	*out = p;
	return KWS_OK;
}

const kws_prediction *kws_predictions_wait(kws_predictions *p, size_t i,
					   kws_work_progress *progress)
{
	if (!kws_thread_pool_wait(p->pool, i, progress))
		return NULL;
	if (i != p->taken) {
		free(p->clip[p->taken].prob);
		p->clip[p->taken].prob = NULL;
		p->taken = i;
	}
	return &p->clip[i];
}

const kws_notes *kws_predictions_notes(const kws_predictions *p)
{
	return &p->notes;
}

void kws_predictions_destroy(kws_predictions *p)
{
	if (!p)
		return;
	kws_thread_pool_destroy(p->pool);
	for (size_t i = 0; p->tools && i < p->n_tools; i++)
		kws_classifier_destroy(p->tools[i].classifier);
	for (size_t i = 0; p->clip && i < p->files->n; i++)
		free(p->clip[i].prob);
	pthread_mutex_destroy(&p->lock);
	free(p->tools);
	free(p->clip);
	free(p);
}
