/* What is heard in a Wyoming client's audio is what libkws hears in the same samples: at any rate, in
 * any cut, beside any others, with gates as of kwsd, and over a change of the words. */
#include "tests/wyoming.h"

#include <math.h>

enum { MOST = 64, CLIENTS = 40 };

static int16_t demo[WY_LONGEST];
static size_t n_demo;
static kws_roster *roster;

static int set_up(void **state)
{
	(void)state;
	n_demo = wy_demo(demo, WY_LONGEST);
	roster = wy_roster(NULL, 0, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kws_roster_release(roster);
	return 0;
}

/* ---- what libkws hears ---- */

typedef struct {
	const kws_model *model;
	char lines[4096];
	size_t n;
} record;

static void on_event(void *ctx, const kws_event *ev)
{
	record *r = ctx;

	r->n += (size_t)snprintf(r->lines + r->n, sizeof r->lines - r->n, "detection %s %ld\n",
				 kws_model_word(r->model, ev->word),
				 lround(1e3 * (double)ev->start / kws_model_rate_hz(r->model)));
}

static void reference(record *r, const float *pcm, size_t n, unsigned hz)
{
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	kws_spotter *sp;

	*r = (record){ .model = roster->part[0].model };
	config.on_event = on_event;
	config.ctx = r;
	assert_int_equal(kws_spotter_create(&sp, r->model, hz, &config, NULL), KWS_OK);
	kws_spotter_process(sp, pcm, n);
	kws_spotter_flush(sp);
	kws_spotter_destroy(sp);
}

/* The answers to a stream of these bytes, which are audio of this format. */
static void heard(kws_roster *words, const wy_format *f, const void *bytes, size_t n, size_t piece,
		  char *lines, size_t size)
{
	kws_session *s = kws_session_create(words);
	wy_text t = { NULL, 0, 0 };

	wy_start(&t, f);
	wy_audio(&t, f, bytes, n);
	wy_event(&t, "audio-stop", NULL, NULL, 0);
	assert_true(wy_give(s, t.bytes, t.n, piece));
	wy_lines(s, lines, size);
	kws_session_destroy(s);
	free(t.bytes);
}

/* ---- cuts ---- */

static void cuts_do_not_matter(void **state)
{
	static const size_t chunks[] = { 1, 3, 320, 641, 2048, 65536, 1000000 };
	static const size_t pieces[] = { 1000, 7, 16384, 4096, 1460, 65536, 16384 };
	static float pcm[WY_LONGEST];
	char lines[4096];
	record want;

	(void)state;
	for (size_t k = 0; k < sizeof chunks / sizeof *chunks; k++) {
		const wy_format f = { WY_RATE, 2, 1, chunks[k], -1 };
		/* a byte a chunk is a header of 150 bytes for each */
		const size_t n = chunks[k] < 8 ? 3 * WY_RATE : n_demo;

		for (size_t i = 0; i < n; i++)
			pcm[i] = (float)demo[i] / 32768.0f;
		reference(&want, pcm, n, WY_RATE);
		assert_true(want.n > 0);
		heard(roster, &f, demo, 2 * n, pieces[k], lines, sizeof lines);
		assert_string_equal(lines, want.lines);
	}
}

/* ---- formats ---- */

static unsigned char bytes[8 * WY_LONGEST];
static float samples[4 * WY_LONGEST];

/* The demo at another rate, in seconds of it: by straight lines, good enough to be understood. As
 * bytes of the format, and as the samples that these bytes mean. Returns how many samples. */
static size_t convert(const wy_format *f, size_t seconds)
{
	const size_t n = seconds * f->rate;
	unsigned char *at = bytes;

	for (size_t i = 0; i < n; i++) {
		const double where = (double)i * WY_RATE / f->rate;
		const size_t k = (size_t)where;
		const double v = demo[k] + (where - (double)k) * (demo[k + 1] - demo[k]);
		int32_t whole = f->width == 1 ? (int32_t)lround(v / 256.0)
					      : (int32_t)lround(v)
							* (f->width == 2   ? 1
							   : f->width == 3 ? 256
									   : 65536);
		const double full = f->width == 1 ? 128.0 : ldexp(1.0, 8 * (int)f->width - 1);

		samples[i] = (float)((double)whole / full);
		whole += f->width == 1 ? 128 : 0;
		for (unsigned c = 0; c < f->channels; c++)
			for (unsigned b = 0; b < f->width; b++)
				*at++ = (unsigned char)((uint32_t)whole >> (8 * b));
	}
	assert_true(at <= bytes + sizeof bytes);
	return n;
}

static void every_format_is_understood(void **state)
{
	static const wy_format formats[] = {
		{ 16000, 1, 1, 500, -1 },  { 16000, 3, 1, 1000, -1 },  { 16000, 4, 1, 4097, -1 },
		{ 16000, 2, 2, 2048, -1 }, { 16000, 4, 8, 10001, -1 }, { 8000, 2, 1, 321, -1 },
		{ 11025, 2, 1, 441, -1 },  { 22050, 2, 2, 4096, -1 },  { 44100, 2, 1, 882, -1 },
		{ 48000, 3, 2, 5760, -1 }, { 96000, 2, 1, 3840, -1 },  { 192000, 2, 1, 7680, -1 },
	};
	char lines[4096];
	record want;

	(void)state;
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		const wy_format *f = &formats[i];
		const size_t seconds = f->rate > 48000 ? 2 : f->channels > 2 ? 4 : 6;
		const size_t n = convert(f, seconds);

		reference(&want, samples, n, f->rate);
		heard(roster, f, bytes, n * f->width * f->channels, 3000, lines, sizeof lines);
		if (want.n)
			assert_string_equal(lines, want.lines);
		else
			assert_string_equal(lines, "not-detected\n");
		/* the words were there to be heard, 8 kHz leaves half of the sound out */
		assert_true(want.n || f->rate < 16000);
	}
}

/* ---- several at once ---- */

/* Many clients whose audio is heard in the same calls have what each alone has. */
static void others_do_not_matter(void **state)
{
	static const wy_format f = { WY_RATE, 2, 1, 640, -1 };
	static char want[CLIENTS][1024], lines[1024];
	kws_session *s[CLIENTS];

	(void)state;
	for (size_t c = 0; c < CLIENTS; c++) {
		wy_text t = { NULL, 0, 0 };

		s[c] = kws_session_create(roster);
		wy_audio(&t, &f, demo + c * 1000, 2 * 2 * WY_RATE);
		wy_give(s[c], t.bytes, t.n, 16384);
		wy_lines(s[c], want[c], sizeof want[c]);
		free(t.bytes);
		kws_session_destroy(s[c]);
		s[c] = kws_session_create(roster);
	}
	for (size_t at = 0; at < 2 * 2 * WY_RATE; at += 640)
		for (size_t from = 0, n; from < CLIENTS; from += n) {
			n = CLIENTS - from < KWS_WAKE_TOGETHER ? CLIENTS - from : KWS_WAKE_TOGETHER;
			for (size_t c = from; c < from + n; c++) {
				wy_text t = { NULL, 0, 0 };
				size_t room;

				wy_audio(&t, &f, (const char *)demo + 2000 * c + at, 640);
				memcpy(kws_session_room(s[c], &room), t.bytes, t.n);
				kws_session_give(s[c], t.n);
				assert_int_equal(kws_session_step(s[c]), KWS_SESSION_HEAR);
				free(t.bytes);
			}
			kws_session_hear(s + from, n);
			for (size_t c = from; c < from + n; c++)
				assert_true(wy_run(s[c]));
		}
	size_t n_heard = 0;
	for (size_t c = 0; c < CLIENTS; c++) {
		wy_lines(s[c], lines, sizeof lines);
		assert_string_equal(lines, want[c]);
		n_heard += *lines != 0;
		kws_session_destroy(s[c]);
	}
	assert_true(n_heard > CLIENTS / 4);
}

/* ---- several models ---- */

/* The two sections of the example in docs/rooms.md: "go" opens, and then three words count. */
static const char *const two[] = {
	"model wake.path=",	    "decision wake.threshold=1", "threshold wake.go=0.9",
	"model order.path=",	    "model order.after=wake",	 "decision order.threshold=1",
	"threshold order.yes=0.85", "threshold order.no=0.85",	 "threshold order.right=0.95",
};
enum { TWO = sizeof two / sizeof *two };

static void add_model(kws_cascade *c, const char *name, const kws_roster_part *p, record *r)
{
	kws_spotter_config config = KWS_SPOTTER_CONFIG;

	config.threshold = p->threshold;
	config.on_event = on_event;
	config.ctx = r;
	assert_int_equal(kws_cascade_add(c, name, p->model, &config, NULL), KWS_OK);
}

/* A gated model's words count when they do in a cascade. */
static void check_gates(double within_s, bool has_no)
{
	const wy_format f = { WY_RATE, 2, 1, 1024, -1 };
	const char *set[TWO + 1];
	char within[64], lines[4096];
	static float pcm[WY_LONGEST];
	kws_roster *r;
	kws_cascade *c;

	memcpy(set, two, sizeof two);
	snprintf(within, sizeof within, "model order.within_s=%g", within_s);
	set[TWO] = within;
	r = wy_roster(set, TWO + 1, NULL);
	record want = { .model = r->part[0].model };

	assert_string_equal(r->part[0].name, "wake");
	assert_int_equal(r->part[1].after, 0);
	assert_true(r->part[0].group == r->part[1].group); /* in memory once */
	for (size_t i = 0; i < n_demo; i++)
		pcm[i] = (float)demo[i] / 32768.0f;
	assert_int_equal(kws_cascade_create(&c, NULL), KWS_OK);
	add_model(c, "wake", &r->part[0], &want);
	add_model(c, "order", &r->part[1], &want);
	assert_int_equal(kws_cascade_gate(c, "order", "wake", within_s, NULL), KWS_OK);
	assert_int_equal(kws_cascade_start(c, WY_RATE, NULL, NULL), KWS_OK);
	kws_cascade_process(c, pcm, n_demo);
	kws_cascade_flush(c);
	kws_cascade_destroy(c);
	assert_non_null(strstr(want.lines, "detection go"));
	assert_true(has_no == (strstr(want.lines, "detection no") != NULL));
	assert_null(strstr(want.lines, "detection yes")); /* it comes before "go" */
	heard(r, &f, demo, 2 * n_demo, 5000, lines, sizeof lines);
	assert_string_equal(lines, want.lines);
	kws_roster_release(r);
}

/* "go" ends at 11.45 s, "no" begins at 14.1 s. */
static void gates_are_those_of_a_cascade(void **state)
{
	(void)state;
	check_gates(5.0, true);
	check_gates(2.0, false);
}

/* Two models with the same words: each is one word to the client, and told once. */
static void a_word_of_two_models_is_told_once(void **state)
{
	static const char *const set[] = { "model a.path=", "model b.path=" };
	const wy_format f = { WY_RATE, 2, 1, 1024, -1 };
	kws_roster *r = wy_roster(set, 2, roster);
	char lines[4096], want[4096];

	(void)state;
	assert_int_equal(r->n_parts, 2);
	assert_int_equal(r->n_words, roster->n_words);
	assert_true(r->part[1].group == roster->part[0].group);
	heard(roster, &f, demo, 2 * n_demo, 5000, want, sizeof want);
	heard(r, &f, demo, 2 * n_demo, 5000, lines, sizeof lines);
	assert_string_equal(lines, want);
	kws_roster_release(r);
}

/* ---- a change of the words ---- */

/* A client that streams notices nothing of a change, but for the words that are new or gone. */
static void a_change_loses_nothing(void **state)
{
	static const char *const set[] = { "threshold.left=off", "threshold.stop=0.5" };
	const wy_format f = { WY_RATE, 2, 1, 1024, -1 };
	kws_roster *r = wy_roster(set, 2, roster);
	kws_session *s = kws_session_create(roster);
	wy_text t = { NULL, 0, 0 };
	char lines[4096], want[4096], *left;
	size_t at = 0;

	(void)state;
	heard(roster, &f, demo, 2 * n_demo, 5000, want, sizeof want);
	left = strstr(want, "detection left");
	memmove(left, strchr(left, '\n') + 1, strlen(strchr(left, '\n') + 1) + 1);
	wy_start(&t, &f);
	wy_audio(&t, &f, demo, 2 * n_demo);
	wy_event(&t, "audio-stop", NULL, NULL, 0);
	/* back and forth; "left" is said between 2.6 and 2.9 s */
	for (int i = 0; at < t.n; i++) {
		const size_t k = t.n - at < 3333 ? t.n - at : 3333;

		kws_session_change(s, i % 3 && at > t.n / 5 ? roster : r);
		assert_true(wy_give(s, t.bytes + at, k, k));
		at += k;
		if (at < t.n / 4)
			kws_session_change(s, r);
	}
	wy_lines(s, lines, sizeof lines);
	assert_string_equal(lines, want);
	kws_session_destroy(s);
	kws_roster_release(r);
	free(t.bytes);
}

/* The same words, within 0.1 s: two models differ in when a word begins. */
static void same_words(const char *want, const char *got, int change_ms)
{
	const char *all[] = { want, got };

	while (*want || *got) {
		char w[32] = "", g[32] = "";
		long at = 0, ms = 0;

		sscanf(want, "detection %31s %ld", w, &at);
		sscanf(got, "detection %31s %ld", g, &ms);
		if (strcmp(w, g) != 0 || labs(at - ms) > 100)
			fail_msg("a change at %d ms:\n%s\nis wanted, and not\n%s", change_ms,
				 all[0], all[1]);
		want = strchr(want, '\n') + 1;
		got = strchr(got, '\n') + 1;
	}
}

/* Other models take over at any moment: each word is told once, also one that is being said. */
static void a_word_across_a_change_is_told_once(void **state)
{
	enum { PIECE = 16000 / 25, FIRST_MS = 800, LAST_MS = 2900, EVERY_MS = 60 };
	const wy_format f = { WY_RATE, 2, 1, 2 * PIECE, 5000 };
	char path[PATH_MAX + 16] = "model.path=", lines[4096], want[4096];
	kws_roster *r;

	(void)state;
	assert_non_null(
		realpath("config/models/commands-12-int8.safetensors", path + strlen(path)));
	r = wy_roster((const char *const[]){ path }, 1, roster);
	assert_ptr_not_equal(r->part[0].shared, roster->part[0].shared);
	heard(roster, &f, demo, 2 * 4 * WY_RATE, 5000, want, sizeof want);
	assert_non_null(strchr(want, '\n')[1] ? want : NULL); /* two words or more */
	for (int ms = FIRST_MS; ms < LAST_MS; ms += EVERY_MS) {
		kws_session *s = kws_session_create(roster);
		const size_t at = 2 * (size_t)ms * (WY_RATE / 1000);
		wy_text before = { NULL, 0, 0 }, after = { NULL, 0, 0 };
		wy_format later = f;

		later.first_ms = f.first_ms + ms;
		wy_audio(&before, &f, demo, at);
		wy_audio(&after, &later, (const char *)demo + at, 2 * 4 * WY_RATE - at);
		wy_event(&after, "audio-stop", NULL, NULL, 0);
		assert_true(wy_give(s, before.bytes, before.n, 5000));
		kws_session_change(s, r);
		assert_true(wy_give(s, after.bytes, after.n, 5000));
		wy_lines(s, lines, sizeof lines);
		same_words(want, lines, ms);
		kws_session_destroy(s);
		free(before.bytes);
		free(after.bytes);
	}
	kws_roster_release(r);
}

static void wanted_words_may_vanish_and_return(void **state)
{
	static const char *const set[] = { "threshold.yes=off" };
	static const wy_format f = { WY_RATE, 2, 1, 1024, -1 };
	kws_roster *r = wy_roster(set, 1, roster);
	kws_session *s = kws_session_create(roster);
	wy_text t = { NULL, 0, 0 };
	char lines[4096];

	(void)state;
	wy_event(&t, "detect", "{\"names\": [\"yes\"]}", NULL, 0);
	assert_true(wy_give(s, t.bytes, t.n, t.n));
	kws_session_change(s, r);
	wy_lines(s, lines, sizeof lines);
	assert_string_equal(lines, "error unknown-wake-word\n");
	kws_session_change(s, roster);
	wy_audio(&t, &f, demo, 2 * 2 * WY_RATE);
	assert_true(wy_give(s, t.bytes, t.n, t.n));
	wy_lines(s, lines, sizeof lines);
	assert_string_equal(lines, "detection yes 1070\n");
	kws_session_destroy(s);
	kws_roster_release(r);
	free(t.bytes);
}

static void a_bad_roster_is_refused(void **state)
{
	static const char *const word[] = { "threshold.yess=0.5" };
	static const char *const file[] = { "model.path=/nowhere.safetensors" };
	kws_conf *c = wy_conf(word, 1);
	kws_error e = { "" };
	kws_roster *r;

	(void)state;
	assert_int_equal(kws_roster_load(&r, c, NULL, &e), KWS_ERR_ARG);
	assert_null(r);
	assert_string_equal(
		e.text,
		"threshold.yess: the model commands-12 has no such word; did you mean 'yes'?");
	free(c);
	c = wy_conf(file, 1);
	assert_int_equal(kws_roster_load(&r, c, roster, &e), KWS_ERR_IO);
	assert_null(r);
	assert_non_null(strstr(e.text, "/nowhere.safetensors"));
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_do_not_matter),
		cmocka_unit_test(every_format_is_understood),
		cmocka_unit_test(others_do_not_matter),
		cmocka_unit_test(gates_are_those_of_a_cascade),
		cmocka_unit_test(a_word_of_two_models_is_told_once),
		cmocka_unit_test(a_change_loses_nothing),
		cmocka_unit_test(a_word_across_a_change_is_told_once),
		cmocka_unit_test(wanted_words_may_vanish_and_return),
		cmocka_unit_test(a_bad_roster_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
