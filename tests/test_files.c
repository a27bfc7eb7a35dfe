/* Lists of recordings, and shards of them. */
#define _POSIX_C_SOURCE 200809L
#include "corpus/files.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char dir[] = "/tmp/kws-test-XXXXXX";

/* A path in the folder of this test; holds for the next three. */
static const char *in_dir(const char *name)
{
	static char names[4][300];
	static size_t next;
	char *path = names[next++ % 4];
	snprintf(path, sizeof names[0], "%s/%s", dir, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mkdir(in_dir("tree"), 0700), 0);
	FILE *f = fopen(in_dir("tree/1.WAV"), "wb");
	assert_non_null(f);
	return fclose(f);
}

static int tear_down(void **state)
{
	(void)state;
	char command[300];
	snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
	return system(command);
}

static bool add_list(kws_files *f, const char *text, size_t n, bool nul, kws_problems *problems)
{
	FILE *list = fopen(in_dir("list"), "wb");
	assert_non_null(list);
	assert_int_equal(fwrite(text, 1, n, list), n);
	assert_int_equal(fclose(list), 0);
	return kws_files_add_list(f, in_dir("list"), nul, problems);
}

static void lists_are_the_paths_in_them(void **state)
{
	(void)state;
	char lines[1024];
	static const char texts[] = "two\nlines.wav\0# no comment.wav\r\0\0- ";
	kws_problems problems = { 0 };
	kws_files f = { 0 };
	const int n = snprintf(lines, sizeof lines, "b.wav\r\n\n%s\n#a.wav", in_dir("tree"));
	assert_true(add_list(&f, lines, (size_t)n, false, &problems));
	assert_int_equal(f.n, 3);
	assert_string_equal(f.path[0], "b.wav");
	assert_string_equal(f.path[1], in_dir("tree/1.WAV"));
	assert_string_equal(f.path[2], "#a.wav");
	kws_files_free(&f);
	assert_true(add_list(&f, texts, sizeof texts - 1, true, &problems));
	assert_int_equal(f.n, 3);
	assert_string_equal(f.path[0], "two\nlines.wav");
	assert_string_equal(f.path[1], "# no comment.wav\r");
	assert_string_equal(f.path[2], "- ");
	kws_files_free(&f);
	assert_int_equal(problems.n, 0);
	/* all that is wrong is told, and the rest is there */
	assert_false(add_list(&f, "a\n-\nb\0c\nd\n", 10, false, &problems));
	assert_int_equal(f.n, 2);
	assert_int_equal(problems.n, 2);
	assert_non_null(strstr(problems.text[0], "list:2: - is for the command line"));
	assert_non_null(strstr(problems.text[1], "list:3: there is a NUL byte"));
	assert_false(add_list(&f, "\n\n", 2, false, &problems));
	assert_non_null(strstr(problems.text[2], "list: no paths in this list"));
	assert_false(kws_files_add_list(&f, in_dir("nowhere"), false, &problems));
	assert_non_null(strstr(problems.text[3], "nowhere: No such file"));
	assert_false(kws_files_add_list(&f, in_dir("tree"), false, &problems));
	assert_non_null(strstr(problems.text[4], "tree: Is a directory"));
	kws_problems_free(&problems);
	kws_files_free(&f);
}

static bool is_odd(const void *ctx, size_t index)
{
	(void)ctx;
	return index % 2;
}

/* Each file is in one shard, and all shards know that they are of one list. */
static void shards_are_a_list_in_parts(void **state)
{
	(void)state;
	enum { MANY = 100, SHARDS = 7 };
	kws_problems problems = { 0 };
	size_t n = 0;
	uint64_t fingerprint = 0;
	char name[32];
	for (size_t shard = 0; shard < SHARDS; shard++) {
		kws_files f = { .shard = shard, .n_shards = SHARDS };
		for (size_t i = 0; i < MANY; i++) {
			snprintf(name, sizeof name, "%zu.wav", i);
			assert_true(kws_files_add(&f, name, &problems));
		}
		assert_int_equal(f.n_all, MANY);
		assert_true(f.n == MANY / SHARDS || f.n == MANY / SHARDS + 1);
		for (size_t i = 0; i < f.n; i++) {
			assert_int_equal(f.index[i], shard + i * SHARDS);
			snprintf(name, sizeof name, "%zu.wav", f.index[i]);
			assert_string_equal(f.path[i], name);
		}
		n += f.n;
		assert_true(!fingerprint || f.fingerprint == fingerprint);
		fingerprint = f.fingerprint;
		kws_files_drop(&f, is_odd, NULL);
		for (size_t i = 0; i < f.n; i++)
			assert_int_equal(f.index[i] % 2, 0);
		kws_files_free(&f);
	}
	assert_int_equal(n, MANY);
	/* of another list it is another: names, their order, where they end, and what marks them */
	static const char *const others[][2] = { { "a", "b" }, { "b", "a" }, { "ab", "" } };
	uint64_t seen[4];
	for (size_t i = 0; i < 4; i++) {
		kws_files f = { 0 };
		for (size_t k = 0; k < 2; k++)
			assert_true(kws_files_add_file(&f, others[i % 3][k], &problems));
		if (i == 3)
			kws_files_mark(&f, "yes");
		seen[i] = f.fingerprint;
		for (size_t k = 0; k < i; k++)
			assert_true(seen[i] != seen[k]);
		kws_files_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_the_paths_in_them),
		cmocka_unit_test(shards_are_a_list_in_parts),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
