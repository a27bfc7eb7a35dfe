#include "cli/confusion.h"

#include "cli/out.h"
#include "corpus/bounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct kws_confusion {
	const kws_model *model;
	size_t n_words;
	size_t *count; /* (n_words + 1, n_words): expected, heard; the last row has no class in the
			  model */
};

enum kws_status kws_confusion_create(kws_confusion **out, const kws_model *m)
{
	*out = NULL;
	kws_confusion *t = calloc(1, sizeof *t);
	if (!t)
		return KWS_ERR_NOMEM;
	t->model = m;
	t->n_words = kws_model_n_words(m);
	t->count = calloc((t->n_words + 1) * t->n_words, sizeof *t->count);
	if (!t->count) {
		kws_confusion_destroy(t);
		return KWS_ERR_NOMEM;
	}
	*out = t;
	return KWS_OK;
}

void kws_confusion_destroy(kws_confusion *t)
{
	if (!t)
		return;
	free(t->count);
	free(t);
}

void kws_confusion_add(kws_confusion *t, size_t expected, size_t heard)
{
	t->count[expected * t->n_words + heard]++;
}

static size_t row_sum(const kws_confusion *t, size_t row)
{
	size_t sum = 0;
	for (size_t w = 0; w < t->n_words; w++)
		sum += t->count[row * t->n_words + w];
	return sum;
}

static size_t hits(const kws_confusion *t, size_t row)
{
	return row < t->n_words ? t->count[row * t->n_words + row] : 0;
}

size_t kws_confusion_count(const kws_confusion *t)
{
	size_t sum = 0;
	for (size_t row = 0; row <= t->n_words; row++)
		sum += row_sum(t, row);
	return sum;
}

static size_t correct(const kws_confusion *t)
{
	size_t sum = 0;
	for (size_t row = 0; row < t->n_words; row++)
		sum += hits(t, row);
	return sum;
}

static const char *row_name(const kws_confusion *t, size_t row)
{
	return row < t->n_words ? kws_model_word(t->model, row) : "(no class)";
}

static double share(size_t k, size_t n)
{
	return n ? (double)k / (double)n : (double)NAN;
}

static int name_width(const kws_confusion *t)
{
	size_t width = strlen("(no class)");
	for (size_t w = 0; w < t->n_words; w++)
		width = strlen(row_name(t, w)) > width ? strlen(row_name(t, w)) : width;
	return (int)width;
}

static void print_confusion(const kws_confusion *t, FILE *to)
{
	int width = name_width(t);
	fprintf(to, "\nconfusion (rows: expected, columns: heard)\n%*s", width, "");
	for (size_t w = 0; w < t->n_words; w++)
		fprintf(to, " %*s", (int)fmax(5.0, (double)strlen(row_name(t, w))), row_name(t, w));
	putc('\n', to);
	for (size_t row = 0; row <= t->n_words; row++) {
		if (row == t->n_words && row_sum(t, row) == 0)
			continue;
		fprintf(to, "%-*s", width, row_name(t, row));
		for (size_t w = 0; w < t->n_words; w++)
			fprintf(to, " %*zu", (int)fmax(5.0, (double)strlen(row_name(t, w))),
				t->count[row * t->n_words + w]);
		putc('\n', to);
	}
}

void kws_confusion_print(const kws_confusion *t, FILE *to)
{
	int width = name_width(t);
	double lo, hi;
	print_confusion(t, to);
	fprintf(to, "\n%-*s %6s %6s %8s   95 %% interval\n", width, "word", "n", "right", "recall");
	for (size_t row = 0; row <= t->n_words; row++) {
		size_t n = row_sum(t, row);
		if (n == 0)
			continue;
		kws_wilson_interval(hits(t, row), n, &lo, &hi);
		fprintf(to, "%-*s %6zu %6zu %6.2f %%   %.2f .. %.2f %%\n", width, row_name(t, row),
			n, hits(t, row), 100.0 * share(hits(t, row), n), 100.0 * lo, 100.0 * hi);
	}
	size_t n = kws_confusion_count(t);
	if (n == 0)
		return;
	kws_wilson_interval(correct(t), n, &lo, &hi);
	fprintf(to, "\naccuracy %.2f %% (%zu of %zu; 95 %% interval %.2f .. %.2f %%)\n",
		100.0 * share(correct(t), n), correct(t), n, 100.0 * lo, 100.0 * hi);
}

static json_t *interval(size_t k, size_t n)
{
	double lo, hi;
	kws_wilson_interval(k, n, &lo, &hi);
	json_t *both = json_array();
	kws_out_append(both, kws_out_json_real(lo));
	kws_out_append(both, kws_out_json_real(hi));
	return both;
}

static json_t *number(size_t n)
{
	return json_integer((json_int_t)n);
}

json_t *kws_confusion_json(const kws_confusion *t)
{
	json_t *all = json_object(), *words = json_object(), *classes = json_array(),
	       *confusion = json_array();
	size_t n = kws_confusion_count(t);
	for (size_t row = 0; row <= t->n_words; row++) {
		size_t of_row = row_sum(t, row);
		if (row == t->n_words && of_row == 0)
			continue;
		json_t *one = json_object(), *line = json_array();
		kws_out_set(one, "n", number(of_row));
		kws_out_set(one, "correct", number(hits(t, row)));
		kws_out_set(one, "recall", kws_out_json_real(share(hits(t, row), of_row)));
		kws_out_set(one, "recall_ci", interval(hits(t, row), of_row));
		kws_out_set(words, row_name(t, row), one);
		kws_out_append(classes, kws_out_json_text(row_name(t, row)));
		for (size_t w = 0; w < t->n_words; w++)
			kws_out_append(line, number(t->count[row * t->n_words + w]));
		kws_out_append(confusion, line);
	}
	kws_out_set(all, "n", number(n));
	kws_out_set(all, "correct", number(correct(t)));
	kws_out_set(all, "accuracy", kws_out_json_real(share(correct(t), n)));
	kws_out_set(all, "accuracy_ci", interval(correct(t), n));
	kws_out_set(all, "words", words);
	kws_out_set(all, "classes", classes);
	kws_out_set(all, "confusion", confusion);
	return all;
}
