#include "cli/classified.h"

#include "cli/accuracy.h"

static size_t n_shown(const kws_classified *t)
{
	size_t n_words = kws_model_n_words(t->model);
	return t->top < n_words ? t->top : n_words;
}

void kws_classified_head(const kws_classified *t)
{
	const char *expected = t->expected ? "expected" : "";
	if (t->format == KWS_FORMAT_CSV) {
		fputs(t->expected ? "file,expected,label,prob" : "file,label,prob", stdout);
		for (size_t i = 1; i < n_shown(t); i++)
			printf(",label%zu,prob%zu", i + 1, i + 1);
		putchar('\n');
	}
	if (t->format == KWS_FORMAT_TEXT) {
		for (size_t i = 0; i < n_shown(t); i++)
			printf("%-10s  prob   ", i ? "" : "label");
		printf("%-*s%sfile\n", t->expected ? 10 : 0, expected, t->expected ? "   " : "");
	}
}

static void print_text(const kws_classified *t, const kws_batch_clip *clip)
{
	for (size_t i = 0; i < n_shown(t); i++)
		printf("%-10s %.4f  ", kws_model_word(t->model, clip->order[i]),
		       (double)clip->prediction->prob[clip->order[i]]);
	if (clip->expected)
		printf("%-10s %s ", clip->expected, clip->correct ? " " : "x");
	kws_out_visible(stdout, clip->name);
	putchar('\n');
}

static void print_csv(const kws_classified *t, const kws_batch_clip *clip)
{
	kws_out_csv(stdout, clip->name);
	if (clip->expected) {
		putchar(',');
		kws_out_csv(stdout, clip->expected);
	}
	for (size_t i = 0; i < n_shown(t); i++) {
		putchar(',');
		kws_out_csv(stdout, kws_model_word(t->model, clip->order[i]));
		printf(",%.6f", (double)clip->prediction->prob[clip->order[i]]);
	}
	putchar('\n');
}

static json_t *json_prob(const kws_batch_clip *clip, size_t i)
{
	return kws_out_json_real((double)clip->prediction->prob[clip->order[i]]);
}

static void print_json(const kws_classified *t, const kws_batch_clip *clip)
{
	json_t *o = json_object();
	kws_out_set_text(o, "file", clip->name);
	kws_out_set_text(o, "label", kws_model_word(t->model, clip->order[0]));
	kws_out_set(o, "prob", json_prob(clip, 0));
	if (clip->expected) {
		kws_out_set_text(o, "expected", clip->expected);
		kws_out_set(o, "correct", json_boolean(clip->correct));
	}
	if (t->top > 1) {
		json_t *top = json_array();
		for (size_t i = 0; i < n_shown(t); i++) {
			json_t *one = json_object();
			const char *word = kws_model_word(t->model, clip->order[i]);
			kws_out_set_text(one, "label", word);
			kws_out_set(one, "prob", json_prob(clip, i));
			kws_out_append(top, one);
		}
		kws_out_set(o, "top", top);
	}
	kws_out_json_line(o);
}

void kws_classified_clip(void *ctx, const kws_batch_clip *clip)
{
	const kws_classified *t = ctx;
	switch (t->format) {
	case KWS_FORMAT_CSV: print_csv(t, clip); break;
	case KWS_FORMAT_JSONL: print_json(t, clip); break;
	default: print_text(t, clip);
	}
}

void kws_classified_sum(const kws_classified *t, const kws_batch *b, bool quiet)
{
	/* Rows with other columns would break the CSV. */
	kws_accuracy_print(b, t->format, t->format == KWS_FORMAT_CSV && !quiet ? stderr : stdout);
}
