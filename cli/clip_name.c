#include "cli/clip_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STAMP = 20, /* bytes of 20260301T120000.250Z */
	LONG = 39,  /* most bytes of a word in the name of a clip */
	CUT = 27    /* the same with a listener's name before it */
};

static bool copy(char *to, size_t size, const char *from, size_t n)
{
	if (!n || n >= size)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

bool kws_clip_name_read(kws_clip_name *c, const char *name)
{
	static const char form[] = "00000000T000000.000Z-", near[] = "-near", suffix[] = ".wav";
	size_t n = strlen(name);
	*c = (kws_clip_name){ 0 };
	if (n < STAMP + 1 + sizeof suffix || strcmp(name + n - 4, suffix) != 0)
		return false;
	for (size_t i = 0; i <= STAMP; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)name[i]) : name[i] != form[i])
			return false;
	n -= 4;
	c->near = n > 5 && memcmp(name + n - 5, near, 5) == 0;
	n -= c->near ? 5 : 0;
	size_t dash = n;
	while (dash > STAMP && name[dash - 1] != '-')
		dash--;
	if (dash <= STAMP + 1 || dash == n || strspn(name + dash, "0123456789") < n - dash)
		return false;
	c->percent = (unsigned)strtoul(name + dash, NULL, 10);
	const char *who = name + STAMP + 1, *end = name + dash - 1, *word = who;
	for (const char *p = who; p < end; p++)
		if (*p == '-')
			word = p + 1;
	snprintf(c->when, sizeof c->when, "%.4s-%.2s-%.2s %.2s:%.2s:%.6s", name, name + 4, name + 6,
		 name + 9, name + 11, name + 13);
	return copy(c->word, sizeof c->word, word, (size_t)(end - word))
	       && (word == who
		   || copy(c->listener, sizeof c->listener, who, (size_t)(word - 1 - who)));
}

bool kws_clip_name_is_of(const kws_clip_name *c, const char *word)
{
	const size_t most = *c->listener ? CUT : LONG;
	const size_t n = strlen(word) < most ? strlen(word) : most;
	if (strlen(c->word) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (c->word[i] != (isalnum((unsigned char)word[i]) ? word[i] : '_'))
			return false;
	return true;
}
