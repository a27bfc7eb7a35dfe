#include "cli/measure.h"

#include "cli/cli.h"
#include "spot/decide.h"

enum { OPT_TOLERANCE = 0x300, OPT_UNLABELLED, OPT_HOURS, OPT_SMOOTH, OPT_REFRACTORY };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "How it is counted:", 4 },
	{ "tolerance", OPT_TOLERANCE, "S", 0,
	  "A word counts as heard up to S seconds after its end, 0 to 60 (default 0.75)", 0 },
	{ "unlabelled-only", OPT_UNLABELLED, NULL, 0,
	  "Count false alarms only in recordings in which nothing is said", 0 },
	{ "hours", OPT_HOURS, "H", 0,
	  "The recordings are clips that kwsd kept in H hours: count false alarms over these", 0 },
	{ "smooth", OPT_SMOOTH, "MS", 0,
	  "Average the probabilities over MS, 0 to 2000 (default: the model's)", 0 },
	{ "refractory", OPT_REFRACTORY, "MS", 0,
	  "Shortest time between events of a word, 0 to 60000 (default: the model's)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_measure_args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		*a = (kws_measure_args){ .tolerance = 0.75, .smooth_ms = -1, .refractory_ms = -1 };
		state->child_inputs[0] = &a->audio;
		state->child_inputs[1] = &a->inputs;
		return 0;
	case OPT_TOLERANCE:
		a->tolerance = kws_args_need_real(state, "--tolerance", arg, 0.0, 60.0);
		return 0;
	case OPT_UNLABELLED: a->unlabelled_only = true; return 0;
	case OPT_HOURS: a->hours = kws_args_need_real(state, "--hours", arg, 0.001, 1e6); return 0;
	case ARGP_KEY_END:
		if (a->hours > 0.0 && a->unlabelled_only)
			argp_error(state, "--hours are those of all recordings: not with "
					  "--unlabelled-only");
		return 0;
	case OPT_SMOOTH:
		a->smooth_ms =
			(int)kws_args_need(state, "--smooth", arg, 0, KWS_DECIDE_SMOOTH_MAX_MS);
		return 0;
	case OPT_REFRACTORY:
		a->refractory_ms = (int)kws_args_need(state, "--refractory", arg, 0, 60000);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &kws_args_audio_argp, 0, NULL, 0 },
					      { &kws_inputs_argp, 0, NULL, 0 },
					      { 0 } };
const struct argp kws_measure_argp = { .options = options, .parser = parse, .children = children };

static void show(void *ctx, size_t n_done, double audio_s)
{
	kws_progress_show(ctx, n_done, audio_s);
}

kws_hear_config kws_measure_config(const kws_measure_args *a, kws_progress *progress)
{
	return (kws_hear_config){ .opener = kws_args_opener(&a->audio),
				  .n_threads = a->inputs.jobs,
				  .tolerance = a->tolerance,
				  .unlabelled_only = a->unlabelled_only,
				  .hours = a->hours,
				  .smooth_ms = a->smooth_ms,
				  .refractory_ms = a->refractory_ms,
				  .progress = show,
				  .progress_ctx = progress };
}

bool kws_measure_fits(double hours, double heard)
{
	/* A recording may end within a sample of the hour. */
	if (!(hours > 0.0) || heard < hours + 1e-6)
		return true;
	kws_out_complain("--hours %g: the recordings alone have %.4f h", hours, heard);
	return false;
}

int kws_measure_can(const kws_model *m)
{
	if (kws_model_max_frames(m) == 0)
		return KWS_EXIT_OK;
	kws_out_complain("model %s: full attention cannot process an endless stream",
			 kws_model_name(m));
	return KWS_EXIT_MODEL;
}
