/* kws merge: what the shards of a run have found is what one run finds, to the last byte. */
#define _POSIX_C_SOURCE 200809L
#include "tests/run_kws.h"

enum { N_CLIPS = 9, SHARDS = 4 };

static int set_up(void **state)
{
	static short pcm[RATE * 12];
	char list[1024] = "said.wav\nother.wav\nnone.wav\n", clips[1024] = "none.wav\tyes\n";
	char name[32], truth[64];
	assert_int_equal(set_up_said(state), 0);
	for (unsigned i = 0; i < N_CLIPS; i++) {
		const size_t n = RATE * (1 + i % 4 * 3) + 37 * i;
		snprintf(name, sizeof name, "clip%u.wav", i);
		make_sound(pcm, n, 50 + i);
		put_wav(name, pcm, n);
		snprintf(list + strlen(list), 64, "%s\n", name);
		snprintf(clips + strlen(clips), 64, "%s\t%s\n", name,
			 i % 3 == 0   ? "yes"
			 : i % 3 == 1 ? "No "
				      : "marvin");
		if (i % 2)
			continue;
		snprintf(name, sizeof name, "clip%u.tsv", i);
		snprintf(truth, sizeof truth, "0.2\t0.61\tyes\n0.7\t0.9\t%s\n",
			 i % 4 ? "marvin" : "NO");
		put_text(name, truth);
	}
	put_text("list", list);
	put_text("clips.tsv", clips);
	return 0;
}

/* Run each shard of `command' into r1, r2, ...; n 0: all into r1. Returns how many have an error. */
static size_t run_shards(const char *command, unsigned n)
{
	size_t failed = 0;
	for (unsigned k = 1; k <= (n ? n : 1); k++) {
		char shard[32] = "", name[16];
		snprintf(name, sizeof name, "r%u", k);
		unlink(in_dir(name));
		if (n)
			snprintf(shard, sizeof shard, "--shard %u/%u ", k, n);
		const int status = run_line("%s %s--results r%u -j %u", command, shard, k, k);
		assert_true(status == 0 || status == 1);
		assert_string_equal(out, "");
		failed += status == 1;
	}
	return failed;
}

/* Against one run, in all formats; options: of `command' and of merge. */
static void check(const char *command, const char *options, const char *formats)
{
	static char once[MOST], once_err[MOST];
	char all[64], *rest = all;
	snprintf(all, sizeof all, "%s", formats);
	for (char *format; (format = strtok_r(rest, " ", &rest));) {
		assert_int_equal(run_line("%s %s --format %s", command, options, format), 1);
		memcpy(once, out, sizeof once);
		memcpy(once_err, err, sizeof once_err);
		assert_true(strlen(once) > 200);
		assert_int_equal(run_line("merge %s --format %s r3 r1 r4 r2", options, format), 1);
		assert_string_equal(out, once);
		/* the shards of eval have told which words of truth files the model lacks */
		if (strncmp(command, "eval", 4) == 0)
			err[strcspn(err, "\n")] = once_err[strcspn(once_err, "\n")] = '\0';
		assert_string_equal(err, once_err);
	}
}

static void shards_of_spot(void **state)
{
	(void)state;
	assert_int_equal(run_shards("spot -t 0.4 --files-from list", SHARDS), 1);
	check("spot -t 0.4 --files-from list", "", "text jsonl csv audacity");
	assert_int_equal(run_shards("spot -t 0.4 -m a=tiny.safetensors -m b=tiny.safetensors "
				    "--after b=a --files-from list",
				    SHARDS),
			 1);
	static char once[MOST];
	assert_int_equal(run_line("spot -t 0.4 -m a=tiny.safetensors -m b=tiny.safetensors --after "
				  "b=a --files-from list --format jsonl"),
			 1);
	memcpy(once, out, sizeof once);
	assert_non_null(strstr(once, "\"after_id\":"));
	assert_int_equal(run_line("merge -m tiny.safetensors -m x=tiny.safetensors --format jsonl "
				  "r1 r2 r3 r4"),
			 1);
	assert_string_equal(out, once);
}

static void shards_of_classify(void **state)
{
	(void)state;
	assert_int_equal(run_shards("classify --files-from list", SHARDS), 1);
	check("classify --files-from list", "-k 3", "text jsonl csv");
	assert_int_equal(run_shards("classify --manifest clips.tsv", SHARDS), 1);
	check("classify --manifest clips.tsv", "", "text jsonl csv");
	check("classify --manifest clips.tsv", "-q", "text jsonl");
	assert_int_equal(run_shards("eval --manifest clips.tsv", SHARDS), 1);
	assert_int_equal(run_line("merge -q r1 r2 r3 r4"), 1);
	assert_non_null(strstr(out, "accuracy"));
}

static void shards_of_eval(void **state)
{
	(void)state;
	static char svg[MOST], merged[MOST];
	assert_int_equal(run_shards("eval --tolerance 0.5 --files-from list", SHARDS), 1);
	check("eval --tolerance 0.5 --files-from list", "--at 300 --at 1e5", "text jsonl csv");
	assert_int_equal(run_line("eval --tolerance 0.5 --files-from list -p one.svg"), 1);
	assert_int_equal(run_line("merge -p all.svg r1 r2 r3 r4"), 1);
	read_whole(in_dir("one.svg"), svg, sizeof svg);
	read_whole(in_dir("all.svg"), merged, sizeof merged);
	assert_string_equal(svg, merged);
	assert_int_equal(run_shards("eval --unlabelled-only --smooth 40 --files-from list", SHARDS),
			 1);
	check("eval --unlabelled-only --smooth 40 --files-from list", "", "jsonl");
}

/* A run that is repeated does nothing twice, but tries again what could not be read. */
static void a_run_is_repeated(void **state)
{
	(void)state;
	static char before[MOST], after[MOST];
	assert_int_equal(run_shards("spot -t 0.4 --files-from list", 0), 1);
	const size_t n = read_whole(in_dir("r1"), before, sizeof before);
	assert_int_equal(run_line("spot -t 0.4 --files-from list --results r1"), 1);
	assert_non_null(strstr(err, "r1: 11 of 12 recordings were done before"));
	assert_non_null(strstr(err, "none.wav: No such file"));
	assert_true(read_whole(in_dir("r1"), after, sizeof after) > n);
	assert_memory_equal(before, after, n);
	assert_int_equal(count_lines(after), count_lines(before) + 1);
	assert_int_equal(symlink("other.wav", in_dir("none.wav")), 0);
	assert_int_equal(run_line("spot -t 0.4 --files-from list --results r1"), 0);
	assert_int_equal(run_line("merge r1"), 0);
	assert_string_equal(err, "");
	assert_int_equal(run_line("spot -t 0.4 --files-from list"), 0);
	assert_int_equal(unlink(in_dir("none.wav")), 0);
}

static void merge_refuses(void **state)
{
	(void)state;
	run_shards("spot -t 0.4 --files-from list", SHARDS);
	assert_int_equal(run_line("merge r1 r2 r4"), 1);
	assert_string_equal(out, "");
	assert_non_null(strstr(err, "shard 3 of 4, 3 recordings: no results given"));
	assert_non_null(strstr(err, "3 of 12 recordings have no result yet"));
	assert_int_equal(run_line("merge --partial --format csv r1 r2 r4"), 1);
	assert_true(count_lines(out) > 1);
	assert_int_equal(run_line("merge -k 2 r1 r2 r3 r4"), 2);
	assert_non_null(strstr(err, "--top is for results of classify, and these are of spot"));
	assert_int_equal(run_line("merge -m other.safetensors r1 r2 r3 r4"), 3);
	assert_int_equal(run_line("merge"), 2);
	assert_int_equal(run_line("merge said.tsv"), 1);
	assert_non_null(strstr(err, "said.tsv:1: not a file of results"));
	run_shards("classify --files-from list", SHARDS);
	assert_int_equal(run_line("merge --format audacity r1 r2 r3 r4"), 2);
	assert_int_equal(run_line("merge -q r1 r2 r3 r4"), 2);
	tiny_config other = tiny_default;
	other.loudness = 2.0f;
	put_model("other.safetensors", &other);
	assert_int_equal(run_line("merge -m other.safetensors r1 r2 r3 r4"), 3);
	assert_non_null(strstr(err, "the results are of model tiny"));
}

static void shards_refuse(void **state)
{
	(void)state;
	assert_int_equal(run_line("spot --shard 1/2 said.wav"), 2);
	assert_int_equal(run_line("spot --shard 3/2 --results x said.wav"), 2);
	assert_int_equal(run_line("spot --shard 0/2 --results x said.wav"), 2);
	assert_int_equal(run_line("spot --shard 1 --results x said.wav"), 2);
	assert_int_equal(run_line("spot --results x --format csv said.wav"), 2);
	assert_int_equal(run_line("eval --results x --at 1 said.wav"), 2);
	assert_int_equal(run_line("classify --results x -k 2 said.wav"), 2);
	assert_int_equal(run_line("eval --results no/x said.wav"), 1);
	assert_int_equal(run_line("eval --results x --files-from nowhere said.wav"), 1);
	assert_non_null(strstr(err, "nothing is begun"));
	assert_int_equal(access(in_dir("x"), F_OK), -1);
	assert_int_equal(run_line("spot -t 0.4 --results x said.wav"), 0);
	assert_int_equal(run_line("spot -t 0.5 --results x said.wav"), 2);
	assert_non_null(strstr(err, "x: of another run: models is "));
	assert_int_equal(run_line("spot -t 0.4 --results said.wav said.wav"), 2);
	assert_non_null(strstr(err, "not a file of results of kws"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shards_of_spot), cmocka_unit_test(shards_of_classify),
		cmocka_unit_test(shards_of_eval), cmocka_unit_test(a_run_is_repeated),
		cmocka_unit_test(merge_refuses),  cmocka_unit_test(shards_refuse),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
