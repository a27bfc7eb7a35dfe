#include "gateway/wyoming/roster.h"

#include "conf/words.h"
#include "gateway/wyoming/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kws_roster_model {
	kws_model *model;
	kws_group *group;
	atomic_uint shares; /* atomic: a roster is loaded in another thread */
};

/* ---- models ---- */

static void release_model(kws_roster_model *m)
{
	if (!m || atomic_fetch_sub(&m->shares, 1) != 1)
		return;
	kws_group_destroy(m->group);
	kws_model_close(m->model);
	free(m);
}

/* The model in r with this content; NULL: there is none. */
static kws_roster_model *same_in(const kws_roster *r, const kws_model *m)
{
	for (size_t i = 0; r && i < r->n_parts; i++)
		if (!strcmp(kws_model_hash(r->part[i].model), kws_model_hash(m)))
			return r->part[i].shared;
	return NULL;
}

static enum kws_status open_model(kws_roster_model **out, const char *path, const kws_roster *some,
				  const kws_roster *now, kws_error *err)
{
	kws_roster_model *m = calloc(1, sizeof *m), *same = NULL;
	enum kws_status status;

	*out = NULL;
	if (!m)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	atomic_store(&m->shares, 1);
	status = kws_model_open(&m->model, path, err);
	if (status == KWS_OK && !kws_model_hears_streams(m->model))
		status = kws_fail(err, KWS_ERR_ARG,
				  "%s: full attention cannot hear an endless stream, only clips",
				  path);
	if (status == KWS_OK) {
		same = same_in(some, m->model);
		same = same ? same : same_in(now, m->model);
	}
	if (status == KWS_OK && !same)
		status = kws_group_create(&m->group, m->model, err);
	if (status != KWS_OK || same)
		release_model(m);
	if (status != KWS_OK)
		return status;
	if (same)
		atomic_fetch_add(&same->shares, 1);
	*out = same ? same : m;
	return KWS_OK;
}

/* ---- parts ---- */

static enum kws_status add_part(kws_roster *r, const kws_conf *c, const kws_conf_model *m,
				const kws_roster *now, kws_error *err)
{
	kws_roster_part *p = &r->part[r->n_parts];
	kws_conf_decision d;
	enum kws_status status = open_model(&p->shared, m->path, r, now, err);
	size_t n;

	if (!p->shared)
		return status;
	r->n_parts++;
	p->model = p->shared->model;
	p->group = p->shared->group;
	snprintf(p->name, sizeof p->name, "%s", m->name);
	kws_conf_decision_for(c, m->name, &d);
	p->smooth_ms = d.smooth_ms;
	p->refractory_ms = d.refractory_ms;
	p->within_s = (double)m->within_s;
	n = kws_model_n_words(p->model);
	p->threshold = calloc(n, sizeof *p->threshold);
	p->word = calloc(n, sizeof *p->word);
	if (!p->threshold || !p->word)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	kws_conf_thresholds(c, m->name, p->model, p->threshold);
	return KWS_OK;
}

int kws_roster_part_named(const kws_roster *r, const char *name)
{
	for (size_t i = 0; i < r->n_parts; i++)
		if (!strcmp(r->part[i].name, name))
			return (int)i;
	return -1;
}

/* Add those whose opener is there, until all are: the configuration was checked for circles. */
static enum kws_status add_parts(kws_roster *r, const kws_conf *c, const kws_roster *now,
				 kws_error *err)
{
	enum kws_status status = KWS_OK;

	while (r->n_parts < c->n_model && status == KWS_OK) {
		const size_t before = r->n_parts;

		for (size_t i = 0; i < c->n_model && status == KWS_OK; i++) {
			const kws_conf_model *m = &c->model[i];
			const int after = *m->after ? kws_roster_part_named(r, m->after) : -1;

			if (kws_roster_part_named(r, m->name) >= 0 || (*m->after && after < 0))
				continue;
			status = add_part(r, c, m, now, err);
			if (status == KWS_OK)
				r->part[r->n_parts - 1].after = after;
		}
		if (r->n_parts == before && status == KWS_OK)
			status = kws_fail(err, KWS_ERR_ARG, "model: a circle of after");
	}
	return status;
}

/* ---- words ---- */

static bool is_utf8(const char *text)
{
	for (size_t n; *text; text += n)
		if (!(n = kws_utf8_length(text)))
			return false;
	return true;
}

unsigned kws_roster_find(const kws_roster *r, const char *word)
{
	const json_t *place = json_object_get(r->index, word);

	return place ? (unsigned)json_integer_value(place) : KWS_ROSTER_NO_WORD;
}

static enum kws_status add_word(kws_roster *r, const char *word, unsigned *index, kws_error *err)
{
	char **more;

	*index = kws_roster_find(r, word);
	if (*index != KWS_ROSTER_NO_WORD)
		return KWS_OK;
	if (!is_utf8(word))
		return kws_fail(err, KWS_ERR_FORMAT, "the name of a word is no UTF-8");
	more = realloc(r->word, (r->n_words + 1) * sizeof *more);
	if (more) {
		r->word = more;
		more[r->n_words] = strdup(word);
	}
	if (!more || !more[r->n_words])
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	*index = (unsigned)r->n_words++;
	if (json_object_set_new(r->index, word, json_integer(*index)) != 0)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	return KWS_OK;
}

/* Whether clients may ask for the word: it is a command, and not off. */
static bool is_offered(const kws_roster_part *p, size_t w)
{
	return kws_model_is_command(p->model, w) && p->threshold[w] <= 1.0f;
}

static enum kws_status add_words(kws_roster *r, const kws_conf *c, kws_error *err)
{
	enum kws_status status = KWS_OK;

	for (size_t i = 0; i < c->n_model && status == KWS_OK; i++) {
		kws_roster_part *p = &r->part[kws_roster_part_named(r, c->model[i].name)];

		for (size_t w = 0; w < kws_model_n_words(p->model) && status == KWS_OK; w++) {
			p->word[w] = KWS_ROSTER_NO_WORD;
			if (is_offered(p, w))
				status = add_word(r, kws_model_word(p->model, w), &p->word[w], err);
		}
	}
	return status;
}

static enum kws_status check_words(const kws_roster *r, const kws_conf *c, kws_error *err)
{
	const kws_model *models[KWS_CONF_MODELS];

	for (size_t i = 0; i < c->n_model; i++)
		models[i] = r->part[kws_roster_part_named(r, c->model[i].name)].model;
	return kws_conf_check_words(c, models, err);
}

/* ---- info ---- */

/* The first 12 digits of the hash of the first model that has the word: what tells one training of
 * a word from the next. */
static void version_of(const kws_roster *r, unsigned word, char version[13])
{
	for (size_t i = 0; i < r->n_parts; i++)
		for (size_t w = 0; w < kws_model_n_words(r->part[i].model); w++)
			if (r->part[i].word[w] == word) {
				snprintf(version, 13, "%s", kws_model_hash(r->part[i].model));
				return;
			}
}

/* What to say: the word with blanks for _. */
static char *phrase_of(const char *word)
{
	char *phrase = strdup(word);

	for (char *at = phrase; at && *at; at++)
		if (*at == '_')
			*at = ' ';
	return phrase;
}

static enum kws_status make_info(kws_roster *r, const char *languages, kws_error *err)
{
	const kws_reply_program program = {
		"kwsd",	  "kwsd", "man:kwsd-wyoming(8)", KWS_VERSION, "kwsd, keyword spotter",
		languages
	};
	kws_reply_word *words = calloc(r->n_words + 1, sizeof *words);
	char **phrases = calloc(r->n_words + 1, sizeof *phrases);
	char(*versions)[13] = calloc(r->n_words + 1, sizeof *versions);
	kws_out out = { .bytes = NULL };
	bool done = words && phrases && versions;

	for (size_t i = 0; i < r->n_words && done; i++) {
		version_of(r, (unsigned)i, versions[i]);
		phrases[i] = phrase_of(r->word[i]);
		words[i] = (kws_reply_word){ r->word[i], phrases[i], versions[i] };
		done = phrases[i] != NULL;
	}
	if (done)
		kws_reply_info(&out, &program, words, r->n_words);
	for (size_t i = 0; i < r->n_words && phrases; i++)
		free(phrases[i]);
	free(phrases);
	free(versions);
	free(words);
	r->info = out.bytes;
	r->n_info = out.n;
	if (!done || out.lost)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	return KWS_OK;
}

/* ---- the whole ---- */

enum kws_status kws_roster_load(kws_roster **out, const kws_conf *c, const kws_roster *now,
				kws_error *err)
{
	kws_roster *r = calloc(1, sizeof *r);
	enum kws_status status;

	*out = NULL;
	if (!r)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	atomic_store(&r->shares, 1);
	r->index = json_object();
	status = r->index ? add_parts(r, c, now, err)
			  : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	if (status == KWS_OK)
		status = check_words(r, c, err);
	if (status == KWS_OK)
		status = add_words(r, c, err);
	if (status == KWS_OK)
		status = make_info(r, c->wyoming.languages, err);
	if (status != KWS_OK) {
		kws_roster_release(r);
		return status;
	}
	*out = r;
	return KWS_OK;
}

kws_roster *kws_roster_share(kws_roster *r)
{
	atomic_fetch_add(&r->shares, 1);
	return r;
}

void kws_roster_release(kws_roster *r)
{
	if (!r || atomic_fetch_sub(&r->shares, 1) != 1)
		return;
	for (size_t i = 0; i < r->n_parts; i++) {
		free(r->part[i].threshold);
		free(r->part[i].word);
		release_model(r->part[i].shared);
	}
	for (size_t i = 0; i < r->n_words; i++)
		free(r->word[i]);
	free(r->word);
	json_decref(r->index);
	free(r->info);
	free(r);
}
