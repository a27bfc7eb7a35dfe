/* What no single key can say: keys and sections that need each other. */
#include "tests/conf.h"

/* want NULL: nothing is wrong. */
static void check_rows(const row *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		kws_conf c;
		messages m;

		assert_int_equal(parse(&c, table[i].text, &m), 0);
		int errors = kws_conf_check(&c, "k.conf", note, &m);
		if (errors != (table[i].want != NULL) || m.n != errors)
			fail_msg("%s: %d errors, %s", table[i].text, errors, m.n ? m.text[0] : "");
		if (table[i].want)
			assert_string_equal(m.text[0], table[i].want);
	}
}

#define CHECK(table) check_rows(table, sizeof(table) / sizeof(table)[0])

static void test_one_microphone(void **state)
{
	static const row table[] = {
		{ "[audio kitchen]\nchannels = 2\nchannel = 3\n",
		  "k.conf: [audio kitchen] channel: 3, but channels is 2" },
		{ "[audio]\nchannels = 2\nchannel = 2\n", NULL },
		{ "[audio]\nchannel = 3\n", NULL },
		{ "[audio]\nrate_hz = 7999\n",
		  "k.conf: [audio] rate_hz: 7999 is not 0 nor in 8000..192000" },
		{ "[audio]\nrate_hz = 8000\n", NULL },
		{ "[audio]\nbackoff_ms = 2001\nbackoff_max_s = 2\n",
		  "k.conf: [audio] backoff_ms: 2001 is more than backoff_max_s, 2 s" },
		{ "[audio]\nbackoff_ms = 2000\nbackoff_max_s = 2\n", NULL },
	};

	(void)state;
	CHECK(table);
}

static void test_two_microphones(void **state)
{
	static const row table[] = {
		{ "[audio a]\n[audio b]\n",
		  "k.conf: [audio b] device: default, and the same channel, "
		  "is that of [audio a]" },
		{ "[audio]\ndevice = x\n[audio b]\ndevice = x\n",
		  "k.conf: [audio b] device: x, and the same channel, is that of [audio]" },
		{ "[audio]\ndevice = raw:/p\nchannel = 1\n[audio b]\ndevice = raw:/p\n"
		  "channel = 2\n",
		  "k.conf: [audio b] device: raw:/p is that of [audio]" },
		{ "[audio a]\n[audio b]\nenabled = no\n", NULL },
		{ "[audio a]\n[audio b]\ndevice = x\n", NULL },
		{ "[audio a]\nchannel = 1\n[audio b]\nchannel = 2\n", NULL },
	};

	(void)state;
	CHECK(table);
}

static void test_which_models(void **state)
{
	static const row table[] = {
		{ "[audio kitchen]\nmodels = jarvis comands\n[model jarvis]\n[model commands]\n"
		  "[audio x]\ndevice = x\n",
		  "k.conf: [audio kitchen] models: there is no [model comands]; did you mean "
		  "'commands'?" },
		{ "[audio]\nmodels = jarvis\n[audio b]\ndevice = b\n",
		  "k.conf: [audio] models: there is no [model jarvis]" },
		{ "[audio]\nmodels = b\n[model a]\n[model b]\n",
		  "k.conf: [model a]: no [audio] names it in models" },
		{ "[audio]\nmodels = b\n[audio x]\ndevice = x\n[model a]\n[model b]\n", NULL },
		{ "[audio]\nmodels = b\n[audio x]\ndevice = x\n[model a]\n[model b]\nafter = a\n",
		  "k.conf: [audio] models: b counts after a, which is not among them" },
		{ "[audio]\nmodels = a, b\n[model a]\n[model b]\nafter = a\n", NULL },
	};

	(void)state;
	CHECK(table);
}

static void test_gates(void **state)
{
	static const row table[] = {
		{ "[model jarvis]\n[model commands]\nafter = jarvs\n",
		  "k.conf: [model commands] after: there is no [model jarvs]; did you mean "
		  "'jarvis'?" },
		{ "[model a]\nafter = a\n", "k.conf: [model a] after: a circle: a -> a" },
		{ "[model a]\nafter = b\n[model b]\nafter = a\n",
		  "k.conf: [model a] after: a circle: a -> b -> a" },
		{ "[model x]\nafter = a\n[model a]\nafter = b\n[model b]\nafter = c\n[model c]\n"
		  "after = a\n[model y]\nafter = x\n",
		  "k.conf: [model a] after: a circle: a -> b -> c -> a" },
		{ "[model c]\nafter = b\n[model b]\nafter = a\n[model a]\n", NULL },
		{ "[model]\nafter = a\nwithin_s = 2\n[model a]\n", NULL },
		{ "[model a]\nwithin_s = 2\n",
		  "k.conf: [model a] within_s: says nothing without after" },
	};

	(void)state;
	CHECK(table);
}

static void test_decisions_of_models(void **state)
{
	static const row table[] = {
		{ "[model jarvis]\n[decision jarvs]\nthreshold = 0.5\n",
		  "k.conf: [decision jarvs]: there is no [model jarvs]; did you mean 'jarvis'?" },
		{ "[threshold jarvs]\nyes = 0.5\n",
		  "k.conf: [threshold jarvs]: there is no [model jarvs]" },
		{ "[model jarvis]\n[decision jarvis]\nthreshold = 0.5\n[threshold jarvis]\nyes = "
		  "1\n",
		  NULL },
	};

	(void)state;
	CHECK(table);
}

/* Those of [threshold] and of one model together. */
static void test_how_many_words(void **state)
{
	kws_conf c;
	messages m = { .n = 0 };
	char text[64];

	(void)state;
	kws_conf_begin(&c);
	for (int i = 0; i < KWS_CONF_WORDS / 2; i++) {
		snprintf(text, sizeof text, "threshold.all %d=0.5", i);
		assert_int_equal(kws_conf_set(&c, text, note, &m), 0);
		snprintf(text, sizeof text, "threshold a.own %d=0.5", i);
		assert_int_equal(kws_conf_set(&c, text, note, &m), 0);
	}
	assert_int_equal(kws_conf_set(&c, "model a.path=/a", note, &m), 0);
	assert_int_equal(kws_conf_set(&c, "threshold a.all 3=0.5", note, &m), 0);
	kws_conf_end(&c);
	assert_int_equal(kws_conf_check(&c, "k.conf", note, &m), 0);
	assert_int_equal(kws_conf_set(&c, "threshold a.more=0.5", note, &m), 0);
	assert_int_equal(kws_conf_check(&c, "k.conf", note, &m), 1);
	assert_string_equal(m.text[0], "k.conf: [threshold a]: 65 words with those of [threshold], "
				       "at most 64");
}

static void test_paths_of_their_own(void **state)
{
	static const row table[] = {
		{ "[file a]\npath = /x/y\n[file b]\npath = /x//./y\n",
		  "k.conf: [file b] path: /x//./y is that of [file a] path" },
		{ "[socket]\npath = /x\n[socket b]\npath = /x\n",
		  "k.conf: [socket b] path: /x is that of [socket] path" },
		{ "[file]\npath = /x\n[socket]\npath = /x\n",
		  "k.conf: [socket] path: /x is that of [file] path" },
		{ "[socket]\npath = /x\n[control]\npath = /x\n",
		  "k.conf: [control] path: /x is that of [socket] path" },
		{ "[file]\npath = /x\n[control]\nstate = /x\n",
		  "k.conf: [control] state: /x is that of [file] path" },
		{ "[clips]\ndir = /x/\n[file]\npath = /x/y\n", NULL },
		{ "[file a]\npath = /x/y\n[file b]\npath = /x/y.z\n[file c]\npath = /xy\n", NULL },
		{ "[file a]\n[file b]\n[socket a]\n[socket b]\n", NULL }, /* all off */
	};

	(void)state;
	CHECK(table);
}

/* What all buffers together may take stays below what the unit allows. */
static void test_buffers_are_bounded(void **state)
{
	static const row table[] = {
		{ "[socket]\npath = /s\nclients = 1024\n", NULL },
		{ "[socket]\npath = /s\nclients = 1024\nbuffer_kb = 4096\n",
		  "k.conf: buffers would take 4333 MiB, at most 320; [socket] clients = 1024 x "
		  "(buffer_kb = 4096 + 208 beside it): 4304 MiB; [control] clients = 64 x "
		  "(buffer_kb = 64 + 400 beside it): 29 MiB" },
		{ "[socket]\nclients = 1024\nbuffer_kb = 4096\n", NULL }, /* off */
		{ "[socket a]\npath = /a\nclients = 640\n[socket b]\npath = /b\nclients = 640\n",
		  "k.conf: buffers would take 369 MiB, at most 320; [socket a] clients = 640 x "
		  "(buffer_kb = 64 + 208 beside it): 170 MiB; [socket b] clients = 640 x "
		  "(buffer_kb = 64 + 208 beside it): 170 MiB; [control] clients = 64 x "
		  "(buffer_kb = 64 + 400 beside it): 29 MiB" },
		{ "[control]\nclients = 1024\nbuffer_kb = 4096\n",
		  "k.conf: buffers would take 4496 MiB, at most 320; [control] clients = 1024 x "
		  "(buffer_kb = 4096 + 400 beside it): 4496 MiB" },
		{ "[control]\npath =\nclients = 1024\nbuffer_kb = 4096\n", NULL },
		{ "[clips]\ndir = /c\nqueue = 64\npre_ms = 5000\npost_ms = 5000\n", NULL },
		{ "[clips]\ndir = /c\nqueue = 64\npre_ms = 5000\npost_ms = 5000\n[audio a]\n"
		  "rate_hz = 96000\n[audio b]\ndevice = b\nrate_hz = 192000\n[control]\npath =\n",
		  "k.conf: buffers would take 422 MiB, at most 320; [clips] of [audio b] queue = "
		  "64 x 12000 ms at 192000 Hz: 281 MiB; [clips] of [audio a] queue = 64 x 12000 ms "
		  "at 96000 Hz: 141 MiB" },
	};

	(void)state;
	CHECK(table);
}

/* Queues of events count, too: with one MiB left, each is one too many. */
static void test_queues_are_counted(void **state)
{
	static const char *const each[] = { "[file x]\npath = /x\nqueue = 4096\n",
					    "[hook x]\ncommand = /bin/x\nqueue = 4096\n",
					    "[stdout]\nqueue = 4096\n",
					    "[journal]\nqueue = 4096\n" };
	static const char most[] = "[socket]\npath = /s\nclients = 1024\nbuffer_kb = 111\n"
				   "[control]\npath =\n";
	kws_conf c;
	messages m;

	(void)state;
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++)
		for (int more = 0; more <= 1; more++) {
			char text[256];

			snprintf(text, sizeof text, "%s%s", most, more ? each[i] : "");
			assert_int_equal(parse(&c, text, &m), 0);
			assert_int_equal(kws_conf_check(&c, "k.conf", note, &m), more);
		}
	/* what is off takes nothing */
	assert_int_equal(parse(&c, most, &m), 0);
	c.file[0].queue = c.hook[0].queue = c.out.queue = c.journal.queue = 4096;
	c.out.enabled = c.journal.enabled = KWS_NO;
	assert_int_equal(kws_conf_check(&c, "k.conf", note, &m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_microphone),
		cmocka_unit_test(test_two_microphones),
		cmocka_unit_test(test_which_models),
		cmocka_unit_test(test_gates),
		cmocka_unit_test(test_decisions_of_models),
		cmocka_unit_test(test_how_many_words),
		cmocka_unit_test(test_paths_of_their_own),
		cmocka_unit_test(test_buffers_are_bounded),
		cmocka_unit_test(test_queues_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
