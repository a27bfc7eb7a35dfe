/* What is written about the configuration says what the table says: config/kwsd.conf, the man page
 * and what the sandbox's test tries. */
#include "tests/conf.h"

#include "conf/table.h"

static char *slurp(const char *path, char *text, size_t n)
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, n - 1, f)] = 0;
	assert_true(strlen(text) < n - 1);
	fclose(f);
	return text;
}

/* A copy of what stands between the line head and the next that begins like it. */
static void part_of(const char *text, const char *head, const char *next, char *part, size_t n)
{
	char line[64];

	snprintf(line, sizeof line, "\n%s\n", head);
	const char *at = strstr(text, line);
	if (!at)
		fail_msg("no line %s", head);
	at += strlen(line) - 1;
	const char *end = strstr(at, next);
	const size_t len = end ? (size_t)(end - at) : strlen(at);
	assert_true(len < n);
	memcpy(part, at, len);
	part[len] = 0;
}

/* config/kwsd.conf: every key of the table stands once in its section, commented out, at its default;
 * there is no other. */
static void test_shipped_file(void **state)
{
	static char text[32768], part[32768];
	kws_conf c, d;
	messages m = { .n = 0 };
	size_t lines = 0;

	(void)state;
	slurp("config/kwsd.conf", text, sizeof text);
	assert_int_equal(parse(&c, text, &m), 0);
	kws_conf_defaults(&d);
	assert_memory_equal(&c, &d, sizeof c);
	for (size_t i = 0; i < kws_conf_n_sections; i++) {
		char head[32];

		snprintf(head, sizeof head, "[%s]", kws_conf_sections[i].name);
		part_of(text, head, "\n[", part, sizeof part);
		for (size_t k = 0; k < kws_conf_n_keys; k++) {
			const kws_conf_key *key = &kws_conf_keys[k];
			char line[128];

			if (strcmp(key->section, kws_conf_sections[i].name) != 0)
				continue;
			snprintf(line, sizeof line, "\n#%s =%s%s\n", key->name,
				 *key->def ? " " : "", key->def);
			if (!strstr(part, line))
				fail_msg("config/kwsd.conf lacks in %s:%s", head, line);
		}
	}
	for (char *at = text; (at = strstr(at, "\n#")) != NULL; at++)
		if (at[2] != ' ' && at[2] != '\n') { /* "#key = value"; "# words" is none */
			lines++;
			at[1] = ' ';
		}
	assert_int_equal(lines, kws_conf_n_keys);
	assert_int_equal(parse(&c, text, &m), 0);
	assert_memory_equal(&c, &d, sizeof c);
}

/* Whether what stands in parentheses ends in the default, and has the range. */
static void check_entry(const kws_conf_key *k, const char *inside)
{
	char range[160], want[64];
	const char *last = strrchr(inside, ';'), *in = range + strlen("in ");
	const bool empty = !*k->def;

	snprintf(want, sizeof want, "; %s", k->def);
	if (!last || (empty ? strncmp(last, "; empty", 7) != 0 : strcmp(last, want) != 0))
		fail_msg("kwsd.conf.5: [%s] %s %s, but the default is \"%s\"", k->section, k->name,
			 inside, k->def);
	k->kind->range(k, range, sizeof range);
	if (strncmp(range, "in ", 3) != 0 || !strcmp(k->name, "rate_hz")) /* which is 0, too */
		return;
	in = strtok(range + 3, " ");
	if (!strstr(inside, in))
		fail_msg("kwsd.conf.5: [%s] %s %s, but the range is %s", k->section, k->name,
			 inside, in);
}

/* docs/kwsd.conf.5: every key has an entry in its section, with range and default in the parentheses
 * behind it. */
static void test_manual(void **state)
{
	static char man[65536], part[65536];

	(void)state;
	slurp("docs/kwsd.conf.5", man, sizeof man);
	for (size_t i = 0; i < kws_conf_n_keys; i++) {
		const kws_conf_key *k = &kws_conf_keys[i];
		char head[32], want[96], inside[256];

		snprintf(head, sizeof head, ".SH [%s]", k->section);
		part_of(man, head, "\n.SH ", part, sizeof part);
		snprintf(want, sizeof want, "\n.BR %s \"", k->name);
		const char *entry = strstr(part, want);
		snprintf(want, sizeof want, ", \" %s \"", k->name);
		entry = entry ? entry : strstr(part, want);
		if (!entry)
			fail_msg("kwsd.conf.5 lacks %s in [%s]", k->name, k->section);
		const char *open = strchr(entry, '('), *close = open ? strchr(open, ')') : NULL;
		assert_non_null(close);
		snprintf(inside, sizeof inside, "%.*s", (int)(close - open), open);
		check_entry(k, inside);
	}
}

/* docs/kwsd.conf.5 names all sections that repeat. */
static void test_manual_of_repeating_sections(void **state)
{
	static char man[65536], part[65536];

	(void)state;
	slurp("docs/kwsd.conf.5", man, sizeof man);
	part_of(man, ".SH SECTIONS THAT REPEAT", "\nmay stand several times", part, sizeof part);
	for (size_t i = 0; i < kws_conf_n_sections; i++) {
		const kws_conf_section *s = &kws_conf_sections[i];
		char want[40];

		snprintf(want, sizeof want, "[%s]", s->name);
		if (kws_conf_repeats(s) != (strstr(part, want) != NULL))
			fail_msg("kwsd.conf.5: %s and SECTIONS THAT REPEAT", want);
	}
}

/* tests/system/inside.sh tries every key within the sandbox: numbers by itself, others as it says. */
static void test_tried_in_the_sandbox(void **state)
{
	static char text[65536];

	(void)state;
	slurp("tests/system/inside.sh", text, sizeof text);
	for (size_t i = 0; i < kws_conf_n_keys; i++) {
		const kws_conf_key *k = &kws_conf_keys[i];
		char want[96], range[160];

		k->kind->range(k, range, sizeof range);
		snprintf(want, sizeof want, "%s.%s=", k->section, k->name);
		if (strncmp(range, "in ", 3) != 0 && !strstr(text, want))
			fail_msg("tests/system/inside.sh does not try %s", want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped_file),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_manual_of_repeating_sections),
		cmocka_unit_test(test_tried_in_the_sandbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
