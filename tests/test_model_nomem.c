/* Out of memory, at each allocation of reading a model file in turn, for every kind of network: it says so, and nothing is left
 * behind. Those of libraries are left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/allocations.h"
#include "tests/fuzz/craft.h"
#include "tests/fuzz/kinds.h"

static enum kws_status read_once(const unsigned char *file, size_t len, size_t fails)
{
	kws_model *m;
	n_own_allocations = 0;
	own_allocation_that_fails = fails; /* 0: none */
	const enum kws_status status = kws_model_parse(&m, file, len, NULL);
	own_allocation_that_fails = 0;
	kws_model_close(m);
	return status;
}

static void each_allocation(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		size_t len, k = 1;
		unsigned char *file = craft_model(kinds[i].name, kinds[i].features,
						  kinds[i].network, DECISION, i + 1, &len);
		assert_int_equal(read_once(file, len, 0), KWS_OK); /* what the libraries keep */
		const size_t n = n_own_allocations;
		if (!n) {
			free(file);
			print_message("skip: another allocator is in force\n");
			skip();
		}
		const long blocks = n_blocks;
		for (; read_once(file, len, k) == KWS_ERR_NOMEM; k++)
			if (n_blocks != blocks)
				fail_msg("%s, allocation %zu: %ld blocks more than before",
					 kinds[i].name, k, n_blocks - blocks);
		assert_int_equal(n_blocks, blocks);
		if (k != n + 1)
			fail_msg("%s: allocation %zu of %zu: no message of it", kinds[i].name, k,
				 n);
		free(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_allocation) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
