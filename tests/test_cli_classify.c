/* kws classify, run as a user runs it. */
#define _POSIX_C_SOURCE 200809L
#include "cli/accuracy.h"
#include "tests/run_kws.h"

enum { N = RATE * 20 };

static short pcm[N];

static int set_up(void **state)
{
	(void)state;
	make_dir(&tiny_default);
	make_sound(pcm, N, 33);
	/* Clips in a tree, made in another order than they sort. */
	mkdir(in_dir("clips"), 0755);
	mkdir(in_dir("clips/b"), 0755);
	mkdir(in_dir("clips/a"), 0755);
	for (int i = 9; i >= 0; i--) {
		char name[64];
		snprintf(name, sizeof name, "clips/%c/%d.wav", i % 2 ? 'a' : 'b', i);
		put_wav(name, pcm + i * RATE, RATE);
	}
	put_text("clips/readme.txt", "no audio");
	put_wav("quo\"te, and\nline.wav", pcm, RATE);
	put_wav("latin\xe9.wav", pcm, RATE);
	return 0;
}

static void classify_walks_folders_in_order(void **state)
{
	(void)state;
	static char one[MOST];
	assert_int_equal(run("classify", "--format=jsonl", "-j1", in_dir("clips"), NULL), 0);
	memcpy(one, out, sizeof one);
	assert_int_equal(count_lines(out), 10);
	const char *const order[] = { "a/1", "a/3", "a/5", "a/7", "a/9",
				      "b/0", "b/2", "b/4", "b/6", "b/8" };
	for (size_t i = 0; i < 10; i++) {
		json_t *o = json_line(i);
		assert_non_null(strstr(text_of(o, "file"), order[i]));
		assert_true(number_of(o, "prob") > 0.0 && number_of(o, "prob") <= 1.0);
		assert_true(strlen(text_of(o, "label")) > 0);
		json_decref(o);
	}
	const char *const jobs[] = { "-j2", "-j3", "-j16" };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run("classify", "--format=jsonl", jobs[i], in_dir("clips"), NULL),
				 0);
		assert_string_equal(out, one);
	}
}

static void classify_shows_the_top(void **state)
{
	(void)state;
	assert_int_equal(
		run("classify", "--format=jsonl", "-k", "9", in_dir("clips/a/1.wav"), NULL), 0);
	json_t *o = json_line(0), *top = json_object_get(o, "top");
	assert_int_equal(json_array_size(top), TINY_WORDS);
	assert_string_equal(text_of(json_array_get(top, 0), "label"), text_of(o, "label"));
	double sum = 0.0, last = 1.0;
	for (size_t i = 0; i < TINY_WORDS; i++) {
		double p = number_of(json_array_get(top, i), "prob");
		assert_true(p <= last);
		last = p;
		sum += p;
	}
	assert_true(fabs(sum - 1.0) < 1e-5);
	json_decref(o);
	assert_int_equal(run("classify", "--format=csv", "-k2", in_dir("clips/a/1.wav"), NULL), 0);
	assert_memory_equal(out, "file,label,prob,label2,prob2\n", 29);
	assert_int_equal(run("classify", in_dir("clips/a/1.wav"), NULL), 0);
	assert_non_null(strstr(out, "label"));
	assert_non_null(strstr(out, "1.wav"));
}

static void names_break_no_format(void **state)
{
	(void)state;
	const char *odd = in_dir("quo\"te, and\nline.wav"), *latin = in_dir("latin\xe9.wav");
	assert_int_equal(run("classify", "--format=jsonl", odd, latin, NULL), 0);
	assert_int_equal(count_lines(out), 2);
	json_t *o = json_line(0);
	assert_string_equal(text_of(o, "file"), odd);
	json_decref(o);
	o = json_line(1);
	assert_non_null(strstr(text_of(o, "file"), "latin\xef\xbf\xbd.wav"));
	json_decref(o);
	assert_int_equal(run("classify", "--format=csv", odd, NULL), 0);
	assert_non_null(strstr(out, "quo\"\"te, and\nline.wav\","));
	assert_int_equal(run("classify", odd, NULL), 0);
	assert_int_equal(count_lines(out), 2);
	assert_int_equal(run("classify", in_dir("no\nwhere.wav"), NULL), 1);
	assert_int_equal(count_lines(err), 1);
}

static double prob_of(size_t samples, const char *option)
{
	assert_int_equal(run_on(pcm, samples, "classify", "--format=jsonl", "-", option, NULL), 0);
	json_t *o = json_line(0);
	double p = number_of(o, "prob");
	json_decref(o);
	return p;
}

/* A clip of one window has one moment; in a longer one the end is only one of many. */
static void classify_judges_the_end(void **state)
{
	(void)state;
	size_t other = 0;
	assert_true(prob_of(3200, "--at-end") == prob_of(3200, NULL));
	for (size_t n = 2; n < 10; n++)
		other += prob_of(n * 3200, "--at-end") != prob_of(n * 3200, NULL);
	assert_true(other > 0);
}

static void classify_reports_what_it_cannot_read(void **state)
{
	(void)state;
	assert_int_equal(run("classify", "--format=jsonl", in_dir("junk.wav"), in_dir("none.wav"),
			     in_dir("clips/a"), NULL),
			 1);
	assert_int_equal(count_lines(out), 5);
	assert_int_equal(count_lines(err), 2);
	assert_non_null(strstr(err, "junk.wav"));
	assert_non_null(strstr(err, "none.wav"));
	mkdir(in_dir("empty"), 0755);
	assert_int_equal(run("classify", in_dir("empty"), NULL), 1);
	assert_non_null(strstr(err, "empty"));
	assert_int_equal(run("classify", "-", NULL), 1); /* stdin is empty */
	assert_int_equal(run_on(pcm, 2 * RATE, "classify", "--format=jsonl", "-", NULL), 0);
	assert_int_equal(count_lines(out), 1);
}

static void classify_measures_a_list(void **state)
{
	(void)state;
	const char list[] = "path\tset\tword\n"
			    "clips/b/0.wav\tx\tyes\n"
			    "clips/a/1.wav\tx\tno\n"
			    "clips/b/2.wav\tx\tbed\n"
			    "clips/a/3.wav\tx\tsilence\n"
			    "clips/b/4.wav\tx\tyes\n"
			    "none.wav\tx\tyes\n";
	put_file("list.tsv", list, sizeof list - 1);
	assert_int_equal(run("classify", "--format=jsonl", "--manifest", in_dir("list.tsv"), NULL),
			 1);
	assert_int_equal(count_lines(out), 6);
	const char *const classes[] = { "yes", "no", "_unknown_", "_silence_", "yes" };
	size_t right = 0;
	for (size_t i = 0; i < 5; i++) {
		json_t *o = json_line(i);
		int same = strcmp(text_of(o, "label"), classes[i]) == 0;
		assert_int_equal(json_is_true(json_object_get(o, "correct")), same);
		right += (size_t)same;
		json_decref(o);
	}
	json_t *o = json_line(5), *sum = json_object_get(o, "summary"),
	       *words = json_object_get(sum, "words");
	assert_int_equal((int)number_of(sum, "n"), 5);
	assert_int_equal((int)number_of(sum, "failed"), 1);
	assert_int_equal((int)number_of(sum, "correct"), (int)right);
	assert_true(fabs(number_of(sum, "accuracy") - (double)right / 5.0) < 1e-6);
	assert_int_equal((int)number_of(json_object_get(words, "yes"), "n"), 2);
	assert_int_equal((int)number_of(json_object_get(words, "_unknown_"), "n"), 1);
	json_t *confusion = json_object_get(sum, "confusion");
	assert_int_equal(json_array_size(confusion), TINY_WORDS);
	size_t all = 0;
	for (size_t r = 0; r < TINY_WORDS; r++)
		for (size_t h = 0; h < TINY_WORDS; h++)
			all += (size_t)json_integer_value(
				json_array_get(json_array_get(confusion, r), h));
	assert_int_equal(all, 5);
	/* Wilson's interval of 0, 1 and 2 of 2, worked out by hand: z * z / (2 + z * z) = 0.65762,
	 * and so on. */
	const double lo[] = { 0.0, 0.094531, 0.342380 }, hi[] = { 0.657620, 0.905469, 1.0 };
	json_t *yes = json_object_get(words, "yes"), *ci = json_object_get(yes, "recall_ci");
	size_t k = (size_t)number_of(yes, "correct");
	assert_true(fabs(json_number_value(json_array_get(ci, 0)) - lo[k]) < 2e-6);
	assert_true(fabs(json_number_value(json_array_get(ci, 1)) - hi[k]) < 2e-6);
	json_decref(o);
	assert_int_equal(run("classify", "--quiet", "--manifest", in_dir("list.tsv"), NULL), 1);
	assert_non_null(strstr(out, "accuracy"));
	assert_non_null(strstr(out, "confusion"));
	assert_int_equal(run("classify", "--manifest", in_dir("none.tsv"), NULL), 1);
	assert_non_null(strstr(err, "none.tsv"));
}

static void no_word_of_a_list_is_taken_for_another(void **state)
{
	(void)state;
	const char list[] = "clips/b/0.wav\tYES\n"
			    "clips/a/1.wav\t yes \n"
			    "clips/b/2.wav\tyes\xc2\xa0\n"
			    "clips/a/3.wav\t\"yes\"\n"
			    "clips/b/4.wav\tSilence\n"
			    "clips/a/5.wav\tyess\n"
			    "clips/b/6.wav\tmarvin\n"
			    "clips/a/7.wav\tmarvin\n"
			    "clips/b/8.wav\t_Unknown_\n"
			    "clips/a/9.wav\tno\n";
	put_file("respelt.tsv", list, sizeof list - 1);
	assert_int_equal(
		run("classify", "--format=jsonl", "-q", "--manifest", in_dir("respelt.tsv"), NULL),
		0);
	json_t *o = json_line(0), *sum = json_object_get(o, "summary"),
	       *words = json_object_get(sum, "words");
	assert_int_equal((int)number_of(json_object_get(words, "yes"), "n"), 4);
	assert_int_equal((int)number_of(json_object_get(words, "_silence_"), "n"), 1);
	assert_int_equal((int)number_of(json_object_get(words, "_unknown_"), "n"), 4);
	assert_int_equal((int)number_of(sum, "words_respelt"), 6);
	assert_int_equal((int)number_of(sum, "words_not_in_model"), 3);
	json_decref(o);
	assert_non_null(strstr(err, "6 words with other blanks, quotes or capitals"));
	assert_non_null(strstr(err, "respelt.tsv:1: 'YES' as 'yes'"));
	assert_non_null(strstr(err, "3 words are not in tiny and count as _unknown_: 1 'yess' "
				    "(line 6; did you mean 'yes'?), 2 'marvin'"));
	/* A list without such words says nothing. */
	const char plain[] = "clips/b/0.wav\tyes\nclips/a/1.wav\tsilence\n";
	put_file("plain.tsv", plain, sizeof plain - 1);
	assert_int_equal(run("classify", "-q", "--manifest", in_dir("plain.tsv"), NULL), 0);
	assert_string_equal(err, "");
}

/* What people read: dots for what never happens, and the worst mistakes first. */
static void mistakes_are_seen(void **state)
{
	(void)state;
	kws_error err_text = { "" };
	kws_model *model;
	const size_t seen[][3] = { { 0, 0, 90 }, { 0, 1, 7 },  { 0, 2, 1 },
				   { 0, 3, 2 },	 { 1, 0, 12 }, { 1, 1, 0 },
				   { 2, 3, 5 },	 { 3, 2, 4 },  { 3, 3, 1234567 } };
	assert_int_equal(kws_model_open(&model, in_dir("tiny.safetensors"), &err_text), KWS_OK);
	kws_batch b = { .model = model };
	assert_int_equal(kws_confusion_init(&b.confusion, TINY_WORDS), KWS_OK);
	for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
		for (size_t n = 0; n < seen[i][2]; n++)
			kws_confusion_add(&b.confusion, seen[i][0], seen[i][1]);
	FILE *to = fmemopen(out, sizeof out, "w");
	assert_non_null(to);
	kws_accuracy_print(&b, KWS_FORMAT_TEXT, to);
	assert_int_equal(fclose(to), 0);
	assert_non_null(strstr(out, "\nyes           90     7         1         2\n"));
	assert_non_null(
		strstr(out, "\nno            12     0         \xc2\xb7         \xc2\xb7\n"));
	assert_non_null(
		strstr(out, "\n_silence_      \xc2\xb7     \xc2\xb7         4   1234567\n"));
	assert_non_null(strstr(out, "most often taken for another\n"
				    "no         as yes            12 of     12 100.00 %\n"
				    "yes        as no              7 of    100   7.00 %\n"
				    "_unknown_  as _silence_       5 of      5 100.00 %\n"
				    "_silence_  as _unknown_       4 of 1234571   0.00 %\n"
				    "yes        as _silence_       2 of    100   2.00 %\n\n"));
	kws_confusion_free(&b.confusion);
	kws_model_close(model);
}

static void full_attention_takes_clips(void **state)
{
	(void)state;
	assert_int_equal(
		run("classify", "-m", in_dir("full.safetensors"), in_dir("clips/a/1.wav"), NULL),
		0);
	assert_non_null(strstr(err, "longer than this model can process"));
	assert_int_equal(run("classify", "-m", "tests/golden/net_fastformer_clip.safetensors",
			     "tests/golden/speech.flac", NULL),
			 0);
	assert_non_null(strstr(err, "longer than this model can process"));
	assert_non_null(strstr(out, "speech.flac"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classify_walks_folders_in_order),
		cmocka_unit_test(classify_shows_the_top),
		cmocka_unit_test(names_break_no_format),
		cmocka_unit_test(classify_judges_the_end),
		cmocka_unit_test(classify_reports_what_it_cannot_read),
		cmocka_unit_test(classify_measures_a_list),
		cmocka_unit_test(no_word_of_a_list_is_taken_for_another),
		cmocka_unit_test(mistakes_are_seen),
		cmocka_unit_test(full_attention_takes_clips),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
