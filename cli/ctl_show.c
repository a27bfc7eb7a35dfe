#include "cli/ctl_show.h"

#include "cli/out.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- members ---- */

static const char *text(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));

	return t ? t : "";
}

static double real(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static long long count(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* "2 d 03:04:05" */
static void duration(double seconds, char *out, size_t n)
{
	const long long s = seconds > 0.0 && seconds < 1e15 ? (long long)seconds : 0;
	const int h = (int)(s / 3600 % 24), m = (int)(s / 60 % 60);

	if (s >= 86400)
		snprintf(out, n, "%lld d %02d:%02d:%02d", s / 86400, h, m, (int)(s % 60));
	else
		snprintf(out, n, "%02d:%02d:%02d", h, m, (int)(s % 60));
}

/* ---- a table ---- */

enum { ROWS = 160, COLUMNS = 10, CELL = 64 };

/* The complete rows, and the cells of the last row. The first row is the heading. */
typedef struct {
	char cell[ROWS][COLUMNS][CELL];
	size_t rows, columns, at;
} table;

static void row(table *t)
{
	t->rows += t->rows < ROWS;
	t->at = 0;
}

__attribute__((format(printf, 2, 3))) static void put(table *t, const char *format, ...)
{
	char *cell = t->cell[t->rows - 1][t->at++];
	va_list ap;

	va_start(ap, format);
	vsnprintf(cell, CELL, format, ap);
	va_end(ap);
	if (t->columns < t->at)
		t->columns = t->at;
}

static void heading(table *t, const char *const *names)
{
	memset(t, 0, sizeof *t);
	row(t);
	for (; *names; names++)
		put(t, "%s", *names);
}

static void print(const table *t)
{
	size_t width[COLUMNS] = { 0 };

	for (size_t r = 0; r < t->rows; r++)
		for (size_t c = 0; c < t->columns; c++)
			if (strlen(t->cell[r][c]) > width[c])
				width[c] = strlen(t->cell[r][c]);
	putchar('\n');
	for (size_t r = 0; r < t->rows; r++) {
		for (size_t c = 0; c < t->columns; c++) {
			const char *cell = t->cell[r][c];

			printf("%s", c ? "  " : "");
			kws_out_visible(stdout, cell);
			if (c + 1 < t->columns)
				printf("%*s", (int)(width[c] - strlen(cell)), "");
		}
		putchar('\n');
	}
}

/* ---- status ---- */

static void show_listeners(const json_t *list)
{
	static const char *const names[] = { "MICROPHONE", "STATE",  "LEVEL",  "HEARD",
					     "GAPS",	   "EVENTS", "DEVICE", NULL };
	static table t;
	const json_t *l;
	size_t i;
	char heard[32];

	heading(&t, names);
	json_array_foreach(list, i, l)
	{
		const bool on = json_is_true(json_object_get(l, "enabled"));
		const char *reason = text(l, "reason"), *device = text(l, "device");

		duration(real(l, "heard_s"), heard, sizeof heard);
		row(&t);
		put(&t, "%s", *text(l, "name") ? text(l, "name") : "-");
		put(&t, "%s%s%s", on ? text(l, "state") : "off",
		    json_is_true(json_object_get(l, "silent")) ? ", silent" : "",
		    json_is_true(json_object_get(l, "squelched")) ? ", squelched" : "");
		put(&t, "%.1f dBFS", real(l, "level_dbfs"));
		put(&t, "%s", heard);
		put(&t, "%lld, %.1f s", count(l, "gaps"), real(l, "gap_s"));
		put(&t, "%lld", count(l, "events"));
		if (*device)
			put(&t, "%.44s at %lld Hz", device, count(l, "rate_hz"));
		else
			put(&t, "%.60s", reason);
	}
	print(&t);
}

static void show_spotters(const json_t *list)
{
	static const char *const names[] = { "MODEL", "MICROPHONE", "EVENTS", "NEAR", "BEST",
					     "COST",  "GATE",	    "FILE",   NULL };
	static table t;
	const json_t *l, *s;
	size_t i, k;

	heading(&t, names);
	json_array_foreach(list, i, l)
	{
		json_array_foreach(json_object_get(l, "spotters"), k, s)
		{
			const char *after = text(s, "after");

			row(&t);
			put(&t, "%s", *text(s, "name") ? text(s, "name") : text(s, "model"));
			put(&t, "%s", *text(l, "name") ? text(l, "name") : "-");
			put(&t, "%lld", count(s, "events"));
			put(&t, "%lld", count(s, "near_misses"));
			put(&t, "%.3f", real(s, "best_score"));
			put(&t, "%.1f %%", 100.0 * real(s, "cost"));
			if (*after)
				put(&t, "after %s, %s", after,
				    json_is_true(json_object_get(s, "open")) ? "open" : "closed");
			else
				put(&t, "-");
			put(&t, "%.12s %s", text(s, "model_hash"), text(s, "path"));
		}
	}
	print(&t);
}

static void show_sinks(const json_t *list)
{
	static const char *const names[] = {
		"SINK", "EVENTS", "DROPPED", "FAILED", "READERS", NULL
	};
	static table t;
	const json_t *s;
	size_t i;

	heading(&t, names);
	json_array_foreach(list, i, s)
	{
		row(&t);
		put(&t, "%s%s%s", text(s, "kind"), *text(s, "name") ? " " : "", text(s, "name"));
		put(&t, "%lld", count(s, "taken"));
		put(&t, "%lld", count(s, "dropped"));
		put(&t, "%lld", count(s, "failed"));
		if (json_object_get(s, "readers"))
			put(&t, "%lld", count(s, "readers"));
		else
			put(&t, "-");
	}
	if (i)
		print(&t);
}

void kws_ctl_show_status(const json_t *status)
{
	const char *path = text(status, "configuration"), *wrong = text(status, "reload_error");
	const double up_s = real(status, "up_s");
	char up[32];

	duration(up_s, up, sizeof up);
	printf("kwsd ");
	kws_out_visible(stdout, text(status, "version"));
	printf(", up %s, %.1f MB, %.1f %% of a processor\nconfiguration ", up,
	       real(status, "rss_mb"), up_s > 0.0 ? 100.0 * real(status, "cpu_s") / up_s : 0.0);
	kws_out_visible(stdout, *path ? path : "defaults");
	printf(", reloaded %lld times\n", count(status, "reloads"));
	if (*wrong) {
		printf("the last reload was refused: ");
		kws_out_visible(stdout, wrong);
		putchar('\n');
	}
	show_listeners(json_object_get(status, "listeners"));
	show_spotters(json_object_get(status, "listeners"));
	show_sinks(json_object_get(status, "sinks"));
}

/* ---- streams ---- */

/* Print "  of kitchen" or similar, if what is not empty. */
static void show_part(const char *before, const char *what)
{
	if (!*what)
		return;
	printf("  %s", before);
	kws_out_visible(stdout, what);
}

static void show_event(const json_t *e, const char *kind)
{
	kws_out_visible(stdout, text(e, "start_time"));
	printf("  %s", kind);
	kws_out_visible(stdout, text(e, "word"));
	printf("  %.3f of %.3f", real(e, "score"), real(e, "threshold"));
	if (json_is_number(json_object_get(e, "level_dbfs")))
		printf("  %.1f dBFS", real(e, "level_dbfs"));
	show_part("", text(e, "listener"));
	show_part("after ", text(e, "after"));
	putchar('\n');
}

static void show_level(const json_t *l)
{
	const double db = real(l, "level_dbfs");
	char bar[37] = "";

	memset(bar, '#', (size_t)fmax(0.0, fmin(36.0, 36.0 + db / 2.0)));
	printf("%10.2f s  %6.1f dBFS  %-36s", real(l, "time"), db, bar);
	show_part("", text(l, "listener"));
	putchar('\n');
}

static void show_scores(const json_t *s)
{
	json_t *words = json_object_get(s, "words"), *v;
	const char *word;

	printf("%10.2f s", real(s, "time"));
	show_part("", text(s, "listener"));
	show_part("", text(s, "spotter"));
	json_object_foreach(words, word, v)
	{
		if (*word == '_' || json_number_value(v) < 0.01)
			continue;
		show_part("", word);
		printf(" %.2f", json_number_value(v));
	}
	putchar('\n');
}

void kws_ctl_show_line(const json_t *line, const char *raw)
{
	const json_t *o;

	if ((o = json_object_get(line, "event")))
		show_event(o, "");
	else if ((o = json_object_get(line, "near_miss")))
		show_event(o, "near miss: ");
	else if ((o = json_object_get(line, "level")))
		show_level(o);
	else if ((o = json_object_get(line, "scores")))
		show_scores(o);
	else
		printf("%s\n", raw); /* numbers for programs */
	if ((o = json_object_get(line, "dropped")))
		kws_out_complain("%lld lines were lost: this program is too slow",
				 (long long)json_integer_value(o));
}
