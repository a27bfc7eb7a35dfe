#include "cli/inputs.h"

#include "cli/args.h"
#include "cli/out.h"
#include "corpus/thread_pool.h"

#include <string.h>

enum { OPT_FILES_FROM = 0x240 };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Many recordings:", 6 },
	{ "files-from", OPT_FILES_FROM, "LIST", 0,
	  "Also the files and folders of a list, one a line; - is standard input", 0 },
	{ "null", '0', NULL, 0,
	  "With --files-from: each ends with a NUL byte, as from find -print0", 0 },
	{ "jobs", 'j', "N", 0, "Worker threads, 1 to 256 (default: one per processor)", 0 },
	{ 0 },
};

static void check(const kws_inputs *in, const struct argp_state *state)
{
	if (in->nul && !in->list)
		argp_error(state, "-0 says how the list of --files-from is written");
	bool read = in->list && strcmp(in->list, "-") == 0;
	for (int i = 0; i < in->n_named; i++) {
		if (strcmp(in->named[i], "-") != 0)
			continue;
		if (read)
			argp_error(state, "standard input can be read only once");
		read = true;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_inputs *in = state->input;
	switch (key) {
	case ARGP_KEY_INIT: *in = (kws_inputs){ .jobs = kws_thread_pool_default() }; return 0;
	case OPT_FILES_FROM:
		if (in->list)
			argp_error(state, "--files-from: only one list");
		in->list = arg;
		return 0;
	case '0': in->nul = true; return 0;
	case 'j': in->jobs = kws_args_need(state, "--jobs", arg, 1, KWS_THREAD_POOL_MOST); return 0;
	case ARGP_KEY_ARGS:
		in->named = state->argv + state->next;
		in->n_named = state->argc - state->next;
		return 0;
	case ARGP_KEY_END: check(in, state); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp kws_inputs_argp = { .options = options, .parser = parse };

bool kws_inputs_given(const kws_inputs *in)
{
	return in->n_named || in->list;
}

bool kws_inputs_list(const kws_inputs *in, kws_files *files)
{
	kws_problems problems = { 0 };
	bool good = true;
	for (int i = 0; i < in->n_named; i++)
		good = kws_files_add(files, in->named[i], &problems) && good;
	if (in->list)
		good = kws_files_add_list(files, in->list, in->nul, &problems) && good;
	kws_out_problems(&problems);
	return good;
}
