/* Which name was meant. */
#include "nearest.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const char *const words[] = { "yes",   "no", "up",  "down", "left",
				     "right", "on", "off", "stop", "go" };
static const char *const commands[] = { "classify", "spot",    "model",	 "eval",     "calibrate",
					"plot",	    "devices", "doctor", "log-level" };

static const char *of(const char *text, const char *const *names, size_t n_names)
{
	kws_nearest n;
	kws_nearest_init(&n, text);
	for (size_t i = 0; i < n_names; i++)
		kws_nearest_offer(&n, names[i]);
	return n.name;
}

#define NEAR(text, names, want)                                                                    \
	assert_string_equal(of(text, names, sizeof names / sizeof names[0]), want)
#define FAR_OFF(text, names) assert_null(of(text, names, sizeof names / sizeof names[0]))

static void slips_of_the_hand(void **state)
{
	(void)state;
	NEAR("yess", words, "yes");
	NEAR("yse", words, "yes");
	NEAR("YES", words, "yes");
	NEAR("ye", words, "yes");
	NEAR("rigth", words, "right");
	NEAR("lfet", words, "left");
	NEAR("of", words, "off");
	NEAR("classfy", commands, "classify");
	NEAR("cal", commands, "calibrate");
	NEAR("docter", commands, "doctor");
	NEAR("device", commands, "devices");
	NEAR("log_level", commands, "log-level");
	NEAR("calbirte", commands, "calibrate");
}

static void other_words(void **state)
{
	(void)state;
	FAR_OFF("marvin", words);
	FAR_OFF("seven", words);
	FAR_OFF("x", words);
	FAR_OFF("", words);
	FAR_OFF("sing", commands);
	FAR_OFF("a text that is longer than any name of anything that there could ever be, really",
		words);
}

static void hints(void **state)
{
	(void)state;
	kws_nearest n;
	char longest[KWS_NEAREST_LONGEST + 1];
	memset(longest, 'a', KWS_NEAREST_LONGEST);
	longest[KWS_NEAREST_LONGEST] = '\0';
	kws_nearest_init(&n, "downn");
	assert_string_equal(kws_nearest_hint(&n), "");
	kws_nearest_offer(&n, "down");
	assert_string_equal(kws_nearest_hint(&n), "; did you mean 'down'?");
	kws_nearest_init(&n, longest);
	kws_nearest_offer(&n, longest);
	assert_non_null(strstr(kws_nearest_hint(&n), "aaa'?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_of_the_hand),
		cmocka_unit_test(other_words),
		cmocka_unit_test(hints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
