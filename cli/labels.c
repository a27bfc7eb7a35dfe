#include "cli/labels.h"

#include "audio/text.h"
#include "cli/replace.h"
#include "corpus/list.h"
#include "corpus/truth.h"
#include "number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Times are written to the millisecond. */
#define SAME_S 0.0015

static const char *const right = "right", *const wrong = "wrong", *const other = "other",
			 *const too = "too";

/* A line that kws label has written. */
typedef struct {
	double start, end, at;
	const char *word, *heard, *mark;
} label;

/* Cuts the line into its fields. */
static bool parse(label *l, char *line)
{
	enum { N = 6 };
	char *field[N] = { strncmp(line, "# ", 2) == 0 ? line + 2 : line };
	line[strcspn(line, "\r\n")] = '\0';
	for (size_t i = 1; i < N; i++)
		if (!(field[i] = kws_list_field(field[i - 1])))
			return false;
	if (kws_list_field(field[N - 1])
	    || !kws_number_real(field[0], 0.0, KWS_TRUTH_MAX_S, &l->start)
	    || !kws_number_real(field[1], l->start, KWS_TRUTH_MAX_S, &l->end)
	    || !kws_number_real(field[4], 0.0, KWS_TRUTH_MAX_S, &l->at))
		return false;
	l->word = field[2];
	l->heard = field[3];
	l->mark = field[5];
	return strcmp(l->mark, right) == 0 || strcmp(l->mark, wrong) == 0
	       || strcmp(l->mark, other) == 0 || strcmp(l->mark, too) == 0;
}

/* The candidate that the label is about. NULL: none of these. */
static kws_candidate *find(kws_candidate *of, size_t n, const label *l)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(of[i].word, l->heard) == 0
		    && fabs(of[i].start - l->at) < (of[i].clip ? KWS_CANDIDATE_SAME_S : SAME_S))
			return &of[i];
	return NULL;
}

/* Read the text of a truth file that is in order. *text NULL: there is none. False: reported. */
static bool read_text(const char *path, char **text, size_t *len, kws_truth **truth)
{
	kws_error err = { "" };
	*text = NULL;
	if (kws_truth_open_if_any(truth, path, &err) == KWS_OK
	    && (!*truth || kws_text_read(text, len, path, KWS_TRUTH_MAX_BYTES, &err) == KWS_OK)) {
		if (*text)
			(*text)[*len] = '\0';
		return true;
	}
	kws_out_complain("%s", err.text);
	return false;
}

/* Calls fn with each line of text, without its end, and frees text. False: fn has failed. */
static bool each_line(char *text, bool (*fn)(void *ctx, char *line), void *ctx)
{
	bool good = true;
	for (char *line = text, *next; good && line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		good = fn(ctx, line);
	}
	free(text);
	return good;
}

/* ---- reading ---- */

typedef struct {
	kws_candidate *of;
	size_t n;
	bool any; /* a line of kws label was read */
} reading;

static bool read_line(void *ctx, char *line)
{
	reading *r = ctx;
	label l;
	if (!parse(&l, line))
		return true;
	r->any = true;
	kws_candidate *c = find(r->of, r->n, &l);
	if (!c)
		return true;
	if (strcmp(l.mark, too) == 0)
		return kws_candidate_say_too(c, l.word);
	return kws_candidate_say(c, strcmp(l.mark, wrong) == 0 ? NULL : l.word);
}

/* Whether lines that kws label did not write tell what was said there. */
static bool is_told(const kws_truth *t, const kws_candidate *c, bool any)
{
	if (c->answered || c->n_too)
		return false;
	if (c->clip)
		return !any;
	for (size_t i = 0; i < kws_truth_count(t); i++) {
		const kws_truth_item *item = kws_truth_get(t, i);
		if (strcmp(item->word, c->word) == 0 && item->start < c->end
		    && item->end > c->start)
			return true;
	}
	return false;
}

bool kws_labels_read(kws_candidate *of, size_t n)
{
	char *path = kws_truth_path(of->path), *text;
	size_t len;
	kws_truth *truth = NULL;
	reading r = { .of = of, .n = n };
	if (!path)
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	bool good = path && read_text(path, &text, &len, &truth) && each_line(text, read_line, &r);
	for (size_t i = 0; good && truth && i < n; i++)
		of[i].told = is_told(truth, &of[i], r.any);
	kws_truth_close(truth);
	free(path);
	return good;
}

/* ---- writing ---- */

typedef struct {
	const kws_candidate *of;
	size_t n;
	FILE *to;
} writing;

/* Keep a line that is not about one of these. */
static bool keep_line(void *ctx, char *line)
{
	const writing *w = ctx;
	char *copy = strdup(line);
	label l;
	if (!copy) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		return false;
	}
	if (!parse(&l, copy) || !find((kws_candidate *)(uintptr_t)w->of, w->n, &l))
		fprintf(w->to, "%s\n", line);
	free(copy);
	return true;
}

/* Whether one of the candidates before i has the same word at the same time: it was said once. */
static bool is_written(const kws_candidate *of, size_t i, const char *word, double start,
		       double end)
{
	for (size_t k = 0; k < i; k++) {
		const kws_candidate *c = &of[k];
		if (c->said && strcmp(c->said, word) == 0 && c->start < end && c->end > start)
			return true;
		for (size_t w = 0; w < c->n_too; w++)
			if (strcmp(c->too[w], word) == 0 && c->from < end && c->to > start)
				return true;
	}
	return false;
}

static void write_line(const writing *w, size_t i, const char *word, bool too_)
{
	const kws_candidate *c = &w->of[i];
	const double start = too_ ? c->from : c->start, end = too_ ? c->to : c->end;
	const bool counts = word && !is_written(w->of, i, word, start, end);
	fprintf(w->to, "%s%.3f\t%.3f\t%s\t%s\t%.3f\t%s\n", counts ? "" : "# ", start, end,
		word ? word : "-", c->word, c->start,
		too_			     ? too
		: !word			     ? wrong
		: strcmp(word, c->word) == 0 ? right
					     : other);
}

static void write_answers(const writing *w, size_t i)
{
	if (w->of[i].answered)
		write_line(w, i, w->of[i].said, false);
	for (size_t k = 0; k < w->of[i].n_too; k++)
		write_line(w, i, w->of[i].too[k], true);
}

bool kws_labels_write(const kws_candidate *of, size_t n)
{
	char *path = kws_truth_path(of->path), *text;
	size_t len;
	kws_truth *truth = NULL;
	kws_replace file;
	if (!path)
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	bool good = path && read_text(path, &text, &len, &truth);
	kws_truth_close(truth);
	if (!good || !kws_replace_open(&file, path)) {
		if (good)
			free(text);
		free(path);
		return false;
	}
	writing w = { of, n, file.to };
	if (!text || !*text)
		fputs("start\tend\tword\theard\tat\tmark\n", file.to);
	good = each_line(text, keep_line, &w);
	for (size_t i = 0; i < n; i++)
		write_answers(&w, i);
	good = kws_replace_finish(&file, good);
	free(path);
	return good;
}
