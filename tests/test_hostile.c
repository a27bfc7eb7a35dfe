/* Model files with one thing changed, by the thousand: each is refused with a reason, or is a network that runs. */
#include "model/runner.h"
#include "tests/fuzz/kinds.h"
#include "tests/fuzz/spoil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { EACH = 120, FRAMES = 12 };

static void run(const kws_model *m)
{
	const size_t n_mels = kws_model_features(m)->n_mels, max = kws_model_max_frames(m),
		     n_words = kws_model_n_words(m);
	const size_t most = max && max < FRAMES ? max : FRAMES, t = most * kws_model_stride(m);
	float *frames = calloc(t * n_mels, sizeof *frames),
	      *logits = calloc(most * n_words, sizeof *logits);
	kws_runner *runner;
	assert_true(frames && logits);
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	const size_t n = kws_runner_run(runner, frames, t, logits);
	assert_int_equal(n + kws_runner_finish(runner, logits), most);
	kws_runner_destroy(runner);
	free(frames);
	free(logits);
}

static void spoilt_files_are_refused_or_run(void **state)
{
	size_t accepted = 0, refused = 0;
	(void)state;
	for (size_t k = 0; k < N_KINDS; k++) {
		size_t len, spoilt_len;
		unsigned char *file = craft_model(kinds[k].name, kinds[k].features,
						  kinds[k].network, DECISION, k + 1, &len);
		for (uint64_t seed = 0; seed < EACH; seed++) {
			unsigned char *spoilt = spoil(file, len, 1000 * k + seed, &spoilt_len);
			kws_error err = { "" };
			kws_model *m;
			const enum kws_status status =
				kws_model_parse(&m, spoilt, spoilt_len, &err);
			if (status == KWS_OK) {
				run(m);
				accepted++;
			} else {
				assert_true(status == KWS_ERR_FORMAT || status == KWS_ERR_VERSION);
				assert_true(err.text[0] != '\0');
				assert_null(m);
				refused++;
			}
			kws_model_close(m);
			free(spoilt);
		}
		free(file);
	}
	/* both kinds in number, or the test has lost its teeth */
	assert_true(accepted > N_KINDS * EACH / 10);
	assert_true(refused > N_KINDS * EACH / 10);
	print_message("%zu accepted, %zu refused\n", accepted, refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spoilt_files_are_refused_or_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
