/* From takes to a word that is heard: with the base that ships, recordings of one speaker and a
 * small bank. */
#include "spot/own.h"
#include "tests/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static kws_blob base;
static unsigned char *bank_bytes;
static size_t bank_len;
static kws_bank *bank;
static float pcm[OWN_MOST];

static kws_enrol *begin(uint32_t seed, bool only)
{
	kws_enrol_config config = KWS_ENROL_CONFIG;
	kws_error err = { "" };
	kws_enrol *e;
	config.seed = seed;
	config.per_hour = 100.0f; /* one in the seconds that the bank has */
	config.only = only;
	own_need(kws_enrol_create(&e, base.bytes, base.len, bank, &config, &err) == KWS_OK, "enrol",
		 &err);
	return e;
}

static kws_take take(kws_enrol *e, const char *name)
{
	kws_take t;
	kws_error err = { "" };
	const size_t n = own_hear(name, pcm);
	own_need(kws_enrol_take(e, KWS_TAKE_SPOKEN, pcm, n, OWN_RATE, &t, &err) == KWS_OK, name,
		 &err);
	return t;
}

static void take_computer(kws_enrol *e, int n)
{
	for (int i = 1; i <= n; i++) {
		char name[64];
		snprintf(name, sizeof name, "takes/computer-%d.opus", i);
		assert_int_equal(take(e, name).faults, 0);
	}
}

static void fit(kws_enrol *e, const char *word, kws_enrol_report *r)
{
	kws_error err = { "" };
	if (kws_enrol_fit(e, word, r, &err) != KWS_OK)
		fail_msg("%s", err.text);
}

typedef struct {
	const kws_model *m;
	int computer, other;
} heard;

static void on_event(void *ctx, const kws_event *ev)
{
	heard *h = ctx;
	if (strncmp(kws_model_word(h->m, ev->word), "computer", 8) == 0)
		h->computer++;
	else
		h->other++;
}

static heard spot(const void *file, size_t len, const char *name)
{
	kws_model *m;
	kws_spotter *sp;
	kws_error err = { "" };
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	own_need(kws_model_parse(&m, file, len, &err) == KWS_OK, "file", &err);
	heard h = { .m = m };
	config.on_event = on_event;
	config.ctx = &h;
	own_need(kws_spotter_create(&sp, m, OWN_RATE, &config, &err) == KWS_OK, "spotter", &err);
	kws_spotter_process(sp, pcm, own_hear(name, pcm));
	kws_spotter_flush(sp);
	kws_spotter_destroy(sp);
	kws_model_close(m);
	return h;
}

static void a_word_is_heard_and_others_are_not(void **state)
{
	kws_enrol *e = begin(1, false);
	kws_enrol_report r;
	size_t len;
	(void)state;
	take_computer(e, 4);
	fit(e, "computer", &r);
	const void *file = kws_enrol_file(e, &len);
	assert_int_equal(r.n_takes, 4);
	assert_int_equal(r.n_tried, 12);
	assert_true(r.n_missed < r.n_tried); /* told from half a minute of sound only */
	assert_true(r.threshold > 0.05f && r.threshold < 0.99f);
	assert_true(r.judge_hours > 0.009 && r.judge_hours < 0.01);
	assert_true(spot(file, len, "takes/computer-5.opus").computer >= 1);
	assert_true(spot(file, len, "takes/computer-6.opus").computer >= 1);
	assert_int_equal(spot(file, len, "takes/snowboy-1.opus").computer, 0);
	const heard demo = spot(file, len, "demo.flac"),
		    before = spot(base.bytes, base.len, "demo.flac");
	assert_int_equal(demo.computer, 0);
	assert_int_equal(demo.other, before.other); /* the commands are heard as ever */
	kws_enrol_destroy(e);
}

static void what_is_wrong_is_said(void **state)
{
	kws_enrol *e = begin(1, false);
	kws_enrol_report r;
	kws_error err = { "" };
	size_t len;
	(void)state;
	take_computer(e, 2);
	assert_int_equal(take(e, "takes/computer-1.opus").faults, KWS_TAKE_TWICE);
	assert_int_equal(kws_enrol_fit(e, "computer", &r, &err), KWS_ERR_ARG);
	assert_string_equal(err.text, "2 good takes: want 3 at least");
	assert_null(kws_enrol_file(e, &len));
	assert_int_equal(kws_enrol_fit(e, "yes", &r, &err), KWS_ERR_ARG);
	assert_string_equal(err.text, "'yes' is a word of the model already");
	assert_int_equal(kws_enrol_fit(e, "", &r, &err), KWS_ERR_ARG);
	assert_int_equal(kws_enrol_fit(e, " a", &r, &err), KWS_ERR_ARG);
	assert_int_equal(kws_enrol_fit(e, "_a_", &r, &err), KWS_ERR_ARG);
	assert_int_equal(kws_enrol_fit(e, "\xff", &r, &err), KWS_ERR_ARG);
	assert_int_equal(kws_enrol_fit(e, "a\nb", &r, &err), KWS_ERR_ARG);
	assert_int_equal(kws_enrol_take(e, KWS_TAKE_SPOKEN, pcm, 10, 7999, NULL, &err),
			 KWS_ERR_ARG);
	take(e, "takes/computer-3.opus");
	take(e, "takes/computer-4.opus");
	assert_int_equal(take(e, "takes/snowboy-1.opus").faults, 0); /* it is a good take */
	fit(e, "computer", &r);
	assert_int_equal(r.n_takes, 4);
	assert_int_equal(kws_enrol_n_takes(e), 6);
	assert_int_equal(kws_enrol_judged(e, 5)->faults, KWS_TAKE_UNLIKE);
	assert_true(kws_enrol_judged(e, 0)->likeness > 0.3f);
	kws_enrol_destroy(e);
}

static void other_kinds_of_takes_are_not_counted(void **state)
{
	kws_enrol *e = begin(1, false);
	kws_enrol_report r;
	kws_error err = { "" };
	kws_take t;
	(void)state;
	take_computer(e, 2);
	size_t n = own_hear("takes/computer-4.opus", pcm);
	assert_int_equal(kws_enrol_take(e, KWS_TAKE_SYNTHETIC, pcm, n, OWN_RATE, &t, &err), KWS_OK);
	n = own_hear("demo.flac", pcm); /* no take, but any sound may be wrong */
	assert_int_equal(kws_enrol_take(e, KWS_TAKE_WRONG, pcm, n, OWN_RATE, &t, &err), KWS_OK);
	assert_int_equal(t.faults, 0);
	assert_int_equal(kws_enrol_fit(e, "computer", &r, &err), KWS_ERR_ARG);
	assert_string_equal(err.text, "2 good takes: want 3 at least");
	n = own_hear("takes/computer-3.opus", pcm);
	assert_int_equal(kws_enrol_take(e, KWS_TAKE_SPOKEN, pcm, n, OWN_RATE, &t, &err), KWS_OK);
	fit(e, "computer", &r);
	assert_int_equal(r.n_takes, 3);
	assert_int_equal(r.n_tried, 9);
	kws_enrol_destroy(e);
}

/* A head whose bias says which it is. */
static unsigned char *add(const void *file, size_t len, const char *word, float bias, bool only,
			  size_t *out_len)
{
	kws_head h;
	kws_error err = { "" };
	unsigned char *out = NULL;
	own_need(kws_head_create(&h, 200) == KWS_OK, "head", NULL);
	h.b2 = bias;
	if (kws_own_add(file, len, word, &h, 0.5f, only, NULL, &out, out_len, &err) != KWS_OK)
		fail_msg("%s", err.text);
	kws_head_free(&h);
	return out;
}

static float bias_of(const void *file, size_t len, const char *name)
{
	kws_tensors *ts;
	float x;
	own_need(kws_tensors_parse(&ts, file, len, true, NULL) == KWS_OK, "file", NULL);
	const kws_tensor *t = kws_tensors_find(ts, name);
	own_need(t, name, NULL);
	memcpy(&x, t->data, sizeof x);
	kws_tensors_free(ts);
	return x;
}

static void words_come_and_go(void **state)
{
	size_t n[3], n_less, n_none, n_gone;
	kws_model *m;
	kws_error err = { "" };
	(void)state;
	unsigned char *one = add(base.bytes, base.len, "one", 1.0f, false, &n[0]);
	unsigned char *two = add(one, n[0], "two words", 2.0f, false, &n[1]);
	unsigned char *three = add(two, n[1], "trois \xc3\xa9t\xc3\xa9s", 3.0f, false, &n[2]),
		      *less, *none;
	assert_int_equal(kws_own_remove(three, n[2], "one", &less, &n_less, &err), KWS_OK);
	assert_int_equal(kws_model_parse(&m, less, n_less, &err), KWS_OK);
	assert_int_equal(kws_model_n_words(m) - kws_model_n_classes(m), 2);
	assert_int_equal(kws_model_word_index(m, "one"), -1);
	assert_int_equal(kws_model_word_index(m, "two words"), (int)kws_model_n_classes(m));
	kws_model_close(m);
	assert_true(bias_of(less, n_less, "heads.0.fc2.bias") == 2.0f);
	assert_true(bias_of(less, n_less, "heads.1.fc2.bias") == 3.0f);
	assert_int_equal(kws_own_remove(less, n_less, "one", &none, &n_none, &err), KWS_ERR_ARG);
	assert_int_equal(kws_own_remove(less, n_less, "yes", &none, &n_none, &err), KWS_ERR_ARG);
	assert_null(none);
	/* the last of them leaves a base again, which the bank is of */
	assert_int_equal(kws_own_remove(one, n[0], "one", &none, &n_gone, &err), KWS_OK);
	kws_enrol *e;
	assert_int_equal(kws_enrol_create(&e, none, n_gone, bank, NULL, &err), KWS_OK);
	kws_enrol_destroy(e);
	free(none);
	free(less);
	free(three);
	free(two);
	free(one);
}

static void only_ones_own_make_events(void **state)
{
	size_t n;
	kws_model *m;
	kws_error err = { "" };
	(void)state;
	unsigned char *file = add(base.bytes, base.len, "mine", 0.0f, true, &n);
	assert_int_equal(kws_model_parse(&m, file, n, &err), KWS_OK);
	size_t commands = 0;
	for (size_t w = 0; w < kws_model_n_words(m); w++)
		commands += kws_model_is_command(m, w);
	assert_int_equal(commands, 1);
	assert_int_equal(kws_model_word_index(m, "_yes_"), 0);
	kws_model_close(m);
	free(file);
}

static void refuses_what_is_no_base_or_of_another(void **state)
{
	kws_enrol *e;
	kws_error err = { "" };
	kws_blob other;
	(void)state;
	assert_int_equal(kws_blob_open(&other, "config/models/commands-12.safetensors", &err),
			 KWS_OK);
	assert_int_equal(kws_enrol_create(&e, other.bytes, other.len, bank, NULL, &err),
			 KWS_ERR_ARG);
	assert_null(e);
	assert_string_equal(err.text,
			    "commands-12 is no base for words of one's own: it has no embedding");
	kws_blob_close(&other);
	unsigned char *changed = malloc(base.len);
	own_need(changed, "memory", NULL);
	memcpy(changed, base.bytes, base.len);
	changed[base.len - 3] ^= 1;
	assert_int_equal(kws_enrol_create(&e, changed, base.len, bank, NULL, &err), KWS_ERR_ARG);
	assert_non_null(strstr(err.text, "made with another base"));
	free(changed);
	kws_enrol_config config = KWS_ENROL_CONFIG;
	config.per_hour = 0.0f;
	assert_int_equal(kws_enrol_create(&e, base.bytes, base.len, bank, &config, &err),
			 KWS_ERR_ARG);
}

static int set_up(void **state)
{
	kws_error err = { "" };
	(void)state;
	own_need(kws_blob_open(&base, OWN_BASE, &err) == KWS_OK, OWN_BASE, &err);
	bank_bytes = own_bank(&base, &bank_len);
	own_need(kws_bank_parse(&bank, bank_bytes, bank_len, &err) == KWS_OK, "bank", &err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kws_bank_close(bank);
	free(bank_bytes);
	kws_blob_close(&base);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_heard_and_others_are_not),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(other_kinds_of_takes_are_not_counted),
		cmocka_unit_test(words_come_and_go),
		cmocka_unit_test(only_ones_own_make_events),
		cmocka_unit_test(refuses_what_is_no_base_or_of_another),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
