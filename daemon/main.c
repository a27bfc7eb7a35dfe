/* kwsd - spots keywords on microphones, for ever. See kwsd(8). */
#include "audio/device.h"
#include "descriptors.h"
#include "daemon/check.h"
#include "runtime/log.h"
#include "daemon/service.h"
#include "daemon/setup.h"
#include "runtime/signals.h"
#include "daemon/start.h"

#include <argp.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

typedef struct {
	kws_conf_source src;
	bool test;
	char texts[3][KWS_CONF_TEXT + 16]; /* of --device, --model, --level */
} options;

const char *argp_program_version = "kwsd " KWS_VERSION;

static const struct argp_option table[] = {
	{ "config", 'c', "FILE", 0, "read FILE instead of " KWS_SYSCONFDIR "/kwsd/kwsd.conf", 0 },
	{ "test", 't', NULL, 0, "check the configuration, print the effective one and exit", 0 },
	{ "set", 'o', "SECTION.KEY=VALUE", 0, "override one key of the file; may be repeated", 0 },
	{ "device", 'd', "NAME", 0, "the same as -o audio.device=NAME; raw:- reads standard input",
	  0 },
	{ "model", 'm', "FILE", 0, "the same as -o model.path=FILE", 0 },
	{ "log-level", 'l', "LEVEL", 0,
	  "the same as -o log.level=LEVEL: error, warning, info, debug", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 }
};

static void override(struct argp_state *state, options *o, char *text, const char *key,
		     const char *arg)
{
	if (o->src.n_set == KWS_CONF_OVERRIDES)
		argp_error(state, "more than %d overrides", KWS_CONF_OVERRIDES);
	else if (text
		 && snprintf(text, sizeof o->texts[0], "%s=%s", key, arg)
			    >= (int)sizeof o->texts[0])
		argp_error(state, "%s: too long", arg);
	else
		o->src.set[o->src.n_set++] = text ? text : arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	options *o = state->input;
	char full[KWS_CONF_TEXT], path[2 * KWS_CONF_TEXT + 2];

	switch (key) {
	case 'c':
		o->src.path = arg;
		o->src.optional = false;
		return 0;
	case 't': o->test = true; return 0;
	case 'o': override(state, o, NULL, NULL, arg); return 0;
	case 'd': override(state, o, o->texts[0], "audio.device", arg); return 0;
	case 'm':
		/* do not resolve symbolic links: a reload follows them anew */
		if (*arg == '/' || !getcwd(full, sizeof full))
			full[0] = 0;
		snprintf(path, sizeof path, "%.*s%s%.*s", KWS_CONF_TEXT, full, *full ? "/" : "",
			 KWS_CONF_TEXT, arg);
		override(state, o, o->texts[1], "model.path", path);
		return 0;
	case 'l': override(state, o, o->texts[2], "log.level", arg); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	table,
	parse,
	NULL,
	"Listen to a microphone and report each keyword that is spoken."
	"\vSIGHUP reloads configuration and model, SIGUSR1 logs a line of statistics, SIGTERM "
	"ends. "
	"kwsd.conf(5) has all keys; `kws devices` lists what audio.device can name.",
	NULL,
	NULL,
	NULL
};

static void say(void *ctx, const char *text)
{
	(void)ctx;
	kws_log(KWS_LOG_ERROR, "%s", text);
}

static void introduce(const kws_setup *s, const kws_conf_source *src)
{
	bool file = access(src->path, F_OK) == 0;

	kws_log(KWS_LOG_INFO, "version %s; configuration %s%s", KWS_VERSION,
		file ? "" : "defaults, without ", src->path);
	for (size_t i = 0; i < s->models.n; i++) {
		const kws_model *m = kws_shared_model_get(s->models.model[i]);
		const kws_conf_model *c = &s->conf.model[i];

		kws_log(KWS_LOG_INFO, "model %s%s%s %.12s, %s%s%s", c->name, *c->name ? ": " : "",
			kws_model_name(m), kws_model_hash(m), c->path, *c->after ? ", after " : "",
			c->after);
	}
}

/* Whether an enabled listener reads standard input. */
static bool hears_stdin(const kws_conf *c)
{
	for (size_t i = 0; i < c->n_audio; i++)
		if (c->audio[i].enabled && !strcmp(c->audio[i].device, "raw:-"))
			return true;
	return false;
}

/* Whether an enabled listener hears a device of the sound system. */
static bool hears_device(const kws_conf *c)
{
	for (size_t i = 0; i < c->n_audio; i++)
		if (c->audio[i].enabled && strncmp(c->audio[i].device, "raw:", 4) != 0)
			return true;
	return false;
}

/* Returns the exit status. Memory, or what else the system lacks, may be there at the next try. */
static int fail(const kws_error *err, enum kws_status status)
{
	kws_log(KWS_LOG_ERROR, "%s", err->text);
	return status == KWS_ERR_NOMEM ? EX_OSERR : EX_CONFIG;
}

/* KWS_OK: *service is created; or *stopped is true without a service, because SIGTERM or SIGINT
 * came first. */
static enum kws_status start(kws_service **service, kws_setup *setup, const kws_conf_source *src,
			     bool *stopped, kws_error *err)
{
	enum kws_status status = kws_start_build(setup, stopped, err);

	if (status != KWS_OK || *stopped)
		return status;
	introduce(setup, src);
	status = kws_setup_open(setup, err);
	if (status != KWS_OK)
		return status;
	return kws_service_create(service, src, setup, err);
}

int main(int argc, char **argv)
{
	options o = { .src = { .path = KWS_SYSCONFDIR "/kwsd/kwsd.conf", .optional = true } };
	static kws_setup setup; /* large */
	kws_service *service = NULL;
	kws_error err = { "" };
	enum kws_status status;
	bool stopped;

	if (!kws_start()) {
		kws_log(KWS_LOG_ERROR, "/dev/null: %s", kws_strerrno(errno));
		return EX_OSERR;
	}
	kws_device_prepare();
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	mallopt(M_ARENA_MAX, 1); /* one heap for all threads: they allocate little */
	status = kws_signals_catch(&err);
	if (status != KWS_OK)
		return fail(&err, status);
	if (kws_setup_read(&setup, &o.src, say, NULL))
		return EX_CONFIG;
	if (o.test)
		_exit(kws_check(&setup));
	if (hears_stdin(&setup.conf) && !kws_start_has_stdin()) {
		kws_log(KWS_LOG_ERROR, "audio.device: raw:-: standard input is closed");
		return EX_NOINPUT;
	}
	kws_log_level((int)setup.conf.log.level);
	kws_log_open(setup.conf.log.level >= KWS_LOG_DEBUG);
	if (setup.conf.out.enabled == KWS_AUTO && !kws_start_has_stdout())
		kws_log(KWS_LOG_WARNING, "standard output is closed: no events there");
	if (hears_device(&setup.conf))
		kws_device_list_ahead(); /* while the models are loaded */
	status = start(&service, &setup, &o.src, &stopped, &err);
	if (status != KWS_OK)
		return fail(&err, status);
	/* _exit skips destructors of libraries, whose threads may hang */
	_exit(stopped ? EX_OK : kws_service_run(service));
}
