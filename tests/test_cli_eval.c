/* kws eval and calibrate, run as a user runs them. */
#define _POSIX_C_SOURCE 200809L
#include "tests/run_kws.h"
#include "corpus/det.h"

/* Events that eval counts for a word at a threshold, from its CSV in `text'. */
static size_t counted(const char *text, const char *word, const char *threshold)
{
	char start[64];
	size_t f[8];
	double x;
	snprintf(start, sizeof start, "\n%s,%s,", word, threshold);
	const char *row = strstr(text, start);
	assert_non_null(row);
	/* said,hits,miss,lo,hi,false,per_hour,lo,hi,duplicates,confused,strays */
	assert_int_equal(sscanf(row + strlen(start),
				"%zu,%zu,%lf,%lf,%lf,%zu,%lf,%lf,%lf,%zu,%zu,%zu", &f[0], &f[1], &x,
				&x, &x, &f[2], &x, &x, &x, &f[3], &f[4], &f[5]),
			 12);
	assert_int_equal(f[2], f[3] + f[4] + f[5]);
	return f[1] + f[2];
}

/* The promise of the curve: at each threshold, what kws spot finds there. */
static void eval_counts_what_spot_finds(void **state)
{
	(void)state;
	static char table[MOST];
	size_t n_all = 0;
	assert_int_equal(run_line("eval --format csv said.wav other.wav"), 0);
	assert_string_equal(err, "");
	memcpy(table, out, sizeof table);
	for (size_t g = 0; g < KWS_DET_GRID; g += 4) {
		char threshold[32];
		snprintf(threshold, sizeof threshold, "%.4f", (double)kws_det_threshold(g));
		assert_int_equal(run_line("spot --format csv -t %s said.wav other.wav", threshold),
				 0);
		size_t yes = fired(out, "yes"), no = fired(out, "no");
		assert_int_equal(counted(table, "yes", threshold), yes);
		assert_int_equal(counted(table, "no", threshold), no);
		assert_int_equal(counted(table, "all", threshold), yes + no);
		n_all += yes + no;
	}
	assert_true(n_all > 50);
}

static void eval_says_it_in_json(void **state)
{
	(void)state;
	assert_int_equal(run_line("eval --format jsonl --at 1e5 said.wav other.wav"), 0);
	json_t *o = last_json(), *sum = json_object_get(o, "summary");
	assert_int_equal(size_of(sum, "recordings_labelled"), 1);
	assert_int_equal(size_of(sum, "recordings_unlabelled"), 1);
	assert_true(fabs(number_of(sum, "hours_for_false_alarms") - 60.0 / 3600.0) < 1e-4);
	json_t *points = json_object_get(sum, "points");
	assert_int_equal(json_array_size(points), 2);
	json_t *words = json_object_get(json_array_get(points, 1), "words");
	json_t *all = json_object_get(words, "all");
	assert_int_equal(size_of(all, "said"), 19);
	assert_int_equal(size_of(json_object_get(words, "yes"), "said"), 10);
	assert_null(json_object_get(words, "_unknown_"));
	double miss = number_of(all, "miss");
	json_t *ci = json_object_get(all, "miss_ci");
	assert_true(json_number_value(json_array_get(ci, 0)) <= miss);
	assert_true(json_number_value(json_array_get(ci, 1)) >= miss);
	if (size_of(all, "hits"))
		assert_true(number_of(all, "latency_p50") <= number_of(all, "latency_max"));
	json_decref(o);
	/* Only the hours in which nothing is said. */
	assert_int_equal(run_line("eval --format jsonl --unlabelled-only said.wav other.wav"), 0);
	o = last_json();
	assert_true(fabs(number_of(json_object_get(o, "summary"), "hours_for_false_alarms")
			 - 30.0 / 3600.0)
		    < 1e-4);
	json_decref(o);
}

static void eval_does_not_depend_on_jobs(void **state)
{
	(void)state;
	static char once[MOST];
	assert_int_equal(run_line("eval -j 1 said.wav other.wav"), 0);
	assert_non_null(strstr(out, "rule of three"));
	memcpy(once, out, sizeof once);
	assert_int_equal(run_line("eval -j 3 said.wav other.wav"), 0);
	assert_string_equal(out, once);
}

static void eval_goes_on_after_bad_inputs(void **state)
{
	(void)state;
	assert_int_equal(run_line("eval --format jsonl junk.wav said.wav nosuch.wav"), 1);
	assert_non_null(strstr(err, "junk.wav"));
	assert_non_null(strstr(err, "nosuch.wav"));
	json_t *o = last_json();
	assert_int_equal(size_of(json_object_get(o, "summary"), "failed"), 2);
	json_decref(o);
	assert_int_equal(symlink("other.wav", in_dir("broken.wav")), 0);
	put_text("broken.tsv", "1\t2\tyes\n5\t4\tno\n");
	assert_int_equal(run_line("eval broken.wav"), 1);
	assert_non_null(strstr(err, "broken.tsv:2: the end, 4, is before the start"));
	/* A word that the model lacks is not said; nothing else is there. */
	put_text("broken.tsv", "1\t2\tmarvin\n");
	assert_int_equal(run_line("eval broken.wav"), 0);
	assert_non_null(strstr(err, "1 words are not in tiny and count as not said: 1 'marvin'"));
	/* Times with a decimal comma are refused, not read as whole seconds. */
	put_text("broken.tsv", "1,5\t2,5\tyes\n");
	assert_int_equal(run_line("eval broken.wav"), 1);
	assert_non_null(strstr(err, "broken.tsv:1: the start, 1,5, is not a time; write 1.5"));
	/* Blanks, quotes and capitals make no other word, and are told. */
	put_text("broken.tsv", "1\t2\tYes \n3\t4\t\"no\"\n5\t6\tyes\xc2\xa0\n7\t8\tyesss\n");
	assert_int_equal(run_line("eval --format jsonl broken.wav"), 0);
	assert_non_null(strstr(err, "3 words with other blanks, quotes or capitals"));
	assert_non_null(strstr(err, "broken.tsv:1: 'Yes ' as 'yes'"));
	assert_non_null(strstr(err, "1 'yesss' (line 4; did you mean 'yes'?)"));
	o = last_json();
	json_t *sum = json_object_get(o, "summary");
	assert_int_equal(size_of(sum, "words_respelt"), 3);
	assert_int_equal(size_of(sum, "words_not_in_model"), 1);
	json_decref(o);
	unlink(in_dir("broken.tsv"));
	unlink(in_dir("broken.wav"));
	assert_int_equal(run_line("eval"), 2);
	assert_int_equal(run_line("eval --at -1 said.wav"), 2);
	assert_int_equal(run_line("eval -m full.safetensors said.wav"), 3);
}

static void eval_of_clips_is_classify(void **state)
{
	(void)state;
	static char classified[MOST];
	put_text("list.tsv", "said.wav\tyes\nother.wav\tno\n");
	assert_int_equal(run_line("classify -q --manifest list.tsv"), 0);
	memcpy(classified, out, sizeof classified);
	assert_int_equal(run_line("eval --manifest list.tsv"), 0);
	assert_non_null(strstr(out, "accuracy"));
	assert_string_equal(out, classified);
	assert_int_equal(run_line("eval --manifest list.tsv said.wav"), 2);
}

/* ---- calibrate ---- */

static void calibrate_refuses(void **state)
{
	(void)state;
	assert_int_equal(run_line("calibrate said.wav other.wav"), 4);
	assert_string_equal(out, "");
	/* 2.996 / (1/60 h) = 179.74; 2.996 / 0.5 = 6.0 h. */
	assert_non_null(strstr(err, "cannot support 0.5 false alarms an hour"));
	assert_non_null(strstr(err, "179.7"));
	assert_non_null(strstr(err, "6.0 h are needed"));
	assert_int_equal(run_line("calibrate --target 1e5 other.wav"), 4);
	assert_non_null(strstr(err, "no word is said"));
	assert_int_equal(run_line("calibrate --target x said.wav"), 2);
	assert_int_equal(run_line("calibrate"), 2);
}

static void calibrate_keeps_to_the_target(void **state)
{
	(void)state;
	static const double targets[] = { 200, 400, 700, 1500, 1e5 };
	size_t hits = 0;
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		assert_int_equal(run_line("calibrate --format jsonl --target %g said.wav other.wav",
					  targets[i]),
				 0);
		json_t *o = last_json();
		assert_true(json_is_true(json_object_get(o, "supported")));
		assert_true(number_of(o, "supported_per_hour") <= targets[i]);
		/* A looser target never hears less. */
		assert_true(size_of(o, "hits") >= hits);
		hits = size_of(o, "hits");
		json_decref(o);
	}
	assert_true(hits > 0);
	assert_int_equal(
		run_line("calibrate --format jsonl --allow-unsupported --target 100 said.wav "
			 "other.wav"),
		0);
	json_t *o = last_json();
	assert_true(json_is_false(json_object_get(o, "supported")));
	assert_true(size_of(o, "false_alarms") <= 1);
	json_decref(o);
	assert_int_equal(
		run_line("calibrate --per-word --lowest 0.6 --target 700 said.wav other.wav"), 0);
	char *at = strstr(out, "[threshold]\n"), *line;
	assert_non_null(at);
	next_line(&at);
	size_t n = 0;
	for (; (line = next_line(&at)); n++) {
		double x = -1.0;
		assert_int_equal(sscanf(line, "%*s = %lf", &x), 1);
		assert_true(x >= 0.6 && x <= 1.0);
	}
	assert_int_equal(n, 2);
}

/* Where the tensors of a model file begin. */
static size_t data_at(const char *bytes)
{
	size_t n = 0;
	for (int i = 7; i >= 0; i--)
		n = n << 8 | (unsigned char)bytes[i];
	return 8 + n;
}

/* What no threshold is in: the tensors. */
static void same_tensors(const char *a, const char *b)
{
	static char before[MOST], after[MOST];
	size_t n0 = read_whole(in_dir(a), before, sizeof before);
	size_t n1 = read_whole(in_dir(b), after, sizeof after);
	size_t d0 = data_at(before), d1 = data_at(after);
	assert_int_equal(n0 - d0, n1 - d1);
	assert_memory_equal(before + d0, after + d1, n0 - d0);
	assert_int_equal(d1 % 8, 0);
}

static kws_model *open_model(const char *name)
{
	kws_model *m = NULL;
	kws_error e = { "" };
	assert_int_equal(kws_model_open(&m, in_dir(name), &e), KWS_OK);
	return m;
}

static void calibrate_writes_a_model(void **state)
{
	(void)state;
	assert_int_equal(
		run_line("calibrate --format jsonl --target 700 --write-model new.safetensors "
			 "said.wav other.wav"),
		0);
	json_t *o = last_json(), *thresholds = json_object_get(o, "thresholds");
	same_tensors("tiny.safetensors", "new.safetensors");
	kws_model *m = open_model("new.safetensors"), *was = open_model("tiny.safetensors");
	for (size_t w = 0; w < kws_model_n_words(m); w++) {
		json_t *x = json_object_get(thresholds, kws_model_word(m, w));
		assert_string_equal(kws_model_word(m, w), kws_model_word(was, w));
		if (x)
			assert_true(kws_model_threshold(m, w) == (float)json_real_value(x));
	}
	assert_string_equal(kws_model_name(m), kws_model_name(was));
	assert_string_equal(kws_model_meta(m, "network"), kws_model_meta(was, "network"));
	assert_non_null(strstr(kws_model_meta(m, "calibration"), "\"target_per_hour\":700"));
	kws_model_close(m);
	kws_model_close(was);

	/* With its own thresholds it does what calibrate said it does. */
	assert_int_equal(run_line("eval -m new.safetensors --format jsonl said.wav other.wav"), 0);
	json_t *p = last_json();
	json_t *point = json_array_get(json_object_get(json_object_get(p, "summary"), "points"), 0);
	json_t *all = json_object_get(json_object_get(point, "words"), "all");
	assert_int_equal(size_of(all, "hits"), size_of(o, "hits"));
	assert_int_equal(size_of(all, "false_alarms"), size_of(o, "false_alarms"));
	json_decref(p);
	json_decref(o);
}

/* In its own place; and nowhere when that cannot be. */
static void calibrate_writes_whole_files(void **state)
{
	(void)state;
	char command[600];
	assert_int_equal(run_line("calibrate --target 1e5 --write-model own.safetensors said.wav"),
			 0);
	assert_int_equal(run_line("calibrate -m own.safetensors --target 1e5 --write-model "
				  "own.safetensors said.wav"),
			 0);
	kws_model_close(open_model("own.safetensors"));
	assert_int_equal(
		run_line("calibrate --target 1e5 --write-model nosuch/new.safetensors said.wav"),
		1);
	/* Nothing half done lies about. */
	snprintf(command, sizeof command, "ls %s | grep -F safetensors.", dir);
	assert_int_not_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eval_counts_what_spot_finds),
		cmocka_unit_test(eval_says_it_in_json),
		cmocka_unit_test(eval_does_not_depend_on_jobs),
		cmocka_unit_test(eval_goes_on_after_bad_inputs),
		cmocka_unit_test(eval_of_clips_is_classify),
		cmocka_unit_test(calibrate_refuses),
		cmocka_unit_test(calibrate_keeps_to_the_target),
		cmocka_unit_test(calibrate_writes_a_model),
		cmocka_unit_test(calibrate_writes_whole_files),
	};
	return cmocka_run_group_tests(tests, set_up_said, tear_down) != 0;
}
