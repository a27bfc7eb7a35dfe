#include "daemon/models.h"

#include "conf/words.h"
#include "runtime/clock.h"
#include "spot/spotter.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kws_shared_model {
	kws_model *model;
	char path[KWS_CONF_TEXT];
	double cost;
	atomic_uint shares; /* atomic: a reload is built in another thread */
};

/* ---- one model ---- */

/* CPU seconds per second of audio: the lowest of several pieces of noise, in CPU time of this
 * thread, so that other load has little influence. Stops early if the model is far too slow. */
static double measure(kws_spotter *sp, unsigned hz)
{
	enum { PIECES = 10, HOPS = 20, HOP_MAX = 1920 };
	static const double enough_s = 0.5;
	double hop_s = 0.01, best = HUGE_VAL, spent = 0.0;
	float pcm[HOP_MAX];
	size_t n = hz / 100;
	unsigned noise = 1;

	for (int piece = 0; piece < PIECES && (piece < 2 || spent < enough_s); piece++) {
		double from = kws_clock_thread(), took = 0.0;
		int hops;

		for (hops = 0; hops < HOPS && took < 2.0 * HOPS * hop_s; hops++) {
			for (size_t i = 0; i < n; i++) {
				noise = noise * 1664525u + 1013904223u;
				pcm[i] = 1e-2f * ((float)(noise >> 8) / (float)(1u << 23) - 1.0f);
			}
			kws_spotter_process(sp, pcm, n);
			took = kws_clock_thread() - from;
		}
		best = fmin(best, took / (hops * hop_s));
		spent += took;
	}
	return best;
}

/* Measure the cost. Fails if the model cannot process streams. */
static enum kws_status learn_cost(kws_shared_model *m, const char *path, kws_error *err)
{
	const unsigned hz = kws_model_rate_hz(m->model);
	kws_error why = { "" };
	kws_spotter *sp;
	enum kws_status status = kws_spotter_create(&sp, m->model, hz, NULL, &why);

	if (status != KWS_OK)
		return kws_fail(err, status, "%s: %s", path, why.text);
	m->cost = measure(sp, hz);
	kws_spotter_destroy(sp);
	return KWS_OK;
}

kws_shared_model *kws_shared_model_share(kws_shared_model *m)
{
	atomic_fetch_add(&m->shares, 1);
	return m;
}

void kws_shared_model_release(kws_shared_model *m)
{
	if (!m || atomic_fetch_sub(&m->shares, 1) != 1)
		return;
	kws_model_close(m->model);
	free(m);
}

/* The model in all with this hash; NULL: there is none. */
static kws_shared_model *find(const kws_models *all, const char *hash)
{
	for (size_t i = 0; all && i < all->n; i++)
		if (!strcmp(kws_model_hash(all->model[i]->model), hash))
			return all->model[i];
	return NULL;
}

static enum kws_status load(kws_models *out, const char *path, const kws_models *now,
			    kws_error *err)
{
	kws_shared_model *m = calloc(1, sizeof *m), *same;
	enum kws_status status;

	if (!m)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	atomic_store(&m->shares, 1);
	status = kws_model_open(&m->model, path, err);
	same = status != KWS_OK ? NULL : find(out, kws_model_hash(m->model));
	if (status == KWS_OK && !same)
		same = find(now, kws_model_hash(m->model));
	if (status == KWS_OK && !same)
		status = learn_cost(m, path, err);
	if (status != KWS_OK || same)
		kws_shared_model_release(m);
	if (status != KWS_OK)
		return status;
	if (same) {
		out->model[out->n++] = kws_shared_model_share(same);
		return KWS_OK;
	}
	snprintf(m->path, sizeof m->path, "%s", path);
	out->model[out->n++] = m;
	return KWS_OK;
}

/* ---- all models ---- */

enum kws_status kws_models_load(kws_models *out, const kws_conf *c, const kws_models *now,
				kws_error *err)
{
	enum kws_status status = KWS_OK;

	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < c->n_model && status == KWS_OK; i++)
		status = load(out, c->model[i].path, now, err);
	if (status != KWS_OK)
		kws_models_release(out);
	return status;
}

void kws_models_release(kws_models *m)
{
	for (size_t i = 0; i < m->n; i++)
		kws_shared_model_release(m->model[i]);
	memset(m, 0, sizeof *m);
}

const kws_model *kws_shared_model_get(const kws_shared_model *m)
{
	return m->model;
}

const char *kws_shared_model_path(const kws_shared_model *m)
{
	return m->path;
}

double kws_shared_model_cost(const kws_shared_model *m)
{
	return m->cost;
}

/* ---- checks against the configuration ---- */

/* The cost of one model on one microphone. */
typedef struct {
	const char *audio, *model;
	double cost;
} part;

/* Sort by the cost as printed, then by the names. */
static int by_cost(const void *a, const void *b)
{
	const part *p = a, *q = b;
	const long x = lround(100.0 * p->cost), y = lround(100.0 * q->cost);
	const int names = strcmp(p->audio, q->audio);

	if (x != y)
		return x < y ? 1 : -1;
	return names ? names : strcmp(p->model, q->model);
}

/* "kitchen/commands 0.31, kitchen/wake 0.12": the most expensive parts, and the number of the
 * others. */
static void name_parts(char *out, size_t size, part *p, size_t n)
{
	enum { NAMED = 3 };
	size_t at = 0;

	qsort(p, n, sizeof *p, by_cost);
	for (size_t i = 0; i < n && i < NAMED && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s%s%s %.2f", i ? ", " : "",
				       p[i].audio, *p[i].audio && *p[i].model ? "/" : "",
				       p[i].model, p[i].cost);
	if (n > NAMED && at < size)
		snprintf(out + at, size - at, ", and %zu more", n - NAMED);
}

static enum kws_status check_cost(const kws_models *m, const kws_conf *c, kws_error *err)
{
	part parts[KWS_CONF_AUDIOS * KWS_CONF_MODELS];
	char named[3 * 2 * KWS_CONF_NAME + 64] = "";
	double sum = 0.0;
	size_t n = 0, last = 0;

	for (size_t a = 0; a < c->n_audio; a++)
		for (size_t i = 0; i < m->n; i++) {
			if (!c->audio[a].enabled || !kws_conf_hears(&c->audio[a], c->model[i].name))
				continue;
			sum += m->model[i]->cost;
			parts[n++] =
				(part){ c->audio[a].name, c->model[i].name, m->model[i]->cost };
			last = i;
		}
	if (sum <= KWS_MODELS_MOST)
		return KWS_OK;
	if (n == 1)
		return kws_fail(err, KWS_ERR_ARG,
				"model%s%s.path: %s: too slow for this machine: %.2f s of "
				"processor for a second of audio, at most %.1f",
				*c->model[last].name ? " " : "", c->model[last].name,
				c->model[last].path, sum, KWS_MODELS_MOST);
	name_parts(named, sizeof named, parts, n);
	return kws_fail(err, KWS_ERR_ARG,
			"too slow for this machine: %.2f s of processor for a second of audio, at "
			"most %.1f: %s",
			sum, KWS_MODELS_MOST, named);
}

enum kws_status kws_models_check(const kws_models *m, const kws_conf *c, kws_error *err)
{
	const kws_model *models[KWS_CONF_MODELS];
	enum kws_status status;

	for (size_t i = 0; i < m->n; i++)
		models[i] = m->model[i]->model;
	status = kws_conf_check_words(c, models, err);
	return status == KWS_OK ? check_cost(m, c, err) : status;
}
