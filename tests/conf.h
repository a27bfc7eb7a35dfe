/* conf.h - for the tests of the configuration: texts in, messages and text out. */
#ifndef KWS_TESTS_CONF_H
#define KWS_TESTS_CONF_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
	int n;
	char text[16][512];
} messages;

static inline void note(void *ctx, const char *text)
{
	messages *m = ctx;

	if (m->n < 16)
		snprintf(m->text[m->n], sizeof m->text[0], "%s", text);
	m->n++;
}

static inline int parse(kws_conf *c, const char *text, messages *m)
{
	m->n = 0;
	kws_conf_begin(c);
	int errors = kws_conf_parse(c, "k.conf", text, strlen(text), note, m);
	kws_conf_end(c);
	return errors;
}

/* A text, and the first message about it. */
typedef struct {
	const char *text, *want;
} row;

/* In each of these texts one thing is wrong. */
static inline void each_is_refused(const row *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		kws_conf c;
		messages m;

		assert_int_equal(parse(&c, table[i].text, &m), 1);
		assert_string_equal(m.text[0], table[i].want);
	}
}

static inline char *printed(const kws_conf *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	kws_conf_print(c, f);
	fclose(f);
	return text;
}

#endif
