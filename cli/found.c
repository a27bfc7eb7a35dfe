#include "cli/found.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double seconds(const kws_found *f, uint64_t sample)
{
	return (double)sample / (double)kws_model_rate_hz(f->by->model);
}

/* h:mm:ss.mmm, or m:ss.mmm below one hour. */
static const char *clock_text(double at, char text[32])
{
	uint64_t ms = (uint64_t)(at * 1000.0 + 0.5), s = ms / 1000, min = s / 60;
	if (min < 60)
		snprintf(text, 32, "%" PRIu64 ":%02u.%03u", min, (unsigned)(s % 60),
			 (unsigned)(ms % 1000));
	else
		snprintf(text, 32, "%" PRIu64 ":%02u:%02u.%03u", min / 60, (unsigned)(min % 60),
			 (unsigned)(s % 60), (unsigned)(ms % 1000));
	return text;
}

static void print_json(const kws_found *f, FILE *to)
{
	char line[KWS_EVENT_JSON + 6 * PATH_MAX]; /* files with longer names cannot be opened */
	kws_event_context c = KWS_EVENT_CONTEXT;
	c.file = f->file;
	c.spotter = *f->by->name ? f->by->name : NULL;
	c.after = f->after;
	c.after_id = f->after_id;
	kws_event_json(&f->event, f->by->model, &c, line, sizeof line);
	fprintf(to, "%s\n", line);
}

static void print_csv(const kws_found_style *style, const kws_found *f, FILE *to)
{
	const kws_event *ev = &f->event;
	kws_out_csv(to, f->file);
	putc(',', to);
	kws_out_csv(to, kws_model_word(f->by->model, ev->word));
	fprintf(to, ",%.6f,%.6f,%.6f,%.6f,%.6f,%.2f,%.2f", seconds(f, ev->start),
		seconds(f, ev->end), seconds(f, ev->sample), (double)ev->score,
		(double)ev->threshold, (double)ev->level_dbfs, (double)ev->snr_db);
	if (style->models->n > 1) {
		fprintf(to, ",%s,", f->by->name);
		kws_out_csv(to, f->after ? f->after : "");
		fprintf(to, ",%s", f->after_id ? f->after_id : "");
	}
	putc('\n', to);
}

static void print_file(const kws_found_style *style, const kws_found *f, const char *before,
		       FILE *to)
{
	if (style->several_files) {
		fputs(before, to);
		kws_out_visible(to, f->file);
	}
	putc('\n', to);
}

static void print_label(const kws_found_style *style, const kws_found *f, FILE *to)
{
	fprintf(to, "%.6f\t%.6f\t", seconds(f, f->event.start), seconds(f, f->event.end));
	if (style->models->n > 1)
		fprintf(to, "%s ", f->by->name);
	fprintf(to, "%s %.3f", kws_model_word(f->by->model, f->event.word), (double)f->event.score);
	print_file(style, f, " ", to);
}

/* The last column has no padding. */
static int name_width(const kws_found_style *style)
{
	return style->several_files ? 12 : 0;
}

static void print_text(const kws_found_style *style, const kws_found *f, FILE *to)
{
	const kws_event *ev = &f->event;
	char start[32], end[32];
	fprintf(to, "%12s  %12s  %-10s %6.4f  %6.1f  %5.1f",
		clock_text(seconds(f, ev->start), start), clock_text(seconds(f, ev->end), end),
		kws_model_word(f->by->model, ev->word), (double)ev->score, (double)ev->level_dbfs,
		(double)ev->snr_db);
	if (style->models->n > 1)
		fprintf(to, "  %-*s", name_width(style), f->by->name);
	print_file(style, f, "  ", to);
}

void kws_found_print(const kws_found_style *style, const kws_found *found, FILE *to)
{
	switch (style->format) {
	case KWS_FORMAT_JSONL: print_json(found, to); break;
	case KWS_FORMAT_CSV: print_csv(style, found, to); break;
	case KWS_FORMAT_AUDACITY: print_label(style, found, to); break;
	default: print_text(style, found, to);
	}
}

void kws_found_head(const kws_found_style *style, FILE *to)
{
	const bool several = style->models->n > 1;
	if (style->format == KWS_FORMAT_CSV)
		fprintf(to, "file,word,start,end,decided,score,threshold,level_dbfs,snr_db%s\n",
			several ? ",spotter,after,after_id" : "");
	if (style->format == KWS_FORMAT_TEXT)
		fprintf(to, "%12s  %12s  %-10s %6s  %6s  %5s%s%-*s%s\n", "start", "end", "word",
			"score", "dBFS", "SNR", several ? "  " : "",
			several ? name_width(style) : 0, several ? "model" : "",
			style->several_files ? "  file" : "");
}

/* ---- results ---- */

/* A number, or the text of what is none: "nan", "-inf". */
static json_t *real_json(float x)
{
	char text[32];
	if (isfinite(x))
		return json_real((double)x);
	snprintf(text, sizeof text, "%f", (double)x);
	return json_string(text);
}

json_t *kws_found_json(const kws_models *models, const kws_found *f)
{
	const kws_event *ev = &f->event;
	json_t *o = json_object();
	kws_out_set_size(o, "by", (size_t)(f->by - models->at));
	kws_out_set_size(o, "word", ev->word);
	kws_out_set_size(o, "start", ev->start);
	kws_out_set_size(o, "end", ev->end);
	kws_out_set_size(o, "decided", ev->sample);
	kws_out_set(o, "score", real_json(ev->score));
	kws_out_set(o, "threshold", real_json(ev->threshold));
	kws_out_set(o, "level_dbfs", real_json(ev->level_dbfs));
	kws_out_set(o, "snr_db", real_json(ev->snr_db));
	if (f->after)
		kws_out_set_text(o, "after", f->after);
	if (f->after_id)
		kws_out_set_text(o, "after_id", f->after_id);
	return o;
}

static bool read_count(const json_t *o, const char *key, uint64_t *out)
{
	const json_t *value = json_object_get(o, key);
	const json_int_t n = json_integer_value(value);
	*out = n < 0 ? 0 : (uint64_t)n;
	return json_is_integer(value) && n >= 0;
}

static bool read_real(const json_t *o, const char *key, float *out)
{
	const json_t *value = json_object_get(o, key);
	const char *text = json_string_value(value);
	char *end;
	*out = text ? strtof(text, &end) : (float)json_number_value(value);
	return text ? end != text && !*end && !isfinite(*out) : json_is_number(value);
}

bool kws_found_parse(kws_found *f, const kws_models *models, const json_t *from)
{
	kws_event *ev = &f->event;
	uint64_t by, word;
	*f = (kws_found){ .after = json_string_value(json_object_get(from, "after")),
			  .after_id = json_string_value(json_object_get(from, "after_id")) };
	if (!read_count(from, "by", &by) || by >= models->n || !read_count(from, "word", &word)
	    || word >= kws_model_n_words(models->at[by].model))
		return false;
	f->by = &models->at[by];
	ev->word = (unsigned)word;
	return read_count(from, "start", &ev->start) && read_count(from, "end", &ev->end)
	       && read_count(from, "decided", &ev->sample) && read_real(from, "score", &ev->score)
	       && read_real(from, "threshold", &ev->threshold)
	       && read_real(from, "level_dbfs", &ev->level_dbfs)
	       && read_real(from, "snr_db", &ev->snr_db);
}
