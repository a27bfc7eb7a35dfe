#include "corpus/recordings.h"

#include "corpus/notes.h"
#include "corpus/thread_pool.h"
#include "corpus/truth.h"
#include "spot/stream.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- labels ---- */

/* The path of a recording's truth file. NULL: out of memory. */
static char *truth_path(const char *recording)
{
	const char *slash = strrchr(recording, '/'), *dot = strrchr(recording, '.');
	size_t n = strlen(recording), size;
	if (dot && (!slash || dot > slash + 1) && dot != recording)
		n = (size_t)(dot - recording);
	size = n + sizeof ".tsv";
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%.*s.tsv", (int)n, recording);
	return path;
}

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
static bool read_truth(kws_recordings *all, kws_recording *r, const char *recording,
		       kws_problems *problems)
{
	kws_truth *truth = NULL;
	kws_error err = { "" };
	char *path = truth_path(recording);
	bool good = path != NULL;
	/* a broken link does not mean that nothing is said */
	if (path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		good = kws_truth_open(&truth, path, &err) == KWS_OK;
		if (good)
			r->said = calloc(kws_truth_count(truth) + 1, sizeof *r->said);
		good = good && r->said;
		r->labelled = true;
	}
	if (!good)
		kws_problems_add(problems, "%s",
				 *err.text ? err.text : kws_strerror(KWS_ERR_NOMEM));
	if (good && truth)
		check_times(r, truth, path, problems);
	for (size_t i = 0; good && truth && i < kws_truth_count(truth); i++) {
		const kws_truth_item *item = kws_truth_get(truth, i);
		size_t word = kws_vocabulary_class(&all->vocabulary, path, item->line, item->word);
		if (word < all->material.n_words && all->material.command[word])
			r->said[r->n_said++] = (kws_said){ item->start, item->end, word };
	}
	kws_truth_close(truth);
	free(path);
	return good;
}

/* ---- processing ---- */

typedef struct {
	kws_recording rec;
	size_t cap; /* rows of rec.prob and rec.voice */
	enum kws_status status;
	kws_error err;
} job;

typedef struct {
	const kws_recordings_config *config;
	const kws_model *model;
	const kws_files *files;
	job *jobs;	      /* (files->n,) */
	pthread_mutex_t lock; /* of notes */
	kws_notes notes;
} session;

typedef struct {
	job *j;
	kws_voice *voice;
} ear;

/* Make room for another frame. */
static bool grow(job *j, size_t n_words)
{
	kws_recording *r = &j->rec;
	size_t cap = j->cap ? 2 * j->cap : 256;
	if (r->n_frames < j->cap)
		return true;
	float *prob = realloc(r->prob, cap * n_words * sizeof *prob);
	if (prob)
		r->prob = prob;
	kws_stretch *voice = realloc(r->voice, cap * sizeof *voice);
	if (voice)
		r->voice = voice;
	if (!prob || !voice)
		return false;
	j->cap = cap;
	return true;
}

static void on_frame(void *ctx, const kws_frame *f)
{
	ear *e = ctx;
	kws_recording *r = &e->j->rec;
	kws_voice_push(e->voice, f->level, f->stride);
	if (!grow(e->j, f->n_words)) {
		e->j->status = KWS_ERR_NOMEM;
		return;
	}
	memcpy(r->prob + r->n_frames * f->n_words, f->prob, f->n_words * sizeof *f->prob);
	r->voice[r->n_frames] = kws_voice_stretch(e->voice);
	r->n_frames++;
}

/* Samples. */
static size_t window_of(const kws_model *m)
{
	return kws_model_window(m) * kws_model_stride(m) * kws_model_features(m)->hop;
}

static enum kws_status listen(session *s, job *j, kws_source *src)
{
	enum { BLOCK = 16384 };
	const kws_features *f = kws_model_features(s->model);
	ear e = { j, NULL };
	kws_stream *stream = NULL;
	float *pcm = calloc(BLOCK, sizeof *pcm);
	size_t got = 0;
	enum kws_status status =
		kws_stream_create(&stream, s->model, kws_source_rate(src), on_frame, &e, &j->err);
	if (status == KWS_OK
	    && (!pcm
		|| kws_voice_create(&e.voice, f->rate_hz, f->hop, window_of(s->model)) != KWS_OK))
		status = kws_fail(&j->err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	if (status == KWS_OK) {
		do {
			status = kws_source_read(src, pcm, BLOCK, &got, &j->err);
			kws_stream_process(stream, pcm, got);
		} while (status == KWS_OK && got && j->status == KWS_OK);
		kws_stream_flush(stream);
		j->rec.seconds = (double)kws_stream_heard(stream) / (double)f->rate_hz;
	}
	kws_voice_destroy(e.voice);
	kws_stream_destroy(stream);
	free(pcm);
	return j->status == KWS_OK ? status
				   : kws_fail(&j->err, j->status, "%s", kws_strerror(j->status));
}

static double hear_one(void *ctx, size_t worker, size_t i)
{
	session *s = ctx;
	job *j = &s->jobs[i];
	const char *path = s->files->path[i];
	kws_source *src = NULL;
	(void)worker;
	enum kws_status status = s->config->opener.open(s->config->opener.ctx, &src, path, &j->err);
	if (status == KWS_OK)
		status = listen(s, j, src);
	j->status = status;
	if (status == KWS_OK) {
		pthread_mutex_lock(&s->lock);
		kws_notes_add(&s->notes, i, path, src, true);
		pthread_mutex_unlock(&s->lock);
	}
	kws_source_close(src);
	return j->rec.seconds;
}

static enum kws_status hear_all(session *s)
{
	const kws_recordings_config *c = s->config;
	kws_work_progress done;
	kws_thread_pool *pool;
	if (kws_thread_pool_create(&pool, c->n_threads, s->files->n, hear_one, s) != KWS_OK)
		return KWS_ERR_NOMEM;
	while (!kws_thread_pool_wait(pool, s->files->n, &done))
		if (c->progress)
			c->progress(c->progress_ctx, done.n_done, done.audio_s);
	kws_thread_pool_destroy(pool);
	return KWS_OK;
}

/* ---- all recordings ---- */

static bool describe(kws_recordings *all, const kws_recordings_config *c)
{
	const kws_decision *def = kws_model_decision(all->model);
	const kws_features *f = kws_model_features(all->model);
	kws_material *m = &all->material;
	m->n_words = kws_model_n_words(all->model);
	all->command = calloc(m->n_words, sizeof *all->command);
	if (!all->command)
		return false;
	for (size_t w = 0; w < m->n_words; w++)
		all->command[w] = kws_model_is_command(all->model, w);
	m->command = all->command;
	m->rate_hz = f->rate_hz;
	m->frame = f->hop * kws_model_stride(all->model);
	m->smooth_ms = c->smooth_ms >= 0 ? (unsigned)c->smooth_ms : def->smooth_ms;
	m->refractory_ms = c->refractory_ms >= 0 ? (unsigned)c->refractory_ms : def->refractory_ms;
	m->tolerance = c->tolerance;
	m->window = window_of(all->model);
	m->tail = (double)m->window / (double)f->rate_hz + (double)m->smooth_ms / 1000.0;
	m->unlabelled_only = c->unlabelled_only;
	return true;
}

/* Collect the results of the files in order; owns the probabilities. */
static void collect(kws_recordings *all, const kws_files *files, job *jobs, kws_problems *problems)
{
	for (size_t i = 0; i < files->n; i++) {
		job *j = &jobs[i];
		kws_recording *r = &all->recording[all->material.n];
		if (j->status != KWS_OK)
			kws_problems_add_of(problems, files->path[i], j->err.text);
		*r = j->rec;
		if (j->status != KWS_OK || !read_truth(all, r, files->path[i], problems)) {
			free(r->prob);
			free(r->voice);
			free(r->said);
			*r = (kws_recording){ 0 };
			all->failed++;
			continue;
		}
		all->material.n++;
		all->n_said += r->n_said;
		all->n_labelled += r->labelled;
		*(r->labelled ? &all->labelled_s : &all->unlabelled_s) += r->seconds;
	}
	all->material.recording = all->recording;
	kws_vocabulary_report(&all->vocabulary, "not said", problems);
}

enum kws_status kws_recordings_hear(kws_recordings *r, const kws_model *m, const kws_files *files,
				    const kws_recordings_config *config, kws_problems *problems)
{
	session s = { .config = config, .model = m, .files = files };
	*r = (kws_recordings){ .model = m, .vocabulary.model = m };
	s.jobs = calloc(files->n + 1, sizeof *s.jobs);
	r->recording = calloc(files->n + 1, sizeof *r->recording);
	enum kws_status status =
		s.jobs && r->recording && describe(r, config) ? KWS_OK : KWS_ERR_NOMEM;
	pthread_mutex_init(&s.lock, NULL);
	if (status == KWS_OK)
		status = hear_all(&s);
	pthread_mutex_destroy(&s.lock);
	if (status == KWS_OK) {
		kws_notes_report(&s.notes, problems);
		collect(r, files, s.jobs, problems);
	}
	free(s.jobs);
	return status;
}

void kws_recordings_free(kws_recordings *r)
{
	for (size_t i = 0; i < r->material.n; i++) {
		free(r->recording[i].prob);
		free(r->recording[i].voice);
		free(r->recording[i].said);
	}
	free(r->recording);
	free(r->command);
	*r = (kws_recordings){ 0 };
}
