/* Models: in memory once, and what the configuration says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/clock.h"
#include "daemon/models.h"
#include "tests/heart.h"

static kws_conf c;

/* names: letters; model a has the file "a". */
static void models(const char *names)
{
	kws_conf_defaults(&c);
	c.n_model = strlen(names);
	for (size_t i = 0; i < c.n_model; i++) {
		c.model[i] = (kws_conf_model){ .name = { names[i] } };
		snprintf(c.model[i].path, sizeof c.model[i].path, "%s",
			 heart_path(c.model[i].name));
	}
}

static void load(kws_models *m, const kws_models *now)
{
	kws_error err = { "" };

	if (kws_models_load(m, &c, now, &err) != KWS_OK)
		fail_msg("%s", err.text);
}

static void test_once_in_memory(void **state)
{
	kws_models first, next;

	(void)state;
	heart_model("a", 1);
	heart_model("b", 2);
	heart_model("d", 1); /* the content of a */
	models("abd");
	load(&first, NULL);
	assert_int_equal(first.n, 3);
	assert_ptr_equal(first.model[0], first.model[2]);
	assert_ptr_not_equal(first.model[0], first.model[1]);
	assert_true(kws_shared_model_cost(first.model[0]) > 0.0);
	assert_string_equal(kws_shared_model_path(first.model[1]), heart_path("b"));

	/* beside what runs: the same content is the same model, wherever it lies */
	heart_model("b", 3);
	models("db");
	load(&next, &first);
	assert_ptr_equal(next.model[0], first.model[0]);
	assert_ptr_not_equal(next.model[1], first.model[1]);
	/* whoever has a share keeps it */
	kws_shared_model *mine = kws_shared_model_share(first.model[1]);
	kws_models_release(&first);
	assert_int_equal(first.n, 0);
	assert_string_equal(kws_model_name(kws_shared_model_get(mine)), "tiny");
	assert_string_equal(kws_model_name(kws_shared_model_get(next.model[0])), "tiny");
	kws_shared_model_release(mine);
	kws_shared_model_release(NULL);
	kws_models_release(&next);
}

static void test_what_cannot_be_loaded(void **state)
{
	kws_models m;
	kws_error err = { "" };

	(void)state;
	models("a/");
	assert_int_not_equal(kws_models_load(&m, &c, NULL, &err), KWS_OK);
	assert_int_equal(m.n, 0);
	assert_non_null(strstr(err.text, heart_dir));
	models("a");
	snprintf(c.model[0].path, sizeof c.model[0].path,
		 "tests/golden/net_fastformer_clip.safetensors");
	assert_int_equal(kws_models_load(&m, &c, NULL, &err), KWS_ERR_ARG);
	assert_non_null(strstr(err.text, "full attention"));
}

static void threshold(kws_conf_decision *d, const char *name, const char *word)
{
	memset(d, 0, sizeof *d);
	snprintf(d->name, sizeof d->name, "%s", name);
	d->n_words = 1;
	snprintf(d->word[0].word, sizeof d->word[0].word, "%s", word);
}

static void expect(const kws_models *m, const char *error)
{
	kws_error err = { "" };

	assert_int_equal(kws_models_check(m, &c, &err), *error ? KWS_ERR_ARG : KWS_OK);
	assert_string_equal(err.text, error);
}

static void test_words(void **state)
{
	kws_models m;
	kws_conf_decision *d = c.decision;

	(void)state;
	models("ab");
	load(&m, NULL);
	expect(&m, "");
	threshold(d, "", "yes");
	expect(&m, "");
	threshold(d, "", "yess");
	expect(&m, "threshold.yess: no model has such a word; did you mean 'yes'?");
	threshold(d, "b", "no");
	expect(&m, "");
	threshold(d, "b", "_silence_"); /* is no command */
	expect(&m, "threshold b._silence_: the model tiny has no such word");
	kws_models_release(&m);

	models("a");
	c.model[0].name[0] = 0;
	load(&m, NULL);
	threshold(d, "", "nn");
	expect(&m, "threshold.nn: the model tiny has no such word; did you mean 'no'?");
	kws_models_release(&m);
}

/* A processor on which every look at its clock, which is one a hop, comes so much later. */
static double hop_takes_s;

static double slow_now(enum kws_clock_id id)
{
	static double t;

	return id == KWS_CLOCK_THREAD ? t += hop_takes_s : 0.0;
}

static void test_all_together_keep_up(void **state)
{
	static const kws_clock slow = { .now = slow_now };
	kws_models m;
	kws_error err = { "" };

	(void)state;
	models("ab");
	hop_takes_s = 0.004;
	kws_clock_use(&slow);
	load(&m, NULL);
	kws_clock_use(NULL);
	assert_float_equal(kws_shared_model_cost(m.model[0]), 0.4, 1e-3);
	c.audio[0].enabled = KWS_YES;
	expect(&m, ""); /* 0.8: as much as there may be */

	/* gated ones count, too: they hear whenever somebody speaks */
	c.n_audio = 2;
	c.audio[1] = c.audio[0];
	snprintf(c.audio[0].name, sizeof c.audio[0].name, "desk");
	snprintf(c.audio[1].name, sizeof c.audio[1].name, "door");
	snprintf(c.audio[1].models, sizeof c.audio[1].models, "a");
	snprintf(c.model[1].after, sizeof c.model[1].after, "a");
	assert_int_equal(kws_models_check(&m, &c, &err), KWS_ERR_ARG);
	assert_string_equal(err.text, "too slow for this machine: 1.20 s of processor for a second "
				      "of audio, at most 0.8: desk/a 0.40, desk/b 0.40, door/a "
				      "0.40");
	/* the dearest are named */
	c.n_audio = 3;
	c.audio[2] = c.audio[1];
	snprintf(c.audio[2].name, sizeof c.audio[2].name, "attic");
	assert_int_equal(kws_models_check(&m, &c, &err), KWS_ERR_ARG);
	assert_non_null(strstr(err.text, ": attic/a 0.40, desk/a 0.40, desk/b 0.40, and 1 more"));
	c.n_audio = 2;
	/* who hears nothing costs nothing */
	c.audio[1].enabled = KWS_NO;
	expect(&m, "");
	kws_models_release(&m);
}

static void test_one_is_too_slow(void **state)
{
	static const kws_clock slow = { .now = slow_now };
	kws_models m;
	kws_error err = { "" };

	(void)state;
	models("a");
	c.model[0].name[0] = 0;
	hop_takes_s = 0.009;
	kws_clock_use(&slow);
	load(&m, NULL);
	kws_clock_use(NULL);
	assert_int_equal(kws_models_check(&m, &c, &err), KWS_ERR_ARG);
	assert_non_null(strstr(err.text, "model.path: "));
	assert_non_null(strstr(err.text, heart_path("a")));
	assert_non_null(strstr(err.text, "0.90 s of processor"));
	kws_models_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_in_memory),
		cmocka_unit_test(test_what_cannot_be_loaded),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_all_together_keep_up),
		cmocka_unit_test(test_one_is_too_slow),
	};

	return cmocka_run_group_tests(tests, heart_set_up, heart_tear_down);
}
