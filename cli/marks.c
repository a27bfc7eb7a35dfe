#include "cli/marks.h"

#include "audio/device.h"
#include "cli/asking.h"
#include "cli/base.h"
#include "cli/out.h"
#include "corpus/truth.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum kws_mark mark;
} names[] = { { "right", KWS_MARK_YES },
	      { "missed", KWS_MARK_YES },
	      { "wrong", KWS_MARK_NO },
	      { "skip", KWS_MARK_SKIP } };

enum { N_NAMES = sizeof names / sizeof *names, MOST_S = 60 };

/* ---- the clips of a word ---- */

/* Takes over path. */
static bool add(kws_marks *m, char *path, const kws_clip_name *says)
{
	kws_marked *larger = path ? realloc(m->all, (m->n + 1) * sizeof *larger) : NULL;
	if (!larger) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		free(path);
		return false;
	}
	const char *slash = strrchr(path, '/');
	m->all = larger;
	m->all[m->n++] =
		(kws_marked){ .path = path, .name = slash ? slash + 1 : path, .says = *says };
	return true;
}

static char *join(const char *folder, const char *name)
{
	size_t n = strlen(folder);
	while (n > 1 && folder[n - 1] == '/')
		n--;
	const size_t size = n + strlen(name) + 2;
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%.*s/%s", (int)n, folder, name);
	return path;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const kws_marked *)a)->name, ((const kws_marked *)b)->name);
}

bool kws_marks_list(kws_marks *m, const char *folder, const char *word)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	bool good = d;
	kws_clip_name says;
	if (!d)
		kws_out_complain("%s: %s", folder, strerror(errno));
	while (good && (e = readdir(d)))
		if (kws_clip_name_read(&says, e->d_name)
		    && (!word || kws_clip_name_is_of(&says, word)))
			good = add(m, join(folder, e->d_name), &says);
	if (d)
		closedir(d);
	if (m->n)
		qsort(m->all, m->n, sizeof *m->all, by_name);
	return good;
}

bool kws_marks_add(kws_marks *m, const char *path)
{
	const char *slash = strrchr(path, '/');
	kws_clip_name says;
	if (!kws_clip_name_read(&says, slash ? slash + 1 : path)) {
		kws_out_complain("%s: its name is not that of a clip of kwsd", path);
		return false;
	}
	return add(m, strdup(path), &says);
}

void kws_marks_drop(kws_marks *m, bool (*done)(const void *ctx, const char *name), const void *ctx)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++)
		if (done(ctx, m->all[i].name))
			free(m->all[i].path);
		else
			m->all[n++] = m->all[i];
	m->n = n;
}

void kws_marks_free(kws_marks *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->all[i].path);
	free(m->all);
	*m = (kws_marks){ 0 };
}

/* ---- a file of marks ---- */

/* The clip that a line names. NULL: there is none. */
static kws_marked *find(kws_marks *m, const char *name)
{
	const char *slash = strrchr(name, '/');
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->all[i].name, slash ? slash + 1 : name) == 0)
			return &m->all[i];
	return NULL;
}

/* One line. NULL: good, or what is wrong with it. */
static const char *read_line(kws_marks *m, char *line)
{
	static const char blanks[] = " \t\r\n";
	char *rest = NULL;
	line[strcspn(line, "#")] = '\0';
	const char *name = strtok_r(line, blanks, &rest), *what = strtok_r(NULL, blanks, &rest);
	if (!name)
		return NULL;
	kws_marked *clip = find(m, name);
	if (!what || strtok_r(NULL, blanks, &rest))
		return "want the name of a clip, and right, wrong, missed or skip";
	if (!clip)
		return "there is no such clip of the word, or it is marked already";
	for (size_t i = 0; i < N_NAMES; i++)
		if (strcmp(what, names[i].name) == 0) {
			clip->mark = names[i].mark;
			return NULL;
		}
	return "the mark is none of right, wrong, missed, skip";
}

bool kws_marks_read(kws_marks *m, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[4096];
	bool good = f;
	for (unsigned number = 1; good && fgets(line, sizeof line, f); number++) {
		const char *why = read_line(m, line);
		if (why)
			kws_out_complain("%s:%u: %s", path, number, why);
		good = !why;
	}
	if (!f || (good && ferror(f))) {
		kws_out_complain("%s: %s", path, strerror(errno));
		good = false;
	}
	if (f)
		fclose(f);
	return good;
}

/* ---- truth files ---- */

bool kws_marks_labelled(kws_marks *m, const char *word)
{
	for (size_t i = 0; i < m->n; i++) {
		kws_truth *truth = NULL;
		kws_error err = { "" };
		char *path = kws_truth_path(m->all[i].path);
		if (!path || kws_truth_open_if_any(&truth, path, &err) != KWS_OK) {
			kws_out_complain("%s", path ? err.text : kws_strerror(KWS_ERR_NOMEM));
			free(path);
			return false;
		}
		free(path);
		if (!truth)
			continue;
		m->all[i].mark = KWS_MARK_NO;
		for (size_t k = 0; k < kws_truth_count(truth); k++)
			if (strcmp(kws_truth_get(truth, k)->word, word) == 0)
				m->all[i].mark = KWS_MARK_YES;
		kws_truth_close(truth);
	}
	return true;
}

/* ---- questions ---- */

typedef struct {
	kws_marks *marks;
	const char *word;
} questions;

static bool answered(void *ctx, size_t i)
{
	const questions *all = ctx;
	return all->marks->all[i].mark != KWS_MARK_SKIP;
}

static bool show(void *ctx, size_t i, kws_question *q)
{
	const questions *all = ctx;
	const kws_marked *c = &all->marks->all[i];
	q->name = c->path;
	q->word = all->word;
	snprintf(q->about, sizeof q->about, "%s UTC: %s, score 0.%02u", c->says.when,
		 c->says.near ? "a near miss, no event" : "an event", c->says.percent);
	return kws_base_hear(c->path, 0, MOST_S, &q->pcm, &q->n, &q->rate_hz);
}

static bool take(void *ctx, size_t i, enum kws_answer answer, const char *word, bool first)
{
	const questions *all = ctx;
	kws_marked *c = &all->marks->all[i];
	const bool too = answer == KWS_ANSWER_TOO;
	if (first)
		c->mark = KWS_MARK_SKIP;
	if (answer == KWS_ANSWER_RIGHT || (too && strcmp(word, all->word) == 0))
		c->mark = KWS_MARK_YES;
	else if (!too && c->mark == KWS_MARK_SKIP)
		c->mark = KWS_MARK_NO;
	return true;
}

void kws_marks_ask(kws_marks *m, const char *word)
{
	questions all = { m, word };
	kws_device_prepare();
	kws_ask(&(kws_asking){
		.n = m->n, .answered = answered, .show = show, .take = take, .ctx = &all });
}
