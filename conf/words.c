#include "conf/words.h"

#include "nearest.h"

#include <string.h>

static bool has_word(const kws_model *m, const char *word)
{
	int w = kws_model_word_index(m, word);

	return w >= 0 && kws_model_is_command(m, (size_t)w);
}

/* Whether the section [threshold NAME] applies to this model. */
static bool speaks_of(const kws_conf_decision *d, const kws_conf_model *m)
{
	return !*d->name || !strcmp(d->name, m->name);
}

static enum kws_status no_such_word(const kws_conf *c, const kws_model *const *models,
				    const kws_conf_decision *d, const char *word, kws_error *err)
{
	kws_nearest near;
	const kws_model *one = NULL;
	size_t n = 0;

	kws_nearest_init(&near, word);
	for (size_t i = 0; i < c->n_model; i++) {
		if (!speaks_of(d, &c->model[i]))
			continue;
		one = models[i];
		n++;
		for (size_t w = 0; w < kws_model_n_words(one); w++)
			if (kws_model_is_command(one, w))
				kws_nearest_offer(&near, kws_model_word(one, w));
	}
	if (n != 1)
		return kws_fail(err, KWS_ERR_ARG, "threshold.%s: no model has such a word%s", word,
				kws_nearest_hint(&near));
	return kws_fail(err, KWS_ERR_ARG, "threshold%s%s.%s: the model %s has no such word%s",
			*d->name ? " " : "", d->name, word, kws_model_name(one),
			kws_nearest_hint(&near));
}

static enum kws_status check(const kws_conf *c, const kws_model *const *models,
			     const kws_conf_decision *d, kws_error *err)
{
	for (size_t k = 0; k < d->n_words; k++) {
		bool found = false;

		for (size_t i = 0; i < c->n_model && !found; i++)
			found = speaks_of(d, &c->model[i]) && has_word(models[i], d->word[k].word);
		if (!found)
			return no_such_word(c, models, d, d->word[k].word, err);
	}
	return KWS_OK;
}

enum kws_status kws_conf_check_words(const kws_conf *c, const kws_model *const *models,
				     kws_error *err)
{
	enum kws_status status = KWS_OK;

	for (size_t i = 0; i < c->n_decision && status == KWS_OK; i++)
		status = check(c, models, &c->decision[i], err);
	return status;
}

void kws_conf_thresholds(const kws_conf *c, const char *name, const kws_model *m, float *threshold)
{
	kws_conf_decision d;

	kws_conf_decision_for(c, name, &d);
	for (size_t w = 0; w < kws_model_n_words(m); w++)
		threshold[w] = d.threshold >= 0.0f ? d.threshold : kws_model_threshold(m, w);
	for (size_t i = 0; i < d.n_words; i++) {
		const int w = kws_model_word_index(m, d.word[i].word);

		if (w >= 0)
			threshold[w] = d.word[i].threshold >= 0.0f
					       ? d.word[i].threshold
					       : kws_model_threshold(m, (size_t)w);
	}
}
