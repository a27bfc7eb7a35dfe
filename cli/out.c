#include "cli/out.h"

#include "cli/cli.h"
#include "kws.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int write_error; /* errno of the first failure on stdout */

static const char *const format_names[KWS_N_FORMATS] = {
	[KWS_FORMAT_TEXT] = "text",
	[KWS_FORMAT_JSONL] = "jsonl",
	[KWS_FORMAT_CSV] = "csv",
	[KWS_FORMAT_AUDACITY] = "audacity",
};

bool kws_out_format(const char *name, enum kws_format *out)
{
	name = strcmp(name, "json") == 0 ? "jsonl" : name;
	for (unsigned f = 0; f < KWS_N_FORMATS; f++)
		if (strcmp(name, format_names[f]) == 0) {
			*out = (enum kws_format)f;
			return true;
		}
	return false;
}

const char *kws_out_format_name(enum kws_format format)
{
	return format_names[format];
}

void kws_out_visible(FILE *to, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			fprintf(to, "\\x%02x", *p);
		else
			putc(*p, to);
}

void kws_out_complain(const char *format, ...)
{
	char text[8192];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fputs("kws: ", stderr);
	kws_out_visible(stderr, text);
	putc('\n', stderr);
}

void kws_out_complain_of(const char *path, const char *text)
{
	if (strncmp(text, path, strlen(path)) == 0)
		kws_out_complain("%s", text);
	else
		kws_out_complain("%s: %s", path, text);
}

void kws_out_problems(kws_problems *p)
{
	for (size_t i = 0; i < p->n; i++)
		kws_out_complain("%s", p->text[i]);
	if (p->lost)
		kws_out_complain("%s: %zu further problems cannot be listed",
				 kws_strerror(KWS_ERR_NOMEM), p->lost);
	kws_problems_free(p);
}

void kws_out_notes(const kws_notes *notes)
{
	kws_problems problems = { 0 };
	kws_notes_report(notes, &problems);
	kws_out_problems(&problems);
}

void kws_out_csv(FILE *to, const char *text)
{
	size_t n = strlen(text);
	if (!strpbrk(text, ",\"\r\n") && (n == 0 || (text[0] != ' ' && text[n - 1] != ' '))) {
		fputs(text, to);
		return;
	}
	putc('"', to);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', to);
		putc(*text, to);
	}
	putc('"', to);
}

json_t *kws_out_json_text(const char *text)
{
	char *good = malloc(3 * strlen(text) + 1), *to = good;
	if (!good)
		return NULL;
	while (*text) {
		size_t n = kws_utf8_length(text);
		memcpy(to, n ? text : "\xef\xbf\xbd", n ? n : 3);
		to += n ? n : 3;
		text += n ? n : 1;
	}
	*to = '\0';
	json_t *s = json_string(good);
	free(good);
	return s;
}

json_t *kws_out_json_real(double x)
{
	return isfinite(x) ? json_real(rint(x * 1e6) / 1e6) : json_null();
}

void kws_out_no_memory(void)
{
	if (!write_error)
		write_error = ENOMEM;
}

bool kws_out_is_whole(void)
{
	return !write_error;
}

void kws_out_set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		kws_out_no_memory();
}

void kws_out_append(json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) != 0)
		kws_out_no_memory();
}

void kws_out_set_text(json_t *object, const char *key, const char *text)
{
	kws_out_set(object, key, kws_out_json_text(text));
}

void kws_out_set_real(json_t *object, const char *key, double x)
{
	kws_out_set(object, key, kws_out_json_real(x));
}

void kws_out_set_float(json_t *object, const char *key, float x)
{
	char text[32];
	snprintf(text, sizeof text, "%.7g", (double)x);
	kws_out_set(object, key, json_real(strtod(text, NULL)));
}

void kws_out_set_size(json_t *object, const char *key, uint64_t n)
{
	kws_out_set(object, key, json_integer((json_int_t)n));
}

void kws_out_set_pair(json_t *object, const char *key, double first, double second)
{
	json_t *both = json_array();
	kws_out_append(both, kws_out_json_real(first));
	kws_out_append(both, kws_out_json_real(second));
	kws_out_set(object, key, both);
}

void kws_out_json_line(json_t *object)
{
	if (json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0 && !write_error)
		write_error = errno ? errno : ENOMEM;
	putchar('\n');
	json_decref(object);
}

bool kws_out_flush(void)
{
	if ((fflush(stdout) != 0 || ferror(stdout)) && !write_error)
		write_error = errno ? errno : EIO;
	return !write_error;
}

/* jansson continues without memory that it cannot get, and loses characters. */
static void *for_jansson(size_t n)
{
	void *p = malloc(n);
	if (!p)
		kws_out_no_memory();
	return p;
}

void kws_out_start(void)
{
	json_set_alloc_funcs(for_jansson, free);
}

int kws_out_finish(int status)
{
	bool good = kws_out_flush();
	if (fclose(stdout) != 0 && good) {
		write_error = errno;
		good = false;
	}
	if (good)
		return status;
	if (write_error == ENOMEM)
		kws_out_complain("%s: the output is incomplete", kws_strerror(KWS_ERR_NOMEM));
	else if (write_error != EPIPE)
		kws_out_complain("standard output: %s", strerror(write_error));
	return status == KWS_EXIT_OK ? KWS_EXIT_INPUT : status;
}
