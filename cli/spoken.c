/* The recordings that `kws enrol` works with: files, kept takes, clips of kwsd, synthetic voices. */
#include "cli/cli.h"
#include "cli/enrol.h"
#include "cli/marks.h"
#include "cli/speak.h"
#include "cli/takes.h"
#include "corpus/files.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_S = 60 };

bool kws_spoken_add(kws_spoken_list *r, const char *name, const kws_spoken *new)
{
	kws_spoken *larger = realloc(r->all, (r->n + 1) * sizeof *larger);
	if (!larger) {
		free(new->pcm);
		return false;
	}
	r->all = larger;
	kws_spoken *last = &larger[r->n++];
	*last = *new;
	last->name = strdup(name);
	return last->name;
}

void kws_spoken_free(kws_spoken_list *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->all[i].name);
		free(r->all[i].pcm);
	}
	free(r->all);
	*r = (kws_spoken_list){ 0 };
}

static bool no_memory(void)
{
	kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	return false;
}

/* Load a file as `new' says. One that cannot be read is reported and left out. False: no memory. */
static bool load(kws_spoken_list *r, const char *path, int channel, kws_spoken new)
{
	if (!kws_base_hear(path, channel, MOST_S, &new.pcm, &new.n, &new.rate_hz)) {
		r->n_failed++;
		return true;
	}
	return kws_spoken_add(r, path, &new) || no_memory();
}

bool kws_spoken_kept(kws_spoken_list *r, const char *folder)
{
	static const enum kws_take_kind kinds[] = { KWS_TAKE_SPOKEN, KWS_TAKE_SYNTHETIC,
						    KWS_TAKE_WRONG };
	bool good = true;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		char **list = kws_takes_list(folder, kinds[k]);
		for (size_t i = 0; good && list && list[i]; i++)
			good = load(r, list[i], 0, (kws_spoken){ .kind = kinds[k], .kept = true });
		kws_takes_free(list);
	}
	return good;
}

static bool load_named(kws_spoken_list *r, const kws_args_list *paths, int channel,
		       enum kws_take_kind kind)
{
	kws_files files = { 0 };
	kws_problems problems = { 0 };
	bool good = true;
	for (size_t i = 0; i < paths->n; i++)
		kws_files_add(&files, paths->all[i], &problems);
	r->n_failed += problems.n;
	kws_out_problems(&problems);
	for (size_t i = 0; good && i < files.n; i++)
		good = load(r, files.path[i], channel, (kws_spoken){ .kind = kind });
	kws_files_free(&files);
	return good;
}

/* ---- clips ---- */

/* The name of a kept take of this file: without folder and suffix. */
static void stem(const char *path, char *name, size_t n)
{
	const char *slash = strrchr(path, '/');
	snprintf(name, n, "%s", slash ? slash + 1 : path);
	char *dot = strrchr(name, '.');
	if (dot)
		*dot = '\0';
}

static bool is_kept(const void *folder, const char *clip)
{
	char name[256];
	stem(clip, name, sizeof name);
	return kws_takes_has(folder, name);
}

static bool load_marked(kws_spoken_list *r, const kws_marks *m)
{
	size_t n[2][2] = { { 0 } }; /* near misses or not, wrong or right */
	for (size_t i = 0; i < m->n; i++) {
		const kws_marked *c = &m->all[i];
		if (c->mark == KWS_MARK_SKIP)
			continue;
		const bool yes = c->mark == KWS_MARK_YES;
		const kws_spoken new = { .kind = yes ? KWS_TAKE_SPOKEN : KWS_TAKE_WRONG,
					 .clip = true };
		n[c->says.near][yes]++;
		if (!load(r, c->path, 0, new))
			return false;
	}
	fprintf(stderr,
		"clips: %zu right, %zu wrong, %zu missed, %zu rightly not taken for the word\n",
		n[0][1], n[0][0], n[1][1], n[1][0]);
	return true;
}

/* Returns an exit status. */
static int load_clips(kws_spoken_list *r, const kws_enrol_args *a, const char *folder)
{
	kws_marks m = { 0 };
	bool good = kws_marks_list(&m, a->clips, a->word);
	int status = good ? KWS_EXIT_OK : KWS_EXIT_INPUT;
	if (good && !m.n) {
		kws_out_complain("%s: no clips of \"%s\"; kwsd keeps them if [clips] dir is set",
				 a->clips, a->word);
		status = KWS_EXIT_UNSUPPORTED;
	}
	kws_marks_drop(&m, is_kept, folder);
	if (status == KWS_EXIT_OK && !m.n)
		fprintf(stderr, "all clips in %s are marked already\n", a->clips);
	if (status == KWS_EXIT_OK && a->marks)
		good = kws_marks_read(&m, a->marks);
	else if (status == KWS_EXIT_OK)
		good = kws_marks_labelled(&m, a->word);
	if (status == KWS_EXIT_OK && good && !a->marks && !a->right.n && !a->wrong.n)
		kws_marks_ask(&m, a->word);
	if (status == KWS_EXIT_OK && (!good || !load_marked(r, &m)))
		status = KWS_EXIT_INPUT;
	kws_marks_free(&m);
	return status;
}

/* ---- all of them ---- */

/* Order them by kind: the order tells the random numbers, and kept takes are loaded in this one. */
static bool sort(kws_spoken_list *r)
{
	kws_spoken *sorted = calloc(r->n + 1, sizeof *sorted);
	size_t n = 0;
	if (!sorted)
		return no_memory();
	for (int kind = KWS_TAKE_SPOKEN; kind <= KWS_TAKE_WRONG; kind++)
		for (size_t i = 0; i < r->n; i++)
			if (r->all[i].kind == (enum kws_take_kind)kind)
				sorted[n++] = r->all[i];
	free(r->all);
	r->all = sorted;
	return true;
}

int kws_spoken_gather(kws_spoken_list *r, const kws_enrol_args *a, const char *folder)
{
	const kws_device_config device = { .name = a->device };
	const size_t n_before = r->n;
	int status = KWS_EXIT_OK;
	if (!load_named(r, &a->inputs, a->channel, KWS_TAKE_SPOKEN)
	    || !load_named(r, &a->right, a->channel, KWS_TAKE_SPOKEN)
	    || !load_named(r, &a->wrong, a->channel, KWS_TAKE_WRONG))
		return KWS_EXIT_INPUT;
	if (a->clips)
		status = load_clips(r, a, folder);
	const bool named = a->inputs.n || a->right.n || a->wrong.n || a->clips;
	if (status == KWS_EXIT_OK && !named && !(a->what == KWS_ENROL_ADD && a->speak))
		status = kws_record(r, &device, a->word, n_before + a->takes);
	if (status == KWS_EXIT_OK && a->speak)
		status = kws_speak(r, *a->speak ? a->speak : a->word, a->language);
	if (status == KWS_EXIT_OK && !sort(r))
		status = KWS_EXIT_INPUT;
	return status;
}

bool kws_spoken_take(kws_enrol *e, const kws_spoken_list *r)
{
	kws_error err = { "" };
	for (size_t i = 0; i < r->n; i++) {
		const kws_spoken *x = &r->all[i];
		if (kws_enrol_take(e, x->kind, x->pcm, x->n, x->rate_hz, NULL, &err) != KWS_OK) {
			kws_out_complain("%s: %s", x->name, err.text);
			return false;
		}
	}
	return true;
}

bool kws_spoken_keep(const kws_enrol *e, const kws_spoken_list *r, const char *folder)
{
	char name[256];
	for (size_t i = 0; i < r->n; i++) {
		const kws_spoken *x = &r->all[i];
		if (x->kept || kws_enrol_judged(e, i)->faults)
			continue;
		stem(x->name, name, sizeof name);
		if (!kws_takes_keep(folder, x->kind, x->clip ? name : NULL, x->pcm, x->n,
				    x->rate_hz))
			return false;
	}
	return true;
}
