/* Files of results: begun, cut off, continued, refused; and those of all shards together. */
#define _POSIX_C_SOURCE 200809L
#include "corpus/results.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 10, SHARDS = 3, MOST = 1 << 14 };

static char dir[] = "/tmp/kws-test-XXXXXX";

/* A path in the folder of this test; holds for the next seven. */
static char *in_dir(const char *name)
{
	static char names[8][300];
	static size_t next;
	char *path = names[next++ % 8];
	snprintf(path, sizeof names[0], "%s/%s", dir, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	char command[300];
	snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
	return system(command);
}

static kws_files list(size_t shard, size_t n_shards, size_t n)
{
	kws_files f = { .shard = shard, .n_shards = n_shards };
	kws_problems problems = { 0 };
	char name[32];
	for (size_t i = 0; i < n; i++) {
		/* the last is no UTF-8 */
		snprintf(name, sizeof name, i + 1 < N ? "%zu.wav" : "%zu\xff\x01.wav", i);
		assert_true(kws_files_add_file(&f, name, &problems));
	}
	return f;
}

static kws_results *open_as(const char *name, kws_files *files, const char *option, kws_error *err)
{
	kws_results *r = NULL;
	json_t *options = json_pack("{s:s}", "option", option);
	const enum kws_status status =
		kws_results_open(&r, in_dir(name), "spot", options, files, err);
	assert_true((status == KWS_OK) == (r != NULL));
	json_decref(options);
	return r;
}

static void add(kws_results *r, const kws_files *f, size_t i, const char *error)
{
	assert_int_equal(kws_results_add(r, f->index[i], f->path[i], error,
					 json_pack("{s:f}", "x", 1.0 / (double)(f->index[i] + 1)),
					 NULL),
			 KWS_OK);
}

static size_t read_file(const char *name, char text[MOST])
{
	FILE *f = fopen(in_dir(name), "rb");
	assert_non_null(f);
	const size_t n = fread(text, 1, MOST - 1, f);
	fclose(f);
	text[n] = '\0';
	return n;
}

static void write_file(const char *name, const char *text, size_t n)
{
	FILE *f = fopen(in_dir(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* What is there is not done again; what could not be read is. */
static void a_run_goes_on(void **state)
{
	(void)state;
	kws_error err = { "" };
	kws_files f = list(1, SHARDS, N);
	kws_results *r = open_as("a", &f, "o", &err);
	assert_int_equal(f.n, 3);
	add(r, &f, 1, NULL);
	add(r, &f, 0, "1.wav: gone");
	assert_int_equal(kws_results_close(r, &err), KWS_OK);
	kws_files_free(&f);

	f = list(1, SHARDS, N);
	r = open_as("a", &f, "o", &err);
	assert_int_equal(kws_results_before(r), 1);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.index[0], 1);
	assert_int_equal(f.index[1], 7);
	add(r, &f, 0, NULL);
	add(r, &f, 1, NULL);
	assert_int_equal(kws_results_close(r, &err), KWS_OK);
	kws_files_free(&f);

	f = list(1, SHARDS, N);
	r = open_as("a", &f, "o", &err);
	assert_int_equal(f.n, 0);
	assert_int_equal(kws_results_before(r), 3);
	kws_results_close(r, NULL);
	kws_files_free(&f);
}

/* Wherever a run is stopped, the next one makes the file what it would have been. */
static void a_file_may_be_cut_anywhere(void **state)
{
	(void)state;
	static char whole[MOST], now[MOST];
	kws_files f = list(0, 0, N);
	kws_results *r = open_as("whole", &f, "o", NULL);
	for (size_t i = 0; i < N; i++)
		add(r, &f, i, NULL);
	kws_results_close(r, NULL);
	kws_files_free(&f);
	const size_t n = read_file("whole", whole);
	for (size_t cut = 0; cut <= n; cut++) {
		write_file("cut", whole, cut);
		f = list(0, 0, N);
		r = open_as("cut", &f, "o", NULL);
		assert_non_null(r);
		for (size_t i = 0; i < f.n; i++)
			add(r, &f, i, NULL);
		kws_results_close(r, NULL);
		kws_files_free(&f);
		assert_int_equal(read_file("cut", now), n);
		assert_string_equal(now, whole);
	}
}

/* Refused, and unchanged. */
static void refuse(const char *name, kws_files f, const char *option, enum kws_status want,
		   const char *words)
{
	static char before[MOST], after[MOST];
	kws_error err = { "" };
	kws_results *r;
	json_t *options = json_pack("{s:s}", "option", option);
	const size_t n = read_file(name, before);
	assert_int_equal(kws_results_open(&r, in_dir(name), "spot", options, &f, &err), want);
	assert_null(r);
	assert_non_null(strstr(err.text, name));
	if (!strstr(err.text, words))
		fail_msg("%s: %s", words, err.text);
	assert_int_equal(read_file(name, after), n);
	assert_memory_equal(before, after, n);
	json_decref(options);
	kws_files_free(&f);
}

static void other_runs_are_refused(void **state)
{
	(void)state;
	kws_files f = list(1, SHARDS, N);
	kws_results *r = open_as("b", &f, "o", NULL);
	add(r, &f, 0, NULL);
	kws_results_close(r, NULL);
	kws_files_free(&f);
	refuse("b", list(1, SHARDS, N), "other", KWS_ERR_ARG,
	       "of another run: option is \"o\" there, \"other\" here");
	refuse("b", list(2, SHARDS, N), "o", KWS_ERR_ARG, "of shard 2, not of shard 3");
	refuse("b", list(1, SHARDS + 1, N), "o", KWS_ERR_ARG, "shards is 3 there, 4 here");
	refuse("b", list(1, SHARDS, N - 1), "o", KWS_ERR_ARG, "recordings is 10 there, 9 here");
	write_file("song", "RIFF and so on", 14);
	refuse("song", list(0, 0, N), "o", KWS_ERR_ARG, "not a file of results");
	write_file("other", "{}\n", 3);
	refuse("other", list(0, 0, N), "o", KWS_ERR_ARG, "other:1: not a file of results");
}

static void devices_are_refused(void **state)
{
	(void)state;
	kws_results_set *s;
	kws_error err = { "" };
	kws_files f = list(0, 0, N);
	kws_results *r;
	json_t *options = json_object();
	char *zero = in_dir("zero");
	assert_int_equal(symlink("/dev/zero", zero), 0);
	assert_int_equal(kws_results_open(&r, zero, "spot", options, &f, &err), KWS_ERR_ARG);
	assert_non_null(strstr(err.text, "zero: not a regular file"));
	assert_int_equal(kws_results_set_open(&s, &zero, 1, &err), KWS_ERR_FORMAT);
	assert_non_null(strstr(err.text, "zero: not a regular file"));
	json_decref(options);
	kws_files_free(&f);
}

/* Whether a second writer is refused, as the child that begins when the pipe says so. */
static bool is_refused(int go)
{
	char c;
	kws_error err = { "" };
	kws_results *second;
	json_t *options = json_pack("{s:s}", "option", "o");
	kws_files f = list(1, SHARDS, N);
	const bool ready = read(go, &c, 1) == 1;
	const bool refused =
		ready
		&& kws_results_open(&second, in_dir("c"), "spot", options, &f, &err) == KWS_ERR_IO
		&& strstr(err.text, "another process writes to it");
	json_decref(options);
	kws_files_free(&f);
	return refused;
}

static void another_process_keeps_out(void **state)
{
	(void)state;
	int go[2];
	assert_int_equal(pipe(go), 0);
	const pid_t child = fork(); /* before there is anything that it would leave behind */
	if (child == 0)
		_exit(is_refused(go[0]) ? 0 : 1);
	kws_files f = list(1, SHARDS, N);
	kws_results *r = open_as("c", &f, "o", NULL);
	assert_non_null(r);
	assert_int_equal(write(go[1], "g", 1), 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(go[0]);
	close(go[1]);
	kws_results_close(r, NULL);
	kws_files_free(&f);
}

/* ---- the set ---- */

static void make_shards(size_t n_shards, const char *option)
{
	for (size_t k = 0; k < n_shards; k++) {
		char name[16];
		kws_files f = list(k, n_shards, N);
		snprintf(name, sizeof name, "s%zu", k + 1);
		unlink(in_dir(name));
		kws_results *r = open_as(name, &f, option, NULL);
		for (size_t i = f.n; i-- > 0;)
			add(r, &f, i, f.index[i] == 4 ? "4.wav: gone" : NULL);
		kws_results_close(r, NULL);
		kws_files_free(&f);
	}
}

static void a_set_has_them_in_order(void **state)
{
	(void)state;
	kws_results_set *s;
	kws_error err = { "" };
	kws_problems problems = { 0 };
	json_t *result;
	make_shards(SHARDS, "o");
	char *paths[SHARDS] = { in_dir("s3"), in_dir("s1"), in_dir("s2") };
	assert_int_equal(kws_results_set_open(&s, paths, SHARDS, &err), KWS_OK);
	assert_string_equal(kws_results_set_command(s), "spot");
	assert_int_equal(kws_results_set_count(s), N);
	assert_int_equal(kws_results_set_missing(s, &problems), 0);
	kws_files f = list(0, 0, N);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(kws_results_set_get(s, i, &result, &err), KWS_OK);
		char *path = kws_results_path(result);
		assert_string_equal(path, f.path[i]);
		assert_true(json_real_value(json_object_get(result, "x")) == 1.0 / (double)(i + 1));
		assert_true((kws_results_error(result) != NULL) == (i == 4));
		free(path);
		json_decref(result);
	}
	kws_files_free(&f);
	kws_results_set_close(s);
}

static void a_set_says_what_it_lacks(void **state)
{
	(void)state;
	static char text[MOST];
	kws_results_set *s;
	kws_error err = { "" };
	kws_problems problems = { 0 };
	json_t *result;
	make_shards(SHARDS, "o");
	/* the last line of shard 1, which is of recording 0, and shard 2 */
	const size_t n = read_file("s1", text);
	write_file("s1", text, n - 3);
	char *paths[2] = { in_dir("s3"), in_dir("s1") };
	assert_int_equal(kws_results_set_open(&s, paths, 2, &err), KWS_OK);
	assert_int_equal(kws_results_set_missing(s, &problems), 1 + 3);
	assert_int_equal(problems.n, 2);
	assert_non_null(strstr(problems.text[0], "s1: shard 1 of 3 lacks 1 of its 4 recordings"));
	assert_string_equal(problems.text[1], "shard 2 of 3, 3 recordings: no results given");
	assert_int_equal(kws_results_set_get(s, 0, &result, &err), KWS_OK);
	assert_null(result);
	kws_problems_free(&problems);
	kws_results_set_close(s);
}

static void refuse_set(const char *a, const char *b, const char *words)
{
	kws_results_set *s;
	kws_error err = { "" };
	char *paths[2] = { in_dir(a), in_dir(b) };
	assert_int_not_equal(kws_results_set_open(&s, paths, 2, &err), KWS_OK);
	assert_null(s);
	if (!strstr(err.text, words))
		fail_msg("%s: %s", words, err.text);
}

static void a_set_is_of_one_run(void **state)
{
	(void)state;
	static char text[MOST];
	make_shards(SHARDS, "other");
	write_file("old", text, read_file("s2", text));
	make_shards(SHARDS, "o");
	refuse_set("s1", "old", "old: of another run: option is \"other\" there, \"o\" here");
	refuse_set("s1", "s1", "s1: shard 1 again, as ");
	refuse_set("s1", "none", "none: No such file");
	write_file("empty", "", 0);
	refuse_set("s1", "empty", "empty: no results in it");
	size_t n = read_file("s2", text);
	n += (size_t)snprintf(text + n, sizeof text - n, "{\"i\":3,\"events\":[]}\n");
	write_file("bad", text, n);
	refuse_set("s1", "bad", "bad:5: recording 3 is not of shard 2");
	n = read_file("s2", text);
	n += (size_t)snprintf(text + n, sizeof text - n, "{\"i\":13}\n");
	write_file("bad", text, n);
	refuse_set("s1", "bad", "bad:5: i is not 0 to 9");
	n = read_file("s2", text);
	n += (size_t)snprintf(text + n, sizeof text - n, "{\"i\":1,\n");
	write_file("bad", text, n);
	refuse_set("s1", "bad", "bad:5: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_goes_on),
		cmocka_unit_test(a_file_may_be_cut_anywhere),
		cmocka_unit_test(other_runs_are_refused),
		cmocka_unit_test(devices_are_refused),
		cmocka_unit_test(another_process_keeps_out),
		cmocka_unit_test(a_set_has_them_in_order),
		cmocka_unit_test(a_set_says_what_it_lacks),
		cmocka_unit_test(a_set_is_of_one_run),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
