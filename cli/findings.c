#include "cli/findings.h"

#include <stdarg.h>
#include <string.h>

enum { LONGEST = 1024 };

static const char *const verdict_names[] = { "ok", "odd", "bad" };

static void finish_line(kws_diagnosis *f)
{
	if (f->open)
		kws_out_json_line(f->open);
	f->open = NULL;
}

/* Print a line of text. Control characters would break it. */
static void say(const char *before, const char *text)
{
	fputs(before, stdout);
	kws_out_visible(stdout, text);
	putchar('\n');
	kws_out_flush();
}

void kws_find(kws_diagnosis *f, enum kws_verdict verdict, const char *format, ...)
{
	static const char *const marks[] = { "ok   ", "odd  ", "BAD  " };
	char text[LONGEST];
	va_list more;
	va_start(more, format);
	vsnprintf(text, sizeof text, format, more);
	va_end(more);
	f->n[verdict]++;
	if (f->format == KWS_FORMAT_TEXT) {
		say(marks[verdict], text);
		return;
	}
	finish_line(f);
	f->open = json_object();
	kws_out_set(f->open, "verdict", json_string(verdict_names[verdict]));
	kws_out_set_text(f->open, "what", text);
	kws_out_set(f->open, "advice", json_array());
	kws_out_set(f->open, "paste", json_array());
}

__attribute__((format(printf, 4, 0))) static void
add(kws_diagnosis *f, const char *key, const char *before, const char *format, va_list more)
{
	char text[LONGEST];
	vsnprintf(text, sizeof text, format, more);
	if (f->format == KWS_FORMAT_TEXT)
		say(before, text);
	else
		kws_out_append(json_object_get(f->open, key), kws_out_json_text(text));
}

void kws_find_advise(kws_diagnosis *f, const char *format, ...)
{
	va_list more;
	va_start(more, format);
	add(f, "advice", "     -> ", format, more);
	va_end(more);
}

void kws_find_paste(kws_diagnosis *f, const char *format, ...)
{
	va_list more;
	va_start(more, format);
	add(f, "paste", "        ", format, more);
	va_end(more);
}

const char *kws_find_quoted(const char *name, char *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+:,@%=";
	size_t n = 0;
	if (name[0] && !name[strspn(name, plain)]) {
		snprintf(out, KWS_FIND_QUOTED, "%s", name);
		return out;
	}
	out[n++] = '\'';
	for (; *name && n < KWS_FIND_QUOTED - 8; name++) {
		/* a quote inside: end, a quoted quote, begin */
		if (*name == '\'')
			n += (size_t)snprintf(out + n, KWS_FIND_QUOTED - n, "'\\'");
		out[n++] = *name;
	}
	out[n++] = '\'';
	out[n] = '\0';
	return out;
}

void kws_find_end(kws_diagnosis *f)
{
	if (f->format == KWS_FORMAT_TEXT) {
		printf("%u bad, %u odd\n", f->n[KWS_FIND_BAD], f->n[KWS_FIND_ODD]);
		return;
	}
	finish_line(f);
	json_t *o = json_object(), *sum = json_object();
	for (int i = 0; i <= KWS_FIND_BAD; i++)
		kws_out_set_size(sum, verdict_names[i], f->n[i]);
	kws_out_set(o, "summary", sum);
	kws_out_json_line(o);
}
