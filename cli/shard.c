#include "cli/shard.h"

#include "cli/cli.h"
#include "cli/out.h"

#include <stdio.h>
#include <string.h>

enum { OPT_RESULTS = 0x280, OPT_SHARD };

static const struct argp_option options[] = {
	{ "results", OPT_RESULTS, "FILE", 0,
	  "Append results to FILE instead of printing them, and go on where it ends; see kws merge",
	  6 },
	{ "shard", OPT_SHARD, "I/N", 0, "With --results: only shard I of N of the recordings", 0 },
	{ 0 },
};

static void parse_shard(kws_shard *s, const char *arg, const struct argp_state *state)
{
	const char *slash = strchr(arg, '/');
	char first[16];
	unsigned i, n;
	if (!slash || slash - arg >= (int)sizeof first)
		argp_error(state, "--shard: %s is not I/N, such as 3/8", arg);
	else {
		snprintf(first, sizeof first, "%.*s", (int)(slash - arg), arg);
		n = kws_args_need(state, "--shard", slash + 1, 1, 1000000);
		i = kws_args_need(state, "--shard", first, 1, n);
		s->shard = i - 1;
		s->n_shards = n;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_shard *s = state->input;
	switch (key) {
	case ARGP_KEY_INIT: *s = (kws_shard){ NULL, 0, 0 }; return 0;
	case OPT_RESULTS: s->results = arg; return 0;
	case OPT_SHARD: parse_shard(s, arg, state); return 0;
	case ARGP_KEY_END:
		if (s->n_shards && !s->results)
			argp_error(state, "--shard needs --results, which kws merge puts together");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp kws_shard_argp = { .options = options, .parser = parse };

void kws_shard_prints(const kws_shard *s, const char *option, const struct argp_state *state)
{
	if (s->results && option)
		argp_error(state, "%s: --results prints nothing; give it to kws merge", option);
}

bool kws_shard_has_all(bool all)
{
	if (!all)
		kws_out_complain("some recordings cannot be listed, so nothing is begun: the "
				 "shards would not fit together");
	return all;
}

json_t *kws_shard_options(const kws_args_audio *audio)
{
	json_t *o = json_object();
	kws_out_set_text(o, "kws", KWS_VERSION);
	kws_out_set_size(o, "channel", (size_t)audio->channel);
	kws_out_set_size(o, "raw_rate_hz", audio->rate_hz);
	kws_out_set_size(o, "raw_channels", audio->channels);
	kws_out_set_size(o, "raw_encoding", (size_t)audio->encoding);
	return o;
}

kws_results *kws_shard_open(const kws_shard *shard, const char *command, json_t *given,
			    kws_files *files, int *status)
{
	kws_results *r = NULL;
	kws_error err = { "" };
	const size_t n = files->n;
	const enum kws_status opened =
		kws_results_open(&r, shard->results, command, given, files, &err);
	json_decref(given);
	*status = opened == KWS_OK	  ? KWS_EXIT_OK
		  : opened == KWS_ERR_ARG ? KWS_EXIT_USAGE
					  : KWS_EXIT_INPUT;
	if (!r)
		kws_out_complain("%s", err.text);
	else if (kws_results_before(r))
		kws_out_complain("%s: %zu of %zu recordings were done before", shard->results,
				 kws_results_before(r), n);
	return r;
}

bool kws_shard_add(kws_results *r, size_t index, const char *path, const char *error,
		   json_t *result)
{
	kws_error err = { "" };
	/* what lacks something for want of memory would count as done */
	if (!kws_out_is_whole()) {
		json_decref(result);
		return false;
	}
	if (kws_results_add(r, index, path, error, result, &err) == KWS_OK)
		return true;
	kws_out_complain("%s", err.text);
	return false;
}

bool kws_shard_close(kws_results *r)
{
	kws_error err = { "" };
	if (kws_results_close(r, &err) == KWS_OK)
		return true;
	kws_out_complain("%s", err.text);
	return false;
}
