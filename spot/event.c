#include "spot/event.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum { TEXT, PATH, COUNT, REAL } kind;

/* When a field is present. ALWAYS; KNOWN: when its text is not empty, or its number is finite;
 * LIVE: when a device heard the event. */
typedef enum { ALWAYS, KNOWN, LIVE } presence;

#define FIELD(name, kind, presence, member) { name, kind, presence, offsetof(kws_report, member) }

/* In the order in which a line has them. */
static const struct {
	const char *name;
	kind kind;
	presence presence;
	size_t offset;
} fields[] = {
	FIELD("word", TEXT, ALWAYS, word),
	FIELD("start", REAL, ALWAYS, start_s),
	FIELD("end", REAL, ALWAYS, end_s),
	FIELD("decided", REAL, ALWAYS, decided_s),
	FIELD("score", REAL, ALWAYS, score),
	FIELD("threshold", REAL, ALWAYS, threshold),
	FIELD("margin", REAL, ALWAYS, margin),
	FIELD("level_dbfs", REAL, ALWAYS, level_dbfs),
	FIELD("snr_db", REAL, ALWAYS, snr_db),
	FIELD("start_sample", COUNT, ALWAYS, start_sample),
	FIELD("end_sample", COUNT, ALWAYS, end_sample),
	FIELD("decided_sample", COUNT, ALWAYS, decided_sample),
	FIELD("rate_hz", COUNT, ALWAYS, rate_hz),
	FIELD("model", TEXT, ALWAYS, model),
	FIELD("model_hash", TEXT, ALWAYS, model_hash),
	FIELD("spotter", TEXT, KNOWN, spotter),
	FIELD("id", TEXT, KNOWN, id),
	FIELD("after", TEXT, KNOWN, after),
	FIELD("after_id", TEXT, KNOWN, after_id),
	FIELD("file", PATH, KNOWN, file),
	FIELD("listener", TEXT, KNOWN, listener),
	FIELD("device", TEXT, LIVE, device),
	FIELD("host", TEXT, KNOWN, host),
	FIELD("start_time", TEXT, KNOWN, start_time),
	FIELD("end_time", TEXT, KNOWN, end_time),
	FIELD("start_monotonic", REAL, KNOWN, start_monotonic),
	FIELD("gap_count", COUNT, LIVE, gap_count),
	FIELD("gap_s", REAL, LIVE, gap_s),
	FIELD("gap_reason", TEXT, LIVE, gap_reason),
	FIELD("clip", TEXT, LIVE, clip),
	FIELD("dropped", COUNT, LIVE, dropped),
};

enum { N_FIELDS = sizeof fields / sizeof fields[0], KEY = 20, NUMBER = 24 };

static_assert((int)N_FIELDS <= (int)KWS_REPORT_FIELDS, "who keeps room for them has enough");

/* A byte of text becomes at most three, a number takes at most NUMBER, and a name with its
 * punctuation at most KEY. */
static_assert(3 * sizeof(kws_report) + N_FIELDS * (KEY + NUMBER) < KWS_EVENT_JSON,
	      "every event fits into its line");

/* ---- one field ---- */

static const char *text_at(const kws_report *r, size_t i)
{
	return fields[i].kind == PATH ? r->file : (const char *)r + fields[i].offset;
}

static double real_at(const kws_report *r, size_t i)
{
	double v;
	memcpy(&v, (const char *)r + fields[i].offset, sizeof v);
	return v;
}

static bool is_known(const kws_report *r, size_t i)
{
	if (fields[i].presence == ALWAYS)
		return true;
	if (fields[i].presence == LIVE)
		return r->live;
	if (fields[i].kind == REAL)
		return isfinite(real_at(r, i));
	return text_at(r, i) && *text_at(r, i);
}

/* Format with six decimals, without trailing zeros after the first, whatever the locale's decimal
 * point. "" if v is not a number, or is too large for a double to have decimals. */
static void real_text(double v, char text[NUMBER])
{
	char local[NUMBER + 16];
	text[0] = 0;
	if (!(fabs(v) < 1e15))
		return;
	if (fabs(v) <= 0.5e-6)
		v = 0.0; /* without a sign */
	const int all = snprintf(local, sizeof local, "%.6f", v);
	const int whole = (int)strspn(local, "-0123456789");
	int n = snprintf(text, NUMBER, "%.*s.%s", whole, local, local + all - 6);
	while (text[n - 1] == '0' && text[n - 2] != '.')
		text[--n] = 0;
}

static void number_text(const kws_report *r, size_t i, char text[NUMBER])
{
	uint64_t n;
	if (fields[i].kind == REAL) {
		real_text(real_at(r, i), text);
		return;
	}
	memcpy(&n, (const char *)r + fields[i].offset, sizeof n);
	snprintf(text, NUMBER, "%" PRIu64, n);
}

bool kws_report_field(const kws_report *r, size_t i, const char **name, char *value, size_t n)
{
	char text[NUMBER];
	size_t at = 0;
	for (; at < N_FIELDS; at++)
		if (is_known(r, at) && i-- == 0)
			break;
	if (at == N_FIELDS)
		return false;
	*name = fields[at].name;
	if (fields[at].kind == TEXT || fields[at].kind == PATH) {
		snprintf(value, n, "%s", text_at(r, at));
		kws_clean(value);
	} else {
		number_text(r, at, text);
		snprintf(value, n, "%s", text);
	}
	return true;
}

/* ---- the line ---- */

typedef struct {
	char *out;
	size_t size, n; /* n: the length it would need */
} line;

static void put(line *l, const char *bytes, size_t n)
{
	if (l->n + n < l->size)
		memcpy(l->out + l->n, bytes, n);
	l->n += n;
}

static void put_text(line *l, const char *text)
{
	put(l, text, strlen(text));
}

/* Append a JSON string. Bytes that are not UTF-8 become U+FFFD. Control characters become '?',
 * except in a path: there they are escaped, so that the file can be found again. */
static void put_string(line *l, const char *text, bool is_path)
{
	put_text(l, "\"");
	while (*text) {
		const unsigned char *c = (const unsigned char *)text;
		const size_t n = kws_utf8_length(text);
		const bool two = n == 2 && c[0] == 0xc2 && c[1] < 0xa0; /* U+0080..U+009F */
		if (n == 0) {
			put_text(l, "\xef\xbf\xbd");
		} else if (two || c[0] < 0x20 || c[0] == 0x7f) {
			char spelled[8];
			snprintf(spelled, sizeof spelled, "\\u%04x", two ? c[1] : c[0]);
			put_text(l, is_path ? spelled : "?");
		} else {
			if (*text == '"' || *text == '\\')
				put_text(l, "\\");
			put(l, text, n);
		}
		text += n ? n : 1;
	}
	put_text(l, "\"");
}

size_t kws_report_json(const kws_report *r, char *out, size_t size)
{
	line l = { out, size, 0 };
	char text[NUMBER];
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (!is_known(r, i))
			continue;
		put_text(&l, l.n ? ",\"" : "{\"");
		put_text(&l, fields[i].name);
		put_text(&l, "\":");
		if (fields[i].kind == TEXT || fields[i].kind == PATH) {
			put_string(&l, text_at(r, i), fields[i].kind == PATH);
			continue;
		}
		number_text(r, i, text);
		put_text(&l, *text ? text : "null");
	}
	put_text(&l, "}");
	if (l.n >= size)
		l.n = 0;
	if (size)
		out[l.n] = 0;
	return l.n;
}

void kws_report_text(const kws_report *r, char *out, size_t n)
{
	snprintf(out, n, "%s %.2f at %.2f s, %.1f dBFS", r->word, r->score, r->start_s,
		 r->level_dbfs);
}

/* ---- fill a report ---- */

/* Copy text, cut between characters if it is too long. */
static void copy(char *to, size_t room, const char *from)
{
	size_t n = from ? strlen(from) : 0;
	if (n >= room) {
		n = room - 1;
		for (int k = 0; k < 3 && ((unsigned char)from[n] & 0xc0) == 0x80; k++)
			n--;
	}
	if (n)
		memcpy(to, from, n);
	to[n] = 0;
}

/* Continue an FNV-1a hash with text. Names never contain 0x01 and 0x02, which separate them. */
static uint64_t hash_on(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return h;
}

static void identify(kws_report *r, unsigned word, const char *stream)
{
	uint64_t h = 0xcbf29ce484222325u;
	if (!stream)
		return;
	h = hash_on(h, stream);
	if (*r->listener)
		h = hash_on(hash_on(h, "\x01"), r->listener);
	if (*r->spotter)
		h = hash_on(hash_on(h, "\x02"), r->spotter);
	snprintf(r->id, sizeof r->id, "%.8s-%016" PRIx64 "-%" PRIu64 "-%u", r->model_hash, h,
		 r->decided_sample, word);
}

static void tell_time(kws_report *r, const kws_event_context *c)
{
	if (isfinite(c->wall)) {
		kws_rfc3339(c->wall + r->start_s, r->start_time, sizeof r->start_time);
		kws_rfc3339(c->wall + r->end_s, r->end_time, sizeof r->end_time);
	}
	r->start_monotonic = c->monotonic + r->start_s;
}

void kws_report_fill(kws_report *r, const kws_event *ev, const kws_model *m,
		     const kws_event_context *context)
{
	kws_event_context c = KWS_EVENT_CONTEXT;
	if (context) /* an older program's context is shorter */
		memcpy(&c, context, context->size < sizeof c ? context->size : sizeof c);
	const unsigned hz = kws_model_rate_hz(m);
	memset(r, 0, sizeof *r);
	copy(r->word, sizeof r->word, kws_model_word(m, ev->word));
	r->score = (double)ev->score;
	r->threshold = (double)ev->threshold;
	r->margin = r->score - r->threshold;
	r->level_dbfs = (double)ev->level_dbfs;
	r->snr_db = (double)ev->snr_db;
	r->rate_hz = hz;
	r->start_sample = c.origin + ev->start;
	r->end_sample = c.origin + ev->end;
	r->decided_sample = c.origin + ev->sample;
	r->start_s = (double)r->start_sample / hz;
	r->end_s = (double)r->end_sample / hz;
	r->decided_s = (double)r->decided_sample / hz;
	copy(r->model, sizeof r->model, kws_model_name(m));
	copy(r->model_hash, sizeof r->model_hash, kws_model_hash(m));
	copy(r->listener, sizeof r->listener, c.listener);
	copy(r->spotter, sizeof r->spotter, c.spotter);
	identify(r, ev->word, c.stream ? c.stream : c.file);
	copy(r->after, sizeof r->after, c.after);
	copy(r->after_id, sizeof r->after_id, c.after_id);
	r->file = c.file;
	r->live = c.device != NULL;
	copy(r->device, sizeof r->device, c.device);
	copy(r->host, sizeof r->host, c.host);
	tell_time(r, &c);
	r->gap_count = c.gap_count;
	r->gap_s = c.gap_s;
	copy(r->gap_reason, sizeof r->gap_reason, c.gap_reason);
	copy(r->clip, sizeof r->clip, c.clip);
	r->dropped = c.dropped;
}

size_t kws_event_json(const kws_event *ev, const kws_model *m, const kws_event_context *context,
		      char *out, size_t size)
{
	kws_report r;
	kws_report_fill(&r, ev, m, context);
	return kws_report_json(&r, out, size);
}

/* ---- time ---- */

static unsigned days_of_year(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 366 : 365;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return month == 1 ? days_of_year(year) - 337 : days[month];
}

/* gmtime would read the time zone files */
void kws_rfc3339(double t, char *text, size_t n)
{
	const double last_s = 253402300799.0; /* 9999-12-31T23:59:59Z */
	/* the format has four digits for the year, even if the clock is wrong */
	const uint64_t ms = (uint64_t)floor(fmin(fmax(t, 0.0), last_s) * 1000.0 + 0.5);
	const unsigned s = (unsigned)(ms / 1000 % 86400);
	unsigned day = (unsigned)(ms / 86400000), year = 1970, month = 0;
	while (day >= days_of_year(year))
		day -= days_of_year(year++);
	while (day >= days_of_month(year, month))
		day -= days_of_month(year, month++);
	snprintf(text, n, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month + 1, day + 1, s / 3600,
		 s / 60 % 60, s % 60, (unsigned)(ms % 1000));
}
