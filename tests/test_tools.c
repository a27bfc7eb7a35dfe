/* kws eval, calibrate and plot, run as a user runs them, on a small random model and sounds made
 * here. */
#define _POSIX_C_SOURCE 200809L
#include "find_model.h"
#include "corpus/det.h"
#include "tests/tiny_model.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <cairo.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RATE = 16000, SECONDS = 30, N = RATE * SECONDS, MOST = 1 << 20 };

static char kws[4096]; /* the program */
static char dir[] = "/tmp/kws-tools-XXXXXX";
static char out[MOST], err[MOST]; /* of the last run, as strings */

static size_t read_whole(const char *path, char *to, size_t most)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(to, 1, most - 1, f);
	assert_true(n < most - 1); /* all of it: a megabyte is too much for any of these */
	to[n] = '\0';
	fclose(f);
	return n;
}

static const char *in_dir(const char *name)
{
	static char names[8][512];
	static size_t next;
	char *path = names[next++ % 8];
	snprintf(path, sizeof names[0], "%s/%s", dir, name);
	return path;
}

/* kws with these arguments, run in the folder of this test; returns its exit status. */
static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
	char arguments[1024], command[8192];
	va_list more;
	va_start(more, format);
	vsnprintf(arguments, sizeof arguments, format, more);
	va_end(more);
	snprintf(command, sizeof command, "cd %s && '%s' %s >out 2>err </dev/null", dir, kws,
		 arguments);
	int status = system(command);
	assert_true(WIFEXITED(status));
	read_whole(in_dir("out"), out, sizeof out);
	read_whole(in_dir("err"), err, sizeof err);
	return WEXITSTATUS(status);
}

static void put_file(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(in_dir(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

/* Tones and noise that change every half second: the random network says now this, now that. */
static void put_sound(const char *name, unsigned seed)
{
	static unsigned char wav[44 + 2 * N];
	static const unsigned char head[44] =
		"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data";
	double gain = 0.1, step = 0.01, noise = 0.5;
	memcpy(wav, head, sizeof head);
	for (int i = 0; i < 4; i++) {
		wav[4 + i] = (unsigned char)((36u + 2u * N) >> (8 * i));
		wav[40 + i] = (unsigned char)((2u * N) >> (8 * i));
	}
	srand(seed);
	for (size_t i = 0; i < N; i++) {
		if (i % (RATE / 2) == 0) {
			gain = pow(10.0, (rand() % 60 - 62) / 20.0);
			step = 6.2832 * (100.0 + rand() % 3000) / RATE;
			noise = rand() % 100 / 100.0;
		}
		double x = gain * sin(step * (double)(i % RATE))
			   + gain * noise * (rand() / (double)RAND_MAX - 0.5);
		long s = lrint(32767.0 * fmax(fmin(x, 1.0), -1.0));
		wav[44 + 2 * i] = (unsigned char)(s & 0xff);
		wav[45 + 2 * i] = (unsigned char)(s >> 8 & 0xff);
	}
	put_file(name, wav, sizeof wav);
}

static void put_model(const char *name, const tiny_config *cfg)
{
	size_t len;
	void *model = tiny_model_bytes(cfg, &len);
	put_file(name, model, len);
	free(model);
}

static int set_up(void **state)
{
	(void)state;
	assert_true(kws_find_beside("kws", kws, sizeof kws));
	assert_non_null(mkdtemp(dir));
	tiny_config full = tiny_default;
	full.chunk = -1;
	/* Not so sure of itself that its scores are 1. */
	tiny_config unsure = tiny_default;
	unsure.loudness = 3.0f;
	put_model("tiny.safetensors", &unsure);
	put_model("full.safetensors", &full);
	setenv("KWS_MODEL", in_dir("tiny.safetensors"), 1);
	put_sound("said.wav", 33);
	put_sound("other.wav", 34);
	/* A word every 1.5 s, yes and no in turn. */
	char truth[4096] = "start\tend\tword\n";
	for (int i = 0; i < 19; i++)
		snprintf(truth + strlen(truth), 64, "%.2f\t%.2f\t%s\n", 1.0 + 1.5 * i,
			 1.4 + 1.5 * i, i % 2 ? "no" : "yes");
	put_text("said.tsv", truth);
	put_text("junk.wav", "this is no audio");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	char command[600];
	snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
	return system(command);
}

/* ---- reading what came ---- */

/* The next line of *at, ended with NUL; NULL: there is none. */
static char *next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');
	if (!*line)
		return NULL;
	*at = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

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

/* Lines of `kws spot --format csv' in `text' with this word. */
static size_t fired(const char *text, const char *word)
{
	char field[64];
	size_t n = 0;
	snprintf(field, sizeof field, ",%s,", word);
	for (const char *at = strstr(text, field); at; at = strstr(at + 1, field))
		n++;
	return n;
}

static json_t *last_json(void)
{
	char *at = out, *line, *last = NULL;
	while ((line = next_line(&at)))
		last = line;
	assert_non_null(last);
	json_t *o = json_loads(last, 0, NULL);
	assert_non_null(o);
	return o;
}

static size_t size_at(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);
	assert_true(json_is_integer(v));
	return (size_t)json_integer_value(v);
}

static double real_at(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);
	assert_true(json_is_number(v));
	return json_number_value(v);
}

/* ---- eval ---- */

/* The promise of the curve: at each threshold, what kws spot finds there. */
static void eval_counts_what_spot_finds(void **state)
{
	(void)state;
	static char table[MOST];
	size_t n_all = 0;
	assert_int_equal(run("eval --format csv said.wav other.wav"), 0);
	assert_string_equal(err, "");
	memcpy(table, out, sizeof table);
	for (size_t g = 0; g < KWS_DET_GRID; g += 4) {
		char threshold[32];
		snprintf(threshold, sizeof threshold, "%.4f", (double)kws_det_threshold(g));
		assert_int_equal(run("spot --format csv -t %s said.wav other.wav", threshold), 0);
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
	assert_int_equal(run("eval --format jsonl --at 1e5 said.wav other.wav"), 0);
	json_t *o = last_json(), *sum = json_object_get(o, "summary");
	assert_int_equal(size_at(sum, "recordings_labelled"), 1);
	assert_int_equal(size_at(sum, "recordings_unlabelled"), 1);
	assert_true(fabs(real_at(sum, "hours_for_false_alarms") - 60.0 / 3600.0) < 1e-4);
	json_t *points = json_object_get(sum, "points");
	assert_int_equal(json_array_size(points), 2);
	json_t *words = json_object_get(json_array_get(points, 1), "words");
	json_t *all = json_object_get(words, "all");
	assert_int_equal(size_at(all, "said"), 19);
	assert_int_equal(size_at(json_object_get(words, "yes"), "said"), 10);
	assert_null(json_object_get(words, "_unknown_"));
	double miss = real_at(all, "miss");
	json_t *ci = json_object_get(all, "miss_ci");
	assert_true(json_number_value(json_array_get(ci, 0)) <= miss);
	assert_true(json_number_value(json_array_get(ci, 1)) >= miss);
	if (size_at(all, "hits"))
		assert_true(real_at(all, "latency_p50") <= real_at(all, "latency_max"));
	json_decref(o);
	/* Only the hours in which nothing is said. */
	assert_int_equal(run("eval --format jsonl --unlabelled-only said.wav other.wav"), 0);
	o = last_json();
	assert_true(fabs(real_at(json_object_get(o, "summary"), "hours_for_false_alarms")
			 - 30.0 / 3600.0)
		    < 1e-4);
	json_decref(o);
}

static void eval_does_not_depend_on_jobs(void **state)
{
	(void)state;
	static char once[MOST];
	assert_int_equal(run("eval -j 1 said.wav other.wav"), 0);
	assert_non_null(strstr(out, "rule of three"));
	memcpy(once, out, sizeof once);
	assert_int_equal(run("eval -j 3 said.wav other.wav"), 0);
	assert_string_equal(out, once);
}

static void eval_goes_on_after_bad_inputs(void **state)
{
	(void)state;
	assert_int_equal(run("eval --format jsonl junk.wav said.wav nosuch.wav"), 1);
	assert_non_null(strstr(err, "junk.wav"));
	assert_non_null(strstr(err, "nosuch.wav"));
	json_t *o = last_json();
	assert_int_equal(size_at(json_object_get(o, "summary"), "failed"), 2);
	json_decref(o);
	put_sound("broken.wav", 35);
	put_text("broken.tsv", "1\t2\tyes\n5\t4\tno\n");
	assert_int_equal(run("eval broken.wav"), 1);
	assert_non_null(strstr(err, "broken.tsv:2: the end, 4, is before the start"));
	/* A word that the model lacks is not said; nothing else is there. */
	put_text("broken.tsv", "1\t2\tmarvin\n");
	assert_int_equal(run("eval broken.wav"), 0);
	assert_non_null(strstr(err, "1 words are not in tiny and count as not said: 1 'marvin'"));
	/* Times with a decimal comma are refused, not read as whole seconds. */
	put_text("broken.tsv", "1,5\t2,5\tyes\n");
	assert_int_equal(run("eval broken.wav"), 1);
	assert_non_null(strstr(err, "broken.tsv:1: the start, 1,5, is no time; write 1.5"));
	/* Blanks, quotes and capitals make no other word, and are told. */
	put_text("broken.tsv", "1\t2\tYes \n3\t4\t\"no\"\n5\t6\tyes\xc2\xa0\n7\t8\tyesss\n");
	assert_int_equal(run("eval --format jsonl broken.wav"), 0);
	assert_non_null(strstr(err, "3 words with other blanks, quotes or capitals"));
	assert_non_null(strstr(err, "broken.tsv:1: 'Yes ' as 'yes'"));
	assert_non_null(strstr(err, "1 'yesss' (line 4; did you mean 'yes'?)"));
	o = last_json();
	json_t *sum = json_object_get(o, "summary");
	assert_int_equal(size_at(sum, "words_respelt"), 3);
	assert_int_equal(size_at(sum, "words_not_in_model"), 1);
	json_decref(o);
	unlink(in_dir("broken.tsv"));
	unlink(in_dir("broken.wav"));
	assert_int_equal(run("eval"), 2);
	assert_int_equal(run("eval --at -1 said.wav"), 2);
	assert_int_equal(run("eval -m full.safetensors said.wav"), 3);
}

static void eval_of_clips_is_classify(void **state)
{
	(void)state;
	static char classified[MOST];
	put_text("list.tsv", "said.wav\tyes\nother.wav\tno\n");
	assert_int_equal(run("classify -q --manifest list.tsv"), 0);
	memcpy(classified, out, sizeof classified);
	assert_int_equal(run("eval --manifest list.tsv"), 0);
	assert_non_null(strstr(out, "accuracy"));
	assert_string_equal(out, classified);
	assert_int_equal(run("eval --manifest list.tsv said.wav"), 2);
}

/* ---- pictures ---- */

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
	assert_int_equal(run("eval --picture det.svg said.wav other.wav"), 0);
	read_whole(in_dir("det.svg"), file, sizeof file);
	check_svg(file);
	/* The same as pixels: an axis' name, turned; the heading; the line of all words; bars. */
	assert_int_equal(run("eval --picture det.PNG said.wav other.wav"), 0);
	cairo_surface_t *s = open_png("det.PNG");
	assert_int_equal(cairo_image_surface_get_width(s), 1000);
	assert_int_equal(cairo_image_surface_get_height(s), 860);
	assert_true(pixels(s, 14, 180, 34, 330, 1u << 24) > 100);
	assert_true(pixels(s, 80, 25, 330, 45, 1u << 24) > 200);
	assert_true(pixels(s, 81, 71, 800, 440, 0x000000) > 200);
	assert_true(pixels(s, 81, 541, 800, 790, 1u << 24) > 500);
	/* Nothing is drawn over the edge of the page. */
	assert_int_equal(pixels(s, 0, 0, 10, 860, 1u << 24), 0);
	cairo_surface_destroy(s);
	assert_int_equal(run("eval -p det.pdf other.wav"), 0);
	size_t n = read_whole(in_dir("det.pdf"), file, sizeof file);
	assert_memory_equal(file, "%PDF-", 5);
	assert_non_null(strstr(file + n - 8, "%%EOF"));
	assert_int_equal(run("eval --picture nosuch/det.svg said.wav"), 1);
	assert_non_null(strstr(err, "nosuch/det.svg"));
}

static void pictures_are_what_their_names_say(void **state)
{
	(void)state;
	static const char *const bad[] = { "x.jpg", "x.svgz", "x", "svg", ".png", "x.png.txt" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char want[64];
		snprintf(want, sizeof want, "'%s' ends in none of .svg, .png, .pdf", bad[i]);
		assert_int_equal(run("plot said.wav -p %s", bad[i]), 2);
		assert_non_null(strstr(err, want));
		assert_int_equal(run("eval said.wav --picture %s", bad[i]), 2);
		assert_non_null(strstr(err, want));
		assert_true(access(in_dir(bad[i]), F_OK) != 0);
	}
	/* Results and picture on one stream would spoil both. */
	assert_int_equal(run("eval said.wav --picture -"), 2);
	assert_int_equal(run("plot said.wav --end 2 -p nosuch/x.png"), 1);
}

static void plot_draws(void **state)
{
	(void)state;
	static char svg[MOST];
	assert_int_equal(run("spot --format csv said.wav"), 0);
	size_t yes = fired(out, "yes"), no = fired(out, "no"), halos = 0;
	assert_true(yes + no > 0);
	assert_int_equal(run("plot said.wav -p all.svg"), 0);
	assert_string_equal(out, "");
	read_whole(in_dir("all.svg"), svg, sizeof svg);
	check_svg(svg);
	assert_non_null(strstr(svg, "data:image/png;base64,iVBOR"));
	/* Each event has a frame with a broad white halo. */
	for (const char *at = strstr(svg, "stroke-width:3.5"); at;
	     at = strstr(at + 1, "stroke-width:3.5"))
		halos++;
	if (!halos) /* as later versions of cairo write it */
		for (const char *at = strstr(svg, "stroke-width=\"3.5\""); at;
		     at = strstr(at + 1, "stroke-width=\"3.5\""))
			halos++;
	assert_int_equal(halos, yes + no);
	/* The old spelling, and standard output. */
	assert_int_equal(run("plot --start 3.5 --end 6.25 -o - said.wav"), 0);
	check_svg(out);
	assert_int_equal(run("plot --width 1000 said.wav -p all.png"), 0);
	cairo_surface_t *s = open_png("all.png");
	assert_int_equal(cairo_image_surface_get_width(s), 64 + 1000 + 130);
	assert_true(pixels(s, 64, 8, 300, 26, 1u << 24) > 50);
	assert_true(pixels(s, 64, 40, 1064, 260, 1u << 24) > 200000);
	assert_true(pixels(s, 64, 304, 1064, 504, 1u << 24) > 3000);
	cairo_surface_destroy(s);
	assert_int_equal(run("plot --start 60 said.wav -p late.svg"), 2);
	assert_true(access(in_dir("late.svg"), F_OK) != 0);
	assert_int_equal(run("plot said.wav"), 2);
	assert_int_equal(run("plot --start 5 --end 5 said.wav -p x.svg"), 2);
	assert_int_equal(run("plot junk.wav -p x.svg"), 1);
	assert_int_equal(run("plot -m full.safetensors said.wav -p x.svg"), 3);
}

/* ---- calibrate ---- */

static void calibrate_refuses(void **state)
{
	(void)state;
	assert_int_equal(run("calibrate said.wav other.wav"), 4);
	assert_string_equal(out, "");
	/* 2.996 / (1/60 h) = 179.74; 2.996 / 0.5 = 6.0 h. */
	assert_non_null(strstr(err, "cannot support 0.5 false alarms an hour"));
	assert_non_null(strstr(err, "179.7"));
	assert_non_null(strstr(err, "6.0 h are needed"));
	assert_int_equal(run("calibrate --target 1e5 other.wav"), 4);
	assert_non_null(strstr(err, "no word is said"));
	assert_int_equal(run("calibrate --target x said.wav"), 2);
	assert_int_equal(run("calibrate"), 2);
}

static void calibrate_keeps_to_the_target(void **state)
{
	(void)state;
	static const double targets[] = { 200, 400, 700, 1500, 1e5 };
	size_t hits = 0;
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		assert_int_equal(
			run("calibrate --format jsonl --target %g said.wav other.wav", targets[i]),
			0);
		json_t *o = last_json();
		assert_true(json_is_true(json_object_get(o, "supported")));
		assert_true(real_at(o, "supported_per_hour") <= targets[i]);
		/* A looser target never hears less. */
		assert_true(size_at(o, "hits") >= hits);
		hits = size_at(o, "hits");
		json_decref(o);
	}
	assert_true(hits > 0);
	assert_int_equal(run("calibrate --format jsonl --allow-unsupported --target 100 said.wav "
			     "other.wav"),
			 0);
	json_t *o = last_json();
	assert_true(json_is_false(json_object_get(o, "supported")));
	assert_true(size_at(o, "false_alarms") <= 1);
	json_decref(o);
	assert_int_equal(run("calibrate --per-word --lowest 0.6 --target 700 said.wav other.wav"),
			 0);
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

static void calibrate_writes_a_model(void **state)
{
	(void)state;
	static char before[MOST], after[MOST];
	assert_int_equal(run("calibrate --format jsonl --target 700 --write-model new.safetensors "
			     "said.wav other.wav"),
			 0);
	json_t *o = last_json(), *thresholds = json_object_get(o, "thresholds");
	size_t n0 = read_whole(in_dir("tiny.safetensors"), before, sizeof before);
	size_t n1 = read_whole(in_dir("new.safetensors"), after, sizeof after);
	size_t d0 = data_at(before), d1 = data_at(after);
	assert_int_equal(n0 - d0, n1 - d1);
	assert_memory_equal(before + d0, after + d1, n0 - d0);
	assert_int_equal(d1 % 8, 0);

	kws_model *m = NULL, *was = NULL;
	kws_error e = { "" };
	assert_int_equal(kws_model_open(&m, in_dir("new.safetensors"), &e), KWS_OK);
	assert_int_equal(kws_model_open(&was, in_dir("tiny.safetensors"), &e), KWS_OK);
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
	assert_int_equal(run("eval -m new.safetensors --format jsonl said.wav other.wav"), 0);
	json_t *p = last_json();
	json_t *point = json_array_get(json_object_get(json_object_get(p, "summary"), "points"), 0);
	json_t *all = json_object_get(json_object_get(point, "words"), "all");
	assert_int_equal(size_at(all, "hits"), size_at(o, "hits"));
	assert_int_equal(size_at(all, "false_alarms"), size_at(o, "false_alarms"));
	json_decref(p);
	json_decref(o);

	/* In its own place; and nowhere when that cannot be. */
	assert_int_equal(run("calibrate -m new.safetensors --target 1e5 --write-model "
			     "new.safetensors said.wav"),
			 0);
	assert_int_equal(kws_model_open(&m, in_dir("new.safetensors"), &e), KWS_OK);
	kws_model_close(m);
	assert_int_equal(
		run("calibrate --target 1e5 --write-model nosuch/new.safetensors said.wav"), 1);
	/* Nothing half done lies about. */
	char command[600];
	snprintf(command, sizeof command, "ls %s | grep -F safetensors.", dir);
	assert_int_not_equal(system(command), 0);
}

/* The copy of kws that bench starts has another standard input: the model that came there is gone. */
static void bench_says_what_it_could_not_measure(void **state)
{
	(void)state;
	char command[8192];
	snprintf(command, sizeof command,
		 "cd %s && '%s' bench --seconds 1 -m /dev/stdin <tiny.safetensors >out 2>err", dir,
		 kws);
	const int status = system(command);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	read_whole(in_dir("out"), out, sizeof out);
	read_whole(in_dir("err"), err, sizeof err);
	assert_non_null(
		strstr(err, "bench: start: not measured: kws, run again, ended with status 3"));
	assert_non_null(strstr(out, "x real time")); /* the rest was measured */
	assert_non_null(strstr(out, "resident"));
	assert_null(strstr(out, "start "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eval_counts_what_spot_finds),
		cmocka_unit_test(eval_says_it_in_json),
		cmocka_unit_test(eval_does_not_depend_on_jobs),
		cmocka_unit_test(eval_goes_on_after_bad_inputs),
		cmocka_unit_test(eval_of_clips_is_classify),
		cmocka_unit_test(eval_draws),
		cmocka_unit_test(pictures_are_what_their_names_say),
		cmocka_unit_test(plot_draws),
		cmocka_unit_test(calibrate_refuses),
		cmocka_unit_test(calibrate_keeps_to_the_target),
		cmocka_unit_test(calibrate_writes_a_model),
		cmocka_unit_test(bench_says_what_it_could_not_measure),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
