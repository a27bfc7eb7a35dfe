#include "cli/accuracy.h"

#include "cli/columns.h"
#include "corpus/bounds.h"

#include <math.h>
#include <string.h>

static const char *row_name(const kws_batch *b, size_t row)
{
	return row < b->confusion.n_words ? kws_model_word(b->model, row) : "(no class)";
}

static double share(size_t k, size_t n)
{
	return n ? (double)k / (double)n : (double)NAN;
}

static int name_width(const kws_batch *b)
{
	size_t width = kws_columns_of("(no class)");
	for (size_t w = 0; w < b->confusion.n_words; w++) {
		const size_t columns = kws_columns_of(row_name(b, w));
		width = columns > width ? columns : width;
	}
	return (int)width;
}

/* A name in so many columns, or more if it is longer. */
static void print_name(const kws_batch *b, size_t row, int width, bool right, FILE *to)
{
	const int pad = width - (int)kws_columns_of(row_name(b, row));
	fprintf(to, "%*s", right && pad > 0 ? pad : 0, "");
	kws_out_visible(to, row_name(b, row));
	fprintf(to, "%*s", !right && pad > 0 ? pad : 0, "");
}

static bool is_row(const kws_batch *b, size_t row)
{
	return row < b->confusion.n_words || kws_confusion_expected(&b->confusion, row) > 0;
}

enum { CELL = 5 };

/* What is never heard for a word is a dot, so that mistakes are seen. */
static void print_cell(const kws_batch *b, size_t row, size_t heard, FILE *to)
{
	const size_t n = kws_confusion_at(&b->confusion, row, heard);
	const size_t name = kws_columns_of(row_name(b, heard));
	const int width = name > CELL ? (int)name : CELL;
	if (n || row == heard)
		fprintf(to, " %*zu", width, n);
	else
		fprintf(to, " %*s\xc2\xb7", width - 1, "");
}

static void print_confusion(const kws_batch *b, FILE *to)
{
	const int width = name_width(b);
	fprintf(to, "\nconfusion (rows: expected, columns: heard)\n%*s", width, "");
	for (size_t w = 0; w < b->confusion.n_words; w++) {
		putc(' ', to);
		print_name(b, w, CELL, true, to);
	}
	putc('\n', to);
	for (size_t row = 0; row <= b->confusion.n_words; row++) {
		if (!is_row(b, row))
			continue;
		print_name(b, row, width, false, to);
		for (size_t w = 0; w < b->confusion.n_words; w++)
			print_cell(b, row, w, to);
		putc('\n', to);
	}
}

/* A word that was taken for another. */
typedef struct {
	size_t row, heard, n;
} mistake;

enum { WORST = 5 };

/* The most frequent mistakes, falling, into worst (WORST,). Returns how many. */
static size_t find_worst(const kws_confusion *c, mistake *worst)
{
	size_t found = 0;
	for (size_t row = 0; row <= c->n_words; row++)
		for (size_t heard = 0; heard < c->n_words; heard++) {
			const mistake m = { row, heard, kws_confusion_at(c, row, heard) };
			size_t i = found;
			if (row == heard || !m.n || (i == WORST && m.n <= worst[WORST - 1].n))
				continue;
			found = i < WORST ? i + 1 : i;
			for (i = found - 1; i > 0 && worst[i - 1].n < m.n; i--)
				worst[i] = worst[i - 1];
			worst[i] = m;
		}
	return found;
}

static void print_worst(const kws_batch *b, FILE *to)
{
	mistake worst[WORST] = { { 0 } };
	const size_t n = find_worst(&b->confusion, worst);
	const int width = name_width(b);
	if (n)
		fputs("\nmost often taken for another\n", to);
	for (size_t i = 0; i < n; i++) {
		const size_t said = kws_confusion_expected(&b->confusion, worst[i].row);
		print_name(b, worst[i].row, width, false, to);
		fputs(" as ", to);
		print_name(b, worst[i].heard, width, false, to);
		fprintf(to, " %6zu of %6zu %6.2f %%\n", worst[i].n, said,
			100.0 * share(worst[i].n, said));
	}
}

static void print_share(size_t k, size_t n, FILE *to)
{
	double lo, hi;
	kws_wilson_interval(k, n, &lo, &hi);
	fprintf(to, "%6.2f %%   %.2f .. %.2f %%", 100.0 * share(k, n), 100.0 * lo, 100.0 * hi);
}

static void print_table(const kws_batch *b, FILE *to)
{
	const kws_confusion *c = &b->confusion;
	const int width = name_width(b);
	double lo, hi;
	print_confusion(b, to);
	print_worst(b, to);
	fprintf(to, "\n%-*s %6s %6s %8s   95 %% interval\n", width, "word", "n", "right", "recall");
	for (size_t row = 0; row <= c->n_words; row++) {
		const size_t n = kws_confusion_expected(c, row), hits = kws_confusion_hits(c, row);
		if (n == 0)
			continue;
		print_name(b, row, width, false, to);
		fprintf(to, " %6zu %6zu ", n, hits);
		print_share(hits, n, to);
		putc('\n', to);
	}
	const size_t n = kws_confusion_total(c), correct = kws_confusion_correct(c);
	if (n == 0)
		return;
	kws_wilson_interval(correct, n, &lo, &hi);
	fprintf(to, "\naccuracy %.2f %% (%zu of %zu; 95 %% interval %.2f .. %.2f %%)\n",
		100.0 * share(correct, n), correct, n, 100.0 * lo, 100.0 * hi);
}

static void set_interval(json_t *o, const char *key, size_t k, size_t n)
{
	double lo, hi;
	kws_wilson_interval(k, n, &lo, &hi);
	kws_out_set_pair(o, key, lo, hi);
}

static json_t *row_json(const kws_confusion *c, size_t row)
{
	const size_t n = kws_confusion_expected(c, row), hits = kws_confusion_hits(c, row);
	json_t *o = json_object();
	kws_out_set_size(o, "n", n);
	kws_out_set_size(o, "correct", hits);
	kws_out_set_real(o, "recall", share(hits, n));
	set_interval(o, "recall_ci", hits, n);
	return o;
}

static json_t *summary(const kws_batch *b)
{
	const kws_confusion *c = &b->confusion;
	json_t *all = json_object(), *words = json_object(), *classes = json_array(),
	       *confusion = json_array();
	for (size_t row = 0; row <= c->n_words; row++) {
		if (row == c->n_words && kws_confusion_expected(c, row) == 0)
			continue;
		json_t *line = json_array();
		kws_out_set(words, row_name(b, row), row_json(c, row));
		kws_out_append(classes, kws_out_json_text(row_name(b, row)));
		for (size_t w = 0; w < c->n_words; w++)
			kws_out_append(line, json_integer((json_int_t)kws_confusion_at(c, row, w)));
		kws_out_append(confusion, line);
	}
	const size_t n = kws_confusion_total(c), correct = kws_confusion_correct(c);
	kws_out_set_size(all, "n", n);
	kws_out_set_size(all, "correct", correct);
	kws_out_set_real(all, "accuracy", share(correct, n));
	set_interval(all, "accuracy_ci", correct, n);
	kws_out_set(all, "words", words);
	kws_out_set(all, "classes", classes);
	kws_out_set(all, "confusion", confusion);
	return all;
}

static void print_json(const kws_batch *b)
{
	json_t *o = json_object(), *sum = summary(b);
	kws_out_set_size(sum, "failed", b->failed);
	kws_out_set_size(sum, "words_respelt", b->vocabulary.n_respelt);
	kws_out_set_size(sum, "words_not_in_model", b->vocabulary.n_others);
	kws_out_set_real(sum, "audio_s", b->audio_s);
	kws_out_set_text(sum, "model", kws_model_name(b->model));
	kws_out_set_text(sum, "model_sha256", kws_model_hash(b->model));
	kws_out_set(o, "summary", sum);
	kws_out_json_line(o);
}

void kws_accuracy_print(const kws_batch *b, enum kws_format format, FILE *to)
{
	if (format == KWS_FORMAT_JSONL) {
		print_json(b);
		return;
	}
	print_table(b, to);
	if (b->failed)
		fprintf(to, "%zu could not be read and do not count\n", b->failed);
}
