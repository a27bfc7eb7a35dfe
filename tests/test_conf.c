/* The configuration: its keys, their values and messages. */
#include "tests/conf.h"

#include "conf/table.h"

#include <stdlib.h>
#include <string.h>

static void test_defaults_are_valid(void **state)
{
	kws_conf c;
	messages m = { .n = 0 };

	(void)state;
	kws_conf_defaults(&c);
	assert_int_equal(kws_conf_check(&c, "x", note, &m), 0);
	for (size_t i = 0; i < kws_conf_n_keys; i++) {
		const kws_conf_key *k = &kws_conf_keys[i];
		_Alignas(double) char field[256];

		assert_true(k->kind->parse(k, k->def, field));
	}
	assert_string_equal(c.audio[0].device, "default");
	assert_int_equal(c.audio[0].stall_ms, 500);
	assert_int_equal(c.socket[0].mode, 0666);
	assert_int_equal(c.decision[0].smooth_ms, -1);
	assert_true(c.decision[0].threshold < 0.0f);
	assert_string_equal(c.clips.dir, "");
}

static void test_values_are_read(void **state)
{
	kws_conf c;
	messages m;

	(void)state;
	assert_int_equal(parse(&c,
			       "# comment\n[audio]\n  device = hw:CARD=Mic,DEV=0\nrate_hz=48000\n"
			       "[decision]\nthreshold = 0.25\nrefractory_ms = 0\n"
			       "[threshold]\nyes = 0.5\nno = off\nup = model\n"
			       "[socket]\npath = /run/kwsd/events\nmode = 0640\n"
			       "[stdout]\nenabled = no\n[log]\nlevel = debug\n",
			       &m),
			 0);
	assert_string_equal(c.audio[0].device, "hw:CARD=Mic,DEV=0");
	assert_int_equal(c.audio[0].rate_hz, 48000);
	assert_true(c.decision[0].threshold == 0.25f);
	assert_int_equal(c.decision[0].refractory_ms, 0);
	assert_int_equal(c.decision[0].n_words, 3);
	assert_string_equal(c.decision[0].word[0].word, "yes");
	assert_true(c.decision[0].word[0].threshold == 0.5f);
	assert_true(c.decision[0].word[1].threshold > 1.0f);
	assert_true(c.decision[0].word[2].threshold == -1.0f);
	assert_int_equal(c.socket[0].mode, 0640);
	assert_int_equal(c.out.enabled, KWS_NO);
	assert_int_equal(c.log.level, 7);
}

/* Every message has file, line, key, value and range. */
static void test_messages(void **state)
{
	static const row table[] = {
		{ "[decision]\nthreshold = 1.7\n",
		  "k.conf:2: [decision] threshold: 1.7 is not in 0..1 or model" },
		{ "[decision]\nthreshold = nan\n",
		  "k.conf:2: [decision] threshold: nan is not in 0..1 or model" },
		{ "[decision]\nthreshold = 0.5x\n",
		  "k.conf:2: [decision] threshold: 0.5x is not in 0..1 or model" },
		{ "\n[audio]\nstall_ms = -1\n",
		  "k.conf:3: [audio] stall_ms: -1 is not in 100..60000" },
		{ "[audio]\nstall_ms = 1e3\n",
		  "k.conf:2: [audio] stall_ms: 1e3 is not in 100..60000" },
		{ "[audio]\nstall_ms = 4294967796\n",
		  "k.conf:2: [audio] stall_ms: 4294967796 is not in 100..60000" },
		{ "[audio]\nstall_ms =\n",
		  "k.conf:2: [audio] stall_ms: an empty value is not in 100..60000" },
		{ "[audio]\nstall = 1\n",
		  "k.conf:2: [audio] stall: no such key; did you mean 'stall_ms'?" },
		{ "[audoi]\nstall = 1\n",
		  "k.conf:1: [audoi]: no such section; did you mean 'audio'?" },
		{ "stall = 1\n", "k.conf:1: stall: stands before the first [section]" },
		{ "[audio]\nrate_hz = 1\nrate_hz = 2\n",
		  "k.conf:3: [audio] rate_hz: given twice, first in line 2" },
		{ "[socket]\nmode = 0999\n",
		  "k.conf:2: [socket] mode: 0999 is not in 0000..0777 (octal)" },
		{ "[log]\nlevel = loud\n",
		  "k.conf:2: [log] level: loud is not one of error, warning, info, debug" },
		{ "[file]\npath = events\n", "k.conf:2: [file] path: events is not empty or an "
					     "absolute path of at most 183 bytes" },
		{ "[audio] device = x\n", "k.conf:1: more stands behind the [section]" },
		{ "[audio]\ndevice = \"x\n",
		  "k.conf:2: [audio] device: \"x: the quote is not closed" },
		{ "[audio]\ndevice = \"x\" y\n",
		  "k.conf:2: [audio] device: \"x\" y: more stands behind the closing quote" },
		{ "[hook]\ncommand = relative\n",
		  "k.conf:2: [hook] command: relative is not empty or an absolute path and "
		  "arguments, at most 183 bytes and 31 words, quotes closed" },
		{ "[threshold]\nyes = 2\n",
		  "k.conf:2: [threshold] yes: 2 is not in 0..1, off or model" },
		{ "[threshold]\nyes = 0\nyes = 1\n",
		  "k.conf:3: [threshold] yes: given twice, first in line 2" },
		{ "[audio]\nwhat\n", "k.conf:2: neither [section] nor key = value" },
	};

	(void)state;
	each_is_refused(table, sizeof table / sizeof table[0]);
}

/* Comments and quotes never become part of a value, and each value can be written. */
static void test_comments_and_quotes(void **state)
{
	static const struct {
		const char *line, *want;
	} table[] = {
		{ "default # the first one", "default" },
		{ "default ; the first one", "default" },
		{ "default\t#x", "default" },
		{ "default\t ;x \r", "default" },
		{ "\"default\"", "default" },
		{ "'default'", "default" },
		{ "\"default\" # the first one", "default" },
		{ "'default';x", "default" },
		{ "\"mic ;two\"", "mic ;two" },
		{ "\"USB Audio #1\" ; left", "USB Audio #1" },
		{ "USB#1;2", "USB#1;2" },
		{ "' both ends '", " both ends " },
		{ "'say \"hey\" #1'", "say \"hey\" #1" },
		{ "\"it's = here: #1\"", "it's = here: #1" },
		{ "19\" rack", "19\" rack" },
		{ "it's", "it's" },
		{ "raw:/tmp/a b", "raw:/tmp/a b" },
		{ "hw:CARD=2,DEV=0x", NULL },
		{ "1", NULL },
		{ "007", NULL },
		{ "\"1\"", NULL },
		{ "1 # comment", NULL },
		{ "hw:1", NULL },
		{ "hw:1,0", NULL },
		{ "plughw:0,0", NULL },
		{ "hw:CARD=1,DEV=0", NULL },
		{ "-1", NULL },
		{ "1.5", NULL },
		{ "# nothing", NULL },
		{ "\"\"", NULL },
		{ "raw:", NULL },
		{ "1st mic", "1st mic" },
		{ "hw:CARD=C920,DEV=0", "hw:CARD=C920,DEV=0" },
		{ "\xc3\xa4", "\xc3\xa4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char text[256], *all;
		kws_conf c, again;
		messages m;

		snprintf(text, sizeof text, "[audio]\ndevice = %s\n", table[i].line);
		assert_int_equal(parse(&c, text, &m), table[i].want == NULL);
		if (!table[i].want)
			continue;
		assert_string_equal(c.audio[0].device, table[i].want);
		all = printed(&c);
		assert_int_equal(parse(&again, all, &m), 0);
		assert_memory_equal(&c, &again, sizeof c);
		free(all);
	}
}

/* Of every kind of value. */
static void test_comments_behind_every_kind(void **state)
{
	kws_conf c;
	messages m;

	(void)state;
	assert_int_equal(
		parse(&c,
		      "[audio] # where from\nrate_hz = 48000 # Hz\n[decision]\nthreshold = 0.5 ; "
		      "x\n"
		      "smooth_ms=\"80\"\n[threshold]\nyes = off # never\n[file]\n"
		      "path = /a#b # c\nmode = \"0600\" ; me\n[socket]\npath = # off\n"
		      "[hook]\ncommand = /bin/echo \"a # b\" '#' ;x # y\n[log]\nlevel = debug #\n",
		      &m),
		0);
	assert_int_equal(c.audio[0].rate_hz, 48000);
	assert_true(c.decision[0].threshold == 0.5f);
	assert_int_equal(c.decision[0].smooth_ms, 80);
	assert_true(c.decision[0].word[0].threshold > 1.0f);
	assert_string_equal(c.file[0].path, "/a#b");
	assert_int_equal(c.file[0].mode, 0600);
	assert_string_equal(c.socket[0].path, "");
	assert_string_equal(c.hook[0].command, "/bin/echo \"a # b\" '#'");
	assert_int_equal(c.log.level, 7);
}

/* -o takes a value as it is; what is printed then reads back as the same. */
static void test_values_of_the_command_line(void **state)
{
	static const char *const table[] = {
		"audio.device=mic ;two",
		"audio.device=USB #1 ",
		"audio.device=\"x\"",
		"audio.device='x' \"",
		"hook.command=/bin/x # ; \\; y",
		"hook.command=  /bin/x y  ",
		"hook.command=/bin/x 'a ;b' \\' #c",
		"clips.dir=/a ;b/#c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		kws_conf c, again;
		messages m = { .n = 0 };
		char *all;

		kws_conf_defaults(&c);
		assert_int_equal(kws_conf_set(&c, table[i], note, &m), i == 3);
		all = printed(&c);
		assert_int_equal(parse(&again, all, &m), 0);
		assert_memory_equal(&c, &again, sizeof c);
		free(all);
	}
}

static void test_all_errors_are_told(void **state)
{
	kws_conf c;
	messages m;

	(void)state;
	assert_int_equal(
		parse(&c, "[audio]\nrate_hz = x\nchannels = 99\ndevice = good\n[what]\na = 1\n",
		      &m),
		3);
	assert_int_equal(m.n, 3);
	assert_string_equal(c.audio[0].device, "good"); /* what was right is there */
	assert_int_equal(c.audio[0].rate_hz, 0);	/* and what was wrong has changed nothing */
}

static void test_hostile_text(void **state)
{
	static char big[4096];
	kws_conf c;
	messages m = { .n = 0 };

	(void)state;
	memset(big, 'x', sizeof big - 1);
	memcpy(big, "[audio]\ndevice = ", 17);
	assert_int_equal(parse(&c, big, &m), 1);
	assert_non_null(strstr(m.text[0], "k.conf:2: the line has"));
	big[8] = '#'; /* a long comment is nobody's business */
	assert_int_equal(parse(&c, big, &m), 0);
	kws_conf_defaults(&c);
	m.n = 0;
	assert_int_equal(kws_conf_parse(&c, "k.conf", "[audio]\ndev\0ice = x\n", 20, note, &m), 1);
	assert_string_equal(m.text[0], "k.conf:2: a zero byte");
	assert_int_equal(kws_conf_read(&c, "/nonexistent/k.conf", note, &m), 1);
}

static void test_overrides(void **state)
{
	kws_conf c;
	messages m = { .n = 0 };

	(void)state;
	kws_conf_defaults(&c);
	assert_int_equal(kws_conf_set(&c, "audio.device=a.b=c", note, &m), 0);
	assert_string_equal(c.audio[0].device, "a.b=c");
	assert_int_equal(kws_conf_set(&c, "audio.device=again", note, &m), 0);
	assert_string_equal(c.audio[0].device, "again");
	assert_int_equal(kws_conf_set(&c, "threshold.yes=0.5", note, &m), 0);
	assert_int_equal(kws_conf_set(&c, "threshold.yes=0.6", note, &m), 0);
	assert_int_equal(c.decision[0].n_words, 1);
	assert_int_equal(kws_conf_set(&c, "audio", note, &m), 1);
	assert_int_equal(kws_conf_set(&c, "audio.rate_hz=999999", note, &m), 1);
	assert_string_equal(m.text[1],
			    "audio.rate_hz=999999: [audio] rate_hz: 999999 is not in 0..192000");
}

/* What no line of a file could say, -o may not say either: the configuration that is printed would not read back. */
static void test_words_that_no_line_can_name(void **state)
{
	static const char *const words[] = { "y:s",  "[yes", "#yes", ";yes", " yes",
					     "yes ", "a ;b", "a\tb", "" };
	messages m = { 0 };
	kws_conf c;
	char text[64];

	(void)state;
	kws_conf_defaults(&c);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		snprintf(text, sizeof text, "threshold.%s=0.5", words[i]);
		assert_int_equal(kws_conf_set(&c, text, note, &m), 1);
	}
	assert_int_equal(c.decision[0].n_words, 0);
	assert_int_equal(kws_conf_set(&c, "threshold.o'clock now=0.5", note, &m), 0);
}

static void test_print_reads_back(void **state)
{
	kws_conf a, b;
	messages m;
	char *text;

	(void)state;
	parse(&a,
	      "[audio]\ndevice = Blue Yeti\nchannel = 2\nchannels = 2\n[decision]\nthreshold = "
	      "0.7\n"
	      "[threshold]\nyes = 0.123456789\nno = off\nup = model\n[file]\npath = "
	      "/var/log/a\nmode = 0600\n"
	      "[clips]\nnear_miss = 0.6\n[hook]\ncommand = /bin/echo \"a b\" c\\ d\n[log]\nlevel = "
	      "error\n",
	      &m);
	text = printed(&a);
	assert_int_equal(parse(&b, text, &m), 0);
	assert_memory_equal(&a, &b, sizeof a);
	assert_non_null(strstr(text, "threshold = 0.7\n")); /* and not 0.699999988 */
	free(text);
}

/* What is in force counts, not how it was written. tests/system/mqtt.sh compares it with sha256sum. */
static void test_hash(void **state)
{
	char a[KWS_CONF_HASH], b[KWS_CONF_HASH];
	messages m = { .n = 0 };
	kws_conf c;

	(void)state;
	assert_int_equal(parse(&c, "[log]\nlevel = debug\n[threshold]\nyes = 0.5\n", &m), 0);
	kws_conf_end(&c);
	assert_true(kws_conf_hash(&c, a));
	assert_int_equal(strspn(a, "0123456789abcdef"), KWS_CONF_HASH - 1);
	assert_int_equal(
		parse(&c, "[threshold]\nyes = 0.50 ; half\n[log]\nlevel = \"debug\"\n", &m), 0);
	kws_conf_end(&c);
	assert_true(kws_conf_hash(&c, b));
	assert_string_equal(a, b);
	assert_int_equal(kws_conf_set(&c, "threshold.yes=0.51", NULL, NULL), 0);
	assert_true(kws_conf_hash(&c, b));
	assert_string_not_equal(a, b);
}

static void test_split(void **state)
{
	char buf[64], *argv[KWS_CONF_ARGS];

	(void)state;
	assert_int_equal(
		kws_conf_split("/bin/say \"two words\"  it\\ is \"\" end", buf, sizeof buf, argv),
		5);
	assert_string_equal(argv[0], "/bin/say");
	assert_string_equal(argv[1], "two words");
	assert_string_equal(argv[2], "it is");
	assert_string_equal(argv[3], "");
	assert_string_equal(argv[4], "end");
	assert_null(argv[5]);
	assert_int_equal(kws_conf_split("", buf, sizeof buf, argv), 0);
	assert_int_equal(kws_conf_split("/bin/a \"open", buf, sizeof buf, argv), -1);
	assert_int_equal(kws_conf_split("/bin/a \\", buf, sizeof buf, argv), -1);
	assert_int_equal(kws_conf_split("/bin/a aaaaaaaaaa", buf, 8, argv), -1);
	assert_int_equal(kws_conf_split("$HOME `x` ; |", buf, sizeof buf, argv),
			 4); /* no shell: plain words */
	assert_string_equal(argv[0], "$HOME");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_valid),
		cmocka_unit_test(test_values_are_read),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_comments_and_quotes),
		cmocka_unit_test(test_comments_behind_every_kind),
		cmocka_unit_test(test_values_of_the_command_line),
		cmocka_unit_test(test_all_errors_are_told),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_words_that_no_line_can_name),
		cmocka_unit_test(test_print_reads_back),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
