/* kws doctor - finds what keeps the machine from hearing, and says what to do about it. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "find_model.h"

#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

typedef struct {
	kws_device_config device;
	kws_diagnosis found;
	const char *model, *conf;
	unsigned seconds;
} visit;

enum { OPT_FORMAT = 0x100 };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What to examine:", 1 },
	{ "model", 'm', "MODEL", 0,
	  "Model file to examine (default: the installed one, or $KWS_MODEL)", 0 },
	{ "config", 'c', "FILE", 0,
	  "Configuration of kwsd to examine (default: " KWS_SYSCONFDIR
	  "/kwsd/kwsd.conf); without -d, its microphone is used",
	  0 },
	{ "seconds", 's', "N", 0, "Listen for N seconds, 1 to 3600 (default 3)", 0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default) or jsonl", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	visit *v = state->input;
	unsigned number;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &v->device; return 0;
	case 'm': v->model = arg; return 0;
	case 'c':
		if (kws_args_unsigned(arg, 0, 64, &number) && access(arg, F_OK) != 0)
			argp_error(state,
				   "-c takes a configuration, and there is no file %s; for a "
				   "channel use --channel %s",
				   arg, arg);
		v->conf = arg;
		return 0;
	case 's': v->seconds = kws_args_need(state, "--seconds", arg, 1, 3600); return 0;
	case OPT_FORMAT:
		v->found.format = kws_args_need_format(
			state, arg, 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL);
		return 0;
	case ARGP_KEY_ARG: argp_error(state, "'%s': kws doctor takes no arguments", arg); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &kws_args_device_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Examine model, clock, configuration, service, sound system and microphone.\vSpeak "
	       "while it listens. Below each problem it prints what to do, and lines to paste. The "
	       "exit status is 0 if nothing is wrong, 1 if something keeps kwsd from hearing.",
};

static void check_model(visit *v)
{
	kws_diagnosis *f = &v->found;
	char path[KWS_ARGS_PATH];
	kws_error err = { "" };
	kws_model *m = NULL;

	kws_find_model(v->model, path, sizeof path);
	if (kws_model_open(&m, path, &err) != KWS_OK) {
		kws_find(f, KWS_FIND_BAD, "the model cannot be loaded: %s", err.text);
		kws_find_advise(f, "name another with -m or KWS_MODEL, and in kwsd.conf:");
		kws_find_paste(f, "[model]");
		kws_find_paste(f, "path = " KWS_MODEL_PATH);
		return;
	}
	kws_find(f, KWS_FIND_OK, "model %s: %zu classes at %u Hz", kws_model_name(m),
		 kws_model_n_words(m), kws_model_features(m)->rate_hz);
	kws_model_close(m);
}

static void check_clock(kws_diagnosis *f)
{
	struct timex t = { .modes = 0 };
	time_t now = time(NULL);

	if (now < 1700000000) {
		kws_find(f, KWS_FIND_BAD, "the clock says %.24s", ctime(&now));
		kws_find_advise(f, "set it, because events carry wall time:");
	} else if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC)) {
		kws_find(f, KWS_FIND_ODD, "the clock is not synchronised");
		kws_find_advise(f, "events of several machines will not line up:");
	} else {
		kws_find(f, KWS_FIND_OK, "the clock is set and synchronised");
		return;
	}
	kws_find_paste(f, "sudo timedatectl set-ntp true");
}

int kws_cmd_doctor(int argc, char **argv)
{
	static kws_doctor_conf conf;
	visit v = { .seconds = 3 };

	kws_args_parse(&argp, argc, argv, &v);
	check_model(&v);
	check_clock(&v.found);
	kws_doctor_check_conf(&v.found, v.conf, v.model, &conf);
	kws_doctor_check_service(&v.found, &conf);
	/* By default, the microphone of the daemon. */
	if (!v.device.name)
		v.device.name = conf.device[0] ? conf.device : "default";
	if (!v.device.rate_hz)
		v.device.rate_hz = conf.rate_hz;
	if (!v.device.channels)
		v.device.channels = conf.channels;
	if (!v.device.channel)
		v.device.channel = conf.channel;
	kws_doctor_sound(&v.found, &v.device, v.seconds);
	kws_find_end(&v.found);
	return v.found.n[KWS_FIND_BAD] ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}
