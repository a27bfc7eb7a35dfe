#include "cli/merge.h"

#include "cli/classified.h"
#include "cli/cli.h"
#include "cli/found.h"

#include <stdlib.h>
#include <string.h>

/* ---- spot ---- */

typedef struct {
	kws_found_style style;
	bool failed;
} spotted;

static bool print_events(void *ctx, const json_t *result)
{
	spotted *s = ctx;
	const json_t *events = json_object_get(result, "events");
	const char *error = kws_results_error(result);
	char *path = kws_results_path(result);
	bool good = path && json_is_array(events);
	for (size_t i = 0; good && i < json_array_size(events); i++) {
		kws_found found;
		good = kws_found_parse(&found, s->style.models, json_array_get(events, i));
		found.file = path;
		if (good)
			kws_found_print(&s->style, &found, stdout);
	}
	if (good && error) {
		kws_out_complain("%s", error);
		s->failed = true;
	}
	free(path);
	return good;
}

/* Open the models of the head, which gives their names. */
static int open_models(const kws_merge *m, const json_t *made, kws_models *models)
{
	const kws_models_args no_gates = { .n_after = 0 };
	const int status = kws_models_open(models, &m->audio, &no_gates);
	if (status != KWS_EXIT_OK)
		return status;
	if (json_array_size(made) != models->n) {
		kws_out_complain("the results are of %zu models, and -m names %zu",
				 json_array_size(made), models->n);
		return KWS_EXIT_MODEL;
	}
	for (size_t i = 0; i < models->n; i++) {
		const json_t *one = json_array_get(made, i);
		const char *name = json_string_value(json_object_get(one, "name"));
		if (!kws_merge_is_of(one, models->at[i].model))
			return KWS_EXIT_MODEL;
		const bool named = name && kws_is_name(name, strlen(name));
		snprintf(models->at[i].name, sizeof models->at[i].name, "%s", named ? name : "");
	}
	return KWS_EXIT_OK;
}

int kws_merge_spot(const kws_merge *m)
{
	const json_t *head = kws_results_set_head(m->set);
	kws_models models = { 0 };
	spotted s = { { &models, m->style.format, kws_results_set_count(m->set) > 1 }, false };
	int status = open_models(m, json_object_get(head, "models"), &models);
	if (status == KWS_EXIT_OK) {
		kws_found_head(&s.style, stdout);
		status = kws_merge_each(m, print_events, &s);
	}
	kws_models_close(&models);
	return status == KWS_EXIT_OK && s.failed ? KWS_EXIT_INPUT : status;
}

/* ---- classify and eval have one model ---- */

static kws_model *open_model(const kws_merge *m)
{
	kws_model *model = kws_args_open_model(m->audio.model);
	if (!model || kws_merge_is_of(kws_results_set_head(m->set), model))
		return model;
	kws_model_close(model);
	return NULL;
}

typedef struct {
	kws_classified style;
	kws_batch batch;
	bool quiet;
} clips;

static bool count_clip(void *ctx, const json_t *result)
{
	clips *c = ctx;
	return kws_batch_count_result(&c->batch, result, c->quiet ? NULL : kws_classified_clip,
				      &c->style);
}

static int print_clips(const kws_merge *m, clips *c)
{
	if (!c->quiet)
		kws_classified_head(&c->style);
	const int status = kws_merge_each(m, count_clip, c);
	if (status != KWS_EXIT_OK)
		return status;
	if (c->style.expected) {
		kws_batch_report_words(&c->batch);
		kws_classified_sum(&c->style, &c->batch, c->quiet);
	}
	return c->batch.failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

int kws_merge_classify(const kws_merge *m)
{
	const json_t *head = kws_results_set_head(m->set);
	const char *list = json_string_value(json_object_get(head, "manifest"));
	if (m->quiet && !list) {
		kws_out_complain("--quiet: these results are of no list, so there is no summary");
		return KWS_EXIT_USAGE;
	}
	kws_model *model = open_model(m);
	if (!model)
		return KWS_EXIT_MODEL;
	clips c = { .style = { model, m->style.format, m->top, list != NULL }, .quiet = m->quiet };
	const int status =
		kws_batch_init(&c.batch, model, list) ? print_clips(m, &c) : KWS_EXIT_INPUT;
	kws_batch_free(&c.batch);
	kws_model_close(model);
	return status;
}

/* ---- eval ---- */

static bool add(void *ctx, const json_t *result)
{
	kws_evaluated *e = ctx;
	const char *error = kws_results_error(result);
	kws_measured one = { 0 };
	if (error) {
		kws_out_complain("%s", error);
		return kws_evaluated_add(e, NULL);
	}
	const bool good =
		kws_measured_parse(&one, result, &e->terms) == KWS_OK && kws_evaluated_add(e, &one);
	kws_measured_free(&one);
	return good;
}

int kws_merge_eval(const kws_merge *m)
{
	kws_evaluated e = { 0 };
	kws_model *model = open_model(m);
	if (!model)
		return KWS_EXIT_MODEL;
	int status = KWS_EXIT_INPUT;
	if (kws_evaluated_open_as(&e, model, kws_results_set_head(m->set)))
		status = kws_merge_each(m, add, &e);
	if (status == KWS_EXIT_OK)
		status = kws_evaluated_print(&e, &m->style);
	if (status == KWS_EXIT_OK && e.failed)
		status = KWS_EXIT_INPUT;
	kws_evaluated_free(&e);
	kws_model_close(model);
	return status;
}
