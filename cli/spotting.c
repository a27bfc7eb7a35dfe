#include "cli/spotting.h"

#include "cli/cli.h"
#include "corpus/thread_pool.h"
#include "spot/cascade.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct ear ear;

/* One of the models of an ear. */
typedef struct {
	ear *of;
	const kws_named_model *model;
} voice;

typedef struct spotting spotting;

/* What hears one file at a time: the tools of a thread. */
struct ear {
	spotting *of;
	kws_cascade *cascade;
	voice voice[KWS_MODELS_MOST];
	unsigned in_hz;
	float *pcm;
	size_t block; /* samples in pcm */
	size_t file;  /* the current one */
};

/* A file. What it has to say waits for those before it. */
typedef struct {
	bool is_done;
	size_t n_found;
	FILE *to; /* into text; NULL: nothing waits */
	char *text;
	size_t n_text;
	json_t *events; /* with results: all; NULL: none */
	kws_problems problems;
	bool failed; /* the last problem says why */
} turn;

struct spotting {
	const kws_spotting_config *config;
	ear *ears; /* (n_ears,) */
	size_t n_ears;
	turn *turn; /* (files->n,) */
	/* under the lock from here on */
	pthread_mutex_t lock;
	size_t front; /* all files before it are done, and printed */
	kws_notes notes;
	bool incomplete;  /* a file could not be read, or not whole */
	atomic_bool lost; /* the reader of the output has gone */
};

/* ---- whose turn it is to print; all under the lock ---- */

/* Print what waits of a file. */
static void release(spotting *s, turn *t)
{
	if (!t->to)
		return;
	if (fclose(t->to) != 0)
		kws_out_no_memory();
	else
		fputs(t->text, stdout);
	free(t->text);
	t->to = NULL;
	t->text = NULL;
	if (!kws_out_flush())
		s->lost = true;
}

/* Keep what was found in a file that is done. */
static void keep(spotting *s, size_t file, turn *t)
{
	const kws_files *files = s->config->files;
	const size_t n = t->problems.n;
	const char *error = !t->failed ? NULL : n ? t->problems.text[n - 1] : "out of memory";
	if (s->lost)
		return;
	json_t *o = json_object();
	kws_out_set(o, "events", t->events ? t->events : json_array());
	t->events = NULL;
	if (!kws_shard_add(s->config->results, files->index[file], files->path[file], error, o))
		s->lost = s->incomplete = true;
}

/* Print or keep what waits of the files whose turn has come. */
static void move_on(spotting *s)
{
	for (; s->front < s->config->files->n; s->front++) {
		turn *t = &s->turn[s->front];
		release(s, t);
		if (t->is_done && s->config->results)
			keep(s, s->front, t);
		kws_out_problems(&t->problems);
		if (!t->is_done)
			return;
	}
}

static void put(spotting *s, size_t file, const kws_found *found)
{
	turn *t = &s->turn[file];
	if (s->config->results) {
		t->events = t->events ? t->events : json_array();
		kws_out_append(t->events, kws_found_json(s->config->style.models, found));
		return;
	}
	if (file == s->front) {
		kws_found_print(&s->config->style, found, stdout);
		if (!kws_out_flush())
			s->lost = true;
		return;
	}
	if (!t->to)
		t->to = open_memstream(&t->text, &t->n_text);
	if (t->to)
		kws_found_print(&s->config->style, found, t->to);
	else
		kws_out_no_memory();
}

/* ---- hearing a file ---- */

static void on_event(void *ctx, const kws_event *ev)
{
	const voice *v = ctx;
	spotting *s = v->of->of;
	const size_t file = v->of->file;
	const kws_event_context *c = kws_cascade_context(v->of->cascade);
	const kws_found found = { *ev, v->model, s->config->files->path[file], c->after,
				  c->after_id };
	pthread_mutex_lock(&s->lock);
	s->turn[file].n_found++;
	put(s, file, &found);
	pthread_mutex_unlock(&s->lock);
}

/* Start a new stream at this rate, with a buffer for it. */
static enum kws_status tune_to(ear *e, unsigned in_hz, const char *path, kws_error *err)
{
	kws_event_context c = KWS_EVENT_CONTEXT;
	c.file = path;
	if (e->in_hz != in_hz) {
		free(e->pcm);
		e->in_hz = in_hz;
		e->block = (size_t)((uint64_t)in_hz * e->of->config->block_ms / 1000);
		e->pcm = calloc(e->block, sizeof *e->pcm);
	}
	if (!e->pcm)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	return kws_cascade_start(e->cascade, in_hz, &c, err);
}

/* A pipe may never end, so report flaws that make all words impossible to find after 5 s. Returns
 * whether that time has come. */
static bool warn_early(const char *path, const kws_source *src)
{
	static const enum kws_flaw deaf[] = { KWS_FLAW_CANCELLING, KWS_FLAW_DIGITAL_SILENCE };
	char text[KWS_FLAW_TEXT];
	kws_findings f;
	kws_source_findings(src, &f);
	if (f.seconds < 5.0)
		return false;
	for (size_t i = 0; i < sizeof deaf / sizeof *deaf; i++)
		if (f.has[deaf[i]]) {
			kws_flaw_say(&f, deaf[i], "--channel ", text);
			kws_out_complain("%s: so far: %s", path, text);
		}
	return true;
}

static enum kws_status listen(ear *e, kws_source *src, const char *path, kws_error *err)
{
	bool warned = !kws_source_is_pipe(src);
	size_t got = 0;
	enum kws_status status = tune_to(e, kws_source_rate(src), path, err);
	if (status != KWS_OK)
		return status;
	do {
		status = kws_source_read(src, e->pcm, e->block, &got, err);
		kws_cascade_process(e->cascade, e->pcm, got);
		warned = warned || warn_early(path, src);
	} while (status == KWS_OK && got && !e->of->lost);
	kws_cascade_flush(e->cascade);
	return status;
}

/* The file has been heard, as far as it goes. src NULL: not at all. */
static void finish(spotting *s, size_t file, const kws_source *src, enum kws_status status,
		   const kws_error *err)
{
	const char *path = s->config->files->path[file];
	turn *t = &s->turn[file];
	pthread_mutex_lock(&s->lock);
	if (src && kws_source_leftover(src))
		kws_problems_add(&t->problems,
				 "%s: %zu bytes at the end are no whole sample and were left out",
				 path, kws_source_leftover(src));
	if (src)
		kws_notes_add(&s->notes, file, path, src, t->n_found > 0);
	if (status != KWS_OK) {
		kws_problems_add_of(&t->problems, path, err->text);
		t->failed = s->incomplete = true;
	}
	t->is_done = true;
	if (file == s->front)
		move_on(s);
	pthread_mutex_unlock(&s->lock);
}

static double hear(void *ctx, size_t worker, size_t file)
{
	spotting *s = ctx;
	ear *e = &s->ears[worker];
	const char *path = s->config->files->path[file];
	kws_error err = { "" };
	kws_source *src = NULL;
	if (s->lost)
		return 0.0;
	e->file = file;
	enum kws_status status = kws_args_open_source(&src, s->config->audio, path, &err);
	const bool opened = status == KWS_OK;
	if (opened)
		status = listen(e, src, path, &err);
	finish(s, file, opened ? src : NULL, status, &err);
	kws_source_close(src);
	return 0.0;
}

/* ---- all of them ---- */

static enum kws_status add(ear *e, size_t i, kws_error *err)
{
	const kws_spotting_config *config = e->of->config;
	const kws_named_model *m = &config->style.models->at[i];
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	e->voice[i] = (voice){ e, m };
	c.threshold = config->threshold[i];
	c.smooth_ms = config->smooth_ms;
	c.refractory_ms = config->refractory_ms;
	c.on_event = on_event;
	c.ctx = &e->voice[i];
	return kws_cascade_add(e->cascade, *m->name ? m->name : NULL, m->model, &c, err);
}

/* False: the reason was printed. */
static bool open_ear(spotting *s, ear *e)
{
	const kws_models *models = s->config->style.models;
	kws_error err = { "" };
	e->of = s;
	enum kws_status status = kws_cascade_create(&e->cascade, &err);
	if (status == KWS_OK)
		kws_cascade_squelch(e->cascade, s->config->squelch_db);
	for (size_t i = 0; i < models->n && status == KWS_OK; i++)
		status = add(e, i, &err);
	for (size_t i = 0; i < models->n && status == KWS_OK; i++) {
		const kws_named_model *m = &models->at[i];
		if (m->after)
			status = kws_cascade_gate(e->cascade, m->name, m->after, m->within_s, &err);
	}
	if (status != KWS_OK)
		kws_out_complain("%s", err.text);
	return status == KWS_OK;
}

/* One thread hears in the one that calls, without any other. */
static enum kws_status hear_all(spotting *s)
{
	kws_thread_pool *pool;
	const size_t n = s->config->files->n;
	if (kws_thread_pool_create(&pool, s->n_ears > 1 ? s->n_ears : 0, n, hear, s) != KWS_OK)
		return KWS_ERR_NOMEM;
	while (!kws_thread_pool_wait(pool, n, NULL))
		continue;
	kws_thread_pool_destroy(pool);
	return KWS_OK;
}

static int run(spotting *s)
{
	for (size_t i = 0; i < s->n_ears; i++)
		if (!open_ear(s, &s->ears[i]))
			return KWS_EXIT_USAGE;
	if (!s->config->results)
		kws_found_head(&s->config->style, stdout);
	s->lost = !kws_out_flush();
	if (hear_all(s) != KWS_OK) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		return KWS_EXIT_INPUT;
	}
	kws_out_notes(&s->notes);
	return s->incomplete || !kws_out_is_whole() ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

int kws_spotting_run(const kws_spotting_config *config)
{
	const size_t n = config->files->n;
	spotting s = { .config = config };
	s.n_ears = config->n_threads < n ? config->n_threads : n ? n : 1;
	s.ears = calloc(s.n_ears, sizeof *s.ears);
	s.turn = calloc(n + 1, sizeof *s.turn);
	pthread_mutex_init(&s.lock, NULL);
	int status = KWS_EXIT_INPUT;
	if (s.ears && s.turn)
		status = run(&s);
	else
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	for (size_t i = 0; s.ears && i < s.n_ears; i++) {
		kws_cascade_destroy(s.ears[i].cascade);
		free(s.ears[i].pcm);
	}
	for (size_t i = 0; s.turn && i < n; i++) {
		if (s.turn[i].to)
			fclose(s.turn[i].to);
		free(s.turn[i].text);
		json_decref(s.turn[i].events);
		kws_problems_free(&s.turn[i].problems);
	}
	pthread_mutex_destroy(&s.lock);
	free(s.ears);
	free(s.turn);
	return status;
}
