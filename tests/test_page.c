/* The page of kws listen: it fits terminals of every size, and shows where thresholds are. */
#define _POSIX_C_SOURCE 200809L
#include "cli/columns.h"
#include "cli/page.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { RATE = 16000, MOST = 1 << 20 };

static kws_models models;
static kws_listening listening;
static char drawn[MOST];

/* Two models of two words each have heard ten seconds; the second waits for a word of the first. */
static int set_up(void **state)
{
	static float pcm[RATE * 10], threshold[2][TINY_WORDS];
	float *of_each[] = { threshold[0], threshold[1] };
	(void)state;
	models.n = 2;
	for (size_t i = 0; i < models.n; i++) {
		size_t len;
		kws_error err = { "" };
		tiny_config config = tiny_default;
		config.loudness = 3.0f;
		void *bytes = tiny_model_bytes(&config, &len);
		assert_int_equal(kws_model_parse(&models.at[i].model, bytes, len, &err), KWS_OK);
		free(bytes);
		strcpy(models.at[i].name, i ? "order" : "wake");
		for (size_t w = 0; w < TINY_WORDS; w++)
			threshold[i][w] = i ? 0.5f : w ? 0.9995f : 2.0f;
	}
	models.at[1].after = models.at[0].name;
	models.at[1].within_s = 1.0;
	assert_int_equal(kws_listening_open(&listening, &models, of_each, RATE, NULL, NULL), 0);
	sound(pcm, sizeof pcm / sizeof *pcm, RATE, 33);
	for (size_t i = 0; i < sizeof pcm / sizeof *pcm; i += RATE / 100)
		kws_listening_hear(&listening, pcm + i, RATE / 100);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kws_listening_close(&listening);
	kws_models_close(&models);
	return 0;
}

static void draw(unsigned columns, unsigned rows, bool colour, bool utf8)
{
	const kws_page p = { .columns = columns,
			     .rows = rows,
			     .colour = colour,
			     .utf8 = utf8,
			     .title = "a microphone with a name\033[2J at 16000 Hz",
			     .warning = rows % 2 ? "two channels cancel each other" : "",
			     .chosen = rows % 4 };
	FILE *to = fmemopen(drawn, sizeof drawn, "w");
	assert_non_null(to);
	kws_page_draw(&p, &listening, to);
	assert_int_equal(fclose(to), 0);
}

/* Take the escape sequences out of what was drawn; returns how many set a style. All others are
 * those that place the page. */
static size_t plain(void)
{
	static const char *const placing[] = { "\033[H", "\033[K", "\033[J" };
	size_t styles = 0;
	for (char *at = drawn; (at = strchr(at, '\033'));) {
		size_t n = strcspn(at, "mHJKhl") + 1;
		bool known = at[n - 1] == 'm';
		styles += known;
		for (size_t i = 0; i < 3; i++)
			known = known || strncmp(at, placing[i], n) == 0;
		assert_true(known);
		memmove(at, at + n, strlen(at + n) + 1);
	}
	return styles;
}

/* Row i of what was drawn, without escape sequences. */
static const char *row(size_t i)
{
	static char line[4096];
	const char *at = drawn;
	for (; i; i--) {
		at = strstr(at, "\r\n");
		assert_non_null(at);
		at += 2;
	}
	snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\r"), at);
	return line;
}

static size_t n_rows(void)
{
	size_t n = 1;
	for (const char *at = drawn; (at = strstr(at, "\r\n")); at += 2)
		n++;
	return n;
}

static void fits_every_terminal(void **state)
{
	(void)state;
	for (unsigned columns = 1; columns < 260; columns += columns < 90 ? 1 : 13)
		for (unsigned rows = 1; rows < 50; rows += rows < 26 ? 1 : 7)
			for (int utf8 = 0; utf8 < 2; utf8++) {
				draw(columns, rows, true, utf8);
				plain();
				assert_true(n_rows() <= rows);
				for (size_t i = 0; i < n_rows(); i++)
					assert_true(kws_columns_of(row(i)) < columns);
			}
}

static void shows_all_from_40_columns_on(void **state)
{
	(void)state;
	for (unsigned columns = 40; columns < 140; columns += 25) {
		draw(columns, 24, false, true);
		assert_int_equal(plain(), 0);
		assert_int_equal(n_rows(), 24);
		assert_non_null(strstr(row(0), "a microphone"));
		assert_non_null(strstr(row(0), "?[2J"));
		assert_non_null(strstr(row(0), "0:10.0"));
		assert_non_null(strstr(row(1), " dBFS "));
		assert_non_null(strstr(row(3), "> wake:yes"));
		assert_non_null(strstr(row(3), " off "));
		assert_non_null(strstr(row(4), "  wake:no "));
		assert_non_null(strstr(row(4), " 0.9995 "));
		assert_non_null(strstr(row(6), "order:no"));
		assert_non_null(strstr(row(7), "30 s "));
		assert_non_null(strstr(row(23), "q end"));
	}
	draw(100, 24, true, true);
	assert_true(plain() > 20);
}

/* The tick is where the threshold is; a bar ends where its score is; the best stays for two seconds. */
static void ticks_are_where_thresholds_are(void **state)
{
	(void)state;
	kws_listening_word *w = &listening.word[2], before = *w;
	const char *bar;
	for (int tenth = 1; tenth < 10; tenth++) {
		w->threshold = (float)tenth / 10.0f + 0.001f;
		w->score = 0.5f;
		w->held = 0.9f;
		draw(80, 24, false, false);
		bar = strpbrk(row(5), "=.|o") ? row(5) + strlen("  order:yes 0.10   ") : NULL;
		assert_non_null(bar);
		const size_t wide = strcspn(bar, " ");
		assert_true(wide > 30);
		assert_int_equal(strcspn(bar, "|"), (size_t)(w->threshold * (float)wide));
		const size_t full = strspn(bar, "=|");
		assert_true(full == wide / 2 || full == (wide + 1) / 2 || tenth == 5);
		if (tenth != 9)
			assert_int_equal(strcspn(bar, "o"), (size_t)(0.9f * (float)wide));
	}
	*w = before;
}

static void a_moved_threshold_counts_from_then_on(void **state)
{
	static float pcm[RATE * 20];
	(void)state;
	sound(pcm, sizeof pcm / sizeof *pcm, RATE, 34);
	const size_t none = listening.word[0].heard;
	assert_int_equal(none, 0);						 /* it is off */
	assert_int_equal(listening.word[2].heard + listening.word[2].missed, 0); /* it waits */
	assert_true(kws_listening_waits(&listening, 1));
	kws_listening_move(&listening, 0, 0.3f);
	for (size_t i = 0; i < sizeof pcm / sizeof *pcm; i += RATE / 100)
		kws_listening_hear(&listening, pcm + i, RATE / 100);
	kws_listening_end(&listening);
	assert_true(listening.word[0].heard > 0);
	assert_true(listening.word[0].moved && !listening.word[1].moved);
	assert_true(listening.word[1].missed > 0);
	assert_true(listening.word[2].heard + listening.word[3].heard > 0);
	assert_true(kws_listening_peaks(&listening, 0)->heard > 0);
	/* What was found is on the page, and on its strip. */
	draw(120, 40, false, true);
	plain();
	assert_non_null(strstr(row(8), "yes"));
	assert_non_null(strstr(row(9), "near"));
	assert_non_null(strstr(row(11), " of "));
}

static void thresholds_have_the_digits_that_matter(void **state)
{
	(void)state;
	static const struct {
		float x;
		const char *want;
	} all[] = { { 0.0f, "0.00" },	 { 0.8f, "0.80" },	{ 0.885f, "0.885" },
		    { 0.999f, "0.999" }, { 0.9999f, "0.9999" }, { 1.0f, "1.00" },
		    { 2.0f, "off" } };
	char text[24];
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_string_equal(kws_page_threshold(all[i].x, text), all[i].want);
	assert_string_equal(kws_page_clock(3599.96, text), "59:59.9");
	assert_string_equal(kws_page_clock(3661.25, text), "1:01:01.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_every_terminal),
		cmocka_unit_test(shows_all_from_40_columns_on),
		cmocka_unit_test(ticks_are_where_thresholds_are),
		cmocka_unit_test(thresholds_have_the_digits_that_matter),
		cmocka_unit_test(a_moved_threshold_counts_from_then_on),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
