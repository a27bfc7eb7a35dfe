#include "spot/own.h"

#include "model/model.h"
#include "model/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORD = 61, MAX_HEADS = 64 }; /* MAX_WORD: bytes, with room for a _ on either side */

static const char *const tensors[] = { "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias" };

enum { N_TENSORS = sizeof tensors / sizeof *tensors };

/* A model file while it is edited, with the metadata entries that change. */
typedef struct {
	kws_tensors *ts;
	kws_write *w;
	json_t *words, *network, *decision, *notes;
} edit;

static json_t *entry(const kws_tensors *ts, const char *key)
{
	const char *text = kws_tensors_meta(ts, key);
	return text ? json_loads(text, 0, NULL) : NULL;
}

static void close_edit(edit *d)
{
	kws_write_destroy(d->w);
	kws_tensors_free(d->ts);
	json_decref(d->words);
	json_decref(d->network);
	json_decref(d->decision);
	json_decref(d->notes);
}

static enum kws_status open_edit(edit *d, const void *file, size_t len, kws_error *err)
{
	enum kws_status status;
	*d = (edit){ 0 };
	if ((status = kws_tensors_parse(&d->ts, file, len, true, err))
	    || (status = kws_write_create(&d->w, file, len, err)))
		return status;
	d->words = entry(d->ts, "words");
	d->network = entry(d->ts, "network");
	d->decision = entry(d->ts, "decision");
	d->notes = entry(d->ts, "own_words");
	if (!json_is_object(d->notes)) {
		json_decref(d->notes);
		d->notes = json_object();
	}
	return json_is_array(d->words) && json_is_object(d->network) && json_is_object(d->decision)
		       ? KWS_OK
		       : kws_fail(err, KWS_ERR_FORMAT, "metadata: no model file");
}

static enum kws_status finish(edit *d, unsigned char **out, size_t *len, kws_error *err)
{
	const char *version = kws_tensors_meta(d->ts, "version");
	if (!version || strcmp(version, "2") < 0) /* 3 has all that 2 has */
		kws_write_text(d->w, "version", "2");
	kws_write_json(d->w, "words", d->words);
	kws_write_json(d->w, "network", d->network);
	kws_write_json(d->w, "decision", d->decision);
	kws_write_json(d->w, "own_words", json_object_size(d->notes) ? d->notes : NULL);
	return kws_write_bytes(d->w, out, len, err);
}

/* The member of an object; created if it does not exist. */
static json_t *member(json_t *o, const char *key, bool array)
{
	if (!json_object_get(o, key))
		json_object_set_new(o, key, array ? json_array() : json_object());
	return json_object_get(o, key);
}

/* ---- add ---- */

static void put_head(kws_write *w, size_t k, const kws_head *h)
{
	const size_t n = KWS_FIT_HIDDEN, one = 1, in[] = { n, h->rank }, out[] = { 1, n };
	const struct {
		size_t rank;
		const size_t *shape;
	} shapes[N_TENSORS] = { { 2, in }, { 1, &n }, { 2, out }, { 1, &one } };
	float *w1 = calloc(n * h->rank, sizeof *w1);
	for (size_t o = 0; w1 && o < n; o++)
		for (size_t i = 0; i < h->rank; i++)
			w1[o * h->rank + i] = h->w1[i * n + o];
	const float *const data[N_TENSORS] = { w1, h->b1, h->w2, &h->b2 };
	for (size_t i = 0; i < N_TENSORS; i++) {
		char name[64];
		snprintf(name, sizeof name, "heads.%zu.%s", k, tensors[i]);
		kws_write_tensor(w, name, KWS_F32, shapes[i].rank, shapes[i].shape, data[i]);
	}
	free(w1);
}

/* Turn the words before the first own word into classes without events. */
static void silence(edit *d, size_t n_words)
{
	json_t *each = member(d->decision, "thresholds", false), *renamed = json_object();
	for (size_t i = 0; i < n_words; i++) {
		const char *word = json_string_value(json_array_get(d->words, i));
		const size_t n = strlen(word);
		char name[MAX_WORD + 8];
		if (n > MAX_WORD || (n >= 2 && word[0] == '_' && word[n - 1] == '_'))
			continue;
		snprintf(name, sizeof name, "_%s_", word);
		if (json_object_get(each, word))
			json_object_set(renamed, name, json_object_get(each, word));
		json_object_del(each, word);
		json_array_set_new(d->words, i, json_string(name));
	}
	json_object_update(each, renamed);
	json_decref(renamed);
}

enum kws_status kws_own_check(const kws_model *m, const char *word, kws_error *err)
{
	const size_t n = strlen(word), n_own = kws_model_n_words(m) - kws_model_n_classes(m);
	if (n < 1 || n > MAX_WORD || word[0] == ' ' || word[n - 1] == ' ')
		return kws_fail(err, KWS_ERR_ARG,
				"'%.64s' is no word: want 1..%d bytes, no blanks around them", word,
				MAX_WORD);
	for (size_t i = 0; i < n; i += kws_utf8_length(word + i))
		if (kws_utf8_length(word + i) == 0 || (unsigned char)word[i] < ' ')
			return kws_fail(err, KWS_ERR_ARG,
					"a word is UTF-8 without control characters");
	if (word[0] == '_' && word[n - 1] == '_')
		return kws_fail(err, KWS_ERR_ARG, "'%s': a name between _ and _ makes no events",
				word);
	if (kws_model_word_index(m, word) >= 0)
		return kws_fail(err, KWS_ERR_ARG, "'%s' is a word of the model already", word);
	if (n_own >= MAX_HEADS)
		return kws_fail(err, KWS_ERR_ARG, "the model has %d words of one's own already",
				MAX_HEADS);
	return KWS_OK;
}

enum kws_status kws_own_add(const void *file, size_t len, const char *word, const kws_head *head,
			    float threshold, bool only, const json_t *notes, unsigned char **out,
			    size_t *out_len, kws_error *err)
{
	edit d;
	*out = NULL;
	enum kws_status status = open_edit(&d, file, len, err);
	if (!status) {
		json_t *heads = member(d.network, "heads", true);
		const size_t k = json_array_size(heads);
		if (only && json_array_size(d.words) >= k)
			silence(&d, json_array_size(d.words) - k);
		put_head(d.w, k, head);
		json_array_append_new(heads, json_pack("{s:i}", "hidden", KWS_FIT_HIDDEN));
		json_array_append_new(d.words, json_string(word));
		json_object_set_new(member(d.decision, "thresholds", false), word,
				    json_real((double)threshold));
		json_object_set_new(d.notes, word, json_deep_copy(notes));
		status = finish(&d, out, out_len, err);
	}
	close_edit(&d);
	return status;
}

/* ---- remove ---- */

/* Write the tensors of head k under the number k - 1. */
static void renumber(edit *d, size_t k)
{
	for (size_t i = 0; i < N_TENSORS; i++) {
		char from[64], to[64];
		snprintf(from, sizeof from, "heads.%zu.%s", k, tensors[i]);
		snprintf(to, sizeof to, "heads.%zu.%s", k - 1, tensors[i]);
		const kws_tensor *t = kws_tensors_find(d->ts, from);
		if (t)
			kws_write_tensor(d->w, to, t->dtype, t->rank, t->shape, t->data);
	}
}

static void drop_head(edit *d, size_t k, size_t n)
{
	json_t *heads = json_object_get(d->network, "heads");
	for (size_t i = k + 1; i < n; i++)
		renumber(d, i);
	for (size_t i = 0; i < N_TENSORS; i++) {
		char name[64];
		snprintf(name, sizeof name, "heads.%zu.%s", n - 1, tensors[i]);
		kws_write_drop(d->w, name);
	}
	json_array_remove(heads, k);
	if (n == 1)
		json_object_del(d->network, "heads");
}

enum kws_status kws_own_remove(const void *file, size_t len, const char *word, unsigned char **out,
			       size_t *out_len, kws_error *err)
{
	edit d;
	*out = NULL;
	enum kws_status status = open_edit(&d, file, len, err);
	const size_t n_own = json_array_size(json_object_get(d.network, "heads")),
		     n_words = json_array_size(d.words);
	size_t i = n_words;
	while (!status && i-- > 0)
		if (strcmp(json_string_value(json_array_get(d.words, i)), word) == 0)
			break;
	if (!status && (i >= n_words || i + n_own < n_words))
		status = kws_fail(err, KWS_ERR_ARG, "'%.64s' is no word of one's own in it", word);
	if (!status) {
		drop_head(&d, i + n_own - n_words, n_own);
		json_array_remove(d.words, i);
		json_object_del(json_object_get(d.decision, "thresholds"), word);
		json_object_del(d.notes, word);
		status = finish(&d, out, out_len, err);
	}
	close_edit(&d);
	return status;
}
