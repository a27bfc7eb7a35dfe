#include "nearest.h"

#include <stdio.h>
#include <string.h>

enum { FAR = 1000 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Ignores case, and treats _ as -: people mix them up. */
static int plain(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 'a';
	return c == '_' ? '-' : c;
}

static int begins(const char *name, const char *text)
{
	while (*text && plain(*name) == plain(*text))
		name++, text++;
	return *text == '\0';
}

/* Typing errors between a and b: the optimal string alignment distance. It needs three rows of its
 * table, because two letters may be swapped. */
static unsigned slips(const char *a, const char *b)
{
	unsigned rows[3][KWS_NEAREST_LONGEST + 1];
	const size_t n = strlen(b);
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned *next = before;
		before = last;
		last = row;
		row = next;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			const unsigned other = plain(a[i - 1]) != plain(b[j - 1]);
			row[j] = least(last[j - 1] + other, least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2])
			    && plain(a[i - 2]) == plain(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[n];
}

void kws_nearest_init(kws_nearest *n, const char *text)
{
	*n = (kws_nearest){ .text = text, .distance = FAR };
}

void kws_nearest_offer(kws_nearest *n, const char *name)
{
	const size_t len = strlen(n->text);
	const unsigned most = 1 + (unsigned)len / 4;
	if (len == 0 || len > KWS_NEAREST_LONGEST || strlen(name) > KWS_NEAREST_LONGEST)
		return;
	unsigned distance = slips(n->text, name);
	if (distance > most || distance >= len) /* not when every letter differs */
		distance = FAR;
	if (len >= 2 && begins(name, n->text))
		distance = 0;
	if (distance >= n->distance)
		return;
	n->distance = distance;
	n->name = name;
}

const char *kws_nearest_hint(kws_nearest *n)
{
	n->hint[0] = '\0';
	if (n->name)
		snprintf(n->hint, sizeof n->hint, "; did you mean '%s'?", n->name);
	return n->hint;
}
