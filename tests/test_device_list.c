/* The list of inputs, as another process makes it. What is in it depends on the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/device.h"

#include <errno.h>
#include <sys/wait.h>

/* There is a list, or a reason why not, and no process is left over. */
static void look(void)
{
	static kws_device_info list[KWS_DEVICE_MAX];
	kws_error err = { "" };
	size_t n = 0;
	const enum kws_status status = kws_device_list(list, KWS_DEVICE_MAX, &n, &err);

	assert_int_equal(status != KWS_OK, *err.text != 0);
	for (size_t i = 0; i < n; i++)
		assert_true(*list[i].name && list[i].channels > 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* The process that looks ahead makes the next list; the list after that has its own. */
static void test_ahead(void **state)
{
	(void)state;
	kws_device_list_ahead();
	look();
	look();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ahead) };

	kws_device_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
