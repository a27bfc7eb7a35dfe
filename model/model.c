#include "model/model.h"

#include "model/blob.h"
#include "model/json.h"
#include "model/network.h"
#include "model/runner.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 256, MAX_WORD = 63 };

const char *const kws_mel_names[] = { [KWS_MEL_HTK] = "htk", [KWS_MEL_SLANEY] = "slaney", NULL };

struct kws_model {
	kws_network network;
	kws_features features;
	kws_decision decision;
	size_t n_words, n_params, file_bytes;
	char **words;	   /* (n_words,) */
	float *thresholds; /* (n_words,) */
	json_t *meta;	   /* the file's metadata: object of strings */
	char hash[KWS_HASH];
};

static enum kws_status meta_json(json_t **out, const kws_tensors *ts, const char *key,
				 kws_error *err)
{
	const char *text = kws_tensors_meta(ts, key);
	json_error_t je;
	*out = NULL;
	if (!text)
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: %s is missing", key);
	*out = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	return *out ? KWS_OK : kws_fail(err, KWS_ERR_FORMAT, "metadata: %s: %.160s", key, je.text);
}

/* Whether text has no control characters, nor those that UTF-8 encodes as U+0080..U+009F. */
static bool printable(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	for (; *s; s++)
		if (*s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0))
			return false;
	return true;
}

static enum kws_status check_format(const kws_tensors *ts, unsigned *out, kws_error *err)
{
	const char *format = kws_tensors_meta(ts, "format"),
		   *version = kws_tensors_meta(ts, "version"), *name = kws_tensors_meta(ts, "name");
	if (!format || strcmp(format, "kws-model") != 0)
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: format is not kws-model");
	if (!version || strlen(version) != 1 || *version < '1' || *version > '3')
		return kws_fail(err, KWS_ERR_VERSION,
				"metadata: version %.16s, this program reads 1 to 3",
				version ? version : "missing");
	*out = (unsigned)(*version - '0');
	if (!name)
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: name is missing");
	if (!*name || !printable(name))
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: name: want printable characters");
	return KWS_OK;
}

/* Weights of 8 bits came with version 3. */
static enum kws_status check_dtypes(const kws_tensors *ts, unsigned version, kws_error *err)
{
	for (size_t i = 0; version < 3 && i < kws_tensors_count(ts); i++) {
		const kws_tensor *t = kws_tensors_at(ts, i);
		if (t->dtype != KWS_F32)
			return kws_fail(err, KWS_ERR_FORMAT, "%s: dtype %s, want F32 in version %u",
					t->name, kws_dtype_name(t->dtype), version);
	}
	return KWS_OK;
}

static enum kws_status read_words(kws_model *m, const json_t *list, kws_error *err)
{
	const size_t n = json_array_size(list);
	if (!json_is_array(list) || n < 2 || n > MAX_WORDS)
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: words: want a list of 2..%d words",
				MAX_WORDS);
	m->words = calloc(n, sizeof *m->words);
	m->thresholds = calloc(n, sizeof *m->thresholds);
	if (!m->words || !m->thresholds)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (m->n_words = 0; m->n_words < n; m->n_words++) {
		const char *word = json_string_value(json_array_get(list, m->n_words));
		const size_t len = word ? strlen(word) : 0;
		if (len < 1 || len > MAX_WORD || !printable(word))
			return kws_fail(err, KWS_ERR_FORMAT,
					"metadata: words[%zu]: want 1..%d printable bytes",
					m->n_words, MAX_WORD);
		if (kws_model_word_index(m, word) >= 0)
			return kws_fail(err, KWS_ERR_FORMAT,
					"metadata: words[%zu]: %s stands there twice", m->n_words,
					word);
		m->words[m->n_words] = strdup(word);
		if (!m->words[m->n_words])
			return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	return KWS_OK;
}

static enum kws_status read_features(kws_features *f, const json_t *o, bool *affine, kws_error *err)
{
	static const char *const keys[] = { "kind",	 "rate_hz", "win",	     "hop",
					    "n_fft",	 "n_mels",  "f_lo_hz",	     "f_hi_hz",
					    "log_floor", "mel",	    "normalisation", NULL };
	static const char *const kinds[] = { "log-mel", NULL };
	static const char *const normalisations[] = { "none", "affine", NULL };
	static const char where[] = "features";
	size_t kind, mel, norm, rate, win, hop, n_fft, n_mels;
	enum kws_status s;
	if ((s = kws_json_keys(o, where, keys, NULL, err))
	    || (s = kws_json_choice(o, where, "kind", kinds, &kind, err))
	    || (s = kws_json_choice(o, where, "mel", kws_mel_names, &mel, err))
	    || (s = kws_json_choice(o, where, "normalisation", normalisations, &norm, err))
	    || (s = kws_json_size(o, where, "rate_hz", 8000, 48000, &rate, err))
	    || (s = kws_json_size(o, where, "n_fft", 64, 4096, &n_fft, err))
	    || (s = kws_json_size(o, where, "win", 1, n_fft, &win, err))
	    || (s = kws_json_size(o, where, "hop", 1, win, &hop, err))
	    || (s = kws_json_size(o, where, "n_mels", 1, KWS_MAX_MELS, &n_mels, err))
	    || (s = kws_json_real(o, where, "f_hi_hz", 1.0, (double)rate / 2.0, &f->f_hi_hz, err))
	    || (s = kws_json_real(o, where, "f_lo_hz", 0.0, (double)f->f_hi_hz - 1.0, &f->f_lo_hz,
				  err))
	    || (s = kws_json_real(o, where, "log_floor", 1e-12, 1.0, &f->log_floor, err)))
		return s;
	if (n_fft & (n_fft - 1))
		return kws_fail(err, KWS_ERR_FORMAT, "features: n_fft: want a power of two");
	if (rate % hop || rate / hop != 100)
		return kws_fail(err, KWS_ERR_FORMAT, "features: hop: want 10 ms, %zu samples",
				rate / 100);
	f->rate_hz = (unsigned)rate;
	f->win = (unsigned)win;
	f->hop = (unsigned)hop;
	f->n_fft = (unsigned)n_fft;
	f->n_mels = (unsigned)n_mels;
	f->mel = (enum kws_mel_scale)mel;
	*affine = norm == 1;
	return KWS_OK;
}

static enum kws_status read_decision(kws_model *m, const json_t *o, kws_error *err)
{
	static const char *const keys[] = { "smooth_ms", "refractory_ms", "wait_ms",
					    "threshold", "thresholds",	  NULL };
	static const char where[] = "decision";
	size_t smooth, refractory, wait = 0;
	enum kws_status s;
	if ((s = kws_json_keys(o, where, keys, NULL, err))
	    || (s = kws_json_size(o, where, "smooth_ms", 0, 1000, &smooth, err))
	    || (s = kws_json_size(o, where, "refractory_ms", 0, 10000, &refractory, err))
	    || (json_object_get(o, "wait_ms")
		&& (s = kws_json_size(o, where, "wait_ms", 0, 500, &wait, err)))
	    || (s = kws_json_real(o, where, "threshold", 0.0, 1.0, &m->decision.threshold, err)))
		return s;
	m->decision.smooth_ms = (unsigned)smooth;
	m->decision.refractory_ms = (unsigned)refractory;
	m->decision.wait_ms = (unsigned)wait;
	for (size_t i = 0; i < m->n_words; i++)
		m->thresholds[i] = m->decision.threshold;
	json_t *each = json_object_get(o, "thresholds");
	if (each && !json_is_object(each))
		return kws_fail(err, KWS_ERR_FORMAT, "decision: thresholds: want an object");
	for (void *it = json_object_iter(each); it; it = json_object_iter_next(each, it)) {
		const char *word = json_object_iter_key(it);
		const int i = kws_model_word_index(m, word);
		if (i < 0)
			return kws_fail(err, KWS_ERR_FORMAT,
					"decision: thresholds: %.63s is not one of the words",
					word);
		if ((s = kws_json_real(each, "decision: thresholds", word, 0.0, 1.0,
				       &m->thresholds[i], err)))
			return s;
	}
	return KWS_OK;
}

/* Read the parts in the order in which they depend on each other. */
static enum kws_status read_all(kws_model *m, kws_tensors *ts, kws_error *err)
{
	json_t *words = NULL, *features = NULL, *decision = NULL, *network = NULL;
	bool affine = false;
	unsigned version = 1;
	enum kws_status s = check_format(ts, &version, err);
	if (!s)
		s = check_dtypes(ts, version, err);
	if (!s && !(s = meta_json(&words, ts, "words", err)))
		s = read_words(m, words, err);
	if (!s && !(s = meta_json(&features, ts, "features", err)))
		s = read_features(&m->features, features, &affine, err);
	if (!s && !(s = meta_json(&decision, ts, "decision", err)))
		s = read_decision(m, decision, err);
	if (!s && !(s = meta_json(&network, ts, "network", err)))
		s = kws_network_init(&m->network, network, version, &m->features, affine,
				     m->n_words, ts, err);
	if (!s)
		s = kws_tensors_all_used(ts, err);
	json_decref(words);
	json_decref(features);
	json_decref(decision);
	json_decref(network);
	return s;
}

enum { TRIAL = 4 /* network frames */ };

/* Run the network on hops (n * stride, n_mels), silent and loud in turn. Whether all logits are
 * finite. */
static bool stays_finite(const kws_model *m, kws_runner *runner, size_t n, float *hops,
			 float *logits)
{
	const kws_features *f = &m->features;
	const size_t n_hops = n * kws_model_stride(m);
	for (size_t i = 0; i < n_hops * f->n_mels; i++)
		hops[i] = i / f->n_mels % 2 ? 0.0f : logf(f->log_floor);
	const size_t n_out = kws_runner_run(runner, hops, n_hops, logits);
	kws_runner_finish(runner, logits + n_out * m->n_words);
	for (size_t i = 0; i < n * m->n_words; i++)
		if (!isfinite(logits[i]))
			return false;
	return true;
}

/* The weights may all be finite while the results are not. Such a network would never report
 * anything, and nobody would know why. */
static enum kws_status try_out(const kws_model *m, kws_error *err)
{
	const size_t most = kws_model_max_frames(m), n = most && most < TRIAL ? most : TRIAL;
	float *hops = calloc(n * kws_model_stride(m) * m->features.n_mels, sizeof *hops);
	float *logits = calloc((n + 1) * m->n_words, sizeof *logits);
	kws_runner *runner = NULL;
	enum kws_status status = KWS_OK;
	if (!hops || !logits || kws_runner_create(&runner, m) != KWS_OK)
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	else if (!stays_finite(m, runner, n, hops, logits))
		status = kws_fail(err, KWS_ERR_FORMAT,
				  "the output is not finite: weights are too large");
	kws_runner_destroy(runner);
	free(logits);
	free(hops);
	return status;
}

enum kws_status kws_model_parse(kws_model **out, const void *blob, size_t len, kws_error *err)
{
	kws_tensors *ts;
	*out = NULL;
	if (len > KWS_MAX_FILE)
		return kws_fail(err, KWS_ERR_FORMAT, "%zu bytes: larger than a model may be", len);
	enum kws_status s = kws_tensors_parse(&ts, blob, len, true, err);
	if (s)
		return s;
	kws_model *m = calloc(1, sizeof *m);
	s = m ? read_all(m, ts, err) : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	if (m && !s)
		s = try_out(m, err);
	if (m && !s) {
		m->n_params = kws_tensors_n_values(ts);
		m->file_bytes = len;
		m->meta = json_incref((json_t *)(uintptr_t)kws_tensors_metadata(ts));
		kws_hash(m->hash, blob, len);
		*out = m;
	} else {
		kws_model_close(m);
	}
	kws_tensors_free(ts);
	return s;
}

void kws_model_close(kws_model *m)
{
	if (!m)
		return;
	kws_network_free(&m->network);
	for (size_t i = 0; i < m->n_words; i++)
		free(m->words[i]);
	free(m->words);
	free(m->thresholds);
	json_decref(m->meta);
	free(m);
}

const kws_network *kws_model_network(const kws_model *m)
{
	return &m->network;
}

const kws_features *kws_model_features(const kws_model *m)
{
	return &m->features;
}

const kws_decision *kws_model_decision(const kws_model *m)
{
	return &m->decision;
}

unsigned kws_model_rate_hz(const kws_model *m)
{
	return kws_model_features(m)->rate_hz;
}

bool kws_model_is_command(const kws_model *m, size_t i)
{
	const char *word = kws_model_word(m, i);
	const size_t n = strlen(word);
	return !(n >= 2 && word[0] == '_' && word[n - 1] == '_');
}

bool kws_model_hears_streams(const kws_model *m)
{
	return kws_model_max_frames(m) == 0;
}

size_t kws_model_n_words(const kws_model *m)
{
	return m->n_words;
}

const char *kws_model_word(const kws_model *m, size_t i)
{
	return m->words[i];
}

int kws_model_word_index(const kws_model *m, const char *word)
{
	for (size_t i = 0; i < m->n_words; i++)
		if (strcmp(m->words[i], word) == 0)
			return (int)i;
	return -1;
}

float kws_model_threshold(const kws_model *m, size_t word)
{
	return m->thresholds[word];
}

size_t kws_model_n_classes(const kws_model *m)
{
	return kws_network_n_classes(&m->network);
}

size_t kws_model_stride(const kws_model *m)
{
	return m->network.step;
}

size_t kws_model_window(const kws_model *m)
{
	return m->network.pool;
}

size_t kws_model_max_frames(const kws_model *m)
{
	return kws_network_max_frames(&m->network);
}

bool kws_model_whole_clip(const kws_model *m)
{
	return kws_network_whole_clip(&m->network);
}

size_t kws_model_n_params(const kws_model *m)
{
	return m->n_params;
}

size_t kws_model_file_bytes(const kws_model *m)
{
	return m->file_bytes;
}

const char *kws_model_hash(const kws_model *m)
{
	return m->hash;
}

const char *kws_model_name(const kws_model *m)
{
	return kws_model_meta(m, "name");
}

const char *kws_model_meta(const kws_model *m, const char *key)
{
	return json_string_value(json_object_get(m->meta, key));
}
