#include "daemon/conf.h"

#include "daemon/clips.h"
#include "daemon/conf_kinds.h"
#include "daemon/conf_text.h"

#include "nearest.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ---- */

#define AT(member)   offsetof(kws_conf, member)
#define ROOM(member) (double)sizeof(((kws_conf *)0)->member)

static const kws_conf_key keys[] = {
	{ "audio", "device", &kws_conf_device, AT(audio.device), 0, ROOM(audio.device), "default" },
	{ "audio", "rate_hz", &kws_conf_count, AT(audio.rate_hz), 0, 192000, "0" },
	{ "audio", "channels", &kws_conf_count, AT(audio.channels), 0, 32, "0" },
	{ "audio", "channel", &kws_conf_count, AT(audio.channel), 0, 32, "0" },
	{ "audio", "latency_ms", &kws_conf_count, AT(audio.latency_ms), 5, 1000, "40" },
	{ "audio", "stall_ms", &kws_conf_count, AT(audio.stall_ms), 100, 60000, "500" },
	{ "audio", "silence_s", &kws_conf_count, AT(audio.silence_s), 0, 86400, "60" },
	{ "audio", "backoff_ms", &kws_conf_count, AT(audio.backoff_ms), 50, 60000, "250" },
	{ "audio", "backoff_max_s", &kws_conf_count, AT(audio.backoff_max_s), 1, 3600, "30" },
	{ "audio", "open_s", &kws_conf_count, AT(audio.open_s), 1, 300, "15" },
	{ "audio", "teardown_ms", &kws_conf_count, AT(audio.teardown_ms), 100, 60000, "3000" },
	{ "model", "path", &kws_conf_path, AT(model.path), 0, ROOM(model.path), KWS_MODEL_PATH },
	{ "decision", "smooth_ms", &kws_conf_count_or_model, AT(decision.smooth_ms), 0, 5000,
	  "model" },
	{ "decision", "refractory_ms", &kws_conf_count_or_model, AT(decision.refractory_ms), 0,
	  60000, "model" },
	{ "decision", "threshold", &kws_conf_real_or_model, AT(decision.threshold), 0, 1, "model" },
	{ "stdout", "enabled", &kws_conf_choice, AT(out.enabled), 0, 2, "auto" },
	{ "stdout", "queue", &kws_conf_count, AT(out.queue), 1, 4096, "64" },
	{ "journal", "enabled", &kws_conf_choice, AT(journal.enabled), 0, 2, "auto" },
	{ "journal", "queue", &kws_conf_count, AT(journal.queue), 1, 4096, "64" },
	{ "file", "path", &kws_conf_path, AT(file.path), 0, ROOM(file.path), "" },
	{ "file", "mode", &kws_conf_mode, AT(file.mode), 0, 0777, "0640" },
	{ "file", "queue", &kws_conf_count, AT(file.queue), 1, 4096, "64" },
	{ "socket", "path", &kws_conf_path, AT(socket.path), 0, ROOM(socket.path), "" },
	{ "socket", "mode", &kws_conf_mode, AT(socket.mode), 0, 0777, "0666" },
	{ "socket", "group", &kws_conf_text, AT(socket.group), 0, ROOM(socket.group), "" },
	{ "socket", "clients", &kws_conf_count, AT(socket.clients), 1, 1024, "32" },
	{ "socket", "buffer_kb", &kws_conf_count, AT(socket.buffer_kb), 4, 4096, "64" },
	{ "hook", "command", &kws_conf_command, AT(hook.command), 0, ROOM(hook.command), "" },
	{ "hook", "timeout_ms", &kws_conf_count, AT(hook.timeout_ms), 10, 600000, "5000" },
	{ "hook", "at_once", &kws_conf_count, AT(hook.at_once), 1, 64, "2" },
	{ "hook", "queue", &kws_conf_count, AT(hook.queue), 1, 4096, "16" },
	{ "clips", "dir", &kws_conf_path, AT(clips.dir), 0, ROOM(clips.dir), "" },
	{ "clips", "quota_mb", &kws_conf_count, AT(clips.quota_mb), 1, 1000000, "100" },
	{ "clips", "pre_ms", &kws_conf_count, AT(clips.pre_ms), 0, 5000, "500" },
	{ "clips", "post_ms", &kws_conf_count, AT(clips.post_ms), 0, 5000, "500" },
	{ "clips", "near_miss", &kws_conf_real, AT(clips.near_miss), 0, 1, "0" },
	{ "clips", "queue", &kws_conf_count, AT(clips.queue), 1, 64, "8" },
	{ "log", "level", &kws_conf_choice, AT(log.level), 3, 7, "info" },
	{ "log", "stats_s", &kws_conf_count, AT(log.stats_s), 0, 86400, "0" },
	{ "service", "poll_ms", &kws_conf_count, AT(service.poll_ms), 5, 100, "20" },
	{ "service", "outage_s", &kws_conf_count, AT(service.outage_s), 0, 86400, "300" },
};

enum { N_KEYS = sizeof keys / sizeof keys[0], LINE = 256 };

/* ---- reading ---- */

typedef struct {
	kws_conf *conf;
	const char *name;	/* of the file, or of the option */
	const char *text, *end; /* what is left to read */
	char value[LINE];	/* of this line, with its quotes and comment */
	int line, errors;	/* line 0: not from a file */
	int seen[N_KEYS];	/* line where the key stood before, 0: nowhere */
	int bad_line;		/* the line of which we spoke last */
	kws_conf_error_fn *fn;
	void *ctx;
} reader;

__attribute__((format(printf, 2, 3))) static void complain(reader *r, const char *format, ...)
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
		complain(r, "%s.%s: given twice, first in line %d", keys[i].section, keys[i].name,
			 r->seen[i]);
		return;
	}
	r->seen[i] = r->line;
	if (keys[i].kind->parse(&keys[i], value, (char *)r->conf + keys[i].offset))
		return;
	keys[i].kind->range(&keys[i], range, sizeof range);
	complain(r, "%s.%s: %s is not in %s", keys[i].section, keys[i].name,
		 *value ? value : "an empty value", range);
}

/* As the name before the = of a line that reads back the same? */
static bool can_be_key(const char *word)
{
	const size_t n = strlen(word);

	if (!n || strpbrk(word, "=:") || strchr("[#; \t", word[0]) || strchr(" \t", word[n - 1])
	    || strstr(word, " ;") || strstr(word, " #"))
		return false;
	for (size_t i = 0; i < n; i++)
		if (iscntrl((unsigned char)word[i]))
			return false;
	return true;
}

/* [threshold] has the model's words for keys; whether the model has them is checked when it is
 * there. */
static void set_word(reader *r, const char *word, const char *value)
{
	kws_conf_decision *d = &r->conf->decision;
	double v = 2.0;
	size_t i;

	if (strlen(word) >= sizeof d->word[0].word) {
		complain(r, "threshold.%s: a word has at most %zu bytes", word,
			 sizeof d->word[0].word - 1);
		return;
	}
	if (!can_be_key(word)) {
		complain(r, "threshold.%s: no line of a file could name such a word", word);
		return;
	}
	if (strcmp(value, "off") != 0 && !kws_conf_number(value, 0, 1, &v)) {
		complain(r, "threshold.%s: %s is not in 0..1 or off", word,
			 *value ? value : "an empty value");
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

static void unknown(reader *r, bool section_known, const char *section, const char *name)
{
	kws_nearest near;

	kws_nearest_init(&near, section_known ? name : section);
	for (size_t i = 0; i < N_KEYS; i++)
		if (!section_known)
			kws_nearest_offer(&near, keys[i].section);
		else if (!strcmp(keys[i].section, section))
			kws_nearest_offer(&near, keys[i].name);
	if (!section_known)
		kws_nearest_offer(&near, "threshold");
	if (section_known)
		complain(r, "%s.%s: no such key%s", section, name, kws_nearest_hint(&near));
	else
		complain(r, "[%s]: no such section%s", section, kws_nearest_hint(&near));
}

static void set(reader *r, const char *section, const char *name, const char *value)
{
	bool known = false;

	if (!strcmp(section, "threshold")) {
		set_word(r, name, value);
		return;
	}
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].section, section) != 0)
			continue;
		known = true;
		if (!strcmp(keys[i].name, name)) {
			set_key(r, i, value);
			return;
		}
	}
	if (!known && !*section)
		complain(r, "%s: stands before the first [section]", name);
	else
		unknown(r, known, section, name);
}

/* inih's own value knows no quotes: the line's is taken. */
static int on_value(void *user, const char *section, const char *name, const char *value)
{
	reader *r = user;
	char text[LINE];
	const char *why = kws_conf_cut(
		r->value, !strcmp(section, "hook") && !strcmp(name, "command"), text, sizeof text);

	(void)value;
	if (why)
		complain(r, "%s.%s: %s: %s", section, name, r->value, why);
	else
		set(r, section, name, text);
	return 1;
}

/* A section's line may hold nothing else: inih would not say that it was left out. */
static bool lone_section(const char *line, size_t len)
{
	const char *close = memchr(line, ']', len);
	size_t at = close ? (size_t)(close + 1 - line) : len;

	while (at < len && strchr(" \t\r", line[at]))
		at++;
	return at == len || line[at] == '#' || line[at] == ';';
}

static void keep_value(reader *r, const char *line, size_t len)
{
	char text[LINE];

	snprintf(text, sizeof text, "%.*s", (int)len, line);
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = 0;
	char *value = strpbrk(text, "=:");
	value = value ? value + 1 : text;
	snprintf(r->value, sizeof r->value, "%s", value + strspn(value, " \t"));
}

/* inih's fgets: one line a call, which tells us the line's number before on_value is called with
 * what stands in it. Leading blanks are dropped, since inih would take an indented line for the
 * continuation of the value before it. */
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
	} else if (len && *r->text == '[' && !lone_section(r->text, len)) {
		complain(r, "more stands behind the [section]");
		len = 0;
	}
	keep_value(r, r->text, len);
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

int kws_conf_parse(kws_conf *c, const char *name, const char *text, size_t len,
		   kws_conf_error_fn *fn, void *ctx)
{
	reader r = {
		.conf = c, .name = name, .text = text, .end = text + len, .fn = fn, .ctx = ctx
	};
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
	char *text = malloc(LIMIT);
	ssize_t len = text ? kws_conf_load(path, text, LIMIT) : 0;
	int errors = 1;

	if (!text)
		complain(&r, "out of memory");
	else if (len < 0 && errno == ETIMEDOUT)
		complain(&r, "nothing came for %d s, nor the end", KWS_CONF_PATIENCE_MS / 1000);
	else if (len < 0)
		complain(&r, "%s", kws_strerrno(errno));
	else if (len == LIMIT)
		complain(&r, "larger than 1 MiB");
	else
		errors = kws_conf_parse(c, path, text, (size_t)len, fn, ctx);
	free(text);
	return errors;
}

int kws_conf_set(kws_conf *c, const char *assignment, kws_conf_error_fn *fn, void *ctx)
{
	reader r = { .conf = c, .name = assignment, .fn = fn, .ctx = ctx };
	char section[32], name[64];
	const char *dot = strchr(assignment, '.'), *eq = dot ? strchr(dot, '=') : NULL;

	if (!eq || (size_t)(dot - assignment) >= sizeof section
	    || (size_t)(eq - dot - 1) >= sizeof name) {
		complain(&r, "want section.key=value");
		return r.errors;
	}
	snprintf(section, sizeof section, "%.*s", (int)(dot - assignment), assignment);
	snprintf(name, sizeof name, "%.*s", (int)(eq - dot - 1), dot + 1);
	set(&r, section, name, eq + 1);
	return r.errors;
}

/* What may lie in buffers while others are slow, so that the unit's MemoryMax= has room for it beside
 * the largest model, twice. */
static void check_memory(reader *r, const kws_conf *c)
{
	enum { MOST_MB = 288, KERNEL_KB = 208 }; /* the kernel's own buffer of a socket */
	unsigned hz = c->audio.rate_hz ? c->audio.rate_hz : 192000,
		 ms = c->clips.pre_ms + c->clips.post_ms + KWS_CLIP_WORD_MS;
	double readers = *c->socket.path ? c->socket.clients / 1024.0
						   * (c->socket.buffer_kb + (double)KERNEL_KB)
					 : 0.0;
	double clips = *c->clips.dir ? c->clips.queue * 1e-3 * ms * hz * 2.0 / (1 << 20) : 0.0;

	if (readers + clips <= MOST_MB)
		return;
	complain(r,
		 "buffers would take %.0f MiB, at most %d: socket.clients = %u x (socket.buffer_kb "
		 "= %u "
		 "+ the kernel's %d) KiB: %.0f MiB; clips.queue = %u x %u ms at %u Hz: %.0f MiB",
		 readers + clips, MOST_MB, c->socket.clients, c->socket.buffer_kb, KERNEL_KB,
		 readers, c->clips.queue, ms, hz, clips);
}

int kws_conf_check(const kws_conf *c, const char *name, kws_conf_error_fn *fn, void *ctx)
{
	reader r = { .name = name, .fn = fn, .ctx = ctx };

	if (!*c->model.path)
		complain(&r, "model.path: empty; kwsd cannot listen without a model");
	if (c->audio.rate_hz && c->audio.rate_hz < 8000)
		complain(&r, "audio.rate_hz: %u is not 0 nor in 8000..192000", c->audio.rate_hz);
	if (c->audio.channels && c->audio.channel > c->audio.channels)
		complain(&r, "audio.channel: %u, but audio.channels is %u", c->audio.channel,
			 c->audio.channels);
	if (c->audio.backoff_ms > c->audio.backoff_max_s * 1000)
		complain(&r, "audio.backoff_ms: %u is more than audio.backoff_max_s, %u s",
			 c->audio.backoff_ms, c->audio.backoff_max_s);
	check_memory(&r, c);
	return r.errors;
}

/* ---- printing ---- */

void kws_conf_print(const kws_conf *c, FILE *out)
{
	const char *section = "";
	char text[LINE];

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
			kws_conf_write_real(w->threshold, text, sizeof text);
		fprintf(out, "%s = %s\n", w->word, text);
	}
}
