#include "daemon/report.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum { TEXT, COUNT, REAL } kind;

static const struct {
	const char *name;
	kind kind;
	size_t offset;
} fields[] = {
	{ "word", TEXT, offsetof(kws_report, word) },
	{ "score", REAL, offsetof(kws_report, score) },
	{ "threshold", REAL, offsetof(kws_report, threshold) },
	{ "start_sample", COUNT, offsetof(kws_report, start_sample) },
	{ "end_sample", COUNT, offsetof(kws_report, end_sample) },
	{ "decided_sample", COUNT, offsetof(kws_report, decided_sample) },
	{ "rate_hz", COUNT, offsetof(kws_report, rate_hz) },
	{ "start", REAL, offsetof(kws_report, start_s) },
	{ "end", REAL, offsetof(kws_report, end_s) },
	{ "start_time", TEXT, offsetof(kws_report, start_time) },
	{ "end_time", TEXT, offsetof(kws_report, end_time) },
	{ "level_dbfs", REAL, offsetof(kws_report, level_dbfs) },
	{ "snr_db", REAL, offsetof(kws_report, snr_db) },
	{ "model", TEXT, offsetof(kws_report, model) },
	{ "model_hash", TEXT, offsetof(kws_report, model_hash) },
	{ "device", TEXT, offsetof(kws_report, device) },
	{ "host", TEXT, offsetof(kws_report, host) },
	{ "gap_count", COUNT, offsetof(kws_report, gap_count) },
	{ "gap_s", REAL, offsetof(kws_report, gap_s) },
	{ "gap_reason", TEXT, offsetof(kws_report, gap_reason) },
	{ "clip", TEXT, offsetof(kws_report, clip) },
	{ "dropped", COUNT, offsetof(kws_report, dropped) },
};

enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static double real_at(const kws_report *r, size_t i)
{
	double v;

	memcpy(&v, (const char *)r + fields[i].offset, sizeof v);
	return round(v * 1e4) / 1e4; /* a tenth of a millisecond, a hundredth of a per cent */
}

static uint64_t count_at(const kws_report *r, size_t i)
{
	uint64_t v;

	memcpy(&v, (const char *)r + fields[i].offset, sizeof v);
	return v;
}

/* A name may hold any bytes. JSON wants UTF-8, a line of a terminal no control characters, and those that JSON
 * spells with six bytes would not fit into the line. */
static json_t *text_value(const char *s)
{
	char text[256];
	json_t *v;

	snprintf(text, sizeof text, "%s", s);
	for (unsigned char *c = (unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
			*c = '?';
	v = json_string(text);
	for (char *c = text; !v && *c; c++)
		*c = (unsigned char)*c < 128 ? *c : '?';
	return v ? v : json_string(text);
}

size_t kws_report_json(const kws_report *r, char out[KWS_REPORT_LINE])
{
	json_t *o = json_object();
	size_t n = 0;
	bool ok = o != NULL;

	for (size_t i = 0; ok && i < N_FIELDS; i++) {
		json_t *v;

		if (fields[i].kind == TEXT)
			v = text_value((const char *)r + fields[i].offset);
		else if (fields[i].kind == COUNT)
			v = json_integer((json_int_t)count_at(r, i));
		else
			v = isfinite(real_at(r, i)) ? json_real(real_at(r, i)) : json_null();
		ok = json_object_set_new(o, fields[i].name, v) == 0;
	}
	if (ok)
		n = json_dumpb(o, out, KWS_REPORT_LINE - 1, JSON_COMPACT | JSON_REAL_PRECISION(12));
	json_decref(o);
	if (n >= KWS_REPORT_LINE - 1)
		n = 0;
	out[n] = 0;
	return n;
}

bool kws_report_field(const kws_report *r, size_t i, const char **name, char *value, size_t n)
{
	if (i >= N_FIELDS)
		return false;
	*name = fields[i].name;
	if (fields[i].kind == TEXT)
		snprintf(value, n, "%s", (const char *)r + fields[i].offset);
	else if (fields[i].kind == COUNT)
		snprintf(value, n, "%llu", (unsigned long long)count_at(r, i));
	else if (isfinite(real_at(r, i)))
		snprintf(value, n, "%.12g", real_at(r, i));
	else
		snprintf(value, n, "%s", "");
	return true;
}

void kws_report_text(const kws_report *r, char *out, size_t n)
{
	snprintf(out, n, "%s %.2f at %.2f s, %.1f dBFS", r->word, r->score, r->start_s,
		 r->level_dbfs);
}
