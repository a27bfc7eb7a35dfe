/* kws enrol --refit: all words of a file again, from their kept takes, on another base or bank. */
#include "cli/cli.h"
#include "cli/enrol.h"
#include "cli/enrolled.h"
#include "cli/takes.h"
#include "model/model.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	const kws_enrol_args *args;
	kws_model *old; /* the file as it is */
	json_t *notes;	/* how its words were made */
	unsigned char *bytes;
	size_t len;		   /* of the new file so far */
	kws_enrol_report *reports; /* of each word */
} refitting;

/* The number in the notes of a word, or what the option says. */
static double setting(const refitting *f, const char *word, const char *key, bool given,
		      double usual)
{
	const json_t *x = json_object_get(json_object_get(f->notes, word), key);
	return !given && json_is_number(x) ? json_number_value(x) : usual;
}

/* Whether the words of the base make no events in the old file, but do in the new base. */
static bool was_only(const refitting *f)
{
	for (size_t i = 0; i < kws_model_n_classes(f->old); i++)
		if (kws_model_is_command(f->old, i))
			return false;
	return true;
}

/* Fit a word to its kept takes, on the bytes so far. Returns an exit status. */
static int refit_word(refitting *f, size_t i)
{
	const char *word = kws_model_word(f->old, kws_model_n_classes(f->old) + i);
	char folder[KWS_TAKES_PATH];
	kws_enrol_args a = *f->args;
	kws_spoken_list r = { 0 };
	kws_bank *bank = NULL;
	kws_enrol *e = NULL;
	kws_error err = { "" };
	a.word = word;
	a.only = (a.only || was_only(f)) && i == 0;
	a.seed = (unsigned)setting(f, word, "seed", a.has_seed, a.seed);
	a.per_hour = setting(f, word, "per_hour", a.has_rate, a.per_hour);
	kws_takes_folder(a.own, word, folder, sizeof folder);
	int status = kws_enrol_begin(&e, &bank, &a, f->bytes, f->len);
	if (status == KWS_EXIT_OK && (!kws_spoken_kept(&r, folder) || !kws_spoken_take(e, &r)))
		status = KWS_EXIT_INPUT;
	if (status == KWS_EXIT_OK && kws_enrol_fit(e, word, &f->reports[i], &err) != KWS_OK) {
		kws_enrolled_takes(e, &r);
		kws_out_complain("\"%s\": %s", word, err.text);
		status = KWS_EXIT_UNSUPPORTED;
	}
	if (status == KWS_EXIT_OK) {
		size_t len;
		const void *made = kws_enrol_file(e, &len);
		unsigned char *copy = malloc(len);
		if (copy) {
			memcpy(copy, made, len);
			free(f->bytes);
			f->bytes = copy;
			f->len = len;
		} else {
			kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
			status = KWS_EXIT_INPUT;
		}
	}
	kws_enrol_destroy(e);
	kws_bank_close(bank);
	kws_spoken_free(&r);
	return status;
}

/* Check that every word has takes. Those without are named. */
static bool have_takes(const refitting *f, size_t n)
{
	bool good = true;
	for (size_t i = 0; i < n; i++) {
		const char *word = kws_model_word(f->old, kws_model_n_classes(f->old) + i);
		char folder[KWS_TAKES_PATH];
		kws_takes_folder(f->args->own, word, folder, sizeof folder);
		char **list = kws_takes_list(folder, KWS_TAKE_SPOKEN);
		if (!list)
			kws_out_complain(
				"\"%s\": no takes in %s; --remove the word, or --add takes to it",
				word, folder);
		good = good && list;
		kws_takes_free(list);
	}
	return good;
}

static int refit_all(refitting *f, size_t n)
{
	int status = have_takes(f, n) ? KWS_EXIT_OK : KWS_EXIT_UNSUPPORTED;
	f->reports = calloc(n, sizeof *f->reports);
	if (!f->reports) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		return KWS_EXIT_INPUT;
	}
	for (size_t i = 0; status == KWS_EXIT_OK && i < n; i++)
		status = refit_word(f, i);
	if (status == KWS_EXIT_OK && !kws_base_write(f->args->own, f->bytes, f->len))
		status = KWS_EXIT_INPUT;
	for (size_t i = 0; status == KWS_EXIT_OK && i < n; i++) {
		const char *word = kws_model_word(f->old, kws_model_n_classes(f->old) + i);
		kws_enrolled_report(
			f->args->own, word, &f->reports[i],
			setting(f, word, "per_hour", f->args->has_rate, f->args->per_hour),
			f->args->format);
	}
	return status;
}

/* Load the base that the words go on. False: failed, and reported. */
static bool load_base(refitting *f)
{
	char path[KWS_BASE_PATH];
	kws_blob base;
	kws_base_find(f->args->model, KWS_BASE_MODEL, path, sizeof path);
	if (!kws_base_read(&base, path))
		return false;
	f->len = base.len;
	f->bytes = malloc(base.len);
	if (f->bytes)
		memcpy(f->bytes, base.bytes, base.len);
	else
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	kws_blob_close(&base);
	return f->bytes;
}

int kws_enrol_refit(const kws_enrol_args *a)
{
	refitting f = { .args = a };
	kws_error err = { "" };
	int status = KWS_EXIT_MODEL;
	if (kws_model_open(&f.old, a->own, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
	} else if (load_base(&f)) {
		const size_t n = kws_model_n_words(f.old) - kws_model_n_classes(f.old);
		const char *notes = kws_model_meta(f.old, "own_words");
		f.notes = notes ? json_loads(notes, 0, NULL) : NULL;
		if (n)
			status = refit_all(&f, n);
		else
			kws_out_complain("%s: it has no words of your own", a->own);
	}
	json_decref(f.notes);
	free(f.reports);
	free(f.bytes);
	kws_model_close(f.old);
	return status;
}
