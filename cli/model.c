/* kws model - what is in a model file. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/layers.h"
#include "cli/out.h"
#include "model/runner.h"
#include "spot/stream.h"
#include "find_model.h"

#include <stdlib.h>
#include <string.h>

enum { OPT_FORMAT = 0x100 };

typedef struct {
	const char *model;
	enum kws_format format;
	char **inputs;
	int n_inputs;
} args;

static const struct argp_option options[] = {
	{ "model", 'm', "MODEL", 0, "The same as FILE", 0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default) or jsonl", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case 'm': a->model = arg; return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL);
		return 0;
	case ARGP_KEY_ARGS:
		a->inputs = state->argv + state->next;
		a->n_inputs = state->argc - state->next;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* A metadata entry that holds JSON, or null. */
static json_t *meta_json(const kws_model *m, const char *key)
{
	const char *text = kws_model_meta(m, key);
	json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
	return value ? value : text ? kws_out_json_text(text) : json_null();
}

static json_t *meta_text(const kws_model *m, const char *key)
{
	const char *text = kws_model_meta(m, key);
	return text ? kws_out_json_text(text) : json_null();
}

static json_t *features_json(const kws_model *m)
{
	const kws_features *f = kws_model_features(m);
	json_t *o = json_object();
	kws_out_set_size(o, "rate_hz", f->rate_hz);
	kws_out_set_size(o, "win", f->win);
	kws_out_set_size(o, "hop", f->hop);
	kws_out_set_size(o, "n_fft", f->n_fft);
	kws_out_set_size(o, "n_mels", f->n_mels);
	kws_out_set_float(o, "f_lo_hz", f->f_lo_hz);
	kws_out_set_float(o, "f_hi_hz", f->f_hi_hz);
	kws_out_set_float(o, "log_floor", f->log_floor);
	kws_out_set(o, "mel", json_string(kws_mel_names[f->mel]));
	return o;
}

static json_t *decision_json(const kws_model *m)
{
	const kws_decision *d = kws_model_decision(m);
	json_t *o = json_object(), *thresholds = json_object();
	kws_out_set_size(o, "smooth_ms", d->smooth_ms);
	kws_out_set_size(o, "refractory_ms", d->refractory_ms);
	kws_out_set_size(o, "wait_ms", d->wait_ms);
	for (size_t w = 0; w < kws_model_n_words(m); w++)
		if (kws_model_is_command(m, w))
			kws_out_set_float(thresholds, kws_model_word(m, w),
					  kws_model_threshold(m, w));
	kws_out_set(o, "thresholds", thresholds);
	return o;
}

static json_t *describe(const kws_model *m, const char *path)
{
	json_t *o = json_object(), *words = json_array();
	const kws_features *f = kws_model_features(m);
	double frame_ms = 1000.0 * (double)(f->hop * kws_model_stride(m)) / (double)f->rate_hz;
	kws_runner *runner = NULL;
	for (size_t w = 0; w < kws_model_n_words(m); w++)
		kws_out_append(words, kws_out_json_text(kws_model_word(m, w)));
	kws_out_set_text(o, "file", path);
	kws_out_set_text(o, "name", kws_model_name(m));
	kws_out_set_text(o, "sha256", kws_model_hash(m));
	kws_out_set_size(o, "bytes", kws_model_file_bytes(m));
	kws_out_set_size(o, "parameters", kws_model_n_params(m));
	if (kws_runner_create(&runner, m) == KWS_OK)
		kws_out_set_size(o, "state_bytes", kws_runner_state_bytes(runner));
	else
		kws_out_no_memory();
	kws_runner_destroy(runner);
	kws_out_set(o, "words", words);
	kws_out_set_real(o, "frame_ms", frame_ms);
	kws_out_set_real(o, "window_ms", frame_ms * (double)kws_model_window(m));
	kws_out_set(o, "longest_ms",
		    kws_model_max_frames(m)
			    ? kws_out_json_real(frame_ms * (double)kws_model_max_frames(m))
			    : json_null());
	kws_out_set(o, "features", features_json(m));
	kws_out_set(o, "network", meta_json(m, "network"));
	kws_out_set(o, "decision", decision_json(m));
	kws_out_set(o, "licence", meta_text(m, "licence"));
	kws_out_set(o, "training", meta_json(m, "training"));
	kws_out_set(o, "measured", meta_json(m, "measured"));
	kws_out_set(o, "calibration", meta_json(m, "calibration"));
	return o;
}

static bool is_plain(const json_t *v)
{
	return !json_is_object(v) && !json_is_array(v);
}

/* Whether all members are plain; then an object or list is printed on one line. */
static bool is_flat(json_t *v)
{
	const char *key;
	json_t *member;
	size_t i;
	json_object_foreach(v, key, member) if (!is_plain(member)) return false;
	json_array_foreach(v, i, member) if (!is_plain(member)) return false;
	return true;
}

static void print_plain(const json_t *v)
{
	if (json_is_string(v))
		kws_out_visible(stdout, json_string_value(v));
	else if (json_is_integer(v))
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		printf("%.7g", json_real_value(v));
	else
		fputs(json_is_true(v) ? "true" : json_is_false(v) ? "false" : "-", stdout);
}

static void print_flat(json_t *v)
{
	const char *key, *between = "";
	json_t *member;
	size_t i;
	if (is_plain(v))
		print_plain(v);
	json_object_foreach(v, key, member)
	{
		printf("%s", between);
		kws_out_visible(stdout, key);
		putchar(' ');
		print_plain(member);
		between = ", ";
	}
	json_array_foreach(v, i, member)
	{
		printf("%s", between);
		print_plain(member);
		between = " ";
	}
	putchar('\n');
}

/* Print a flat value on one line, others with one line per member, deeper ones indented. */
static void print_member(const char *key, json_t *v, int indent)
{
	const char *name;
	json_t *member;
	size_t i;
	char number_text[32];
	if (json_is_null(v))
		return;
	printf("%*s", indent, "");
	kws_out_visible(stdout, key);
	printf("%*s", strlen(key) < 13 ? (int)(13 - strlen(key)) : 0, "");
	putchar(' ');
	if (is_flat(v) || indent > 16) {
		print_flat(v);
		return;
	}
	putchar('\n');
	json_object_foreach(v, name, member) print_member(name, member, indent + 2);
	json_array_foreach(v, i, member)
	{
		snprintf(number_text, sizeof number_text, "%zu", i);
		print_member(number_text, member, indent + 2);
	}
}

static int show(const args *a, const char *wanted)
{
	char path[KWS_ARGS_PATH];
	kws_find_model(wanted, path, sizeof path);
	kws_model *m = kws_args_open_model(wanted);
	if (!m)
		return KWS_EXIT_MODEL;
	json_t *o = describe(m, path);
	if (a->format == KWS_FORMAT_JSONL) {
		kws_out_json_line(o);
	} else {
		const char *key;
		json_t *value;
		json_object_foreach(o, key, value)
		{
			if (strcmp(key, "network") == 0)
				kws_layers_print(m, path, stdout);
			else
				print_member(key, value, 0);
		}
		json_decref(o);
	}
	kws_model_close(m);
	return KWS_EXIT_OK;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE]...",
	.doc = "Show what is in a model file: words, sizes, features, network, decision, training "
	       "data, licence, measured results, hash. Without FILE: the one that the other "
	       "commands would use.",
};

int kws_cmd_model(int argc, char **argv)
{
	args a = { 0 };
	kws_args_parse(&argp, argc, argv, &a);
	int worst = KWS_EXIT_OK;
	if (a.n_inputs == 0 || a.model)
		worst = show(&a, a.model);
	for (int i = 0; i < a.n_inputs; i++) {
		int status = show(&a, a.inputs[i]);
		worst = status > worst ? status : worst;
	}
	return worst;
}
