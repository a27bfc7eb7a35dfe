/* The list of inputs, as another process makes it. What is in it depends on the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/device.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

static kws_device_info list[2][KWS_DEVICE_MAX];

/* The process that looks ahead makes the next list, and is not left over. */
static void test_ahead(void **state)
{
	kws_error err[2] = { { "" }, { "" } };
	size_t n[2];

	(void)state;
	kws_device_list_ahead();
	const enum kws_status first = kws_device_list(list[0], KWS_DEVICE_MAX, &n[0], &err[0]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(kws_device_list(list[1], KWS_DEVICE_MAX, &n[1], &err[1]), first);
	assert_int_equal(n[0], n[1]);
	for (size_t i = 0; i < n[0]; i++)
		assert_string_equal(list[0][i].name, list[1][i].name);
	assert_string_equal(err[0].text, err[1].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ahead) };

	kws_device_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
