#include "daemon/conf.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- kinds of value: how each is read and written ---- */

typedef struct kws_conf_key kws_conf_key;

typedef struct {
	bool (*parse)(const kws_conf_key *k, const char *text, void *field);
	void (*print)(const kws_conf_key *k, const void *field, char *text, size_t n);
	void (*range)(const kws_conf_key *k, char *text, size_t n);
} kws_conf_kind;

struct kws_conf_key {
	const char *section, *name;
	const kws_conf_kind *kind;
	size_t offset;
	double min, max;
	const char *def;
};

static bool number(const char *text, double min, double max, double *out)
{
	char *end;

	if (isspace((unsigned char)*text) || !*text)
		return false;
	errno = 0;
	double v = strtod(text, &end);
	if (errno || *end || !isfinite(v) || v < min || v > max)
		return false;
	*out = v;
	return true;
}

static void range_number(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "%.10g..%.10g", k->min, k->max);
}

static bool parse_count(const kws_conf_key *k, const char *text, void *field)
{
	double v;

	/* digits only: neither 1e3, nor 0x10, nor 2.5 is a count */
	if (text[strspn(text, "0123456789")] || !number(text, k->min, k->max, &v))
		return false;
	unsigned u = (unsigned)v;
	memcpy(field, &u, sizeof u);
	return true;
}

static void print_count(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	unsigned u;

	(void)k;
	memcpy(&u, field, sizeof u);
	snprintf(text, n, "%u", u);
}

/* the shortest text that reads back as the same float */
static void write_real(float f, char *text, size_t n)
{
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, n, "%.*g", digits, (double)f);
		if ((float)strtod(text, NULL) == f)
			return;
	}
}

static bool parse_real(const kws_conf_key *k, const char *text, void *field)
{
	double v;

	if (!number(text, k->min, k->max, &v))
		return false;
	float f = (float)v;
	memcpy(field, &f, sizeof f);
	return true;
}

static void print_real(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	float f;

	(void)k;
	memcpy(&f, field, sizeof f);
	write_real(f, text, n);
}

/* a count or a real number, or "model": what the model file says */
static bool parse_count_or_model(const kws_conf_key *k, const char *text, void *field)
{
	int v = -1;
	unsigned u;

	if (strcmp(text, "model") != 0) {
		if (!parse_count(k, text, &u))
			return false;
		v = (int)u;
	}
	memcpy(field, &v, sizeof v);
	return true;
}

static void print_count_or_model(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	int v;

	(void)k;
	memcpy(&v, field, sizeof v);
	if (v < 0)
		snprintf(text, n, "model");
	else
		snprintf(text, n, "%d", v);
}

static bool parse_real_or_model(const kws_conf_key *k, const char *text, void *field)
{
	float f = -1.0f;

	if (strcmp(text, "model") != 0 && !parse_real(k, text, &f))
		return false;
	memcpy(field, &f, sizeof f);
	return true;
}

static void print_real_or_model(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	float f;

	memcpy(&f, field, sizeof f);
	if (f < 0.0f)
		snprintf(text, n, "model");
	else
		print_real(k, field, text, n);
}

static void range_or_model(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "%.10g..%.10g or model", k->min, k->max);
}

/* max is the size of the array */
static bool parse_text(const kws_conf_key *k, const char *text, void *field)
{
	size_t len = strlen(text);

	if ((double)len >= k->max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]))
			return false;
	memset(field, 0, (size_t)k->max);
	memcpy(field, text, len);
	return true;
}

static void print_text(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	(void)k;
	snprintf(text, n, "%s", (const char *)field);
}

static void range_text(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "text of at most %.0f bytes", k->max - 1);
}

static bool parse_path(const kws_conf_key *k, const char *text, void *field)
{
	return (!*text || *text == '/') && parse_text(k, text, field);
}

static void range_path(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "empty or an absolute path of at most %.0f bytes", k->max - 1);
}

static bool parse_command(const kws_conf_key *k, const char *text, void *field)
{
	char buf[KWS_CONF_TEXT], *argv[KWS_CONF_ARGS];
	int n = kws_conf_split(text, buf, sizeof buf, argv);

	return n >= 0 && (n == 0 || argv[0][0] == '/') && parse_text(k, text, field);
}

static void range_command(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "empty or an absolute path and arguments, at most %.0f bytes and %d words, quotes closed",
		 k->max - 1, KWS_CONF_ARGS - 1);
}

static bool parse_mode(const kws_conf_key *k, const char *text, void *field)
{
	unsigned u = 0;
	size_t n = strlen(text);

	if (n < 3 || n > 4 || text[strspn(text, "01234567")])
		return false;
	for (; *text; text++)
		u = u * 8 + (unsigned)(*text - '0');
	if (u > (unsigned)k->max)
		return false;
	memcpy(field, &u, sizeof u);
	return true;
}

static void print_mode(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	unsigned u;

	(void)k;
	memcpy(&u, field, sizeof u);
	snprintf(text, n, "%04o", u);
}

static void range_mode(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "0000..%04o (octal)", (unsigned)k->max);
}

typedef struct {
	const char *name;
	unsigned value;
} choice;

static const choice switches[] = { { "no", KWS_NO }, { "yes", KWS_YES }, { "auto", KWS_AUTO }, { NULL, 0 } };
static const choice levels[] = { { "error", 3 }, { "warning", 4 }, { "info", 6 }, { "debug", 7 }, { NULL, 0 } };

static const choice *choices_of(const kws_conf_key *k)
{
	return k->max > 2 ? levels : switches;
}

static bool parse_choice(const kws_conf_key *k, const char *text, void *field)
{
	for (const choice *c = choices_of(k); c->name; c++)
		if (!strcmp(c->name, text)) {
			memcpy(field, &c->value, sizeof c->value);
			return true;
		}
	return false;
}

static void print_choice(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	unsigned u;

	memcpy(&u, field, sizeof u);
	for (const choice *c = choices_of(k); c->name; c++)
		if (c->value == u)
			snprintf(text, n, "%s", c->name);
}

static void range_choice(const kws_conf_key *k, char *text, size_t n)
{
	size_t at = 0;

	for (const choice *c = choices_of(k); c->name && at < n; c++)
		at += (size_t)snprintf(text + at, n - at, "%s%s", at ? ", " : "", c->name);
}

static const kws_conf_kind count = { parse_count, print_count, range_number };
static const kws_conf_kind real = { parse_real, print_real, range_number };
static const kws_conf_kind count_or_model = { parse_count_or_model, print_count_or_model, range_or_model };
static const kws_conf_kind real_or_model = { parse_real_or_model, print_real_or_model, range_or_model };
static const kws_conf_kind text_kind = { parse_text, print_text, range_text };
static const kws_conf_kind path_kind = { parse_path, print_text, range_path };
static const kws_conf_kind command_kind = { parse_command, print_text, range_command };
static const kws_conf_kind mode_kind = { parse_mode, print_mode, range_mode };
static const kws_conf_kind choice_kind = { parse_choice, print_choice, range_choice };

/* ---- the table ---- */

#define AT(member) offsetof(kws_conf, member)
#define ROOM(member) (double)sizeof(((kws_conf *)0)->member)

static const kws_conf_key keys[] = {
	{ "audio", "device", &text_kind, AT(audio.device), 0, ROOM(audio.device), "default" },
	{ "audio", "rate_hz", &count, AT(audio.rate_hz), 0, 192000, "0" },
	{ "audio", "channels", &count, AT(audio.channels), 0, 32, "0" },
	{ "audio", "channel", &count, AT(audio.channel), 0, 32, "0" },
	{ "audio", "latency_ms", &count, AT(audio.latency_ms), 5, 1000, "40" },
	{ "audio", "stall_ms", &count, AT(audio.stall_ms), 100, 60000, "500" },
	{ "audio", "silence_s", &count, AT(audio.silence_s), 0, 86400, "60" },
	{ "audio", "backoff_ms", &count, AT(audio.backoff_ms), 50, 60000, "250" },
	{ "audio", "backoff_max_s", &count, AT(audio.backoff_max_s), 1, 3600, "30" },
	{ "audio", "open_s", &count, AT(audio.open_s), 1, 300, "15" },
	{ "audio", "teardown_ms", &count, AT(audio.teardown_ms), 100, 60000, "3000" },
	{ "model", "path", &path_kind, AT(model.path), 0, ROOM(model.path), KWS_MODEL_PATH },
	{ "decision", "smooth_ms", &count_or_model, AT(decision.smooth_ms), 0, 5000, "model" },
	{ "decision", "refractory_ms", &count_or_model, AT(decision.refractory_ms), 0, 60000, "model" },
	{ "decision", "threshold", &real_or_model, AT(decision.threshold), 0, 1, "model" },
	{ "stdout", "enabled", &choice_kind, AT(out.enabled), 0, 2, "auto" },
	{ "stdout", "queue", &count, AT(out.queue), 1, 4096, "64" },
	{ "journal", "enabled", &choice_kind, AT(journal.enabled), 0, 2, "auto" },
	{ "journal", "queue", &count, AT(journal.queue), 1, 4096, "64" },
	{ "file", "path", &path_kind, AT(file.path), 0, ROOM(file.path), "" },
	{ "file", "mode", &mode_kind, AT(file.mode), 0, 0777, "0640" },
	{ "file", "queue", &count, AT(file.queue), 1, 4096, "64" },
	{ "socket", "path", &path_kind, AT(socket.path), 0, ROOM(socket.path), "" },
	{ "socket", "mode", &mode_kind, AT(socket.mode), 0, 0777, "0660" },
	{ "socket", "group", &text_kind, AT(socket.group), 0, ROOM(socket.group), "" },
	{ "socket", "clients", &count, AT(socket.clients), 1, 1024, "32" },
	{ "socket", "buffer_kb", &count, AT(socket.buffer_kb), 4, 4096, "64" },
	{ "hook", "command", &command_kind, AT(hook.command), 0, ROOM(hook.command), "" },
	{ "hook", "timeout_ms", &count, AT(hook.timeout_ms), 10, 600000, "5000" },
	{ "hook", "at_once", &count, AT(hook.at_once), 1, 64, "2" },
	{ "hook", "queue", &count, AT(hook.queue), 1, 4096, "16" },
	{ "clips", "dir", &path_kind, AT(clips.dir), 0, ROOM(clips.dir), "" },
	{ "clips", "quota_mb", &count, AT(clips.quota_mb), 1, 1000000, "100" },
	{ "clips", "pre_ms", &count, AT(clips.pre_ms), 0, 5000, "500" },
	{ "clips", "post_ms", &count, AT(clips.post_ms), 0, 5000, "500" },
	{ "clips", "near_miss", &real, AT(clips.near_miss), 0, 1, "0" },
	{ "clips", "queue", &count, AT(clips.queue), 1, 64, "8" },
	{ "log", "level", &choice_kind, AT(log.level), 3, 7, "info" },
	{ "log", "stats_s", &count, AT(log.stats_s), 0, 86400, "0" },
	{ "service", "poll_ms", &count, AT(service.poll_ms), 5, 100, "20" },
	{ "service", "outage_s", &count, AT(service.outage_s), 0, 86400, "300" },
};

enum { N_KEYS = sizeof keys / sizeof keys[0] };

/* ---- reading ---- */

typedef struct {
	kws_conf *conf;
	const char *name;        /* of the file, or of the option */
	const char *text, *end;  /* what is left to read */
	int line, errors;        /* line 0: not from a file */
	int seen[N_KEYS];        /* line where the key stood before, 0: nowhere */
	int bad_line;            /* the line of which we spoke last */
	kws_conf_error_fn *fn;
	void *ctx;
} reader;

__attribute__((format(printf, 2, 3)))
static void complain(reader *r, const char *format, ...)
{
	char what[512], text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	if (r->line)
		snprintf(text, sizeof text, "%s:%d: %s", r->name, r->line, what);
	else
		snprintf(text, sizeof text, "%s: %s", r->name, what);
	r->errors++;
	r->bad_line = r->line;
	if (r->fn)
		r->fn(r->ctx, text);
}

static void set_key(reader *r, size_t i, const char *value)
{
	char range[160];

	if (r->line && r->seen[i]) {
		complain(r, "%s.%s: given twice, first in line %d", keys[i].section, keys[i].name, r->seen[i]);
		return;
	}
	r->seen[i] = r->line;
	if (keys[i].kind->parse(&keys[i], value, (char *)r->conf + keys[i].offset))
		return;
	keys[i].kind->range(&keys[i], range, sizeof range);
	complain(r, "%s.%s: %s is not in %s", keys[i].section, keys[i].name, *value ? value : "an empty value", range);
}

/* [threshold] has the model's words for keys; whether the model has them is checked when it is there. */
static void set_word(reader *r, const char *word, const char *value)
{
	kws_conf_decision *d = &r->conf->decision;
	double v = 2.0;
	size_t i;

	if (strlen(word) >= sizeof d->word[0].word) {
		complain(r, "threshold.%s: a word has at most %zu bytes", word, sizeof d->word[0].word - 1);
		return;
	}
	if (strcmp(value, "off") != 0 && !number(value, 0, 1, &v)) {
		complain(r, "threshold.%s: %s is not in 0..1 or off", word, *value ? value : "an empty value");
		return;
	}
	for (i = 0; i < d->n_words && strcmp(d->word[i].word, word) != 0; i++)
		continue;
	if (i < d->n_words && r->line) {
		complain(r, "threshold.%s: given twice", word);
		return;
	}
	if (i == KWS_CONF_WORDS) {
		complain(r, "threshold.%s: more than %d words", word, KWS_CONF_WORDS);
		return;
	}
	memset(&d->word[i], 0, sizeof d->word[i]);
	memcpy(d->word[i].word, word, strlen(word));
	d->word[i].threshold = (float)v;
	if (i == d->n_words)
		d->n_words++;
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
	reader *r = user;
	bool known = false;

	if (!strcmp(section, "threshold")) {
		set_word(r, name, value);
		return 1;
	}
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].section, section) != 0)
			continue;
		known = true;
		if (!strcmp(keys[i].name, name)) {
			set_key(r, i, value);
			return 1;
		}
	}
	if (!known && !*section)
		complain(r, "%s: stands before the first [section]", name);
	else if (!known)
		complain(r, "[%s]: no such section", section);
	else
		complain(r, "%s.%s: no such key", section, name);
	return 1;
}

/* inih's fgets: one line a call, which tells us the line's number before on_value is called with what stands in it.
 * Leading blanks are dropped, since inih would take an indented line for the continuation of the value before it. */
static char *next_line(char *str, int num, void *stream)
{
	reader *r = stream;
	const char *end;
	size_t len;

	if (r->text == r->end)
		return NULL;
	r->line++;
	end = memchr(r->text, '\n', (size_t)(r->end - r->text));
	end = end ? end : r->end;
	while (r->text < end && (*r->text == ' ' || *r->text == '\t'))
		r->text++;
	len = (size_t)(end - r->text);
	if (memchr(r->text, 0, len)) {
		complain(r, "a zero byte");
		len = 0;
	} else if (len + 2 > (size_t)num && *r->text != '#' && *r->text != ';') {
		complain(r, "the line has %zu bytes, at most %d are read", len, num - 2);
		len = 0;
	} else if (len + 2 > (size_t)num) {
		len = 0; /* a long comment */
	}
	memcpy(str, r->text, len);
	str[len] = '\n';
	str[len + 1] = 0;
	r->text = end < r->end ? end + 1 : end;
	return str;
}

void kws_conf_defaults(kws_conf *c)
{
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < N_KEYS; i++)
		keys[i].kind->parse(&keys[i], keys[i].def, (char *)c + keys[i].offset);
}

int kws_conf_parse(kws_conf *c, const char *name, const char *text, size_t len, kws_conf_error_fn *fn, void *ctx)
{
	reader r = { .conf = c, .name = name, .text = text, .end = text + len, .fn = fn, .ctx = ctx };
	int first = ini_parse_stream(next_line, &r, on_value, &r);

	if (first > 0 && !r.errors) {
		r.line = first;
		complain(&r, "neither [section] nor key = value");
	} else if (first < 0) {
		r.line = 0;
		complain(&r, "out of memory");
	}
	return r.errors;
}

int kws_conf_read(kws_conf *c, const char *path, kws_conf_error_fn *fn, void *ctx)
{
	reader r = { .conf = c, .name = path, .fn = fn, .ctx = ctx };
	enum { LIMIT = 1 << 20 };
	int errors;

	FILE *f = fopen(path, "re");
	if (!f) {
		complain(&r, "%s", strerror(errno));
		return 1;
	}
	char *text = malloc(LIMIT);
	size_t len = text ? fread(text, 1, LIMIT, f) : 0;
	if (!text || ferror(f) || len == LIMIT) {
		complain(&r, "%s", !text ? "out of memory" : len == LIMIT ? "larger than 1 MiB" : strerror(errno));
		errors = 1;
	} else {
		errors = kws_conf_parse(c, path, text, len, fn, ctx);
	}
	free(text);
	fclose(f);
	return errors;
}

int kws_conf_set(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx)
{
	reader r = { .conf = c, .name = assignment, .fn = fn, .ctx = ctx };
	char section[32], name[64];
	const char *dot = strchr(assignment, '.'), *eq = dot ? strchr(dot, '=') : NULL;

	if (!eq || (size_t)(dot - assignment) >= sizeof section || (size_t)(eq - dot - 1) >= sizeof name) {
		complain(&r, "want section.key=value");
		return r.errors;
	}
	snprintf(section, sizeof section, "%.*s", (int)(dot - assignment), assignment);
	snprintf(name, sizeof name, "%.*s", (int)(eq - dot - 1), dot + 1);
	on_value(&r, section, name, eq + 1);
	return r.errors;
}

int kws_conf_check(const kws_conf *c, const char *name, kws_conf_error_fn *fn, void *ctx)
{
	reader r = { .name = name, .fn = fn, .ctx = ctx };

	if (!*c->audio.device)
		complain(&r, "audio.device: empty; `kws devices` lists what there is");
	if (!*c->model.path)
		complain(&r, "model.path: empty; kwsd cannot listen without a model");
	if (c->audio.rate_hz && c->audio.rate_hz < 8000)
		complain(&r, "audio.rate_hz: %u is not 0 nor in 8000..192000", c->audio.rate_hz);
	if (c->audio.channels && c->audio.channel > c->audio.channels)
		complain(&r, "audio.channel: %u, but audio.channels is %u", c->audio.channel, c->audio.channels);
	if (c->audio.backoff_ms > c->audio.backoff_max_s * 1000)
		complain(&r, "audio.backoff_ms: %u is more than audio.backoff_max_s, %u s", c->audio.backoff_ms,
			 c->audio.backoff_max_s);
	return r.errors;
}

/* ---- printing ---- */

void kws_conf_print(const kws_conf *c, FILE *out)
{
	const char *section = "";
	char text[KWS_CONF_TEXT + 8];

	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(section, keys[i].section) != 0) {
			fprintf(out, "%s[%s]\n", *section ? "\n" : "", keys[i].section);
			section = keys[i].section;
		}
		keys[i].kind->print(&keys[i], (const char *)c + keys[i].offset, text, sizeof text);
		fprintf(out, "%s =%s%s\n", keys[i].name, *text ? " " : "", text);
	}
	fprintf(out, "\n[threshold]\n");
	for (size_t i = 0; i < c->decision.n_words; i++) {
		const kws_conf_word *w = &c->decision.word[i];

		if (w->threshold > 1.0f)
			snprintf(text, sizeof text, "off");
		else
			write_real(w->threshold, text, sizeof text);
		fprintf(out, "%s = %s\n", w->word, text);
	}
}

int kws_conf_split(const char *command, char *buf, size_t n, char *argv[KWS_CONF_ARGS])
{
	size_t at = 0;
	int argc = 0;
	bool quoted = false, in_word = false;

	for (const char *p = command; *p; p++) {
		if (!quoted && (*p == ' ' || *p == '\t')) {
			if (in_word && at < n)
				buf[at++] = 0;
			in_word = false;
			continue;
		}
		if (!in_word) {
			if (argc == KWS_CONF_ARGS - 1)
				return -1;
			argv[argc++] = buf + at;
			in_word = true;
		}
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (*p == '\\' && !*++p)
			return -1;
		if (at + 1 >= n)
			return -1;
		buf[at++] = *p;
	}
	if (quoted || at >= n)
		return -1;
	buf[at] = 0;
	argv[argc] = NULL;
	return argc;
}
