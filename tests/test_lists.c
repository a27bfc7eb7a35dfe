/* Lists of recordings, and of what is said in one: what is read, where it lies, and what is refused by line. */
#include "corpus/manifest.h"
#include "corpus/truth.h"
#include "tests/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static kws_manifest *parse(const char *text, const char *name)
{
	kws_manifest *m = NULL;
	kws_error err;
	if (kws_manifest_parse(&m, text, strlen(text), name, &err) != KWS_OK)
		fail_msg("%s", err.text);
	assert_non_null(m);
	return m;
}

/* Item i is word at path on the given line. */
static void holds(const kws_manifest *m, size_t i, const char *path, const char *word, size_t line)
{
	assert_true(i < kws_manifest_count(m));
	const kws_manifest_item *item = kws_manifest_get(m, i);
	assert_string_equal(item->path, path);
	assert_string_equal(item->word, word);
	assert_int_equal(item->line, line);
}

static void items_are_read(void **state)
{
	(void)state;
	kws_manifest *m = parse("a/b.flac\tgo\n"
				"\n"
				"# path\tof no concern\n"
				"with space.wav\t_unknown_\tmore\t\tcolumns\r\n"
				"\r\n"
				"last.wav\tright",
				"list.tsv");
	assert_int_equal(kws_manifest_count(m), 3);
	holds(m, 0, "a/b.flac", "go", 1);
	holds(m, 1, "with space.wav", "_unknown_", 4);
	holds(m, 2, "last.wav", "right", 6);
	kws_manifest_close(m);
	kws_manifest_close(NULL);
}

static void headers_name_the_word(void **state)
{
	(void)state;
	kws_manifest *m =
		parse("path\tset\tword\tspeaker\nx.flac\tsc\tyes\tabc\ny.flac\tsc\tno\n", "l");
	assert_int_equal(kws_manifest_count(m), 2);
	holds(m, 0, "x.flac", "yes", 2);
	holds(m, 1, "y.flac", "no", 3);
	kws_manifest_close(m);
	m = parse("\xef\xbb\xbf# made by hand\r\npath\tword\r\nx.flac\tyes\r\n", "l");
	assert_int_equal(kws_manifest_count(m), 1);
	holds(m, 0, "x.flac", "yes", 3);
	kws_manifest_close(m);
	/* only the first line can be a header, and only its first column makes it one */
	m = parse("x.flac\tyes\npath\tword\n", "l");
	assert_int_equal(kws_manifest_count(m), 2);
	holds(m, 1, "path", "word", 2);
	kws_manifest_close(m);
	m = parse("paths\tword\n", "l");
	holds(m, 0, "paths", "word", 1);
	kws_manifest_close(m);
}

static void nothing_is_a_list_too(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "\n", "\r\n\r\n", "# only words\n", "path\tword\n", "\xef\xbb\xbf"
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		kws_manifest *m = parse(texts[i], "l");
		assert_int_equal(kws_manifest_count(m), 0);
		kws_manifest_close(m);
	}
}

static void paths_start_at_the_folder(void **state)
{
	(void)state;
	static const char *const lists[][3] = {
		{ "list.tsv", "a/b.flac", "a/b.flac" },
		{ "some/where/list.tsv", "a/b.flac", "some/where/a/b.flac" },
		{ "/list.tsv", "b.flac", "/b.flac" },
		{ "some/list.tsv", "/abs/b.flac", "/abs/b.flac" },
		{ "../list.tsv", "../b.flac", "../../b.flac" },
	};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		char text[64], path[64];
		snprintf(text, sizeof text, "%s\tgo\n", lists[i][1]);
		kws_manifest *m = parse(text, lists[i][0]);
		const size_t len = strlen(lists[i][2]);
		assert_int_equal(kws_manifest_path(m, 0, path, len + 1), KWS_OK);
		assert_string_equal(path, lists[i][2]);
		strcpy(path, "kept");
		assert_int_equal(kws_manifest_path(m, 0, path, len), KWS_ERR_ARG);
		assert_string_equal(path, "kept");
		kws_manifest_close(m);
	}
}

static void refused(const char *text, size_t len, const char *want)
{
	kws_manifest *m = (kws_manifest *)&m;
	kws_error err = { "" };
	assert_int_equal(kws_manifest_parse(&m, text, len, "dir/list.tsv", &err), KWS_ERR_FORMAT);
	assert_null(m);
	assert_string_equal(err.text, want);
	assert_int_equal(kws_manifest_parse(&m, text, len, "dir/list.tsv", NULL), KWS_ERR_FORMAT);
}

static void faults_are_named_by_line(void **state)
{
	(void)state;
	static const char nul[] = "a\tgo\nb\0c\tgo\n";
	refused("a\tgo\nb\n", 7, "dir/list.tsv:2: no word in column 2");
	refused("a\tgo\n\n#\nb\t\n", 11, "dir/list.tsv:4: no word in column 2");
	refused("a\t\tgo\n", 6, "dir/list.tsv:1: no word in column 2");
	refused("a\t\r\n", 4, "dir/list.tsv:1: no word in column 2");
	refused("\tgo\n", 4, "dir/list.tsv:1: no path in column 1");
	refused("path\tset\tword\nb\tsc\n", 19, "dir/list.tsv:2: no word in column 3");
	refused("path\tset\tword\nb\n", 16, "dir/list.tsv:2: no word in column 3");
	refused("path\tset\n", 9, "dir/list.tsv:1: no column is called word");
	refused("path", 4, "dir/list.tsv:1: no column is called word");
	refused(nul, sizeof nul - 1, "dir/list.tsv:2: there is a NUL byte");
}

static void longest_line(void **state)
{
	(void)state;
	enum { LEN = KWS_MANIFEST_MAX_LINE };
	char *text = malloc(LEN + 8);
	assert_non_null(text);
	memset(text, 'x', LEN);
	memcpy(text + LEN - 3, "\tgo\r\n", 6);
	kws_manifest *m = parse(text, "l");
	assert_int_equal(strlen(kws_manifest_get(m, 0)->path), LEN - 3);
	kws_manifest_close(m);
	memcpy(text + LEN - 3, "x\tgo\n", 6);
	refused(text, LEN + 2, "dir/list.tsv:1: the line is too long");
	free(text);
}

static void lists_are_files(void **state)
{
	(void)state;
	char name[] = "/tmp/test_manifest_XXXXXX";
	const int fd = mkstemp(name);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "wb");
	assert_non_null(f);
	enum { LINES = 20000 }; /* more than one read */
	for (int i = 0; i < LINES; i++)
		fprintf(f, "clips/%d.flac\tw%d\n", i, i % 7);
	assert_int_equal(fclose(f), 0);
	kws_manifest *m = NULL;
	kws_error err = { "" };
	assert_int_equal(kws_manifest_open(&m, name, &err), KWS_OK);
	assert_int_equal(kws_manifest_count(m), LINES);
	for (int i = 0; i < LINES; i++) {
		char path[32], word[8];
		snprintf(path, sizeof path, "clips/%d.flac", i);
		snprintf(word, sizeof word, "w%d", i % 7);
		holds(m, (size_t)i, path, word, (size_t)i + 1);
	}
	kws_manifest_close(m);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(kws_manifest_open(&m, name, &err), KWS_ERR_IO);
	assert_null(m);
	assert_memory_equal(err.text, name, strlen(name));
	assert_int_equal(kws_manifest_open(&m, ".", &err),
			 KWS_ERR_IO); /* a folder opens, but cannot be read */
	assert_string_equal(err.text, ".: Is a directory");
}

/* ---- truth ---- */

static kws_truth *parse_truth(const char *text, kws_error *err)
{
	kws_truth *t = NULL;
	kws_error own;
	enum kws_status st = kws_truth_parse(&t, text, strlen(text), "a.tsv", err ? err : &own);
	assert_int_equal(st == KWS_OK, t != NULL);
	return t;
}

static void truth_is_sorted(void **state)
{
	(void)state;
	kws_truth *t = parse_truth("\xef\xbb\xbf# made by hand\r\nstart\tend\tword\r\n"
				   "2.5\t3\tno\textra\n\n0.25\t1e0\tyes\n2.5\t2.5\tgo",
				   NULL);
	assert_int_equal(kws_truth_count(t), 3);
	assert_string_equal(kws_truth_get(t, 0)->word, "yes");
	near(kws_truth_get(t, 0)->start, 0.25, 0.0);
	near(kws_truth_get(t, 0)->end, 1.0, 0.0);
	assert_string_equal(kws_truth_get(t, 1)->word, "no");
	assert_string_equal(kws_truth_get(t, 2)->word, "go");
	kws_truth_close(t);
	t = parse_truth("", NULL);
	assert_int_equal(kws_truth_count(t), 0);
	kws_truth_close(t);
}

static void truth_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "1\t2\n", "a.tsv:1: want start, end and word" },
		{ "start\tend\tword\n1\t2\tyes\nx\t2\tno\n", "a.tsv:3: the start, x," },
		{ "1\t2\tyes\n1\tnan\tno\n", "a.tsv:2: the end, nan," },
		{ "1\t2\tyes\nstart\tend\tword\n", "a.tsv:2: the start" },
		{ "-1\t2\tyes\n", "a.tsv:1: the start, -1," },
		{ "3\t2.5\tyes\n", "a.tsv:1: the end, 2.5, is before the start" },
		{ "1\t2\t\n", "a.tsv:1: no word" },
		{ "1\t2s\tyes\n", "a.tsv:1: the end, 2s," },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		kws_error err = { "" };
		assert_null(parse_truth(bad[i].text, &err));
		assert_memory_equal(err.text, bad[i].says, strlen(bad[i].says));
	}
	kws_error err;
	kws_truth *t;
	assert_int_equal(kws_truth_parse(&t, "1\t2\ty\0s", 7, "a.tsv", &err), KWS_ERR_FORMAT);
	assert_int_equal(kws_truth_open(&t, "/nonexistent/a.tsv", &err), KWS_ERR_IO);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_read),
		cmocka_unit_test(headers_name_the_word),
		cmocka_unit_test(nothing_is_a_list_too),
		cmocka_unit_test(paths_start_at_the_folder),
		cmocka_unit_test(faults_are_named_by_line),
		cmocka_unit_test(longest_line),
		cmocka_unit_test(lists_are_files),
		cmocka_unit_test(truth_is_sorted),
		cmocka_unit_test(truth_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
