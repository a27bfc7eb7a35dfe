/* kws enrol - the user's own words: add one to a model file, from recordings or a microphone; list
 * them; remove one. */
#include "cli/enrol.h"

#include "cli/cli.h"
#include "cli/enrolled.h"
#include "cli/takes.h"
#include "model/model.h"
#include "spot/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- fitting ---- */

static int fit(kws_enrol *e, const kws_enrol_args *a, const kws_spoken_list *r, const char *folder)
{
	kws_enrol_report report;
	kws_error err = { "" };
	size_t len;
	if (!kws_spoken_take(e, r))
		return KWS_EXIT_INPUT;
	const enum kws_status status = kws_enrol_fit(e, a->word, &report, &err);
	kws_enrolled_takes(e, r);
	if (status != KWS_OK) {
		kws_out_complain("%s", err.text);
		return status == KWS_ERR_ARG ? KWS_EXIT_UNSUPPORTED : KWS_EXIT_INPUT;
	}
	const void *file = kws_enrol_file(e, &len);
	if ((!a->forget && !kws_spoken_keep(e, r, folder)) || !kws_base_write(a->own, file, len))
		return KWS_EXIT_INPUT;
	kws_enrolled_report(a->own, a->word, &report, a->per_hour, a->format);
	return r->n_failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

/* Find the bytes to add the word to: the file without the word, the file, or a base. Returns an
 * exit status. */
static int find_base(const kws_enrol_args *a, kws_blob *file, unsigned char **without,
		     const void **base, size_t *len)
{
	char path[KWS_BASE_PATH];
	kws_error err = { "" };
	if (access(a->own, F_OK) == 0 && a->model) {
		kws_out_complain(
			"%s exists, and has its base: -m is for a new file, or with --refit",
			a->own);
		return KWS_EXIT_USAGE;
	}
	if (access(a->own, F_OK) == 0)
		snprintf(path, sizeof path, "%s", a->own);
	else if (a->what == KWS_ENROL_ADD) {
		kws_out_complain("%s: %s", a->own, strerror(errno));
		return KWS_EXIT_MODEL;
	} else
		kws_base_find(a->model, KWS_BASE_MODEL, path, sizeof path);
	if (!kws_base_read(file, path))
		return KWS_EXIT_MODEL;
	*base = file->bytes;
	*len = file->len;
	if (a->what != KWS_ENROL_ADD)
		return KWS_EXIT_OK;
	if (kws_own_remove(file->bytes, file->len, a->word, without, len, &err) != KWS_OK) {
		kws_out_complain("%s: %s", a->own, err.text);
		return KWS_EXIT_MODEL;
	}
	*base = *without;
	return KWS_EXIT_OK;
}

int kws_enrol_begin(kws_enrol **e, kws_bank **bank, const kws_enrol_args *a, const void *base,
		    size_t len)
{
	char path[KWS_BASE_PATH];
	kws_error err = { "" };
	kws_enrol_config config = KWS_ENROL_CONFIG;
	config.seed = a->seed;
	config.per_hour = (float)a->per_hour;
	config.only = a->only;
	kws_base_find(a->bank, KWS_BASE_BANK, path, sizeof path);
	if (kws_bank_open(bank, path, &err) != KWS_OK
	    || kws_enrol_create(e, base, len, *bank, &config, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
		return KWS_EXIT_MODEL;
	}
	return KWS_EXIT_OK;
}

/* Check the word before anybody speaks into a microphone. Returns an exit status. */
static int check_word(const kws_enrol_args *a, const void *base, size_t len)
{
	kws_model *m;
	kws_error err = { "" };
	int status = KWS_EXIT_OK;
	if (kws_model_parse(&m, base, len, &err) != KWS_OK
	    || kws_own_check(m, a->word, &err) != KWS_OK) {
		kws_out_complain(
			"%s%s", err.text,
			m && kws_model_word_index(m, a->word) >= (int)kws_model_n_classes(m)
				? "; use --add to add takes to it, or --remove it first"
				: "");
		status = m ? KWS_EXIT_USAGE : KWS_EXIT_MODEL;
	}
	kws_model_close(m);
	return status;
}

/* Check that the folder of the model file is writable, before minutes of recording. */
static bool check_place(const kws_enrol_args *a)
{
	char folder[KWS_BASE_PATH];
	const char *slash = strrchr(a->own, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - a->own) + 1 : 1,
		 slash ? a->own : ".");
	if (access(folder, W_OK) == 0)
		return true;
	kws_out_complain("%s: %s", folder, strerror(errno));
	return false;
}

static int enrol(const kws_enrol_args *a, const char *folder)
{
	kws_blob file = { 0 };
	kws_spoken_list r = { 0 };
	kws_bank *bank = NULL;
	kws_enrol *e = NULL;
	unsigned char *without = NULL;
	const void *base = NULL;
	size_t len = 0, n_kept = 0;
	int status = check_place(a) ? find_base(a, &file, &without, &base, &len) : KWS_EXIT_INPUT;
	if (status == KWS_EXIT_OK)
		status = check_word(a, base, len);
	if (status == KWS_EXIT_OK)
		status = kws_enrol_begin(&e, &bank, a, base, len);
	if (status == KWS_EXIT_OK && a->what == KWS_ENROL_ADD && !kws_spoken_kept(&r, folder))
		status = KWS_EXIT_INPUT;
	n_kept = r.n;
	if (status == KWS_EXIT_OK)
		status = kws_spoken_gather(&r, a, folder);
	if (status == KWS_EXIT_OK && a->clips && r.n == n_kept)
		fprintf(stderr, "nothing new: %s is not changed\n", a->own);
	else if (status == KWS_EXIT_OK)
		status = fit(e, a, &r, folder);
	kws_enrol_destroy(e);
	kws_bank_close(bank);
	kws_spoken_free(&r);
	free(without);
	kws_blob_close(&file);
	return status;
}

/* ---- remove and list ---- */

static int remove_word(const kws_enrol_args *a, const char *folder)
{
	kws_blob file;
	unsigned char *bytes = NULL;
	size_t len;
	kws_error err = { "" };
	if (!kws_base_read(&file, a->own))
		return KWS_EXIT_MODEL;
	int status = KWS_EXIT_OK;
	if (kws_own_remove(file.bytes, file.len, a->word, &bytes, &len, &err) != KWS_OK) {
		kws_out_complain("%s: %s", a->own, err.text);
		status = KWS_EXIT_MODEL;
	} else if (!kws_base_write(a->own, bytes, len)
		   || (a->forget && !kws_takes_forget(folder))) {
		status = KWS_EXIT_INPUT;
	}
	kws_blob_close(&file);
	free(bytes);
	return status;
}

/* Find the model file for own words; to enrol, make its folders. False: failed, and reported. */
static bool find_own(kws_enrol_args *a)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char folder[KWS_BASE_PATH - 64];
	if (a->out) {
		snprintf(a->own, sizeof a->own, "%s", a->out);
		return true;
	}
	if (!(data && *data) && !(home && *home)) {
		kws_out_complain("--output: neither HOME nor XDG_DATA_HOME is set");
		return false;
	}
	if (data && *data)
		snprintf(folder, sizeof folder, "%s/kwsd", data);
	else
		snprintf(folder, sizeof folder, "%s/.local/share/kwsd", home);
	snprintf(a->own, sizeof a->own, "%s/" KWS_BASE_MODEL, folder);
	return a->what != KWS_ENROL_NEW || kws_takes_make_folders(folder);
}

static int run(kws_enrol_args *a)
{
	char folder[KWS_TAKES_PATH];
	if (!find_own(a))
		return KWS_EXIT_INPUT;
	if (!kws_takes_folder(a->own, a->word, folder, sizeof folder)) {
		kws_out_complain("%s: the name is too long", a->own);
		return KWS_EXIT_USAGE;
	}
	switch (a->what) {
	case KWS_ENROL_REMOVE: return remove_word(a, folder);
	case KWS_ENROL_LIST: return kws_enrolled_list(a->own, a->format);
	case KWS_ENROL_REFIT: return kws_enrol_refit(a);
	case KWS_ENROL_NEW:
	case KWS_ENROL_ADD: break;
	}
	return enrol(a, folder);
}

int kws_cmd_enrol(int argc, char **argv)
{
	kws_enrol_args a;
	kws_enrol_args_parse(&a, argc, argv);
	const int status = run(&a);
	kws_enrol_args_free(&a);
	return status;
}
