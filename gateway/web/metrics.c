#include "gateway/web/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A metric, and the member of the status that has its value. */
typedef struct {
	const char *name, *type, *key, *help;
	double scale; /* 0: 1 */
} metric;

static const metric of_daemon[] = {
	{ "kws_uptime_seconds", "gauge", "up_s", "Time since kwsd was started.", 0 },
	{ "kws_cpu_seconds_total", "counter", "cpu_s", "Processor time of kwsd.", 0 },
	{ "kws_resident_memory_bytes", "gauge", "rss_mb", "Resident memory of kwsd.", 1e6 },
	{ "kws_context_switches_total", "counter", "context_switches",
	  "Times kwsd waited of its own will.", 0 },
	{ "kws_log_lost_lines_total", "counter", "log_lost", "Lines of the log that found no room.",
	  0 },
	{ "kws_reloads_total", "counter", "reloads",
	  "Reloads of the configuration, also refused ones.", 0 },
};

static const metric of_listener[] = {
	{ "kws_listening", "gauge", "enabled", "1 if the microphone is to be heard.", 0 },
	{ "kws_audio_seconds_total", "counter", "heard_s", "Audio heard.", 0 },
	{ "kws_quiet_seconds", "gauge", "quiet_s", "Time since the last audio.", 0 },
	{ "kws_streams_total", "counter", "streams", "Times the device was opened.", 0 },
	{ "kws_open_attempts", "gauge", "attempts",
	  "Failed attempts to open the device since it was lost.", 0 },
	{ "kws_gaps_total", "counter", "gaps", "Times audio was lost.", 0 },
	{ "kws_gap_seconds_total", "counter", "gap_s", "Audio lost.", 0 },
	{ "kws_overflows_total", "counter", "overflows", "Overflows of the device.", 0 },
	{ "kws_dropped_samples_total", "counter", "dropped_samples",
	  "Samples lost because kwsd was too late.", 0 },
	{ "kws_level_dbfs", "gauge", "level_dbfs",
	  "Level of the last second or so, decibels of full scale.", 0 },
	{ "kws_digital_silence", "gauge", "silent", "1 if the device sends one value only.", 0 },
};

static const metric of_word[] = {
	{ "kws_detections_total", "counter", "events", "Words heard.", 0 },
	{ "kws_near_misses_total", "counter", "near_misses",
	  "Words that came near their threshold.", 0 },
};

static const metric of_sink[] = {
	{ "kws_sink_taken_events_total", "counter", "taken", "Events that the sink took.", 0 },
	{ "kws_sink_dropped_events_total", "counter", "dropped",
	  "Events that found no room, of each reader.", 0 },
	{ "kws_sink_failed_events_total", "counter", "failed",
	  "Events that could not be delivered.", 0 },
};

static const metric of_control[] = {
	{ "kws_control_clients", "gauge", "clients", "Clients of the control socket.", 0 },
	{ "kws_control_dropped_lines_total", "counter", "dropped",
	  "Lines of streams that found no room, of each client.", 0 },
	{ "kws_control_turned_away_total", "counter", "turned_away", "Clients turned away.", 0 },
};

static const metric of_clips[] = {
	{ "kws_clips_written_total", "counter", "written", "Clips written.", 0 },
	{ "kws_clips_dropped_total", "counter", "dropped", "Clips that found no room.", 0 },
	{ "kws_clips_failed_total", "counter", "failed", "Clips that could not be written.", 0 },
	{ "kws_clips_removed_total", "counter", "removed", "Clips removed for the quota.", 0 },
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* ---- lines ---- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));

	return t ? t : "";
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One label; first: after the brace. */
static void label(FILE *out, bool first, const char *name, const char *value)
{
	fprintf(out, "%s%s=\"", first ? "{" : ",", name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

/* A number, or true as 1. False: the value is missing, or null. */
static bool number_of(const json_t *o, const char *key, double *x)
{
	const json_t *v = json_object_get(o, key);

	*x = json_is_true(v) ? 1.0 : json_number_value(v);
	return json_is_number(v) || json_is_boolean(v);
}

static void value(FILE *out, double x)
{
	fprintf(out, " %.15g\n", x);
}

/* ---- all things of a kind ---- */

/* What a metric may belong to. Members that do not apply are NULL. */
typedef struct {
	const json_t *listener, *spotter, *sink;
	const char *word;
} owner;

static void labels(FILE *out, const owner *of)
{
	if (of->listener)
		label(out, true, "listener", text_of(of->listener, "name"));
	if (of->spotter)
		label(out, false, "spotter", text_of(of->spotter, "name"));
	if (of->word)
		label(out, false, "word", of->word);
	if (of->sink) {
		label(out, true, "sink", text_of(of->sink, "kind"));
		label(out, false, "name", text_of(of->sink, "name"));
	}
}

static void sample(FILE *out, const metric *m, const json_t *from, const owner *of)
{
	double x;

	if (!number_of(from, m->key, &x))
		return;
	fputs(m->name, out);
	labels(out, of);
	if (of->listener || of->sink)
		fputc('}', out);
	value(out, x * (m->scale > 0.0 ? m->scale : 1.0));
}

static void of_one(FILE *out, const metric *m, size_t n, const json_t *from)
{
	static const owner nobody = { NULL, NULL, NULL, NULL };

	for (size_t i = 0; i < n && from; i++, m++) {
		head(out, m->name, m->type, m->help);
		sample(out, m, from, &nobody);
	}
}

static void of_sinks(FILE *out, const json_t *status)
{
	const json_t *sink;
	size_t k;

	for (size_t i = 0; i < COUNT(of_sink); i++) {
		head(out, of_sink[i].name, of_sink[i].type, of_sink[i].help);
		json_array_foreach(json_object_get(status, "sinks"), k, sink)
			sample(out, &of_sink[i], sink, &(owner){ .sink = sink });
	}
}

static void of_listeners(FILE *out, const json_t *status)
{
	const json_t *listener;
	size_t k;

	for (size_t i = 0; i < COUNT(of_listener); i++) {
		head(out, of_listener[i].name, of_listener[i].type, of_listener[i].help);
		json_array_foreach(json_object_get(status, "listeners"), k, listener)
			sample(out, &of_listener[i], listener, &(owner){ .listener = listener });
	}
}

/* Call fn for each spotter of each listener. */
typedef void spotter_fn(FILE *out, const owner *of, const void *ctx);

static void each_spotter(FILE *out, const json_t *status, spotter_fn *fn, const void *ctx)
{
	const json_t *listener, *spotter;
	size_t i, k;

	json_array_foreach(json_object_get(status, "listeners"), i, listener)
		json_array_foreach(json_object_get(listener, "spotters"), k, spotter)
			fn(out, &(owner){ .listener = listener, .spotter = spotter }, ctx);
}

static void words_of(FILE *out, const owner *of, const void *ctx)
{
	json_t *heard = json_object_get(of->spotter, "heard"), *counts;
	owner with = *of;

	json_object_foreach(heard, with.word, counts) sample(out, ctx, counts, &with);
}

static void thresholds_of(FILE *out, const owner *of, const void *ctx)
{
	static const metric threshold = { .name = "kws_threshold" };
	json_t *words = json_object_get(of->spotter, "words"), *v;
	owner with = *of;

	(void)ctx;
	json_object_foreach(words, with.word, v)
	{
		if (!json_is_number(v))
			continue;
		fputs(threshold.name, out);
		labels(out, &with);
		fputc('}', out);
		value(out, json_number_value(v));
	}
}

static void model_of(FILE *out, const owner *of, const void *ctx)
{
	(void)ctx;
	fputs("kws_model_info", out);
	labels(out, of);
	label(out, false, "model", text_of(of->spotter, "model"));
	label(out, false, "hash", text_of(of->spotter, "model_hash"));
	fputs("} 1\n", out);
}

/* ---- histograms ---- */

/* counts: of each step, the last above all limits; Prometheus wants them summed up. */
static void histogram(FILE *out, const char *name, const owner *of, const json_t *limits,
		      const json_t *counts, double sum)
{
	double n = 0.0;
	char limit[32];

	if (!json_array_size(counts))
		return;
	for (size_t i = 0; i < json_array_size(counts); i++) {
		const json_t *le = json_array_get(limits, i);

		n += json_number_value(json_array_get(counts, i));
		snprintf(limit, sizeof limit, "%g", json_number_value(le));
		fprintf(out, "%s_bucket", name);
		labels(out, of);
		label(out, false, "le", le ? limit : "+Inf");
		fputc('}', out);
		value(out, n);
	}
	fprintf(out, "%s_sum", name);
	labels(out, of);
	fputc('}', out);
	value(out, sum);
	fprintf(out, "%s_count", name);
	labels(out, of);
	fputc('}', out);
	value(out, n);
}

static void scores_of(FILE *out, const owner *of, const void *ctx)
{
	json_t *heard = json_object_get(of->spotter, "heard"), *counts;
	owner with = *of;

	(void)ctx;
	json_object_foreach(heard, with.word, counts)
		histogram(out, "kws_score", &with, json_object_get(of->spotter, "score_limits"),
			  json_object_get(counts, "scores"),
			  json_number_value(json_object_get(counts, "score_sum")));
}

static void hops(FILE *out, const json_t *status)
{
	const json_t *listener;
	size_t i;

	head(out, "kws_hop_duration_seconds", "histogram",
	     "Time that all models took for each hop of 10 ms of audio.");
	json_array_foreach(json_object_get(status, "listeners"), i, listener)
	{
		const json_t *hop = json_object_get(listener, "hop_s");

		histogram(out, "kws_hop_duration_seconds", &(owner){ .listener = listener },
			  json_object_get(hop, "limits"), json_object_get(hop, "counts"),
			  json_number_value(json_object_get(hop, "sum")));
	}
}

/* ---- all ---- */

static void of_kwsd(FILE *out, const json_t *status)
{
	head(out, "kws_info", "gauge", "Version of kwsd.");
	fputs("kws_info", out);
	label(out, true, "version", text_of(status, "version"));
	fputs("} 1\n", out);
	of_one(out, of_daemon, COUNT(of_daemon), status);
	head(out, "kws_reload_failed", "gauge", "1 if the last reload was refused, or in part.");
	fprintf(out, "kws_reload_failed %d\n",
		json_is_string(json_object_get(status, "reload_error")));
	of_listeners(out, status);
	hops(out, status);
	head(out, "kws_model_info", "gauge", "The model of each spotter.");
	each_spotter(out, status, model_of, NULL);
	head(out, "kws_threshold", "gauge", "Score that a word must reach; none: it is off.");
	each_spotter(out, status, thresholds_of, NULL);
	for (size_t i = 0; i < COUNT(of_word); i++) {
		head(out, of_word[i].name, of_word[i].type, of_word[i].help);
		each_spotter(out, status, words_of, &of_word[i]);
	}
	head(out, "kws_score", "histogram", "Score of each word heard and each near miss.");
	each_spotter(out, status, scores_of, NULL);
	of_sinks(out, status);
	of_one(out, of_control, COUNT(of_control), json_object_get(status, "control"));
	of_one(out, of_clips, COUNT(of_clips), json_object_get(status, "clips"));
}

static void of_own(FILE *out, const kws_metrics_own *own)
{
	head(out, "kws_web_pages", "gauge", "Pages that look now.");
	fprintf(out, "kws_web_pages %u\n", own->pages);
	head(out, "kws_web_requests_total", "counter", "Requests that kwsd-web answered.");
	fprintf(out, "kws_web_requests_total %lu\n", own->requests);
	head(out, "kws_web_refused_requests_total", "counter",
	     "Requests that were wrong, or not allowed.");
	fprintf(out, "kws_web_refused_requests_total %lu\n", own->refused);
	head(out, "kws_web_slow_pages_total", "counter",
	     "Pages that were cut off because they read too slowly.");
	fprintf(out, "kws_web_slow_pages_total %lu\n", own->slow);
	head(out, "kws_web_resident_memory_bytes", "gauge", "Resident memory of kwsd-web.");
	fprintf(out, "kws_web_resident_memory_bytes %.15g\n", own->resident_bytes);
}

char *kws_metrics_text(const json_t *status, const kws_metrics_own *own, size_t *n)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, n);
	bool bad;

	if (!out)
		return NULL;
	head(out, "kws_up", "gauge", "1 if kwsd answers.");
	fprintf(out, "kws_up %d\n", status != NULL);
	if (status)
		of_kwsd(out, status);
	of_own(out, own);
	bad = ferror(out) != 0;
	bad |= fclose(out) != 0;
	if (!bad)
		return text;
	free(text);
	return NULL;
}
