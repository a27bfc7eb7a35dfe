#include "corpus/hear.h"

#include "corpus/notes.h"
#include "corpus/thread_pool.h"
#include "corpus/truth.h"
#include "spot/stream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- labels ---- */

/* Report words after the end of the sound: the list belongs to another recording, or its unit is
 * not seconds. */
static void check_times(const kws_recording *r, const kws_truth *truth, const char *path,
			kws_problems *problems)
{
	size_t n = 0, first = 0;
	for (size_t i = kws_truth_count(truth); i-- > 0;)
		if (kws_truth_get(truth, i)->start > r->seconds) {
			first = i;
			n++;
		}
	if (n)
		kws_problems_add(problems,
				 "%s:%zu: %zu words begin after the end of the recording, "
				 "which is %.1f s long; times are in seconds",
				 path, kws_truth_get(truth, first)->line, n, r->seconds);
}

/* False: the reason was added as a problem. */
static bool read_truth(const kws_material *terms, kws_heard *h, const char *recording)
{
	kws_recording *r = &h->recording;
	kws_problems *problems = &h->problems;
	kws_truth *truth = NULL;
	kws_error err = { "" };
	char *path = kws_truth_path(recording);
	bool good = path && kws_truth_open_if_any(&truth, path, &err) == KWS_OK;
	r->labelled = !good || truth;
	if (good && truth) {
		r->said = calloc(kws_truth_count(truth) + 1, sizeof *r->said);
		good = r->said;
	}
	if (!good)
		kws_problems_add(problems, "%s",
				 *err.text ? err.text : kws_strerror(KWS_ERR_NOMEM));
	if (good && truth)
		check_times(r, truth, path, problems);
	for (size_t i = 0; good && truth && i < kws_truth_count(truth); i++) {
		const kws_truth_item *item = kws_truth_get(truth, i);
		size_t word = kws_vocabulary_class(&h->vocabulary, path, item->line, item->word);
		if (word < terms->n_words && terms->command[word])
			r->said[r->n_said++] = (kws_said){ item->start, item->end, word };
	}
	kws_truth_close(truth);
	free(path);
	return good;
}

/* ---- one recording ---- */

typedef struct {
	const kws_model *model;
	const kws_material *terms;
	const kws_files *files;
	const kws_hear_config *config;
	const kws_hear_work *work;
	kws_heard **heard;    /* (files->n,) from when it is done until it is taken */
	pthread_mutex_t lock; /* of notes */
	kws_notes notes;
} session;

typedef struct {
	kws_recording *to;
	size_t cap; /* rows of to->prob and to->voice */
	kws_voice *voice;
	bool short_of_memory;
} ear;

/* Make room for another frame. */
static bool grow(ear *e, size_t n_words)
{
	kws_recording *r = e->to;
	size_t cap = e->cap ? 2 * e->cap : 256;
	if (r->n_frames < e->cap)
		return true;
	float *prob = realloc(r->prob, cap * n_words * sizeof *prob);
	if (prob)
		r->prob = prob;
	kws_stretch *voice = realloc(r->voice, cap * sizeof *voice);
	if (voice)
		r->voice = voice;
	if (!prob || !voice)
		return false;
	e->cap = cap;
	return true;
}

static void on_frame(void *ctx, const kws_frame *f)
{
	ear *e = ctx;
	kws_recording *r = e->to;
	kws_voice_push(e->voice, f->level, f->stride);
	if (!grow(e, f->n_words)) {
		e->short_of_memory = true;
		return;
	}
	memcpy(r->prob + r->n_frames * f->n_words, f->prob, f->n_words * sizeof *f->prob);
	r->voice[r->n_frames] = kws_voice_stretch(e->voice);
	r->n_frames++;
}

static enum kws_status listen(const session *s, kws_recording *to, kws_source *src, kws_error *err)
{
	enum { BLOCK = 16384 };
	const kws_features *f = kws_model_features(s->model);
	ear e = { .to = to };
	kws_stream *stream = NULL;
	float *pcm = calloc(BLOCK, sizeof *pcm);
	size_t got = 0;
	enum kws_status status =
		kws_stream_create(&stream, s->model, kws_source_rate(src), on_frame, &e, err);
	if (status == KWS_OK
	    && (!pcm || kws_voice_create(&e.voice, f->rate_hz, f->hop, s->terms->window) != KWS_OK))
		status = KWS_ERR_NOMEM;
	if (status == KWS_OK) {
		do {
			status = kws_source_read(src, pcm, BLOCK, &got, err);
			kws_stream_process(stream, pcm, got);
		} while (status == KWS_OK && got && !e.short_of_memory);
		kws_stream_flush(stream);
		to->seconds = (double)kws_stream_heard(stream) / (double)f->rate_hz;
	}
	kws_voice_destroy(e.voice);
	kws_stream_destroy(stream);
	free(pcm);
	return e.short_of_memory ? KWS_ERR_NOMEM : status;
}

static enum kws_status hear_sound(session *s, size_t i, kws_heard *h, kws_error *err)
{
	const char *path = s->files->path[i];
	kws_source *src = NULL;
	enum kws_status status = s->config->opener.open(s->config->opener.ctx, &src, path, err);
	if (status == KWS_OK)
		status = listen(s, &h->recording, src, err);
	if (status == KWS_OK) {
		pthread_mutex_lock(&s->lock);
		kws_notes_add(&s->notes, i, path, src, true);
		pthread_mutex_unlock(&s->lock);
	}
	kws_source_close(src);
	return status;
}

/* Keep nothing but the problems. */
static void fail(kws_heard *h)
{
	kws_problems problems = h->problems;
	h->problems = (kws_problems){ 0 };
	kws_heard_free(h);
	h->problems = problems;
	h->failed = true;
}

static double hear_one(void *ctx, size_t worker, size_t i)
{
	session *s = ctx;
	const char *path = s->files->path[i];
	kws_error err = { "" };
	kws_heard *h = calloc(1, sizeof *h);
	(void)worker;
	if (!h)
		return 0.0; /* the one who takes it reports that */
	h->vocabulary.model = s->model;
	enum kws_status status = hear_sound(s, i, h, &err);
	const double seconds = h->recording.seconds;
	const bool good = status == KWS_OK && read_truth(s->terms, h, path);
	if (good && s->work->work)
		status = s->work->work(s->work->ctx, h);
	if (status != KWS_OK)
		kws_problems_add_of(&h->problems, path,
				    *err.text ? err.text : kws_strerror(status));
	if (!good || status != KWS_OK)
		fail(h);
	s->heard[i] = h;
	return seconds;
}

void kws_heard_free(kws_heard *h)
{
	free(h->recording.prob);
	free(h->recording.voice);
	free(h->recording.said);
	kws_measured_free(&h->measured);
	kws_problems_free(&h->problems);
	*h = (kws_heard){ 0 };
}

/* ---- all of them ---- */

/* Take what was heard of file i; false: enough. */
static bool take(session *s, size_t i)
{
	kws_heard none = { .failed = true }, *h = s->heard[i] ? s->heard[i] : &none;
	if (h == &none)
		kws_problems_add_of(&none.problems, s->files->path[i], kws_strerror(KWS_ERR_NOMEM));
	const bool more = s->work->take(s->work->ctx, i, h);
	kws_heard_free(h);
	free(s->heard[i]);
	s->heard[i] = NULL;
	return more;
}

static enum kws_status hear_all(session *s)
{
	const kws_hear_config *c = s->config;
	kws_work_progress done;
	kws_thread_pool *pool;
	bool more = true;
	if (kws_thread_pool_create(&pool, c->n_threads, s->files->n, hear_one, s) != KWS_OK)
		return KWS_ERR_NOMEM;
	for (size_t i = 0; i < s->files->n && more; i++) {
		bool is_done;
		do {
			is_done = kws_thread_pool_wait(pool, i, &done);
			if (c->progress)
				c->progress(c->progress_ctx, done.n_done, done.audio_s);
		} while (!is_done);
		more = take(s, i);
	}
	kws_thread_pool_destroy(pool);
	return KWS_OK;
}

enum kws_status kws_hear(const kws_model *model, const kws_material *terms, const kws_files *files,
			 const kws_hear_config *config, const kws_hear_work *work,
			 kws_problems *problems)
{
	session s = {
		.model = model, .terms = terms, .files = files, .config = config, .work = work
	};
	s.heard = calloc(files->n + 1, sizeof(kws_heard *));
	if (!s.heard)
		return KWS_ERR_NOMEM;
	pthread_mutex_init(&s.lock, NULL);
	const enum kws_status status = hear_all(&s);
	pthread_mutex_destroy(&s.lock);
	for (size_t i = 0; i < files->n; i++)
		if (s.heard[i]) {
			kws_heard_free(s.heard[i]);
			free(s.heard[i]);
		}
	free(s.heard);
	if (status == KWS_OK)
		kws_notes_report(&s.notes, problems);
	return status;
}

void kws_hear_terms(kws_material *m, bool *command, const kws_model *model,
		    const kws_hear_config *c)
{
	const kws_decision *own = kws_model_decision(model);
	const kws_features *f = kws_model_features(model);
	*m = (kws_material){ .n_words = kws_model_n_words(model), .command = command };
	for (size_t w = 0; w < m->n_words; w++)
		command[w] = kws_model_is_command(model, w);
	m->rate_hz = f->rate_hz;
	m->frame = f->hop * kws_model_stride(model);
	m->smooth_ms = c->smooth_ms >= 0 ? (unsigned)c->smooth_ms : own->smooth_ms;
	m->refractory_ms = c->refractory_ms >= 0 ? (unsigned)c->refractory_ms : own->refractory_ms;
	m->wait_ms = own->wait_ms;
	m->tolerance = c->tolerance;
	m->window = kws_model_window(model) * m->frame;
	m->tail = (double)m->window / (double)f->rate_hz + (double)m->smooth_ms / 1000.0;
	m->unlabelled_only = c->unlabelled_only;
	m->hours = c->hours;
}
