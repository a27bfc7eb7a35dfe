#include "corpus/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Owns text, which may be NULL. */
static void put(kws_problems *p, char *text)
{
	if (text && p->n == p->cap) {
		const size_t cap = p->cap ? 2 * p->cap : 16;
		char **grown = realloc(p->text, cap * sizeof *grown);
		if (grown) {
			p->text = grown;
			p->cap = cap;
		}
	}
	if (text && p->n < p->cap) {
		p->text[p->n++] = text;
		return;
	}
	free(text);
	p->lost++;
}

void kws_problems_add(kws_problems *p, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	const int n = vsnprintf(NULL, 0, format, args);
	char *text = n < 0 ? NULL : malloc((size_t)n + 1);
	if (text)
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	va_end(args);
	put(p, text);
}

void kws_problems_add_of(kws_problems *p, const char *path, const char *text)
{
	if (strncmp(text, path, strlen(path)) == 0)
		kws_problems_add(p, "%s", text);
	else
		kws_problems_add(p, "%s: %s", path, text);
}

void kws_problems_move(kws_problems *to, kws_problems *from)
{
	for (size_t i = 0; i < from->n; i++)
		put(to, from->text[i]);
	to->lost += from->lost;
	from->n = 0;
	kws_problems_free(from);
}

void kws_problems_free(kws_problems *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->text[i]);
	free(p->text);
	*p = (kws_problems){ 0 };
}
