#include "cli/args.h"

#include "cli/cli.h"
#include "cli/help.h"
#include "find_model.h"
#include "nearest.h"
#include "number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool kws_args_unsigned(const char *text, unsigned min, unsigned max, unsigned *out)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || n < min || n > max)
		return false;
	*out = (unsigned)n;
	return true;
}

unsigned kws_args_need(const struct argp_state *state, const char *option, const char *text,
		       unsigned min, unsigned max)
{
	unsigned n = 0;
	if (!kws_args_unsigned(text, min, max, &n))
		argp_error(state, "%s: '%s' is not a whole number in %u..%u", option, text, min,
			   max);
	return n;
}

double kws_args_need_real(const struct argp_state *state, const char *option, const char *text,
			  double min, double max)
{
	double x = 0.0;
	char hint[32];
	kws_number_comma(text, hint);
	if (!kws_number_real(text, min, max, &x))
		argp_error(state, "%s: '%s' is not a number in %.10g..%.10g%s", option, text, min,
			   max, hint);
	return x;
}

enum kws_format kws_args_need_format(const struct argp_state *state, const char *text, unsigned set)
{
	enum kws_format format = KWS_FORMAT_TEXT;
	char list[64] = "";
	kws_nearest near;
	if (kws_out_format(text, &format) && set & 1u << format)
		return format;
	kws_nearest_init(&near, text);
	for (unsigned f = 0; f < KWS_N_FORMATS; f++)
		if (set & 1u << f) {
			size_t n = strlen(list);
			snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "",
				 kws_out_format_name((enum kws_format)f));
			kws_nearest_offer(&near, kws_out_format_name((enum kws_format)f));
		}
	argp_error(state, "--format: '%s' is not one of %s%s", text, list, kws_nearest_hint(&near));
	return format;
}

enum { OPT_CHANNEL = 0x200, OPT_RATE, OPT_CHANNELS, OPT_ENCODING, OPT_BITS };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The sound and the model:", 2 },
	{ "model", 'm', "MODEL", 0, "Model file", 0 },
	{ "channel", OPT_CHANNEL, "N", 0, "Hear channel N, from 1 (default: the mean of all)", 0 },
	{ NULL, 0, NULL, 0, "Raw PCM on standard input (file -):", 7 },
	{ "rate", OPT_RATE, "HZ", 0, "Samples per second (default 16000)", 0 },
	{ "channels", OPT_CHANNELS, "N", 0, "Channels, interleaved (default 1)", 0 },
	{ "encoding", OPT_ENCODING, "NAME", 0,
	  "s16 (default), s8 u8 s24 s32 f32 f64 mulaw alaw, with be at the end for big-endian, or "
	  "a name from arecord or sox",
	  0 },
	{ "bits", OPT_BITS, "N", 0, "Bits per sample, for names from sox", 0 },
	{ 0 },
};

void kws_args_add_model(const struct argp_state *state, kws_args_audio *a, const char *arg)
{
	if (a->n_models == KWS_MODELS_MOST)
		argp_error(state, "--model: more than %d of them", KWS_MODELS_MOST);
	a->models[a->n_models++] = a->model = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_args_audio *a = state->input;
	kws_error err;
	switch (key) {
	case ARGP_KEY_INIT:
		*a = (kws_args_audio){ .rate_hz = 16000, .channels = 1, .encoding_name = "s16" };
		return 0;
	case 'm': kws_args_add_model(state, a, arg); return 0;
	case OPT_CHANNEL:
		a->channel =
			(int)kws_args_need(state, "--channel", arg, 1, KWS_SOURCE_MAX_CHANNELS);
		return 0;
	case OPT_RATE:
		a->raw_given = true;
		a->rate_hz =
			kws_args_need(state, "--rate", arg, KWS_SOURCE_MIN_HZ, KWS_SOURCE_MAX_HZ);
		return 0;
	case OPT_CHANNELS:
		a->raw_given = true;
		a->channels = kws_args_need(state, "--channels", arg, 1, KWS_SOURCE_MAX_CHANNELS);
		return 0;
	case OPT_ENCODING:
		a->raw_given = true;
		a->encoding_name = arg;
		return 0;
	case OPT_BITS:
		a->raw_given = true;
		a->bits = kws_args_need(state, "--bits", arg, 1, 64);
		return 0;
	case ARGP_KEY_END:
		if (kws_encoding_parse(&a->encoding, a->encoding_name, a->bits, &err) != KWS_OK)
			argp_error(state, "--encoding: %s", err.text);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp kws_args_audio_argp = { .options = options, .parser = parse };
const struct argp_child kws_args_audio_child[] = { { &kws_args_audio_argp, 0, NULL, 0 }, { 0 } };

enum { OPT_DEVICE_RATE = 0x220, OPT_DEVICE_CHANNEL, OPT_DEVICE_CHANNELS, MOST_CHANNELS = 32 };

static const struct argp_option device_options[] = {
	{ NULL, 0, NULL, 0, "The microphone:", 2 },
	{ "device", 'd', "NAME", 0,
	  "Microphone, as kws devices lists it (default: default); raw:- is standard input", 0 },
	{ "channel", OPT_DEVICE_CHANNEL, "N", 0,
	  "Hear channel N, 1 to 32 (default: the mean of all)", 0 },
	{ "channels", OPT_DEVICE_CHANNELS, "N", 0, "Open N channels, 1 to 32 (default 1)", 0 },
	{ "rate", OPT_DEVICE_RATE, "HZ", 0,
	  "Open at this rate, 8000 to 192000 (default: 16000 or, if refused, the device's own)",
	  0 },
	{ 0 },
};

static error_t parse_device(int key, char *arg, struct argp_state *state)
{
	kws_device_config *d = state->input;
	switch (key) {
	case ARGP_KEY_INIT: *d = (kws_device_config){ .latency_ms = 40, .patient = true }; return 0;
	case 'd': d->name = arg; return 0;
	case OPT_DEVICE_CHANNEL:
		d->channel = kws_args_need(state, "--channel", arg, 1, MOST_CHANNELS);
		return 0;
	case OPT_DEVICE_CHANNELS:
		d->channels = kws_args_need(state, "--channels", arg, 1, MOST_CHANNELS);
		return 0;
	case OPT_DEVICE_RATE:
		d->rate_hz =
			kws_args_need(state, "--rate", arg, KWS_SOURCE_MIN_HZ, KWS_SOURCE_MAX_HZ);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp kws_args_device_argp = { .options = device_options, .parser = parse_device };

/* ---- misspelt options ---- */

static bool is_end(const struct argp_option *o)
{
	return !o->name && !o->key && !o->doc && !o->group;
}

/* The option with this name or key. name (n letters) may be the unique beginning of a name, as
 * getopt() allows; an alias stands for its option. Visible names are offered to near. */
static const struct argp_option *find(const struct argp *argp, const char *name, size_t n, int key,
				      kws_nearest *near)
{
	const struct argp_option *found = NULL, *meant = NULL;
	for (const struct argp_option *o = argp->options; o && !is_end(o); o++) {
		meant = o->flags & OPTION_ALIAS ? meant : o;
		if ((name && o->name && strncmp(o->name, name, n) == 0) || (!name && o->key == key))
			found = meant;
		if (o->name && !(o->flags & OPTION_HIDDEN))
			kws_nearest_offer(near, o->name);
	}
	for (const struct argp_child *c = argp->children; c && c->argp && !found; c++)
		found = find(c->argp, name, n, key, near);
	return found;
}

/* The long option at arg, "--name" or "--name=value", of command, "kws spot". Ends the program if
 * there is none. */
static const struct argp_option *find_long(const struct argp *argp, const char *command,
					   const char *arg)
{
	static const struct argp_option own[] = {
		{ .name = "help" },
		{ .name = "usage" },
		{ .name = "version" },
		{ .name = "program-name", .arg = "NAME", .flags = OPTION_HIDDEN },
		{ .name = "HANG", .flags = OPTION_HIDDEN },
		{ 0 }
	};
	static const struct argp of_argp = { .options = own };
	char name[KWS_NEAREST_LONGEST + 2];
	const size_t n = strcspn(arg + 2, "=");
	kws_nearest near;
	snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), arg + 2);
	kws_nearest_init(&near, name);
	const struct argp_option *o = find(argp, arg + 2, n, 0, &near);
	if (!o)
		o = find(&of_argp, arg + 2, n, 0, &near);
	if (o)
		return o;
	kws_out_complain("%s has no option --%s%s (`kws %s --help' lists them)", command + 4, name,
			 kws_nearest_hint(&near), command + 4);
	exit(KWS_EXIT_USAGE);
}

/* ---- help ---- */

static const char *example_of; /* the command; NULL: there is none */

/* argp frees what this returns, unless it is the text that it was given. */
static char *add_examples(int key, const char *text, void *input)
{
	(void)input;
	if (key != ARGP_KEY_HELP_EXTRA || !example_of)
		return (char *)(uintptr_t)text;
	const size_t n = strlen("Examples:\n") + strlen(example_of) + 1;
	char *all = malloc(n);
	if (all)
		snprintf(all, n, "Examples:\n%s", example_of);
	return all;
}

void kws_args_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	kws_nearest none;
	kws_nearest_init(&none, "");
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const struct argp_option *o = NULL;
		const char *at = argv[i];
		if (at[0] != '-' || !at[1])
			continue;
		if (at[1] == '-') {
			o = find_long(argp, argv[0], at);
			i += o->arg && !strchr(at, '=');
			continue;
		}
		/* Short letters: the first that takes an argument ends them. */
		while (*++at && !(o = find(argp, NULL, 0, *at, &none), o && o->arg))
			;
		i += o && o->arg && !at[1];
	}
	struct argp with_examples = *argp;
	example_of = kws_help_examples(argv[0]);
	with_examples.help_filter = add_examples;
	argp_parse(&with_examples, argc, argv, 0, NULL, input);
}

/* ---- the model and the audio ---- */

kws_model *kws_args_open_model(const char *wanted)
{
	char path[KWS_ARGS_PATH];
	kws_model *m = NULL;
	kws_error err = { "" };
	kws_find_model(wanted, path, sizeof path);
	if (kws_model_open(&m, path, &err) == KWS_OK)
		return m;
	const bool none = !wanted && strcmp(path, KWS_MODEL_PATH) == 0;
	kws_out_complain("model %s%s", err.text, none ? " (name one with -m or KWS_MODEL)" : "");
	return NULL;
}

enum kws_status kws_args_open_source(kws_source **out, const kws_args_audio *a, const char *path,
				     kws_error *err)
{
	const kws_source_raw raw = { a->rate_hz, a->channels, a->encoding };
	const bool is_stdin = strcmp(path, "-") == 0;
	const enum kws_status status =
		is_stdin
			? kws_source_open_stream(out, STDIN_FILENO, path, &raw, a->channel, -1, err)
			: kws_source_open_path(out, path, &raw, a->channel, err);
	if (status == KWS_OK && a->raw_given && (is_stdin || kws_source_is_pipe(*out))
	    && strcmp(kws_source_format(*out), "raw PCM") != 0)
		kws_out_complain("%s: has a header, so the options for raw PCM are ignored: %s, %u "
				 "Hz, %u channels",
				 path, kws_source_format(*out), kws_source_rate(*out),
				 kws_source_channels(*out));
	return status;
}

static enum kws_status open_with(const void *ctx, kws_source **out, const char *path,
				 kws_error *err)
{
	return kws_args_open_source(out, ctx, path, err);
}

kws_opener kws_args_opener(const kws_args_audio *a)
{
	return (kws_opener){ open_with, a };
}

error_t kws_args_append(kws_args_list *l, char *arg, struct argp_state *state)
{
	char **larger = realloc(l->all, (l->n + 1) * sizeof *larger);
	if (!larger) {
		argp_failure(state, KWS_EXIT_INPUT, 0, "%s", kws_strerror(KWS_ERR_NOMEM));
		return ENOMEM;
	}
	l->all = larger;
	l->all[l->n++] = arg;
	return 0;
}
