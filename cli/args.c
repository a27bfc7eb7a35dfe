#include "cli/args.h"

#include "cli/out.h"
#include "find_model.h"

#include <errno.h>
#include <math.h>
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

bool kws_args_real(const char *text, double min, double max, double *out)
{
	char *end;
	double x = strtod(text, &end);
	if (end == text || *end || !isfinite(x) || !(x >= min && x <= max))
		return false;
	*out = x;
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

enum { OPT_CHANNEL = 0x200, OPT_RATE, OPT_CHANNELS, OPT_ENCODING, OPT_BITS };

static const struct argp_option options[] = {
	{ "model", 'm', "MODEL", 0, "Model file", 1 },
	{ "channel", OPT_CHANNEL, "N", 0, "Hear channel N, from 1 (default: the mean of all)", 1 },
	{ NULL, 0, NULL, 0, "Raw PCM on standard input (file -):", 2 },
	{ "rate", OPT_RATE, "HZ", 0, "Samples per second (default 16000)", 2 },
	{ "channels", OPT_CHANNELS, "N", 0, "Channels, interleaved (default 1)", 2 },
	{ "encoding", OPT_ENCODING, "NAME", 0,
	  "s16 (default), s8 u8 s24 s32 f32 f64 mulaw alaw, with be for big-endian, "
	  "or a name of arecord's or sox's",
	  2 },
	{ "bits", OPT_BITS, "N", 0, "Width of a sample, for sox's names", 2 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_args_audio *a = state->input;
	kws_error err;
	switch (key) {
	case ARGP_KEY_INIT:
		*a = (kws_args_audio){ .rate_hz = 16000, .channels = 1, .encoding_name = "s16" };
		return 0;
	case 'm': a->model = arg; return 0;
	case OPT_CHANNEL:
		a->channel =
			(int)kws_args_need(state, "--channel", arg, 1, KWS_SOURCE_MAX_CHANNELS);
		return 0;
	case OPT_RATE:
		a->rate_hz =
			kws_args_need(state, "--rate", arg, KWS_SOURCE_MIN_HZ, KWS_SOURCE_MAX_HZ);
		return 0;
	case OPT_CHANNELS:
		a->channels = kws_args_need(state, "--channels", arg, 1, KWS_SOURCE_MAX_CHANNELS);
		return 0;
	case OPT_ENCODING: a->encoding_name = arg; return 0;
	case OPT_BITS: a->bits = kws_args_need(state, "--bits", arg, 1, 64); return 0;
	case ARGP_KEY_END:
		if (kws_encoding_parse(&a->encoding, a->encoding_name, a->bits, &err) != KWS_OK)
			argp_error(state, "--encoding: %s", err.text);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp audio_argp = { .options = options, .parser = parse };
const struct argp_child kws_args_audio_child[] = { { &audio_argp, 0, NULL, 0 }, { 0 } };

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
	if (strcmp(path, "-") == 0)
		return kws_source_open_raw(out, STDIN_FILENO, a->rate_hz, a->channels, a->encoding,
					   a->channel, err);
	return kws_source_open_file(out, path, a->channel, err);
}
