/* kws itself: help, what is typed wrongly, what cannot be opened or written; model and bench. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "tests/run_kws.h"
#include "tests/sanitized.h"

#include <errno.h>

enum { SECONDS = 20, N = RATE * SECONDS };

static short pcm[N];

static int set_up(void **state)
{
	(void)state;
	make_dir(&tiny_default);
	make_sound(pcm, N, 33);
	put_wav("long.wav", pcm, N);
	return 0;
}

static void help_and_version(void **state)
{
	(void)state;
	assert_int_equal(run("--version", NULL), 0);
	assert_string_equal(out, "kws " KWS_VERSION "\n");
	assert_int_equal(run("help", NULL), 0);
	assert_non_null(strstr(out, "classify"));
	assert_int_equal(run("--help", NULL), 0);
	const char *const commands[] = { "classify", "spot", "model", "bench" };
	for (size_t i = 0; i < 4; i++) {
		static char help[MOST];
		assert_int_equal(run("help", commands[i], NULL), 0);
		memcpy(help, out, sizeof help);
		assert_int_equal(run(commands[i], "--help", NULL), 0);
		assert_string_equal(out, help);
		assert_non_null(strstr(out, commands[i]));
		assert_string_equal(err, "");
	}
}

/* Arguments, and what is said of them. */
static const char *const bad[][5] = {
	{ "sing", NULL, NULL, NULL, "sing" },
	{ "help", "sing", NULL, NULL, "sing" },
	{ "--frob", NULL, NULL, NULL, "--frob" },
	{ "spot", "--frob", NULL, NULL, "frob" },
	{ "spot", NULL, NULL, NULL, "name a file" },
	{ "classify", NULL, NULL, NULL, "name a file" },
	{ "spot", "--format=xml", "-", NULL, "xml" },
	{ "classify", "--format=audacity", "-", NULL, "audacity" },
	{ "spot", "--block=0", "-", NULL, "--block" },
	{ "spot", "--block=10ms", "-", NULL, "10ms" },
	{ "spot", "--rate=7999", "-", NULL, "--rate" },
	{ "spot", "--rate=16000.5", "-", NULL, "16000.5" },
	{ "spot", "--channels=-1", "-", NULL, "-1" },
	{ "spot", "--channel=0", "-", NULL, "--channel" },
	{ "spot", "--encoding=s17", "-", NULL, "s17" },
	{ "spot", "--threshold=1.5", "-", NULL, "1.5" },
	{ "spot", "--threshold=yes=nan", "-", NULL, "nan" },
	{ "spot", "--threshold=maybe=0.5", "-", NULL, "maybe" },
	{ "spot", "--threshold=_unknown_=0.5", "-", NULL, "_unknown_" },
	{ "spot", "--threshold=0.5,", "-", NULL, "--threshold" },
	{ "spot", "--smooth=x", "-", NULL, "--smooth" },
	{ "classify", "-k", "0", "-", "--top" },
	{ "classify", "-j", "x", "-", "--jobs" },
	{ "classify", "--manifest=x", "y", NULL, "--manifest" },
	{ "model", "--format=csv", NULL, NULL, "csv" },
	/* What a hand in a hurry types: never read as something else. */
	{ "spto", NULL, NULL, NULL, "did you mean 'spot'?" },
	{ "help", "calibrat", NULL, NULL, "did you mean 'calibrate'?" },
	{ "spot", "--treshold=0.5", "-", NULL, "did you mean 'threshold'?" },
	{ "eval", "--unlabeled-only", "x", NULL, "did you mean 'unlabelled-only'?" },
	{ "spot", "--threshold", "0,1", "-", "write 0.1" },
	{ "spot", "-t", "yes=0,1", "-", "write 0.1" },
	{ "spot", "-t", "no=0.5,yes=1,0", "-", "write 1.0" },
	{ "spot", "-t", "0.4,0.5", "-", "sets all words twice" },
	{ "spot", "-t", "yes=0.4,yes=0.5", "-", "sets yes twice" },
	{ "spot", "-t", "Yes=0.4", "-", "did you mean 'yes'?" },
	{ "spot", "-t", "yse=0.4", "-", "did you mean 'yes'?" },
	{ "spot", "-t", "0.4 0.5", "-", "0.4 0.5" },
	{ "listen", "-t", "0,1", "-draw:/dev/null", "write 0.1" },
	{ "listen", "-c", "2", NULL, "--channel 2" },
	{ "doctor", "-c", "2", NULL, "--channel 2" },
	{ "eval", "--at=0,5", "x", NULL, "write 0.5" },
	{ "eval", "--manifest=x", "--smooth=100", NULL, "it takes no" },
	{ "eval", "--manifest=x", "--unlabelled-only", NULL, "it takes no" },
	{ "eval", "--tolerance=0,75", "x", NULL, "write 0.75" },
	{ "calibrate", "--target=1,5", "x", NULL, "write 1.5" },
	{ "calibrate", "--lowest=0,3", "x", NULL, "write 0.3" },
	{ "plot", "--start=1,5", "x", NULL, "write 1.5" },
	{ "devices", "--format=cvs", NULL, NULL, "did you mean 'csv'?" },
	{ "bench", "--format=csv", NULL, NULL, "csv" },
	{ "bench", "--level=x86-64-v9", NULL, NULL, "--level: 'x86-64-v9' is no level" },
};

static void bad_usage_is_2_and_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(run(bad[i][0], bad[i][1], bad[i][2], bad[i][3], NULL), 2);
		assert_string_equal(out, "");
		assert_non_null(strstr(err, bad[i][4]));
	}
	assert_int_equal(run(NULL), 2);
}

static void bad_models_are_3(void **state)
{
	(void)state;
	const char *const commands[] = { "spot", "classify" };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(run(commands[i], "-m", in_dir("none"), in_dir("long.wav"), NULL),
				 3);
		assert_non_null(strstr(err, "none"));
		assert_int_equal(
			run(commands[i], "-m", in_dir("junk.wav"), in_dir("long.wav"), NULL), 3);
		assert_non_null(strstr(err, "junk.wav"));
		assert_string_equal(out, "");
	}
	assert_int_equal(run("spot", "-m", in_dir("full.safetensors"), in_dir("long.wav"), NULL),
			 3);
	assert_non_null(strstr(err, "full attention"));
	assert_int_equal(run("spot", "-m", "tests/golden/net_fastformer_clip.safetensors",
			     in_dir("long.wav"), NULL),
			 3);
	assert_non_null(strstr(err, "fastformer_clip"));
	assert_int_equal(run("model", in_dir("none"), NULL), 3);
}

static void unwritable_output_is_1(void **state)
{
	(void)state;
	const char *argv[] = { "kws", "spot", "--threshold=0.3", in_dir("long.wav"), NULL };
	int full = open("/dev/full", O_WRONLY);
	assert_true(full >= 0);
	child c = start(argv, full);
	assert_int_equal(finish(&c, "", 0), 1);
	assert_non_null(strstr(err, strerror(ENOSPC)));
	close(full);
	/* A reader that has gone is no news. */
	c = start(argv, -1);
	close(c.out);
	c.out = open("/dev/null", O_RDONLY);
	assert_int_equal(finish(&c, "", 0), 1);
	assert_string_equal(err, "");
}

/* ---- help ---- */

/* An option of an example is one of the command. */
static void check_example(const char *line, const char *command, const char *help)
{
	char text[128], option[64];
	assert_true(strlen(line) <= 79);
	snprintf(text, sizeof text, "kws %s", command);
	assert_non_null(strstr(line, text));
	for (const char *at = strstr(line, text); (at = strstr(at, " --")); at++) {
		snprintf(option, sizeof option, "%.*s", (int)strcspn(at + 1, " ="), at + 1);
		assert_non_null(strstr(help, option));
	}
}

static void help_has_all_commands_and_examples(void **state)
{
	(void)state;
#define NAME(name, does) #name,
	static const char *const names[] = { KWS_COMMANDS(NAME) };
	static char list[MOST];
	char line[64];
	assert_int_equal(run("help", NULL), 0);
	memcpy(list, out, sizeof list);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = 0;
		snprintf(line, sizeof line, "\n  kws %-10s ", names[i]);
		const char *in_list = strstr(list, line);
		assert_non_null(in_list);
		assert_null(strstr(in_list + 1, line));
		assert_int_equal(run(names[i], "--help", NULL), 0);
		char *at = strstr(out, "\nExamples:\n");
		assert_non_null(at);
		*at = '\0';
		at += strlen("\nExamples:\n");
		for (char *example; (example = next_line(&at)); n++)
			check_example(example, names[i], out);
		assert_true(n > 0);
	}
}

/* ---- model ---- */

static void model_tells_what_is_in_it(void **state)
{
	(void)state;
	assert_int_equal(run("model", "--format=jsonl", NULL), 0);
	json_t *o = json_line(0);
	assert_string_equal(text_of(o, "name"), "tiny");
	assert_string_equal(text_of(o, "licence"), "CC0-1.0");
	assert_int_equal(strlen(text_of(o, "sha256")), 64);
	assert_int_equal(json_array_size(json_object_get(o, "words")), TINY_WORDS);
	assert_int_equal((int)number_of(json_object_get(o, "features"), "n_mels"), 10);
	assert_int_equal((int)number_of(json_object_get(o, "network"), "dim"), 8);
	assert_int_equal((int)number_of(json_object_get(o, "decision"), "smooth_ms"), 60);
	assert_true(number_of(json_object_get(json_object_get(o, "decision"), "thresholds"), "no")
		    == 0.6);
	assert_int_equal((int)number_of(o, "window_ms"), 200);
	assert_true(number_of(o, "parameters") > 1000 && number_of(o, "state_bytes") > 0);
	json_decref(o);
	assert_int_equal(run("model", in_dir("tiny.safetensors"), NULL), 0);
	assert_non_null(strstr(out, "_unknown_"));
	assert_non_null(strstr(out, "16000"));
}

/* The table of layers: each tensor belongs to one, and each product. */
static void model_shows_its_layers(void **state)
{
	(void)state;
	static const char *const rows[] = { "features", "input",      "layers.0",
					    "layers.1", "final_norm", "head" };
	size_t sum = 0, all = 0, n = 0;
	double work = 0.0;
	assert_int_equal(run("model", "--format=jsonl", NULL), 0);
	json_t *o = json_line(0);
	assert_int_equal(run("model", NULL), 0);
	char *at = strstr(out, "\n  layer "), *line;
	assert_non_null(at);
	at++;
	next_line(&at);
	for (; (line = next_line(&at)) && line[2] != 'S';) {
		char name[32] = "", shape[32] = "";
		size_t parameters = 0;
		double share = 0.0;
		const int got =
			sscanf(line, "%31s %31s %zu %lf %%", name, shape, &parameters, &share);
		if (strcmp(name, "all") == 0)
			all = strtoul(shape, NULL, 10);
		if (line[2] == ' ' || strcmp(name, "all") == 0)
			continue;
		assert_true(got >= 3 && n < sizeof rows / sizeof *rows);
		assert_string_equal(name, rows[n++]);
		sum += parameters;
		work += got == 4 ? share : 0.0;
	}
	assert_int_equal(n, sizeof rows / sizeof *rows);
	assert_int_equal(sum, all);
	assert_int_equal(all, size_of(o, "parameters"));
	assert_true(fabs(work - 100.0) < 0.5);
	json_decref(o);
}

/* ---- bench ---- */

/* The copy of kws that bench starts has another standard input: the model that came there is gone. */
static void bench_says_what_it_could_not_measure(void **state)
{
	(void)state;
	char command[8192];
	snprintf(command, sizeof command,
		 "cd %s && '%s' bench --seconds 1 --level baseline -m /dev/stdin <tiny.safetensors "
		 ">out 2>err",
		 dir, kws);
	const int status = system(command);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	read_whole(in_dir("out"), out, sizeof out);
	read_whole(in_dir("err"), err, sizeof err);
	assert_non_null(
		strstr(err, "bench: start: not measured: kws, run again, ended with status 3"));
	assert_non_null(strstr(out, "vectors baseline"));
	assert_non_null(strstr(out, "x real time")); /* the rest was measured */
	assert_non_null(strstr(out, "% of the peak"));
	assert_non_null(strstr(out, "in a file, hop by hop"));
	assert_non_null(strstr(out, "resident"));
	assert_null(strstr(out, "start "));
}

/* What is counted, not how long it takes. */
static void bench_of_streams(void **state)
{
	(void)state;
	assert_int_equal(run_line("bench --streams=3 --format jsonl"), 0);
	json_t *o = last_json();
	assert_int_equal(size_of(o, "streams"), 3);
	assert_true(number_of(o, "round_ms") == 20.0); /* a frame of the tiny model */
	assert_true(number_of(o, "round_ms_p50") > 0.0);
	assert_true(number_of(o, "round_ms_p99") >= number_of(o, "round_ms_p50"));
	assert_true(KWS_TEST_SANITIZED || number_of(o, "bytes_per_stream") > 1000.0);
	json_decref(o);
	assert_int_equal(run_line("bench --streams=0"), 2);
	assert_int_equal(run_line("bench --streams=3 -s 5"), 2);
	assert_int_equal(run_line("bench --streams=3 -m full.safetensors"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(bad_usage_is_2_and_named),
		cmocka_unit_test(bad_models_are_3),
		cmocka_unit_test(unwritable_output_is_1),
		cmocka_unit_test(help_has_all_commands_and_examples),
		cmocka_unit_test(model_tells_what_is_in_it),
		cmocka_unit_test(model_shows_its_layers),
		cmocka_unit_test(bench_says_what_it_could_not_measure),
		cmocka_unit_test(bench_of_streams),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
