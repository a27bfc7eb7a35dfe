/* The configuration from files: one, drop-ins beside it, and what was changed while kwsd ran. */
#include "tests/conf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/kws-conf.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof path[0], "%s/%s", dir, name);
	return path[turn];
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* main.conf and its drop-ins. */
static int read_all(kws_conf *c, messages *m)
{
	m->n = 0;
	kws_conf_begin(c);
	int errors = kws_conf_read(c, in_dir("main.conf"), note, m);
	errors += kws_conf_read_dropins(c, in_dir("main.conf"), note, m);
	kws_conf_end(c);
	return errors;
}

static void test_dropins_override_single_keys(void **state)
{
	kws_conf c;
	messages m;

	(void)state;
	put("main.conf", "[audio kitchen]\ndevice = a\nrate_hz = 8000\n[threshold]\nyes = 0.1\n");
	assert_int_equal(read_all(&c, &m), 0); /* without the folder */
	assert_int_equal(mkdir(in_dir("conf.d"), 0700), 0);
	assert_int_equal(read_all(&c, &m), 0); /* an empty one */
	put("conf.d/20-b.conf",
	    "[audio kitchen]\ndevice = c\n[audio attic]\n[threshold]\nyes = 0.3\n");
	put("conf.d/10-a.conf",
	    "[audio kitchen]\ndevice = b\nchannel = 1\n[threshold]\nyes = 0.2\n");
	put("conf.d/100.conf", "[audio kitchen]\nchannels = 2\n");
	put("conf.d/.30-hidden.conf", "[audio kitchen]\ndevice = hidden\n");
	put("conf.d/30-old.conf~", "[audio kitchen]\ndevice = old\n");
	put("conf.d/30-conf", "[audio kitchen]\ndevice = no\n");
	put("conf.d/.conf", "[audio kitchen]\ndevice = none\n");
	assert_int_equal(read_all(&c, &m), 0);
	assert_int_equal(c.n_audio, 2);
	assert_string_equal(c.audio[0].device, "c");
	assert_int_equal(c.audio[0].rate_hz, 8000);
	assert_int_equal(c.audio[0].channel, 1);
	assert_int_equal(c.audio[0].channels, 2);
	assert_string_equal(c.audio[1].name, "attic");
	assert_int_equal(c.decision[0].n_words, 1);
	assert_true(c.decision[0].word[0].threshold == 0.3f);
}

/* Each error names the file; nothing that is a drop-in is passed over. */
static void test_dropins_that_are_wrong(void **state)
{
	kws_conf c;
	messages m;
	char want[256];

	(void)state;
	put("conf.d/20-b.conf", "[audio kitchen]\ndevice = c\ndevice = d\n");
	put("conf.d/100.conf", "\n[audio kitchen]\nchannels = x\n");
	assert_int_equal(mkdir(in_dir("conf.d/40.conf"), 0700), 0);
	assert_int_equal(symlink("/nonexistent", in_dir("conf.d/50.conf")), 0);
	assert_int_equal(read_all(&c, &m), 4);
	snprintf(want, sizeof want, "%s:3: [audio kitchen] channels: x is not in 0..32",
		 in_dir("conf.d/100.conf"));
	assert_string_equal(m.text[0], want);
	snprintf(want, sizeof want, "%s:3: [audio kitchen] device: given twice, first in line 2",
		 in_dir("conf.d/20-b.conf"));
	assert_string_equal(m.text[1], want);
	snprintf(want, sizeof want, "%s: Is a directory", in_dir("conf.d/40.conf"));
	assert_string_equal(m.text[2], want);
	snprintf(want, sizeof want, "%s: No such file or directory", in_dir("conf.d/50.conf"));
	assert_string_equal(m.text[3], want);
	rmdir(in_dir("conf.d/40.conf"));
	unlink(in_dir("conf.d/50.conf"));
	put("conf.d/20-b.conf", "");
	put("conf.d/100.conf", "");
	assert_int_equal(rename(in_dir("conf.d"), in_dir("away")), 0);
	put("conf.d", "");
	assert_int_equal(read_all(&c, &m), 1);
	snprintf(want, sizeof want, "%s: Not a directory", in_dir("conf.d"));
	assert_string_equal(m.text[0], want);
	unlink(in_dir("conf.d"));
	assert_int_equal(rename(in_dir("away"), in_dir("conf.d")), 0);
}

static void test_too_many_dropins(void **state)
{
	enum { MOST = 256 };
	kws_conf c;
	messages m;
	char name[64];

	(void)state;
	for (int i = 3; i < MOST; i++) { /* beside those of the tests before */
		snprintf(name, sizeof name, "conf.d/many-%d.conf", i);
		put(name, "");
	}
	assert_int_equal(read_all(&c, &m), 0);
	put("conf.d/many.conf", "[no]\n");
	assert_int_equal(read_all(&c, &m), 1);
	assert_non_null(strstr(m.text[0], "conf.d: has 257 files, at most 256 are read"));
}

/* A name without a folder: beside it is here. */
static void test_dropins_of_a_relative_name(void **state)
{
	char here[512];
	kws_conf c;
	messages m = { .n = 0 };

	(void)state;
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(dir), 0);
	kws_conf_begin(&c);
	put("conf.d/20-b.conf", "[log]\nlevel = debug\n");
	unlink(in_dir("conf.d/many.conf"));
	assert_int_equal(kws_conf_read_dropins(&c, "main.conf", note, &m), 0);
	assert_int_equal(c.log.level, 7);
	assert_int_equal(chdir(here), 0);
}

/* A named pipe that nobody writes does not keep kwsd for ever; one that somebody does is read. */
static void test_named_pipe(void **state)
{
	const char *path = in_dir("pipe");
	kws_conf c;
	messages m = { .n = 0 };

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	kws_conf_defaults(&c);
	assert_int_equal(kws_conf_read(&c, path, note, &m), 1);
	assert_non_null(strstr(m.text[0], "nothing came for 2 s"));
	pid_t writer = fork();
	if (writer == 0) {
		int fd = open(path, O_WRONLY);
		_exit(write(fd, "[audio]\ndevice = x y\n", 21) != 21);
	}
	assert_int_equal(kws_conf_read(&c, path, note, &m), 0);
	assert_string_equal(c.audio[0].device, "x y");
	assert_int_equal(waitpid(writer, NULL, 0), writer);
}

/* Up to 1 MiB is read. */
static void test_size(void **state)
{
	enum { MIB = 1 << 20 };
	char *text = malloc(MIB + 1);
	kws_conf c;
	messages m = { .n = 0 };

	(void)state;
	assert_non_null(text);
	memset(text, '\n', MIB);
	memcpy(text + MIB - 16, "[log]\nstats_s=7\n", 16);
	text[MIB] = 0;
	kws_conf_begin(&c);
	put("large.conf", text + 1);
	assert_int_equal(kws_conf_read(&c, in_dir("large.conf"), note, &m), 0);
	assert_int_equal(c.log.stats_s, 7);
	put("large.conf", text);
	assert_int_equal(kws_conf_read(&c, in_dir("large.conf"), note, &m), 1);
	assert_non_null(strstr(m.text[0], "large.conf: larger than 1 MiB"));
	free(text);
}

static int change(kws_conf *c, const char *assignment, messages *m)
{
	m->n = 0;
	return kws_conf_set_live(c, assignment, note, m);
}

/* While it runs: what needs no reload, of what is there. */
static void test_changes_while_it_runs(void **state)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{ "audio kitchen.device=x",
		  "[audio kitchen] device: can be changed by a reload only" },
		{ "audio.enabled=no",
		  "there is no plain [audio], only [audio kitchen], [audio attic]" },
		{ "audio kitchne.enabled=no",
		  "[audio kitchne]: there is no such section; did you mean 'kitchen'?" },
		{ "audio kitchen.enabled=auto",
		  "[audio kitchen] enabled: auto is not one of no, yes" },
		{ "log.level=debug", "[log] level: can be changed by a reload only" },
		{ "decision.threshold=2", "[decision] threshold: 2 is not in 0..1 or model" },
		{ "threshold.yes=2", "[threshold] yes: 2 is not in 0..1, off or model" },
	};
	kws_conf c, before;
	messages m;

	(void)state;
	assert_int_equal(parse(&c, "[audio kitchen]\n[audio attic]\n[model jarvis]\n", &m), 0);
	before = c;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char want[256];

		assert_int_equal(change(&c, table[i].text, &m), 1);
		snprintf(want, sizeof want, "%s: %s", table[i].text, table[i].want);
		assert_string_equal(m.text[0], want);
		assert_memory_equal(&c, &before, sizeof c);
	}
	assert_int_equal(change(&c, "audio attic.enabled=no", &m), 0);
	assert_int_equal(c.audio[1].enabled, KWS_NO);
	assert_int_equal(change(&c, "threshold.yes=0.5", &m), 0);
	assert_int_equal(change(&c, "decision jarvis.threshold=0.5", &m), 0);
	assert_int_equal(c.n_decision, 2);
}

/* What was changed is written as a file of its own, and nothing else; it comes back over the same
 * configuration, and what it names and is gone by then is told. */
static void test_changes_are_kept(void **state)
{
	static const char text[] =
		"[audio kitchen]\n[audio attic]\nenabled = no\n[model a]\n"
		"[decision]\nthreshold = 0.5\n[threshold a]\nyes = 0.1\nno = 0.2\n";
	kws_conf from, to, again;
	messages m;
	FILE *f = fopen(in_dir("kept"), "w");

	(void)state;
	assert_int_equal(parse(&from, text, &m), 0);
	to = from;
	assert_int_equal(change(&to, "audio kitchen.enabled=no", &m), 0);
	assert_int_equal(change(&to, "audio attic.enabled=no", &m), 0); /* as it was */
	assert_int_equal(change(&to, "decision.threshold=model", &m), 0);
	assert_int_equal(change(&to, "decision.smooth_ms=80", &m), 0);
	assert_int_equal(change(&to, "threshold a.no=off", &m), 0);
	assert_int_equal(change(&to, "threshold b.up=0.25", &m), 0);
	kws_conf_print_kept(&from, &to, f);
	fclose(f);
	f = fopen(in_dir("kept"), "r");
	char kept[512] = "";
	kept[fread(kept, 1, sizeof kept - 1, f)] = 0;
	fclose(f);
	assert_string_equal(kept, "[audio kitchen]\nenabled = no\n\n[decision]\nsmooth_ms = 80\n"
				  "threshold = model\n\n[decision b]\n\n[threshold a]\nno = off\n\n"
				  "[threshold b]\nup = 0.25\n");
	again = from;
	m.n = 0;
	assert_int_equal(kws_conf_read_kept(&again, in_dir("kept"), note, &m), 0);
	assert_memory_equal(&again, &to, sizeof to);
	assert_int_equal(parse(&again, "[audio attic]\n", &m), 0);
	assert_int_equal(kws_conf_read_kept(&again, in_dir("kept"), note, &m), 1);
	assert_non_null(strstr(m.text[0], "kept:1: [audio kitchen]: there is no such section"));
	assert_int_equal(again.n_audio, 1);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dropins_override_single_keys),
		cmocka_unit_test(test_dropins_that_are_wrong),
		cmocka_unit_test(test_too_many_dropins),
		cmocka_unit_test(test_dropins_of_a_relative_name),
		cmocka_unit_test(test_named_pipe),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_changes_while_it_runs),
		cmocka_unit_test(test_changes_are_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
