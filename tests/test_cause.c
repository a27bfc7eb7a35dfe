/* Why a path cannot be used: what the messages say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/cause.h"
#include "kws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect(const char *got, const char *part)
{
	if (!strstr(got, part))
		fail_msg("\"%s\" says nothing of \"%s\"", got, part);
}

static void test_paths(void **state)
{
	kws_cause c;

	(void)state;
	unsetenv("INVOCATION_ID");
	assert_string_equal(kws_cause_of(&c, ENOENT, "/home/me/x"), "No such file or directory");
	assert_string_equal(kws_cause_of(&c, EROFS, "/var/log/x"), "Read-only file system");
	expect(kws_cause_of(&c, EACCES, "/etc/none/x/y"), "and /etc belongs to root, mode 0");
	expect(kws_cause_of(&c, EACCES, "/none"), "and / belongs to root");
	setenv("INVOCATION_ID", "1", 1);
	setenv("NOTIFY_SOCKET", "@none", 1);
	expect(kws_cause_of(&c, EROFS, "/var/log/x"), "ReadWritePaths=");
	expect(kws_cause_of(&c, ENOENT, "/home/me/x"), "ProtectHome=");
	expect(kws_cause_of(&c, ENOENT, "/tmp/x"), "PrivateTmp=");
	assert_string_equal(kws_cause_of(&c, ENOENT, "/homes/x"), "No such file or directory");
}

/* What is longer than an error may be says that it is cut. */
static void test_long_error(void **state)
{
	kws_error e = { "" };
	char text[sizeof e.text + 1];

	(void)state;
	for (size_t n = sizeof e.text - 1; n <= sizeof e.text; n++) {
		memset(text, 'x', n);
		text[n] = 0;
		kws_fail(&e, KWS_ERR_IO, "%s", text);
		assert_int_equal(strlen(e.text), sizeof e.text - 1);
		assert_int_equal(strstr(e.text, "...") != NULL, n == sizeof e.text);
	}
}

static void test_groups(void **state)
{
	kws_cause c;

	(void)state;
	expect(kws_cause_of_group(&c, EPERM, getegid()), "Group=");
	expect(kws_cause_of_group(&c, EPERM, 4242), "who is not in that group");
	assert_string_equal(kws_cause_of_group(&c, EIO, 4242), strerror(EIO));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_paths),
					    cmocka_unit_test(test_groups),
					    cmocka_unit_test(test_long_error) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
