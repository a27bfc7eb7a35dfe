#include "corpus/vocabulary.h"

#include "nearest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What editors and spreadsheets leave around a word: blanks (including no-break, zero-width and
 * ideographic ones), the byte order mark, and quotes. */
static const char *const around[] = {
	" ", "\t",	 "\r",		 "\v",		 "\f",		"\"",
	"'", "\xc2\xa0", "\xe2\x80\x8b", "\xe3\x80\x80", "\xef\xbb\xbf"
};

/* Length of one of these at the beginning of text (n bytes), or at its end; 0: there is none. */
static size_t blank(const char *text, size_t n, bool at_end)
{
	for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
		const size_t k = strlen(around[i]);
		if (k <= n && memcmp(at_end ? text + n - k : text, around[i], k) == 0)
			return k;
	}
	return 0;
}

/* The class of a word exactly as it is written; -1: none. */
static int find_exact(const kws_model *m, const char *word)
{
	const int own = kws_model_word_index(m, word);
	if (own < 0 && (strcmp(word, "silence") == 0 || strcmp(word, "_background_noise_") == 0))
		return kws_model_word_index(m, "_silence_");
	return own;
}

/* The same, ignoring what is around it, and its case. */
static int find_respelt(const kws_model *m, const char *word)
{
	char bare[256];
	size_t n = strlen(word), k;
	while ((k = blank(word, n, false)) != 0) {
		word += k;
		n -= k;
	}
	while ((k = blank(word, n, true)) != 0)
		n -= k;
	if (n >= sizeof bare)
		return -1;
	memcpy(bare, word, n);
	bare[n] = '\0';
	const int exact = find_exact(m, bare);
	for (size_t w = 0; exact < 0 && w < kws_model_n_words(m); w++)
		if (strcasecmp(bare, kws_model_word(m, w)) == 0)
			return (int)w;
	if (exact < 0
	    && (strcasecmp(bare, "silence") == 0 || strcasecmp(bare, "_background_noise_") == 0))
		return kws_model_word_index(m, "_silence_");
	return exact;
}

static void add_other(kws_vocabulary *v, const kws_other_word *word)
{
	v->n_others += word->n;
	for (size_t i = 0; i < v->n_kinds; i++)
		if (strcmp(v->other[i].word, word->word) == 0) {
			v->other[i].n += word->n;
			return;
		}
	if (v->n_kinds == KWS_VOCABULARY_SHOWN)
		v->n_unshown += word->n;
	else
		v->other[v->n_kinds++] = *word;
}

static void note_other(kws_vocabulary *v, size_t line, const char *word)
{
	kws_other_word one = { .n = 1, .line = line };
	snprintf(one.word, sizeof one.word, "%s", word);
	add_other(v, &one);
}

void kws_vocabulary_add(kws_vocabulary *v, const kws_vocabulary *of)
{
	if (!v->n_respelt)
		memcpy(v->respelt, of->respelt, sizeof v->respelt);
	v->n_respelt += of->n_respelt;
	for (size_t i = 0; i < of->n_kinds; i++)
		add_other(v, &of->other[i]);
	v->n_others += of->n_unshown;
	v->n_unshown += of->n_unshown;
}

size_t kws_vocabulary_class(kws_vocabulary *v, const char *list, size_t line, const char *word)
{
	const kws_model *m = v->model;
	int at = find_exact(m, word);
	if (at >= 0)
		return (size_t)at;
	at = find_respelt(m, word);
	if (at >= 0) {
		if (v->n_respelt++ == 0)
			snprintf(v->respelt, sizeof v->respelt, "%.300s:%zu: '%.64s' as '%.64s'",
				 list, line, word, kws_model_word(m, (size_t)at));
		return (size_t)at;
	}
	note_other(v, line, word);
	at = kws_model_word_index(m, "_unknown_");
	return at < 0 ? kws_model_n_words(m) : (size_t)at;
}

/* "; did you mean 'yes'?" for "yess". No hint for words so short that several others are as
 * close. */
static const char *hint(const kws_vocabulary *v, kws_nearest *near, const char *word)
{
	kws_nearest_init(near, word);
	for (size_t w = 0; w < kws_model_n_words(v->model) && strlen(word) > 3; w++)
		kws_nearest_offer(near, kws_model_word(v->model, w));
	return kws_nearest_hint(near);
}

void kws_vocabulary_report(const kws_vocabulary *v, const char *count_as, kws_problems *problems)
{
	char text[4096];
	size_t n = 0;
	kws_nearest near;
	if (v->n_respelt)
		kws_problems_add(
			problems,
			"%zu words with other blanks, quotes or capitals were read as words of "
			"%s: first %s",
			v->n_respelt, kws_model_name(v->model), v->respelt);
	if (!v->n_others)
		return;
	for (size_t i = 0; i < v->n_kinds; i++) {
		const kws_other_word *o = &v->other[i];
		const char *meant = hint(v, &near, o->word);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%zu '%s'", i ? ", " : "", o->n,
				      o->word);
		if (*meant)
			n += (size_t)snprintf(text + n, sizeof text - n, " (line %zu%s)", o->line,
					      meant);
	}
	if (v->n_unshown)
		snprintf(text + n, sizeof text - n, " and %zu more", v->n_unshown);
	kws_problems_add(problems, "%zu words are not in %s and count as %s: %s", v->n_others,
			 kws_model_name(v->model), count_as, text);
}
