#include "cli/recordings.h"

#include "cli/cli.h"
#include "corpus/files.h"
#include "corpus/notes.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "corpus/truth.h"
#include "spot/decide.h"
#include "spot/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPT_TOLERANCE = 0x300, OPT_UNLABELLED, OPT_SMOOTH, OPT_REFRACTORY, MOST_JOBS = 256 };

static const struct argp_option options[] = {
	{ "tolerance", OPT_TOLERANCE, "S", 0,
	  "A word counts as heard until that many seconds after its end, 0 to 60 (default 0.75)",
	  0 },
	{ "unlabelled-only", OPT_UNLABELLED, NULL, 0,
	  "Count false alarms only in recordings in which nothing is said", 0 },
	{ "smooth", OPT_SMOOTH, "MS", 0,
	  "Mean over that much of the probabilities, 0 to 2000 (default: the model's)", 0 },
	{ "refractory", OPT_REFRACTORY, "MS", 0,
	  "A word that was found is silent for that long, 0 to 60000 (default: the model's)", 0 },
	{ "jobs", 'j', "N", 0, "Worker threads, 1 to 256 (default: one per processor)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_hear_args *a = state->input;
	long processors;
	switch (key) {
	case ARGP_KEY_INIT:
		processors = sysconf(_SC_NPROCESSORS_ONLN);
		*a = (kws_hear_args){ .tolerance = 0.75, .smooth_ms = -1, .refractory_ms = -1 };
		a->jobs = processors > 1 && processors <= MOST_JOBS ? (unsigned)processors : 1;
		state->child_inputs[0] = &a->audio;
		return 0;
	case OPT_TOLERANCE:
		a->tolerance = kws_args_need_real(state, "--tolerance", arg, 0.0, 60.0);
		return 0;
	case OPT_UNLABELLED: a->unlabelled_only = true; return 0;
	case OPT_SMOOTH:
		a->smooth_ms =
			(int)kws_args_need(state, "--smooth", arg, 0, KWS_DECIDE_SMOOTH_MAX_MS);
		return 0;
	case OPT_REFRACTORY:
		a->refractory_ms = (int)kws_args_need(state, "--refractory", arg, 0, 60000);
		return 0;
	case 'j': a->jobs = kws_args_need(state, "--jobs", arg, 1, MOST_JOBS); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = { .options = options,
				  .parser = parse,
				  .children = kws_args_audio_child };
const struct argp_child kws_hear_child[] = { { &argp, 0, NULL, 0 }, { 0 } };

/* ---- what is said ---- */

/* Where the truth of a recording would be. NULL: out of memory. */
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

/* Words that no sound is there for: the list is another recording's, or counts in another unit. */
static void check_times(const kws_recording *r, const kws_truth *truth, const char *path)
{
	size_t n = 0, first = 0;
	for (size_t i = kws_truth_count(truth); i-- > 0;)
		if (kws_truth_get(truth, i)->start > r->seconds) {
			first = i;
			n++;
		}
	if (n)
		kws_out_complain("%s:%zu: %zu of its words begin behind the end of the recording, "
				 "which is %.1f s long; times are seconds",
				 path, kws_truth_get(truth, first)->line, n, r->seconds);
}

/* false: said why not. */
static bool read_truth(kws_heard *h, kws_recording *r, const char *recording)
{
	kws_truth *truth = NULL;
	kws_error err = { "" };
	char *path = truth_path(recording);
	bool good = path != NULL;
	/* a link to a file that is gone is no recording in which nothing is said */
	if (path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		good = kws_truth_open(&truth, path, &err) == KWS_OK;
		if (good)
			r->said = calloc(kws_truth_count(truth) + 1, sizeof *r->said);
		good = good && r->said;
		r->labelled = true;
	}
	if (!good)
		kws_out_complain("%s", *err.text ? err.text : kws_strerror(KWS_ERR_NOMEM));
	if (good && truth)
		check_times(r, truth, path);
	for (size_t i = 0; good && truth && i < kws_truth_count(truth); i++) {
		const kws_truth_item *item = kws_truth_get(truth, i);
		size_t word = kws_vocabulary_class(&h->vocabulary, path, item->line, item->word);
		if (word < h->material.n_words && h->material.command[word])
			r->said[r->n_said++] = (kws_said){ item->start, item->end, word };
	}
	kws_truth_close(truth);
	free(path);
	return good;
}

/* ---- hearing ---- */

typedef struct {
	kws_recording rec;
	size_t cap; /* rows of rec.prob and rec.voice */
	bool done;
	enum kws_status status;
	kws_error err;
} job;

typedef struct {
	const kws_hear_args *a;
	const kws_model *model;
	const kws_files *files;
	job *jobs; /* (files->n,) */
	pthread_mutex_t lock;
	pthread_cond_t news;
	size_t next, n_done;
	double audio_s;
	kws_notes notes;
} crew;

typedef struct {
	job *j;
	kws_voice *voice;
} listener;

/* Room for another frame. */
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
	listener *l = ctx;
	kws_recording *r = &l->j->rec;
	kws_voice_push(l->voice, f->level, f->stride);
	if (!grow(l->j, f->n_words)) {
		l->j->status = KWS_ERR_NOMEM;
		return;
	}
	memcpy(r->prob + r->n_frames * f->n_words, f->prob, f->n_words * sizeof *f->prob);
	r->voice[r->n_frames] = kws_voice_stretch(l->voice);
	r->n_frames++;
}

/* Samples. */
static size_t window_of(const kws_model *m)
{
	return kws_model_window(m) * kws_model_stride(m) * kws_model_features(m)->hop;
}

static void hear_one(crew *c, job *j, const char *path)
{
	enum { BLOCK = 16384 };
	const kws_features *f = kws_model_features(c->model);
	listener l = { j, NULL };
	kws_source *src = NULL;
	kws_stream *stream = NULL;
	size_t got = 0;
	float *pcm = calloc(BLOCK, sizeof *pcm);
	enum kws_status st = kws_args_open_source(&src, &c->a->audio, path, &j->err);
	if (st == KWS_OK)
		st = kws_stream_create(&stream, c->model, kws_source_rate(src), on_frame, &l,
				       &j->err);
	if (st == KWS_OK
	    && (!pcm
		|| kws_voice_create(&l.voice, f->rate_hz, f->hop, window_of(c->model)) != KWS_OK))
		st = kws_fail(&j->err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	if (st == KWS_OK) {
		do {
			st = kws_source_read(src, pcm, BLOCK, &got, &j->err);
			kws_stream_process(stream, pcm, got);
		} while (st == KWS_OK && got && j->status == KWS_OK);
		kws_stream_flush(stream);
		j->rec.seconds = (double)kws_stream_heard(stream) / (double)f->rate_hz;
	}
	if (j->status != KWS_OK)
		st = kws_fail(&j->err, j->status, "%s", kws_strerror(j->status));
	j->status = st;
	if (st == KWS_OK) {
		pthread_mutex_lock(&c->lock);
		kws_notes_add(&c->notes, (size_t)(j - c->jobs), path, src, true);
		pthread_mutex_unlock(&c->lock);
	}
	kws_voice_destroy(l.voice);
	kws_stream_destroy(stream);
	kws_source_close(src);
	free(pcm);
}

static void *work(void *ctx)
{
	crew *c = ctx;
	pthread_mutex_lock(&c->lock);
	while (c->next < c->files->n) {
		size_t i = c->next++;
		pthread_mutex_unlock(&c->lock);
		hear_one(c, &c->jobs[i], c->files->path[i]);
		pthread_mutex_lock(&c->lock);
		c->jobs[i].done = true;
		c->n_done++;
		c->audio_s += c->jobs[i].rec.seconds;
		pthread_cond_signal(&c->news);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void wait_all(crew *c)
{
	kws_progress progress;
	kws_progress_start(&progress, c->files->n);
	pthread_mutex_lock(&c->lock);
	while (c->n_done < c->files->n) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&c->news, &c->lock, &until);
		kws_progress_show(&progress, c->n_done, c->audio_s);
	}
	pthread_mutex_unlock(&c->lock);
	kws_progress_clear(&progress);
}

/* Hear every file; the caller's own thread only when no other could be started. */
static void hear_all(crew *c)
{
	pthread_t thread[MOST_JOBS];
	size_t n = 0;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->news, NULL);
	while (n < c->a->jobs && n < c->files->n && pthread_create(&thread[n], NULL, work, c) == 0)
		n++;
	if (n == 0)
		work(c);
	wait_all(c);
	while (n)
		pthread_join(thread[--n], NULL);
	pthread_cond_destroy(&c->news);
	pthread_mutex_destroy(&c->lock);
}

/* ---- all of it ---- */

typedef struct {
	kws_recording *recording;
	bool *command;
} own;

static bool describe(kws_heard *h, const kws_hear_args *a, own *o)
{
	const kws_decision *def = kws_model_decision(h->model);
	const kws_features *f = kws_model_features(h->model);
	kws_material *m = &h->material;
	m->n_words = kws_model_n_words(h->model);
	o->command = calloc(m->n_words, sizeof *o->command);
	if (!o->command)
		return false;
	for (size_t w = 0; w < m->n_words; w++)
		o->command[w] = kws_model_is_command(h->model, w);
	m->command = o->command;
	m->rate_hz = f->rate_hz;
	m->frame = f->hop * kws_model_stride(h->model);
	m->smooth_ms = a->smooth_ms >= 0 ? (unsigned)a->smooth_ms : def->smooth_ms;
	m->refractory_ms = a->refractory_ms >= 0 ? (unsigned)a->refractory_ms : def->refractory_ms;
	m->tolerance = a->tolerance;
	m->window = window_of(h->model);
	m->tail = (double)m->window / (double)f->rate_hz + (double)m->smooth_ms / 1000.0;
	m->unlabelled_only = a->unlabelled_only;
	return true;
}

/* What came of each file, in their order; takes the probabilities. */
static void collect(kws_heard *h, own *o, const kws_files *files, job *jobs)
{
	for (size_t i = 0; i < files->n; i++) {
		job *j = &jobs[i];
		kws_recording *r = &o->recording[h->material.n];
		if (j->status != KWS_OK) {
			const char *path = files->path[i];
			bool says = strncmp(j->err.text, path, strlen(path)) == 0;
			kws_out_complain("%s%s%s", says ? "" : path, says ? "" : ": ", j->err.text);
		}
		*r = j->rec;
		j->rec.prob = NULL;
		j->rec.voice = NULL;
		if (j->status != KWS_OK || !read_truth(h, r, files->path[i])) {
			free(r->prob);
			free(r->voice);
			free(r->said);
			*r = (kws_recording){ 0 };
			h->failed++;
			continue;
		}
		h->material.n++;
		h->n_said += r->n_said;
		h->n_labelled += r->labelled;
		*(r->labelled ? &h->labelled_s : &h->unlabelled_s) += r->seconds;
	}
	h->material.recording = o->recording;
	kws_vocabulary_report(&h->vocabulary, "not said");
}

static int hear_files(kws_heard *h, const kws_hear_args *a, const kws_files *files)
{
	own *o = h->own;
	crew c = { .a = a, .model = h->model, .files = files };
	c.jobs = calloc(files->n ? files->n : 1, sizeof *c.jobs);
	o->recording = calloc(files->n ? files->n : 1, sizeof *o->recording);
	if (!c.jobs || !o->recording || !describe(h, a, o)) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		free(c.jobs);
		return KWS_EXIT_INPUT;
	}
	hear_all(&c);
	kws_out_notes(&c.notes);
	collect(h, o, files, c.jobs);
	free(c.jobs);
	if (h->material.n)
		return KWS_EXIT_OK;
	kws_out_complain("none of the recordings could be heard");
	return KWS_EXIT_INPUT;
}

int kws_hear(kws_heard *h, const kws_hear_args *a)
{
	kws_files files = { 0 };
	*h = (kws_heard){ 0 };
	h->own = calloc(1, sizeof(own));
	if (!h->own) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		return KWS_EXIT_INPUT;
	}
	h->model = kws_args_open_model(a->audio.model);
	if (!h->model)
		return KWS_EXIT_MODEL;
	h->vocabulary.model = h->model;
	if (kws_model_max_frames(h->model)) {
		kws_out_complain("model %s: full attention cannot hear an endless stream",
				 kws_model_name(h->model));
		return KWS_EXIT_MODEL;
	}
	kws_problems problems = { 0 };
	for (int i = 0; i < a->n_inputs; i++)
		if (!kws_files_add(&files, a->inputs[i], &problems))
			h->failed++;
	kws_out_problems(&problems);
	int status = hear_files(h, a, &files);
	kws_files_free(&files);
	return status;
}

void kws_heard_free(kws_heard *h)
{
	own *o = h->own;
	for (size_t i = 0; o && o->recording && i < h->material.n; i++) {
		free(o->recording[i].prob);
		free(o->recording[i].voice);
		free(o->recording[i].said);
	}
	if (o) {
		free(o->recording);
		free(o->command);
	}
	free(o);
	kws_model_close(h->model);
	*h = (kws_heard){ 0 };
}
