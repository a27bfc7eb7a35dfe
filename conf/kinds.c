#include "conf/kinds.h"

#include "conf/conf.h"
#include "conf/text.h"
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void range_number(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "in %.10g..%.10g", k->min, k->max);
}

static bool parse_count(const kws_conf_key *k, const char *text, void *field)
{
	double v;

	/* digits only: 1e3, 0x10 and 2.5 are not counts */
	if (text[strspn(text, "0123456789")] || !kws_number_real(text, k->min, k->max, &v))
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
void kws_conf_write_real(float f, char *text, size_t n)
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

	if (!kws_number_real(text, k->min, k->max, &v))
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
	kws_conf_write_real(f, text, n);
}

/* a count or a real number, or "model": the value in the model file */
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
	if (v >= 0)
		snprintf(text, n, "%d", v);
	else
		snprintf(text, n, "%s", v == KWS_CONF_UNSAID ? "" : "model");
}

/* a count, or "power": the longest that saves power and still answers at once */
static bool parse_latency(const kws_conf_key *k, const char *text, void *field)
{
	const unsigned power = KWS_CONF_POWER_MS;

	if (strcmp(text, "power") != 0)
		return parse_count(k, text, field);
	memcpy(field, &power, sizeof power);
	return true;
}

static void range_latency(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "in %.10g..%.10g or power", k->min, k->max);
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
	if (f >= 0.0f)
		print_real(k, field, text, n);
	else
		snprintf(text, n, "%s", f < -1.0f ? "" : "model");
}

static void range_or_model(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "in %.10g..%.10g or model", k->min, k->max);
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

/* max is the size of the array */
static bool parse_text(const kws_conf_key *k, const char *text, void *field)
{
	size_t len = strlen(text);

	if ((double)len >= k->max || !is_plain(text) || !kws_conf_quote(text, NULL, 0))
		return false;
	memset(field, 0, (size_t)k->max);
	memcpy(field, text, len);
	return true;
}

static void print_text(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	(void)k;
	kws_conf_quote(field, text, n);
}

static void range_text(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "text of at most %.0f bytes", k->max - 1);
}

/* Device numbers (1, hw:1,0 and the like) may change at every start, so they are not stable
 * names. */
static bool is_number(const char *name)
{
	static const char *const before[] = { "plughw:", "hw:", "CARD=" };

	for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
		if (!strncmp(name, before[i], strlen(before[i])))
			name += strlen(before[i]);
	while (*name && *name != ',' && !isalpha((unsigned char)*name)
	       && (unsigned char)*name < 128)
		name++;
	return !*name || *name == ',';
}

static bool parse_device(const kws_conf_key *k, const char *text, void *field)
{
	return !is_number(text) && strcmp(text, "raw:") != 0 && parse_text(k, text, field);
}

static void range_device(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n,
		 "a name of at most %.0f bytes (never a number, which changes from start to start; "
		 "`kws devices` lists names)",
		 k->max - 1);
}

static bool parse_path(const kws_conf_key *k, const char *text, void *field)
{
	return (!*text || *text == '/') && parse_text(k, text, field);
}

static void range_path(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "empty or an absolute path of at most %.0f bytes", k->max - 1);
}

/* auto: in a folder that systemd provides */
static bool parse_path_or_auto(const kws_conf_key *k, const char *text, void *field)
{
	return !strcmp(text, "auto") ? parse_text(k, text, field) : parse_path(k, text, field);
}

static void range_path_or_auto(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "auto, empty or an absolute path of at most %.0f bytes", k->max - 1);
}

static bool parse_name(const kws_conf_key *k, const char *text, void *field)
{
	return (!*text || kws_is_name(text, strlen(text))) && parse_text(k, text, field);
}

static void range_name(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n, "empty or a name: 1 to %.0f of A-Z a-z 0-9 _ -", k->max - 1);
}

static bool parse_names(const kws_conf_key *k, const char *text, void *field)
{
	static const char between[] = ", \t";
	char names[KWS_CONF_TEXT] = "";
	size_t n = 0;

	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		const size_t len = strcspn(text, between);

		if (!kws_is_name(text, len) || n + len + 2 > sizeof names)
			return false;
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%.*s", n ? " " : "", (int)len,
				      text);
		text += len;
	}
	return parse_text(k, names, field);
}

static void range_names(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n,
		 "empty or names with commas or blanks between, at most %.0f bytes; a name is 1 to "
		 "%d of A-Z a-z 0-9 _ -",
		 k->max - 1, KWS_CONF_NAME - 1);
}

/* Remove blanks at both ends of a command: they mean nothing, and a line of a file loses them.
 * False: the last blank is escaped, but a line of a file would lose it, too. */
static bool trim(char *command)
{
	char *first = command + strspn(command, " \t"), *end = first + strlen(first);
	size_t escapes = 0;

	while (end > first && strchr(" \t", end[-1]))
		end--;
	while (*end && end - first > (ptrdiff_t)escapes && end[-1 - (ptrdiff_t)escapes] == '\\')
		escapes++;
	*end = 0;
	memmove(command, first, strlen(first) + 1);
	return escapes % 2 == 0;
}

static bool parse_command(const kws_conf_key *k, const char *text, void *field)
{
	char safe[KWS_CONF_TEXT], buf[KWS_CONF_TEXT], *argv[KWS_CONF_ARGS];
	int n = kws_conf_split(text, buf, sizeof buf, argv);

	if (n < 0 || (n > 0 && argv[0][0] != '/') || !kws_conf_guard(text, safe, sizeof safe)
	    || !trim(safe) || !is_plain(safe))
		return false;
	memset(field, 0, (size_t)k->max);
	memcpy(field, safe, strlen(safe));
	return true;
}

static void print_command(const kws_conf_key *k, const void *field, char *text, size_t n)
{
	(void)k;
	snprintf(text, n, "%s", (const char *)field);
}

static void range_command(const kws_conf_key *k, char *text, size_t n)
{
	snprintf(text, n,
		 "empty or an absolute path and arguments, at most %.0f bytes and %d words, quotes "
		 "closed",
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
	snprintf(text, n, "in 0000..%04o (octal)", (unsigned)k->max);
}

typedef struct {
	const char *name;
	unsigned value;
} choice;

static const choice switches[] = {
	{ "no", KWS_NO }, { "yes", KWS_YES }, { "auto", KWS_AUTO }, { NULL, 0 }
};
static const choice levels[] = {
	{ "error", 3 }, { "warning", 4 }, { "info", 6 }, { "debug", 7 }, { NULL, 0 }
};

/* Only values up to max: a switch of 0..1 has no auto. */
static const choice *choices_of(const kws_conf_key *k)
{
	return k->max > 2 ? levels : switches;
}

static bool parse_choice(const kws_conf_key *k, const char *text, void *field)
{
	for (const choice *c = choices_of(k); c->name && c->value <= k->max; c++)
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
	size_t at = (size_t)snprintf(text, n, "one of");

	for (const choice *c = choices_of(k); c->name && c->value <= k->max && at < n; c++)
		at += (size_t)snprintf(text + at, n - at, "%s%s", c == choices_of(k) ? " " : ", ",
				       c->name);
}

#define KIND(name, parse, print, range, place)                                                     \
	const kws_conf_kind kws_conf_##name = { parse, print, range, KWS_CONF_##place }

KIND(count, parse_count, print_count, range_number, NOWHERE);
KIND(events, parse_count, print_count, range_number, NOWHERE);
KIND(real, parse_real, print_real, range_number, NOWHERE);
KIND(latency, parse_latency, print_count, range_latency, NOWHERE);
KIND(count_or_model, parse_count_or_model, print_count_or_model, range_or_model, NOWHERE);
KIND(real_or_model, parse_real_or_model, print_real_or_model, range_or_model, NOWHERE);
KIND(text, parse_text, print_text, range_text, NOWHERE);
KIND(device, parse_device, print_text, range_device, NOWHERE);
KIND(path, parse_path, print_text, range_path, NOWHERE);
KIND(path_or_auto, parse_path_or_auto, print_text, range_path_or_auto, NOWHERE);
KIND(file_path, parse_path, print_text, range_path, A_FILE);
KIND(socket_path, parse_path, print_text, range_path, A_SOCKET);
KIND(folder_path, parse_path, print_text, range_path, A_FOLDER);
KIND(file_path_or_auto, parse_path_or_auto, print_text, range_path_or_auto, A_FILE);
KIND(socket_path_or_auto, parse_path_or_auto, print_text, range_path_or_auto, A_SOCKET);
KIND(name, parse_name, print_text, range_name, NOWHERE);
KIND(names, parse_names, print_text, range_names, NOWHERE);
KIND(command, parse_command, print_command, range_command, NOWHERE);
KIND(mode, parse_mode, print_mode, range_mode, NOWHERE);
KIND(choice, parse_choice, print_choice, range_choice, NOWHERE);
