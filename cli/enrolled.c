#include "cli/enrolled.h"

#include "cli/cli.h"
#include "corpus/bounds.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

/* Report the words of the base that the own word sounds like, from this mean probability on. */
static const float CLOSE = 0.3f;

void kws_enrolled_takes(const kws_enrol *e, const kws_spoken_list *r)
{
	for (size_t i = 0; i < kws_enrol_n_takes(e) && i < r->n; i++) {
		const kws_take *t = kws_enrol_judged(e, i);
		if (t->faults)
			kws_out_complain("%s: not used: %s", r->all[i].name,
					 kws_take_fault(t->faults));
	}
}

/* Open the written file for the names of similar words. Adding a word does not change their
 * numbers. */
static kws_model *open_file(const char *path)
{
	kws_model *m;
	kws_error err = { "" };
	if (kws_model_open(&m, path, &err) != KWS_OK)
		kws_out_complain("%s", err.text);
	return m;
}

static void report_json(const char *path, const char *word, const kws_enrol_report *r,
			double per_hour, const kws_model *m)
{
	json_t *o = json_object(), *rate = json_array(), *near = json_object();
	double lo, hi;
	kws_poisson_interval(r->n_alarms, r->judge_hours, &lo, &hi);
	kws_out_append(rate, kws_out_json_real(lo));
	kws_out_append(rate, kws_out_json_real(hi));
	for (size_t i = 0; m && i < 3 && r->near_score[i] >= CLOSE; i++)
		kws_out_set(near, kws_model_word(m, r->near[i]),
			    kws_out_json_real((double)r->near_score[i]));
	kws_out_set(o, "word", kws_out_json_text(word));
	kws_out_set(o, "file", kws_out_json_text(path));
	kws_out_set(o, "takes", json_integer((json_int_t)r->n_takes));
	kws_out_set(o, "threshold", kws_out_json_real((double)r->threshold));
	kws_out_set(o, "tried", json_integer((json_int_t)r->n_tried));
	kws_out_set(o, "missed", json_integer((json_int_t)r->n_missed));
	kws_out_set(o, "wanted_per_hour", kws_out_json_real(per_hour));
	kws_out_set(o, "false_alarms", json_integer((json_int_t)r->n_alarms));
	kws_out_set(o, "hours", kws_out_json_real(r->judge_hours));
	kws_out_set(o, "per_hour_ci", rate);
	kws_out_set(o, "close_to", near);
	kws_out_json_line(o);
}

static void print_report(const char *path, const char *word, const kws_enrol_report *r,
			 double per_hour, const kws_model *m)
{
	double lo, hi;
	kws_wilson_interval(r->n_missed, r->n_tried, &lo, &hi);
	printf("%s: \"%s\", from %zu takes, threshold %.3f\n", path, word, r->n_takes,
	       (double)r->threshold);
	printf("  missed        %zu of %zu tries with takes that were left out, as they are and "
	       "degraded: "
	       "%.0f to %.0f %%\n",
	       r->n_missed, r->n_tried, 100.0 * lo, 100.0 * hi);
	kws_poisson_interval(r->n_alarms, r->judge_hours, &lo, &hi);
	printf("  false alarms  %zu in %.2f h of other speech and noise: %.2g to %.2g an hour; "
	       "%g was wanted\n",
	       r->n_alarms, r->judge_hours, lo, hi, per_hour);
	for (size_t i = 0; m && i < 3 && r->near_score[i] >= CLOSE; i++)
		printf("  close to      %s: the takes score %.2f as that word\n",
		       kws_model_word(m, r->near[i]), (double)r->near_score[i]);
	printf("  If all takes are of one speaker, one in four words of other people is missed. "
	       "Add their "
	       "takes with --add.\n");
}

void kws_enrolled_report(const char *path, const char *word, const kws_enrol_report *r,
			 double per_hour, enum kws_format format)
{
	kws_model *m = open_file(path);
	if (format == KWS_FORMAT_JSONL)
		report_json(path, word, r, per_hour, m);
	else
		print_report(path, word, r, per_hour, m);
	kws_model_close(m);
}

static void list_word(const kws_model *m, size_t word, const json_t *all, enum kws_format format)
{
	const char *name = kws_model_word(m, word);
	json_t *notes = json_object_get(all, name);
	const char *const keys[] = { "takes", "tried", "missed", "alarms" };
	json_int_t n[4];
	for (size_t i = 0; i < 4; i++)
		n[i] = json_integer_value(json_object_get(notes, keys[i]));
	const double hours = json_number_value(json_object_get(notes, "judge_hours"));
	if (format == KWS_FORMAT_JSONL) {
		json_t *o = json_object();
		kws_out_set(o, "word", kws_out_json_text(name));
		kws_out_set(o, "threshold",
			    kws_out_json_real((double)kws_model_threshold(m, word)));
		if (json_is_object(notes))
			json_object_update(o, notes);
		kws_out_json_line(o);
		return;
	}
	kws_out_visible(stdout, name);
	printf("\t%.3f\t%lld takes, %lld of %lld missed, %lld false alarms in %.2f h\n",
	       (double)kws_model_threshold(m, word), (long long)n[0], (long long)n[2],
	       (long long)n[1], (long long)n[3], hours);
}

int kws_enrolled_list(const char *path, enum kws_format format)
{
	kws_model *m = open_file(path);
	if (!m)
		return KWS_EXIT_MODEL;
	const char *text = kws_model_meta(m, "own_words");
	json_t *all = text ? json_loads(text, 0, NULL) : NULL;
	for (size_t w = kws_model_n_classes(m); w < kws_model_n_words(m); w++)
		list_word(m, w, all, format);
	if (kws_model_n_classes(m) == kws_model_n_words(m))
		kws_out_complain("%s: no words of one's own", path);
	json_decref(all);
	kws_model_close(m);
	return KWS_EXIT_OK;
}
