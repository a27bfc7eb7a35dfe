#include "cli/candidates.h"

#include "audio/text.h"
#include "cli/base.h"
#include "corpus/list.h"
#include "spot/spotter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sound that is played around an event of a recording; and the largest list. */
enum { BEFORE_S = 1, AFTER_S = 1, MOST_BYTES = 256 << 20, LONGEST_LINE = 1 << 16, MOST_S = 60 };

static bool no_memory(void)
{
	kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	return false;
}

const kws_model *kws_candidates_model(const kws_models *models, const char *word, size_t *index)
{
	for (size_t i = 0; i < models->n; i++) {
		const kws_model *m = models->at[i].model;
		for (size_t w = 0; w < kws_model_n_words(m); w++)
			if (kws_model_is_command(m, w) && strcmp(kws_model_word(m, w), word) == 0) {
				*index = w;
				return m;
			}
	}
	return NULL;
}

/* ---- the list ---- */

/* False: no memory; reported. */
static bool add(kws_candidates *c, const char *path, const char *word, kws_candidate found)
{
	kws_candidate *larger = realloc(c->all, (c->n + 1) * sizeof *larger);
	if (!larger)
		return no_memory();
	c->all = larger;
	found.path = strdup(path);
	found.word = strdup(word);
	c->all[c->n++] = found;
	return (found.path && found.word) || no_memory();
}

/* The word of a clip as the models spell it, or as the name has it. */
static const char *spelt(const kws_clip_name *says, const kws_models *models)
{
	for (size_t i = 0; i < models->n; i++) {
		const kws_model *m = models->at[i].model;
		for (size_t w = 0; w < kws_model_n_words(m); w++)
			if (kws_model_is_command(m, w)
			    && kws_clip_name_is_of(says, kws_model_word(m, w)))
				return kws_model_word(m, w);
	}
	return says->word;
}

static double real_of(const json_t *event, const char *key)
{
	const json_t *x = json_object_get(event, key);
	return json_is_number(x) ? json_number_value(x) : (double)NAN;
}

typedef struct {
	kws_candidates *to;
	const char *name;
	const kws_models *models;
} event_list;

static enum kws_status take_event(const event_list *list, const json_t *event, size_t number,
				  kws_error *err)
{
	const char *file = json_string_value(json_object_get(event, "file"));
	const char *word = json_string_value(json_object_get(event, "word"));
	kws_candidate found = { .start = real_of(event, "start"),
				.end = real_of(event, "end"),
				.score = real_of(event, "score"),
				.level_dbfs = real_of(event, "level_dbfs") };
	size_t w;
	if (!file && json_object_get(event, "clip"))
		return kws_fail(err, KWS_ERR_FORMAT,
				"%s:%zu: this is an event of kwsd: name the folder of its clips "
				"instead of the list",
				list->name, number);
	if (!file || !word || !*word || strpbrk(word, "\t\r\n") || !(found.start >= 0.0)
	    || !(found.end >= found.start))
		return kws_fail(err, KWS_ERR_FORMAT,
				"%s:%zu: this is no event as `kws spot --format jsonl' prints it",
				list->name, number);
	const kws_model *m = kws_candidates_model(list->models, word, &w);
	found.near = m && found.score < (double)kws_model_threshold(m, w);
	found.from = fmax(found.start - BEFORE_S, 0.0);
	found.to = found.end + AFTER_S;
	return add(list->to, file, word, found) ? KWS_OK : KWS_ERR_NOMEM;
}

static enum kws_status take_line(void *ctx, char *line, size_t number, kws_error *err)
{
	const event_list *list = ctx;
	json_t *event = json_loads(line, 0, NULL);
	const enum kws_status status = take_event(list, event, number, err);
	json_decref(event);
	return status;
}

bool kws_candidates_events(kws_candidates *c, const char *list, const kws_models *models)
{
	char *text;
	size_t len;
	kws_error err = { "" };
	event_list all = { c, list, models };
	enum kws_status status = kws_text_read(&text, &len, list, MOST_BYTES, &err);
	if (status == KWS_OK)
		status = kws_list_lines(text, len, list, LONGEST_LINE, take_line, &all, &err);
	free(text);
	if (status != KWS_OK && *err.text)
		kws_out_complain("%s", err.text);
	return status == KWS_OK;
}

static int by_place(const void *a, const void *b)
{
	const kws_candidate *x = a, *y = b;
	const int paths = strcmp(x->path, y->path);
	if (paths)
		return paths;
	if (x->start < y->start || x->start > y->start)
		return x->start < y->start ? -1 : 1;
	return strcmp(x->word, y->word);
}

static void free_one(kws_candidate *c)
{
	kws_candidate_clear(c);
	free(c->path);
	free(c->word);
}

void kws_candidates_sort(kws_candidates *c)
{
	size_t n = 0;
	if (c->n)
		qsort(c->all, c->n, sizeof *c->all, by_place);
	for (size_t i = 0; i < c->n; i++)
		if (n && by_place(&c->all[n - 1], &c->all[i]) == 0)
			free_one(&c->all[i]);
		else
			c->all[n++] = c->all[i];
	c->n = n;
}

void kws_candidates_drop_told(kws_candidates *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].told)
			free_one(&c->all[i]);
		else
			c->all[n++] = c->all[i];
	c->n = n;
}

void kws_candidates_free(kws_candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		free_one(&c->all[i]);
	free(c->all);
	*c = (kws_candidates){ 0 };
}

/* ---- the words in a clip ---- */

/* The sound of a clip, and what one model hears in it. */
typedef struct {
	kws_candidates *to;
	size_t first; /* candidate of this clip: the word of its name */
	const kws_model *model;
	const float *pcm; /* (n,) */
	size_t n;
	unsigned rate_hz;
	bool no_memory;
} clip;

static double seconds(const clip *c, uint64_t sample)
{
	return fmin((double)sample / (double)kws_model_rate_hz(c->model),
		    (double)c->n / c->rate_hz);
}

/* Hear the clip with these thresholds; NULL: the model's. */
static bool hear(clip *c, const float *threshold, kws_event_fn *on_event)
{
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	kws_spotter *spotter;
	kws_error err = { "" };
	config.threshold = threshold;
	config.on_event = on_event;
	config.ctx = c;
	if (kws_spotter_create(&spotter, c->model, c->rate_hz, &config, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
		return false;
	}
	kws_spotter_process(spotter, c->pcm, c->n);
	kws_spotter_flush(spotter);
	kws_spotter_destroy(spotter);
	return !c->no_memory;
}

/* The word of the name is where the score is highest. */
static void place(void *ctx, const kws_event *ev)
{
	clip *c = ctx;
	kws_candidate *named = &c->to->all[c->first];
	if (strcmp(kws_model_word(c->model, ev->word), named->word) != 0
	    || (named->placed && (double)ev->score <= named->placed_score))
		return;
	named->placed = true;
	named->placed_score = (double)ev->score;
	named->start = seconds(c, ev->start);
	named->end = seconds(c, ev->end);
	named->level_dbfs = (double)ev->level_dbfs;
}

/* Another word, or the same again. */
static void add_other(void *ctx, const kws_event *ev)
{
	clip *c = ctx;
	const char *word = kws_model_word(c->model, ev->word);
	kws_candidate found = c->to->all[c->first];
	const char *path = found.path;
	found.start = seconds(c, ev->start);
	found.end = seconds(c, ev->end);
	for (size_t i = c->first; i < c->to->n; i++)
		if (strcmp(c->to->all[i].word, word) == 0
		    && fabs(c->to->all[i].start - found.start) < KWS_CANDIDATE_SAME_S)
			return;
	found.near = false;
	found.score = (double)ev->score;
	found.level_dbfs = (double)ev->level_dbfs;
	c->no_memory = c->no_memory || !add(c->to, path, word, found);
}

/* Listen for the word of the name alone. A clip lacks what the stream had before it, so that the score may
 * be lower there. */
static bool find_named(clip *c, size_t word)
{
	static const float shares[] = { 0.9f, 0.5f };
	const size_t n_words = kws_model_n_words(c->model);
	const double score = c->to->all[c->first].score;
	float *threshold = calloc(n_words, sizeof *threshold);
	bool good = threshold || no_memory();
	for (size_t i = 0; good && !c->to->all[c->first].placed && i < 2; i++) {
		for (size_t w = 0; w < n_words; w++)
			threshold[w] = w == word ? fmaxf(shares[i] * (float)score, 0.01f) : 2.0f;
		good = hear(c, threshold, place);
	}
	free(threshold);
	return good;
}

static double level_of(const float *pcm, size_t n)
{
	double sum = 1e-20;
	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * (double)pcm[i];
	return 10.0 * log10(sum / (double)n);
}

static bool add_clip(clip *c, const kws_marked *m, const kws_models *models)
{
	const double length = (double)c->n / c->rate_hz;
	const kws_candidate found = { .clip = true,
				      .says = m->says,
				      .near = m->says.near,
				      .score = m->says.percent / 100.0,
				      .level_dbfs = level_of(c->pcm, c->n),
				      .end = length,
				      .to = length };
	const char *word = spelt(&m->says, models);
	size_t w = 0;
	c->first = c->to->n;
	if (!add(c->to, m->path, word, found))
		return false;
	c->model = kws_candidates_model(models, word, &w);
	bool good = !c->model || find_named(c, w);
	for (size_t i = 0; good && i < models->n; i++) {
		c->model = models->at[i].model;
		good = hear(c, NULL, add_other);
	}
	return good;
}

bool kws_candidates_clips(kws_candidates *c, const kws_marks *clips, const kws_models *models,
			  int channel, size_t *n_failed)
{
	bool good = true;
	for (size_t i = 0; good && i < clips->n; i++) {
		float *pcm;
		clip one = { .to = c };
		if (!kws_base_hear(clips->all[i].path, channel, MOST_S, &pcm, &one.n,
				   &one.rate_hz)) {
			++*n_failed;
			continue;
		}
		one.pcm = pcm;
		good = add_clip(&one, &clips->all[i], models);
		free(pcm);
	}
	return good;
}

/* ---- answers ---- */

void kws_candidate_clear(kws_candidate *c)
{
	for (size_t i = 0; i < c->n_too; i++)
		free(c->too[i]);
	free(c->too);
	free(c->said);
	c->too = NULL;
	c->said = NULL;
	c->n_too = 0;
	c->answered = false;
}

bool kws_candidate_say(kws_candidate *c, const char *word)
{
	free(c->said);
	c->said = word ? strdup(word) : NULL;
	c->answered = c->said || !word;
	return c->answered || no_memory();
}

bool kws_candidate_say_too(kws_candidate *c, const char *word)
{
	for (size_t i = 0; i < c->n_too; i++)
		if (strcmp(c->too[i], word) == 0)
			return true;
	char **larger = realloc(c->too, (c->n_too + 1) * sizeof *larger);
	if (!larger)
		return no_memory();
	c->too = larger;
	larger[c->n_too] = strdup(word);
	return larger[c->n_too] ? (c->n_too++, true) : no_memory();
}
