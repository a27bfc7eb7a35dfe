#include "cli/batch.h"

#include "cli/cli.h"
#include "cli/progress.h"

#include <stdlib.h>
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
	}
	return KWS_EXIT_OK;
}

int kws_batch_open(kws_batch *b, const kws_model *m, const kws_batch_config *config)
{
	kws_problems problems = { 0 };
	int status = KWS_EXIT_OK;
	*b = (kws_batch){ .config = *config, .model = m, .vocabulary.model = m };
	if (!config->manifest)
		b->incomplete = !kws_inputs_list(config->inputs, &b->files);
	if (kws_confusion_init(&b->confusion, kws_model_n_words(m)) != KWS_OK) {
		kws_problems_add(&problems, "%s", kws_strerror(KWS_ERR_NOMEM));
		status = KWS_EXIT_INPUT;
	}
	if (status == KWS_EXIT_OK && config->manifest)
		status = list_manifest(b, &problems);
	kws_out_problems(&problems);
	return status;
}

void kws_batch_free(kws_batch *b)
{
	kws_confusion_free(&b->confusion);
	kws_manifest_close(b->manifest);
	kws_files_free(&b->files);
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

/* Take clip i: count it and pass it on. order (n_words,) is scratch. */
static void take(kws_batch *b, size_t i, const kws_prediction *p, size_t *order,
		 kws_batch_fn *on_clip, void *ctx)
{
	const kws_manifest_item *item = b->manifest ? kws_manifest_get(b->manifest, i) : NULL;
	kws_batch_clip clip = { p, order, item ? item->path : p->path, item ? item->word : NULL,
				false };
	if (p->status != KWS_OK) {
		kws_out_complain_of(p->path, p->error);
		b->failed++;
		return;
	}
	if (p->cut)
		kws_out_complain("%s: longer than this model can process; the rest was left out",
				 p->path);
	b->audio_s += p->seconds;
	sort_words(p->prob, kws_model_n_words(b->model), order);
	if (item) {
		const size_t want = kws_vocabulary_class(&b->vocabulary, b->config.manifest,
							 item->line, item->word);
		clip.correct = want == order[0];
		kws_confusion_add(&b->confusion, want, order[0]);
	}
	if (on_clip)
		on_clip(ctx, &clip);
}

/* Take all clips in order, as long as somebody reads the output. */
static void take_all(kws_batch *b, kws_predictions *predictions, size_t *order,
		     kws_batch_fn *on_clip, void *ctx)
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
		take(b, i, p, order, on_clip, ctx);
		if (terminal)
			b->lost = !kws_out_flush();
		kws_progress_show(&progress, done.n_done, done.audio_s);
	}
	kws_progress_clear(&progress);
}

int kws_batch_run(kws_batch *b, kws_batch_fn *on_clip, void *ctx)
{
	kws_predictions *predictions = NULL;
	kws_problems problems = { 0 };
	size_t *order = calloc(kws_model_n_words(b->model), sizeof *order);
	const enum kws_status status =
		order ? kws_predictions_create(&predictions, b->model, &b->files,
					       kws_args_opener(b->config.audio), b->config.at_end,
					       b->config.inputs->jobs)
		      : KWS_ERR_NOMEM;
	if (status == KWS_OK)
		take_all(b, predictions, order, on_clip, ctx);
	else
		kws_problems_add(&problems, "%s", kws_strerror(status));
	if (status == KWS_OK && !b->lost) {
		kws_notes_report(kws_predictions_notes(predictions), &problems);
		if (b->manifest)
			kws_vocabulary_report(&b->vocabulary, "_unknown_", &problems);
	}
	kws_out_problems(&problems);
	kws_predictions_destroy(predictions);
	free(order);
	return status == KWS_OK ? KWS_EXIT_OK : KWS_EXIT_INPUT;
}
