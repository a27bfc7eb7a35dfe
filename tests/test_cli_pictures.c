/* The pictures of kws eval and kws plot. */
#define _POSIX_C_SOURCE 200809L
#include "cli/picture.h"
#include "tests/run_kws.h"

#include <cairo.h>

/* Is the word there, between blanks, commas or quotes? The letters of a picture in base64 may spell it. */
static bool has_word(const char *svg, const char *word)
{
	static const char around[] = " ,\"'()\n";
	const size_t n = strlen(word);
	for (const char *at = strstr(svg, word); at; at = strstr(at + 1, word))
		if (strchr(around, at[-1]) && (at[n] == '\0' || strchr(around, at[n])))
			return true;
	return false;
}

/* Every element that is opened is closed, in order; no NaN lies anywhere. */
static void check_svg(const char *svg)
{
	char open[16][32];
	size_t depth = 0;
	assert_memory_equal(svg, "<?xml ", 6);
	assert_false(has_word(svg, "nan") || has_word(svg, "-nan"));
	assert_false(has_word(svg, "inf") || has_word(svg, "-inf"));
	for (const char *at = strchr(svg + 6, '<'); at; at = strchr(at + 1, '<')) {
		const char *end = strchr(at, '>');
		size_t n = strcspn(at + 1, " />\n");
		assert_non_null(end);
		if (at[1] == '/') {
			size_t len = strcspn(at + 2, ">");
			assert_true(depth > 0);
			depth--;
			assert_int_equal(len, strlen(open[depth]));
			assert_memory_equal(at + 2, open[depth], len);
		} else if (end[-1] != '/') {
			assert_true(depth < 16 && n < 32);
			memcpy(open[depth], at + 1, n);
			open[depth++][n] = '\0';
		}
	}
	assert_int_equal(depth, 0);
}

/* A picture of pixels from its file; fails when it is none. */
static cairo_surface_t *open_png(const char *name)
{
	cairo_surface_t *s = cairo_image_surface_create_from_png(in_dir(name));
	assert_int_equal(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
	return s;
}

/* Pixels of a rectangle that have this colour; 0x01000000: that are not white. */
static size_t pixels(cairo_surface_t *s, int x0, int y0, int x1, int y1, unsigned rgb)
{
	const unsigned char *data = cairo_image_surface_get_data(s);
	size_t n = 0;
	for (int y = y0; y < y1; y++)
		for (int x = x0; x < x1; x++) {
			unsigned p;
			memcpy(&p, data + y * cairo_image_surface_get_stride(s) + 4 * x, 4);
			p &= 0xffffff;
			n += rgb > 0xffffff ? p != 0xffffff : p == rgb;
		}
	return n;
}

static void eval_draws(void **state)
{
	(void)state;
	static char file[MOST];
	assert_int_equal(run_line("eval --picture det.svg said.wav other.wav"), 0);
	read_whole(in_dir("det.svg"), file, sizeof file);
	check_svg(file);
	/* Titles tell the points of the curves and the bars. */
	assert_non_null(strstr(file, "<title>threshold 0."));
	assert_non_null(strstr(file, " words with "));
	assert_non_null(strstr(file, " seconds with "));
	/* The same as pixels: an axis' name, turned; the sentence; the line of all words; what it means. */
	assert_int_equal(run_line("eval --picture det.PNG --at 3 said.wav other.wav"), 0);
	cairo_surface_t *s = open_png("det.PNG");
	const int high = cairo_image_surface_get_height(s);
	assert_int_equal(cairo_image_surface_get_width(s), 1000);
	assert_true(high > 900);
	assert_true(pixels(s, 14, 180, 34, 400, 1u << 24) > 100);
	assert_true(pixels(s, 80, 40, 700, 74, 1u << 24) > 500);
	assert_true(pixels(s, 81, 105, 620, 470, 0x000000) > 200);
	assert_true(pixels(s, 81, 105, 620, 470, 0xd62728) > 40);  /* the model's thresholds */
	assert_true(pixels(s, 640, 200, 960, 400, 0x2ca02c) > 40); /* those for 3 an hour */
	/* Two words said, so two small panels; each has a dot of its threshold. */
	assert_true(pixels(s, 81, 600, 240, 730, 0x222222) > 20);
	assert_true(pixels(s, 261, 600, 420, 730, 0x222222) > 20);
	assert_int_equal(pixels(s, 441, 610, 960, 730, 1u << 24), 0);
	/* Nothing is drawn over the edge of the page. */
	assert_int_equal(pixels(s, 0, 0, 10, high, 1u << 24), 0);
	assert_int_equal(pixels(s, 990, 0, 1000, high, 1u << 24), 0);
	cairo_surface_destroy(s);
	assert_int_equal(run_line("eval -p det.pdf other.wav"), 0);
	size_t n = read_whole(in_dir("det.pdf"), file, sizeof file);
	assert_memory_equal(file, "%PDF-", 5);
	assert_non_null(strstr(file + n - 8, "%%EOF"));
	assert_int_equal(run_line("eval --picture nosuch/det.svg said.wav"), 1);
	assert_non_null(strstr(err, "nosuch/det.svg"));
}

/* Equal distances on an axis of deviates are equal deviates: 15.87 % lie below -1, 2.28 % below -2. */
static void axes_of_deviates(void **state)
{
	(void)state;
	const kws_axis a = { 0.0227501, 0.977250, 100.0, 500.0, KWS_DEVIATE };
	static const double shares[][2] = { { 0.0227501, 100.0 }, { 0.158655, 200.0 },
					    { 0.5, 300.0 },	  { 0.841345, 400.0 },
					    { 0.0, 100.0 },	  { 1.0, 500.0 } };
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
		assert_true(fabs(kws_axis_at(&a, shares[i][0]) - shares[i][1]) < 0.01);
}

static void pictures_are_what_their_names_say(void **state)
{
	(void)state;
	static const char *const bad[] = { "x.jpg", "x.svgz", "x", "svg", ".png", "x.png.txt" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char want[64];
		snprintf(want, sizeof want, "'%s' does not end in .svg, .png or .pdf", bad[i]);
		assert_int_equal(run_line("plot said.wav -p %s", bad[i]), 2);
		assert_non_null(strstr(err, want));
		assert_int_equal(run_line("eval said.wav --picture %s", bad[i]), 2);
		assert_non_null(strstr(err, want));
		assert_true(access(in_dir(bad[i]), F_OK) != 0);
	}
	/* Results and picture on one stream would spoil both. */
	assert_int_equal(run_line("eval said.wav --picture -"), 2);
	assert_int_equal(run_line("plot said.wav --end 2 -p nosuch/x.png"), 1);
}

/* Titles that begin so. */
static size_t titles(const char *svg, const char *begin)
{
	char text[64];
	size_t n = 0;
	snprintf(text, sizeof text, "<title>%s", begin);
	for (const char *at = strstr(svg, text); at; at = strstr(at + 1, text))
		n++;
	return n;
}

/* What was found and what was said stands in the titles of an SVG, as kws spot and the truth file have it. */
static void plot_tells_what_it_shows(void **state)
{
	(void)state;
	static char svg[MOST];
	assert_int_equal(run_line("spot --format csv said.wav"), 0);
	const size_t yes = fired(out, "yes"), no = fired(out, "no");
	assert_true(yes + no > 0);
	assert_int_equal(run_line("plot said.wav -p all.svg"), 0);
	assert_string_equal(out, "");
	read_whole(in_dir("all.svg"), svg, sizeof svg);
	check_svg(svg);
	assert_non_null(strstr(svg, "data:image/png;base64,iVBOR"));
	/* An event at the end of a line of ten seconds may go on in the next. */
	assert_true(titles(svg, "yes 0.") >= yes && titles(svg, "yes 0.") <= yes + 2);
	assert_true(titles(svg, "no 0.") >= no && titles(svg, "no 0.") <= no + 2);
	assert_true(titles(svg, "near miss: ") > 0);
	assert_true(titles(svg, "said: yes, ") >= 10);
	assert_true(titles(svg, "yes needs 0.5") > 0);
	/* Each word said is heard or missed, and each event was said or not. */
	size_t heard = 0, missed = 0;
	for (const char *at = svg; (at = strstr(at, "<title>said: ")); at++) {
		const char *end = strstr(at, "</title>");
		heard += memcmp(end - 7, "; heard", 7) == 0;
		missed += memcmp(end - 8, "; missed", 8) == 0;
	}
	assert_int_equal(heard + missed, titles(svg, "said: "));
	assert_true(heard > 0 && missed > 0);
	/* Without a truth file nothing is right or wrong. */
	assert_int_equal(run_line("plot other.wav -p -"), 0);
	check_svg(out);
	assert_int_equal(titles(out, "said: "), 0);
	assert_null(strstr(out, "; not said"));
	put_text("other.tsv", "1\t2\ta <b> & \xff\n1\t2\n");
	assert_int_equal(run_line("plot other.wav -p x.svg"), 1);
	assert_non_null(strstr(err, "other.tsv:2"));
	put_text("other.tsv", "1\t2\ta <b> & \xff\n");
	assert_int_equal(run_line("plot other.wav -p -"), 0);
	check_svg(out);
	assert_int_equal(titles(out, "said: a &lt;b&gt; &amp; \xef\xbf\xbd, "), 1);
	assert_non_null(strstr(out, "; no command of the model</title>"));
	assert_non_null(strstr(out, "; not said</title>"));
	assert_int_equal(unlink(in_dir("other.tsv")), 0);
}

/* The titles of one model's words that were found, at a threshold. */
static size_t found_of(const char *svg, const char *word, const char *model)
{
	char begin[64];
	snprintf(begin, sizeof begin, "%s of %s 0.", word, model);
	return titles(svg, begin);
}

/* Several models, and other thresholds: each finds what kws spot finds with them. */
static void plot_shows_several_models(void **state)
{
	(void)state;
	static char svg[MOST];
	tiny_config other = tiny_default;
	other.seed = 2;
	put_model("other.safetensors", &other);
	assert_int_equal(run_line("spot --format csv -m a=tiny.safetensors -m other.safetensors "
				  "--threshold 0.6,a:no=off said.wav"),
			 0);
	const size_t yes = fired(out, "yes");
	assert_int_equal(run_line("plot -m a=tiny.safetensors -m other.safetensors --threshold "
				  "0.6,a:no=off said.wav -p two.svg"),
			 0);
	read_whole(in_dir("two.svg"), svg, sizeof svg);
	check_svg(svg);
	const size_t by_both = found_of(svg, "yes", "a") + found_of(svg, "yes", "other");
	assert_true(yes > 0 && by_both >= yes && by_both <= yes + 4);
	assert_int_equal(found_of(svg, "no", "a"), 0);
	assert_true(titles(svg, "yes of a needs 0.6") > 0);
	assert_int_equal(titles(svg, "no of a needs "), 0);
	assert_true(found_of(svg, "yes", "a") > 0);
	assert_true(found_of(svg, "yes", "other") + found_of(svg, "no", "other") > 0);
	/* A word that either has heard is not missed; one model alone does not say its name. */
	assert_true(titles(svg, "said: yes, ") >= 10);
	assert_int_equal(run_line("plot --threshold 0.7 said.wav -p -"), 0);
	assert_true(titles(out, "yes needs 0.7") > 0);
	assert_int_equal(run_line("plot --threshold maybe=0.7 said.wav -p -"), 2);
	assert_int_equal(run_line("plot -m tiny.safetensors -m tiny.safetensors said.wav -p -"), 2);
}

static void plot_draws(void **state)
{
	(void)state;
	/* The old spelling, and standard output. */
	assert_int_equal(run_line("plot --start 3.5 --end 6.25 -o - said.wav"), 0);
	check_svg(out);
	assert_int_equal(run_line("plot --width 1000 said.wav -p all.png"), 0);
	cairo_surface_t *s = open_png("all.png");
	const int wide = cairo_image_surface_get_width(s), high = cairo_image_surface_get_height(s);
	assert_int_equal(wide, 64 + 1000 + 24);
	assert_true(pixels(s, 64, 8, 300, 26, 1u << 24) > 50);
	/* Three lines of ten seconds: each has a spectrogram, a rectangle without white, and some edges. */
	size_t rows = 0;
	for (int y = 0; y < high; y++)
		rows += pixels(s, 70, y, 1060, y + 1, 1u << 24) == 990;
	assert_true(rows >= 3 * 95 && rows <= 3 * 140);
	/* Nothing is drawn over the edge of the page. */
	assert_int_equal(pixels(s, 0, 0, 3, high, 1u << 24), 0);
	assert_int_equal(pixels(s, wide - 3, 0, wide, high, 1u << 24), 0);
	cairo_surface_destroy(s);
	/* However narrow the page is, all words of its legend are on it. */
	assert_int_equal(run_line("plot --width 200 said.wav --end 1 -p all.png"), 0);
	s = open_png("all.png");
	assert_int_equal(cairo_image_surface_get_width(s), 64 + 200 + 24);
	assert_int_equal(pixels(s, 286, 0, 288, cairo_image_surface_get_height(s), 1u << 24), 0);
	cairo_surface_destroy(s);
	assert_int_equal(run_line("plot --start 60 said.wav -p late.svg"), 2);
	assert_true(access(in_dir("late.svg"), F_OK) != 0);
	assert_int_equal(run_line("plot said.wav"), 2);
	assert_int_equal(run_line("plot --start 5 --end 5 said.wav -p x.svg"), 2);
	assert_int_equal(run_line("plot junk.wav -p x.svg"), 1);
	assert_int_equal(run_line("plot -m full.safetensors said.wav -p x.svg"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eval_draws),
		cmocka_unit_test(axes_of_deviates),
		cmocka_unit_test(pictures_are_what_their_names_say),
		cmocka_unit_test(plot_tells_what_it_shows),
		cmocka_unit_test(plot_shows_several_models),
		cmocka_unit_test(plot_draws),
	};
	return cmocka_run_group_tests(tests, set_up_said, tear_down) != 0;
}
