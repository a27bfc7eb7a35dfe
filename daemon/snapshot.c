#include "daemon/snapshot.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double resident_mb(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char text[64] = "";
	long pages = 0;

	if (!f)
		return 0.0;
	if (fgets(text, sizeof text, f)) {
		char *second = strchr(text, ' ');
		pages = second ? strtol(second, NULL, 10) : 0;
	}
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

void kws_snapshot_process(kws_snapshot *s)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	s->version = kws_version();
	s->cpu_s = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec)
		   + 1e-6 * (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
	s->rss_mb = resident_mb();
	s->context_switches = ru.ru_nvcsw;
	s->log_lost = kws_log_dropped();
}

/* ---- text ---- */

typedef struct {
	char *out;
	size_t at, len;
} line;

__attribute__((format(printf, 2, 3))) static void add(line *l, const char *format, ...)
{
	va_list ap;
	int n;

	if (l->at >= l->len)
		return;
	va_start(ap, format);
	n = vsnprintf(l->out + l->at, l->len - l->at, format, ap);
	va_end(ap);
	l->at += n > 0 ? (size_t)n : 0;
}

/* Whether names can be left out: there is one listener with one spotter, both without a name. */
static bool is_plain(const kws_snapshot *s)
{
	return s->n_listeners == 1 && s->listener[0].n_spotters == 1 && !*s->listener[0].name
	       && !*s->listener[0].spotter[0].name;
}

static void add_listener(line *l, const kws_listener_stats *st)
{
	add(l, " heard_s=%.2f device=\"%s\" rate_hz=%u streams=%u", st->heard_s, st->device,
	    st->rate_hz, st->streams);
	add(l, " events=%lu near_misses=%lu gaps=%u gap_s=%.2f overflows=%lu dropped_samples=%llu",
	    st->events, st->near_misses, st->gaps, st->gap_s, st->overflows, st->dropped);
	add(l, " level_dbfs=%.1f", (double)st->level_dbfs);
	if (st->skipped_s > 0.0)
		add(l, " skipped_s=%.2f", st->skipped_s);
}

static void add_spotter(line *l, const kws_spotter_stats *st)
{
	add(l, " spotter=\"%s\" events=%lu near_misses=%lu best_score=%.3f", st->name, st->events,
	    st->near_misses, (double)st->best_score);
	if (*st->after)
		add(l, " open=%s", st->open ? "yes" : "no");
}

static void add_sinks(line *l, const kws_snapshot *s)
{
	for (size_t i = 0; i < s->n_sinks; i++) {
		const kws_sink_stats *st = &s->sink[i];

		add(l, " %s%s%s=taken:%lu,dropped:%lu,failed:%lu", st->kind, *st->name ? "." : "",
		    st->name, st->taken, st->dropped, st->failed);
		if (st->has_readers)
			add(l, ",readers:%u", st->readers);
		if (st->killed)
			add(l, ",killed:%lu", st->killed);
	}
	if (s->has_clips)
		add(l, " clips=written:%lu,dropped:%lu,failed:%lu,removed:%lu", s->clips.written,
		    s->clips.dropped, s->clips.failed, s->clips.removed);
}

static void add_all(line *l, const kws_snapshot *s, bool plain)
{
	add(l, "stats: up_s=%.1f", s->up_s);
	if (plain) {
		add_listener(l, &s->listener[0]);
		add(l, " best_score=%.3f", (double)s->listener[0].spotter[0].best_score);
	}
	add(l, " cpu_s=%.2f rss_mb=%.1f context_switches=%ld log_lost=%lu", s->cpu_s, s->rss_mb,
	    s->context_switches, s->log_lost);
	add_sinks(l, s);
}

bool kws_snapshot_line(const kws_snapshot *s, size_t i, char out[KWS_LOG_LINE])
{
	line l = { out, 0, KWS_LOG_LINE };
	const bool plain = is_plain(s);

	if (i > (plain ? 0 : s->n_listeners))
		return false;
	if (i == 0) {
		add_all(&l, s, plain);
		return true;
	}
	const kws_listener_stats *st = &s->listener[i - 1];
	add(&l, "stats: listener=\"%s\"", st->name);
	add_listener(&l, st);
	for (size_t k = 0; k < st->n_spotters; k++)
		add_spotter(&l, &st->spotter[k]);
	return true;
}

static void add_status(line *l, const kws_listener_stats *st, bool counts)
{
	/* a short time without audio is only the time between two hops */
	bool hears = *st->device && st->quiet_s < 0.5;

	if (!st->enabled)
		add(l, "Off");
	else if (hears)
		add(l, "%s %s at %u Hz", st->heard_s > 0.0 ? "Listening to" : "Opening", st->device,
		    st->rate_hz);
	else if (*st->reason)
		add(l, "No audio for %.0f s: %.120s; %u attempts", st->quiet_s, st->reason,
		    st->attempts);
	else
		add(l, "Opening the microphone");
	if (counts && (hears || *st->reason || !st->enabled))
		add(l, "; %lu events, %u gaps", st->events, st->gaps);
	if (hears && st->silent)
		add(l, "; digital silence: muted?");
}

void kws_snapshot_status(const kws_snapshot *s, char *out, size_t n)
{
	line l = { out, 0, n };

	for (size_t i = 0; i < s->n_listeners; i++) {
		const kws_listener_stats *st = &s->listener[i];

		if (i)
			add(&l, " | ");
		if (*st->name)
			add(&l, "%s: ", st->name);
		add_status(&l, st, true);
	}
	if (!s->n_listeners)
		add(&l, "No microphone");
}

/* ---- JSON ---- */

static json_t *number(double x, double steps)
{
	return isfinite(x) ? json_real(round(x * steps) / steps) : json_null();
}

static json_t *text(const char *t)
{
	json_t *j = json_string(t);

	return j ? j : json_string("?"); /* not UTF-8 */
}

static json_t *words_json(const kws_spotter_stats *st)
{
	json_t *j = json_object();

	for (size_t w = 0; w < kws_model_n_words(st->model); w++)
		if (kws_model_is_command(st->model, w))
			json_object_set_new(j, kws_model_word(st->model, w),
					    st->threshold[w] > 1.0f
						    ? json_null()
						    : number((double)st->threshold[w], 1e4));
	return j;
}

static json_t *numbers_json(const double *x, size_t n)
{
	json_t *j = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(j, json_real(x[i]));
	return j;
}

static json_t *counts_json(const kws_tally *t)
{
	json_t *j = json_array();

	for (size_t i = 0; i <= KWS_TALLY_STEPS; i++)
		json_array_append_new(j, json_integer((json_int_t)t->count[i]));
	return j;
}

/* What was heard of each word. */
static json_t *heard_json(const kws_spotter_stats *st)
{
	json_t *j = json_object();

	for (size_t w = 0; w < kws_model_n_words(st->model); w++) {
		const kws_word_tally *t = &st->tally[w];

		if (kws_model_is_command(st->model, w))
			json_object_set_new(j, kws_model_word(st->model, w),
					    json_pack("{s:I, s:I, s:o, s:o}", "events",
						      (json_int_t)t->events, "near_misses",
						      (json_int_t)t->near_misses, "scores",
						      counts_json(&t->scores), "score_sum",
						      number(t->scores.sum, 1e4)));
	}
	return j;
}

static json_t *spotter_json(const kws_spotter_stats *st)
{
	json_t *j = json_pack(
		"{s:o, s:o, s:s, s:o, s:I, s:I, s:o, s:o, s:s, s:b, s:o, s:o, s:o}", "name",
		text(st->name), "model", text(kws_model_name(st->model)), "model_hash",
		kws_model_hash(st->model), "path", text(st->path), "events", (json_int_t)st->events,
		"near_misses", (json_int_t)st->near_misses, "best_score",
		number((double)st->best_score, 1e4), "cost", number(st->cost, 1e5), "after",
		st->after, "open", st->open, "words", words_json(st), "heard", heard_json(st),
		"score_limits", numbers_json(kws_tally_scores, KWS_TALLY_STEPS));
	return j;
}

/* What is wrong with the sound, as kws doctor says it. */
static json_t *flaws_json(const kws_listener_stats *st)
{
	json_t *j = json_array();
	char option[KWS_CONF_NAME + 24], said[KWS_FLAW_TEXT];

	snprintf(option, sizeof option, "audio%s%s.channel=", *st->name ? " " : "", st->name);
	for (int i = 0; i < KWS_N_FLAWS; i++) {
		const enum kws_flaw flaw = (enum kws_flaw)i;

		if (!st->sound.has[i])
			continue;
		kws_flaw_say(&st->sound, flaw, option, said);
		json_array_append_new(
			j, json_pack("{s:s, s:s}", "flaw", kws_flaw_name(flaw), "text", said));
	}
	return j;
}

static json_t *listener_json(const kws_listener_stats *st)
{
	json_t *spotters = json_array();
	json_t *j;

	for (size_t i = 0; i < st->n_spotters; i++)
		json_array_append_new(spotters, spotter_json(&st->spotter[i]));
	j = json_pack("{s:o, s:b, s:s, s:o, s:i, s:i, s:o, s:i, s:o, s:o, s:i, s:i, s:o}", "name",
		      text(st->name), "enabled", st->enabled, "state", st->state, "device",
		      text(st->device), "rate_hz", (int)st->rate_hz, "channels", (int)st->channels,
		      "reason", text(st->reason), "attempts", (int)st->attempts, "heard_s",
		      number(st->heard_s, 1e3), "quiet_s", number(st->quiet_s, 1e3), "streams",
		      (int)st->streams, "gaps", (int)st->gaps, "gap_s", number(st->gap_s, 1e3));
	if (!j) {
		json_decref(spotters);
		return NULL;
	}
	json_object_set_new(j, "overflows", json_integer((json_int_t)st->overflows));
	json_object_set_new(j, "dropped_samples", json_integer((json_int_t)st->dropped));
	json_object_set_new(j, "events", json_integer((json_int_t)st->events));
	json_object_set_new(j, "near_misses", json_integer((json_int_t)st->near_misses));
	json_object_set_new(j, "silent", json_boolean(st->silent));
	json_object_set_new(j, "squelched", json_boolean(st->squelched));
	json_object_set_new(j, "skipped_s", number(st->skipped_s, 1e3));
	json_object_set_new(j, "level_dbfs", number((double)st->level_dbfs, 10.0));
	json_object_set_new(j, "hop_s",
			    json_pack("{s:o, s:o, s:o}", "limits",
				      numbers_json(kws_tally_seconds, KWS_TALLY_STEPS), "counts",
				      counts_json(&st->hops), "sum", number(st->hops.sum, 1e6)));
	json_object_set_new(j, "flaws", flaws_json(st));
	json_object_set_new(j, "spotters", spotters);
	return j;
}

static json_t *sinks_json(const kws_snapshot *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->n_sinks; i++) {
		const kws_sink_stats *st = &s->sink[i];
		json_t *j = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "kind", st->kind, "name",
				      st->name, "taken", (json_int_t)st->taken, "dropped",
				      (json_int_t)st->dropped, "failed", (json_int_t)st->failed,
				      "killed", (json_int_t)st->killed);

		if (st->has_readers)
			json_object_set_new(j, "readers", json_integer((json_int_t)st->readers));
		json_array_append_new(all, j);
	}
	return all;
}

json_t *kws_snapshot_json(const kws_snapshot *s)
{
	json_t *listeners = json_array(), *j;

	for (size_t i = 0; i < s->n_listeners; i++)
		json_array_append_new(listeners, listener_json(&s->listener[i]));
	j = json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:i, s:o, s:o, s:o}", "version",
		      s->version, "configuration", text(s->configuration), "up_s",
		      number(s->up_s, 1e3), "cpu_s", number(s->cpu_s, 1e3), "rss_mb",
		      number(s->rss_mb, 10.0), "context_switches", (json_int_t)s->context_switches,
		      "log_lost", (json_int_t)s->log_lost, "reloads", (int)s->reloads,
		      "reload_error", *s->reload ? text(s->reload) : json_null(), "listeners",
		      listeners, "sinks", sinks_json(s));
	if (j)
		json_object_set_new(j, "configuration_hash", text(s->configuration_hash));
	if (j)
		json_object_set_new(j, "control",
				    json_pack("{s:I, s:I, s:I}", "clients",
					      (json_int_t)s->control.connected, "dropped",
					      (json_int_t)s->control.lost, "turned_away",
					      (json_int_t)s->control.turned));
	if (j && s->has_clips)
		json_object_set_new(j, "clips",
				    json_pack("{s:I, s:I, s:I, s:I}", "written",
					      (json_int_t)s->clips.written, "dropped",
					      (json_int_t)s->clips.dropped, "failed",
					      (json_int_t)s->clips.failed, "removed",
					      (json_int_t)s->clips.removed));
	return j;
}
