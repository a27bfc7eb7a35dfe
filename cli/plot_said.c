#include "cli/plot.h"

#include "cli/out.h"
#include "corpus/truth.h"
#include "corpus/vocabulary.h"

#include <stdlib.h>
#include <string.h>

/* A word counts as heard until so long after its end, as in kws eval. */
static const double TOLERANCE_S = 0.75;

void kws_plot_free(kws_plot *p)
{
	free(p->wave.row);
	free(p->level.row);
	free(p->mels.row);
	for (size_t i = 0; i < p->n_models; i++)
		free(p->model[i].scores.row);
	free(p->find);
	for (size_t i = 0; i < p->n_said; i++)
		free(p->said[i].word);
	free(p->said);
}

bool kws_plot_counts(const kws_plot *p, const kws_plot_said *s)
{
	for (size_t i = 0; i < p->n_models; i++)
		if (s->class[i] < p->model[i].n_words)
			return true;
	return false;
}

bool kws_plot_missed(const kws_plot *p, const kws_plot_said *s)
{
	for (size_t i = 0; i < p->n_models; i++)
		if (s->heard[i])
			return false;
	return kws_plot_counts(p, s);
}

/* Note the first word that this event hits: said, and not heard by its model before. False: none. */
static bool hit(kws_plot *p, const kws_plot_find *f)
{
	const double when = (double)f->event.sample / f->by->rate_hz;
	const size_t m = f->by->index;
	for (size_t i = 0; i < p->n_said; i++) {
		kws_plot_said *s = &p->said[i];
		if (s->class[m] != f->event.word || s->heard[m] || when < s->start
		    || when > s->end + TOLERANCE_S)
			continue;
		s->heard[m] = true;
		return true;
	}
	return false;
}

/* Find the word of the truth file in each model. */
static void classify(const kws_plot *p, kws_plot_said *s, const kws_truth_item *item,
		     const char *path)
{
	for (size_t i = 0; i < p->n_models; i++) {
		const kws_plot_model *m = &p->model[i];
		kws_vocabulary vocabulary = { .model = m->model };
		const size_t class =
			kws_vocabulary_class(&vocabulary, path, item->line, item->word);
		s->class[i] = class < m->n_words && kws_model_is_command(m->model, class)
				      ? class
				      : m->n_words;
	}
}

static enum kws_status keep_said(kws_plot *p, const kws_truth *truth, const char *path,
				 kws_error *err)
{
	const size_t n = kws_truth_count(truth);
	p->said = calloc(n + 1, sizeof *p->said);
	for (; p->said && p->n_said < n; p->n_said++) {
		const kws_truth_item *item = kws_truth_get(truth, p->n_said);
		kws_plot_said *s = &p->said[p->n_said];
		s->start = item->start;
		s->end = item->end;
		s->word = strdup(item->word);
		if (!s->word)
			break;
		classify(p, s, item, path);
	}
	return p->said && p->n_said == n
		       ? KWS_OK
		       : kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
}

enum kws_status kws_plot_compare(kws_plot *p, const char *recording, kws_error *err)
{
	char *path = kws_truth_path(recording);
	kws_truth *truth = NULL;
	enum kws_status status =
		path ? kws_truth_open_if_any(&truth, path, err)
		     : kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	p->labelled = truth != NULL;
	if (status == KWS_OK && truth)
		status = keep_said(p, truth, path, err);
	for (size_t i = 0; status == KWS_OK && truth && i < p->n_finds; i++) {
		kws_plot_find *f = &p->find[i];
		f->stray = !f->near && !hit(p, f);
	}
	kws_truth_close(truth);
	free(path);
	return status;
}
