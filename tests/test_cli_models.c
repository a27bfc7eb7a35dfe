/* kws spot with several models at once, run as a user runs it: each hears as if alone, one may be gated by another. */
#define _POSIX_C_SOURCE 200809L
#include "tests/run_kws.h"
#include "tests/schema.h"

enum { SECONDS = 30, N = RATE * SECONDS };

static short pcm[N];
static char before[MOST];

static int set_up(void **state)
{
	tiny_config other = tiny_default;
	other.seed = 2;
	(void)state;
	make_dir(&tiny_default);
	put_model("other.safetensors", &other);
	put_model("a=b.safetensors", &other);
	put_model("my+model.v2.safetensors", &other);
	make_sound(pcm, N, 33);
	put_wav("long.wav", pcm, N);
	put_wav("short.wav", pcm, RATE);
	return 0;
}

/* The events of one model among those in text; what only several have is left out, and so is the id. */
static size_t events_of(const char *text, const char *spotter, char *to)
{
	size_t n = 0;
	to[0] = 0;
	static char copy[MOST];
	snprintf(copy, sizeof copy, "%s", text);
	for (char *at = copy, *line; (line = next_line(&at));) {
		json_t *o = json_loads(line, 0, NULL);
		const char *name = json_string_value(json_object_get(o, "spotter"));
		assert_non_null(o);
		if (!name || !strcmp(name, spotter)) {
			json_object_del(o, "spotter");
			json_object_del(o, "id");
			json_object_del(o, "after");
			json_object_del(o, "after_id");
			char *plain = json_dumps(o, JSON_COMPACT);
			strcat(strcat(to, plain), "\n");
			free(plain);
			n++;
		}
		json_decref(o);
	}
	return n;
}

static void each_hears_as_if_alone(void **state)
{
	static const char *const names[] = { "tiny", "other" };
	static char together[MOST], one[MOST], alone[MOST];
	(void)state;
	assert_int_equal(run_line("spot -m tiny.safetensors -m other.safetensors -t 0.4 --format "
				  "jsonl long.wav"),
			 0);
	memcpy(together, out, sizeof together);
	assert_int_equal(schema_check_lines(together), count_lines(together));
	for (size_t i = 0; i < 2; i++) {
		char line[256];
		snprintf(line, sizeof line, "-m %s.safetensors -t 0.4 --format jsonl long.wav",
			 names[i]);
		assert_int_equal(run_line("spot %s", line), 0);
		assert_null(strstr(out, "\"spotter\""));
		assert_true(events_of(out, names[i], alone) > 4);
		events_of(together, names[i], one);
		assert_string_equal(one, alone);
	}
}

static void no_block_changes_anything(void **state)
{
	static const char *const formats[] = { "text", "jsonl", "csv", "audacity" };
	static const int blocks[] = { 1, 10, 37, 60000 };
	char line[256];
	(void)state;
	for (size_t f = 0; f < 4; f++)
		for (size_t b = 0; b < 4; b++) {
			snprintf(line, sizeof line,
				 "-m tiny.safetensors -m x=other.safetensors --after x=tiny "
				 "--within 1 "
				 "-t 0.4,tiny:no=off --format %s --block %d long.wav short.wav",
				 formats[f], blocks[b]);
			assert_int_equal(run_line("spot %s", line), 0);
			assert_true(count_lines(out) > 6);
			if (b)
				assert_string_equal(out, before);
			memcpy(before, out, sizeof before);
		}
}

static void a_gated_model_says_after_what(void **state)
{
	char id[64] = "", word[64] = "";
	double end = 0.0, next;
	size_t gated = 0;
	(void)state;
	assert_int_equal(
		run_line("spot -m x=other.safetensors -m tiny.safetensors --after x=tiny "
			 "--within x=0.5 --within 9 -t 0.4,tiny:no=off --format jsonl long.wav"),
		0);
	for (size_t i = 0, n = count_lines(out); i < n; i++) {
		json_t *o = json_line(i);
		next = number_of(o, "end");
		if (!strcmp(text_of(o, "spotter"), "tiny")) {
			snprintf(id, sizeof id, "%s", text_of(o, "id"));
			snprintf(word, sizeof word, "%s", text_of(o, "word"));
			assert_string_equal(word, "yes");
			end = next;
		} else {
			assert_string_equal(text_of(o, "after_id"), id);
			assert_string_equal(text_of(o, "after"), word);
			assert_true(number_of(o, "start") <= end + 0.5 + 1e-3);
			gated++;
		}
		json_decref(o);
	}
	assert_true(gated > 1);
	assert_int_equal(
		run_line("spot -m x=other.safetensors -m tiny.safetensors -t 0.4,tiny:no=off "
			 "--format jsonl long.wav"),
		0);
	assert_true(events_of(out, "x", before) > gated);
}

static void the_outputs_say_which_model(void **state)
{
	(void)state;
	assert_int_equal(run_line("spot -m tiny.safetensors -m x=other.safetensors -t 0.4 --format "
				  "csv long.wav"),
			 0);
	assert_non_null(strstr(out, ",snr_db,spotter,after,after_id\n"));
	assert_non_null(strstr(out, ",x,,\n"));
	assert_non_null(strstr(out, ",tiny,,\n"));
	assert_int_equal(run_line("spot -m tiny.safetensors -m x=other.safetensors -t 0.4 --format "
				  "audacity long.wav"),
			 0);
	assert_non_null(strstr(out, "\tx "));
	assert_non_null(strstr(out, "\ttiny "));
	assert_int_equal(
		run_line("spot -m tiny.safetensors -m x=other.safetensors -t 0.4 long.wav"), 0);
	assert_non_null(strstr(out, "  model\n"));
	assert_non_null(strstr(out, "  x\n"));
	assert_int_equal(run_line("spot -m tiny.safetensors -m x=other.safetensors -t 0.4 long.wav "
				  "short.wav"),
			 0);
	assert_non_null(strstr(out, "  x             long.wav\n"));
}

/* One model is one model, whatever it is called: only its JSON has the name that it was given. */
static void one_alone(void **state)
{
	static const char *const formats[] = { "text", "csv", "audacity" };
	char line[256];
	(void)state;
	for (size_t f = 0; f < 3; f++) {
		snprintf(line, sizeof line, "-t 0.4 --format %s long.wav", formats[f]);
		assert_int_equal(run_line("spot %s", line), 0);
		memcpy(before, out, sizeof before);
		snprintf(line, sizeof line, "-t 0.4 -m x=tiny.safetensors --format %s long.wav",
			 formats[f]);
		assert_int_equal(run_line("spot %s", line), 0);
		assert_string_equal(out, before);
	}
	assert_int_equal(run_line("spot -t 0.4 --format jsonl long.wav"), 0);
	assert_null(strstr(out, "spotter"));
	assert_int_equal(run_line("spot -t 0.4 -m x=tiny.safetensors --format jsonl long.wav"), 0);
	assert_non_null(strstr(out, "\"spotter\":\"x\""));
}

static void names_come_from_files(void **state)
{
	(void)state;
	assert_int_equal(run_line("spot -m my+model.v2.safetensors -m a=b.safetensors -t 0.3 "
				  "--format csv long.wav"),
			 0);
	assert_non_null(strstr(out, ",my_model_v2,,\n"));
	assert_non_null(strstr(out, ",a_b,,\n")); /* there is a file of that name */
	assert_int_equal(run_line("spot -m a=tiny.safetensors -m b=tiny.safetensors -t 0.3 "
				  "--format csv long.wav"),
			 0);
	assert_non_null(strstr(out, ",a,,\n"));
}

static void thresholds_of_one_model(void **state)
{
	static const struct {
		const char *thresholds;
		bool tiny_yes, tiny_no, x_yes, x_no;
	} rows[] = {
		{ "0.3", true, true, true, true },
		{ "0.3,x:off", true, true, false, false },
		{ "0.3,no=off", true, false, true, false },
		{ "0.3 -t x:no=off", true, true, true, false },
		{ "x:no=0.3,no=off,0.3", true, false, true, true },
		{ "off,tiny:0.3", true, true, false, false },
		{ "x:off,no=0.3,tiny:off", false, true, false, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[256];
		snprintf(line, sizeof line,
			 "-m tiny.safetensors -m x=other.safetensors --format audacity -t %s "
			 "long.wav",
			 rows[i].thresholds);
		assert_int_equal(run_line("spot %s", line), 0);
		assert_int_equal(strstr(out, "\ttiny yes") != NULL, rows[i].tiny_yes);
		assert_int_equal(strstr(out, "\ttiny no") != NULL, rows[i].tiny_no);
		assert_int_equal(strstr(out, "\tx yes") != NULL, rows[i].x_yes);
		assert_int_equal(strstr(out, "\tx no") != NULL, rows[i].x_no);
	}
}

static void what_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *arguments, *why;
		int status;
	} rows[] = {
		{ "-m tiny.safetensors -m ./tiny.safetensors",
		  "--model: two models are called tiny; give another name with -m NAME=FILE", 2 },
		{ "-m tiny.safetensors -m x=none.safetensors", "none.safetensors", 3 },
		{ "-m tiny.safetensors -m full.safetensors", "full attention cannot process", 3 },
		{ "-m a=tiny.safetensors -m b=other.safetensors --after b",
		  "--after: 'b' is not NAME=OTHER", 2 },
		{ "-m alpha=tiny.safetensors -m beta=other.safetensors --after betta=alpha",
		  "--after: no model of -m is called 'betta'; did you mean 'beta'?", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors --after b=",
		  "--after: no model of -m is called ''", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors --after b=a --after a=b",
		  "comes after itself", 2 },
		{ "-m a=tiny.safetensors --after a=a", "--after: a comes after itself", 2 },
		{ "--after a=b", "--after: no model of -m is called 'a'", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors -m c=tiny.safetensors --after c=a "
		  "--after c=b",
		  "--after: c cannot be after a and after b", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors --within 5",
		  "--within needs --after for a model", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors --after b=a --within a=5",
		  "--within needs --after for a", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors --after b=a --within b=2,5",
		  "--within: '2,5' is not a number in 0..3600; write 2.5", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors --after b=a --within -1",
		  "--within: '-1' is not a number in 0..3600", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors -t c:0.5",
		  "--threshold: 'c:0.5' is neither", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors -t a:yess=0.5",
		  "--threshold: 'yess' is not a command of tiny; `kws model' lists them; did you "
		  "mean 'yes'?",
		  2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors -t yess=0.5",
		  "--threshold: 'yess' is not a command of any of the models", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors -t a:0.5,a:0.6",
		  "sets all words twice", 2 },
		{ "-m a=tiny.safetensors -m b=other.safetensors -t a:0,5", "has a decimal comma",
		  2 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[512];
		snprintf(line, sizeof line, "%s long.wav", rows[i].arguments);
		assert_int_equal(run_line("spot %s", line), rows[i].status);
		if (!strstr(err, rows[i].why))
			fail_msg("%s\n%s", rows[i].arguments, err);
		assert_string_equal(out, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hears_as_if_alone),
		cmocka_unit_test(no_block_changes_anything),
		cmocka_unit_test(a_gated_model_says_after_what),
		cmocka_unit_test(the_outputs_say_which_model),
		cmocka_unit_test(one_alone),
		cmocka_unit_test(names_come_from_files),
		cmocka_unit_test(thresholds_of_one_model),
		cmocka_unit_test(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
