/* Sections that repeat: [audio kitchen], [model jarvis]. */
#include "tests/conf.h"

/* Each in the order of the file; two headers of one name are one section. */
static void test_named_sections(void **state)
{
	kws_conf c;
	messages m;

	(void)state;
	assert_int_equal(parse(&c,
			       "[audio kitchen]\ndevice = a\n[model jarvis]\n[audio\t attic ] # x\n"
			       "device = b\n[ audio kitchen]\nrate_hz = 48000\n"
			       "[model commands]\nafter = jarvis\nwithin_s = 2.5\n"
			       "[file all]\npath = /a\n[file]\npath = /b\n",
			       &m),
			 0);
	assert_int_equal(c.n_audio, 2);
	assert_string_equal(c.audio[0].name, "kitchen");
	assert_string_equal(c.audio[0].device, "a");
	assert_int_equal(c.audio[0].rate_hz, 48000);
	assert_string_equal(c.audio[1].name, "attic");
	assert_string_equal(c.audio[1].device, "b");
	assert_int_equal(c.audio[1].stall_ms, 500); /* the defaults of each */
	assert_int_equal(c.n_model, 2);
	assert_string_equal(c.model[0].name, "jarvis");
	assert_string_equal(c.model[0].after, "");
	assert_string_equal(c.model[1].after, "jarvis");
	assert_true(c.model[1].within_s == 2.5f);
	assert_int_equal(c.n_file, 2);
	assert_string_equal(c.file[0].name, "all");
	assert_string_equal(c.file[1].name, "");
	assert_string_equal(c.file[1].path, "/b");
}

/* A plain section stands where nothing else does, or where it has a key. */
static void test_plain_sections(void **state)
{
	kws_conf c;
	messages m;

	(void)state;
	assert_int_equal(parse(&c, "", &m), 0);
	assert_int_equal(c.n_audio, 1);
	assert_int_equal(c.n_model, 1);
	assert_int_equal(c.n_decision, 1);
	assert_int_equal(c.n_file, 1);
	assert_int_equal(c.n_socket, 1);
	assert_int_equal(c.n_hook, 1);
	assert_int_equal(parse(&c, "[audio]\n[audio kitchen]\n[model]\n", &m), 0);
	assert_int_equal(c.n_audio, 1);
	assert_string_equal(c.audio[0].name, "kitchen");
	assert_int_equal(parse(&c, "[audio]\nchannel = 0\n[audio kitchen]\n", &m), 0);
	assert_int_equal(c.n_audio, 2);
	assert_string_equal(c.audio[0].name, "");
	assert_int_equal(parse(&c, "[decision jarvis]\nthreshold = 0.5\n", &m), 0);
	assert_int_equal(c.n_decision, 2); /* for all others */
	assert_string_equal(c.decision[1].name, "");
}

static void test_messages(void **state)
{
	static const row table[] = {
		{ "[audio kitchen]\nrate_hz = x\n",
		  "k.conf:2: [audio kitchen] rate_hz: x is not in 0..192000" },
		{ "[audio kitchen]\nrate = 1\n",
		  "k.conf:2: [audio kitchen] rate: no such key; did you mean 'rate_hz'?" },
		{ "[audio a]\nrate_hz = 0\n[audio b]\nrate_hz = 0\n[audio a]\nrate_hz = 0\n",
		  "k.conf:6: [audio a] rate_hz: given twice, first in line 2" },
		{ "[threshold a]\nyes = 0\nyes = 1\n",
		  "k.conf:3: [threshold a] yes: given twice, first in line 2" },
		{ "[audio a.b]\nrate_hz = x\n",
		  "k.conf:1: [audio a.b]: a name has 1 to 31 of A-Z a-z 0-9 _ -" },
		{ "[audio two words]\n",
		  "k.conf:1: [audio two words]: a name has 1 to 31 of A-Z a-z 0-9 _ -" },
		{ "[model a2345678901234567890123456789012]\n",
		  "k.conf:1: [model a2345678901234567890123456789012]: a name has 1 to 31 of "
		  "A-Z a-z 0-9 _ -" },
		{ "[log kitchen]\nlevel = x\n",
		  "k.conf:1: [log kitchen]: there is one [log] only, without a name" },
		{ "[audoi kitchen]\n",
		  "k.conf:1: [audoi]: no such section; did you mean 'audio'?" },
		{ "[]\n", "k.conf:1: []: no such section" },
		{ "[audio kitchen\n", "k.conf:1: the ] of the [section] is missing" },
		{ "[audio a]\n[audio b]\n[audio c]\n[audio d]\n[audio e]\n[audio f]\n[audio g]\n"
		  "[audio h]\n[audio i]\ndevice = x\n[audio h]\ndevice = y\n",
		  "k.conf:9: [audio i]: one too many: there may be 8 [audio]" },
	};

	(void)state;
	each_is_refused(table, sizeof table / sizeof table[0]);
}

/* -o names a section as a file does; it adds one, but no plain one beside named ones. */
static void test_overrides(void **state)
{
	static const char text[] = "[audio kitchen]\n[audio attic]\n";
	kws_conf c;
	messages m = { .n = 0 };

	(void)state;
	kws_conf_begin(&c);
	assert_int_equal(kws_conf_parse(&c, "k.conf", text, sizeof text - 1, note, &m), 0);
	assert_int_equal(kws_conf_set(&c, "audio attic.device=a.b=c", note, &m), 0);
	assert_string_equal(c.audio[1].device, "a.b=c");
	assert_int_equal(kws_conf_set(&c, "audio.device=x", note, &m), 1);
	assert_string_equal(m.text[0], "audio.device=x: there is no plain [audio], only [audio "
				       "kitchen], [audio attic]");
	assert_int_equal(kws_conf_set(&c, "audio hall.device=x", note, &m), 0);
	assert_int_equal(c.n_audio, 3);
	assert_int_equal(kws_conf_set(&c, "audio cellar.stall_ms=1", note, &m), 1);
	assert_int_equal(c.n_audio, 3); /* what was refused has changed nothing */
	assert_int_equal(kws_conf_set(&c, "model.path=/m", note, &m), 0);
	assert_int_equal(kws_conf_set(&c, "threshold jarvis.o.k=0.5", note, &m), 0);
	assert_int_equal(kws_conf_set(&c, "decision.threshold=0.5", note, &m), 0);
	kws_conf_end(&c);
	assert_int_equal(c.n_model, 1);
	assert_int_equal(c.n_decision, 2);
	assert_string_equal(c.decision[0].word[0].word, "o.k");
}

static void test_decision_for(void **state)
{
	kws_conf c;
	kws_conf_decision d;
	messages m;

	(void)state;
	assert_int_equal(parse(&c,
			       "[threshold b]\nyes = off\nup = 0.1\n[decision c]\nsmooth_ms = "
			       "40\n[decision]\nthreshold = 0.5\n"
			       "smooth_ms = 80\n[threshold]\nyes = 0.9\nno = 0.8\n"
			       "[decision a]\nthreshold = model\nrefractory_ms = 700\n",
			       &m),
			 0);
	kws_conf_decision_for(&c, "a", &d);
	assert_string_equal(d.name, "a");
	assert_true(d.threshold == -1.0f);
	assert_int_equal(d.smooth_ms, 80);
	assert_int_equal(d.refractory_ms, 700);
	assert_int_equal(d.n_words, 2);
	kws_conf_decision_for(&c, "b", &d);
	assert_true(d.threshold == 0.5f);
	assert_int_equal(d.smooth_ms, 80);
	assert_int_equal(d.refractory_ms, -1);
	assert_int_equal(d.n_words, 3);
	assert_string_equal(d.word[0].word, "yes");
	assert_true(d.word[0].threshold > 1.0f);
	assert_true(d.word[1].threshold == 0.8f);
	assert_string_equal(d.word[2].word, "up");
	kws_conf_decision_for(&c, "c", &d);
	assert_int_equal(d.smooth_ms, 40);
	kws_conf_decision_for(&c, "", &d);
	assert_true(d.threshold == 0.5f);
	assert_int_equal(d.n_words, 2);
}

static void test_which_models_are_heard(void **state)
{
	kws_conf c;
	messages m;

	(void)state;
	assert_int_equal(parse(&c, "[audio]\nmodels =  a,bc ,, d\t\n", &m), 0);
	assert_string_equal(c.audio[0].models, "a bc d");
	assert_true(kws_conf_hears(&c.audio[0], "a"));
	assert_true(kws_conf_hears(&c.audio[0], "bc"));
	assert_true(kws_conf_hears(&c.audio[0], "d"));
	assert_false(kws_conf_hears(&c.audio[0], "b"));
	assert_false(kws_conf_hears(&c.audio[0], "c"));
	assert_false(kws_conf_hears(&c.audio[0], ""));
	assert_int_equal(parse(&c, "", &m), 0);
	assert_true(kws_conf_hears(&c.audio[0], "a"));
	assert_true(kws_conf_hears(&c.audio[0], ""));
}

static void test_print_reads_back(void **state)
{
	kws_conf a, b;
	messages m;
	char *text;

	(void)state;
	parse(&a,
	      "[threshold b]\nyes = off\n[decision]\nthreshold = 0.5\n[decision a]\nsmooth_ms = 0\n"
	      "[audio kitchen]\nenabled = no\nmodels = a, b\n[model b]\n[model a]\nafter = b\n"
	      "[socket]\npath = /s\n[socket all]\npath = /t\nclients = 2\n[control]\npath =\n",
	      &m);
	text = printed(&a);
	assert_int_equal(parse(&b, text, &m), 0);
	assert_memory_equal(&a, &b, sizeof a);
	/* what [decision a] does not say is not in it */
	assert_non_null(strstr(text, "[decision a]\nsmooth_ms = 0\n\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named_sections),
		cmocka_unit_test(test_plain_sections),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_decision_for),
		cmocka_unit_test(test_which_models_are_heard),
		cmocka_unit_test(test_print_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
