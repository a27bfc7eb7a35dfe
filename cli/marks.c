#include "cli/marks.h"

#include "audio/device.h"
#include "cli/base.h"
#include "cli/out.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STAMP = 20, /* bytes of 20260301T120000.250Z */
	LONG = 39,  /* most bytes of a word in the name of a clip */
	CUT = 27,   /* the same with a listener's name before it */
	MOST_S = 60
};

static const struct {
	const char *name;
	enum kws_mark mark;
} names[] = { { "right", KWS_MARK_YES },
	      { "missed", KWS_MARK_YES },
	      { "wrong", KWS_MARK_NO },
	      { "skip", KWS_MARK_SKIP } };

enum { N_NAMES = sizeof names / sizeof *names };

/* ---- the clips of a word ---- */

/* Whether text (n,) is the word as kwsd writes it in names: other bytes than letters and digits are
 * _, and a long one is cut off. */
static bool is_word(const char *text, size_t n, const char *word, size_t most)
{
	const size_t want = strlen(word) < most ? strlen(word) : most;
	if (n != want)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] != (isalnum((unsigned char)word[i]) ? word[i] : '_'))
			return false;
	return true;
}

/* Whether the name is that of a clip of this word; sets what the name says. */
static bool read_name(const char *name, const char *word, kws_marked *m)
{
	static const char form[] = "00000000T000000.000Z-", near[] = "-near", suffix[] = ".wav";
	size_t n = strlen(name);
	if (n < STAMP + 1 + sizeof suffix || strcmp(name + n - 4, suffix) != 0)
		return false;
	for (size_t i = 0; i <= STAMP; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)name[i]) : name[i] != form[i])
			return false;
	n -= 4;
	m->near = n > 5 && memcmp(name + n - 5, near, 5) == 0;
	n -= m->near ? 5 : 0;
	size_t dash = n;
	while (dash > STAMP && name[dash - 1] != '-')
		dash--;
	if (dash <= STAMP + 1 || dash == n || strspn(name + dash, "0123456789") < n - dash)
		return false;
	m->percent = (unsigned)strtoul(name + dash, NULL, 10);
	const char *what = name + STAMP + 1, *end = name + dash - 1, *listener = what;
	for (const char *c = what; c < end; c++)
		if (*c == '-')
			listener = c + 1;
	return listener == what ? is_word(what, (size_t)(end - what), word, LONG)
				: is_word(listener, (size_t)(end - listener), word, CUT);
}

static bool add(kws_marks *m, const char *folder, const char *name, kws_marked new)
{
	const size_t size = strlen(folder) + strlen(name) + 2;
	kws_marked *larger = realloc(m->all, (m->n + 1) * sizeof *larger);
	if (!larger)
		return false;
	m->all = larger;
	new.path = malloc(size);
	if (!new.path)
		return false;
	snprintf(new.path, size, "%s/%s", folder, name);
	new.name = new.path + size - 1 - strlen(name);
	new.mark = KWS_MARK_SKIP;
	m->all[m->n++] = new;
	return true;
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
	*m = (kws_marks){ 0 };
	if (!d)
		kws_out_complain("%s: %s", folder, strerror(errno));
	while (good && (e = readdir(d))) {
		kws_marked new = { 0 };
		if (read_name(e->d_name, word, &new) && !(good = add(m, folder, e->d_name, new)))
			kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	}
	if (d)
		closedir(d);
	if (m->n)
		qsort(m->all, m->n, sizeof *m->all, by_name);
	return good;
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

/* ---- questions ---- */

/* Play the clip. If that fails, the reason is told once, and the user has to know by the name. */
static void play(const kws_marked *c, bool *can_play)
{
	float *pcm;
	size_t n;
	unsigned rate_hz;
	kws_error err = { "" };
	if (!*can_play || !kws_base_hear(c->path, 0, MOST_S, &pcm, &n, &rate_hz))
		return;
	if (kws_device_play(pcm, n, rate_hz, &err) != KWS_OK) {
		kws_out_complain("the clips cannot be played here: %s", err.text);
		*can_play = false;
	}
	free(pcm);
}

/* Ask until there is an answer. False: no more are wanted. */
static bool ask(kws_marked *c, const char *word, bool *can_play)
{
	char answer[256];
	for (;;) {
		fprintf(stderr,
			"  was \"%s\" said? [y]es, [n]o, [s]kip, [p]lay again, [q]uit: ", word);
		if (!fgets(answer, sizeof answer, stdin)) {
			fputc('\n', stderr);
			return false;
		}
		switch (tolower((unsigned char)answer[strspn(answer, " \t")])) {
		case 'y': c->mark = KWS_MARK_YES; return true;
		case 'n': c->mark = KWS_MARK_NO; return true;
		case 's': return true;
		case 'p': play(c, can_play); break;
		case 'q': return false;
		default: break;
		}
	}
}

void kws_marks_ask(kws_marks *m, const char *word)
{
	bool can_play = true;
	kws_device_prepare();
	for (size_t i = 0; i < m->n; i++) {
		kws_marked *c = &m->all[i];
		fprintf(stderr, "clip %zu of %zu: ", i + 1, m->n);
		kws_out_visible(stderr, c->path);
		fprintf(stderr, "\n  %s, score 0.%02u\n",
			c->near ? "a near miss: no event" : "an event", c->percent);
		play(c, &can_play);
		if (!ask(c, word, &can_play))
			break;
	}
}
