/* fuzz_event - any event as JSON: one object on one line, no control character, within its bound, every value as it was.
 *
 * The fields are filled from the input: a text is a length and as many bytes, a number eight bytes. The same fields, as an
 * event of a model and what a program knows beside it, go through the public function. */
#include "spot/event.h"
#include "tests/fuzz/fuzz.h"
#include "tests/tiny_model.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct {
	const uint8_t *at, *end;
} input;

static void take(input *in, void *to, size_t n)
{
	const size_t left = (size_t)(in->end - in->at), k = n < left ? n : left;
	memset(to, 0, n);
	if (k)
		memcpy(to, in->at, k);
	in->at += k;
}

static void take_text(input *in, char *to, size_t room)
{
	uint8_t n;
	take(in, &n, 1);
	memset(to, 0, room);
	take(in, to, n < room ? n : room - 1);
}

static uint64_t take_count(input *in)
{
	uint64_t n;
	take(in, &n, sizeof n);
	return n >> 1; /* JSON's whole numbers have a sign */
}

static double take_real(input *in)
{
	double x;
	take(in, &x, sizeof x);
	return x;
}

static char file[256];

static void fill(kws_report *r, input *in)
{
	memset(r, 0, sizeof *r);
	take_text(in, r->word, sizeof r->word);
	take_text(in, r->model, sizeof r->model);
	take_text(in, r->device, sizeof r->device);
	take_text(in, r->host, sizeof r->host);
	take_text(in, r->clip, sizeof r->clip);
	take_text(in, r->gap_reason, sizeof r->gap_reason);
	take_text(in, r->model_hash, sizeof r->model_hash);
	take_text(in, r->start_time, sizeof r->start_time);
	take_text(in, r->end_time, sizeof r->end_time);
	r->start_sample = take_count(in);
	r->end_sample = take_count(in);
	r->decided_sample = take_count(in);
	r->rate_hz = take_count(in);
	r->gap_count = take_count(in);
	r->dropped = take_count(in);
	r->score = take_real(in);
	r->threshold = take_real(in);
	r->start_s = take_real(in);
	r->end_s = take_real(in);
	r->level_dbfs = take_real(in);
	r->snr_db = take_real(in);
	r->gap_s = take_real(in);
	take_text(in, file, sizeof file);
	r->file = *file ? file : NULL;
	r->live = take_count(in) % 2 == 0;
}

static void same_text(const json_t *o, const char *key, const char *want)
{
	const char *have = json_string_value(json_object_get(o, key));
	json_t *utf8 = json_string(want);
	demand(have != NULL);
	bool plain = utf8 != NULL;
	for (const unsigned char *p = (const unsigned char *)want; *p; p++)
		plain = plain && *p >= 0x20 && *p != 0x7f && !(*p == 0xc2 && p[1] < 0xa0);
	demand(!plain || strcmp(have, want) == 0);
	json_decref(utf8);
}

/* A path is told with its control characters. */
static void same_path(const json_t *o, const char *want)
{
	json_t *utf8 = json_string(want);
	demand(!utf8 || json_equal(utf8, json_object_get(o, "file")));
	json_decref(utf8);
}

static void same_real(const json_t *o, const char *key, double want)
{
	const json_t *v = json_object_get(o, key);
	if (!isfinite(want))
		demand(json_is_null(v));
	else if (fabs(want) < 1e6)
		demand(fabs(json_real_value(v) - want) <= 0.51e-6);
	else
		demand(json_is_real(v) || json_is_null(v));
}

/* One object, on one line, that a terminal may see. */
static json_t *whole(const char *line, size_t n, size_t size)
{
	demand(n > 0 && n < size && strlen(line) == n);
	for (size_t i = 0; i < n; i++)
		demand((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	demand(json_is_object(o));
	return o;
}

static void check_report(const kws_report *r)
{
	char line[KWS_EVENT_JSON + 6 * sizeof file];
	const size_t n = kws_report_json(r, line, sizeof line);
	demand(r->file || n < KWS_EVENT_JSON);
	json_t *o = whole(line, n, sizeof line);
	same_text(o, "word", r->word);
	same_text(o, "model", r->model);
	if (*r->host)
		same_text(o, "host", r->host);
	if (r->file)
		same_path(o, r->file);
	if (r->live) {
		same_text(o, "device", r->device);
		same_text(o, "clip", r->clip);
		demand(json_integer_value(json_object_get(o, "dropped")) == (json_int_t)r->dropped);
	}
	same_real(o, "score", r->score);
	same_real(o, "start", r->start_s);
	same_real(o, "snr_db", r->snr_db);
	demand(json_integer_value(json_object_get(o, "end_sample")) == (json_int_t)r->end_sample);
	json_decref(o);
}

static void check_public(const kws_report *r)
{
	static kws_model *model;
	char line[KWS_EVENT_JSON + 6 * sizeof file];
	if (!model)
		model = tiny_model_open(&tiny_default);
	demand(model != NULL);
	const kws_event ev = {
		r->decided_sample,    r->start_sample,
		r->end_sample,	      (unsigned)(r->rate_hz % kws_model_n_words(model)),
		(float)r->score,      (float)r->threshold,
		(float)r->level_dbfs, (float)r->snr_db
	};
	kws_event_context c = KWS_EVENT_CONTEXT;
	c.file = r->file;
	c.stream = *r->model ? r->model : NULL;
	c.device = r->live ? r->device : NULL;
	c.host = r->host;
	c.wall = r->start_s;
	c.monotonic = r->end_s;
	c.gap_s = r->gap_s;
	c.gap_count = r->gap_count;
	c.gap_reason = r->word; /* longer than there is room for */
	c.clip = r->device;
	const size_t n = kws_event_json(&ev, model, &c, line, sizeof line);
	json_t *o = whole(line, n, sizeof line);
	same_text(o, "word", kws_model_word(model, ev.word));
	same_real(o, "snr_db", (double)ev.snr_db);
	json_decref(o);
	demand(kws_event_json(&ev, model, &c, line, n) == 0 && !*line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static kws_report r;
	char text[512];
	const char *name;
	input in = { data, data + size };
	fill(&r, &in);
	check_report(&r);
	check_public(&r);
	for (size_t i = 0; kws_report_field(&r, i, &name, text, sizeof text); i++)
		demand(name[0] && strlen(text) < sizeof text);
	kws_report_text(&r, text, sizeof text);
	demand(strlen(text) < sizeof text);
	fuzz_accepted = size > 0;
	return 0;
}
