#include "cli/listen.h"

#include "cli/columns.h"
#include "cli/out.h"
#include "cli/page_row.h"
#include "cli/terminal.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 24, BAR_LEAST = 8, N_BEST = 3 };

/* A line that fits the terminal; for a file, which has no edge, a long one. */
static kws_row begin(void)
{
	unsigned columns = KWS_PAGE_MOST, rows;
	const bool terminal = isatty(STDOUT_FILENO) != 0;
	if (terminal)
		kws_terminal_size(&columns, &rows);
	return kws_row_begin(terminal ? columns - 1 : columns, false,
			     !terminal || kws_terminal_utf8());
}

static void end(kws_row *r)
{
	puts(kws_row_text(r));
}

static void print_models(const kws_listening *l, const char *before)
{
	for (size_t i = 0; i < l->n_models; i++) {
		kws_row r = begin();
		const kws_named_model *m = l->model[i].named;
		kws_row_put(&r, KWS_PLAIN, "%s%s", before, kws_model_name(m->model));
		if (*m->name)
			kws_row_put(&r, KWS_PLAIN, ", called %s", m->name);
		end(&r);
	}
}

static void print_title(const char *before, const char *title)
{
	kws_row r = begin();
	char text[4 * KWS_PAGE_MOST + 1];
	kws_columns_fit(title, kws_row_left(&r) - strlen(before), text);
	for (size_t n = strlen(text); n && text[n - 1] == ' '; n--)
		text[n - 1] = '\0';
	kws_row_put(&r, KWS_PLAIN, "%s%s", before, text);
	end(&r);
}

void kws_listen_print_title(const kws_listening *l, const char *title)
{
	print_title("", title);
	print_models(l, "model ");
	kws_out_flush();
}

/* The words with the highest scores, falling, into best (N_BEST,). Returns how many. */
static size_t find_best(const kws_listening *l, size_t *best)
{
	size_t n = 0;
	for (size_t w = 0; w < l->n_words; w++) {
		size_t i = n < N_BEST ? n++ : N_BEST;
		for (; i > 0 && l->word[w].score > l->word[best[i - 1]].score; i--)
			if (i < N_BEST)
				best[i] = best[i - 1];
		if (i < N_BEST)
			best[i] = w;
	}
	return n;
}

void kws_listen_print_scores(const kws_listening *l)
{
	const float db = 10.0f * log10f(l->power + 1e-12f);
	size_t best[N_BEST], n = find_best(l, best);
	kws_row r = begin();
	char bar[BAR + 1] = "";
	const int wide = kws_row_left(&r) >= 60 ? BAR : BAR_LEAST;
	const int full = (int)lrintf((db + 72.0f) * (float)wide / 72.0f);
	for (int i = 0; i < wide; i++)
		bar[i] = i < full ? '#' : '.';
	kws_row_put(&r, KWS_PLAIN, "%6.1f dBFS %s", (double)db, bar);
	for (size_t i = 0; i < n; i++)
		kws_row_put(&r, KWS_PLAIN, "  %s %.2f", l->word[best[i]].label,
			    (double)l->word[best[i]].score);
	end(&r);
}

void kws_listen_print_find(const kws_listening *l, const kws_listening_find *find)
{
	kws_row r = begin();
	const char *label = l->word[find->word].label;
	const size_t columns = kws_columns_of(label);
	kws_row_put(&r, KWS_PLAIN, "%8.2f s  %s%*s", find->start_s, label,
		    columns < 10 ? (int)(10 - columns) : 0, "");
	kws_row_put(&r, KWS_PLAIN, " %s %.3f", find->near ? "near miss" : "score",
		    (double)find->score);
	kws_row_put(&r, KWS_PLAIN, " of %.3f", (double)find->threshold);
	if (!find->near) {
		kws_row_put(&r, KWS_PLAIN, "  %.1f dBFS", (double)find->level_dbfs);
		kws_row_put(&r, KWS_PLAIN, "  SNR %.1f dB", (double)find->snr_db);
	}
	end(&r);
}

void kws_listen_print_finds(const kws_listening *l)
{
	size_t i = l->n_finds > KWS_LISTENING_FINDS ? l->n_finds - KWS_LISTENING_FINDS : 0;
	if (i)
		printf("%zu earlier ones are no longer known\n", i);
	for (; i < l->n_finds; i++)
		kws_listen_print_find(l, &l->find[i % KWS_LISTENING_FINDS]);
}

/* ---- thresholds ---- */

static void print_value(const char *word, float x)
{
	kws_out_visible(stdout, word);
	if (x > 1.0f)
		printf(" = off\n");
	else
		printf(" = %.7g\n", (double)x);
}

static void print_word(const kws_listening *l, size_t i)
{
	const kws_listening_word *w = &l->word[i];
	const kws_model *model = l->model[w->model].named->model;
	const kws_peaks_word *p = kws_listening_peaks(l, i);
	const char *name = kws_model_word(model, w->index);
	const float between = kws_peaks_threshold(p);
	if (p->heard)
		printf("# %zu heard, from %.3f; else up to %.3f\n", p->heard, (double)p->least,
		       (double)p->otherwise);
	else
		printf("# not heard (to %.3f)%s\n", (double)p->otherwise,
		       w->moved ? "" : ": the model's");
	if (w->moved)
		printf("# set by hand\n");
	print_value(name, w->moved	    ? w->threshold
			  : between >= 0.0f ? between
					    : kws_model_threshold(model, w->index));
}

void kws_listen_print_thresholds(const kws_listening *l, const char *title)
{
	printf("\n# kws listen, %.0f s\n", kws_listening_seconds(l));
	print_title("# ", title);
	print_models(l, "# ");
	printf("# Each lies between the lowest peak\n# that reached its threshold, taken for\n"
	       "# the word, and the highest that did\n# not, half way in log odds. A guess\n"
	       "# from few words: kws calibrate\n# measures.\n");
	for (size_t m = 0; m < l->n_models; m++) {
		const kws_named_model *named = l->model[m].named;
		printf("[threshold%s%s]\n", *named->name ? " " : "", named->name);
		for (size_t i = 0; i < l->n_words; i++)
			if (l->word[i].model == m)
				print_word(l, i);
	}
}
