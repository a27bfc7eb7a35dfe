/* fuzz_results - any bytes as a file of results: refused with the place and a reason, or lines of its
 * shard; and what was measured in a recording keeps what measured.h promises. */
#define _POSIX_C_SOURCE 200809L
#include "corpus/measured.h"
#include "corpus/results.h"
#include "corpus/results_lines.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

enum { N_WORDS = 3 };

typedef struct {
	const kws_results_lines *lines;
	const char *text;
	size_t size;
} file;

/* One that adds up again is the same. */
static void check_measured(const kws_measured *t, const kws_material *terms)
{
	kws_measured again;
	json_t *json = kws_measured_json(t);
	demand(json && kws_measured_parse(&again, json, terms) == KWS_OK);
	demand(memcmp(again.count, t->count, KWS_MEASURED_ROWS * (N_WORDS + 1) * sizeof *t->count)
	       == 0);
	demand(again.n_hits == t->n_hits
	       && again.labelled + again.unlabelled == t->labelled + t->unlabelled);
	for (size_t i = 0; i < KWS_MEASURED_ROWS * (N_WORDS + 1); i++)
		demand(t->count[i].hits <= t->count[i].said);
	for (size_t i = 0; i < t->n_hits; i++)
		demand(t->hit[i].word < N_WORDS && t->hit[i].first <= t->hit[i].last
		       && t->hit[i].last < KWS_MEASURED_ROWS && isfinite(t->hit[i].latency));
	kws_measured_free(&again);
	json_decref(json);
}

static void check_line(const char *line, size_t len)
{
	static const bool command[N_WORDS] = { true, true, false };
	const kws_material terms = { .n_words = N_WORDS, .command = command, .rate_hz = 16000 };
	kws_measured t;
	json_t *o = json_loadb(line, len, 0, NULL);
	char *path = kws_results_path(o);
	demand(path);
	if (kws_measured_parse(&t, o, &terms) == KWS_OK)
		check_measured(&t, &terms);
	kws_measured_free(&t);
	free(path);
	json_decref(o);
}

static enum kws_status on_head(void *ctx, const kws_results_lines *lines, kws_error *err)
{
	(void)ctx;
	(void)err;
	demand(lines->shard < lines->n_shards && lines->n <= KWS_RESULTS_MOST);
	return KWS_OK;
}

static enum kws_status on_line(void *ctx, size_t index, off_t at, bool failed, kws_error *err)
{
	const file *f = ctx;
	const char *line = f->text + at, *end = memchr(line, '\n', f->size - (size_t)at);
	(void)failed;
	(void)err;
	demand(index < f->lines->n && index % f->lines->n_shards == f->lines->shard && end);
	check_line(line, (size_t)(end - line));
	return KWS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kws_results_lines lines;
	kws_error err = { "" };
	file of = { &lines, (const char *)data, size };
	fuzz_accepted = false;
	if (size == 0)
		return 0;
	uint8_t *copy = malloc(size);
	demand(copy);
	memcpy(copy, data, size);
	FILE *f = fmemopen(copy, size, "r");
	demand(f);
	const enum kws_status status =
		kws_results_read(&lines, f, "r.jsonl", on_head, on_line, &of, &err);
	fclose(f);
	free(copy);
	demand(status == KWS_OK
	       || (status == KWS_ERR_FORMAT && strncmp(err.text, "r.jsonl:", 8) == 0));
	fuzz_accepted = status == KWS_OK && lines.head;
	json_decref(lines.head);
	return 0;
}
