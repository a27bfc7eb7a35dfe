#include "cli/batch.h"

#include "cli/cli.h"
#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int list_manifest(kws_batch *b, kws_problems *problems)
{
	const char *list = b->config.manifest;
	kws_error err = { "" };
	char path[2 * KWS_MANIFEST_MAX_LINE];
	if (kws_manifest_open(&b->manifest, list, &err) != KWS_OK) {
		kws_problems_add(problems, "%s", err.text);
		return KWS_EXIT_INPUT;
	}
	if (kws_manifest_count(b->manifest) == 0) {
		kws_problems_add(problems, "%s: no recordings in this list", list);
		return KWS_EXIT_INPUT;
	}
	for (size_t i = 0; i < kws_manifest_count(b->manifest); i++) {
		if (kws_manifest_path(b->manifest, i, path, sizeof path) != KWS_OK) {
			kws_problems_add(problems, "%s:%zu: the path is too long", list,
					 kws_manifest_get(b->manifest, i)->line);
			return KWS_EXIT_INPUT;
		}
		if (!kws_files_add_file(&b->files, path, problems))
			return KWS_EXIT_INPUT;
		kws_files_mark(&b->files, kws_manifest_get(b->manifest, i)->word);
	}
	return KWS_EXIT_OK;
}

bool kws_batch_init(kws_batch *b, const kws_model *m, const char *list)
{
	*b = (kws_batch){ .config.manifest = list, .model = m, .vocabulary.model = m };
	b->order = calloc(kws_model_n_words(m), sizeof *b->order);
	if (b->order && kws_confusion_init(&b->confusion, kws_model_n_words(m)) == KWS_OK)
		return true;
	kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	return false;
}

static int open_results(kws_batch *b)
{
	const kws_batch_config *c = &b->config;
	int status = KWS_EXIT_INPUT;
	if (!kws_shard_has_all(!b->incomplete))
		return status;
	json_t *o = kws_shard_options(c->audio);
	kws_out_set_text(o, "model", kws_model_name(b->model));
	kws_out_set_text(o, "model_sha256", kws_model_hash(b->model));
	kws_out_set(o, "at_end", json_boolean(c->at_end));
	kws_out_set(o, "manifest", c->manifest ? kws_out_json_text(c->manifest) : json_null());
	b->results = kws_shard_open(c->shard, "classify", o, &b->files, &status);
	return status;
}

int kws_batch_open(kws_batch *b, const kws_model *m, const kws_batch_config *config)
{
	kws_problems problems = { 0 };
	if (!kws_batch_init(b, m, config->manifest))
		return KWS_EXIT_INPUT;
	b->config = *config;
	b->files.shard = config->shard->shard;
	b->files.n_shards = config->shard->n_shards;
	int status = KWS_EXIT_OK;
	if (config->manifest)
		status = list_manifest(b, &problems);
	else
		b->incomplete = !kws_inputs_list(config->inputs, &b->files);
	kws_out_problems(&problems);
	return status == KWS_EXIT_OK && config->shard->results ? open_results(b) : status;
}

void kws_batch_free(kws_batch *b)
{
	kws_shard_close(b->results);
	kws_confusion_free(&b->confusion);
	kws_manifest_close(b->manifest);
	kws_files_free(&b->files);
	free(b->order);
	*b = (kws_batch){ 0 };
}

/* Sort the words by falling probability; equal ones stay in the model's order. */
static void sort_words(const float *prob, size_t n, size_t *order)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = i;
		for (; at > 0 && prob[i] > prob[order[at - 1]]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

void kws_batch_count(kws_batch *b, const kws_prediction *p, const char *name, const char *expected,
		     size_t line, kws_batch_fn *on_clip, void *ctx)
{
	kws_batch_clip clip = { p, b->order, name, expected, false };
	if (p->status != KWS_OK) {
		kws_out_complain_of(p->path, p->error);
		b->failed++;
		return;
	}
	if (p->cut)
		kws_out_complain("%s: longer than this model can process; the rest was left out",
				 p->path);
	b->audio_s += p->seconds;
	sort_words(p->prob, kws_model_n_words(b->model), b->order);
	if (expected) {
		const size_t want =
			kws_vocabulary_class(&b->vocabulary, b->config.manifest, line, expected);
		clip.correct = want == b->order[0];
		kws_confusion_add(&b->confusion, want, b->order[0]);
	}
	if (on_clip)
		on_clip(ctx, &clip);
}

/* ---- results ---- */

static bool keep(const kws_batch *b, size_t index, const kws_prediction *p,
		 const kws_manifest_item *item)
{
	char error[sizeof p->error + KWS_ARGS_PATH];
	json_t *o = json_object();
	if (item) {
		kws_out_set_text(o, "expected", item->word);
		kws_out_set_size(o, "line", item->line);
	}
	if (p->status == KWS_OK) {
		json_t *prob = json_array();
		for (size_t w = 0; w < kws_model_n_words(b->model); w++)
			kws_out_append(prob, json_real((double)p->prob[w]));
		kws_out_set(o, "prob", prob);
		kws_out_set(o, "seconds", json_real(p->seconds));
		kws_out_set(o, "cut", json_boolean(p->cut));
	}
	const bool named = strncmp(p->error, p->path, strlen(p->path)) == 0;
	snprintf(error, sizeof error, "%.*s%s%s", KWS_ARGS_PATH - 3, named ? "" : p->path,
		 named ? "" : ": ", p->error);
	return kws_shard_add(b->results, index, item ? item->path : p->path,
			     p->status == KWS_OK ? NULL : error, o);
}

/* Read probabilities; false: these are none. */
static bool read_prob(const json_t *list, float *prob, size_t n)
{
	for (size_t w = 0; w < n; w++) {
		const json_t *x = json_array_get(list, w);
		if (!json_is_number(x))
			return false;
		prob[w] = (float)json_number_value(x);
	}
	return json_array_size(list) == n;
}

bool kws_batch_count_result(kws_batch *b, const json_t *result, kws_batch_fn *on_clip, void *ctx)
{
	const size_t n_words = kws_model_n_words(b->model);
	const char *error = kws_results_error(result);
	const json_t *seconds = json_object_get(result, "seconds");
	char *path = kws_results_path(result);
	float *prob = calloc(n_words, sizeof *prob);
	kws_prediction p = { .path = path, .prob = prob };
	bool good = path && prob;
	if (error) {
		p.status = KWS_ERR_IO;
		p.path = "";
		snprintf(p.error, sizeof p.error, "%s", error);
	} else {
		good = good && read_prob(json_object_get(result, "prob"), prob, n_words)
		       && json_is_number(seconds);
		p.seconds = json_number_value(seconds);
		p.cut = json_is_true(json_object_get(result, "cut"));
	}
	const char *expected = json_string_value(json_object_get(result, "expected"));
	good = good && (!b->config.manifest || expected);
	if (good)
		kws_batch_count(b, &p, path, expected,
				(size_t)json_integer_value(json_object_get(result, "line")),
				on_clip, ctx);
	free(path);
	free(prob);
	return good;
}

/* ---- running ---- */

/* Take clip i: count it and pass it on, or keep its result. */
static void take(kws_batch *b, size_t i, const kws_prediction *p, kws_batch_fn *on_clip, void *ctx)
{
	const size_t index = b->files.index[i];
	const kws_manifest_item *item = b->manifest ? kws_manifest_get(b->manifest, index) : NULL;
	if (b->results && !keep(b, index, p, item))
		b->lost = true;
	kws_batch_count(b, p, item ? item->path : p->path, item ? item->word : NULL,
			item ? item->line : 0, b->results ? NULL : on_clip, ctx);
}

/* Take all clips in order, as long as somebody reads the output. */
static void take_all(kws_batch *b, kws_predictions *predictions, kws_batch_fn *on_clip, void *ctx)
{
	const bool terminal = isatty(STDOUT_FILENO) == 1;
	kws_progress progress;
	kws_progress_start(&progress, b->files.n);
	for (size_t i = 0; i < b->files.n && !b->lost; i++) {
		kws_work_progress done;
		const kws_prediction *p;
		while (!(p = kws_predictions_wait(predictions, i, &done)))
			kws_progress_show(&progress, done.n_done, done.audio_s);
		if (p->status != KWS_OK || p->cut || (terminal && on_clip))
			kws_progress_clear(&progress);
		take(b, i, p, on_clip, ctx);
		if (terminal && !b->lost)
			b->lost = !kws_out_flush();
		kws_progress_show(&progress, done.n_done, done.audio_s);
	}
	kws_progress_clear(&progress);
}

void kws_batch_report_words(const kws_batch *b)
{
	kws_problems problems = { 0 };
	kws_vocabulary_report(&b->vocabulary, "_unknown_", &problems);
	kws_out_problems(&problems);
}

int kws_batch_run(kws_batch *b, kws_batch_fn *on_clip, void *ctx)
{
	kws_predictions *predictions = NULL;
	const enum kws_status status = kws_predictions_create(
		&predictions, b->model, &b->files, kws_args_opener(b->config.audio),
		b->config.at_end, b->config.inputs->jobs);
	if (status == KWS_OK)
		take_all(b, predictions, on_clip, ctx);
	else
		kws_out_complain("%s", kws_strerror(status));
	if (status == KWS_OK && !b->lost) {
		kws_out_notes(kws_predictions_notes(predictions));
		if (b->manifest)
			kws_batch_report_words(b);
	}
	kws_predictions_destroy(predictions);
	const bool kept = kws_shard_close(b->results) && !(b->config.shard->results && b->lost);
	b->results = NULL;
	return status == KWS_OK && kept ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}
