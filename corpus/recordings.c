#include "corpus/recordings.h"

#include <stdlib.h>

typedef struct {
	kws_recordings *to;
	kws_problems *problems;
} collection;

static bool keep(void *ctx, size_t i, kws_heard *h)
{
	collection *c = ctx;
	kws_recordings *to = c->to;
	kws_recording *r = &h->recording;
	(void)i;
	kws_problems_move(c->problems, &h->problems);
	kws_vocabulary_add(&to->vocabulary, &h->vocabulary);
	if (h->failed) {
		to->failed++;
		return true;
	}
	to->n_said += r->n_said;
	to->recording[to->material.n++] = *r;
	*r = (kws_recording){ 0 };
	return true;
}

enum kws_status kws_recordings_hear(kws_recordings *r, const kws_model *m, const kws_files *files,
				    const kws_hear_config *config, kws_problems *problems)
{
	collection c = { r, problems };
	const kws_hear_work work = { NULL, keep, &c };
	*r = (kws_recordings){ .model = m, .vocabulary.model = m };
	r->recording = calloc(files->n + 1, sizeof *r->recording);
	r->command = calloc(kws_model_n_words(m), sizeof *r->command);
	if (!r->recording || !r->command)
		return KWS_ERR_NOMEM;
	kws_hear_terms(&r->material, r->command, m, config);
	const kws_material terms = r->material;
	r->material.recording = r->recording;
	const enum kws_status status = kws_hear(m, &terms, files, config, &work, problems);
	if (status == KWS_OK)
		kws_vocabulary_report(&r->vocabulary, "not said", problems);
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
