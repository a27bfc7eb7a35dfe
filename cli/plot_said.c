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
	free(p->scores.row);
	free(p->find);
	for (size_t i = 0; i < p->n_said; i++)
		free(p->said[i].word);
	free(p->said);
}

/* The first word that this event hits: said, and not heard before. */
static kws_plot_said *hit(kws_plot *p, const kws_event *ev)
{
	const double when = (double)ev->sample / p->rate_hz;
	for (size_t i = 0; i < p->n_said; i++) {
		kws_plot_said *s = &p->said[i];
		if (s->class == ev->word && !s->heard && when >= s->start
		    && when <= s->end + TOLERANCE_S)
			return s;
	}
	return NULL;
}

static enum kws_status keep_said(kws_plot *p, const kws_truth *truth, const char *path,
				 kws_error *err)
{
	kws_vocabulary vocabulary = { .model = p->model };
	p->said = calloc(kws_truth_count(truth) + 1, sizeof *p->said);
	for (size_t i = 0; p->said && i < kws_truth_count(truth); i++) {
		const kws_truth_item *item = kws_truth_get(truth, i);
		const size_t class =
			kws_vocabulary_class(&vocabulary, path, item->line, item->word);
		const bool command = class < p->n_words && kws_model_is_command(p->model, class);
		kws_plot_said *s = &p->said[p->n_said];
		*s = (kws_plot_said){ item->start, item->end, strdup(item->word),
				      command ? class : p->n_words, false };
		if (!s->word)
			break;
		p->n_said++;
	}
	return p->n_said == kws_truth_count(truth)
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
		kws_plot_said *s = f->near ? NULL : hit(p, &f->event);
		f->stray = !f->near && !s;
		if (s)
			s->heard = true;
	}
	kws_truth_close(truth);
	free(path);
	return status;
}
